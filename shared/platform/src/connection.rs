//! Connections to Mastercard, for any of its systems, any protocol and any kind of credentials. The credentials come from
//! Secrets Manager: rotated ones are used without a deployment, and at once where Mastercard refuses the old ones.
//!
//! # How to add a client
//! 1. Implement [`ProtocolError`] for the error of the client's protocol.
//! 2. Let the adapter have a [`Connection`] with the [`Credentials`] of its system and make each request by
//!    [`Connection::call`]. The closure builds the client over what it receives, for that call: a later call may run over
//!    another one.
//! 3. Add a method to [`Metrics`] that names the metrics of the calls, as [`Metrics::mrs_call`] does.

mod certificate;
mod closed_error;
mod credentials;
mod deadline;
mod failure;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use enrollment::clock::Clock;
use enrollment::log::{LogText, warn};
use enrollment::ports::StoreError;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

pub(crate) use certificate::{http_client, identity};
pub(crate) use closed_error::{ClosedError, log_text};
pub use credentials::{Connected, Credentials, MutualTlsCredentials};
pub use deadline::OutOfTime;
pub use failure::{CallError, ProtocolError};

use crate::metrics::{MastercardCall, Metrics};
use crate::secrets::Secrets;

/// Time between two reports of the certificate's end by one process.
const CERTIFICATE_REPORT_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// Connection whose calls have the credentials `C`. Clones share credentials and connections.
pub struct Connection<C: Credentials> {
    shared: Arc<Shared<C>>,
    /// End of the function's run that makes the calls.
    ends_at: Option<Timestamp>,
}

/// Connection over mutual TLS.
pub type MastercardConnection = Connection<MutualTlsCredentials>;

/// Operation of one of Mastercard's systems.
#[derive(Clone, Copy)]
pub struct Operation {
    /// Mastercard's name of it.
    pub name: &'static str,
    /// Writes the metrics of a call, by the names of its system.
    pub measure: fn(&Metrics, MastercardCall),
}

struct Shared<C: Credentials> {
    credentials: C,
    secrets: Arc<Secrets>,
    metrics: Metrics,
    clock: Arc<dyn Clock>,
    /// Client with the credentials that were read last.
    current: Mutex<Option<CurrentClient<C::Client>>>,
    /// Time of the last report of the certificate's end.
    certificate_reported_at: Mutex<Option<Timestamp>>,
}

/// Client with the credentials of one version of the secret.
#[derive(Clone)]
struct CurrentClient<T> {
    version: String,
    client: T,
}

impl<C: Credentials> Clone for Connection<C> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            ends_at: self.ends_at,
        }
    }
}

impl<C: Credentials> Connection<C> {
    /// Connection with credentials of `secrets`. Nothing is read or connected before the first call.
    pub fn new(credentials: C, secrets: Arc<Secrets>, metrics: Metrics, clock: Arc<dyn Clock>) -> Self {
        Self {
            shared: Arc::new(Shared {
                credentials,
                secrets,
                metrics,
                clock,
                current: Mutex::new(None),
                certificate_reported_at: Mutex::new(None),
            }),
            ends_at: None,
        }
    }

    /// Returns the same connection for one run of a function that ends at `end`. A call gets the time until then, less what
    /// storing its outcome takes. Without any time left it is not sent.
    #[must_use]
    pub fn until(&self, end: Timestamp) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            ends_at: Some(end),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Runs one call and writes its metrics.
    ///
    /// A call whose credentials Mastercard refuses had no effect: it runs once more if Secrets Manager has others by now.
    ///
    /// # Errors
    /// Error of the protocol, or the reason for which the call was not made or was cut off.
    pub async fn call<T: Send, E: ProtocolError, R: Future<Output = Result<T, CallError<E>>> + Send>(
        &self,
        operation: Operation,
        call: impl Fn(C::Client) -> R + Send + Sync,
    ) -> Result<T, CallError<E>> {
        let started = self.shared.clock.now();
        let left = self.ends_at.map(|end| deadline::time_left(started, end));
        // The future of a call is large, and stored twice while its time is watched.
        let result = deadline::within(left, Box::pin(self.shared.call(call))).await;
        let result = result.unwrap_or_else(|late| Err(CallError::OutOfTime(late)));
        (operation.measure)(
            &self.shared.metrics,
            MastercardCall {
                operation: operation.name,
                outcome: result.as_ref().err().map_or("ok", CallError::class),
                is_fault: result.as_ref().is_err_and(CallError::is_fault),
                took: self.shared.since(started),
            },
        );
        result
    }

    /// Writes how many days the client certificate has left, if there is one, at most once an hour for each process. It
    /// makes no call to Mastercard.
    ///
    /// # Errors
    /// Error where the secret can't be read; the next call tries again.
    pub async fn report_certificate(&self) -> Result<(), StoreError> {
        self.shared.report_certificate().await
    }
}

impl<C: Credentials> Shared<C> {
    async fn call<T: Send, E: ProtocolError, R: Future<Output = Result<T, CallError<E>>> + Send>(
        &self,
        call: impl Fn(C::Client) -> R + Send + Sync,
    ) -> Result<T, CallError<E>> {
        let current = self.client().await.map_err(CallError::NotReady)?;
        let result = call(current.client.clone()).await;
        if !result.as_ref().is_err_and(CallError::refuses_credentials) {
            return result;
        }
        match self.replacement(&current).await.map_err(CallError::NotReady)? {
            None => result,
            Some(replacement) => {
                warn!("credentials refused, repeating the call with their replacement");
                call(replacement.client).await
            }
        }
    }

    /// Client with the credentials that replaced the refused ones, if Secrets Manager has some.
    async fn replacement(
        &self,
        refused: &CurrentClient<C::Client>,
    ) -> Result<Option<CurrentClient<C::Client>>, LogText> {
        self.secrets.refresh();
        let current = self.client().await?;
        Ok((current.version != refused.version).then_some(current))
    }

    async fn client(&self) -> Result<CurrentClient<C::Client>, LogText> {
        let stored = C::read(&self.secrets).await.map_err(LogText::of)?;
        let version = C::version(&stored);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = current.as_ref().filter(|client| client.version == version) {
            return Ok(client.clone());
        }
        let connected = self.credentials.connect(&stored)?;
        self.report_end(connected.certificate_ends);
        let client = CurrentClient {
            client: connected.client,
            version: version.to_owned(),
        };
        *current = Some(client.clone());
        Ok(client)
    }

    fn report_end(&self, certificate_ends: Option<i64>) {
        if let Some(end) = certificate_ends {
            self.metrics.certificate_expiry(self.until(end));
        }
    }

    async fn report_certificate(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        if !self.is_report_due(now) {
            return Ok(());
        }
        let stored = C::read(&self.secrets).await?;
        let connected = self
            .credentials
            .connect(&stored)
            .map_err(|detail| StoreError::unreadable("reading the client certificate", detail))?;
        self.report_end(connected.certificate_ends);
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

    fn since(&self, started: Timestamp) -> Duration {
        self.clock
            .now()
            .duration_since(started)
            .try_into()
            .unwrap_or_default()
    }

    /// Time until a second since the epoch.
    fn until(&self, second: i64) -> Duration {
        let end = Timestamp::from_second(second).unwrap_or(Timestamp::MIN);
        end.duration_since(self.clock.now())
            .try_into()
            .unwrap_or_default()
    }
}
