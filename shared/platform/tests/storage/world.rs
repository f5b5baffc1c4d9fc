//! One engine, tables of its own in it, and the adapters over them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use enrollment::ports::{Clock, Randomness as _};
use jiff::{SignedDuration, Timestamp};
use platform::SystemRandomness;
use platform::aws::Aws;
use platform::tables::{DynamoClients, DynamoEnrolments, DynamoLimits, DynamoSessions, TableNames};
use platform::vault::{
    DataKey, DynamoWrappedKeys, GeneratedKey, KeyCaching, KeyName, KeyWrapper, KmsKeyWrapper, Vault,
    VaultError,
};

pub(crate) type Item = std::collections::HashMap<String, AttributeValue>;

/// What a test works on.
pub(crate) struct World {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) tables: TableNames,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) kms: Arc<CountingWrapper>,
}

/// Runs a test against every engine, and drops the tables however it ends.
pub(crate) async fn on_every_engine<F>(test: impl Fn(Arc<World>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    for (name, endpoint) in engines() {
        let world = Arc::new(World::new(&endpoint).await);
        let ended = tokio::spawn(test(Arc::clone(&world))).await;
        world.drop_tables().await;
        if let Err(error) = ended {
            eprintln!("on {name}:");
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

fn engines() -> Vec<(String, String)> {
    let named = std::env::var("TEST_DYNAMODB_ENDPOINTS").unwrap_or_default();
    let engines: Vec<_> = named
        .split(',')
        .filter_map(|engine| engine.split_once('='))
        .map(|(name, endpoint)| (name.to_owned(), endpoint.to_owned()))
        .collect();
    assert!(
        !engines.is_empty(),
        "TEST_DYNAMODB_ENDPOINTS names no engine (name=http://…,name=http://…); 'cargo xtask test --only storage' sets it"
    );
    engines
}

/// The SDK clients of one endpoint.
pub(crate) fn aws_at(endpoint: &str) -> Aws {
    let variable = |name: &str| {
        Some(match name {
            "AWS_ENDPOINT_URL" => endpoint.to_owned(),
            "AWS_REGION" => "eu-central-1".to_owned(),
            _ => "test".to_owned(),
        })
    };
    Aws::from_variables(variable).unwrap()
}

/// The SDK clients of the local AWS.
pub(crate) fn local_aws() -> Aws {
    let endpoint = std::env::var("TEST_AWS_ENDPOINT").expect(
        "TEST_AWS_ENDPOINT is not set (where KMS and Secrets Manager answer); 'cargo xtask test --only storage' sets it",
    );
    aws_at(&endpoint)
}

/// A name that no other test has.
pub(crate) fn random_name(start: &str) -> String {
    let mut bytes = [0; 8];
    SystemRandomness.fill(&mut bytes);
    bytes
        .iter()
        .fold(format!("{start}-"), |name, byte| name + &format!("{byte:02x}"))
}

impl World {
    async fn new(endpoint: &str) -> Self {
        let name = |table: &str| random_name(&format!("test-{table}"));
        let tables = TableNames {
            clients: name("clients"),
            sessions: name("sessions"),
            enrolments: name("enrolments"),
            confirmations: name("confirmations"),
            limits: name("limits"),
            keys: name("keys"),
        };
        let dynamodb = aws_at(endpoint).dynamodb();
        for table in all(&tables) {
            create_table(&dynamodb, table, table == &tables.enrolments).await;
        }
        let kms = local_aws().kms();
        let key = kms
            .create_key()
            .send()
            .await
            .unwrap()
            .key_metadata
            .unwrap()
            .key_id;
        let kms = Arc::new(CountingWrapper {
            kms: KmsKeyWrapper::new(kms, key),
            calls: AtomicUsize::new(0),
        });
        Self {
            dynamodb,
            tables,
            clock: Arc::default(),
            kms,
        }
    }

    async fn drop_tables(&self) {
        for table in all(&self.tables) {
            self.dynamodb
                .delete_table()
                .table_name(table)
                .send()
                .await
                .unwrap();
        }
    }

    /// A vault with a memory of its own, as another process would have.
    pub(crate) fn vault(&self) -> Arc<Vault> {
        let stored = DynamoWrappedKeys::new(self.dynamodb.clone(), &self.tables.keys, self.clock());
        let kms = Arc::clone(&self.kms) as Arc<dyn KeyWrapper>;
        Arc::new(Vault::new(
            kms,
            Arc::new(stored),
            self.clock(),
            Arc::new(SystemRandomness),
            KeyCaching::default(),
        ))
    }

    pub(crate) fn sessions(&self, vault: &Arc<Vault>) -> DynamoSessions {
        let (dynamodb, vault) = (self.dynamodb.clone(), Arc::clone(vault));
        DynamoSessions::new(
            dynamodb,
            &self.tables.sessions,
            vault,
            self.clock(),
            Arc::new(SystemRandomness),
        )
    }

    pub(crate) fn enrolments(&self, vault: &Arc<Vault>) -> DynamoEnrolments {
        let (dynamodb, vault) = (self.dynamodb.clone(), Arc::clone(vault));
        DynamoEnrolments::new(
            dynamodb,
            self.tables.clone(),
            vault,
            self.clock(),
            Arc::new(SystemRandomness),
        )
    }

    pub(crate) fn limits(&self, vault: &Arc<Vault>) -> DynamoLimits {
        DynamoLimits::new(self.dynamodb.clone(), &self.tables.limits, Arc::clone(vault))
    }

    pub(crate) fn clients(&self) -> DynamoClients {
        DynamoClients::new(self.dynamodb.clone(), &self.tables.clients, &self.clock())
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as _
    }

    pub(crate) async fn scan(&self, table: &str) -> Vec<Item> {
        self.dynamodb
            .scan()
            .table_name(table)
            .send()
            .await
            .unwrap()
            .items
            .unwrap_or_default()
    }

    /// The one item whose partition key starts so.
    pub(crate) async fn item(&self, table: &str, start: &str) -> Item {
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

    pub(crate) async fn put(&self, table: &str, item: Item) {
        self.dynamodb
            .put_item()
            .table_name(table)
            .set_item(Some(item))
            .send()
            .await
            .unwrap();
    }
}

fn all(tables: &TableNames) -> [&String; 6] {
    [
        &tables.clients,
        &tables.sessions,
        &tables.enrolments,
        &tables.confirmations,
        &tables.limits,
        &tables.keys,
    ]
}

async fn create_table(dynamodb: &aws_sdk_dynamodb::Client, table: &str, with_sort_key: bool) {
    let mut creation = dynamodb
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)]
        .into_iter()
        .take(1 + usize::from(with_sort_key))
    {
        let definition = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S);
        creation = creation
            .attribute_definitions(definition.build().unwrap())
            .key_schema(
                KeySchemaElement::builder()
                    .attribute_name(name)
                    .key_type(kind)
                    .build()
                    .unwrap(),
            );
    }
    creation.send().await.unwrap();
}

/// KMS of the local AWS, with its calls counted.
pub(crate) struct CountingWrapper {
    kms: KmsKeyWrapper,
    calls: AtomicUsize,
}

impl CountingWrapper {
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl KeyWrapper for CountingWrapper {
    async fn generate(&self, name: &KeyName) -> Result<GeneratedKey, VaultError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.kms.generate(name).await
    }

    async fn unwrap(&self, name: &KeyName, wrapped: &[u8]) -> Result<DataKey, VaultError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.kms.unwrap(name, wrapped).await
    }
}

/// A clock that tests set. It starts now, since an engine may really delete what is past its `ttl`.
pub(crate) struct TestClock(Mutex<Timestamp>);

impl Default for TestClock {
    fn default() -> Self {
        // Whole milliseconds, as the tables keep them.
        Self(Mutex::new(
            Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap(),
        ))
    }
}

impl TestClock {
    pub(crate) fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now = now.saturating_add(by).unwrap();
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}
