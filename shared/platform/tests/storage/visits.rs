//! Customers' visits by the product's own flows, with an MRS that answers at once.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::World;
use enrollment::action::ActionCode;
use enrollment::client::Client;
use enrollment::clock::Clock as _;
use enrollment::ending::Ending;
use enrollment::flows::open::{OpenError, OpenSession};
use enrollment::flows::submit::{Submit, SubmitError, SubmitResponse};
use enrollment::identifiers::{
    BankCustomerNumber, IdempotencyKey, IncidentId, IntentId, Ranac, SessionId, SessionToken,
};
use enrollment::intent::Intent;
use enrollment::limits::{Attempts, Counters};
use enrollment::look_up::LookUp;
use enrollment::ports::{
    ContextQuery, CounterKey, Limits, NewCard, Rewards, RewardsError, StoreError, SubmissionContext,
    SubmissionRecords, Wakeups, Work,
};
use enrollment::randomness::Randomness as _;
use enrollment::session::Session;
use enrollment::status::{MrsCode, Status};
use enrollment::token::TokenRules;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey};
use platform::SystemRandomness;
use platform::tables::client_setups::{ClientSetups, SetupWrite};
use platform::tables::{
    DynamoClients, DynamoEnrollments, DynamoLimits, DynamoSessions, DynamoSubmissionRecords,
};
use platform::vault::Vault;
use serde_json::json;

const PRIVATE_KEY_PEM: &str = include_str!("../../../enrollment/src/testing/private-key.pem");
const PUBLIC_KEY_PEM: &str = include_str!("../../../enrollment/src/testing/public-key.pem");
const MAX_CARDS: u8 = 8;

/// One process of each function.
pub(crate) struct Functions<'w> {
    world: &'w World,
    clients: Arc<DynamoClients>,
    sessions: DynamoSessions,
    records: DynamoSubmissionRecords,
    limits: DynamoLimits,
    enrollments: DynamoEnrollments,
}

/// A session of one customer.
pub(crate) struct Visit {
    pub(crate) token: SessionToken,
    action: ActionCode,
}

/// Stores the one client, with one program.
pub(crate) async fn set_up(world: &World) {
    let set_ups = ClientSetups {
        dynamodb: world.dynamodb.clone(),
        table: world.tables.clients.clone(),
        randomness: &SystemRandomness,
        clock: &*world.clock,
    };
    assert_eq!(set_ups.store(&client(), None).await.unwrap(), SetupWrite::Stored);
}

fn client() -> Client {
    serde_json::from_value(json!({
        "id": "demo", "slug": "demo", "name": "Demo Bank", "status": "active",
        "keys": [{"id": "2026-11", "pem": PUBLIC_KEY_PEM, "not_after": null}],
        "default_language": "en", "translations": {}, "terms": null, "privacy": null, "fields": {},
        "look": {"logo": null, "background": null, "colors": {}},
        "embed_origins": [], "confirmation_hosts": ["api.bank.example"],
        "programs": [{
            "id": "10765", "member_ica": 1234, "bank_product_code": "MRSDEMO",
            "bin_ranges": [{"from": "523400", "to": "523499", "design_code": "Gold"}],
            "bank_customer_number": "per_card", "retention_days": 30, "replacement": true, "opt_out": true,
            "max_cards": MAX_CARDS, "attempts_per_customer_per_hour": 100, "attempts_per_client_per_hour": 1000
        }]
    }))
    .unwrap()
}

impl<'w> Functions<'w> {
    pub(crate) fn new(world: &'w World, vault: &Arc<Vault>) -> Self {
        let clients = Arc::new(world.clients());
        Self {
            sessions: world.sessions(vault),
            records: world.submission_records(vault, &clients),
            limits: world.limits(vault),
            enrollments: world.enrollments(vault),
            clients,
            world,
        }
    }

