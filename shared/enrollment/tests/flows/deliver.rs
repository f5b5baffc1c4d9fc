use enrollment::clock::Clock as _;
use enrollment::confirmation::ConfirmationId;
use enrollment::delivery::{DeliveryResult, LEASE, MAX_AGE, Parked};
use enrollment::flows::deliver::DeliveryReport;
use enrollment::status::Status;
use harness::model::StoredConfirmationState;
use harness::receiver::{ScriptedReceiver, answered};
use harness::{Fixture, Model};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// A due confirmation, the stores and the receiver.
struct Due {
    fixture: Fixture,
    model: Arc<Model>,
    receiver: ScriptedReceiver,
    id: ConfirmationId,
}

impl Due {
    async fn new() -> Self {
        let (fixture, model) = Fixture::on_model(|_| {});
        let card = fixture.card().await;
        fixture.wakeups.take_confirmations();
        Self {
            receiver: ScriptedReceiver::default(),
            id: ConfirmationId::derive(card, Status::SuccessEnrollment),
            fixture,
            model,
        }
    }

    async fn deliver(&self) -> DeliveryReport {
        self.fixture.deliver(&self.receiver, &self.id).await.unwrap()
    }

    fn state(&self) -> (StoredConfirmationState, u32) {
        let stored = self.model.stored_confirmation(&self.id).unwrap();
        (stored.state, stored.attempts)
    }

    fn now(&self) -> Timestamp {
        self.fixture.clock.now()
    }
}

/// The time of a retry, which has up to a tenth of jitter.
fn retry(report: DeliveryReport, now: Timestamp) -> SignedDuration {
    match report {
        DeliveryReport::Retry(at) => at.duration_since(now),
        other => panic!("a retry was expected: {other:?}"),
    }
}

#[tokio::test]
async fn taken_confirmation_is_delivered_once() {
    let due = Due::new().await;
    assert_eq!(due.deliver().await, DeliveryReport::Delivered);
    let posted = due.receiver.take_received();
    assert_eq!(posted.len(), 1);
    assert_eq!(posted[0].id, due.id);
    assert!(
        posted[0].body.contains("SUCCESS_ENROLLMENT"),
        "{}",
        posted[0].body
    );
    let at = due.now();
    assert_eq!(due.state(), (StoredConfirmationState::Delivered { at }, 1));
    assert_eq!(due.deliver().await, DeliveryReport::NotDue);
    assert_eq!(due.receiver.take_received(), []);
}

#[tokio::test]
async fn failed_attempt_is_retried_after_seconds_by_a_wake_up() {
    for failure in [
        answered(500),
        DeliveryResult::Failed("timeout_answer"),
        answered(404),
    ] {
        let due = Due::new().await;
        due.receiver.answers([failure]);
        let wait = retry(due.deliver().await, due.now());
        assert!((SECOND * 5..=SECOND * 6).contains(&wait), "{wait}");
        assert_eq!(due.fixture.wakeups.take_confirmations(), [(due.id.clone(), wait)]);
        assert_eq!(due.state(), (StoredConfirmationState::Due, 1));
        assert_eq!(due.deliver().await, DeliveryReport::NotDue);
        due.fixture.clock.advance(wait);
        assert_eq!(due.deliver().await, DeliveryReport::Delivered);
        assert_eq!(due.state().1, 2);
    }
}

#[tokio::test]
async fn later_retries_are_left_to_the_sweep() {
    let due = Due::new().await;
    due.receiver.answers([answered(404), answered(404)]);
    let wait = retry(due.deliver().await, due.now());
    due.fixture.wakeups.take_confirmations();
    due.fixture.clock.advance(wait);
    let wait = retry(due.deliver().await, due.now());
    assert!(wait >= SECOND * 300, "{wait}");
    assert_eq!(due.fixture.wakeups.take_confirmations(), []);
}

