//! Mastercard's Issuer Enrollment API (Click to Pay): batches of cards, their status, and the deletion of one card. REST
//! with JSON, authenticated by a [`RequestSigner`], over mutual TLS where an installation asks for it.

pub mod answer;
mod dialect;
mod error;
mod problem;
mod report;
mod request;

use std::sync::Arc;

use thiserror::Error;
use tokio::time::Instant;
use tracing::{Instrument, info, info_span, warn};

use self::request::Request;
pub use self::{
    dialect::{Dialect, UnknownDialect},
    error::{IssuerEnrollmentError, Refusal, RetryAfter},
    report::{BatchReport, BatchStatus, CardOutcome, CardProblem, CardReport},
};
use crate::{
    failure::NotSent,
    foreign::CorrelationId,
    http::{
        Answer, HttpClient, Method, Url,
        header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    },
    request_signer::RequestSigner,
};

/// Client of one installation. Clones share its connections.
#[derive(Clone)]
pub struct IssuerEnrollmentClient {
    http: HttpClient,
    base: Url,
    dialect: Dialect,
    signer: Arc<dyn RequestSigner>,
}

/// Reason for which a client can't be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IssuerEnrollmentSetupError {
    /// The base address is not an `https` address, or has a query, a fragment or credentials.
    #[error("the base address of the Issuer Enrollment API must be an https address")]
    BaseUrl,
}

/// Batch to submit.
#[derive(Clone, Copy)]
pub struct BatchSubmission<'a> {
    /// The issuer's own id of the batch. The same id with the same content is assumed to be the same batch at Mastercard:
    /// an assumption of the caller, who repeats a call without an answer.
    pub external_batch_id: &'a str,
    /// The issuer's id at Mastercard, a UUID.
    pub src_client_id: &'a str,
    /// The issuer's service.
    pub service_id: &'a str,
    /// Consumers and cards as one compact JWE, sent unchanged.
    pub enrollment_data: &'a str,
}

/// Answer to a submission: 202. The batch is accepted for processing, and no card is enrolled by that.
#[derive(Clone, PartialEq, Eq)]
pub struct SubmittedBatch {
    /// Mastercard's id of the batch.
    pub batch_id: String,
}

/// Card to delete.
#[derive(Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
pub struct CardDeletion<'a> {
    /// Mastercard's id of the card.
    pub src_digital_card_id: &'a str,
    /// The issuer's id at Mastercard, a UUID.
    pub src_client_id: &'a str,
    /// The issuer's service.
    pub service_id: &'a str,
    /// Id of this request in Mastercard's logs, a UUID.
    pub src_correlation_id: &'a str,
}

/// Answer to a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletedCard {
    /// Mastercard deleted the card.
    Deleted,
    /// Mastercard says that it has no such card, as after an earlier deletion whose answer was lost.
    NotFound,
}

/// Value of `X-Src-Cx-Flow-Id`: 1 to 128 visible ASCII characters. `Debug` shows only the length.
#[derive(Clone, PartialEq, Eq)]
pub struct FlowId(String);

/// One call: its result, and what the answer said about the call itself, whether it succeeded or not.
#[derive(Debug, Clone)]
pub struct Exchange<T> {
    /// Result of the call.
    pub result: Result<T, IssuerEnrollmentError>,
    /// Flow that the answer belongs to. Send it with every later call about the same batch.
    pub flow: Option<FlowId>,
    /// Mastercard's id of the call, by which its support finds it.
    pub correlation: Option<CorrelationId>,
}

impl IssuerEnrollmentClient {
    /// Makes a client for the API under `base_url`, such as
    /// `https://sandbox.api.mastercard.com/src/api/digital/payments`.
    pub fn new(
        http: HttpClient,
        base_url: &str,
        dialect: Dialect,
        signer: Arc<dyn RequestSigner>,
    ) -> Result<Self, IssuerEnrollmentSetupError> {
        let base = Url::parse(base_url).map_err(|_| IssuerEnrollmentSetupError::BaseUrl)?;
        let is_plain = base.query().is_none()
            && base.fragment().is_none()
            && base.username().is_empty()
            && base.password().is_none();
        if base.scheme() != "https" || !is_plain {
            return Err(IssuerEnrollmentSetupError::BaseUrl);
        }
        Ok(Self {
            http,
            base,
            dialect,
            signer,
        })
    }

