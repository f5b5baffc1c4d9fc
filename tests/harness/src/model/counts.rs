//! A customer's counts after an outcome.

use enrollment::action::ActionCode;
use enrollment::intent::{CardCount, Consent, Intent, Outcome};
use jiff::Timestamp;

use super::{StoredCustomer, card_ttl};

/// Change of a customer's counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    /// A card was enrolled.
    Enrolled,
    /// A card took the place of another one, which MRS has still to cancel.
    Replaced,
    /// An opted-out card was cancelled.
    OptedOut { kept_until: Timestamp },
    /// A replaced card was cancelled.
    OldCardCancelled { kept_until: Timestamp },
    /// An operator marked a card cancelled.
    MarkedCancelled { kept_until: Timestamp },
    /// The intent failed.
    Failed(ActionCode),
}

impl Change {
    pub(super) fn of(intent: &Intent, outcome: &Outcome) -> Self {
        match (intent.action, &intent.old_card) {
            (action, _) if !outcome.status.is_success() => Self::Failed(action),
            (ActionCode::OptOut, Some(card)) => Self::OptedOut {
                kept_until: card_ttl(outcome.at, card.retention_days),
            },
            (ActionCode::Replace, _) => Self::Replaced,
            _ => Self::Enrolled,
        }
    }
}

impl StoredCustomer {
    pub(super) fn count(&self) -> CardCount {
        CardCount {
            active: self.active,
            pending: self.pending,
            changing: self.changing,
            version: self.version,
            kept_until: self.ttl,
        }
    }

    /// Count of intents without an outcome.
    pub(super) fn open_intents(&mut self, action: ActionCode) -> &mut u32 {
        match action {
            ActionCode::Enroll => &mut self.pending,
            ActionCode::Replace | ActionCode::OptOut => &mut self.changing,
        }
    }

    /// Applies a change. Counts that are not as they were left stay above zero.
    pub(super) fn apply(&mut self, change: Change, consents: &[Consent]) {
        let is_known = self.version > 0;
        self.version += 1;
        self.consents.extend_from_slice(consents);
        match change {
            Change::Enrolled => {
                self.active += 1;
                self.pending = self.pending.saturating_sub(1);
                self.ttl = None;
            }
            Change::Replaced => {
                self.active += u32::from(!is_known);
                self.ttl = None;
            }
            Change::OptedOut { kept_until } => {
                if self.active > 0 && self.changing > 0 {
                    (self.active, self.changing) = (self.active - 1, self.changing - 1);
                    self.keep_until(kept_until);
                }
            }
            Change::OldCardCancelled { kept_until } => {
                if self.changing > 0 {
                    self.changing -= 1;
                    self.keep_until(kept_until);
                }
            }
            Change::MarkedCancelled { kept_until } => {
                if self.active > 0 {
                    self.active -= 1;
                    self.keep_until(kept_until);
                }
            }
            Change::Failed(action) => {
                let open = self.open_intents(action);
                *open = open.saturating_sub(1);
            }
        }
    }

    /// A customer without an active card and without a change under way expires.
    fn keep_until(&mut self, until: Timestamp) {
        if self.active == 0 && self.changing == 0 {
            self.ttl = Some(until);
        }
    }
}
