//! Batches, their JWEs and their rows.

#![expect(missing_docs, reason = "the name of a case says what it shows")]

use enrollment::batch::{
    BATCH_LEASE, Batch, BatchReason, BatchResult, BatchStage, BatchWork, BodyHash, CONTENT_KEPT, CardResult,
    EncryptedEnrollmentData, ExternalConsumerId, FlowId, MastercardBatchId, ReasonCode, RetryAdvice,
    SrcConsumerId, SrcDigitalCardId, Submission,
};
use enrollment::clock::Clock as _;
use enrollment::ports::{Acceptance, LeaseEnd};
use enrollment::status::Status;
use jiff::{SignedDuration, Timestamp};

use super::steps::{HOUR, SECOND};
use crate::batch_fixture::BatchFixture;
use crate::batch_stores::BatchBackend;
use crate::scripted_issuer_enrollment::acknowledgment;

const PROFILES: &[(&str, &[&str])] = &[("consumer-1", &["card-1", "card-2"]), ("consumer-2", &["card-3"])];

/// Acquires a batch that must be due, and returns the end of the lease with it.
async fn acquire(fixture: &BatchFixture, batch: &Batch, work: BatchWork) -> (Batch, Timestamp) {
    let now = fixture.clock.now();
    let lease = now + BATCH_LEASE;
    let acquired = fixture.stores.batches.acquire(batch.id, work, now, lease).await;
    (acquired.unwrap().expect("the batch is due"), lease)
}

fn submission(fixture: &BatchFixture) -> Submission {
    let acknowledged = acknowledgment("a");
    Submission {
        batch: acknowledged.batch,
        flow: acknowledged.flow,
        at: fixture.clock.now(),
        polls: 3,
    }
}

fn result(fixture: &BatchFixture) -> BatchResult {
    BatchResult {
        status: Status::ErrorBatch,
        reason: Some(BatchReason::Refused(ReasonCode::of("INVALID_ARGUMENT"))),
        cards: vec![
            CardResult::Accepted {
                src_digital_card: SrcDigitalCardId::parse("src-1").ok(),
                src_consumer: SrcConsumerId::parse("consumer").ok(),
            },
            CardResult::Failed {
                reason: ReasonCode::of("PAN_INELIGIBLE"),
                retry: RetryAdvice::After("2027-06-14".parse().unwrap()),
                sibling: enrollment::batch::ExternalCardId::parse("card-1").ok(),
            },
            CardResult::Unknown,
        ],
        at: fixture.clock.now(),
        has_content: true,
        submission: Some(submission(fixture)),
    }
}

/// Stores a batch and ends it.
async fn ended(fixture: &BatchFixture, external_id: &str) -> Batch {
    let mut batch = fixture.batch(external_id, PROFILES);
    fixture.store(&batch).await;
    let (_, lease) = acquire(fixture, &batch, BatchWork::Submit).await;
    batch.stage = BatchStage::Final(result(fixture));
    assert!(fixture.stores.batches.finish(&batch, lease).await.unwrap());
    batch
}

pub async fn accepted_batch_is_read_as_it_was_stored(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let batch = fixture.batch("a", PROFILES);
    fixture.store(&batch).await;
    assert_eq!(fixture.stored(batch.id).await, batch);
    let without_url = Batch {
        confirmation_url: None,
        ..fixture.batch("b", PROFILES)
    };
    fixture.store(&without_url).await;
    assert_eq!(fixture.stored(without_url.id).await, without_url);
}

pub async fn second_acceptance_gives_the_first_batch(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let first = fixture.batch("a", PROFILES);
    fixture.store(&first).await;
    fixture.clock.advance(HOUR);
    let mut second = fixture.batch("a", &[("consumer-9", &["card-9"])]);
    second.body_hash = BodyHash::of(b"another");
    let accepted = fixture.stores.batches.accept(&second).await.unwrap();
    assert_eq!(accepted, Acceptance::Existing(Box::new(first.clone())));
    assert_eq!(fixture.stored(first.id).await, first);
}

