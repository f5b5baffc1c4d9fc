//! Answers of MRS in both dialects: a line with the HTTP status and, after tabs, `Content-Type` and `Content-Encoding`; then
//! the body.

#![no_main]

use fuzz::assert_no_card_number;
use libfuzzer_sys::fuzz_target;
use mastercard::http::Answer;
use mastercard::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use mastercard::mrs::{Dialect, MrsError, answer};

fuzz_target!(|bytes: &[u8]| {
    let Some(answer) = answer_of(bytes) else {
        return;
    };
    let status = answer.status;
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
    // The dialects differ in the name of the status, where a text may be missing or malformed.
    if let (Some(document), Some(wsdl)) = (document, wsdl) {
        assert_eq!(document, wsdl);
    }
});

fn answer_of(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let mut line = std::str::from_utf8(&bytes[..end]).ok()?.split('\t');
    let status = line.next()?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in [CONTENT_TYPE, CONTENT_ENCODING].into_iter().zip(line) {
        headers.insert(name, HeaderValue::from_str(value).ok()?);
    }
    Some(Answer {
        status,
        headers,
        body: bytes[end + 1..].to_vec(),
    })
}

fn checked<T>(result: Result<T, MrsError>) -> Option<T> {
    result
        .inspect_err(|error| {
            assert_no_card_number(&error.to_string());
            assert_no_card_number(&format!("{error:?}"));
        })
        .ok()
}
