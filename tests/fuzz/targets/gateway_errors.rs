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
        assert_no_card_number(&error.to_string());
        assert_no_card_number(&format!("{error:?}"));
        assert!(!error.to_string().chars().any(char::is_control));
    }
    // A text is cleaned as it is read, and what it leaves may have white space at its ends: the second time decides.
    let again = read_again(&errors);
    assert_eq!(read_again(&again), again);
    assert_eq!(errors.len(), again.len());
});

/// Writes the errors in the first shape and reads them.
fn read_again(errors: &[GatewayError]) -> Vec<GatewayError> {
    let errors: Vec<Value> = errors
        .iter()
        .map(|error| {
            json!({
                "Source": error.origin.as_str(), "ReasonCode": error.reason.code(),
                "Description": error.description.as_str(), "Recoverable": error.recoverable
            })
        })
        .collect();
    let written = json!({"Errors": {"Error": errors}}).to_string();
    parse(written.as_bytes()).expect("an error that was read can be written")
}
