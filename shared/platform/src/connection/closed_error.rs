//! Errors of the crate `mastercard` as values of the log.

use std::fmt::{self, Display};

use enrollment::log::{LogText, Loggable};
use mastercard::http::{HttpSetupError, IdentityError, TrustError};
use mastercard::{NotSent, Unknown};
use tracing::Value;
use tracing::field::display;

/// Error whose `Display` has closed words, numbers and lengths only, and never text that Mastercard wrote.
pub(crate) trait ClosedError: Display {}

impl ClosedError for NotSent {}
impl ClosedError for Unknown {}
impl ClosedError for HttpSetupError {}
impl ClosedError for IdentityError {}
impl ClosedError for TrustError {}
impl<E: ClosedError> ClosedError for &E {}

/// Text of the log for such an error.
pub(crate) fn log_text(error: impl ClosedError) -> LogText {
    LogText::of(Shown(error))
}

struct Shown<E>(E);

impl<E: ClosedError> Display for Shown<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<E: ClosedError> Loggable for Shown<E> {
    fn field(&self) -> impl Value + '_ {
        display(self)
    }
}
