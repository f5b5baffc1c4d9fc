//! Sessions and used tokens.

use async_trait::async_trait;
use jiff::Timestamp;

use super::put::Put;
use super::store_error::StoreError;
use crate::identifiers::SessionId;
use crate::session::{Session, UsedToken};

/// Sessions and used tokens.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Stores the session and its used token, both or neither. No time matters: a token that is stored as used stays so.
    async fn open(&self, session: &Session, token: &UsedToken) -> Result<Put, StoreError>;
    /// The session, expired ones included as long as they are stored: the caller looks at the time.
    async fn find(&self, id: SessionId) -> Result<Option<Session>, StoreError>;
    /// Stores the new end of [`Session::extended`] and its count, and nothing else. False, and nothing is stored, where the
    /// session is over at `now`, used up, or was extended by another call meanwhile.
    async fn extend(&self, extended: &Session, now: Timestamp) -> Result<bool, StoreError>;
}
