//! Time limit of a call, which ends before the function that makes it.

use std::time::Duration;

use jiff::Timestamp;

/// Time that a function keeps after a call, to store its outcome.
const RESERVED: Duration = Duration::from_secs(2);

/// Call that the end of its function prevented or cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutOfTime {
    /// It was not sent.
    NotSent,
    /// It was under way: Mastercard may have done it.
    Interrupted,
}

/// Time that a call may take that begins at `now`, in a function that ends at `end`.
pub(super) fn time_left(now: Timestamp, end: Timestamp) -> Duration {
    let left = Duration::try_from(end.duration_since(now)).unwrap_or_default();
    left.saturating_sub(RESERVED)
}

/// Runs a call for at most `left`.
pub(super) async fn within<T>(left: Option<Duration>, call: impl Future<Output = T>) -> Result<T, OutOfTime> {
    match left {
        None => Ok(call.await),
        Some(Duration::ZERO) => Err(OutOfTime::NotSent),
        Some(left) => tokio::time::timeout(left, call)
            .await
            .map_err(|_| OutOfTime::Interrupted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test]
    async fn call_ends_before_its_function() {
        assert_eq!(time_left(at(18), at(25)), Duration::from_secs(5), "two are kept");
        let takes = async |milliseconds| {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        };
        let cut_off = within(Some(Duration::from_millis(20)), takes(60_000)).await;
        assert_eq!(cut_off, Err(OutOfTime::Interrupted));
        assert_eq!(within(Some(time_left(at(0), at(25))), takes(1)).await, Ok(()));
        assert_eq!(within(None, takes(1)).await, Ok(()));
        for now in [23, 25, 99] {
            let not_sent = within(Some(time_left(at(now), at(25))), takes(0)).await;
            assert_eq!(not_sent, Err(OutOfTime::NotSent), "{now}");
        }
    }
}
