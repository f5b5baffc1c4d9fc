//! One line of a card file: its values checked and written as JSON.

use std::ops::Range;

use crate::MAX_BATCH_CARDS;
use crate::columns::{Column, Header};
use crate::content::{CARD_GROUPS, CONSUMER_GROUPS, CONSUMER_OPENING, Group, write_member};
use crate::fault::{FaultKind, Faults};
use crate::fields::{self, CardNumber};
use crate::reader::Layout;
use crate::records::Record;
use crate::window::{Card, MAX_PROFILE_BYTES, MAX_ROW_BYTES, Profile, Window};

/// Writes lines into a window.
pub(crate) struct RowWriter<'a> {
    pub(crate) header: &'a Header,
    pub(crate) layout: &'a Layout,
    pub(crate) window: &'a mut Window,
    pub(crate) faults: &'a mut Faults,
}

impl RowWriter<'_> {
    /// Begins a profile with its first line.
    pub(crate) fn begin_profile(&mut self, record: &Record) {
        let start = self.position();
        self.window.text.extend_from_slice(CONSUMER_OPENING);
        let id = self.id(record, Column::ExternalConsumerId);
        self.window.text.push(b'"');
        self.check_contact(record);
        self.groups(record, &CONSUMER_GROUPS);
        let cards = u32_of(self.window.cards.len());
        self.window.profiles.push(Profile {
            text: start..self.position(),
            id,
            cards: cards..cards,
            is_too_large: false,
        });
    }

    /// Adds a line's card to the profile that was begun last.
    pub(crate) fn add_card(&mut self, record: &Record) {
        let Some(profile) = self.window.profiles.last_mut() else {
            return;
        };
        let kind = if profile.cards.len() >= MAX_BATCH_CARDS {
            Some(FaultKind::ProfileTooLarge)
        } else if self.window.text.len() - profile.text.start as usize > MAX_PROFILE_BYTES {
            Some(FaultKind::ProfileTooLong)
        } else {
            None
        };
        if let Some(kind) = kind {
            if !std::mem::replace(&mut profile.is_too_large, true) {
                self.fault(record, Column::ExternalCardId, kind);
            }
            return;
        }
        profile.cards.end += 1;
        let start = self.position();
        self.window.text.extend_from_slice(b"{\"");
        self.window
            .text
            .extend_from_slice(self.layout.card_id_name.as_str().as_bytes());
        self.window.text.extend_from_slice(b"\":\"");
        let id = self.id(record, Column::ExternalCardId);
        let account_range = self.number(record);
        let month = fields::month(self.header.value(record, Column::PanExpirationMonth));
        let month = self.accepted(record, Column::PanExpirationMonth, month);
        self.member(br#"","panExpirationMonth":""#, &month.unwrap_or_default());
        let year = fields::year(self.header.value(record, Column::PanExpirationYear));
        let year = self.accepted(record, Column::PanExpirationYear, year);
        self.member(br#"","panExpirationYear":""#, &year.unwrap_or_default());
        self.window.text.push(b'"');
        self.groups(record, &CARD_GROUPS);
        self.window.text.push(b'}');
        let text = start..self.position();
        self.window.cards.push(Card {
            text,
            id,
            account_range,
            line: record.line,
        });
    }

    /// Checks that a later line describes the same consumer as the profile's first one.
    pub(crate) fn check_consumer(&mut self, first: &Record, record: &Record) {
        for column in Column::OF_CONSUMER {
            let value = self.header.value(record, column);
            if !value.is_empty() && value != self.header.value(first, column) {
                self.fault(
                    record,
                    column,
                    FaultKind::DiffersFromProfile { first: first.line },
                );
            }
        }
    }

    fn check_contact(&mut self, record: &Record) {
        let has = |column| !self.header.value(record, column).is_empty();
        let (code, number) = (has(Column::MobileCountryCode), has(Column::MobilePhoneNumber));
        if code != number {
            self.faults.add(record.line, None, FaultKind::HalfMobileNumber);
        } else if !code && !has(Column::EmailAddress) {
            self.faults.add(record.line, None, FaultKind::NoContact);
        }
    }

    fn groups(&mut self, record: &Record, groups: &[Group]) {
        for group in groups {
            let is_absent = |(column, _): &(Column, &str)| self.header.value(record, *column).is_empty();
            if group.members.iter().all(is_absent) {
                continue;
            }
            self.window.text.extend_from_slice(group.opening);
            for (column, name) in group.members {
                self.optional_value(record, *column, name);
            }
            self.window.text.extend_from_slice(group.closing);
        }
    }

    fn optional_value(&mut self, record: &Record, column: Column, name: &str) {
        let value = self.header.value(record, column);
        if value.is_empty() {
            return;
        }
        let checked = match column {
            Column::EmailAddress => fields::email_address(value),
            Column::MobileCountryCode => fields::calling_code(value),
            Column::MobilePhoneNumber => fields::national_number(value),
            Column::CountryCode | Column::AddressCountryCode => fields::country(value),
            Column::LanguageCode => fields::language(value),
            Column::AddressPostalCode => fields::text(value, fields::MAX_POSTAL_CODE).map(|_| ()),
            _ => fields::text(value, fields::MAX_TEXT).map(|_| ()),
        };
        if self.accepted(record, column, checked).is_some() && self.window.room() > MAX_ROW_BYTES {
            write_member(&mut self.window.text, name, value);
        }
    }

    fn id(&mut self, record: &Record, column: Column) -> Range<u32> {
        let value = self.header.value(record, column);
        let checked = fields::id(value);
        let start = self.position();
        if self.accepted(record, column, checked).is_some() && self.window.room() > MAX_ROW_BYTES {
            self.window.text.extend_from_slice(value);
        }
        start..self.position()
    }

    fn number(&mut self, record: &Record) -> u64 {
        let value = self.header.value(record, Column::PrimaryAccountNumber);
        let read = match value {
            [] => Err(FaultKind::Empty),
            _ => CardNumber::read(value),
        };
        let Some(number) = self.accepted(record, Column::PrimaryAccountNumber, read) else {
            return 0;
        };
        self.member(br#"","primaryAccountNumber":""#, number.as_bytes());
        number.account_range(self.layout.range_digits)
    }

    fn member(&mut self, name: &[u8], value: &[u8]) {
        self.window.text.extend_from_slice(name);
        self.window.text.extend_from_slice(value);
    }

    fn accepted<T>(&mut self, record: &Record, column: Column, checked: Result<T, FaultKind>) -> Option<T> {
        checked.map_err(|kind| self.fault(record, column, kind)).ok()
    }

    fn fault(&mut self, record: &Record, column: Column, kind: FaultKind) {
        let column = (column, self.header.position(column));
        self.faults.add(record.line, Some(column), kind);
    }

    fn position(&self) -> u32 {
        u32_of(self.window.text.len())
    }
}

/// A window has less than 16 MiB.
fn u32_of(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
