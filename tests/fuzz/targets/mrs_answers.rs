//! Answers of MRS in both dialects: a line with the HTTP status, then the body.

#![no_main]

use fuzz::assert_no_card_number;
use libfuzzer_sys::fuzz_target;
use mastercard::http::Answer;
use mastercard::http::header::HeaderMap;
use mastercard::mrs::{Dialect, MrsError, answer};

fuzz_target!(|bytes: &[u8]| {
    let Some((status, body)) = split(bytes) else {
        return;
    };
    let answer = Answer {
        status,
        headers: HeaderMap::new(),
        body: body.to_vec(),
    };
    let succeeded = (200..300).contains(&status);

    if let Some(enrolled) = checked(answer::enrolled(&answer)) {
        assert!(succeeded);
        let reference = &enrolled.reference_id;
        assert!((1..=64).contains(&reference.len()) && reference.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_no_card_number(&format!("{enrolled:?}"));
    }
    if checked(answer::updated(&answer)).is_some() || checked(answer::echoed(&answer)).is_some() {
        assert!(succeeded);
    }
    let [document, wsdl] = [Dialect::Document, Dialect::Wsdl].map(|dialect| {
        let accounts = checked(answer::accounts(dialect, &answer));
        accounts.map(|accounts| {
            assert!(succeeded);
            for account in &accounts {
                assert!(account.last_four.as_ref().is_none_or(|digits| digits.len() == 4));
                assert_no_card_number(&format!("{account:?}"));
            }
            accounts.len()
        })
    });
    // They differ in what they call the status, where a text may be missing or be none.
    if let (Some(document), Some(wsdl)) = (document, wsdl) {
        assert_eq!(document, wsdl);
    }
});

fn split(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let status = std::str::from_utf8(&bytes[..end]).ok()?.parse().ok()?;
    Some((status, &bytes[end + 1..]))
}

fn checked<T>(result: Result<T, MrsError>) -> Option<T> {
    result
        .inspect_err(|error| {
            assert_no_card_number(&error.to_string());
            assert_no_card_number(&format!("{error:?}"));
        })
        .ok()
}
