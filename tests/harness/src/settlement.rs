//! Cases of settlement: what becomes of a submission that MRS does not answer, and when.
//!
//! [`settlement_tests!`](crate::settlement_tests) makes tests of them, over the model in `enrollment` and over every
//! engine in `platform`.

#![expect(missing_docs, reason = "the name of a case says what it shows")]

pub mod enrollments;
pub mod look_ups;
pub mod opt_outs;
pub mod replacements;

/// One test for each case. `$run` gets the case and gives it a [`Backend`](crate::Backend); attributes such as `#[ignore]`
/// follow.
#[macro_export]
macro_rules! settlement_tests {
    ($run:path $(, $attributes:tt)?) => {
        $crate::cases! {
            $run, [$($attributes)?], $crate::settlement::enrollments, enrollments:
            decided_at_the_deadline_and_not_before,
            found_before_the_deadline_is_a_success,
            found_after_the_deadline_is_cancelled,
            failed_cancellation_is_tried_again,
            deadline_decides_while_mrs_is_down,
            server_error_is_looked_up_once,
            answered_enrollment_is_not_looked_up,
            first_success_stands,
            first_failure_stands_and_late_card_is_cancelled,
            repeat_is_open_then_equal_to_the_first,
            no_second_call_during_the_lease,
            expired_lease_is_taken_over,
            page_polling_adds_no_calls_to_mrs,
            double_click_gets_one_answer,
            double_click_at_the_card_limit,
            double_click_at_the_attempt_limit,
            reloaded_page_follows_the_open_attempt,
            attempt_outlives_its_session,
            expired_session_hides_an_open_attempt,
            last_failure_is_shown_for_the_grace_period,
            open_attempt_counts_toward_the_card_limit,
            confirmation_matches_the_page,
            success_is_shown_for_the_grace_period,
        }
        $crate::cases! {
            $run, [$($attributes)?], $crate::settlement::look_ups, look_ups:
            active_card_under_the_number_declines,
            card_of_another_program_is_never_cancelled,
            card_is_identified_by_program_and_digits,
            unclear_look_up_enrolls_nothing,
            unknown_number_is_new,
            cleanup_ends_by_proof_only,
        }
        $crate::cases! {
            $run, [$($attributes)?], $crate::settlement::opt_outs, opt_outs:
            page_gets_server_error_then_the_outcome,
            decline_is_an_error_only_while_the_card_is_active,
            unverified_decline_stays_open,
            decline_proves_nothing_during_an_earlier_call,
            unclear_look_up_decides_nothing,
            declined_opt_out_can_be_retried,
        }
        $crate::cases! {
            $run, [$($attributes)?], $crate::settlement::replacements, replacements:
            old_card_is_cancelled_after_the_new_one_is_in,
            deadline_keeps_the_old_card,
            old_card_is_cancelled_in_the_end,
            confirmed_once_and_at_once,
        }
    };
}
