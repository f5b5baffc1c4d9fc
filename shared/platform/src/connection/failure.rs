//! Failures of a call, whatever its protocol.

use enrollment::log::LogText;

use super::deadline::OutOfTime;

/// Error of one of Mastercard's protocols, as far as the connection needs to know it.
pub trait ProtocolError: Send {
    /// One word for metrics.
    fn class(&self) -> &'static str;

    /// Whether Mastercard did not do its part, or could not be reached: not an answer about the card.
    fn is_fault(&self) -> bool;

    /// Whether the call had no effect because Mastercard does not accept the credentials: certificate, key or signature.
    fn refuses_credentials(&self) -> bool;
}

/// Reason for which a call did not succeed.
#[derive(Debug)]
pub enum CallError<E> {
    /// Mastercard or its gateway refused, answered beyond understanding, or could not be reached.
    Protocol(E),
    /// The call was not made: there is no client certificate that can be used, or no client can be built.
    NotReady(LogText),
    /// The function had no time left.
    OutOfTime(OutOfTime),
}

impl<E: ProtocolError> CallError<E> {
    /// One word for metrics.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Protocol(error) => error.class(),
            Self::NotReady(_) => "unready",
            Self::OutOfTime(OutOfTime::NotSent) => "no_time",
            Self::OutOfTime(OutOfTime::Interrupted) => "cut",
        }
    }

    /// Whether this is anything but an answer about the card.
    pub fn is_fault(&self) -> bool {
        match self {
            Self::Protocol(error) => error.is_fault(),
            Self::NotReady(_) | Self::OutOfTime(_) => true,
        }
    }

    pub(super) fn refuses_credentials(&self) -> bool {
        matches!(self, Self::Protocol(error) if error.refuses_credentials())
    }
}
