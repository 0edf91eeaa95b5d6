//! Proxies that nobody named: peers on this machine or in a private network that forward the requests of others, and are
//! not in `server.trusted_proxies`. All strangers behind one would share its address.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use ipnet::IpNet;

/// How many are remembered.
const MAX_PROXIES: usize = 64;

/// The proxies that were noticed.
#[derive(Debug)]
pub(super) struct UnnamedProxies {
    trusted: Arc<[IpNet]>,
    found: RwLock<Vec<IpAddr>>,
}

impl UnnamedProxies {
    pub(super) fn new(trusted: Arc<[IpNet]>) -> Self {
        Self { trusted, found: RwLock::default() }
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.found.read().unwrap_or_else(PoisonError::into_inner).contains(&address)
    }

    /// Records a proxy. Returns whether it is new. The first one is logged, with what to add to the config.
    pub(super) fn record(&self, address: IpAddr) -> bool {
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        if found.contains(&address) || found.len() >= MAX_PROXIES {
            return false;
        }
        found.push(address);
        if found.len() == 1 {
            let line = self.config_line(address);
            tracing::warn!(
                "{address} forwards requests of others, but is not a trusted proxy, so that visitors cannot be told \
                 apart; add this to [server] in the config: {line}"
            );
        }
        true
    }

    /// The line that names the proxy.
    fn config_line(&self, address: IpAddr) -> String {
        let bare = |network: &IpNet| {
            let is_host = network.prefix_len() == network.max_prefix_len();
            if is_host { network.addr().to_string() } else { network.to_string() }
        };
        let names = self.trusted.iter().map(bare).chain([address.to_string()]);
        let quoted: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
        format!("trusted_proxies = [{}]", quoted.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_keeps_the_proxies_that_are_trusted() {
        let line = |trusted: &[&str]| {
            let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
            UnnamedProxies::new(trusted.into()).config_line("127.0.0.1".parse().unwrap())
        };
        assert_eq!(line(&[]), r#"trusted_proxies = ["127.0.0.1"]"#);
        assert_eq!(
            line(&["10.0.0.1/32", "172.17.0.0/16"]),
            r#"trusted_proxies = ["10.0.0.1", "172.17.0.0/16", "127.0.0.1"]"#
        );
    }
}
