//! Journal of one window: its batches as they are sent, then what became of them. Append-only.
//!
//! A journal is written whole under another name, synced and renamed, so that it has all batches of its window or does not exist.
//! Later entries are appended. Each has a checksum; an entry that was cut off at the end of the file is dropped when the journal is
//! opened again, and what it said is asked again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use card_file::create_private_file;

use crate::batch::folder::sync_folder;

const MAGIC: &[u8] = b"card-enrollment batches 1\n";
/// Length and checksum of the payload, and its kind.
const ENTRY_HEAD: usize = 9;
const BATCH: u8 = b'B';
const ACCEPTED: u8 = b'A';
const FINAL: u8 = b'F';
/// Longest payload: a body, and eight bytes for each of its cards.
const MAX_PAYLOAD: u32 = 1024 * 1024;

/// Place of a batch's body in its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchPlace {
    offset: u64,
    length: u32,
    /// Number of cards.
    pub(crate) cards: u32,
}

/// Batch as it was prepared: the lines of its cards, in the order of the manifest, and the request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PreparedBatch {
    pub(crate) lines: Vec<u64>,
    pub(crate) body: Vec<u8>,
}

/// State of a batch according to its journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BatchState {
    /// Not accepted yet, as far as this machine knows.
    Prepared,
    /// Accepted by the service under this id.
    Accepted(String),
    /// Its results are in the journal.
    Final,
}

/// A batch's place and state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JournaledBatch {
    pub(crate) place: BatchPlace,
    pub(crate) state: BatchState,
}

/// Writer of a new journal.
pub(crate) struct JournalWriter {
    file: BufWriter<File>,
    temporary: PathBuf,
    path: PathBuf,
    batches: Vec<JournaledBatch>,
    offset: u64,
}

/// Journal of a window that is not finished.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    pub(crate) batches: Vec<JournaledBatch>,
}

impl JournalWriter {
    /// Begins a journal. What an interrupted run left under its temporary name is overwritten.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let temporary = path.with_extension("part");
        let mut file = BufWriter::with_capacity(256 * 1024, create_private_file(&temporary)?);
        file.write_all(MAGIC)?;
        Ok(Self {
            file,
            temporary,
            path: path.to_owned(),
            batches: Vec::new(),
            offset: MAGIC.len() as u64,
        })
    }

    /// Adds a batch: lines of its cards, and its body in pieces.
    pub(crate) fn add(&mut self, lines: &[u64], body: &[u8]) -> io::Result<()> {
        let cards = u32_of(lines.len())?;
        let mut head = Vec::with_capacity(4 + lines.len() * 8);
        head.extend_from_slice(&cards.to_le_bytes());
        for line in lines {
            head.extend_from_slice(&line.to_le_bytes());
        }
        let length = write_entry(&mut self.file, BATCH, &[&head, body])?;
        self.batches.push(JournaledBatch {
            place: BatchPlace {
                offset: self.offset,
                length,
                cards,
            },
            state: BatchState::Prepared,
        });
        self.offset += ENTRY_HEAD as u64 + u64::from(length);
        Ok(())
    }

    /// Makes the journal durable. From here on its batches may be sent.
    pub(crate) fn finish(self) -> io::Result<Journal> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&self.temporary, &self.path)?;
        sync_folder(&self.path)?;
        Ok(Journal {
            path: self.path,
            batches: self.batches,
        })
    }
}

impl Journal {
    /// Opens a journal, and reads the state of its batches. An entry that is cut off at the end is not counted.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut reader = Reader::open(path)?;
        let mut batches: Vec<JournaledBatch> = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            match entry {
                Entry::Batch(place) => batches.push(JournaledBatch {
                    place,
                    state: BatchState::Prepared,
                }),
                Entry::Accepted(at, id) => set_state(&mut batches, at, BatchState::Accepted(id))?,
                Entry::Final(at, _) => set_state(&mut batches, at, BatchState::Final)?,
            }
        }
        Ok(Self {
            path: path.to_owned(),
            batches,
        })
    }

    /// Cuts off what follows the last whole entry, so that entries can be appended.
    pub(crate) fn repair(path: &Path) -> io::Result<()> {
        let mut reader = Reader::open(path)?;
        while reader.next_entry()?.is_some() {}
        let file = OpenOptions::new().write(true).open(path)?;
        if file.metadata()?.len() > reader.offset {
            file.set_len(reader.offset)?;
            file.sync_all()?;
        }
        Ok(())
    }

    /// Reads a batch as it was prepared.
    pub(crate) fn prepared(&self, at: usize) -> io::Result<PreparedBatch> {
        let place = self.batches.get(at).ok_or_else(damaged)?.place;
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(place.offset))?;
        let (kind, payload) = read_entry(&mut file)?.ok_or_else(damaged)?;
        let lines_end = 4 + place.cards as usize * 8;
        if kind != BATCH || payload.len() < lines_end {
            return Err(damaged());
        }
        let (lines, _) = payload[4..lines_end].as_chunks::<8>();
        Ok(PreparedBatch {
            lines: lines.iter().map(|line| u64::from_le_bytes(*line)).collect(),
            body: payload[lines_end..].to_vec(),
        })
    }

    /// Notes the service's id of a batch. It need not be durable: a repeat of the same bytes gets the same answer.
    pub(crate) fn note_accepted(&mut self, at: usize, id: &str) -> io::Result<()> {
        self.append(ACCEPTED, at, id.as_bytes())?;
        set_state(&mut self.batches, at, BatchState::Accepted(id.to_owned()))
    }

    /// Notes the results of a batch: lines of the result file.
    pub(crate) fn note_final(&mut self, at: usize, rows: &str) -> io::Result<()> {
        self.append(FINAL, at, rows.as_bytes())?;
        set_state(&mut self.batches, at, BatchState::Final)
    }

    /// Whether every batch has its results.
    pub(crate) fn is_finished(&self) -> bool {
        self.batches.iter().all(|batch| batch.state == BatchState::Final)
    }

    /// Results of the batches that have them. Of a batch that has them twice, the first.
    pub(crate) fn rows(&self) -> io::Result<Vec<String>> {
        let mut rows = vec![None; self.batches.len()];
        let mut reader = Reader::open(&self.path)?;
        while let Some(entry) = reader.next_entry()? {
            if let Entry::Final(at, found) = entry {
                rows.get_mut(at).ok_or_else(damaged)?.get_or_insert(found);
            }
        }
        Ok(rows.into_iter().flatten().collect())
    }

    fn append(&self, kind: u8, at: usize, text: &[u8]) -> io::Result<()> {
        let mut entry = Vec::with_capacity(ENTRY_HEAD + 4 + text.len());
        write_entry(&mut entry, kind, &[&u32_of(at)?.to_le_bytes(), text])?;
        // One write: an entry is there as a whole, or cut off.
        OpenOptions::new()
            .append(true)
            .open(&self.path)?
            .write_all(&entry)
    }
}

