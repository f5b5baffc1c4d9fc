//! Answers in the shapes that the service, its gateway and the edge give them.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    failure::NotSent,
    foreign::ForeignCode,
    gateway::GatewayReason,
    http::header::{HeaderMap, HeaderName, HeaderValue},
    issuer_enrollment::{BatchStatus, CardOutcome, CardReport, Refusal, RetryAfter},
};

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        headers: HeaderMap::new(),
        body: body.as_bytes().to_vec(),
    }
}

fn with_headers(status: u16, body: &str, headers: &[(&'static str, &'static str)]) -> Answer {
    let headers = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    Answer {
        headers: headers.collect(),
        ..answer(status, body)
    }
}

fn submit(answer: &Answer) -> Result<String, IssuerEnrollmentError> {
    submitted(answer, "b-1").map(|submitted| submitted.batch_id)
}

fn report(body: &Value) -> BatchReport {
    reported(&answer(200, &body.to_string()), Dialect::Legacy, "m-1").unwrap()
}

/// Reports one card in a batch that has ended.
fn card(record: &Value) -> CardReport {
    let report =
        report(&json!({"batchId": "m-1", "batchStatus": "COMPLETED_WITH_ERRORS", "items": [record]}));
    assert_eq!(report.cards.len(), 1, "{record}");
    report.cards.into_iter().next().unwrap()
}

