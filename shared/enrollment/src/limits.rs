//! Limits against card testing: a sliding window of minutes over all sessions (`docs/contract.md#card-testing-limits`).
//!
//! A counter has the attempts of each minute, so the attempts of *any* sixty minutes are known, and not those of a calendar
//! hour.
//! An attempt counts for at least sixty minutes and for less than sixty-one.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::client::Program;

/// Seconds of a minute.
const MINUTE: i64 = 60;
/// Number of minutes after its own in which an attempt counts.
const WINDOW: i64 = 60;

/// Attempts of the last sixty minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attempts {
    /// Attempts of the customer.
    pub customer: u32,
    /// Attempts of all customers of the client.
    pub client: u32,
}

impl Attempts {
    /// Whether a limit of the program is reached, so that no further attempt is allowed.
    pub fn reach_limit_of(self, program: &Program) -> bool {
        self.customer >= program.attempts_per_customer_per_hour
            || self.client >= program.attempts_per_client_per_hour
    }
}

/// Counters of a customer and of a client in a program, as they were read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// Counter of the customer; `None` where nothing was counted yet.
    pub customer: Option<Counter>,
    /// Counter of all customers of the client; `None` where nothing was counted yet.
    pub client: Option<Counter>,
}

impl Counters {
    /// Attempts of the sixty minutes up to `now`.
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

/// Stored counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// Latest minute since 1970 in which an attempt was counted.
    pub minute: i64,
    /// Attempts by minute since 1970.
    pub minutes: BTreeMap<i64, u32>,
    /// Ids of the attempts of the latest two minutes, so that an attempt that is counted again counts once.
    pub seen: Vec<String>,
}

impl Counter {
    /// Attempts that count at `minute`. Those of later minutes, counted by a clock that is ahead, are included.
    pub fn total(&self, minute: i64) -> u32 {
        let counting = self.minutes.range(minute - WINDOW..);
        counting.fold(0, |sum, (_, attempts)| sum.saturating_add(*attempts))
    }

    /// Minutes that have left the window at `minute`.
    pub fn passed(&self, minute: i64) -> impl Iterator<Item = i64> {
        self.minutes.range(..minute - WINDOW).map(|(minute, _)| *minute)
    }
}

/// Minutes since 1970.
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
    fn attempt_counts_for_sixty_minutes() {
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
    fn only_minutes_outside_the_window_have_passed() {
        let counter = counter(&[(0, 3), (39, 1), (40, 2), (100, 4)]);
        assert_eq!(counter.total(100), 6);
        assert_eq!(counter.passed(100).collect::<Vec<_>>(), [0, 39]);
    }
}