/// Entry of a journal. That of a batch is told by its place alone.
enum Entry {
    Batch(BatchPlace),
    Accepted(usize, String),
    Final(usize, String),
}

struct Reader {
    file: BufReader<File>,
    /// End of the last whole entry.
    offset: u64,
    length: u64,
}

impl Reader {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut file = BufReader::new(file);
        let mut magic = [0; MAGIC.len()];
        file.read_exact(&mut magic)?;
        if magic != MAGIC {
            return Err(damaged());
        }
        Ok(Self {
            file,
            offset: MAGIC.len() as u64,
            length,
        })
    }

    /// Returns the next entry; `None` at the end, or where the rest is cut off.
    fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        let mut head = [0; ENTRY_HEAD];
        if self.offset + ENTRY_HEAD as u64 > self.length {
            return Ok(None);
        }
        self.file.read_exact(&mut head)?;
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let end = self.offset + ENTRY_HEAD as u64 + u64::from(length);
        if end > self.length || length > MAX_PAYLOAD {
            return Ok(None);
        }
        let entry = if head[8] == BATCH {
            let mut cards = [0; 4];
            self.file.read_exact(&mut cards)?;
            self.file.seek_relative(i64::from(length) - 4)?;
            Entry::Batch(BatchPlace {
                offset: self.offset,
                length,
                cards: u32::from_le_bytes(cards),
            })
        } else {
            let mut payload = vec![0; length as usize];
            self.file.read_exact(&mut payload)?;
            let Some(entry) = parsed(head, &payload) else {
                return Ok(None);
            };
            entry
        };
        self.offset = end;
        Ok(Some(entry))
    }
}

fn parsed(head: [u8; ENTRY_HEAD], payload: &[u8]) -> Option<Entry> {
    let kind = head[8];
    if checksum(kind, &[payload]).to_le_bytes() != head[4..8] {
        return None;
    }
    let (at, text) = payload.split_first_chunk::<4>()?;
    let at = u32::from_le_bytes(*at) as usize;
    let text = String::from_utf8(text.to_vec()).ok()?;
    match kind {
        ACCEPTED => Some(Entry::Accepted(at, text)),
        FINAL => Some(Entry::Final(at, text)),
        _ => None,
    }
}

fn write_entry(out: &mut impl Write, kind: u8, payload: &[&[u8]]) -> io::Result<u32> {
    let length = u32_of(payload.iter().map(|piece| piece.len()).sum())?;
    if length > MAX_PAYLOAD {
        return Err(io::Error::other("the batch is too large for its journal"));
    }
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&checksum(kind, payload).to_le_bytes())?;
    out.write_all(&[kind])?;
    for piece in payload {
        out.write_all(piece)?;
    }
    Ok(length)
}

fn read_entry(file: &mut File) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut head = [0; ENTRY_HEAD];
    file.read_exact(&mut head)?;
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
    if length > MAX_PAYLOAD {
        return Ok(None);
    }
    let mut payload = vec![0; length as usize];
    file.read_exact(&mut payload)?;
    let is_whole = checksum(head[8], &[&payload]).to_le_bytes() == head[4..8];
    Ok(is_whole.then_some((head[8], payload)))
}

fn checksum(kind: u8, payload: &[&[u8]]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&[kind]);
    for piece in payload {
        checksum.update(piece);
    }
    checksum.finalize()
}

fn set_state(batches: &mut [JournaledBatch], at: usize, state: BatchState) -> io::Result<()> {
    let batch = batches.get_mut(at).ok_or_else(damaged)?;
    if batch.state != BatchState::Final {
        batch.state = state;
    }
    Ok(())
}

fn u32_of(length: usize) -> io::Result<u32> {
    u32::try_from(length).map_err(io::Error::other)
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the journal is damaged")
}

#[cfg(test)]
mod tests;
