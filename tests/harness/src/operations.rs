//! The flows beside a submission, over the stores of a [`Fixture`].

use std::sync::Arc;

use enrollment::action::ActionCode;
use enrollment::client::Client;
use enrollment::clock::Clock as _;
use enrollment::confirmation::ConfirmationId;
use enrollment::flows::deliver::{Delivery, DeliveryReport};
use enrollment::flows::erase::{DataSubject, Erasure, ErasureError, ErasureReport};
use enrollment::flows::extend::{ExtendError, ExtendSession, Extension};
use enrollment::flows::open::{NewSession, OpenError, OpenSession};
use enrollment::flows::purge::{Purge, PurgeReport};
use enrollment::flows::reconcile::{Difference, Reconciliation, ReconciliationResult, RepairPolicy};
use enrollment::flows::sweep::WakeReport;
use enrollment::identifiers::{CustomerId, IntentId, SessionToken};
use enrollment::ports::{Receivers, Rewards, StoreError};
use enrollment::randomness::Randomness as _;
use enrollment::session::{Session, UsedToken};
use enrollment::token::TokenRules;
use jiff::SignedDuration;

use crate::fixture::Fixture;
use crate::fixtures::{self, idempotency_key};
use crate::model::Model;
use crate::stores::Stores;

impl Fixture {
    /// Over a model that the test can read, with a client as the test changes it.
    pub fn on_model(change: impl FnOnce(&mut Client)) -> (Self, Arc<Model>) {
        let mut client = fixtures::settlement_client();
        change(&mut client);
        let clock = Arc::new(crate::TestClock::at(fixtures::start()));
        let model = Arc::new(Model::new(clock.clone()));
        model.set_up(client.clone());
        let stores = Stores::of_model(model.clone());
        (Self::over(stores, &client, clock), model)
    }

    /// The client as it is set up now.
    pub async fn client(&self) -> Client {
        let found = self.stores.clients.by_id(&self.client).await.unwrap();
        Client::clone(&found.expect("the client is set up"))
    }

    /// Opens a session for an enrollment, as the test changes it.
    pub async fn open_session(&self, change: impl FnOnce(&mut Session)) -> SessionToken {
        let token = SessionToken::random(&self.randomness);
        let now = self.clock.now();
        let mut session = Session {
            id: token.id(),
            client: self.client.clone(),
            program: self.program.clone(),
            customer: self.customer.clone(),
            confirmation_url: Some("https://bank.example/confirmations".parse().unwrap()),
            ..fixtures::session_at(now)
        };
        change(&mut session);
        let mut digest = [0; 32];
        self.randomness.fill(&mut digest);
        let used = UsedToken {
            digest,
            until: now + SignedDuration::from_mins(10),
        };
        self.stores.sessions.open(&session, &used).await.unwrap();
        token
    }

    /// Enrolls a card of a customer at another MRS, and returns its id.
    pub async fn enroll_at(&self, rewards: &dyn Rewards, customer: &CustomerId) -> IntentId {
        let session = self
            .open_session(|session| session.customer = customer.clone())
            .await;
        // MRS declines a card that it has.
        let mut body = fixtures::enrollment();
        body["card"]["data"] = fixtures::ciphertext(&self.randomness).into();
        let submitted = self
            .submit_to(rewards, ActionCode::Enroll, &session, "card", &body)
            .await
            .unwrap();
        assert!(fixtures::is_success(&submitted), "{submitted:?}");
        IntentId::derive(session.id(), &idempotency_key("card"))
    }

    /// Opens a session with a token.
    ///
    /// # Errors
    /// Those of the flow.
    pub async fn open(&self, token: &str) -> Result<NewSession, OpenError> {
        let flow = OpenSession {
            clients: &*self.stores.clients,
            sessions: &*self.stores.sessions,
            limits: &*self.stores.limits,
            clock: &*self.clock,
            randomness: &self.randomness,
            token_rules: TokenRules {
                max_lifetime: SignedDuration::from_mins(10),
                audience: "https://cards.example",
            },
        };
        flow.open(token).await
    }

    /// Extends a session for an enrollment.
    ///
    /// # Errors
    /// Those of the flow.
    pub async fn extend(&self, token: &SessionToken) -> Result<Extension, ExtendError> {
        self.extend_over(&*self.stores.sessions, token).await
    }

    /// As [`Self::extend`], over other sessions.
    ///
    /// # Errors
    /// Those of the flow.
    pub async fn extend_over(
        &self,
        sessions: &dyn enrollment::ports::Sessions,
        token: &SessionToken,
    ) -> Result<Extension, ExtendError> {
        let flow = ExtendSession {
            action: ActionCode::Enroll,
            clients: &*self.stores.clients,
            sessions,
            clock: &*self.clock,
        };
        flow.extend(token).await
    }

    /// Wakes the senders of due confirmations.
    ///
    /// # Errors
    /// Those of the flow.
    pub async fn wake(&self) -> Result<WakeReport, StoreError> {
        self.sweep_flow().wake_deliveries().await
    }

    /// Sends a confirmation.
    ///
    /// # Errors
    /// Those of the flow.
    pub async fn deliver(
        &self,
        receivers: &dyn Receivers,
        id: &ConfirmationId,
    ) -> Result<DeliveryReport, StoreError> {
        let flow = Delivery {
            confirmations: &*self.stores.confirmations,
            receivers,
            clients: &*self.stores.clients,
            wakeups: &self.wakeups,
            clock: &*self.clock,
            randomness: &self.randomness,
        };
        flow.confirm(id).await
    }

    /// Deletes records past their retention.
    ///
    /// # Errors
    /// Those of the flow.
    pub async fn purge(&self) -> Result<PurgeReport, StoreError> {
        let flow = Purge {
            client_index: &*self.stores.client_index,
            clients: &*self.stores.clients,
            purges: &*self.stores.purges,
            clock: &*self.clock,
        };
        flow.run().await
    }

    /// Erases all records of a customer.
    ///
    /// # Errors
    /// Those of the flow.
    pub async fn erase(
        &self,
        rewards: &dyn Rewards,
        customer: &CustomerId,
        opt_out: bool,
    ) -> Result<ErasureReport, ErasureError> {
        let flow = Erasure {
            purges: &*self.stores.purges,
            customers: &*self.stores.customers,
            customer_records: &*self.stores.customer_records,
            rewards,
            clock: &*self.clock,
        };
        let client = self.client().await;
        let subject = DataSubject {
            client: &client,
            program: &self.program,
            customer,
        };
        flow.erase(subject, opt_out).await
    }

    /// Compares the client's cards with those of an MRS. Returns the differences too, as they were left.
    ///
    /// # Errors
    /// Those of the flow.
    pub async fn reconcile(
        &self,
        rewards: &dyn Rewards,
        policy: RepairPolicy,
    ) -> Result<(ReconciliationResult, Vec<Difference>), StoreError> {
        let flow = Reconciliation {
            customer_records: &*self.stores.customer_records,
            intents: &*self.stores.intents,
            customers: &*self.stores.customers,
            rewards,
            clock: &*self.clock,
        };
        let mut differences = Vec::new();
        let client = self.client().await;
        let result = flow
            .reconcile(&client, policy, |difference| differences.push(difference.clone()))
            .await?;
        Ok((result, differences))
    }
}
