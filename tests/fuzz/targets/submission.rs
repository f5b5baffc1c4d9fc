//! Submissions of the page, for each action.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use enrollment::action::ActionCode;
use enrollment::flows::submission::{
    FieldError, MAX_BYTES, NewCardForm, Rules, Submission, UncheckedSubmission,
};
use fuzz::{NOW, SET_UP, assert_no_card_number};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    for action in [ActionCode::Enroll, ActionCode::Replace, ActionCode::OptOut] {
        match read(action, body) {
            Ok(submission) => {
                assert!(body.len() <= MAX_BYTES);
                assert_fits(action, &submission);
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

fn read(action: ActionCode, body: &[u8]) -> Result<Submission, Vec<FieldError>> {
    UncheckedSubmission::parse(action, body)?.check(Rules {
        client: &SET_UP,
        program: &SET_UP.programs[0],
        language: &SET_UP.default_language,
        now: NOW,
    })
}

/// Checks that a submission has a new card and an old one exactly if its action needs them.
fn assert_fits(action: ActionCode, submission: &Submission) {
    assert_eq!(submission.new_card().is_some(), action != ActionCode::OptOut);
    assert_eq!(submission.old_card().is_some(), action != ActionCode::Enroll);
    if let Some(form) = submission.new_card() {
        assert_may_be_sent(form);
        // Consent to the terms; a customer who replaces a card consented before.
        let consents = usize::from(action == ActionCode::Enroll);
        assert_eq!(form.consents.len(), consents);
    }
}

fn assert_may_be_sent(form: &NewCardForm) {
    assert!(SET_UP.programs[0].range_of(form.bin).is_some());
    for part in [&form.number.key, &form.number.data] {
        assert!(STANDARD.decode(part).is_ok_and(|bytes| bytes.len() >= 24));
    }
    let names = [&form.person.first_name, &form.person.last_name];
    for name in names.into_iter().flatten() {
        assert_no_card_number(name);
        assert!(!name.is_empty() && !name.chars().any(char::is_control));
    }
    assert!(form.person.first_name.is_some(), "it is required");
    assert_no_card_number(&format!("{form:?}"));
}
