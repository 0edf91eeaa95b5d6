//! The address of the client that made a request, for rate limits and the log.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::Extensions;
use axum::http::HeaderMap;
use ipnet::IpNet;

/// Header fields in which proxies name the client.
const FORWARDED: [&str; 2] = ["x-forwarded-for", "forwarded"];

/// The address of the client; `None` if it is not known, because a proxy that nobody named hides it. Nothing is charged to
/// an unknown address. `X-Forwarded-For` is read from right to left, and only as far as the proxies that the
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
        if !is_trusted(address, trusted) {
            break;
        }
        let Ok(forwarded) = hop.trim().parse::<IpAddr>() else { break };
        address = forwarded.to_canonical();
    }
    let peer = peer.ip().to_canonical();
    let is_hidden = address == peer && !is_trusted(peer, trusted) && is_unnamed_proxy(peer, headers);
    (!is_hidden).then_some(address)
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// Whether a peer that is not trusted is a proxy: it forwards the requests of others, and is on this machine or in a private
/// network. Elsewhere, anyone can write such a header.
pub(super) fn is_unnamed_proxy(peer: IpAddr, headers: &HeaderMap) -> bool {
    is_private(peer) && FORWARDED.iter().any(|name| headers.contains_key(*name))
}

/// Whether the address is on this machine or in a private network.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
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
        client_address(&extensions, &headers, &trusted).map_or_else(String::new, |client| client.to_string())
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

    #[test]
    fn behind_a_proxy_that_nobody_named_the_client_is_unknown() {
        for proxy in
            ["127.0.0.1:1", "[::1]:1", "192.168.1.1:1", "172.17.0.1:1", "100.64.0.1:1", "[fd00::1]:1"]
        {
            assert_eq!(resolved(proxy, &["198.51.100.1"]), "", "{proxy}");
            assert_ne!(resolved(proxy, &[]), "", "{proxy}");
        }
        for stranger in ["203.0.113.9:1", "[2001:db8::1]:1", "100.128.0.1:1", "[::ffff:203.0.113.9]:1"] {
            assert_ne!(resolved(stranger, &["198.51.100.1"]), "", "{stranger}");
        }
    }
}
