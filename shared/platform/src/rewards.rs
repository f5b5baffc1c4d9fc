//! Port `Rewards` over the MRS client of the crate `mastercard`.

mod answer;
mod failure;

use std::sync::Arc;

use async_trait::async_trait;
use enrollment::clock::Clock;
use enrollment::identifiers::{BankCustomerNumber, ClientId, IntentId, Ranac};
use enrollment::intent::Intent;
use enrollment::log::{LogText, warn};
use enrollment::look_up::LookUp;
use enrollment::ports::{NewCard, Rewards, RewardsError};
use enrollment::status::MrsCode;
use jiff::Timestamp;
use mastercard::http::HttpClient;
use mastercard::mrs::{Dialect, EncryptedPair, EnrollAccount, EnrollRequest, MrsClient, MrsError};

use crate::connection::{CallError, MastercardConnection, Operation, log_text};
use crate::metrics::Metrics;
use crate::tables::{DynamoEnrollments, FaultNote};

/// Mastercard's name of the look-up.
const LOOK_UP: &str = "getCustomerAccounts";

/// Mastercard Rewards System. Clones share their connections.
#[derive(Clone)]
pub struct MrsRewards {
    connection: MastercardConnection,
    service: Arc<Service>,
    clock: Arc<dyn Clock>,
    /// Store of Mastercard's words, where they are kept.
    faults: Option<Arc<DynamoEnrollments>>,
    /// Intent that the calls are made for.
    intent: Option<(ClientId, IntentId)>,
}

struct Service {
    base_url: String,
    dialect: Dialect,
}

impl MrsRewards {
    /// MRS at `base_url`, that of its services, such as `https://services.mastercard.com/MRS`.
    pub fn new(
        connection: MastercardConnection,
        base_url: impl Into<String>,
        dialect: Dialect,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let base_url = base_url.into();
        Self {
            connection,
            service: Arc::new(Service { base_url, dialect }),
            clock,
            faults: None,
            intent: None,
        }
    }

    /// Keeps what Mastercard writes about a call that it refuses, or answers beyond understanding, with the intent that the
    /// call was made for.
    #[must_use]
    pub fn keeping_faults(mut self, enrollments: DynamoEnrollments) -> Self {
        self.faults = Some(Arc::new(enrollments));
        self
    }

    /// Returns the same for one run of a function that ends at `end`, see [`MastercardConnection::until`].
    #[must_use]
    pub fn until(&self, end: Timestamp) -> Self {
        Self {
            connection: self.connection.until(end),
            ..self.clone()
        }
    }

    async fn call<T: Send, R: Future<Output = Result<T, MrsError>> + Send>(
        &self,
        operation: &'static str,
        institution: &str,
        call: impl Fn(MrsClient) -> R + Send + Sync,
    ) -> Result<T, RewardsError> {
        let measured = Operation {
            name: operation,
            measure: Metrics::mrs_call,
        };
        let call = &call;
        let over = |http| {
            let client = self.service.client(http, institution);
            async move { call(client?).await.map_err(CallError::Protocol) }
        };
        let result = self.connection.call(measured, over).await;
        if let Err(CallError::Protocol(error)) = &result
            && let Some(fault) = failure::words(operation, error, self.clock.now())
        {
            self.keep(&fault).await;
        }
        result.map_err(RewardsError::from)
    }

    async fn keep(&self, fault: &FaultNote) {
        let (Some(faults), Some((client, intent))) = (&self.faults, &self.intent) else {
            return;
        };
        if let Err(error) = faults.note_fault(client, *intent, fault).await {
            warn!(error, "storing fault text failed");
        }
    }
}

impl Service {
    fn client(&self, http: HttpClient, institution: &str) -> Result<MrsClient, CallError<MrsError>> {
        MrsClient::new(http, &self.base_url, self.dialect, institution)
            .map_err(|error| CallError::NotReady(log_text(error)))
    }
}

