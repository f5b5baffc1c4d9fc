//! Headers, queries, refusals, key lists and errors, as they are read around requests signed with OAuth 1.0a.

#![no_main]

use fuzz::assert_no_card_number;
use libfuzzer_sys::fuzz_target;
use mastercard::application_error::ApplicationError;
use mastercard::http::Url;
use mastercard::jwks::KeyList;
use mastercard::oauth1::{Acceptable, Header, base_string};

fuzz_target!(|input: &[u8]| {
    if let Some(error) = ApplicationError::parse(input) {
        let shown = format!("{error} {error:?}");
        assert_no_card_number(&shown);
        assert!(!shown.chars().any(char::is_control));
    }
    if let Ok(list) = KeyList::parse(input) {
        let written = list.to_json().to_string();
        let again = KeyList::parse(written.as_bytes()).expect("a list that was read can be read");
        assert_eq!(again.keys(), list.keys());
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let header = Header::parse(text);
    if let Ok(header) = &header {
        let parameters: Vec<String> = header
            .parameters()
            .map(|(name, value)| format!("{name}=\"{value}\""))
            .collect();
        let written = format!("OAuth {}", parameters.join(","));
        assert_eq!(Header::parse(&written).as_ref(), Ok(header));
    }
    let mut url = Url::parse("https://api.mastercard.com/a").expect("an address");
    url.set_query(Some(text));
    let base = base_string("GET", &url, &[("oauth_nonce", "n"), ("oauth_version", "1.0")]);
    assert!(base.bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(base.matches('&').count(), 2);
    // A gateway that reports the same string has nothing to differ in; its text may end with a full stop.
    if !base.ends_with('.') {
        let refusal = format!("Acceptable signature base string: {base}");
        let acceptable = Acceptable::find(&refusal).expect("a base string is found");
        assert_eq!(acceptable.difference(&base), None);
    }
    if let Some(acceptable) = Acceptable::find(text) {
        assert_eq!(acceptable.difference(acceptable.text()), None);
        let _ = acceptable.difference(&base);
    }
});
