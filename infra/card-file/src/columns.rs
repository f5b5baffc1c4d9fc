//! Columns of a card file, and the header that names them.

use std::fmt;

use crate::error::FileError;
use crate::records::Record;

/// Column of a card file. A header's spelling counts without case, blanks, `_` and `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The issuer's id of the consumer. Lines of one consumer form a profile.
    ExternalConsumerId,
    /// The issuer's id of the card.
    ExternalCardId,
    /// Card number, 12 to 19 digits; blanks and hyphens between them are dropped.
    PrimaryAccountNumber,
    /// Month of expiry, 1 to 12.
    PanExpirationMonth,
    /// Year of expiry, of four digits, or the last two of 20xx.
    PanExpirationYear,
    /// The cardholder's name as on the card.
    CardholderFullName,
    /// The consumer's e-mail address.
    EmailAddress,
    /// Country calling code of the mobile number, such as 420.
    MobileCountryCode,
    /// Mobile number without the country calling code.
    MobilePhoneNumber,
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// Country of the consumer's locale, ISO 3166-1 alpha-2.
    CountryCode,
    /// Language of the consumer's locale, ISO 639-1.
    LanguageCode,
    /// First line of the cardholder's address.
    AddressLine1,
    /// Second line of the cardholder's address.
    AddressLine2,
    /// Third line of the cardholder's address.
    AddressLine3,
    /// City of the cardholder's address.
    AddressCity,
    /// State or province of the cardholder's address.
    AddressState,
    /// Postal code of the cardholder's address.
    AddressPostalCode,
    /// Country of the cardholder's address, ISO 3166-1 alpha-2.
    AddressCountryCode,
}

impl Column {
    /// All columns, in the order of the sample.
    pub const ALL: [Self; 20] = [
        Self::ExternalConsumerId,
        Self::ExternalCardId,
        Self::PrimaryAccountNumber,
        Self::PanExpirationMonth,
        Self::PanExpirationYear,
        Self::CardholderFullName,
        Self::EmailAddress,
        Self::MobileCountryCode,
        Self::MobilePhoneNumber,
        Self::FirstName,
        Self::LastName,
        Self::CountryCode,
        Self::LanguageCode,
        Self::AddressLine1,
        Self::AddressLine2,
        Self::AddressLine3,
        Self::AddressCity,
        Self::AddressState,
        Self::AddressPostalCode,
        Self::AddressCountryCode,
    ];

    /// Columns that every card file has.
    pub const REQUIRED: [Self; 5] = [
        Self::ExternalConsumerId,
        Self::ExternalCardId,
        Self::PrimaryAccountNumber,
        Self::PanExpirationMonth,
        Self::PanExpirationYear,
    ];

    /// Columns that describe the consumer: equal on all lines of a profile, or empty after its first.
    pub(crate) const OF_CONSUMER: [Self; 7] = [
        Self::EmailAddress,
        Self::MobileCountryCode,
        Self::MobilePhoneNumber,
        Self::FirstName,
        Self::LastName,
        Self::CountryCode,
        Self::LanguageCode,
    ];

    /// Name in the header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExternalConsumerId => "externalConsumerId",
            Self::ExternalCardId => "externalCardId",
            Self::PrimaryAccountNumber => "primaryAccountNumber",
            Self::PanExpirationMonth => "panExpirationMonth",
            Self::PanExpirationYear => "panExpirationYear",
            Self::CardholderFullName => "cardholderFullName",
            Self::EmailAddress => "emailAddress",
            Self::MobileCountryCode => "mobileCountryCode",
            Self::MobilePhoneNumber => "mobilePhoneNumber",
            Self::FirstName => "firstName",
            Self::LastName => "lastName",
            Self::CountryCode => "countryCode",
            Self::LanguageCode => "languageCode",
            Self::AddressLine1 => "addressLine1",
            Self::AddressLine2 => "addressLine2",
            Self::AddressLine3 => "addressLine3",
            Self::AddressCity => "addressCity",
            Self::AddressState => "addressState",
            Self::AddressPostalCode => "addressPostalCode",
            Self::AddressCountryCode => "addressCountryCode",
        }
    }

    /// Finds a column by a header's spelling.
    pub(crate) fn named(header: &[u8]) -> Option<Self> {
        let plain: String = std::str::from_utf8(header)
            .ok()?
            .chars()
            .filter(|character| !character.is_whitespace() && !matches!(character, '_' | '-' | '\u{feff}'))
            .map(|character| character.to_ascii_lowercase())
            .collect();
        // The successor's name of the same id (docs/batches.md).
        if plain == "externalcredentialid" {
            return Some(Self::ExternalCardId);
        }
        Self::ALL
            .into_iter()
            .find(|column| column.name().eq_ignore_ascii_case(&plain))
    }
}

impl fmt::Display for Column {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Positions of the columns in a file's lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    positions: [Option<u16>; Column::ALL.len()],
    width: usize,
}

impl Header {
    /// Reads the header line. Names that are unknown, missing or double are refused; empty ones at the end are not counted.
    pub(crate) fn read(record: &Record) -> Result<Self, FileError> {
        let mut filled = (0..record.len()).filter(|at| !record.field(*at).trim_ascii().is_empty());
        let width = filled.next_back().map_or(0, |at| at + 1);
        let mut positions = [None; Column::ALL.len()];
        let mut unknown = None;
        let mut known = 0;
        for at in 0..width {
            match Column::named(record.field(at)) {
                Some(column) if positions[column as usize].is_some() => {
                    return Err(FileError::DoubleColumn(column));
                }
                Some(column) => {
                    positions[column as usize] = u16::try_from(at).ok();
                    known += 1;
                }
                None => unknown = unknown.or(Some(at + 1)),
            }
        }
        if known == 0 {
            return Err(FileError::NoHeader);
        }
        if let Some(position) = unknown {
            return Err(FileError::UnknownColumn(position));
        }
        let missing = Column::REQUIRED
            .into_iter()
            .find(|column| positions[*column as usize].is_none());
        match missing {
            Some(column) => Err(FileError::MissingColumn(column)),
            None => Ok(Self { positions, width }),
        }
    }

    /// Number of columns.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Position of a column, from 1; 0 where the file does not have it.
    pub(crate) fn position(&self, column: Column) -> usize {
        self.positions[column as usize].map_or(0, |at| usize::from(at) + 1)
    }

    /// A line's value of a column without blanks around it; empty where the file does not have the column.
    pub(crate) fn value<'a>(&self, record: &'a Record, column: Column) -> &'a [u8] {
        self.positions[column as usize]
            .map_or(&b""[..], |at| record.field(usize::from(at)))
            .trim_ascii()
    }
}

/// Counts the names of a header line that are columns, for the choice of a delimiter.
pub(crate) fn known_names(record: &Record) -> usize {
    (0..record.len())
        .filter(|at| Column::named(record.field(*at)).is_some())
        .count()
}
