use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnValue;
use enrollment::ports::{Attempts, Counted, Limits, StoreError};
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use super::customers;
use super::item::{self, Fields};
use crate::aws::describe;
use crate::vault::Vault;

const HOUR: i64 = 3600;
const KEPT: SignedDuration = SignedDuration::from_hours(25);

/// The `limits` table: one counter for each customer and hour, and one for each client's program and hour.
pub struct DynamoLimits {
    dynamodb: Client,
    table: String,
    vault: Arc<Vault>,
}

impl DynamoLimits {
    /// Over the table of that physical name.
    pub fn new(dynamodb: Client, table: impl Into<String>, vault: Arc<Vault>) -> Self {
        Self {
            dynamodb,
            table: table.into(),
            vault,
        }
    }

    async fn keys(
        &self,
        operation: &'static str,
        counted: Counted<'_>,
        now: Timestamp,
    ) -> Result<(String, String), StoreError> {
        let hour = now.as_second().div_euclid(HOUR);
        let Counted {
            client,
            program,
            customer,
        } = counted;
        let customer = customers::primary_key(&self.vault, operation, client, program, customer).await?;
        Ok((
            format!("{customer}#{hour}"),
            format!("client#{client}#{program}#{hour}"),
        ))
    }

    async fn read(&self, pk: &str) -> Result<u32, StoreError> {
        const OPERATION: &str = "reading a limit";
        let found = item::read(&self.dynamodb, &self.table, OPERATION, item::key(pk)).await?;
        found.map_or(Ok(0), |fields| fields.number("attempts"))
    }

    /// Adds one and gives the count before it.
    async fn add(&self, pk: &str, now: Timestamp) -> Result<u32, StoreError> {
        const OPERATION: &str = "counting an attempt";
        let answer = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::key(pk)))
            .update_expression("SET #schema = :schema, #ttl = if_not_exists(#ttl, :ttl) ADD attempts :one")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":schema", item::number(item::SCHEMA))
            .expression_attribute_values(":ttl", item::seconds(later(now, KEPT)))
            .expression_attribute_values(":one", item::number(1))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(|error| StoreError::Unavailable {
                operation: OPERATION,
                detail: describe(&error),
            })?;
        let after: u32 = Fields::of(OPERATION, answer.attributes.unwrap_or_default())?.number("attempts")?;
        Ok(after.saturating_sub(1))
    }
}

#[async_trait]
impl Limits for DynamoLimits {
    async fn attempts(&self, counted: Counted<'_>, now: Timestamp) -> Result<Attempts, StoreError> {
        let (customer, client) = self.keys("reading a limit", counted, now).await?;
        let (customer, client) = tokio::try_join!(self.read(&customer), self.read(&client))?;
        Ok(Attempts { customer, client })
    }

    async fn count(&self, counted: Counted<'_>, now: Timestamp) -> Result<Attempts, StoreError> {
        let (customer, client) = self.keys("counting an attempt", counted, now).await?;
        let (customer, client) = tokio::try_join!(self.add(&customer, now), self.add(&client, now))?;
        Ok(Attempts { customer, client })
    }
}
