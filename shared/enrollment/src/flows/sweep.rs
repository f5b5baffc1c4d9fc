//! Sweep: resumes stored work that nobody was woken for, found by its due time and never by scanning
//! (`docs/contract.md#settlement` and `docs/contract.md#delivery`). It has two halves, confirmations and intents,
//! neither of which waits for the other.
//!
//! Tests: `shared/enrollment/tests/flows/sweep.rs` over the model of the stores, `tests/harness/src/settlement` for
//! intents, `shared/platform/tests/storage/settlement.rs` for both halves, `tests/crash` for a sweep after every crash.

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use super::settle::Settlement;
use crate::identifiers::IntentId;
use crate::intent::{Cleanup, INTENT_LEASE, Intent, Stage};
use crate::log::{error, warn};
use crate::ports::{Confirmations, DueIntent, DueIntents, StoreError, Work};
use crate::time::later;

/// No further intent is resumed after this. A run may make two calls to MRS, of 8 s each, and a function has 25 s.
const RESUMES_BEGIN_WITHIN: SignedDuration = SignedDuration::from_secs(4);
/// Intents that are resumed at the same time.
const CONCURRENT_INTENTS: usize = 8;
/// Limit of intents of one sweep.
const MAX_INTENTS: usize = 1000;
/// Limit of confirmations of one sweep.
const MAX_CONFIRMATIONS: usize = 1000;
/// Confirmations that are woken before the time is checked again.
const WAKE_BATCH: usize = 100;
/// No further wake-ups are sent after this. The next sweep sends them.
const WAKES_BEGIN_WITHIN: SignedDuration = SignedDuration::from_secs(8);
/// Time by which an unreadable intent is postponed, so that the next sweep resumes the others first and reports it again.
const UNREADABLE_WAIT: SignedDuration = SignedDuration::from_secs(45);

/// Time after which an intent with inconclusive look-ups is reported to the operator.
pub const UNKNOWN_FOR_LONG: SignedDuration = SignedDuration::from_hours(24);

/// Ports of a sweep.
pub struct Sweep<'a> {
    /// Settlement of the intents.
    pub settlement: Settlement<'a>,
    /// Intents that have work left.
    pub due_intents: &'a dyn DueIntents,
    /// Confirmations.
    pub confirmations: &'a dyn Confirmations,
}

/// Result of [`Sweep::wake_deliveries`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WakeReport {
    /// Confirmations for which a wake-up was sent.
    pub woken: usize,
    /// Time for which the oldest due confirmation has been due.
    pub oldest_due: SignedDuration,
}

/// Result of [`Sweep::resume_intents`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepReport {
    /// Intents that were resumed.
    pub resumed: usize,
    /// Intents that still need a run.
    pub unsettled: usize,
    /// Resumed intents with inconclusive look-ups for a day.
    pub unknown_for_long: usize,
    /// Age of the oldest intent that has no outcome, or has replaced a card that MRS still lists.
    pub oldest_open: SignedDuration,
}

/// State of an intent in a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The outcome is open.
    Open,
    /// The outcome is known, and cleanup at MRS is left.
    Cleanup,
    /// Nothing is left to do.
    Settled,
    /// The store failed, so the state is not known.
    Failed,
}

/// Intent of a sweep.
struct Case {
    id: IntentId,
    created_at: Timestamp,
    is_open: bool,
    state: State,
}

