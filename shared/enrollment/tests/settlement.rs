//! Settlement over the reference model; `platform` runs the same cases over a real engine.

use harness::{Backend, InMemory};

async fn on_model(case: impl AsyncFn(&dyn Backend)) {
    case(&InMemory).await;
}

harness::settlement_tests!(super::on_model);
