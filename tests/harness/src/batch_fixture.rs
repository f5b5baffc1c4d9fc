//! An issuer, the stores of its batches, and a Mastercard that the test scripts.

use std::sync::Arc;

use enrollment::batch::{
    Batch, BatchId, BatchStage, BodyHash, EncryptedEnrollmentData, ExternalBatchId, ExternalCardId,
    ExternalConsumerId, Manifest, Profile,
};
use enrollment::client::{Client, Issuer, Tokenization};
use enrollment::clock::Clock as _;
use enrollment::digital_card::{DigitalCard, DigitalCardKey};
use enrollment::flows::batch::accept::AcceptBatch;
use enrollment::flows::batch::poll::{PollBatch, PollReport};
use enrollment::flows::batch::purge::{BatchPurgeReport, PurgeBatches};
use enrollment::flows::batch::read::ReadBatch;
use enrollment::flows::batch::submit::{SubmitBatch, SubmitReport};
use enrollment::flows::batch::sweep::{BatchSweepReport, SweepBatches};
use enrollment::flows::call::Authentication;
use enrollment::flows::digital_cards::delete::DeleteDigitalCards;
use enrollment::flows::digital_cards::erase::{DeletedIds, EraseConsumer};
use enrollment::flows::digital_cards::read::ReadDigitalCard;
use enrollment::flows::digital_cards::settle::{DeletionReport, SettleDeletion};
use enrollment::identifiers::{ClientId, IncidentId};
use enrollment::ports::Acceptance;
use enrollment::token::TokenRules;
use jiff::SignedDuration;
use serde_json::Value;

use crate::batch_stores::{BatchBackend, BatchStores};
use crate::clock::TestClock;
use crate::fixtures;
use crate::model::Model;
use crate::scripted_issuer_enrollment::ScriptedIssuerEnrollment;
use crate::seeded::Seeded;
use crate::wakeups::RecordedWakeups;

/// Public base address of the fixture.
pub const BASE: &str = "https://cards.example/base";

/// Everything that the flows of one issuer need.
pub struct BatchFixture {
    /// The time.
    pub clock: Arc<TestClock>,
    /// Mastercard.
    pub mastercard: ScriptedIssuerEnrollment,
    /// Wake-ups that were sent.
    pub wakeups: RecordedWakeups,
    /// The stores.
    pub stores: BatchStores,
    /// Seeds incidents and jitter.
    pub randomness: Seeded,
    /// The client.
    pub client: ClientId,
    /// Its settings.
    pub issuer: Issuer,
    /// Names of Mastercard's keys.
    pub key_ids: Vec<String>,
}

/// Settings of an issuer with immediate tokenization: polled every five minutes, for three days.
pub fn issuer() -> Issuer {
    Issuer {
        src_client_id: "bank-src".into(),
        service_id: "SRC".into(),
        tokenization: Tokenization::Immediate,
        poll_interval_seconds: 300,
        max_age_hours: 72,
        retention_days: 30,
    }
}

impl BatchFixture {
    /// With the settings of [`issuer`] and a rate of 1000 calls a second.
    pub async fn new(backend: &dyn BatchBackend) -> Self {
        Self::with(backend, 1000, |_| {}).await
    }

    /// With another rate, and the client as a test changes it.
    pub async fn with(backend: &dyn BatchBackend, rate: u32, change: impl FnOnce(&mut Client)) -> Self {
        let clock = Arc::new(TestClock::at(fixtures::start()));
        let client = Self::client(change);
        let stores = backend.batch_stores(&client, &clock, rate).await;
        Self::over(stores, &client, clock)
    }

    /// Over a model that the test can read.
    pub fn on_model(change: impl FnOnce(&mut Client)) -> (Self, Arc<Model>) {
        let clock = Arc::new(TestClock::at(fixtures::start()));
        let client = Self::client(change);
        let model = Arc::new(Model::new(clock.clone()));
        model.set_up(client.clone());
        let stores = BatchStores::of_model(model.clone());
        (Self::over(stores, &client, clock), model)
    }

    fn client(change: impl FnOnce(&mut Client)) -> Client {
        let mut client = fixtures::settlement_client();
        client.issuer = Some(issuer());
        change(&mut client);
        client
    }

