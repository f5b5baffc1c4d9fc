//! Starts the listeners together and ends them together.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::admin;
use crate::clock::Clock;
use crate::faults::FaultQueue;
use crate::front::{self, Upstream};
use crate::mastercard;
use crate::mastercard::issuer_enrollment::{IssuerEnrollment, IssuerKeyError};
use crate::mastercard::mrs::{Mrs, MrsSettings, PairKey, StateError, StateFile};
use crate::partner::{self, AttemptLog, ConfirmationLog, DemoFolder, Initializer, Partner, Receiver};
use crate::recorder::{self, RecorderSettings};
use crate::serve::{Transport, serve};
use crate::tls::{self, ClientCertificates, TlsError};

/// Settings of the sandbox.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `ca.pem`, `server.pem`, `server.key.pem`, `rewards.key.pem`; for the Issuer Enrollment API, which is served where
    /// they are there, `issuer-encryption.key.pem` and `issuer-signing.pub.pem`. Read once, at the start.
    pub pki: PathBuf,
    /// `demo.json`, `private-key.pem`. Read anew at each use.
    pub demo: PathBuf,
    /// Upstream of the front.
    pub upstream: Upstream,
    /// Address at which partners reach the product.
    pub public_base_url: String,
    /// Instead of `demo.json`'s `clientId`.
    pub client: Option<String>,
    /// Instead of `demo.json`'s `programId`.
    pub program: Option<String>,
    /// Programs and vocabularies of the Mastercard stand-in.
    pub mrs: MrsSettings,
    /// State file of the stand-in; absent, the state is in memory only.
    pub state: Option<PathBuf>,
    /// Recorder that the functions' calls to AWS pass through; none where absent.
    pub recorder: Option<RecorderSettings>,
    /// Addresses of the listeners; port 0 takes a free one.
    pub listen: Addresses,
    /// The time of day.
    pub clock: Clock,
}

/// One address for each listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The front of the API.
    pub api: SocketAddr,
    /// The demo partner's site.
    pub partner: SocketAddr,
    /// The demo partner's receiver of confirmations (TLS).
    pub receiver: SocketAddr,
    /// The Mastercard stand-in (mutual TLS).
    pub mastercard: SocketAddr,
    /// Its admin listener.
    pub admin: SocketAddr,
}

