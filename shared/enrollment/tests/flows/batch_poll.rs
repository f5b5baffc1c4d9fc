use async_trait::async_trait;
use enrollment::batch::{
    AnswerStatus, BatchAnswer, BatchReason, CardResult, ExternalCardId, ExternalConsumerId, FlowId,
    ReasonCode,
};
use enrollment::client::{Client, Tokenization};
use enrollment::clock::Clock as _;
use enrollment::digital_card::{DigitalCard, DigitalCardKey, DigitalCardState};
use enrollment::flows::batch::poll::{PollBatch, PollReport};
use enrollment::identifiers::ClientId;
use enrollment::ports::{Cursor, DigitalCards, DueDeletion, IssuerEnrollmentError, Page, Permit, StoreError};
use enrollment::status::Status;
use harness::scripted_issuer_enrollment::{
    FLOW, IssuerCall, acknowledgment, completed, failed, succeeded, succeeded_without_id,
};
use harness::{BatchFixture, Model};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

const PROFILES: &[(&str, &[&str])] = &[("p1", &["a", "b"]), ("p2", &["c"])];
const ENDED: PollReport = PollReport::Ended { foreign_ids: 0 };

fn fixture() -> (BatchFixture, Arc<Model>) {
    BatchFixture::on_model(|_| {})
}

fn all() -> BatchAnswer {
    completed(vec![succeeded("c"), succeeded("b"), succeeded("a")])
}

fn answered(status: AnswerStatus) -> BatchAnswer {
    BatchAnswer {
        status,
        items: Vec::new(),
        flow: None,
    }
}

#[tokio::test]
async fn batch_is_polled_until_it_is_final() {
    let (fixture, _) = fixture();
    let id = fixture.submitted("1", PROFILES).await;
    let asked = IssuerCall::Status("mc-1".into(), Some(FLOW.into()));
    let interval = fixture.issuer.poll_interval();
    fixture.wakeups.take_polls();
    for polls in 1..=3 {
        assert_eq!(fixture.poll(id).await, PollReport::Postponed);
        assert_eq!(fixture.poll(id).await, PollReport::NotDue, "a doubled message");
        assert_eq!(fixture.stored(id).await.submission().unwrap().polls, polls);
        assert_eq!(fixture.wakeups.take_polls(), [(id, interval)]);
        fixture.clock.advance(interval);
    }
    fixture.mastercard.answers_status(Ok(all()));
    assert_eq!(fixture.poll(id).await, ENDED);
    assert_eq!(
        fixture.mastercard.take_calls(),
        vec![asked; 4],
        "with the flow id"
    );
    assert_eq!(fixture.poll(id).await, PollReport::NotDue);
    let batch = fixture.stored(id).await;
    let result = batch.result().unwrap();
    assert_eq!((result.status, &result.reason), (Status::SuccessBatch, &None));
    let expected = serde_json::json!({
        "status": "SUCCESS_BATCH", "batchId": id.to_hex(), "externalBatchId": "1", "accepted": 3, "failed": 0,
        "unknown": 0
    });
    assert_eq!(fixture.confirmations().await, [expected]);
    let confirmation = batch.confirmation().unwrap();
    assert_eq!(
        fixture.wakeups.take_confirmations(),
        [(confirmation.id, SignedDuration::ZERO)]
    );
}

#[tokio::test]
async fn accepted_cards_have_records() {
    let (fixture, _) = fixture();
    let id = fixture.submitted("1", PROFILES).await;
    let answer = completed(vec![
        failed("c", "PAN_INELIGIBLE"),
        succeeded("b"),
        succeeded("a"),
    ]);
    fixture.mastercard.answers_status(Ok(answer));
    fixture.poll(id).await;
    let card = fixture.card("a").await.unwrap();
    assert_eq!(card.src_digital_card.expose(), "src-a");
    assert_eq!((card.consumer.as_str(), card.batch), ("p1", id));
    assert_eq!(
        (card.src_client_id.as_str(), card.service_id.as_str()),
        ("bank-src", "SRC")
    );
    assert_eq!(card.flow.unwrap().expose(), FLOW);
    assert_eq!(card.state, DigitalCardState::Enrolled);
    assert!(fixture.card("b").await.is_some());
    assert_eq!(fixture.card("c").await, None, "it failed");
}