    /// `POST /cards/batch`: submits a batch.
    pub async fn submit(
        &self,
        batch: &BatchSubmission<'_>,
        flow: Option<&FlowId>,
    ) -> Exchange<SubmittedBatch> {
        let request = Request::submission(&self.base, self.dialect, batch);
        self.call("submit", request, flow, |answer| {
            answer::submitted(answer, batch.external_batch_id)
        })
        .await
    }

    /// `GET /cards/batch/{batchId}`: asks for the status of a batch and the results of its cards.
    pub async fn status(&self, batch_id: &str, flow: Option<&FlowId>) -> Exchange<BatchReport> {
        let request = Request::status(&self.base, self.dialect, batch_id);
        self.call("status", request, flow, |answer| {
            answer::reported(answer, self.dialect, batch_id)
        })
        .await
    }

    /// `DELETE /cards/{srcDigitalCardId}`: deletes a card. A repeated deletion ends as [`DeletedCard::NotFound`].
    pub async fn delete_card(
        &self,
        deletion: &CardDeletion<'_>,
        flow: Option<&FlowId>,
    ) -> Exchange<DeletedCard> {
        let request = Request::deletion(&self.base, self.dialect, deletion);
        self.call("delete_card", request, flow, answer::deleted).await
    }

    /// Makes one call. One log line reports its result: the operation, the kind of outcome and the correlation id, and
    /// nothing else of request or answer.
    async fn call<T>(
        &self,
        operation: &'static str,
        request: Result<Request, NotSent>,
        flow: Option<&FlowId>,
        read: impl FnOnce(&Answer) -> Result<T, IssuerEnrollmentError>,
    ) -> Exchange<T> {
        let span = info_span!("issuer_enrollment", operation);
        async {
            let started = Instant::now();
            let exchange = match self.exchange(request, flow).await {
                Ok(answer) => Exchange {
                    result: read(&answer),
                    flow: flow_id(&answer),
                    correlation: answer.correlation(),
                },
                Err(error) => Exchange {
                    result: Err(error),
                    flow: None,
                    correlation: None,
                },
            };
            let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            let correlation = exchange.correlation.as_ref().map(CorrelationId::as_str);
            match &exchange.result {
                Ok(_) => info!(outcome = "ok", correlation, duration_ms, "Issuer Enrollment call finished"),
                Err(error) => {
                    warn!(outcome = error.class(), correlation, duration_ms, %error, "Issuer Enrollment call finished");
                }
            }
            exchange
        }
        .instrument(span)
        .await
    }

    async fn exchange(
        &self,
        request: Result<Request, NotSent>,
        flow: Option<&FlowId>,
    ) -> Result<Answer, IssuerEnrollmentError> {
        let Request { method, url, body } = request.map_err(IssuerEnrollmentError::NotSent)?;
        let headers =
            self.headers(&method, &url, body.as_deref(), flow)
                .ok_or(IssuerEnrollmentError::NotSent(NotSent::InvalidField(
                    "Authorization",
                )))?;
        // The bytes that were signed.
        Ok(self.http.send(method, &url, headers, body).await?)
    }

    /// Returns the headers of a request, or `None` if it can't be signed.
    fn headers(
        &self,
        method: &Method,
        url: &Url,
        body: Option<&[u8]>,
        flow: Option<&FlowId>,
    ) -> Option<HeaderMap> {
        let authorization = self
            .signer
            .authorization(method, url, body.unwrap_or_default())
            .ok()?;
        let mut authorization = HeaderValue::from_str(&authorization).ok()?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            // Some compress an answer unless they are told not to.
            (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
            (AUTHORIZATION, authorization),
        ]);
        if body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(value) = flow.and_then(|flow| HeaderValue::from_str(flow.as_str()).ok()) {
            headers.insert(HeaderName::from_static(dialect::FLOW_ID_HEADER), value);
        }
        Some(headers)
    }
}

fn flow_id(answer: &Answer) -> Option<FlowId> {
    let value = answer.headers.get(dialect::FLOW_ID_HEADER)?;
    FlowId::parse(value.to_str().ok()?)
}

impl FlowId {
    /// Returns `None` if the text can't be a header value that is sent back.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        ((1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()))
            .then(|| Self(text.to_owned()))
    }

    /// Returns the value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for FlowId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "FlowId({} characters)", self.0.len())
    }
}

impl std::fmt::Debug for SubmittedBatch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SubmittedBatch").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for IssuerEnrollmentClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("IssuerEnrollmentClient")
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}