pub async fn lease_excludes_others_until_it_ends(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let batch = fixture.batch("a", PROFILES);
    fixture.store(&batch).await;
    let batches = &fixture.stores.batches;
    let (_, lease) = acquire(&fixture, &batch, BatchWork::Submit).await;
    let try_again = async || {
        let now = fixture.clock.now();
        let again = batches.acquire(batch.id, BatchWork::Submit, now, now + BATCH_LEASE);
        again.await.unwrap()
    };
    assert_eq!(try_again().await, None);
    fixture.clock.advance(BATCH_LEASE - SECOND);
    assert_eq!(try_again().await, None);
    fixture.clock.advance(SECOND);
    assert!(try_again().await.is_some(), "the lease has ended");
    let late = BatchStage::Submitted(submission(&fixture));
    let late = Batch {
        stage: late,
        ..batch.clone()
    };
    let end = LeaseEnd::Released(fixture.clock.now());
    assert!(
        !batches.update(&late, lease, end).await.unwrap(),
        "another has it"
    );
    assert!(
        !batches
            .finish(
                &Batch {
                    stage: BatchStage::Final(result(&fixture)),
                    ..batch.clone()
                },
                lease
            )
            .await
            .unwrap()
    );
    assert_eq!(fixture.stored(batch.id).await, batch);
}

pub async fn batch_is_acquired_for_its_kind_of_work_alone(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let mut batch = fixture.batch("a", PROFILES);
    fixture.store(&batch).await;
    let batches = &fixture.stores.batches;
    let now = fixture.clock.now();
    for work in [BatchWork::Poll, BatchWork::DiscardContent] {
        assert_eq!(
            batches.acquire(batch.id, work, now, now + HOUR).await.unwrap(),
            None
        );
    }
    let (_, lease) = acquire(&fixture, &batch, BatchWork::Submit).await;
    batch.stage = BatchStage::Submitted(submission(&fixture));
    let due = now + SignedDuration::from_mins(5);
    assert!(
        batches
            .update(&batch, lease, LeaseEnd::Released(due))
            .await
            .unwrap()
    );
    assert_eq!(
        batches
            .acquire(batch.id, BatchWork::Poll, now, now + HOUR)
            .await
            .unwrap(),
        None,
        "not due"
    );
    fixture.clock.advance_to(due);
    let now = fixture.clock.now();
    assert_eq!(
        batches
            .acquire(batch.id, BatchWork::Submit, now, now + HOUR)
            .await
            .unwrap(),
        None
    );
    let (polled, _) = acquire(&fixture, &batch, BatchWork::Poll).await;
    assert_eq!(polled, batch);
}

pub async fn stage_is_stored_while_the_lease_is_kept(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let mut batch = fixture.batch("a", PROFILES);
    fixture.store(&batch).await;
    let (_, lease) = acquire(&fixture, &batch, BatchWork::Submit).await;
    batch.stage = BatchStage::Submitting {
        attempts: 2,
        has_unanswered_call: true,
        flow: FlowId::parse("flow-of-a-failure").ok(),
    };
    let batches = &fixture.stores.batches;
    assert!(batches.update(&batch, lease, LeaseEnd::Kept).await.unwrap());
    assert_eq!(fixture.stored(batch.id).await, batch);
    assert_eq!(
        fixture.due_in(batch.id).await,
        Some(BATCH_LEASE),
        "the lease is kept"
    );
    assert!(
        batches
            .update(&batch, lease, LeaseEnd::Released(fixture.clock.now()))
            .await
            .unwrap()
    );
    assert_eq!(fixture.due_in(batch.id).await, Some(SignedDuration::ZERO));
}

pub async fn due_batches_come_oldest_first(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(fixture.accepted(name, PROFILES).await);
        fixture.clock.advance(SECOND);
    }
    let batches = &fixture.stores.batches;
    let due = batches.due(fixture.clock.now(), 10).await.unwrap();
    assert_eq!(due.iter().map(|due| due.id).collect::<Vec<_>>(), ids);
    assert!(
        due.iter()
            .all(|due| due.work == BatchWork::Submit && due.client == fixture.client)
    );
    assert!(due.iter().all(|due| due.due_at == due.accepted_at));
    assert!(due.iter().all(|due| due.due_since == due.accepted_at));
    batches
        .postpone(ids[0], fixture.clock.now() + HOUR)
        .await
        .unwrap();
    let due = batches.due(fixture.clock.now(), 10).await.unwrap();
    assert_eq!(due.iter().map(|due| due.id).collect::<Vec<_>>(), ids[1..]);
}