impl Sweep<'_> {
    /// Wakes the delivery of due confirmations. It has a limit and a time of its own, and shares nothing with
    /// [`Self::resume_intents`]: on AWS each has its own schedule.
    ///
    /// # Errors
    /// If the store or the queue fails. A failed wake-up does not prevent the others.
    pub async fn wake_deliveries(&self) -> Result<WakeReport, StoreError> {
        let started = self.settlement.clock.now();
        let due = self.confirmations.due(started, MAX_CONFIRMATIONS).await?;
        let mut report = WakeReport::default();
        if let Some(oldest) = due.iter().map(|due| due.since).min() {
            report.oldest_due = started.duration_since(oldest);
        }
        let due: Vec<_> = due.into_iter().map(|due| (due.id, due.client)).collect();
        let mut failed = None;
        for due in due.chunks(WAKE_BATCH) {
            if self.settlement.clock.now() >= later(started, WAKES_BEGIN_WITHIN) {
                break;
            }
            match self
                .settlement
                .wakeups
                .wake(Work::Confirmations(due), SignedDuration::ZERO)
                .await
            {
                Ok(()) => report.woken += due.len(),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(report), Err)
    }

    /// Resumes one intent.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn resume_intent(&self, id: IntentId) -> Result<(), StoreError> {
        self.settlement.resume(id).await.map(drop)
    }

    /// Resumes the due intents.
    ///
    /// # Errors
    /// If the due intents can't be listed. An intent that fails does not prevent the others.
    pub async fn resume_intents(&self) -> Result<SweepReport, StoreError> {
        let started = self.settlement.clock.now();
        let mut report = SweepReport::default();
        let listed = self.due_intents.due_intents(Timestamp::MAX, MAX_INTENTS).await?;
        let (due, waiting): (Vec<DueIntent>, Vec<DueIntent>) =
            listed.into_iter().partition(|intent| intent.due_at <= started);
        // Deadlines are decided first, without waiting for the calls to MRS.
        let mut cases: Vec<Case> = stream::iter(due)
            .map(|intent| self.decide(intent))
            .buffered(CONCURRENT_INTENTS)
            .collect()
            .await;
        // A customer may be waiting for the open ones.
        cases.sort_by_key(|case| case.state != State::Open);
        let (to_resume, mut others): (Vec<Case>, Vec<Case>) = cases
            .into_iter()
            .partition(|case| matches!(case.state, State::Open | State::Cleanup));
        others.extend(self.resume_cases(to_resume, started, &mut report).await);

        let left = others.iter().filter(|case| case.state != State::Settled);
        report.unsettled = left.clone().count() + waiting.len();
        // Intents that are due later count too: they may be as old.
        let open = left.filter(|case| case.is_open).map(|case| case.created_at);
        let waiting_open = waiting
            .iter()
            .filter(|intent| intent.is_open)
            .map(|intent| intent.created_at);
        if let Some(oldest) = open.chain(waiting_open).min() {
            report.oldest_open = self.settlement.clock.now().duration_since(oldest);
        }
        Ok(report)
    }

    /// Resumes cases as long as there is time, and gives all of them in their new state.
    async fn resume_cases(
        &self,
        mut cases: Vec<Case>,
        started: Timestamp,
        report: &mut SweepReport,
    ) -> Vec<Case> {
        let in_time = |_: &IntentId| {
            let now = self.settlement.clock.now();
            std::future::ready(now < later(started, RESUMES_BEGIN_WITHIN))
        };
        let ids: Vec<IntentId> = cases.iter().map(|case| case.id).collect();
        let resumed: Vec<Option<Resumed>> = stream::iter(ids)
            .take_while(in_time)
            .map(|id| self.resume_case(id))
            .buffered(CONCURRENT_INTENTS)
            .collect()
            .await;
        for (case, resumed) in cases.iter_mut().zip(resumed) {
            if let Some(resumed) = resumed {
                report.resumed += 1;
                report.unknown_for_long += usize::from(resumed.is_unknown_for_long);
                case.state = resumed.state;
            }
        }
        cases
    }

    async fn decide(&self, DueIntent { id, created_at, .. }: DueIntent) -> Case {
        let decided = async {
            let Some(intent) = self.settlement.intents.intent(id).await? else {
                return Ok((State::Settled, false));
            };
            let intent = self.settlement.decision().decide(intent).await?;
            Ok((state_of(&intent), has_certain_work(&intent)))
        };
        let (state, is_open) = match decided.await {
            Ok(decided) => decided,
            Err(error) => (self.fail(id, &error).await, true),
        };
        Case {
            id,
            created_at,
            is_open,
            state,
        }
    }

    /// Reports an intent that failed, and postpones it where it is unreadable.
    async fn fail(&self, id: IntentId, cause: &StoreError) -> State {
        error!(error = cause, intent = id, "intent not resumed");
        let again = later(self.settlement.clock.now(), UNREADABLE_WAIT);
        if matches!(cause, StoreError::Unreadable { .. })
            && let Err(error) = self.due_intents.reschedule(id, again).await
        {
            warn!(error, intent = id, "unreadable intent not postponed");
        }
        State::Failed
    }

    /// Resumes one case. `None` where another run has the lease: a run is woken for its end, in case the holder is dead.
    async fn resume_case(&self, id: IntentId) -> Option<Resumed> {
        match self.settlement.resume(id).await {
            Ok(Some(intent)) => Some(Resumed::new(&intent, self.settlement.clock.now())),
            Ok(None) => {
                self.settlement.schedule(id, INTENT_LEASE).await;
                None
            }
            Err(error) => Some(Resumed {
                state: self.fail(id, &error).await,
                is_unknown_for_long: false,
            }),
        }
    }
}

/// Result of a run for one intent.
struct Resumed {
    state: State,
    is_unknown_for_long: bool,
}

impl Resumed {
    fn new(intent: &Intent, now: Timestamp) -> Self {
        let state = state_of(intent);
        let since = intent.inquiry.unknown_since;
        Self {
            state,
            is_unknown_for_long: state != State::Settled
                && since.is_some_and(|since| now >= later(since, UNKNOWN_FOR_LONG)),
        }
    }
}

/// Whether something is certainly left to do. After a failed enrollment that is not known.
fn has_certain_work(intent: &Intent) -> bool {
    intent.is_open() || intent.cleanup().is_some_and(Cleanup::is_certain)
}

fn state_of(intent: &Intent) -> State {
    match &intent.stage {
        Stage::Open { .. } => State::Open,
        Stage::Ended(conclusion) if conclusion.has_cleanup() => State::Cleanup,
        Stage::Ended(_) => State::Settled,
    }
}
