//! Due intents, and the lease of whoever asks MRS about one.

use enrollment::identifiers::{IntentId, Ranac};
use enrollment::intent::Intent;
use enrollment::ports::{DueIntent, RecordedIntent, Reschedule, StoreError};
use enrollment::status::Status;
use jiff::Timestamp;

use super::{State, unavailable};

impl State {
    pub(super) fn due_intents(&self, until: Timestamp, limit: usize) -> Vec<DueIntent> {
        let mut due: Vec<DueIntent> = self
            .intents
            .values()
            .filter_map(|stored| {
                let due_at = stored.due_at.filter(|at| *at <= until)?;
                let outcome = stored.intent.outcome();
                Some(DueIntent {
                    id: stored.intent.id,
                    created_at: stored.intent.created_at,
                    due_at,
                    is_open: outcome.is_none_or(|outcome| outcome.status.is_success()),
                })
            })
            .collect();
        due.sort_by_key(|due| (due.due_at, due.id.to_hex()));
        due.truncate(limit);
        due
    }

    pub(super) fn reschedule(&mut self, id: IntentId, at: Timestamp) {
        if let Some(due_at) = self
            .intents
            .get_mut(&id)
            .and_then(|stored| stored.due_at.as_mut())
        {
            *due_at = at;
        }
    }

    /// Gives the intent as it was before.
    pub(super) fn acquire(&mut self, id: IntentId, now: Timestamp, until: Timestamp) -> Option<Intent> {
        let stored = self.intents.get_mut(&id)?;
        let is_due = stored.due_at.is_some_and(|at| at <= now);
        let is_free = stored.lease_until.is_none_or(|until| until <= now);
        if !is_due || !is_free {
            return None;
        }
        let before = stored.intent.clone();
        stored.lease_until = Some(until);
        stored.intent.inquiry.unanswered_at = Some(now);
        Some(before)
    }

    pub(super) fn release(&mut self, id: IntentId, until: Timestamp, reschedule: Reschedule) -> bool {
        let Some(stored) = self.intents.get_mut(&id) else {
            return false;
        };
        if stored.due_at.is_none() || stored.lease_until != Some(until) {
            return false;
        }
        stored.due_at = Some(reschedule.next);
        stored.lease_until = None;
        stored.intent.inquiry.unanswered_at = reschedule.unanswered_at;
        stored.intent.inquiry.unknown_since = reschedule.unknown_since;
        true
    }

    pub(super) fn record_present(&mut self, id: IntentId, ranacs: &[Ranac]) -> Result<(), StoreError> {
        let stored = self.intents.get_mut(&id);
        let stored = stored.filter(|stored| stored.due_at.is_some() && stored.intent.outcome().is_none());
        let stored = stored.ok_or(unavailable(
            "noting what MRS listed before an enrollment",
            "the intent is not open",
        ))?;
        stored.intent.inquiry.present_before = Some(ranacs.to_vec());
        Ok(())
    }
}

impl super::StoredIntent {
    /// As a customer's record has it.
    pub(super) fn recorded(&self) -> RecordedIntent {
        let status = self.intent.outcome().map(|outcome| outcome.status);
        RecordedIntent {
            id: self.intent.id,
            old_card: self.old_card,
            status,
            is_settled: status.is_some() && self.due_at.is_none(),
        }
    }

    /// Whether it opted a card out.
    pub(super) fn is_removal(&self) -> bool {
        self.recorded().status == Some(Status::SuccessRemoval)
    }
}