/// Reason for which the sandbox can't start. Each text names the file or address to look at.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program has the port, or it is not for us.
    #[error("{name}: {address} can't be listened on: {source}")]
    Listen {
        /// Name of the listener.
        name: &'static str,
        /// Its address.
        address: SocketAddr,
        /// Reason.
        source: std::io::Error,
    },
    /// An address that is not on this machine's loopback.
    #[error("{name}: {address} is not a loopback address; the sandbox serves this machine only")]
    NotLoopback {
        /// Name of the listener.
        name: &'static str,
        /// Its address.
        address: SocketAddr,
    },
    /// The certificates are not usable.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The state file is not usable.
    #[error(transparent)]
    State(#[from] StateError),
    /// Nothing can be recorded.
    #[error("{file} can't be written: {source}")]
    Record {
        /// The file.
        file: PathBuf,
        /// Reason.
        source: std::io::Error,
    },
    /// A key of the Issuer Enrollment API is not usable.
    #[error(transparent)]
    IssuerKey(#[from] IssuerKeyError),
    /// The card key is absent.
    #[error("{file} can't be read: {source}")]
    CardKey {
        /// The file.
        file: PathBuf,
        /// Reason.
        source: std::io::Error,
    },
    /// The card key is not a key.
    #[error("{file} is not an RSA private key (PKCS#8, PEM)")]
    NotACardKey {
        /// The file.
        file: PathBuf,
    },
}

/// A running sandbox. Dropping it ends it at once; [`Sandbox::end`] lets calls under way finish.
pub struct Sandbox {
    addresses: Addresses,
    end: watch::Sender<bool>,
    listeners: JoinSet<()>,
}

impl Sandbox {
    /// Starts every listener, or none. All are ready when this returns.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        // First of all: where another sandbox runs at these addresses, its state is left alone.
        let listen = settings.listen;
        let api = bind("api", listen.api).await?;
        let site = bind("partner", listen.partner).await?;
        let confirmations = bind("receiver", listen.receiver).await?;
        let mastercard = bind("mastercard", listen.mastercard).await?;
        let control = bind("admin", listen.admin).await?;
        let recorder = recorder(settings.recorder).await?;
        let addresses = Addresses {
            api: api.1,
            partner: site.1,
            receiver: confirmations.1,
            mastercard: mastercard.1,
            admin: control.1,
        };

        let faults = Arc::new(FaultQueue::default());
        let received = Arc::new(ConfirmationLog::default());
        let demo = DemoFolder::new(settings.demo, settings.client, settings.program);
        let key = card_key(&settings.pki)?;
        let state = settings.state.map(StateFile::new);
        let mrs = Arc::new(Mrs::new(settings.mrs, key, Arc::clone(&faults), state)?);
        let issuers =
            IssuerEnrollment::new(&settings.pki, Arc::clone(&faults), settings.clock.clone())?.map(Arc::new);
        let certificates = ClientCertificates::of_authority(&settings.pki, settings.clock.clone())?;
        let mutual = tls::server_asking_for_certificates(&settings.pki, &certificates)?;
        let referee = Receiver {
            received: Arc::clone(&received),
            attempted: AttemptLog::default(),
            demo: demo.clone(),
            faults,
            clock: settings.clock.clone(),
        };
        let initializer = Initializer::new(&settings.public_base_url);
        let partner = Partner {
            demo,
            initializer,
            received,
            clock: settings.clock,
            batch_key: issuers.as_ref().map(|issuers| issuers.public_key()),
        };

        let (end, ended) = watch::channel(false);
        let mut listeners = JoinSet::new();
        let mut run = |listener: TcpListener, transport: Transport, router: Router| {
            listeners.spawn(serve(listener, transport, router, ended.clone()));
        };
        run(api.0, Transport::Plain, front::router(settings.upstream));
        run(site.0, Transport::Plain, partner::router(Arc::new(partner)));
        run(
            confirmations.0,
            Transport::Tls(tls::server(&settings.pki)?),
            partner::receiver_router(Arc::new(referee)),
        );
        run(
            mastercard.0,
            Transport::MutualTls(mutual, certificates),
            mastercard::router(Arc::clone(&mrs), issuers.clone()),
        );
        run(control.0, Transport::Plain, admin::router(mrs, issuers));
        if let Some((listener, router)) = recorder {
            run(listener, Transport::Plain, router);
        }
        Ok(Self {
            addresses,
            end,
            listeners,
        })
    }

    /// Addresses of the listeners.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Takes no more calls, lets those under way finish for some seconds, and ends.
    pub async fn end(mut self) {
        self.end.send_replace(true);
        while self.listeners.join_next().await.is_some() {}
    }
}

async fn recorder(settings: Option<RecorderSettings>) -> Result<Option<(TcpListener, Router)>, StartError> {
    let Some(settings) = settings else { return Ok(None) };
    let (listener, _) = bind("recorder", settings.listen).await?;
    let router = recorder::router(&settings).map_err(|source| StartError::Record {
        file: settings.file,
        source,
    })?;
    Ok(Some((listener, router)))
}

fn card_key(pki: &Path) -> Result<PairKey, StartError> {
    let file = pki.join("rewards.key.pem");
    let key = std::fs::read_to_string(&file).map_err(|source| StartError::CardKey {
        file: file.clone(),
        source,
    })?;
    PairKey::from_pem(&key).map_err(|_| StartError::NotACardKey { file })
}

async fn bind(name: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    if !address.ip().is_loopback() {
        return Err(StartError::NotLoopback { name, address });
    }
    let listen = |source| StartError::Listen {
        name,
        address,
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    Ok((listener, address))
}
