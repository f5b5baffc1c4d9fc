use std::sync::Arc;

use async_trait::async_trait;
use enrollment::flows::settle::Settlement;
use enrollment::flows::sweep::{Sweep, SweepReport, WakeReport};
use enrollment::identifiers::{BankCustomerNumber, CustomerId, IntentId, Ranac};
use enrollment::look_up::LookUp;
use enrollment::ports::{NewCard, Rewards, RewardsError};
use enrollment::status::Status;
use harness::fixtures::idempotency_key;
use harness::scripted_mrs::{Call, EnrollmentAnswer};
use harness::{Fixture, TestClock};
use jiff::SignedDuration;

use crate::ended;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// New intents of as many customers. Each run died while it waited for MRS, which enrolled no card.
async fn open_intents(fixture: &Fixture, count: usize) -> Vec<IntentId> {
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    let mut intents = Vec::new();
    for number in 0..count {
        let customer = CustomerId::parse(&format!("customer-{number}")).unwrap();
        let session = fixture.open_session(|session| session.customer = customer).await;
        let id = IntentId::derive(session.id(), &idempotency_key("a"));
        fixture.begin_only(&session, "a");
        intents.push(id);
    }
    fixture.mrs.take_calls();
    intents
}

#[tokio::test]
async fn nothing_due_is_nothing_done() {
    let (fixture, _) = Fixture::on_model(|_| {});
    assert_eq!(fixture.sweep().await, SweepReport::default());
    assert_eq!(fixture.wake().await.unwrap(), WakeReport::default());
    assert_eq!(fixture.mrs.take_calls(), []);
}

#[tokio::test]
async fn abandoned_intent_is_resumed_after_its_lease() {
    let (fixture, _) = Fixture::on_model(|_| {});
    let intents = open_intents(&fixture, 1).await;
    fixture.clock.advance(SECOND * 29);
    let report = fixture.sweep().await;
    assert_eq!((report.resumed, report.unsettled), (0, 1));
    assert_eq!(report.oldest_open, SECOND * 29);
    assert_eq!(fixture.mrs.take_calls(), [], "its lease has not ended");
    assert_eq!(fixture.wakeups.take_intents(), [(intents[0], SECOND * 30)]);

    fixture.clock.advance(SECOND);
    let report = fixture.sweep().await;
    assert_eq!((report.resumed, report.unsettled), (1, 1));
    assert_eq!(report.unknown_for_long, 0);
    assert_eq!(fixture.mrs.take_calls(), [Call::Find]);
}

#[tokio::test]
async fn deadline_is_decided_without_mrs() {
    let (fixture, _) = Fixture::on_model(|_| {});
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.submit(&session, "a").await.unwrap();
    fixture.mrs.take_calls();
    fixture.clock.advance(SECOND * 52);
    let report = fixture.sweep().await;
    let intent = fixture.intent(&session, "a").await;
    assert_eq!(intent.outcome().unwrap().status, Status::ErrorEnrollment);
    assert_eq!(
        (report.resumed, report.unsettled),
        (1, 1),
        "a late card is looked for"
    );
    assert_eq!(
        report.oldest_open,
        SignedDuration::ZERO,
        "it is not known to be open"
    );
}

#[tokio::test]
async fn settled_intents_are_no_longer_swept() {
    let (fixture, _) = Fixture::on_model(|_| {});
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.submit(&session, "a").await.unwrap();
    fixture.mrs.has_card(true);
    fixture.mrs.take_calls();
    fixture.clock.advance(SECOND * 2);
    let report = fixture.sweep().await;
    assert_eq!((report.resumed, report.unsettled), (1, 0));
    let response = fixture.submit(&session, "a").await.unwrap();
    assert_eq!(ended(&response).0.status, Status::SuccessEnrollment);
    fixture.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(fixture.sweep().await, SweepReport::default());
}

#[tokio::test]
async fn old_card_of_a_replacement_counts_as_open() {
    let (fixture, _) = Fixture::on_model(|_| {});
    let old = fixture.card().await;
    let session = fixture.session_for(enrollment::action::ActionCode::Replace).await;
    fixture.replace(&session, "a", old).await.unwrap();
    fixture.mrs.ignores(Call::Cancel);
    fixture.clock.advance(SECOND * 7);
    let report = fixture.sweep().await;
    assert_eq!((report.resumed, report.unsettled), (1, 1));
    assert_eq!(report.oldest_open, SECOND * 7);
}

/// An MRS whose look-ups take five seconds each.
struct Slow<'a> {
    clock: &'a Arc<TestClock>,
    mrs: &'a dyn Rewards,
}

#[async_trait]
impl Rewards for Slow<'_> {
    async fn enroll(&self, card: NewCard<'_>) -> Result<Ranac, RewardsError> {
        self.mrs.enroll(card).await
    }

    async fn find(&self, _: &str, _: &BankCustomerNumber) -> LookUp {
        self.clock.advance(SECOND * 5);
        LookUp::Listed(Vec::new())
    }

    async fn cancel(&self, institution: &str, ranac: &Ranac) -> Result<(), RewardsError> {
        self.mrs.cancel(institution, ranac).await
    }
}

#[tokio::test]
async fn slow_mrs_leaves_the_rest_to_the_next_sweep() {
    let (fixture, _) = Fixture::on_model(|_| {});
    open_intents(&fixture, 12).await;
    fixture.clock.advance(SECOND * 30);
    let slow = Slow {
        clock: &fixture.clock,
        mrs: &fixture.mrs,
    };
    let sweep = fixture.sweep_flow();
    let sweep = Sweep {
        settlement: Settlement {
            rewards: &slow,
            ..sweep.settlement
        },
        ..sweep
    };
    let report = sweep.resume_intents().await.unwrap();
    // Eight at once; no further look-up begins after four seconds.
    assert_eq!((report.resumed, report.unsettled), (8, 12));
}

#[tokio::test]
async fn day_without_proof_is_reported() {
    let (fixture, _) = Fixture::on_model(|_| {});
    let session = fixture.session().await;
    fixture.mrs.answers_enrollment(EnrollmentAnswer::NoAnswer);
    fixture.mrs.ignores(Call::Find);
    fixture.submit(&session, "a").await.unwrap();
    let mut reports = Vec::new();
    for _ in 0..6 {
        fixture.clock.advance(SignedDuration::from_hours(6));
        reports.push(fixture.sweep().await.unknown_for_long);
    }
    assert_eq!(reports, [0, 0, 0, 0, 1, 1]);
}

#[tokio::test]
async fn due_confirmations_are_woken_oldest_first() {
    let (fixture, _) = Fixture::on_model(|_| {});
    fixture.card().await;
    fixture.clock.advance(SECOND * 5);
    fixture.mrs.answers_enrollment(EnrollmentAnswer::Declined(-52));
    let session = fixture.session().await;
    fixture.submit(&session, "a").await.unwrap();
    let sent = fixture.wakeups.take_confirmations();
    fixture.clock.advance(SECOND * 5);
    let report = fixture.wake().await.unwrap();
    assert_eq!((report.woken, report.oldest_due), (2, SECOND * 10));
    assert_eq!(fixture.wakeups.take_confirmations(), sent);
}

#[tokio::test]
async fn failed_queue_fails_the_wake() {
    let (fixture, _) = Fixture::on_model(|_| {});
    fixture.card().await;
    fixture.wakeups.fail();
    assert!(fixture.wake().await.is_err());
}
