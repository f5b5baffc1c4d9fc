//! A token from its text to its claims. Only the token of the corpus that the client has signed is accepted; nothing that a
//! fuzzer derives from it or from anything else is.

#![no_main]

use std::sync::LazyLock;

use enrollment::token::{UnverifiedToken, WidgetClaims};
use fuzz::{EXPECTED, NOW, SET_UP, assert_no_card_number, signed};
use libfuzzer_sys::fuzz_target;

/// corpus/token/good
static GOOD: LazyLock<String> = LazyLock::new(|| signed(include_bytes!("../corpus/claims/all.json")));

fuzz_target!(|text: &str| {
    let verified = UnverifiedToken::parse(text)
        .and_then(|token| WidgetClaims::read(&token.verify(&SET_UP, NOW, EXPECTED)?));
    match verified {
        Ok(_) => assert_eq!(text, *GOOD, "a forged token"),
        Err(refusal) => {
            assert_ne!(text, *GOOD, "{refusal}");
            assert_no_card_number(&refusal.to_string());
        }
    }
});
