//! Manifest: the ids by which results are counted and told.

use serde::{Deserialize, Serialize};

use super::identifiers::{ExternalCardId, ExternalConsumerId};

/// Ids of a batch's profiles and cards, in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Profiles, at least one. No consumer and no card comes twice.
    pub profiles: Vec<Profile>,
}

/// One consumer and the cards that are enrolled for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Consumer.
    pub consumer: ExternalConsumerId,
    /// Cards, at least one.
    pub cards: Vec<ExternalCardId>,
}

impl Manifest {
    /// Returns all cards in order, each with its profile.
    pub fn cards(&self) -> impl Iterator<Item = (&Profile, &ExternalCardId)> {
        self.profiles
            .iter()
            .flat_map(|profile| profile.cards.iter().map(move |card| (profile, card)))
    }

    /// Returns the number of cards.
    pub fn card_count(&self) -> usize {
        self.profiles.iter().map(|profile| profile.cards.len()).sum()
    }
}
