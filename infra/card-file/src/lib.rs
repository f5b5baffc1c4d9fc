#![doc = include_str!("../README.md")]

mod batches;
mod check;
mod columns;
mod content;
mod error;
mod fault;
mod fields;
mod input;
mod interleave;
mod numbers;
mod private_file;
mod reader;
mod records;
mod repeats;
mod row;
mod window;

pub use batches::{BatchLimits, BatchPlan, Manifest, Plaintext};
pub use check::{CheckOptions, CheckedFile, check};
pub use columns::Column;
pub use content::CardIdName;
pub use error::FileError;
pub use fault::{Fault, FaultKind, Faults};
pub use private_file::create_private_file;
pub use reader::{CardFile, Digest, Layout};
pub use window::{WINDOW_CARDS, Window};

/// Largest number of cards in a batch, and so in a profile.
pub const MAX_BATCH_CARDS: usize = 250;
