use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use enrollment::clock::Clock;

use super::{KeyName, VaultError, WrappedKeys};
use crate::aws::{describe, where_it_held};
use crate::tables::item::{self, Fields};

/// Wrapped keys in the `keys` table: `key#<client>#<purpose>#<period>`, with the time at which each was made. Keys are
/// never deleted here, since the values that they sealed have to open.
pub struct DynamoWrappedKeys {
    dynamodb: Client,
    table: String,
    clock: Arc<dyn Clock>,
}

impl DynamoWrappedKeys {
    /// Wrapped keys in the table of that physical name.
    pub fn new(dynamodb: Client, table: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            dynamodb,
            table: table.into(),
            clock,
        }
    }
}

#[async_trait]
impl WrappedKeys for DynamoWrappedKeys {
    async fn find(&self, name: &KeyName) -> Result<Option<Vec<u8>>, VaultError> {
        const OPERATION: &str = "reading a wrapped key";
        let answer = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .set_key(Some(item::key(&primary_key(name))))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| VaultError::Unavailable {
                operation: OPERATION,
                detail: describe(&error),
            })?;
        let Some(found) = answer.item else { return Ok(None) };
        Fields::of(OPERATION, found)
            .and_then(|fields| fields.bytes("wrapped").map(<[u8]>::to_vec))
            .map(Some)
            .map_err(|_| VaultError::DamagedKey(name.clone()))
    }

    async fn insert(&self, name: &KeyName, wrapped: &[u8]) -> Result<bool, VaultError> {
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(
                item::Written::new(&primary_key(name))
                    .bytes("wrapped", wrapped.to_vec())
                    .millis("created_at", self.clock.now())
                    .into_item(),
            ))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        where_it_held(put)
            .map(|stored| stored.is_some())
            .map_err(|detail| VaultError::Unavailable {
                operation: "storing a wrapped key",
                detail,
            })
    }
}

fn primary_key(name: &KeyName) -> String {
    format!("key#{name}")
}
