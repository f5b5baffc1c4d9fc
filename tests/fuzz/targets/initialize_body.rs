//! The body of `POST /company/non_auth_initialize`.

#![no_main]

use enrollment::token::of_request;
use fuzz::assert_no_card_number;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|body: &[u8]| {
    match of_request(body) {
        Ok(token) => {
            let written = json!({"initializeWebsiteToken": token}).to_string();
            assert_eq!(of_request(written.as_bytes()), Ok(token));
        }
        Err(refusal) => assert_no_card_number(&refusal.to_string()),
    }
});
