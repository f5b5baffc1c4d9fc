//! The product's flows over its own adapters and a real store, with a clock and an MRS of the test's own.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{TestClock, World};
use enrollment::action::ActionCode;
use enrollment::client::{BankCustomerNumberKind, BinRange, Client, ClientStatus, Fields, Look, Program};
use enrollment::clock::Clock as _;
use enrollment::confirmation::ConfirmationId;
use enrollment::flows::decide::Decision;
use enrollment::flows::describe::{Describe, Description};
use enrollment::flows::settle::Settlement;
use enrollment::flows::submit::{Submit, SubmitError, SubmitResponse};
use enrollment::flows::sweep::{Sweep, SweepReport};
use enrollment::identifiers::{
    ClientId, CustomerId, IdempotencyKey, IncidentId, IntentId, ProgramId, SessionToken, Slug,
};
use enrollment::intent::{CardCount, CardState, Customer, Intent};
use enrollment::language::Language;
use enrollment::limits::{Attempts, Counters};
use enrollment::ports::{
    Counted, EncryptionKey, EncryptionKeys, Enrollments as _, Limits, Opened, Sessions as _, StoreError,
    Wakeups,
};
use enrollment::randomness::Randomness as _;
use enrollment::session::{self, Session, UsedToken};
use flows::card::random_hex;
use flows::local_aws::{Settings, aws, scan, sdk};
use flows::stack::Stack;
use jiff::{SignedDuration, Timestamp};
use platform::SystemRandomness;
use platform::tables::client_setups::{ClientSetups, Stored};
use platform::tables::{
    DynamoClients, DynamoConfirmations, DynamoEnrollments, DynamoLimits, DynamoSessions,
    DynamoSubmissionRecords,
};
use platform::vault::{KmsKeyWrapper, Place, Purpose, Vault};
use serde_json::{Value, json};

use super::scripted_mrs::{Ending, ScriptedMrs};

const RANDOMNESS: &SystemRandomness = &SystemRandomness;

/// Tables of its own, which go with it.
pub(super) struct Bank {
    pub(super) clock: Arc<TestClock>,
    pub(super) mrs: ScriptedMrs,
    pub(super) wakeups: Recorded,
    world: World,
    vault: Arc<Vault>,
    clients: Arc<DynamoClients>,
    sessions: DynamoSessions,
    records: DynamoSubmissionRecords,
    limits: DynamoLimits,
    enrollments: DynamoEnrollments,
    confirmations: DynamoConfirmations,
    client: ClientId,
    program: ProgramId,
    customer: CustomerId,
}

impl Bank {
    pub(super) async fn new() -> Self {
        Self::with_program(|_| {}).await
    }

    pub(super) async fn with_program(change: impl Fn(&mut Program)) -> Self {
        let clock = Arc::new(TestClock::at("2027-03-14T15:09:26Z".parse().unwrap()));
        let keys = KmsKeyWrapper::new(sdk().kms(), Settings::read().kms_key_id);
        let world = World::new(&Stack::here().endpoints.aws, Arc::new(keys)).await;
        let world = world.at(clock.clone());
        let (vault, clients) = (world.vault(), Arc::new(world.clients()));
        let mut client = client();
        change(&mut client.programs[0]);
        let set_ups = ClientSetups {
            dynamodb: world.dynamodb.clone(),
            table: world.tables.clients.clone(),
            randomness: RANDOMNESS,
            clock: &*clock,
        };
        assert_eq!(set_ups.store(&client, None).await.unwrap(), Stored::Now);
        Self {
            mrs: ScriptedMrs::new(clock.clone()),
            wakeups: Recorded::default(),
            sessions: world.sessions(&vault),
            records: world.submission_records(&vault, &clients),
            clients,
            limits: world.limits(&vault),
            enrollments: world.enrollments(&vault),
            confirmations: world.confirmations(&vault),
            client: client.id,
            program: client.programs[0].id.clone(),
            customer: CustomerId::parse(&format!("customer-{}", random_hex(8))).unwrap(),
            clock,
            vault,
            world,
        }
    }

    /// A session of the bank's one customer, to enroll a card.
    pub(super) async fn session(&self) -> SessionToken {
        self.session_for(ActionCode::Enroll).await
    }

    /// A session of the bank's one customer.
    pub(super) async fn session_for(&self, action: ActionCode) -> SessionToken {
        let token = SessionToken::random(RANDOMNESS);
        let now = self.clock.now();
        let session = Session {
            id: token.id(),
            client: self.client.clone(),
            program: self.program.clone(),
            action,
            customer: self.customer.clone(),
            language: Language::parse("en").unwrap(),
            confirmation_url: Some("https://bank.example/confirmations".parse().unwrap()),
            last4: None,
            opened_at: now,
            expires_at: now + session::LIFETIME,
            extensions: 0,
            failures: 0,
            open_attempt: None,
            last_attempt: None,
            finished: false,
        };
        let mut digest = [0; 32];
        RANDOMNESS.fill(&mut digest);
        let used = UsedToken {
            digest,
            until: now + SignedDuration::from_mins(10),
        };
        assert_eq!(self.sessions.open(&session, &used).await.unwrap(), Opened::Now);
        token
    }