#[tokio::test]
async fn untokenized_card_is_accepted_without_a_record() {
    let late = |client: &mut Client| {
        client.issuer.as_mut().unwrap().tokenization = Tokenization::AtFirstCheckout;
    };
    let (fixture, _) = BatchFixture::on_model(late);
    let id = fixture.submitted("1", &[("p1", &["a"])]).await;
    fixture
        .mastercard
        .answers_status(Ok(completed(vec![succeeded_without_id("a")])));
    assert_eq!(fixture.poll(id).await, ENDED);
    let batch = fixture.stored(id).await;
    assert_eq!(batch.result().unwrap().status, Status::SuccessBatch);
    assert_eq!(fixture.card("a").await, None);
}

#[tokio::test]
async fn foreign_id_is_reported() {
    let (fixture, _) = fixture();
    let id = fixture.submitted("1", PROFILES).await;
    let mut answer = all();
    answer.items.push(succeeded("z"));
    fixture.mastercard.answers_status(Ok(answer));
    assert_eq!(fixture.poll(id).await, PollReport::Ended { foreign_ids: 1 });
    let batch = fixture.stored(id).await;
    let result = batch.result().unwrap();
    assert_eq!(result.reason, Some(BatchReason::NotAccountedFor));
    assert_eq!(result.counts().accepted, 3, "what is said of ours counts");
    assert_eq!(fixture.card("z").await, None);
}

#[tokio::test]
async fn batch_that_is_never_answered_ends_at_its_age() {
    let (fixture, _) = fixture();
    let id = fixture.submitted("1", PROFILES).await;
    let mut polls = 0;
    loop {
        polls += 1;
        match fixture.poll(id).await {
            PollReport::Postponed => {
                let wait = fixture.due_in(id).await.unwrap();
                assert!(wait <= fixture.issuer.poll_interval());
                fixture.clock.advance(wait);
            }
            report => {
                assert_eq!(report, ENDED);
                break;
            }
        }
    }
    assert_eq!(
        polls,
        72 * 12,
        "every five minutes for three days, the last one at its age"
    );
    let batch = fixture.stored(id).await;
    let result = batch.result().unwrap();
    assert_eq!(result.at, batch.accepted_at + fixture.issuer.max_age());
    assert_eq!(
        (result.status, &result.reason),
        (Status::ErrorBatch, &Some(BatchReason::Expired))
    );
    assert_eq!(result.cards, vec![CardResult::Unknown; 3]);
    assert_eq!(fixture.confirmations().await[0]["unknown"], 3);
}

#[tokio::test]
async fn last_look_may_bring_the_answer() {
    let (fixture, _) = fixture();
    let id = fixture.submitted("1", PROFILES).await;
    fixture.clock.advance(fixture.issuer.max_age() * 2);
    fixture.mastercard.answers_status(Ok(all()));
    assert_eq!(fixture.poll(id).await, ENDED);
    assert_eq!(
        fixture.stored(id).await.result().unwrap().status,
        Status::SuccessBatch
    );
}

#[tokio::test]
async fn unclear_answer_is_asked_again() {
    let (fixture, _) = fixture();
    let id = fixture.submitted("1", PROFILES).await;
    let errors = [
        IssuerEnrollmentError::NotSent("no connection".into()),
        IssuerEnrollmentError::unanswered("timeout"),
        IssuerEnrollmentError::NotFound,
        IssuerEnrollmentError::Refused {
            reason: ReasonCode::of("UNAUTHENTICATED"),
            http_status: 401,
        },
    ];
    for error in errors {
        fixture.mastercard.answers_status(Err(error));
        assert_eq!(fixture.poll(id).await, PollReport::Postponed);
        fixture.clock.advance(fixture.issuer.poll_interval());
    }
    fixture
        .mastercard
        .answers_status(Ok(answered(AnswerStatus::Unknown)));
    assert_eq!(fixture.poll(id).await, PollReport::Postponed);
    fixture.clock.advance(fixture.issuer.poll_interval());
    fixture.mastercard.answers_status(Ok(all()));
    assert_eq!(fixture.poll(id).await, ENDED);
}

#[tokio::test]
async fn throttled_poll_waits_as_it_is_told() {
    let (fixture, _) = fixture();
    let id = fixture.submitted("1", PROFILES).await;
    let wait = SignedDuration::from_mins(8);
    fixture
        .mastercard
        .answers_status(Err(IssuerEnrollmentError::Repeatable {
            reason: ReasonCode::unspecified(),
            retry_after: Some(wait),
            is_throttled: true,
            flow: None,
        }));
    assert_eq!(fixture.poll(id).await, PollReport::Postponed);
    assert_eq!(fixture.due_in(id).await, Some(wait));
    let permit = fixture.stores.pacing.take(fixture.clock.now()).await.unwrap();
    assert_eq!(permit, Permit::NotBefore(fixture.clock.now() + wait));
}

