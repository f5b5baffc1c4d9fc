//! The Mastercard stand-in: MRS's customer service and diagnostic service, SOAP 1.1 over mutual TLS.
//!
//! A call goes through: client certificate, envelope and names ([`request`]), a fault on demand if one is due, the rules
//! ([`accounts`]). What is assumed about the real one is written where it is assumed; the README lists it.

mod accounts;
mod by_hand;
mod card_key;
mod card_number;
mod dialect;
mod held;
mod pair;
mod program;
mod quote;
mod refusal;
mod request;
mod shape;
mod soap;
mod state;
mod test_cards;
mod xml;

use std::fmt::Write as _;
use std::sync::Arc;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::json;
use tokio::sync::Mutex;

pub use self::dialect::Dialect;
pub use self::program::{BinRange, MrsSettings, Program, SettingsError};
pub use self::state::StateError;

pub(crate) use self::by_hand::{ByHandError, NewStatus, Stray};
pub(crate) use self::card_number::{CardNumber, passes_luhn};
pub(crate) use self::held::{Account, Status};
pub(crate) use self::pair::PairKey;
pub(crate) use self::shape::Shape;
pub(crate) use self::state::StateFile;
pub(crate) use self::test_cards::{TEST_CARDS, TestCard};

use self::accounts::Accounts;
use self::quote::Quotes;
use self::refusal::{Code, Refusal};
use self::request::{BankAccountNumber, Enroll, Request, Service};
use self::xml::escape;
use crate::faults::{self, Effect, FaultBook, Subject};
use crate::tls::ClientCertificate;

/// A SOAP call of a few kilobytes is a large one.
const MAX_BODY: usize = 256 * 1024;

/// The stand-in's state and keys.
pub(crate) struct Mrs {
    pub(crate) faults: Arc<FaultBook>,
    accounts: Accounts,
    key: PairKey,
    kept: Option<Kept>,
}

/// Where the state is kept, and which version of it lies there.
struct Kept {
    file: Arc<StateFile>,
    version: Arc<Mutex<u64>>,
}

impl Mrs {
    /// Takes up what `file` holds.
    pub(crate) fn new(
        settings: MrsSettings,
        key: PairKey,
        faults: Arc<FaultBook>,
        file: Option<StateFile>,
    ) -> Result<Self, StateError> {
        let state = file.as_ref().map(StateFile::read).transpose()?.flatten();
        let accounts = Accounts::new(settings, state);
        if let Some(file) = &file {
            // A place that can't be written is told at the start.
            file.write(accounts.card_key(), accounts.all())?;
        }
        let kept = file.map(|file| Kept {
            file: Arc::new(file),
            version: Arc::default(),
        });
        Ok(Self {
            faults,
            accounts,
            key,
            kept,
        })
    }

    pub(crate) fn accounts(&self) -> Vec<Account> {
        self.accounts.all()
    }

    pub(crate) async fn reset(self: &Arc<Self>) {
        self.accounts.clear();
        self.faults.clear();
        self.keep().await;
    }

    pub(crate) async fn put(self: &Arc<Self>, stray: Stray) -> Result<Account, ByHandError> {
        let put = self.accounts.put(stray)?;
        self.keep().await;
        Ok(put)
    }

    pub(crate) async fn set_status(
        self: &Arc<Self>,
        ranac: &str,
        status: Status,
    ) -> Result<Account, ByHandError> {
        let account = self.accounts.set_status(ranac, status)?;
        self.keep().await;
        Ok(account)
    }

    pub(crate) async fn remove(self: &Arc<Self>, ranac: &str) -> Result<(), ByHandError> {
        self.accounts.remove(ranac)?;
        self.keep().await;
        Ok(())
    }

    /// Returns once the file, if there is one, has what is held now. One writes at a time, and what it writes covers
    /// everybody who came to wait meanwhile.
    async fn keep(self: &Arc<Self>) {
        let Some(kept) = &self.kept else { return };
        let wanted = self.accounts.version();
        let mut written = Arc::clone(&kept.version).lock_owned().await;
        if *written >= wanted {
            return;
        }
        let (mrs, file) = (Arc::clone(self), Arc::clone(&kept.file));
        // The lock goes along: a caller that leaves does not let a second writer in.
        let writing = tokio::task::spawn_blocking(move || {
            let (version, accounts) = mrs.accounts.snapshot();
            file.write(mrs.accounts.card_key(), accounts)?;
            *written = version;
            Ok::<_, StateError>(())
        });
        if let Ok(Err(error)) = writing.await {
            tracing::error!(%error, "what mrs holds would not survive a restart");
        }
    }
}

