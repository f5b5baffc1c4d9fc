//! Tokens that may be used once, where they open no session.

use async_trait::async_trait;

use super::put::Put;
use super::store_error::StoreError;
use crate::session::UsedToken;

/// Tokens that were used.
#[async_trait]
pub trait UsedTokens: Send + Sync {
    /// Stores a token as used, until it would not be accepted any more. No time matters: a token that is stored stays so.
    async fn use_once(&self, token: &UsedToken) -> Result<Put, StoreError>;
}
