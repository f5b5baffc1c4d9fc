//! The part of the admin listener that is about the Issuer Enrollment API.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;

use crate::mastercard::issuer_enrollment::{
    BatchView, CardView, ISSUER_CARDS, IssuerCard, IssuerEnrollment, IssuerSettings,
};

/// The paths that the README lists.
pub(super) fn router(issuers: Arc<IssuerEnrollment>) -> Router {
    Router::new()
        .route("/issuers/batches", get(batches))
        .route("/issuers/batches/finish", post(finish))
        .route("/issuers/digital-cards", get(digital_cards))
        .route("/issuers/settings", get(settings).put(set))
        .route(
            "/issuers/cards",
            get(async || Json::<[IssuerCard; _]>(ISSUER_CARDS)),
        )
        .with_state(issuers)
}

async fn batches(State(issuers): State<Arc<IssuerEnrollment>>) -> Json<Vec<BatchView>> {
    Json(issuers.batch_views())
}

async fn finish(State(issuers): State<Arc<IssuerEnrollment>>) -> StatusCode {
    issuers.finish();
    StatusCode::NO_CONTENT
}

async fn digital_cards(State(issuers): State<Arc<IssuerEnrollment>>) -> Json<Vec<CardView>> {
    Json(issuers.card_views())
}

async fn settings(State(issuers): State<Arc<IssuerEnrollment>>) -> Json<IssuerSettings> {
    Json(issuers.settings())
}

async fn set(
    State(issuers): State<Arc<IssuerEnrollment>>,
    Json(settings): Json<IssuerSettings>,
) -> Json<IssuerSettings> {
    issuers.set(settings);
    Json(issuers.settings())
}
