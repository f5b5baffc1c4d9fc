//! Errors of Mastercard's services in JSON, beside those of its [`gateway`](crate::gateway): the style of Click to Pay
//! (`{"status", "reason", "message", "errordetail"}`) and the one of the token service MDES (`{"errorCode", "errors"}`).
//!
//! Both wrappings (bare, or under `error`), every name that Mastercard's pages give a member, and lists in place of
//! single errors are read (`docs/sources.md#issuer-enrollment`). All sets of codes are open: an unknown code is kept.

use serde_json::{Map, Value};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    foreign::{CorrelationId, ForeignCode, ForeignText},
    json,
};

/// Reasons of errors that Mastercard's specifications and older pages name. The set is open.
pub const REASONS: [&str; 30] = [
    "INVALID_ARGUMENT",
    "INVALID_STATE",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "LOCKED",
    "NOT_FOUND",
    "ABORTED",
    "ALREADY_EXISTS",
    "RESOURCE_EXHAUSTED",
    "CANCELLED",
    "DATA_LOSS",
    "INTERNAL",
    "NOT_IMPLEMENTED",
    "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "CVC_VERIFICATION_REQUIRED",
    "COMPLIANCE_REQUIRED",
    "INVALID_RECENT-IDV_TOKEN_AUTH_DATA",
    "INVALID_DSRP_TOKEN_AUTH_DATA",
    "INVALID_DATA_FOR_VER_TYPE-22",
    "INVALID_DATA_FOR_VER_TYPE-21",
    "TOKEN_MIGRATION_NOT_ELIGIBLE",
    "INVALID_TOKEN_UNIQUE_REFERENCE_ERROR",
    "INVALID_TOKEN_REQUESTOR_ID",
    "INVALID_CONFIGURATION",
    "UNEXPECTED_ERROR",
    "INVALID_VALUE",
    "DECLINED",
    "AUTHENTICATION_FAILED",
    "INTERNAL_SERVER_ERROR",
];

/// Reasons of an error's details that Mastercard's specifications name. The set is open.
pub const DETAIL_REASONS: [&str; 18] = [
    "CANNOT_BE_NULL",
    "INVALID_VALUE",
    "INVALID_FORMAT",
    "ALREADY_EXISTS",
    "INVALID_STATE",
    "CORRUPT_DATA",
    "EXPIRED",
    "MULTIPLE_FOUND",
    "NOT_FOUND",
    "PAN_INELIGIBLE",
    "TOKENIZATION_INELIGIBLE",
    "INVALID_PAN",
    "ISSUER_DECLINED",
    // The other spelling of the same.
    "ISSUER_DECLINE",
    "NO_RESPONSE_FROM_ISSUER",
    "SUSPENDED_CARD",
    "AMBIGUOUS_CONSUMER_IDENTITY",
    "ACCOUNT_RANGE_NOT_FOUND",
];

/// Places of a fault (`sourceType`, in MDES `source`). Those that do not look like a code are listed too.
const ORIGINS: [&str; 9] = [
    "BODY",
    "HEADER",
    "QUERY",
    "PATH",
    "DOWNSTREAM",
    "INPUT",
    "Gateway",
    "Request",
    "Response",
];

/// Members that contain an error.
const ERRORS: [&str; 5] = ["error", "Error", "errors", "Errors", "fault"];

/// Members with the details of an error, a list or one object.
const DETAILS: [&str; 5] = [
    "errordetail",
    "errorDetail",
    "details",
    "errordetails",
    "errorDetails",
];

/// Members with the reason of an error or of a detail.
const REASON_MEMBERS: [&str; 5] = ["reason", "reasonCode", "ReasonCode", "errorCode", "code"];

/// Members with the place of a fault.
const ORIGIN_MEMBERS: [&str; 3] = ["sourceType", "source", "Source"];

/// Members with texts.
const TEXTS: [&str; 6] = [
    "message",
    "Description",
    "description",
    "errorDescription",
    "errorMessage",
    "source",
];

/// Depth of wrappers in which an error is looked for.
const MAX_DEPTH: usize = 4;

