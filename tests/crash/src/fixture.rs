//! Fixture of one run: the product's flows over its own adapters, with MRS, receiver and queues in memory.

use std::sync::Arc;

use async_trait::async_trait;
use engine::{LocalWrapper, TestClock, World};
use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::confirmation::ConfirmationId;
use enrollment::flows::deliver::Delivery;
use enrollment::flows::describe::{Describe, Description};
use enrollment::flows::purge::Purge;
use enrollment::flows::settle::Settlement;
use enrollment::flows::submit::{Submit, SubmitError, SubmitResponse};
use enrollment::flows::sweep::Sweep;
use enrollment::identifiers::{IdempotencyKey, IncidentId, IntentId, SessionToken};
use enrollment::intent::Intent;
use enrollment::language::Language;
use enrollment::ports::{EncryptionKey, EncryptionKeys, Intents as _, Put, Sessions as _, StoreError};
use enrollment::randomness::Randomness as _;
use enrollment::session::{self, Session, UsedToken};
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};
use platform::SystemRandomness;
use platform::tables::client_setups::{ClientSetups, SetupWrite};
use platform::tables::{
    DynamoClients, DynamoConfirmations, DynamoEnrollments, DynamoLimits, DynamoSessions,
    DynamoSubmissionRecords,
};
use platform::vault::Vault;

use crate::browser::Submission;
use crate::client;
use crate::injection::{Execution, Injector};
use crate::observations::{Observations, ShownEnding};
use crate::ports::{Injecting, Observing};
use crate::queues::Queues;
use crate::receiver::Receiver;
use crate::scenario::{Kind, Scenario};
use crate::schedule::Fault;
use harness::Seeded;
use harness::mrs::Mrs;

const START: &str = "2027-03-14T15:09:26.535Z";
/// Age of the customer's first cards at the start of a run.
const BEFORE: SignedDuration = SignedDuration::from_hours(24);
/// Number of the first of those cards. Tabs enroll cards of their own numbers.
const CARDS_BEFORE: usize = 100;

/// Fixture that the runs of one worker share.
pub(crate) struct SharedFixture {
    pub(crate) tables: World,
    pub(crate) vault: Arc<Vault>,
    clients: Arc<DynamoClients>,
}

impl SharedFixture {
    /// Creates tables in which the client is set up.
    pub(crate) async fn new(endpoint: &str) -> Self {
        let tables = World::new(endpoint, Arc::new(LocalWrapper)).await;
        let set_ups = ClientSetups {
            dynamodb: tables.dynamodb.clone(),
            table: tables.tables.clients.clone(),
            randomness: &SystemRandomness,
            clock: &*tables.clock,
        };
        let stored = set_ups.store(&client::client(), None).await;
        assert_eq!(stored.expect("the engine answers"), SetupWrite::Stored);
        Self {
            vault: tables.vault(),
            clients: Arc::new(tables.clients()),
            tables,
        }
    }

    pub(crate) async fn drop_tables(&self) {
        self.tables.drop_tables().await;
    }
}

pub(crate) struct Fixture<'g> {
    pub(crate) world: World,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) injector: Arc<Injector>,
    pub(crate) observations: Observations,
    pub(crate) mrs: Mrs,
    pub(crate) receiver: Receiver,
    pub(crate) queues: Queues,
    /// Visits, one for each tab.
    pub(crate) visits: Vec<Visit>,
    /// Intents that enrolled the customer's first cards.
    pub(crate) before: Vec<Intent>,
    /// Reads expired records too.
    pub(crate) reader: DynamoEnrollments,
    enrollments: DynamoEnrollments,
    pub(crate) clients: &'g DynamoClients,
    pub(crate) sessions: DynamoSessions,
    records: DynamoSubmissionRecords,
    limits: DynamoLimits,
    pub(crate) confirmations: DynamoConfirmations,
    pub(crate) randomness: Seeded,
}

