//! Batches in the tables: acceptance, leases, the end with its confirmation, and what a purge sees.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use engine::{World, on_every_engine};
use enrollment::batch::{
    Batch, BatchReason, BatchResult, BatchStage, BatchWork, CONTENT_KEPT, CardResult, ReasonCode,
    RetryAdvice, Submission,
};
use enrollment::clock::Clock as _;
use enrollment::ports::{
    Acceptance, BatchRecords as _, Batches as _, ConfirmationState, Confirmations as _, LeaseEnd,
};
use enrollment::status::Status;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use platform::SystemRandomness;
use platform::tables::FaultNote;
use platform::tables::client_setups::ClientSetups;
use platform::tables::confirmations::admin::Decided;

use crate::batch_samples::{accepted_card, batch, consumer, digital_card_id, issuer, mastercard_batch};
use crate::confirmations::permit;
use crate::samples::{client, client_id};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const LEASE: SignedDuration = SignedDuration::from_secs(60);

async fn accepted(world: &World, name: &str, cards: usize) -> Batch {
    let batch = batch(name, cards, world.clock.now());
    let stored = world.batches(&world.vault()).accept(&batch).await.unwrap();
    assert_eq!(stored, Acceptance::Created);
    batch
}

fn submitted(at: Timestamp) -> BatchStage {
    BatchStage::Submitted(Submission {
        batch: mastercard_batch(),
        flow: None,
        at,
        polls: 1,
    })
}

