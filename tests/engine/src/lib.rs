#![doc = include_str!("../README.md")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a harness of tests: what goes wrong in it is a failed test, and says so by its panic"
)]

mod backend;
mod bucket;
mod busy;
mod counting;
mod dying;
mod endpoints;
mod losing;
mod rounds;
mod settings;
mod tables;
mod world;
mod wrapper;

pub use backend::{EngineBackend, batch_case_on_every_engine, case_on_every_engine};
pub use counting::{Call, Calls};
pub use endpoints::{engines, local_aws, local_kms, random_name};
pub use harness::TestClock;
pub use losing::LostAnswers;
pub use rounds::Rounds;
pub use world::{Item, World, on_engine_of_aws, on_every_engine};
pub use wrapper::LocalWrapper;
