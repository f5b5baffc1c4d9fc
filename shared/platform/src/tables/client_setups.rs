//! Writing clients' set-ups: for the operator's tool and for tests. Functions only read them.

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use enrollment::client::Client;
use enrollment::clock::Clock;
use enrollment::identifiers::{ClientId, Slug};
use enrollment::ports::StoreError;
use enrollment::randomness::Randomness;

use super::clients::{CLIENT_INDEX, primary_key, slug_key};
use super::item::{self, Written};
use super::transaction::{IntoWrite as _, built, transact};

const OPERATION: &str = "storing a client";
/// Positions in the transaction.
const SETUP: usize = 0;
const SLUG: usize = 1;

/// The `clients` table, to be written.
pub struct ClientSetups<'a> {
    /// The database.
    pub dynamodb: DynamoDb,
    /// The table's physical name.
    pub table: String,
    /// For the waits between tries.
    pub randomness: &'a dyn Randomness,
    /// For the time of the change.
    pub clock: &'a dyn Clock,
}

/// A client as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredClient {
    /// The set-up.
    pub client: Client,
    /// Counts its changes: what the next one is conditional on.
    pub revision: u64,
}

/// Result of storing a set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetupWrite {
    /// It is stored.
    Stored,
    /// Its slug is another client's.
    SlugTaken,
    /// Somebody else has changed it since it was read.
    ChangedMeanwhile,
}

impl ClientSetups<'_> {
    /// The client as it is stored now.
    pub async fn find(&self, id: &ClientId) -> Result<Option<StoredClient>, StoreError> {
        const OPERATION: &str = "reading a client";
        let key = item::key(&primary_key(id));
        let Some(fields) = item::read(&self.dynamodb, &self.table, OPERATION, key).await? else {
            return Ok(None);
        };
        let client = fields.parsed("setup", |json| serde_json::from_str(json))?;
        Ok(Some(StoredClient {
            client,
            revision: fields.number("revision")?,
        }))
    }

    /// Stores a set-up and its slug, gives up the slug that it had, and adds the client to the client index: all of
    /// it or nothing. `before` is what was read; programs that only it names are kept as retired.
    pub async fn store(
        &self,
        client: &Client,
        before: Option<&StoredClient>,
    ) -> Result<SetupWrite, StoreError> {
        let setup = serde_json::to_string(&as_stored(client, before))
            .map_err(|_| StoreError::unavailable(OPERATION, "it can't be written as JSON"))?;
        let revision = before.map_or(0, |before| before.revision);
        let item = Written::new(&primary_key(&client.id))
            .text("setup", setup)
            .number("revision", revision + 1)
            .millis("changed_at", self.clock.now());
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item.into_item()));
        let put = match before {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(_) => put
                .condition_expression("revision = :revision")
                .expression_attribute_values(":revision", item::number(revision)),
        };
        let mut writes = vec![
            built(OPERATION, put.build())?.into_write(),
            self.take_slug(client)?,
            self.enter(&client.id)?,
        ];
        let former = before
            .map(|before| &before.client.slug)
            .filter(|slug| **slug != client.slug);
        if let Some(former) = former {
            writes.push(self.give_up_slug(former, &client.id)?);
        }
        let transacted = transact(&self.dynamodb, self.randomness, OPERATION, writes).await?;
        Ok(if transacted.refuses(SLUG) {
            SetupWrite::SlugTaken
        } else if transacted.refuses(SETUP) || transacted.refuses_any() {
            SetupWrite::ChangedMeanwhile
        } else {
            SetupWrite::Stored
        })
    }

    /// Adds a stored client to the client index, where an earlier release left it out. A repeat changes nothing.
    pub async fn register(&self, client: &ClientId) -> Result<(), StoreError> {
        let writes = vec![self.enter(client)?];
        transact(
            &self.dynamodb,
            self.randomness,
            "adding a client to the client index",
            writes,
        )
        .await
        .map(|_| ())
    }

    fn enter(&self, client: &ClientId) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(item::key(CLIENT_INDEX)))
            .update_expression("SET #schema = :schema ADD ids :ids")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", item::number(item::SCHEMA))
            .expression_attribute_values(":ids", AttributeValue::Ss(vec![client.as_str().to_owned()]))
            .build();
        Ok(built(OPERATION, update)?.into_write())
    }

    fn take_slug(&self, client: &Client) -> Result<TransactWriteItem, StoreError> {
        let item = Written::new(&slug_key(&client.slug)).text("client", client.id.as_str());
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item.into_item()))
            .condition_expression("attribute_not_exists(pk) OR client = :client")
            .expression_attribute_values(":client", item::text(client.id.as_str()))
            .build();
        Ok(built(OPERATION, put)?.into_write())
    }

    fn give_up_slug(&self, former: &Slug, client: &ClientId) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(item::key(&slug_key(former))))
            .condition_expression("attribute_not_exists(pk) OR client = :client")
            .expression_attribute_values(":client", item::text(client.as_str()))
            .build();
        Ok(built(OPERATION, delete)?.into_write())
    }
}

/// The set-up with the programs that retire with it. A first one retires none.
fn as_stored(client: &Client, before: Option<&StoredClient>) -> Client {
    let mut client = client.clone();
    match before {
        Some(before) => client.retire_programs_of(&before.client),
        None => client.retired_programs.clear(),
    }
    client
}
