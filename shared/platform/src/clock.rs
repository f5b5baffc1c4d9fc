use enrollment::clock::Clock;
use jiff::Timestamp;

/// System clock, in UTC.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// End of a function's run, from the deadline of its context in milliseconds since the epoch.
pub fn ends_at(deadline: u64) -> Timestamp {
    i64::try_from(deadline)
        .ok()
        .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
        .unwrap_or(Timestamp::MAX)
}

/// Clock that tests set.
#[cfg(test)]
pub(crate) struct ManualClock(std::sync::Mutex<Timestamp>);

#[cfg(test)]
impl ManualClock {
    pub(crate) fn advance(&self, by: jiff::SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now = now.saturating_add(by).unwrap();
    }
}

#[cfg(test)]
impl Default for ManualClock {
    fn default() -> Self {
        Self(std::sync::Mutex::new("2026-11-21T10:00:00Z".parse().unwrap()))
    }
}

#[cfg(test)]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}
