use enrollment::batch::{ExternalConsumerId, ReasonCode};
use enrollment::clock::Clock as _;
use enrollment::digital_card::{DigitalCard, DigitalCardKey, DigitalCardState};
use enrollment::flows::call::CallError;
use enrollment::flows::digital_cards::erase::{ConsumerErasureError, ConsumerErasureReport};
use enrollment::flows::digital_cards::export::ExportConsumer;
use enrollment::flows::digital_cards::settle::DeletionReport;
use enrollment::ports::IssuerEnrollmentError;
use enrollment::token::TokenError;
use harness::scripted_issuer_enrollment::{IssuerCall, completed, succeeded};
use harness::{BatchFixture, Model};
use jiff::SignedDuration;
use std::sync::Arc;

use crate::batch_calls::{Request, fixture};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// An issuer with the cards `a` and `b` of one consumer and `c` of another.
async fn enrolled() -> (BatchFixture, Arc<Model>) {
    let (fixture, model) = fixture();
    enroll(&fixture, "1", "src").await;
    (fixture, model)
}

/// Enrolls the cards. Mastercard's ids begin with `prefix`.
async fn enroll(fixture: &BatchFixture, external_id: &str, prefix: &str) {
    let id = fixture
        .submitted(external_id, &[("p1", &["a", "b"]), ("p2", &["c"])])
        .await;
    let mut answer = completed(vec![succeeded("a"), succeeded("b"), succeeded("c")]);
    for item in &mut answer.items {
        if let enrollment::batch::ItemOutcome::Succeeded { src_digital_card, .. } = &mut item.outcome {
            let name = format!("{prefix}-{}", item.card.as_deref().unwrap());
            *src_digital_card = enrollment::batch::SrcDigitalCardId::parse(&name).ok();
        }
    }
    fixture.mastercard.answers_status(Ok(answer));
    fixture.poll(id).await;
    fixture.mastercard.take_calls();
}

async fn delete_card(fixture: &BatchFixture, card: &str) -> Option<DigitalCard> {
    let path = format!("/company/enrolled_cards/{card}");
    let request = Request::new(fixture, "D", "DELETE", &path, b"");
    fixture
        .delete_flow()
        .delete_card(request.call(&request.token()), card)
        .await
        .unwrap()
}

async fn delete_consumer(fixture: &BatchFixture, consumer: &str) -> Vec<DigitalCard> {
    let path = format!("/company/enrolled_consumers/{consumer}");
    let request = Request::new(fixture, "D", "DELETE", &path, b"");
    fixture
        .delete_flow()
        .delete_consumer(request.call(&request.token()), consumer)
        .await
        .unwrap()
}

async fn read(fixture: &BatchFixture, card: &str) -> Option<DigitalCard> {
    let path = format!("/company/enrolled_cards/{card}");
    let request = Request::new(fixture, "B", "GET", &path, b"");
    fixture
        .read_card_flow()
        .read(request.call(&request.token()), card)
        .await
        .unwrap()
}

/// Keys of the deletions that were woken.
fn woken(fixture: &BatchFixture) -> Vec<DigitalCardKey> {
    fixture
        .wakeups
        .take_deletions()
        .into_iter()
        .map(|(key, _)| key)
        .collect()
}

#[tokio::test]
async fn card_is_deleted_and_then_says_so() {
    let (fixture, _) = enrolled().await;
    assert_eq!(
        read(&fixture, "a").await.unwrap().state,
        DigitalCardState::Enrolled
    );
    let now = fixture.clock.now();
    let pending = DigitalCardState::DeletionPending { requested_at: now };
    assert_eq!(delete_card(&fixture, "a").await.unwrap().state, pending);
    assert_eq!(read(&fixture, "a").await.unwrap().state, pending);
    assert_eq!(fixture.mastercard.take_calls(), [], "the request only marks it");
    let keys = woken(&fixture);
    assert_eq!(fixture.settle_deletion(&keys[0]).await, DeletionReport::Deleted);
    assert_eq!(
        fixture.mastercard.take_calls(),
        [IssuerCall::Delete("src-a".into())]
    );
    let deleted = read(&fixture, "a").await.unwrap();
    assert_eq!(deleted.state, DigitalCardState::Deleted { at: now });
    let json: serde_json::Value = serde_json::from_str(&deleted.to_json()).unwrap();
    assert_eq!(json["status"], "deleted");
    assert_eq!(json["externalCardId"], "a");
    assert!(
        !deleted.to_json().contains("src-a"),
        "Mastercard's id is not told"
    );
    assert_eq!(fixture.settle_deletion(&keys[0]).await, DeletionReport::NotDue);
    assert_eq!(
        delete_card(&fixture, "a").await.unwrap().state,
        deleted.state,
        "idempotent"
    );
    assert_eq!(woken(&fixture), []);
}