#[tokio::test]
async fn receiver_that_is_gone_parks_this_and_the_next() {
    let due = Due::new().await;
    due.receiver.answers([answered(410)]);
    assert_eq!(due.deliver().await, DeliveryReport::Parked(Parked::Gone));
    assert_eq!(due.state(), (StoredConfirmationState::Parked(Parked::Gone), 1));
    let card = due.fixture.card().await;
    let next = ConfirmationId::derive(card, Status::SuccessEnrollment);
    due.receiver.take_received();
    let report = due.fixture.deliver(&due.receiver, &next).await.unwrap();
    assert_eq!(report, DeliveryReport::Parked(Parked::Gone));
    assert_eq!(due.receiver.take_received(), [], "nothing is sent there");
    assert_eq!(due.model.stored_confirmation(&next).unwrap().attempts, 0);
}

#[tokio::test]
async fn host_that_is_not_registered_gets_nothing() {
    let due = Due::new().await;
    let mut client = due.fixture.client().await;
    client.confirmation_hosts.clear();
    due.model.set_up(client);
    assert_eq!(due.deliver().await, DeliveryReport::Parked(Parked::NotRegistered));
    assert_eq!(due.receiver.take_received(), []);
}

#[tokio::test]
async fn receiver_asks_for_a_pause() {
    let due = Due::new().await;
    let pause = SECOND * 600;
    due.receiver.answers([DeliveryResult::Answered {
        status: 429,
        retry_after: Some(pause),
    }]);
    let wait = retry(due.deliver().await, due.now());
    assert_eq!(wait, pause);
    let card = due.fixture.card().await;
    let next = ConfirmationId::derive(card, Status::SuccessEnrollment);
    due.receiver.take_received();
    let report = due.fixture.deliver(&due.receiver, &next).await.unwrap();
    let DeliveryReport::Waiting(until) = report else {
        panic!("the receiver is left alone: {report:?}")
    };
    assert!(until >= due.now() + pause, "{until}");
    assert_eq!(due.receiver.take_received(), []);
    assert_eq!(due.model.stored_confirmation(&next).unwrap().attempts, 0);
}

#[tokio::test]
async fn ten_failures_park_a_confirmation() {
    let due = Due::new().await;
    // Not a failure of the receiver, which would be left alone after five.
    due.receiver.answers(std::iter::repeat_n(answered(400), 20));
    for attempt in 1..10 {
        let wait = retry(due.deliver().await, due.now());
        assert_eq!(due.state(), (StoredConfirmationState::Due, attempt));
        due.fixture.clock.advance(wait);
    }
    assert_eq!(due.deliver().await, DeliveryReport::Parked(Parked::Exhausted));
    assert_eq!(
        due.state(),
        (StoredConfirmationState::Parked(Parked::Exhausted), 10)
    );
}

#[tokio::test]
async fn receiver_that_is_down_is_probed_by_one() {
    let due = Due::new().await;
    let down = DeliveryResult::Failed("timeout_connect");
    due.receiver.answers(std::iter::repeat_n(down, 5));
    for _ in 0..5 {
        let wait = retry(due.deliver().await, due.now());
        due.fixture.clock.advance(wait);
    }
    let card = due.fixture.card().await;
    let second = ConfirmationId::derive(card, Status::SuccessEnrollment);
    assert_eq!(due.receiver.take_received().len(), 5);
    // The last wait was hours: by now the receiver may be tried again.
    let probed = ProbedReceiver {
        due: &due,
        second: &second,
        report: Mutex::default(),
    };
    let report = due.fixture.deliver(&probed, &due.id).await.unwrap();
    assert_eq!(report, DeliveryReport::Delivered);
    assert_eq!(due.state().1, 6);
    let report = probed.report.into_inner().unwrap();
    let Some(DeliveryReport::Waiting(until)) = report else {
        panic!("the probe is in flight: {report:?}")
    };
    assert!(until >= due.now() + SECOND * 30, "{until}");
    assert_eq!(due.receiver.take_received(), []);
    assert_eq!(due.model.stored_confirmation(&second).unwrap().attempts, 0);
}

