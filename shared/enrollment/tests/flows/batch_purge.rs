use enrollment::batch::{BatchId, CONTENT_KEPT};
use enrollment::client::Client;
use enrollment::flows::batch::poll::PollReport;
use enrollment::flows::batch::purge::{BatchPurgeReport, PurgeBatches};
use harness::scripted_issuer_enrollment::{completed, succeeded};
use harness::{BatchFixture, Model};
use jiff::SignedDuration;
use std::sync::Arc;

use crate::batch_calls::{Request, fixture_with};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

async fn ended(change: impl FnOnce(&mut Client)) -> (BatchFixture, Arc<Model>, BatchId) {
    let (fixture, model) = fixture_with(change);
    let id = fixture.submitted("1", &[("p1", &["a"])]).await;
    fixture
        .mastercard
        .answers_status(Ok(completed(vec![succeeded("a")])));
    fixture.poll(id).await;
    (fixture, model, id)
}

/// Deletes the JWE of a batch a day after its end, as its message does. Gives the time since the end.
async fn discard(fixture: &BatchFixture, id: BatchId) -> SignedDuration {
    fixture.clock.advance(CONTENT_KEPT);
    assert_eq!(fixture.poll(id).await, PollReport::ContentDiscarded);
    CONTENT_KEPT
}

#[tokio::test]
async fn batch_is_deleted_after_its_retention() {
    let (fixture, model, id) = ended(|_| {}).await;
    let since = discard(&fixture, id).await;
    fixture.clock.advance(DAY * 30 - since - SECOND);
    assert_eq!(fixture.purge().await, BatchPurgeReport::default());
    fixture.clock.advance(SECOND);
    let expected = BatchPurgeReport {
        batches: 1,
        undelivered: 1,
        ..BatchPurgeReport::default()
    };
    assert_eq!(fixture.purge().await, expected);
    assert_eq!(fixture.stores.batches.batch(id).await.unwrap(), None);
    assert_eq!(fixture.confirmations().await.len(), 0);
    assert_eq!(model.undelivered().len(), 1, "the audit trail names it");
    assert_eq!(fixture.purge().await, BatchPurgeReport::default());
    assert!(fixture.card("a").await.is_some(), "an enrolled card stays");
}

#[tokio::test]
async fn open_batch_is_never_purged() {
    let (fixture, _) = fixture_with(|_| {});
    let id = fixture.accepted("1", &[("p1", &["a"])]).await;
    fixture.clock.advance(DAY * 300);
    assert_eq!(fixture.purge().await, BatchPurgeReport::default());
    fixture.stored(id).await;
}

#[tokio::test]
async fn due_confirmation_defers_a_short_retention() {
    let (fixture, _, id) = ended(|client| client.issuer.as_mut().unwrap().retention_days = 1).await;
    discard(&fixture, id).await;
    let report = fixture.purge().await;
    assert_eq!((report.batches, report.deferred), (0, 1));
    fixture.stored(id).await;
    fixture.clock.advance(DAY * 3);
    assert_eq!(fixture.purge().await.batches, 1, "96 hours after the end");
}

#[tokio::test]
async fn stored_content_defers_a_purge() {
    let (fixture, model, id) = ended(|_| {}).await;
    fixture.clock.advance(DAY * 30);
    for _ in 0..2 {
        let report = fixture.purge().await;
        assert_eq!((report.batches, report.deferred), (0, 1));
    }
    assert_eq!(model.undelivered(), []);
    assert_eq!(fixture.poll(id).await, PollReport::ContentDiscarded);
    assert_eq!(model.content_count(), 0);
    assert_eq!(fixture.purge().await.batches, 1);
}

