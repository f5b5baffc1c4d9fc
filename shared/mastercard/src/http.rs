//! The one HTTP client for Mastercard's hosts: TLS 1.2 or later by rustls with aws-lc, HTTPS alone, our own roots, a client
//! certificate where one is given, limits on time and size, and nothing that a process's surroundings can change:
//! no proxy, no cookies, no redirects, no retries.

mod content;
mod identity;
mod mime;
mod trust;

use std::{borrow::Cow, sync::Arc, time::Duration};

use reqwest::header::HeaderMap;
use rustls::{ClientConfig, crypto::aws_lc_rs};
use thiserror::Error;

pub use self::{
    identity::{ClientIdentity, IdentityError},
    trust::{CertificateAuthorities, Trust, TrustError},
};
use crate::{
    failure::{ConnectionFailure, NotSent, Unknown},
    foreign::CorrelationId,
};
pub use reqwest::{Url, header};

/// An idle connection is given up before the other side, or a frozen Lambda sandbox, is likely to have done so: a
/// request written to a connection that is dead already ends as [`Unknown::Connection`].
const IDLE_CONNECTION: Duration = Duration::from_secs(20);

/// The longest body of an answer, in bytes, as it comes and decompressed.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// What a client is made of; `HttpSettings::default()` trusts Mozilla's roots and shows no certificate.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Limit for name resolution, TCP and TLS together: 3 s.
    pub connect_timeout: Duration,
    /// Limit for a whole call, up to the last byte of the answer: 8 s.
    pub total_timeout: Duration,
    /// The longest answer's body that is read: 1 MiB.
    pub max_answer_bytes: usize,
    /// Which servers are believed.
    pub trust: Trust,
    /// The certificate to show to servers that ask for one.
    pub identity: Option<ClientIdentity>,
}

/// A client with its pool of connections; a clone shares them.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    max_answer_bytes: usize,
}

/// An HTTP answer, whatever its status.
#[derive(Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body, as it came.
    pub body: Vec<u8>,
}

/// Headers in which Mastercard's systems give the id of a call, the most telling first. None is documented for MRS: they
/// are those that are seen in answers of its API gateway and of the systems behind it.
const CORRELATION_HEADERS: [&str; 5] = [
    "x-mc-correlation-id",
    "x-correlation-id",
    "correlation-id",
    "x-src-cx-flow-id",
    "x-vcap-request-id",
];

/// Why a call gave no answer: certainly not sent, or nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendError {
    /// The call never left.
    #[error(transparent)]
    NotSent(#[from] NotSent),
    /// The call may have been carried out.
    #[error(transparent)]
    Unknown(#[from] Unknown),
}

/// The TLS library or the HTTP client refused the settings.
#[derive(Debug, Error)]
pub enum HttpSetupError {
    /// TLS: the versions of the protocol, or the client certificate.
    #[error("the HTTP client can't be set up: TLS")]
    Tls,
    /// The HTTP client around it.
    #[error("the HTTP client can't be set up")]
    Client,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            total_timeout: Duration::from_secs(8),
            max_answer_bytes: MAX_ANSWER_BYTES,
            trust: Trust::Mozilla,
            identity: None,
        }
    }
}

impl HttpClient {
    /// Makes a client. Costs no file access and no network: nothing of the machine's own certificate store is read.
    pub fn new(settings: &HttpSettings) -> Result<Self, HttpSetupError> {
        let tls = tls_configuration(settings).map_err(|_| HttpSetupError::Tls)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the hardened client that the rule points to"
        )]
        let builder = reqwest::Client::builder();
        let client = builder
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            // Fields that break the grammar of HTTP say nothing that is looked at; the answer around them counts.
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_ignore_invalid_headers_in_responses(true)
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.total_timeout)
            .pool_idle_timeout(IDLE_CONNECTION)
            .build()
            .map_err(|_| HttpSetupError::Client)?;
        Ok(Self {
            client,
            max_answer_bytes: settings.max_answer_bytes,
        })
    }

    /// Posts a body and waits for the whole answer.
    pub async fn post(&self, url: &Url, headers: HeaderMap, body: Vec<u8>) -> Result<Answer, SendError> {
        if url.scheme() != "https" {
            return Err(NotSent::InvalidField("url").into());
        }
        let request = self.client.post(url.clone()).headers(headers).body(body);
        let mut response = request.send().await.map_err(|error| classify(&error))?;
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| unknown(&error))? {
            if body.len() + part.len() > self.max_answer_bytes {
                return Err(Unknown::AnswerTooLong(self.max_answer_bytes).into());
            }
            body.extend_from_slice(&part);
        }
        Ok(Answer {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body,
        })
    }
}

impl Answer {
    /// The body without the content codings that lie over it, at most 1 MiB. The error names what is wrong with the form.
    pub(crate) fn content(&self) -> Result<Cow<'_, [u8]>, &'static str> {
        content::decode(&self.headers, &self.body, MAX_ANSWER_BYTES)
    }

    /// The document in a body without content codings.
    pub(crate) fn document<'a>(&self, content: &'a [u8]) -> Result<mime::Document<'a>, &'static str> {
        let mut types = self.headers.get_all(header::CONTENT_TYPE).iter();
        let content_type = match (types.next(), types.next()) {
            (None, _) => None,
            (Some(value), None) => Some(value.to_str().map_err(|_| "a content type that is not ASCII")?),
            (Some(_), Some(_)) => return Err("more than one content type"),
        };
        mime::document(content_type, content)
    }

    /// Mastercard's id of the call: the first header that has one in a form that can be shown.
    pub fn correlation(&self) -> Option<CorrelationId> {
        CORRELATION_HEADERS
            .iter()
            .flat_map(|name| self.headers.get_all(*name))
            .find_map(|value| CorrelationId::parse(value.to_str().ok()?))
    }
}

/// Headers and body stay out: they may hold what a customer typed.
impl std::fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Answer")
            .field("status", &self.status)
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

fn tls_configuration(settings: &HttpSettings) -> Result<ClientConfig, rustls::Error> {
    // The provider is named, not installed for the process: a library has no business with its caller's globals.
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(settings.trust.roots());
    let mut configuration = match &settings.identity {
        Some(identity) => builder.with_client_cert_resolver(identity.resolver()),
        None => builder.with_no_client_auth(),
    };
    configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(configuration)
}

/// `is_connect` is the only sign that nothing was written: hyper sets it for failures of the connector alone (name,
/// TCP, TLS handshake, and their time limit). Everything after that, a refused certificate under TLS 1.3 included, may
/// have happened with the request at the other end.
fn classify(error: &reqwest::Error) -> SendError {
    if error.is_builder() {
        return NotSent::InvalidField("request").into();
    }
    if error.is_connect() {
        return NotSent::Connect(ConnectionFailure::of(error)).into();
    }
    unknown(error).into()
}

fn unknown(error: &reqwest::Error) -> Unknown {
    if error.is_timeout() {
        Unknown::Timeout
    } else {
        Unknown::Connection(ConnectionFailure::of(error))
    }
}
