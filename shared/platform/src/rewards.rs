//! The port `Rewards` over the MRS client of `mastercard`, with the client certificate from Secrets Manager: a rotated one
//! is taken up without a deployment, and at once where Mastercard refuses the old one.

use std::fmt::{self, Display};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use enrollment::clock::Clock;
use enrollment::identifiers::{BankCustomerNumber, ClientId, IntentId, Last4, Malformed, Ranac};
use enrollment::intent::Intent;
use enrollment::log::{LogText, Loggable, warn};
use enrollment::look_up::{Account, AccountStatus as Status, LookUp};
use enrollment::ports::{NewCard, Rewards, RewardsError, StoreError};
use enrollment::status::MrsCode;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};
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

use crate::metrics::{Metrics, MrsCall};
use crate::secrets::{MutualTls, Secrets, TlsIdentity};
use crate::tables::{DynamoEnrollments, FaultNote};

/// How often a process reports how long the certificate is valid.
const CERTIFICATE_REPORT_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// What a function keeps of its time after a call, to store what came of it.
const KEPT: Duration = Duration::from_secs(2);

/// Mastercard's name of the look-up.
const LOOK_UP: &str = "getCustomerAccounts";

/// MRS, reached over mutual TLS. A clone shares its connections.
#[derive(Clone)]
pub struct MrsRewards {
    shared: Arc<Shared>,
    /// When the function ends that calls.
    ends_at: Option<Timestamp>,
    /// Where Mastercard's words are kept, if anywhere.
    notes: Option<Arc<DynamoEnrollments>>,
    /// Whose sake the calls are made for.
    intent: Option<(ClientId, IntentId)>,
}

struct Shared {
    secrets: Arc<Secrets>,
    base_url: String,
    dialect: Dialect,
    metrics: Metrics,
    clock: Arc<dyn Clock>,
    /// The connections that were made with the certificate of this version.
    connected: Mutex<Option<Connected>>,
    /// When the end of the certificate was reported last.
    certificate_reported_at: Mutex<Option<Timestamp>>,
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
            shared: Arc::new(Shared {
                secrets,
                base_url: base_url.into(),
                dialect,
                metrics,
                clock,
                connected: Mutex::new(None),
                certificate_reported_at: Mutex::new(None),
            }),
            ends_at: None,
            notes: None,
            intent: None,
        }
    }

    /// Keeps what Mastercard writes about a call that it refuses, or answers beyond understanding, with the intent that the
    /// call was made for.
    #[must_use]
    pub fn noting(mut self, enrollments: DynamoEnrollments) -> Self {
        self.notes = Some(Arc::new(enrollments));
        self
    }

    /// The same for one run of a function that ends at `end`: a call has no more time than that, without what storing its
    /// outcome takes. Where none is left it is not sent.
    #[must_use]
    pub fn until(&self, end: Timestamp) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            ends_at: Some(end),
            ..self.clone()
        }
    }

    /// Writes how many days the client certificate has left, unless this process did so within the hour. No call to MRS is
    /// needed for it.
    ///
    /// # Errors
    /// Where the secret can't be read; the next call tries again.
    pub async fn report_certificate(&self) -> Result<(), StoreError> {
        self.shared.report_certificate().await
    }

    async fn call<T: Send, R: Future<Output = Result<T, MrsError>> + Send>(
        &self,
        operation: &'static str,
        institution: &str,
        call: impl Fn(MrsClient) -> R + Send + Sync,
    ) -> Result<T, RewardsError> {
        let started = self.shared.clock.now();
        let left = self.ends_at.map(|end| time_left(started, end));
        // The future of a call is large, and held twice while its time is watched.
        let result = within(left, Box::pin(self.shared.call(institution, call))).await;
        let result = result.unwrap_or_else(|late| Err(CallError::Late(late)));
        self.shared.metrics.mrs_call(MrsCall {
            operation,
            outcome: result.as_ref().err().map_or("ok", CallError::class),
            is_fault: result.as_ref().is_err_and(CallError::is_fault),
            took: self.shared.since(started),
        });
        if let Err(CallError::Ended(error)) = &result
            && let Some(note) = fault_note(operation, error, self.shared.clock.now())
        {
            self.keep(&note).await;
        }
        result.map_err(RewardsError::from)
    }

    async fn keep(&self, fault: &FaultNote) {
        let (Some(notes), Some((client, intent))) = (&self.notes, &self.intent) else {
            return;
        };
        if let Err(error) = notes.note_fault(client, *intent, fault).await {
            warn!(error, "what Mastercard wrote is not kept");
        }
    }
}