#[tokio::test]
async fn unusable_answer_gives_its_wait_and_its_flow() {
    let (fixture, _) = fixture();
    let mut acknowledgment = acknowledgment("1");
    acknowledgment.flow = None;
    fixture.mastercard.answers_submission(Ok(acknowledgment));
    let id = fixture.submitted("1", PROFILES).await;
    let wait = fixture.issuer.poll_interval() + SignedDuration::from_mins(1);
    let error = IssuerEnrollmentError::Unknown {
        detail: "no JSON".into(),
        retry_after: Some(wait),
        flow: FlowId::parse("of-the-poll").ok(),
    };
    fixture.mastercard.answers_status(Err(error));
    assert_eq!(fixture.poll(id).await, PollReport::Postponed);
    assert_eq!(fixture.due_in(id).await, Some(wait));
    let flow = fixture.stored(id).await.flow().cloned();
    assert_eq!(flow, FlowId::parse("of-the-poll").ok());
}

/// Life-cycle records that can't be read.
struct UnreadableCards;

#[async_trait]
impl DigitalCards for UnreadableCards {
    async fn record(&self, _: &[DigitalCard]) -> Result<(), StoreError> {
        Err(StoreError::unreadable("recording a card", "an unknown state"))
    }

    async fn card(&self, _: &ClientId, _: &ExternalCardId) -> Result<Option<DigitalCard>, StoreError> {
        unreachable!()
    }

    async fn cards_of(&self, _: &ClientId, _: &ExternalConsumerId) -> Result<Vec<DigitalCard>, StoreError> {
        unreachable!()
    }

    async fn request_deletion(
        &self,
        _: &ClientId,
        _: &ExternalCardId,
        _: Timestamp,
    ) -> Result<Option<(DigitalCardKey, DigitalCard)>, StoreError> {
        unreachable!()
    }

    async fn due_deletions(&self, _: Timestamp, _: usize) -> Result<Vec<DueDeletion>, StoreError> {
        unreachable!()
    }

