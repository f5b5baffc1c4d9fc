//! HTTPS client for URLs that somebody else chose. It connects to public addresses only, which it checks where the
//! connection is made. Neither the environment of the process nor an answer can redirect it.

mod connect;
mod error;
mod exchange;
mod private_host;
mod resolve;
mod status_line;
mod trust;
mod verifier;

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use http::{
    HeaderMap, HeaderName, HeaderValue, Uri,
    header::{ACCEPT, USER_AGENT},
};
use rustls::{ClientConfig, client::WebPkiServerVerifier, crypto::aws_lc_rs};
use thiserror::Error;
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

pub use self::{
    error::{BlockedUrl, SendError, SendStage, TlsError},
    private_host::{PrivateHost, PrivateHostError},
    resolve::{Resolve, Resolving, SystemResolver},
    trust::{Trust, TrustError},
};
use self::{resolve::Reach, verifier::Verifier};
use crate::retry_after::RetryAfter;

/// Settings of a sender. `SenderSettings::default()` is fit for production.
#[derive(Clone)]
pub struct SenderSettings {
    /// Time limit of an attempt, from name resolution to the end of the answer's head: 15 s. A status line that was
    /// received by then counts, even if the head goes on.
    pub total_timeout: Duration,
    /// Certificate authorities of trusted receivers: Mozilla's roots.
    pub trust: Trust,
    /// Hosts that may have private addresses: none. Only for a stack on one machine: in production each entry opens the
    /// internal network.
    pub dangerous_private_hosts: Vec<PrivateHost>,
    /// Resolver of host names: the operating system's.
    pub resolver: Arc<dyn Resolve>,
    /// User agent: `webhooks/` and this crate's version.
    pub user_agent: String,
}

/// Posts to receivers. Clones share the settings. There are no connections to share, since each attempt resolves,
/// checks and connects anew.
#[derive(Clone)]
pub struct Sender {
    tls: Arc<ClientConfig>,
    /// TLS configuration that offers HTTP/1.1 only.
    tls_for_http_1: Arc<ClientConfig>,
    settings: SenderSettings,
    user_agent: HeaderValue,
}

/// Answer of a receiver, of any status. A redirect is an answer like any other. The body is not read, and nothing but
/// the status line decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Time at which the receiver wants the next attempt.
    pub retry_after: Option<RetryAfter>,
}

