//! Storage rules against real engines: every one that `TEST_DYNAMODB_ENDPOINTS` names, with KMS and Secrets Manager of
//! `TEST_AWS_ENDPOINT`. `cargo xtask test --only storage` starts them and sets both.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on must end"
)]

mod batch_samples;
mod batches;
mod calls;
mod clients;
mod confirmation_admin;
mod confirmations;
mod destinations;
mod digital_cards;
mod enrollments;
mod faults;
mod flows;
mod leases;
mod leaving;
mod limits;
mod operator_secrets;
mod pacing;
mod purging;
mod samples;
mod sealing;
mod sessions;
mod settlement;
mod side_by_side;
mod visits;
