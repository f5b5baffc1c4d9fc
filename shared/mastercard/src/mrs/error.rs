use std::fmt;

use thiserror::Error;

use crate::{
    failure::{NotSent, Unknown},
    foreign::{CorrelationId, ForeignText},
    gateway::GatewayReason,
    http::SendError,
};

/// Error of a call to MRS. The three kinds are three decisions: tell the customer, try again, ask MRS. `Display` has
/// words of this crate, numbers and codes, never text of the other side.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MrsError {
    /// MRS answered with a code.
    #[error("MRS refused: {0}")]
    Fault(Fault),
    /// The call certainly did not reach MRS.
    #[error("the call did not reach MRS: {reason}")]
    NotSent {
        /// Reason.
        reason: NotSent,
        /// Mastercard's id of the call, if its gateway answered with one.
        correlation: Option<CorrelationId>,
    },
    /// The call may have been carried out.
    #[error("unknown whether MRS carried out the call: {reason}")]
    Unknown {
        /// Reason.
        reason: Unknown,
        /// Mastercard's id of the call, if there was an answer with one.
        correlation: Option<CorrelationId>,
    },
}

/// Fault: MRS's explanation of a call that it did not carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Code of the fault.
    pub code: FaultCode,
    /// Texts of the fault, a line each, with the names of their elements.
    pub text: ForeignText,
    /// Whether the same call may succeed later, if MRS says so.
    pub recoverable: Option<bool>,
    /// Mastercard's id of the call, if the answer has one.
    pub correlation: Option<CorrelationId>,
}

/// Codes of `docs/sources.md#widget`, "All potential statuses from MRS".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultCode {
    /// 0: success. A fault with this code contradicts itself.
    Success,
    /// -1: invalid parameters.
    InvalidParameters,
    /// -5: the account was not found in MRS.
    AccountNotFound,
    /// -10: invalid account status.
    InvalidAccountStatus,
    /// -32: invalid program id.
    InvalidProgramId,
    /// -44: invalid bank account number, such as a card number that fails the Luhn check.
    InvalidBankAccountNumber,
    /// -45: the card is enrolled already.
    BankAccountNumberAlreadyEnrolled,
    /// -46: invalid bank product code.
    InvalidBankProductCode,
    /// -47: invalid account status code.
    InvalidAccountStatusCode,
    /// -48: invalid program identifier.
    InvalidProgramIdentifier,
    /// -50: the bank customer number is enrolled already.
    BankCustomerNumberAlreadyEnrolled,
    /// -52: the card does not qualify for the program.
    AccountNotQualified,
    /// -85: the bank account number does not exist.
    BankAccountNumberDoesNotExist,
    /// -1001: an error at MRS. The call may have been carried out in part.
    ServerSideError,
    /// Code that the document does not list.
    Other(i32),
}

impl MrsError {
    /// Whether the call may have been carried out: its outcome is unknown, MRS reports an error of its own (-1001), or
    /// it contradicts itself (a fault with code 0).
    pub fn leaves_outcome_open(&self) -> bool {
        match self {
            Self::Fault(fault) => matches!(fault.code, FaultCode::ServerSideError | FaultCode::Success),
            Self::NotSent { .. } => false,
            Self::Unknown { .. } => true,
        }
    }

    /// Text of the other side about the error, if any. It has to be sealed and must not be logged.
    pub fn foreign_text(&self) -> Option<&ForeignText> {
        let text = match self {
            Self::Fault(fault) => &fault.text,
            Self::NotSent {
                reason: NotSent::Gateway(error),
                ..
            }
            | Self::Unknown {
                reason: Unknown::Gateway(error),
                ..
            } => &error.text,
            Self::Unknown {
                reason: Unknown::FaultWithoutCode(text),
                ..
            } => text,
            Self::NotSent { .. } | Self::Unknown { .. } => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// Mastercard's id of the call, by which its support finds it.
    pub fn correlation(&self) -> Option<&CorrelationId> {
        match self {
            Self::Fault(fault) => fault.correlation.as_ref(),
            Self::NotSent { correlation, .. } | Self::Unknown { correlation, .. } => correlation.as_ref(),
        }
    }

    /// Adds Mastercard's id of the call.
    pub(super) fn of_call(mut self, id: Option<CorrelationId>) -> Self {
        match &mut self {
            Self::Fault(fault) => fault.correlation = id,
            Self::NotSent { correlation, .. } | Self::Unknown { correlation, .. } => *correlation = id,
        }
        self
    }

    /// Kind of error as one word for logs and metrics.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Fault(_) => "fault",
            Self::NotSent { reason, .. } => match reason {
                NotSent::NoClientCertificate => "invalid_client_cert",
                NotSent::Gateway(error) => match error.reason {
                    GatewayReason::InvalidClientCert => "invalid_client_cert",
                    GatewayReason::AuthenticationFailed => "authentication_failed",
                    GatewayReason::InvalidBodyHash => "invalid_body_hash",
                    GatewayReason::Other(_) => "refused_by_gateway",
                },
                _ => "not_sent",
            },
            Self::Unknown { .. } => "unknown",
        }
    }
}

