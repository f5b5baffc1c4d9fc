#![doc = include_str!("../README.md")]

mod certificate;
mod failure;
mod foreign;
pub mod gateway;
pub mod http;
pub mod keys;
pub mod mrs;
mod xml;

pub use failure::{ConnectionFailure, NotSent, Unknown};
pub use foreign::{CorrelationId, ForeignCode, ForeignText};
