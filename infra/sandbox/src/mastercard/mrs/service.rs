//! MRS's services over HTTP: reads a message, orders its effect, applies the rules, and writes the answer.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap};

use super::quote::Quotes;
use super::refusal::{Code, Refusal};
use super::request::{BankAccountNumber, Enroll, Request, Service};
use super::{Mrs, answer, content, soap, test_cards, xml};
use crate::card_number::CardNumber;
use crate::faults::{self, Effect, Subject};
use crate::mastercard::gateway;

/// A SOAP call of a few kilobytes is a large one.
const MAX_BODY: usize = 256 * 1024;

/// MRS's own paths.
pub(crate) fn router(mrs: Arc<Mrs>) -> Router {
    Router::new()
        .route("/MRS/CustomerService", post(customer_service))
        .route("/MRS/DiagnosticService", post(diagnostic_service))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(mrs)
}

async fn customer_service(State(mrs): State<Arc<Mrs>>, headers: HeaderMap, body: Bytes) -> Response {
    call(mrs, Service::Customer, &headers, body).await
}

async fn diagnostic_service(State(mrs): State<Arc<Mrs>>, headers: HeaderMap, body: Bytes) -> Response {
    call(mrs, Service::Diagnostic, &headers, body).await
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
            return answer::refused(None, &refusal, &Quotes::default()).into_response();
        }
    };
    // A task of its own: what was begun is finished, whether or not the caller waits for it.
    let done = tokio::spawn(perform(mrs, request, body));
    done.await
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

pub(super) fn read(
    mrs: &Mrs,
    service: Service,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Request, Refusal> {
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
        answer::answer(shape, result, &quotes)
    };
    if let Some(effect) = effect {
        tracing::info!(?operation, fault = ?effect.kind, shape = ?effect.shape, "a fault on demand");
    }
    let refuse = |refusal| match refusal {
        faults::Refusal::Code(code) => answer::refused(shape, &Code(code).into(), &quotes),
        faults::Refusal::Gateway(reason) => gateway::refusal(reason),
        // Orders of these are for the Issuer Enrollment API.
        faults::Refusal::Throttled(_) | faults::Refusal::Service(..) => gateway::refusal("SYSTEM_ERROR"),
    };
    faults::disturb(effect, work, refuse).await
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
            batch: None,
        };
        self.faults.due(request.operation(), &subject)
    }

    /// Applies the rules and returns the content of the answer.
    fn work(&self, request: &Request, card: Option<&CardNumber>) -> Result<String, Refusal> {
        match request {
            Request::Enroll(request) => {
                let enrolled = self.accounts.enroll(request, card)?;
                Ok(content::enrolled(&enrolled))
            }
            Request::UpdateCustomerAccount(request) => {
                self.accounts.update(request)?;
                Ok(content::updated(request.dialect))
            }
            Request::CustomerAccounts(request) => {
                Ok(content::customer_accounts(&self.accounts.find(request)?))
            }
            Request::Echo(text) => Ok(content::echo(text)),
        }
    }
}
