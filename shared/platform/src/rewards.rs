//! The port `Rewards` over the MRS client of `mastercard`, with the client certificate from Secrets Manager: a rotated one
//! is taken up without a deployment, and at once where Mastercard refuses the old one.

use std::fmt::{self, Display};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use enrollment::identifiers::{BankCustomerNumber, Last4, Ranac};
use enrollment::log::{LogText, Loggable, warn};
use enrollment::ports::{Clock, HeldCard, NewCard, Rewards, RewardsError};
use enrollment::status::MrsCode;
use jiff::Timestamp;
use mastercard::gateway::GatewayReason;
use mastercard::http::{
    ClientIdentity, HttpClient, HttpSettings, HttpSetupError, IdentityError, Trust, TrustError,
};
use mastercard::mrs::{
    AccountStatus, CustomerAccount, Dialect, EncryptedPair, EnrollAccount, EnrollRequest,
    InvalidEncryptedPair, MrsClient, MrsError, MrsSetupError,
};
use mastercard::{NotSent, Unknown};
use secrecy::ExposeSecret as _;
use tracing::Value;
use tracing::field::display;

use crate::metrics::Metrics;
use crate::secrets::{MutualTls, Secrets, TlsIdentity};

/// MRS, reached over mutual TLS.
pub struct MrsRewards {
    secrets: Arc<Secrets>,
    base_url: String,
    dialect: Dialect,
    metrics: Metrics,
    clock: Arc<dyn Clock>,
    /// The connections that were made with the certificate of this version.
    connected: Mutex<Option<Connected>>,
}

#[derive(Clone)]
struct Connected {
    version: String,
    http: HttpClient,
}

impl MrsRewards {
    /// `base_url` is that of the services, such as `https://services.mastercard.com/MRS`.
    pub fn new(
        secrets: Arc<Secrets>,
        base_url: impl Into<String>,
        dialect: Dialect,
        metrics: Metrics,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            secrets,
            base_url: base_url.into(),
            dialect,
            metrics,
            clock,
            connected: Mutex::new(None),
        }
    }

    /// Runs one call. Where Mastercard refuses the certificate nothing was done, so the call is made once more if Secrets
    /// Manager has another one by now.
    async fn call<T: Send, R: Future<Output = Result<T, MrsError>> + Send>(
        &self,
        operation: &'static str,
        institution: &str,
        call: impl Fn(MrsClient) -> R + Send + Sync,
    ) -> Result<T, RewardsError> {
        let connected = self.connected().await?;
        let started = self.clock.now();
        let mut result = call(self.client(&connected, institution)?).await;
        if result.as_ref().is_err_and(refuses_the_certificate) {
            result = self
                .again(&connected, institution, &call)
                .await?
                .unwrap_or(result);
        }
        self.metrics.mrs_call(
            operation,
            result.as_ref().err().map_or("ok", MrsError::class),
            self.since(started),
        );
        result.map_err(|error| rewards_error(&error))
    }

    async fn again<T: Send, R: Future<Output = Result<T, MrsError>> + Send>(
        &self,
        refused: &Connected,
        institution: &str,
        call: &(impl Fn(MrsClient) -> R + Sync),
    ) -> Result<Option<Result<T, MrsError>>, RewardsError> {
        self.secrets.refresh();
        let connected = self.connected().await?;
        if connected.version == refused.version {
            return Ok(None);
        }
        warn!("the client certificate was refused, trying the one that replaced it");
        Ok(Some(call(self.client(&connected, institution)?).await))
    }

    fn client(&self, connected: &Connected, institution: &str) -> Result<MrsClient, RewardsError> {
        MrsClient::new(connected.http.clone(), &self.base_url, self.dialect, institution)
            .map_err(|error| RewardsError::NotSent(shown(error)))
    }

    async fn connected(&self) -> Result<Connected, RewardsError> {
        let material = self
            .secrets
            .mutual_tls()
            .await
            .map_err(|error| RewardsError::NotSent(LogText::of(error)))?;
        let mut kept = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connected) = kept
            .as_ref()
            .filter(|connected| connected.version == material.version)
        {
            return Ok(connected.clone());
        }
        let http = self.connect(&material).map_err(RewardsError::NotSent)?;
        let connected = Connected {
            version: material.version,
            http,
        };
        *kept = Some(connected.clone());
        Ok(connected)
    }

    fn connect(&self, material: &MutualTls) -> Result<HttpClient, LogText> {
        let identity = match &material.identity {
            TlsIdentity::Pem {
                certificate,
                private_key,
            } => ClientIdentity::from_pem(certificate, private_key.expose_secret()),
            TlsIdentity::Pkcs12 { file, password } => {
                ClientIdentity::from_pkcs12(file.expose_secret(), password.expose_secret())
            }
        }
        .map_err(shown)?;
        self.metrics.certificate_expiry(self.until(identity.not_after()));
        let trust = match &material.certificate_authorities {
            Some(pem) => Trust::only_pem(pem).map_err(shown)?,
            None => Trust::Mozilla,
        };
        let settings = HttpSettings {
            trust,
            identity: Some(identity),
            ..HttpSettings::default()
        };
        HttpClient::new(&settings).map_err(shown)
    }

    fn since(&self, started: Timestamp) -> Duration {
        self.clock
            .now()
            .duration_since(started)
            .try_into()
            .unwrap_or_default()
    }

    fn until(&self, second: i64) -> Duration {
        let end = Timestamp::from_second(second).unwrap_or(Timestamp::MIN);
        end.duration_since(self.clock.now())
            .try_into()
            .unwrap_or_default()
    }
}

