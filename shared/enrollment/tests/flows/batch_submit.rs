use enrollment::batch::{BATCH_LEASE, BatchReason, BatchStage, CardResult, FlowId, ReasonCode, RetryAdvice};
use enrollment::clock::Clock as _;
use enrollment::flows::batch::submit::SubmitReport;
use enrollment::ports::{IssuerEnrollmentError, Permit};
use enrollment::status::Status;
use harness::scripted_issuer_enrollment::{FLOW, IssuerCall, acknowledgment};
use harness::{BatchFixture, Model};
use jiff::SignedDuration;
use std::sync::Arc;

const PROFILES: &[(&str, &[&str])] = &[("p1", &["a", "b"]), ("p2", &["c"])];
const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn fixture() -> (BatchFixture, Arc<Model>) {
    BatchFixture::on_model(|_| {})
}

fn unknown() -> IssuerEnrollmentError {
    IssuerEnrollmentError::unanswered("timeout")
}

fn repeatable(retry_after: Option<i64>, is_throttled: bool) -> IssuerEnrollmentError {
    IssuerEnrollmentError::Repeatable {
        reason: ReasonCode::of("UNAVAILABLE"),
        retry_after: retry_after.map(SignedDuration::from_secs),
        is_throttled,
        flow: None,
    }
}

fn refused(reason: &str, http_status: u16) -> IssuerEnrollmentError {
    IssuerEnrollmentError::Refused {
        reason: ReasonCode::of(reason),
        http_status,
    }
}

fn sent(external_id: &str) -> IssuerCall {
    IssuerCall::Submit(external_id.into(), format!("jwe of {external_id}"))
}

fn failed(reason: &str, retry: RetryAdvice) -> CardResult {
    CardResult::Failed {
        reason: ReasonCode::of(reason),
        retry,
        sibling: None,
    }
}

#[tokio::test]
async fn acknowledged_batch_is_polled_after_the_interval() {
    let (fixture, _) = fixture();
    let id = fixture.accepted("1", PROFILES).await;
    assert_eq!(fixture.submit(id).await, SubmitReport::Submitted);
    assert_eq!(fixture.mastercard.take_calls(), [sent("1")]);
    let batch = fixture.stored(id).await;
    let submission = batch.submission().unwrap();
    assert_eq!(submission.batch.expose(), "mc-1");
    assert_eq!(submission.flow.as_ref().unwrap().expose(), FLOW);
    let interval = fixture.issuer.poll_interval();
    assert_eq!(fixture.due_in(id).await, Some(interval));
    assert_eq!(fixture.wakeups.take_polls(), [(id, interval)]);
}

#[tokio::test]
async fn doubled_message_submits_once() {
    let (fixture, _) = fixture();
    let id = fixture.accepted("1", PROFILES).await;
    let flow = fixture.submit_flow();
    let (first, second) = tokio::join!(flow.submit(id), flow.submit(id));
    assert_eq!(
        (first.unwrap(), second.unwrap()),
        (SubmitReport::Submitted, SubmitReport::NotDue)
    );
    assert_eq!(fixture.submit(id).await, SubmitReport::NotDue);
    fixture.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(
        fixture.submit(id).await,
        SubmitReport::NotDue,
        "it is a poll that is due"
    );
    assert_eq!(fixture.mastercard.take_calls().len(), 1);
}

#[tokio::test]
async fn lost_answer_repeats_the_same_call() {
    let (fixture, _) = fixture();
    let id = fixture.accepted("1", PROFILES).await;
    fixture.mastercard.answers_submission(Err(unknown()));
    assert_eq!(fixture.submit(id).await, SubmitReport::Postponed);
    let stage = BatchStage::Submitting {
        attempts: 1,
        has_unanswered_call: true,
        flow: None,
    };
    assert_eq!(fixture.stored(id).await.stage, stage);
    let wait = fixture.due_in(id).await.unwrap();
    assert!(wait >= SECOND * 5 && wait < SECOND * 8, "{wait:?}");
    assert_eq!(fixture.wakeups.take_submissions(), [(id, wait)]);
    fixture.clock.advance(wait);
    assert_eq!(fixture.submit(id).await, SubmitReport::Submitted);
    assert_eq!(fixture.mastercard.take_calls(), [sent("1"), sent("1")]);
}

