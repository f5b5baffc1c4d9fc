//! Batches of a window: which profiles, and the bytes that are encrypted and sent.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::MAX_BATCH_CARDS;
use crate::content::{CARDS_CLOSING, CARDS_OPENING, CLOSING, OPENING};
use crate::window::{Profile, Window};

/// Limits of a batch.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    /// Largest number of cards.
    pub cards: usize,
    /// Largest body of the request, in bytes.
    pub body_bytes: usize,
    /// Bytes of the body other than manifest and encrypted content in base64.
    pub other_bytes: usize,
}

/// Profiles of one batch: a part of the window's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchPlan {
    profiles: Range<usize>,
    cards: usize,
}

impl BatchPlan {
    /// Number of cards.
    pub fn cards(&self) -> usize {
        self.cards
    }
}

/// Content of a batch before its encryption. Wiped with the value.
pub type Plaintext = Zeroizing<Vec<u8>>;

/// Manifest of a batch in JSON: the ids of profiles and cards.
pub type Manifest = Vec<u8>;

const PROFILE_OPENING: &[u8] = br#"{"externalConsumerId":""#;
const PROFILE_CARDS: &[u8] = br#"","cards":["#;
const PROFILE_CLOSING: &[u8] = b"]}";
const CARD_OPENING: &[u8] = br#"{"externalCardId":""#;
const CARD_CLOSING: &[u8] = br#""}"#;

impl Window {
    /// Interleaves account ranges, then cuts the window into batches of whole profiles. The same file gives the same batches.
    pub fn plan(&mut self, limits: &BatchLimits) -> Vec<BatchPlan> {
        self.interleave();
        let mut plans = Vec::new();
        let mut plan = BatchPlan {
            profiles: 0..0,
            cards: 0,
        };
        let (mut content, mut manifest) = (0, 0);
        for (at, profile) in self.order.iter().enumerate() {
            let profile = &self.profiles[*profile as usize];
            let cards = profile.cards.len();
            let (more_content, more_manifest) = (self.content_bytes(profile), self.manifest_bytes(profile));
            let encrypted = (OPENING.len() + content + more_content + CLOSING.len()).div_ceil(3) * 4;
            let body = limits.other_bytes + manifest + more_manifest + encrypted;
            let is_over = plan.cards + cards > limits.cards.min(MAX_BATCH_CARDS) || body > limits.body_bytes;
            if is_over && plan.cards > 0 {
                let next = BatchPlan {
                    profiles: at..at,
                    cards: 0,
                };
                plans.push(std::mem::replace(&mut plan, next));
                (content, manifest) = (0, 0);
            }
            plan.profiles.end = at + 1;
            plan.cards += cards;
            content += more_content;
            manifest += more_manifest;
        }
        if plan.cards > 0 {
            plans.push(plan);
        }
        plans
    }

    /// Writes what is encrypted, in place of what `out` had. `out` should have room already, so that nothing is copied.
    pub fn write_content(&self, plan: &BatchPlan, out: &mut Plaintext) {
        out.clear();
        out.extend_from_slice(OPENING);
        for (at, profile) in self.planned(plan).enumerate() {
            separate(out, at);
            out.extend_from_slice(self.slice(&profile.text));
            out.extend_from_slice(CARDS_OPENING);
            for (at, card) in self.cards_of(profile).iter().enumerate() {
                separate(out, at);
                out.extend_from_slice(self.slice(&card.text));
            }
            out.extend_from_slice(CARDS_CLOSING);
        }
        out.extend_from_slice(CLOSING);
    }

    /// Appends the manifest, a JSON list.
    pub fn write_manifest(&self, plan: &BatchPlan, out: &mut Manifest) {
        out.push(b'[');
        for (at, profile) in self.planned(plan).enumerate() {
            separate(out, at);
            out.extend_from_slice(PROFILE_OPENING);
            out.extend_from_slice(self.slice(&profile.id));
            out.extend_from_slice(PROFILE_CARDS);
            for (at, card) in self.cards_of(profile).iter().enumerate() {
                separate(out, at);
                out.extend_from_slice(CARD_OPENING);
                out.extend_from_slice(self.slice(&card.id));
                out.extend_from_slice(CARD_CLOSING);
            }
            out.extend_from_slice(PROFILE_CLOSING);
        }
        out.push(b']');
    }

    /// Lines of the cards, in the order of the manifest.
    pub fn lines<'a>(&'a self, plan: &'a BatchPlan) -> impl Iterator<Item = u64> + 'a {
        self.planned(plan)
            .flat_map(|profile| self.cards_of(profile))
            .map(|card| card.line)
    }

    fn planned<'a>(&'a self, plan: &'a BatchPlan) -> impl Iterator<Item = &'a Profile> + 'a {
        self.order[plan.profiles.clone()]
            .iter()
            .map(|profile| &self.profiles[*profile as usize])
    }

    fn content_bytes(&self, profile: &Profile) -> usize {
        let cards: usize = self
            .cards_of(profile)
            .iter()
            .map(|card| card.text.len() + 1)
            .sum();
        profile.text.len() + CARDS_OPENING.len() + cards + CARDS_CLOSING.len()
    }

    fn manifest_bytes(&self, profile: &Profile) -> usize {
        let around = CARD_OPENING.len() + CARD_CLOSING.len() + 1;
        let cards: usize = self
            .cards_of(profile)
            .iter()
            .map(|card| card.id.len() + around)
            .sum();
        let around = PROFILE_OPENING.len() + PROFILE_CARDS.len() + PROFILE_CLOSING.len();
        profile.id.len() + around + cards
    }
}

fn separate(out: &mut Vec<u8>, at: usize) {
    if at > 0 {
        out.push(b',');
    }
}