/// Error of the TLS library or the HTTP client about the settings.
#[derive(Debug, Error)]
#[error("the sender can't be set up")]
pub struct SenderSetupError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Default for SenderSettings {
    fn default() -> Self {
        Self {
            total_timeout: Duration::from_secs(15),
            trust: Trust::default(),
            dangerous_private_hosts: Vec::new(),
            resolver: Arc::new(SystemResolver),
            user_agent: concat!("webhooks/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl Sender {
    /// Makes a sender. It reads no files and needs no network.
    pub fn new(settings: &SenderSettings) -> Result<Self, SenderSetupError> {
        let user_agent = HeaderValue::from_str(&settings.user_agent);
        let tls = tls_configuration(&settings.trust)?;
        let mut tls_for_http_1 = tls.clone();
        tls_for_http_1.alpn_protocols = vec![exchange::HTTP_1_1.to_vec()];
        Ok(Self {
            tls: Arc::new(tls),
            tls_for_http_1: Arc::new(tls_for_http_1),
            settings: settings.clone(),
            user_agent: user_agent.map_err(|error| SenderSetupError(error.into()))?,
        })
    }

    /// Makes one attempt: posts a body and waits for the head of the answer. If the answer over HTTP/2 breaks the
    /// protocol, the same attempt posts once more over HTTP/1.1.
    pub async fn post(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<Answer, SendError> {
        let reach = self.reach(url)?;
        let uri: Uri = without_fragment(url).parse().map_err(|_| SendError::Request)?;
        let headers = self.headers(headers).ok_or(SendError::Request)?;
        let request = exchange::request(&uri, headers, body).ok_or(SendError::Request)?;

        let deadline = Instant::now() + self.settings.total_timeout;
        let addresses = self.addresses(url, reach, deadline).await?;
        let connect = async |configuration: &Arc<ClientConfig>| {
            let stream = connect::tcp(&uri, addresses.clone(), deadline).await?;
            connect::tls(Arc::clone(configuration), url, stream, deadline).await
        };
        let posted = exchange::post(connect(&self.tls).await?, request.clone(), deadline).await;
        let unanswered = match posted {
            Ok(answer) => return Ok(answer),
            Err(unanswered) => unanswered,
        };
        if unanswered.over_http_1
            && let Ok(stream) = connect(&self.tls_for_http_1).await
            && let Ok(answer) = exchange::post(stream, request, deadline).await
        {
            return Ok(answer);
        }
        Err(unanswered.failure)
    }

    /// Checks what can be checked before name resolution. An address in the URL never reaches a resolver, so it is
    /// checked here, in the form that the connector reads: `url` has turned every spelling into four or eight numbers.
    fn reach(&self, url: &Url) -> Result<Reach, BlockedUrl> {
        if url.scheme() != "https" {
            return Err(BlockedUrl::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BlockedUrl::Credentials);
        }
        let mut private_hosts = self.settings.dangerous_private_hosts.iter();
        let reach = if private_hosts.any(|host| host.covers(url)) {
            Reach::Anywhere
        } else {
            Reach::Public
        };
        let reachable = match url.host() {
            Some(Host::Ipv4(address)) => reach.covers(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => reach.covers(IpAddr::V6(address)),
            Some(Host::Domain(_)) => true,
            None => false,
        };
        if reachable {
            Ok(reach)
        } else {
            Err(BlockedUrl::Address)
        }
    }

    /// Returns the addresses to connect to, all of them checked.
    async fn addresses(&self, url: &Url, reach: Reach, deadline: Instant) -> Result<Vec<IpAddr>, SendError> {
        match url.host() {
            Some(Host::Domain(name)) => {
                let resolving = reach.resolve(self.settings.resolver.as_ref(), name);
                timeout_at(deadline, resolving)
                    .await
                    .map_err(|_| SendError::Timeout(SendStage::Lookup))?
            }
            Some(Host::Ipv4(address)) => Ok(vec![IpAddr::V4(address)]),
            Some(Host::Ipv6(address)) => Ok(vec![IpAddr::V6(address)]),
            None => Err(BlockedUrl::Address.into()),
        }
    }

    /// Returns `None` if a name or value is not allowed by HTTP.
    fn headers(&self, given: &[(&'static str, String)]) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(USER_AGENT, self.user_agent.clone());
        for (name, value) in given {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).ok()?,
                HeaderValue::from_str(value).ok()?,
            );
        }
        Some(headers)
    }
}

/// Omits resolver and certificates.
impl fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sender")
            .field("total_timeout", &self.settings.total_timeout)
            .field("dangerous_private_hosts", &self.settings.dangerous_private_hosts)
            .finish_non_exhaustive()
    }
}

/// Returns the target of the request, without the fragment, which only concerns browsers.
fn without_fragment(url: &Url) -> String {
    url[..url::Position::AfterQuery].to_owned()
}

fn tls_configuration(trust: &Trust) -> Result<ClientConfig, SenderSetupError> {
    // The provider is named, not installed for the process: a library has no business with its caller's
    // globals.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(trust.roots(), Arc::clone(&provider))
        .build()
        .map_err(|error| SenderSetupError(error.into()))?;
    let mut configuration = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SenderSetupError(error.into()))?
        // Dangerous in general: this one leaves every decision to the library's own.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier::new(verifier)))
        .with_no_client_auth();
    configuration.alpn_protocols = vec![exchange::HTTP_2.to_vec(), exchange::HTTP_1_1.to_vec()];
    // A session that is resumed would skip the check of the certificate.
    configuration.resumption = rustls::client::Resumption::disabled();
    Ok(configuration)
}