#[tokio::test]
async fn flow_of_the_first_answer_is_sent_with_every_later_call() {
    let (fixture, _) = fixture();
    let id = fixture.accepted("1", PROFILES).await;
    for flow in ["first", "second"] {
        let error = IssuerEnrollmentError::Unknown {
            detail: "http_500".into(),
            retry_after: None,
            flow: FlowId::parse(flow).ok(),
        };
        fixture.mastercard.answers_submission(Err(error));
        assert_eq!(fixture.submit(id).await, SubmitReport::Postponed);
        fixture.clock.advance(fixture.due_in(id).await.unwrap());
    }
    assert_eq!(fixture.submit(id).await, SubmitReport::Submitted);
    let first = FlowId::parse("first").ok();
    let flows = fixture.mastercard.take_submitted_flows();
    assert_eq!(flows, [None, first.clone(), first.clone()]);
    let stored = fixture.stored(id).await;
    assert_eq!(stored.submission().unwrap().flow, first, "not that of the 202");
}

#[tokio::test]
async fn wait_of_an_unusable_answer_is_respected() {
    let (fixture, _) = fixture();
    let id = fixture.accepted("1", PROFILES).await;
    let error = IssuerEnrollmentError::Unknown {
        detail: "no JSON".into(),
        retry_after: Some(SECOND * 120),
        flow: None,
    };
    fixture.mastercard.answers_submission(Err(error));
    assert_eq!(fixture.submit(id).await, SubmitReport::Postponed);
    assert_eq!(fixture.due_in(id).await, Some(SECOND * 120));
}

#[tokio::test]
async fn process_that_dies_in_the_call_is_followed_by_another() {
    let (fixture, _) = fixture();
    let id = fixture.accepted("1", PROFILES).await;
    let now = fixture.clock.now();
    let batches = &fixture.stores.batches;
    let work = enrollment::batch::BatchWork::Submit;
    let mut batch = batches
        .acquire(id, work, now, now + BATCH_LEASE)
        .await
        .unwrap()
        .unwrap();
    batch.stage = BatchStage::Submitting {
        attempts: 1,
        has_unanswered_call: true,
        flow: None,
    };
    let kept = enrollment::ports::LeaseEnd::Kept;
    assert!(batches.update(&batch, now + BATCH_LEASE, kept).await.unwrap());
    assert_eq!(fixture.submit(id).await, SubmitReport::NotDue);
    fixture.clock.advance(BATCH_LEASE);
    fixture
        .mastercard
        .answers_submission(Err(refused("INVALID_ARGUMENT", 400)));
    assert_eq!(fixture.submit(id).await, SubmitReport::Ended);
    let batch = fixture.stored(id).await;
    let result = batch.result().unwrap();
    assert_eq!(
        result.cards,
        vec![CardResult::Unknown; 3],
        "the call of the dead one may have been taken"
    );
    assert_eq!(
        result.reason,
        Some(BatchReason::Refused(ReasonCode::of("INVALID_ARGUMENT")))
    );
}

#[tokio::test]
async fn wait_doubles_up_to_a_quarter_of_an_hour() {
    let (fixture, _) = fixture();
    let id = fixture.accepted("1", PROFILES).await;
    let mut waits = Vec::new();
    for _ in 0..12 {
        fixture
            .mastercard
            .answers_submission(Err(repeatable(None, false)));
        assert_eq!(fixture.submit(id).await, SubmitReport::Postponed);
        let wait = fixture.due_in(id).await.unwrap();
        waits.push(wait);
        fixture.clock.advance(wait);
    }
    for (index, wait) in waits.iter().enumerate() {
        let least = (SECOND * 5 * (1 << index.min(10))).min(SignedDuration::from_mins(15));
        assert!(*wait >= least && *wait <= least * 3 / 2, "{index}: {wait:?}");
    }
    let stage = fixture.stored(id).await.stage;
    let expected = BatchStage::Submitting {
        attempts: 12,
        has_unanswered_call: false,
        flow: None,
    };
    assert_eq!(stage, expected, "each was answered");
}

#[tokio::test]
async fn retry_after_is_respected() {
    let (fixture, _) = fixture();
    let id = fixture.accepted("1", PROFILES).await;
    fixture
        .mastercard
        .answers_submission(Err(repeatable(Some(120), false)));
    assert_eq!(fixture.submit(id).await, SubmitReport::Postponed);
    assert_eq!(fixture.due_in(id).await, Some(SECOND * 120));
    let permit = fixture.stores.pacing.take(fixture.clock.now()).await.unwrap();
    assert_eq!(permit, Permit::Granted, "others go on");
}

