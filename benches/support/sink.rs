//! The sink: one listener that responds for every name under `bench.test`. It verifies each delivery with the
//! keys that it was given, counts distinct pairs of inbox and activity, and serves actors.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::helper_process::{Role, count, text};
use super::keys::unpem;
use super::signature::{cavage_text, sha256};

/// The response time of hosts whose name begins with `slow`.
const SLOW_HOST_DELAY: Duration = Duration::from_secs(30);

/// The path at which an unsigned POST is accepted, for the limits.
pub const UNSIGNED: &str = "/unsigned";

/// What a signature must cover.
const REQUIRED: [&str; 4] = ["(request-target)", "host", "date", "digest"];

pub struct Sink(Arc<SharedState>);

#[derive(Default)]
struct SharedState(Mutex<State>);

#[derive(Default)]
struct State {
    keys: HashMap<String, Arc<ParsedPublicKey>>,
    documents: HashMap<String, Bytes>,
    /// Inbox and activity of each verified delivery.
    pairs: HashSet<(String, String)>,
    total: usize,
    /// Verified deliveries to slow hosts.
    slow: usize,
    rejected: Vec<String>,
    last: Value,
}

#[derive(Deserialize)]
struct Activity {
    id: String,
}

impl Role for Sink {
    async fn start(plan: Value) -> anyhow::Result<(Self, Value)> {
        let state = Arc::<SharedState>::default();
        let address = listen(&acceptor(&plan)?, &state).await?;
        Ok((Self(state), json!({"address": address})))
    }

    async fn handle(&mut self, order: Value) -> anyhow::Result<Value> {
        if order["do"] == "open" {
            let acceptor = acceptor(&order)?;
            let mut origins = Vec::new();
            for _ in 0..count(&order, "origins")? {
                origins.push(listen(&acceptor, &self.0).await?);
            }
            return Ok(json!({"origins": origins}));
        }
        let mut state = self.0.lock();
        match text(&order, "do")? {
            "trust" => {
                let der = unpem(text(&order, "pem")?).context("a PEM")?;
                let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &der)?;
                state.keys.insert(text(&order, "key_id")?.to_owned(), Arc::new(key));
            }
            "serve" => {
                for (location, document) in order["documents"].as_object().context("documents")? {
                    state.documents.insert(location.clone(), Bytes::from(document.to_string()));
                }
            }
            "reset" => {
                state.pairs.clear();
                (state.total, state.slow) = (0, 0);
                state.rejected.clear();
            }
            "last" => return Ok(state.last.clone()),
            _ => {}
        }
        Ok(json!({
            "distinct": state.pairs.len(), "total": state.total, "slow": state.slow,
            "rejected": state.rejected.len(), "why": state.rejected.first(),
        }))
    }
}

impl SharedState {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Verifies and counts a delivery.
    fn receive(&self, host: &str, target: &str, headers: &HeaderMap, body: &Bytes) -> u16 {
        let taken = self.verify(target, headers, body).and_then(|()| {
            let activity: Activity = serde_json::from_slice(body)?;
            Ok(activity.id)
        });
        let mut state = self.lock();
        match taken {
            Ok(id) => {
                state.total += 1;
                if host.starts_with("slow") {
                    state.slow += 1;
                } else {
                    state.pairs.insert((format!("{host}{target}"), id));
                }
                if state.last.is_null() {
                    let headers: BTreeMap<&str, &str> =
                        headers.iter().filter_map(|(n, v)| Some((n.as_str(), v.to_str().ok()?))).collect();
                    state.last = json!({"body": String::from_utf8_lossy(body), "headers": headers});
                }
                202
            }
            Err(error) => {
                state.rejected.push(format!("{error:#}"));
                401
            }
        }
    }

    /// Verifies like a strict server: the digest matches the body, the signature covers all that it must, and
    /// the key matches.
    fn verify(&self, target: &str, headers: &HeaderMap, body: &[u8]) -> anyhow::Result<()> {
        let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
        ensure!(
            header("digest") == format!("SHA-256={}", sha256(body)),
            "the digest does not match the body"
        );
        let signature = header("signature");
        let field = |name: &str| {
            let found =
                signature.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
            found.map(|value| value.trim_matches('"')).with_context(|| format!("no {name} in {signature:?}"))
        };
        let covered: Vec<&str> = field("headers")?.split(' ').collect();
        ensure!(
            REQUIRED.iter().all(|name| covered.contains(name)),
            "the signature does not cover enough: {covered:?}"
        );
        let key_id = field("keyId")?;
        let key = self.lock().keys.get(key_id).map(Arc::clone);
        let key = key.with_context(|| format!("unknown key {key_id}"))?;
        let signed = cavage_text(&covered, "POST", target, header);
        let signature = STANDARD.decode(field("signature")?)?;
        let verified = key.verify_sig(signed.as_bytes(), &signature);
        verified.map_err(|_| anyhow::anyhow!("the signature is invalid"))
    }
}

/// A TLS acceptor with the certificate that the plan contains.
fn acceptor(plan: &Value) -> anyhow::Result<TlsAcceptor> {
    let certificate = CertificateDer::from(STANDARD.decode(text(plan, "certificate")?)?);
    let key = PrivatePkcs8KeyDer::from(STANDARD.decode(text(plan, "key")?)?);
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::Pkcs8(key))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Opens another listener and returns its address.
async fn listen(acceptor: &TlsAcceptor, state: &Arc<SharedState>) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let (acceptor, state) = (acceptor.clone(), Arc::clone(state));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&state)));
        }
    });
    Ok(address)
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, state: Arc<SharedState>) {
    let _ = stream.set_nodelay(true);
    // A failed handshake gets no response.
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(|request| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(handle(&state, request).await) }
    });
    // The client may close the connection at any time.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn handle(state: &SharedState, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let host = parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("").to_owned();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    if parts.method == Method::GET {
        let found = state.lock().documents.get(&format!("{host}{target}")).cloned();
        return match found {
            Some(document) => respond(200, document),
            None => respond(404, Bytes::new()),
        };
    }
    let Ok(body) = body.collect().await else { return respond(400, Bytes::new()) };
    let status = match target {
        UNSIGNED => 202,
        target => state.receive(&host, target, &parts.headers, &body.to_bytes()),
    };
    if host.starts_with("slow") {
        tokio::time::sleep(SLOW_HOST_DELAY).await;
    }
    respond(status, Bytes::new())
}

fn respond(status: u16, body: Bytes) -> Response<Full<Bytes>> {
    let media_type = if status == 200 { "application/activity+json; charset=utf-8" } else { "text/plain" };
    let response = Response::builder().status(status).header("content-type", media_type);
    response.body(Full::new(body)).expect("a response")
}
