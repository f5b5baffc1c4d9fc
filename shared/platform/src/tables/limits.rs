//! The port `Limits` over `DynamoDB`: a sliding window of minutes in one item for each counter.
//!
//! A call whose answer is lost is repeated by the SDK. The item therefore names the attempts of its latest two minutes, and an
//! attempt that it names is not counted again.
//!
//! A counter is changed in one of three ways: it begins, an attempt is added to its minute, or a new minute begins. The
//! caller's own read of a moment ago says which; where that is not the way any more, the refused update gives the item as it
//! is, and the next one follows from that. The client's counter is shared by all its customers: plain updates queue at
//! it, where transactions would refuse each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use enrollment::identifiers::IntentId;
use enrollment::limits::{Attempts, Counter, Counters, minute_of};
use enrollment::ports::{CounterKey, CustomerKey, Limits, StoreError};
use enrollment::randomness::Randomness;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use super::batch::{Batch, Key};
use super::customers;
use super::item::{self, Fields};
use super::transaction::{IntoWrite as _, built};
use crate::aws::describe;
use crate::vault::Vault;

const COUNTING: &str = "counting an attempt";
/// Counters that nobody adds to any more are deleted after this.
const KEPT: SignedDuration = SignedDuration::from_hours(2);
/// Number of tries to count an attempt while others change the counter's minute.
const TRIES: usize = 5;
/// So many digits of an attempt's name tell it from the others of two minutes.
const NAME_LENGTH: usize = 16;
/// As many passed minutes as one update takes away; an expression has 4 KB.
const MOST_TAKEN_AWAY: usize = 100;

/// The `limits` table: one counter for each customer, and one for each client's program.
pub struct DynamoLimits {
    dynamodb: Client,
    table: String,
    vault: Arc<Vault>,
    randomness: Arc<dyn Randomness>,
}

/// Result of an update of a counter.
enum Updated {
    /// The attempt is counted; the counter after it.
    Counted(Counter),
    /// The condition did not hold; the counter as it is.
    Refused(Option<Counter>),
}

impl DynamoLimits {
    /// Over the table of that physical name.
    pub fn new(
        dynamodb: Client,
        table: impl Into<String>,
        vault: Arc<Vault>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self {
            dynamodb,
            table: table.into(),
            vault,
            randomness,
        }
    }

    /// The items of a customer's counter and of its client's, for reading them together with others.
    pub(super) async fn keys(
        &self,
        operation: &'static str,
        counted: CounterKey<'_>,
    ) -> Result<[Key<'_>; 2], StoreError> {
        let (customer, client) = self.primary_keys(operation, counted).await?;
        Ok([&customer, &client].map(|pk| (self.table.as_str(), item::key(pk))))
    }

    async fn primary_keys(
        &self,
        operation: &'static str,
        counted: CounterKey<'_>,
    ) -> Result<(String, String), StoreError> {
        let CounterKey {
            client,
            program,
            customer,
        } = counted;
        let customer = customers::primary_key(&self.vault, operation, client, program, customer).await?;
        Ok((
            primary_key(&customer),
            primary_key(&format!("client#{client}#{program}")),
        ))
    }

    /// Adds an attempt that was not added yet, and gives the count without it.
    async fn add(
        &self,
        pk: &str,
        known: Option<&Counter>,
        attempt: &str,
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let minute = minute_of(now);
        let mut known = known.cloned();
        for _ in 0..TRIES {
            let updated = match &known {
                None => self.begin(pk, attempt, minute, now).await?,
                // By a call whose answer was lost.
                Some(counter) if counter.seen.iter().any(|seen| seen == attempt) => {
                    Updated::Counted(counter.clone())
                }
                Some(counter) if counter.minute < minute => {
                    self.turn(pk, attempt, (counter, minute), now).await?
                }
                Some(_) => self.add_to_minute(pk, attempt, minute).await?,
            };
            match updated {
                Updated::Counted(after) => return Ok(after.total(minute).saturating_sub(1)),
                Updated::Refused(changed) => known = changed,
            }
        }
        Err(StoreError::unavailable(
            COUNTING,
            "others change the counter all the time",
        ))
    }

    /// Adds an attempt to a counter of this minute, or of a later one by a clock that is ahead.
    async fn add_to_minute(&self, pk: &str, attempt: &str, minute: i64) -> Result<Updated, StoreError> {
        let update = self
            .update(pk, attempt, minute)
            .update_expression("SET minutes.#m = if_not_exists(minutes.#m, :none) + :one ADD seen :attempts")
            .condition_expression(
                "#minute >= :minute AND #schema <= :schema AND NOT contains(seen, :attempt) \
                 AND NOT contains(seen_before, :attempt)",
            )
            .expression_attribute_names("#m", minute.to_string())
            .expression_attribute_values(":none", item::number(0))
            .expression_attribute_values(":attempt", item::text(attempt));
        updated(update).await
    }

