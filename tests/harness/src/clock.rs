//! A clock that tests set.

use std::sync::{Mutex, MutexGuard, PoisonError};

use enrollment::clock::Clock;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

/// A clock that stands still until a test advances it.
#[derive(Debug)]
pub struct TestClock(Mutex<Timestamp>);

impl Default for TestClock {
    /// Starts at the current time, in whole milliseconds, as the tables store them.
    fn default() -> Self {
        let now = Timestamp::now().as_millisecond();
        Self::at(Timestamp::from_millisecond(now).expect("the current time"))
    }
}

impl TestClock {
    /// Starts at `time`.
    pub fn at(time: Timestamp) -> Self {
        Self(Mutex::new(time))
    }

    /// Advances by `by`.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.lock();
        *now = later(*now, by);
    }

    /// Advances to `time`. A time in the past changes nothing.
    pub fn advance_to(&self, time: Timestamp) {
        let mut now = self.lock();
        *now = time.max(*now);
    }

    fn lock(&self) -> MutexGuard<'_, Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.lock()
    }
}
