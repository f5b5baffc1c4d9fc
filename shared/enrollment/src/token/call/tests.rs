use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::*;
use crate::testing::{self, PRIVATE_KEY_PEM};
use crate::token::{TokenRules, UnverifiedToken};

const NOW: i64 = 1_800_000_000;
const BODY: &[u8] = br#"{"externalBatchId":"1"}"#;

fn sign(claims: &Value) -> String {
    let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", segment(&json!({"alg": "RS256"})), segment(claims));
    let key = EncodingKey::from_rsa_pem(PRIVATE_KEY_PEM.as_bytes()).unwrap();
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::RS256).unwrap();
    format!("{signed}.{signature}")
}

/// Claims for a POST of [`BODY`].
fn good() -> Value {
    json!({
        "iss": "demo", "actionCode": "B", "iat": NOW, "exp": NOW + 600, "htm": "POST",
        "htu": "https://cards.example/base/company/enroll_batch",
        "bodyHash": STANDARD.encode(Sha256::digest(BODY))
    })
}

fn with(claim: &str, value: impl Into<Value>) -> Value {
    let mut claims = good();
    claims[claim] = value.into();
    claims
}

const POST: CalledRequest<'_> = CalledRequest {
    method: "POST",
    path: "/company/enroll_batch",
    body: BODY,
};

fn read(claims: &Value, purpose: CallPurpose, request: CalledRequest<'_>) -> Result<CallClaims, TokenError> {
    let client = testing::client();
    let token = sign(claims);
    let token = UnverifiedToken::parse(&token)?;
    let now = Timestamp::from_second(NOW).unwrap();
    let rules = TokenRules {
        max_lifetime: SignedDuration::from_mins(10),
        audience: "https://cards.example/base/",
    };
    CallClaims::read(&token.verify(&client, now, rules)?, purpose, request)
}

fn check(claims: &Value) -> Result<CallClaims, TokenError> {
    read(claims, CallPurpose::Batch, POST)
}

#[test]
fn token_stands_for_its_own_request() {
    let expires_at = Timestamp::from_second(NOW + 600).unwrap();
    assert_eq!(check(&good()), Ok(CallClaims { expires_at }));
    assert_eq!(
        read(&good(), CallPurpose::Deletion, POST),
        Err(TokenError::InvalidParameters("actionCode"))
    );
    let other = |request| read(&good(), CallPurpose::Batch, request);
    assert_eq!(
        other(CalledRequest {
            method: "GET",
            ..POST
        }),
        Err(TokenError::InvalidParameters("htm"))
    );
    let path = "/company/enroll_batch/0";
    assert_eq!(
        other(CalledRequest { path, ..POST }),
        Err(TokenError::InvalidParameters("htu"))
    );
    let body = b"{}".as_slice();
    assert_eq!(
        other(CalledRequest { body, ..POST }),
        Err(TokenError::InvalidParameters("bodyHash"))
    );
}

#[test]
fn missing_or_malformed_claim_is_named() {
    for claim in ["actionCode", "iat", "exp", "htm", "htu", "bodyHash"] {
        for value in [Value::Null, json!(""), json!([7])] {
            let refused = check(&with(claim, value));
            assert_eq!(refused, Err(TokenError::InvalidParameters(claim)), "{claim}");
        }
    }
    for letter in ["N", "R", "C", "D", "P", "b", "BB"] {
        assert!(check(&with("actionCode", letter)).is_err(), "{letter}");
    }
    assert!(check(&with("aud", "https://other.example")).is_err());
    assert!(check(&with("aud", "https://cards.example/base")).is_ok());
    assert_eq!(
        check(&with("exp", NOW + 601)),
        Err(TokenError::InvalidParameters("lifetime"))
    );
}

#[test]
fn address_is_compared_after_normalization() {
    for same in [
        "https://cards.example/base/company/enroll_batch?x=1#y",
        "HTTPS://Cards.Example:443/base/company/enroll_batch",
        "https://cards.example/base/x/../company/./enroll_batch",
        "https://cards.example/base/%63ompany/enroll%5fbatch",
        "https://cards.example/base/company/enroll%5Fbatch",
    ] {
        assert!(check(&with("htu", same)).is_ok(), "{same}");
    }
    for other in [
        "https://cards.example/company/enroll_batch",
        "https://cards.example/base/company/enroll_batch/",
        "https://cards.example/base//company/enroll_batch",
        "http://cards.example/base/company/enroll_batch",
        "https://cards.example:8443/base/company/enroll_batch",
        "https://cards.example.evil.example/base/company/enroll_batch",
        "https://user@cards.example/base/company/enroll_batch",
        "https://cards.example/base/company%2Fenroll_batch",
        "https://cards.example/base/Company/enroll_batch",
        "/base/company/enroll_batch",
        "https://cards.example/base/company/enroll_batch%",
        &format!(
            "https://cards.example/base/company/enroll_batch?{}",
            "x".repeat(2048)
        ),
    ] {
        assert_eq!(
            check(&with("htu", other)),
            Err(TokenError::InvalidParameters("htu")),
            "{other}"
        );
    }
}

#[test]
fn hash_is_read_from_each_base64() {
    // A body whose hash has letters that differ between the alphabets.
    let mut number = 0_u32;
    let (body, hash) = loop {
        let body = number.to_string();
        let hash = STANDARD.encode(Sha256::digest(body.as_bytes()));
        if hash.contains('+') && hash.contains('/') {
            break (body, hash);
        }
        number += 1;
    };
    let request = CalledRequest {
        body: body.as_bytes(),
        ..POST
    };
    let url_safe = hash.replace('+', "-").replace('/', "_");
    for text in [
        &hash,
        hash.trim_end_matches('='),
        &url_safe,
        url_safe.trim_end_matches('='),
    ] {
        let claims = with("bodyHash", text);
        assert!(read(&claims, CallPurpose::Batch, request).is_ok(), "{text}");
    }
    let hex = hex::encode(Sha256::digest(body.as_bytes()));
    for text in [hex.as_str(), &hash[1..], "=", &format!("{hash} ")] {
        let claims = with("bodyHash", text);
        assert!(read(&claims, CallPurpose::Batch, request).is_err(), "{text}");
    }
}

#[test]
fn request_without_a_body_needs_no_hash() {
    let get = CalledRequest {
        method: "GET",
        path: "/company/enroll_batch/0",
        body: b"",
    };
    let mut claims = with("htu", "https://cards.example/base/company/enroll_batch/0");
    claims["htm"] = "GET".into();
    let read = |claims: &Value| read(claims, CallPurpose::Batch, get);
    assert!(read(&claims).is_err(), "the hash of another body");
    claims["bodyHash"] = Value::Null;
    assert!(read(&claims).is_ok());
    claims["bodyHash"] = STANDARD.encode(Sha256::digest(b"")).into();
    assert!(read(&claims).is_ok(), "the hash of nothing, as OAuth has it");
}
