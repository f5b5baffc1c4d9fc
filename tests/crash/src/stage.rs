//! Everything of one run: the product's flows over its own adapters, and what stands around them.

use std::sync::Arc;

use async_trait::async_trait;
use engine::{LocalWrapper, TestClock, World};
use enrollment::flows::confirm::Confirming;
use enrollment::flows::describe::{Describing, Description};
use enrollment::flows::settle::Settling;
use enrollment::flows::submit::{NotSubmitted, Submitted, Submitting};
use enrollment::flows::sweep::Sweeping;
use enrollment::identifiers::{
    ActionCode, ConfirmationId, IdempotencyKey, IncidentId, IntentId, SessionToken,
};
use enrollment::language::Language;
use enrollment::ports::{Clock as _, EncryptionKey, EncryptionKeys, Opened, Sessions as _, StoreError};
use enrollment::session::{self, Session, UsedToken};
use enrollment::time::later;
use jiff::Timestamp;
use platform::SystemRandomness;
use platform::tables::client_setups::{ClientSetups, Stored};
use platform::tables::{DynamoClients, DynamoConfirmations, DynamoEnrolments, DynamoLimits, DynamoSessions};
use platform::vault::Vault;

use crate::client;
use crate::effects::{Course, Effects};
use crate::mrs::Mrs;
use crate::observed::Observed;
use crate::plan::Fault;
use crate::ports::{Watched, Wrapped};
use crate::queues::Queues;
use crate::receiver::Receiver;
use crate::scenario::Scenario;
use crate::seeded::Seeded;

const START: &str = "2027-03-14T15:09:26.535Z";

/// What the runs of one worker share.
pub(crate) struct Ground {
    tables: World,
    vault: Arc<Vault>,
    clients: DynamoClients,
}

impl Ground {
    /// New tables, in which the client is set up.
    pub(crate) async fn new(endpoint: &str) -> Self {
        let tables = World::new(endpoint, Arc::new(LocalWrapper)).await;
        let set_ups = ClientSetups {
            dynamodb: tables.dynamodb.clone(),
            table: tables.tables.clients.clone(),
            randomness: &SystemRandomness,
            clock: &*tables.clock,
        };
        let stored = set_ups.store(&client::client(), None).await;
        assert_eq!(stored.expect("the engine answers"), Stored::Now);
        Self {
            vault: tables.vault(),
            clients: tables.clients(),
            tables,
        }
    }

    pub(crate) async fn drop_tables(&self) {
        self.tables.drop_tables().await;
    }
}

pub(crate) struct Stage<'g> {
    pub(crate) world: World,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) effects: Arc<Effects>,
    pub(crate) observed: Observed,
    pub(crate) mrs: Mrs,
    pub(crate) receiver: Receiver,
    pub(crate) queues: Queues,
    pub(crate) session: Session,
    /// Reads what is past its time, too.
    pub(crate) reader: DynamoEnrolments,
    enrolments: DynamoEnrolments,
    token: SessionToken,
    clients: &'g DynamoClients,
    sessions: DynamoSessions,
    limits: DynamoLimits,
    confirmations: DynamoConfirmations,
    randomness: Seeded,
}

impl<'g> Stage<'g> {
    /// An open session in tables that are emptied first.
    pub(crate) async fn new(ground: &'g Ground, scenario: &Scenario, faults: &[Fault], seed: u64) -> Self {
        let (tables, vault) = (&ground.tables, &ground.vault);
        tables.empty().await;
        let clock = Arc::new(TestClock::at(start()));
        let world = tables.at(Arc::clone(&clock));
        let randomness = Seeded::new(seed);
        let token = SessionToken::random(&randomness);
        let stage = Self {
            effects: Effects::new(Arc::clone(&clock), faults),
            observed: Observed::default(),
            mrs: Mrs::new(Arc::clone(&clock), scenario.mrs),
            receiver: Receiver::new(Arc::clone(&clock), scenario.receiver),
            queues: Queues::new(Arc::clone(&clock)),
            session: session(scenario, &token, clock.now()),
            token,
            clients: &ground.clients,
            sessions: world.sessions(vault),
            limits: world.limits(vault),
            enrolments: world.enrolments(vault),
            reader: tables.at(Arc::new(TestClock::at(start()))).enrolments(vault),
            confirmations: world.confirmations(vault),
            randomness,
            world,
            clock,
        };
        let used = UsedToken {
            digest: [7; 32],
            until: stage.session.expires_at,
        };
        let opened = stage.sessions.open(&stage.session, &used).await;
        assert_eq!(opened.expect("the engine answers"), Opened::Now);
        stage
    }

    /// The intent of the submission under a key.
    pub(crate) fn intent_of(&self, key: &IdempotencyKey) -> IntentId {
        IntentId::derive(self.session.id, key)
    }

