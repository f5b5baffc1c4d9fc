//! Lambda's Runtime API for one function and at most one event (Lambda Developer Guide, "Using the Lambda runtime API"). AWS's
//! emulator does not tell when a function asks for its next event, and can't start it under another program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;
use tokio::runtime::Runtime;

/// A function may answer until the year 2100.
const DEADLINE: &str = "4102444800000";

/// The running API, which ends when it is dropped.
pub(crate) struct RuntimeApi {
    /// For `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) address: String,
    heard: Receiver<Heard>,
    _runtime: Runtime,
}

/// Request of a function.
enum Heard {
    /// It wants an event, and there is none.
    Idle,
    Answer(Bytes),
    /// It could not start, or not answer.
    Failure,
}

#[derive(Clone)]
struct Serving {
    event: Option<String>,
    is_given: Arc<AtomicBool>,
    says: Sender<Heard>,
}

impl RuntimeApi {
    /// Answers the first request for an event with `event`.
    pub(crate) fn start(event: Option<&Value>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let (says, heard) = channel();
        let serving = Serving {
            event: event.map(Value::to_string),
            is_given: Arc::default(),
            says,
        };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{outcome}", post(ended))
            .route("/2018-06-01/runtime/init/error", post(failed))
            .with_state(serving);
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?.to_string();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            address,
            heard,
            _runtime: runtime,
        })
    }

    /// Waits until the function wants an event that is not there. Gives its answer to the event that was.
    pub(crate) fn idle(&self, patience: Duration) -> Result<Option<Value>> {
        let mut answer = None;
        loop {
            match self
                .heard
                .recv_timeout(patience)
                .context("the function says nothing")?
            {
                Heard::Idle => return Ok(answer),
                Heard::Answer(body) => answer = Some(serde_json::from_slice(&body)?),
                Heard::Failure => bail!("the function reports a failure"),
            }
        }
    }
}

async fn next(State(serving): State<Serving>) -> Result<Response, StatusCode> {
    let Some(event) = serving
        .event
        .filter(|_| !serving.is_given.swap(true, Ordering::SeqCst))
    else {
        let _ = serving.says.send(Heard::Idle);
        return std::future::pending().await;
    };
    Response::builder()
        .header("lambda-runtime-aws-request-id", "bench")
        .header("lambda-runtime-deadline-ms", DEADLINE)
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:000000000000:function:bench",
        )
        .body(Body::from(event))
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn ended(
    State(serving): State<Serving>,
    Path((_, outcome)): Path<(String, String)>,
    body: Bytes,
) -> StatusCode {
    let heard = if outcome == "response" {
        Heard::Answer(body)
    } else {
        Heard::Failure
    };
    let _ = serving.says.send(heard);
    StatusCode::ACCEPTED
}

async fn failed(State(serving): State<Serving>) -> StatusCode {
    let _ = serving.says.send(Heard::Failure);
    StatusCode::ACCEPTED
}