    /// A partner's token is posted.
    pub(crate) async fn open(&self, customer: &str, action: ActionCode) -> Result<Visit, OpenError> {
        let opening = OpenSession {
            clients: &*self.clients,
            sessions: &self.sessions,
            limits: &self.limits,
            clock: &*self.world.clock,
            randomness: &SystemRandomness,
            token_rules: TokenRules {
                max_lifetime: SignedDuration::from_mins(10),
                audience: "https://cards.example",
            },
        };
        let now = self.world.clock.now().as_second();
        let mut unique = [0; 8];
        SystemRandomness.fill(&mut unique);
        let claims = json!({
            "iss": "demo", "sub": customer, "actionCode": action.as_str(), "programId": "10765",
            "iat": now, "exp": now + 600, "jti": hex::encode(unique),
            "confirmationUrl": "https://api.bank.example/confirmations"
        });
        let segment = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", segment(&json!({"alg": "RS256"})), segment(&claims));
        let key = EncodingKey::from_rsa_pem(PRIVATE_KEY_PEM.as_bytes()).unwrap();
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::RS256).unwrap();
        let opened = opening.open(&format!("{signed}.{signature}")).await?;
        let token = opened.session;
        Ok(Visit { token, action })
    }

    /// The page submits what its session is for. `mrs` says what MRS answers to an enrollment.
    pub(crate) async fn submit(
        &self,
        visit: &Visit,
        attempt: u32,
        card: Option<IntentId>,
        mrs: Mrs,
    ) -> Result<SubmitResponse, SubmitError> {
        self.submit_over(&self.records, &self.limits, visit, attempt, card, mrs)
            .await
    }

    /// Two submissions of one session that MRS declines: the second one comes and ends after the first one has read the
    /// session and before it begins. The answer to the first one, then that to the second.
    pub(crate) async fn submit_across(&self, visit: &Visit) -> [Result<SubmitResponse, SubmitError>; 2] {
        let second = tokio::sync::Mutex::new(None);
        let interrupted = Interrupted {
            functions: self,
            visit,
            second: &second,
        };
        let first = self
            .submit_over(&self.records, &interrupted, visit, 1, None, Mrs::Declines)
            .await;
        [first, second.into_inner().unwrap()]
    }

    /// One submission sent twice: the first one comes and succeeds after the other has read that there is no intent and
    /// before it reads the session. The answer to the other.
    pub(crate) async fn submit_twice_at_once(&self, visit: &Visit) -> Result<SubmitResponse, SubmitError> {
        let apart = ReadApart {
            functions: self,
            visit,
        };
        self.submit_over(&apart, &self.limits, visit, 1, None, Mrs::Agrees)
            .await
    }

    async fn submit_over(
        &self,
        records: &dyn SubmissionRecords,
        limits: &dyn Limits,
        visit: &Visit,
        attempt: u32,
        card: Option<IntentId>,
        mrs: Mrs,
    ) -> Result<SubmitResponse, SubmitError> {
        let submitting = Submit {
            action: visit.action,
            clients: &*self.clients,
            sessions: &self.sessions,
            records,
            limits,
            intents: &self.enrollments,
            leases: &self.enrollments,
            customers: &self.enrollments,
            rewards: &mrs,
            wakeups: &NoWakeups,
            clock: &*self.world.clock,
            randomness: &SystemRandomness,
        };
        let mut body = json!({});
        if visit.action != ActionCode::OptOut {
            let pair = json!({"key": "BwcH".repeat(86), "data": "BwcH".repeat(15)});
            body = json!({"card": pair, "bin": "523400", "last4": "0123"});
        }
        if let Some(card) = card {
            body["oldCard"] = card.to_hex().into();
        }
        let incident = IncidentId::random(&SystemRandomness);
        submitting
            .submit(&visit.token, &key(attempt), body.to_string().as_bytes(), incident)
            .await
    }

    /// A customer enrolls a card; its name.
    pub(crate) async fn enroll(&self, customer: &str) -> IntentId {
        let visit = self.open(customer, ActionCode::Enroll).await.unwrap();
        let submitted = self.submit(&visit, 1, None, Mrs::Agrees).await.unwrap();
        assert_eq!(ending(&submitted).status, Status::SuccessEnrollment);
        IntentId::derive(visit.token.id(), &key(1))
    }
}

