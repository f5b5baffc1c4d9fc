use std::{future::Future, io, net::IpAddr, net::SocketAddr, pin::Pin, sync::Arc};

use reqwest::dns;

use super::failure::Blocked;
use crate::address;

/// A look-up under way.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Turns names into addresses. What it gives is judged before it is used, so a resolver need not be trusted.
pub trait Resolve: Send + Sync {
    /// Looks a name up. Asked once for each attempt.
    fn resolve(&self, name: &str) -> Resolving;
}

/// The operating system's resolver (`getaddrinfo`) on a thread of its own. A look-up that hangs keeps its
/// thread after its attempt was given up.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

/// Stands between the resolver and the connection: what it lets through is the very list that is connected
/// to.
pub(super) struct Guard {
    resolver: Arc<dyn Resolve>,
    reach: Reach,
}

/// How far a client reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Public addresses.
    Public,
    /// Any address: for hosts that were named as dangerous.
    Anywhere,
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str) -> Resolving {
        let name = name.to_owned();
        Box::pin(async move {
            // The port means nothing here; the connector sets its own.
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    }
}

impl Guard {
    pub(super) fn new(resolver: Arc<dyn Resolve>, reach: Reach) -> Self {
        Self { resolver, reach }
    }
}

impl Reach {
    pub(super) fn covers(self, address: IpAddr) -> bool {
        self == Self::Anywhere || address::is_public(address)
    }
}

impl dns::Resolve for Guard {
    fn resolve(&self, name: dns::Name) -> dns::Resolving {
        let resolving = self.resolver.resolve(name.as_str());
        let reach = self.reach;
        Box::pin(async move {
            let addresses = resolving.await?;
            if addresses.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            // One that isn't public condemns the rest: no honest zone mixes them, and a rebinding one does.
            if !addresses.iter().all(|address| reach.covers(*address)) {
                return Err(Blocked::Address.into());
            }
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as dns::Addrs)
        })
    }
}
