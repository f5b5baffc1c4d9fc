//! Ids that a file has twice, found in constant memory.
//!
//! Ids are kept as keyed hashes of 80 bits with their line. Beyond half a million they are sorted and moved to a file. The key
//! is random, stays in memory and is gone with the process, so that the file tells nothing about an id.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::private_file::create_private_file;

/// Hashes in memory; 8 MiB.
const HASHES_IN_MEMORY: usize = 512 * 1024;
/// Bytes of all read buffers of the merge.
const MERGE_BYTES: usize = 8 * 1024 * 1024;
/// Bits of a line's number; 2^48 lines are more than a file system stores.
const LINE_BITS: u32 = 48;

/// Two lines with the same id, the earlier one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeat {
    pub(crate) first: u64,
    pub(crate) second: u64,
}

/// Ids of one kind.
pub(crate) struct Ids {
    keys: [RandomState; 2],
    hashes: Vec<u128>,
    in_memory: usize,
    spill: Option<Spill>,
    path: PathBuf,
}

/// Sorted runs of hashes in one file, which is deleted with this value.
struct Spill {
    path: PathBuf,
    file: BufWriter<File>,
    lengths: Vec<u64>,
}

impl Ids {
    /// Prepares for any number of ids; `path` is the file for hashes, if there are too many for the memory.
    pub(crate) fn new(path: &Path) -> Self {
        Self::with_memory_of(HASHES_IN_MEMORY, path)
    }

    fn with_memory_of(hashes: usize, path: &Path) -> Self {
        Self {
            keys: [RandomState::new(), RandomState::new()],
            hashes: Vec::with_capacity(hashes),
            in_memory: hashes,
            spill: None,
            path: path.to_owned(),
        }
    }

    /// Adds the id of a line.
    pub(crate) fn add(&mut self, id: &[u8], line: u64) -> std::io::Result<()> {
        if self.hashes.len() == self.in_memory {
            self.spill()?;
        }
        let hash = self.hash(id);
        self.hashes.push(hash << LINE_BITS | u128::from(line));
        Ok(())
    }

    /// Calls `found` with each pair of lines that have the same id, of an id in three lines twice.
    pub(crate) fn repeats(mut self, mut found: impl FnMut(Repeat)) -> std::io::Result<()> {
        let mut compare = Compare::default();
        if self.spill.is_none() {
            self.hashes.sort_unstable();
            for entry in self.hashes {
                compare.next(entry, &mut found);
            }
            return Ok(());
        }
        self.spill()?;
        // The buffers of the merge take the place of the hashes.
        self.hashes = Vec::new();
        let Some(spill) = self.spill.take() else {
            return Ok(());
        };
        spill.merged(|entry| compare.next(entry, &mut found))
    }

    fn hash(&self, id: &[u8]) -> u128 {
        let [first, second] = &self.keys;
        let high = u128::from(first.hash_one(id));
        let low = u128::from(second.hash_one(id));
        (high << 64 | low) & ((1 << (128 - LINE_BITS)) - 1)
    }

    fn spill(&mut self) -> std::io::Result<()> {
        self.hashes.sort_unstable();
        let spill = match &mut self.spill {
            Some(spill) => spill,
            None => self.spill.insert(Spill::create(&self.path)?),
        };
        for entry in &self.hashes {
            spill.file.write_all(&entry.to_le_bytes())?;
        }
        spill.lengths.push(self.hashes.len() as u64);
        self.hashes.clear();
        Ok(())
    }
}

impl Spill {
    fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::new(create_private_file(path)?),
            lengths: Vec::new(),
        })
    }

    fn merged(mut self, mut next: impl FnMut(u128)) -> std::io::Result<()> {
        self.file.flush()?;
        let buffer = (MERGE_BYTES / self.lengths.len().max(1)).clamp(512, 64 * 1024);
        let mut runs = Vec::with_capacity(self.lengths.len());
        let mut start = 0;
        let mut heap = BinaryHeap::new();
        for (at, length) in self.lengths.iter().enumerate() {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(start))?;
            start += length * 16;
            let mut run = BufReader::with_capacity(buffer, file.take(length * 16));
            heap.extend(entry(&mut run)?.map(|entry| Reverse((entry, at))));
            runs.push(run);
        }
        while let Some(Reverse((smallest, at))) = heap.pop() {
            next(smallest);
            heap.extend(entry(&mut runs[at])?.map(|entry| Reverse((entry, at))));
        }
        Ok(())
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        // What stays behind are hashes under a key that is gone.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn entry(run: &mut BufReader<std::io::Take<File>>) -> std::io::Result<Option<u128>> {
    let mut bytes = [0; 16];
    match run.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(u128::from_le_bytes(bytes))),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Comparison of each entry with the one before it.
#[derive(Default)]
struct Compare {
    last: Option<u128>,
}

impl Compare {
    fn next(&mut self, entry: u128, found: &mut impl FnMut(Repeat)) {
        let line = |entry: u128| u64::try_from(entry & ((1 << LINE_BITS) - 1)).unwrap_or(u64::MAX);
        if let Some(last) = self.last.replace(entry)
            && last >> LINE_BITS == entry >> LINE_BITS
        {
            found(Repeat {
                first: line(last),
                second: line(entry),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(ids: &[u16], in_memory: usize) -> Vec<(u64, u64)> {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("card-file-ids-{}-{number}", std::process::id()));
        let mut collected = Ids::with_memory_of(in_memory, &path);
        for (id, line) in ids.iter().zip(2..) {
            collected.add(&id.to_be_bytes(), line).unwrap();
        }
        let mut repeats = Vec::new();
        collected
            .repeats(|repeat| repeats.push((repeat.first, repeat.second)))
            .unwrap();
        assert!(!path.exists());
        repeats.sort_unstable();
        repeats
    }

    #[cfg(unix)]
    #[test]
    fn spilled_hashes_are_their_owners() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("card-file-spill-{}", std::process::id()));
        let mut collected = Ids::with_memory_of(1, &path);
        for line in 2..5 {
            collected.add(b"id", line).unwrap();
        }
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        collected.repeats(|_| ()).unwrap();
    }

    fn expected(ids: &[u16]) -> Vec<(u64, u64)> {
        let mut repeats = Vec::new();
        for (at, id) in ids.iter().enumerate() {
            if let Some(before) = ids[..at].iter().rposition(|other| other == id) {
                repeats.push((before as u64 + 2, at as u64 + 2));
            }
        }
        repeats.sort_unstable();
        repeats
    }

    proptest! {
        #[test]
        fn repeats_are_found_in_memory_and_in_a_file(
            ids in proptest::collection::vec(0u16..200, 0..300), in_memory in 1usize..400,
        ) {
            prop_assert_eq!(found(&ids, in_memory), expected(&ids));
        }
    }
}
