use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::action::ActionCode;
use crate::client::{Client, ClientStatus};
use crate::language::RequestedLanguage;
use crate::testing::{self, OTHER_PRIVATE_KEY_PEM, PRIVATE_KEY_PEM, PUBLIC_KEY_PEM};

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn good() -> Value {
    json!({
        "iss": "demo", "sub": "customer-1", "actionCode": "N", "programId": "10765",
        "iat": 1_800_000_000, "exp": 1_800_000_600, "language": "en_US",
        "confirmationUrl": "https://api.bank.example/id/123"
    })
}

fn with(changes: &Value) -> Value {
    let mut claims = good();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn sign_as(header: &Value, claims: &Value, key: &str) -> String {
    let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", segment(header), segment(claims));
    let key = EncodingKey::from_rsa_pem(key.as_bytes()).unwrap();
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::RS256).unwrap();
    format!("{signed}.{signature}")
}

fn sign(claims: &Value) -> String {
    sign_as(&json!({"typ": "JWT", "alg": "RS256"}), claims, PRIVATE_KEY_PEM)
}

const EXPECTED: TokenRules<'_> = TokenRules {
    max_lifetime: SignedDuration::from_mins(10),
    audience: "https://cards.example/base",
};

fn verify(token: &UnverifiedToken<'_>, client: &Client) -> Result<WidgetClaims, TokenError> {
    WidgetClaims::read(&token.verify(client, now(), EXPECTED)?)
}

fn check(token: &str) -> Result<WidgetClaims, TokenError> {
    verify(&UnverifiedToken::parse(token)?, &testing::client())
}

/// Signed with a value that the claims of [`good`] do not have, `null` included.
fn sign_with(claim: &str, value: &Value) -> String {
    let mut claims = good();
    claims[claim] = value.clone();
    sign(&claims)
}

fn status_of(token: &str) -> Status {
    check(token).expect_err("must be refused").status()
}

#[test]
fn good_token_gives_its_claims() {
    let claims = check(&sign(&good())).unwrap();
    assert_eq!(claims.customer.expose(), "customer-1");
    assert_eq!(claims.action, ActionCode::Enroll);
    assert_eq!(claims.program.as_str(), "10765");
    assert_eq!(claims.language, RequestedLanguage::parse("en_US"));
    assert_eq!(
        claims.confirmation_url.unwrap().as_str(),
        "https://api.bank.example/id/123"
    );
    let library = jsonwebtoken::encode(
        &Header::new(Algorithm::RS256),
        &good(),
        &EncodingKey::from_rsa_pem(PRIVATE_KEY_PEM.as_bytes()).unwrap(),
    );
    assert!(check(&library.unwrap()).is_ok());
}

#[test]
fn both_names_of_confirmation_url_are_read() {
    let renamed = with(&json!({"confirmationUrl": null, "ranac_url": "https://api.bank.example/r"}));
    assert_eq!(
        check(&sign(&renamed)).unwrap().confirmation_url.unwrap().path(),
        "/r"
    );
    let two = with(&json!({"ranac_url": "https://api.bank.example/r"}));
    assert_eq!(status_of(&sign(&two)), Status::InvalidParameters);
}

#[test]
fn row_1_malformed_token_is_invalid() {
    let token = sign(&good());
    let parts: Vec<&str> = token.split('.').collect();
    let malformed = [
        String::new(),
        "x".into(),
        "a.b".into(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}.x"),
        format!("{}..{}", parts[0], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], "é"),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        token.replace('.', " "),
        sign(&with(&json!({"iss": null}))),
        sign(&with(&json!({"iss": 7}))),
        sign(&with(&json!({"iss": ""}))),
        sign(&with(&json!({"iss": "x".repeat(257)}))),
        "x".repeat(MAX_LENGTH + 1),
    ];
    for token in malformed {
        assert_eq!(
            status_of(&token),
            Status::InvalidParameters,
            "{}",
            &token[..token.len().min(60)]
        );
    }
    let twice = r#"{"iss":"demo","iss":"demo"}"#;
    let token = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(twice), parts[2]);
    assert_eq!(status_of(&token), Status::InvalidParameters);
}