/// Error of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplicationError {
    /// HTTP status inside the error, if any.
    pub status: Option<u16>,
    /// Reason, such as `INVALID_ARGUMENT`. It may be missing or null.
    pub reason: Option<ForeignCode>,
    /// Details, in the answer's order. Errors in a list around them count as details of the first.
    pub details: Vec<ErrorDetail>,
    /// Texts of error and details. They may quote the request.
    pub text: ForeignText,
    /// Whether the same call may succeed later, if the service says so.
    pub is_recoverable: Option<bool>,
    /// Id of the answer (`responseId` of MDES), for a question to Mastercard's support.
    pub correlation: Option<CorrelationId>,
}

/// Detail of an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorDetail {
    /// Reason, such as `PAN_INELIGIBLE`. It may be missing or null.
    pub reason: Option<ForeignCode>,
    /// Place of the fault, such as `BODY`.
    pub origin: Option<ForeignCode>,
    /// Texts, such as a message and the name of the field. They may quote the request.
    pub text: ForeignText,
}

/// Problem with the key that a payload was encrypted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EncryptionKeyProblem {
    /// The key has expired: take the newer one from the key list.
    #[error("the public encryption key has expired")]
    Expired,
    /// The project has more than one key in use, and the call names none.
    #[error("more than one encryption key is in use")]
    MultipleFound,
    /// The project has no key in use, or none of this name.
    #[error("no encryption key is in use")]
    NotFound,
}

impl ApplicationError {
    /// Parses the body of an answer. `None` means that it is no JSON, or that no error is in it.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        Self::of_document(&json::parse(text.trim_start_matches('\u{feff}')).ok()?)
    }

    /// Returns the error that a whole document is.
    pub fn of_document(document: &Value) -> Option<Self> {
        let mut found = Found::default();
        found.error(document, 0);
        found.finish()
    }

    /// Returns the error that an object has as a member, such as a card in a list.
    pub fn of_member(object: &Map<String, Value>) -> Option<Self> {
        let mut found = Found::default();
        for name in ERRORS {
            if let Some(value) = object.get(name) {
                found.error(value, 0);
            }
        }
        found.finish()
    }

    /// Returns the error whose members stand among those of a record.
    pub fn of_record(record: &Map<String, Value>) -> Option<Self> {
        let mut found = Found::default();
        found.members(record, 0);
        found.finish()
    }

    /// All reasons, the most specific first: those of the details, then that of the error.
    pub fn reasons(&self) -> impl Iterator<Item = &ForeignCode> {
        self.details
            .iter()
            .filter_map(|detail| detail.reason.as_ref())
            .chain(&self.reason)
    }

    /// Whether the error or one of its details has this reason.
    pub fn has_reason(&self, code: &str) -> bool {
        self.reasons().any(|reason| reason.as_str() == Some(code))
    }

    /// Problem with the encryption key, which a payload that is made anew under another key would not have.
    pub fn encryption_key_problem(&self) -> Option<EncryptionKeyProblem> {
        EncryptionKeyProblem::of(self.status.unwrap_or_default(), self.reasons())
    }
}

impl EncryptionKeyProblem {
    /// Problem that the reasons of an error name. Only a refused permission is about the key: a card may have expired, and
    /// many things are not found.
    pub(crate) fn of<'a>(http_status: u16, reasons: impl Iterator<Item = &'a ForeignCode>) -> Option<Self> {
        let reasons: Vec<&str> = reasons.filter_map(ForeignCode::as_str).collect();
        let is_refused = reasons.contains(&"PERMISSION_DENIED");
        if !is_refused && http_status != 403 {
            None
        } else if reasons.contains(&"EXPIRED") {
            Some(Self::Expired)
        } else if is_refused && reasons.contains(&"MULTIPLE_FOUND") {
            Some(Self::MultipleFound)
        } else if is_refused && reasons.contains(&"NOT_FOUND") {
            Some(Self::NotFound)
        } else {
            None
        }
    }
}

impl std::fmt::Display for ApplicationError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown: Vec<&str> = self.reasons().filter_map(ForeignCode::as_str).collect();
        if shown.is_empty() {
            formatter.write_str("[reason not shown]")
        } else {
            formatter.write_str(&shown.join(", "))
        }
    }
}

/// Error under construction.
#[derive(Default)]
struct Found {
    error: ApplicationError,
    text: Zeroizing<String>,
}

