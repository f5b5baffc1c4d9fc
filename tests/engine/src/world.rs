//! One engine, tables of a test's own in it, and the adapters over them.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, WriteRequest};
use enrollment::clock::Clock;
use harness::TestClock;
use platform::aws::Aws;
use platform::metrics::Metrics;
use platform::settings::IssuerRate;
use platform::tables::confirmations::admin::ConfirmationAdmin;
use platform::tables::{
    DynamoBatches, DynamoClients, DynamoConfirmations, DynamoDigitalCards, DynamoEnrollments, DynamoLimits,
    DynamoPacing, DynamoSessions, DynamoSubmissionRecords, TableNames,
};
use platform::vault::{KeyWrapper, Vault};
use platform::{Adapters, SystemRandomness};

use crate::busy;
use crate::counting::{self, Calls};
use crate::dying;
use crate::endpoints::{aws_at, engines, local_kms};
use crate::losing::{self, LostAnswers};
use crate::rounds::{self, Rounds};
use crate::settings;
use crate::tables;

/// An item as the engine has it.
pub type Item = HashMap<String, AttributeValue>;

/// Tables and clients that a test works on.
pub struct World {
    /// The engine.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The tables in it.
    pub tables: TableNames,
    /// The time.
    pub clock: Arc<TestClock>,
    aws: Aws,
    keys: Arc<dyn KeyWrapper>,
}

