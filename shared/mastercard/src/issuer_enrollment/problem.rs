//! Errors inside a JSON document: those of the service, of a card and of the gateway, in the shapes that Mastercard's
//! pages show. All sets of codes are open.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::report::CardProblem;
use crate::{
    foreign::{ForeignCode, ForeignText},
    json,
};

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
const REASONS: [&str; 5] = ["reason", "reasonCode", "ReasonCode", "errorCode", "code"];

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

/// Returns the error that an object has as a member, or `None` if there is none or it says nothing.
pub(super) fn of_member(object: &Map<String, Value>) -> Option<CardProblem> {
    let mut found = Found::default();
    for name in ERRORS {
        if let Some(value) = object.get(name) {
            found.error(value, 0);
        }
    }
    found.finish()
}

/// Returns the error that a whole document is.
pub(super) fn of_document(document: &Value) -> Option<CardProblem> {
    let mut found = Found::default();
    found.error(document, 0);
    found.finish()
}

/// Returns the error whose members stand among those of a record.
pub(super) fn of_record(record: &Map<String, Value>) -> Option<CardProblem> {
    let mut found = Found::default();
    found.members(record, 0);
    found.finish()
}

/// Codes and texts, the details' before those of the error around them.
#[derive(Default)]
struct Found {
    details: Vec<ForeignCode>,
    reasons: Vec<ForeignCode>,
    status: Option<u16>,
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
                    self.reasons.push(code);
                } else {
                    self.line(text);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Reads the members of one error and of its details.
    fn members(&mut self, object: &Map<String, Value>, depth: usize) {
        if let Some(code) = code(object) {
            self.reasons.push(code);
        }
        self.texts(object);
        if let Some(status) = json::member(object, &["status", "statusCode"]).and_then(status) {
            self.status.get_or_insert(status);
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
                if let Some(code) = code(object) {
                    self.details.push(code);
                }
                self.texts(object);
            }
            Value::String(text) => self.line(text),
            // A list in a list.
            Value::Array(_) if depth <= MAX_DEPTH => self.error(detail, depth + 1),
            _ => {}
        }
    }

    fn texts(&mut self, object: &Map<String, Value>) {
        for name in TEXTS {
            if let Some(Value::String(text)) = object.get(name) {
                self.line(text);
            }
        }
    }

    fn line(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.text.push_str(text.trim());
            self.text.push('\n');
        }
    }

    fn finish(self) -> Option<CardProblem> {
        let mut reasons = self.details;
        reasons.extend(self.reasons);
        let is_error_status = self.status.is_some_and(|status| status >= 400);
        let says_something = !reasons.is_empty() || !self.text.is_empty() || is_error_status;
        says_something.then(|| CardProblem {
            reasons,
            status: self.status,
            text: ForeignText::new(&self.text),
        })
    }
}

/// Returns the reason of an error. A value that does not look like a code is shown as "not shown", and kept as absent if
/// it is empty.
fn code(object: &Map<String, Value>) -> Option<ForeignCode> {
    REASONS.iter().find_map(|name| match object.get(*name) {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(ForeignCode::new(text)),
        _ => None,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reasons(problem: &CardProblem) -> Vec<&str> {
        problem.reasons.iter().filter_map(ForeignCode::as_str).collect()
    }

    #[test]
    fn both_wrappings_are_read() {
        let bare = json!({"status":400,"reason":"INVALID_ARGUMENT","message":"m",
            "errordetail":[{"reason":"PAN_INELIGIBLE","sourceType":"BODY","message":"n","source":"card"}]});
        for document in [bare.clone(), json!({"error": bare}), json!({"errors": [bare]})] {
            let problem = of_document(&document).unwrap();
            assert_eq!(
                reasons(&problem),
                ["PAN_INELIGIBLE", "INVALID_ARGUMENT"],
                "{document}"
            );
            assert_eq!(problem.status, Some(400));
        }
    }

    #[test]
    fn details_and_null_reasons_are_read() {
        let problem = of_document(&json!({"error": {"status": "503", "reason": null,
            "details": {"reason": "NO_RESPONSE_FROM_ISSUER"}}}))
        .unwrap();
        assert_eq!(reasons(&problem), ["NO_RESPONSE_FROM_ISSUER"]);
        assert_eq!(problem.status, Some(503));
    }

    #[test]
    fn gateway_shapes_are_read() {
        for document in [
            json!({"Errors": {"Error": [{"ReasonCode": "PAN_INELIGIBLE"}]}}),
            json!({"Errors": [{"Error": {"ReasonCode": "PAN_INELIGIBLE"}}]}),
            json!({"ReasonCode": "PAN_INELIGIBLE"}),
            json!({"error": "PAN_INELIGIBLE"}),
        ] {
            assert_eq!(
                reasons(&of_document(&document).unwrap()),
                ["PAN_INELIGIBLE"],
                "{document}"
            );
        }
    }

    #[test]
    fn error_without_content_is_none() {
        for document in [
            json!({}),
            json!({"error": null}),
            json!({"error": {}, "errors": []}),
            json!({"error": {"status": null, "reason": null, "errordetail": [], "message": " "}}),
            json!({"error": {"status": 200}}),
            json!([null, {}]),
        ] {
            assert_eq!(of_document(&document), None, "{document}");
        }
    }

    #[test]
    fn text_is_not_shown() {
        let problem =
            of_document(&json!({"reason": "Erika 5234", "message": "Erika has 5234001234567890"})).unwrap();
        let shown = format!("{problem:?}");
        assert!(!shown.contains("Erika") && !shown.contains("5234"), "{shown}");
    }
}