#[test]
fn row_2_forged_token_is_denied() {
    let good = good();
    let token = sign(&good);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let hmac = {
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": "HS256"}).to_string());
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(good.to_string()));
        let key = EncodingKey::from_secret(PUBLIC_KEY_PEM.as_bytes());
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::HS256).unwrap();
        format!("{signed}.{signature}")
    };
    let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[0] ^= 1;
    let forged = [
        sign_as(&json!({"alg": "none"}), &good, PRIVATE_KEY_PEM),
        sign_as(&json!({"alg": "RS512"}), &good, PRIVATE_KEY_PEM),
        sign_as(&json!({"alg": "PS256"}), &good, PRIVATE_KEY_PEM),
        sign_as(&json!({"alg": "rs256"}), &good, PRIVATE_KEY_PEM),
        sign_as(&json!({"typ": "JWT"}), &good, PRIVATE_KEY_PEM),
        sign_as(&json!({"alg": "RS256", "crit": ["exp"]}), &good, PRIVATE_KEY_PEM),
        sign_as(&json!({"alg": "RS256", "cty": "JWT"}), &good, PRIVATE_KEY_PEM),
        sign_as(&json!({"alg": "RS256"}), &good, OTHER_PRIVATE_KEY_PEM),
        sign_as(
            &json!({"alg": "RS256", "kid": "2026-11"}),
            &good,
            OTHER_PRIVATE_KEY_PEM,
        ),
        sign_as(
            &json!({"alg": "RS256", "jku": "https://evil.example/jwks"}),
            &good,
            OTHER_PRIVATE_KEY_PEM,
        ),
        hmac,
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(flipped)),
        format!("{signed}.AAAA"),
        format!("{signed}."),
        format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
            URL_SAFE_NO_PAD.encode(good.to_string())
        ),
        sign(&with(&json!({"iss": "somebody"}))),
        sign(&with(&json!({"iss": "../demo"}))),
    ];
    for (index, token) in forged.iter().enumerate() {
        assert_eq!(status_of(token), Status::AccessDenied, "forged token {index}");
    }
}

#[test]
fn row_2_known_kid_decides_and_unknown_tries_all_keys() {
    assert!(
        check(&sign_as(
            &json!({"alg": "RS256", "kid": "theirs"}),
            &good(),
            PRIVATE_KEY_PEM
        ))
        .is_ok()
    );
    assert!(
        check(&sign_as(
            &json!({"alg": "RS256", "kid": "2026-11"}),
            &good(),
            PRIVATE_KEY_PEM
        ))
        .is_ok()
    );
}

#[test]
fn row_2_suspended_client_and_ended_key_are_denied() {
    let token = sign(&good());
    let token = UnverifiedToken::parse(&token).unwrap();
    let mut client = testing::client();
    client.status = ClientStatus::Suspended;
    assert_eq!(
        verify(&token, &client).unwrap_err().status(),
        Status::AccessDenied
    );
    let mut client = testing::client();
    client.keys[0].not_after = Some(now());
    assert_eq!(
        verify(&token, &client),
        Err(TokenError::AccessDenied("signature"))
    );
}

#[test]
fn longest_key_and_smallest_exponent_are_accepted() {
    for (key, token) in [
        (
            &include_bytes!("../testing/rsa-8192-public.pem")[..],
            include_str!("../testing/rsa-8192.jwt"),
        ),
        (
            include_bytes!("../testing/exponent-3-public.pem"),
            include_str!("../testing/exponent-3.jwt"),
        ),
    ] {
        let mut client = testing::client();
        client.keys[0].pem = crate::client::public_key::PublicKey::read(key).unwrap().pem;
        let token = UnverifiedToken::parse(token.trim()).unwrap();
        assert!(verify(&token, &client).is_ok());
        let forged = sign(&good());
        let refused = verify(&UnverifiedToken::parse(&forged).unwrap(), &client);
        assert_eq!(refused, Err(TokenError::AccessDenied("signature")));
    }
}

