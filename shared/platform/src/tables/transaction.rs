//! Transactions, and the writes whose conditions failed.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem, Update};
use enrollment::ports::StoreError;
use enrollment::randomness::Randomness;

use crate::aws::describe;

/// Result of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Transacted {
    /// All of it is stored.
    Done,
    /// Nothing is stored: the conditions of the writes at these positions did not hold.
    Refused(Vec<usize>),
}

impl Transacted {
    /// Whether the condition of the write at `position` did not hold.
    pub(crate) fn refuses(&self, position: usize) -> bool {
        matches!(self, Self::Refused(positions) if positions.contains(&position))
    }

    /// Whether any condition did not hold.
    pub(crate) fn refuses_any(&self) -> bool {
        *self != Self::Done
    }
}

/// Tries of a call while others touch its items, or a partition is too busy. With the waits below, they take less than two
/// seconds.
pub(super) const TRIES: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(30);
const LONGEST_WAIT: Duration = Duration::from_millis(480);

/// Sends `writes`. While another transaction is at the same items, or a partition is too busy, it is tried again after
/// a wait that grows and is different for each caller. The SDK itself repeats calls that were not answered, under one
/// request token, so that a repeat of a call that did its work is not refused by its own traces.
pub(crate) async fn transact(
    dynamodb: &Client,
    randomness: &dyn Randomness,
    operation: &'static str,
    writes: Vec<TransactWriteItem>,
) -> Result<Transacted, StoreError> {
    let mut attempt = 1;
    loop {
        let sent = dynamodb
            .transact_write_items()
            .set_transact_items(Some(writes.clone()))
            .send()
            .await;
        let Err(error) = sent else {
            return Ok(Transacted::Done);
        };
        let cause = error.as_service_error().map(Cause::of).unwrap_or_default();
        if cause.busy && attempt < TRIES {
            tokio::time::sleep(wait(attempt, randomness)).await;
            attempt += 1;
        } else if cause.refused.is_empty() {
            return Err(StoreError::unavailable(operation, describe(&error)));
        } else {
            return Ok(Transacted::Refused(cause.refused));
        }
    }
}

/// Cause of a cancelled transaction, from the reasons of its writes in their order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Cause {
    /// The writes whose condition did not hold.
    refused: Vec<usize>,
    /// Whether another transaction was at one of the items, or a partition too busy. Then a failed condition may be
    /// half of the truth: the other one may be writing the very same intent.
    busy: bool,
}

impl Cause {
    fn of(error: &TransactWriteItemsError) -> Self {
        let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
            return Self::default();
        };
        Self::of_codes(
            cancelled
                .cancellation_reasons()
                .iter()
                .map(|reason| reason.code().unwrap_or("None")),
        )
    }

    fn of_codes<'a>(codes: impl Iterator<Item = &'a str>) -> Self {
        let mut cause = Self::default();
        for (position, code) in codes.enumerate() {
            match code {
                "ConditionalCheckFailed" => cause.refused.push(position),
                "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded" => {
                    cause.busy = true;
                }
                _ => {}
            }
        }
        cause
    }
}

/// Between half and the whole of a wait that doubles.
pub(super) fn wait(attempt: u32, randomness: &dyn Randomness) -> Duration {
    let whole = FIRST_WAIT
        .saturating_mul(1 << (attempt - 1).min(8))
        .min(LONGEST_WAIT);
    let mut byte = [0];
    randomness.fill(&mut byte);
    whole / 2 + whole / 2 * u32::from(byte[0]) / 255
}

/// A write as a part of a transaction.
pub(crate) trait IntoWrite {
    /// Wraps it. A write that lacks its key or table is a mistake of ours, which the tests find.
    fn into_write(self) -> TransactWriteItem;
}

impl IntoWrite for Put {
    fn into_write(self) -> TransactWriteItem {
        TransactWriteItem::builder().put(self).build()
    }
}

impl IntoWrite for Update {
    fn into_write(self) -> TransactWriteItem {
        TransactWriteItem::builder().update(self).build()
    }
}

impl IntoWrite for Delete {
    fn into_write(self) -> TransactWriteItem {
        TransactWriteItem::builder().delete(self).build()
    }
}

/// Finishes a builder of the SDK, which checks at run time that what the service requires was set.
pub(crate) fn built<T, E>(operation: &'static str, result: Result<T, E>) -> Result<T, StoreError> {
    result
        .map_err(|_| StoreError::unavailable(operation, "the call lacks something that the service requires"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::SystemRandomness;

    #[test]
    fn failed_conditions_are_positions_and_conflicts_are_busy() {
        let cause = |codes: &[&str]| {
            let cause = Cause::of_codes(codes.iter().copied());
            (cause.refused, cause.busy)
        };
        assert_eq!(cause(&["None", "ConditionalCheckFailed"]), (vec![1], false));
        assert_eq!(
            cause(&["TransactionConflict", "ConditionalCheckFailed"]),
            (vec![1], true)
        );
        assert_eq!(cause(&["ThrottlingError", "None"]), (vec![], true));
        assert_eq!(cause(&["ValidationError"]), (vec![], false));
    }

    #[test]
    fn all_waits_together_stay_under_two_seconds() {
        let longest: Duration = (1..TRIES).map(|attempt| wait(attempt, &Always255)).sum();
        assert!(longest < Duration::from_secs(2), "{longest:?}");
        let some = wait(3, &SystemRandomness);
        assert!(some >= Duration::from_millis(60) && some <= Duration::from_millis(120));
    }

    struct Always255;

    impl Randomness for Always255 {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(255);
        }
    }
}
