//! Logging of values that can't come from outside.
//!
//! Foreign text (a fault's description, a header, a body, a library's message that quotes its input) may contain a card
//! number, a name or an address, and is never logged. The types enforce it: [`error!`], [`warn!`], [`info!`] and [`debug!`]
//! take a literal message and fields of [`Loggable`] types. Those contain only values of this code (fixed words, numbers,
//! times, random ids) or values that an operator has registered (clients, programs). There is no implementation for
//! `String`, for borrowed text, or for errors of other crates.
//!
//! ```
//! use enrollment::log::{LogText, warn};
//!
//! let failure = LogText::from("no answer").with(3).with("times");
//! warn!(error = failure, attempt = 3, "a call failed");
//! ```
//!
//! ```compile_fail
//! let name = String::from("foreign text");
//! enrollment::log::warn!(name, "foreign text");
//! ```
//!
//! ```compile_fail
//! fn log(header: &str) {
//!     enrollment::log::warn!(header, "borrowed text may be foreign");
//! }
//! ```

use std::borrow::Cow;
use std::fmt;

use tracing::Span;
use tracing::field::{Value, display};

use crate::batch::BatchId;
use crate::confirmation::ConfirmationId;
use crate::identifiers::{ClientId, IncidentId, IntentId, Malformed, ProgramId};
use crate::status::{MrsCode, Status};

pub use crate::{
    log_by_display as by_display, log_debug as debug, log_error as error, log_info as info, log_warn as warn,
};

pub use tracing::Instrument;

#[doc(hidden)]
pub use tracing;

/// Longest foreign code that is logged, in characters.
const LONGEST_CODE: usize = 64;
/// Number of digits in a row that makes a foreign code suspicious.
const SUSPICIOUS_DIGITS: usize = 4;

/// Type whose values may all be logged: fixed words, numbers, times, random ids, and names that an operator registered.
pub trait Loggable {
    /// Returns the value as a field of a log line.
    fn field(&self) -> impl Value + '_;
}

/// Text of fixed words of this code, numbers, and codes of a closed form.
#[derive(Clone, PartialEq, Eq)]
pub struct LogText(Cow<'static, str>);

impl LogText {
    /// Takes the displayed text of a value.
    pub fn of(value: impl Loggable + fmt::Display) -> Self {
        Self(value.to_string().into())
    }

    /// Joins a word and a number, such as `http_502`.
    pub fn numbered(word: &'static str, number: impl Into<u64>) -> Self {
        Self(format!("{word}{}", number.into()).into())
    }

    /// Appends a blank and another value.
    #[must_use]
    pub fn with(self, value: impl Loggable + fmt::Display) -> Self {
        Self(format!("{} {value}", self.0).into())
    }

    /// Appends a colon and the cause.
    #[must_use]
    pub fn because(self, value: impl Loggable + fmt::Display) -> Self {
        Self(format!("{}: {value}", self.0).into())
    }

    /// Takes a foreign code: itself if its form is closed (`[A-Z][A-Z0-9_-]{0,63}`, without four digits in a row), otherwise
    /// its length.
    pub fn foreign_code(code: &str) -> Self {
        if is_closed_code(code) {
            Self(code.to_owned().into())
        } else {
            Self::from("a code of")
                .with(code.chars().count())
                .with("characters")
        }
    }

    /// Takes a foreign correlation id: a UUID, or 8 to 64 hexadecimal digits; `None` for anything else. Digits alone could
    /// be a card number, so at least one letter is required.
    pub fn correlation(id: &str) -> Option<Self> {
        is_correlation(id).then(|| Self(id.to_owned().into()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a foreign code may be logged: `[A-Z][A-Z0-9_-]{0,63}`, without four digits in a row.
pub fn is_closed_code(code: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    code.len() <= LONGEST_CODE
        && code.as_bytes().first().is_some_and(u8::is_ascii_uppercase)
        && code.bytes().all(allowed)
        && !code
            .as_bytes()
            .windows(SUSPICIOUS_DIGITS)
            .any(|run| run.iter().all(u8::is_ascii_digit))
}

fn is_correlation(id: &str) -> bool {
    let is_hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_letter = id.bytes().any(|byte| byte.is_ascii_alphabetic());
    let parts: Vec<&str> = id.split('-').collect();
    let is_uuid =
        parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| is_hex(part));
    has_letter && (is_uuid || (8..=64).contains(&id.len()) && is_hex(id))
}

/// Opens the span of one request: every line in it carries the incident id.
pub fn request(incident: &IncidentId) -> Span {
    tracing::span!(tracing::Level::INFO, "request", incident = incident.as_str())
}

impl From<&'static str> for LogText {
    fn from(words: &'static str) -> Self {
        Self(Cow::Borrowed(words))
    }
}

impl fmt::Display for LogText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for LogText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

/// Makes types [`Loggable`] by their `Display`. Use it only for types that display nothing but fixed words, numbers and other
/// loggable values.
#[macro_export]
macro_rules! log_by_display {
    ($($kind:ty),+ $(,)?) => {
        $(impl $crate::log::Loggable for $kind {
            fn field(&self) -> impl $crate::log::tracing::Value + '_ {
                $crate::log::tracing::field::display(self)
            }
        })+
    };
}

by_display!(
    &'static str,
    LogText,
    // Registered by an operator.
    ClientId,
    ProgramId,
    // A hash.
    BatchId,
    // Random, or derived from random values.
    ConfirmationId,
    IncidentId,
    // Of fixed words and numbers.
    Malformed,
    Status,
);

/// Logs numbers and bools as they are.
macro_rules! by_their_value {
    ($($kind:ty),+ $(,)?) => {
        $(impl Loggable for $kind {
            fn field(&self) -> impl Value + '_ {
                *self
            }
        })+
    };
}

by_their_value!(bool, i32, i64, u8, u16, u32, u64, usize);

impl Loggable for IntentId {
    fn field(&self) -> impl Value + '_ {
        display(self.to_hex())
    }
}

