//! Intents: begun once, ended once.

use enrollment::action::ActionCode;
use enrollment::identifiers::IntentId;
use enrollment::intent::{Card, CardCount, CardState, Conclusion, INTENT_LEASE, Intent, Outcome};
use enrollment::ports::{BeginError, CustomerKey, Put, StoreError};
use enrollment::session::MAX_FAILURES;
use enrollment::status::Status;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use super::counts::Change;
use super::{
    FAILED_KEPT, State, StoredCard, StoredCustomer, StoredIntent, card_ttl, customer_key, is_expired, ttl,
    unavailable,
};

/// A customer without a card is kept this long.
const WITHOUT_CARD_KEPT: SignedDuration = SignedDuration::from_hours(8 * 24);

impl State {
    pub(super) fn intent(&self, id: IntentId, now: Timestamp) -> Option<Intent> {
        let stored = self.intents.get(&id)?;
        (!is_expired(stored.ttl, now)).then(|| stored.intent.clone())
    }

    pub(super) fn begin(
        &mut self,
        intent: &Intent,
        count: CardCount,
        failures: u32,
    ) -> Result<Put, BeginError> {
        if self.intents.contains_key(&intent.id) {
            return Ok(Put::AlreadyExists);
        }
        if !self.may_begin(intent, failures) {
            return Err(BeginError::SessionBusy);
        }
        let owner = customer_key(&intent.client, &intent.program, &intent.customer);
        if let Some(old) = &intent.old_card {
            let card = self.stored_card(&owner, old.id);
            if card.is_none_or(|stored| stored.card.state != CardState::Active) {
                return Err(BeginError::CardTaken);
            }
        }
        if self.count(&owner).version != count.version {
            return Err(BeginError::CustomerChanged);
        }
        self.count_open(&owner, intent, count);
        if let Some(old) = &intent.old_card
            && let Some(stored) = self.stored_card(&owner, old.id)
        {
            stored.card.state = CardState::Locked;
            stored.locked_by = Some(intent.id);
        }
        if let Some(stored) = self.sessions.get_mut(&intent.session) {
            stored.session.open_attempt = Some(intent.id);
            stored.session.last_attempt = Some(intent.id);
        }
        let mut stored = StoredIntent {
            intent: intent.clone(),
            old_card: intent.old_card.as_ref().map(|card| card.id),
            owner,
            due_at: Some(intent.created_at),
            lease_until: Some(later(intent.created_at, INTENT_LEASE)),
            ttl: None,
        };
        // Its first call to MRS has no answer yet.
        stored.intent.inquiry.unanswered_at = Some(intent.created_at);
        self.intents.insert(intent.id, stored);
        Ok(Put::Created)
    }

    fn may_begin(&self, intent: &Intent, failures: u32) -> bool {
        self.sessions.get(&intent.session).is_some_and(|stored| {
            let session = &stored.session;
            session.open_attempt.is_none()
                && session.expires_at > intent.created_at
                && !session.finished
                && session.failures < MAX_FAILURES
                && session.failures == failures
        })
    }

    fn count_open(&mut self, owner: &CustomerKey, intent: &Intent, count: CardCount) {
        let kept_until = ttl(later(intent.created_at, WITHOUT_CARD_KEPT));
        let customer = self.customers.entry(owner.clone()).or_default();
        *customer.open_intents(intent.action) += 1;
        customer.ttl = match (customer.version, count.kept_until) {
            (0, _) => Some(kept_until),
            (_, Some(until)) => Some(until.max(kept_until)),
            (_, None) => customer.ttl,
        };
        customer.version += 1;
    }

    pub(super) fn finish(&mut self, intent: &Intent) -> Result<Put, StoreError> {
        const OPERATION: &str = "storing an outcome";
        let conclusion = intent.conclusion();
        let conclusion = conclusion.ok_or(unavailable(OPERATION, "the intent has no outcome"))?;
        let outcome = &conclusion.outcome;
        let stored = self.intents.get_mut(&intent.id);
        let stored = stored.ok_or(unavailable(OPERATION, "there is no such intent"))?;
        if stored.intent.outcome().is_some() {
            return Ok(Put::AlreadyExists);
        }
        stored.end(conclusion);
        let owner = stored.owner.clone();
        if outcome.status.is_success() && intent.action != ActionCode::OptOut {
            self.store_card(&owner, intent, outcome);
        }
        if let Some(confirmation) = intent.confirmation() {
            self.store_confirmation(&confirmation, &owner, intent.card(), outcome.at);
        }
        let consents = if outcome.status.is_success() {
            intent.consents.as_slice()
        } else {
            &[]
        };
        let customer = self.customers.entry(owner.clone()).or_default();
        customer.apply(Change::of(intent, outcome), consents);
        self.unlock_old_card(&owner, intent, outcome);
        self.end_attempt(intent, outcome);
        Ok(Put::Created)
    }

