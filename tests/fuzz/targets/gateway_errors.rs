//! Errors of Mastercard's API gateway, in their three shapes.

#![no_main]

use fuzz::assert_no_card_number;
use libfuzzer_sys::fuzz_target;
use mastercard::gateway::{GatewayError, parse};
use serde_json::{Value, json};

fuzz_target!(|body: &[u8]| {
    let Some(errors) = parse(body) else { return };
    assert!(!errors.is_empty());
    for error in &errors {
        let shown = format!("{error} {error:?}");
        assert_no_card_number(&shown);
        assert!(!shown.chars().any(char::is_control));
        // A foreign code that is shown has a closed form, which no text fits.
        for code in [error.origin.as_str(), error.reason.code()].into_iter().flatten() {
            assert!(matches!(code, "Gateway" | "user-management") || is_code(code));
        }
    }
    // The kinds and the decisions survive writing and reading.
    let again = read_again(&errors);
    assert_eq!(errors.len(), again.len());
    for (first, second) in errors.iter().zip(&again) {
        assert_eq!(first.reason, second.reason);
        assert_eq!(first.origin, second.origin);
        assert_eq!(first.recoverable, second.recoverable);
    }
});

fn is_code(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 64
        && bytes.next().is_some_and(|first| first.is_ascii_uppercase())
        && bytes.all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
        && !text
            .as_bytes()
            .windows(4)
            .any(|window| window.iter().all(u8::is_ascii_digit))
}

/// Writes the errors in the first shape and reads them.
fn read_again(errors: &[GatewayError]) -> Vec<GatewayError> {
    let errors: Vec<Value> = errors
        .iter()
        .map(|error| {
            json!({
                "Source": error.origin.as_str(), "ReasonCode": error.reason.code().unwrap_or_default(),
                "Description": error.text.expose(), "Recoverable": error.recoverable
            })
        })
        .collect();
    let written = json!({"Errors": {"Error": errors}}).to_string();
    parse(written.as_bytes()).expect("an error that was read can be written")
}