    fn over(stores: BatchStores, client: &Client, clock: Arc<TestClock>) -> Self {
        Self {
            mastercard: ScriptedIssuerEnrollment::new(clock.clone()),
            wakeups: RecordedWakeups::default(),
            stores,
            randomness: Seeded::new(1),
            client: client.id.clone(),
            issuer: client.issuer.clone().unwrap_or_else(issuer),
            key_ids: vec!["test-key".into()],
            clock,
        }
    }

    /// A batch as an acceptance at this moment makes it. `profiles` names each consumer with its cards.
    pub fn batch(&self, external_id: &str, profiles: &[(&str, &[&str])]) -> Batch {
        let external_id = ExternalBatchId::parse(external_id).unwrap();
        let profile = |(consumer, cards): &(&str, &[&str])| Profile {
            consumer: ExternalConsumerId::parse(consumer).unwrap(),
            cards: cards
                .iter()
                .map(|card| ExternalCardId::parse(card).unwrap())
                .collect(),
        };
        Batch {
            id: BatchId::derive(&self.client, &external_id),
            client: self.client.clone(),
            body_hash: BodyHash::of(external_id.as_str().as_bytes()),
            external_id,
            manifest: Manifest {
                profiles: profiles.iter().map(profile).collect(),
            },
            confirmation_url: Some("https://bank.example/batches".parse().unwrap()),
            issuer: self.issuer.clone(),
            incident: IncidentId::random(&self.randomness),
            accepted_at: self.clock.now(),
            stage: BatchStage::Accepted,
        }
    }

    /// Stores a batch with its JWE, as an acceptance does.
    pub async fn store(&self, batch: &Batch) {
        let data = EncryptedEnrollmentData::stored(format!("jwe of {}", batch.external_id.as_str()));
        self.stores
            .contents
            .put(batch.content_name(), &data)
            .await
            .unwrap();
        let accepted = self.stores.batches.accept(batch).await.unwrap();
        assert_eq!(accepted, Acceptance::Created);
    }

    /// Stores a new batch, and returns its id.
    pub async fn accepted(&self, external_id: &str, profiles: &[(&str, &[&str])]) -> BatchId {
        let batch = self.batch(external_id, profiles);
        self.store(&batch).await;
        batch.id
    }

    /// Stores a new batch and submits it, and advances the clock to its first poll.
    pub async fn submitted(&self, external_id: &str, profiles: &[(&str, &[&str])]) -> BatchId {
        let id = self.accepted(external_id, profiles).await;
        assert_eq!(self.submit(id).await, SubmitReport::Submitted);
        self.clock.advance(self.issuer.poll_interval());
        self.mastercard.take_calls();
        id
    }

    /// A batch as it is stored.
    pub async fn stored(&self, id: BatchId) -> Batch {
        let found = self.stores.batches.batch(id).await.unwrap();
        found.expect("a batch")
    }

    /// Time until a batch is due; negative where it was due before, `None` where nothing is left to do.
    pub async fn due_in(&self, id: BatchId) -> Option<SignedDuration> {
        let due = self.stores.batches.due(jiff::Timestamp::MAX, 1000).await.unwrap();
        let due = due.iter().find(|due| due.id == id);
        due.map(|due| due.due_at.duration_since(self.clock.now()))
    }

    /// A card as it is stored.
    pub async fn card(&self, card: &str) -> Option<DigitalCard> {
        let card = ExternalCardId::parse(card).unwrap();
        self.stores.digital_cards.card(&self.client, &card).await.unwrap()
    }

    /// Bodies of the confirmations that are to be sent.
    pub async fn confirmations(&self) -> Vec<Value> {
        self.stores.inspection.confirmation_bodies().await
    }

    /// Submits a batch, as its message does.
    pub async fn submit(&self, id: BatchId) -> SubmitReport {
        self.submit_flow().submit(id).await.unwrap()
    }

    /// Polls a batch, as its message does.
    pub async fn poll(&self, id: BatchId) -> PollReport {
        self.poll_flow().poll(id).await.unwrap()
    }

