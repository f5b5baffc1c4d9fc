//! What the page submits.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use enrollment::flows::submission::{MAX_BYTES, read};
use fuzz::{NOW, SET_UP, assert_no_card_number};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let program = &SET_UP.programs[0];
    match read(body, &SET_UP, program, &SET_UP.default_language, NOW) {
        Ok(submission) => {
            assert!(body.len() <= MAX_BYTES);
            assert!(program.range_of(submission.bin).is_some());
            for part in [&submission.number.key, &submission.number.data] {
                assert!(STANDARD.decode(part).is_ok_and(|bytes| bytes.len() >= 24));
            }
            let names = [&submission.person.first_name, &submission.person.last_name];
            for name in names.into_iter().flatten() {
                assert_no_card_number(name);
                assert!(!name.is_empty() && !name.chars().any(char::is_control));
            }
            assert!(submission.person.first_name.is_some(), "it is required");
            assert_eq!(submission.consents.len(), 1, "that to the terms");
            assert_no_card_number(&format!("{submission:?}"));
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in faults {
                assert!(fault.pointer.is_empty() || fault.pointer.starts_with('/'));
                assert_no_card_number(&format!("{fault:?}"));
            }
        }
    }
});
