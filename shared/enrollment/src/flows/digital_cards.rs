//! Life-cycle of enrolled cards: read, deleted, exported and erased (`docs/contract.md#life-cycle`).

pub mod delete;
pub mod erase;
pub mod export;
pub mod read;
pub mod settle;
