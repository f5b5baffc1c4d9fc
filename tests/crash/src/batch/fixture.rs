//! Fixture of one run of an issuer: the product's flows over its own adapters, with Mastercard, bucket, receiver and queues
//! in memory.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use enrollment::batch::{Batch, BatchId, ExternalBatchId, ExternalCardId};
use enrollment::clock::Clock as _;
use enrollment::digital_card::{DigitalCard, DigitalCardKey};
use enrollment::flows::batch::accept::{AcceptBatch, AcceptError};
use enrollment::flows::batch::poll::PollBatch;
use enrollment::flows::batch::read::ReadBatch;
use enrollment::flows::batch::submit::SubmitBatch;
use enrollment::flows::batch::sweep::SweepBatches;
use enrollment::flows::call::{Authentication, CallError};
use enrollment::flows::digital_cards::delete::DeleteDigitalCards;
use enrollment::flows::digital_cards::read::ReadDigitalCard;
use enrollment::flows::digital_cards::settle::SettleDeletion;
use enrollment::identifiers::IncidentId;
use enrollment::ports::{Clients, StoreError};
use enrollment::token::TokenRules;
use harness::Model;
use jiff::{SignedDuration, Timestamp};
use platform::settings::IssuerRate;
use platform::tables::{DynamoBatches, DynamoClients, DynamoDigitalCards, DynamoPacing, DynamoSessions};

use super::back_end::{self, BASE, KEY_ID, Request};
use super::mastercard::Mastercard;
use super::scenario::{Act, BatchContent, IssuerScenario};
use crate::client;
use crate::fixture::{Fixture, SharedFixture, injecting};
use crate::injection::Execution;
use crate::ports::{Injecting, Observing};
use crate::queues::Queues;
use crate::scenario::{self, Scenario};
use crate::schedule::Fault;

/// Answer to a call of a back end.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// The batch is accepted.
    Accepted(Box<Batch>),
    /// Another body was accepted under its id.
    Conflict,
    /// The batches and cards as they were read.
    Read(Vec<Batch>, Vec<DigitalCard>),
    /// The cards whose deletion was requested.
    Deleting(Vec<DigitalCard>),
}

pub(crate) struct BatchFixture<'g> {
    pub(crate) base: Fixture<'g>,
    pub(crate) scenario: &'static IssuerScenario,
    pub(crate) mastercard: Mastercard,
    pub(crate) contents: Arc<Model>,
    pub(crate) batches: DynamoBatches,
    pub(crate) digital_cards: DynamoDigitalCards,
    pacing: DynamoPacing,
    key_ids: Vec<String>,
    replies: Mutex<Vec<(Act, Reply)>>,
}

impl<'g> BatchFixture<'g> {
    /// Empties the tables.
    pub(crate) async fn new(
        shared: &'g SharedFixture,
        scenario: &'static IssuerScenario,
        faults: &[Fault],
        seed: u64,
    ) -> Self {
        let without_customers = Scenario {
            tabs: &[],
            receiver: scenario.receiver,
            ..scenario::PLAIN
        };
        let base = Fixture::new(shared, &without_customers, faults, seed).await;
        if scenario.has_disorderly_queues {
            base.queues.be_disorderly();
        }
        let rate = IssuerRate::new(scenario.rate).expect("a rate");
        let clock = Arc::clone(&base.clock);
        Self {
            mastercard: Mastercard::new(clock.clone(), scenario.mastercard, scenario.batches),
            contents: Arc::new(Model::new(clock)),
            batches: base.world.batches(&shared.vault),
            digital_cards: base.world.digital_cards(&shared.vault),
            pacing: base.world.pacing(rate),
            key_ids: vec![KEY_ID.to_owned()],
            replies: Mutex::default(),
            scenario,
            base,
        }
    }

