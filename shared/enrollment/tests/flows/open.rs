use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enrollment::action::ActionCode;
use enrollment::client::{Client, ClientStatus, VerificationKey};
use enrollment::clock::Clock as _;
use enrollment::flows::open::{NewSession, OpenError};
use enrollment::reason::Reason;
use enrollment::session::LIFETIME;
use enrollment::status::Status;
use harness::Fixture;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

const PUBLIC_KEY: &str = include_str!("../../src/testing/public-key.pem");
const PRIVATE_KEY: &str = include_str!("../../src/testing/private-key.pem");
const OTHER_PRIVATE_KEY: &str = include_str!("../../src/testing/other-private-key.pem");

fn with_key(client: &mut Client) {
    client.keys = vec![VerificationKey {
        id: "2027-03".into(),
        pem: PUBLIC_KEY.into(),
        not_after: None,
    }];
}

fn claims(fixture: &Fixture) -> Value {
    let now = fixture.clock.now().as_second();
    json!({
        "iss": "bank", "sub": "customer-5d7703f9", "actionCode": "N", "programId": "10765", "last4": "0123",
        "iat": now, "exp": now + 600, "language": "en",
        "confirmationUrl": "https://bank.example/id/123"
    })
}

fn sign(claims: &Value, key: &str) -> String {
    let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"typ": "JWT", "alg": "RS256"});
    let signed = format!("{}.{}", segment(&header), segment(claims));
    let key = EncodingKey::from_rsa_pem(key.as_bytes()).unwrap();
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::RS256).unwrap();
    format!("{signed}.{signature}")
}

/// Status, reason, and whether the client's page can show it.
fn refusal(opened: Result<NewSession, OpenError>) -> (Status, Option<Reason>, bool) {
    let error = opened.unwrap_err();
    (error.status(), error.reason(), error.client().is_some())
}

#[tokio::test]
async fn token_opens_the_session_that_it_describes() {
    let (fixture, _) = Fixture::on_model(with_key);
    let opened = fixture.open(&sign(&claims(&fixture), PRIVATE_KEY)).await.unwrap();
    assert_eq!(opened.client.id, fixture.client);
    assert_eq!(opened.language.as_str(), "en");
    let session = fixture.stored_session(&opened.session).await;
    let now = fixture.clock.now();
    assert_eq!((session.opened_at, session.expires_at), (now, now + LIFETIME));
    assert_eq!(session.action, ActionCode::Enroll);
    assert_eq!(
        (&session.customer, &session.program),
        (&fixture.customer, &fixture.program)
    );
    assert_eq!(session.confirmation_url.unwrap().path(), "/id/123");
    assert_eq!(
        (session.failures, session.extensions, session.finished),
        (0, 0, false)
    );
    assert_eq!((session.open_attempt, session.last_attempt), (None, None));
}

#[tokio::test]
async fn token_opens_one_session() {
    let (fixture, _) = Fixture::on_model(with_key);
    let token = sign(&claims(&fixture), PRIVATE_KEY);
    fixture.open(&token).await.unwrap();
    let (status, reason, is_shown) = refusal(fixture.open(&token).await);
    assert_eq!(
        (status, reason, is_shown),
        (Status::AccessDenied, Some(Reason::Used), true)
    );
}

#[tokio::test]
async fn unusable_tokens_are_refused_by_status() {
    let (fixture, _) = Fixture::on_model(with_key);
    let mut unknown = claims(&fixture);
    unknown["iss"] = "nobody".into();
    for (token, expected) in [
        ("no token".to_owned(), (Status::InvalidParameters, None, false)),
        (sign(&unknown, PRIVATE_KEY), (Status::AccessDenied, None, false)),
        (
            sign(&claims(&fixture), OTHER_PRIVATE_KEY),
            (Status::AccessDenied, None, true),
        ),
    ] {
        assert_eq!(refusal(fixture.open(&token).await), expected, "{token}");
    }
}

#[tokio::test]
async fn suspended_client_opens_nothing() {
    let (fixture, _) = Fixture::on_model(|client| {
        with_key(client);
        client.status = ClientStatus::Suspended;
    });
    let refused = refusal(fixture.open(&sign(&claims(&fixture), PRIVATE_KEY)).await);
    assert_eq!(refused, (Status::AccessDenied, Some(Reason::Suspended), true));
}

#[tokio::test]
async fn reached_limit_refuses_all_but_opt_outs() {
    let (fixture, _) = Fixture::on_model(|client| {
        with_key(client);
        client.programs[0].attempts_per_customer_per_hour = 1;
    });
    fixture.card().await;
    let mut claims = claims(&fixture);
    for (action, expected) in [
        ("N", Some((Status::AccessDenied, Some(Reason::Limit), true))),
        ("R", Some((Status::AccessDenied, Some(Reason::Limit), true))),
        ("C", None),
    ] {
        claims["actionCode"] = action.into();
        let opened = fixture.open(&sign(&claims, PRIVATE_KEY)).await;
        assert_eq!(opened.is_err().then(|| refusal(opened)), expected, "{action}");
    }
}
