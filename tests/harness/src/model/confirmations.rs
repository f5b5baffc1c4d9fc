//! Confirmations that are to be sent, and the state of their receivers.

use async_trait::async_trait;
use enrollment::confirmation::{Confirmation, ConfirmationId};
use enrollment::delivery::{Destination, Parked};
use enrollment::identifiers::{ClientId, IntentId};
use enrollment::ports::{
    Claim, ClaimWrite, ConfirmationState, Confirmations, CustomerKey, DueConfirmation, RecordedConfirmation,
    StoreError,
};
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use super::{Model, State, StoredDestination};

/// The state of a receiver that nothing is sent to is kept this long.
const DESTINATION_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A confirmation as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredConfirmation {
    /// Confirmation to send.
    pub confirmation: Confirmation,
    /// The customer whose record it belongs to.
    pub owner: CustomerKey,
    /// The card with whose record it is deleted.
    pub card: Option<IntentId>,
    /// Whether it is to be sent.
    pub state: StoredConfirmationState,
    /// Attempts that were made.
    pub attempts: u32,
    /// Time at which it is due, or the end of its claim.
    pub due_at: Timestamp,
    /// Time at which its outcome was stored.
    pub outcome_at: Timestamp,
    /// The claim that wrote it last.
    pub ticket: Option<String>,
    /// Failure of the last attempt.
    pub last_failure: Option<String>,
}

/// Whether a confirmation is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredConfirmationState {
    /// It is.
    Due,
    /// The receiver has it.
    Delivered {
        /// Since this time.
        at: Timestamp,
    },
    /// An operator has to decide.
    Parked(Parked),
}

impl StoredConfirmation {
    /// As a customer's record has it.
    pub(super) fn recorded(&self) -> RecordedConfirmation {
        let state = match self.state {
            StoredConfirmationState::Due => ConfirmationState::Due {
                outcome_at: self.outcome_at,
            },
            StoredConfirmationState::Delivered { .. } => ConfirmationState::Delivered,
            StoredConfirmationState::Parked(_) => ConfirmationState::Parked,
        };
        RecordedConfirmation {
            id: self.confirmation.id.clone(),
            card: self.card,
            state,
        }
    }
}

impl State {
    pub(super) fn store_confirmation(
        &mut self,
        confirmation: &Confirmation,
        owner: &CustomerKey,
        card: Option<IntentId>,
        at: Timestamp,
    ) {
        let stored = StoredConfirmation {
            confirmation: confirmation.clone(),
            owner: owner.clone(),
            card,
            state: StoredConfirmationState::Due,
            attempts: 0,
            due_at: at,
            outcome_at: at,
            ticket: None,
            last_failure: None,
        };
        self.confirmations.insert(confirmation.id.clone(), stored);
    }

    /// Writes under a claim. A second write under the same claim changes nothing and counts as stored.
    fn under_claim(&mut self, claim: &Claim, write: impl FnOnce(&mut StoredConfirmation)) -> ClaimWrite {
        let stored = self.confirmations.get_mut(&claim.confirmation.id);
        let stored = stored.filter(|stored| stored.ticket.as_ref() == Some(&claim.ticket));
        let Some(stored) = stored else {
            return ClaimWrite::ClaimLost;
        };
        let is_claimed = stored.state == StoredConfirmationState::Due
            && stored.due_at == claim.until
            && stored.attempts == claim.attempt;
        if is_claimed {
            write(stored);
        }
        ClaimWrite::Stored
    }
}

#[async_trait]
impl Confirmations for Model {
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<DueConfirmation>, StoreError> {
        let state = self.state();
        let mut due: Vec<DueConfirmation> = state
            .confirmations
            .values()
            .filter(|stored| stored.state == StoredConfirmationState::Due && stored.due_at <= now)
            .map(|stored| DueConfirmation {
                id: stored.confirmation.id.clone(),
                client: stored.confirmation.client.clone(),
                since: stored.due_at,
            })
            .collect();
        due.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        // Each client's oldest first, then each client's second.
        let rank = |index: usize| {
            due[..index]
                .iter()
                .filter(|before| before.client == due[index].client)
                .count()
        };
        let mut ranked: Vec<(usize, usize)> = (0..due.len()).map(|index| (rank(index), index)).collect();
        ranked.sort_unstable();
        Ok(ranked
            .into_iter()
            .take(limit)
            .map(|(_, index)| due[index].clone())
            .collect())
    }

