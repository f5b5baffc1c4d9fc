//! Answers of the Issuer Enrollment API in both dialects: a line with the HTTP status and, after tabs, `Content-Type`,
//! `Content-Encoding` and `Retry-After`; then the body.

#![no_main]

use fuzz::assert_no_card_number;
use libfuzzer_sys::fuzz_target;
use mastercard::http::Answer;
use mastercard::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use mastercard::issuer_enrollment::{CardOutcome, Dialect, IssuerEnrollmentError, answer};

fuzz_target!(|bytes: &[u8]| {
    let Some(answer) = answer_of(bytes) else {
        return;
    };
    let succeeded = (200..300).contains(&answer.status);
    if let Some(submitted) = checked(answer::submitted(&answer, "b-1")) {
        assert!(succeeded && is_id(&submitted.batch_id));
        assert_no_card_number(&format!("{submitted:?}"));
    }
    if checked(answer::deleted(&answer)).is_some() {
        assert!(matches!(answer.status, 200 | 204 | 404));
    }
    let reports = [Dialect::Legacy, Dialect::Successor].map(|dialect| {
        let report = checked(answer::reported(&answer, dialect, "m-1"))?;
        assert!(succeeded);
        assert_no_card_number(&format!("{report:?}"));
        for card in &report.cards {
            let ids = [
                &card.external_card_id,
                &card.external_consumer_id,
                &card.src_digital_card_id,
                &card.src_consumer_id,
            ];
            assert!(ids.into_iter().flatten().all(|id| is_id(id)));
        }
        let successes = report
            .cards
            .iter()
            .filter(|card| card.outcome == CardOutcome::Succeeded);
        Some((report.status.is_final(), report.cards.len(), successes.count()))
    });
    // The dialects differ in which name of a card's id comes first.
    assert_eq!(reports[0], reports[1]);
});

fn is_id(id: &str) -> bool {
    (1..=256).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

fn answer_of(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let mut line = std::str::from_utf8(&bytes[..end]).ok()?.split('\t');
    let status = line.next()?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in [CONTENT_TYPE, CONTENT_ENCODING, RETRY_AFTER]
        .into_iter()
        .zip(line)
    {
        headers.insert(name, HeaderValue::from_str(value).ok()?);
    }
    Some(Answer {
        status,
        headers,
        body: bytes[end + 1..].to_vec(),
    })
}

fn checked<T>(result: Result<T, IssuerEnrollmentError>) -> Option<T> {
    result
        .inspect_err(|error| {
            assert_no_card_number(&error.to_string());
            // A far date of `Retry-After` has twelve digits.
            let told = format!("{error:?}");
            let is_of_number = |character: char| character == '-' || character.is_ascii_digit();
            let (before, after) = told.split_once("At(").unwrap_or((&told, ""));
            assert_no_card_number(before);
            assert_no_card_number(after.trim_start_matches(is_of_number));
        })
        .ok()
}
