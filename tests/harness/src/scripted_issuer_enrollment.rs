//! Mastercard's Issuer Enrollment API as a test scripts it, call by call.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use enrollment::batch::{
    AnswerItem, AnswerStatus, BatchAnswer, FlowId, ItemOutcome, MastercardBatchId, ReasonCode, SrcConsumerId,
    SrcDigitalCardId,
};
use enrollment::ports::{
    Acknowledgment, BatchQuery, BatchSubmission, CardDeletion, IssuerEnrollment, IssuerEnrollmentError,
};
use jiff::SignedDuration;

use crate::clock::TestClock;

/// Flow id of every acknowledgment that a test does not script.
pub const FLOW: &str = "flow-7f3a";

/// Call that Mastercard got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuerCall {
    /// A batch, by its external id, with the JWE.
    Submit(String, String),
    /// A question about a batch, by Mastercard's id, with the flow id.
    Status(String, Option<String>),
    /// A deletion, by Mastercard's id of the card.
    Delete(String),
}

/// Mastercard as a test scripts it. Without a script, every batch is acknowledged and in progress, every deletion is done.
pub struct ScriptedIssuerEnrollment {
    clock: Arc<TestClock>,
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    submissions: VecDeque<Result<Acknowledgment, IssuerEnrollmentError>>,
    answers: VecDeque<Result<BatchAnswer, IssuerEnrollmentError>>,
    deletions: VecDeque<Result<(), IssuerEnrollmentError>>,
    duration: SignedDuration,
    calls: Vec<IssuerCall>,
    submitted_flows: Vec<Option<FlowId>>,
}

impl ScriptedIssuerEnrollment {
    /// Without a script.
    pub fn new(clock: Arc<TestClock>) -> Self {
        Self {
            clock,
            script: Mutex::default(),
        }
    }

    /// Answers the next submission that has no answer yet.
    pub fn answers_submission(&self, answer: Result<Acknowledgment, IssuerEnrollmentError>) {
        self.lock().submissions.push_back(answer);
    }

    /// Answers the next question that has no answer yet.
    pub fn answers_status(&self, answer: Result<BatchAnswer, IssuerEnrollmentError>) {
        self.lock().answers.push_back(answer);
    }

    /// Answers the next deletion that has no answer yet.
    pub fn answers_deletion(&self, answer: Result<(), IssuerEnrollmentError>) {
        self.lock().deletions.push_back(answer);
    }

    /// Each call takes this long from now on.
    pub fn takes(&self, duration: SignedDuration) {
        self.lock().duration = duration;
    }

    /// Calls since the last time.
    pub fn take_calls(&self) -> Vec<IssuerCall> {
        std::mem::take(&mut self.lock().calls)
    }

    /// Flow ids of the submissions since the last time.
    pub fn take_submitted_flows(&self) -> Vec<Option<FlowId>> {
        std::mem::take(&mut self.lock().submitted_flows)
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, call: IssuerCall) {
        let mut script = self.lock();
        script.calls.push(call);
        self.clock.advance(script.duration);
    }
}

/// Acknowledgment with Mastercard's id `mc-<external id>`.
pub fn acknowledgment(external_id: &str) -> Acknowledgment {
    Acknowledgment {
        batch: MastercardBatchId::parse(&format!("mc-{external_id}")).expect("an id"),
        flow: FlowId::parse(FLOW).ok(),
    }
}

/// A final answer with these items.
pub fn completed(items: Vec<AnswerItem>) -> BatchAnswer {
    BatchAnswer {
        status: AnswerStatus::Completed,
        items,
        flow: None,
    }
}

/// A card that was enrolled, with ids made of its name.
pub fn succeeded(card: &str) -> AnswerItem {
    AnswerItem {
        card: Some(card.to_owned()),
        outcome: ItemOutcome::Succeeded {
            src_digital_card: SrcDigitalCardId::parse(&format!("src-{card}")).ok(),
            src_consumer: SrcConsumerId::parse("consumer").ok(),
        },
    }
}

/// A card that was enrolled without an id.
pub fn succeeded_without_id(card: &str) -> AnswerItem {
    AnswerItem {
        card: Some(card.to_owned()),
        outcome: ItemOutcome::Succeeded {
            src_digital_card: None,
            src_consumer: None,
        },
    }
}

/// A card that failed; without a reason where that is empty.
pub fn failed(card: &str, reason: &str) -> AnswerItem {
    AnswerItem {
        card: Some(card.to_owned()),
        outcome: ItemOutcome::Failed {
            reason: (!reason.is_empty()).then(|| ReasonCode::of(reason)),
            http_status: None,
        },
    }
}

#[async_trait]
impl IssuerEnrollment for ScriptedIssuerEnrollment {
    async fn submit(&self, batch: BatchSubmission<'_>) -> Result<Acknowledgment, IssuerEnrollmentError> {
        let external_id = batch.external_id.as_str();
        self.call(IssuerCall::Submit(
            external_id.to_owned(),
            batch.data.expose().to_owned(),
        ));
        self.lock().submitted_flows.push(batch.flow.cloned());
        let scripted = self.lock().submissions.pop_front();
        scripted.unwrap_or_else(|| Ok(acknowledgment(external_id)))
    }

    async fn status(&self, query: BatchQuery<'_>) -> Result<BatchAnswer, IssuerEnrollmentError> {
        let flow = query
            .submission
            .flow
            .as_ref()
            .map(|flow| flow.expose().to_owned());
        let batch = query.submission.batch.expose().to_owned();
        self.call(IssuerCall::Status(batch, flow));
        let scripted = self.lock().answers.pop_front();
        scripted.unwrap_or(Ok(BatchAnswer {
            status: AnswerStatus::InProgress,
            items: Vec::new(),
            flow: None,
        }))
    }

    async fn delete_card(&self, card: CardDeletion<'_>) -> Result<(), IssuerEnrollmentError> {
        self.call(IssuerCall::Delete(card.card.expose().to_owned()));
        self.lock().deletions.pop_front().unwrap_or(Ok(()))
    }
}
