//! The sweep: what was stored and not gone on with, found by its due time, never by scanning (behaviour §4, §5).

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use tracing::{error, warn};

use super::settle::Settling;
use crate::identifiers::IntentId;
use crate::ports::{Confirmations, StoreError, Unsettled};
use crate::time::later;

/// A look at an intent may take two calls to MRS, of 8 s each; a function has 25 s.
const LOOKS_BEGIN_WITHIN: SignedDuration = SignedDuration::from_secs(8);
/// How many intents are looked after at once.
const LOOKS_AT_ONCE: usize = 8;
/// How many of each kind one sweep takes up.
const MOST: usize = 1000;
/// An intent that can't be read is not looked at again before this.
const UNREADABLE_WAIT: SignedDuration = SignedDuration::from_mins(5);

/// What a sweep needs.
pub struct Sweeping<'a> {
    /// For intents.
    pub settling: Settling<'a>,
    /// What is due.
    pub confirmations: &'a dyn Confirmations,
}

/// What a sweep found and left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Confirmations that a wake-up was sent for.
    pub woken: usize,
    /// How long the oldest of them has been due.
    pub oldest_due: SignedDuration,
    /// Intents that were looked after.
    pub looked_after: usize,
    /// Those that still need it.
    pub unsettled: usize,
    /// How old the oldest intent without an outcome is.
    pub oldest_open: SignedDuration,
}

/// What one look at an intent left.
enum Looked {
    Settled,
    Open(Timestamp),
    Leftover,
}

impl Sweeping<'_> {
    /// Wakes what is due, and looks after what is open.
    ///
    /// # Errors
    /// Where the store can't be asked at all. One intent that fails keeps no other from its turn.
    pub async fn sweep(&self) -> Result<Swept, StoreError> {
        let started = self.settling.clock.now();
        let mut swept = Swept::default();
        // The quick part first: no partner waits for MRS.
        self.wake(started, &mut swept).await?;
        self.look_after(started, &mut swept).await?;
        Ok(swept)
    }

    /// Looks after one intent. Where it stays open it is looked after again soon.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn settle(&self, id: IntentId) -> Result<(), StoreError> {
        if let Looked::Open(again) = self.look(id).await? {
            let wait = again.duration_since(self.settling.clock.now());
            self.settling.wake(id, wait.max(SignedDuration::ZERO)).await;
        }
        Ok(())
    }

    async fn wake(&self, now: Timestamp, swept: &mut Swept) -> Result<(), StoreError> {
        let due = self.confirmations.due(now, MOST).await?;
        if let Some(oldest) = due.iter().map(|due| due.since).min() {
            swept.oldest_due = now.duration_since(oldest);
        }
        swept.woken = due.len();
        let due: Vec<_> = due.into_iter().map(|due| (due.id, due.client)).collect();
        if due.is_empty() {
            return Ok(());
        }
        self.settling.wakeups.confirm(&due, SignedDuration::ZERO).await
    }

    async fn look_after(&self, started: Timestamp, swept: &mut Swept) -> Result<(), StoreError> {
        let unsettled = self.settling.enrolments.unsettled(started, MOST).await?;
        let in_time = |_: &Unsettled| {
            let now = self.settling.clock.now();
            std::future::ready(now < later(started, LOOKS_BEGIN_WITHIN))
        };
        let mut looks = stream::iter(unsettled.iter().copied())
            .take_while(in_time)
            .map(async |case| (case, self.look_safely(case).await))
            .buffer_unordered(LOOKS_AT_ONCE);
        let mut oldest: Option<Timestamp> = None;
        while let Some((case, looked)) = looks.next().await {
            swept.looked_after += 1;
            match looked {
                Looked::Settled => {}
                Looked::Leftover => swept.unsettled += 1,
                Looked::Open(_) => {
                    swept.unsettled += 1;
                    oldest = Some(oldest.map_or(case.created_at, |oldest| oldest.min(case.created_at)));
                }
            }
        }
        // Those whose turn did not come: listed by their next look, the oldest may be anywhere among them.
        for case in unsettled.iter().skip(swept.looked_after) {
            swept.unsettled += 1;
            oldest = Some(oldest.map_or(case.created_at, |oldest| oldest.min(case.created_at)));
        }
        if let Some(oldest) = oldest {
            swept.oldest_open = self.settling.clock.now().duration_since(oldest);
        }
        Ok(())
    }

    /// One case that fails is put off, so that it does not come first for ever.
    async fn look_safely(&self, case: Unsettled) -> Looked {
        let failed = match self.look(case.id).await {
            Ok(looked) => return looked,
            Err(failed) => failed,
        };
        error!(error = %failed, intent = case.id.to_hex(), "an intent can't be looked after");
        let again = later(self.settling.clock.now(), UNREADABLE_WAIT);
        if matches!(failed, StoreError::Unreadable { .. })
            && let Err(error) = self.settling.enrolments.look_again(case.id, again).await
        {
            warn!(%error, "it can't be put off either");
        }
        Looked::Open(again)
    }

    async fn look(&self, id: IntentId) -> Result<Looked, StoreError> {
        let Some(intent) = self.settling.enrolments.intent(id).await? else {
            return Ok(Looked::Settled);
        };
        let again = self.settling.look_after(intent).await?;
        let (intent, again) = match again {
            (_, None) => return Ok(Looked::Settled),
            (intent, Some(again)) => (intent, again),
        };
        self.settling.enrolments.look_again(id, again).await?;
        Ok(if intent.outcome.is_none() {
            Looked::Open(again)
        } else {
            Looked::Leftover
        })
    }
}