impl Shared {
    async fn report_certificate(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        if !self.is_report_due(now) {
            return Ok(());
        }
        let material = self.secrets.mutual_tls().await?;
        let identity = identity(&material.identity).map_err(|detail| StoreError::Unreadable {
            operation: "reading the client certificate",
            detail,
        })?;
        self.metrics.certificate_expiry(self.until(identity.not_after()));
        *self.reported_at() = Some(now);
        Ok(())
    }

    fn is_report_due(&self, now: Timestamp) -> bool {
        self.reported_at()
            .is_none_or(|at| now >= later(at, CERTIFICATE_REPORT_INTERVAL))
    }

    fn reported_at(&self) -> MutexGuard<'_, Option<Timestamp>> {
        let reported_at = self.certificate_reported_at.lock();
        reported_at.unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one call. Where Mastercard refuses the certificate nothing was done, so the call is made once more if Secrets
    /// Manager has another one by now.
    async fn call<T: Send, R: Future<Output = Result<T, MrsError>> + Send>(
        &self,
        institution: &str,
        call: impl Fn(MrsClient) -> R + Send + Sync,
    ) -> Result<T, CallError> {
        let connected = self.connected().await?;
        let mut result = call(self.client(&connected, institution)?).await;
        if result.as_ref().is_err_and(refuses_the_certificate) {
            result = self
                .again(&connected, institution, &call)
                .await?
                .unwrap_or(result);
        }
        result.map_err(CallError::Ended)
    }

    async fn again<T: Send, R: Future<Output = Result<T, MrsError>> + Send>(
        &self,
        refused: &Connected,
        institution: &str,
        call: &(impl Fn(MrsClient) -> R + Sync),
    ) -> Result<Option<Result<T, MrsError>>, CallError> {
        self.secrets.refresh();
        let connected = self.connected().await?;
        if connected.version == refused.version {
            return Ok(None);
        }
        warn!("the client certificate was refused, trying the one that replaced it");
        Ok(Some(call(self.client(&connected, institution)?).await))
    }

    fn client(&self, connected: &Connected, institution: &str) -> Result<MrsClient, CallError> {
        MrsClient::new(connected.http.clone(), &self.base_url, self.dialect, institution)
            .map_err(|error| CallError::Unready(shown(error)))
    }