/// Counts after another submission of the session has come and failed.
struct Interrupted<'a> {
    functions: &'a Functions<'a>,
    visit: &'a Visit,
    second: &'a tokio::sync::Mutex<Option<Result<SubmitResponse, SubmitError>>>,
}

#[async_trait]
impl Limits for Interrupted<'_> {
    async fn counters(&self, counted: CounterKey<'_>) -> Result<Counters, StoreError> {
        self.functions.limits.counters(counted).await
    }

    async fn count(
        &self,
        counted: CounterKey<'_>,
        known: &Counters,
        attempt: IntentId,
        now: Timestamp,
    ) -> Result<Attempts, StoreError> {
        let second = self.functions.submit(self.visit, 2, None, Mrs::Declines).await;
        *self.second.lock().await = Some(second);
        self.functions.limits.count(counted, known, attempt, now).await
    }
}

/// Reads the intent, and the session only after the submission has come and succeeded.
struct ReadApart<'a> {
    functions: &'a Functions<'a>,
    visit: &'a Visit,
}

#[async_trait]
impl SubmissionRecords for ReadApart<'_> {
    async fn session_and_intent(
        &self,
        session: SessionId,
        intent: IntentId,
    ) -> Result<Option<(Session, Option<Intent>)>, StoreError> {
        let records = &self.functions.records;
        let before = records.session_and_intent(session, intent).await?;
        let first = self.functions.submit(self.visit, 1, None, Mrs::Agrees).await;
        assert!(first.is_ok(), "{first:?}");
        let after = records.session_and_intent(session, intent).await?;
        Ok(before
            .zip(after)
            .map(|((_, intent), (session, _))| (session, intent)))
    }

    async fn context(
        &self,
        session: &Session,
        wanted: ContextQuery,
    ) -> Result<SubmissionContext, StoreError> {
        self.functions.records.context(session, wanted).await
    }
}

pub(crate) fn ending(submitted: &SubmitResponse) -> &Ending {
    match submitted {
        SubmitResponse::Ended { ending, .. } => ending,
        SubmitResponse::Open => panic!("it has no outcome"),
    }
}

/// The key of a page's attempt.
pub(crate) fn key(attempt: u32) -> IdempotencyKey {
    IdempotencyKey::parse(&format!("attempt-{attempt:010}")).unwrap()
}

/// MRS's answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mrs {
    /// It does what it is asked.
    Agrees,
    /// It declines every card.
    Declines,
}

#[async_trait]
impl Rewards for Mrs {
    async fn enroll(&self, _: NewCard<'_>) -> Result<Ranac, RewardsError> {
        match self {
            Self::Agrees => {
                let mut digits = [0; 20];
                SystemRandomness.fill(&mut digits);
                let digits: String = digits.iter().map(|byte| char::from(b'0' + byte % 10)).collect();
                Ok(Ranac::parse(&digits).unwrap())
            }
            Self::Declines => Err(RewardsError::Declined(MrsCode(-44))),
        }
    }

    async fn find(&self, _: &str, _: &BankCustomerNumber) -> LookUp {
        LookUp::Listed(Vec::new())
    }

    async fn cancel(&self, _: &str, _: &Ranac) -> Result<(), RewardsError> {
        Ok(())
    }
}

struct NoWakeups;

#[async_trait]
impl Wakeups for NoWakeups {
    async fn wake(&self, _: Work<'_>, _: SignedDuration) -> Result<(), StoreError> {
        Ok(())
    }
}
