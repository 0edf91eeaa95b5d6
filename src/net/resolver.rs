//! Resolves host names to permitted addresses. Connections use exactly the addresses that were checked, so that DNS
//! rebinding cannot present one address to the check and another to the connection.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::NetError;
use super::ssrf_guard::{Guard, GuardError, NetworkScope};

/// The maximum number of concurrent lookups. Each blocks a thread until the name servers answer, and tokio has 512
/// threads for all blocking work.
const MAX_LOOKUPS: usize = 256;

/// Looks up the addresses of a host name. It may block.
pub(super) trait DnsLookup: Send + Sync {
    /// Returns all addresses of the name. A port other than 0 replaces the scheme's default port.
    fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

/// The system's resolver.
pub(super) struct SystemDns;

impl DnsLookup for SystemDns {
    fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok((name, 0).to_socket_addrs()?.collect())
    }
}

/// Resolves names for all clients, and checks the addresses.
pub(super) struct HostResolver {
    guard: Guard,
    table: HashMap<String, SocketAddr>,
    dns: Arc<dyn DnsLookup>,
    lookups: Arc<Semaphore>,
}

impl HostResolver {
    pub(super) fn new(guard: Guard, table: HashMap<String, SocketAddr>, dns: Arc<dyn DnsLookup>) -> Self {
        Self {
            guard,
            table: table.into_iter().map(|(name, address)| (name.to_ascii_lowercase(), address)).collect(),
            dns,
            lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)),
        }
    }

    pub(super) const fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Returns the addresses of a name, if all of them are permitted.
    pub(super) async fn resolve_permitted(
        &self,
        name: &str,
        scope: NetworkScope,
    ) -> Result<Vec<SocketAddr>, NetError> {
        let found = self.addresses(name).await.map_err(|_| NetError::Dns)?;
        // A single private address makes the whole name invalid: no honest name mixes them, and we do not control which
        // one is connected to.
        if !found.iter().all(|to| self.guard.permits(scope, to.ip())) {
            return Err(GuardError::PrivateAddress.into());
        }
        Ok(found)
    }

    async fn addresses(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        if let Some(address) = self.table.get(name) {
            return Ok(vec![*address]);
        }
        let permit = Arc::clone(&self.lookups).acquire_owned().await.map_err(io::Error::other)?;
        let (dns, name) = (Arc::clone(&self.dns), name.to_owned());
        tokio::task::spawn_blocking(move || {
            // The permit is held until the thread is free again, even if the caller has stopped waiting.
            let _permit = permit;
            dns.lookup(&name)
        })
        .await?
    }
}

/// The resolver of one of the two reqwest clients.
pub(super) struct ScopedResolver {
    pub(super) resolver: Arc<HostResolver>,
    pub(super) scope: NetworkScope,
}

impl Resolve for ScopedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = Arc::clone(&self.resolver);
        let scope = self.scope;
        Box::pin(async move {
            let found = resolver.resolve_permitted(name.as_str(), scope).await?;
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}
