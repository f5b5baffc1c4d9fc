//! Attacked client, with everything that an attacker can know or have of it.

use enrollment::client::VerificationKey;
use flows::forger::RsaKey;
use flows::partner::Partner;
use flows::stack::Stack;
use serde_json::Value;

/// Header of a valid token.
pub(super) const HEADER: &str = r#"{"typ":"JWT","alg":"RS256"}"#;

/// Client with two current keys and an expired one, beside another client.
pub(super) struct Victim {
    pub(super) partner: Partner,
    /// Another client of the same stack, with its own key `theirs`.
    pub(super) neighbor: Partner,
    /// Current key `first`.
    pub(super) own: RsaKey,
    /// Current key `second`.
    pub(super) second: RsaKey,
    /// Expired key `ended`.
    pub(super) ended: RsaKey,
    pub(super) neighbors: RsaKey,
    /// Key of no client.
    pub(super) attackers: RsaKey,
}

impl Victim {
    pub(super) fn new() -> Self {
        let own = RsaKey::of_pem(&Stack::here().text("demo/private-key.pem"));
        let [second, ended, neighbors] = [(); 3].map(|()| RsaKey::fresh());
        let key = |id: &str, key: &RsaKey| VerificationKey {
            id: id.into(),
            pem: key.public_pem(),
            not_after: None,
        };
        let partner = Partner::like_demo_but(|client| {
            client.keys = vec![
                key("first", &own),
                key("second", &second),
                VerificationKey {
                    not_after: Some("2026-01-01T00:00:00Z".parse().unwrap()),
                    ..key("ended", &ended)
                },
            ];
            for program in &mut client.programs {
                program.replacement = false;
                program.opt_out = false;
            }
        });
        let neighbor = Partner::like_demo_but(|client| client.keys = vec![key("theirs", &neighbors)]);
        Self {
            partner,
            neighbor,
            own,
            second,
            ended,
            neighbors,
            attackers: RsaKey::nobodys(),
        }
    }

    /// Returns the claims of a valid token with `changes`; `null` removes a claim.
    pub(super) fn claims(&self, changes: &Value) -> String {
        self.partner.claims(changes).to_string()
    }

    /// Returns a token signed by the client.
    pub(super) fn token(&self, changes: &Value) -> String {
        self.own.token(HEADER, self.claims(changes))
    }

    /// Returns a token with another member at the end of its claims, as text: it may be invalid or a duplicate.
    pub(super) fn token_with(&self, member: &str) -> String {
        let claims = self.claims(&Value::Object(serde_json::Map::new()));
        let open = claims.strip_suffix('}').unwrap_or_default();
        self.own.token(HEADER, format!("{open},{member}}}"))
    }
}
