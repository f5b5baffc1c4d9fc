//! Cases of `harness` over the product's adapters and a real engine.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use async_trait::async_trait;
use enrollment::client::Client;
use enrollment::identifiers::ClientId;
use harness::{Backend, BatchBackend, BatchStores, Inspection, Stores, TestClock};
use platform::SystemRandomness;
use platform::settings::IssuerRate;
use platform::tables::client_setups::{ClientSetups, SetupWrite};
use platform::vault::{Location, Purpose, Vault};
use serde_json::Value;

use crate::bucket;
use crate::endpoints::{engines, local_kms};
use crate::world::World;

/// Tables of their own for each [`Stores`], in one engine, with a key of the local AWS's KMS.
pub struct EngineBackend {
    endpoint: String,
    worlds: Mutex<Vec<World>>,
    buckets: Mutex<Vec<String>>,
}

/// Runs a case over every engine, with KMS of the local AWS, and drops the tables however it ends.
pub async fn case_on_every_engine(case: impl AsyncFn(&dyn Backend)) {
    for (name, endpoint) in engines() {
        case_on(&name, endpoint, &case).await;
    }
}

/// As [`case_on_every_engine`], for the ports of batches, with S3 of the local AWS.
pub async fn batch_case_on_every_engine(case: impl AsyncFn(&dyn BatchBackend)) {
    for (name, endpoint) in engines() {
        let backend = EngineBackend::at(endpoint);
        let ended = catching(case(&backend)).await;
        backend.end(&name, ended).await;
    }
}

async fn case_on(name: &str, endpoint: String, case: &impl AsyncFn(&dyn Backend)) {
    let backend = EngineBackend::at(endpoint);
    let ended = catching(case(&backend)).await;
    backend.end(name, ended).await;
}

impl EngineBackend {
    fn at(endpoint: String) -> Self {
        Self {
            endpoint,
            worlds: Mutex::default(),
            buckets: Mutex::default(),
        }
    }

    /// Takes away what the case made, and goes on with its panic.
    async fn end(self, name: &str, ended: std::thread::Result<()>) {
        let worlds = self.worlds.into_inner().unwrap_or_else(PoisonError::into_inner);
        for world in worlds {
            world.drop_tables().await;
        }
        let buckets = self.buckets.into_inner().unwrap_or_else(PoisonError::into_inner);
        for name in buckets {
            bucket::delete(&name).await;
        }
        if let Err(panic) = ended {
            eprintln!("on {name}:");
            resume_unwind(panic);
        }
    }

    /// Empty tables in which one client is set up.
    async fn world(&self, client: &Client, clock: &Arc<TestClock>) -> World {
        let created = World::new(&self.endpoint, Arc::new(local_kms().await)).await;
        let world = created.at(Arc::clone(clock));
        // Noted before anything can fail, so that the tables are dropped.
        self.worlds
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(created);
        let set_ups = ClientSetups {
            dynamodb: world.dynamodb.clone(),
            table: world.tables.clients.clone(),
            randomness: &SystemRandomness,
            clock: &**clock,
        };
        assert_eq!(set_ups.store(client, None).await.unwrap(), SetupWrite::Stored);
        world
    }
}

/// The end of a future, or its panic.
async fn catching(future: impl Future<Output = ()>) -> std::thread::Result<()> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}

#[async_trait]
impl Backend for EngineBackend {
    async fn stores(&self, client: &Client, clock: &Arc<TestClock>) -> Stores {
        let world = self.world(client, clock).await;
        let (vault, clients) = (world.vault(), Arc::new(world.clients()));
        let enrollments = Arc::new(world.enrollments(&vault));
        Stores {
            sessions: Arc::new(world.sessions(&vault)),
            records: Arc::new(world.submission_records(&vault, &clients)),
            limits: Arc::new(world.limits(&vault)),
            intents: enrollments.clone(),
            leases: enrollments.clone(),
            due_intents: enrollments.clone(),
            customers: enrollments.clone(),
            confirmations: Arc::new(world.confirmations(&vault)),
            client_index: clients.clone(),
            purges: enrollments.clone(),
            customer_records: enrollments,
            inspection: Arc::new(Tables {
                world,
                vault,
                client: client.id.clone(),
            }),
            clients,
        }
    }
}

#[async_trait]
impl BatchBackend for EngineBackend {
    async fn batch_stores(&self, client: &Client, clock: &Arc<TestClock>, rate: u32) -> BatchStores {
        let world = self.world(client, clock).await;
        let bucket = bucket::create().await;
        let contents = Arc::new(bucket::contents(&bucket));
        self.buckets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(bucket);
        let rate = rate.try_into().ok().and_then(IssuerRate::new);
        let (vault, clients) = (world.vault(), Arc::new(world.clients()));
        let batches = Arc::new(world.batches(&vault));
        BatchStores {
            batches: batches.clone(),
            batch_records: batches,
            contents,
            digital_cards: Arc::new(world.digital_cards(&vault)),
            used_tokens: Arc::new(world.sessions(&vault)),
            pacing: Arc::new(world.pacing(rate.expect("a rate from 1 to 1000"))),
            confirmations: Arc::new(world.confirmations(&vault)),
            client_index: clients.clone(),
            inspection: Arc::new(Tables {
                world,
                vault,
                client: client.id.clone(),
            }),
            clients,
        }
    }
}

/// Tables as they are.
struct Tables {
    world: World,
    vault: Arc<Vault>,
    client: ClientId,
}

#[async_trait]
impl Inspection for Tables {
    async fn confirmation_bodies(&self) -> Vec<Value> {
        let mut bodies = Vec::new();
        for item in self.world.scan(&self.world.tables.confirmations).await {
            let Some(sealed) = item.get("body").and_then(|body| body.as_b().ok()) else {
                continue;
            };
            let place = Location {
                table: "confirmations",
                pk: item["pk"].as_s().unwrap(),
                sk: "",
                attribute: "body",
            };
            let opened = self
                .vault
                .open(&self.client, Purpose::Confirmation, place, sealed.as_ref())
                .await
                .unwrap();
            bodies.push(serde_json::from_slice(&opened).unwrap());
        }
        bodies
    }
}
