//! Time of the machine, by which the stack runs, and so do these tests.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Seconds since 1970.
pub fn now() -> i64 {
    Timestamp::now().as_second()
}

/// Milliseconds since 1970.
pub fn now_in_milliseconds() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Stopwatch.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Timestamp);

impl Stopwatch {
    /// Starts.
    pub fn start() -> Self {
        Self(Timestamp::now())
    }

    /// Elapsed time.
    pub fn passed(self) -> SignedDuration {
        Timestamp::now().duration_since(self.0)
    }
}

/// Polls until there is a result.
pub fn eventually<T>(what: &str, patience: SignedDuration, look: impl Fn() -> Option<T>) -> T {
    let watch = Stopwatch::start();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(watch.passed() < patience, "{what}: not within {patience:#}");
        pause(300);
    }
}

/// Sleeps for that many milliseconds.
pub fn pause(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}
