//! The port `Pacing` over `DynamoDB`: a bucket of tokens that all processes of an environment share, in one item.
//!
//! The bucket has as many tokens as the rate allows calls in a second, and a taken token returns a second later. So no second,
//! wherever it begins, has more calls than the rate, and an idle bucket is full. The item has the times at which the tokens
//! that are away were taken. It is changed by an update that is conditional on its version: of processes that read the same
//! version one takes a token, and the others look again. A token is taken before its call: a process that dies in between makes
//! the calls fewer, never more.
//!
//! Times are the callers'. A token is never taken at an earlier time than the one before it: a clock that is behind does not
//! bring a token back too early, and one that is ahead makes the others wait by as much.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use enrollment::ports::{Pacing, Permit, StoreError};
use enrollment::randomness::Randomness;
use jiff::Timestamp;

use super::item::{self, Fields};
use super::transaction::wait;
use super::update::ItemUpdate;
use crate::aws::describe;
use crate::settings::IssuerRate;

const TAKING: &str = "taking a token";
/// Item of the calls to the Issuer Enrollment API.
const ISSUER: &str = "pacing#issuer";
/// Time after which a token returns, in milliseconds.
const SECOND: i64 = 1000;
/// Tries to take a token while others change the bucket.
const TRIES: u32 = 8;

/// Bucket of tokens in the table `limits`.
pub struct DynamoPacing {
    dynamodb: Client,
    table: String,
    randomness: Arc<dyn Randomness>,
    rate: IssuerRate,
}

/// Bucket as it is stored. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Bucket {
    version: u64,
    /// Times at which the tokens that are away were taken, earliest first.
    taken: Vec<i64>,
    /// No token is given before this time.
    paused_until: i64,
}

impl Bucket {
    /// Returns the bucket after a token is taken at `now`, or the time at which there is one.
    fn take(&self, now: i64, rate: usize) -> Result<Self, i64> {
        if now < self.paused_until {
            return Err(self.paused_until);
        }
        let returned = now - SECOND;
        let away: Vec<i64> = self.taken.iter().copied().filter(|at| *at > returned).collect();
        if let Some(missing) = (away.len() + 1).checked_sub(rate).filter(|missing| *missing > 0) {
            // So many tokens have to return first.
            return Err(away.get(missing - 1).map_or(now, |at| at + SECOND));
        }
        let at = away.last().map_or(now, |last| now.max(*last));
        Ok(Self {
            version: self.version + 1,
            taken: away.into_iter().chain([at]).collect(),
            paused_until: self.paused_until,
        })
    }
}

/// Result of an update of the item.
enum Updated {
    Stored,
    /// The version was not the one that was read; the bucket as it is.
    Changed(Bucket),
}

impl DynamoPacing {
    /// Bucket in the table of that physical name.
    pub fn new(
        dynamodb: Client,
        table: impl Into<String>,
        randomness: Arc<dyn Randomness>,
        rate: IssuerRate,
    ) -> Self {
        Self {
            dynamodb,
            table: table.into(),
            randomness,
            rate,
        }
    }

    async fn bucket(&self) -> Result<Bucket, StoreError> {
        let found = item::read(&self.dynamodb, &self.table, TAKING, item::key(ISSUER)).await?;
        found.as_ref().map_or(Ok(Bucket::default()), read)
    }

    /// Stores a bucket over the version before it.
    async fn store(&self, bucket: &Bucket) -> Result<Updated, StoreError> {
        let condition = match bucket.version {
            1 => "attribute_not_exists(#version)",
            _ => "#version = :before",
        };
        let taken = bucket.taken.iter().map(|at| item::number(*at)).collect();
        let mut update = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::key(ISSUER)))
            .update_expression("SET taken = :taken, #version = :version, #schema = :schema")
            // A pause does not count as a version, so that it waits for nobody.
            .condition_expression(format!(
                "{condition} AND (attribute_not_exists(paused_until) OR paused_until <= :paused)"
            ))
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":taken", AttributeValue::L(taken))
            .expression_attribute_values(":version", item::number(bucket.version))
            .expression_attribute_values(":schema", item::number(item::SCHEMA))
            .expression_attribute_values(":paused", item::number(bucket.paused_until));
        if bucket.version > 1 {
            update = update.expression_attribute_values(":before", item::number(bucket.version - 1));
        }
        let sent = update
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = sent else {
            return Ok(Updated::Stored);
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                let found = refused
                    .item
                    .clone()
                    .map(|item| Fields::of(TAKING, item))
                    .transpose()?;
                found
                    .as_ref()
                    .map_or(Ok(Bucket::default()), read)
                    .map(Updated::Changed)
            }
            _ => Err(StoreError::unavailable(TAKING, describe(&error))),
        }
    }
}

