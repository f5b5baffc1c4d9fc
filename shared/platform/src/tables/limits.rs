//! The port `Limits` over `DynamoDB`: a sliding window of minutes.
//!
//! One item counts attempts by minute, so the attempts of *any* sixty minutes are known, not those of an hour by the clock. An
//! attempt counts for at least sixty minutes and for less than sixty-one.
//!
//! A call whose answer is lost is repeated by the SDK. The item therefore names the attempts of its latest two minutes, and an
//! attempt that it names is not counted again.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, ReturnValue, TransactWriteItem};
use enrollment::identifiers::IntentId;
use enrollment::ports::{Attempts, Counted, CustomerKey, Limits, StoreError};
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use super::customers;
use super::item::{self, Fields};
use super::transaction::{IntoWrite as _, built};
use crate::aws::where_it_held;
use crate::vault::Vault;

const COUNTING: &str = "counting an attempt";
/// Seconds.
const MINUTE: i64 = 60;
/// An attempt counts in its own minute and in so many after it.
const WINDOW: i64 = 60;
/// Counters that nobody adds to any more are deleted after this.
const KEPT: SignedDuration = SignedDuration::from_hours(2);
/// How often an attempt is counted anew because another one changed the counter's minute.
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
}

/// A counter as it is stored.
struct Counter {
    /// The latest minute since 1970 in which an attempt was counted.
    minute: i64,
    /// Attempts by minute.
    minutes: BTreeMap<i64, u32>,
    /// Names of the attempts of the latest two minutes.
    seen: Vec<String>,
}

impl Counter {
    fn of(fields: &Fields) -> Result<Self, StoreError> {
        let mut minutes = BTreeMap::new();
        for (minute, attempts) in fields.numbers("minutes")? {
            let minute = fields.check("minutes", minute.parse::<i64>())?;
            minutes.insert(minute, attempts);
        }
        let mut seen = fields.text_set("seen")?;
        seen.extend(fields.text_set("seen_before")?);
        Ok(Self {
            minute: fields.number("minute")?,
            minutes,
            seen,
        })
    }

    /// The attempts that count at `minute`. Later ones were counted by a clock that is ahead.
    fn total(&self, minute: i64) -> u32 {
        let counting = self.minutes.range(minute - WINDOW..);
        counting.fold(0, |sum, (_, attempts)| sum.saturating_add(*attempts))
    }

    /// The minutes that never count again.
    fn passed(&self, minute: i64) -> impl Iterator<Item = i64> {
        let passed = self.minutes.range(..minute - WINDOW);
        passed.map(|(minute, _)| *minute).take(MOST_TAKEN_AWAY)
    }
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
        Ok((
            primary_key(&customer),
            primary_key(&format!("client#{client}#{program}")),
        ))
    }

    async fn read(&self, operation: &'static str, pk: &str) -> Result<Option<Counter>, StoreError> {
        let found = item::read(&self.dynamodb, &self.table, operation, item::key(pk)).await?;
        found.map(|fields| Counter::of(&fields)).transpose()
    }

    async fn total(&self, pk: &str, minute: i64) -> Result<u32, StoreError> {
        let counter = self.read("reading a limit", pk).await?;
        Ok(counter.map_or(0, |counter| counter.total(minute)))
    }

    /// Adds an attempt that was not added yet, and gives the count without it.
    async fn add(&self, pk: &str, attempt: &str, now: Timestamp) -> Result<u32, StoreError> {
        let minute = minute_of(now);
        for _ in 0..TRIES {
            if let Some(after) = self.add_to_minute(pk, attempt, minute).await? {
                return Ok(after.total(minute).saturating_sub(1));
            }
            // There is no counter, it is of an earlier minute, or the attempt was added by a call whose answer was lost.
            let added = match self.read(COUNTING, pk).await? {
                None => self.begin(pk, attempt, minute, now).await?,
                Some(counter) if counter.seen.iter().any(|seen| seen == attempt) => Some(counter),
                Some(counter) if counter.minute < minute => {
                    self.turn(pk, attempt, (&counter, minute), now).await?
                }
                Some(_) => None,
            };
            if let Some(after) = added {
                return Ok(after.total(minute).saturating_sub(1));
            }
        }
        Err(StoreError::Unavailable {
            operation: COUNTING,
            detail: "others change the counter all the time".into(),
        })
    }

    /// Where the counter is of this minute, or of a later one by a clock that is ahead.
    async fn add_to_minute(
        &self,
        pk: &str,
        attempt: &str,
        minute: i64,
    ) -> Result<Option<Counter>, StoreError> {
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
        counted(update).await
    }

    /// The first attempt of all.
    async fn begin(
        &self,
        pk: &str,
        attempt: &str,
        minute: i64,
        now: Timestamp,
    ) -> Result<Option<Counter>, StoreError> {
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
            .expression_attribute_values(":ttl", item::seconds(later(now, KEPT)))
            .return_values(ReturnValue::AllNew);
        counted(update).await
    }

    /// The first attempt of a new minute: forgets what counts no more.
    async fn turn(
        &self,
        pk: &str,
        attempt: &str,
        (counter, minute): (&Counter, i64),
        now: Timestamp,
    ) -> Result<Option<Counter>, StoreError> {
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
        for (place, passed) in counter.passed(minute).enumerate() {
            update = update.expression_attribute_names(format!("#p{place}"), passed.to_string());
            gone.push(format!("minutes.#p{place}"));
        }
        if !gone.is_empty() {
            expression.push_str(" REMOVE ");
            expression.push_str(&gone.join(", "));
        }
        counted(update.update_expression(expression)).await
    }

    /// What the updates of a counter that is there have in common.
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
            .return_values(ReturnValue::AllNew)
    }
}

