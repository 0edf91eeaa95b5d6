//! Decides which URLs may be requested and which addresses may be connected to, without IO.
//!
//! A foreign URL or DNS name must never lead into our own network (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

const MAX_URL_CHARS: usize = 2048;
const MAX_HOST_CHARS: usize = 253;
const MAX_LABEL_CHARS: usize = 63;

/// Why a URL or an address is rejected. The message is safe to show, since it repeats nothing of the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// The scheme is not https.
    #[error("the URL does not use https")]
    Scheme,
    /// The URL has a user name or a password.
    #[error("the URL contains credentials")]
    Credentials,
    /// The host is not a valid DNS name.
    #[error("the host name is invalid")]
    InvalidHost,
    /// The host is an IP address.
    #[error("the host is an IP address")]
    IpLiteral,
    /// The URL has more than 2048 characters.
    #[error("the URL is too long")]
    UrlTooLong,
    /// At least one address of the host is not public.
    #[error("the host is not on the public internet")]
    PrivateAddress,
}

/// The addresses that may be connected to for a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkScope {
    /// Public addresses, and the allowed networks.
    Public,
    /// Only the allowed networks, because the URL has something that is not accepted for public hosts, such as a port.
    AllowedOnly,
}

/// Checks URLs and addresses. It knows the networks that the operator allows in addition to the public internet.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    allow_networks: Vec<IpNet>,
    plain_http: bool,
}

impl Guard {
    /// Creates a guard. `plain_http` permits plain HTTP to the allowed networks.
    pub const fn new(allow_networks: Vec<IpNet>, plain_http: bool) -> Self {
        Self { allow_networks, plain_http }
    }

    /// Whether a connection to this address may be opened.
    pub fn permits(&self, scope: NetworkScope, address: IpAddr) -> bool {
        self.allow_networks.iter().any(|network| network.contains(&address))
            || (scope == NetworkScope::Public && is_public(address))
    }

    /// Returns the addresses that may be connected to for this URL.
    ///
    /// # Errors
    /// Fails if the URL must not be requested at all.
    pub fn check(&self, url: &Url) -> Result<NetworkScope, GuardError> {
        let mut scope = NetworkScope::Public;
        match url.scheme() {
            "https" => {}
            "http" if self.plain_http => scope = NetworkScope::AllowedOnly,
            _ => return Err(GuardError::Scheme),
        }
        if url.as_str().len() > MAX_URL_CHARS {
            return Err(GuardError::UrlTooLong);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(GuardError::Credentials);
        }
        if url.port().is_some() {
            scope = NetworkScope::AllowedOnly;
        }
        // A literal address never reaches the resolver, so it is checked here.
        let literal = match url.host().ok_or(GuardError::InvalidHost)? {
            Host::Domain(name) => {
                return if is_host_name(name) { Ok(scope) } else { Err(GuardError::InvalidHost) };
            }
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
        };
        if self.permits(NetworkScope::AllowedOnly, literal) {
            Ok(NetworkScope::AllowedOnly)
        } else {
            Err(GuardError::IpLiteral)
        }
    }
}

/// Whether this is a host name in canonical form: without a trailing dot and without characters that are invalid in DNS.
/// (The `url` crate has already converted it to lower case and Punycode.)
fn is_host_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    name.len() <= MAX_HOST_CHARS
        && name
            .split('.')
            .all(|label| !label.is_empty() && label.len() <= MAX_LABEL_CHARS && label.bytes().all(fits))
}

/// The networks of IANA's IPv4 special-purpose address registry that are not globally reachable.
const RESERVED_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),       // this network
    v4([10, 0, 0, 0], 8),      // private
    v4([100, 64, 0, 0], 10),   // carrier-grade NAT
    v4([127, 0, 0, 0], 8),     // loopback
    v4([169, 254, 0, 0], 16),  // link-local, where clouds keep their metadata
    v4([172, 16, 0, 0], 12),   // private
    v4([192, 0, 0, 0], 24),    // protocol assignments
    v4([192, 0, 2, 0], 24),    // documentation
    v4([192, 52, 193, 0], 24), // multicast tunnels
    v4([192, 88, 99, 0], 24),  // 6to4 relays
    v4([192, 168, 0, 0], 16),  // private
    v4([198, 18, 0, 0], 15),   // benchmarks
    v4([198, 51, 100, 0], 24), // documentation
    v4([203, 0, 113, 0], 24),  // documentation
    v4([224, 0, 0, 0], 4),     // multicast
    v4([240, 0, 0, 0], 4),     // reserved, broadcast
];

/// The only IPv6 addresses in public use. Mapped, compatible, NAT64, unique local and link-local addresses are outside.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0], 3);

/// The reserved networks within [`GLOBAL_V6`].
const RESERVED_V6: [Ipv6Net; 5] = [
    v6([0x2001, 0], 23),      // protocol assignments: Teredo, benchmarks, ORCHID
    v6([0x2001, 0x0db8], 32), // documentation
    v6([0x2002, 0], 16),      // 6to4, which carries an IPv4 address
    v6([0x3ffe, 0], 16),      // 6bone, given back
    v6([0x3fff, 0], 20),      // documentation
];

const fn v4(octets: [u8; 4], length: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(start: [u16; 2], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(start[0], start[1], 0, 0, 0, 0, 0, 0), length)
}

