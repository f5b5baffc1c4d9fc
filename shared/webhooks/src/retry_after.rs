//! Header `Retry-After` (RFC 9110 §10.2.3).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time at which the other side wants the next request. It may be unreasonable: a caller sets limits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// Number of seconds from now.
    Seconds(u64),
    /// Time in seconds since 1970-01-01T00:00:00Z.
    At(i64),
}

/// Parses the value of the header: seconds, or a date in one of the three forms of HTTP (RFC 9110 §5.6.7). `None` if it
/// is neither. Numbers too large for `u64` become its largest value.
pub fn parse(value: &str) -> Option<RetryAfter> {
    let value = value.trim_matches([' ', '\t']);
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits alone fail for one reason: too many of them.
        return Some(RetryAfter::Seconds(value.parse().unwrap_or(u64::MAX)));
    }
    httpdate::parse_http_date(value)
        .ok()
        .map(|date| RetryAfter::At(unix_seconds(date)))
}

fn unix_seconds(date: SystemTime) -> i64 {
    let whole = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    match date.duration_since(UNIX_EPOCH) {
        Ok(after) => whole(after),
        Err(before) => -whole(before.duration()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn seconds_are_only_digits() {
        assert_eq!(parse("120"), Some(RetryAfter::Seconds(120)));
        assert_eq!(parse(" 0\t"), Some(RetryAfter::Seconds(0)));
        assert_eq!(parse("007"), Some(RetryAfter::Seconds(7)));
        for other in [
            "", " ", "-1", "+1", "1.5", "1s", "1 2", "0x10", "١٢", "soon", "1, 2",
        ] {
            assert_eq!(parse(other), None, "{other:?}");
        }
    }

    #[test]
    fn too_large_number_is_the_largest() {
        assert_eq!(parse("18446744073709551615"), Some(RetryAfter::Seconds(u64::MAX)));
        assert_eq!(parse("18446744073709551616"), Some(RetryAfter::Seconds(u64::MAX)));
        assert_eq!(parse(&"9".repeat(4000)), Some(RetryAfter::Seconds(u64::MAX)));
    }

    #[test]
    fn date_has_three_forms() {
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(date), Some(RetryAfter::At(784_111_777)), "{date}");
        }
        for other in [
            "1994-11-06T08:49:37Z",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_does_not_panic(text in ".*") {
            let _ = parse(&text);
        }

        #[test]
        fn date_like_text_does_not_panic(
            text in "[A-Z][a-z]{2,8},? [0-9 ]{1,2}[ -][A-Z][a-z]{2}[ -][0-9]{2,4} ([0-9]{2}:){2}[0-9]{2} (GMT|[0-9]{4})"
        ) {
            let _ = parse(&text);
        }

        #[test]
        fn seconds_round_trip(seconds: u64) {
            prop_assert_eq!(parse(&seconds.to_string()), Some(RetryAfter::Seconds(seconds)));
        }
    }
}
