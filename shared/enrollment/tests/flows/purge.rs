use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::confirmation::ConfirmationId;
use enrollment::delivery::MAX_AGE;
use enrollment::flows::purge::PurgeReport;
use enrollment::identifiers::IntentId;
use enrollment::intent::Customer;
use enrollment::status::Status;
use harness::Fixture;
use harness::receiver::ScriptedReceiver;
use harness::scripted_mrs::Call;
use jiff::SignedDuration;

const DAY: SignedDuration = SignedDuration::from_hours(24);
const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

/// Opts a card out, and returns the intent's id.
async fn opt_out(fixture: &Fixture, card: IntentId) -> IntentId {
    let session = fixture.session_for(ActionCode::OptOut).await;
    let response = fixture.opt_out(&session, "out", card).await.unwrap();
    assert!(harness::fixtures::is_success(&response), "{response:?}");
    IntentId::derive(session.id(), &harness::fixtures::idempotency_key("out"))
}

fn customers(customers: usize, undelivered: usize) -> PurgeReport {
    PurgeReport {
        customers,
        undelivered,
        ..PurgeReport::default()
    }
}

#[tokio::test]
async fn customer_is_deleted_thirty_days_after_the_last_card() {
    let (fixture, model) = Fixture::on_model(|_| {});
    let card = fixture.card().await;
    opt_out(&fixture, card).await;
    fixture.clock.advance(DAY * 30 - MILLISECOND);
    assert_eq!(fixture.purge().await.unwrap(), PurgeReport::default());
    fixture.clock.advance(MILLISECOND);
    assert_eq!(fixture.purge().await.unwrap(), customers(1, 2));
    assert_eq!(fixture.customer().await, Customer::default());
    assert_eq!(model.undelivered().len(), 2, "the audit trail names them");
    assert_eq!(fixture.confirmations().await.len(), 0);
    assert_eq!(fixture.purge().await.unwrap(), PurgeReport::default());
}

#[tokio::test]
async fn delivered_confirmation_is_not_named() {
    let (fixture, model) = Fixture::on_model(|_| {});
    let card = fixture.card().await;
    let receiver = ScriptedReceiver::default();
    let id = ConfirmationId::derive(card, Status::SuccessEnrollment);
    fixture.deliver(&receiver, &id).await.unwrap();
    let out = opt_out(&fixture, card).await;
    fixture.clock.advance(DAY * 30);
    assert_eq!(fixture.purge().await.unwrap(), customers(1, 1));
    let named = ConfirmationId::derive(out, Status::SuccessRemoval);
    assert_eq!(model.undelivered(), [named]);
    assert_eq!(model.stored_confirmation(&id), None);
}

#[tokio::test]
async fn active_card_keeps_its_customer() {
    let (fixture, _) = Fixture::on_model(|_| {});
    let first = fixture.card().await;
    let session = fixture.session().await;
    fixture.submit(&session, "b").await.unwrap();
    opt_out(&fixture, first).await;
    fixture.clock.advance(DAY * 30);
    let report = fixture.purge().await.unwrap();
    let expected = PurgeReport {
        cards: 1,
        undelivered: 2,
        ..PurgeReport::default()
    };
    assert_eq!(report, expected);
    let left: Vec<_> = fixture
        .customer()
        .await
        .cards
        .iter()
        .map(|card| card.id)
        .collect();
    assert_eq!(left, [fixture.intent(&session, "b").await.id]);
}

#[tokio::test]
async fn due_confirmation_defers_the_purge_for_its_greatest_age() {
    let (fixture, _) = Fixture::on_model(|client| client.programs[0].retention_days = 1);
    let card = fixture.card().await;
    opt_out(&fixture, card).await;
    fixture.clock.advance(MAX_AGE - MILLISECOND);
    let deferred = PurgeReport {
        deferred: 1,
        ..PurgeReport::default()
    };
    assert_eq!(fixture.purge().await.unwrap(), deferred);
    fixture.clock.advance(MILLISECOND);
    assert_eq!(fixture.purge().await.unwrap(), customers(1, 2));
}

#[tokio::test]
async fn open_session_defers_the_purge() {
    let (fixture, _) = Fixture::on_model(|_| {});
    let card = fixture.card().await;
    opt_out(&fixture, card).await;
    fixture.clock.advance(DAY * 30);
    fixture.session().await;
    assert_eq!(fixture.purge().await.unwrap().deferred, 1);
    fixture.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(fixture.purge().await.unwrap().customers, 1);
}

#[tokio::test]
async fn card_still_active_at_mrs_is_kept() {
    let (fixture, _) = Fixture::on_model(|client| client.programs[0].retention_days = 1);
    let old = fixture.card().await;
    let session = fixture.session_for(ActionCode::Replace).await;
    fixture.mrs.ignores(Call::Cancel);
    fixture.replace(&session, "a", old).await.unwrap();
    fixture.resume(&session, "a").await;
    fixture.clock.advance(DAY * 9);
    assert_eq!(fixture.purge().await.unwrap(), PurgeReport::default());
    assert_eq!(fixture.customer().await.cards.len(), 2);
}

#[tokio::test]
async fn retention_of_today_counts() {
    let (fixture, model) = Fixture::on_model(|_| {});
    let card = fixture.card().await;
    opt_out(&fixture, card).await;
    fixture.clock.advance(DAY * 10);
    assert_eq!(fixture.purge().await.unwrap(), PurgeReport::default());
    let mut client = fixture.client().await;
    client.programs[0].retention_days = 10;
    model.set_up(client);
    assert_eq!(fixture.purge().await.unwrap().customers, 1);
}

#[tokio::test]
async fn longer_retention_keeps_a_card_beyond_its_ttl() {
    let (fixture, model) = Fixture::on_model(|_| {});
    let card = fixture.card().await;
    opt_out(&fixture, card).await;
    let mut client = fixture.client().await;
    client.programs[0].retention_days = 90;
    model.set_up(client);
    fixture.purge().await.unwrap();
    // Thirty days and the margin of a week have passed.
    fixture.clock.advance(DAY * 50);
    fixture.purge().await.unwrap();
    assert_eq!(fixture.customer().await.cards.len(), 1);
    assert!(fixture.customer().await.count.kept_until > Some(fixture.clock.now()));
}

#[tokio::test]
async fn new_enrollment_before_the_end_keeps_the_customer() {
    let (fixture, _) = Fixture::on_model(|_| {});
    let card = fixture.card().await;
    opt_out(&fixture, card).await;
    fixture.clock.advance(DAY * 29);
    let session = fixture.session().await;
    fixture.mrs.has_card(false);
    fixture.submit(&session, "b").await.unwrap();
    fixture.clock.advance(DAY);
    let report = fixture.purge().await.unwrap();
    assert_eq!((report.customers, report.cards), (0, 1));
    assert_eq!(fixture.cards().await, (1, 0));
}
