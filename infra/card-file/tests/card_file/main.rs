//! Card files from their bytes to batches, by the crate's public interface.

#![expect(clippy::unwrap_used, reason = "a test that can't go on must end")]

mod faults;
mod packing;
mod reading;
mod support;
