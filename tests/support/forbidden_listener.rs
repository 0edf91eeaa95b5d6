//! Listeners that nothing may connect to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpListener;

/// Counts the connections to an address.
pub struct ForbiddenListener {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl ForbiddenListener {
    /// Listens on a port of this address.
    pub async fn bind(ip: &str) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.expect("a loopback address to listen on");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { address, connections }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// # Panics
    /// If anything has connected.
    pub fn assert_no_connections(&self) {
        let connections = self.connections.load(Ordering::SeqCst);
        assert_eq!(connections, 0, "something connected to {}", self.address);
    }
}