#[test]
fn row_3_expired_differs_from_forged() {
    let expired = with(&json!({"iat": 1_799_999_000, "exp": 1_799_999_600}));
    assert_eq!(status_of(&sign(&expired)), Status::TokenExpired);
    // Expiry is row 3, other claims row 4: the first failure decides.
    let both = with(&json!({"exp": 1_799_999_600, "sub": null}));
    assert_eq!(status_of(&sign(&both)), Status::TokenExpired);
    let forged = sign_as(&json!({"alg": "RS256"}), &expired, OTHER_PRIVATE_KEY_PEM);
    assert_eq!(status_of(&forged), Status::AccessDenied);
    let edge = with(&json!({"iat": 1_799_999_600, "exp": 1_799_999_940}));
    assert!(check(&sign(&edge)).is_ok(), "60 s of leeway");
}

#[test]
fn row_4_wrong_claims_are_invalid() {
    let wrong = [
        json!({"sub": null}),
        json!({"sub": ""}),
        json!({"sub": 7}),
        json!({"sub": "x".repeat(257)}),
        json!({"sub": "a\u{0}b"}),
        json!({"actionCode": null}),
        json!({"actionCode": "X"}),
        json!({"actionCode": ["N"]}),
        json!({"programId": null}),
        json!({"programId": 10765}),
        json!({"programId": "x".repeat(257)}),
        json!({"iat": null}),
        json!({"iat": "1800000000"}),
        json!({"iat": -1}),
        json!({"exp": null}),
        json!({"exp": "1800000600"}),
        json!({"exp": 1e300}),
        json!({"iat": 1_800_000_061, "exp": 1_800_000_100}),
        json!({"iat": 1_800_000_000, "exp": 1_800_000_601}),
        json!({"iat": 1_800_000_050, "exp": 1_800_000_050}),
        json!({"nbf": 1_800_000_061}),
        json!({"nbf": "soon"}),
        json!({"sub": " customer-1"}),
        json!({"sub": "customer-1\u{a0}"}),
        json!({"sub": "\u{feff}customer-1"}),
        json!({"sub": "customer-1\u{feff}"}),
        json!({"sub": "\u{3000}"}),
        json!({"iat": "2027-01-15T08:00:00Z"}),
        json!({"nbf": false}),
        json!({"last4": "12a4"}),
        json!({"last4": 1234}),
        json!({"last4": ""}),
        json!({"last4": "\u{661}\u{662}\u{663}\u{664}"}),
        json!({"ranac_url": 7}),
        json!({"ranac_url": ""}),
        json!({"aud": ""}),
        json!({"aud": 7}),
        json!({"aud": []}),
        json!({"aud": {}}),
        json!({"aud": "https://cards.example"}),
        json!({"aud": "https://cards.example/base/more"}),
        json!({"aud": "https://cards.example/base//"}),
        json!({"aud": ["https://other.example"]}),
        json!({"aud": ["https://cards.example/base", 7]}),
        json!({"confirmationUrl": "http://api.bank.example/"}),
        json!({"confirmationUrl": "https://evil.example/"}),
        json!({"confirmationUrl": "nonsense"}),
        json!({"confirmationUrl": {}}),
    ];
    for changes in wrong {
        assert_eq!(
            status_of(&sign(&with(&changes))),
            Status::InvalidParameters,
            "{changes}"
        );
    }
}

#[test]
fn return_url_is_one_of_the_targets() {
    let read = |url: &str| check(&sign_with("returnUrl", &json!(url))).map(|claims| claims.return_url);
    for (written, normal) in [
        (
            "https://www.bank.example/back?a=b#c",
            "https://www.bank.example/back?a=b#c",
        ),
        ("HTTPS://WWW.BANK.EXAMPLE:443", "https://www.bank.example/"),
        ("com.bank.app://back", "com.bank.app://back"),
    ] {
        let url = read(written).unwrap().unwrap();
        assert_eq!(url.as_str(), normal);
    }
    assert_eq!(check(&sign(&good())).unwrap().return_url, None);
    for url in [
        json!(""),
        json!(7),
        json!(["https://www.bank.example/"]),
        json!({}),
        json!("https://evil.example/"),
        json!("https://www.bank.example@evil.example/"),
        json!("https://user@www.bank.example/"),
        json!("http://www.bank.example/"),
        json!("https://www.bank.example:8443/"),
        json!("https://www.bank.example./"),
        json!("javascript:alert(1)"),
        json!("intent://back#Intent;scheme=bank;end"),
        json!(format!("https://www.bank.example/{}", "x".repeat(2048))),
    ] {
        let refused = check(&sign_with("returnUrl", &url)).unwrap_err();
        assert_eq!(refused, TokenError::InvalidParameters("returnUrl"), "{url}");
    }
}