    pub(super) async fn stored_session(&self, token: &SessionToken) -> Session {
        self.sessions.find(token.id()).await.unwrap().expect("a session")
    }

    pub(super) async fn submit(
        &self,
        token: &SessionToken,
        key: &str,
    ) -> Result<SubmitResponse, SubmitError> {
        self.submit_counted_by(&self.limits, token, key).await
    }

    /// A card that the customer has; its name.
    pub(super) async fn card(&self) -> IntentId {
        let session = self.session().await;
        self.mrs.ends(Ending::Enrolled);
        let submitted = self.submit(&session, "card").await.unwrap();
        assert!(matches!(submitted, SubmitResponse::Ended { .. }), "{submitted:?}");
        self.mrs.calls();
        IntentId::derive(session.id(), &idempotency_key("card"))
    }

    /// A submission that replaces a card.
    pub(super) async fn replace(
        &self,
        token: &SessionToken,
        key: &str,
        old: IntentId,
    ) -> Result<SubmitResponse, SubmitError> {
        let mut body = body();
        body["oldCard"] = old.to_hex().into();
        self.submit_body(ActionCode::Replace, &self.limits, token, key, &body)
            .await
    }

    /// A submission that opts a card out.
    pub(super) async fn opt_out(
        &self,
        token: &SessionToken,
        key: &str,
        old: IntentId,
    ) -> Result<SubmitResponse, SubmitError> {
        let body = json!({"oldCard": old.to_hex()});
        self.submit_body(ActionCode::OptOut, &self.limits, token, key, &body)
            .await
    }

    /// The same submission twice at once, in the worst order: the second one comes and is done with after the first one
    /// found that it is new and before it goes on. Gives the answer of the first one, then that of the second.
    pub(super) async fn submit_twice(
        &self,
        token: &SessionToken,
        key: &str,
    ) -> [Result<SubmitResponse, SubmitError>; 2] {
        let second = tokio::sync::Mutex::new(None);
        let interrupted = Interrupted {
            bank: self,
            token,
            key,
            second: &second,
        };
        let first = self.submit_counted_by(&interrupted, token, key).await;
        [first, second.into_inner().expect("the first one was counted")]
    }

    async fn submit_counted_by(
        &self,
        limits: &dyn Limits,
        token: &SessionToken,
        key: &str,
    ) -> Result<SubmitResponse, SubmitError> {
        self.submit_body(ActionCode::Enroll, limits, token, key, &body())
            .await
    }

    async fn submit_body(
        &self,
        action: ActionCode,
        limits: &dyn Limits,
        token: &SessionToken,
        key: &str,
        body: &Value,
    ) -> Result<SubmitResponse, SubmitError> {
        let submitting = Submit {
            action,
            clients: &*self.clients,
            sessions: &self.sessions,
            records: &self.records,
            limits,
            enrollments: &self.enrollments,
            rewards: &self.mrs,
            wakeups: &self.wakeups,
            clock: &*self.clock,
            randomness: RANDOMNESS,
        };
        let incident = IncidentId::random(RANDOMNESS);
        submitting
            .submit(
                token,
                &idempotency_key(key),
                body.to_string().as_bytes(),
                incident,
            )
            .await
    }

    pub(super) async fn describe(&self, token: &SessionToken) -> Result<Description, SubmitError> {
        self.describe_for(ActionCode::Enroll, token).await
    }

    pub(super) async fn describe_for(
        &self,
        action: ActionCode,
        token: &SessionToken,
    ) -> Result<Description, SubmitError> {
        let describing = Describe {
            action,
            clients: &*self.clients,
            sessions: &self.sessions,
            enrollments: &self.enrollments,
            wakeups: &self.wakeups,
            keys: &NoKey,
            clock: &*self.clock,
        };
        describing.describe(token, IncidentId::random(RANDOMNESS)).await
    }

    /// As the page's calls do with an intent that they have read.
    pub(super) async fn decide(&self, intent: Intent) -> Result<Intent, StoreError> {
        let deciding = Decision {
            enrollments: &self.enrollments,
            wakeups: &self.wakeups,
            clock: &*self.clock,
        };
        deciding.decide(intent).await
    }

    /// As `settle` does with an intent that somebody is woken for: MRS is asked if its turn has come.
    pub(super) async fn look_after(&self, token: &SessionToken, key: &str) {
        let id = IntentId::derive(token.id(), &idempotency_key(key));
        self.sweeping().settle(id).await.unwrap();
    }

    /// As `settle` does every minute.
    pub(super) async fn sweep(&self) -> SweepReport {
        self.sweeping().look_after().await.unwrap()
    }

