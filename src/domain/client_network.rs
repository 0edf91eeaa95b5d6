//! The network that a rate limit counts as one client.

use std::net::{IpAddr, Ipv6Addr};

/// The network that counts as one client: an IPv4 address, or the /64 of an IPv6 address, all of which one client can
/// use.
pub fn client_network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}
