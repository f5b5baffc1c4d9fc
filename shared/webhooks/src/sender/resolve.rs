use std::{future::Future, io, net::IpAddr, pin::Pin};

use super::error::{BlockedUrl, SendError};
use crate::address;

/// Future of a look-up.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Resolver of host names. Its addresses are checked before use, so a resolver need not be trusted.
pub trait Resolve: Send + Sync {
    /// Resolves a name. Called once per attempt.
    fn resolve(&self, name: &str) -> Resolving;
}

/// Resolver of the operating system (`getaddrinfo`), on a thread of its own. A look-up that hangs keeps its thread
/// after its attempt has ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

/// Addresses that an attempt may connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Public addresses only.
    Public,
    /// Any address: for hosts that are configured as dangerous.
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

    /// Resolves a name and checks the answer. The connector gets this very list.
    pub(super) async fn resolve(self, resolver: &dyn Resolve, name: &str) -> Result<Vec<IpAddr>, SendError> {
        let addresses = resolver.resolve(name).await.map_err(|_| SendError::Lookup)?;
        if addresses.is_empty() {
            return Err(SendError::Lookup);
        }
        // One that isn't public condemns the rest: no honest zone mixes them, and a rebinding one does.
        if !addresses.iter().all(|address| self.covers(*address)) {
            return Err(BlockedUrl::Address.into());
        }
        Ok(addresses)
    }
}
