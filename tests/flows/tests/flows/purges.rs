//! Purge: `retention_days` after its cancellation nothing is left of a card, and with the last card nothing of the customer,
//! in no table and no queue.

use enrollment::action::ActionCode;
use enrollment::status::Status;
use flows::card::Card;
use flows::card_on_file::CardOnFile;
use flows::issuer::{Batch, Issuer};
use flows::local_aws::{Settings, invoke, messages, queues, scan, stands_in};
use flows::page::{Page, Submission};
use flows::partner::Partner;
use flows::rewards;
use flows::stack::Stack;
use flows::stored;
use flows::time::{eventually, now_in_milliseconds};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Time limit of deliveries and of cancellations by settlement.
const PATIENCE: SignedDuration = SignedDuration::from_secs(90);
const DAY: i64 = 24 * 3600 * 1000;
/// `retention_days` of the demo client's program.
const RETENTION: i64 = 30 * DAY;

/// Customer with a declined card, and one that was enrolled, replaced and finally opted out.
struct Past {
    partner: Partner,
    owner: String,
    cards: [CardOnFile; 2],
    numbers: Vec<String>,
    sessions: Vec<Page>,
    intents: Vec<String>,
    confirmations: Vec<String>,
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn last_card_is_deleted_with_the_whole_customer() {
    let past = Past::of(&Partner::like_demo_but(|_| {}));
    let tables = Settings::read();
    // What is to go is there, and found by these searches: also a confirmation that is parked.
    for id in &past.confirmations {
        parked(id);
    }
    assert!(traces(&past.blind_index()).len() > 10);
    let [first, last] = &past.cards;
    past.age(first, RETENTION + DAY);
    past.age(last, RETENTION + DAY);
    invoke("Purge");
    assert!(
        stored::customer(&past.owner).is_some() && stored::card(&past.owner, &first.id).is_some(),
        "an open session holds it back"
    );

    past.end_sessions();
    invoke("Purge");
    let secrets = past.secrets();
    for (what, secret) in &secrets {
        assert_eq!(traces(secret), Vec::<String>::new(), "{what}");
    }
    for id in &past.intents {
        assert_eq!(
            stored::item(&tables.enrollments_table, &stored::intent_key(id)),
            None
        );
    }
    for id in &past.confirmations {
        assert_eq!(stored::confirmation(id), None);
        let named = traces(id);
        assert!(
            matches!(&named[..], [line] if line.contains("audit#")),
            "what goes undelivered is named in the trail, once and nowhere else: {named:?}"
        );
    }
    for page in &past.sessions {
        assert_eq!(stored::item(&tables.sessions_table, &session_key(page)), None);
        assert_eq!(page.describe().status, 401);
    }
    let limits = json!({"pk": {"S": format!("attempts#{}", past.owner)}});
    assert_eq!(stored::item(&tables.limits_table, &limits), None);
    for queue in queues() {
        for message in messages(&queue) {
            let confirmations = past.confirmations.iter().map(|id| ("confirmation", id.clone()));
            for (what, secret) in secrets.iter().cloned().chain(confirmations) {
                assert!(
                    !stands_in(&message, &secret),
                    "{what} stands in a message of {queue}"
                );
            }
        }
    }

    let back = CardOnFile::fresh(&past.partner);
    assert_eq!(Page::opting_out(&past.partner).offered(), [back.id]);
    let customer = stored::customer(&past.owner).expect("the customer, anew");
    assert_eq!(customer["active"]["N"], "1");
    assert_eq!(
        customer["consents"]["L"].as_array().map(Vec::len),
        Some(2),
        "those of this time"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn deleted_exactly_on_the_date() {
    let partner = Partner::demo();
    let card = CardOnFile::fresh(&partner);
    let page = Page::opting_out(&partner);
    let submission = Submission::opt_out(&card);
    page.settle(&submission);
    let intent = stored::intent(&page, &submission).expect("an intent");
    let owner = stored::owner(&intent);
    end_sessions_of(owner);
    // A minute is more than a run takes to come to it.
    age(owner, &card.id, RETENTION - 60_000);
    invoke("Purge");
    assert!(stored::card(owner, &card.id).is_some(), "a minute too early");
    assert!(stored::customer(owner).is_some());
    age(owner, &card.id, RETENTION);
    invoke("Purge");
    assert_eq!(stored::card(owner, &card.id), None);
    assert_eq!(stored::customer(owner), None);
    assert_eq!(stored::intent(&page, &submission), None);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn expired_card_is_deleted_and_the_customer_stays() {
    let partner = Partner::demo();
    let [old, opted_out, stays] = [(); 3].map(|()| CardOnFile::fresh(&partner));
    let replacing = with_address(&partner, ActionCode::Replace, "");
    let replacement = replacing.replacement(&old, &Card::fresh());
    let event = replacing.settle(&replacement).json();
    let opting_out = with_address(&partner, ActionCode::OptOut, "");
    let opt_out = Submission::opt_out(&opted_out);
    opting_out.settle(&opt_out);
    let intent = stored::intent(&replacing, &replacement).expect("an intent");
    let owner = stored::owner(&intent);
    cancelled(owner, &old.id);
    // What is still to be told holds its card back.
    delivered(&replacing.confirmation(&replacement, Status::SuccessReplacement));
    delivered(&opting_out.confirmation(&opt_out, Status::SuccessRemoval));
    for card in [&old, &opted_out] {
        age(owner, &card.id, RETENTION);
    }
    invoke("Purge");

    let new = replacing.intent(&replacement);
    for card in [&old, &opted_out] {
        assert_eq!(stored::card(owner, &card.id), None);
        assert_eq!(
            stored::item(&Settings::read().enrollments_table, &stored::intent_key(&card.id)),
            None,
            "the intent that enrolled it"
        );
    }
    assert_eq!(stored::intent(&opting_out, &opt_out), None, "what took it out");
    let told = opting_out.confirmation(&opt_out, Status::SuccessRemoval);
    assert_eq!(stored::confirmation(&told), None, "nor what was told of it");
    for gone in [&old.ranac, &opted_out.ranac] {
        assert_eq!(traces(gone), Vec::<String>::new());
    }
    let customer = stored::customer(owner).expect("the customer");
    assert_eq!(customer["active"]["N"], "2");
    assert_eq!(customer["consents"]["L"].as_array().map(Vec::len), Some(6));
    assert_eq!(
        Page::opting_out(&partner).offered(),
        [stays.id, new],
        "the list is whole"
    );
    let repeat = replacing.submit(&replacement);
    assert_eq!(repeat.json(), event, "the replacement is the new card's own");
    assert!(rewards::is_active(event["ranac"].as_str().unwrap()));
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn batch_and_its_deleted_cards_are_purged() {
    let issuer = Issuer::like_demo_but(|_| {});
    let batch = Batch::of(&[&["enrolled"]]);
    let id = issuer.accepted(&batch);
    assert_eq!(issuer.result(&id)["accepted"], 1);
    let consumer = format!("enrolled_consumers/{}", batch.consumer_id(0));
    assert_eq!(issuer.call("D", "DELETE", &consumer, b"").status, 202);
    let tables = Settings::read();
    let batch_key = json!({"pk": {"S": format!("batch#{id}")}});
    let stored_batch = || stored::item(&tables.batches_table, &batch_key);
    let card = eventually("the deletion of the card", PATIENCE, || {
        let mut cards = scan(&tables.digital_cards_table);
        cards.retain(|card| card["batch"]["S"] == id && card["state"]["S"] == "deleted");
        cards.pop()
    });
    let card_key = json!({"pk": card["pk"]});

    let past = now_in_milliseconds() - RETENTION - DAY;
    let ended = [("accepted_at", past), ("ended_at", past)];
    stored::rewrite(&tables.batches_table, &batch_key, &ended);
    let deleted = [("deleted_at", past), ("agenda_at", past)];
    stored::rewrite(&tables.digital_cards_table, &card_key, &deleted);
    invoke("Purge");
    assert_eq!(stored::item(&tables.digital_cards_table, &card_key), None);
    let waiting = stored_batch().expect("a batch whose JWE is stored");
    assert_eq!(waiting["has_content"]["BOOL"], true);

    // The JWE goes a day after the batch's end.
    stored::rewrite(&tables.batches_table, &batch_key, &[("agenda_at", past)]);
    eventually("the deletion of the JWE", PATIENCE, || {
        invoke("BatchPoll");
        (stored_batch()?["has_content"]["BOOL"] == false).then_some(())
    });
    invoke("Purge");
    assert_eq!(stored_batch(), None);
    assert_eq!(traces(&id), Vec::<String>::new());
    let path = format!("enroll_batch/{id}");
    assert_eq!(issuer.call("B", "GET", &path, b"").status, 404);
}

impl Past {
    /// Parks every confirmation, since the receiver answers 410.
    fn of(partner: &Partner) -> Self {
        let enrolling = with_address(partner, ActionCode::Enroll, "?answer=410");
        let declined = enrolling.submission(&Card::numbered("5234000000001526"));
        assert_eq!(enrolling.settle(&declined).json()["statusCode"], "-52");
        let card = Card::fresh();
        let enrollment = enrolling.submission(&card);
        let event = enrolling.settle(&enrollment).json();
        let first = on_file(&enrolling, &enrollment, card, &event);

        let replacing = with_address(partner, ActionCode::Replace, "?answer=410");
        let card = Card::fresh();
        let replacement = replacing.replacement(&first, &card);
        let event = replacing.settle(&replacement).json();
        let last = on_file(&replacing, &replacement, card, &event);

        let opting_out = with_address(partner, ActionCode::OptOut, "?answer=410");
        let opt_out = Submission::opt_out(&last);
        let event = opting_out.settle(&opt_out).json();
        assert_eq!(event["status"], "SUCCESS_REMOVAL", "{event}");

        let intent = stored::intent(&opting_out, &opt_out).expect("an intent");
        let owner = stored::owner(&intent).to_owned();
        for card in [&first, &last] {
            cancelled(&owner, &card.id);
        }
        let attempts = [
            (&enrolling, &declined, Status::ErrorEnrollment),
            (&enrolling, &enrollment, Status::SuccessEnrollment),
            (&replacing, &replacement, Status::SuccessReplacement),
            (&opting_out, &opt_out, Status::SuccessRemoval),
        ];
        let numbers = [&first, &last].map(|card| rewards::account(&card.ranac).bank_customer_number);
        Self {
            partner: partner.clone(),
            owner,
            cards: [first, last],
            numbers: numbers.into(),
            intents: attempts
                .map(|(page, submission, _)| page.intent(submission))
                .into(),
            confirmations: attempts
                .map(|(page, submission, status)| page.confirmation(submission, status))
                .into(),
            sessions: vec![enrolling, replacing, opting_out],
        }
    }

    fn age(&self, card: &CardOnFile, milliseconds: i64) {
        age(&self.owner, &card.id, milliseconds);
    }

    fn end_sessions(&self) {
        assert!(end_sessions_of(&self.owner) >= self.sessions.len());
    }

    /// Keyed hash by which all items of the customer are found.
    fn blind_index(&self) -> String {
        let (_, index) = self.owner.rsplit_once('#').expect("a key that ends in it");
        index.to_owned()
    }

    fn secrets(&self) -> Vec<(&'static str, String)> {
        let mut secrets = vec![
            ("customer id", self.partner.customer.clone()),
            ("blind index", self.blind_index()),
        ];
        secrets.extend(self.cards.iter().map(|card| ("RANAC", card.ranac.clone())));
        secrets.extend(
            self.numbers
                .iter()
                .map(|number| ("bank customer number", number.clone())),
        );
        // What names the sealed items, which nobody can search: none of them is left.
        secrets.extend(self.intents.iter().map(|id| ("intent", id.clone())));
        secrets
    }
}

/// Keys of all items of all tables that contain a secret.
fn traces(secret: &str) -> Vec<String> {
    let tables = Settings::read();
    let items = tables.tables().into_iter().flat_map(scan);
    items
        .filter(|item| stands_in(item, secret))
        .map(|item| item["pk"].to_string())
        .collect()
}

fn on_file(page: &Page, submission: &Submission, card: Card, event: &Value) -> CardOnFile {
    CardOnFile {
        id: page.intent(submission),
        card,
        ranac: event["ranac"]
            .as_str()
            .unwrap_or_else(|| panic!("{event}"))
            .to_owned(),
    }
}

/// Client whose receiver answers as `wish` says (see the sandbox's README).
fn with_address(partner: &Partner, action: ActionCode, wish: &str) -> Page {
    let address = format!("{}{wish}", Stack::here().demo.confirmation_url);
    Page::opened(partner, action, &json!({"confirmationUrl": address}))
}

/// Waits until settlement has cancelled a card.
fn cancelled(owner: &str, id: &str) {
    eventually("a cancelled card", PATIENCE, || {
        stored::card(owner, id).filter(|card| card["state"]["S"] == "cancelled")
    });
}

fn parked(id: &str) {
    eventually("a parked confirmation", PATIENCE, || {
        stored::confirmation(id).filter(|item| item["state"]["S"] == "parked")
    });
}

fn delivered(id: &str) {
    eventually("a delivered confirmation", PATIENCE, || {
        stored::confirmation(id).filter(|item| item["state"]["S"] == "delivered")
    });
}

/// Moves the cancellation of a card into the past.
fn age(owner: &str, id: &str, milliseconds: i64) {
    let at = now_in_milliseconds() - milliseconds;
    stored::rewrite(
        &Settings::read().enrollments_table,
        &stored::card_key(owner, id),
        &[("cancelled_at", at), ("agenda_at", at)],
    );
}

/// Ends all sessions of a customer, and counts them.
fn end_sessions_of(owner: &str) -> usize {
    let table = Settings::read().sessions_table;
    let past = now_in_milliseconds() - 1000;
    let mut sessions = scan(&table);
    sessions.retain(|session| session["owner"]["S"] == owner);
    for session in &sessions {
        stored::rewrite(&table, &json!({"pk": session["pk"]}), &[("expires_at", past)]);
    }
    sessions.len()
}

fn session_key(page: &Page) -> Value {
    json!({"pk": {"S": format!("session#{}", hex::encode(Sha256::digest(&page.session)))}})
}
