//! Customers and their cards.

use enrollment::identifiers::IntentId;
use enrollment::intent::{Card, CardCount, CardState, Customer};
use enrollment::ports::CustomerKey;
use jiff::Timestamp;

use super::{State, StoredCard, is_expired};

impl State {
    pub(super) fn count(&self, key: &CustomerKey) -> CardCount {
        self.customers
            .get(key)
            .map(super::StoredCustomer::count)
            .unwrap_or_default()
    }

    /// A card, whatever its state.
    pub(super) fn card(&self, key: &CustomerKey, id: IntentId, now: Timestamp) -> Option<Card> {
        let stored = self.customers.get(key)?.cards.get(&id)?;
        (!is_expired(stored.ttl, now)).then(|| stored.card.clone())
    }

    pub(super) fn customer(&self, key: &CustomerKey, now: Timestamp) -> Customer {
        let Some(stored) = self.customers.get(key) else {
            return Customer::default();
        };
        let is_kept = |card: &&StoredCard| !is_expired(card.ttl, now);
        let mut cards: Vec<Card> = stored
            .cards
            .values()
            .filter(is_kept)
            .map(|stored| stored.card.clone())
            .collect();
        cards.sort_by_key(|card| (card.enrolled_at, card.id.to_hex()));
        Customer {
            count: stored.count(),
            cards,
            consents: stored.consents.clone(),
        }
    }

    pub(super) fn stored_card(&mut self, key: &CustomerKey, id: IntentId) -> Option<&mut StoredCard> {
        self.customers.get_mut(key)?.cards.get_mut(&id)
    }

    /// Marks a card cancelled. The intent that enrolled it expires with it.
    pub(super) fn cancel(&mut self, key: &CustomerKey, id: IntentId, at: Timestamp, ttl: Timestamp) {
        if let Some(stored) = self.stored_card(key, id) {
            stored.card.state = CardState::Cancelled { at };
            stored.ttl = Some(ttl);
        }
        self.expire_enrollment(id, ttl);
    }

    /// The intent that enrolled a card expires at `ttl`, unless it has still to have another card cancelled.
    pub(super) fn expire_enrollment(&mut self, id: IntentId, ttl: Timestamp) {
        if let Some(intent) = self.intents.get_mut(&id)
            && intent.due_at.is_none()
        {
            intent.ttl = Some(ttl);
        }
    }
}