#[tokio::test]
async fn throttled_call_pauses_all_others() {
    let (fixture, _) = fixture();
    let first = fixture.accepted("1", PROFILES).await;
    let second = fixture.accepted("2", PROFILES).await;
    fixture
        .mastercard
        .answers_submission(Err(repeatable(Some(30), true)));
    assert_eq!(fixture.submit(first).await, SubmitReport::Postponed);
    assert_eq!(fixture.submit(second).await, SubmitReport::Postponed);
    assert_eq!(fixture.mastercard.take_calls(), [sent("1")]);
    let wait = fixture.due_in(second).await.unwrap();
    assert!(wait >= SECOND * 30 && wait < SECOND * 35, "{wait:?}");
    assert_eq!(
        fixture.stored(second).await.stage,
        BatchStage::Accepted,
        "no call was begun"
    );
    fixture.clock.advance(SECOND * 35);
    assert_eq!(fixture.submit(second).await, SubmitReport::Submitted);
}

#[tokio::test]
async fn endless_retry_after_stops_one_batch_alone() {
    let (fixture, _) = fixture();
    let id = fixture.accepted("1", PROFILES).await;
    fixture
        .mastercard
        .answers_submission(Err(repeatable(Some(i64::MAX), true)));
    assert_eq!(fixture.submit(id).await, SubmitReport::Postponed);
    let age = fixture.issuer.max_age();
    assert_eq!(fixture.due_in(id).await, Some(age), "until its maximum age");
    fixture.clock.advance(SignedDuration::from_mins(15));
    let permit = fixture.stores.pacing.take(fixture.clock.now()).await.unwrap();
    assert_eq!(permit, Permit::Granted);
}

#[tokio::test]
async fn batches_wait_for_the_agreed_rate() {
    let (fixture, model) = fixture();
    model.set_rate(1);
    let ids = [
        fixture.accepted("1", PROFILES).await,
        fixture.accepted("2", PROFILES).await,
    ];
    assert_eq!(fixture.submit(ids[0]).await, SubmitReport::Submitted);
    assert_eq!(fixture.submit(ids[1]).await, SubmitReport::Postponed);
    let wait = fixture.due_in(ids[1]).await.unwrap();
    assert!(
        wait >= SECOND - SignedDuration::from_millis(1) && wait < SECOND * 6,
        "{wait:?}"
    );
    fixture.clock.advance(wait);
    assert_eq!(fixture.submit(ids[1]).await, SubmitReport::Submitted);
}

#[tokio::test]
async fn refusal_ends_the_batch() {
    let cases = [
        (
            refused("INVALID_ARGUMENT", 400),
            "INVALID_ARGUMENT",
            RetryAdvice::Never,
        ),
        (refused("INTERNAL", 500), "INTERNAL", RetryAdvice::Now),
        (IssuerEnrollmentError::NotFound, "NOT_FOUND", RetryAdvice::Never),
    ];
    for (error, reason, retry) in cases {
        let (fixture, _) = fixture();
        let id = fixture.accepted("1", PROFILES).await;
        fixture.mastercard.answers_submission(Err(error));
        assert_eq!(fixture.submit(id).await, SubmitReport::Ended);
        let batch = fixture.stored(id).await;
        let result = batch.result().unwrap();
        assert_eq!(result.status, Status::ErrorBatch);
        assert_eq!(result.reason, Some(BatchReason::Refused(ReasonCode::of(reason))));
        assert_eq!(result.cards, vec![failed(reason, retry); 3]);
        let confirmation = batch.confirmation().unwrap();
        assert_eq!(fixture.confirmations().await.len(), 1);
        let woken = fixture.wakeups.take_confirmations();
        assert_eq!(woken, [(confirmation.id, SignedDuration::ZERO)]);
        assert_eq!(fixture.submit(id).await, SubmitReport::NotDue);
    }
}

#[tokio::test]
async fn refusal_after_a_lost_answer_says_nothing_of_the_cards() {
    let (fixture, _) = fixture();
    let id = fixture.accepted("1", PROFILES).await;
    let errors = [
        unknown(),
        IssuerEnrollmentError::NotSent("no connection".into()),
        refused("ALREADY_EXISTS", 409),
    ];
    for error in errors {
        fixture.mastercard.answers_submission(Err(error));
        fixture.submit(id).await;
        fixture.clock.advance(SECOND * 60);
    }
    let batch = fixture.stored(id).await;
    assert_eq!(batch.result().unwrap().cards, vec![CardResult::Unknown; 3]);
}