#[tokio::test]
async fn consumer_is_deleted_with_all_cards() {
    let (fixture, _) = enrolled().await;
    delete_card(&fixture, "a").await;
    fixture.settle_deletion(&woken(&fixture)[0]).await;
    let marked = delete_consumer(&fixture, "p1").await;
    let states: Vec<_> = marked.iter().map(|card| card.state.as_str()).collect();
    assert_eq!(states, ["deleted", "deletion_pending"]);
    assert_eq!(woken(&fixture).len(), 1);
    assert_eq!(
        read(&fixture, "c").await.unwrap().state,
        DigitalCardState::Enrolled
    );
    assert_eq!(delete_consumer(&fixture, "nobody").await, []);
    assert_eq!(delete_consumer(&fixture, "not an id").await, []);
    assert_eq!(delete_card(&fixture, "nothing").await, None);
    assert_eq!(read(&fixture, "nothing").await, None);
}

#[tokio::test]
async fn token_of_a_deletion_is_used_once() {
    let (fixture, _) = enrolled().await;
    let request = Request::new(&fixture, "D", "DELETE", "/company/enrolled_cards/a", b"");
    let token = request.token();
    let flow = fixture.delete_flow();
    assert!(
        flow.delete_card(request.call(&token), "a")
            .await
            .unwrap()
            .is_some()
    );
    let again = flow.delete_card(request.call(&token), "a").await;
    assert!(
        matches!(again, Err(CallError::Token(TokenError::Used))),
        "{again:?}"
    );
    let request = Request::new(&fixture, "B", "DELETE", "/company/enrolled_cards/b", b"");
    let refused = flow.delete_card(request.call(&request.token()), "b").await;
    assert!(matches!(refused, Err(CallError::Token(_))), "a token for batches");
    assert_eq!(
        read(&fixture, "b").await.unwrap().state,
        DigitalCardState::Enrolled
    );
}

#[tokio::test]
async fn deletion_rolls_forward_until_mastercard_agrees() {
    let (fixture, _) = enrolled().await;
    delete_card(&fixture, "a").await;
    let key = woken(&fixture).remove(0);
    let errors = [
        IssuerEnrollmentError::NotSent("no connection".into()),
        IssuerEnrollmentError::unanswered("timeout"),
        IssuerEnrollmentError::Refused {
            reason: ReasonCode::of("LOCKED"),
            http_status: 400,
        },
        IssuerEnrollmentError::Repeatable {
            reason: ReasonCode::unspecified(),
            retry_after: Some(SignedDuration::from_mins(10)),
            is_throttled: true,
            flow: None,
        },
    ];
    let mut waits = Vec::new();
    for error in errors {
        fixture.mastercard.answers_deletion(Err(error));
        assert_eq!(fixture.settle_deletion(&key).await, DeletionReport::Postponed);
        let due = fixture
            .stores
            .digital_cards
            .due_deletions(jiff::Timestamp::MAX, 1)
            .await
            .unwrap();
        let wait = due[0].due_at.duration_since(fixture.clock.now());
        waits.push(wait);
        fixture.clock.advance(wait - SignedDuration::from_secs(1));
        assert_eq!(fixture.settle_deletion(&key).await, DeletionReport::NotDue);
        assert_eq!(fixture.sweep().await.woken, 0);
        fixture.clock.advance(SignedDuration::from_secs(1));
    }
    assert_eq!(waits, [MINUTE, MINUTE, MINUTE * 2, MINUTE * 10]);
    let report = fixture.sweep().await;
    assert_eq!((report.woken, report.oldest_deletion), (1, MINUTE * 14));
    assert_eq!(fixture.settle_deletion(&key).await, DeletionReport::Deleted);
}

