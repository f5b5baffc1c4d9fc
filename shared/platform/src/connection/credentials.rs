//! Kinds of credentials, and the clients that are made with them.

use enrollment::log::LogText;
use enrollment::ports::StoreError;
use mastercard::http::{HttpClient, Trust};

use super::certificate::{self, http_client};
use super::log_text;
use crate::secrets::{MutualTls, Secrets};

/// Kind of credentials that one of Mastercard's systems wants.
pub trait Credentials: Send + Sync + 'static {
    /// Credentials as their secret stores them.
    type Stored: Send + Sync;
    /// Client whose calls have them.
    type Client: Clone + Send + Sync;

    /// Reads the secret.
    fn read(secrets: &Secrets) -> impl Future<Output = Result<Self::Stored, StoreError>> + Send;

    /// Version of the secret. While it is the same, so are the credentials.
    fn version(stored: &Self::Stored) -> &str;

    /// Makes the client. It reads and connects nothing.
    ///
    /// # Errors
    /// Defect of the credentials.
    fn connect(&self, stored: &Self::Stored) -> Result<Connected<Self::Client>, LogText>;
}

/// Client with its credentials.
pub struct Connected<T> {
    /// Client.
    pub client: T,
    /// End of its client certificate in seconds since 1970, if it has one.
    pub certificate_ends: Option<i64>,
}

/// Client certificate for mutual TLS.
pub struct MutualTlsCredentials;

impl Credentials for MutualTlsCredentials {
    type Stored = MutualTls;
    type Client = HttpClient;

    async fn read(secrets: &Secrets) -> Result<MutualTls, StoreError> {
        secrets.mutual_tls().await
    }

    fn version(stored: &MutualTls) -> &str {
        &stored.version
    }

    fn connect(&self, stored: &MutualTls) -> Result<Connected<HttpClient>, LogText> {
        let identity = certificate::identity(&stored.identity)?;
        let trust = match &stored.certificate_authorities {
            Some(pem) => Trust::only_pem(pem).map_err(log_text)?,
            None => Trust::Mozilla,
        };
        http_client(trust, Some(identity))
    }
}
