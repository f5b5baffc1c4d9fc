//! The time, in a test's hands.

use std::sync::Mutex;

use enrollment::clock::Clock;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

/// A clock that stands still until it is told to go on.
#[derive(Debug)]
pub struct TestClock(Mutex<Timestamp>);

impl Default for TestClock {
    /// Starts now, for engines that really delete what is past its `ttl`.
    fn default() -> Self {
        // Whole milliseconds, as the tables keep them.
        Self::at(Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap())
    }
}

impl TestClock {
    /// Starts at `time`.
    pub fn at(time: Timestamp) -> Self {
        Self(Mutex::new(time))
    }

    /// Goes on by `by`.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now = later(*now, by);
    }

    /// Goes on until `time`, and never back.
    pub fn advance_to(&self, time: Timestamp) {
        let mut now = self.0.lock().unwrap();
        *now = time.max(*now);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}
