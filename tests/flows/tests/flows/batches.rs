//! Batches of an issuer, through the gateway to Mastercard's stand-in and back.

use flows::issuer::{Batch, Issuer, call_with};
use flows::receiver;
use flows::time::eventually;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Time limit of a deletion, longer than the sweep's minute.
const PATIENCE: SignedDuration = SignedDuration::from_secs(150);

fn card<'a>(result: &'a Value, id: &str) -> &'a Value {
    let profiles = result["profiles"].as_array().unwrap();
    let mut cards = profiles
        .iter()
        .flat_map(|profile| profile["cards"].as_array().unwrap());
    cards.find(|card| card["externalCardId"] == id).unwrap()
}

fn errors(answer: &flows::call::Answer) -> Vec<(String, String)> {
    let told = answer.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let errors = told["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| (text(&error["pointer"]), text(&error["detail"])))
        .collect()
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn batch_goes_to_mastercard_and_is_confirmed() {
    let issuer = Issuer::demo();
    let batch = Batch::of(&[&["enrolled"], &["enrolled_second", "pan_ineligible"]]);
    let body = batch.body();
    let sent = issuer.send(&body);
    assert_eq!(sent.status, 202, "{}", sent.text());
    assert_eq!(sent.header("cache-control"), "no-store");
    let again = issuer.send(&body);
    assert_eq!(
        (again.status, again.json()),
        (202, sent.json()),
        "the same body again"
    );
    let id = sent.json()["batchId"].as_str().unwrap().to_owned();

    let result = issuer.result(&id);
    assert_eq!(result["status"], "SUCCESS_BATCH", "{result}");
    assert_eq!(
        (&result["accepted"], &result["failed"], &result["unknown"]),
        (&json!(1), &json!(2), &json!(0))
    );
    assert_eq!(card(&result, &batch.card_id("enrolled"))["status"], "accepted");
    let fallen = card(&result, &batch.card_id("enrolled_second"));
    assert_eq!(fallen["reason"], "PROFILE_INCOMPLETE");
    assert_eq!(fallen["sibling"], batch.card_id("pan_ineligible"));

    let confirmation = eventually("the batch's confirmation", PATIENCE, || {
        let mut received = receiver::received().into_iter();
        received.find(|received| received.body["externalBatchId"] == batch.id.as_str())
    });
    assert!(confirmation.verified);
    assert_eq!(
        confirmation.body,
        json!({
            "status": "SUCCESS_BATCH", "batchId": id, "externalBatchId": batch.id,
            "accepted": 1, "failed": 2, "unknown": 0,
        })
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn other_body_under_the_same_id_is_a_conflict() {
    let issuer = Issuer::demo();
    let batch = Batch::of(&[&["enrolled"]]);
    let id = issuer.accepted(&batch);
    // Encrypted anew, the content is another body.
    let refused = issuer.send(&batch.body());
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(refused.json()["status"], 409);
    assert_eq!(
        issuer.result(&id)["status"],
        "SUCCESS_BATCH",
        "the first one goes on"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn every_fault_has_its_pointer() {
    let issuer = Issuer::demo();
    let batch = Batch::of(&[&["enrolled"], &["enrolled_second"]]);
    let mut request = batch.request();
    request["externalBatchId"] = "5234000100000006".into();
    request["manifest"]["profiles"][1]["cards"] = json!([]);
    request["manifest"]["profiles"][0]["externalConsumerId"] = "a b".into();
    request["confirmationUrl"] = "https://elsewhere.example/".into();
    request["encryptedEnrollmentData"] = "e30.AA.AA.AA.AA".into();
    request["surprise"] = true.into();
    let refused = issuer.send(request.to_string().as_bytes());
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(!refused.text().contains("5234000100000006"), "{}", refused.text());
    let errors = errors(&refused);
    for (pointer, word) in [
        ("/externalBatchId", "card number"),
        ("/manifest/profiles/0/externalConsumerId", "must be 1 to 64"),
        ("/manifest/profiles/1/cards", "empty"),
        ("/confirmationUrl", "registered host"),
        ("/encryptedEnrollmentData", "JWE"),
    ] {
        let found = errors
            .iter()
            .any(|(at, detail)| at == pointer && detail.contains(word));
        assert!(found, "{pointer}: {word} in {errors:?}");
    }
    assert!(
        errors
            .iter()
            .any(|(at, _)| at.contains("surprise") || at.is_empty()),
        "{errors:?}"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn large_body_is_refused_with_the_figure() {
    let issuer = Issuer::demo();
    let body = vec![b' '; 524_289];
    let refused = issuer.send(&body);
    assert_eq!(refused.status, 413, "{}", refused.text());
    assert!(refused.text().contains("524288"), "{}", refused.text());
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn token_is_for_one_request() {
    let issuer = Issuer::demo();
    let body = Batch::of(&[&["enrolled"]]).body();
    let refused = |changes: Value| {
        let token = issuer.token("B", "POST", "enroll_batch", &body, &changes);
        let answer = call_with(&token, "POST", "enroll_batch", &body);
        (answer.status, answer.json()["code"].clone())
    };
    let malformed = (400, json!("INVALID_PARAMETERS"));
    assert_eq!(refused(json!({"actionCode": "D"})), malformed);
    assert_eq!(refused(json!({"htm": "GET"})), malformed);
    assert_eq!(
        refused(json!({"htu": "https://elsewhere.example/company/enroll_batch"})),
        malformed
    );
    assert_eq!(refused(json!({"bodyHash": "AAAA"})), malformed);
    assert_eq!(refused(json!({"bodyHash": null})), malformed);
    assert_eq!(refused(json!({"iss": "nobody"})), (403, json!("ACCESS_DENIED")));
    let past = flows::time::now() - 1000;
    let expired = refused(json!({"iat": past, "exp": past + 300}));
    assert_eq!(expired, (401, json!("TOKEN_EXPIRED")));
    let without = flows::call::post_json(&flows::issuer::address("enroll_batch"), "{}");
    assert_eq!(without.status, 401);
    assert_eq!(without.header("www-authenticate"), "Bearer");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn only_an_issuer_has_batches_and_only_its_own() {
    let no_issuer = Issuer::like_demo_but(|client| client.issuer = None);
    let body = Batch::of(&[&["enrolled"]]).body();
    assert_eq!(no_issuer.send(&body).status, 403);

    let batch = Batch::of(&[&["enrolled"]]);
    let id = Issuer::demo().accepted(&batch);
    let other = Issuer::like_demo_but(|_| {});
    let path = format!("enroll_batch/{id}");
    assert_eq!(other.call("B", "GET", &path, b"").status, 404);
    assert_eq!(other.call("B", "GET", "enroll_batch/unknown", b"").status, 404);
    // The same id is another batch of another client.
    assert_ne!(other.accepted(&batch), id);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn enrolled_card_is_shown_and_deleted() {
    let issuer = Issuer::demo();
    let batch = Batch::of(&[&["enrolled", "enrolled_second"]]);
    let id = issuer.accepted(&batch);
    assert_eq!(issuer.result(&id)["accepted"], 2);
    let path = format!("enrolled_cards/{}", batch.card_id("enrolled"));
    let shown = || issuer.call("B", "GET", &path, b"");
    assert_eq!(
        (shown().status, &shown().json()["status"]),
        (200, &json!("enrolled"))
    );

    let token = issuer.token("D", "DELETE", &path, b"", &json!({}));
    let deleted = call_with(&token, "DELETE", &path, b"");
    assert_eq!(deleted.status, 202, "{}", deleted.text());
    let used = call_with(&token, "DELETE", &path, b"");
    assert_eq!(
        (used.status, &used.json()["code"]),
        (403, &json!("ACCESS_DENIED"))
    );
    eventually("the card's deletion", PATIENCE, || {
        (shown().json()["status"] == "deleted").then_some(())
    });
    let again = issuer.call("D", "DELETE", &path, b"");
    assert_eq!(
        (again.status, &again.json()["status"]),
        (202, &json!("deleted")),
        "idempotent"
    );

    // The consumer's other card goes with the consumer.
    let consumer = format!("enrolled_consumers/{}", batch.consumer_id(0));
    let deleted = issuer.call("D", "DELETE", &consumer, b"");
    assert_eq!(deleted.status, 202, "{}", deleted.text());
    assert_eq!(deleted.json()["cards"].as_array().unwrap().len(), 2);
    let other = format!("enrolled_cards/{}", batch.card_id("enrolled_second"));
    eventually("the other card's deletion", PATIENCE, || {
        let shown = issuer.call("B", "GET", &other, b"");
        (shown.json()["status"] == "deleted").then_some(())
    });
    assert_eq!(issuer.call("B", "GET", "enrolled_cards/unknown", b"").status, 404);
    assert_eq!(
        issuer
            .call("D", "DELETE", "enrolled_consumers/unknown", b"")
            .status,
        404
    );
}
