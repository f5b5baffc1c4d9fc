//! Life-cycle of enrolled cards: read, deleted (`docs/contract.md#life-cycle`).

pub mod delete;
pub mod read;
pub mod settle;
