//! Port `IssuerEnrollment` over the client of the crate `mastercard`.

mod answer;
mod credentials;
mod failure;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use enrollment::batch::{BatchAnswer, BatchId, FlowId, MastercardBatchId};
use enrollment::identifiers::IncidentId;
use enrollment::log::{LogText, info, warn};
use enrollment::ports::{
    Acknowledgment, BatchQuery, BatchSubmission, CardDeletion, IssuerEnrollment, IssuerEnrollmentError,
};
use enrollment::randomness::Randomness;
use jiff::Timestamp;
use mastercard::issuer_enrollment::{
    self as api, Dialect, Exchange, IssuerEnrollmentClient, IssuerEnrollmentSetupError,
};

pub use credentials::{IssuerAuthentication, SignedClient};

use crate::connection::{CallError, ClosedError, Connection, Operation, log_text};
use crate::metrics::Metrics;
use crate::tables::DynamoBatches;

/// Connection to the Issuer Enrollment API.
pub type IssuerConnection = Connection<IssuerAuthentication>;

/// Mastercard's Issuer Enrollment API. Clones share their connections.
#[derive(Clone)]
pub struct MastercardIssuerEnrollment {
    connection: IssuerConnection,
    service: Arc<Service>,
    randomness: Arc<dyn Randomness>,
    /// Store of Mastercard's words, where they are kept.
    faults: Option<Arc<DynamoBatches>>,
    /// Batch that the calls are made for.
    batch: Option<BatchId>,
}

struct Service {
    /// `None` where the deployment serves no issuers.
    base_url: Option<String>,
    dialect: Dialect,
}

impl ClosedError for IssuerEnrollmentSetupError {}

impl MastercardIssuerEnrollment {
    /// API at `base_url`, such as `https://api.mastercard.com/src/api/digital/payments`. Without an address no call is made.
    pub fn new(
        connection: IssuerConnection,
        base_url: Option<String>,
        dialect: Dialect,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self {
            connection,
            service: Arc::new(Service { base_url, dialect }),
            randomness,
            faults: None,
            batch: None,
        }
    }

    /// Keeps what Mastercard writes about a call that it refuses, or answers beyond understanding, with the batch that the
    /// call was made for.
    #[must_use]
    pub fn keeping_faults(mut self, batches: DynamoBatches) -> Self {
        self.faults = Some(Arc::new(batches));
        self
    }

    /// Returns the same for calls about one batch.
    #[must_use]
    pub fn for_batch(&self, batch: BatchId) -> Self {
        Self {
            batch: Some(batch),
            ..self.clone()
        }
    }

    /// Returns the same for one run of a function that ends at `end`, see [`Connection::until`].
    #[must_use]
    pub fn until(&self, end: Timestamp) -> Self {
        Self {
            connection: self.connection.until(end),
            ..self.clone()
        }
    }

    async fn call<T: Send + Sync, R: Future<Output = Exchange<T>> + Send>(
        &self,
        operation: &'static str,
        incident: Option<&IncidentId>,
        call: impl Fn(IssuerEnrollmentClient) -> R + Send + Sync,
    ) -> Result<(T, Option<FlowId>), IssuerEnrollmentError> {
        let measured = Operation {
            name: operation,
            measure: Metrics::issuer_call,
        };
        let call = &call;
        let first_flow = &OnceLock::new();
        let over = |client: SignedClient| {
            let client = self.service.client(client);
            async move {
                let exchange = call(client?).await;
                log(operation, incident, &exchange);
                self.keep(operation, &exchange).await;
                if let Some(flow) = exchange.flow {
                    first_flow.get_or_init(|| flow);
                }
                exchange.result.map_err(CallError::Protocol)
            }
        };
        let result = self.connection.call(measured, over).await;
        let flow = answer::flow(first_flow.get());
        match result {
            Ok(answer) => Ok((answer, flow)),
            Err(error) => Err(failure::of_call(operation, error, flow, self.connection.now())),
        }
    }

