//! Claims of a token: any bytes, signed by the client.

#![no_main]

use enrollment::encoding;
use enrollment::token::{LEEWAY, UnverifiedToken, WidgetClaims};
use fuzz::{EXPECTED, NOW, SET_UP, assert_no_card_number, signed, unsigned};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    // Signing is the slowest part: only for tokens that pass the first check.
    if let Err(refusal) = UnverifiedToken::parse(&format!("{}.", unsigned(bytes))) {
        return assert_no_card_number(&refusal.to_string());
    }
    let token = signed(bytes);
    let verified = UnverifiedToken::parse(&token)
        .and_then(|token| WidgetClaims::read(&token.verify(&SET_UP, NOW, EXPECTED)?));
    let claims = match verified {
        Ok(claims) => claims,
        Err(refusal) => return assert_no_card_number(&refusal.to_string()),
    };
    let written: Value = serde_json::from_slice(bytes).expect("claims that were read are JSON");
    assert_eq!(written["iss"], SET_UP.id.as_str());
    assert_eq!(written["sub"], claims.customer.expose());
    assert_eq!(
        encoding::trimmed(claims.customer.expose()),
        claims.customer.expose()
    );
    let audience = written["aud"].to_string();
    assert!(
        audience == "null" || audience.contains(EXPECTED.audience),
        "{audience}"
    );
    let language = SET_UP.language_for(claims.language.as_ref());
    assert!(SET_UP.offered_languages().any(|offered| *offered == language));
    assert_eq!(written["programId"], claims.program.as_str());
    assert!(
        SET_UP
            .program(&claims.program)
            .is_some_and(|program| program.allows(claims.action))
    );
    assert!(NOW.duration_since(claims.expires_at) <= LEEWAY);
    let latest = |start: Timestamp| {
        start
            .saturating_add(LEEWAY + EXPECTED.max_lifetime)
            .expect("a time in range")
    };
    assert!(claims.expires_at <= latest(NOW));
    assert_eq!(
        claims.last4.map(|last4| last4.as_str().to_owned()).as_deref(),
        written["last4"].as_str()
    );
    if let Some(url) = &claims.return_url {
        let is_of_origin =
            url.origin().ascii_serialization() == "https://www.bank.example" && url.username().is_empty();
        let is_of_app = url.scheme() == "com.bank.app"
            || url.scheme() == "intent" && url.as_str().matches("package=com.bank.app;").count() == 1;
        assert!(is_of_origin || is_of_app, "{url}");
    }
    if let Some(url) = &claims.confirmation_url {
        assert!(SET_UP.may_confirm_to(url), "{url}");
        assert_eq!(
            (url.scheme(), url.host_str()),
            ("https", Some("api.bank.example"))
        );
    }
});
