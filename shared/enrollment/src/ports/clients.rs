//! Clients' set-ups.

use std::sync::Arc;

use async_trait::async_trait;

use super::store_error::StoreError;
use crate::client::Client;
use crate::identifiers::{ClientId, Slug};

/// The clients' set-ups.
#[async_trait]
pub trait Clients: Send + Sync {
    /// By `iss`.
    async fn by_id(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError>;
    /// By the name in addresses.
    async fn by_slug(&self, slug: &Slug) -> Result<Option<Arc<Client>>, StoreError>;
}

/// All clients, for work that goes over everyone's records.
#[async_trait]
pub trait ClientIndex: Send + Sync {
    /// The ids of all clients that were ever set up.
    async fn clients(&self) -> Result<Vec<ClientId>, StoreError>;
}
