//! The network of one test: host names, certificates, and a client that knows both.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, RwLock};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::ca::Ca;
use super::http::Client;

/// The addresses of host names.
#[derive(Clone, Default)]
pub struct Names(Arc<RwLock<BTreeMap<String, SocketAddr>>>);

impl Names {
    pub fn set(&self, name: &str, address: SocketAddr) {
        let mut names = self.0.write().expect("names");
        names.insert(name.to_owned(), address);
    }

    pub fn all(&self) -> BTreeMap<String, SocketAddr> {
        self.0.read().expect("names").clone()
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.all().get(name.as_str()).copied();
        Box::pin(async move {
            let address =
                found.ok_or_else(|| format!("no server of this test is named {}", name.as_str()))?;
            Ok(Box::new(std::iter::once(address)) as Addrs)
        })
    }
}

pub struct TestNetwork {
    pub ca: Arc<Ca>,
    pub names: Names,
    pub client: Client,
}

impl TestNetwork {
    pub fn new() -> Self {
        let ca = Arc::new(Ca::new());
        let names = Names::default();
        let client = Client::new(&ca, &names);
        Self { ca, names, client }
    }

    /// Listens for TLS connections to `host`.
    pub async fn listen(&self, host: &str) -> TlsListener {
        let listener = TlsListener::bind(&self.ca, host).await;
        self.names.set(host, listener.address);
        listener
    }
}

/// Accepts TLS connections. Handshakes run concurrently, so that one that hangs delays no other.
pub struct TlsListener {
    pub address: SocketAddr,
    connections: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    async fn bind(ca: &Ca, host: &str) -> Self {
        let acceptor = TlsAcceptor::from(ca.server_config(host));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, connections) = mpsc::channel(64);
        tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        // The receiver is gone if the test is over.
                        let _ = sender.send((stream, peer)).await;
                    }
                });
            }
        });
        Self { address, connections }
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.connections.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}
