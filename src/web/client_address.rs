//! The address of the client that made a request, for rate limits and the log.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::Extensions;
use axum::http::HeaderMap;
use ipnet::IpNet;

/// The address of the client. `X-Forwarded-For` is read from right to left, and only as far as the proxies that the
/// config trusts: a client can write anything to the left of them.
pub(super) fn client_address(
    extensions: &Extensions,
    headers: &HeaderMap,
    trusted: &[IpNet],
) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    let mut address = peer.ip().to_canonical();
    let values: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).collect();
    for hop in values.iter().rev().flat_map(|value| value.rsplit(',')).take(16) {
        if !trusted.iter().any(|network| network.contains(&address)) {
            break;
        }
        let Ok(forwarded) = hop.trim().parse::<IpAddr>() else { break };
        address = forwarded.to_canonical();
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(peer: &str, forwarded: &[&str]) -> String {
        let mut extensions = Extensions::new();
        let peer: SocketAddr = peer.parse().unwrap();
        extensions.insert(ConnectInfo(peer));
        let name = axum::http::HeaderName::from_static("x-forwarded-for");
        let headers: HeaderMap = forwarded.iter().map(|v| (name.clone(), v.parse().unwrap())).collect();
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        client_address(&extensions, &headers, &trusted).unwrap().to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(
            resolved("203.0.113.9:1", &["198.51.100.1"]),
            "203.0.113.9",
            "anyone can write the header"
        );
        assert_eq!(resolved("10.0.0.1:1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(resolved("10.0.0.1:1", &["6.6.6.6, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(resolved("10.0.0.1:1", &["6.6.6.6", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(resolved("[::ffff:10.0.0.1]:1", &["nonsense"]), "10.0.0.1");
    }
}