impl Loggable for MrsCode {
    fn field(&self) -> impl Value + '_ {
        self.0
    }
}

impl<T: Loggable> Loggable for Option<T> {
    fn field(&self) -> impl Value + '_ {
        self.as_ref().map(Loggable::field)
    }
}

impl<T: Loggable> Loggable for &T {
    fn field(&self) -> impl Value + '_ {
        (*self).field()
    }
}

/// Logs an error that needs an operator.
#[macro_export]
macro_rules! log_error {
    ($($line:tt)+) => { $crate::log_event!(ERROR, $($line)+) };
}

/// Logs a failure that is retried or handled.
#[macro_export]
macro_rules! log_warn {
    ($($line:tt)+) => { $crate::log_event!(WARN, $($line)+) };
}

/// Logs an event.
#[macro_export]
macro_rules! log_info {
    ($($line:tt)+) => { $crate::log_event!(INFO, $($line)+) };
}

/// Logs a detail for developers.
#[macro_export]
macro_rules! log_debug {
    ($($line:tt)+) => { $crate::log_event!(DEBUG, $($line)+) };
}

/// Emits the message as it is: it is no format string.
#[doc(hidden)]
#[macro_export]
macro_rules! log_event {
    ($level:ident, $($(%)? $name:ident $(= $(%)? $value:expr)?,)* $message:literal $(,)?) => {
        $crate::log::tracing::event!(
            $crate::log::tracing::Level::$level,
            message = $message,
            $($name = $crate::log::Loggable::field(&$crate::log_value!($name $(, $value)?)),)*
        )
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! log_value {
    ($name:ident) => {
        $name
    };
    ($name:ident, $value:expr) => {
        $value
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn foreign_code_is_shown_only_in_its_closed_form() {
        for code in ["INVALID_CLIENT_CERT", "X", "A-1", "AB123_456"] {
            assert_eq!(LogText::foreign_code(code).as_str(), code);
        }
        for code in [
            "",
            "a",
            "1A",
            "_A",
            "A B",
            "MARIA@EXAMPLE",
            "CARD_5234",
            "CARD-5234-0000",
            "Ä",
            &"A".repeat(65),
        ] {
            let shown = LogText::foreign_code(code);
            let length = code.chars().count();
            assert_eq!(shown.as_str(), format!("a code of {length} characters"));
        }
    }

    #[test]
    fn text_is_made_of_words_and_numbers() {
        let text = LogText::from("schema").with(3).because("newer than").with(1_u32);
        assert_eq!(text.to_string(), "schema 3: newer than 1");
    }

    proptest! {
        #[test]
        fn no_four_digits_come_through_a_foreign_code(code in "[A-Z][A-Z0-9_-]{0,70}") {
            let digits = |text: &str| text.as_bytes().windows(4).any(|run| run.iter().all(u8::is_ascii_digit));
            prop_assert!(!digits(LogText::foreign_code(&code).as_str()));
        }
    }
}
