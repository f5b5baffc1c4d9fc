#![doc = include_str!("../README.md")]

pub mod colors;
pub mod csp_report;
pub mod embed_scripts;
pub mod handler;
pub mod headers;
pub mod page;
pub mod parts;
mod wording;