/// Sends an update; gives the counter after it, and `None` where its condition did not hold.
async fn counted(update: UpdateItemFluentBuilder) -> Result<Option<Counter>, StoreError> {
    let answer = where_it_held(update.send().await).map_err(|detail| StoreError::Unavailable {
        operation: COUNTING,
        detail,
    })?;
    answer
        .map(|answer| Counter::of(&Fields::of(COUNTING, answer.attributes.unwrap_or_default())?))
        .transpose()
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

fn minute_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(MINUTE)
}

#[async_trait]
impl Limits for DynamoLimits {
    async fn attempts(&self, counted: Counted<'_>, now: Timestamp) -> Result<Attempts, StoreError> {
        let (customer, client) = self.keys("reading a limit", counted).await?;
        let minute = minute_of(now);
        let (customer, client) =
            tokio::try_join!(self.total(&customer, minute), self.total(&client, minute))?;
        Ok(Attempts { customer, client })
    }

    async fn count(
        &self,
        counted: Counted<'_>,
        attempt: IntentId,
        now: Timestamp,
    ) -> Result<Attempts, StoreError> {
        let (customer, client) = self.keys(COUNTING, counted).await?;
        let mut attempt = attempt.to_hex();
        attempt.truncate(NAME_LENGTH);
        let (customer, client) = tokio::try_join!(
            self.add(&customer, &attempt, now),
            self.add(&client, &attempt, now)
        )?;
        Ok(Attempts { customer, client })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(minutes: &[(i64, u32)]) -> Counter {
        Counter {
            minute: 0,
            minutes: minutes.iter().copied().collect(),
            seen: Vec::new(),
        }
    }

    #[test]
    fn an_attempt_counts_for_sixty_minutes_and_less_than_sixty_one() {
        let attempted: Timestamp = "2026-11-30T10:00:59Z".parse().unwrap();
        let counter = counter(&[(minute_of(attempted), 1)]);
        let counts = |at: &str| counter.total(minute_of(at.parse().unwrap()));
        for at in [
            "2026-11-30T10:00:59Z",
            "2026-11-30T10:59:59Z",
            "2026-11-30T11:00:59Z",
        ] {
            assert_eq!(counts(at), 1, "{at}");
        }
        assert_eq!(counts("2026-11-30T11:01:00Z"), 0);
        assert_eq!(counts("2026-11-30T09:59:00Z"), 1, "by a clock that is behind");
    }

    #[test]
    fn what_counts_no_more_is_taken_away_and_nothing_else() {
        let counter = counter(&[(0, 3), (39, 1), (40, 2), (100, 4)]);
        assert_eq!(counter.total(100), 6);
        assert_eq!(counter.passed(100).collect::<Vec<_>>(), [0, 39]);
    }
}
