#![doc = include_str!("../README.md")]

pub mod action;
pub mod batch;
pub mod client;
pub mod clock;
pub mod confirmation;
pub mod delivery;
pub mod digital_card;
pub mod digits;
pub mod encoding;
pub mod ending;
pub mod flows;
pub mod identifiers;
pub mod intent;
mod json;
pub mod language;
pub mod limits;
pub mod log;
pub mod look_up;
pub mod pem;
pub mod ports;
pub mod randomness;
pub mod reason;
pub mod session;
pub mod status;
pub mod texts;
pub mod time;
pub mod token;

#[cfg(test)]
mod testing;
