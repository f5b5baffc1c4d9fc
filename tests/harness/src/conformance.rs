//! Cases of the ports: what every store promises, the model as well as an engine.
//!
//! [`conformance_tests!`](crate::conformance_tests) makes tests of them, over the model in `enrollment` and over every engine
//! in `platform`.

pub mod batches;
pub mod confirmations;
pub mod digital_cards;
pub mod intents;
pub mod limits;
pub mod pacing;
pub mod records;
pub mod sessions;
mod steps;

/// One test for each case. `$run` gets the case and gives it a [`Backend`](crate::Backend); attributes such as `#[ignore]`
/// follow.
#[macro_export]
macro_rules! conformance_tests {
    ($run:path $(, $attributes:tt)?) => {
        $crate::cases! {
            $run, [$($attributes)?], $crate::conformance::confirmations, confirmations:
            claim_excludes_others_until_it_ends,
            retry_is_due_later_and_counts,
            wait_counts_no_attempt,
            parked_confirmation_is_not_due,
            state_of_a_receiver_is_written_over_its_version,
        }
        $crate::cases! {
            $run, [$($attributes)?], $crate::conformance::intents, intents:
            begun_intent_is_read_as_it_was_stored,
            repeated_begin_changes_nothing,
            session_begins_one_intent_at_a_time,
            expired_session_begins_nothing,
            stale_count_begins_nothing,
            card_is_locked_by_one_intent,
            first_outcome_stands,
            failure_is_counted_and_kept_for_a_week,
            intent_without_an_outcome_is_not_ended,
            lease_excludes_others_until_it_ends,
            due_intents_come_oldest_first,
            listed_ranacs_are_noted_while_an_intent_is_open,
            late_enrollment_is_due_until_its_cleanup_ends,
            replaced_card_is_cancelled_at_the_end_of_the_cleanup,
            last_card_that_leaves_dates_its_customer,
            digits_of_mrs_are_stored_with_the_card,
        }
        $crate::cases! {
            $run, [$($attributes)?], $crate::conformance::limits, limits:
            attempt_is_counted_for_customer_and_client,
            repeated_attempt_counts_once,
            attempts_leave_the_window_after_an_hour,
        }
        $crate::cases! {
            $run, [$($attributes)?], $crate::conformance::records, records:
            record_has_all_of_a_customer,
            cancelled_cards_are_listed_by_their_cancellation,
            cancelled_cards_are_listed_oldest_first_in_pages,
            changed_record_is_not_deleted,
            changed_record_loses_no_card,
            removal_leaves_nothing,
            due_confirmation_stops_a_purge_and_no_erasure,
            one_card_is_deleted_with_its_intents,
            operator_lists_customers_and_failed_intents,
            operator_marks_an_active_card_cancelled_once,
            operator_corrects_the_last_four_digits,
            longer_retention_moves_the_time_to_live,
        }
        $crate::cases! {
            $run, [$($attributes)?], $crate::conformance::sessions, sessions:
            token_opens_one_session,
            session_is_read_as_it_was_stored,
            extension_moves_end_and_count_alone,
            session_past_its_end_is_not_extended,
            used_up_session_is_not_extended,
        }
    };
}

/// One test for each case of the ports of batches. `$run` gets the case and gives it a
/// [`BatchBackend`](crate::BatchBackend).
#[macro_export]
macro_rules! batch_conformance_tests {
    ($run:path $(, $attributes:tt)?) => {
        $crate::cases! {
            $run, [$($attributes)?], $crate::conformance::batches, batches:
            accepted_batch_is_read_as_it_was_stored,
            second_acceptance_gives_the_first_batch,
            lease_excludes_others_until_it_ends,
            batch_is_acquired_for_its_kind_of_work_alone,
            stage_is_stored_while_the_lease_is_kept,
            due_batches_come_oldest_first,
            leases_do_not_move_the_time_since_which_it_is_due,
            end_stores_results_and_confirmation_once,
            data_is_due_for_deletion_a_day_after_the_end,
            data_is_stored_by_batch_and_body,
            ended_batches_are_listed_and_removed,
            redacted_batch_names_a_consumer_no_more,
            consumers_redacted_at_once_are_all_gone,
            ids_of_mastercard_survive_storage,
        }
        $crate::cases! {
            $run, [$($attributes)?], $crate::conformance::digital_cards, digital_cards:
            card_is_read_as_it_was_recorded,
            later_batch_replaces_the_record,
            deletion_is_requested_once,
            deletion_has_one_lease_holder,
            failed_deletion_is_due_later,
            superseded_id_keeps_its_age,
            success_during_a_deletion_keeps_the_old_id_due,
            deleted_card_is_listed_and_removed,
            erased_card_is_gone_in_any_state,
            token_is_used_once,
        }
        $crate::cases! {
            $run, [$($attributes)?], $crate::conformance::pacing, pacing:
            tokens_of_an_instant_are_the_rate,
            refusal_names_the_time_of_the_next_token,
            rate_is_kept_over_time,
            bucket_of_a_quiet_day_is_no_fuller,
            pause_stops_every_call,
        }
    };
}