/// Session of a tab, stored or not yet.
pub(crate) struct Visit {
    pub(crate) session: Session,
    token: SessionToken,
    /// Number of the card that the page submits.
    card: usize,
}

impl Visit {
    /// Id of the intent of a submission.
    pub(crate) fn intent_of(&self, key: &IdempotencyKey) -> IntentId {
        IntentId::derive(self.session.id, key)
    }
}

impl<'g> Fixture<'g> {
    /// Empties the tables, and enrolls the customer's first cards.
    pub(crate) async fn new(
        shared: &'g SharedFixture,
        scenario: &Scenario,
        faults: &[Fault],
        seed: u64,
    ) -> Self {
        let (tables, vault) = (&shared.tables, &shared.vault);
        tables.empty().await;
        let clock = Arc::new(TestClock::at(later(start(), -BEFORE)));
        let world = tables.at(Arc::clone(&clock));
        let randomness = Seeded::new(seed);
        let visits = (0..).zip(scenario.tabs).map(|(card, tab)| {
            let token = SessionToken::random(&randomness);
            Visit {
                session: Session {
                    confirmation_url: scenario.is_confirmed.then(client::confirmation_url),
                    ..session(&token, scenario.program, tab.action, later(start(), tab.comes))
                },
                token,
                card,
            }
        });
        let mut fixture = Self {
            visits: visits.collect(),
            before: Vec::new(),
            injector: Injector::new(Arc::clone(&clock), start(), faults),
            observations: Observations::default(),
            mrs: Mrs::new(Arc::clone(&clock)),
            receiver: Receiver::new(Arc::clone(&clock), scenario.receiver),
            queues: Queues::new(Arc::clone(&clock)),
            clients: &shared.clients,
            sessions: world.sessions(vault),
            records: world.submission_records(vault, &shared.clients),
            limits: world.limits(vault),
            enrollments: world.enrollments(vault),
            reader: tables.at(Arc::new(TestClock::at(start()))).enrollments(vault),
            confirmations: world.confirmations(vault),
            randomness,
            world,
            clock,
        };
        // Under a customer's id only the digits tell the cards apart: there MRS lists those that the page gives.
        fixture
            .mrs
            .lists_last4(client::customer().expose(), client::last4());
        for card in 0..scenario.cards {
            let intent = fixture.enroll_before(scenario.program, CARDS_BEFORE + card).await;
            fixture.before.push(intent);
        }
        fixture.clock.advance_to(start());
        fixture.mrs.follow(scenario.mrs);
        fixture
    }

    /// Enrolls a card by the product's own flow, without faults.
    async fn enroll_before(&self, program: Kind, card: usize) -> Intent {
        let token = SessionToken::random(&self.randomness);
        let visit = Visit {
            session: session(&token, program, ActionCode::Enroll, self.clock.now()),
            token,
            card,
        };
        self.store_session(&visit).await;
        let key = client::key(0);
        let submitting = Submit {
            action: ActionCode::Enroll,
            clients: self.clients,
            sessions: &self.sessions,
            records: &self.records,
            limits: &self.limits,
            intents: &self.enrollments,
            leases: &self.enrollments,
            customers: &self.enrollments,
            rewards: &self.mrs,
            wakeups: &self.queues,
            clock: &*self.clock,
            randomness: &self.randomness,
        };
        let body = client::submission(ActionCode::Enroll, card, None);
        let incident = IncidentId::random(&self.randomness);
        let submitted = submitting
            .submit(&visit.token, &key, body.as_bytes(), incident)
            .await;
        assert!(
            matches!(&submitted, Ok(SubmitResponse::Ended { ending, .. }) if ending.status.is_success()),
            "{submitted:?}"
        );
        let stored = self.reader.intent(visit.intent_of(&key)).await;
        stored.expect("it can be read").expect("it was begun")
    }

    /// Stores the session of a tab.
    pub(crate) async fn enter(&self, tab: usize) {
        self.store_session(&self.visits[tab]).await;
    }