pub async fn leases_do_not_move_the_time_since_which_it_is_due(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let mut batch = fixture.batch("a", PROFILES);
    fixture.store(&batch).await;
    let batches = &fixture.stores.batches;
    let since = async || {
        let due = batches.due(Timestamp::MAX, 10).await.unwrap();
        assert_eq!(due.len(), 1);
        due[0].due_since
    };
    // Two processes that die, and one that can't read it.
    for _ in 0..2 {
        acquire(&fixture, &batch, BatchWork::Submit).await;
        fixture.clock.advance(BATCH_LEASE);
    }
    batches.postpone(batch.id, fixture.clock.now()).await.unwrap();
    assert_eq!(since().await, batch.accepted_at);
    let (_, lease) = acquire(&fixture, &batch, BatchWork::Submit).await;
    batch.stage = BatchStage::Submitted(submission(&fixture));
    assert!(batches.update(&batch, lease, LeaseEnd::Kept).await.unwrap());
    assert_eq!(since().await, batch.accepted_at, "the work is not done yet");
    let due = fixture.clock.now() + HOUR;
    assert!(
        batches
            .update(&batch, lease, LeaseEnd::Released(due))
            .await
            .unwrap()
    );
    assert_eq!(since().await, due);
}

pub async fn end_stores_results_and_confirmation_once(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let mut batch = fixture.batch("a", PROFILES);
    fixture.store(&batch).await;
    let (_, lease) = acquire(&fixture, &batch, BatchWork::Submit).await;
    batch.stage = BatchStage::Final(result(&fixture));
    let batches = &fixture.stores.batches;
    for _ in 0..2 {
        assert!(batches.finish(&batch, lease).await.unwrap());
        assert_eq!(fixture.stored(batch.id).await, batch);
    }
    let expected = serde_json::json!({
        "status": "ERROR_BATCH", "batchId": batch.id.to_hex(), "externalBatchId": "a",
        "accepted": 1, "failed": 1, "unknown": 1
    });
    assert_eq!(fixture.confirmations().await, [expected]);
    let confirmation = batch.confirmation().unwrap();
    let due = fixture
        .stores
        .confirmations
        .due(fixture.clock.now(), 10)
        .await
        .unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!((&due[0].id, &due[0].client), (&confirmation.id, &fixture.client));
    let mut other = batch.clone();
    if let BatchStage::Final(result) = &mut other.stage {
        result.cards[2] = result.cards[0].clone();
    }
    fixture.clock.advance(BATCH_LEASE * 2);
    assert!(
        !batches.finish(&other, fixture.clock.now()).await.unwrap(),
        "a batch has one end"
    );
    assert_eq!(fixture.stored(batch.id).await, batch);
}

pub async fn data_is_due_for_deletion_a_day_after_the_end(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let batch = ended(&fixture, "a").await;
    assert_eq!(fixture.due_in(batch.id).await, Some(CONTENT_KEPT));
    fixture.clock.advance(CONTENT_KEPT);
    let (due, _) = acquire(&fixture, &batch, BatchWork::DiscardContent).await;
    assert_eq!(due, batch);
    for _ in 0..2 {
        fixture.stores.batches.content_discarded(batch.id).await.unwrap();
        assert_eq!(fixture.due_in(batch.id).await, None);
        let stored = fixture.stored(batch.id).await;
        assert!(!stored.result().unwrap().has_content);
    }
}

pub async fn data_is_stored_by_batch_and_body(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let contents = &fixture.stores.contents;
    let one = fixture.batch("a", PROFILES);
    let mut other = one.clone();
    other.body_hash = BodyHash::of(b"another");
    let data = |text: &str| EncryptedEnrollmentData::stored(text.to_owned());
    assert_eq!(contents.get(one.content_name()).await.unwrap(), None);
    contents.put(one.content_name(), &data("one")).await.unwrap();
    contents.put(other.content_name(), &data("other")).await.unwrap();
    assert_eq!(contents.get(one.content_name()).await.unwrap(), Some(data("one")));
    for _ in 0..2 {
        contents.delete(other.content_name()).await.unwrap();
        assert_eq!(contents.get(other.content_name()).await.unwrap(), None);
    }
    assert_eq!(contents.get(one.content_name()).await.unwrap(), Some(data("one")));
}

