//! Cases of `harness` over the product's adapters and a real engine.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use async_trait::async_trait;
use enrollment::client::Client;
use enrollment::identifiers::ClientId;
use harness::{Backend, Inspection, Stores, TestClock};
use platform::SystemRandomness;
use platform::tables::client_setups::{ClientSetups, SetupWrite};
use platform::vault::{Location, Purpose, Vault};
use serde_json::Value;

use crate::endpoints::{engines, local_kms};
use crate::world::World;

/// Tables of their own for each [`Stores`], in one engine, with a key of the local AWS's KMS.
pub struct EngineBackend {
    endpoint: String,
    worlds: Mutex<Vec<World>>,
}

/// Runs a case over every engine, with KMS of the local AWS, and drops the tables however it ends.
pub async fn case_on_every_engine(case: impl AsyncFn(&dyn Backend)) {
    for (name, endpoint) in engines() {
        case_on(&name, endpoint, &case).await;
    }
}

async fn case_on(name: &str, endpoint: String, case: &impl AsyncFn(&dyn Backend)) {
    let backend = EngineBackend {
        endpoint,
        worlds: Mutex::default(),
    };
    let ended = catching(case(&backend)).await;
    let worlds = backend
        .worlds
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    for world in worlds {
        world.drop_tables().await;
    }
    if let Err(panic) = ended {
        eprintln!("on {name}:");
        resume_unwind(panic);
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
