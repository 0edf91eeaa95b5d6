//! `marquee health`: check whether the server on this machine is ready.

use std::path::Path;

use anyhow::{Context, bail};

use super::output::print_line;
use crate::config::{self, Config};

pub(super) async fn run(config: &Path) -> anyhow::Result<()> {
    check_health(&config::load(config)?).await
}

/// Requests `/health/ready` from the server on this machine.
async fn check_health(config: &Config) -> anyhow::Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let mut address = config.server.listen;
    if address.ip().is_unspecified() {
        let loopback =
            if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
        address.set_ip(loopback);
    }
    let request = async {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        let host = config.server.origin.authority();
        let request = format!("GET /health/ready HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut response = Vec::new();
        stream.take(4096).read_to_end(&mut response).await?;
        anyhow::Ok(String::from_utf8_lossy(&response).into_owned())
    };
    let response = tokio::time::timeout(std::time::Duration::from_secs(5), request)
        .await
        .with_context(|| format!("no response from {address} within 5 seconds"))?
        .with_context(|| format!("could not connect to {address} (is the server running?)"))?;
    if response.starts_with("HTTP/1.1 200") {
        print_line("ready")
    } else {
        let reason = response.split_once("\r\n\r\n").map_or("", |(_, body)| body.trim());
        let reason: String = reason.chars().filter(|c| !c.is_control()).take(80).collect();
        bail!("the server is not ready ({reason}); see its log")
    }
}
