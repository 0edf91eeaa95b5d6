//! Turns names into addresses that may be connected to. What it returns is what the connection is made
//! to, so that a name cannot show one address to a check and another to the connection.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::NetError;
use super::guard::{Guard, GuardError, NetworkScope};

/// Look-ups at one time. Each blocks a thread for as long as the name servers keep it waiting, and
/// tokio has 512 of those for everybody.
const MOST_LOOKUPS: usize = 256;

/// Asks for the addresses of a name. Blocks.
pub(super) trait DnsLookup: Send + Sync {
    /// Every address of the name; a port other than 0 replaces the scheme's own.
    fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

/// The system's resolver.
pub(super) struct SystemDns;

impl DnsLookup for SystemDns {
    fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok((name, 0).to_socket_addrs()?.collect())
    }
}

/// What both doors share.
pub(super) struct HostResolver {
    guard: Guard,
    table: HashMap<String, SocketAddr>,
    names: Arc<dyn DnsLookup>,
    lookups: Arc<Semaphore>,
}

impl HostResolver {
    pub(super) fn new(guard: Guard, table: HashMap<String, SocketAddr>, names: Arc<dyn DnsLookup>) -> Self {
        Self {
            guard,
            table: table.into_iter().map(|(name, address)| (name.to_ascii_lowercase(), address)).collect(),
            names,
            lookups: Arc::new(Semaphore::new(MOST_LOOKUPS)),
        }
    }

    pub(super) const fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The addresses of a name, where each of them may be connected to.
    pub(super) async fn resolve_permitted(
        &self,
        name: &str,
        door: NetworkScope,
    ) -> Result<Vec<SocketAddr>, NetError> {
        let found = self.addresses(name).await.map_err(|_| NetError::Dns)?;
        // One address that is not public condemns the name: nobody honest mixes them, and which one
        // the connection would take is not ours to say.
        if !found.iter().all(|to| self.guard.permits(door, to.ip())) {
            return Err(GuardError::PrivateAddress.into());
        }
        Ok(found)
    }

    async fn addresses(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        if let Some(address) = self.table.get(name) {
            return Ok(vec![*address]);
        }
        let permit = Arc::clone(&self.lookups).acquire_owned().await.map_err(io::Error::other)?;
        let (names, name) = (Arc::clone(&self.names), name.to_owned());
        tokio::task::spawn_blocking(move || {
            // Held until the thread is free again, even if nobody waits for the answer any more.
            let _permit = permit;
            names.lookup(&name)
        })
        .await?
    }
}

/// The resolver of one of the two clients.
pub(super) struct ScopedResolver {
    pub(super) resolver: Arc<HostResolver>,
    pub(super) scope: NetworkScope,
}

impl Resolve for ScopedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let directory = Arc::clone(&self.resolver);
        let door = self.scope;
        Box::pin(async move {
            let found = directory.resolve_permitted(name.as_str(), door).await?;
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}
