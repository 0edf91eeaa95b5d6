//! A minimal HTTP/1.1 client on hyper, with rustls for TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A persistent connection.
#[derive(Debug)]
pub struct Connection(SendRequest<Full<Bytes>>);

/// A response with its complete body.
#[derive(Debug)]
pub struct HttpResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A TLS connector that trusts only this CA and resumes no session.
pub fn connector(ca_pem: &str) -> anyhow::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes())?)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

impl Connection {
    /// Connects without TLS.
    pub async fn without_tls(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Self::handshake(stream).await
    }

    /// Connects with TLS to a server with this name.
    pub async fn with_tls(address: SocketAddr, name: &str, connector: &TlsConnector) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(name.to_owned())?;
        Self::handshake(connector.connect(name, stream).await?).await
    }

    async fn handshake(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> anyhow::Result<Self> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // The sender sees errors of the connection as well.
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Sends a request and reads the response.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<HttpResponse> {
        self.0.ready().await?;
        let (parts, body) = self.0.send_request(request).await?.into_parts();
        Ok(HttpResponse {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await?.to_bytes(),
        })
    }
}

/// Builds a request with these headers.
pub fn request(
    method: &str,
    target: &str,
    headers: &[(String, String)],
    body: impl Into<Bytes>,
) -> anyhow::Result<Request<Full<Bytes>>> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(Full::new(body.into())).context("a request")
}

/// Builds a list of headers.
pub fn headers(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