/// The paths of the real one. Callers are told about their certificate before anything else.
pub(crate) fn router(mrs: Arc<Mrs>) -> Router {
    Router::new()
        .route("/MRS/CustomerService", post(customer_service))
        .route("/MRS/DiagnosticService", post(diagnostic_service))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(mrs)
        .layer(middleware::from_fn(require_certificate))
        .layer(middleware::from_fn(give_an_id))
}

/// **Assumption:** Mastercard's systems give each call an id, a UUID, in this header; nothing public says so of MRS.
async fn give_an_id(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let mut bytes = [0; 16];
    // Without random bytes there is no id.
    if SystemRandom::new().fill(&mut bytes).is_ok() {
        let groups = [
            &bytes[..4],
            &bytes[4..6],
            &bytes[6..8],
            &bytes[8..10],
            &bytes[10..],
        ];
        if let Ok(id) = HeaderValue::from_str(&groups.map(hex::encode).join("-")) {
            response.headers_mut().entry("x-mc-correlation-id").or_insert(id);
        }
    }
    response
}

async fn customer_service(State(mrs): State<Arc<Mrs>>, headers: HeaderMap, body: Bytes) -> Response {
    call(mrs, Service::Customer, &headers, body).await
}

async fn diagnostic_service(State(mrs): State<Arc<Mrs>>, headers: HeaderMap, body: Bytes) -> Response {
    call(mrs, Service::Diagnostic, &headers, body).await
}

/// **Assumption:** the status. The mutual TLS guide (`docs/sources.md#mutual-tls`) gives the body; 401 says what
/// happened: the caller did not authenticate.
async fn require_certificate(
    Extension(certificate): Extension<ClientCertificate>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    if certificate == ClientCertificate::Accepted {
        return next.run(request).await;
    }
    tracing::info!(
        ?certificate,
        "a call without a valid client certificate was refused"
    );
    let error = json!({
        "Source": "Gateway",
        "ReasonCode": "INVALID_CLIENT_CERT",
        "Description": "The client certificate is invalid or missing from the request. Retry using a valid cert signed by \
                        supported certificate Authorities.",
        "Recoverable": false,
    });
    (StatusCode::UNAUTHORIZED, Json(error)).into_response()
}

