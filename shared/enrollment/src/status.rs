//! Statuses for the partner, and MRS's codes, as in the widget document (`docs/sources.md#widget`); for batches as in
//! `docs/contract.md#batch-confirmation`.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::action::ActionCode;

/// Main status of an interaction (`docs/sources.md#widget`, "All the supported processes can have main statuses").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// The signature is invalid, or the partner has no access to that functionality.
    AccessDenied,
    /// The token or the session is past its time.
    TokenExpired,
    /// A required parameter is missing or invalid.
    InvalidParameters,
    /// The card is enrolled.
    SuccessEnrollment,
    /// The card was not enrolled.
    ErrorEnrollment,
    /// The new card is enrolled, and the old one is cancelled.
    SuccessReplacement,
    /// The old card stays as it was.
    ErrorReplacement,
    /// The card has left the program.
    SuccessRemoval,
    /// The card was not removed, or it is not known yet.
    ErrorRemoval,
    /// Every card of a batch has a final answer, failures among them.
    SuccessBatch,
    /// The batch was refused as a whole, ended by age, or is not accounted for.
    ErrorBatch,
}

impl Status {
    /// Text of the status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "ACCESS_DENIED",
            Self::TokenExpired => "TOKEN_EXPIRED",
            Self::InvalidParameters => "INVALID_PARAMETERS",
            Self::SuccessEnrollment => "SUCCESS_ENROLLMENT",
            Self::ErrorEnrollment => "ERROR_ENROLLMENT",
            Self::SuccessReplacement => "SUCCESS_REPLACEMENT",
            Self::ErrorReplacement => "ERROR_REPLACEMENT",
            Self::SuccessRemoval => "SUCCESS_REMOVAL",
            Self::ErrorRemoval => "ERROR_REMOVAL",
            Self::SuccessBatch => "SUCCESS_BATCH",
            Self::ErrorBatch => "ERROR_BATCH",
        }
    }

    /// Status of a stored text.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Status of `action` when it succeeds.
    pub fn success_of(action: ActionCode) -> Self {
        match action {
            ActionCode::Enroll => Self::SuccessEnrollment,
            ActionCode::Replace => Self::SuccessReplacement,
            ActionCode::OptOut => Self::SuccessRemoval,
        }
    }

    /// Status of `action` when it fails.
    pub fn failure_of(action: ActionCode) -> Self {
        match action {
            ActionCode::Enroll => Self::ErrorEnrollment,
            ActionCode::Replace => Self::ErrorReplacement,
            ActionCode::OptOut => Self::ErrorRemoval,
        }
    }

    /// Whether the customer, or the issuer, got what was asked for.
    pub fn is_success(self) -> bool {
        matches!(
            self,
            Self::SuccessEnrollment | Self::SuccessReplacement | Self::SuccessRemoval | Self::SuccessBatch
        )
    }

    const ALL: [Self; 11] = [
        Self::AccessDenied,
        Self::TokenExpired,
        Self::InvalidParameters,
        Self::SuccessEnrollment,
        Self::ErrorEnrollment,
        Self::SuccessReplacement,
        Self::ErrorReplacement,
        Self::SuccessRemoval,
        Self::ErrorRemoval,
        Self::SuccessBatch,
        Self::ErrorBatch,
    ];
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Status code of MRS, reported as text (`"statusCode":"-45"`). An unknown one is passed through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MrsCode(pub i32);

impl MrsCode {
    /// Server-side error, or no connection to MRS.
    pub const SERVER_ERROR: Self = Self(-1001);
    /// The account was not found.
    pub const ACCOUNT_NOT_FOUND: Self = Self(-5);
    /// There is no such account.
    pub const ACCOUNT_DOES_NOT_EXIST: Self = Self(-85);
    /// The bank customer number is enrolled already.
    pub const NUMBER_ENROLLED: Self = Self(-50);

    /// Meaning in the widget document, for logs and the operator; `None` for a code that it does not list.
    pub fn meaning(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "success",
            -1 => "invalid parameters",
            -5 => "account not found",
            -10 => "invalid account status",
            -32 => "invalid program id",
            -44 => "invalid bank account number",
            -45 => "bank account number already enrolled",
            -46 => "invalid bank product code",
            -47 => "invalid account status code",
            -48 => "invalid program identifier",
            -50 => "bank customer number already enrolled",
            -52 => "account not qualified for the program",
            -85 => "bank account number does not exist",
            -1001 => "server side error",
            _ => return None,
        })
    }
}

impl fmt::Display for MrsCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Serialize for MrsCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_reads_back_from_its_text() {
        for status in Status::ALL {
            assert_eq!(Status::from_text(status.as_str()), Some(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(status.to_string(), status.as_str());
        }
        assert_eq!(Status::from_text("success_enrollment"), None);
    }

    #[test]
    fn every_documented_code_has_a_meaning() {
        for code in [0, -1, -5, -10, -32, -44, -45, -46, -47, -48, -50, -52, -85, -1001] {
            assert!(MrsCode(code).meaning().is_some(), "{code}");
        }
        assert_eq!(MrsCode(-170).meaning(), None);
        assert_eq!(serde_json::to_value(MrsCode(-170)).unwrap(), "-170");
        assert_eq!(MrsCode(-170).to_string(), "-170");
    }

    #[test]
    fn named_codes_are_those_of_the_document() {
        for (code, meaning) in [
            (MrsCode::SERVER_ERROR, "server side error"),
            (MrsCode::ACCOUNT_NOT_FOUND, "account not found"),
            (
                MrsCode::ACCOUNT_DOES_NOT_EXIST,
                "bank account number does not exist",
            ),
            (MrsCode::NUMBER_ENROLLED, "bank customer number already enrolled"),
        ] {
            assert_eq!(code.meaning(), Some(meaning));
        }
    }
}
