//! Listeners that nobody may connect to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpListener;

/// Counts the connections that reach an address.
pub struct ForbiddenListener {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl ForbiddenListener {
    /// Sets a trap on a port of this address.
    pub async fn on(ip: &str) -> Self {
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
    /// Where anybody connected.
    pub fn assert_no_connections(&self) {
        let connections = self.connections.load(Ordering::SeqCst);
        assert_eq!(connections, 0, "somebody connected to {}", self.address);
    }
}