async fn call(mrs: Arc<Mrs>, service: Service, headers: &HeaderMap, body: Bytes) -> Response {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !content_type
        .split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/xml"))
    {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let request = match read(&mrs, service, headers, &body) {
        Ok(request) => request,
        Err(refusal) => {
            tracing::info!(
                violation = refusal.violation,
                "mrs refused a message for its form"
            );
            return shape::refused(None, &refusal, &Quotes::default()).into_response();
        }
    };
    // A task of its own: what was begun is finished, whether or not the caller waits for it.
    let done = tokio::spawn(perform(mrs, request, body));
    done.await
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn read(mrs: &Mrs, service: Service, headers: &HeaderMap, body: &[u8]) -> Result<Request, Refusal> {
    let envelope = xml::read(body).map_err(|malformed| Refusal::of_form(malformed.to_string()))?;
    let message = soap::open(envelope)?;
    let action = headers
        .get("soapaction")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !soap::names_action(action, &message.operation) {
        return Err(Refusal::of_form(
            "SOAPAction does not name the operation in the Body",
        ));
    }
    Request::read(message, service, mrs.accounts.dialects())
}

async fn perform(mrs: Arc<Mrs>, request: Request, body: Bytes) -> Response {
    let card = match &request {
        Request::Enroll(enroll) => card_number(&mrs, enroll),
        _ => None,
    };
    let operation = request.operation();
    let ordered = mrs.fault_due(&request, card.as_ref());
    let effect = ordered.or_else(|| card.as_ref().and_then(test_cards::effect_of));
    let shape = effect.and_then(|effect| effect.shape);
    let quotes = match effect {
        Some(effect) if effect.quote => Quotes::of(&body, card.as_ref().map(CardNumber::digits)),
        _ => Quotes::default(),
    };
    let work = async {
        let result = mrs.work(&request, card.as_ref());
        mrs.keep().await;
        let code = result.as_ref().err().map_or(0, |refusal| refusal.code.0);
        tracing::info!(?operation, dialect = ?request.dialect(), code, "mrs did its work");
        shape::answer(shape, result, &quotes)
    };
    if let Some(effect) = effect {
        tracing::info!(?operation, fault = ?effect.kind, shape = ?effect.shape, "a fault on demand");
    }
    let fault = |code| shape::refused(shape, &Code(code).into(), &quotes);
    faults::disturb(effect, work, fault).await
}

fn card_number(mrs: &Mrs, enroll: &Enroll) -> Option<CardNumber> {
    match &enroll.bank_account_number {
        BankAccountNumber::Encrypted(pair) => CardNumber::parse(mrs.key.decrypt(pair).ok()?),
        BankAccountNumber::Plain(digits) => CardNumber::parse(digits.clone()),
    }
}

impl Mrs {
    /// The fault that is ordered for this call; `card` is the one that an enrollment is about.
    fn fault_due(&self, request: &Request, card: Option<&CardNumber>) -> Option<Effect> {
        let customer = match request {
            Request::Enroll(enroll) => Some(&*enroll.bank_customer_number),
            Request::CustomerAccounts(lookup) => Some(&*lookup.bank_customer_number),
            Request::UpdateCustomerAccount(_) | Request::Echo(_) => None,
        };
        let is_of = |number: &CardNumber| match request {
            Request::Enroll(_) => card.is_some_and(|card| card.digits() == number.digits()),
            Request::CustomerAccounts(lookup) => {
                self.accounts.customer_has(&lookup.bank_customer_number, number)
            }
            Request::UpdateCustomerAccount(update) => self.accounts.account_has(&update.ranac, number),
            Request::Echo(_) => false,
        };
        let subject = Subject {
            customer,
            is_of: &is_of,
            is_first: true,
        };
        self.faults.due(request.operation(), &subject)
    }

    /// Applies the rules and gives the content of the answer.
    fn work(&self, request: &Request, card: Option<&CardNumber>) -> Result<String, Refusal> {
        match request {
            Request::Enroll(request) => {
                let enrolled = self.accounts.enroll(request, card)?;
                let (ranac, customer) = (enrolled.ranac, enrolled.customer_id);
                Ok(format!(
                    "<cus:enrollResponse><cus:referenceId>{ranac}</cus:referenceId><cus:customerId>{customer}</cus:customerId>\
                     </cus:enrollResponse>"
                ))
            }
            Request::UpdateCustomerAccount(request) => {
                self.accounts.update(request)?;
                Ok(updated(request.dialect))
            }
            Request::CustomerAccounts(request) => Ok(customer_accounts(&self.accounts.find(request)?)),
            Request::Echo(text) => Ok(format!(
                "<diag:doEchoResponse>{}</diag:doEchoResponse>",
                escape(text)
            )),
        }
    }
}

/// The public schema puts `success` into the common namespace; the widget document (`docs/sources.md#widget`) knows one
/// namespace only.
fn updated(dialect: Dialect) -> String {
    let prefix = match dialect {
        Dialect::Document => "cus",
        Dialect::Wsdl => "common",
    };
    format!(
        "<cus:updateCustomerAccountResponse><cus:updateCustomerAccountResult><{prefix}:success>true</{prefix}:success>\
         </cus:updateCustomerAccountResult></cus:updateCustomerAccountResponse>"
    )
}

/// The request does not show a vocabulary; the answer takes that in which the account was enrolled. Only its root differs.
fn customer_accounts(accounts: &[Account]) -> String {
    let root = match accounts.first().map(|account| account.dialect) {
        Some(Dialect::Wsdl) => "CustomerAccounts",
        Some(Dialect::Document) | None => "getCustomerAccountsResponse",
    };
    let mut content = format!("<cus:{root}>");
    for account in accounts {
        content.push_str("<cus:customerAccount>");
        for (name, value) in [
            ("accountId", account.id.to_string().as_str()),
            ("customerId", account.customer_id.to_string().as_str()),
            ("programId", &account.program),
            ("lastFourDigitsOfCard", &account.last4),
            ("accountStatusId", account.status.number().to_string().as_str()),
            ("accountStatusDesc", account.status.word()),
            ("bankProductCode", &account.product_code),
            ("programIdentifier", &account.program),
            ("referenceId", &account.ranac),
        ] {
            let value = escape(value);
            let _ = write!(content, "<cus:{name}>{value}</cus:{name}>");
        }
        content.push_str("</cus:customerAccount>");
    }
    let _ = write!(content, "</cus:{root}>");
    content
}

#[cfg(test)]
mod tests;
