//! The sweep: what was stored and not gone on with, found by its due time, never by scanning
//! (`docs/contract.md#settlement` and `docs/contract.md#delivery`). It has two halves, confirmations and intents,
//! neither of which waits for the other.

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use super::settle::Settlement;
use crate::identifiers::IntentId;
use crate::intent::{ASKER_LEASE, Intent};
use crate::log::{error, warn};
use crate::ports::{Confirmations, DueIntents, StoreError, Unsettled};
use crate::time::later;

/// A look at an intent may take two calls to MRS, of 8 s each; a function has 25 s.
const LOOKS_BEGIN_WITHIN: SignedDuration = SignedDuration::from_secs(4);
/// How many intents are looked after at once.
const LOOKS_AT_ONCE: usize = 8;
/// How many intents one sweep takes up.
const MOST_INTENTS: usize = 1000;
/// How many confirmations one sweep wakes.
const MOST_CONFIRMATIONS: usize = 1000;
/// How many confirmations are woken between two looks at the clock.
const WOKEN_AT_ONCE: usize = 100;
/// No further wake-ups are sent after this: the next sweep sends them.
const WAKES_BEGIN_WITHIN: SignedDuration = SignedDuration::from_secs(8);
/// An intent that can't be read comes after the others in the next sweep, which tells of it again.
const UNREADABLE_WAIT: SignedDuration = SignedDuration::from_secs(45);

/// After this time an intent whose look-ups prove nothing is the operator's.
pub const UNKNOWN_FOR_LONG: SignedDuration = SignedDuration::from_hours(24);

/// What a sweep needs.
pub struct Sweep<'a> {
    /// For intents.
    pub settlement: Settlement<'a>,
    /// Intents that have work left.
    pub due_intents: &'a dyn DueIntents,
    /// What is due.
    pub confirmations: &'a dyn Confirmations,
}

/// Result of [`Sweep::wake`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WakeReport {
    /// Confirmations that a wake-up was sent for.
    pub woken: usize,
    /// How long the oldest due one has been due.
    pub oldest_due: SignedDuration,
}

/// Result of [`Sweep::look_after`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepReport {
    /// Intents that MRS was asked about.
    pub looked_after: usize,
    /// Those that still need it.
    pub unsettled: usize,
    /// Those of which MRS's answers have proved nothing for a day, as far as they were looked after.
    pub unknown_for_long: usize,
    /// How old the oldest intent is that has no outcome, or has replaced a card which MRS still holds.
    pub oldest_open: SignedDuration,
}

/// How an intent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It has no outcome.
    Open,
    /// It failed, and MRS may hold something for it.
    Leftover,
    /// There is nothing left to do.
    Settled,
    /// Nobody knows: the store failed.
    Failed,
}

/// One intent of a sweep.
struct Case {
    id: IntentId,
    created_at: Timestamp,
    is_open: bool,
    state: State,
}