    async fn connected(&self) -> Result<Connected, CallError> {
        let material = self
            .secrets
            .mutual_tls()
            .await
            .map_err(|error| CallError::Unready(LogText::of(error)))?;
        let mut kept = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connected) = kept
            .as_ref()
            .filter(|connected| connected.version == material.version)
        {
            return Ok(connected.clone());
        }
        let http = self.connect(&material).map_err(CallError::Unready)?;
        let connected = Connected {
            version: material.version,
            http,
        };
        *kept = Some(connected.clone());
        Ok(connected)
    }

    fn connect(&self, material: &MutualTls) -> Result<HttpClient, LogText> {
        let identity = identity(&material.identity)?;
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

fn identity(stored: &TlsIdentity) -> Result<ClientIdentity, LogText> {
    match stored {
        TlsIdentity::Pem {
            certificate,
            private_key,
        } => ClientIdentity::from_pem(certificate, private_key.expose_secret()),
        TlsIdentity::Pkcs12 { file, password } => {
            ClientIdentity::from_pkcs12(file.expose_secret(), password.expose_secret())
        }
    }
    .map_err(shown)
}

#[async_trait]
impl Rewards for MrsRewards {
    async fn enroll(&self, card: NewCard<'_>) -> Result<Ranac, RewardsError> {
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
        // MRS did enroll: a reference that we can't keep is looked up again, like an answer that never came.
        Ranac::parse(&response.reference_id).map_err(|error| RewardsError::Unknown(LogText::of(error)))
    }

    async fn find(&self, institution: &str, number: &BankCustomerNumber) -> LookUp {
        let look_up = |client: MrsClient| {
            let number = number.expose().to_owned();
            async move { client.customer_accounts(&number).await }
        };
        match self.call(LOOK_UP, institution, look_up).await {
            Ok(accounts) => match accounts.iter().map(account).collect() {
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
        self.notes.is_some().then(|| {
            let own = Self {
                intent: Some((intent.client.clone(), intent.id)),
                ..self.clone()
            };
            Box::new(own) as Box<dyn Rewards>
        })
    }
}

/// Nothing where Mastercard wrote nothing, and of a look-up that says in its way that there is no such account.
fn fault_note(operation: &str, error: &MrsError, at: Timestamp) -> Option<FaultNote> {
    let says_absent = |fault: &mastercard::mrs::Fault| fault.code.says_not_enrolled();
    if operation == LOOK_UP && matches!(error, MrsError::Fault(fault) if says_absent(fault)) {
        return None;
    }
    let text = error.foreign_text().filter(|text| !text.is_empty());
    let correlation = error.correlation();
    (text.is_some() || correlation.is_some()).then(|| FaultNote {
        at,
        operation: operation.to_owned(),
        outcome: error.class().to_owned(),
        correlation: correlation.map(|id| id.as_str().to_owned()),
        text: text.map(|text| text.expose().to_owned()).unwrap_or_default(),
    })
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

/// A reference that can't be kept is not taken for one that was left out.
fn account(account: &CustomerAccount) -> Result<Account, Malformed> {
    Ok(Account {
        ranac: account.reference_id.as_deref().map(Ranac::parse).transpose()?,
        status: match account.status {
            AccountStatus::New
            | AccountStatus::GoodStanding
            | AccountStatus::RedeemOnly
            | AccountStatus::OnHold
            | AccountStatus::Inactive => Status::Active,
            AccountStatus::Cancelled => Status::Cancelled,
            // A status of a later release of the crate is as unknown as one that the dialect does not name.
            _ => Status::Unknown,
        },
        program: account.program_identifier.clone(),
        last4: account
            .last_four
            .as_deref()
            .and_then(|digits| Last4::parse(digits).ok()),
    })
}

/// Reason for which a call did not succeed, with what the port does not tell apart.
enum CallError {
    /// MRS or its gateway was asked, or could not be reached.
    Ended(MrsError),
    /// There is no certificate to connect with, or none that can be read.
    Unready(LogText),
    /// The function's time was over.
    Late(Late),
}

/// A call that the end of its function prevented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Late {
    /// It was not begun.
    NotSent,
    /// It was under way.
    Cut,
}

impl CallError {
    /// Word for metrics.
    fn class(&self) -> &'static str {
        match self {
            Self::Ended(error) => error.class(),
            Self::Unready(_) => "unready",
            Self::Late(Late::NotSent) => "no_time",
            Self::Late(Late::Cut) => "cut",
        }
    }

    /// Everything but an answer about the card.
    fn is_fault(&self) -> bool {
        !matches!(self, Self::Ended(error @ MrsError::Fault(_)) if !error.leaves_outcome_open())
    }
}

impl From<CallError> for RewardsError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Ended(error) => rewards_error(&error),
            CallError::Unready(detail) => Self::NotSent(detail),
            CallError::Late(Late::NotSent) => Self::NotSent("the function has no time left".into()),
            CallError::Late(Late::Cut) => Self::Unknown("no answer before the function ends".into()),
        }
    }
}