    /// Keeps Mastercard's words about a failed call. A failure to do so changes nothing else.
    async fn keep<T: Sync>(&self, operation: &'static str, exchange: &Exchange<T>) {
        let (Some(faults), Some(batch)) = (&self.faults, self.batch) else {
            return;
        };
        let Some(note) = failure::words(operation, exchange, self.connection.now()) else {
            return;
        };
        if let Err(error) = faults.note_fault(batch, &note).await {
            warn!(error, "storing fault text failed");
        }
    }

    /// Random UUID (RFC 9562, version 4), which names a call in Mastercard's logs.
    fn correlation_id(&self) -> String {
        let mut bytes = [0; 16];
        self.randomness.fill(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let digits = hex::encode(bytes);
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| digits.get(range).unwrap_or_default());
        parts.join("-")
    }
}

impl Service {
    fn client(
        &self,
        client: SignedClient,
    ) -> Result<IssuerEnrollmentClient, CallError<api::IssuerEnrollmentError>> {
        let Some(base_url) = &self.base_url else {
            return Err(CallError::NotReady("the deployment has no IssuerBaseUrl".into()));
        };
        IssuerEnrollmentClient::new(client.http, base_url, self.dialect, client.signer)
            .map_err(|error| CallError::NotReady(log_text(error)))
    }
}

/// Logs a call with Mastercard's id of it, by which its support finds it, under the incident of the batch.
fn log<T>(operation: &'static str, incident: Option<&IncidentId>, exchange: &Exchange<T>) {
    let correlation = exchange
        .correlation
        .as_ref()
        .and_then(|id| LogText::correlation(id.as_str()));
    match &exchange.result {
        Ok(_) => info!(operation, incident, correlation, "call to Mastercard answered"),
        Err(error) => warn!(
            operation,
            incident,
            correlation,
            outcome = error.class(),
            error = log_text(error),
            "call to Mastercard failed"
        ),
    }
}

#[async_trait]
impl IssuerEnrollment for MastercardIssuerEnrollment {
    async fn submit(&self, batch: BatchSubmission<'_>) -> Result<Acknowledgment, IssuerEnrollmentError> {
        let sent_flow = answer::sent_flow(batch.flow);
        let sent_flow = sent_flow.as_ref();
        let submit = |client: IssuerEnrollmentClient| async move {
            let submission = api::BatchSubmission {
                external_batch_id: batch.external_id.as_str(),
                src_client_id: batch.src_client_id,
                service_id: batch.service_id,
                enrollment_data: batch.data.expose(),
            };
            client.submit(&submission, sent_flow).await
        };
        let (submitted, flow) = self
            .call(failure::SUBMISSION, Some(batch.incident), submit)
            .await?;
        // Mastercard took the batch, but its id of it can't be sent back: the same as an answer that never came.
        match MastercardBatchId::parse(&submitted.batch_id) {
            Ok(batch) => Ok(Acknowledgment { batch, flow }),
            Err(error) => Err(IssuerEnrollmentError::Unknown {
                detail: LogText::of(error),
                retry_after: None,
                flow,
            }),
        }
    }

    async fn status(&self, query: BatchQuery<'_>) -> Result<BatchAnswer, IssuerEnrollmentError> {
        let flow = answer::sent_flow(query.submission.flow.as_ref());
        let flow = flow.as_ref();
        let status = |client: IssuerEnrollmentClient| async move {
            client.status(query.submission.batch.expose(), flow).await
        };
        let (report, flow) = self.call("batchStatus", Some(query.incident), status).await?;
        Ok(answer::batch(&report, flow))
    }

    async fn delete_card(&self, card: CardDeletion<'_>) -> Result<(), IssuerEnrollmentError> {
        let flow = answer::sent_flow(card.flow);
        let (flow, correlation) = (flow.as_ref(), &self.correlation_id());
        let delete = |client: IssuerEnrollmentClient| async move {
            let deletion = api::CardDeletion {
                src_digital_card_id: card.card.expose(),
                src_client_id: card.src_client_id,
                service_id: card.service_id,
                src_correlation_id: correlation,
            };
            client.delete_card(&deletion, flow).await
        };
        match self.call("deleteCard", None, delete).await? {
            (api::DeletedCard::Deleted, _) => Ok(()),
            (api::DeletedCard::NotFound, _) => Err(IssuerEnrollmentError::NotFound),
        }
    }
}
