use std::{future::Future, io, net::IpAddr, pin::Pin};

use super::failure::{Blocked, Failure};
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

/// How far an attempt reaches.
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

impl Reach {
    pub(super) fn covers(self, address: IpAddr) -> bool {
        self == Self::Anywhere || address::is_public(address)
    }

    /// Looks a name up and judges the answer: the very list that is connected to.
    pub(super) async fn resolve(self, resolver: &dyn Resolve, name: &str) -> Result<Vec<IpAddr>, Failure> {
        let addresses = resolver.resolve(name).await.map_err(|_| Failure::Lookup)?;
        if addresses.is_empty() {
            return Err(Failure::Lookup);
        }
        // One that isn't public condemns the rest: no honest zone mixes them, and a rebinding one does.
        if !addresses.iter().all(|address| self.covers(*address)) {
            return Err(Blocked::Address.into());
        }
        Ok(addresses)
    }
}