pub async fn ended_batches_are_listed_and_removed(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let mut batches = Vec::new();
    for name in ["a", "b", "c"] {
        batches.push(ended(&fixture, name).await);
        fixture.clock.advance(HOUR);
    }
    fixture.accepted("open", PROFILES).await;
    let records = &fixture.stores.batch_records;
    let until = batches[1].result().unwrap().at;
    let mut listed = Vec::new();
    let mut from = None;
    loop {
        let page = records
            .ended(&fixture.client, until, from.as_ref(), 1)
            .await
            .unwrap();
        listed.extend(page.entries);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    listed.sort_by_key(|ended| ended.ended_at);
    let ids: Vec<_> = listed.iter().map(|ended| ended.id).collect();
    assert_eq!(ids, [batches[0].id, batches[1].id]);
    assert!(listed.iter().all(|ended| ended.confirmation.is_some()));
    assert!(!records.remove(&listed[0]).await.unwrap(), "its JWE is stored");
    assert_eq!(fixture.stored(batches[0].id).await, batches[0]);
    assert_eq!(fixture.confirmations().await.len(), 3);
    let discarded = fixture.stores.batches.content_discarded(batches[0].id);
    discarded.await.unwrap();
    assert!(records.remove(&listed[0]).await.unwrap());
    assert_eq!(fixture.stores.batches.batch(batches[0].id).await.unwrap(), None);
    assert_eq!(fixture.confirmations().await.len(), 2);
}

pub async fn redacted_batch_names_a_consumer_no_more(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let batch = ended(&fixture, "a").await;
    let consumer = ExternalConsumerId::parse("consumer-1").unwrap();
    let records = &fixture.stores.batch_records;
    let found = records.batches_of(&fixture.client, &consumer).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&batch));
    let redacted = batch.without(&consumer);
    assert_eq!(redacted.result().unwrap().cards, [CardResult::Unknown]);
    assert!(records.redact(batch.id, &consumer).await.unwrap());
    assert_eq!(fixture.stored(batch.id).await, redacted);
    assert!(
        !records.redact(batch.id, &consumer).await.unwrap(),
        "named no more"
    );
    assert_eq!(records.batches_of(&fixture.client, &consumer).await.unwrap(), []);
    let open = fixture.accepted("open", PROFILES).await;
    let open = fixture.stored(open).await;
    assert!(
        !records.redact(open.id, &consumer).await.unwrap(),
        "an open batch stays"
    );
    assert_eq!(
        records.batches_of(&fixture.client, &consumer).await.unwrap(),
        [open]
    );
}

pub async fn consumers_redacted_at_once_are_all_gone(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let batch = ended(&fixture, "a").await;
    let consumers = ["consumer-1", "consumer-2"].map(|id| ExternalConsumerId::parse(id).unwrap());
    let records = &fixture.stores.batch_records;
    let (one, other, discarded) = tokio::join!(
        records.redact(batch.id, &consumers[0]),
        records.redact(batch.id, &consumers[1]),
        fixture.stores.batches.content_discarded(batch.id),
    );
    assert!(one.unwrap() && other.unwrap());
    discarded.unwrap();
    let stored = fixture.stored(batch.id).await;
    assert_eq!(stored.manifest.profiles, []);
    let result = stored.result().unwrap();
    assert_eq!((&*result.cards, result.has_content), (&[][..], false));
}

pub async fn ids_of_mastercard_survive_storage(backend: &dyn BatchBackend) {
    let fixture = BatchFixture::new(backend).await;
    let mut batch = fixture.batch("a", PROFILES);
    fixture.store(&batch).await;
    let (_, lease) = acquire(&fixture, &batch, BatchWork::Submit).await;
    batch.stage = BatchStage::Submitted(Submission {
        batch: MastercardBatchId::parse(&format!("!~{}", "x".repeat(126))).unwrap(),
        flow: None,
        ..submission(&fixture)
    });
    let end = LeaseEnd::Released(fixture.clock.now());
    assert!(fixture.stores.batches.update(&batch, lease, end).await.unwrap());
    assert_eq!(fixture.stored(batch.id).await, batch);
}
