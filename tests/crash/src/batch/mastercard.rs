//! Model of the Issuer Enrollment API: batches by `externalBatchId`, cards, and a fault profile.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use engine::TestClock;
use enrollment::batch::{
    AnswerItem, AnswerStatus, BatchAnswer, FlowId, ItemOutcome, MastercardBatchId, ReasonCode, SrcConsumerId,
    SrcDigitalCardId,
};
use enrollment::clock::Clock as _;
use enrollment::ports::{
    Acknowledgment, BatchQuery, BatchSubmission, CardDeletion, IssuerEnrollment, IssuerEnrollmentError,
};
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use super::scenario::BatchContent;

/// Duration of an answered call.
const QUICK: SignedDuration = SignedDuration::from_millis(300);
/// Time limit of a call.
const NO_ANSWER: SignedDuration = SignedDuration::from_secs(10);
/// Reason of the card that fails.
const REASON: &str = "CARD_NOT_ELIGIBLE";

/// Behavior for a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubmissionBehavior {
    /// Answers with 429 and a `Retry-After`.
    Throttles(SignedDuration),
    /// Answers with 503.
    Unavailable,
    /// Takes the batch, and does not answer.
    LosesAnswer,
    /// Does not take the batch, and does not answer.
    IsLost,
    /// Is never reached.
    Unreachable,
    /// Refuses the batch with a reason.
    Refuses(&'static str),
}

/// Behavior for a question about a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PollBehavior {
    /// Answers with 429 and a `Retry-After`.
    Throttles(SignedDuration),
    /// Does not answer.
    Hangs,
}

/// Behavior for a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeletionBehavior {
    /// Answers with 429 and a `Retry-After`.
    Throttles(SignedDuration),
    /// Deletes the card, and does not answer.
    LosesAnswer,
}

/// Final answer about every batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Every card is enrolled.
    Enrolls,
    /// This card fails, and its profile with it.
    Fails(&'static str),
    /// Every card is enrolled but this one, which the answer leaves out.
    LeavesOut(&'static str),
    /// Every card is enrolled, and the answer names another one too.
    NamesAnother,
    /// There is none.
    Never,
}

/// Fault profile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FaultProfile {
    /// Behavior for the first submissions. Later ones are taken.
    pub(crate) submissions: &'static [SubmissionBehavior],
    /// Behavior for the first questions. Later ones are answered.
    pub(crate) polls: &'static [PollBehavior],
    /// Behavior for the first deletions. Later ones are done.
    pub(crate) deletions: &'static [DeletionBehavior],
    /// Time that a batch takes.
    pub(crate) works: SignedDuration,
    pub(crate) answer: Answer,
}

impl FaultProfile {
    /// No faults. The second question gets the final answer.
    pub(crate) const PLAIN: Self = Self {
        submissions: &[],
        polls: &[],
        deletions: &[],
        works: SignedDuration::from_mins(7),
        answer: Answer::Enrolls,
    };
}

/// Batch at Mastercard.
struct Held {
    content: &'static BatchContent,
    data: String,
    taken_at: Timestamp,
    is_done: bool,
}

#[derive(Default)]
struct State {
    /// Batches by `externalBatchId`.
    batches: BTreeMap<String, Held>,
    /// Enrolled cards by `srcDigitalCardId`.
    cards: Vec<String>,
    submissions: usize,
    polls: usize,
    deletions: usize,
    /// Times of all calls.
    calls: Vec<Timestamp>,
    throttled_until: Option<Timestamp>,
    calls_while_throttled: usize,
    wrong: Vec<String>,
}

/// Model of the Issuer Enrollment API.
pub(crate) struct Mastercard {
    clock: Arc<TestClock>,
    profile: FaultProfile,
    contents: &'static [BatchContent],
    state: Mutex<State>,
}

impl Mastercard {
    pub(crate) fn new(
        clock: Arc<TestClock>,
        profile: FaultProfile,
        contents: &'static [BatchContent],
    ) -> Self {
        Self {
            clock,
            profile,
            contents,
            state: Mutex::default(),
        }
    }

    /// JWE of the batch that it has under an `externalBatchId`.
    pub(crate) fn data_of(&self, external_id: &str) -> Option<String> {
        let state = self.state();
        state.batches.get(external_id).map(|held| held.data.clone())
    }

    /// `srcDigitalCardId` of every enrolled card.
    pub(crate) fn cards(&self) -> Vec<String> {
        let mut state = self.state();
        self.work(&mut state);
        state.cards.clone()
    }

    /// Number of submissions that reached it or failed to.
    pub(crate) fn submissions(&self) -> usize {
        self.state().submissions
    }

