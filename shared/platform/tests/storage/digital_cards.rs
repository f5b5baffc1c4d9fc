//! Digital cards in the table: recording, deletion, and what a purge sees.

use std::sync::Arc;

use engine::on_every_engine;
use enrollment::clock::Clock as _;
use enrollment::digital_card::{DigitalCard, DigitalCardState};
use enrollment::ports::DigitalCards as _;
use futures_util::future::join_all;
use jiff::SignedDuration;

use crate::batch_samples::{batch, card, consumer, digital_card};
use crate::samples::client_id;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const LEASE: SignedDuration = SignedDuration::from_secs(60);

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn cards_of_a_whole_batch_are_recorded_and_found() {
    on_every_engine(|world| async move {
        let cards = world.digital_cards(&world.vault());
        let batch = batch("batch-1", 250, world.clock.now());
        let records: Vec<DigitalCard> = (1..=250).map(|number| digital_card(number, &batch)).collect();
        cards.record(&records).await.unwrap();
        cards.record(&records).await.unwrap();
        let read = cards.card(&client_id(), &card(7)).await.unwrap();
        assert_eq!(read.as_ref(), records.get(6));
        assert_eq!(cards.card(&client_id(), &card(999)).await.unwrap(), None);
        let of_consumer = cards.cards_of(&client_id(), &consumer(1)).await.unwrap();
        assert_eq!(of_consumer.len(), 250);
        assert_eq!(cards.cards_of(&client_id(), &consumer(2)).await.unwrap(), []);
        for item in world.scan(&world.tables.digital_cards).await {
            let shown = format!("{item:?}");
            for secret in ["consumer-consumer", "card-card", "digital-"] {
                assert!(!shown.contains(secret), "{secret} in {shown}");
            }
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn later_batch_replaces_the_record() {
    on_every_engine(|world| async move {
        let cards = world.digital_cards(&world.vault());
        let now = world.clock.now();
        let (first, second) = (batch("batch-1", 1, now), batch("batch-2", 1, now + SECOND));
        let (earlier, later) = (digital_card(1, &first), digital_card(1, &second));
        cards.record(std::slice::from_ref(&later)).await.unwrap();
        cards.record(std::slice::from_ref(&earlier)).await.unwrap();
        assert_eq!(
            cards.card(&client_id(), &card(1)).await.unwrap(),
            Some(later.clone())
        );
        // Of many processes that record both, in any order, the later batch decides.
        let other = world.digital_cards(&world.vault());
        let (one, two) = ([earlier], [later.clone()]);
        join_all([
            cards.record(&one),
            other.record(&two),
            cards.record(&two),
            other.record(&one),
        ])
        .await;
        assert_eq!(cards.card(&client_id(), &card(1)).await.unwrap(), Some(later));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn deletion_is_requested_once_and_rolled_forward() {
    on_every_engine(|world| async move {
        let cards = Arc::new(world.digital_cards(&world.vault()));
        let now = world.clock.now();
        let batch = batch("batch-1", 1, now);
        cards.record(&[digital_card(1, &batch)]).await.unwrap();
        let unknown = cards.request_deletion(&client_id(), &card(2), now).await.unwrap();
        assert_eq!(unknown, None);
        let at = now + SECOND;
        let (key, pending) = cards
            .request_deletion(&client_id(), &card(1), at)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            pending.state,
            DigitalCardState::DeletionPending { requested_at: at }
        );
        let again = cards
            .request_deletion(&client_id(), &card(1), at + SECOND)
            .await
            .unwrap();
        assert_eq!(again, Some((key.clone(), pending.clone())));

        assert_eq!(cards.due_deletions(now, 10).await.unwrap(), []);
        let due = cards.due_deletions(at, 10).await.unwrap();
        assert_eq!(due.len(), 1);
        assert_eq!((&due[0].key, due[0].requested_at), (&key, at));
        let turns = (0..8).map(|_| cards.acquire(&key, at, at + LEASE));
        let acquired = join_all(turns)
            .await
            .into_iter()
            .filter_map(Result::unwrap)
            .count();
        assert_eq!(acquired, 1);

        // Mastercard did not answer: due again later.
        let (lease, next) = (at + LEASE, at + LEASE * 2);
        assert!(!cards.update(&pending, lease + SECOND, next).await.unwrap());
        assert!(cards.update(&pending, lease, next).await.unwrap());
        assert_eq!(cards.acquire(&key, next - SECOND, next).await.unwrap(), None);
        let mut deleted = cards.acquire(&key, next, next + LEASE).await.unwrap().unwrap();
        deleted.state = DigitalCardState::Deleted { at: next };
        assert!(cards.update(&deleted, next + LEASE, next).await.unwrap());
        assert_eq!(cards.card(&client_id(), &card(1)).await.unwrap(), Some(deleted));
        assert_eq!(cards.due_deletions(next + LEASE * 9, 10).await.unwrap(), []);
        assert_eq!(
            cards
                .acquire(&key, next + LEASE * 9, next + LEASE * 10)
                .await
                .unwrap(),
            None
        );

        let listed = cards.deleted(&client_id(), next, None, 10).await.unwrap();
        assert_eq!(listed.entries, std::slice::from_ref(&key));
        assert_eq!(
            cards.deleted(&client_id(), at, None, 10).await.unwrap().entries,
            []
        );
        assert!(!cards.remove(&key, at).await.unwrap(), "it was deleted later");
        assert!(cards.remove(&key, next).await.unwrap());
        assert!(!cards.remove(&key, next).await.unwrap());
        assert_eq!(cards.card(&client_id(), &card(1)).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn lost_answers_do_not_lose_a_deletion() {
    on_every_engine(|world| async move {
        let now = world.clock.now();
        let batch = batch("batch-1", 1, now);
        world
            .digital_cards(&world.vault())
            .record(&[digital_card(1, &batch)])
            .await
            .unwrap();
        let (world, lost) = world.losing_answers_of("UpdateItem");
        let cards = world.digital_cards(&world.vault());
        let (key, _) = cards
            .request_deletion(&client_id(), &card(1), now)
            .await
            .unwrap()
            .unwrap();
        let mut record = cards.acquire(&key, now, now + LEASE).await.unwrap().unwrap();
        record.state = DigitalCardState::Deleted { at: now };
        assert!(cards.update(&record, now + LEASE, now).await.unwrap());
        assert!(lost.count() > 2);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn success_during_a_deletion_takes_the_lease() {
    on_every_engine(|world| async move {
        let cards = world.digital_cards(&world.vault());
        let now = world.clock.now();
        let (first, second) = (batch("batch-1", 1, now), batch("batch-2", 1, now + SECOND));
        cards.record(&[digital_card(1, &first)]).await.unwrap();
        let (key, _) = cards
            .request_deletion(&client_id(), &card(1), now)
            .await
            .unwrap()
            .unwrap();
        let mut record = cards.acquire(&key, now, now + LEASE).await.unwrap().unwrap();
        cards.record(&[digital_card(1, &second)]).await.unwrap();
        record.state = DigitalCardState::Deleted { at: now };
        assert!(!cards.update(&record, now + LEASE, now).await.unwrap());
        // The earlier id of Mastercard is still to be deleted, at once.
        let due = now + SECOND;
        assert_eq!(cards.due_deletions(due, 10).await.unwrap().len(), 1);
        let mut taken = cards.acquire(&key, due, due + LEASE).await.unwrap().unwrap();
        assert_eq!(
            (taken.state, taken.superseded.len()),
            (DigitalCardState::Enrolled, 1)
        );
        taken.superseded.clear();
        assert!(cards.update(&taken, due + LEASE, due).await.unwrap());
        assert_eq!(cards.due_deletions(due + LEASE * 9, 10).await.unwrap(), []);
        assert_eq!(
            cards.deleted(&client_id(), due, None, 10).await.unwrap().entries,
            []
        );
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the local AWS: cargo xtask test --only storage"]
async fn erasure_deletes_in_any_state() {
    on_every_engine(|world| async move {
        let cards = world.digital_cards(&world.vault());
        let batch = batch("batch-1", 2, world.clock.now());
        cards
            .record(&[digital_card(1, &batch), digital_card(2, &batch)])
            .await
            .unwrap();
        assert!(cards.erase(&client_id(), &card(1)).await.unwrap());
        assert!(!cards.erase(&client_id(), &card(1)).await.unwrap());
        let left = cards.cards_of(&client_id(), &consumer(1)).await.unwrap();
        assert_eq!(left.len(), 1);
    })
    .await;
}
