#![doc = include_str!("../README.md")]
#![cfg_attr(
    test,
    expect(
        clippy::disallowed_macros,
        reason = "the lines of other crates are tested too"
    )
)]

pub mod adapters;
mod aged_cache;
pub mod aws;
#[cfg(feature = "batch-contents")]
pub mod batch_contents;
pub mod card_keys;
mod clock;
pub mod connection;
mod function;
#[cfg(feature = "gateway")]
pub mod gateway;
pub mod issuer;
pub mod logs;
pub mod metrics;
#[cfg(feature = "operator")]
pub mod operator;
#[cfg(feature = "pictures")]
pub mod pictures;
pub mod public_base_url;
pub mod queues;
mod randomness;
pub mod receivers;
pub mod rewards;
pub mod secrets;
pub mod settings;
pub mod tables;
pub mod vault;

pub use adapters::Adapters;
pub use clock::{SystemClock, ends_at};
pub use function::{Function, StartError, start};
pub use randomness::SystemRandomness;
