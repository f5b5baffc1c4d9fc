//! Lines of a card file, split into fields.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use zeroize::Zeroize as _;

use crate::columns::known_names;
use crate::error::FileError;
use crate::input::Input;

/// Bytes of the longest line. A missing quotation mark would otherwise make the rest of the file one field.
const MAX_RECORD_BYTES: usize = 64 * 1024;
/// Fields of a line that are separated; more are counted as this number.
const MAX_FIELDS: usize = 256;
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// One line, split into fields.
pub(crate) struct Record {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
    /// Line at which it begins, from 1.
    pub(crate) line: u64,
    /// Whether the file ended before the line did.
    has_no_line_end: bool,
}

impl Record {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![0; MAX_RECORD_BYTES],
            ends: vec![0; MAX_FIELDS],
            fields: 0,
            line: 0,
            has_no_line_end: false,
        }
    }

    /// Whether the file ended before the line did.
    pub(crate) fn has_no_line_end(&self) -> bool {
        self.has_no_line_end
    }

    /// Number of fields.
    pub(crate) fn len(&self) -> usize {
        self.fields
    }

    /// Field at a position from 0; empty beyond the last.
    pub(crate) fn field(&self, at: usize) -> &[u8] {
        if at >= self.fields {
            return b"";
        }
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }

    /// Whether no field has anything but blanks.
    pub(crate) fn is_blank(&self) -> bool {
        let end = self.fields.checked_sub(1).map_or(0, |last| self.ends[last]);
        self.bytes[..end].trim_ascii().is_empty()
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// Result of reading one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// The record was filled.
    Record,
    /// The line is longer than the limit; the rest of the file can't be split.
    TooLong,
    /// The file ends between quotation marks.
    OpenQuotation,
    /// The end of the file.
    End,
}

/// Reader of lines.
pub(crate) struct Records {
    input: Input,
    reader: Reader,
    line: u64,
}

impl Records {
    /// Chooses the delimiter by the names of the header, which `record` receives.
    pub(crate) fn open(mut input: Input, record: &mut Record) -> Result<Self, FileError> {
        let (delimiter, line) = match declared_delimiter(input.peek()) {
            Some((delimiter, length)) => {
                input.consume(length);
                (delimiter, 2)
            }
            None => (detected_delimiter(input.peek(), record), 1),
        };
        if has_bare_carriage_returns(input.peek()) {
            return Err(FileError::BareCarriageReturns);
        }
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        let mut records = Self { input, reader, line };
        match records.next(record)? {
            Line::Record => Ok(records),
            Line::TooLong | Line::OpenQuotation => Err(FileError::NoHeader),
            Line::End => Err(FileError::Empty),
        }
    }

    pub(crate) fn input(&self) -> &Input {
        &self.input
    }

    /// Reads the next line that is not empty.
    pub(crate) fn next(&mut self, record: &mut Record) -> Result<Line, FileError> {
        if !self.skip_line_ends()? {
            return Ok(Line::End);
        }
        record.line = self.line;
        record.has_no_line_end = false;
        let (mut bytes, mut ends) = (0, 0);
        self.reader.set_line(0);
        let result = loop {
            let mut input = self.input.fill()?;
            if input.is_empty() {
                // A line end of one's own tells a line that ends here from one that is still between quotation marks.
                if record.has_no_line_end {
                    break Line::OpenQuotation;
                }
                record.has_no_line_end = true;
                input = b"\n";
            }
            let (result, read, written, ended) =
                self.reader
                    .read_record(input, &mut record.bytes[bytes..], &mut record.ends[ends..]);
            if !record.has_no_line_end {
                self.input.consume(read);
            }
            bytes += written;
            ends += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record => break Line::Record,
                ReadRecordResult::End => break Line::End,
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => break Line::TooLong,
            }
        };
        self.line += self.reader.line();
        record.fields = ends;
        Ok(result)
    }

    /// Skips line ends, so that the number of a line is that of its first byte. Returns whether anything follows.
    fn skip_line_ends(&mut self) -> Result<bool, FileError> {
        loop {
            let input = self.input.fill()?;
            match input.first() {
                None => return Ok(false),
                Some(b'\n') => self.line += 1,
                Some(b'\r') => {}
                Some(_) => return Ok(true),
            }
            self.input.consume(1);
        }
    }
}

/// Reads the line `sep=;`, by which Excel is told the delimiter: the delimiter, and the line's length without its end.
fn declared_delimiter(start: &[u8]) -> Option<(u8, usize)> {
    let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter, rest @ ..] = start else {
        return None;
    };
    let line_end = rest.iter().position(|byte| *byte == b'\n')?;
    (DELIMITERS.contains(delimiter) && rest[..line_end].trim_ascii().is_empty())
        .then_some((*delimiter, 5 + line_end + 1))
}

/// Chooses the delimiter under which the first line has the most known names.
fn detected_delimiter(start: &[u8], record: &mut Record) -> u8 {
    let names = |delimiter: &u8| {
        let mut reader = ReaderBuilder::new().delimiter(*delimiter).build();
        let (_, _, _, fields) = reader.read_record(start, &mut record.bytes, &mut record.ends);
        record.fields = fields;
        known_names(record)
    };
    let mut chosen = (DELIMITERS[0], 0);
    for (delimiter, names) in DELIMITERS.iter().zip(DELIMITERS.iter().map(names)) {
        if names > chosen.1 {
            chosen = (*delimiter, names);
        }
    }
    chosen.0
}

fn has_bare_carriage_returns(start: &[u8]) -> bool {
    let end = start.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    end.is_some_and(|end| {
        start[end] == b'\r'
            && start
                .get(end + 1)
                .is_some_and(|next| !matches!(next, b'\n' | b'\r'))
    })
}
