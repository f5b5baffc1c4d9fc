//! Faults of a card file: line, column and rule, never a value.

use std::fmt;

use crate::columns::Column;

/// Rule that a line breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The line has another number of columns than the header.
    Width {
        /// Columns of the line.
        columns: usize,
        /// Columns of the header.
        expected: usize,
    },
    /// A line, up to its next line end outside of quotes, is longer than 64 KiB.
    LineTooLong,
    /// The file ends between quotation marks.
    OpenQuotation,
    /// The last line has no line end, and may have lost columns or digits.
    CutOff,
    /// A required value is empty.
    Empty,
    /// Neither an e-mail address nor a mobile number.
    NoContact,
    /// A mobile number without its country calling code, or the reverse.
    HalfMobileNumber,
    /// A value is longer than the given number of characters.
    TooLong(usize),
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// A control character, a line break among them.
    ControlCharacter,
    /// An id with other characters than `[A-Za-z0-9._-]`.
    IdCharacters,
    /// An id that contains a card number.
    IdIsCardNumber,
    /// A number in scientific notation, as Excel writes long numbers.
    ScientificNotation,
    /// A card number with something else than digits.
    NotDigits,
    /// A card number of fewer than 12 or more than 19 digits.
    NumberLength,
    /// A card number whose check digit is wrong.
    CheckDigit,
    /// A card number of another network.
    OtherNetwork,
    /// A month other than 1 to 12.
    Month,
    /// A year that is not of two or four digits in this century.
    Year,
    /// No e-mail address.
    EmailAddress,
    /// No country calling code, or no national number.
    PhoneNumber,
    /// No country code of two letters.
    CountryCode,
    /// No language code of two letters.
    LanguageCode,
    /// Another value than in the profile's first line.
    DiffersFromProfile {
        /// First line of the profile.
        first: u64,
    },
    /// The profile has lines elsewhere in the file.
    ProfileApart {
        /// A line of the same profile, with other profiles between.
        other: u64,
    },
    /// The card's id stands in another line too.
    CardIdTwice {
        /// The other line.
        other: u64,
    },
    /// The profile has more than 250 cards.
    ProfileTooLarge,
    /// The profile's values have more than 256 KiB.
    ProfileTooLong,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Width { columns, expected } => {
                return write!(formatter, "has {columns} columns, the header {expected}");
            }
            Self::TooLong(limit) => return write!(formatter, "is longer than {limit} characters"),
            Self::DiffersFromProfile { first } => {
                return write!(formatter, "differs from the profile's first line, {first}");
            }
            Self::ProfileApart { other } => {
                return write!(
                    formatter,
                    "belongs to the profile of line {other}; lines of a profile stand together"
                );
            }
            Self::CardIdTwice { other } => return write!(formatter, "is the id of the card in line {other}"),
            Self::LineTooLong => "is longer than 64 KiB; is a quotation mark missing?",
            Self::OpenQuotation => "has a quotation mark that is not closed at the end of the file",
            Self::CutOff => "may be cut off; if it is complete, put a line end after it",
            Self::Empty => "is empty",
            Self::NoContact => "has neither an e-mail address nor a mobile number",
            Self::HalfMobileNumber => "needs mobileCountryCode and mobilePhoneNumber, or neither",
            Self::NotUtf8 => "is not UTF-8; save the file as CSV UTF-8",
            Self::ControlCharacter => "contains a line break or another control character",
            Self::IdCharacters => {
                "has other characters than A-Z, a-z, 0-9, '.', '_' and '-', or is '.' or '..'"
            }
            Self::IdIsCardNumber => "contains a card number",
            Self::ScientificNotation => "is in scientific notation; format the column as text",
            Self::NotDigits => "has something else than digits",
            Self::NumberLength => "does not have 12 to 19 digits",
            Self::CheckDigit => "fails the check digit",
            Self::OtherNetwork => "is neither a Mastercard nor a Maestro number",
            Self::Month => "is not a month from 1 to 12",
            Self::Year => "is not a year such as 2029 or 29",
            Self::EmailAddress => "is not an e-mail address",
            Self::PhoneNumber => "is not a number of digits alone, without '+', or of a wrong length",
            Self::CountryCode => "is not a country code of two capital letters",
            Self::LanguageCode => "is not a language code of two small letters",
            Self::ProfileTooLong => "begins beyond 256 KiB of its profile; a batch has at most 512 KB",
            Self::ProfileTooLarge => "is the 251st card of its profile; a profile has at most 250",
        }
        .fmt(formatter)
    }
}

/// Fault of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Line of the file, from 1, the header being the first.
    pub line: u64,
    /// Column and its position from 1, if the fault is one column's.
    pub column: Option<(Column, usize)>,
    /// Broken rule.
    pub kind: FaultKind,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some((column, position)) => write!(
                formatter,
                "line {}, column {position} ({column}): {}",
                self.line, self.kind
            ),
            None => write!(formatter, "line {}: {}", self.line, self.kind),
        }
    }
}

/// Faults of a file: the first ones up to a limit, and the number of all.
#[derive(Debug, Clone)]
pub struct Faults {
    listed: Vec<Fault>,
    count: u64,
    limit: usize,
}

impl Faults {
    /// Collects up to `limit` faults, and counts the others.
    pub fn up_to(limit: usize) -> Self {
        Self {
            listed: Vec::new(),
            count: 0,
            limit,
        }
    }

    pub(crate) fn add(&mut self, line: u64, column: Option<(Column, usize)>, kind: FaultKind) {
        self.count += 1;
        if self.listed.len() < self.limit {
            self.listed.push(Fault { line, column, kind });
        }
    }

    /// The listed faults by line.
    pub(crate) fn sort(&mut self) {
        self.listed.sort_by_key(|fault| fault.line);
    }

    /// The faults that are listed.
    pub fn listed(&self) -> &[Fault] {
        &self.listed
    }

    /// Number of all faults.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether the file has none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}
