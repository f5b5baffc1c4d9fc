#![doc = include_str!("../README.md")]

mod certificate;
mod description;
mod failure;
pub mod gateway;
pub mod http;
pub mod keys;
pub mod mrs;
mod xml;

pub use description::Description;
pub use failure::{NotSent, Unknown};
