//! A client with one customer, the stores, and an MRS that the test scripts.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use async_trait::async_trait;
use enrollment::action::ActionCode;
use enrollment::client::{Client, Program};
use enrollment::flows::decide::Decision;
use enrollment::flows::describe::{Describe, Described, Description};
use enrollment::flows::settle::Settlement;
use enrollment::flows::submit::{Submit, SubmitError, SubmitResponse};
use enrollment::flows::sweep::{Sweep, SweepReport};
use enrollment::identifiers::{ClientId, CustomerId, IncidentId, IntentId, ProgramId, SessionToken};
use enrollment::intent::{CardCount, CardState, Customer, Intent};
use enrollment::limits::{Attempts, Counters};
use enrollment::ports::{CounterKey, Intents, Limits, Rewards, StoreError, SubmissionRecords};
use enrollment::session::Session;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::TestClock;
use crate::fixtures::{self, Key, idempotency_key};
use crate::scripted_mrs::{EnrollmentAnswer, ScriptedMrs};
use crate::seeded::Seeded;
use crate::stores::{Backend, Stores};
use crate::wakeups::RecordedWakeups;

/// Everything that a flow of one customer needs.
pub struct Fixture {
    /// The time.
    pub clock: Arc<TestClock>,
    /// MRS.
    pub mrs: ScriptedMrs,
    /// Wake-ups that were sent.
    pub wakeups: RecordedWakeups,
    /// The stores.
    pub stores: Stores,
    /// Seeds sessions and incidents.
    pub randomness: Seeded,
    /// The client.
    pub client: ClientId,
    /// Its program.
    pub program: ProgramId,
    /// Its customer.
    pub customer: CustomerId,
}

impl Fixture {
    /// With the program of [`fixtures::settlement_client`].
    pub async fn new(backend: &dyn Backend) -> Self {
        Self::with_program(backend, |_| {}).await
    }

    /// With that program as a test changes it.
    pub async fn with_program(backend: &dyn Backend, change: impl Fn(&mut Program)) -> Self {
        let clock = Arc::new(TestClock::at(fixtures::start()));
        let mut client = fixtures::settlement_client();
        change(&mut client.programs[0]);
        Self::over(backend.stores(&client, &clock).await, &client, clock)
    }

    /// Over stores in which the client is set up.
    pub fn over(stores: Stores, client: &Client, clock: Arc<TestClock>) -> Self {
        Self {
            mrs: ScriptedMrs::new(clock.clone()),
            wakeups: RecordedWakeups::default(),
            stores,
            randomness: Seeded::new(1),
            program: client.programs[0].id.clone(),
            client: client.id.clone(),
            customer: CustomerId::parse("customer-5d7703f9").unwrap(),
            clock,
        }
    }

    /// Opens a session for an enrollment.
    pub async fn session(&self) -> SessionToken {
        self.session_for(ActionCode::Enroll).await
    }

    /// Opens a session.
    pub async fn session_for(&self, action: ActionCode) -> SessionToken {
        self.open_session(|session| session.action = action).await
    }

    /// The session behind a token.
    pub async fn stored_session(&self, token: &SessionToken) -> Session {
        let found = self.stores.sessions.find(token.id()).await.unwrap();
        found.expect("a session")
    }

    /// Submits an enrollment.
    pub async fn submit(&self, token: &SessionToken, key: &str) -> Result<SubmitResponse, SubmitError> {
        let body = fixtures::enrollment();
        self.submit_body(ActionCode::Enroll, token, key, &body).await
    }

    /// Enrolls a card, and returns its id. What MRS was asked is forgotten.
    pub async fn card(&self) -> IntentId {
        let session = self.session().await;
        self.mrs.answers_enrollment(EnrollmentAnswer::Enrolled);
        let submitted = self.submit(&session, "card").await.unwrap();
        assert!(matches!(submitted, SubmitResponse::Ended { .. }), "{submitted:?}");
        self.mrs.take_calls();
        IntentId::derive(session.id(), &idempotency_key("card"))
    }

    /// Submits a replacement of a card.
    pub async fn replace(
        &self,
        token: &SessionToken,
        key: &str,
        old: IntentId,
    ) -> Result<SubmitResponse, SubmitError> {
        let mut body = fixtures::enrollment();
        body["oldCard"] = old.to_hex().into();
        self.submit_body(ActionCode::Replace, token, key, &body).await
    }