    async fn store_session(&self, visit: &Visit) {
        let mut digest = [0; 32];
        self.randomness.fill(&mut digest);
        let used = UsedToken {
            digest,
            until: visit.session.expires_at,
        };
        let opened = self.sessions.open(&visit.session, &used).await;
        assert_eq!(opened.expect("the engine answers"), Put::Created);
    }

    pub(crate) async fn describe(
        &self,
        execution: &Execution,
        tab: usize,
    ) -> Result<Description, SubmitError> {
        let (ports, visit, asked_at) = (self.ports(execution), &self.visits[tab], self.clock.now());
        let describing = Describe {
            action: visit.session.action,
            clients: &ports.clients,
            sessions: &ports.sessions,
            intents: &ports.enrollments,
            customers: &ports.enrollments,
            wakeups: &ports.wakeups,
            keys: &ports.keys,
            clock: &*self.clock,
        };
        let incident = IncidentId::random(&self.randomness);
        let described = describing.describe(&visit.token, incident).await.result;
        if let Ok(Description::Attempt(answer)) = &described
            && let Some(shown) = ShownEnding::of(answer, asked_at, self.clock.now())
        {
            self.observations.description(visit.session.id, shown);
        }
        described
    }

    /// Describes the session of a tab, without faults.
    pub(crate) async fn description(&self, tab: usize) -> Result<Description, SubmitError> {
        let visit = &self.visits[tab];
        let describing = Describe {
            action: visit.session.action,
            clients: self.clients,
            sessions: &self.sessions,
            intents: &self.enrollments,
            customers: &self.enrollments,
            wakeups: &self.queues,
            keys: &Key,
            clock: &*self.clock,
        };
        let incident = IncidentId::random(&self.randomness);
        describing.describe(&visit.token, incident).await.result
    }

    pub(crate) async fn submit(
        &self,
        execution: &Execution,
        tab: usize,
        submission: Submission,
    ) -> Result<SubmitResponse, SubmitError> {
        let (ports, visit, asked_at) = (self.ports(execution), &self.visits[tab], self.clock.now());
        let submitting = Submit {
            action: visit.session.action,
            clients: &ports.clients,
            sessions: &ports.sessions,
            records: &ports.records,
            limits: &ports.limits,
            intents: &ports.enrollments,
            leases: &ports.enrollments,
            customers: &ports.enrollments,
            rewards: &ports.rewards,
            wakeups: &ports.wakeups,
            clock: &*self.clock,
            randomness: &self.randomness,
        };
        let key = client::key(submission.number);
        let body = client::submission(visit.session.action, visit.card, submission.old_card);
        let incident = IncidentId::random(&self.randomness);
        let submitted = submitting
            .submit(&visit.token, &key, body.as_bytes(), incident)
            .await;
        if let Ok(answer) = &submitted
            && let Some(shown) = ShownEnding::of(answer, asked_at, self.clock.now())
        {
            self.observations.answer(visit.intent_of(&key), shown);
        }
        submitted
    }

    pub(crate) async fn purge(&self, execution: &Execution) -> Result<(), StoreError> {
        let (client_index, clients) = (
            injecting(self.clients, execution),
            injecting(self.clients, execution),
        );
        let purges = injecting(&self.enrollments, execution);
        let purging = Purge {
            client_index: &client_index,
            clients: &clients,
            purges: &purges,
            clock: &*self.clock,
        };
        purging.run().await.map(drop)
    }

    pub(crate) async fn settle(&self, execution: &Execution, intent: IntentId) -> Result<(), StoreError> {
        let ports = self.ports(execution);
        self.sweeping(&ports).resume_intent(intent).await
    }

    pub(crate) async fn sweep(&self, execution: &Execution) -> Result<(), StoreError> {
        let ports = self.ports(execution);
        let sweeping = self.sweeping(&ports);
        let woken = sweeping.wake_deliveries().await;
        sweeping.resume_intents().await?;
        woken.map(drop)
    }

