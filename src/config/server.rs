//! The config section `server`: where the server listens and the origin that readers see.

use std::net::SocketAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::federation::parse_networks;
use crate::domain::origin::Origin;

/// The settings of the HTTP server.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The public origin of the site.
    pub origin: Origin,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The domain of the critics' handles, if it differs from the origin's host (FEP-2c59).
    pub handle_domain: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawServer {
    listen: String,
    origin: String,
    trusted_proxies: Vec<String>,
    handle_domain: Option<String>,
}

impl Default for RawServer {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            origin: "http://localhost:8080".into(),
            trusted_proxies: Vec::new(),
            handle_domain: None,
        }
    }
}

pub(super) fn check_server(raw: RawServer) -> Result<ServerConfig, ConfigError> {
    let listen = raw.listen.parse().map_err(|_| {
        ConfigError::new("server.listen", "must be an address and a port, such as 127.0.0.1:8080")
    })?;
    let origin = Origin::parse(&raw.origin).map_err(|error| ConfigError::new("server.origin", error))?;
    if let Some(domain) = &raw.handle_domain
        && !is_domain(domain)
    {
        return Err(ConfigError::new(
            "server.handle_domain",
            "must be a domain name in lower case, without a port",
        ));
    }
    let trusted_proxies = parse_networks("server.trusted_proxies", &raw.trusted_proxies)?;
    Ok(ServerConfig { listen, origin, trusted_proxies, handle_domain: raw.handle_domain })
}

pub(super) fn is_domain(text: &str) -> bool {
    url::Host::parse(text).is_ok_and(|host| matches!(host, url::Host::Domain(_)) && host.to_string() == text)
}

/// Rejects an origin with a port. Mastodon and others reject handles with a port, so nobody could follow. In
/// private networks a port is allowed.
pub(super) fn check_port(origin: &Origin, allow_networks: &[IpNet]) -> Result<(), ConfigError> {
    if origin.is_localhost() || !origin.has_port() || !allow_networks.is_empty() {
        return Ok(());
    }
    let problem =
        "must not have a port, because other servers reject handles with a port; serve the site on port 443";
    Err(ConfigError::new("server.origin", problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_origin_has_no_port() {
        let port = |origin, networks: &[IpNet]| check_port(&Origin::parse(origin).unwrap(), networks);
        let error = port("https://crit.example:8443", &[]).unwrap_err().to_string();
        assert!(error.starts_with("config: server.origin: must not have a port"), "{error}");
        assert!(port("https://crit.example", &[]).is_ok() && port("http://localhost:8080", &[]).is_ok());
        assert!(port("https://crit.example:8443", &["127.0.0.0/8".parse().unwrap()]).is_ok());
    }
}