#[test]
fn null_claim_is_absent() {
    for claim in [
        "language",
        "last4",
        "confirmationUrl",
        "ranac_url",
        "nbf",
        "aud",
        "jti",
        "returnUrl",
    ] {
        assert!(check(&sign_with(claim, &Value::Null)).is_ok(), "{claim}");
    }
    for claim in ["sub", "actionCode", "programId", "iat", "exp"] {
        assert_eq!(
            status_of(&sign_with(claim, &Value::Null)),
            Status::InvalidParameters,
            "{claim}"
        );
    }
    let mut renamed = good();
    renamed["confirmationUrl"] = Value::Null;
    renamed["ranac_url"] = json!("https://api.bank.example/r");
    let url = check(&sign(&renamed)).unwrap().confirmation_url.unwrap();
    assert_eq!(url.path(), "/r");
}

#[test]
fn audience_may_list_us_among_others() {
    for audience in [
        json!("https://cards.example/base"),
        json!("https://cards.example/base/"),
        json!(["https://cards.example/base"]),
        json!(["https://other.example", "https://cards.example/base/"]),
    ] {
        assert!(check(&sign_with("aud", &audience)).is_ok(), "{audience}");
    }
}

#[test]
fn language_never_refuses() {
    let long = "x".repeat(3000);
    for language in [
        json!("es-u-ms-metric"),
        json!("english"),
        json!(""),
        json!(5),
        json!(-1.5),
        json!(true),
        json!(["en"]),
        json!({"tag": "en"}),
        json!("\u{0}"),
        json!(long),
    ] {
        let claims = check(&sign_with("language", &language)).unwrap();
        assert_eq!(
            claims.language.is_some(),
            language == "es-u-ms-metric" || language == "english"
        );
    }
}

#[test]
fn row_5_other_program_or_action_is_denied() {
    for changes in [
        json!({"programId": "99999"}),
        json!({"programId": "a b"}),
        json!({"actionCode": "R"}),
        json!({"actionCode": "C"}),
    ] {
        assert_eq!(
            status_of(&sign(&with(&changes))),
            Status::AccessDenied,
            "{changes}"
        );
    }
}

#[test]
fn customer_id_too_long_for_mrs_is_invalid() {
    let mut client = testing::client();
    client.programs[0].bank_customer_number = crate::client::BankCustomerNumberKind::CustomerId;
    let token = sign(&with(&json!({"sub": "x".repeat(31)})));
    let refused = verify(&UnverifiedToken::parse(&token).unwrap(), &client);
    assert_eq!(refused.unwrap_err().status(), Status::InvalidParameters);
}

#[test]
fn numeric_date_may_have_a_fraction() {
    assert!(
        check(&sign(&with(
            &json!({"iat": 1_800_000_000.5, "exp": 1_800_000_599.9})
        )))
        .is_ok()
    );
}

proptest! {
    #[test]
    fn random_text_is_refused(text in "\\PC{0,300}") {
        prop_assert!(check(&text).is_err());
    }

    #[test]
    fn changed_character_is_refused(position in 0_usize..800, replacement in "[A-Za-z0-9_.-]") {
        let token = sign(&good());
        let position = position % token.len();
        prop_assume!(token[position..=position] != replacement);
        let mut changed = token.clone();
        changed.replace_range(position..=position, &replacement);
        prop_assert!(check(&changed).is_err());
    }
}
