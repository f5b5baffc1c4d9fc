//! Errors inside a JSON document of the service, of a card and of the gateway, as the problem of a card or batch.

use serde_json::{Map, Value};

use super::report::CardProblem;
use crate::application_error::ApplicationError;

/// Returns the error that an object has as a member, or `None` if there is none or it says nothing.
pub(super) fn of_member(object: &Map<String, Value>) -> Option<CardProblem> {
    ApplicationError::of_member(object).map(CardProblem::from)
}

/// Returns the error that a whole document is.
pub(super) fn of_document(document: &Value) -> Option<CardProblem> {
    ApplicationError::of_document(document).map(CardProblem::from)
}

/// Returns the error whose members stand among those of a record that states its failure.
pub(super) fn of_failed_record(record: &Map<String, Value>) -> Option<CardProblem> {
    ApplicationError::of_record(record).map(CardProblem::from)
}

/// Returns the error whose members stand among those of a record that states no failure: one with a reason, a detail or
/// an HTTP status of an error. A mere text is none.
pub(super) fn of_record(record: &Map<String, Value>) -> Option<CardProblem> {
    ApplicationError::of_record(record)
        .filter(|error| error.reason.is_some() || !error.details.is_empty() || has_error_status(error))
        .map(CardProblem::from)
}

/// Returns the error whose members stand among those of an object around records: one with a detail's reason or an HTTP
/// status of an error. Its own `code` may be one of success.
pub(super) fn of_wrapper(object: &Map<String, Value>) -> Option<CardProblem> {
    ApplicationError::of_record(object)
        .filter(|error| error.details.iter().any(|detail| detail.reason.is_some()) || has_error_status(error))
        .map(CardProblem::from)
}

fn has_error_status(error: &ApplicationError) -> bool {
    error.status.is_some_and(|status| status >= 400)
}

impl From<ApplicationError> for CardProblem {
    fn from(error: ApplicationError) -> Self {
        Self {
            reasons: error.reasons().cloned().collect(),
            status: error.status,
            text: error.text,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::foreign::ForeignCode;

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