    /// Sweeps the confirmations alone.
    pub(crate) async fn wake_deliveries(&self, execution: &Execution) -> Result<(), StoreError> {
        let ports = self.ports(execution);
        self.sweeping(&ports).wake_deliveries().await.map(drop)
    }

    pub(crate) async fn confirm(&self, execution: &Execution, id: &ConfirmationId) -> Result<(), StoreError> {
        let ports = self.ports(execution);
        let confirming = Delivery {
            confirmations: &ports.confirmations,
            receivers: &ports.receivers,
            clients: &ports.clients,
            wakeups: &ports.wakeups,
            clock: &*self.clock,
            randomness: &self.randomness,
        };
        confirming.confirm(id).await.map(drop)
    }

    fn sweeping<'a>(&'a self, ports: &'a Ports<'a>) -> Sweep<'a> {
        Sweep {
            settlement: Settlement {
                intents: &ports.enrollments,
                leases: &ports.enrollments,
                customers: &ports.enrollments,
                rewards: &ports.rewards,
                clients: &ports.clients,
                wakeups: &ports.wakeups,
                clock: &*self.clock,
            },
            due_intents: &ports.enrollments,
            confirmations: &ports.confirmations,
        }
    }

    fn ports<'a>(&'a self, execution: &'a Execution) -> Ports<'a> {
        Ports {
            clients: injecting(self.clients, execution),
            sessions: injecting(&self.sessions, execution),
            records: self.observing(&self.records, execution),
            limits: injecting(&self.limits, execution),
            enrollments: self.observing(&self.enrollments, execution),
            confirmations: self.observing(&self.confirmations, execution),
            rewards: self.observing(&self.mrs, execution),
            receivers: injecting(&self.receiver, execution),
            wakeups: injecting(&self.queues, execution),
            keys: injecting(&Key, execution),
        }
    }

    pub(crate) fn observing<'a, P>(&'a self, inner: &'a P, execution: &'a Execution) -> Observing<'a, P> {
        Observing {
            injecting: injecting(inner, execution),
            observations: &self.observations,
        }
    }
}

/// Ports of one execution.
struct Ports<'a> {
    clients: Injecting<'a, DynamoClients>,
    sessions: Injecting<'a, DynamoSessions>,
    records: Observing<'a, DynamoSubmissionRecords>,
    limits: Injecting<'a, DynamoLimits>,
    enrollments: Observing<'a, DynamoEnrollments>,
    confirmations: Observing<'a, DynamoConfirmations>,
    rewards: Observing<'a, Mrs>,
    receivers: Injecting<'a, Receiver>,
    wakeups: Injecting<'a, Queues>,
    keys: Injecting<'a, Key>,
}

pub(crate) fn injecting<'a, P>(inner: &'a P, execution: &'a Execution) -> Injecting<'a, P> {
    Injecting { inner, execution }
}

/// Start of every run.
pub(crate) fn start() -> Timestamp {
    START.parse().expect("a time")
}

fn session(token: &SessionToken, program: Kind, action: ActionCode, now: Timestamp) -> Session {
    Session {
        id: token.id(),
        client: client::id(),
        program: client::program(program),
        action,
        customer: client::customer(),
        language: Language::parse("en").expect("a language"),
        confirmation_url: None,
        return_url: None,
        last4: None,
        opened_at: now,
        expires_at: later(now, session::LIFETIME),
        extensions: 0,
        failures: 0,
        open_attempt: None,
        last_attempt: None,
        finished: false,
    }
}

/// Encryption key that nothing is encrypted under.
struct Key;

#[async_trait]
impl EncryptionKeys for Key {
    async fn current(&self) -> Result<EncryptionKey, StoreError> {
        Ok(EncryptionKey {
            reference: "119009".into(),
            spki: String::new(),
            fingerprint: String::new(),
        })
    }
}
