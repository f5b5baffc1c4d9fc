//! Confirmations to the partner's back end: one for each outcome, sealed until delivered, and deleted then.

use std::net::TcpListener;

use enrollment::client::ReceiverHost;
use enrollment::status::Status;
use flows::card::Card;
use flows::local_aws::{self, Settings, aws, stands_in};
use flows::page::{Page, Submission};
use flows::partner::Partner;
use flows::receiver;
use flows::stack::Stack;
use flows::stored;
use flows::time::eventually;
use jiff::SignedDuration;
use serde_json::{Value, json};

const ENROLLED: Status = Status::SuccessEnrollment;
const FAILED: Status = Status::ErrorEnrollment;
/// Time limit of a delivery, longer than one attempt of 15 s and than the sweep's minute.
const PATIENCE: SignedDuration = SignedDuration::from_secs(90);

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn repeats_have_one_confirmation_id() {
    let page = with_address(&Partner::demo(), "");
    let failed = page.submission(&Card::numbered("5234000000001450"));
    let failure = page.settle(&failed).json();
    assert_eq!(failure["status"], "ERROR_ENROLLMENT");
    let enrolled = page.submission(&Card::fresh());
    let success = page.settle(&enrolled).json();
    assert_eq!(success["status"], "SUCCESS_ENROLLMENT");
    for submission in [&failed, &enrolled] {
        page.submit(submission);
    }
    page.describe();

    for (submission, status, event) in [(&failed, FAILED, failure), (&enrolled, ENROLLED, success)] {
        let id = page.confirmation(submission, status);
        let received = receiver::wait_for(&id, 1);
        assert!(received.verified);
        assert_eq!(received.attempts, 1, "{status:?}");
        assert_eq!(received.body, event, "page and partner are told the same");
    }
    let opposite = page.confirmation(&failed, ENROLLED);
    assert!(stored::confirmation(&opposite).is_none());
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn closed_browser_attempt_is_finished_and_confirmed() {
    let page = with_address(&Partner::demo(), "");
    let card = Card::fresh();
    let submission = page.submission(&card);
    let orders = [
        json!({"operation": "enroll", "fault": "cut-after"}),
        json!({"operation": "getCustomerAccounts", "fault": "http500-before"}),
    ];
    let answer = page.submit_disturbed(&submission, &card, &orders);
    assert_eq!(answer.status, 202, "{}", answer.text());
    // Nobody asks again.
    let received = receiver::wait_for(&page.confirmation(&submission, ENROLLED), 1);
    assert_eq!(received.body["status"], "SUCCESS_ENROLLMENT");
    assert_eq!(
        page.describe().json(),
        received.body,
        "a page that comes back later is told the same"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn sealed_until_delivered() {
    let partner = Partner::like_demo_but(|_| {});
    let page = with_address(&partner, "?answer=500");
    let submission = page.submission(&Card::fresh());
    let event = page.settle(&submission).json();
    let item = stored::confirmation(&page.confirmation(&submission, ENROLLED)).expect("it is there");
    for secret in [
        &*Stack::here().demo.confirmation_url,
        &partner.customer,
        event["ranac"].as_str().unwrap(),
        "SUCCESS_ENROLLMENT",
    ] {
        assert!(!stands_in(&item, secret), "{secret} stands in {item}");
    }
    assert!(item.get("url").is_some() && item.get("body").is_some());
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn what_was_delivered_is_forgotten() {
    let page = with_address(&Partner::demo(), "");
    let submission = page.submission(&Card::fresh());
    page.settle(&submission);
    let id = page.confirmation(&submission, ENROLLED);
    let item = eventually("a delivery that is noted", PATIENCE, || {
        stored::confirmation(&id).filter(|item| item["state"]["S"] == "delivered")
    });
    for gone in ["url", "body", "agenda", "agenda_at"] {
        assert!(item.get(gone).is_none(), "{gone}: {item}");
    }
    assert!(item.get("ttl").is_some(), "{item}");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn failed_delivery_is_retried_under_the_same_id() {
    let partner = Partner::like_demo_but(|_| {});
    let page = with_address(&partner, "?answer=500");
    let submission = page.submission(&Card::fresh());
    page.settle(&submission);
    let id = page.confirmation(&submission, ENROLLED);
    let received = receiver::wait_for(&id, 2);
    assert!(received.verified, "the second attempt is signed anew");
    let item = stored::confirmation(&id).expect("it is there");
    assert_eq!(item["last_failure"]["S"], "http_500");
    assert_eq!(item["state"]["S"], "due");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn gone_parks_all_that_goes_to_that_host() {
    let partner = Partner::like_demo_but(|_| {});
    let (page, submission) = enrolled(&partner, "?answer=410");
    let first = page.confirmation(&submission, ENROLLED);
    parked(&first, "gone");
    let (page, submission) = enrolled(&partner.with_another_customer(), "");
    let second = page.confirmation(&submission, ENROLLED);
    let item = parked(&second, "gone");
    assert_eq!(item["attempts"]["N"], "0", "it was not even tried");
    let came = receiver::received();
    assert!(
        !came
            .iter()
            .any(|received| received.id.as_deref() == Some(&second))
    );
    // Another client's confirmations to the same host go their way.
    let (page, submission) = enrolled(&Partner::demo(), "");
    receiver::wait_for(&page.confirmation(&submission, ENROLLED), 1);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_receiver_that_asks_for_time_gets_it() {
    let partner = Partner::like_demo_but(|_| {});
    let (page, submission) = enrolled(&partner, "?answer=429&retryAfter=3600");
    let id = page.confirmation(&submission, ENROLLED);
    let item = eventually("an attempt", PATIENCE, || {
        stored::confirmation(&id).filter(|item| item.get("last_failure").is_some())
    });
    let wait = number(&item["agenda_at"]) - number(&item["waiting_since"]);
    assert!(wait >= 3_600_000, "{item}");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_redirect_is_not_followed() {
    let partner = Partner::like_demo_but(|_| {});
    let (page, submission) = enrolled(&partner, "?answer=307");
    let id = page.confirmation(&submission, ENROLLED);
    eventually("an attempt", PATIENCE, || {
        stored::confirmation(&id).filter(|item| item["last_failure"]["S"] == "http_307")
    });
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_receiver_that_hangs_delays_nobody_else() {
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = hanging.local_addr().unwrap().port();
    let host = format!("localhost:{port}");
    let partner = Partner::like_demo_but(|client| {
        client
            .confirmation_hosts
            .push(ReceiverHost::parse(&host).unwrap());
    });
    let address = json!({"confirmationUrl": format!("https://{host}/")});
    let held_up: Vec<String> = (0..6)
        .map(|_| {
            let page = Page::of(&partner.with_another_customer().open(&address));
            let submission = page.submission(&Card::fresh());
            page.settle(&submission);
            page.confirmation(&submission, ENROLLED)
        })
        .collect();
    let (page, submission) = enrolled(&Partner::demo(), "");
    receiver::wait_for(&page.confirmation(&submission, ENROLLED), 1);
    // No clock is looked at: the other arrived while the last of these was still waiting for its first answer.
    let last = stored::confirmation(held_up.last().unwrap()).expect("it is there");
    assert!(last.get("last_failure").is_none(), "{last}");
    let failed = |id: &String| {
        let item = stored::confirmation(id).expect("it is there");
        item.get("last_failure").map(|failure| failure["S"].clone())
    };
    let failures = eventually("attempts that end", PATIENCE, || {
        held_up.iter().map(failed).collect::<Option<Vec<_>>>()
    });
    assert!(
        failures.iter().any(|failure| failure == "timeout_tls"),
        "{failures:?}"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn unregistered_host_gets_nothing() {
    let partner = Partner::like_demo_but(|_| {});
    let page = with_address(&partner, "");
    partner.change(|client| client.confirmation_hosts.clear());
    let submission = page.submission(&Card::fresh());
    page.settle(&submission);
    let item = parked(&page.confirmation(&submission, ENROLLED), "not-registered");
    assert_eq!(item["attempts"]["N"], "0", "{item}");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn malformed_message_becomes_a_dead_letter() {
    let settings = Settings::read();
    let letters = local_aws::queue_named("SettleDeadLetters");
    // It comes again after a second, for this test, instead of after minutes.
    let _soon = ShortVisibility::of(&settings.settle_queue_url);
    let poison = json!({"intent": format!("poison {}", flows::card::random_hex(8))}).to_string();
    send(&settings.settle_queue_url, &poison);
    for body in ["not json", r#"{"confirmation":"msg_x"}"#, "{}"] {
        send(&settings.confirm_queue_url, body);
    }
    let (page, submission) = enrolled(&Partner::demo(), "");
    receiver::wait_for(&page.confirmation(&submission, ENROLLED), 1);
    eventually("the message among the dead letters", PATIENCE, || {
        let mut messages = local_aws::messages(&letters).into_iter();
        messages.find(|message| message["Body"] == *poison)
    });
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn without_an_address_nothing_is_confirmed() {
    let page = Page::new();
    let failed = page.submission(&Card::numbered("5234000000001450"));
    page.settle(&failed);
    let enrolled = page.submission(&Card::fresh());
    assert_eq!(page.settle(&enrolled).json()["status"], "SUCCESS_ENROLLMENT");
    for (submission, status) in [(&failed, FAILED), (&enrolled, ENROLLED)] {
        assert!(
            stored::confirmation(&page.confirmation(submission, status)).is_none(),
            "{status:?}"
        );
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn refusal_before_mrs_has_no_confirmation() {
    let partner = Partner::like_demo_but(|client| {
        for program in &mut client.programs {
            program.max_cards = 1;
        }
    });
    // The form is fetched before the limit is reached: afterwards it is refused already.
    let page = with_address(&partner, "");
    let refused = page.submission(&Card::fresh());
    enrolled(&partner, "");
    assert_eq!(page.settle(&refused).json()["status"], "ERROR_ENROLLMENT");
    let told = stored::confirmations_of(&partner.client);
    assert_eq!(told.len(), 1, "that of the success: {told:?}");
}

fn enrolled(partner: &Partner, wish: &str) -> (Page, Submission) {
    let page = with_address(partner, wish);
    let submission = page.submission(&Card::fresh());
    assert_eq!(page.settle(&submission).json()["status"], "SUCCESS_ENROLLMENT");
    (page, submission)
}

/// Client whose receiver answers as `wish` says (see the sandbox's README).
fn with_address(partner: &Partner, wish: &str) -> Page {
    let address = format!("{}{wish}", Stack::here().demo.confirmation_url);
    Page::of(&partner.open(&json!({"confirmationUrl": address})))
}

/// Waits until a confirmation is parked, and gives its item.
fn parked(id: &str, reason: &str) -> Value {
    let item = eventually("a parked confirmation", PATIENCE, || {
        stored::confirmation(id).filter(|item| item["state"]["S"] == "parked")
    });
    assert_eq!(item["reason"]["S"], reason, "{item}");
    item
}

/// Queue whose messages return at once, until this is dropped.
struct ShortVisibility {
    queue: String,
    before: String,
}

impl ShortVisibility {
    fn of(queue: &str) -> Self {
        let query = json!({"QueueUrl": queue, "AttributeNames": ["VisibilityTimeout"]});
        let attributes = aws("AmazonSQS.GetQueueAttributes", &query);
        let before = attributes["Attributes"]["VisibilityTimeout"].as_str();
        let this = Self {
            queue: queue.to_owned(),
            before: before.expect("a time").to_owned(),
        };
        this.set("1");
        this
    }

    fn set(&self, seconds: &str) {
        let attributes = json!({"QueueUrl": self.queue, "Attributes": {"VisibilityTimeout": seconds}});
        aws("AmazonSQS.SetQueueAttributes", &attributes);
    }
}

impl Drop for ShortVisibility {
    fn drop(&mut self) {
        self.set(&self.before);
    }
}

fn send(queue: &str, body: &str) {
    aws(
        "AmazonSQS.SendMessage",
        &json!({"QueueUrl": queue, "MessageBody": body}),
    );
}

fn number(attribute: &Value) -> i64 {
    attribute["N"]
        .as_str()
        .expect("a number")
        .parse()
        .expect("a number")
}
