//! Limits against card testing: a sliding window of minutes, over sessions (`docs/contract.md#card-testing-limits`).
//!
//! A counter counts attempts by minute, so the attempts of *any* sixty minutes are known, not those of an hour by the clock.
//! An attempt counts for at least sixty minutes and for less than sixty-one.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::client::Program;

/// Seconds.
const MINUTE: i64 = 60;
/// An attempt counts in its own minute and in so many after it.
const WINDOW: i64 = 60;

/// Attempts of the last sixty minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attempts {
    /// Of this customer.
    pub customer: u32,
    /// Of all the client's customers.
    pub client: u32,
}

impl Attempts {
    /// Whether the program's limits are reached: one more attempt would be too many.
    pub fn reach_limit_of(self, program: &Program) -> bool {
        self.customer >= program.attempts_per_customer_per_hour
            || self.client >= program.attempts_per_client_per_hour
    }
}

/// Counters of a customer and of a client's program, as they were read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// Of this customer; `None` where nothing was counted yet.
    pub customer: Option<Counter>,
    /// Of all the client's customers; the same.
    pub client: Option<Counter>,
}

impl Counters {
    /// The counts of the sixty minutes up to `now`.
    pub fn attempts(&self, now: Timestamp) -> Attempts {
        let total = |counter: &Option<Counter>| {
            counter
                .as_ref()
                .map_or(0, |counter| counter.total(minute_of(now)))
        };
        Attempts {
            customer: total(&self.customer),
            client: total(&self.client),
        }
    }
}

/// One counter as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// The latest minute since 1970 in which an attempt was counted.
    pub minute: i64,
    /// Attempts by minute since 1970.
    pub minutes: BTreeMap<i64, u32>,
    /// Names of the attempts of the latest two minutes: an attempt that is counted again counts once.
    pub seen: Vec<String>,
}

impl Counter {
    /// The attempts that count at `minute`. Later ones were counted by a clock that is ahead.
    pub fn total(&self, minute: i64) -> u32 {
        let counting = self.minutes.range(minute - WINDOW..);
        counting.fold(0, |sum, (_, attempts)| sum.saturating_add(*attempts))
    }

    /// The minutes that never count again, at `minute`.
    pub fn passed(&self, minute: i64) -> impl Iterator<Item = i64> {
        self.minutes.range(..minute - WINDOW).map(|(minute, _)| *minute)
    }
}

/// The minute since 1970.
pub fn minute_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(minutes: &[(i64, u32)]) -> Counter {
        Counter {
            minute: 0,
            minutes: minutes.iter().copied().collect(),
            seen: Vec::new(),
        }
    }

    #[test]
    fn an_attempt_counts_for_sixty_minutes_and_less_than_sixty_one() {
        let attempted: Timestamp = "2026-11-30T10:00:59Z".parse().unwrap();
        let counters = Counters {
            customer: Some(counter(&[(minute_of(attempted), 1)])),
            client: None,
        };
        let counts = |at: &str| counters.attempts(at.parse().unwrap());
        for at in [
            "2026-11-30T10:00:59Z",
            "2026-11-30T10:59:59Z",
            "2026-11-30T11:00:59Z",
        ] {
            assert_eq!(counts(at).customer, 1, "{at}");
        }
        assert_eq!(counts("2026-11-30T11:01:00Z"), Attempts::default());
        assert_eq!(
            counts("2026-11-30T09:59:00Z").customer,
            1,
            "by a clock that is behind"
        );
    }

    #[test]
    fn what_counts_no_more_is_taken_away_and_nothing_else() {
        let counter = counter(&[(0, 3), (39, 1), (40, 2), (100, 4)]);
        assert_eq!(counter.total(100), 6);
        assert_eq!(counter.passed(100).collect::<Vec<_>>(), [0, 39]);
    }
}