    /// Submits the opt-out of a card.
    pub async fn opt_out(
        &self,
        token: &SessionToken,
        key: &str,
        old: IntentId,
    ) -> Result<SubmitResponse, SubmitError> {
        let body = json!({"oldCard": old.to_hex()});
        self.submit_body(ActionCode::OptOut, token, key, &body).await
    }

    /// Submits a body as it is.
    pub async fn submit_body(
        &self,
        action: ActionCode,
        token: &SessionToken,
        key: &str,
        body: &Value,
    ) -> Result<SubmitResponse, SubmitError> {
        self.submit_to(&self.mrs, action, token, key, body).await
    }

    /// Submits a body to another MRS.
    pub async fn submit_to(
        &self,
        rewards: &dyn Rewards,
        action: ActionCode,
        token: &SessionToken,
        key: &str,
        body: &Value,
    ) -> Result<SubmitResponse, SubmitError> {
        let flow = Submit {
            rewards,
            ..self.submit_flow(action)
        };
        self.run(&flow, token, key, body).await
    }

    /// Submits an enrollment that reads its records elsewhere.
    pub async fn submit_over(
        &self,
        records: &dyn SubmissionRecords,
        token: &SessionToken,
        key: &str,
        body: &Value,
    ) -> Result<SubmitResponse, SubmitError> {
        let flow = Submit {
            records,
            ..self.submit_flow(ActionCode::Enroll)
        };
        self.run(&flow, token, key, body).await
    }

    /// The first submission of a session, with other intents. With a card: the one that it takes out of the program.
    pub(crate) async fn submit_without_storing(
        &self,
        intents: &dyn Intents,
        token: &SessionToken,
        card: Option<IntentId>,
    ) -> Result<SubmitResponse, SubmitError> {
        let action = self.stored_session(token).await.action;
        let mut body = fixtures::enrollment();
        if let Some(card) = card {
            body["oldCard"] = card.to_hex().into();
        }
        if action == ActionCode::OptOut {
            body = json!({"oldCard": body["oldCard"]});
        }
        let flow = Submit {
            intents,
            ..self.submit_flow(action)
        };
        self.run(&flow, token, "a", &body).await
    }

