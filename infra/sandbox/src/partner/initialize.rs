//! Opening the widget as a partner's back end does: one POST, the answer's `Location`, no redirect followed.

use std::time::Duration;

use axum::body::Body;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION};
use http::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde_json::json;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

/// Client of the product's address for partners.
pub(crate) struct Initializer {
    /// Without a slash at its end.
    base: String,
    client: Client<HttpConnector, Body>,
}

/// Answer of the product.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InitializeResponse {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    /// The header `Enrollment-Status`.
    pub(crate) enrollment_status: Option<String>,
}

/// Reason for which there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InitializeError {
    #[error("the product's address is not one that can be called")]
    Address,
    #[error("the product does not answer")]
    Away,
    #[error("the product did not answer within 30 s")]
    Slow,
}

impl Initializer {
    pub(crate) fn new(public_base_url: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self {
            base: public_base_url.trim_end_matches('/').to_owned(),
            client,
        }
    }

    /// The product's address, without a slash at its end.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The product's origin, for `frame-src` and for judging messages.
    pub(crate) fn origin(&self) -> String {
        url::Url::parse(&self.base)
            .map(|url| url.origin().ascii_serialization())
            .unwrap_or_default()
    }

    pub(crate) async fn initialize(&self, token: &str) -> Result<InitializeResponse, InitializeError> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/company/non_auth_initialize", self.base))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .body(Body::from(json!({"initializeWebsiteToken": token}).to_string()))
            .map_err(|_| InitializeError::Address)?;
        let answer = timeout(PATIENCE, self.client.request(request))
            .await
            .map_err(|_| InitializeError::Slow)?;
        let answer = answer.map_err(|error| {
            tracing::warn!(%error, "the product does not answer");
            InitializeError::Away
        })?;
        let opened = InitializeResponse {
            status: answer.status().as_u16(),
            location: header(answer.headers(), &LOCATION),
            enrollment_status: header(answer.headers(), &HeaderName::from_static("enrollment-status")),
        };
        tracing::info!(
            status = opened.status,
            outcome = opened.enrollment_status,
            "the widget was asked for"
        );
        Ok(opened)
    }
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}
