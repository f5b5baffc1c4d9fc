//! The domain at work: each flow over the reference model of the stores (`tests/harness`).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on must end"
)]

mod batch_accept;
mod batch_calls;
mod batch_poll;
mod batch_purge;
mod batch_submit;
mod batch_sweep;
mod deliver;
mod describe;
mod digital_cards;
mod erase;
mod extend;
mod open;
mod purge;
mod purge_interrupted;
mod reconcile;
mod submit;
mod sweep;

use enrollment::ending::Ending;
use enrollment::flows::submit::SubmitResponse;
use enrollment::reason::Reason;
use harness::{Backend, BatchBackend, InMemory};

async fn on_model(case: impl AsyncFn(&dyn Backend)) {
    case(&InMemory).await;
}

async fn batches_on_model(case: impl AsyncFn(&dyn BatchBackend)) {
    case(&InMemory).await;
}

harness::settlement_tests!(crate::on_model);

mod model {
    harness::conformance_tests!(crate::on_model);
    harness::batch_conformance_tests!(crate::batches_on_model);
}

/// Ending, attempts left and reason of a submission that has ended.
fn ended(response: &SubmitResponse) -> (&Ending, u32, Option<Reason>) {
    match response {
        SubmitResponse::Ended {
            ending,
            attempts_left,
            reason,
            ..
        } => (ending, *attempts_left, *reason),
        SubmitResponse::Open => panic!("it has not ended"),
    }
}
