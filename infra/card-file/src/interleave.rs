//! Order of a window's profiles in which cards of one account range do not follow each other, where that can be avoided.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use crate::window::{Card, Window};

/// Profiles whose cards are mostly of one account range.
struct Bucket {
    account_range: u64,
    /// Profiles of this range alone, in the file's order.
    pure: VecDeque<u32>,
    /// Profiles with cards of other ranges too.
    mixed: VecDeque<u32>,
}

impl Window {
    /// Decides the order of profiles, and of the cards of each.
    ///
    /// The range with the most profiles left is next, unless the last card is of it; equal ones in the file's order. With
    /// one card a profile this leaves as few neighbors of one range as there can be. It is the same for the same file.
    pub(crate) fn interleave(&mut self) {
        let mut buckets = self.buckets();
        let mut heap: BinaryHeap<(usize, Reverse<usize>)> = buckets
            .iter()
            .enumerate()
            .map(|(at, bucket)| (bucket.pure.len() + bucket.mixed.len(), Reverse(at)))
            .collect();
        let mut last = None;
        self.order.clear();
        while let Some(top) = heap.pop() {
            let is_repeat = last == Some(buckets[top.1.0].account_range);
            let (chosen, other) = match is_repeat.then(|| heap.pop()).flatten() {
                Some(second) => (second, Some(top)),
                None => (top, None),
            };
            heap.extend(other);
            let bucket = &mut buckets[chosen.1.0];
            // A repeat that can't be avoided by another bucket may be by a profile that begins with another range.
            let profile = if is_repeat && other.is_none() {
                bucket.mixed.pop_front().or_else(|| bucket.pure.pop_front())
            } else {
                bucket.pure.pop_front().or_else(|| bucket.mixed.pop_front())
            };
            let Some(profile) = profile else { continue };
            if chosen.0 > 1 {
                heap.push((chosen.0 - 1, chosen.1));
            }
            let cards = self.profiles[profile as usize].cards.clone();
            let cards = &mut self.cards[cards.start as usize..cards.end as usize];
            arrange(cards, last);
            last = cards.last().map(|card| card.account_range);
            self.order.push(profile);
        }
    }

    fn buckets(&self) -> Vec<Bucket> {
        let mut positions = HashMap::new();
        let mut buckets: Vec<Bucket> = Vec::new();
        for (profile, at) in self.profiles.iter().zip(0u32..) {
            let cards = self.cards_of(profile);
            let Some(account_range) = most_frequent(cards) else {
                continue;
            };
            let position = *positions.entry(account_range).or_insert(buckets.len());
            if position == buckets.len() {
                buckets.push(Bucket {
                    account_range,
                    pure: VecDeque::new(),
                    mixed: VecDeque::new(),
                });
            }
            if cards.iter().all(|card| card.account_range == account_range) {
                buckets[position].pure.push_back(at);
            } else {
                buckets[position].mixed.push_back(at);
            }
        }
        buckets
    }
}

/// Account range of most cards; of equal ones, the first.
fn most_frequent(cards: &[Card]) -> Option<u64> {
    let [first, rest @ ..] = cards else { return None };
    if rest.iter().all(|card| card.account_range == first.account_range) {
        return Some(first.account_range);
    }
    let count = |range: u64| cards.iter().filter(|card| card.account_range == range).count();
    cards
        .iter()
        .rev()
        .map(|card| card.account_range)
        .max_by_key(|range| count(*range))
}

/// Orders the cards of a profile after a card of the range `last`.
fn arrange(cards: &mut [Card], mut last: Option<u64>) {
    let is_pure = cards
        .windows(2)
        .all(|pair| pair[0].account_range == pair[1].account_range);
    if is_pure {
        return;
    }
    for at in 0..cards.len() {
        let rest = &cards[at..];
        let left = |range: u64| rest.iter().filter(|card| card.account_range == range).count();
        let chosen = rest
            .iter()
            .enumerate()
            .rev()
            .max_by_key(|(_, card)| (Some(card.account_range) != last, left(card.account_range)))
            .map_or(0, |(chosen, _)| chosen);
        // The others keep their order.
        cards[at..=at + chosen].rotate_right(1);
        last = Some(cards[at].account_range);
    }
}