#[async_trait]
impl Rewards for MrsRewards {
    async fn enrol(&self, card: NewCard<'_>) -> Result<Ranac, RewardsError> {
        let number = EncryptedPair::new(card.number.key.clone(), card.number.data.clone())
            .map_err(|error| RewardsError::NotSent(shown(error)))?;
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
        // MRS did enrol: a reference that we can't keep is looked up again, like an answer that never came.
        Ranac::parse(&response.reference_id).map_err(|error| RewardsError::Unknown(LogText::of(error)))
    }

    async fn find(
        &self,
        institution: &str,
        number: &BankCustomerNumber,
    ) -> Result<Vec<HeldCard>, RewardsError> {
        let look_up = |client: MrsClient| {
            let number = number.expose().to_owned();
            async move {
                match client.customer_accounts(&number).await {
                    Err(MrsError::Fault(fault)) if fault.code.says_not_enrolled() => Ok(Vec::new()),
                    other => other,
                }
            }
        };
        let accounts = self.call("getCustomerAccounts", institution, look_up).await?;
        // A cancelled account may have lost its reference; it matters to nobody here.
        let active = accounts
            .iter()
            .filter(|account| account.status != AccountStatus::Cancelled);
        active.map(held_card).collect()
    }

    async fn cancel(&self, institution: &str, ranac: &Ranac) -> Result<(), RewardsError> {
        let cancel = |client: MrsClient| {
            let reference = ranac.expose().to_owned();
            async move { client.cancel_account(&reference).await }
        };
        self.call("updateCustomerAccount", institution, cancel).await
    }
}

fn refuses_the_certificate(error: &MrsError) -> bool {
    let MrsError::NotSent { reason, .. } = error else {
        return false;
    };
    match reason {
        NotSent::NoClientCertificate => true,
        NotSent::Gateway(error) => error.reason == GatewayReason::InvalidClientCert,
        _ => false,
    }
}

/// A card that MRS holds under no reference could neither be kept nor cancelled: no usable answer.
fn held_card(account: &CustomerAccount) -> Result<HeldCard, RewardsError> {
    let reference = account.reference_id.as_deref().unwrap_or_default();
    let ranac = Ranac::parse(reference).map_err(|error| RewardsError::Unknown(LogText::of(error)))?;
    let last4 = account
        .last_four
        .as_deref()
        .and_then(|digits| Last4::parse(digits).ok());
    Ok(HeldCard { ranac, last4 })
}

/// An error of the crate `mastercard`. They display closed words, numbers and lengths, and keep what Mastercard wrote to
/// themselves.
trait MastercardError: Display {}

impl MastercardError for NotSent {}
impl MastercardError for Unknown {}
impl MastercardError for MrsSetupError {}
impl MastercardError for HttpSetupError {}
impl MastercardError for IdentityError {}
impl MastercardError for TrustError {}
impl MastercardError for InvalidEncryptedPair {}
impl<E: MastercardError> MastercardError for &E {}

/// It as a value of ours.
struct Shown<E>(E);

impl<E: MastercardError> Display for Shown<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<E: MastercardError> Loggable for Shown<E> {
    fn field(&self) -> impl Value + '_ {
        display(self)
    }
}

fn shown(error: impl MastercardError) -> LogText {
    LogText::of(Shown(error))
}

fn rewards_error(error: &MrsError) -> RewardsError {
    match error {
        MrsError::Fault(fault) if fault.code.value() == 0 => {
            RewardsError::Unknown("a fault with code 0".into())
        }
        MrsError::Fault(fault) => RewardsError::Declined(MrsCode(fault.code.value())),
        MrsError::NotSent { reason, .. } => RewardsError::NotSent(shown(reason)),
        MrsError::Unknown { reason, .. } => RewardsError::Unknown(shown(reason)),
    }
}
