//! Tokens, as a client's back end makes them (`docs/sources.md#widget`, "Initialization Parameters").

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use enrollment::clock::Clock;
use enrollment::encoding;
use enrollment::randomness::Randomness;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use platform::{SystemClock, SystemRandomness};
use reqwest::header::{HeaderMap, LOCATION};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use crate::arguments::Claims;
use crate::files;

/// Signs a token and prints only that, so that it can be piped.
pub(crate) fn sign(claims: &Claims) -> Result<()> {
    let pem = SecretString::from(files::sections(&claims.key)?);
    let key = EncodingKey::from_rsa_pem(pem.expose_secret().as_bytes())
        .with_context(|| format!("{} is not an RSA private key in PEM", claims.key.display()))?;
    println!("{}", signed(claims, &key, &SystemClock, &SystemRandomness)?);
    Ok(())
}

/// Opens the widget as a partner's back end does, and prints the outcome.
pub(crate) async fn open(base_url: &str, token: Option<String>) -> Result<()> {
    let token = token.map_or_else(|| files::line(Path::new("-")), Ok)?;
    let url = format!("{}/company/non_auth_initialize", base_url.trim_end_matches('/'));
    let body = json!({"initializeWebsiteToken": encoding::trimmed(&token)}).to_string();
    let answer = http_client()?
        .post(&url)
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
        .with_context(|| format!("{base_url} can't be reached"))?;
    let status = answer.status();
    let header = |name: &str| text(answer.headers(), name);
    match (header("enrollment-status"), header(LOCATION.as_str())) {
        (outcome, Some(location)) if status.as_u16() == 302 => {
            println!("Enrollment-Status: {}", outcome.unwrap_or_default());
            println!("Location: {location}");
            Ok(())
        }
        _ => bail!("{url} answered {status}; expected 302 with a Location"),
    }
}

fn signed(
    claims: &Claims,
    key: &EncodingKey,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
) -> Result<String> {
    let now = clock.now().as_second();
    // A token opens one session, and equal claims signed twice in one second would make the same token.
    let mut id = [0; 16];
    randomness.fill(&mut id);
    let mut body = Map::from_iter([
        ("iss".to_owned(), Value::from(claims.client.as_str())),
        ("sub".to_owned(), claims.customer.as_str().into()),
        ("programId".to_owned(), claims.program.as_str().into()),
        ("actionCode".to_owned(), claims.action.as_str().into()),
        ("iat".to_owned(), now.into()),
        ("exp".to_owned(), (now + i64::from(claims.lifetime)).into()),
        ("jti".to_owned(), hex::encode(id).into()),
    ]);
    let optional = [
        ("language", &claims.language),
        ("confirmationUrl", &claims.confirmation_url),
        ("returnUrl", &claims.return_url),
        ("last4", &claims.last4),
    ];
    for (name, value) in optional {
        body.extend(
            value
                .as_ref()
                .map(|value| (name.to_owned(), Value::from(value.as_str()))),
        );
    }
    let header = Header {
        kid: claims.kid.clone(),
        ..Header::new(Algorithm::RS256)
    };
    Ok(jsonwebtoken::encode(&header, &body, key)?)
}

fn http_client() -> Result<reqwest::Client> {
    // Set already is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    #[expect(
        clippy::disallowed_methods,
        reason = "an integrator's try-out: their proxy and their roots are right here"
    )]
    let builder = reqwest::Client::builder();
    Ok(builder
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .build()?)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use jsonwebtoken::{DecodingKey, Validation};

    use super::*;

    fn claims() -> Claims {
        Claims {
            key: PathBuf::new(),
            client: "demo".into(),
            program: "10765".into(),
            customer: "maria-7".into(),
            action: "N".into(),
            language: Some("en_US".into()),
            confirmation_url: None,
            return_url: None,
            last4: None,
            lifetime: 600,
            kid: Some("2026-11".into()),
        }
    }

    #[test]
    fn tokens_have_the_given_claims_and_are_unique() {
        let private = include_bytes!("../../../shared/enrollment/src/testing/private-key.pem");
        let public = include_bytes!("../../../shared/enrollment/src/testing/public-key.pem");
        let key = EncodingKey::from_rsa_pem(private).unwrap();
        let token = || signed(&claims(), &key, &SystemClock, &SystemRandomness).unwrap();
        let first = token();
        assert_ne!(first, token());
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        let public = DecodingKey::from_rsa_pem(public).unwrap();
        let decoded = jsonwebtoken::decode::<Map<String, Value>>(&first, &public, &validation).unwrap();
        assert_eq!(decoded.header.kid.as_deref(), Some("2026-11"));
        let said = decoded.claims;
        assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 600);
        assert_eq!(
            (&said["iss"], &said["programId"], &said["sub"]),
            (&json!("demo"), &json!("10765"), &json!("maria-7"))
        );
        assert_eq!(
            (&said["actionCode"], &said["language"]),
            (&json!("N"), &json!("en_US"))
        );
        assert!(!said.contains_key("last4") && !said.contains_key("confirmationUrl"));
    }
}
