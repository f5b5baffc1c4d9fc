//! Mastercard's gateway: correlation ids, and refusals in JSON.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use axum::Json;
use axum::extract::{Extension, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::faults::Answer;
use crate::tls::ClientCertificate;

/// **Assumption:** Mastercard's systems give each call an id, a UUID, in this header; nothing public says so of MRS.
pub(super) async fn add_correlation_id(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let mut bytes = [0; 16];
    // Without random bytes there is no id.
    if SystemRandom::new().fill(&mut bytes).is_ok() {
        let groups = [
            &bytes[..4],
            &bytes[4..6],
            &bytes[6..8],
            &bytes[8..10],
            &bytes[10..],
        ];
        if let Ok(id) = HeaderValue::from_str(&groups.map(hex::encode).join("-")) {
            response.headers_mut().entry("x-mc-correlation-id").or_insert(id);
        }
    }
    response
}

/// **Assumption:** the status. The mutual TLS guide (`docs/sources.md#mutual-tls`) gives the body; 401 says what
/// happened: the caller did not authenticate.
pub(super) async fn require_certificate(
    Extension(certificate): Extension<ClientCertificate>,
    request: Request,
    next: Next,
) -> Response {
    if certificate == ClientCertificate::Accepted {
        return next.run(request).await;
    }
    tracing::info!(
        ?certificate,
        "a call without a valid client certificate was refused"
    );
    let error = json!({
        "Source": "Gateway",
        "ReasonCode": "INVALID_CLIENT_CERT",
        "Description": "The client certificate is invalid or missing from the request. Retry using a valid cert signed by \
                        supported certificate Authorities.",
        "Recoverable": false,
    });
    (StatusCode::UNAUTHORIZED, Json(error)).into_response()
}

/// The flat shape of the mutual TLS guide.
pub(super) fn refusal(reason: &'static str) -> Answer {
    let error = json!({
        "Source": "Gateway", "ReasonCode": reason, "Description": "The gateway refuses the call.", "Recoverable": false,
    });
    Answer::text(StatusCode::UNAUTHORIZED, "application/json", error.to_string())
}
