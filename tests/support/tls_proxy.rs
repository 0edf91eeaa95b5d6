//! What stands in front of Marquee: it takes TLS off each connection and hands its bytes on, untouched.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::serve::Listener as _;
use tokio::net::TcpStream;

use super::network::TlsListener;

/// Processes that serve, each in its turn.
#[derive(Clone, Default)]
pub struct TlsProxy(Arc<Mutex<Vec<SocketAddr>>>);

impl TlsProxy {
    /// Another one serves.
    pub fn add(&self, backend: SocketAddr) {
        self.0.lock().expect("backends").push(backend);
    }

    /// All of them; those that had no turn lately first.
    fn in_turn(&self) -> Vec<SocketAddr> {
        let mut backends = self.0.lock().expect("backends");
        backends.rotate_left(1);
        backends.clone()
    }

    /// Serves for as long as the test goes on.
    pub async fn serve(self, mut listener: TlsListener) {
        loop {
            let (mut outside, _) = listener.accept().await;
            let backends = self.in_turn();
            tokio::spawn(async move {
                for backend in backends {
                    // Where nobody listens, the connection is closed, as by a proxy without its server.
                    if let Ok(mut inside) = TcpStream::connect(backend).await {
                        let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                        return;
                    }
                }
            });
        }
    }
}