    async fn claim(
        &self,
        id: &ConfirmationId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        let mut state = self.state();
        state.claims += 1;
        let ticket = format!("claim-{}", state.claims);
        let stored = state.confirmations.get_mut(id);
        let is_due = |stored: &&mut StoredConfirmation| {
            stored.state == StoredConfirmationState::Due && stored.due_at <= now
        };
        let Some(stored) = stored.filter(is_due) else {
            return Ok(None);
        };
        stored.due_at = until;
        stored.attempts += 1;
        stored.ticket = Some(ticket.clone());
        Ok(Some(Claim {
            confirmation: stored.confirmation.clone(),
            ticket,
            attempt: stored.attempts,
            waiting_since: stored.outcome_at,
            until,
        }))
    }

    async fn delivered(&self, claim: &Claim, at: Timestamp) -> Result<ClaimWrite, StoreError> {
        Ok(self.state().under_claim(claim, |stored| {
            stored.state = StoredConfirmationState::Delivered { at };
            stored.confirmation.body = String::new();
        }))
    }

    async fn retry(&self, claim: &Claim, due: Timestamp, failure: &str) -> Result<ClaimWrite, StoreError> {
        Ok(self.state().under_claim(claim, |stored| {
            stored.due_at = due;
            stored.last_failure = Some(failure.to_owned());
        }))
    }

    async fn wait(&self, claim: &Claim, due: Timestamp) -> Result<ClaimWrite, StoreError> {
        Ok(self.state().under_claim(claim, |stored| {
            stored.due_at = due;
            stored.attempts -= 1;
        }))
    }

    async fn park(
        &self,
        claim: &Claim,
        reason: Parked,
        failure: Option<&str>,
        at: Timestamp,
    ) -> Result<ClaimWrite, StoreError> {
        Ok(self.state().under_claim(claim, |stored| {
            stored.state = StoredConfirmationState::Parked(reason);
            stored.due_at = at;
            match failure {
                Some(failure) => stored.last_failure = Some(failure.to_owned()),
                None => stored.attempts -= 1,
            }
        }))
    }

    async fn destination(&self, client: &ClientId, destination: &str) -> Result<Destination, StoreError> {
        let (state, now) = (self.state(), self.now());
        let key = (client.clone(), destination.to_owned());
        let Some(stored) = state.destinations.get(&key) else {
            return Ok(Destination::default());
        };
        if stored.ttl > now {
            return Ok(stored.destination.clone());
        }
        Ok(Destination {
            version: stored.destination.version,
            ..Destination::default()
        })
    }

    async fn update_destination(
        &self,
        client: &ClientId,
        destination: &str,
        state: &Destination,
    ) -> Result<bool, StoreError> {
        let (mut stored, now) = (self.state(), self.now());
        let key = (client.clone(), destination.to_owned());
        let version = stored
            .destinations
            .get(&key)
            .map(|stored| stored.destination.version);
        if version.unwrap_or_default() != state.version {
            return Ok(false);
        }
        let next = StoredDestination {
            destination: Destination {
                version: state.version + 1,
                ..state.clone()
            },
            ttl: super::ttl(later(now, DESTINATION_KEPT)),
        };
        stored.destinations.insert(key, next);
        Ok(true)
    }
}

impl Model {
    /// A confirmation as it is stored.
    pub fn stored_confirmation(&self, id: &ConfirmationId) -> Option<StoredConfirmation> {
        self.state().confirmations.get(id).cloned()
    }

    /// Confirmations that a purge deleted although no receiver had them, as the audit trail names them.
    pub fn undelivered(&self) -> Vec<ConfirmationId> {
        self.state().undelivered.clone()
    }

    /// Bodies of confirmations that were not delivered yet.
    pub(crate) fn bodies(&self) -> Vec<serde_json::Value> {
        let state = self.state();
        let stored = state.confirmations.values();
        let bodies = stored.filter_map(|stored| serde_json::from_str(&stored.confirmation.body).ok());
        bodies.collect()
    }
}
