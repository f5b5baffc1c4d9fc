#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a harness of tests: what goes wrong in it is a failed test, and says so by its panic"
)]

pub mod call;
pub mod card;
pub mod card_on_file;
mod enrolled_card;
pub mod forger;
pub mod issuer;
pub mod local_aws;
mod mrs_admin;
pub mod page;
pub mod partner;
pub mod person;
pub mod receiver;
pub mod rewards;
mod set_ups;
pub mod settlement;
pub mod stack;
pub mod stored;
pub mod time;
