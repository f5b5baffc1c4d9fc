//! The demo partner: a small bank that opens the widget and receives confirmations.
//!
//! Its back end does what a partner's would (`docs/sources.md#widget`): sign a token, POST it to
//! `/company/non_auth_initialize`, take `Location` from the answer. Its pages show every way of opening the
//! widget, with its code. The same is there as JSON for tests.

mod batch;
mod confirmation_log;
mod demo;
mod embedded;
mod initialize;
mod mask;
mod pages;
mod receiver;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(crate) use self::confirmation_log::{AttemptLog, ConfirmationLog};
pub(crate) use self::demo::DemoFolder;
pub(crate) use self::initialize::Initializer;
pub(crate) use self::receiver::{Receiver, router as receiver_router};

use self::batch::{BatchAnswer, BatchError};
use self::confirmation_log::Confirmation;
use self::demo::DemoError;
use self::initialize::InitializeResponse;
use crate::clock::Clock;
use crate::mastercard::mrs::{TEST_CARDS, TestCard};

/// State of the partner's site.
pub(crate) struct Partner {
    pub(crate) demo: DemoFolder,
    pub(crate) initializer: Initializer,
    pub(crate) received: Arc<ConfirmationLog>,
    pub(crate) clock: Clock,
    /// Mastercard's key for batches; none where the stand-in serves no Issuer Enrollment API.
    pub(crate) batch_key: Option<rsa::RsaPublicKey>,
}

/// Pages and JSON.
pub(crate) fn router(partner: Arc<Partner>) -> Router {
    Router::new()
        .merge(pages::router())
        .route("/health", get(async || Json(json!({"status": "ready"}))))
        .route("/token", post(token))
        .route("/open", post(open))
        .route("/received", get(received).delete(forget_received))
        .route("/batches", post(submit_sample))
        .route("/batches/{id}", get(batch_status))
        .route("/cards", get(async || Json::<[TestCard; _]>(TEST_CARDS)))
        .with_state(partner)
}

/// Reason for which a token can't be made or used.
#[derive(Debug, thiserror::Error)]
enum PartnerError {
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Initialize(#[from] initialize::InitializeError),
}

impl Partner {
    /// Signs a token with changed claims and opens the widget with it.
    async fn open(&self, changes: &Map<String, Value>) -> Result<InitializeResponse, PartnerError> {
        let token = self.demo.sign(self.clock.seconds(), changes)?;
        Ok(self.initializer.initialize(&token).await?)
    }
}

impl IntoResponse for PartnerError {
    fn into_response(self) -> Response {
        (StatusCode::BAD_GATEWAY, Json(json!({"error": self.to_string()}))).into_response()
    }
}

async fn token(
    State(partner): State<Arc<Partner>>,
    Json(changes): Json<Map<String, Value>>,
) -> Result<Json<Value>, PartnerError> {
    let token = partner.demo.sign(partner.clock.seconds(), &changes)?;
    Ok(Json(json!({"token": token})))
}

async fn open(
    State(partner): State<Arc<Partner>>,
    Json(mut changes): Json<Map<String, Value>>,
) -> Result<Json<InitializeResponse>, PartnerError> {
    // A token made elsewhere is used as it is.
    if let Some(Value::String(token)) = changes.remove("token") {
        return Ok(Json(partner.initializer.initialize(&token).await?));
    }
    partner.open(&changes).await.map(Json)
}

impl IntoResponse for BatchError {
    fn into_response(self) -> Response {
        (StatusCode::BAD_GATEWAY, Json(json!({"error": self.to_string()}))).into_response()
    }
}

async fn submit_sample(State(partner): State<Arc<Partner>>) -> Result<Json<BatchAnswer>, BatchError> {
    partner.submit_sample().await.map(Json)
}

async fn batch_status(
    State(partner): State<Arc<Partner>>,
    Path(id): Path<String>,
) -> Result<Json<BatchAnswer>, BatchError> {
    partner.batch(&id).await.map(Json)
}

#[derive(Deserialize)]
struct Last {
    last: Option<usize>,
}

async fn received(State(partner): State<Arc<Partner>>, Query(query): Query<Last>) -> Json<Vec<Confirmation>> {
    Json(partner.received.last(query.last.unwrap_or(usize::MAX)))
}

async fn forget_received(State(partner): State<Arc<Partner>>) -> StatusCode {
    partner.received.clear();
    StatusCode::NO_CONTENT
}