#[async_trait]
impl Rewards for MrsRewards {
    async fn enroll(&self, card: NewCard<'_>) -> Result<Ranac, RewardsError> {
        let number = EncryptedPair::new(card.number.key.clone(), card.number.data.clone())
            .map_err(|error| RewardsError::NotSent(log_text(error)))?;
        let request = Arc::new(EnrollRequest {
            bank_customer_number: card.bank_customer_number.expose().to_owned(),
            member_ica: card.program.member_ica.into(),
            email_address: card.person.email.clone(),
            language_code: None,
            first_name: card.person.first_name.clone(),
            last_name: card.person.last_name.clone(),
            account: EnrollAccount {
                number,
                bank_product_code: card.program.bank_product_code.clone(),
                program_identifier: card.program.id.as_str().to_owned(),
            },
        });
        let enroll = |client: MrsClient| {
            let request = Arc::clone(&request);
            async move { client.enroll(&request).await }
        };
        let response = self.call("enroll", card.institution, enroll).await?;
        // MRS did enroll: an invalid reference is looked up later, like an answer that never came.
        Ranac::parse(&response.reference_id).map_err(|error| RewardsError::Unknown(LogText::of(error)))
    }

    async fn find(&self, institution: &str, number: &BankCustomerNumber) -> LookUp {
        let look_up = |client: MrsClient| {
            let number = number.expose().to_owned();
            async move { client.customer_accounts(&number).await }
        };
        match self.call(LOOK_UP, institution, look_up).await {
            Ok(accounts) => match accounts.iter().map(answer::account).collect() {
                Ok(accounts) => LookUp::Listed(accounts),
                Err(error) => LookUp::Unknown(LogText::of(error)),
            },
            Err(RewardsError::Declined(MrsCode::ACCOUNT_NOT_FOUND | MrsCode::ACCOUNT_DOES_NOT_EXIST)) => {
                LookUp::NotFound
            }
            Err(error) => LookUp::Unknown(LogText::of(error)),
        }
    }

    async fn cancel(&self, institution: &str, ranac: &Ranac) -> Result<(), RewardsError> {
        let cancel = |client: MrsClient| {
            let reference = ranac.expose().to_owned();
            async move { client.cancel_account(&reference).await }
        };
        self.call("updateCustomerAccount", institution, cancel).await
    }

    fn for_intent(&self, intent: &Intent) -> Option<Box<dyn Rewards>> {
        self.faults.is_some().then(|| {
            let own = Self {
                intent: Some((intent.client.clone(), intent.id)),
                ..self.clone()
            };
            Box::new(own) as Box<dyn Rewards>
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::aws::Aws;
    use crate::clock::SystemClock;
    use crate::connection::MutualTlsCredentials;
    use crate::secrets::Secrets;

    #[tokio::test]
    async fn call_without_a_certificate_is_counted() {
        let aws = Aws::from_variables(|name| match name {
            "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
            // Nobody listens on the port for discarding.
            "AWS_ENDPOINT_URL" => Some("http://127.0.0.1:9".to_owned()),
            _ => None,
        });
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let secrets = Secrets::new(aws.unwrap().secrets_manager(), "test", Arc::clone(&clock));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&lines);
        let sink = move |line: &str| into.lock().unwrap().push(line.to_owned());
        let metrics = Metrics::into_sink("cards", Arc::clone(&clock), sink);
        let base_url = "https://localhost:9/MRS";
        let connection = MastercardConnection::new(
            MutualTlsCredentials,
            Arc::new(secrets),
            metrics,
            Arc::clone(&clock),
        );
        let rewards = MrsRewards::new(connection, base_url, Dialect::default(), clock);
        let number = BankCustomerNumber::parse("0123456789").unwrap();
        let look_up = rewards.find("Bank", &number).await;
        assert!(matches!(look_up, LookUp::Unknown(_)));
        let lines = lines.lock().unwrap();
        let [line] = &lines[..] else {
            panic!("{lines:?}");
        };
        assert!(line.contains(r#""MrsFaults":1.0"#), "{line}");
        assert!(line.contains(r#""Outcome":"unready""#), "{line}");
    }
}