    /// Begins an enrollment in stores in memory, and dies while MRS is asked.
    pub fn begin_only(&self, token: &SessionToken, key: &str) {
        self.mrs.blocks();
        let mut submission = pin!(self.submit(token, key));
        let polled = submission.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "MRS does not answer");
        self.mrs.unblocks();
    }

    /// The same submission twice at once, in the worst order: the second one comes and ends after the first one found
    /// that it is new, and before the first one continues. Returns the answer of the first one, then that of the second.
    pub async fn submit_twice(
        &self,
        token: &SessionToken,
        key: &str,
    ) -> [Result<SubmitResponse, SubmitError>; 2] {
        let second = tokio::sync::Mutex::new(None);
        let interrupted = Interrupted {
            fixture: self,
            token,
            key,
            second: &second,
        };
        let body = fixtures::enrollment();
        let flow = Submit {
            limits: &interrupted,
            ..self.submit_flow(ActionCode::Enroll)
        };
        let first = self.run(&flow, token, key, &body).await;
        [first, second.into_inner().expect("the first one was counted")]
    }

    fn submit_flow(&self, action: ActionCode) -> Submit<'_> {
        Submit {
            action,
            clients: &*self.stores.clients,
            sessions: &*self.stores.sessions,
            records: &*self.stores.records,
            limits: &*self.stores.limits,
            intents: &*self.stores.intents,
            leases: &*self.stores.leases,
            customers: &*self.stores.customers,
            rewards: &self.mrs,
            wakeups: &self.wakeups,
            clock: &*self.clock,
            randomness: &self.randomness,
        }
    }

    async fn run(
        &self,
        flow: &Submit<'_>,
        token: &SessionToken,
        key: &str,
        body: &Value,
    ) -> Result<SubmitResponse, SubmitError> {
        let incident = IncidentId::random(&self.randomness);
        let body = body.to_string();
        flow.submit(token, &idempotency_key(key), body.as_bytes(), incident)
            .await
    }

    /// Describes a session for an enrollment.
    pub async fn describe(&self, token: &SessionToken) -> Result<Description, SubmitError> {
        self.describe_for(ActionCode::Enroll, token).await
    }

    /// Describes a session.
    pub async fn describe_for(
        &self,
        action: ActionCode,
        token: &SessionToken,
    ) -> Result<Description, SubmitError> {
        self.described(action, token).await.result
    }

    /// Describes a session, with the address for the way back.
    pub async fn described(&self, action: ActionCode, token: &SessionToken) -> Described {
        let describe = Describe {
            action,
            clients: &*self.stores.clients,
            sessions: &*self.stores.sessions,
            intents: &*self.stores.intents,
            customers: &*self.stores.customers,
            wakeups: &self.wakeups,
            keys: &Key,
            clock: &*self.clock,
        };
        describe
            .describe(token, IncidentId::random(&self.randomness))
            .await
    }

    /// Decides an intent that the page's calls have read.
    pub async fn decide(&self, intent: Intent) -> Result<Intent, StoreError> {
        let decision = Decision {
            intents: &*self.stores.intents,
            wakeups: &self.wakeups,
            clock: &*self.clock,
        };
        decision.decide(intent).await
    }

    /// Resumes an intent, as its wake-up does: MRS is asked if the intent is due.
    pub async fn resume(&self, token: &SessionToken, key: &str) {
        let id = IntentId::derive(token.id(), &idempotency_key(key));
        self.sweep_flow().resume_intent(id).await.unwrap();
    }

    /// Sweeps, as a schedule does every minute.
    pub async fn sweep(&self) -> SweepReport {
        self.sweep_flow().resume_intents().await.unwrap()
    }

    /// The sweep over these stores.
    pub fn sweep_flow(&self) -> Sweep<'_> {
        Sweep {
            settlement: Settlement {
                intents: &*self.stores.intents,
                leases: &*self.stores.leases,
                customers: &*self.stores.customers,
                rewards: &self.mrs,
                clients: &*self.stores.clients,
                wakeups: &self.wakeups,
                clock: &*self.clock,
            },
            due_intents: &*self.stores.due_intents,
            confirmations: &*self.stores.confirmations,
        }
    }

    /// The intent of a submission.
    pub async fn intent(&self, token: &SessionToken, key: &str) -> Intent {
        let id = IntentId::derive(token.id(), &idempotency_key(key));
        self.stores.intents.intent(id).await.unwrap().expect("an intent")
    }

    /// `(active, pending)` of the customer.
    pub async fn cards(&self) -> (u32, u32) {
        let CardCount { active, pending, .. } = self.customer().await.count;
        (active, pending)
    }

    /// The customer.
    pub async fn customer(&self) -> Customer {
        self.stores
            .customers
            .customer(&self.client, &self.program, &self.customer)
            .await
            .unwrap()
    }

    /// The state of a card of the customer.
    pub async fn state_of(&self, id: IntentId) -> CardState {
        let cards = self.customer().await.cards;
        let card = cards.iter().find(|card| card.id == id);
        card.expect("a card of that id").state
    }

    /// Bodies of the confirmations that are to be sent.
    pub async fn confirmations(&self) -> Vec<Value> {
        self.stores.inspection.confirmation_bodies().await
    }
}

/// Counts an attempt after the same submission has come once more.
struct Interrupted<'a> {
    fixture: &'a Fixture,
    token: &'a SessionToken,
    key: &'a str,
    second: &'a tokio::sync::Mutex<Option<Result<SubmitResponse, SubmitError>>>,
}

#[async_trait]
impl Limits for Interrupted<'_> {
    async fn counters(&self, counted: CounterKey<'_>) -> Result<Counters, StoreError> {
        self.fixture.stores.limits.counters(counted).await
    }

    async fn count(
        &self,
        counted: CounterKey<'_>,
        known: &Counters,
        attempt: IntentId,
        now: Timestamp,
    ) -> Result<Attempts, StoreError> {
        *self.second.lock().await = Some(self.fixture.submit(self.token, self.key).await);
        let limits = &self.fixture.stores.limits;
        limits.count(counted, known, attempt, now).await
    }
}
