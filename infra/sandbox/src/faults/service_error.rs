//! Errors of Mastercard's REST services, SRC style, as its specifications and pages list them.

/// Error with its HTTP status, its reason and the reason of its detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
    /// Reason of the only detail; none where the error has no details.
    pub(crate) detail: Option<&'static str>,
}

/// The errors that can be ordered, by the reason of the detail, or of the error where it has none.
const ERRORS: [ServiceError; 36] = [
    plain(400, "INVALID_ARGUMENT"),
    plain(400, "INVALID_STATE"),
    plain(401, "UNAUTHENTICATED"),
    plain(403, "PERMISSION_DENIED"),
    plain(403, "LOCKED"),
    plain(404, "NOT_FOUND"),
    plain(409, "ABORTED"),
    plain(409, "ALREADY_EXISTS"),
    plain(429, "RESOURCE_EXHAUSTED"),
    plain(499, "CANCELLED"),
    plain(500, "DATA_LOSS"),
    plain(500, "INTERNAL"),
    plain(501, "NOT_IMPLEMENTED"),
    plain(503, "UNAVAILABLE"),
    plain(504, "DEADLINE_EXCEEDED"),
    plain(400, "INVALID_CONFIGURATION"),
    plain(500, "UNEXPECTED_ERROR"),
    plain(400, "DECLINED"),
    plain(401, "AUTHENTICATION_FAILED"),
    plain(500, "INTERNAL_SERVER_ERROR"),
    detailed(400, "INVALID_ARGUMENT", "CANNOT_BE_NULL"),
    detailed(400, "INVALID_ARGUMENT", "INVALID_VALUE"),
    detailed(400, "INVALID_ARGUMENT", "INVALID_FORMAT"),
    detailed(400, "INVALID_ARGUMENT", "CORRUPT_DATA"),
    detailed(403, "PERMISSION_DENIED", "EXPIRED"),
    detailed(403, "PERMISSION_DENIED", "MULTIPLE_FOUND"),
    detailed(400, "INVALID_STATE", "PAN_INELIGIBLE"),
    detailed(400, "INVALID_STATE", "TOKENIZATION_INELIGIBLE"),
    detailed(400, "INVALID_ARGUMENT", "INVALID_PAN"),
    detailed(400, "DECLINED", "ISSUER_DECLINED"),
    detailed(400, "DECLINED", "ISSUER_DECLINE"),
    detailed(503, "UNAVAILABLE", "NO_RESPONSE_FROM_ISSUER"),
    detailed(400, "INVALID_STATE", "SUSPENDED_CARD"),
    detailed(400, "INVALID_STATE", "AMBIGUOUS_CONSUMER_IDENTITY"),
    detailed(400, "INVALID_STATE", "ACCOUNT_RANGE_NOT_FOUND"),
    detailed(400, "INVALID_STATE", "SOMETHING_NEW"),
];

impl ServiceError {
    pub(crate) fn find(reason: &str) -> Option<Self> {
        let name = |error: &&Self| error.detail.unwrap_or(error.reason) == reason;
        ERRORS.iter().find(name).copied()
    }
}

pub(crate) const fn plain(status: u16, reason: &'static str) -> ServiceError {
    ServiceError {
        status,
        reason,
        detail: None,
    }
}

pub(crate) const fn detailed(status: u16, reason: &'static str, detail: &'static str) -> ServiceError {
    ServiceError {
        status,
        reason,
        detail: Some(detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_a_name_of_its_own() {
        for error in ERRORS {
            assert_eq!(
                ServiceError::find(error.detail.unwrap_or(error.reason)),
                Some(error)
            );
        }
        assert_eq!(ServiceError::find("OTHER"), None);
    }
}
