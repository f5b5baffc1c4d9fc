//! Counters of attempts: a sliding window of minutes.

use async_trait::async_trait;
use enrollment::identifiers::IntentId;
use enrollment::limits::{Attempts, Counter, Counters, minute_of};
use enrollment::ports::{CounterKey, Limits, StoreError};
use jiff::Timestamp;

use super::{Model, State, StoredCounter, customer_key};

/// The counters' keys: the customer's, then the client's.
fn keys(counted: CounterKey<'_>) -> [String; 2] {
    let CounterKey {
        client,
        program,
        customer,
    } = counted;
    [
        customer_key(client, program, customer).0,
        format!("client#{client}#{program}"),
    ]
}

impl StoredCounter {
    fn read(&self) -> Counter {
        let seen = self.seen.iter().chain(&self.seen_before);
        Counter {
            minute: self.minute,
            minutes: self.minutes.clone(),
            seen: seen.map(|attempt| attempt.to_hex()).collect(),
        }
    }

    /// Adds an attempt, once, and returns the count without it.
    fn add(&mut self, attempt: IntentId, minute: i64) -> u32 {
        let is_known = self.seen.contains(&attempt) || self.seen_before.contains(&attempt);
        if !is_known {
            if self.minute < minute {
                self.minute = minute;
                self.seen_before = std::mem::take(&mut self.seen);
            }
            *self.minutes.entry(minute).or_default() += 1;
            self.seen.push(attempt);
        }
        self.read().total(minute).saturating_sub(1)
    }
}

impl State {
    pub(super) fn read_counters(&self, counted: CounterKey<'_>) -> Counters {
        let [customer, client] = keys(counted).map(|key| self.counters.get(&key).map(StoredCounter::read));
        Counters { customer, client }
    }
}

#[async_trait]
impl Limits for Model {
    async fn counters(&self, counted: CounterKey<'_>) -> Result<Counters, StoreError> {
        Ok(self.state().read_counters(counted))
    }

    async fn count(
        &self,
        counted: CounterKey<'_>,
        _known: &Counters,
        attempt: IntentId,
        now: Timestamp,
    ) -> Result<Attempts, StoreError> {
        let mut state = self.state();
        let [customer, client] = keys(counted).map(|key| {
            state
                .counters
                .entry(key)
                .or_default()
                .add(attempt, minute_of(now))
        });
        Ok(Attempts { customer, client })
    }
}