    async fn acquire(
        &self,
        _: &DigitalCardKey,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Option<DigitalCard>, StoreError> {
        unreachable!()
    }

    async fn update(&self, _: &DigitalCard, _: Timestamp, _: Timestamp) -> Result<bool, StoreError> {
        unreachable!()
    }

    async fn deleted(
        &self,
        _: &ClientId,
        _: Timestamp,
        _: Option<&Cursor>,
        _: usize,
    ) -> Result<Page<DigitalCardKey>, StoreError> {
        unreachable!()
    }

    async fn remove(&self, _: &DigitalCardKey, _: Timestamp) -> Result<bool, StoreError> {
        unreachable!()
    }

    async fn erase(&self, _: &ClientId, _: &ExternalCardId) -> Result<bool, StoreError> {
        unreachable!()
    }
}

#[tokio::test]
async fn unreadable_card_keeps_no_batch_open_past_its_age() {
    let (fixture, _) = fixture();
    let id = fixture.submitted("1", PROFILES).await;
    let flow = PollBatch {
        digital_cards: &UnreadableCards,
        ..fixture.poll_flow()
    };
    fixture.mastercard.answers_status(Ok(all()));
    let failed = flow.poll(id).await;
    assert!(matches!(failed, Err(StoreError::Unreadable { .. })), "{failed:?}");
    fixture.clock.advance_to(fixture.stored(id).await.expires_at());
    fixture.mastercard.answers_status(Ok(all()));
    assert_eq!(flow.poll(id).await.unwrap(), ENDED);
    let stored = fixture.stored(id).await;
    assert_eq!(stored.result().unwrap().reason, Some(BatchReason::Expired));
}

#[tokio::test]
async fn polls_keep_to_the_agreed_rate() {
    let (fixture, model) = fixture();
    let id = fixture.submitted("1", PROFILES).await;
    model.set_rate(1);
    fixture.stores.pacing.take(fixture.clock.now()).await.unwrap();
    assert_eq!(fixture.poll(id).await, PollReport::Postponed);
    assert_eq!(fixture.mastercard.take_calls(), []);
    assert_eq!(fixture.stored(id).await.submission().unwrap().polls, 0);
}

#[tokio::test]
async fn refused_batch_ends_with_its_reason() {
    let (fixture, _) = fixture();
    let id = fixture.submitted("1", PROFILES).await;
    let reason = ReasonCode::of("INVALID_ARGUMENT");
    fixture
        .mastercard
        .answers_status(Ok(answered(AnswerStatus::Failed {
            reason: reason.clone(),
            http_status: Some(400),
        })));
    assert_eq!(fixture.poll(id).await, ENDED);
    let batch = fixture.stored(id).await;
    let result = batch.result().unwrap();
    assert_eq!(result.reason, Some(BatchReason::Refused(reason)));
    assert_eq!(result.counts().failed, 3);
}

#[tokio::test]
async fn run_that_dies_before_the_end_is_repeated() {
    let (fixture, _) = fixture();
    let id = fixture.submitted("1", PROFILES).await;
    let dying = dying::Batches(&fixture);
    fixture.mastercard.answers_status(Ok(all()));
    let flow = enrollment::flows::batch::poll::PollBatch {
        batches: &dying,
        ..fixture.poll_flow()
    };
    assert!(flow.poll(id).await.is_err());
    let recorded = fixture.card("a").await.expect("cards are recorded first");
    assert_eq!(fixture.stored(id).await.result(), None);
    assert_eq!(
        fixture.poll(id).await,
        PollReport::NotDue,
        "the lease of the dead one"
    );
    fixture.clock.advance(enrollment::batch::BATCH_LEASE);
    fixture.mastercard.answers_status(Ok(all()));
    assert_eq!(fixture.poll(id).await, ENDED);
    assert_eq!(fixture.card("a").await, Some(recorded));
    assert_eq!(fixture.confirmations().await.len(), 1);
}

#[tokio::test]
async fn data_is_deleted_a_day_after_the_end() {
    let (fixture, model) = fixture();
    let id = fixture.submitted("1", PROFILES).await;
    fixture.mastercard.answers_status(Ok(all()));
    fixture.poll(id).await;
    fixture
        .clock
        .advance(SignedDuration::from_hours(24) - SignedDuration::from_secs(1));
    assert_eq!(fixture.poll(id).await, PollReport::NotDue);
    assert_eq!(model.content_count(), 1);
    fixture.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(fixture.poll(id).await, PollReport::ContentDiscarded);
    assert_eq!(model.content_count(), 0);
    assert_eq!(fixture.due_in(id).await, None);
    assert_eq!(fixture.poll(id).await, PollReport::NotDue);
}

mod dying {
    use async_trait::async_trait;
    use enrollment::batch::{Batch, BatchId, BatchWork};
    use enrollment::ports::{Acceptance, Batches as Port, DueBatch, LeaseEnd, StoreError};
    use harness::BatchFixture;
    use jiff::Timestamp;

    /// Stores in which no batch can end.
    pub(super) struct Batches<'a>(pub(super) &'a BatchFixture);

    #[async_trait]
    impl Port for Batches<'_> {
        async fn accept(&self, batch: &Batch) -> Result<Acceptance, StoreError> {
            self.0.stores.batches.accept(batch).await
        }

        async fn batch(&self, id: BatchId) -> Result<Option<Batch>, StoreError> {
            self.0.stores.batches.batch(id).await
        }

        async fn due(&self, until: Timestamp, limit: usize) -> Result<Vec<DueBatch>, StoreError> {
            self.0.stores.batches.due(until, limit).await
        }

        async fn acquire(
            &self,
            id: BatchId,
            work: BatchWork,
            now: Timestamp,
            until: Timestamp,
        ) -> Result<Option<Batch>, StoreError> {
            self.0.stores.batches.acquire(id, work, now, until).await
        }

        async fn update(&self, batch: &Batch, lease: Timestamp, end: LeaseEnd) -> Result<bool, StoreError> {
            self.0.stores.batches.update(batch, lease, end).await
        }

        async fn finish(&self, _: &Batch, _: Timestamp) -> Result<bool, StoreError> {
            Err(StoreError::unavailable("ending a batch", "the process died"))
        }

        async fn content_discarded(&self, id: BatchId) -> Result<(), StoreError> {
            self.0.stores.batches.content_discarded(id).await
        }

        async fn postpone(&self, id: BatchId, at: Timestamp) -> Result<(), StoreError> {
            self.0.stores.batches.postpone(id, at).await
        }
    }
}