/// Whether an address is on the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !RESERVED_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !RESERVED_V6.iter().any(|network| network.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(networks: &[&str], plain_http: bool) -> Guard {
        Guard::new(networks.iter().map(|n| n.parse().unwrap()).collect(), plain_http)
    }

    fn check(url: &str) -> Result<NetworkScope, GuardError> {
        Guard::default().check(&url.parse().unwrap())
    }

    /// The bounds of each reserved network, and addresses that embed one.
    const NOT_PUBLIC: &str = "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255
        127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.0.170
        192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1
        239.1.1.1 240.0.0.1 255.255.255.255
        :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 ::8.8.8.8 64:ff9b::a00:1 64:ff9b::808:808
        64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1:: 2001:2::1 2001:10::1 2001:20::1 2001:1ff::1
        2001:db8::1 2002:7f00:1:: 2002:808:808::1 3fff::1 3ffe::1 4000::1 5f00::1 fc00::1
        fd00:ec2::254 fe80::1 fec0::1 ff02::1";

    const PUBLIC: &str = "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.1 172.32.0.1
        192.0.1.1 198.20.0.1 223.255.255.255 2001:200::1 2001:4860:4860::8888 2606:4700::1111
        2a00:1450::1";

    #[test]
    fn e1_e2_reserved_addresses_are_not_public() {
        for address in NOT_PUBLIC.split_whitespace() {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in PUBLIC.split_whitespace() {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_allowed_network_does_not_include_mapped_addresses() {
        let guard = guard(&["127.0.0.0/8", "fd00::/8"], false);
        assert!(guard.permits(NetworkScope::AllowedOnly, "127.0.0.1".parse().unwrap()));
        assert!(guard.permits(NetworkScope::Public, "fd00::1".parse().unwrap()));
        assert!(!guard.permits(NetworkScope::Public, "::ffff:127.0.0.1".parse().unwrap()));
        assert!(!guard.permits(NetworkScope::AllowedOnly, "8.8.8.8".parse().unwrap()));
        assert!(guard.permits(NetworkScope::Public, "8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn e3_ip_literals_are_rejected_in_every_spelling() {
        for url in [
            "https://127.0.0.1/",
            "https://8.8.8.8/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://127.0.0.1./",
            "https://0/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::127.0.0.1]/",
            "https://%31%32%37%2e0%2e0%2e1/",
            "https://①②⑦.0.0.1/",
            "https://127。0。0。1/",
        ] {
            assert_eq!(check(url), Err(GuardError::IpLiteral), "{url}");
        }
        let allowed = guard(&["127.0.0.0/8"], false);
        assert_eq!(allowed.check(&"https://2130706433/".parse().unwrap()), Ok(NetworkScope::AllowedOnly));
        assert!(Url::parse("https://0x7f.0.0.256/").is_err());
        assert!(Url::parse("https://[::1%25eth0]/").is_err());
    }

    #[test]
    fn e6_e7_schemes_ports_and_credentials_are_checked() {
        for url in [
            "http://m.example/",
            "ftp://m.example/",
            "file:///etc/passwd",
            "data:text/plain,x",
            "gopher://m.example/",
            "ws://m.example/",
            "javascript:alert(1)",
            "blob:https://m.example/x",
        ] {
            assert_eq!(check(url), Err(GuardError::Scheme), "{url}");
        }
        for url in ["https://u@m.example/", "https://u:p@m.example/", "https://:p@m.example/"] {
            assert_eq!(check(url), Err(GuardError::Credentials), "{url}");
        }
        assert_eq!(check("https://@m.example:443/a?b"), Ok(NetworkScope::Public));
        for port in ["22", "80", "8443", "0"] {
            assert_eq!(check(&format!("https://m.example:{port}/")), Ok(NetworkScope::AllowedOnly), "{port}");
        }
        let trial = guard(&["127.0.0.0/8"], true);
        assert_eq!(trial.check(&"http://localhost:8080/".parse().unwrap()), Ok(NetworkScope::AllowedOnly));
        assert_eq!(trial.check(&"http://m.example/".parse().unwrap()), Ok(NetworkScope::AllowedOnly));
        assert_eq!(trial.check(&"http://8.8.8.8/".parse().unwrap()), Err(GuardError::IpLiteral));
    }

    #[test]
    fn e8_only_canonical_host_names_are_accepted() {
        for url in [
            "https://m.example./",
            "https://a..b/",
            "https://a!b.example/",
            "https://a'b.example/",
            "https://./",
        ] {
            assert_eq!(check(url), Err(GuardError::InvalidHost), "{url}");
        }
        let label = "a".repeat(64);
        assert_eq!(check(&format!("https://{label}.example/")), Err(GuardError::InvalidHost));
        assert_eq!(check(&format!("https://{}example/", "a.".repeat(130))), Err(GuardError::InvalidHost));
        assert_eq!(check(&format!("https://m.example/{}", "a".repeat(3000))), Err(GuardError::UrlTooLong));
        let url: Url = "HTTPS://Bücher.EXAMPLE/a\r\nHost: b\tc?d\r\n".parse().unwrap();
        assert_eq!(url.as_str(), "https://xn--bcher-kva.example/aHost:%20bc?d");
        assert_eq!(check(url.as_str()), Ok(NetworkScope::Public));
        for wrong in ["https://a\0b/", "https://a%0d%0ab/", "https://a b/", "https://a%2fb/", "https:///"] {
            assert!(Url::parse(wrong).is_err(), "{wrong}");
        }
    }
}
