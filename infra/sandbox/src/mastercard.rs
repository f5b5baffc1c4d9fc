//! The Mastercard stand-in: its gateway, which judges client certificates, and MRS behind it.

use std::sync::Arc;

use axum::{Router, middleware};

mod gateway;
pub(crate) mod mrs;

use self::mrs::Mrs;

/// MRS behind the gateway, which refuses a caller without a certificate before anything else is checked.
pub(crate) fn router(mrs: Arc<Mrs>) -> Router {
    mrs::router(mrs)
        .layer(middleware::from_fn(gateway::require_certificate))
        .layer(middleware::from_fn(gateway::add_correlation_id))
}