/// Runs a test against every engine, with KMS of the local AWS, and drops the tables however it ends.
pub async fn on_every_engine<F>(test: impl Fn(Arc<World>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    on(engines(), test).await;
}

/// As [`on_every_engine`], for what is too much for an engine written in Python: on AWS's own.
pub async fn on_engine_of_aws<F>(test: impl Fn(Arc<World>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let of_aws = engines().into_iter().find(|(name, _)| name == "dynamodb-local");
    let of_aws = of_aws.expect("TEST_DYNAMODB_ENDPOINTS names dynamodb-local");
    on(vec![of_aws], test).await;
}

async fn on<F>(engines: Vec<(String, String)>, test: impl Fn(Arc<World>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    for (name, endpoint) in engines {
        let world = Arc::new(World::new(&endpoint, Arc::new(local_kms().await)).await);
        let ended = tokio::spawn(test(Arc::clone(&world))).await;
        world.drop_tables().await;
        if let Err(error) = ended {
            eprintln!("on {name}:");
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

impl World {
    /// New tables in the engine at `endpoint`.
    pub async fn new(endpoint: &str, keys: Arc<dyn KeyWrapper>) -> Self {
        let aws = aws_at(endpoint);
        let (dynamodb, tables) = (aws.dynamodb(), tables::random_names());
        tables::create(&dynamodb, &tables).await;
        Self {
            dynamodb,
            tables,
            clock: Arc::default(),
            aws,
            keys,
        }
    }

    /// The same tables at another time, as another process sees them.
    #[must_use]
    pub fn at(&self, clock: Arc<TestClock>) -> Self {
        Self {
            dynamodb: self.dynamodb.clone(),
            tables: self.tables.clone(),
            clock,
            aws: self.aws.clone(),
            keys: Arc::clone(&self.keys),
        }
    }

    /// The same, for a process that dies after so many calls of the engine.
    #[must_use]
    pub fn dying_after(&self, calls: usize) -> Self {
        self.over(dying::after(calls, &self.dynamodb))
    }

    /// The same, for a process that loses the first good answer to each call of an operation of the engine.
    #[must_use]
    pub fn losing_answers_of(&self, operation: &'static str) -> (Self, LostAnswers) {
        let (dynamodb, lost) = losing::answers_of(operation, &self.dynamodb);
        (self.over(dynamodb), lost)
    }

    /// The same, for a process whose calls of the engine are counted by rounds.
    #[must_use]
    pub fn counting_rounds(&self) -> (Self, Rounds) {
        let (dynamodb, rounds) = rounds::of(&self.dynamodb);
        (self.over(dynamodb), rounds)
    }

    /// The same, with the calls of the engine written down.
    #[must_use]
    pub fn counted(&self) -> (Self, Calls) {
        let (dynamodb, calls) = counting::calls_of(&self.dynamodb);
        (self.over(dynamodb), calls)
    }

    /// The same, with an engine that leaves out all keys of the first `batches` batch reads.
    #[must_use]
    pub fn busy_for(&self, batches: usize) -> Self {
        self.over(busy::for_batches(batches, &self.dynamodb))
    }

    /// The same, with its calls of the engine by another client.
    fn over(&self, dynamodb: aws_sdk_dynamodb::Client) -> Self {
        Self {
            dynamodb,
            ..self.at(Arc::clone(&self.clock))
        }
    }

    /// Deletes everything but clients and data keys.
    pub async fn empty(&self) {
        for table in [
            &self.tables.sessions,
            &self.tables.enrollments,
            &self.tables.confirmations,
            &self.tables.limits,
            &self.tables.batches,
            &self.tables.digital_cards,
        ] {
            let items = self.scan(table).await;
            // As many as one call takes.
            for batch in items.chunks(25) {
                let deletions = batch.iter().map(deletion).collect();
                let write = self.dynamodb.batch_write_item();
                let written = write.request_items(table, deletions).send().await.unwrap();
                assert!(written.unprocessed_items.unwrap_or_default().is_empty());
            }
        }
    }

    /// Takes the tables away.
    pub async fn drop_tables(&self) {
        tables::delete(&self.dynamodb, &self.tables).await;
    }

    /// A vault with an empty key cache, as another process would have.
    pub fn vault(&self) -> Arc<Vault> {
        self.vault_over(Arc::clone(&self.keys))
    }

    /// As [`Self::vault`], with keys that `wrapper` unwraps.
    pub fn vault_over(&self, wrapper: Arc<dyn KeyWrapper>) -> Arc<Vault> {
        self.adapters().vault_over(wrapper)
    }

    /// Over the table `sessions`.
    pub fn sessions(&self, vault: &Arc<Vault>) -> DynamoSessions {
        self.adapters_with(vault).sessions()
    }

    /// Over the tables of intents, cards and customers.
    pub fn enrollments(&self, vault: &Arc<Vault>) -> DynamoEnrollments {
        self.adapters_with(vault).enrollments()
    }

    /// Over the table `confirmations`.
    pub fn confirmations(&self, vault: &Arc<Vault>) -> DynamoConfirmations {
        self.adapters_with(vault).confirmations()
    }

    /// Over the table `confirmations`, for an operator.
    pub fn admin(&self, vault: &Arc<Vault>) -> ConfirmationAdmin {
        self.adapters_with(vault).confirmation_admin()
    }

    /// Over the table `limits`.
    pub fn limits(&self, vault: &Arc<Vault>) -> DynamoLimits {
        self.adapters_with(vault).limits()
    }

    /// Over the table `batches`.
    pub fn batches(&self, vault: &Arc<Vault>) -> DynamoBatches {
        self.adapters_with(vault).batches()
    }

    /// Over the table `digital_cards`.
    pub fn digital_cards(&self, vault: &Arc<Vault>) -> DynamoDigitalCards {
        self.adapters_with(vault).digital_cards()
    }

    /// Bucket of so many calls a second, in the table `limits`.
    pub fn pacing(&self, rate: IssuerRate) -> DynamoPacing {
        let randomness = Arc::new(SystemRandomness);
        DynamoPacing::new(self.dynamodb.clone(), &self.tables.limits, randomness, rate)
    }

    /// Over the tables that a submission reads in batches.
    pub fn submission_records(
        &self,
        vault: &Arc<Vault>,
        clients: &Arc<DynamoClients>,
    ) -> DynamoSubmissionRecords {
        self.adapters_with(vault).submission_records(clients)
    }

    /// Over the table `clients`, with an empty cache.
    pub fn clients(&self) -> DynamoClients {
        self.adapters().clients()
    }

    fn adapters_with(&self, vault: &Arc<Vault>) -> Adapters {
        self.adapters().with_vault(Arc::clone(vault))
    }

    /// The adapters that functions and the operator's tool have, over this engine and these tables.
    fn adapters(&self) -> Adapters {
        Adapters::new(
            self.aws.clone(),
            settings::of(&self.tables),
            Metrics::disabled(self.clock()),
            self.clock(),
            Arc::new(SystemRandomness),
        )
        .with_dynamodb(self.dynamodb.clone())
    }

    /// The clock as a port.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as _
    }

    /// All items of a table that has but a few.
    pub async fn scan(&self, table: &str) -> Vec<Item> {
        let answer = self.dynamodb.scan().table_name(table).send().await.unwrap();
        assert!(answer.last_evaluated_key.is_none(), "{table} has more than a few");
        answer.items.unwrap_or_default()
    }

    /// The one item whose partition key starts so.
    pub async fn item(&self, table: &str, start: &str) -> Item {
        let items = self.scan(table).await;
        let mut found = items
            .into_iter()
            .filter(|item| item["pk"].as_s().unwrap().starts_with(start));
        let item = found
            .next()
            .unwrap_or_else(|| panic!("no item {start}… in {table}"));
        assert!(found.next().is_none(), "more than one item {start}… in {table}");
        item
    }

    /// Writes an item as it is.
    pub async fn put(&self, table: &str, item: Item) {
        self.dynamodb
            .put_item()
            .table_name(table)
            .set_item(Some(item))
            .send()
            .await
            .unwrap();
    }

    /// Deletes an item, past the product.
    pub async fn delete(&self, table: &str, item: &Item) {
        self.dynamodb
            .delete_item()
            .table_name(table)
            .set_key(Some(key_of(item)))
            .send()
            .await
            .unwrap();
    }
}

fn deletion(item: &Item) -> WriteRequest {
    let delete = DeleteRequest::builder()
        .set_key(Some(key_of(item)))
        .build()
        .unwrap();
    WriteRequest::builder().delete_request(delete).build()
}

fn key_of(item: &Item) -> Item {
    item.iter()
        .filter(|(name, _)| ["pk", "sk"].contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
