use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What a server sends: chunks with pauses before them.
pub(super) type TimedChunks = Vec<(Duration, Vec<u8>)>;

type Respond = Arc<dyn Fn(&str) -> TimedChunks + Send + Sync>;

/// A server that sends the response of a test, and then closes the connection.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) async fn start(respond: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start_slow(move |request| vec![(Duration::ZERO, respond(request))]).await
    }

    pub(super) async fn start_slow(respond: impl Fn(&str) -> TimedChunks + Send + Sync + 'static) -> Self {
        Self::with(None, Arc::new(respond)).await
    }

    pub(super) async fn tls(
        acceptor: TlsAcceptor,
        respond: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let respond: Respond = Arc::new(move |request| vec![(Duration::ZERO, respond(request))]);
        Self::with(Some(acceptor), respond).await
    }

    async fn with(acceptor: Option<TlsAcceptor>, respond: Respond) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            accepted: Arc::default(),
            requests: Arc::default(),
        };
        let (accepted, requests) = (Arc::clone(&server.accepted), Arc::clone(&server.requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::SeqCst);
                let (acceptor, respond) = (acceptor.clone(), Arc::clone(&respond));
                let requests = Arc::clone(&requests);
                tokio::spawn(async move {
                    match acceptor {
                        None => serve(stream, respond, requests).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, respond, requests).await;
                            }
                        }
                    }
                });
            }
        });
        server
    }

    /// The number of connections so far.
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// The heads of the requests so far, in lower case.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    respond: Respond,
    requests: Arc<Mutex<Vec<String>>>,
) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => head.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    requests.lock().unwrap().push(head.to_lowercase());
    for (pause, piece) in respond(&head) {
        tokio::time::sleep(pause).await;
        if stream.write_all(&piece).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
    let _ = stream.shutdown().await;
}

/// A response with these headers (each with its line end) and this body.
pub(super) fn reply(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub(super) fn ok(body: &str) -> Vec<u8> {
    reply(200, "", body.as_bytes())
}

pub(super) fn moved(to: &str) -> Vec<u8> {
    reply(302, &format!("location: {to}\r\n"), b"")
}

/// A certificate authority of the test.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) pem: Vec<u8>,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem().into_bytes();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for a server that also speaks HTTP/2.
    pub(super) fn certify_http2(&self, name: &str) -> TlsAcceptor {
        let mut config = ServerConfig::clone(self.certify(name, 4000).config());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    /// A certificate for a name, valid until the start of a year.
    pub(super) fn certify(&self, name: &str, until: i32) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        acceptor(certificate.der().to_vec(), &key)
    }
}

pub(super) fn self_signed(name: &str) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    acceptor(params.self_signed(&key).unwrap().der().to_vec(), &key)
}

fn acceptor(certificate: Vec<u8>, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