#[tokio::test]
async fn card_unknown_to_mastercard_is_deleted() {
    let (fixture, _) = enrolled().await;
    delete_card(&fixture, "a").await;
    fixture
        .mastercard
        .answers_deletion(Err(IssuerEnrollmentError::NotFound));
    assert_eq!(
        fixture.settle_deletion(&woken(&fixture)[0]).await,
        DeletionReport::Deleted
    );
}

#[tokio::test]
async fn deletions_keep_to_the_agreed_rate() {
    let (fixture, model) = enrolled().await;
    model.set_rate(1);
    delete_consumer(&fixture, "p1").await;
    let keys = woken(&fixture);
    assert_eq!(fixture.settle_deletion(&keys[0]).await, DeletionReport::Deleted);
    assert_eq!(fixture.settle_deletion(&keys[1]).await, DeletionReport::Postponed);
    fixture.clock.advance(SignedDuration::from_secs(6));
    assert_eq!(fixture.settle_deletion(&keys[1]).await, DeletionReport::Deleted);
}

#[tokio::test]
async fn card_that_is_enrolled_again_is_enrolled() {
    let (fixture, _) = enrolled().await;
    delete_card(&fixture, "a").await;
    fixture.settle_deletion(&woken(&fixture)[0]).await;
    enroll(&fixture, "2", "new").await;
    let card = read(&fixture, "a").await.unwrap();
    assert_eq!(
        (card.state, card.src_digital_card.expose()),
        (DigitalCardState::Enrolled, "new-a")
    );
}

#[tokio::test]
async fn pending_deletion_of_an_old_id_outlives_a_new_one() {
    let (fixture, _) = enrolled().await;
    delete_card(&fixture, "a").await;
    let key = woken(&fixture).remove(0);
    enroll(&fixture, "2", "new").await;
    assert_eq!(
        read(&fixture, "a").await.unwrap().state,
        DigitalCardState::Enrolled
    );
    assert_eq!(fixture.settle_deletion(&key).await, DeletionReport::Deleted);
    assert_eq!(
        fixture.mastercard.take_calls(),
        [IssuerCall::Delete("src-a".into())]
    );
    let card = read(&fixture, "a").await.unwrap();
    assert_eq!(
        (card.state, card.superseded.len()),
        (DigitalCardState::Enrolled, 0)
    );
}

#[tokio::test]
async fn same_id_enrolled_again_voids_its_deletion() {
    let (fixture, _) = enrolled().await;
    delete_card(&fixture, "a").await;
    let key = woken(&fixture).remove(0);
    enroll(&fixture, "2", "src").await;
    assert_eq!(fixture.settle_deletion(&key).await, DeletionReport::NotDue);
    assert_eq!(fixture.mastercard.take_calls(), []);
    assert_eq!(
        read(&fixture, "a").await.unwrap().state,
        DigitalCardState::Enrolled
    );
}

#[tokio::test]
async fn deleted_card_past_its_retention_is_invisible() {
    let (fixture, _) = enrolled().await;
    delete_card(&fixture, "a").await;
    fixture.settle_deletion(&woken(&fixture)[0]).await;
    fixture.clock.advance(DAY * 30);
    assert_eq!(read(&fixture, "a").await, None);
    assert_eq!(delete_card(&fixture, "a").await, None);
}

fn consumer(name: &str) -> ExternalConsumerId {
    ExternalConsumerId::parse(name).unwrap()
}

async fn export(fixture: &BatchFixture, name: &str) -> Option<serde_json::Value> {
    let export = ExportConsumer {
        digital_cards: &*fixture.stores.digital_cards,
        batch_records: &*fixture.stores.batch_records,
    };
    let record = export.read(&fixture.client, &consumer(name)).await.unwrap();
    record.map(|record| record.to_json())
}

