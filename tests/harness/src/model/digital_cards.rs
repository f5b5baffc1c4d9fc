//! Life-cycle records of enrolled cards, and used tokens.

use async_trait::async_trait;
use enrollment::batch::{ExternalCardId, ExternalConsumerId};
use enrollment::digital_card::{DigitalCard, DigitalCardKey, DigitalCardState};
use enrollment::identifiers::ClientId;
use enrollment::ports::{Cursor, DigitalCards, DueDeletion, Page, Put, StoreError, UsedTokens};
use enrollment::session::UsedToken;
use jiff::Timestamp;

use super::Model;

/// A record as it is stored.
pub(super) struct StoredDigitalCard {
    card: DigitalCard,
    /// `None` where nothing is to be deleted.
    due_at: Option<Timestamp>,
    lease_until: Option<Timestamp>,
}

fn key(client: &ClientId, card: &ExternalCardId) -> DigitalCardKey {
    DigitalCardKey(format!("digital-card#{client}#{}", card.as_str()))
}

#[async_trait]
impl DigitalCards for Model {
    async fn record(&self, cards: &[DigitalCard]) -> Result<(), StoreError> {
        let mut state = self.state();
        for card in cards {
            let key = key(&card.client, &card.card);
            let next = match state.digital_cards.get(&key) {
                None => card.clone(),
                Some(stored) => match card.over(&stored.card) {
                    Some(next) => next,
                    None => continue,
                },
            };
            let stored = StoredDigitalCard {
                due_at: next.has_due_deletion().then_some(next.enrolled_at),
                lease_until: None,
                card: next,
            };
            state.digital_cards.insert(key, stored);
        }
        Ok(())
    }

    async fn card(
        &self,
        client: &ClientId,
        card: &ExternalCardId,
    ) -> Result<Option<DigitalCard>, StoreError> {
        let state = self.state();
        let stored = state.digital_cards.get(&key(client, card));
        Ok(stored.map(|stored| stored.card.clone()))
    }

    async fn cards_of(
        &self,
        client: &ClientId,
        consumer: &ExternalConsumerId,
    ) -> Result<Vec<DigitalCard>, StoreError> {
        let state = self.state();
        let cards = state.digital_cards.values().map(|stored| &stored.card);
        let of_consumer = cards.filter(|card| card.client == *client && card.consumer == *consumer);
        let mut cards: Vec<DigitalCard> = of_consumer.cloned().collect();
        cards.sort_by(|a, b| a.card.cmp(&b.card));
        Ok(cards)
    }

    async fn request_deletion(
        &self,
        client: &ClientId,
        card: &ExternalCardId,
        at: Timestamp,
    ) -> Result<Option<(DigitalCardKey, DigitalCard)>, StoreError> {
        let key = key(client, card);
        let mut state = self.state();
        let Some(stored) = state.digital_cards.get_mut(&key) else {
            return Ok(None);
        };
        if stored.card.state == DigitalCardState::Enrolled {
            stored.card.state = DigitalCardState::DeletionPending { requested_at: at };
            stored.due_at = Some(at);
            stored.lease_until = None;
        }
        Ok(Some((key, stored.card.clone())))
    }

    async fn due_deletions(&self, until: Timestamp, limit: usize) -> Result<Vec<DueDeletion>, StoreError> {
        let state = self.state();
        let due = state.digital_cards.iter().filter_map(|(key, stored)| {
            let due_at = stored.due_at.filter(|at| *at <= until)?;
            Some(DueDeletion {
                key: key.clone(),
                client: stored.card.client.clone(),
                requested_at: stored.card.deletion_requested_at()?,
                due_at,
            })
        });
        let mut due: Vec<DueDeletion> = due.collect();
        due.sort_by(|a, b| (a.due_at, &a.key).cmp(&(b.due_at, &b.key)));
        due.truncate(limit);
        Ok(due)
    }

    async fn acquire(
        &self,
        key: &DigitalCardKey,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<DigitalCard>, StoreError> {
        let mut state = self.state();
        let stored = state.digital_cards.get_mut(key);
        let Some(stored) = stored.filter(|stored| stored.due_at.is_some_and(|at| at <= now)) else {
            return Ok(None);
        };
        stored.due_at = Some(until);
        stored.lease_until = Some(until);
        Ok(Some(stored.card.clone()))
    }

    async fn update(
        &self,
        card: &DigitalCard,
        lease: Timestamp,
        next: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut state = self.state();
        let stored = state.digital_cards.get_mut(&key(&card.client, &card.card));
        let is_ours = |stored: &&mut StoredDigitalCard| {
            stored.lease_until == Some(lease) && stored.card.batch == card.batch
        };
        let Some(stored) = stored.filter(is_ours) else {
            return Ok(false);
        };
        stored.card.state = card.state;
        stored.card.superseded.clone_from(&card.superseded);
        stored.lease_until = None;
        stored.due_at = card.has_due_deletion().then_some(next);
        Ok(true)
    }

    async fn deleted(
        &self,
        client: &ClientId,
        until: Timestamp,
        from: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<DigitalCardKey>, StoreError> {
        let state = self.state();
        let deleted = state.digital_cards.iter().filter_map(|(key, stored)| {
            let at = deleted_at(&stored.card)?;
            (stored.card.client == *client && at <= until).then(|| (at, key.clone()))
        });
        let mut deleted: Vec<(Timestamp, DigitalCardKey)> = deleted.collect();
        deleted.sort();
        let page = super::page(deleted, |(at, key)| (*at, key.0.clone()), from, limit);
        Ok(Page {
            entries: page.entries.into_iter().map(|(_, key)| key).collect(),
            next: page.next,
        })
    }

    async fn remove(&self, key: &DigitalCardKey, until: Timestamp) -> Result<bool, StoreError> {
        let mut state = self.state();
        let stored = state.digital_cards.get(key);
        let deleted_at = stored.and_then(|stored| deleted_at(&stored.card));
        let is_expired = deleted_at.is_some_and(|at| at <= until);
        if is_expired {
            state.digital_cards.remove(key);
        }
        Ok(is_expired)
    }

    async fn erase(&self, client: &ClientId, card: &ExternalCardId) -> Result<bool, StoreError> {
        let removed = self.state().digital_cards.remove(&key(client, card));
        Ok(removed.is_some())
    }
}

/// Time at which everything of a card was deleted at Mastercard.
fn deleted_at(card: &DigitalCard) -> Option<Timestamp> {
    match card.state {
        DigitalCardState::Deleted { at } if card.superseded.is_empty() => Some(at),
        _ => None,
    }
}

#[async_trait]
impl UsedTokens for Model {
    async fn use_once(&self, token: &UsedToken) -> Result<Put, StoreError> {
        let is_new = self.state().used_tokens.insert(token.digest);
        Ok(if is_new { Put::Created } else { Put::AlreadyExists })
    }
}
