use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::join_all;
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::server::{Authority, moved};
use super::tls::{TlsListener, trusting_at};
use super::*;

async fn post(client: &Client, url: &str) -> Result<StatusCode, NetError> {
    let response = client.post(&url.parse().unwrap(), HeaderMap::new(), Bytes::from_static(b"{}")).await?;
    Ok(response.status)
}

/// A server that keeps connections open, and closes each after a number of responses.
struct KeepAliveServer {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

impl KeepAliveServer {
    async fn start(responses: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server =
            Self { address: listener.local_addr().unwrap(), accepted: Arc::default(), open: Arc::default() };
        let (accepted, open) = (Arc::clone(&server.accepted), Arc::clone(&server.open));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::SeqCst);
                open.fetch_add(1, Ordering::SeqCst);
                let open = Arc::clone(&open);
                tokio::spawn(async move {
                    respond(stream, responses).await;
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        server
    }
}

/// Responds to requests with the body `{}`, at most `responses` times or until the peer closes the connection.
async fn respond(mut stream: TcpStream, responses: usize) {
    for _ in 0..responses {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n{}") {
            let mut buffer = [0; 4096];
            match stream.read(&mut buffer).await {
                Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
                _ => return,
            }
        }
        if stream.write_all(b"HTTP/1.1 202 X\r\ncontent-length: 0\r\n\r\n").await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn posts_reuse_a_connection_until_it_is_closed() {
    let server = KeepAliveServer::start(2).await;
    let client = client(loopback(), names(&[("m.example", &[&[server.address]])]));
    for _ in 0..6 {
        assert_eq!(post(&client, "http://m.example/inbox").await.unwrap(), 202);
    }
    assert_eq!(server.accepted.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn idle_connections_are_bounded() {
    let server = KeepAliveServer::start(2).await;
    let hosts: Vec<String> = (0..300).map(|n| format!("m{n}.example")).collect();
    let answer: &[&[SocketAddr]] = &[&[server.address]];
    let table: Vec<(&str, &[&[SocketAddr]])> = hosts.iter().map(|host| (host.as_str(), answer)).collect();
    let client = client(loopback(), names(&table));
    for host in &hosts {
        assert_eq!(post(&client, &format!("http://{host}/inbox")).await.unwrap(), 202);
    }
    assert_eq!(server.accepted.load(Ordering::SeqCst), 300);
    let closing = async {
        while server.open.load(Ordering::SeqCst) > 256 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), closing).await.unwrap();
    // The most recently used connections are still open.
    assert_eq!(post(&client, "http://m299.example/inbox").await.unwrap(), 202);
    assert_eq!(server.accepted.load(Ordering::SeqCst), 300);
}

#[tokio::test]
async fn posts_to_an_http_2_host_share_one_connection() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = TlsListener::new(listener, authority.certify_http2("m.example"));
    let accepted = listener.accepted();
    let app = axum::Router::new().fallback(async |request: axum::extract::Request| {
        let authority = request.uri().authority().map(ToString::to_string);
        let is_right = authority.as_deref() == Some("m.example") && !request.headers().contains_key("host");
        if is_right { StatusCode::ACCEPTED } else { StatusCode::BAD_REQUEST }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    let client = trusting_at(&authority, address);
    assert_eq!(post(&client, "https://m.example/inbox").await.unwrap(), 202);
    let all = (0..8).map(|_| post(&client, "https://m.example/inbox"));
    assert!(join_all(all).await.into_iter().all(|status| status.unwrap() == 202));
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn e1_e3_e5_e6_e7_posts_are_checked_like_fetches_and_follow_no_redirect() {
    let secret = Server::start(|_| ok("secret")).await;
    let server = Server::start(|_| moved("http://secret.example/")).await;
    let policy = ClientPolicy { allow_networks: vec!["127.0.0.1/32".parse().unwrap()], ..loopback() };
    let private: SocketAddr = format!("127.0.0.2:{}", secret.port()).parse().unwrap();
    let public: SocketAddr = "8.8.8.8:0".parse().unwrap();
    let script = names(&[
        ("m.example", &[&[server.address]]),
        ("private.example", &[&[private]]),
        ("mixed.example", &[&[server.address, private]]),
        ("public.example", &[&[public]]),
        ("secret.example", &[&[secret.address]]),
    ]);
    let client = client(policy, script);
    for (url, why) in [
        (format!("https://127.0.0.2:{}/", secret.port()), GuardError::IpLiteral),
        ("https://private.example/".to_owned(), GuardError::PrivateAddress),
        ("http://mixed.example/".to_owned(), GuardError::PrivateAddress),
        ("https://public.example:8443/".to_owned(), GuardError::PrivateAddress),
        ("http://public.example/".to_owned(), GuardError::PrivateAddress),
        ("https://u:p@m.example/".to_owned(), GuardError::Credentials),
        ("ftp://m.example/".to_owned(), GuardError::Scheme),
    ] {
        assert_eq!(post(&client, &url).await.unwrap_err(), NetError::Guard(why), "{url}");
    }
    assert_eq!(server.accepted(), 0);
    assert_eq!(post(&client, "http://m.example/").await.unwrap(), 302);
    assert_eq!(secret.accepted(), 0);
    assert_eq!(post(&client, "http://unknown.example/").await.unwrap_err(), NetError::Dns);
}

#[tokio::test]
async fn j10_nothing_is_posted_without_a_trusted_certificate() {
    let authority = Authority::new();
    let server = Server::tls(authority.certify("other.example", 4000), |_| ok("never")).await;
    let client = trusting_at(&authority, server.address);
    assert_eq!(post(&client, "https://m.example/inbox").await.unwrap_err(), NetError::Tls);
    assert!(server.requests().is_empty());
}
