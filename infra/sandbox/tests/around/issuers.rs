//! The Issuer Enrollment API over TLS, called by the client of the product: two implementations of one protocol.

mod stand;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode};
use mastercard::NotSent;
use mastercard::issuer_enrollment::{
    BatchStatus, CardDeletion, DeletedCard, FlowId, IssuerEnrollmentError, RetryAfter,
};
use mastercard::jwe::ContentEncryption;
use reqwest::Method;
use sandbox::CONSUMER_KEY;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use stand::{
    AT_FIRST_CHECKOUT, IMMEDIATE, NOW, PRE_PROVISIONED, Stand, TWO, client, content, encryptor, of, outcome,
    submission,
};

#[tokio::test]
async fn batch_passes_from_submission_to_deletion() {
    let stand = Stand::new().await;
    let (batch_id, flow) = stand.submitted("b-1", IMMEDIATE, TWO).await;
    let exchange = stand.client.status(&batch_id, Some(&flow)).await;
    assert!(exchange.correlation.is_some());
    let report = exchange.result.unwrap();
    assert_eq!(report.status, BatchStatus::CompletedWithErrors);
    assert_eq!(
        (outcome(&report, "c-1"), outcome(&report, "c-2")),
        ("succeeded".into(), "PAN_INELIGIBLE".into())
    );
    let card = of(&report, "c-1")[0];
    assert_eq!(card.external_consumer_id.as_deref(), Some("p-1"));
    assert!(card.src_consumer_id.is_some());

    let deletion = CardDeletion {
        src_digital_card_id: card.src_digital_card_id.as_deref().unwrap(),
        src_client_id: IMMEDIATE,
        service_id: "SRC-DEMO#01",
        src_correlation_id: "ff97ef9b-4b1e-40c2-b522-42197061dc5a",
    };
    for expected in [DeletedCard::Deleted, DeletedCard::NotFound] {
        assert_eq!(
            stand.client.delete_card(&deletion, Some(&flow)).await.result,
            Ok(expected)
        );
    }
    let shown = stand
        .admin(Method::GET, "/issuers/digital-cards", Value::Null)
        .await;
    assert_eq!(
        (&shown[0]["isDeleted"], &shown[0]["deletions"]),
        (&json!(true), &json!(2))
    );
    let shown = stand.admin(Method::GET, "/issuers/batches", Value::Null).await;
    assert_eq!(shown[0]["cards"][0]["last4"], "0006");
    assert!(!shown.to_string().contains("523400"));
    stand.around.end().await;
}

#[tokio::test]
async fn repeated_submission_is_the_same_batch() {
    let stand = Stand::new().await;
    let data = stand.data(TWO);
    stand
        .order(json!({"fault": "cut-after", "batch": "b-1"}), "submitBatch")
        .await;
    let lost = stand.submit("b-1", IMMEDIATE, &data).await.result.unwrap_err();
    assert!(lost.leaves_outcome_open(), "{lost}");
    let first = stand.submit("b-1", IMMEDIATE, &data).await;
    let second = stand.submit("b-1", IMMEDIATE, &data).await;
    assert_eq!((&first.result, &first.flow), (&second.result, &second.flow));
    let other = stand
        .submit("b-1", IMMEDIATE, &stand.data(TWO))
        .await
        .result
        .unwrap_err();
    assert!(matches!(other, IssuerEnrollmentError::Refused(refusal) if refusal.says_already_exists()));
    // Another issuer's id is its own.
    assert_ne!(
        stand.submit("b-1", AT_FIRST_CHECKOUT, &data).await.result,
        first.result
    );
    stand.around.end().await;
}

#[tokio::test]
async fn status_needs_the_flow_of_its_batch() {
    let stand = Stand::new().await;
    stand
        .admin(Method::PUT, "/issuers/settings", json!({"workMs": 60_000}))
        .await;
    let (batch_id, flow) = stand.submitted("b-1", IMMEDIATE, TWO).await;
    for other in [
        None,
        FlowId::parse("34F4A04B.B9EF8486-E8C1-44F3-88DC-D4F516A354DC"),
    ] {
        let error = stand
            .client
            .status(&batch_id, other.as_ref())
            .await
            .result
            .unwrap_err();
        assert!(matches!(error, IssuerEnrollmentError::Refused(refusal) if refusal.says_not_found()));
    }
    let report = async || stand.client.status(&batch_id, Some(&flow)).await.result.unwrap();
    assert_eq!(report().await.status, BatchStatus::InProgress);
    stand
        .admin(Method::POST, "/issuers/batches/finish", Value::Null)
        .await;
    assert_eq!(report().await.status, BatchStatus::CompletedWithErrors);
    stand.around.end().await;
}

