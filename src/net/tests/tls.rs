use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::Request;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::server::{Authority, moved, self_signed};
use super::*;

/// A client that trusts the authority and finds `m.example` at the server.
fn trusting(authority: &Authority, server: &Server) -> Client {
    trusting_at(authority, server.address)
}

pub(super) fn trusting_at(authority: &Authority, address: SocketAddr) -> Client {
    let policy = ClientPolicy {
        allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
        extra_ca: Some(authority.pem.clone()),
        ..strict()
    };
    client(policy, names(&[("m.example", &[&[address]])]))
}

#[tokio::test]
async fn certificates_of_an_extra_authority_are_trusted() {
    let authority = Authority::new();
    let server = Server::tls(authority.certify("m.example", 4000), |_| ok("safe")).await;
    let client = trusting(&authority, &server);
    assert_eq!(get(&client, "https://m.example/").await.unwrap().body, "safe");
    assert!(server.requests()[0].contains("\r\nhost: m.example\r\n"));
}

#[tokio::test]
async fn j10_expired_wrong_and_self_signed_certificates_are_rejected() {
    let authority = Authority::new();
    for acceptor in [
        authority.certify("m.example", 2020),
        authority.certify("other.example", 4000),
        Authority::new().certify("m.example", 4000),
        self_signed("m.example"),
    ] {
        let server = Server::tls(acceptor, |_| ok("never")).await;
        let client = trusting(&authority, &server);
        let error = get(&client, "https://m.example/").await.unwrap_err();
        assert_eq!(error, NetError::Tls);
        assert!(server.requests().is_empty());
    }
    // A server without TLS.
    let server = Server::start(|_| ok("plain")).await;
    let error = get(&trusting(&authority, &server), "https://m.example/").await;
    assert!(matches!(error, Err(NetError::Tls | NetError::Timeout)), "{error:?}");
}

#[tokio::test]
async fn e5_no_redirect_leads_from_https_to_http() {
    let authority = Authority::new();
    let plain = Server::start(|_| ok("plain")).await;
    let to = format!("http://{}/", plain.address);
    let server = Server::tls(authority.certify("m.example", 4000), move |_| moved(&to)).await;
    let policy = ClientPolicy { extra_ca: Some(authority.pem.clone()), ..loopback() };
    let client = client(policy, names(&[("m.example", &[&[server.address]])]));
    assert_eq!(get(&client, "https://m.example/").await.unwrap_err(), NetError::InvalidRedirect);
    assert_eq!(plain.accepted(), 0);
}

#[test]
fn an_unreadable_extra_certificate_is_an_error() {
    let policy = ClientPolicy {
        extra_ca: Some(b"-----BEGIN CERTIFICATE-----\n%%\n-----END CERTIFICATE-----".to_vec()),
        ..strict()
    };
    assert!(Client::new(policy).is_err());
    assert!(Client::new(strict()).is_ok());
}

pub(super) struct TlsListener(TcpListener, TlsAcceptor, Arc<AtomicUsize>);

impl TlsListener {
    pub(super) fn new(listener: TcpListener, acceptor: TlsAcceptor) -> Self {
        Self(listener, acceptor, Arc::default())
    }

    /// The number of connections so far.
    pub(super) fn accepted(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.2)
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.0.accept().await.unwrap();
            self.2.fetch_add(1, Ordering::SeqCst);
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

#[tokio::test]
async fn http_2_requests_carry_the_signed_authority() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let echo = |request: Request| async move {
        let host = request.headers().get("host").cloned();
        format!("{:?} {:?} {host:?}", request.version(), request.uri().authority())
    };
    let acceptor = authority.certify_http2("m.example");
    let app = axum::Router::new().fallback(echo);
    tokio::spawn(async move { axum::serve(TlsListener::new(listener, acceptor), app).await });
    let client = trusting_at(&authority, address);
    let fetched = get(&client, "https://m.example/").await.unwrap();
    assert_eq!(fetched.body, "HTTP/2.0 Some(m.example) None");
}