    fn sweeping(&self) -> Sweep<'_> {
        Sweep {
            settlement: Settlement {
                enrollments: &self.enrollments,
                rewards: &self.mrs,
                clients: &*self.clients,
                wakeups: &self.wakeups,
                clock: &*self.clock,
            },
            confirmations: &self.confirmations,
        }
    }

    pub(super) async fn intent(&self, token: &SessionToken, key: &str) -> Intent {
        let id = IntentId::derive(token.id(), &idempotency_key(key));
        self.enrollments.intent(id).await.unwrap().expect("an intent")
    }

    /// `(active, pending)` of the bank's one customer.
    pub(super) async fn cards(&self) -> (u32, u32) {
        let CardCount { active, pending, .. } = self.customer().await.count;
        (active, pending)
    }

    /// The bank's one customer.
    pub(super) async fn customer(&self) -> Customer {
        let Self {
            client,
            program,
            customer,
            ..
        } = self;
        self.enrollments
            .customer(client, program, customer)
            .await
            .unwrap()
    }

    /// How a card of the customer's stands.
    pub(super) async fn state_of(&self, id: IntentId) -> CardState {
        let cards = self.customer().await.cards;
        let card = cards.iter().find(|card| card.id == id);
        card.expect("a card of that name").state
    }

    /// What partners shall be told, opened.
    pub(super) async fn confirmations(&self) -> Vec<Value> {
        let mut bodies = Vec::new();
        for item in scan(&self.world.tables.confirmations) {
            let pk = item["pk"]["S"].as_str().unwrap();
            let place = Place {
                table: "confirmations",
                pk,
                sk: "",
                attribute: "body",
            };
            let sealed = STANDARD.decode(item["body"]["B"].as_str().unwrap()).unwrap();
            let opened = self
                .vault
                .open(&self.client, Purpose::Confirmation, place, &sealed)
                .await
                .unwrap();
            bodies.push(serde_json::from_slice(&opened).unwrap());
        }
        bodies
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for table in self.world.tables.all() {
            aws("DynamoDB_20120810.DeleteTable", &json!({"TableName": table}));
        }
    }
}

/// Counts as the bank does, after the same submission has come once more.
struct Interrupted<'a> {
    bank: &'a Bank,
    token: &'a SessionToken,
    key: &'a str,
    second: &'a tokio::sync::Mutex<Option<Result<SubmitResponse, SubmitError>>>,
}

#[async_trait]
impl Limits for Interrupted<'_> {
    async fn counters(&self, counted: Counted<'_>) -> Result<Counters, StoreError> {
        self.bank.limits.counters(counted).await
    }

    async fn count(
        &self,
        counted: Counted<'_>,
        known: &Counters,
        attempt: IntentId,
        now: Timestamp,
    ) -> Result<Attempts, StoreError> {
        *self.second.lock().await = Some(self.bank.submit(self.token, self.key).await);
        self.bank.limits.count(counted, known, attempt, now).await
    }
}

/// Nobody is woken: these tests call what they want called. Written down is who would be, and after how long.
#[derive(Default)]
pub(super) struct Recorded(std::sync::Mutex<Vec<SignedDuration>>);

impl Recorded {
    /// After how long settlement would have been woken, since the last look.
    pub(super) fn waits(&self) -> Vec<SignedDuration> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[async_trait]
impl Wakeups for Recorded {
    async fn settle(&self, _intent: IntentId, after: SignedDuration) -> Result<(), StoreError> {
        self.0.lock().unwrap().push(after);
        Ok(())
    }

    async fn confirm(
        &self,
        _confirmations: &[(ConfirmationId, ClientId)],
        _after: SignedDuration,
    ) -> Result<(), StoreError> {
        Ok(())
    }
}

/// No form is shown with it here.
struct NoKey;

#[async_trait]
impl EncryptionKeys for NoKey {
    async fn current(&self) -> Result<EncryptionKey, StoreError> {
        Ok(EncryptionKey {
            reference: "119009".into(),
            spki: String::new(),
            fingerprint: String::new(),
        })
    }
}

fn client() -> Client {
    Client {
        id: ClientId::parse("bank").unwrap(),
        slug: Slug::parse("bank").unwrap(),
        name: "Bank".into(),
        institution_name: None,
        status: ClientStatus::Active,
        keys: Vec::new(),
        default_language: Language::parse("en").unwrap(),
        translations: std::collections::BTreeMap::new(),
        terms: None,
        privacy: None,
        fields: Fields::default(),
        look: Look::default(),
        embed_origins: Vec::new(),
        confirmation_hosts: vec!["bank.example".into()],
        retired_programs: Vec::new(),
        programs: vec![Program {
            id: ProgramId::parse("10765").unwrap(),
            member_ica: 1234,
            bank_product_code: "MRSDEMO".into(),
            bin_ranges: vec![BinRange {
                from: "523400".into(),
                to: "523499".into(),
                design_code: None,
            }],
            bank_customer_number: BankCustomerNumberKind::PerCard,
            retention_days: 30,
            replacement: true,
            opt_out: true,
            max_cards: 5,
            attempts_per_customer_per_hour: 100,
            attempts_per_client_per_hour: 100,
        }],
    }
}

fn idempotency_key(name: &str) -> IdempotencyKey {
    IdempotencyKey::parse(&format!("{name:-<16}")).unwrap()
}

/// A pair that nobody reads here.
fn body() -> Value {
    let [key, data] = [256, 44].map(|length| STANDARD.encode(vec![7_u8; length]));
    json!({"card": {"key": key, "data": data}, "bin": "523400", "last4": "0123"})
}
