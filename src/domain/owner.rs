//! Who causes something: the address of a request, or the proven actor of an activity and the domain of its server. All
//! budgets are charged to owners.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use url::Url;

/// Domains under one private suffix of the Public Suffix List, such as `github.io`, share a budget that is so many times
/// as large as that of one domain.
const SHARED_SUFFIX_FACTOR: u32 = 10;

/// Someone whose use of resources is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// An IPv4 address, or the /64 of an IPv6 address, all of which one client can use.
    Address(IpAddr),
    /// An actor, by its id.
    Actor(String),
    /// A registrable domain with all its subdomains, or an IP address as a host.
    Domain(String),
    /// All domains under one private suffix.
    Suffix(String),
}

impl Owner {
    /// The owner of what a client causes.
    pub fn address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            address @ IpAddr::V4(_) => address,
        })
    }

    /// The owner of what an actor causes.
    pub fn actor(id: &Url) -> Self {
        Self::Actor(id.as_str().to_owned())
    }

    /// The owner of what a server causes, by its host name without a port.
    pub fn domain(host: &str) -> Self {
        Self::Domain(registrable_domain(host).to_owned())
    }

    /// The owners of what a server causes: its domain, and the private suffix that it is under.
    pub fn of_host(host: &str) -> Vec<Self> {
        let mut owners = vec![Self::domain(host)];
        if let Some(suffix) = psl::suffix(host.as_bytes())
            && suffix.typ() == Some(psl::Type::Private)
            && let Ok(suffix) = std::str::from_utf8(suffix.as_bytes())
            && suffix != registrable_domain(host)
        {
            owners.push(Self::Suffix(suffix.to_owned()));
        }
        owners
    }

    /// How many times the limit of one domain this owner has.
    pub const fn factor(&self) -> u32 {
        match self {
            Self::Suffix(_) => SHARED_SUFFIX_FACTOR,
            _ => 1,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address @ IpAddr::V6(_)) => write!(f, "{address}/64"),
            Self::Address(address) => write!(f, "{address}"),
            Self::Actor(name) | Self::Domain(name) => f.write_str(name),
            Self::Suffix(name) => write!(f, "*.{name}"),
        }
    }
}

/// The part of a host name that someone registered, by the Public Suffix List with its private section; the name itself
/// if there is none.
pub fn registrable_domain(host: &str) -> &str {
    if host.parse::<IpAddr>().is_ok() || host.starts_with('[') {
        return host;
    }
    psl::domain_str(host).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_that_one_client_can_use_are_one_owner() {
        let owner = |address: &str| Owner::address(address.parse().unwrap()).to_string();
        assert_eq!(owner("203.0.113.9"), "203.0.113.9");
        assert_eq!(owner("::ffff:203.0.113.9"), "203.0.113.9");
        assert_eq!(owner("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(owner("2001:db8:1:2::1"), "2001:db8:1:2::/64");
        assert_ne!(owner("2001:db8:1:3::1"), "2001:db8:1:2::/64");
    }

    #[test]
    fn a_domain_is_what_someone_registered() {
        for (host, domain) in [
            ("m.example", "m.example"),
            ("a.b.m.example", "m.example"),
            ("social.example.co.uk", "example.co.uk"),
            ("alice.github.io", "alice.github.io"),
            ("x.alice.github.io", "alice.github.io"),
            ("localhost", "localhost"),
            ("192.0.2.1", "192.0.2.1"),
            ("github.io", "github.io"),
        ] {
            assert_eq!(registrable_domain(host), domain, "{host}");
        }
    }

    #[test]
    fn domains_under_a_private_suffix_share_a_larger_budget() {
        let owners = |host: &str| Owner::of_host(host).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(owners("a.m.example"), ["m.example"]);
        assert_eq!(owners("a.example.co.uk"), ["example.co.uk"]);
        assert_eq!(owners("a.alice.github.io"), ["alice.github.io", "*.github.io"]);
        assert_eq!(owners("github.io"), ["github.io"]);
        assert_eq!(Owner::Suffix("github.io".to_owned()).factor(), 10);
    }
}