fn refusal(answer: &Answer) -> Refusal {
    match submit(answer) {
        Err(IssuerEnrollmentError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

mod submission {
    use super::*;

    #[test]
    fn spellings_and_forms_are_read() {
        for body in [
            r#"{"batchId":"m-1","externalBatchId":"b-1"}"#,
            r#"{"batchId":"m-1","externalBatchID":"b-1"}"#,
            r#"{"batchId":"m-1"}"#,
            r#"{"batchId":"m-1","externalBatchId":null,"batchStatus":"IN_PROGRESS"}"#,
            r#"[{"batchId":"m-1"}]"#,
            r#"{"batchEnrollmentResponse":{"batchId":"m-1","externalBatchId":"b-1"}}"#,
            "\u{feff}\r\n { \"batchId\" : \" m-1 \" }\n",
        ] {
            assert_eq!(submit(&answer(202, body)), Ok("m-1".to_owned()), "{body}");
        }
        assert_eq!(submit(&answer(202, r#"{"batchId":17}"#)), Ok("17".to_owned()));
    }

    #[test]
    fn acceptance_without_an_id_is_unknown() {
        for (status, body) in [
            (202, ""),
            (202, "{}"),
            (200, "null"),
            (202, "<html>accepted</html>"),
            (202, r#"{"batchId":null}"#),
            (202, r#"{"batchId":"../x"}"#),
            (202, r#"{"batchId":"m-1","batchId":"m-2"}"#),
            (202, r#"{"batchId":"m-1","externalBatchId":"b-2"}"#),
            (206, r#"{"batchId":"m-1"}"#),
            (302, r#"{"batchId":"m-1"}"#),
            (500, r#"{"batchId":"m-1"}"#),
        ] {
            let error = submit(&answer(status, body)).unwrap_err();
            assert!(
                matches!(error, IssuerEnrollmentError::Unknown { .. }),
                "{status} {body} {error:?}"
            );
            assert!(error.leaves_outcome_open());
        }
    }

    #[test]
    fn error_with_status_200_is_a_refusal() {
        let refusal = refusal(&answer(
            200,
            r#"{"error":{"status":400,"reason":"INVALID_ARGUMENT"}}"#,
        ));
        assert_eq!(refusal.reason, ForeignCode::new("INVALID_ARGUMENT"));
    }
}

mod errors {
    use super::*;

    #[test]
    fn service_error_is_a_refusal_in_both_wrappings() {
        for body in [
            r#"{"status":400,"reason":"INVALID_VALUE","message":"m","errordetail":[{"reason":"INVALID_FORMAT","source":"enrollmentData"}]}"#,
            r#"{"error":{"status":"400","reason":"INVALID_VALUE","details":[{"reason":"INVALID_FORMAT"}]}}"#,
        ] {
            let refusal = refusal(&answer(400, body));
            assert_eq!(refusal.reason, ForeignCode::new("INVALID_VALUE"), "{body}");
            assert_eq!(refusal.details, [ForeignCode::new("INVALID_FORMAT")]);
            assert!(!refusal.is_recoverable);
        }
    }

    #[test]
    fn recoverable_errors_say_so() {
        for (status, body) in [
            (
                503,
                r#"{"status":503,"reason":"UNAVAILABLE","errordetail":[{"reason":"NO_RESPONSE_FROM_ISSUER"}]}"#,
            ),
            (500, r#"{"error":{"reason":"INTERNAL_SERVER_ERROR"}}"#),
            (400, r#"{"reason":"ABORTED"}"#),
            (
                400,
                r#"{"Errors":{"Error":[{"Source":"Gateway","ReasonCode":"SYSTEM_BUSY","Recoverable":true}]}}"#,
            ),
        ] {
            let refusal = refusal(&answer(status, body));
            assert!(refusal.is_recoverable, "{body}");
        }
    }

    #[test]
    fn caller_errors_were_not_sent() {
        for (status, body) in [
            (
                401,
                r#"{"Errors":{"Error":[{"Source":"Gateway","ReasonCode":"AUTHENTICATION_FAILED"}]}}"#,
            ),
            (
                401,
                r#"{"Errors":[{"Error":{"Source":"Gateway","ReasonCode":"AUTHENTICATION_FAILED"}}]}"#,
            ),
            (401, r#"{"status":401,"reason":"UNAUTHENTICATED"}"#),
            (
                403,
                r#"{"reason":"PERMISSION_DENIED","message":"OAuth Signature parameter failed verification."}"#,
            ),
        ] {
            let error = submit(&answer(status, body)).unwrap_err();
            let IssuerEnrollmentError::NotSent(NotSent::Gateway(gateway)) = &error else {
                panic!("{body} {error:?}")
            };
            assert_eq!(gateway.reason, GatewayReason::AuthenticationFailed, "{body}");
            assert_eq!(error.class(), "authentication_failed");
        }
        let html = "<html><head><title>400 No required SSL certificate was sent</title></head></html>";
        assert_eq!(
            submit(&answer(400, html)),
            Err(IssuerEnrollmentError::NotSent(NotSent::NoClientCertificate))
        );
    }

    #[test]
    fn unexplained_status_is_unknown() {
        for status in [300, 400, 404, 408, 500, 502, 504] {
            for body in ["", "<html>Bad Gateway</html>", "{}", "[]", "{\"error\":null}"] {
                assert_eq!(
                    submit(&answer(status, body)),
                    Err(IssuerEnrollmentError::Unknown {
                        reason: Unknown::Status(status),
                        retry_after: None
                    }),
                    "{body}"
                );
            }
        }
    }

    #[test]
    fn throttling_carries_its_delay() {
        for (headers, expected) in [
            (&[][..], None),
            (
                &[("retry-after", "7")],
                Some(RetryAfter::Delay(Duration::from_secs(7))),
            ),
            (
                &[("retry-after", "99999999999999999999999")],
                Some(RetryAfter::Delay(Duration::from_hours(24))),
            ),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "-5")], None),
            (
                &[
                    ("date", "Sun, 06 Nov 1994 08:49:07 GMT"),
                    ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),
                ],
                Some(RetryAfter::Delay(Duration::from_secs(30))),
            ),
            (
                &[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")],
                Some(RetryAfter::At(784_111_777)),
            ),
        ] {
            let answer = with_headers(429, r#"{"reason":"RESOURCE_EXHAUSTED"}"#, headers);
            assert_eq!(
                submit(&answer),
                Err(IssuerEnrollmentError::Throttled {
                    retry_after: expected
                }),
                "{headers:?}"
            );
        }
        assert_eq!(RetryAfter::At(30).delay(10), Duration::from_secs(20));
        assert_eq!(RetryAfter::At(30).delay(40), Duration::ZERO);
    }

    #[test]
    fn quoted_request_is_not_shown() {
        let body = r#"{"status":400,"reason":"Erika","message":"card 5234001234567890 of Erika"}"#;
        let error = submit(&answer(400, body)).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("Erika") && !shown.contains("5234"), "{shown}");
        assert!(error.foreign_text().unwrap().expose().contains("Erika"));
    }
}

mod status {
    use super::*;

    /// The sibling specification's example, with the issuers' ids.
    #[test]
    fn example_of_the_sibling_specification() {
        let report = report(&json!({
            "requestId": "48192", "batchId": "m-1", "batchStatus": "COMPLETED_SUCCESSFULLY",
            "batchStartTime": "2023-02-08 07:10:28.0", "batchEndTime": "2023-02-08 07:10:30.0", "errorMessage": null,
            "items": [{"action": "ADD", "serviceId": "SRC", "trid": "50132184090", "externalCardId": "c-1",
                "externalConsumerId": "p-1", "srcDigitalCardId": "n8TdCz6BQvSIj2C0yYPvZw000000000000US",
                "srcConsumerId": "s-1", "status": "SUCCESSFUL", "error": null}]}));
        assert_eq!(report.status, BatchStatus::CompletedSuccessfully);
        assert_eq!(report.problem, None);
        assert_eq!(
            report.cards,
            [CardReport {
                external_card_id: Some("c-1".to_owned()),
                external_consumer_id: Some("p-1".to_owned()),
                src_digital_card_id: Some("n8TdCz6BQvSIj2C0yYPvZw000000000000US".to_owned()),
                src_consumer_id: Some("s-1".to_owned()),
                outcome: CardOutcome::Succeeded,
            }]
        );
    }

    #[test]
    fn statuses_are_an_open_set() {
        for (text, expected, is_final) in [
            ("IN_PROGRESS", BatchStatus::InProgress, false),
            ("in progress", BatchStatus::InProgress, false),
            ("COMPLETED", BatchStatus::Completed, true),
            ("COMPLETED_WITH_ERRORS", BatchStatus::CompletedWithErrors, true),
            ("FAILED", BatchStatus::Failed, true),
            ("ON_HOLD", BatchStatus::Other(ForeignCode::new("ON_HOLD")), false),
            ("", BatchStatus::Other(ForeignCode::default()), false),
        ] {
            for member in ["batchStatus", "status"] {
                let status = report(&json!({ member: text })).status;
                assert_eq!(status, expected, "{text}");
                assert_eq!(status.is_final(), is_final);
            }
        }
    }

    #[test]
    fn answer_without_a_status_is_unknown() {
        for body in [
            "{}",
            "[]",
            r#"{"batchStatus":null}"#,
            r#"{"status":200}"#,
            r#"{"batchStatus":"FAILED","batchId":"m-2"}"#,
        ] {
            let error = reported(&answer(200, body), Dialect::Legacy, "m-1").unwrap_err();
            assert!(matches!(error, IssuerEnrollmentError::Unknown { .. }), "{body}");
        }
    }

    #[test]
    fn unknown_batch_is_not_found() {
        let body = r#"{"status":404,"reason":"NOT_FOUND","message":"no such batch"}"#;
        let error = reported(&answer(404, body), Dialect::Legacy, "m-1").unwrap_err();
        let IssuerEnrollmentError::Refused(refusal) = error else {
            panic!("{error}")
        };
        assert!(refusal.says_not_found());
    }

    #[test]
    fn outcome_needs_a_statement() {
        let failed = |reason: &str| Some(vec![ForeignCode::new(reason)]);
        for (record, expected) in [
            (json!({"externalCardId": "c"}), None),
            (json!({"externalCardId": "c", "status": null}), None),
            (json!({"externalCardId": "c", "status": "PENDING"}), None),
            (json!({"externalCardId": "c", "status": "FAILED"}), Some(vec![])),
            (
                json!({"externalCardId": "c", "status": "FAILED", "error": {"reason": "PAN_INELIGIBLE"}}),
                failed("PAN_INELIGIBLE"),
            ),
            (
                json!({"externalCardId": "c", "status": "failed", "reason": "PAN_INELIGIBLE"}),
                failed("PAN_INELIGIBLE"),
            ),
            (
                json!({"externalCardId": "c", "error": {"error": {"reason": null, "details": [{"reason": "PAN_INELIGIBLE"}]}}}),
                failed("PAN_INELIGIBLE"),
            ),
            (
                json!({"externalCardId": "c", "errors": [{"Error": {"ReasonCode": "PAN_INELIGIBLE"}}]}),
                failed("PAN_INELIGIBLE"),
            ),
            // Members of the error among those of the record.
            (
                json!({"externalCardId": "c", "errordetail": [{"reason": "TOKENIZATION_INELIGIBLE"}]}),
                failed("TOKENIZATION_INELIGIBLE"),
            ),
            (
                json!({"externalCardId": "c", "status": 400, "reason": "PAN_INELIGIBLE"}),
                failed("PAN_INELIGIBLE"),
            ),
            (
                json!({"externalCardId": "c", "status": "400", "reason": "PAN_INELIGIBLE"}),
                failed("PAN_INELIGIBLE"),
            ),
            (json!({"externalCardId": "c", "status": 503}), Some(vec![])),
            (json!({"externalCardId": "c", "message": "m"}), None),
            // Statements that contradict each other.
            (
                json!({"externalCardId": "c", "srcDigitalCardId": "d", "errordetail": [{"reason": "TOKENIZATION_INELIGIBLE"}]}),
                None,
            ),
            (
                json!({"externalCardId": "c", "status": "SUCCESSFUL", "errordetail": [{"reason": "ISSUER_DECLINED"}]}),
                None,
            ),
            (
                json!({"externalCardId": "c", "status": "SUCCESSFUL", "errordetail": [{"reason": null, "message": "m"}]}),
                None,
            ),
            (
                json!({"externalCardId": "c", "status": "SUCCESSFUL", "error": {"reason": "PAN_INELIGIBLE"}}),
                None,
            ),
            (
                json!({"externalCardId": "c", "srcDigitalCardId": "d", "error": {"reason": "PAN_INELIGIBLE"}}),
                None,
            ),
        ] {
            let outcome = card(&record).outcome;
            match (&outcome, expected) {
                (CardOutcome::Unknown, None) => {}
                (CardOutcome::Failed(problem), Some(reasons)) => {
                    assert_eq!(problem.reasons, reasons, "{record}");
                }
                (_, _) => panic!("{record} {outcome:?}"),
            }
        }
        for record in [
            json!({"externalCardId": "c", "status": "SUCCESSFUL", "error": {}}),
            json!({"externalCardId": 7, "status": "Success", "srcDigitalCardId": null}),
            json!({"externalCardId": "c", "srcDigitalCardId": "d"}),
            json!({"externalCardId": "c", "status": "SUCCESSFUL", "message": "m"}),
            json!({"externalCardId": "c", "srcDigitalCardId": "d", "status": 200}),
        ] {
            assert_eq!(card(&record).outcome, CardOutcome::Succeeded, "{record}");
        }
    }

    #[test]
    fn success_of_a_wrapper_is_not_that_of_its_cards() {
        for wrapper in [
            json!({"status": "SUCCESS", "records": [{"externalCardId": "c1"}]}),
            json!({"status": "SUCCESS", "code": "0000", "records": [{"externalCardId": "c1"}]}),
        ] {
            let report = report(&json!({"batchStatus": "COMPLETED_WITH_ERRORS", "response": wrapper}));
            assert_eq!(report.cards[0].outcome, CardOutcome::Unknown, "{wrapper}");
        }
        let wrapper = json!({"status": "400", "errordetail": [{"reason": "INVALID_FORMAT"}],
            "records": [{"externalCardId": "c1"}]});
        let outcome = report(&json!({"batchStatus": "FAILED", "response": wrapper})).cards[0]
            .outcome
            .clone();
        assert!(matches!(outcome, CardOutcome::Failed(_)), "{outcome:?}");
        // A failure holds for everything inside, unless a record says otherwise.
        let report = report(&json!({"batchStatus": "COMPLETED_WITH_ERRORS", "response":
            {"status": "FAILED", "records": [{"externalCardId": "c1"}, {"externalCardId": "c2", "status": "SUCCESS"}]}}));
        assert!(matches!(report.cards[0].outcome, CardOutcome::Failed(_)));
        assert_eq!(report.cards[1].outcome, CardOutcome::Succeeded);
    }

    #[test]
    fn records_are_found_under_their_consumers() {
        let report = report(&json!({"status": "COMPLETED_WITH_ERRORS", "consumers": [
            {"externalConsumerId": "p-1", "srcConsumerId": "s-1", "status": "SUCCESSFUL", "cards": [
                {"externalCardId": "c-2", "srcDigitalCardId": "d-2"}, {"externalCardId": "c-1"}]},
            {"externalConsumerId": "p-2", "error": {"reason": "ISSUER_DECLINED"}, "cards": [{"card": {"externalCardId": "c-3"}}]}]}));
        let told: Vec<_> = report
            .cards
            .iter()
            .map(|card| {
                (
                    card.external_consumer_id.as_deref().unwrap(),
                    card.external_card_id.as_deref().unwrap(),
                    matches!(card.outcome, CardOutcome::Succeeded),
                )
            })
            .collect();
        assert_eq!(
            told,
            [("p-1", "c-2", true), ("p-1", "c-1", true), ("p-2", "c-3", false)]
        );
        assert_eq!(report.cards[1].src_digital_card_id, None);
    }

    #[test]
    fn successor_names_are_read_in_both_dialects() {
        let body = json!({"batchStatus": "COMPLETED", "records": [
            {"externalCredentialId": "c-1", "status": "SUCCESSFUL"}]});
        for dialect in [Dialect::Legacy, Dialect::Successor] {
            let report = reported(&answer(200, &body.to_string()), dialect, "m-1").unwrap();
            assert_eq!(report.cards[0].external_card_id.as_deref(), Some("c-1"));
        }
    }

    #[test]
    fn record_quoted_in_an_error_is_no_record() {
        let report = report(
            &json!({"batchStatus": "FAILED", "error": {"reason": "INVALID_STATE",
            "errordetail": [{"externalCardId": "c-1", "status": "SUCCESSFUL"}]}}),
        );
        assert_eq!(report.cards, []);
        assert_eq!(
            report.problem.unwrap().reasons,
            [ForeignCode::new("INVALID_STATE")]
        );
    }
}

mod deletion {
    use super::*;

    #[test]
    fn success_and_absence_are_the_end() {
        for (status, body) in [
            (200, ""),
            (204, ""),
            (200, "{}"),
            (200, r#"{"status":"Success"}"#),
            (200, r#"{"status":null}"#),
            (200, r#"{"card":{"srcDigitalCardId":"d","status":"DELETED"}}"#),
            (
                200,
                r#"{"srcCorrelationId":"ff97ef9b-4b1e-40c2-b522-42197061dc5a"}"#,
            ),
        ] {
            assert_eq!(deleted(&answer(status, body)), Ok(DeletedCard::Deleted), "{body}");
        }
        let body = r#"{"error":{"status":404,"reason":"NOT_FOUND","message":"cardId does not exist"}}"#;
        assert_eq!(deleted(&answer(404, body)), Ok(DeletedCard::NotFound));
    }

    #[test]
    fn everything_else_is_not() {
        for (status, body) in [
            (202, ""),
            (200, "<html>ok</html>"),
            (200, r#"{"error":{"reason":"NOT_FOUND"}}"#),
            (200, r#"{"status":"FAILED"}"#),
            (200, r#"{"status":"IN_PROGRESS"}"#),
            (200, r#"{"card":{"srcDigitalCardId":"d","status":"ACTIVE"}}"#),
            (404, ""),
            (404, "<html>Not Found</html>"),
            (
                403,
                r#"{"status":403,"reason":"PERMISSION_DENIED","errordetail":[{"reason":"NOT_FOUND"}]}"#,
            ),
            (
                404,
                r#"{"Errors":{"Error":[{"Source":"Gateway","ReasonCode":"RESOURCE_UNKNOWN"}]}}"#,
            ),
        ] {
            assert!(deleted(&answer(status, body)).is_err(), "{status} {body}");
        }
    }
}

proptest! {
    /// No body is a success unless it says so.
    #[test]
    fn any_body_is_read_or_refused(status in 200_u16..600, body in ".{0,300}") {
        let answer = answer(status, &body);
        prop_assert!(submit(&answer).is_err());
        prop_assert!(reported(&answer, Dialect::Legacy, "m-1").is_err());
        let _ = deleted(&answer);
    }

    /// Members in another order and members that are not known do not change a report.
    #[test]
    fn order_and_new_members_do_not_count(order in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(), pretty: bool) {
        let members = [
            r#""batchId":"m-1""#, r#""batchStatus":"COMPLETED""#, r#""new":{"a":[1,null]}"#, r#""page":null"#,
            r#""items":[{"x":{},"status":"SUCCESSFUL","externalCardId":"c-1"}]"#, r#""errors":[]"#,
        ];
        let members: Vec<&str> = order.into_iter().map(|at| members[at]).collect();
        let mut body = format!("{{{}}}", members.join(","));
        if pretty {
            let value: Value = serde_json::from_str(&body).unwrap();
            body = serde_json::to_string_pretty(&value).unwrap();
        }
        let report = reported(&answer(200, &body), Dialect::Legacy, "m-1").unwrap();
        prop_assert_eq!(report.cards.len(), 1);
        prop_assert_eq!(&report.cards[0].outcome, &CardOutcome::Succeeded);
    }
}
