//! Cards of a part of the file, as JSON, ready to be put into batches.

use std::ops::Range;

use zeroize::Zeroize as _;

use crate::MAX_BATCH_CARDS;

/// Largest number of cards in a window. Account ranges are interleaved within it.
pub const WINDOW_CARDS: usize = 20_000;
/// A profile begins in the next window once this one has more bytes. 20,000 cards have 5 to 10 MiB.
const WINDOW_BYTES: usize = 12 * 1024 * 1024;
/// Limit of a profile's JSON, so that it fits into a batch of 512 KB. 250 cards with the longest ids have a fourth of it.
pub(crate) const MAX_PROFILE_BYTES: usize = 256 * 1024;
/// Room for the JSON of one line.
pub(crate) const MAX_ROW_BYTES: usize = 16 * 1024;

/// Cards of a part of the file, at most [`WINDOW_CARDS`], and of whole profiles. Wiped when it is filled again and dropped.
///
/// The memory is allocated once and never moves, so that no copy stays behind.
pub struct Window {
    pub(crate) text: Vec<u8>,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) cards: Vec<Card>,
    /// Profiles in the order in which they are put into batches.
    pub(crate) order: Vec<u32>,
}

/// One consumer's part of a window.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    /// The consumer's JSON, without its end.
    pub(crate) text: Range<u32>,
    pub(crate) id: Range<u32>,
    pub(crate) cards: Range<u32>,
    /// Whether it has more cards than a batch may have, which is a fault.
    pub(crate) is_too_large: bool,
}

/// One card of a window.
#[derive(Debug, Clone)]
pub(crate) struct Card {
    /// The card's JSON.
    pub(crate) text: Range<u32>,
    pub(crate) id: Range<u32>,
    pub(crate) account_range: u64,
    pub(crate) line: u64,
}

impl Window {
    /// Allocates an empty window.
    pub fn new() -> Self {
        Self {
            text: Vec::with_capacity(WINDOW_BYTES + MAX_PROFILE_BYTES + 2 * MAX_ROW_BYTES),
            profiles: Vec::new(),
            cards: Vec::new(),
            order: Vec::new(),
        }
    }

    /// Number of cards.
    pub fn cards(&self) -> usize {
        self.cards.len()
    }

    /// Number of profiles.
    pub fn profiles(&self) -> usize {
        self.profiles.len()
    }

    /// Whether another profile, of any size, might not fit.
    pub(crate) fn is_full(&self, window_cards: usize) -> bool {
        self.cards.len() + MAX_BATCH_CARDS > window_cards.min(WINDOW_CARDS) || self.text.len() > WINDOW_BYTES
    }

    /// Bytes that are left of the allocation.
    pub(crate) fn room(&self) -> usize {
        self.text.capacity() - self.text.len()
    }

    pub(crate) fn clear(&mut self) {
        self.wipe();
        self.profiles.clear();
        self.cards.clear();
        self.order.clear();
    }

    pub(crate) fn slice(&self, range: &Range<u32>) -> &[u8] {
        &self.text[range.start as usize..range.end as usize]
    }

    pub(crate) fn cards_of(&self, profile: &Profile) -> &[Card] {
        &self.cards[profile.cards.start as usize..profile.cards.end as usize]
    }
}

impl Window {
    /// Wipes what was written. The rest of the allocation was not used, or was wiped before.
    fn wipe(&mut self) {
        self.text.as_mut_slice().zeroize();
        self.text.clear();
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl Default for Window {
    fn default() -> Self {
        Self::new()
    }
}
