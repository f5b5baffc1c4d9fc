//! Failures that concern a card file as a whole.

use thiserror::Error;

use crate::columns::Column;

/// Reason for which a card file can't be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file can't be opened or read.
    #[error("can't be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// No byte, or nothing but a byte-order mark.
    #[error("is empty")]
    Empty,
    /// UTF-16 or UTF-32 without a mark, or a file of another program.
    #[error("has zero bytes; save it as CSV UTF-8, or as Unicode text")]
    ZeroBytes,
    /// A spreadsheet or another archive.
    #[error("is a spreadsheet or an archive; save it as CSV UTF-8")]
    Archive,
    /// UTF-16 that is damaged.
    #[error("is damaged UTF-16")]
    BrokenUtf16,
    /// Lines that end in CR alone.
    #[error("has lines that end in CR alone; save it with LF or CRLF")]
    BareCarriageReturns,
    /// No name of the first line is a column.
    #[error(
        "has no header: none of the names in line 1 is known; the columns are externalConsumerId, externalCardId, \
         primaryAccountNumber, … separated by commas, semicolons or tabs"
    )]
    NoHeader,
    /// A name of the header is no column; its position, from 1. The name is not repeated: it may be a card number.
    #[error("has an unknown name in its header, column {0}")]
    UnknownColumn(usize),
    /// A column that every card file needs is not in the header.
    #[error("has no column {0}")]
    MissingColumn(Column),
    /// A column is twice in the header.
    #[error("has the column {0} twice")]
    DoubleColumn(Column),
    /// Between two passes the file was changed.
    #[error("was changed while it was read")]
    Changed,
}