/// A receiver to which a second confirmation is delivered while the first is in flight.
struct ProbedReceiver<'a> {
    due: &'a Due,
    second: &'a ConfirmationId,
    /// Report about the second.
    report: Mutex<Option<DeliveryReport>>,
}

#[async_trait::async_trait]
impl enrollment::ports::Receivers for ProbedReceiver<'_> {
    async fn post(&self, posted: &enrollment::confirmation::Confirmation, _: Timestamp) -> DeliveryResult {
        assert_eq!(posted.id, self.due.id);
        let second = self.due.fixture.deliver(&self.due.receiver, self.second).await;
        *self.report.lock().unwrap() = Some(second.unwrap());
        answered(200)
    }
}

#[tokio::test]
async fn closed_receiver_costs_no_attempt() {
    let due = Due::new().await;
    let mut others = Vec::new();
    for _ in 0..5 {
        let session = due.fixture.session().await;
        due.fixture
            .mrs
            .answers_enrollment(harness::scripted_mrs::EnrollmentAnswer::Declined(-52));
        due.fixture.submit(&session, "a").await.unwrap();
        let intent = due.fixture.intent(&session, "a").await;
        others.push(ConfirmationId::derive(intent.id, Status::ErrorEnrollment));
    }
    due.receiver
        .answers(std::iter::repeat_n(DeliveryResult::Failed("timeout_connect"), 5));
    for other in &others {
        let report = due.fixture.deliver(&due.receiver, other).await.unwrap();
        assert!(matches!(report, DeliveryReport::Retry(_)), "{report:?}");
    }
    due.receiver.take_received();
    let report = due.deliver().await;
    let DeliveryReport::Waiting(until) = report else {
        panic!("the receiver is down: {report:?}")
    };
    assert!(until >= due.now() + SECOND * 30, "{until}");
    assert_eq!(due.receiver.take_received(), []);
    assert_eq!(due.state(), (StoredConfirmationState::Due, 0));
}

#[tokio::test]
async fn waiting_ends_at_the_greatest_age() {
    let due = Due::new().await;
    due.receiver.answers([DeliveryResult::Answered {
        status: 503,
        retry_after: Some(SECOND * 60),
    }]);
    due.deliver().await;
    due.fixture.clock.advance(MAX_AGE);
    due.receiver.answers([answered(500)]);
    assert_eq!(due.deliver().await, DeliveryReport::Parked(Parked::TooOld));
}

#[tokio::test]
async fn claim_of_another_run_is_respected() {
    let due = Due::new().await;
    let now = due.now();
    let confirmations = &due.fixture.stores.confirmations;
    let claim = confirmations.claim(&due.id, now, now + LEASE).await.unwrap();
    assert_eq!(claim.unwrap().attempt, 1);
    assert_eq!(due.deliver().await, DeliveryReport::NotDue);
    due.fixture.clock.advance(LEASE);
    assert_eq!(due.deliver().await, DeliveryReport::Delivered);
    assert_eq!(due.state().1, 2, "the attempt of a run that died counts");
}

#[tokio::test]
async fn answer_after_the_lease_is_reported_as_lost() {
    let due = Due::new().await;
    // Another run claims it while the receiver is slow.
    let slow = SlowReceiver { due: &due };
    let report = due.fixture.deliver(&slow, &due.id).await.unwrap();
    assert_eq!(report, DeliveryReport::ClaimLost);
    assert_eq!(due.state().0, StoredConfirmationState::Due);
}

struct SlowReceiver<'a> {
    due: &'a Due,
}

#[async_trait::async_trait]
impl enrollment::ports::Receivers for SlowReceiver<'_> {
    async fn post(&self, _: &enrollment::confirmation::Confirmation, _: Timestamp) -> DeliveryResult {
        self.due.fixture.clock.advance(LEASE);
        let now = self.due.now();
        let confirmations = &self.due.fixture.stores.confirmations;
        let claimed = confirmations.claim(&self.due.id, now, now + LEASE).await;
        assert!(claimed.unwrap().is_some());
        answered(200)
    }
}
