use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Delete, ReturnValue, TransactWriteItem};
use enrollment::log::LogText;
use enrollment::ports::{Attempts, Counted, CustomerKey, Limits, StoreError};
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use super::customers;
use super::item::{self, Fields};
use super::transaction::{IntoWrite as _, built};
use crate::aws::where_it_held;
use crate::vault::Vault;

const COUNTING: &str = "counting an attempt";
const HOUR: i64 = 3600;
const KEPT: SignedDuration = SignedDuration::from_hours(25);

/// How often the first attempt of an hour is counted anew because another one was first.
const TRIES: usize = 3;

/// The `limits` table: one counter for each customer, and one for each client's program, of the hour that it names.
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
    ) -> Result<(String, String), StoreError> {
        let Counted {
            client,
            program,
            customer,
        } = counted;
        let customer = customers::primary_key(&self.vault, operation, client, program, customer).await?;
        Ok((customer, format!("client#{client}#{program}")))
    }

    async fn read(&self, pk: &str, hour: i64) -> Result<u32, StoreError> {
        const OPERATION: &str = "reading a limit";
        let found = item::read(&self.dynamodb, &self.table, OPERATION, item::key(pk)).await?;
        match found {
            Some(fields) if fields.number::<i64>("hour")? >= hour => fields.number("attempts"),
            _ => Ok(0),
        }
    }

    /// Adds one and gives the count before it.
    async fn add(&self, pk: &str, hour: i64, now: Timestamp) -> Result<u32, StoreError> {
        for _ in 0..TRIES {
            if let Some(before) = self.add_to_hour(pk, hour).await? {
                return Ok(before);
            }
            if self.begin_hour(pk, hour, now).await? {
                return Ok(0);
            }
        }
        Err(StoreError::Unavailable {
            operation: COUNTING,
            detail: "others begin the hour and end it at once".into(),
        })
    }

    /// The count before, where the item counts that hour, or a later one by a clock that is ahead.
    async fn add_to_hour(&self, pk: &str, hour: i64) -> Result<Option<u32>, StoreError> {
        let sent = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::key(pk)))
            .update_expression("SET attempts = attempts + :one")
            .condition_expression("#hour >= :hour AND #schema <= :schema")
            .expression_attribute_names("#hour", "hour")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", item::number(item::SCHEMA))
            .expression_attribute_values(":hour", item::number(hour))
            .expression_attribute_values(":one", item::number(1))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let Some(answer) = where_it_held(sent).map_err(counting_failed)? else {
            return Ok(None);
        };
        let after: u32 = Fields::of(COUNTING, answer.attributes.unwrap_or_default())?.number("attempts")?;
        Ok(Some(after.saturating_sub(1)))
    }

    /// Counts the first attempt of an hour. False where that was not the first.
    async fn begin_hour(&self, pk: &str, hour: i64, now: Timestamp) -> Result<bool, StoreError> {
        let sent = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::key(pk)))
            .update_expression("SET #schema = :schema, #hour = :hour, attempts = :one, #ttl = :ttl")
            .condition_expression("attribute_not_exists(pk) OR #hour < :hour AND #schema <= :schema")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#hour", "hour")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":schema", item::number(item::SCHEMA))
            .expression_attribute_values(":hour", item::number(hour))
            .expression_attribute_values(":ttl", item::seconds(later(now, KEPT)))
            .expression_attribute_values(":one", item::number(1))
            .send()
            .await;
        where_it_held(sent)
            .map(|held| held.is_some())
            .map_err(counting_failed)
    }
}

/// The deletion of what is counted for a customer, which lies under the customer's own key.
pub(super) fn deletion(
    table: &str,
    operation: &'static str,
    customer: &CustomerKey,
) -> Result<TransactWriteItem, StoreError> {
    let delete = Delete::builder()
        .table_name(table)
        .set_key(Some(item::key(&customer.0)))
        .build();
    Ok(built(operation, delete)?.into_write())
}

fn hour_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(HOUR)
}

fn counting_failed(detail: LogText) -> StoreError {
    StoreError::Unavailable {
        operation: COUNTING,
        detail,
    }
}

#[async_trait]
impl Limits for DynamoLimits {
    async fn attempts(&self, counted: Counted<'_>, now: Timestamp) -> Result<Attempts, StoreError> {
        let (customer, client) = self.keys("reading a limit", counted).await?;
        let hour = hour_of(now);
        let (customer, client) = tokio::try_join!(self.read(&customer, hour), self.read(&client, hour))?;
        Ok(Attempts { customer, client })
    }

    async fn count(&self, counted: Counted<'_>, now: Timestamp) -> Result<Attempts, StoreError> {
        let (customer, client) = self.keys(COUNTING, counted).await?;
        let hour = hour_of(now);
        let (customer, client) =
            tokio::try_join!(self.add(&customer, hour, now), self.add(&client, hour, now))?;
        Ok(Attempts { customer, client })
    }
}
