#![doc = include_str!("../README.md")]

pub mod csp_report;
pub mod embed_scripts;
pub mod handler;
pub mod headers;
pub mod page;
pub mod parts;
pub mod pictures;
pub mod style;
mod wording;