#[tokio::test]
async fn failing_batch_hides_no_other_record() {
    let (fixture, _, failing) = ended(|_| {}).await;
    let request = Request::new(&fixture, "D", "DELETE", "/company/enrolled_cards/a", b"");
    fixture
        .delete_flow()
        .delete_card(request.call(&request.token()), "a")
        .await
        .unwrap();
    let deletions = fixture.wakeups.take_deletions();
    discard(&fixture, failing).await;
    fixture.settle_deletion(&deletions[0].0).await;
    let other = fixture.submitted("2", &[("p2", &["b"])]).await;
    let answer = completed(vec![succeeded("b")]);
    fixture.mastercard.answers_status(Ok(answer));
    fixture.poll(other).await;
    discard(&fixture, other).await;
    fixture.clock.advance(DAY * 30);
    for (is_listing, batches) in [(true, 0), (false, 1)] {
        let records = failing::Records {
            inner: &*fixture.stores.batch_records,
            failing: (!is_listing).then_some(failing),
        };
        let flow = PurgeBatches {
            batch_records: &records,
            ..fixture.purge_flow()
        };
        let report = flow.run().await.unwrap();
        assert!(report.is_cut_short);
        assert_eq!(report.batches, batches);
        // The card's record goes with the first run, although the batches cannot even be listed.
        assert_eq!(report.cards, usize::from(is_listing));
    }
    assert_eq!(fixture.stores.batches.batch(other).await.unwrap(), None);
    fixture.stored(failing).await;
    assert_eq!(fixture.card("a").await, None);
}

#[tokio::test]
async fn current_retention_applies_even_to_a_former_issuer() {
    let (fixture, model, id) = ended(|_| {}).await;
    let since = discard(&fixture, id).await;
    let before = fixture
        .stores
        .clients
        .by_id(&fixture.client)
        .await
        .unwrap()
        .unwrap();
    let mut after = Client::clone(&before);
    after.issuer.as_mut().unwrap().retention_days = 7;
    model.set_up(after.clone());
    let mut former = after.clone();
    former.issuer = None;
    former.retire_programs_of(&after);
    model.set_up(former);
    fixture.clock.advance(DAY * 7 - since - SECOND);
    assert_eq!(fixture.purge().await.batches, 0);
    fixture.clock.advance(SECOND);
    assert_eq!(fixture.purge().await.batches, 1);
}

#[tokio::test]
async fn deleted_card_is_purged_after_the_retention() {
    let (fixture, _, _) = ended(|_| {}).await;
    let request = Request::new(&fixture, "D", "DELETE", "/company/enrolled_cards/a", b"");
    fixture
        .delete_flow()
        .delete_card(request.call(&request.token()), "a")
        .await
        .unwrap();
    let deletions = fixture.wakeups.take_deletions();
    fixture.clock.advance(DAY);
    fixture.settle_deletion(&deletions[0].0).await;
    fixture.clock.advance(DAY * 30 - SECOND);
    assert_eq!(fixture.purge().await.cards, 0);
    fixture.clock.advance(SECOND);
    assert_eq!(fixture.purge().await.cards, 1);
    assert_eq!(fixture.card("a").await, None);
}

mod failing {
    use async_trait::async_trait;
    use enrollment::batch::{Batch, BatchId, ExternalConsumerId};
    use enrollment::identifiers::ClientId;
    use enrollment::ports::{BatchRecords, Cursor, EndedBatch, Page, StoreError};
    use jiff::Timestamp;

    /// Rows of which one can't be deleted, or which can't be listed.
    pub(super) struct Records<'a> {
        pub(super) inner: &'a dyn BatchRecords,
        pub(super) failing: Option<BatchId>,
    }

    #[async_trait]
    impl BatchRecords for Records<'_> {
        async fn ended(
            &self,
            client: &ClientId,
            until: Timestamp,
            from: Option<&Cursor>,
            limit: usize,
        ) -> Result<Page<EndedBatch>, StoreError> {
            match self.failing {
                Some(_) => self.inner.ended(client, until, from, limit).await,
                None => Err(StoreError::unavailable("list", "out of reach")),
            }
        }

        async fn remove(&self, batch: &EndedBatch) -> Result<bool, StoreError> {
            if self.failing == Some(batch.id) {
                return Err(StoreError::unreadable("remove", "a newer schema"));
            }
            self.inner.remove(batch).await
        }

        async fn batches_of(
            &self,
            client: &ClientId,
            consumer: &ExternalConsumerId,
        ) -> Result<Vec<Batch>, StoreError> {
            self.inner.batches_of(client, consumer).await
        }

        async fn redact(&self, id: BatchId, consumer: &ExternalConsumerId) -> Result<bool, StoreError> {
            self.inner.redact(id, consumer).await
        }
    }
}
