//! An HTTP proxy that resolves the names of the test network. It is the only network access of a foreign server, so no
//! traffic of a test leaves the machine.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::support::network::Names;

/// The maximum size of the head of a CONNECT request.
const MAX_HEAD_BYTES: usize = 4 * 1024;

/// Starts the proxy for as long as the test runs, and returns its address.
pub async fn open(names: Names) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(tunnel(stream, names.clone()));
        }
    });
    address
}

/// Connects a client to its destination.
async fn tunnel(mut inside: TcpStream, names: Names) {
    let host = requested_host(&mut inside).await;
    let address = host.and_then(|host| names.all().get(&host).copied());
    let response: &[u8] = match address {
        Some(_) => b"HTTP/1.1 200 Connection established\r\n\r\n",
        None => b"HTTP/1.1 502 No server of this test has that name\r\ncontent-length: 0\r\n\r\n",
    };
    if inside.write_all(response).await.is_err() {
        return;
    }
    let Some(address) = address else { return };
    // If nothing listens, the connection is closed.
    if let Ok(mut outside) = TcpStream::connect(address).await {
        let _ = copy_bidirectional(&mut inside, &mut outside).await;
    }
}

/// The host of a CONNECT request.
async fn requested_host(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD_BYTES {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let authority = head.strip_prefix("CONNECT ")?.split(' ').next()?;
    authority.strip_suffix(":443").map(str::to_owned)
}
