//! Cases of `harness` over the product's adapters and a real engine.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use enrollment::client::Client;
use enrollment::identifiers::ClientId;
use harness::{Backend, Inspection, Stores, TestClock};
use platform::SystemRandomness;
use platform::tables::client_setups::{ClientSetups, SetupWrite};
use platform::vault::{Location, Purpose, Vault};
use serde_json::Value;

use crate::endpoints::engines;
use crate::world::World;
use crate::wrapper::LocalWrapper;

/// Tables of their own for each [`Stores`], in one engine.
pub struct EngineBackend {
    endpoint: String,
    worlds: Mutex<Vec<World>>,
}

/// Runs a case over every engine. The tables of a case that fails stay.
pub async fn case_on_every_engine(case: impl AsyncFn(&dyn Backend)) {
    for (_, endpoint) in engines() {
        case_at(&endpoint, &case).await;
    }
}

/// As [`case_on_every_engine`], on AWS's own engine alone.
pub async fn case_on_engine_of_aws(case: impl AsyncFn(&dyn Backend)) {
    let of_aws = engines().into_iter().find(|(name, _)| name == "dynamodb-local");
    let (_, endpoint) = of_aws.expect("TEST_DYNAMODB_ENDPOINTS names dynamodb-local");
    case_at(&endpoint, &case).await;
}

async fn case_at(endpoint: &str, case: &impl AsyncFn(&dyn Backend)) {
    let backend = EngineBackend {
        endpoint: endpoint.to_owned(),
        worlds: Mutex::default(),
    };
    case(&backend).await;
    let worlds = backend
        .worlds
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    for world in worlds {
        world.drop_tables().await;
    }
}

#[async_trait]
impl Backend for EngineBackend {
    async fn stores(&self, client: &Client, clock: &Arc<TestClock>) -> Stores {
        let world = World::new(&self.endpoint, Arc::new(LocalWrapper)).await;
        let world = world.at(Arc::clone(clock));
        let set_ups = ClientSetups {
            dynamodb: world.dynamodb.clone(),
            table: world.tables.clients.clone(),
            randomness: &SystemRandomness,
            clock: &**clock,
        };
        assert_eq!(set_ups.store(client, None).await.unwrap(), SetupWrite::Stored);
        let (vault, clients) = (world.vault(), Arc::new(world.clients()));
        let enrollments = Arc::new(world.enrollments(&vault));
        let stores = Stores {
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
                world: world.at(Arc::clone(clock)),
                vault,
                client: client.id.clone(),
            }),
            clients,
        };
        let mut worlds = self.worlds.lock().unwrap_or_else(PoisonError::into_inner);
        worlds.push(world);
        stores
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