    /// Deletes a card at Mastercard, as its message does.
    pub async fn settle_deletion(&self, key: &DigitalCardKey) -> DeletionReport {
        let flow = SettleDeletion {
            digital_cards: &*self.stores.digital_cards,
            issuer_enrollment: &self.mastercard,
            pacing: &*self.stores.pacing,
            clock: &*self.clock,
            randomness: &self.randomness,
        };
        flow.settle(key).await.unwrap()
    }

    /// Sweeps, as a schedule does every minute.
    pub async fn sweep(&self) -> BatchSweepReport {
        let flow = SweepBatches {
            batches: &*self.stores.batches,
            digital_cards: &*self.stores.digital_cards,
            wakeups: &self.wakeups,
            clock: &*self.clock,
        };
        flow.sweep().await.unwrap()
    }

    /// Purges, as a schedule does every hour.
    pub async fn purge(&self) -> BatchPurgeReport {
        self.purge_flow().run().await.unwrap()
    }

    /// The check of callers.
    pub fn authentication(&self) -> Authentication<'_> {
        Authentication {
            clients: &*self.stores.clients,
            clock: &*self.clock,
            rules: TokenRules {
                max_lifetime: SignedDuration::from_mins(10),
                audience: BASE,
            },
            serves_issuers: true,
        }
    }

    /// The acceptance over these stores.
    pub fn accept_flow(&self) -> AcceptBatch<'_> {
        AcceptBatch {
            authentication: self.authentication(),
            batches: &*self.stores.batches,
            contents: &*self.stores.contents,
            wakeups: &self.wakeups,
            key_ids: &self.key_ids,
        }
    }

    /// The read of a batch over these stores.
    pub fn read_flow(&self) -> ReadBatch<'_> {
        ReadBatch {
            authentication: self.authentication(),
            batches: &*self.stores.batches,
        }
    }

    /// The submission over these stores.
    pub fn submit_flow(&self) -> SubmitBatch<'_> {
        SubmitBatch {
            batches: &*self.stores.batches,
            contents: &*self.stores.contents,
            issuer_enrollment: &self.mastercard,
            pacing: &*self.stores.pacing,
            wakeups: &self.wakeups,
            clock: &*self.clock,
            randomness: &self.randomness,
        }
    }

    /// The poll over these stores.
    pub fn poll_flow(&self) -> PollBatch<'_> {
        PollBatch {
            batches: &*self.stores.batches,
            contents: &*self.stores.contents,
            digital_cards: &*self.stores.digital_cards,
            issuer_enrollment: &self.mastercard,
            pacing: &*self.stores.pacing,
            wakeups: &self.wakeups,
            clock: &*self.clock,
            randomness: &self.randomness,
        }
    }

    /// The read of a card over these stores.
    pub fn read_card_flow(&self) -> ReadDigitalCard<'_> {
        ReadDigitalCard {
            authentication: self.authentication(),
            digital_cards: &*self.stores.digital_cards,
        }
    }

    /// The request for a deletion over these stores.
    pub fn delete_flow(&self) -> DeleteDigitalCards<'_> {
        DeleteDigitalCards {
            authentication: self.authentication(),
            digital_cards: &*self.stores.digital_cards,
            used_tokens: &*self.stores.used_tokens,
            wakeups: &self.wakeups,
        }
    }

    /// The purge over these stores.
    pub fn purge_flow(&self) -> PurgeBatches<'_> {
        PurgeBatches {
            client_index: &*self.stores.client_index,
            clients: &*self.stores.clients,
            batch_records: &*self.stores.batch_records,
            digital_cards: &*self.stores.digital_cards,
            clock: &*self.clock,
        }
    }

    /// The erasure over these stores.
    pub fn erase_flow(&self) -> EraseConsumer<'_> {
        EraseConsumer {
            digital_cards: &*self.stores.digital_cards,
            batches: &*self.stores.batches,
            batch_records: &*self.stores.batch_records,
            contents: &*self.stores.contents,
            issuer_enrollment: &self.mastercard,
            pacing: &*self.stores.pacing,
            clock: &*self.clock,
            deleted: DeletedIds::default(),
        }
    }
}
