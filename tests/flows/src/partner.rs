//! The partner's back end: signs a token and opens the widget with it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use enrollment::client::Client;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Map, Value, json};

use crate::call::{Answer, post_json};
use crate::card::random_hex;
use crate::set_ups;
use crate::stack::Stack;
use crate::time::now;

/// Another key than the demo client's, made for tests alone.
const OTHER_PRIVATE_KEY: &str = include_str!("other-private-key.pem");

/// A partner with a customer that nobody has seen before.
#[derive(Debug, Clone)]
pub struct Partner {
    /// `iss`.
    pub client: String,
    /// `programId`.
    pub program: String,
    /// `sub`.
    pub customer: String,
}

impl Partner {
    /// The demo client.
    pub fn demo() -> Self {
        Self::of(&Stack::here().demo.client_id)
    }

    /// A client like the demo client but for `changes`, which signs with the same key. Its id and slug are new.
    pub fn like_demo_but(changes: impl FnOnce(&mut Client)) -> Self {
        Self::of(set_ups::like_demo_but(changes).as_str())
    }

    /// Changes the client, which must be one of this test's own. Functions that have read it may remember it for a
    /// minute.
    pub fn change(&self, changes: impl FnOnce(&mut Client)) {
        set_ups::change(&self.client, changes);
    }

    /// The same client, with a customer that nobody has seen before.
    #[must_use]
    pub fn with_another_customer(&self) -> Self {
        Self::of(&self.client)
    }

    fn of(client: &str) -> Self {
        Self {
            client: client.to_owned(),
            program: Stack::here().demo.program_id.clone(),
            customer: format!("customer-{}", random_hex(12)),
        }
    }

    /// Claims of a token that opens an enrollment. Members of `changes` replace the defaults; `null` takes one away.
    pub fn claims(&self, changes: &Value) -> Value {
        let now = now();
        let mut claims = Map::new();
        let defaults = json!({
            "iss": self.client, "sub": self.customer, "actionCode": "N", "programId": self.program,
            "iat": now, "exp": now + 300, "jti": random_hex(8)
        });
        for members in [&defaults, changes] {
            claims.extend(members.as_object().expect("an object of claims").clone());
        }
        claims.retain(|_, value| !value.is_null());
        Value::Object(claims)
    }

    /// A token that opens an enrollment, but for `changes`.
    pub fn token(&self, changes: &Value) -> String {
        sign(&self.claims(changes))
    }

    /// Opens an enrollment.
    pub fn open(&self, changes: &Value) -> Redirect {
        Redirect::of_token(&self.token(changes))
    }
}

/// Signs with the demo client's key.
pub fn sign(claims: &Value) -> String {
    sign_as(
        &json!({"typ": "JWT", "alg": "RS256"}),
        claims,
        &own_key(),
        Algorithm::RS256,
    )
}

/// Signs by any algorithm and key, under a header that may say something else.
pub fn sign_as(header: &Value, claims: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", segment(header), segment(claims));
    let signature = crypto::sign(signed.as_bytes(), key, algorithm).expect("a key of this algorithm");
    format!("{signed}.{signature}")
}

/// The demo client's key.
pub fn own_key() -> EncodingKey {
    let pem = Stack::here().text("demo/private-key.pem");
    EncodingKey::from_rsa_pem(pem.as_bytes()).expect("a private RSA key")
}

/// A key that is not the demo client's.
pub fn other_key() -> EncodingKey {
    EncodingKey::from_rsa_pem(OTHER_PRIVATE_KEY.as_bytes()).expect("a private RSA key")
}

/// The answer of `non_auth_initialize`.
#[derive(Debug, Clone)]
pub struct Redirect {
    /// `Enrollment-Status`.
    pub status: String,
    /// `Location`.
    pub location: String,
}

impl Redirect {
    /// Posts a token.
    pub fn of_token(token: &str) -> Self {
        Self::of_body(&json!({"initializeWebsiteToken": token}).to_string())
    }

    /// Posts any body. What is true of every answer is checked here: 302, an address, the same address in an `<a>`, a
    /// status, kept nowhere.
    pub fn of_body(body: &str) -> Self {
        Self::of_answer(&initialize(body))
    }

    /// The session, and that the rest of the address is as it should be.
    pub fn session(&self) -> &str {
        assert_eq!(self.status, "OPENED", "{}", self.location);
        let (page, session) = self
            .location
            .split_once('#')
            .expect("a session rides in the fragment");
        assert_eq!(session.len(), 43, "256 bits in base64url");
        assert!(
            session
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
        assert!(!page.contains(session));
        session
    }

    /// Whose page, and the language of a page that was opened.
    pub fn slug_and_language(&self) -> (&str, Option<&str>) {
        let path = self
            .location
            .strip_prefix(&format!("{}/widget/", Stack::here().endpoints.api));
        let path = path.unwrap_or_else(|| panic!("{} does not start as the product does", self.location));
        let (slug, rest) = path.split_once('/').expect("a slug");
        let query = rest.split('#').next().unwrap_or_default();
        (slug, query.strip_prefix("?lang="))
    }

    /// The status and incident of a failure's address, which may hold a reason beside them.
    pub fn failure(&self) -> (&str, &str) {
        let fragment = self
            .location
            .split_once('#')
            .map(|(_, fragment)| fragment)
            .unwrap_or_default();
        let (status, incident) = fragment
            .strip_prefix("status=")
            .and_then(|rest| rest.split_once("&incident="))
            .unwrap_or_else(|| panic!("{} is not the address of a failure", self.location));
        let incident = incident
            .split_once("&reason=")
            .map_or(incident, |(incident, _)| incident);
        let groups: Vec<_> = incident.split('-').map(str::len).collect();
        assert_eq!(groups, [4, 4, 4], "{incident}");
        assert_eq!(status, self.status, "header and address say the same");
        (status, incident)
    }

    /// The reason in a failure's address.
    pub fn reason(&self) -> Option<&str> {
        self.failure();
        self.location.split_once("&reason=").map(|(_, reason)| reason)
    }

    /// Reads an answer, with the checks of [`Redirect::of_body`].
    pub fn of_answer(answer: &Answer) -> Self {
        assert_eq!(answer.status, 302, "always a redirect: {}", answer.text());
        let location = answer.header("location").to_owned();
        let link = format!("<a href=\"{}\">", location.replace('&', "&amp;"));
        assert!(
            answer.text().contains(&link),
            "{link} is not in {}",
            answer.text()
        );
        assert!(answer.header("content-type").starts_with("text/html"));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        Self {
            status: answer.header("enrollment-status").to_owned(),
            location,
        }
    }
}

/// Posts a body to `non_auth_initialize`.
pub fn initialize(body: &str) -> Answer {
    post_json(
        &format!("{}/company/non_auth_initialize", Stack::here().endpoints.api),
        body,
    )
}
