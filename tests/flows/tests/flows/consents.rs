//! Consents are kept as evidence: document, version, language and time.

use enrollment::language::Language;
use flows::card::Card;
use flows::card_on_file::CardOnFile;
use flows::page::{Page, Submission};
use flows::partner::Partner;
use flows::stored;
use jiff::Timestamp;
use serde_json::{Value, json};

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn enrollment_keeps_document_version_language_and_time() {
    let partner = Partner::like_demo_but(|client| {
        let language = Language::parse("pl").unwrap();
        client.translations.insert(language, json!({"register": {}}));
    });
    let page = Page::of(&partner.open(&json!({"language": "pl_PL"})));
    let declined = page.submission(&Card::numbered("5234000000001526"));
    page.settle(&declined);
    let owner = owner(&page, &declined);
    assert_eq!(consents(&owner), Vec::<Value>::new(), "nothing came of it");

    let submission = page.submission(&Card::fresh());
    let before = Timestamp::now();
    page.settle(&submission);
    let after = Timestamp::now();
    let mut kept = consents(&owner);
    for consent in &mut kept {
        let given_at: Timestamp = consent["at"].take().as_str().unwrap().parse().unwrap();
        assert!(before <= given_at && given_at <= after, "{given_at}");
    }
    assert_eq!(
        kept,
        ["terms", "privacy"].map(|document| {
            json!({"document": document, "version": "2026-01", "language": "pl", "at": null})
        })
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn only_enrollments_add_consents() {
    let partner = Partner::demo();
    let [old, _] = [(); 2].map(|()| CardOnFile::fresh(&partner));
    let page = Page::replacing(&partner);
    let submission = page.replacement(&old, &Card::fresh());
    let event = page.settle(&submission).json();
    assert_eq!(event["status"], "SUCCESS_REPLACEMENT", "{event}");
    let owner = owner(&page, &submission);
    let kept = consents(&owner);
    assert_eq!(kept.len(), 4, "two documents, two enrollments: {kept:?}");

    let cards = Page::opting_out(&partner);
    let chosen = cards.offered().remove(0);
    let opt_out = Submission {
        body: json!({"oldCard": chosen}),
        ..submission
    };
    assert_eq!(cards.settle(&opt_out).json()["status"], "SUCCESS_REMOVAL");
    assert_eq!(
        consents(&owner),
        kept,
        "they stay as long as there is a record of a card"
    );
}

fn owner(page: &Page, submission: &Submission) -> String {
    let intent = stored::intent(page, submission).expect("an intent");
    stored::owner(&intent).to_owned()
}

/// Consents of the customer's item, in the order in which they were given.
fn consents(owner: &str) -> Vec<Value> {
    let customer = stored::customer(owner).expect("the customer");
    let kept = customer["consents"]["L"].as_array().cloned().unwrap_or_default();
    let read = |consent: &Value| serde_json::from_str(consent["S"].as_str().unwrap()).unwrap();
    kept.iter().map(read).collect()
}
