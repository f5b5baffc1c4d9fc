use proptest::prelude::*;
use serde_json::json;

use super::*;

fn of(document: &Value) -> ApplicationError {
    ApplicationError::of_document(document).unwrap()
}

fn reasons(error: &ApplicationError) -> Vec<&str> {
    error.reasons().filter_map(ForeignCode::as_str).collect()
}

/// Error as Mastercard's page "Error handling" of Issuer Enrollment has it.
fn documented() -> Value {
    json!({"status": 400, "reason": "INVALID_ARGUMENT", "message": "Request is malformed",
        "errordetail": [{"reason": "INVALID_VALUE", "sourceType": "BODY", "message": "wrong", "source": "srcClientId"}]})
}

#[test]
fn each_wrapping_and_name_of_details_is_read() {
    let bare = documented();
    for name in DETAILS {
        let mut renamed = bare.clone();
        let details = renamed.as_object_mut().unwrap().remove("errordetail").unwrap();
        renamed[name] = details;
        for document in [
            renamed.clone(),
            json!({"error": renamed}),
            json!({"errors": [renamed]}),
        ] {
            let error = of(&document);
            assert_eq!(
                reasons(&error),
                ["INVALID_VALUE", "INVALID_ARGUMENT"],
                "{document}"
            );
            assert_eq!(error.status, Some(400));
            let [detail] = error.details.as_slice() else {
                panic!("{error:?}")
            };
            assert_eq!(detail.origin.as_ref().and_then(ForeignCode::as_str), Some("BODY"));
            assert_eq!(detail.text.expose(), "wrong\nsrcClientId");
            assert_eq!(error.text.expose(), "Request is malformed\nwrong\nsrcClientId");
        }
    }
}

#[test]
fn null_reason_leaves_the_details() {
    let error = of(&json!({"error": {"status": "503", "reason": null,
        "details": {"reason": "NO_RESPONSE_FROM_ISSUER"}}}));
    assert_eq!((error.reason.as_ref(), error.status), (None, Some(503)));
    assert!(error.has_reason("NO_RESPONSE_FROM_ISSUER"));
    assert_eq!(error.to_string(), "NO_RESPONSE_FROM_ISSUER");
}

#[test]
fn older_origins_are_kept() {
    for origin in ["DOWNSTREAM", "Gateway", "Request", "Response", "QUERY"] {
        let error = of(&json!({"reason": "DECLINED", "details": [{"reason": "X", "sourceType": origin}]}));
        let found = error.details[0].origin.as_ref().and_then(ForeignCode::as_str);
        assert_eq!(found, Some(origin));
    }
    let error = of(&json!({"reason": "DECLINED", "details": [{"reason": "X", "sourceType": "Erika"}]}));
    assert_eq!(error.details[0].origin, None);
}

#[test]
fn every_documented_code_is_shown() {
    for code in REASONS.iter().chain(&DETAIL_REASONS) {
        let error = of(&json!({"reason": code, "details": [{"reason": code}]}));
        assert_eq!(reasons(&error), [*code, *code]);
    }
    let error = of(&json!({"reason": "SOMETHING_NEW"}));
    assert!(error.has_reason("SOMETHING_NEW"));
}

/// Example of the MDES Digital Enablement specification.
#[test]
fn errors_of_mdes_are_read() {
    let body = br#"{"errorCode":"INVALID_FIELD","errorDescription":"One field is wrong","responseHost":"site1.mastercard.com",
        "responseId":"624deea6-b709-470c-8c39-4b5511281492","errors":[{"source":"INPUT","errorCode":"-3001",
        "description":"Request is not encrypted","reasonCode":"CRYPTOGRAPHY_ERROR","recoverable":"false"}]}"#;
    let error = ApplicationError::parse(body).unwrap();
    assert_eq!(reasons(&error), ["CRYPTOGRAPHY_ERROR", "INVALID_FIELD"]);
    assert_eq!(
        error.details[0].origin.as_ref().and_then(ForeignCode::as_str),
        Some("INPUT")
    );
    assert_eq!(error.is_recoverable, Some(false));
    assert_eq!(
        error.correlation.as_ref().map(CorrelationId::as_str),
        Some("624deea6-b709-470c-8c39-4b5511281492")
    );
    let alone = ApplicationError::parse(&body[..].to_ascii_lowercase()).unwrap();
    assert_eq!(alone.reason, None, "names are case-sensitive");
}

#[test]
fn problems_of_the_encryption_key_are_named() {
    let with_status = |status: u16, reason: &str, detail: &str| {
        of(&json!({"status": status, "reason": reason, "errordetail": [{"reason": detail}]}))
            .encryption_key_problem()
    };
    let problem = |reason: &str, detail: &str| with_status(403, reason, detail);
    assert_eq!(
        problem("PERMISSION_DENIED", "MULTIPLE_FOUND"),
        Some(EncryptionKeyProblem::MultipleFound)
    );
    assert_eq!(
        problem("PERMISSION_DENIED", "NOT_FOUND"),
        Some(EncryptionKeyProblem::NotFound)
    );
    assert_eq!(
        problem("INVALID_ARGUMENT", "EXPIRED"),
        Some(EncryptionKeyProblem::Expired)
    );
    assert_eq!(problem("NOT_FOUND", "NOT_FOUND"), None);
    // A card that has expired.
    assert_eq!(with_status(400, "INVALID_ARGUMENT", "EXPIRED"), None);
}

#[test]
fn gateway_shapes_are_read_too() {
    for document in [
        json!({"Errors": {"Error": [{"ReasonCode": "PAN_INELIGIBLE", "Recoverable": true}]}}),
        json!({"Errors": [{"Error": {"ReasonCode": "PAN_INELIGIBLE", "Recoverable": "true"}}]}),
        json!({"ReasonCode": "PAN_INELIGIBLE", "Recoverable": true}),
    ] {
        let error = of(&document);
        assert_eq!(
            (reasons(&error), error.is_recoverable),
            (vec!["PAN_INELIGIBLE"], Some(true))
        );
    }
    assert_eq!(
        reasons(&of(&json!({"error": "PAN_INELIGIBLE"}))),
        ["PAN_INELIGIBLE"]
    );
}

#[test]
fn error_without_content_is_none() {
    for document in [
        json!({}),
        json!(null),
        json!({"error": null}),
        json!({"error": {}, "errors": []}),
        json!({"error": {"status": null, "reason": null, "errordetail": [], "message": " "}}),
        json!({"error": {"status": 200}}),
        json!([null, {}]),
    ] {
        assert_eq!(ApplicationError::of_document(&document), None, "{document}");
    }
    assert_eq!(ApplicationError::parse(b"<html/>"), None);
    assert_eq!(ApplicationError::parse(b"\xff"), None);
}

#[test]
fn quoted_request_is_not_shown() {
    let error = of(
        &json!({"reason": "Erika 5234", "message": "Erika has 5234001234567890",
        "details": [{"reason": "Erika", "source": "Erika", "sourceType": "5234001234567890"}]}),
    );
    let shown = format!("{error:?} {error}");
    assert!(!shown.contains("Erika") && !shown.contains("5234"), "{shown}");
    assert_eq!(error.to_string(), "[reason not shown]");
}

proptest! {
    #[test]
    fn arbitrary_json_does_not_panic(text in "[\\[\\]{}\":,a-z0-9]{0,60}", name in "errors|error|details|reason") {
        let _ = ApplicationError::parse(text.as_bytes());
        let _ = ApplicationError::parse(format!("{{\"{name}\":{text}}}").as_bytes());
    }
}