    pub(crate) async fn describe(&self, course: &Course) -> Result<Description, NotSubmitted> {
        let ports = self.ports(course);
        let describing = Describing {
            clients: &ports.clients,
            sessions: &ports.sessions,
            enrolments: &ports.enrolments,
            rewards: &ports.rewards,
            wakeups: &ports.wakeups,
            keys: &ports.keys,
            clock: &*self.clock,
        };
        let described = describing.describe(&self.token).await;
        if let Ok(Description::Attempt(Submitted::Ended { ending, .. })) = &described {
            self.observed.description(ending);
        }
        described
    }

    /// What the page is shown now, with nothing in between.
    pub(crate) async fn description(&self) -> Result<Description, NotSubmitted> {
        let describing = Describing {
            clients: self.clients,
            sessions: &self.sessions,
            enrolments: &self.enrolments,
            rewards: &self.mrs,
            wakeups: &self.queues,
            keys: &Key,
            clock: &*self.clock,
        };
        describing.describe(&self.token).await
    }

    pub(crate) async fn submit(
        &self,
        course: &Course,
        key: &IdempotencyKey,
    ) -> Result<Submitted, NotSubmitted> {
        let ports = self.ports(course);
        let submitting = Submitting {
            clients: &ports.clients,
            sessions: &ports.sessions,
            limits: &ports.limits,
            enrolments: &ports.enrolments,
            rewards: &ports.rewards,
            wakeups: &ports.wakeups,
            clock: &*self.clock,
            randomness: &self.randomness,
        };
        let incident = IncidentId::random(&self.randomness);
        let submitted = submitting
            .submit(&self.token, key, client::submission().as_bytes(), incident)
            .await;
        if let Ok(Submitted::Ended { ending, .. }) = &submitted {
            self.observed.answer(self.intent_of(key), ending);
        }
        submitted
    }

    pub(crate) async fn settle(&self, course: &Course, intent: IntentId) -> Result<(), StoreError> {
        let ports = self.ports(course);
        self.sweeping(&ports).settle(intent).await
    }

    pub(crate) async fn sweep(&self, course: &Course) -> Result<(), StoreError> {
        let ports = self.ports(course);
        self.sweeping(&ports).sweep().await.map(drop)
    }

    pub(crate) async fn confirm(&self, course: &Course, id: &ConfirmationId) -> Result<(), StoreError> {
        let ports = self.ports(course);
        let confirming = Confirming {
            confirmations: &ports.confirmations,
            receivers: &ports.receivers,
            clients: &ports.clients,
            wakeups: &ports.wakeups,
            clock: &*self.clock,
            randomness: &self.randomness,
        };
        confirming.confirm(id).await.map(drop)
    }

    fn sweeping<'a>(&'a self, ports: &'a Ports<'a>) -> Sweeping<'a> {
        Sweeping {
            settling: Settling {
                enrolments: &ports.enrolments,
                rewards: &ports.rewards,
                clients: &ports.clients,
                wakeups: &ports.wakeups,
                clock: &*self.clock,
            },
            confirmations: &ports.confirmations,
        }
    }

    fn ports<'a>(&'a self, course: &'a Course) -> Ports<'a> {
        Ports {
            clients: wrapped(self.clients, course),
            sessions: wrapped(&self.sessions, course),
            limits: wrapped(&self.limits, course),
            enrolments: self.watched(&self.enrolments, course),
            confirmations: self.watched(&self.confirmations, course),
            rewards: wrapped(&self.mrs, course),
            receivers: wrapped(&self.receiver, course),
            wakeups: wrapped(&self.queues, course),
            keys: wrapped(&Key, course),
        }
    }

    fn watched<'a, P>(&'a self, inner: &'a P, course: &'a Course) -> Watched<'a, P> {
        Watched {
            wrapped: wrapped(inner, course),
            observed: &self.observed,
        }
    }
}

/// All ports, as one delivery of a trigger sees them.
struct Ports<'a> {
    clients: Wrapped<'a, DynamoClients>,
    sessions: Wrapped<'a, DynamoSessions>,
    limits: Wrapped<'a, DynamoLimits>,
    enrolments: Watched<'a, DynamoEnrolments>,
    confirmations: Watched<'a, DynamoConfirmations>,
    rewards: Wrapped<'a, Mrs>,
    receivers: Wrapped<'a, Receiver>,
    wakeups: Wrapped<'a, Queues>,
    keys: Wrapped<'a, Key>,
}

fn wrapped<'a, P>(inner: &'a P, course: &'a Course) -> Wrapped<'a, P> {
    Wrapped { inner, course }
}

/// When every run begins.
pub(crate) fn start() -> Timestamp {
    START.parse().expect("a time")
}

fn session(scenario: &Scenario, token: &SessionToken, now: Timestamp) -> Session {
    Session {
        id: token.id(),
        client: client::id(),
        program: client::program(scenario.number),
        action: ActionCode::Enrol,
        customer: client::customer(),
        language: Language::parse("en").expect("a language"),
        confirmation_url: scenario.is_confirmed.then(client::confirmation_url),
        last4: None,
        expires_at: later(now, session::LIFETIME),
        failures: 0,
        open_attempt: None,
        last_attempt: None,
        finished: false,
    }
}

/// Nothing is encrypted here.
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