#[tokio::test]
async fn export_has_all_of_one_consumer() {
    let (fixture, _) = enrolled().await;
    let record = export(&fixture, "p1").await.unwrap();
    let ids: Vec<_> = record["cards"]
        .as_array()
        .unwrap()
        .iter()
        .map(|card| &card["srcDigitalCardId"])
        .collect();
    assert_eq!(ids, ["src-a", "src-b"]);
    assert_eq!(record["batches"][0]["profiles"].as_array().unwrap().len(), 1);
    assert!(!record.to_string().contains("p2") && !record.to_string().contains("src-c"));
    assert_eq!(export(&fixture, "nobody").await, None);
}

#[tokio::test]
async fn erasure_leaves_nothing_of_a_consumer() {
    let (fixture, _) = enrolled().await;
    let flow = fixture.erase_flow();
    let refused = flow.erase(&fixture.client, &consumer("p1"), false).await;
    assert!(
        matches!(refused, Err(ConsumerErasureError::EnrolledCards(2))),
        "{refused:?}"
    );
    let erased = flow.erase(&fixture.client, &consumer("p1"), true).await.unwrap();
    let expected = ConsumerErasureReport {
        cards: 2,
        deleted: 2,
        batches: 1,
    };
    assert_eq!(erased, expected);
    let calls = [
        IssuerCall::Delete("src-a".into()),
        IssuerCall::Delete("src-b".into()),
    ];
    assert_eq!(fixture.mastercard.take_calls(), calls);
    assert_eq!(export(&fixture, "p1").await, None);
    assert!(export(&fixture, "p2").await.is_some());
    let again = flow.erase(&fixture.client, &consumer("p1"), true).await;
    assert!(matches!(again, Err(ConsumerErasureError::Nobody)), "{again:?}");
}

#[tokio::test]
async fn erasure_deletes_the_encrypted_data_of_the_batch() {
    let (fixture, model) = enrolled().await;
    let contents = model.content_count();
    let open = fixture.accepted("2", &[("p3", &["x"])]).await;
    let batch = export_batch(&fixture, "p1").await;
    assert!(batch.result().unwrap().has_content);
    let flow = fixture.erase_flow();
    flow.erase(&fixture.client, &consumer("p1"), true).await.unwrap();
    let stored = fixture.stores.contents.get(batch.content_name()).await.unwrap();
    assert!(stored.is_none() && contents == 1, "{contents}");
    let stored = fixture.stored(batch.id).await;
    assert!(!stored.result().unwrap().has_content && stored.names(&consumer("p2")));
    assert_eq!(fixture.due_in(batch.id).await, None, "nothing is left to do");
    let open = fixture.stored(open).await;
    let kept = fixture.stores.contents.get(open.content_name()).await.unwrap();
    assert!(kept.is_some(), "a batch without the consumer keeps its data");
}

/// The batch that names a consumer.
async fn export_batch(fixture: &BatchFixture, name: &str) -> enrollment::batch::Batch {
    let records = &fixture.stores.batch_records;
    let found = records.batches_of(&fixture.client, &consumer(name)).await;
    found.unwrap().remove(0)
}

#[tokio::test]
async fn interrupted_erasure_is_resumed() {
    let (fixture, _) = enrolled().await;
    let flow = fixture.erase_flow();
    fixture.mastercard.answers_deletion(Ok(()));
    fixture
        .mastercard
        .answers_deletion(Err(IssuerEnrollmentError::unanswered("timeout")));
    let failed = flow.erase(&fixture.client, &consumer("p1"), true).await;
    assert!(
        matches!(failed, Err(ConsumerErasureError::NotDeleted(_))),
        "{failed:?}"
    );
    assert!(fixture.card("a").await.is_none() && fixture.card("b").await.is_some());
    let erased = flow.erase(&fixture.client, &consumer("p1"), true).await.unwrap();
    assert_eq!((erased.cards, erased.batches), (1, 1));
}

