//! Refusals of MRS: a code of the widget document's table, in a SOAP fault.

/// A status of MRS. The known ones are constants; tests and faults on demand may use any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) i32);

impl Code {
    pub(crate) const INVALID_PARAMETERS: Self = Self(-1);
    pub(crate) const ACCOUNT_NOT_FOUND: Self = Self(-5);
    pub(crate) const INVALID_ACCOUNT_STATUS: Self = Self(-10);
    pub(crate) const INVALID_PROGRAM_ID: Self = Self(-32);
    pub(crate) const INVALID_ACCOUNT_NUMBER: Self = Self(-44);
    pub(crate) const CARD_ALREADY_ENROLLED: Self = Self(-45);
    pub(crate) const INVALID_PRODUCT_CODE: Self = Self(-46);
    pub(crate) const INVALID_STATUS_CODE: Self = Self(-47);
    pub(crate) const INVALID_PROGRAM_IDENTIFIER: Self = Self(-48);
    pub(crate) const CUSTOMER_ALREADY_ENROLLED: Self = Self(-50);
    pub(crate) const NOT_QUALIFIED: Self = Self(-52);
    pub(crate) const ACCOUNT_DOES_NOT_EXIST: Self = Self(-85);
    pub(crate) const SERVER_ERROR: Self = Self(-1001);

    /// The table's words for it.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::INVALID_PARAMETERS => "Invalid parameters",
            Self::ACCOUNT_NOT_FOUND => "Invalid Account was not found within MRS",
            Self::INVALID_ACCOUNT_STATUS => "Invalid Account Status",
            Self::INVALID_PROGRAM_ID => "Invalid Program ID",
            Self::INVALID_ACCOUNT_NUMBER => "Invalid Bank Account Number",
            Self::CARD_ALREADY_ENROLLED => "Bank Account Number Already Enrolled",
            Self::INVALID_PRODUCT_CODE => "Invalid Bank Product Code",
            Self::INVALID_STATUS_CODE => "Invalid Account Status Code",
            Self::INVALID_PROGRAM_IDENTIFIER => "Invalid Program Identifier",
            Self::CUSTOMER_ALREADY_ENROLLED => "Bank Customer Number Already Enrolled",
            Self::NOT_QUALIFIED => "Account not qualified for the Program",
            Self::ACCOUNT_DOES_NOT_EXIST => "Bank account number does not exist",
            Self::SERVER_ERROR => "Server Side Error. Internal Error",
            _ => "Unknown",
        }
    }

    /// Whether trying again may help.
    pub(crate) fn is_recoverable(self) -> bool {
        self == Self::SERVER_ERROR
    }
}

/// A refused call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    /// Violation of the message's form. `None` for a well-formed message that the rules refuse.
    /// Names elements, never quotes values.
    pub(crate) violation: Option<String>,
}

impl Refusal {
    /// Refuses a message that violates the interface.
    pub(crate) fn of_form(violation: impl Into<String>) -> Self {
        Self {
            code: Code::INVALID_PARAMETERS,
            violation: Some(violation.into()),
        }
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self {
            code,
            violation: None,
        }
    }
}
