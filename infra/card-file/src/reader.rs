//! A card file, window after window.

use std::path::Path;

use crate::columns::{Column, Header};
use crate::content::CardIdName;
use crate::error::FileError;
use crate::fault::{FaultKind, Faults};
use crate::input::Input;
use crate::records::{Line, Record, Records};
use crate::row::RowWriter;
use crate::window::{WINDOW_CARDS, Window};

/// SHA-256 of a file, or of its part up to a window's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    pub(crate) fn of(digest: &aws_lc_rs::digest::Digest) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }
}

/// Form of the content, and rules by which it is cut. The same file and layout give the same batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Name of a card's id inside the encrypted content.
    pub card_id_name: CardIdName,
    /// Number of first digits that identify an account range.
    pub range_digits: usize,
    /// Largest number of cards in a window, from 500 to [`WINDOW_CARDS`].
    pub window_cards: usize,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            card_id_name: CardIdName::ExternalCardId,
            range_digits: 8,
            window_cards: WINDOW_CARDS,
        }
    }
}

/// A card file that is read once, from its beginning to its end.
pub struct CardFile {
    records: Records,
    header: Header,
    layout: Layout,
    /// The line that was read last.
    next: Record,
    has_next: bool,
    /// First line of the profile that was read last.
    first: Record,
    is_at_end: bool,
}

impl CardFile {
    /// Opens a file, and reads its header.
    ///
    /// # Errors
    /// A [`FileError`] about the file as a whole.
    pub fn open(path: &Path, layout: &Layout) -> Result<Self, FileError> {
        let mut record = Record::new();
        let records = Records::open(Input::open(path)?, &mut record)?;
        let header = Header::read(&record)?;
        Ok(Self {
            records,
            header,
            layout: layout.clone(),
            next: record,
            has_next: false,
            first: Record::new(),
            is_at_end: false,
        })
    }

    /// Fills a window with the next whole profiles. Returns whether there were any.
    ///
    /// A window that was read with a fault is not to be used.
    ///
    /// # Errors
    /// [`FileError`] if the file can't be read on.
    pub fn next_window(&mut self, window: &mut Window, faults: &mut Faults) -> Result<bool, FileError> {
        window.clear();
        let mut row = RowWriter {
            header: &self.header,
            layout: &self.layout,
            window,
            faults,
        };
        loop {
            if !self.has_next {
                self.has_next = advance(
                    &mut self.records,
                    &mut self.next,
                    &mut self.is_at_end,
                    &self.header,
                    row.faults,
                )?;
                if !self.has_next {
                    break;
                }
            }
            let consumer = |record| self.header.value(record, Column::ExternalConsumerId);
            if row.window.profiles() > 0 && consumer(&self.next) == consumer(&self.first) {
                row.check_consumer(&self.first, &self.next);
                row.add_card(&self.next);
            } else if row.window.is_full(self.layout.window_cards) {
                break;
            } else {
                std::mem::swap(&mut self.first, &mut self.next);
                row.begin_profile(&self.first);
                row.add_card(&self.first);
            }
            self.has_next = false;
        }
        Ok(window.profiles() > 0)
    }

    /// A column with its position, from 1.
    pub(crate) fn column(&self, column: Column) -> (Column, usize) {
        (column, self.header.position(column))
    }

    /// Digest of what was read so far. The same calls on the same file give the same digests; at the end it is the SHA-256 of
    /// the whole file.
    pub fn digest(&self) -> Digest {
        self.records.input().digest()
    }
}

/// Reads the next line that has a value. Returns whether there is one.
fn advance(
    records: &mut Records,
    record: &mut Record,
    is_at_end: &mut bool,
    header: &Header,
    faults: &mut Faults,
) -> Result<bool, FileError> {
    while !*is_at_end {
        match records.next(record)? {
            Line::End => *is_at_end = true,
            Line::TooLong => {
                faults.add(record.line, None, FaultKind::LineTooLong);
                *is_at_end = true;
            }
            Line::OpenQuotation => {
                faults.add(record.line, None, FaultKind::OpenQuotation);
                *is_at_end = true;
            }
            // Excel writes delimiters alone where cells were emptied.
            Line::Record if record.is_blank() => {}
            Line::Record => {
                check_width(record, header, faults);
                check_end(record, header, faults);
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Refuses values beyond the header's columns. Fewer are fine: Excel leaves out delimiters before empty last cells.
fn check_width(record: &Record, header: &Header, faults: &mut Faults) {
    let expected = header.width();
    let mut beyond = expected..record.len();
    if beyond.any(|at| !record.field(at).trim_ascii().is_empty()) {
        let columns = record.len();
        faults.add(record.line, None, FaultKind::Width { columns, expected });
    }
}

/// Refuses a last line that may be cut off: without a line end, and with fewer columns than the header, or with a last column that is
/// a year of two digits, perhaps the first two of four.
fn check_end(record: &Record, header: &Header, faults: &mut Faults) {
    if !record.has_no_line_end() {
        return;
    }
    let expected = header.width();
    let is_half_year = record.len() == expected
        && header.position(Column::PanExpirationYear) == expected
        && header.value(record, Column::PanExpirationYear).len() == 2;
    if record.len() < expected || is_half_year {
        faults.add(record.line, None, FaultKind::CutOff);
    }
}
