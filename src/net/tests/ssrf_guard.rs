use super::server::moved;
use super::*;

/// Asserts that a name with this address is rejected.
async fn rejects(address: &str) {
    let to: SocketAddr = address.parse().unwrap();
    let client = client(strict(), names(&[("evil.example", &[&[to]])]));
    let rejected = get(&client, "https://evil.example/").await.unwrap_err();
    assert_eq!(rejected, NetError::Guard(GuardError::PrivateAddress), "{address}");
    let url = "https://evil.example/inbox".parse().unwrap();
    let rejected = client.post(&url, HeaderMap::new(), bytes::Bytes::new()).await;
    assert_eq!(rejected.unwrap_err(), NetError::Guard(GuardError::PrivateAddress), "{address}");
}

#[tokio::test]
async fn e1_e2_e10_a_name_with_a_private_address_is_rejected() {
    let server = Server::start(|_| ok("secret")).await;
    rejects(&server.address.to_string()).await;
    rejects(&format!("[::ffff:127.0.0.1]:{}", server.port())).await;
    for address in ["10.0.0.1:443", "169.254.169.254:80", "[::1]:443", "[64:ff9b::a00:1]:443", "0.0.0.0:443"]
    {
        rejects(address).await;
    }
    assert_eq!(server.accepted(), 0);
}

#[tokio::test]
async fn e3_an_ip_literal_is_rejected() {
    let server = Server::start(|_| ok("secret")).await;
    let client = client(strict(), names(&[]));
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "0177.1", "127.1", "[::1]", "[::ffff:7f00:1]"] {
        let rejected = get(&client, &format!("https://{host}:{}/", server.port())).await;
        assert_eq!(rejected.unwrap_err(), NetError::Guard(GuardError::IpLiteral), "{host}");
    }
    assert_eq!(server.accepted(), 0);
}

#[tokio::test]
async fn e4_a_name_with_one_private_address_is_rejected() {
    let server = Server::start(|_| ok("secret")).await;
    let public: SocketAddr = "8.8.8.8:1".parse().unwrap();
    for both in [[public, server.address], [server.address, public]] {
        let client = client(strict(), names(&[("evil.example", &[&both])]));
        let rejected = get(&client, "https://evil.example/").await.unwrap_err();
        assert_eq!(rejected, NetError::Guard(GuardError::PrivateAddress));
    }
    assert_eq!(server.accepted(), 0);
}

#[tokio::test]
async fn e4_e11_each_connection_is_checked_again() {
    let first = Server::start(|_| ok("first")).await;
    let second = Server::start(|_| ok("second")).await;
    let elsewhere: SocketAddr = format!("127.0.0.2:{}", second.port()).parse().unwrap();
    let policy = ClientPolicy { allow_networks: vec!["127.0.0.1/32".parse().unwrap()], ..loopback() };
    let script = names(&[("m.example", &[&[first.address], &[elsewhere]])]);
    let client = client(policy, script);
    assert_eq!(get(&client, "http://m.example/").await.unwrap().body, "first");
    let rejected = get(&client, "http://m.example/").await.unwrap_err();
    assert_eq!(rejected, NetError::Guard(GuardError::PrivateAddress));
    assert_eq!(second.accepted(), 0);
}

#[tokio::test]
async fn e5_redirects_are_checked_like_any_url() {
    let secret = Server::start(|_| ok("secret")).await;
    let port = secret.port();
    let targets = [
        (format!("https://127.0.0.2:{port}/"), GuardError::IpLiteral),
        (format!("http://private.example:{port}/"), GuardError::PrivateAddress),
        ("http://u:p@m.example/".to_owned(), GuardError::Credentials),
        ("file:///etc/passwd".to_owned(), GuardError::Scheme),
        ("gopher://m.example/".to_owned(), GuardError::Scheme),
        ("data:text/plain,x".to_owned(), GuardError::Scheme),
    ];
    for (target, why) in targets {
        let to = target.clone();
        let server = Server::start(move |_| moved(&to)).await;
        let policy = ClientPolicy { allow_networks: vec!["127.0.0.1/32".parse().unwrap()], ..loopback() };
        let private: SocketAddr = "127.0.0.2:0".parse().unwrap();
        let script = names(&[("m.example", &[&[server.address]]), ("private.example", &[&[private]])]);
        let rejected = get(&client(policy, script), "http://m.example/").await;
        assert_eq!(rejected.unwrap_err(), NetError::Guard(why), "{target}");
        assert_eq!(server.accepted(), 1, "{target}");
    }
    assert_eq!(secret.accepted(), 0);
}

#[tokio::test]
async fn e6_other_ports_and_http_need_an_allowed_network() {
    let public: SocketAddr = "8.8.8.8:0".parse().unwrap();
    let script = || names(&[("m.example", &[&[public]])]);
    for url in ["https://m.example:22/", "https://m.example:8443/", "http://m.example/"] {
        let rejected = get(&client(loopback(), script()), url).await.unwrap_err();
        assert_eq!(rejected, NetError::Guard(GuardError::PrivateAddress), "{url}");
    }
    let server = Server::start(|_| ok("mine")).await;
    let loop_back: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let client = client(loopback(), names(&[("m.example", &[&[loop_back]])]));
    let url = format!("http://m.example:{}/", server.port());
    assert_eq!(get(&client, &url).await.unwrap().body, "mine");
    let literal = format!("http://{}/", server.address);
    assert_eq!(get(&client, &literal).await.unwrap().body, "mine");
}

#[tokio::test]
async fn configured_addresses_and_ports_replace_dns() {
    let server = Server::start(|_| ok("table")).await;
    let mut policy = loopback();
    policy.resolve.insert("M.example".to_owned(), server.address);
    let client = client(policy, names(&[]));
    assert_eq!(get(&client, "http://m.example/x").await.unwrap().body, "table");
    // The `Host` header has no port, so that it equals the signed one.
    assert!(server.requests()[0].contains("\r\nhost: m.example\r\n"));
    assert_eq!(get(&client, "http://other.example/").await.unwrap_err(), NetError::Dns);
    // The table does not bypass the guard.
    let mut policy = strict();
    policy.resolve.insert("m.example".to_owned(), server.address);
    let client = super::client(policy, names(&[]));
    let rejected = get(&client, "https://m.example/").await.unwrap_err();
    assert_eq!(rejected, NetError::Guard(GuardError::PrivateAddress));
    assert_eq!(server.accepted(), 1);
}