    /// The first attempt of all.
    async fn begin(
        &self,
        pk: &str,
        attempt: &str,
        minute: i64,
        now: Timestamp,
    ) -> Result<Updated, StoreError> {
        let minutes = AttributeValue::M([(minute.to_string(), item::number(1))].into());
        let update = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::key(pk)))
            .update_expression(
                "SET #schema = :schema, #minute = :minute, minutes = :minutes, seen = :attempts, #ttl = :ttl",
            )
            .condition_expression("attribute_not_exists(pk)")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#minute", "minute")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":schema", item::number(item::SCHEMA))
            .expression_attribute_values(":minute", item::number(minute))
            .expression_attribute_values(":minutes", minutes)
            .expression_attribute_values(":attempts", AttributeValue::Ss(vec![attempt.to_owned()]))
            .expression_attribute_values(":ttl", item::seconds(later(now, KEPT)));
        updated(update).await
    }

    /// The first attempt of a new minute: forgets what counts no more.
    async fn turn(
        &self,
        pk: &str,
        attempt: &str,
        (counter, minute): (&Counter, i64),
        now: Timestamp,
    ) -> Result<Updated, StoreError> {
        let mut expression = "SET #minute = :minute, seen_before = seen, seen = :attempts, #ttl = :ttl, \
                              minutes.#m = if_not_exists(minutes.#m, :none) + :one"
            .to_owned();
        let mut update = self
            .update(pk, attempt, minute)
            .condition_expression(
                "#minute = :before AND #schema <= :schema AND NOT contains(seen, :attempt) \
                 AND NOT contains(seen_before, :attempt)",
            )
            .expression_attribute_names("#m", minute.to_string())
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":before", item::number(counter.minute))
            .expression_attribute_values(":none", item::number(0))
            .expression_attribute_values(":attempt", item::text(attempt))
            .expression_attribute_values(":ttl", item::seconds(later(now, KEPT)));
        let mut gone = Vec::new();
        for (place, passed) in counter.passed(minute).take(MOST_TAKEN_AWAY).enumerate() {
            update = update.expression_attribute_names(format!("#p{place}"), passed.to_string());
            gone.push(format!("minutes.#p{place}"));
        }
        if !gone.is_empty() {
            expression.push_str(" REMOVE ");
            expression.push_str(&gone.join(", "));
        }
        updated(update.update_expression(expression)).await
    }

    /// Common part of the updates of an existing counter.
    fn update(&self, pk: &str, attempt: &str, minute: i64) -> UpdateItemFluentBuilder {
        self.dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::key(pk)))
            .expression_attribute_names("#minute", "minute")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", item::number(item::SCHEMA))
            .expression_attribute_values(":minute", item::number(minute))
            .expression_attribute_values(":one", item::number(1))
            .expression_attribute_values(":attempts", AttributeValue::Ss(vec![attempt.to_owned()]))
    }
}

/// Sends an update. Whether or not its condition holds, the answer brings the counter.
async fn updated(update: UpdateItemFluentBuilder) -> Result<Updated, StoreError> {
    let sent = update
        .return_values(ReturnValue::AllNew)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await;
    match sent {
        Ok(answer) => {
            let after = Fields::of(COUNTING, answer.attributes.unwrap_or_default())?;
            counter(&after).map(Updated::Counted)
        }
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                let item = refused.item.clone();
                let before = item.map(|item| Fields::of(COUNTING, item)).transpose()?;
                let before = before.as_ref().map(counter).transpose()?;
                Ok(Updated::Refused(before))
            }
            _ => Err(StoreError::unavailable(COUNTING, describe(&error))),
        },
    }
}

/// Reads a counter.
fn counter(fields: &Fields) -> Result<Counter, StoreError> {
    let mut minutes = BTreeMap::new();
    for (minute, attempts) in fields.numbers("minutes")? {
        let minute = fields.check("minutes", minute.parse::<i64>())?;
        minutes.insert(minute, attempts);
    }
    let mut seen = fields.text_set("seen")?;
    seen.extend(fields.text_set("seen_before")?);
    Ok(Counter {
        minute: fields.number("minute")?,
        minutes,
        seen,
    })
}

/// Reads the items of [`DynamoLimits::keys`].
pub(super) fn counters(customer: Option<&Fields>, client: Option<&Fields>) -> Result<Counters, StoreError> {
    Ok(Counters {
        customer: customer.map(counter).transpose()?,
        client: client.map(counter).transpose()?,
    })
}

fn primary_key(counted: &str) -> String {
    format!("attempts#{counted}")
}

/// The deletion of what is counted for a customer, by the last release (under the customer's own key) too.
pub(super) fn deletions(
    table: &str,
    operation: &'static str,
    customer: &CustomerKey,
) -> Result<[TransactWriteItem; 2], StoreError> {
    let delete = |pk: &str| {
        let delete = Delete::builder()
            .table_name(table)
            .set_key(Some(item::key(pk)))
            .build();
        Ok::<_, StoreError>(built(operation, delete)?.into_write())
    };
    Ok([delete(&primary_key(&customer.0))?, delete(&customer.0)?])
}

#[async_trait]
impl Limits for DynamoLimits {
    async fn counters(&self, counted: CounterKey<'_>) -> Result<Counters, StoreError> {
        const OPERATION: &str = "reading the limits";
        let keys = self.keys(OPERATION, counted).await?;
        let batch = Batch {
            dynamodb: &self.dynamodb,
            randomness: &*self.randomness,
            operation: OPERATION,
        };
        let [customer, client] = batch.read(keys).await?;
        counters(customer.as_ref(), client.as_ref())
    }

    async fn count(
        &self,
        counted: CounterKey<'_>,
        known: &Counters,
        attempt: IntentId,
        now: Timestamp,
    ) -> Result<Attempts, StoreError> {
        let (customer, client) = self.primary_keys(COUNTING, counted).await?;
        let mut attempt = attempt.to_hex();
        attempt.truncate(NAME_LENGTH);
        let (customer, client) = tokio::try_join!(
            self.add(&customer, known.customer.as_ref(), &attempt, now),
            self.add(&client, known.client.as_ref(), &attempt, now)
        )?;
        Ok(Attempts { customer, client })
    }
}
