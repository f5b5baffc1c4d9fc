//! The header `Retry-After` of a receiver.

#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use libfuzzer_sys::fuzz_target;
use webhooks::RetryAfter;
use webhooks::retry_after::parse;

fuzz_target!(|value: &str| {
    match parse(value) {
        Some(RetryAfter::Seconds(seconds)) => {
            assert_eq!(parse(&seconds.to_string()), Some(RetryAfter::Seconds(seconds)));
        }
        Some(RetryAfter::At(time)) => {
            // The library that reads dates writes them from 1970 on.
            if let Ok(seconds) = u64::try_from(time) {
                let written = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
                assert_eq!(parse(&written), Some(RetryAfter::At(time)));
            }
        }
        None => assert!(value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit())),
    }
});
