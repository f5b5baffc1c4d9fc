//! Batches: every card once, profiles whole, limits kept, account ranges apart.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use card_file::{BatchLimits, Layout};
use proptest::prelude::*;

use crate::support::{Batch, Folder, HEADER, LIMITS, cards, list, number, windows};

/// A file of profiles, each a list of account ranges of its cards.
fn file_of(profiles: &[Vec<u8>]) -> String {
    let mut text = format!("{HEADER}\n");
    let mut serial = 0;
    for (consumer, ranges) in profiles.iter().enumerate() {
        for range in ranges {
            let card = number(52_040_000 + u64::from(*range), serial);
            writeln!(text, "c{consumer},k{serial},{card},1,29,a@b.cz").unwrap();
            serial += 1;
        }
    }
    text
}

fn batches(profiles: &[Vec<u8>], limits: &BatchLimits) -> Vec<Batch> {
    let folder = Folder::new();
    let file = folder.file(file_of(profiles).as_bytes());
    windows(&file, &Layout::default(), limits)
        .into_iter()
        .flatten()
        .collect()
}

fn ranges(batches: &[Batch]) -> Vec<String> {
    batches
        .iter()
        .flat_map(cards)
        .map(|card| card["primaryAccountNumber"].as_str().unwrap()[..8].to_owned())
        .collect()
}

fn neighbors(ranges: &[String]) -> usize {
    ranges.windows(2).filter(|pair| pair[0] == pair[1]).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_card_is_in_one_batch_and_profiles_are_whole(
        profiles in proptest::collection::vec(proptest::collection::vec(0u8..6, 1..8), 1..120),
        limit in 8usize..40,
    ) {
        let limits = BatchLimits { cards: limit, ..LIMITS };
        let found = batches(&profiles, &limits);
        let mut lines: Vec<u64> = found.iter().flat_map(|batch| batch.lines.clone()).collect();
        lines.sort_unstable();
        let count: usize = profiles.iter().map(Vec::len).sum();
        prop_assert_eq!(lines, (2..2 + count as u64).collect::<Vec<_>>());
        let mut consumers = HashSet::new();
        for batch in &found {
            prop_assert!(batch.lines.len() <= limit);
            for consumer in list(&batch.content["consumers"]) {
                let id = consumer["externalConsumerId"].as_str().unwrap().to_owned();
                let at: usize = id[1..].parse().unwrap();
                prop_assert_eq!(list(&consumer["cards"]).len(), profiles[at].len());
                prop_assert!(consumers.insert(id));
            }
        }
    }

    #[test]
    fn single_cards_of_one_range_are_as_far_apart_as_can_be(
        given in proptest::collection::vec(0u8..5, 1..300),
    ) {
        let profiles: Vec<Vec<u8>> = given.iter().map(|range| vec![*range]).collect();
        let found = ranges(&batches(&profiles, &LIMITS));
        let mut counts: HashMap<&String, usize> = HashMap::new();
        for range in &found {
            *counts.entry(range).or_default() += 1;
        }
        let most = counts.values().max().copied().unwrap_or_default();
        // Between the cards of the most frequent range stand all others.
        let fewest = (most - 1).saturating_sub(found.len() - most);
        prop_assert_eq!(neighbors(&found), fewest);
    }

    #[test]
    fn same_file_gives_the_same_batches(
        profiles in proptest::collection::vec(proptest::collection::vec(0u8..4, 1..5), 1..80),
    ) {
        let lines = || -> Vec<Vec<u64>> {
            batches(&profiles, &LIMITS).into_iter().map(|batch| batch.lines).collect()
        };
        prop_assert_eq!(lines(), lines());
    }
}

#[test]
fn profiles_of_two_ranges_are_interleaved_inside() {
    let profiles: Vec<Vec<u8>> = (0..40).map(|_| vec![1, 1, 2, 2]).collect();
    assert_eq!(neighbors(&ranges(&batches(&profiles, &LIMITS))), 0);
}

#[test]
fn batch_is_full_at_250_cards() {
    let profiles: Vec<Vec<u8>> = (0..600).map(|_| vec![1]).collect();
    let sizes: Vec<usize> = batches(&profiles, &LIMITS)
        .iter()
        .map(|batch| batch.lines.len())
        .collect();
    assert_eq!(sizes, [250, 250, 100]);
}

#[test]
fn body_stays_below_its_limit() {
    let limits = BatchLimits {
        body_bytes: 20_000,
        ..LIMITS
    };
    let profiles: Vec<Vec<u8>> = (0..500).map(|_| vec![1, 2]).collect();
    let found = batches(&profiles, &limits);
    assert!(found.len() > 10);
    for (at, batch) in found.iter().enumerate() {
        assert!(batch.body_bytes <= 20_000, "{}", batch.body_bytes);
        assert!(
            batch.lines.len() >= 40 || at + 1 == found.len(),
            "{} cards only",
            batch.lines.len()
        );
    }
}

#[test]
fn windows_have_whole_profiles_and_20_000_cards_at_most() {
    let profiles: Vec<Vec<u8>> = (0..9000).map(|_| vec![1, 2, 3, 4, 5]).collect();
    let folder = Folder::new();
    let file = folder.file(file_of(&profiles).as_bytes());
    let sizes: Vec<usize> = windows(&file, &Layout::default(), &LIMITS)
        .iter()
        .map(|batches| batches.iter().map(|batch| batch.lines.len()).sum())
        .collect();
    assert_eq!(sizes.iter().sum::<usize>(), 45_000);
    assert_eq!(sizes.len(), 3);
    assert!(
        sizes.iter().all(|size| *size <= 20_000 && size % 5 == 0),
        "{sizes:?}"
    );
}
