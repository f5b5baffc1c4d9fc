//! HTTP client for Mastercard's hosts: HTTPS only, TLS 1.2 or later by rustls with aws-lc, fixed roots, an optional
//! client certificate, limits on time and size. The environment of a process can't change it: no proxy, no cookies, no
//! redirects, no retries.

mod content;
mod identity;
#[cfg(any(feature = "issuer-enrollment", feature = "mrs"))]
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
pub use reqwest::{Method, Url, header};

/// Lifetime of an idle connection. The other side, or a frozen Lambda sandbox, is likely to close it later than that: a
/// request on a dead connection ends as [`Unknown::Connection`].
const IDLE_CONNECTION: Duration = Duration::from_secs(20);

/// Longest body of an answer, in bytes, as received and decompressed.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Settings of a client. `HttpSettings::default()` trusts Mozilla's roots and presents no certificate.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Time limit for name resolution, TCP and TLS together: 3 s.
    pub connect_timeout: Duration,
    /// Time limit for a whole call, up to the last byte of the answer: 8 s.
    pub total_timeout: Duration,
    /// Longest body of an answer that is read: 1 MiB.
    pub max_answer_bytes: usize,
    /// Certificate authorities of trusted servers.
    pub trust: Trust,
    /// Certificate for servers that ask for one.
    pub identity: Option<ClientIdentity>,
}

/// Client with its pool of connections. Clones share them.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    max_answer_bytes: usize,
}

/// HTTP answer of any status.
#[derive(Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Whole body, as received.
    pub body: Vec<u8>,
}

/// Headers in which Mastercard's systems send the id of a call, in order of preference. None is documented for MRS:
/// they were seen in answers of its API gateway and of the systems behind it.
const CORRELATION_HEADERS: [&str; 5] = [
    "x-mc-correlation-id",
    "x-correlation-id",
    "correlation-id",
    "x-src-cx-flow-id",
    "x-vcap-request-id",
];

/// Reason for which a call got no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendError {
    /// The call was certainly not carried out.
    #[error(transparent)]
    NotSent(#[from] NotSent),
    /// The call may have been carried out.
    #[error(transparent)]
    Unknown(#[from] Unknown),
}

/// Error of the TLS library or the HTTP client about the settings.
#[derive(Debug, Error)]
pub enum HttpSetupError {
    /// TLS refused the protocol versions or the client certificate.
    #[error("the HTTP client can't be set up: TLS")]
    Tls,
    /// The HTTP client refused the settings.
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
    /// Makes a client. It reads no files, in particular not the machine's certificate store, and needs no network.
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
        self.send(Method::POST, url, headers, Some(body)).await
    }

    /// Sends a request of any method and waits for the whole answer. Without a body no `Content-Length` is sent.
    pub async fn send(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, SendError> {
        if url.scheme() != "https" {
            return Err(NotSent::InvalidField("url").into());
        }
        let mut request = self.client.request(method, url.clone()).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
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
    /// Returns the body without its content codings, at most 1 MiB. An error describes the fault in the form.
    pub fn content(&self) -> Result<Cow<'_, [u8]>, &'static str> {
        content::decode(&self.headers, &self.body, MAX_ANSWER_BYTES)
    }

    /// Returns the document in a body without content codings.
    #[cfg(any(feature = "issuer-enrollment", feature = "mrs"))]
    pub(crate) fn document<'a>(&self, content: &'a [u8]) -> Result<mime::Document<'a>, &'static str> {
        let mut types = self.headers.get_all(header::CONTENT_TYPE).iter();
        let content_type = match (types.next(), types.next()) {
            (None, _) => None,
            (Some(value), None) => Some(value.to_str().map_err(|_| "a content type that is not ASCII")?),
            (Some(_), Some(_)) => return Err("more than one content type"),
        };
        mime::document(content_type, content)
    }

    /// Mastercard's id of the call: the first header with an id that may be shown.
    pub fn correlation(&self) -> Option<CorrelationId> {
        CORRELATION_HEADERS
            .iter()
            .flat_map(|name| self.headers.get_all(*name))
            .find_map(|value| CorrelationId::parse(value.to_str().ok()?))
    }
}

/// Omits headers and body, which may contain what a customer typed.
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

/// Classifies an error of the HTTP library. `is_connect` is the only sign that nothing was written: hyper sets it for
/// failures of the connector alone (name, TCP, TLS handshake, and their time limit). Everything later, including a
/// refused certificate under TLS 1.3, may have happened after the other side had the request.
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
