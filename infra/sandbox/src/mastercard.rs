//! The Mastercard stand-in: its gateway, which judges client certificates, MRS behind it, and the Issuer Enrollment API.

use std::sync::Arc;

use axum::{Router, middleware};

mod gateway;
pub(crate) mod issuer_enrollment;
pub(crate) mod mrs;

use self::issuer_enrollment::IssuerEnrollment;
use self::mrs::Mrs;

/// MRS behind the gateway, which refuses a caller without a certificate before anything else is checked. The Issuer
/// Enrollment API, where it is served, knows its callers by their OAuth signature.
pub(crate) fn router(mrs: Arc<Mrs>, issuers: Option<Arc<IssuerEnrollment>>) -> Router {
    let mrs = mrs::router(mrs).layer(middleware::from_fn(gateway::require_certificate));
    let router = match issuers {
        Some(issuers) => mrs.merge(issuer_enrollment::router(issuers)),
        None => mrs,
    };
    router.layer(middleware::from_fn(gateway::add_correlation_id))
}