#[tokio::test]
async fn batch_that_was_never_taken_ends_at_its_age() {
    for error in [
        IssuerEnrollmentError::NotSent("no connection".into()),
        repeatable(None, false),
    ] {
        let (fixture, _) = fixture();
        let id = fixture.accepted("1", PROFILES).await;
        fixture.mastercard.answers_submission(Err(error));
        assert_eq!(fixture.submit(id).await, SubmitReport::Postponed);
        fixture.clock.advance(fixture.issuer.max_age());
        fixture.mastercard.take_calls();
        assert_eq!(fixture.submit(id).await, SubmitReport::Ended);
        assert_eq!(
            fixture.mastercard.take_calls(),
            [],
            "Mastercard is not asked any more"
        );
        let batch = fixture.stored(id).await;
        let result = batch.result().unwrap();
        assert_eq!(
            (result.status, &result.reason),
            (Status::ErrorBatch, &Some(BatchReason::Expired))
        );
        assert_eq!(result.cards, vec![failed("NOT_SUBMITTED", RetryAdvice::Now); 3]);
    }
}

#[tokio::test]
async fn batch_with_a_lost_answer_ends_unknown_at_its_age() {
    let (fixture, _) = fixture();
    let id = fixture.accepted("1", PROFILES).await;
    fixture.mastercard.answers_submission(Err(unknown()));
    fixture.submit(id).await;
    fixture.clock.advance(fixture.issuer.max_age());
    assert_eq!(fixture.submit(id).await, SubmitReport::Ended);
    let batch = fixture.stored(id).await;
    assert_eq!(batch.result().unwrap().cards, vec![CardResult::Unknown; 3]);
}

#[tokio::test]
async fn lost_data_ends_the_batch() {
    let (fixture, _) = fixture();
    let id = fixture.accepted("1", PROFILES).await;
    let batch = fixture.stored(id).await;
    fixture
        .stores
        .contents
        .delete(batch.content_name())
        .await
        .unwrap();
    assert_eq!(fixture.submit(id).await, SubmitReport::Ended);
    assert_eq!(fixture.mastercard.take_calls(), []);
    let batch = fixture.stored(id).await;
    let result = batch.result().unwrap();
    assert_eq!(result.reason, Some(BatchReason::ContentLost));
    assert_eq!(result.cards, vec![failed("NOT_SUBMITTED", RetryAdvice::Now); 3]);
}

#[tokio::test]
async fn answer_after_the_lease_changes_nothing() {
    let (fixture, _) = fixture();
    let id = fixture.accepted("1", PROFILES).await;
    // The first call takes longer than its lease; another process submits meanwhile.
    let slow = slow::Mastercard {
        fixture: &fixture,
        id,
    };
    let flow = enrollment::flows::batch::submit::SubmitBatch {
        issuer_enrollment: &slow,
        ..fixture.submit_flow()
    };
    assert_eq!(flow.submit(id).await.unwrap(), SubmitReport::NotDue);
    let batch = fixture.stored(id).await;
    assert_eq!(batch.submission().unwrap().batch, acknowledgment("1").batch);
}

mod slow {
    use async_trait::async_trait;
    use enrollment::batch::{BATCH_LEASE, BatchAnswer, BatchId};
    use enrollment::flows::batch::submit::SubmitReport;
    use enrollment::ports::{
        Acknowledgment, BatchQuery, BatchSubmission, CardDeletion, IssuerEnrollment, IssuerEnrollmentError,
    };
    use harness::BatchFixture;
    use harness::scripted_issuer_enrollment::acknowledgment;

    /// Answers a submission after its lease has ended and another process has submitted the batch.
    pub(super) struct Mastercard<'a> {
        pub(super) fixture: &'a BatchFixture,
        pub(super) id: BatchId,
    }

    #[async_trait]
    impl IssuerEnrollment for Mastercard<'_> {
        async fn submit(&self, _: BatchSubmission<'_>) -> Result<Acknowledgment, IssuerEnrollmentError> {
            self.fixture.clock.advance(BATCH_LEASE);
            assert_eq!(self.fixture.submit(self.id).await, SubmitReport::Submitted);
            Ok(acknowledgment("late"))
        }

        async fn status(&self, query: BatchQuery<'_>) -> Result<BatchAnswer, IssuerEnrollmentError> {
            self.fixture.mastercard.status(query).await
        }

        async fn delete_card(&self, card: CardDeletion<'_>) -> Result<(), IssuerEnrollmentError> {
            self.fixture.mastercard.delete_card(card).await
        }
    }
}
