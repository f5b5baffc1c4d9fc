//! Back end of the partner: signs a token and opens the widget with it.

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

/// Key of no client, made for tests.
const OTHER_PRIVATE_KEY: &str = include_str!("other-private-key.pem");

/// Partner with a new customer.
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
    /// Demo client with a new customer.
    pub fn demo() -> Self {
        Self::of(&Stack::here().demo.client_id)
    }

    /// Copy of the demo client with `changes`, under a new id and slug. It signs with the same key.
    pub fn like_demo_but(changes: impl FnOnce(&mut Client)) -> Self {
        Self::of(set_ups::like_demo_but(changes).as_str())
    }

    /// Changes the client, which must be the test's own. Functions may have it cached for a minute.
    pub fn change(&self, changes: impl FnOnce(&mut Client)) {
        set_ups::change(&self.client, changes);
    }

    /// Same client with a new customer.
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

    /// Claims of an enrollment token. Members of `changes` replace the defaults, and `null` removes one.
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

    /// Enrollment token with `changes`.
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

/// Signs by any algorithm and key, under any header.
pub fn sign_as(header: &Value, claims: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", segment(header), segment(claims));
    let signature = crypto::sign(signed.as_bytes(), key, algorithm).expect("a key of this algorithm");
    format!("{signed}.{signature}")
}

/// Key of the demo client.
pub fn own_key() -> EncodingKey {
    let pem = Stack::here().text("demo/private-key.pem");
    EncodingKey::from_rsa_pem(pem.as_bytes()).expect("a private RSA key")
}

/// Key of no client.
pub fn other_key() -> EncodingKey {
    EncodingKey::from_rsa_pem(OTHER_PRIVATE_KEY.as_bytes()).expect("a private RSA key")
}

/// Answer of `non_auth_initialize`.
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

    /// Posts any body, and checks what every answer has: 302, an address, the same address in an `<a>`, a status, and no
    /// caching.
    pub fn of_body(body: &str) -> Self {
        Self::of_answer(&initialize(body))
    }

    /// Session of the address, whose other parts are checked.
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

    /// Slug and language of an opened page.
    pub fn slug_and_language(&self) -> (&str, Option<&str>) {
        let path = self
            .location
            .strip_prefix(&format!("{}/widget/", Stack::here().endpoints.api));
        let path = path.unwrap_or_else(|| panic!("{} does not start as the product does", self.location));
        let (slug, rest) = path.split_once('/').expect("a slug");
        let query = rest.split('#').next().unwrap_or_default();
        (slug, query.strip_prefix("?lang="))
    }

    /// Status and incident of a failure's address, which may have a reason too.
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

    /// Reason of a failure's address.
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