#[tokio::test]
async fn caller_is_judged_by_its_signature() {
    let stand = Stand::new().await;
    let data = stand.data(TWO);
    let batch = submission("b-1", IMMEDIATE, &data);
    for other in [
        client(&stand.around, "another!key", NOW, None),
        client(&stand.around, CONSUMER_KEY, NOW - 1000, None),
        client(&stand.around, CONSUMER_KEY, NOW + 1000, None),
    ] {
        let error = other.submit(&batch, None).await.result.unwrap_err();
        assert_eq!(error.class(), "authentication_failed", "{error}");
        assert!(matches!(
            error,
            IssuerEnrollmentError::NotSent(NotSent::Gateway(_))
        ));
    }
    let repeating = client(&stand.around, CONSUMER_KEY, NOW, Some(200));
    assert!(repeating.submit(&batch, None).await.result.is_ok());
    let error = repeating.submit(&batch, None).await.result.unwrap_err();
    assert!(
        error.foreign_text().unwrap().expose().contains("nonce"),
        "{error}"
    );
    stand.around.end().await;
}

#[tokio::test]
async fn every_test_card_has_its_outcome() {
    let stand = Stand::new().await;
    let cards = stand.admin(Method::GET, "/issuers/cards", Value::Null).await;
    let names: Vec<(String, String)> = cards
        .as_array()
        .unwrap()
        .iter()
        .map(|card| {
            (
                card["outcome"].as_str().unwrap().to_owned(),
                card["number"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    for (issuer, has_token) in [
        (IMMEDIATE, true),
        (AT_FIRST_CHECKOUT, false),
        (PRE_PROVISIONED, false),
    ] {
        let cards: Vec<(&str, &str)> = names
            .iter()
            .map(|(name, number)| (name.as_str(), number.as_str()))
            .collect();
        let single: Vec<[(&str, &str); 1]> = cards.iter().map(|card| [*card]).collect();
        let consumers: Vec<(&str, &[(&str, &str)])> = cards
            .iter()
            .zip(&single)
            .map(|((name, _), card)| (*name, &card[..]))
            .collect();
        let report = stand.report("all", issuer, &consumers).await;
        for (name, _) in &names {
            let is_token = [
                "tokenization_ineligible",
                "issuer_declined",
                "issuer_decline",
                "no_response_from_issuer",
            ];
            let expected = match name.as_str() {
                "enrolled" | "enrolled_second" | "foreign_id" => "succeeded".to_owned(),
                "null_reason" => "failed".to_owned(),
                "left_out" => "left out".to_owned(),
                "unstated" | "contradictory" => "unknown".to_owned(),
                "duplicate" => "repeated".to_owned(),
                "unknown_reason" => "SOMETHING_NEW".to_owned(),
                name if is_token.contains(&name) && !has_token => "succeeded".to_owned(),
                name => name.to_uppercase(),
            };
            assert_eq!(outcome(&report, name), expected, "{issuer} {name}");
        }
        assert_eq!(of(&report, "nobody-sent-this").len(), 1);
        assert_eq!(
            of(&report, "enrolled")[0].src_digital_card_id.is_some(),
            issuer != PRE_PROVISIONED
        );
    }
    stand.around.end().await;
}

#[tokio::test]
async fn profile_falls_with_one_card_where_tokens_are_immediate() {
    let stand = Stand::new().await;
    let profile: &[(&str, &[(&str, &str)])] =
        &[("p", &[("good", "5234000100000006"), ("bad", "5234000100000402")])];
    let report = stand.report("b", IMMEDIATE, profile).await;
    assert_eq!(
        (outcome(&report, "good"), outcome(&report, "bad")),
        ("failed".into(), "ISSUER_DECLINED".into())
    );
    let report = stand.report("b", AT_FIRST_CHECKOUT, profile).await;
    assert_eq!(outcome(&report, "good"), "succeeded");
    stand.around.end().await;
}

#[tokio::test]
async fn results_are_the_same_in_every_form() {
    let stand = Stand::new().await;
    for wrapping in ["bare", "error"] {
        let settings = json!({"workMs": 0, "wrapping": wrapping});
        stand.admin(Method::PUT, "/issuers/settings", settings).await;
        for form in [
            "nested",
            "other-spellings",
            "other-dialect",
            "other-wrapping",
            "details",
            "gateway-errors",
            "extra-members",
            "reordered",
            "wrapped",
            "listed",
            "pretty",
            "byte-order-mark",
            "utf-16",
            "charset",
            "gzip",
            "chunked",
        ] {
            let id = format!("{wrapping}-{form}");
            let order = json!({"fault": "shaped", "form": form, "batch": id});
            stand.order(order.clone(), "submitBatch").await;
            stand.order(order, "batchStatus").await;
            let report = stand.report(&id, IMMEDIATE, TWO).await;
            assert_eq!(outcome(&report, "c-1"), "succeeded", "{id}");
            assert_eq!(outcome(&report, "c-2"), "PAN_INELIGIBLE", "{id}");
            assert_eq!(
                of(&report, "c-1")[0].external_consumer_id.as_deref(),
                Some("p-1"),
                "{id}"
            );
            assert!(of(&report, "c-1")[0].src_consumer_id.is_some(), "{id}");
        }
    }
    stand.around.end().await;
}

#[tokio::test]
async fn form_that_says_nothing_is_no_result() {
    let stand = Stand::new().await;
    let (batch_id, flow) = stand.submitted("b", IMMEDIATE, TWO).await;
    for form in ["other-batch", "member-twice", "html", "empty-body"] {
        stand
            .order(json!({"fault": "shaped", "form": form}), "batchStatus")
            .await;
        let error = stand
            .client
            .status(&batch_id, Some(&flow))
            .await
            .result
            .unwrap_err();
        assert!(
            matches!(error, IssuerEnrollmentError::Unknown { .. }),
            "{form} {error}"
        );
        stand
            .order(
                json!({"fault": "shaped", "form": form, "batch": form}),
                "submitBatch",
            )
            .await;
        let error = stand
            .submit(form, IMMEDIATE, &stand.data(TWO))
            .await
            .result
            .unwrap_err();
        assert!(
            matches!(error, IssuerEnrollmentError::Unknown { .. }),
            "{form} {error}"
        );
    }
    stand
        .order(
            json!({"fault": "shaped", "form": "unknown-status"}),
            "batchStatus",
        )
        .await;
    let report = stand.client.status(&batch_id, Some(&flow)).await.result.unwrap();
    assert!(!report.status.is_final());
    stand
        .order(json!({"fault": "shaped", "form": "missing-items"}), "batchStatus")
        .await;
    let report = stand.client.status(&batch_id, Some(&flow)).await.result.unwrap();
    assert!(report.status.is_final() && report.cards.is_empty());
    stand
        .order(
            json!({"fault": "shaped", "form": "contradictions"}),
            "batchStatus",
        )
        .await;
    let report = stand.client.status(&batch_id, Some(&flow)).await.result.unwrap();
    assert_eq!(outcome(&report, "c-1"), "repeated");
    stand.around.end().await;
}

#[tokio::test]
async fn throttling_and_refusals_are_ordered() {
    let stand = Stand::new().await;
    let data = stand.data(TWO);
    for as_date in [false, true] {
        let order = json!({"fault": "throttled", "retryAfter": 7, "asDate": as_date});
        stand.order(order, "submitBatch").await;
        let Err(IssuerEnrollmentError::Throttled {
            retry_after: Some(wait),
        }) = stand.submit("b", IMMEDIATE, &data).await.result
        else {
            panic!("not throttled")
        };
        match wait {
            RetryAfter::Delay(delay) if !as_date => assert_eq!(delay, Duration::from_secs(7)),
            // The server's clock is the machine's, the stand-in's stands still.
            RetryAfter::Delay(_) => assert!(as_date),
            RetryAfter::At(time) => assert_eq!(time, NOW + 7),
        }
    }
    for (reason, recoverable) in [
        ("INVALID_ARGUMENT", false),
        ("UNAVAILABLE", true),
        ("EXPIRED", false),
    ] {
        stand
            .order(json!({"fault": "refused", "reason": reason}), "submitBatch")
            .await;
        let error = stand.submit("b", IMMEDIATE, &data).await.result.unwrap_err();
        let IssuerEnrollmentError::Refused(refusal) = error else {
            panic!("{reason} {error}")
        };
        assert_eq!(refusal.is_recoverable, recoverable, "{reason}");
    }
    assert!(stand.submit("b", IMMEDIATE, &data).await.result.is_ok());
    stand
        .admin(Method::PUT, "/issuers/settings", json!({"callsPerSecond": 1}))
        .await;
    stand.submit("b", IMMEDIATE, &data).await.result.ok();
    let error = stand.submit("b", IMMEDIATE, &data).await.result.unwrap_err();
    assert!(
        matches!(error, IssuerEnrollmentError::Throttled { .. }),
        "{error}"
    );
    stand.around.end().await;
}

/// A product that answers 202 and keeps what it got.
async fn product() -> (std::net::SocketAddr, Arc<Mutex<Vec<(String, Value)>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let accept = async move |headers: HeaderMap, Json(body): Json<Value>| {
        let token = headers["authorization"].to_str().unwrap().to_owned();
        kept.lock().unwrap().push((token, body));
        (StatusCode::ACCEPTED, Json(json!({"batchId": "b"})))
    };
    let router = Router::new().route("/company/enroll_batch", post(accept));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, seen)
}

#[tokio::test]
async fn sample_of_the_partner_is_enrolled() {
    let (address, seen) = product().await;
    let stand = Stand::before(&format!("http://{address}")).await;
    let partner = format!("http://{}", stand.around.at().partner);
    let answer = stand
        .around
        .client(None)
        .post(format!("{partner}/batches"))
        .send()
        .await
        .unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(
        (&answer["status"], &answer["body"]["batchId"]),
        (&json!(202), &json!("b"))
    );
    let (token, body) = seen.lock().unwrap().pop().unwrap();
    let claims = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(
        (&claims["actionCode"], &claims["htm"]),
        (&json!("B"), &json!("POST"))
    );
    assert_eq!(claims["htu"], format!("http://{address}/company/enroll_batch"));
    assert!(claims["bodyHash"].is_string() && claims["sub"].is_null() && claims["programId"].is_null());
    assert_eq!(
        body["manifest"]["profiles"][2]["cards"][1]["externalCardId"],
        "card-4"
    );

    let data = body["encryptedEnrollmentData"].as_str().unwrap();
    let exchange = stand.submit("sample", IMMEDIATE, data).await;
    let batch_id = exchange.result.unwrap().batch_id;
    let report = stand
        .client
        .status(&batch_id, exchange.flow.as_ref())
        .await
        .result
        .unwrap();
    for (card, expected) in [
        ("card-1", "succeeded"),
        ("card-4", "succeeded"),
        ("card-5", "PAN_INELIGIBLE"),
        ("card-6", "ISSUER_DECLINED"),
        ("card-7", "failed"),
    ] {
        assert_eq!(outcome(&report, card), expected, "{card}");
    }
    let page = stand
        .around
        .client(None)
        .get(format!("{partner}/batch"))
        .send()
        .await
        .unwrap();
    let page = page.text().await.unwrap();
    assert!(
        page.contains("card-7") && page.contains("•••• 0006") && !page.contains("523400"),
        "{page}"
    );
    stand.around.end().await;
}

#[tokio::test]
async fn content_is_checked_whole() {
    let stand = Stand::new().await;
    let details = async |id: &str, content: Value| {
        let data = stand.encryptor.encrypt(content.to_string().as_bytes()).unwrap();
        match stand.submit(id, IMMEDIATE, &data).await.result.unwrap_err() {
            IssuerEnrollmentError::Refused(refusal) => refusal
                .details
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" "),
            error => panic!("{error}"),
        }
    };
    assert_eq!(details("1", json!({})).await, "CANNOT_BE_NULL");
    assert_eq!(
        details(
            "2",
            content(
                &[("p", &[("c", "5234000100000006"), ("c", "5234000100000105")])],
                "externalCardId"
            )
        )
        .await,
        "ALREADY_EXISTS"
    );
    assert_eq!(
        details(
            "3",
            content(&[("p", &[("c", "5234000100000006")])], "externalCredentialId")
        )
        .await,
        "CANNOT_BE_NULL"
    );
    let ids: Vec<String> = (0..251).map(|at| format!("c-{at}")).collect();
    let cards: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), "5234000100000006")).collect();
    assert_eq!(
        details("4", content(&[("p", &cards)], "externalCardId")).await,
        "INVALID_VALUE"
    );

    let strong = encryptor(&stand.around, ContentEncryption::A256Gcm).await;
    let plain = content(TWO, "externalCardId").to_string();
    let data = strong.encrypt(plain.as_bytes()).unwrap();
    assert!(stand.submit("5", IMMEDIATE, &data).await.result.is_ok());
    let tampered = data.replacen('.', ".A", 3);
    let error = stand.submit("6", IMMEDIATE, &tampered).await.result.unwrap_err();
    assert!(matches!(error, IssuerEnrollmentError::Refused(_)), "{error}");
    let luhn: &[(&str, &[(&str, &str)])] = &[("p", &[("c", "5234000100000007"), ("d", "4111111111111111")])];
    let report = stand.report("7", PRE_PROVISIONED, luhn).await;
    assert_eq!(
        (outcome(&report, "c"), outcome(&report, "d")),
        ("INVALID_PAN".into(), "ACCOUNT_RANGE_NOT_FOUND".into())
    );
    stand.around.end().await;
}