/// What a call may take that begins at `now`.
fn time_left(now: Timestamp, end: Timestamp) -> Duration {
    let left = Duration::try_from(end.duration_since(now)).unwrap_or_default();
    left.saturating_sub(KEPT)
}

/// Runs a call for `left` at the most.
async fn within<T>(left: Option<Duration>, call: impl Future<Output = T>) -> Result<T, Late> {
    match left {
        None => Ok(call.await),
        Some(Duration::ZERO) => Err(Late::NotSent),
        Some(left) => tokio::time::timeout(left, call).await.map_err(|_| Late::Cut),
    }
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

#[cfg(test)]
mod tests {
    use mastercard::ForeignText;
    use mastercard::mrs::Fault;

    use super::*;
    use crate::aws::Aws;
    use crate::clock::SystemClock;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test]
    async fn a_call_has_no_more_time_than_its_function() {
        assert_eq!(time_left(at(18), at(25)), Duration::from_secs(5), "two are kept");
        let takes = async |milliseconds| {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        };
        let cut_off = within(Some(Duration::from_millis(20)), takes(60_000)).await;
        assert_eq!(cut_off, Err(Late::Cut));
        let reported = RewardsError::from(CallError::Late(Late::Cut));
        assert!(
            matches!(reported, RewardsError::Unknown(_)),
            "it may have been done: {reported:?}"
        );
        assert_eq!(within(Some(time_left(at(0), at(25))), takes(1)).await, Ok(()));
        assert_eq!(within(None, takes(1)).await, Ok(()));
        for now in [23, 25, 99] {
            let not_sent = within(Some(time_left(at(now), at(25))), takes(0)).await;
            assert_eq!(not_sent, Err(Late::NotSent), "{now}");
        }
        let reported = RewardsError::from(CallError::Late(Late::NotSent));
        assert!(matches!(reported, RewardsError::NotSent(_)), "{reported:?}");
    }

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
        let rewards = MrsRewards::new(Arc::new(secrets), base_url, Dialect::default(), metrics, clock);
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

    #[test]
    fn an_answer_about_the_card_is_no_fault() {
        let fault = |code: i32| {
            CallError::Ended(MrsError::Fault(Fault {
                code: code.into(),
                text: ForeignText::default(),
                recoverable: None,
                correlation: None,
            }))
        };
        for code in [-44, -45, -52, -5, -85, -1] {
            assert!(!fault(code).is_fault(), "{code}");
        }
        for error in [
            fault(-1001),
            fault(0),
            CallError::Ended(NotSent::NoClientCertificate.into()),
            CallError::Unready("no secret".into()),
            CallError::Late(Late::Cut),
            CallError::Late(Late::NotSent),
        ] {
            assert!(error.is_fault(), "{}", error.class());
        }
    }

    #[test]
    fn an_account_says_what_mrs_said_and_no_more() {
        let told = CustomerAccount {
            reference_id: Some("03643782610476418733".into()),
            status: AccountStatus::GoodStanding,
            last_four: Some("0123".into()),
            account_id: None,
            customer_id: None,
            bank_product_code: None,
            program_identifier: Some("10765".into()),
        };
        let whole = account(&told).unwrap();
        assert_eq!(
            (whole.status, whole.program.as_deref()),
            (Status::Active, Some("10765"))
        );
        let bare = CustomerAccount {
            reference_id: None,
            status: AccountStatus::Other,
            last_four: None,
            program_identifier: None,
            ..told
        };
        let bare = account(&bare).unwrap();
        assert_eq!((bare.ranac, bare.status), (None, Status::Unknown));
        assert_eq!((bare.program, bare.last4), (None, None));
    }
}
