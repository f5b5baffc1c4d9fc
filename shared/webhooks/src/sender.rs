//! An HTTPS client for URLs that somebody else chose: it connects to public addresses alone, checked where
//! the connection is made, and nothing in a process's surroundings or in an answer leads it elsewhere.

mod failure;
mod private_host;
mod resolve;
mod trust;

use std::{net::IpAddr, sync::Arc, time::Duration};

use reqwest::header::RETRY_AFTER;
use rustls::{ClientConfig, crypto::aws_lc_rs};
use thiserror::Error;
use url::{Host, Url};

use self::resolve::{Guard, Reach};
pub use self::{
    failure::{Blocked, Failure},
    private_host::{PrivateHost, PrivateHostError},
    resolve::{Resolve, Resolving, SystemResolver},
    trust::{Trust, TrustError},
};
use crate::retry_after::{self, RetryAfter};

/// What a sender is made of; `SenderSettings::default()` is fit for production.
#[derive(Clone)]
pub struct SenderSettings {
    /// Limit for an attempt, from name resolution to the last byte of the answer's head: 15 s.
    pub total_timeout: Duration,
    /// Which servers are believed: Mozilla's roots.
    pub trust: Trust,
    /// Hosts for which private addresses are allowed: none. For a stack on one machine; in production each
    /// entry is a way inside.
    pub dangerous_private_hosts: Vec<PrivateHost>,
    /// Who turns names into addresses: the operating system.
    pub resolver: Arc<dyn Resolve>,
    /// What the sender calls itself: `webhooks/` and this crate's version.
    pub user_agent: String,
}

/// Posts to receivers. A clone shares its settings; there are no connections to share, since each attempt
/// resolves, checks and connects anew.
#[derive(Debug, Clone)]
pub struct Sender {
    public: reqwest::Client,
    anywhere: reqwest::Client,
    dangerous_private_hosts: Vec<PrivateHost>,
}

/// The head of a receiver's answer, whatever its status. A redirect is an answer like any other; the body
/// isn't read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// When the receiver wants to be asked again.
    pub retry_after: Option<RetryAfter>,
}

/// The TLS library or the HTTP client refused the settings.
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
    /// Makes a sender. Costs no file access and no network.
    pub fn new(settings: &SenderSettings) -> Result<Self, SenderSetupError> {
        Ok(Self {
            public: client(settings, Reach::Public)?,
            anywhere: client(settings, Reach::Anywhere)?,
            dangerous_private_hosts: settings.dangerous_private_hosts.clone(),
        })
    }

    /// Makes one attempt: posts a body and waits for the head of the answer.
    pub async fn post(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let client = self.client_for(url)?;
        let request = client.post(url.clone()).body(body);
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, value));
        let response = request.send().await.map_err(|error| Failure::of(&error))?;
        let retry_after = response.headers().get(RETRY_AFTER);
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after: retry_after.and_then(|value| retry_after::parse(value.to_str().ok()?)),
        })
    }

    /// Judges all that can be judged before a name is looked up. An address in the URL never meets a
    /// resolver, so it is judged here, in the form that the connector will read: however it was spelt, `url`
    /// has made it four or eight numbers.
    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, Blocked> {
        if url.scheme() != "https" {
            return Err(Blocked::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Blocked::Credentials);
        }
        let (client, reach) = if self.dangerous_private_hosts.iter().any(|host| host.covers(url)) {
            (&self.anywhere, Reach::Anywhere)
        } else {
            (&self.public, Reach::Public)
        };
        let reachable = match url.host() {
            Some(Host::Ipv4(address)) => reach.covers(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => reach.covers(IpAddr::V6(address)),
            Some(Host::Domain(_)) => true,
            None => false,
        };
        if reachable {
            Ok(client)
        } else {
            Err(Blocked::Address)
        }
    }
}

/// Two clients, since reqwest tells a resolver the name but not the port by which a private host may be
/// allowed.
fn client(settings: &SenderSettings, reach: Reach) -> Result<reqwest::Client, SenderSetupError> {
    let tls = tls_configuration(&settings.trust).map_err(|error| SenderSetupError(error.into()))?;
    #[expect(
        clippy::disallowed_methods,
        reason = "hardened as the rule demands, and with a resolver that reaches public addresses alone"
    )]
    let builder = reqwest::Client::builder();
    builder
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // A connection that is kept would outlive the judgement on its address.
        .pool_max_idle_per_host(0)
        .dns_resolver(Guard::new(Arc::clone(&settings.resolver), reach))
        .timeout(settings.total_timeout)
        .user_agent(settings.user_agent.as_str())
        .build()
        .map_err(|error| SenderSetupError(error.into()))
}

fn tls_configuration(trust: &Trust) -> Result<ClientConfig, rustls::Error> {
    // The provider is named, not installed for the process: a library has no business with its caller's
    // globals.
    let mut configuration = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trust.roots())
        .with_no_client_auth();
    configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(configuration)
}