impl Found {
    fn error(&mut self, value: &Value, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match value {
            Value::Object(object) => {
                self.members(object, depth);
                for name in ERRORS {
                    if let Some(inner) = object.get(name) {
                        self.error(inner, depth + 1);
                    }
                }
            }
            Value::Array(errors) => errors.iter().for_each(|error| self.error(error, depth + 1)),
            Value::String(text) => {
                let code = ForeignCode::new(text);
                if code.as_str().is_some() {
                    self.reason(code, None, ForeignText::default());
                } else {
                    self.line(text);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Reads the members of one error and of its details.
    fn members(&mut self, object: &Map<String, Value>, depth: usize) {
        let text = self.texts(object);
        if let Some(code) = code(object) {
            self.reason(code, origin(object), text);
        }
        if let Some(status) = json::member(object, &["status", "statusCode"]).and_then(status) {
            self.error.status.get_or_insert(status);
        }
        if let Some(recoverable) = json::member(object, &["recoverable", "Recoverable"]).and_then(boolean) {
            self.error.is_recoverable.get_or_insert(recoverable);
        }
        if let Some(Value::String(id)) = object.get("responseId") {
            self.error.correlation = self.error.correlation.take().or_else(|| CorrelationId::parse(id));
        }
        for name in DETAILS {
            match object.get(name) {
                Some(Value::Array(details)) => details.iter().for_each(|detail| self.detail(detail, depth)),
                Some(detail) => self.detail(detail, depth),
                None => {}
            }
        }
    }

    fn detail(&mut self, detail: &Value, depth: usize) {
        match detail {
            Value::Object(object) => {
                let text = self.texts(object);
                let (reason, origin) = (code(object), origin(object));
                if reason.is_some() || origin.is_some() || !text.is_empty() {
                    self.error.details.push(ErrorDetail { reason, origin, text });
                }
            }
            Value::String(text) => self.line(text),
            // A list in a list.
            Value::Array(_) if depth <= MAX_DEPTH => self.error(detail, depth + 1),
            _ => {}
        }
    }

    /// Keeps the first reason as that of the error, and further ones as details.
    fn reason(&mut self, code: ForeignCode, origin: Option<ForeignCode>, text: ForeignText) {
        if self.error.reason.is_none() {
            self.error.reason = Some(code);
        } else {
            self.error.details.push(ErrorDetail {
                reason: Some(code),
                origin,
                text,
            });
        }
    }

    /// Adds the texts of an object to all, and returns them.
    fn texts(&mut self, object: &Map<String, Value>) -> ForeignText {
        let mut own = Zeroizing::new(String::new());
        for name in TEXTS {
            if let Some(Value::String(text)) = object.get(name) {
                self.line(text);
                own.push_str(text.trim());
                own.push('\n');
            }
        }
        ForeignText::new(&own)
    }

    fn line(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.text.push_str(text.trim());
            self.text.push('\n');
        }
    }

    fn finish(mut self) -> Option<ApplicationError> {
        self.error.text = ForeignText::new(&self.text);
        let error = self.error;
        let is_error_status = error.status.is_some_and(|status| status >= 400);
        let has_content = error.reasons().next().is_some() || !error.text.is_empty() || is_error_status;
        has_content.then_some(error)
    }
}

/// Returns the reason of an error. A value that does not look like a code is shown as "not shown", and kept as absent if
/// it is empty.
fn code(object: &Map<String, Value>) -> Option<ForeignCode> {
    REASON_MEMBERS.iter().find_map(|name| match object.get(*name) {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(ForeignCode::new(text)),
        _ => None,
    })
}

/// Returns the place of a fault, if it is a known one or looks like a code.
fn origin(object: &Map<String, Value>) -> Option<ForeignCode> {
    ORIGIN_MEMBERS.iter().find_map(|name| {
        let text = object.get(*name)?.as_str()?;
        let origin = ForeignCode::or_known(text, &ORIGINS);
        origin.as_str().is_some().then_some(origin)
    })
}

/// Parses an HTTP status, a number or its text.
fn status(value: &Value) -> Option<u16> {
    let status = match value {
        Value::Number(number) => u16::try_from(number.as_u64()?).ok()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (100..600).contains(&status).then_some(status)
}

/// Parses a boolean or its text.
fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) if text == "true" => Some(true),
        Value::String(text) if text == "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
