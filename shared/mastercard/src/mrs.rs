//! Customer Service of the Mastercard Rewards System (MRS): SOAP over mutual TLS. Requests are SOAP 1.1. Answers are
//! read in the shapes that SOAP stacks give them.

mod account;
pub mod answer;
mod dialect;
mod encrypted_pair;
mod error;
mod request;
mod soap;

use thiserror::Error;
use tokio::time::Instant;
use tracing::{Instrument, info, info_span, warn};

use self::soap::{Identity, Operation};
pub use self::{
    account::{AccountStatus, CustomerAccount},
    answer::EnrollResponse,
    dialect::{Dialect, UnknownDialect},
    encrypted_pair::{EncryptedPair, InvalidEncryptedPair},
    error::{Fault, FaultCode, MrsError},
    request::{EnrollAccount, EnrollRequest},
};
use crate::{
    failure::NotSent,
    foreign::CorrelationId,
    http::{
        Answer, HttpClient, Url,
        header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    },
    xml::Writer,
};

/// Client of one MRS installation. Clones share its connections.
#[derive(Debug, Clone)]
pub struct MrsClient {
    http: HttpClient,
    customer_service: Url,
    diagnostic_service: Url,
    dialect: Dialect,
    institution_name: String,
}

/// Reason for which a client can't be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MrsSetupError {
    /// The base address is not an `https` address, or has a query or fragment.
    #[error("the base address of MRS must be an https address")]
    BaseUrl,
    /// The institution's name is empty, longer than 100 characters, or has characters that XML does not allow.
    #[error("the institution name must have 1 to 100 characters")]
    InstitutionName,
}

impl MrsClient {
    /// Makes a client for the services under `base_url`, such as `https://services.mastercard.com/MRS`.
    ///
    /// `institution_name` is sent in the identity header of every call.
    pub fn new(
        http: HttpClient,
        base_url: &str,
        dialect: Dialect,
        institution_name: &str,
    ) -> Result<Self, MrsSetupError> {
        let base = Url::parse(base_url).map_err(|_| MrsSetupError::BaseUrl)?;
        if base.scheme() != "https" || base.query().is_some() || base.fragment().is_some() {
            return Err(MrsSetupError::BaseUrl);
        }
        let service = |name: &str| {
            let mut url = base.clone();
            url.set_path(&format!("{}/{name}", base.path().trim_end_matches('/')));
            url
        };
        request::check("institutionName", institution_name, 100)
            .map_err(|_| MrsSetupError::InstitutionName)?;
        Ok(Self {
            http,
            customer_service: service("CustomerService"),
            diagnostic_service: service("DiagnosticService"),
            dialect,
            institution_name: institution_name.to_owned(),
        })
    }

    /// `enroll`: enrolls a customer with one card and returns the card's reference (RANAC).
    ///
    /// After [`MrsError::leaves_outcome_open`] the card may be enrolled: call [`MrsClient::customer_accounts`] before
    /// enrolling again.
    pub async fn enroll(&self, request: &EnrollRequest) -> Result<EnrollResponse, MrsError> {
        let app_id = dialect::APP_ID_ENROLL.value("");
        self.call(
            Operation::Enroll,
            app_id,
            request.check(),
            |body| request.write(self.dialect, body),
            answer::enrolled,
        )
        .await
    }

    /// `updateCustomerAccount` with the status "cancelled": removes the card with this reference (RANAC) from the
    /// program.
    pub async fn cancel_account(&self, reference_id: &str) -> Result<(), MrsError> {
        let app_id = dialect::APP_ID_UPDATE.value(reference_id);
        self.call(
            Operation::UpdateCustomerAccount,
            app_id,
            request::check("referenceId", reference_id, 64),
            |body| request::write_cancellation(self.dialect, body),
            answer::updated,
        )
        .await
    }

    /// `getCustomerAccounts`: lists every card enrolled under a bank customer number, including cancelled ones.
    ///
    /// A list, even an empty one, is MRS's own statement. Faults are returned as such, -5 and -85 among them: such a
    /// code ([`FaultCode::says_not_enrolled`]) also occurs if MRS does not know the institution's name, so the caller
    /// decides what it proves.
    pub async fn customer_accounts(
        &self,
        bank_customer_number: &str,
    ) -> Result<Vec<CustomerAccount>, MrsError> {
        let app_id = dialect::APP_ID_LOOK_UP.value(bank_customer_number);
        self.call(
            Operation::GetCustomerAccounts,
            app_id,
            request::check_bank_customer_number(bank_customer_number),
            request::write_look_up,
            |answer| answer::accounts(self.dialect, answer),
        )
        .await
    }

    /// `DiagnosticService.doEcho`: returns `text` if address, certificate and network are right.
    pub async fn echo(&self, text: &str) -> Result<String, MrsError> {
        let app_id = dialect::APP_ID_ECHO.value("");
        self.call(
            Operation::DoEcho,
            app_id,
            request::check("doEcho", text, 256),
            |body| request::write_echo(text, body),
            answer::echoed,
        )
        .await
    }

    /// Makes one call, unless `checked` is an error. One log line reports its result: the operation, the kind of
    /// outcome, codes and the correlation id, and nothing else of request or answer.
    async fn call<T>(
        &self,
        operation: Operation,
        app_id: &str,
        checked: Result<(), NotSent>,
        write: impl FnOnce(&mut Writer),
        read: impl FnOnce(&Answer) -> Result<T, MrsError>,
    ) -> Result<T, MrsError> {
        let span = info_span!("mrs", operation = operation.name());
        async {
            let started = Instant::now();
            let outcome = match checked {
                Ok(()) => self
                    .exchange(operation, app_id, write)
                    .await
                    .and_then(|answer| read(&answer)),
                Err(problem) => Err(problem.into()),
            };
            let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            match &outcome {
                Ok(_) => info!(outcome = "ok", duration_ms, "MRS call finished"),
                Err(MrsError::Fault(fault)) => {
                    info!(
                        outcome = "fault",
                        code = fault.code.value(),
                        correlation = fault.correlation.as_ref().map(CorrelationId::as_str),
                        duration_ms,
                        "MRS call finished"
                    );
                }
                Err(error) => {
                    let correlation = error.correlation().map(CorrelationId::as_str);
                    warn!(outcome = error.class(), correlation, duration_ms, %error, "MRS call finished");
                }
            }
            outcome
        }
        .instrument(span)
        .await
    }

    async fn exchange(
        &self,
        operation: Operation,
        app_id: &str,
        write: impl FnOnce(&mut Writer),
    ) -> Result<Answer, MrsError> {
        let identity = Identity {
            app_id,
            institution_name: &self.institution_name,
        };
        let envelope = soap::envelope(operation, &identity, write);
        let url = match operation {
            Operation::DoEcho => &self.diagnostic_service,
            _ => &self.customer_service,
        };
        Ok(self
            .http
            .post(url, headers(operation), envelope.into_bytes())
            .await?)
    }
}

fn headers(operation: Operation) -> HeaderMap {
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8")),
        (ACCEPT, HeaderValue::from_static("text/xml")),
        // Some compress an answer unless they are told not to.
        (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        (
            HeaderName::from_static("soapaction"),
            HeaderValue::from_static(operation.soap_action()),
        ),
    ])
}
