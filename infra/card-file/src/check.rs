//! The first pass over a card file: every fault, before anything is encrypted.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::columns::Column;
use crate::error::FileError;
use crate::fault::{FaultKind, Faults};
use crate::reader::{CardFile, Digest, Layout};
use crate::repeats::Ids;
use crate::window::Window;

/// Options of [`check`].
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// Form of the content.
    pub layout: Layout,
    /// Whether the id of a card may be in the whole file once only, instead of once in a window.
    pub has_unique_card_ids: bool,
    /// Folder for keyed hashes of ids, of files with more than half a million profiles or cards.
    pub scratch: PathBuf,
    /// Number of faults to list.
    pub listed_faults: usize,
}

/// Content of a file that has no faults.
#[derive(Debug, Clone)]
pub struct CheckedFile {
    /// SHA-256 of the file.
    pub digest: Digest,
    /// Number of cards.
    pub cards: u64,
    /// Number of profiles.
    pub profiles: u64,
    /// Digest at the end of each window, by which the second pass notices a change of the file.
    pub windows: Vec<Digest>,
}

/// Reads a whole file. `progress` is called with the number of cards after each window.
///
/// Returns the faults if there are any, in the order of lines, up to the number of listed ones.
///
/// # Errors
/// [`FileError`] about the file as a whole.
pub fn check(
    path: &Path,
    options: &CheckOptions,
    window: &mut Window,
    mut progress: impl FnMut(u64),
) -> Result<Result<CheckedFile, Faults>, FileError> {
    let mut file = CardFile::open(path, &options.layout)?;
    let mut faults = Faults::up_to(options.listed_faults);
    let mut consumers = Ids::new(&options.scratch.join("consumers.hashes"));
    let mut cards = options
        .has_unique_card_ids
        .then(|| Ids::new(&options.scratch.join("cards.hashes")));
    let mut checked = CheckedFile {
        digest: Digest([0; 32]),
        cards: 0,
        profiles: 0,
        windows: Vec::new(),
    };
    while file.next_window(window, &mut faults)? {
        for profile in &window.profiles {
            let id = window.slice(&profile.id);
            if let Some(first) = window.cards_of(profile).first().filter(|_| !id.is_empty()) {
                consumers.add(id, first.line)?;
            }
        }
        match &mut cards {
            Some(cards) => {
                for card in window.cards.iter().filter(|card| !card.id.is_empty()) {
                    cards.add(window.slice(&card.id), card.line)?;
                }
            }
            None => find_repeats(&file, window, &mut faults),
        }
        checked.cards += window.cards() as u64;
        checked.profiles += window.profiles() as u64;
        checked.windows.push(file.digest());
        progress(checked.cards);
    }
    consumers.repeats(|repeat| {
        let kind = FaultKind::ProfileApart { other: repeat.first };
        faults.add(repeat.second, Some(file.column(Column::ExternalConsumerId)), kind);
    })?;
    if let Some(cards) = cards {
        cards.repeats(|repeat| {
            let kind = FaultKind::CardIdTwice { other: repeat.first };
            faults.add(repeat.second, Some(file.column(Column::ExternalCardId)), kind);
        })?;
    }
    checked.digest = file.digest();
    faults.sort();
    Ok(if faults.is_empty() {
        Ok(checked)
    } else {
        Err(faults)
    })
}

/// Finds ids of cards that a window has twice: they might come into one batch.
fn find_repeats(file: &CardFile, window: &Window, faults: &mut Faults) {
    let mut lines = HashMap::with_capacity(window.cards());
    for card in window.cards.iter().filter(|card| !card.id.is_empty()) {
        if let Some(other) = lines.insert(window.slice(&card.id), card.line) {
            let kind = FaultKind::CardIdTwice { other };
            faults.add(card.line, Some(file.column(Column::ExternalCardId)), kind);
        }
    }
}
