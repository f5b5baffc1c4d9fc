#![doc = include_str!("../README.md")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "test code: what goes wrong in it is a failed test, and its panic says so"
)]

mod batch_fixture;
mod batch_stores;
mod cases;
mod clock;
pub mod conformance;
mod fixture;
pub mod fixtures;
pub mod model;
pub mod mrs;
mod operations;
pub mod receiver;
pub mod scripted_issuer_enrollment;
pub mod scripted_mrs;
mod seeded;
pub mod settlement;
mod stores;
mod wakeups;

pub use batch_fixture::{BASE, BatchFixture, issuer};
pub use batch_stores::{BatchBackend, BatchStores};
pub use clock::TestClock;
pub use fixture::Fixture;
pub use model::Model;
pub use seeded::Seeded;
pub use stores::{Backend, InMemory, Inspection, Stores};
pub use wakeups::RecordedWakeups;