    /// Answers to the back ends, in their order.
    pub(crate) fn replies(&self) -> Vec<(Act, Reply)> {
        self.replies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Makes a call of a back end.
    ///
    /// # Errors
    /// If the store fails: the back end repeats the call.
    pub(crate) async fn call(&self, execution: &Execution, act: Act) -> Result<(), StoreError> {
        let called = match act {
            Act::Send(place) => self.send(execution, &self.scenario.batches[place]).await,
            Act::Read => self.read(execution).await,
            Act::DeleteCard(card) => self.delete_card(execution, card).await,
            Act::DeleteConsumer(consumer) => self.delete_consumer(execution, consumer).await,
        };
        let reply = match called {
            Ok(reply) => reply,
            Err(CallError::Store(error)) => return Err(error),
            Err(CallError::Token(error)) => {
                self.base
                    .observations
                    .wrong(format!("{act:?} was refused: {error}"));
                return Ok(());
            }
        };
        let mut replies = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
        replies.push((act, reply));
        Ok(())
    }

    async fn send(&self, execution: &Execution, content: &BatchContent) -> Result<Reply, CallError> {
        let request = self.request("B", "POST", "/company/enroll_batch", back_end::body(content));
        let ports = self.ports(execution);
        let accepting = AcceptBatch {
            authentication: self.authentication(&ports.clients),
            batches: &ports.batches,
            contents: &ports.contents,
            wakeups: &ports.wakeups,
            key_ids: &self.key_ids,
        };
        let incident = IncidentId::random(&self.base.randomness);
        match accepting.accept(request.call(), incident).await {
            Ok(batch) => Ok(Reply::Accepted(Box::new(batch))),
            Err(AcceptError::Conflict) => Ok(Reply::Conflict),
            Err(AcceptError::Store(error)) => Err(CallError::Store(error)),
            Err(AcceptError::Token(error)) => Err(CallError::Token(error)),
            Err(error @ (AcceptError::TooLarge | AcceptError::Faults(_) | AcceptError::Expired)) => {
                unreachable!("a request of the scenario: {error:?}")
            }
        }
    }

    async fn read(&self, execution: &Execution) -> Result<Reply, CallError> {
        let ports = self.ports(execution);
        let authentication = self.authentication(&ports.clients);
        let mut batches = Vec::new();
        for id in self.ids() {
            let id = id.to_hex();
            let request = self.request("B", "GET", &format!("/company/enroll_batch/{id}"), Vec::new());
            let reading = ReadBatch {
                authentication,
                batches: &ports.batches,
            };
            batches.extend(reading.read(request.call(), &id).await?);
        }
        let mut cards = Vec::new();
        for card in self.cards() {
            let request = self.request("B", "GET", &format!("/company/enrolled_cards/{card}"), Vec::new());
            let reading = ReadDigitalCard {
                authentication,
                digital_cards: &ports.digital_cards,
            };
            cards.extend(reading.read(request.call(), card).await?);
        }
        Ok(Reply::Read(batches, cards))
    }

    async fn delete_card(&self, execution: &Execution, card: &str) -> Result<Reply, CallError> {
        let request = self.request(
            "D",
            "DELETE",
            &format!("/company/enrolled_cards/{card}"),
            Vec::new(),
        );
        let ports = self.ports(execution);
        let deleting = self.deleting(&ports);
        let deleted = deleting.delete_card(request.call(), card).await?;
        Ok(Reply::Deleting(deleted.into_iter().collect()))
    }

    async fn delete_consumer(&self, execution: &Execution, consumer: &str) -> Result<Reply, CallError> {
        let path = format!("/company/enrolled_consumers/{consumer}");
        let request = self.request("D", "DELETE", &path, Vec::new());
        let ports = self.ports(execution);
        let deleting = self.deleting(&ports);
        let deleted = deleting.delete_consumer(request.call(), consumer).await?;
        Ok(Reply::Deleting(deleted))
    }

    fn deleting<'a>(&'a self, ports: &'a Ports<'a>) -> DeleteDigitalCards<'a> {
        DeleteDigitalCards {
            authentication: self.authentication(&ports.clients),
            digital_cards: &ports.digital_cards,
            used_tokens: &ports.used_tokens,
            wakeups: &ports.wakeups,
        }
    }

    pub(crate) async fn submit(&self, execution: &Execution, id: BatchId) -> Result<(), StoreError> {
        let ports = self.ports(execution);
        let submitting = SubmitBatch {
            batches: &ports.batches,
            contents: &ports.contents,
            issuer_enrollment: &ports.issuer_enrollment,
            pacing: &ports.pacing,
            wakeups: &ports.wakeups,
            clock: &*self.base.clock,
            randomness: &self.base.randomness,
        };
        submitting.submit(id).await.map(drop)
    }

    pub(crate) async fn poll(&self, execution: &Execution, id: BatchId) -> Result<(), StoreError> {
        let ports = self.ports(execution);
        let polling = PollBatch {
            batches: &ports.batches,
            contents: &ports.contents,
            digital_cards: &ports.digital_cards,
            issuer_enrollment: &ports.issuer_enrollment,
            pacing: &ports.pacing,
            wakeups: &ports.wakeups,
            clock: &*self.base.clock,
            randomness: &self.base.randomness,
        };
        polling.poll(id).await.map(drop)
    }

    pub(crate) async fn settle_deletion(
        &self,
        execution: &Execution,
        key: &DigitalCardKey,
    ) -> Result<(), StoreError> {
        let ports = self.ports(execution);
        let settling = SettleDeletion {
            digital_cards: &ports.digital_cards,
            issuer_enrollment: &ports.issuer_enrollment,
            pacing: &ports.pacing,
            clock: &*self.base.clock,
            randomness: &self.base.randomness,
        };
        settling.settle(key).await.map(drop)
    }

    /// Sweeps batches, deletions and confirmations.
    pub(crate) async fn sweep(&self, execution: &Execution) -> Result<(), StoreError> {
        let ports = self.ports(execution);
        let sweeping = SweepBatches {
            batches: &ports.batches,
            digital_cards: &ports.digital_cards,
            wakeups: &ports.wakeups,
            clock: &*self.base.clock,
        };
        let swept = sweeping.sweep().await;
        self.base.wake_deliveries(execution).await?;
        swept.map(drop)
    }

    /// Ids of the scenario's batches.
    pub(crate) fn ids(&self) -> Vec<BatchId> {
        self.external_ids()
            .into_iter()
            .map(|external_id| {
                let external_id = ExternalBatchId::parse(external_id).expect("an id");
                BatchId::derive(&client::id(), &external_id)
            })
            .collect()
    }

    /// External ids of the scenario's batches, each once.
    pub(crate) fn external_ids(&self) -> BTreeSet<&'static str> {
        self.scenario
            .batches
            .iter()
            .map(|content| content.external_id)
            .collect()
    }

    /// Ids of the scenario's cards, each once.
    pub(crate) fn cards(&self) -> BTreeSet<&'static str> {
        let profiles = self.scenario.batches.iter().flat_map(|content| content.profiles);
        profiles.flat_map(|(_, cards)| cards.iter().copied()).collect()
    }

    /// Reads a card without faults.
    pub(crate) async fn card(&self, card: &str) -> Option<DigitalCard> {
        use enrollment::ports::DigitalCards as _;
        let card = ExternalCardId::parse(card).expect("an id");
        let read = self.digital_cards.card(&client::id(), &card).await;
        read.expect("it can be read")
    }

    /// Time of the next work of a sweep.
    pub(crate) async fn due(&self) -> Option<Timestamp> {
        use enrollment::ports::{Batches as _, Confirmations as _, DigitalCards as _};
        let batches = self.batches.due(Timestamp::MAX, 100).await;
        let deletions = self.digital_cards.due_deletions(Timestamp::MAX, 100).await;
        let horizon = enrollment::time::later(self.base.clock.now(), SignedDuration::from_hours(24 * 9));
        let confirmations = self.base.confirmations.due(horizon, 100).await;
        let batches = batches.expect("the engine answers").into_iter();
        let deletions = deletions.expect("the engine answers").into_iter();
        let confirmations = confirmations.expect("the engine answers").into_iter();
        batches
            .map(|due| due.due_at)
            .chain(deletions.map(|due| due.due_at))
            .chain(confirmations.map(|due| due.since))
            .min()
    }

    fn request(&self, action: &str, method: &'static str, path: &str, body: Vec<u8>) -> Request {
        let token = (self.base.clock.now(), &self.base.randomness);
        Request::new(action, method, path.to_owned(), body, token)
    }

    fn authentication<'a>(&'a self, clients: &'a dyn Clients) -> Authentication<'a> {
        Authentication {
            clients,
            clock: &*self.base.clock,
            rules: TokenRules {
                max_lifetime: SignedDuration::from_mins(10),
                audience: BASE,
            },
            serves_issuers: true,
        }
    }

    fn ports<'a>(&'a self, execution: &'a Execution) -> Ports<'a> {
        Ports {
            clients: injecting(self.base.clients, execution),
            batches: self.base.observing(&self.batches, execution),
            contents: injecting(&*self.contents, execution),
            digital_cards: injecting(&self.digital_cards, execution),
            pacing: injecting(&self.pacing, execution),
            issuer_enrollment: self.base.observing(&self.mastercard, execution),
            used_tokens: injecting(&self.base.sessions, execution),
            wakeups: injecting(&self.base.queues, execution),
        }
    }
}

/// Ports of one execution.
struct Ports<'a> {
    clients: Injecting<'a, DynamoClients>,
    batches: Observing<'a, DynamoBatches>,
    contents: Injecting<'a, Model>,
    digital_cards: Injecting<'a, DynamoDigitalCards>,
    pacing: Injecting<'a, DynamoPacing>,
    issuer_enrollment: Observing<'a, Mastercard>,
    used_tokens: Injecting<'a, DynamoSessions>,
    wakeups: Injecting<'a, Queues>,
}