impl Sweep<'_> {
    /// Wakes the senders of due confirmations. It has a limit and a time of its own, and shares nothing with
    /// [`Self::look_after`]: on AWS each has a schedule of its own.
    ///
    /// # Errors
    /// Where the store or the queue can't be asked. Wake-ups that fail keep no others from being sent.
    pub async fn wake(&self) -> Result<WakeReport, StoreError> {
        let started = self.settlement.clock.now();
        let due = self.confirmations.due(started, MOST_CONFIRMATIONS).await?;
        let mut result = WakeReport::default();
        if let Some(oldest) = due.iter().map(|due| due.since).min() {
            result.oldest_due = started.duration_since(oldest);
        }
        let due: Vec<_> = due.into_iter().map(|due| (due.id, due.client)).collect();
        let mut failed = None;
        for due in due.chunks(WOKEN_AT_ONCE) {
            if self.settlement.clock.now() >= later(started, WAKES_BEGIN_WITHIN) {
                break;
            }
            match self.settlement.wakeups.confirm(due, SignedDuration::ZERO).await {
                Ok(()) => result.woken += due.len(),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(result), Err)
    }

    /// Looks after one intent.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn settle(&self, id: IntentId) -> Result<(), StoreError> {
        self.settlement.look(id).await.map(drop)
    }

    /// Looks after the intents whose turn has come.
    ///
    /// # Errors
    /// Where the store can't be asked at all. One intent that fails keeps no other from its turn.
    pub async fn look_after(&self) -> Result<SweepReport, StoreError> {
        let started = self.settlement.clock.now();
        let mut swept = SweepReport::default();
        let listed = self.due_intents.unsettled(Timestamp::MAX, MOST_INTENTS).await?;
        let (due, waiting): (Vec<Unsettled>, Vec<Unsettled>) = listed
            .into_iter()
            .partition(|unsettled| unsettled.due_at <= started);
        // What its deadline decides does not wait for those that MRS has to be asked about.
        let mut cases: Vec<Case> = stream::iter(due)
            .map(|unsettled| self.decide(unsettled))
            .buffered(LOOKS_AT_ONCE)
            .collect()
            .await;
        // A customer may be waiting for the open ones.
        cases.sort_by_key(|case| case.state != State::Open);
        let (to_look_at, mut others): (Vec<Case>, Vec<Case>) = cases
            .into_iter()
            .partition(|case| matches!(case.state, State::Open | State::Leftover));
        others.extend(self.look_at(to_look_at, started, &mut swept).await);

        let left = others.iter().filter(|case| case.state != State::Settled);
        swept.unsettled = left.clone().count() + waiting.len();
        // Those whose turn comes later are as old as those whose turn it is.
        let open = left.filter(|case| case.is_open).map(|case| case.created_at);
        let waiting_open = waiting
            .iter()
            .filter(|unsettled| unsettled.is_open)
            .map(|unsettled| unsettled.created_at);
        if let Some(oldest) = open.chain(waiting_open).min() {
            swept.oldest_open = self.settlement.clock.now().duration_since(oldest);
        }
        Ok(swept)
    }

    /// Asks MRS, as long as there is time. Gives the cases as they stand then, those whose turn did not come as they were.
    async fn look_at(&self, mut cases: Vec<Case>, started: Timestamp, swept: &mut SweepReport) -> Vec<Case> {
        let in_time = |_: &IntentId| {
            let now = self.settlement.clock.now();
            std::future::ready(now < later(started, LOOKS_BEGIN_WITHIN))
        };
        let ids: Vec<IntentId> = cases.iter().map(|case| case.id).collect();
        let looked: Vec<Option<Looked>> = stream::iter(ids)
            .take_while(in_time)
            .map(|id| self.look(id))
            .buffered(LOOKS_AT_ONCE)
            .collect()
            .await;
        for (case, looked) in cases.iter_mut().zip(looked) {
            if let Some(looked) = looked {
                swept.looked_after += 1;
                swept.unknown_for_long += usize::from(looked.is_unknown_for_long);
                case.state = looked.state;
            }
        }
        cases
    }

    async fn decide(&self, unsettled: Unsettled) -> Case {
        let Unsettled { id, created_at, .. } = unsettled;
        let decided = async {
            let Some(intent) = self.settlement.intents.intent(id).await? else {
                return Ok((State::Settled, false));
            };
            let intent = self.settlement.decision().decide(intent).await?;
            Ok((state_of(&intent), is_open(&intent)))
        };
        let (state, is_open) = match decided.await {
            Ok(decided) => decided,
            Err(error) => (self.put_off(id, &error).await, true),
        };
        Case {
            id,
            created_at,
            is_open,
            state,
        }
    }

    /// One case that fails keeps no other from its turn.
    async fn put_off(&self, id: IntentId, failed: &StoreError) -> State {
        error!(error = failed, intent = id, "an intent can't be looked after");
        let again = later(self.settlement.clock.now(), UNREADABLE_WAIT);
        if matches!(failed, StoreError::Unreadable { .. })
            && let Err(error) = self.due_intents.look_again(id, again).await
        {
            warn!(error, "it can't be put off either");
        }
        State::Failed
    }

    /// Goes on with an intent. `None` where somebody else asks about it: should that one be dead, it is looked at as soon as
    /// its lease has ended.
    async fn look(&self, id: IntentId) -> Option<Looked> {
        match self.settlement.look(id).await {
            Ok(Some(intent)) => Some(self.looked(&intent)),
            Ok(None) => {
                self.settlement.wake(id, ASKER_LEASE).await;
                None
            }
            Err(error) => Some(Looked {
                state: self.put_off(id, &error).await,
                is_unknown_for_long: false,
            }),
        }
    }

    fn looked(&self, intent: &Intent) -> Looked {
        let now = self.settlement.clock.now();
        let state = state_of(intent);
        let since = intent.inquiry.unknown_since;
        Looked {
            state,
            is_unknown_for_long: state != State::Settled
                && since.is_some_and(|since| now >= later(since, UNKNOWN_FOR_LONG)),
        }
    }
}

/// What a look left.
struct Looked {
    state: State,
    is_unknown_for_long: bool,
}

/// Whether it is known that something is to be done; of a failed enrollment that is not known.
fn is_open(intent: &Intent) -> bool {
    match &intent.outcome {
        None => true,
        Some(outcome) => outcome.leftover && outcome.status.is_success(),
    }
}

fn state_of(intent: &Intent) -> State {
    match &intent.outcome {
        None => State::Open,
        Some(outcome) if outcome.leftover => State::Leftover,
        Some(_) => State::Settled,
    }
}
