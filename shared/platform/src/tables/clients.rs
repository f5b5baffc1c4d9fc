use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client as DynamoDb;
use enrollment::client::Client;
use enrollment::clock::Clock;
use enrollment::identifiers::{ClientId, Slug};
use enrollment::ports::{ClientIndex, Clients, StoreError};
use jiff::{SignedDuration, Timestamp};

use super::item::{self, Fields, Item};
use crate::aged_cache::AgedCache;
use crate::aws::describe;

/// A set-up that was changed is taken up by every function within this time.
const MAX_AGE: SignedDuration = SignedDuration::from_secs(60);
/// A client that was not there may have been applied a moment ago.
const MAX_AGE_OF_ABSENCE: SignedDuration = SignedDuration::from_secs(5);
/// Slugs and ids come from outside: what is remembered of them is bounded.
const MAX_COUNT: usize = 1000;

/// The `clients` table, remembered for a minute.
pub struct DynamoClients {
    dynamodb: DynamoDb,
    table: String,
    by_id: AgedCache<ClientId, Option<Arc<Client>>>,
    by_slug: AgedCache<Slug, Option<ClientId>>,
}

impl DynamoClients {
    /// Over the table of that physical name.
    pub fn new(dynamodb: DynamoDb, table: impl Into<String>, clock: &Arc<dyn Clock>) -> Self {
        Self {
            dynamodb,
            table: table.into(),
            by_id: AgedCache::with_age_by_value(Arc::clone(clock), MAX_AGE, age_of, MAX_COUNT),
            by_slug: AgedCache::with_age_by_value(Arc::clone(clock), MAX_AGE, age_of, MAX_COUNT),
        }
    }

    async fn read(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        let found = self.item("reading a client", &primary_key(id)).await?;
        found.map(|fields| set_up(id, &fields)).transpose()
    }

    /// The key of a client's item, for reading it together with others; and the client instead, where it is remembered.
    pub(super) fn remembered_or_key(&self, id: &ClientId) -> Result<Option<Arc<Client>>, (&str, Item)> {
        let key = || (self.table.as_str(), item::key(&primary_key(id)));
        self.by_id.current(id).ok_or_else(key)
    }

    /// Reads and remembers a client's item, which was read from `at` on.
    pub(super) fn take_up(
        &self,
        id: &ClientId,
        found: Option<&Fields>,
        at: Timestamp,
    ) -> Result<Option<Arc<Client>>, StoreError> {
        let client = found.map(|fields| set_up(id, fields)).transpose()?;
        self.by_id.put(id, client.clone(), at);
        Ok(client)
    }

    async fn resolve(&self, slug: &Slug) -> Result<Option<ClientId>, StoreError> {
        let Some(fields) = self.item("reading a slug", &slug_key(slug)).await? else {
            return Ok(None);
        };
        fields.parsed("client", ClientId::parse).map(Some)
    }

    async fn item(&self, operation: &'static str, pk: &str) -> Result<Option<Fields>, StoreError> {
        item::read(&self.dynamodb, &self.table, operation, item::key(pk)).await
    }
}

#[async_trait]
impl Clients for DynamoClients {
    async fn by_id(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        self.by_id.get_or_load(id, self.read(id)).await
    }

    async fn by_slug(&self, slug: &Slug) -> Result<Option<Arc<Client>>, StoreError> {
        let Some(id) = self.by_slug.get_or_load(slug, self.resolve(slug)).await? else {
            return Ok(None);
        };
        // A slug that was given up may still be remembered here: the client itself says what it is called now.
        Ok(self.by_id(&id).await?.filter(|client| client.slug == *slug))
    }
}

#[async_trait]
impl ClientIndex for DynamoClients {
    async fn clients(&self) -> Result<Vec<ClientId>, StoreError> {
        const OPERATION: &str = "reading the client index";
        let answer = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .set_key(Some(item::key(CLIENT_INDEX)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::unavailable(OPERATION, describe(&error)))?;
        let Some(mut item) = answer.item else {
            return Ok(Vec::new());
        };
        let ids = item.remove("ids");
        let fields = Fields::of(OPERATION, item)?;
        ids.as_ref()
            .and_then(|ids| ids.as_ss().ok())
            .ok_or_else(|| fields.unreadable("attribute ids is missing or of another kind".into()))?
            .iter()
            .map(|id| fields.check("ids", ClientId::parse(id)))
            .collect()
    }
}

fn set_up(id: &ClientId, fields: &Fields) -> Result<Arc<Client>, StoreError> {
    let client: Client = fields.parsed("setup", |json| serde_json::from_str(json))?;
    if client.id == *id {
        Ok(Arc::new(client))
    } else {
        Err(fields.unreadable("it is another client".into()))
    }
}

/// The key of the one item that holds the ids of all clients: at 64 characters each, 400 KB hold some six thousand. No
/// client's own key is equal to it.
pub(super) const CLIENT_INDEX: &str = "clients";

pub(super) fn primary_key(id: &ClientId) -> String {
    format!("client#{id}")
}

pub(super) fn slug_key(slug: &Slug) -> String {
    format!("slug#{slug}")
}

#[expect(
    clippy::ref_option,
    reason = "the cache hands out a reference to the value, which is an option here"
)]
fn age_of<T>(found: &Option<T>, base: SignedDuration) -> SignedDuration {
    if found.is_some() { base } else { MAX_AGE_OF_ABSENCE }
}
