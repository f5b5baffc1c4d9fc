//! What the page submits, for each action.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use enrollment::flows::submission::{Asked, MAX_BYTES, Submission, read};
use enrollment::action::ActionCode;
use fuzz::{NOW, SET_UP, assert_no_card_number};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let program = &SET_UP.programs[0];
    for action in [ActionCode::Enroll, ActionCode::Replace, ActionCode::OptOut] {
        match read(body, action, &SET_UP, program, &SET_UP.default_language, NOW) {
            Ok(asked) => {
                assert!(body.len() <= MAX_BYTES);
                assert_fits(action, &asked);
            }
            Err(faults) => {
                assert!(!faults.is_empty());
                for fault in faults {
                    assert!(fault.pointer.is_empty() || fault.pointer.starts_with('/'));
                    assert_no_card_number(&format!("{fault:?}"));
                }
            }
        }
    }
});

/// A new card and an old one, each where its action wants it and nowhere else.
fn assert_fits(action: ActionCode, asked: &Asked) {
    assert_eq!(asked.card.is_some(), action != ActionCode::OptOut);
    assert_eq!(asked.old_card.is_some(), action != ActionCode::Enroll);
    if let Some(submission) = &asked.card {
        assert_may_be_sent(submission);
        // That to the terms; who replaces a card has consented before.
        let consents = usize::from(action == ActionCode::Enroll);
        assert_eq!(submission.consents.len(), consents);
    }
}

fn assert_may_be_sent(submission: &Submission) {
    assert!(SET_UP.programs[0].range_of(submission.bin).is_some());
    for part in [&submission.number.key, &submission.number.data] {
        assert!(STANDARD.decode(part).is_ok_and(|bytes| bytes.len() >= 24));
    }
    let names = [&submission.person.first_name, &submission.person.last_name];
    for name in names.into_iter().flatten() {
        assert_no_card_number(name);
        assert!(!name.is_empty() && !name.chars().any(char::is_control));
    }
    assert!(submission.person.first_name.is_some(), "it is required");
    assert_no_card_number(&format!("{submission:?}"));
}
