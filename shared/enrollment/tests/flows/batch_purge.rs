use enrollment::client::Client;
use enrollment::flows::batch::purge::BatchPurgeReport;
use harness::scripted_issuer_enrollment::{completed, succeeded};
use harness::{BatchFixture, Model};
use jiff::SignedDuration;
use std::sync::Arc;

use crate::batch_calls::{Request, fixture_with};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

async fn ended(change: impl FnOnce(&mut Client)) -> (BatchFixture, Arc<Model>, enrollment::batch::BatchId) {
    let (fixture, model) = fixture_with(change);
    let id = fixture.submitted("1", &[("p1", &["a"])]).await;
    fixture
        .mastercard
        .answers_status(Ok(completed(vec![succeeded("a")])));
    fixture.poll(id).await;
    (fixture, model, id)
}

#[tokio::test]
async fn batch_is_deleted_after_its_retention() {
    let (fixture, model, id) = ended(|_| {}).await;
    fixture.clock.advance(DAY * 30 - SECOND);
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
    fixture.clock.advance(DAY);
    let report = fixture.purge().await;
    assert_eq!((report.batches, report.deferred), (0, 1));
    fixture.stored(id).await;
    fixture.clock.advance(DAY * 3);
    assert_eq!(fixture.purge().await.batches, 1, "96 hours after the end");
}

#[tokio::test]
async fn current_retention_applies_even_to_a_former_issuer() {
    let (fixture, model, _) = ended(|_| {}).await;
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
    fixture.clock.advance(DAY * 7 - SECOND);
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