    /// Calls between a 429 and the end of its `Retry-After`.
    pub(crate) fn calls_while_throttled(&self) -> usize {
        self.state().calls_while_throttled
    }

    /// Largest number of calls within a second.
    pub(crate) fn most_calls_in_a_second(&self) -> usize {
        let calls = self.state().calls.clone();
        let within = |start: &Timestamp| {
            let second = *start..later(*start, SignedDuration::from_secs(1));
            calls.iter().filter(|call| second.contains(call)).count()
        };
        calls.iter().map(within).max().unwrap_or_default()
    }

    /// Violations that it noticed.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.state().wrong.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, state: &mut State) {
        let now = self.clock.now();
        state.calls.push(now);
        if state.throttled_until.is_some_and(|until| now < until) {
            state.calls_while_throttled += 1;
        }
        self.work(state);
    }

    /// Finishes the batches whose time has come.
    fn work(&self, state: &mut State) {
        let now = self.clock.now();
        for (external_id, held) in &mut state.batches {
            let is_due = now >= later(held.taken_at, self.profile.works);
            if held.is_done || !is_due || self.profile.answer == Answer::Never {
                continue;
            }
            held.is_done = true;
            let enrolled = cards(held.content).filter(|card| self.profile.answer.enrolls(held.content, card));
            state
                .cards
                .extend(enrolled.map(|card| src_digital_card(external_id, card)));
        }
    }

    fn throttle(&self, state: &mut State, wait: SignedDuration) -> IssuerEnrollmentError {
        self.clock.advance(QUICK);
        state.throttled_until = Some(later(self.clock.now(), wait));
        IssuerEnrollmentError::Repeatable {
            reason: ReasonCode::unspecified(),
            retry_after: Some(wait),
            is_throttled: true,
            flow: None,
        }
    }

    fn take(&self, state: &mut State, batch: BatchSubmission<'_>) {
        let external_id = batch.external_id.as_str();
        let data = batch.data.expose();
        if let Some(held) = state.batches.get(external_id) {
            if held.data != data {
                state
                    .wrong
                    .push(format!("{external_id} was submitted with two contents"));
            }
            return;
        }
        let content = self
            .contents
            .iter()
            .find(|content| content.external_id == external_id)
            .expect("a batch of the scenario");
        let held = Held {
            content,
            data: data.to_owned(),
            taken_at: self.clock.now(),
            is_done: false,
        };
        state.batches.insert(external_id.to_owned(), held);
    }

    fn answer(&self, external_id: &str, held: &Held) -> BatchAnswer {
        if !held.is_done {
            return BatchAnswer {
                status: AnswerStatus::InProgress,
                items: Vec::new(),
                flow: None,
            };
        }
        let told = cards(held.content).filter(|card| self.profile.answer != Answer::LeavesOut(card));
        let mut items: Vec<AnswerItem> = told
            .map(|card| AnswerItem {
                card: Some(card.to_owned()),
                outcome: self.outcome(external_id, held.content, card),
            })
            .collect();
        if self.profile.answer == Answer::NamesAnother {
            items.push(AnswerItem {
                card: Some("stranger".to_owned()),
                outcome: ItemOutcome::Unknown,
            });
        }
        // The order is Mastercard's own.
        items.reverse();
        BatchAnswer {
            status: AnswerStatus::Completed,
            items,
            flow: None,
        }
    }

    fn outcome(&self, external_id: &str, content: &BatchContent, card: &str) -> ItemOutcome {
        if self.profile.answer.enrolls(content, card) {
            return ItemOutcome::Succeeded {
                src_digital_card: SrcDigitalCardId::parse(&src_digital_card(external_id, card)).ok(),
                src_consumer: SrcConsumerId::parse("src-consumer").ok(),
            };
        }
        let is_culprit = matches!(self.profile.answer, Answer::Fails(failing) if failing == card);
        ItemOutcome::Failed {
            reason: is_culprit.then(|| ReasonCode::of(REASON)),
            http_status: None,
        }
    }
}

impl Answer {
    /// Whether a card of a batch is enrolled.
    fn enrolls(self, content: &BatchContent, card: &str) -> bool {
        match self {
            Self::Enrolls | Self::NamesAnother => true,
            Self::Never => false,
            Self::LeavesOut(left_out) => card != left_out,
            Self::Fails(failing) => !content
                .profiles
                .iter()
                .any(|(_, cards)| cards.contains(&card) && cards.contains(&failing)),
        }
    }
}