fn ended(batch: &Batch, cards: Vec<CardResult>, at: Timestamp) -> Batch {
    Batch {
        stage: BatchStage::Final(BatchResult {
            status: Status::SuccessBatch,
            reason: None,
            cards,
            at,
            has_content: true,
            submission: batch.submission().cloned(),
        }),
        ..batch.clone()
    }
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn accepted_batch_is_read_as_it_was() {
    on_every_engine(|world| async move {
        let stored = accepted(&world, "batch-1", 3).await;
        let batches = world.batches(&world.vault());
        assert_eq!(batches.batch(stored.id).await.unwrap(), Some(stored.clone()));
        // Another body under the same id changes nothing.
        let other = batch("batch-1", 2, world.clock.now() + SECOND);
        assert_eq!(other.id, stored.id);
        let Acceptance::Existing(existing) = batches.accept(&other).await.unwrap() else {
            panic!("it was stored twice");
        };
        assert_eq!(*existing, stored);
        let missing = batch("batch-2", 1, world.clock.now());
        assert_eq!(batches.batch(missing.id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn lost_answer_to_an_acceptance_is_a_created_batch() {
    on_every_engine(|world| async move {
        let (world, lost) = world.losing_answers_of("PutItem");
        accepted(&world, "batch-1", 1).await;
        assert!(lost.count() > 0);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn one_of_many_acquires_a_batch() {
    on_every_engine(|world| async move {
        let stored = accepted(&world, "batch-1", 1).await;
        let batches = Arc::new(world.batches(&world.vault()));
        let now = stored.accepted_at;
        let early = batches
            .acquire(stored.id, BatchWork::Submit, now - SECOND, now)
            .await
            .unwrap();
        assert_eq!(early, None);
        let other_work = batches
            .acquire(stored.id, BatchWork::Poll, now, now + LEASE)
            .await;
        assert_eq!(other_work.unwrap(), None);
        let turns = (0..8).map(|_| batches.acquire(stored.id, BatchWork::Submit, now, now + LEASE));
        let acquired = join_all(turns)
            .await
            .into_iter()
            .filter_map(Result::unwrap)
            .count();
        assert_eq!(acquired, 1);
        let after = batches
            .acquire(stored.id, BatchWork::Submit, now + LEASE, now + LEASE * 2)
            .await
            .unwrap();
        assert!(after.is_some(), "the lease has expired");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn lost_answers_do_not_lose_a_lease() {
    on_every_engine(|world| async move {
        let stored = accepted(&world, "batch-1", 1).await;
        let (world, lost) = world.losing_answers_of("UpdateItem");
        let batches = world.batches(&world.vault());
        let lease = stored.accepted_at + LEASE;
        let mut batch = batches
            .acquire(stored.id, BatchWork::Submit, stored.accepted_at, lease)
            .await
            .unwrap()
            .expect("it is due");
        batch.stage = submitted(stored.accepted_at);
        let end = LeaseEnd::Released(lease + SECOND);
        assert!(batches.update(&batch, lease, end).await.unwrap());
        assert!(lost.count() > 1);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn stages_are_stored_under_the_lease_only() {
    on_every_engine(|world| async move {
        let stored = accepted(&world, "batch-1", 2).await;
        let batches = world.batches(&world.vault());
        let (now, lease) = (stored.accepted_at, stored.accepted_at + LEASE);
        let mut batch = batches
            .acquire(stored.id, BatchWork::Submit, now, lease)
            .await
            .unwrap()
            .expect("it is due");
        batch.stage = BatchStage::Submitting {
            attempts: 1,
            has_unanswered_call: true,
            flow: None,
        };
        assert!(batches.update(&batch, lease, LeaseEnd::Kept).await.unwrap());
        assert_eq!(batches.batch(batch.id).await.unwrap(), Some(batch.clone()));
        assert!(
            !batches
                .update(&batch, lease + SECOND, LeaseEnd::Kept)
                .await
                .unwrap()
        );

        batch.stage = submitted(now);
        let due = now + SECOND * 10;
        assert!(
            batches
                .update(&batch, lease, LeaseEnd::Released(due))
                .await
                .unwrap()
        );
        assert!(
            !batches
                .update(&batch, lease, LeaseEnd::Released(due))
                .await
                .unwrap(),
            "the lease was released"
        );
        let listed = batches.due(due, 10).await.unwrap();
        let [entry] = listed.as_slice() else {
            panic!("{listed:?}");
        };
        assert_eq!(
            (entry.work, entry.due_at, entry.accepted_at),
            (BatchWork::Poll, due, now)
        );
        assert_eq!(batches.due(due - SECOND, 10).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn end_stores_results_and_confirmation_together() {
    on_every_engine(|world| async move {
        let stored = accepted(&world, "batch-1", 2).await;
        let vault = world.vault();
        let batches = world.batches(&vault);
        let (now, lease) = (stored.accepted_at, stored.accepted_at + LEASE);
        let mut batch = batches
            .acquire(stored.id, BatchWork::Submit, now, lease)
            .await
            .unwrap()
            .expect("it is due");
        batch.stage = submitted(now);
        assert!(batches.update(&batch, lease, LeaseEnd::Kept).await.unwrap());
        let failed = CardResult::Failed {
            reason: ReasonCode::of("PAN_INELIGIBLE"),
            retry: RetryAdvice::After("2027-02-28".parse().unwrap()),
            sibling: None,
        };
        let batch = ended(&batch, vec![accepted_card(1), failed], now + SECOND);
        assert!(
            !batches.finish(&batch, lease + SECOND).await.unwrap(),
            "another's lease"
        );
        assert!(batches.finish(&batch, lease).await.unwrap());
        assert!(batches.finish(&batch, lease).await.unwrap(), "the same end again");
        let other = ended(&batch, vec![CardResult::Unknown; 2], now + SECOND * 2);
        assert!(!batches.finish(&other, lease).await.unwrap(), "a batch ends once");
        assert_eq!(batches.batch(batch.id).await.unwrap(), Some(batch.clone()));

        let confirmations = world.confirmations(&vault);
        let id = batch.confirmation().expect("it asks for one").id;
        let claim = confirmations.claim(&id, now + SECOND, now + LEASE).await.unwrap();
        assert_eq!(
            claim.expect("it is due").confirmation,
            batch.confirmation().unwrap()
        );

        // The content is due a day later, then nothing is.
        let discarded_at = now + SECOND + CONTENT_KEPT;
        assert_eq!(batches.due(discarded_at - SECOND, 10).await.unwrap(), []);
        let due = batches.due(discarded_at, 10).await.unwrap();
        assert_eq!(due.first().map(|due| due.work), Some(BatchWork::DiscardContent));
        batches.content_discarded(batch.id).await.unwrap();
        batches.content_discarded(batch.id).await.unwrap();
        assert_eq!(batches.due(discarded_at, 10).await.unwrap(), []);
        let read = batches.batch(batch.id).await.unwrap().expect("it stays");
        assert!(!read.result().expect("it is final").has_content);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn largest_batch_fits_into_its_item() {
    on_every_engine(|world| async move {
        let stored = accepted(&world, "batch-1", 250).await;
        let batches = world.batches(&world.vault());
        let (now, lease) = (stored.accepted_at, stored.accepted_at + LEASE);
        let acquired = batches.acquire(stored.id, BatchWork::Submit, now, lease).await;
        let batch = acquired.unwrap().expect("it is due");
        // The longest ids that Mastercard may give, each character of which JSON writes as two.
        let cards: Vec<CardResult> = (0..250)
            .map(|_| CardResult::Accepted {
                src_digital_card: Some(digital_card_id(&"\\".repeat(128))),
                src_consumer: Some(enrollment::batch::SrcConsumerId::parse(&"\"".repeat(128)).unwrap()),
            })
            .collect();
        let batch = ended(&batch, cards, now);
        assert!(batches.finish(&batch, lease).await.unwrap());
        assert_eq!(batches.batch(batch.id).await.unwrap(), Some(batch));
        let item = world.item(&world.tables.batches, "batch#").await;
        let size: usize = item
            .iter()
            .map(|(name, value)| {
                let text = value.as_s().map_or(8, String::len);
                name.len() + value.as_b().map_or(text, |bytes| bytes.as_ref().len())
            })
            .sum();
        println!("the largest item of a batch has {size} bytes");
        // 400 KB is the limit of an item (`docs/limits.md`).
        assert!(size < 250 * 1024, "{size}");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn ids_and_addresses_are_sealed() {
    on_every_engine(|world| async move {
        let stored = accepted(&world, "batch-1", 1).await;
        let batches = world.batches(&world.vault());
        let (now, lease) = (stored.accepted_at, stored.accepted_at + LEASE);
        let acquired = batches.acquire(stored.id, BatchWork::Submit, now, lease).await;
        let batch = ended(
            &acquired.unwrap().expect("it is due"),
            vec![accepted_card(1)],
            now,
        );
        assert!(batches.finish(&batch, lease).await.unwrap());
        let item = world.item(&world.tables.batches, "batch#").await;
        let shown = format!("{item:?}");
        let ids = batch.manifest.cards().next().unwrap();
        for secret in [
            ids.0.consumer.as_str(),
            ids.1.as_str(),
            batch.confirmation_url.as_ref().unwrap().as_str(),
        ] {
            assert!(!shown.contains(secret), "{secret}");
        }
        for sealed in ["manifest", "results", "confirmation_url"] {
            let bytes = item[sealed].as_b().unwrap().as_ref();
            assert!(!bytes.windows(8).any(|part| part == b"digital-"), "{sealed}");
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn ended_batches_are_listed_page_by_page_and_removed() {
    on_every_engine(|world| async move {
        let vault = world.vault();
        let batches = world.batches(&vault);
        let start = world.clock.now();
        let mut ends = Vec::new();
        for number in 0..5 {
            world.clock.advance(SECOND);
            let stored = accepted(&world, &format!("batch-{number}"), 1).await;
            let (now, lease) = (stored.accepted_at, stored.accepted_at + LEASE);
            let acquired = batches.acquire(stored.id, BatchWork::Submit, now, lease).await;
            let batch = ended(
                &acquired.unwrap().expect("it is due"),
                vec![accepted_card(1)],
                now,
            );
            // The last one stays open.
            if number < 4 {
                assert!(batches.finish(&batch, lease).await.unwrap());
                ends.push(batch);
            }
        }
        world
            .dynamodb
            .update_item()
            .table_name(&world.tables.batches)
            .key("pk", AttributeValue::S(format!("batch#{}", ends[3].id)))
            .update_expression("SET #schema = :newer")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":newer", AttributeValue::N("99".into()))
            .send()
            .await
            .unwrap();
        // The fourth one, of a newer release, hides nothing.
        let until = start + SECOND * 4;
        let (mut found, mut from) = (Vec::new(), None);
        loop {
            let page = batches
                .ended(&client_id(), until, from.as_ref(), 2)
                .await
                .unwrap();
            found.extend(page.entries);
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        let ids: Vec<_> = found.iter().map(|batch| batch.id).collect();
        assert_eq!(ids, ends[..3].iter().map(|batch| batch.id).collect::<Vec<_>>());
        let first = &found[0];
        let confirmation = first.confirmation.as_ref().expect("it has one");
        assert!(matches!(confirmation.state, ConfirmationState::Due { .. }));
        assert!(!batches.remove(first).await.unwrap(), "its JWE is stored");
        for batch in &found[..2] {
            batches.content_discarded(batch.id).await.unwrap();
        }
        assert!(batches.remove(first).await.unwrap());
        assert_eq!(batches.batch(first.id).await.unwrap(), None);
        let left = world.scan(&world.tables.confirmations).await;
        assert_eq!(left.len(), 3, "its confirmation went with it");
        // A confirmation that was delivered meanwhile is not as it was read.
        let second = &found[1];
        let id = &second.confirmation.as_ref().unwrap().id;
        let confirmations = world.confirmations(&vault);
        let now = world.clock.now();
        let claim = confirmations.claim(id, now, now + LEASE).await.unwrap().unwrap();
        confirmations.delivered(&claim, now).await.unwrap();
        assert!(!batches.remove(second).await.unwrap());
        let trail = world.scan(&world.tables.enrollments).await;
        assert_eq!(trail.len(), 1, "the undelivered one is named");
    })
    .await;
}

fn note(at: Timestamp) -> FaultNote {
    FaultNote {
        at,
        operation: "submitBatch".into(),
        outcome: "refused".into(),
        correlation: Some("0a1b2c3d-0000-4000-8000-000000000001".into()),
        text: "the issuer of Maria is unknown".into(),
    }
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn redaction_survives_lost_answers_and_others() {
    on_every_engine(|world| async move {
        let stored = accepted(&world, "batch-1", 3).await;
        let (now, lease) = (stored.accepted_at, stored.accepted_at + LEASE);
        let batches = world.batches(&world.vault());
        let acquired = batches.acquire(stored.id, BatchWork::Submit, now, lease).await;
        let results = vec![accepted_card(1), CardResult::Unknown, accepted_card(3)];
        let batch = ended(&acquired.unwrap().expect("it is due"), results, now);
        assert!(batches.finish(&batch, lease).await.unwrap());
        let (world, lost) = world.losing_answers_of("UpdateItem");
        let batches = world.batches(&world.vault());
        let (one, three) = (consumer(1), consumer(3));
        let erasures = [&one, &three].map(|consumer| batches.redact(batch.id, consumer));
        assert_eq!(
            join_all(erasures)
                .await
                .into_iter()
                .map(Result::unwrap)
                .collect::<Vec<_>>(),
            [true, true]
        );
        assert!(lost.count() > 0);
        let read = batches.batch(batch.id).await.unwrap().unwrap();
        assert_eq!(read, batch.without(&one).without(&three));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn batches_of_a_consumer_are_found_and_redacted() {
    on_every_engine(|world| async move {
        let vault = world.vault();
        let batches = world.batches(&vault);
        let open = accepted(&world, "batch-1", 3).await;
        let final_one = accepted(&world, "batch-2", 3).await;
        let (now, lease) = (final_one.accepted_at, final_one.accepted_at + LEASE);
        let acquired = batches.acquire(final_one.id, BatchWork::Submit, now, lease).await;
        batches.note_fault(final_one.id, &note(now)).await.unwrap();
        let results = vec![accepted_card(1), CardResult::Unknown, accepted_card(3)];
        let final_one = ended(&acquired.unwrap().expect("it is due"), results, now);
        assert!(batches.finish(&final_one, lease).await.unwrap());
        let mut found = batches.batches_of(&client_id(), &consumer(2)).await.unwrap();
        found.sort_by_key(|batch| batch.id != open.id);
        assert_eq!(found.len(), 2);
        let nobody = batches.batches_of(&client_id(), &consumer(9)).await.unwrap();
        assert_eq!(nobody, []);
        let has_fault = async || {
            let found = batches.incident(&final_one.incident).await;
            found.unwrap().unwrap().has_fault
        };
        assert!(has_fault().await);
        assert!(batches.redact(final_one.id, &consumer(2)).await.unwrap());
        assert!(!has_fault().await, "it may quote the consumer");
        // The text of a late worker must not come back.
        batches.note_fault(final_one.id, &note(now)).await.unwrap();
        assert!(!has_fault().await);
        let read = batches.batch(final_one.id).await.unwrap().unwrap();
        assert!(!read.names(&consumer(2)) && read.names(&consumer(1)));
        assert_eq!(read.result().unwrap().cards.len(), 2);
        let missing = batch("batch-9", 1, now);
        assert!(!batches.redact(missing.id, &consumer(1)).await.unwrap());
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn error_has_its_reason() {
    on_every_engine(|world| async move {
        let stored = accepted(&world, "batch-1", 1).await;
        let batches = world.batches(&world.vault());
        let (now, lease) = (stored.accepted_at, stored.accepted_at + LEASE);
        let acquired = batches.acquire(stored.id, BatchWork::Submit, now, lease).await;
        let mut batch = ended(
            &acquired.unwrap().expect("it is due"),
            vec![CardResult::Unknown],
            now,
        );
        if let BatchStage::Final(result) = &mut batch.stage {
            result.status = Status::ErrorBatch;
            result.reason = Some(BatchReason::Refused(ReasonCode::of("INVALID_ARGUMENT")));
        }
        assert!(batches.finish(&batch, lease).await.unwrap());
        assert_eq!(batches.batch(batch.id).await.unwrap(), Some(batch));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn fault_of_mastercard_is_kept_sealed_with_the_incident() {
    on_every_engine(|world| async move {
        let stored = accepted(&world, "batch-1", 1).await;
        let batches = world.batches(&world.vault());
        let found = batches.incident(&stored.incident).await.unwrap().unwrap();
        assert_eq!((&found.batch, found.has_fault), (&stored, false));
        let note = note(stored.accepted_at);
        batches.note_fault(stored.id, &note).await.unwrap();
        let item = world.item(&world.tables.batches, "batch#").await;
        assert!(item["last_fault"].as_b().is_ok());
        assert!(!format!("{item:?}").contains("Maria"));
        // The batch, its due time and its lease are as they were.
        assert_eq!(batches.batch(stored.id).await.unwrap(), Some(stored.clone()));
        assert_eq!(batches.due(stored.accepted_at, 1).await.unwrap().len(), 1);
        assert!(
            batches
                .incident(&stored.incident)
                .await
                .unwrap()
                .unwrap()
                .has_fault
        );
        let other = batch("batch-2", 1, stored.accepted_at);
        batches.note_fault(other.id, &note).await.unwrap();
        assert!(batches.incident(&other.incident).await.unwrap().is_none());
        assert_eq!(world.scan(&world.tables.batches).await.len(), 1);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn operator_replays_a_confirmation_within_the_retention() {
    on_every_engine(|world| async move {
        let mut set_up = client("demo", "demo", "Demo");
        set_up.issuer = Some(issuer());
        let setups = ClientSetups {
            dynamodb: world.dynamodb.clone(),
            table: world.tables.clients.clone(),
            randomness: &SystemRandomness,
            clock: &*world.clock,
        };
        setups.store(&set_up, None).await.unwrap();
        let stored = accepted(&world, "batch-1", 1).await;
        let vault = world.vault();
        let batches = world.batches(&vault);
        let (now, lease) = (stored.accepted_at, stored.accepted_at + LEASE);
        let acquired = batches.acquire(stored.id, BatchWork::Submit, now, lease).await;
        let batch = ended(&acquired.unwrap().unwrap(), vec![CardResult::Unknown], now);
        assert!(batches.finish(&batch, lease).await.unwrap());

        let (admin, permit) = (world.admin(&vault), permit(&world).await);
        let confirmation = batch.confirmation().unwrap();
        let id = &confirmation.id;
        assert_eq!(
            admin.reveal(&permit, id).await.unwrap(),
            Some(confirmation.clone())
        );
        let retention = SignedDuration::from_hours(24 * 30);
        world.clock.advance_to(now + retention - SECOND);
        assert_eq!(admin.replay(&permit, id).await.unwrap(), Decided::Done);
        world.clock.advance(SECOND);
        assert_eq!(admin.replay(&permit, id).await.unwrap(), Decided::Expired);
        assert_eq!(admin.reveal(&permit, id).await.unwrap(), None);
    })
    .await;
}
