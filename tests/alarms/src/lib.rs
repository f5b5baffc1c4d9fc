#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a harness of tests: what is wrong with a template or a line is a failed test, and its panic says so"
)]

pub mod alarm;
pub mod emitted;
pub mod expression;
pub mod published;
mod yaml;