fn cards(content: &'static BatchContent) -> impl Iterator<Item = &'static str> {
    content
        .profiles
        .iter()
        .flat_map(|(_, cards)| cards.iter().copied())
}

fn src_digital_card(external_id: &str, card: &str) -> String {
    format!("src-{external_id}-{card}")
}

fn batch_id(external_id: &str) -> MastercardBatchId {
    MastercardBatchId::parse(&format!("mc-{external_id}")).expect("an id")
}

fn flow_of(external_id: &str) -> String {
    format!("flow-{external_id}")
}

fn no_answer() -> IssuerEnrollmentError {
    IssuerEnrollmentError::unanswered("no answer in time")
}

#[async_trait]
impl IssuerEnrollment for Mastercard {
    async fn submit(&self, batch: BatchSubmission<'_>) -> Result<Acknowledgment, IssuerEnrollmentError> {
        let mut state = self.state();
        let scripted = self.profile.submissions.get(state.submissions);
        state.submissions += 1;
        if scripted != Some(&SubmissionBehavior::Unreachable) {
            self.begin(&mut state);
        }
        match scripted {
            Some(SubmissionBehavior::Throttles(wait)) => return Err(self.throttle(&mut state, *wait)),
            Some(SubmissionBehavior::Unavailable) => {
                self.clock.advance(QUICK);
                return Err(IssuerEnrollmentError::Repeatable {
                    reason: ReasonCode::unspecified(),
                    retry_after: None,
                    is_throttled: false,
                    flow: None,
                });
            }
            Some(SubmissionBehavior::LosesAnswer) => {
                self.take(&mut state, batch);
                self.clock.advance(NO_ANSWER);
                return Err(no_answer());
            }
            Some(SubmissionBehavior::IsLost) => {
                self.clock.advance(NO_ANSWER);
                return Err(no_answer());
            }
            Some(SubmissionBehavior::Unreachable) => {
                return Err(IssuerEnrollmentError::NotSent("no connection".into()));
            }
            Some(SubmissionBehavior::Refuses(reason)) => {
                self.clock.advance(QUICK);
                return Err(IssuerEnrollmentError::Refused {
                    reason: ReasonCode::of(reason),
                    http_status: 400,
                });
            }
            None => {}
        }
        self.take(&mut state, batch);
        self.clock.advance(QUICK);
        let external_id = batch.external_id.as_str();
        Ok(Acknowledgment {
            batch: batch_id(external_id),
            flow: FlowId::parse(&flow_of(external_id)).ok(),
        })
    }

    async fn status(&self, query: BatchQuery<'_>) -> Result<BatchAnswer, IssuerEnrollmentError> {
        let mut state = self.state();
        let scripted = self.profile.polls.get(state.polls);
        state.polls += 1;
        self.begin(&mut state);
        match scripted {
            Some(PollBehavior::Throttles(wait)) => return Err(self.throttle(&mut state, *wait)),
            Some(PollBehavior::Hangs) => {
                self.clock.advance(NO_ANSWER);
                return Err(no_answer());
            }
            None => self.clock.advance(QUICK),
        }
        let asked = query.submission.batch.expose();
        let external_id = asked.strip_prefix("mc-").unwrap_or(asked).to_owned();
        let flow = query.submission.flow.as_ref().map(FlowId::expose);
        if flow != Some(flow_of(&external_id).as_str()) {
            state
                .wrong
                .push(format!("{external_id} was asked about without its flow id"));
        }
        let held = state.batches.get(&external_id);
        held.map(|held| self.answer(&external_id, held))
            .ok_or(IssuerEnrollmentError::NotFound)
    }

    async fn delete_card(&self, card: CardDeletion<'_>) -> Result<(), IssuerEnrollmentError> {
        let mut state = self.state();
        let scripted = self.profile.deletions.get(state.deletions);
        state.deletions += 1;
        self.begin(&mut state);
        if let Some(DeletionBehavior::Throttles(wait)) = scripted {
            return Err(self.throttle(&mut state, *wait));
        }
        let id = card.card.expose();
        let batch = id.split('-').nth(1).unwrap_or_default();
        if card.flow.is_none_or(|flow| flow.expose() != flow_of(batch)) {
            state.wrong.push(format!("{id} was deleted without its flow id"));
        }
        let had = state.cards.len();
        state.cards.retain(|enrolled| enrolled != id);
        let was_enrolled = state.cards.len() < had;
        if scripted == Some(&DeletionBehavior::LosesAnswer) {
            self.clock.advance(NO_ANSWER);
            return Err(no_answer());
        }
        self.clock.advance(QUICK);
        if was_enrolled {
            Ok(())
        } else {
            Err(IssuerEnrollmentError::NotFound)
        }
    }
}