#[tokio::test]
async fn open_batch_refuses_an_erasure() {
    let (fixture, _) = enrolled().await;
    fixture.accepted("2", &[("p1", &["x"])]).await;
    let refused = fixture
        .erase_flow()
        .erase(&fixture.client, &consumer("p1"), true)
        .await;
    assert!(
        matches!(refused, Err(ConsumerErasureError::OpenBatch)),
        "{refused:?}"
    );
    assert!(fixture.card("a").await.is_some());
}

#[tokio::test]
async fn erasure_keeps_to_the_agreed_rate() {
    let (fixture, model) = enrolled().await;
    model.set_rate(1);
    let flow = fixture.erase_flow();
    let paced = flow.erase(&fixture.client, &consumer("p1"), true).await;
    let Err(ConsumerErasureError::NotBefore(at)) = paced else {
        panic!("{paced:?}");
    };
    assert!(fixture.card("a").await.is_none() && fixture.card("b").await.is_some());
    fixture.clock.advance_to(at);
    let erased = flow.erase(&fixture.client, &consumer("p1"), true).await.unwrap();
    assert_eq!((erased.cards, erased.batches), (1, 1));
}

#[tokio::test]
async fn erasure_of_a_superseded_id_ends_at_one_call_a_second() {
    let (fixture, model) = enrolled().await;
    // A card that is enrolled again before its deletion keeps the earlier id.
    delete_consumer(&fixture, "p1").await;
    enroll(&fixture, "2", "new").await;
    model.set_rate(1);
    let flow = fixture.erase_flow();
    let mut calls = Vec::new();
    let erased = loop {
        let run = flow.erase(&fixture.client, &consumer("p1"), true).await;
        calls.extend(fixture.mastercard.take_calls());
        assert!(calls.len() <= 4, "{calls:?}");
        match run {
            Err(ConsumerErasureError::NotBefore(at)) => fixture.clock.advance_to(at),
            ended => break ended.unwrap(),
        }
    };
    assert_eq!(erased.batches, 2);
    let expected = ["new-a", "src-a", "new-b", "src-b"];
    assert_eq!(calls, expected.map(|id| IssuerCall::Delete(id.into())));
}

#[tokio::test]
async fn throttled_erasure_pauses_all_calls() {
    let (fixture, _) = enrolled().await;
    let wait = SignedDuration::from_secs(40);
    fixture
        .mastercard
        .answers_deletion(Err(IssuerEnrollmentError::Repeatable {
            reason: ReasonCode::of("BUSY"),
            retry_after: Some(wait),
            is_throttled: true,
            flow: None,
        }));
    let flow = fixture.erase_flow();
    let until = fixture.clock.now() + wait;
    let throttled = flow.erase(&fixture.client, &consumer("p1"), true).await;
    assert!(
        matches!(throttled, Err(ConsumerErasureError::NotBefore(at)) if at == until),
        "{throttled:?}"
    );
    let permit = fixture.stores.pacing.take(fixture.clock.now()).await.unwrap();
    assert_eq!(permit, enrollment::ports::Permit::NotBefore(until));
    fixture.clock.advance_to(until);
    let erased = flow.erase(&fixture.client, &consumer("p1"), true).await.unwrap();
    assert_eq!((erased.cards, erased.batches), (2, 1));
}

#[tokio::test]
async fn expired_part_of_a_consumer_is_not_shown() {
    let (fixture, _) = enrolled().await;
    delete_card(&fixture, "a").await;
    fixture.settle_deletion(&woken(&fixture)[0]).await;
    fixture.clock.advance(DAY * 30);
    let export = ExportConsumer {
        digital_cards: &*fixture.stores.digital_cards,
        batch_records: &*fixture.stores.batch_records,
    };
    let until = enrollment::flows::purge::expired_before(fixture.clock.now(), 30);
    let record = export
        .read(&fixture.client, &consumer("p1"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((record.cards.len(), record.batches.len()), (2, 1));
    let shown = record.unexpired(until).unwrap();
    assert_eq!((shown.cards.len(), shown.batches.len()), (1, 0));
    assert_eq!(shown.cards[0].card.as_str(), "b");
    let nothing = enrollment::flows::digital_cards::export::ConsumerRecord {
        cards: Vec::new(),
        ..shown
    };
    assert_eq!(nothing.unexpired(until), None);
}
