//! Limits against card testing: attempts are limited over sessions and actions, and opt-outs are never limited.

use std::thread;

use enrollment::client::Program;
use flows::card::Card;
use flows::card_on_file::CardOnFile;
use flows::local_aws::{Settings, aws};
use flows::page::{Page, Submission};
use flows::partner::Partner;
use flows::rewards;
use flows::stored;
use serde_json::{Map, Value, json};

/// Card number that MRS declines with -45.
const DECLINED: &str = "5234000000001450";

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn enrollments_and_replacements_count_together() {
    let partner = with_program(|program| program.attempts_per_customer_per_hour = 4);
    let old = CardOnFile::fresh(&partner);
    let [first, second, too_late] = [(); 3].map(|()| Page::replacing(&partner));
    let enrolling = [(); 2].map(|()| Page::of(&partner.open(&json!({}))));
    let [third, also_too_late] = &enrolling;
    for page in [&first, &second] {
        assert_eq!(code(page, Some(&old)), "-45");
    }
    assert_eq!(code(third, None), "-45");

    let new = Card::fresh();
    let answers = [
        too_late.settle(&too_late.replacement(&old, &new)),
        also_too_late.settle(&also_too_late.submission(&new)),
    ];
    for answer in answers {
        assert_eq!(
            answer.json(),
            json!({"status": "ACCESS_DENIED", "parentId": partner.customer})
        );
        assert_eq!(answer.header("attempts-left"), "0");
    }
    assert_eq!(rewards::accounts_of(&new), [], "MRS was not asked");
    assert!(old.is_active());
    for action in ["N", "R"] {
        let redirect = partner.open(&json!({"actionCode": action}));
        assert_eq!(redirect.failure().0, "ACCESS_DENIED", "{action}");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_customer_at_the_limit_can_still_opt_out() {
    let partner = with_program(|program| program.attempts_per_customer_per_hour = 2);
    let card = CardOnFile::fresh(&partner);
    let opened_before = Page::opting_out(&partner);
    let page = Page::of(&partner.open(&json!({})));
    assert_eq!(code(&page, None), "-45");
    assert_eq!(partner.open(&json!({})).failure().0, "ACCESS_DENIED");
    assert_eq!(opened_before.offered(), [&*card.id]);
    let page = Page::opting_out(&partner);
    let event = page.settle(&Submission::opt_out(&card)).json();
    assert_eq!(event["status"], "SUCCESS_REMOVAL", "{event}");
    assert!(!card.is_active());
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn client_limit_covers_replacements_but_no_opt_out() {
    let partner = with_program(|program| program.attempts_per_client_per_hour = 4);
    let (one, other) = (partner.clone(), partner.with_another_customer());
    let [card, others] = [CardOnFile::fresh(&one), CardOnFile::fresh(&other)];
    let too_late = Page::replacing(&other);
    let page = Page::replacing(&one);
    for _ in 0..2 {
        assert_eq!(code(&page, Some(&card)), "-45");
    }
    let refused = too_late.settle(&too_late.replacement(&others, &Card::fresh()));
    assert_eq!(refused.json()["status"], "ACCESS_DENIED");
    let nobody_yet = partner.with_another_customer();
    for (partner, action) in [(&one, "R"), (&other, "R"), (&nobody_yet, "N")] {
        let redirect = partner.open(&json!({"actionCode": action}));
        assert_eq!(redirect.failure().0, "ACCESS_DENIED");
    }
    for (partner, card) in [(&one, card), (&other, others)] {
        let page = Page::opting_out(partner);
        let event = page.settle(&Submission::opt_out(&card)).json();
        assert_eq!(event["status"], "SUCCESS_REMOVAL", "{event}");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn opting_out_is_no_attempt() {
    let partner = with_program(|program| program.attempts_per_customer_per_hour = 2);
    let card = CardOnFile::fresh(&partner);
    let page = Page::opting_out(&partner);
    page.settle(&Submission::opt_out(&card));
    let further = CardOnFile::fresh(&partner);
    let page = Page::opting_out(&partner);
    page.settle(&Submission::opt_out(&further));
    assert_eq!(
        partner.open(&json!({})).failure().0,
        "ACCESS_DENIED",
        "two cards, two attempts"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn concurrent_sessions_stay_within_the_limit() {
    let partner = with_program(|program| program.attempts_per_customer_per_hour = 5);
    let cards = [(); 3].map(|()| CardOnFile::fresh(&partner));
    let declined = Card::numbered(DECLINED);
    let attempts: Vec<_> = cards
        .iter()
        .flat_map(|old| {
            let replacing = Page::replacing(&partner);
            let enrolling = Page::of(&partner.open(&json!({})));
            let replacement = replacing.replacement(old, &declined);
            let enrollment = enrolling.submission(&declined);
            [(replacing, replacement), (enrolling, enrollment)]
        })
        .collect();
    let events: Vec<Value> = thread::scope(|scope| {
        let calls: Vec<_> = attempts
            .iter()
            .map(|(page, submission)| scope.spawn(|| page.settle(submission).json()))
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let asked = events.iter().filter(|event| event["statusCode"] == "-45");
    let denied = events.iter().filter(|event| event["status"] == "ACCESS_DENIED");
    assert_eq!((asked.count(), denied.count()), (2, 4), "{events:?}");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn attempts_count_for_any_sixty_minutes() {
    let partner = with_program(|program| program.attempts_per_customer_per_hour = 2);
    let page = Page::of(&partner.open(&json!({})));
    let submission = page.submission(&Card::numbered(DECLINED));
    assert_eq!(page.settle(&submission).json()["statusCode"], "-45");
    assert_eq!(code(&page, None), "-45");
    assert_eq!(partner.open(&json!({})).failure().0, "ACCESS_DENIED");

    let intent = stored::intent(&page, &submission).expect("an intent");
    let counter = Counter::of(stored::owner(&intent));
    assert_eq!(counter.attempts(), 2);
    // The hour of the clock does not matter: what was 58 minutes ago counts, what was 62 minutes ago does not.
    counter.age(58);
    assert_eq!(partner.open(&json!({})).failure().0, "ACCESS_DENIED");
    Counter::of(stored::owner(&intent)).age(4);
    let page = Page::of(&partner.open(&json!({})));
    assert_eq!(code(&page, None), "-45");
    let counter = Counter::of(stored::owner(&intent));
    assert_eq!(counter.attempts(), 1, "what counts no more is forgotten");
}

/// Counter of a customer.
struct Counter(Value);

impl Counter {
    fn of(owner: &str) -> Self {
        let key = json!({"pk": {"S": format!("attempts#{owner}")}});
        let item = stored::item(&Settings::read().limits_table, &key);
        Self(item.expect("the customer's counter"))
    }

    fn minutes(&self) -> &Map<String, Value> {
        self.0["minutes"]["M"].as_object().expect("a map")
    }

    fn attempts(&self) -> u32 {
        let numbers = self.minutes().values();
        numbers
            .map(|number| number["N"].as_str().expect("a number").parse::<u32>().unwrap())
            .sum()
    }

    /// Moves the attempts that many minutes into the past.
    fn age(&self, minutes: i64) {
        let older = |minute: &str| (minute.parse::<i64>().unwrap() - minutes).to_string();
        let moved: Map<String, Value> = self
            .minutes()
            .iter()
            .map(|(minute, number)| (older(minute), number.clone()))
            .collect();
        let mut item = self.0.clone();
        item["minutes"] = json!({"M": moved});
        item["minute"] = json!({"N": older(self.0["minute"]["N"].as_str().expect("a number"))});
        let put = json!({"TableName": Settings::read().limits_table, "Item": item});
        aws("DynamoDB_20120810.PutItem", &put);
    }
}

/// Submits a number that is declined, to enroll it or to replace a card, and gives MRS's code.
fn code(page: &Page, old: Option<&CardOnFile>) -> String {
    let card = Card::numbered(DECLINED);
    let submission = match old {
        Some(old) => page.replacement(old, &card),
        None => page.submission(&card),
    };
    let event = page.settle(&submission).json();
    event["statusCode"]
        .as_str()
        .unwrap_or_else(|| panic!("no code in {event}"))
        .to_owned()
}

fn with_program(change: impl Fn(&mut Program)) -> Partner {
    Partner::like_demo_but(|client| client.programs.iter_mut().for_each(change))
}
