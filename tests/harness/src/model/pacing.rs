//! Token bucket of the calls to Mastercard.

use async_trait::async_trait;
use enrollment::ports::{Pacing, Permit, StoreError};
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use super::Model;

/// Parts of a token, so that the bucket counts in whole numbers.
const TOKEN: i64 = 1_000_000;

/// Bucket that holds as many tokens as are given in a second.
pub(super) struct Bucket {
    rate: i64,
    parts: i64,
    filled_at: Timestamp,
    paused_until: Timestamp,
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            rate: 1000,
            parts: 1000 * TOKEN,
            filled_at: Timestamp::MIN,
            paused_until: Timestamp::MIN,
        }
    }
}

impl Bucket {
    fn take(&mut self, now: Timestamp) -> Permit {
        if now < self.paused_until {
            return Permit::NotBefore(self.paused_until);
        }
        if now > self.filled_at {
            let elapsed = now.duration_since(self.filled_at).as_micros();
            let elapsed = i64::try_from(elapsed).unwrap_or(TOKEN).min(TOKEN);
            self.parts = (self.parts + elapsed * self.rate).min(self.rate * TOKEN);
            self.filled_at = now;
        }
        if self.parts >= TOKEN {
            self.parts -= TOKEN;
            return Permit::Granted;
        }
        let wait = (TOKEN - self.parts).div_euclid(self.rate) + 1;
        Permit::NotBefore(later(now, SignedDuration::from_micros(wait)))
    }
}

#[async_trait]
impl Pacing for Model {
    async fn take(&self, now: Timestamp) -> Result<Permit, StoreError> {
        Ok(self.state().bucket.take(now))
    }

    async fn pause(&self, until: Timestamp) -> Result<(), StoreError> {
        let bucket = &mut self.state().bucket;
        bucket.paused_until = bucket.paused_until.max(until);
        Ok(())
    }
}

impl Model {
    /// Sets the agreed rate, in calls a second, and fills the bucket.
    pub fn set_rate(&self, rate: u32) {
        let rate = i64::from(rate);
        self.state().bucket = Bucket {
            rate,
            parts: rate * TOKEN,
            ..Bucket::default()
        };
    }
}
