//! The config section `federation`: which servers can be reached, and how.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// The settings of connections to other servers.
#[derive(Debug, Clone)]
pub struct FederationConfig {
    /// Private networks that may be reached, on any port.
    pub allow_networks: Vec<IpNet>,
    /// Host names that are resolved to these addresses instead of by DNS.
    pub resolve: BTreeMap<String, SocketAddr>,
    /// A PEM file with an additional certificate authority to trust.
    pub extra_ca_file: Option<PathBuf>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFederation {
    pub(super) authorized_fetch: bool,
    allow_networks: Vec<String>,
    resolve: BTreeMap<String, String>,
    extra_ca_file: Option<String>,
}

pub(super) fn check_federation(raw: RawFederation, folder: &Path) -> Result<FederationConfig, ConfigError> {
    let mut resolve = BTreeMap::new();
    for (name, address) in raw.resolve {
        let key = format!("federation.resolve.{name}");
        let address = address
            .parse()
            .map_err(|_| ConfigError::new(key, "must be an address and a port, such as 127.0.0.1:8443"))?;
        resolve.insert(name.to_ascii_lowercase(), address);
    }
    let extra_ca_file = raw.extra_ca_file.map(|path| folder.join(path));
    if let Some(path) = extra_ca_file.as_ref().filter(|path| !path.is_file()) {
        return Err(ConfigError::new(
            "federation.extra_ca_file",
            format!("file not found: {}", path.display()),
        ));
    }
    let allow_networks = parse_networks("federation.allow_networks", &raw.allow_networks)?;
    Ok(FederationConfig { allow_networks, resolve, extra_ca_file })
}

pub(super) fn parse_networks(key: &str, texts: &[String]) -> Result<Vec<IpNet>, ConfigError> {
    let parse = |text: &String| {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
        network.map_err(|_| ConfigError::new(key, format!("{text:?} is not a network such as 10.0.0.0/8")))
    };
    texts.iter().map(parse).collect()
}