fn read(fields: &Fields) -> Result<Bucket, StoreError> {
    Ok(Bucket {
        version: fields.optional_number("version")?.unwrap_or_default(),
        taken: fields.number_list("taken")?,
        paused_until: fields.optional_number("paused_until")?.unwrap_or_default(),
    })
}

#[async_trait]
impl Pacing for DynamoPacing {
    async fn take(&self, now: Timestamp) -> Result<Permit, StoreError> {
        let now = now.as_millisecond();
        let mut bucket = self.bucket().await?;
        for attempt in 1..=TRIES {
            let taken = match bucket.take(now, usize::from(self.rate.per_second())) {
                Ok(taken) => taken,
                Err(next) => return Ok(Permit::NotBefore(time(next)?)),
            };
            match self.store(&taken).await? {
                Updated::Stored => return Ok(Permit::Granted),
                Updated::Changed(changed) => bucket = changed,
            }
            tokio::time::sleep(wait(attempt, &*self.randomness)).await;
        }
        // Others take all tokens at this moment.
        Ok(Permit::NotBefore(time(now + SECOND)?))
    }

    async fn pause(&self, until: Timestamp) -> Result<(), StoreError> {
        ItemUpdate::new(&self.table, item::key(ISSUER))
            .set("paused_until = :until, #schema = :schema")
            .when("(attribute_not_exists(paused_until) OR paused_until < :until)")
            .value(":until", item::millis(until))
            .send(&self.dynamodb, "pausing calls", ReturnValue::None)
            .await
            .map(drop)
    }
}

fn time(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| StoreError::unreadable(TAKING, "the bucket has no time"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn full_bucket_is_emptied_and_refills_by_the_second() {
        let mut bucket = Bucket::default();
        for at in [0, 10, 10] {
            bucket = bucket.take(at, 3).unwrap();
        }
        assert_eq!(bucket.taken, [0, 10, 10]);
        assert_eq!(bucket.take(20, 3), Err(1000));
        assert_eq!(bucket.take(999, 3), Err(1000));
        let bucket = bucket.take(1000, 3).unwrap();
        assert_eq!(bucket.taken, [10, 10, 1000]);
        assert_eq!(bucket.take(1000, 3), Err(1010));
    }

    #[test]
    fn pause_holds_back_every_token() {
        let bucket = Bucket {
            paused_until: 5000,
            ..Bucket::default()
        };
        assert_eq!(bucket.take(4999, 1), Err(5000));
        assert!(bucket.take(5000, 1).is_ok());
    }

    #[test]
    fn lowered_rate_counts_what_is_away() {
        let bucket = Bucket {
            taken: vec![0, 100, 200, 300],
            ..Bucket::default()
        };
        assert_eq!(bucket.take(400, 2), Err(1200), "three of the four have to return");
    }

    proptest! {
        #[test]
        fn no_second_has_more_than_the_rate(rate in 1_usize..8, steps in prop::collection::vec(-400_i64..900, 1..80)) {
            let (mut bucket, mut clock, mut stamps) = (Bucket::default(), 10_000_i64, Vec::new());
            for step in steps {
                // Steps back are other processes' clocks.
                clock += step;
                if let Ok(taken) = bucket.take(clock, rate) {
                    stamps.push(*taken.taken.last().unwrap());
                    bucket = taken;
                }
            }
            for (place, first) in stamps.iter().enumerate() {
                let within = stamps[place..].iter().filter(|at| **at - *first < SECOND).count();
                prop_assert!(within <= rate, "{stamps:?}");
            }
            prop_assert!(stamps.is_sorted());
        }
    }
}
