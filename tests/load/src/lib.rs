#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a harness of tests: what goes wrong in it is a failed test, and says so by its panic"
)]

pub mod aws_proxy;
mod chance;
pub mod functions;
pub mod transactions;
