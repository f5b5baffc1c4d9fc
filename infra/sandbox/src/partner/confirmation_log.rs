//! Log of the confirmations that the partner received.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

const MAX_KEPT: usize = 50_000;

/// The confirmations that came, oldest first.
#[derive(Default)]
pub(crate) struct ConfirmationLog(Mutex<Log>);

/// The `webhook-id`s that came before, whatever was answered.
#[derive(Default)]
pub(crate) struct AttemptLog(Mutex<HashSet<String>>);

impl AttemptLog {
    /// Notes an attempt; whether it is the first of its id.
    pub(super) fn is_first(&self, id: String) -> bool {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.len() == MAX_KEPT {
            ids.clear();
        }
        ids.insert(id)
    }
}

#[derive(Default)]
struct Log {
    entries: VecDeque<Confirmation>,
    /// The number of the first entry in `entries`: places shift when old ones go.
    first: usize,
    /// Verified ones by `webhook-id`.
    by_id: HashMap<String, usize>,
}

/// One confirmation, however often it came.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Confirmation {
    pub(crate) id: Option<String>,
    pub(crate) received_at: String,
    pub(crate) last_received_at: String,
    pub(crate) verified: bool,
    /// Reason of its refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Number of attempts with this id and a good signature.
    pub(crate) attempts: u32,
    pub(crate) body: Value,
}

impl ConfirmationLog {
    /// The last `count`, oldest first.
    pub(crate) fn last(&self, count: usize) -> Vec<Confirmation> {
        let kept = self.locked();
        kept.entries
            .iter()
            .skip(kept.entries.len().saturating_sub(count))
            .cloned()
            .collect()
    }

    pub(crate) fn clear(&self) {
        *self.locked() = Log::default();
    }

    pub(super) fn keep(&self, confirmation: Confirmation) {
        let mut kept = self.locked();
        let kept = &mut *kept;
        let id = confirmation.id.clone().filter(|_| confirmation.verified);
        if let Some(place) = id.as_ref().and_then(|id| kept.by_id.get(id)) {
            if let Some(earlier) = kept.entries.get_mut(place - kept.first) {
                earlier.attempts += 1;
                earlier.last_received_at = confirmation.received_at;
                earlier.body = confirmation.body;
            }
            return;
        }
        if let Some(id) = id {
            kept.by_id.insert(id, kept.first + kept.entries.len());
        }
        kept.entries.push_back(confirmation);
        if kept.entries.len() > MAX_KEPT {
            if let Some(gone) = kept
                .entries
                .pop_front()
                .filter(|gone| gone.verified)
                .and_then(|gone| gone.id)
            {
                kept.by_id.remove(&gone);
            }
            kept.first += 1;
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn confirmation(id: &str, verified: bool, body: Value) -> Confirmation {
        let at = "2026-11-01T00:00:00Z".to_owned();
        Confirmation {
            id: Some(id.to_owned()),
            received_at: at.clone(),
            last_received_at: at,
            verified,
            reason: None,
            attempts: 1,
            body,
        }
    }

    #[test]
    fn repeated_id_is_one_confirmation_with_two_attempts() {
        let received = ConfirmationLog::default();
        received.keep(confirmation("a", true, json!(1)));
        received.keep(confirmation("b", true, json!(2)));
        received.keep(confirmation("a", true, json!(1)));
        received.keep(confirmation("a", false, json!("forged")));
        let attempts: Vec<u32> = received.last(10).iter().map(|c| c.attempts).collect();
        assert_eq!(attempts, [2, 1, 1]);
        assert_eq!(received.last(1)[0].body, json!("forged"));
    }

    #[test]
    fn first_attempt_of_an_id_is_recognized() {
        let attempted = AttemptLog::default();
        let first = |id: &str| attempted.is_first(id.to_owned());
        assert_eq!([first("a"), first("b"), first("a")], [true, true, false]);
    }

    #[test]
    fn number_of_entries_is_bounded() {
        let received = ConfirmationLog::default();
        for n in 0..MAX_KEPT + 5 {
            received.keep(confirmation(&n.to_string(), true, json!(n)));
        }
        let all = received.last(usize::MAX);
        assert_eq!(all.len(), MAX_KEPT);
        assert_eq!(all[0].body, json!(5));
        received.keep(confirmation("7", true, json!(7)));
        assert_eq!(received.last(usize::MAX)[2].attempts, 2);
    }
}