impl FaultCode {
    /// Number of the code.
    pub fn value(self) -> i32 {
        match self {
            Self::Success => 0,
            Self::InvalidParameters => -1,
            Self::AccountNotFound => -5,
            Self::InvalidAccountStatus => -10,
            Self::InvalidProgramId => -32,
            Self::InvalidBankAccountNumber => -44,
            Self::BankAccountNumberAlreadyEnrolled => -45,
            Self::InvalidBankProductCode => -46,
            Self::InvalidAccountStatusCode => -47,
            Self::InvalidProgramIdentifier => -48,
            Self::BankCustomerNumberAlreadyEnrolled => -50,
            Self::AccountNotQualified => -52,
            Self::BankAccountNumberDoesNotExist => -85,
            Self::ServerSideError => -1001,
            Self::Other(code) => code,
        }
    }

    /// Whether a look-up of an unknown bank customer number ends with this code (assumed), where it does not end with
    /// an empty list: -5 or -85. It may also mean that MRS does not know the institution by this name.
    pub fn says_not_enrolled(self) -> bool {
        matches!(self, Self::AccountNotFound | Self::BankAccountNumberDoesNotExist)
    }
}

impl From<i32> for FaultCode {
    fn from(code: i32) -> Self {
        match code {
            0 => Self::Success,
            -1 => Self::InvalidParameters,
            -5 => Self::AccountNotFound,
            -10 => Self::InvalidAccountStatus,
            -32 => Self::InvalidProgramId,
            -44 => Self::InvalidBankAccountNumber,
            -45 => Self::BankAccountNumberAlreadyEnrolled,
            -46 => Self::InvalidBankProductCode,
            -47 => Self::InvalidAccountStatusCode,
            -48 => Self::InvalidProgramIdentifier,
            -50 => Self::BankCustomerNumberAlreadyEnrolled,
            -52 => Self::AccountNotQualified,
            -85 => Self::BankAccountNumberDoesNotExist,
            -1001 => Self::ServerSideError,
            other => Self::Other(other),
        }
    }
}

impl From<SendError> for MrsError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotSent(reason) => reason.into(),
            SendError::Unknown(reason) => reason.into(),
        }
    }
}

impl From<NotSent> for MrsError {
    fn from(reason: NotSent) -> Self {
        Self::NotSent {
            reason,
            correlation: None,
        }
    }
}

impl From<Unknown> for MrsError {
    fn from(reason: Unknown) -> Self {
        Self::Unknown {
            reason,
            correlation: None,
        }
    }
}

impl fmt::Display for FaultCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.value())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_code_has_a_name() {
        for code in [0, -1, -5, -10, -32, -44, -45, -46, -47, -48, -50, -52, -85, -1001] {
            let named = FaultCode::from(code);
            assert!(!matches!(named, FaultCode::Other(_)), "{code}");
            assert_eq!(named.value(), code);
        }
        assert_eq!(FaultCode::from(-170), FaultCode::Other(-170));
        assert_eq!(FaultCode::Other(-170).to_string(), "-170");
    }

    #[test]
    fn only_errors_of_mrs_leave_the_outcome_open() {
        let fault = |code: i32| {
            MrsError::Fault(Fault {
                code: code.into(),
                text: ForeignText::default(),
                recoverable: None,
                correlation: None,
            })
        };
        assert!(fault(-1001).leaves_outcome_open());
        assert!(fault(0).leaves_outcome_open());
        assert!(!fault(-45).leaves_outcome_open());
        assert!(MrsError::from(Unknown::Timeout).leaves_outcome_open());
        assert!(!MrsError::from(NotSent::NoClientCertificate).leaves_outcome_open());
    }
}
