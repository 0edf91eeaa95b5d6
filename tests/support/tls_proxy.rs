//! A TLS proxy in front of Marquee: it terminates TLS and passes on the bytes unchanged.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::serve::Listener as _;
use tokio::net::TcpStream;

use super::network::TlsListener;

/// The backends, which take connections in turn.
#[derive(Clone, Default)]
pub struct TlsProxy(Arc<Mutex<Vec<SocketAddr>>>);

impl TlsProxy {
    /// Adds a backend.
    pub fn add(&self, backend: SocketAddr) {
        self.0.lock().expect("backends").push(backend);
    }

    /// All backends, the least recently used first.
    fn least_recent_first(&self) -> Vec<SocketAddr> {
        let mut backends = self.0.lock().expect("backends");
        backends.rotate_left(1);
        backends.clone()
    }

    /// Serves for as long as the test runs.
    pub async fn serve(self, mut listener: TlsListener) {
        loop {
            let (mut outside, _) = listener.accept().await;
            let backends = self.least_recent_first();
            tokio::spawn(async move {
                for backend in backends {
                    // If no backend listens, the connection is closed, as by a proxy whose server is down.
                    if let Ok(mut inside) = TcpStream::connect(backend).await {
                        let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                        return;
                    }
                }
            });
        }
    }
}