    fn store_card(&mut self, owner: &CustomerKey, intent: &Intent, outcome: &Outcome) {
        let Some(ranac) = outcome.ranac.clone() else {
            return;
        };
        let card = Card {
            id: intent.id,
            ranac,
            bank_customer_number: intent.bank_customer_number.clone(),
            bin: intent.bin,
            last4: outcome.last4.unwrap_or(intent.last4),
            design_code: intent.design_code.clone(),
            state: CardState::Active,
            enrolled_at: outcome.at,
        };
        let stored = StoredCard {
            card,
            client: intent.client.clone(),
            program: intent.program.clone(),
            locked_by: None,
            ttl: None,
        };
        let customer: &mut StoredCustomer = self.customers.entry(owner.clone()).or_default();
        customer.cards.insert(intent.id, stored);
    }

    fn unlock_old_card(&mut self, owner: &CustomerKey, intent: &Intent, outcome: &Outcome) {
        let Some(old) = &intent.old_card else {
            return;
        };
        let Some(stored) = self.stored_card(owner, old.id) else {
            return;
        };
        if stored.locked_by != Some(intent.id) {
            return;
        }
        if outcome.status == Status::SuccessRemoval {
            let ttl = card_ttl(outcome.at, old.retention_days);
            self.cancel(owner, old.id, outcome.at, ttl);
        } else if outcome.status.is_success() {
            stored.card.state = CardState::PendingCancellation;
        } else {
            stored.card.state = CardState::Active;
            stored.locked_by = None;
        }
    }

    fn end_attempt(&mut self, intent: &Intent, outcome: &Outcome) {
        let Some(stored) = self.sessions.get_mut(&intent.session) else {
            return;
        };
        let session = &mut stored.session;
        if session.open_attempt != Some(intent.id) {
            return;
        }
        session.open_attempt = None;
        if outcome.status.is_success() {
            session.finished = true;
        } else {
            session.failures += 1;
        }
    }

    /// MRS has cancelled what it was to cancel for an intent that has its outcome.
    pub(super) fn end_cleanup(&mut self, intent: &Intent, at: Timestamp) {
        let Some(stored) = self.intents.get_mut(&intent.id) else {
            return;
        };
        if stored.intent.cleanup().is_none() {
            return;
        }
        let is_success = stored.intent.is_success();
        stored.intent.finish_cleanup();
        stored.settle();
        let owner = stored.owner.clone();
        match &intent.old_card {
            Some(old) if is_success => {
                stored.intent.old_card = None;
                let kept_until = card_ttl(at, old.retention_days);
                let customer = self.customers.entry(owner.clone()).or_default();
                customer.apply(Change::OldCardCancelled { kept_until }, &[]);
                let is_locked = self
                    .stored_card(&owner, old.id)
                    .is_some_and(|stored| stored.locked_by == Some(intent.id));
                if is_locked {
                    self.cancel(&owner, old.id, at, kept_until);
                }
            }
            _ => {
                stored.intent.inquiry.present_before = None;
                stored.ttl = Some(ttl(later(at, FAILED_KEPT)));
            }
        }
    }
}

impl StoredIntent {
    fn end(&mut self, conclusion: &Conclusion) {
        let outcome = &conclusion.outcome;
        let is_success = outcome.status.is_success();
        self.intent.conclude(conclusion.clone());
        self.ttl = match (&self.intent.old_card, outcome.status) {
            (Some(card), Status::SuccessRemoval) => Some(card_ttl(outcome.at, card.retention_days)),
            _ if is_success || conclusion.has_cleanup() => None,
            _ => Some(ttl(later(outcome.at, FAILED_KEPT))),
        };
        self.intent.inquiry.unknown_since = None;
        if self.intent.action == ActionCode::Replace && !is_success {
            self.intent.old_card = None;
        }
        if !conclusion.has_cleanup() {
            self.settle();
            self.intent.inquiry.present_before = None;
        } else if is_success {
            // The old card is the next lease holder's, at once. A failure leaves its lease: the holder may be at work.
            self.due_at = Some(outcome.at);
            self.lease_until = None;
            self.intent.inquiry.unanswered_at = None;
        }
    }

    /// Nothing is left to do.
    fn settle(&mut self) {
        self.due_at = None;
        self.lease_until = None;
        self.intent.inquiry.unanswered_at = None;
        self.intent.inquiry.unknown_since = None;
    }
}
