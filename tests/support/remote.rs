//! A scripted remote server of the fediverse: real keys, real HTTPS, WebFinger, actors, notes and inboxes. It
//! verifies deliveries as strictly as any known server, with code of its own. An invalid delivery fails the test,
//! at the latest when the remote goes out of scope.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::http::Client;
use super::keys::Key;
use super::network::TestNetwork;
use super::signature::SignatureScheme;
use super::verify::{Incoming, KeyCache, UNREACHABLE, VerifiedSigner};

/// The maximum size of a body.
const MAX_BODY_SIZE: usize = 4 * 1024 * 1024;

pub struct Remote {
    server: Arc<Server>,
}

/// A verified delivery.
#[derive(Debug, Clone)]
pub struct Received {
    pub activity: Value,
    /// The path of the inbox.
    pub inbox: String,
    pub signer: VerifiedSigner,
}

/// What to respond to a delivery instead of 202.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptedResponse {
    Status(u16),
    /// Never respond.
    Hang,
}

/// A document that is served at a path.
#[derive(Debug, Clone)]
pub struct Document {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub(super) struct Server {
    pub(super) host: String,
    pub(super) client: Client,
    counter: AtomicU64,
    state: Mutex<ServerState>,
    changed: Notify,
    is_secure: AtomicBool,
    /// Keys of other servers.
    key_cache: KeyCache,
}

#[derive(Default)]
struct ServerState {
    keys: BTreeMap<String, Key>,
    webfingers: BTreeMap<String, Value>,
    documents: BTreeMap<String, Document>,
    received: Vec<Received>,
    rejected: Vec<Received>,
    violations: Vec<String>,
    script: VecDeque<ScriptedResponse>,
    requests: BTreeMap<String, usize>,
    /// The user agent of the last request for each path with its query.
    user_agents: BTreeMap<String, String>,
    /// The only signature scheme that this server accepts; both if `None`.
    accepted_scheme: Option<SignatureScheme>,
    /// The requests that were signed with the other scheme.
    rejected_schemes: Vec<SignatureScheme>,
    tolerates_unknown_keys: bool,
    /// Paths for which responses are held back.
    paused_paths: Vec<String>,
}

/// A user of a remote server.
#[derive(Clone)]
pub struct User {
    pub(super) server: Arc<Server>,
    pub name: String,
}

impl Document {
    pub fn new(media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: vec![("content-type".into(), media_type.into())], body: body.into() }
    }

    pub fn activity_json(value: &Value) -> Self {
        Self::new("application/activity+json; charset=utf-8", value.to_string())
    }

    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn redirect(to: &str) -> Self {
        Self { status: 302, headers: vec![("location".into(), to.into())], body: Vec::new() }
    }

    fn response(&self) -> Response {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        response.body(Body::from(self.body.clone())).expect("a response")
    }
}

impl TestNetwork {
    /// Starts a remote server of that name. Start those that Marquee must reach before Marquee.
    pub async fn remote(&self, host: &str) -> Remote {
        Remote::start(self, host).await
    }
}

impl Remote {
    async fn start(network: &TestNetwork, host: &str) -> Self {
        let listener = network.listen(host).await;
        let server = Arc::new(Server {
            host: host.to_owned(),
            client: network.client.clone(),
            counter: AtomicU64::new(1),
            state: Mutex::default(),
            changed: Notify::new(),
            is_secure: AtomicBool::new(false),
            key_cache: KeyCache::default(),
        });
        let app = Router::new().fallback(handle).with_state(Arc::clone(&server));
        tokio::spawn(axum::serve(listener, app).into_future());
        Self { server }
    }

    pub fn host(&self) -> &str {
        &self.server.host
    }

    /// The URL of a path on this server.
    pub fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// A user with this name and a key of its own.
    pub fn user(&self, name: &str) -> User {
        let user = User { server: Arc::clone(&self.server), name: name.to_owned() };
        self.server.state().keys.entry(name.to_owned()).or_insert_with(Key::fresh);
        user
    }

    /// Serves a document at a path; it takes precedence over everything else.
    pub fn serve(&self, path: &str, document: Document) {
        self.server.serve(path, document);
    }

    /// Sets the WebFinger response for a user.
    pub fn serve_webfinger(&self, name: &str, jrd: Value) {
        self.server.state().webfingers.insert(name.to_owned(), jrd);
    }

    /// Holds back responses for a path until `resume`.
    pub fn pause(&self, path: &str) {
        self.server.state().paused_paths.push(path.to_owned());
    }

    /// Waits until a request for this path has arrived.
    pub async fn await_request(&self, path: &str) {
        super::eventually(path, || async { (self.requests_for(path) > 0).then_some(()) }).await;
    }

    /// Sends the responses that were held back.
    pub fn resume(&self) {
        self.server.state().paused_paths.clear();
        self.server.changed.notify_waiters();
    }

    /// The number of requests for a path with its query.
    pub fn requests_for(&self, path: &str) -> usize {
        self.server.state().requests.get(path).copied().unwrap_or(0)
    }

    /// The user agent of the last request for a path with its query.
    pub fn user_agent_for(&self, path: &str) -> Option<String> {
        self.server.state().user_agents.get(path).cloned()
    }

    /// The number of requests for paths with this prefix.
    pub fn requests_under(&self, path: &str) -> usize {
        let state = self.server.state();
        state.requests.iter().filter(|(target, _)| target.starts_with(path)).map(|(_, count)| count).sum()
    }

    /// The number of all requests.
    pub fn requests(&self) -> usize {
        self.server.state().requests.values().sum()
    }

    /// Requires a signature on each GET of an actor or a note from now on, as authorized fetch does.
    pub fn require_signed_gets(&self) {
        self.server.is_secure.store(true, Ordering::SeqCst);
    }

    /// Accepts only one signature scheme from now on, and responds with 401 to the other.
    pub fn accept_only(&self, scheme: Option<SignatureScheme>) {
        self.server.state().accepted_scheme = scheme;
    }

    /// The number of requests that were signed with the other scheme.
    pub fn rejected_schemes(&self) -> usize {
        self.server.state().rejected_schemes.len()
    }

    /// Responds with 401 to unknown keys from now on without failing the test.
    pub fn tolerate_unknown_keys(&self) {
        self.server.state().tolerates_unknown_keys = true;
    }

    /// Sets the responses to the next deliveries.
    pub fn script(&self, responses: impl IntoIterator<Item = ScriptedResponse>) {
        self.server.state().script.extend(responses);
    }

    /// The accepted deliveries in order of arrival.
    pub fn received(&self) -> Vec<Received> {
        self.server.state().received.clone()
    }

    /// The deliveries that the script responded to.
    pub fn rejected(&self) -> Vec<Received> {
        self.server.state().rejected.clone()
    }

    /// The accepted activities of a type, each id once.
    pub fn distinct_activities(&self, kind: &str) -> Vec<Value> {
        let mut seen = std::collections::BTreeSet::new();
        let activities = self.received().into_iter().map(|received| received.activity);
        activities.filter(|a| a["type"] == kind && seen.insert(a["id"].to_string())).collect()
    }

    /// Waits for a delivery for which `is_match` holds.
    pub async fn await_delivery(&self, what: &str, is_match: impl Fn(&Received) -> bool) -> Received {
        self.await_state(super::WAIT_TIMEOUT, what, |state| {
            state.received.iter().find(|r| is_match(r)).cloned()
        })
        .await
    }

    /// Waits for an activity for which `is_match` holds.
    pub async fn await_activity(&self, what: &str, is_match: impl Fn(&Value) -> bool) -> Value {
        self.await_delivery(what, |received| is_match(&received.activity)).await.activity
    }

    /// The same for deliveries that may need a retry, the first of which comes after a minute.
    pub async fn await_retry(&self, what: &str, is_match: impl Fn(&Value) -> bool) -> Value {
        let timeout = Duration::from_mins(2);
        let find = |state: &ServerState| {
            state.received.iter().find(|r| is_match(&r.activity)).map(|r| r.activity.clone())
        };
        self.await_state(timeout, what, find).await
    }

    /// Waits until the script has responded to `count` deliveries.
    pub async fn await_rejections(&self, count: usize) {
        self.await_state(super::WAIT_TIMEOUT, "rejected deliveries", |state| {
            (state.rejected.len() >= count).then_some(())
        })
        .await;
    }

    /// Takes the list of invalid deliveries so far, which the caller must check.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.server.state().violations)
    }

    async fn await_state<T>(
        &self,
        timeout: Duration,
        what: &str,
        find: impl Fn(&ServerState) -> Option<T>,
    ) -> T {
        let waiting = async {
            loop {
                let changed = self.server.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if let Some(found) = find(&self.server.state()) {
                    return found;
                }
                changed.await;
            }
        };
        if let Ok(found) = tokio::time::timeout(timeout, waiting).await {
            return found;
        }
        let state = self.server.state();
        let violations = state.violations.join("\n");
        let received: Vec<_> = state.received.iter().map(|r| &r.activity["type"]).collect();
        panic!("{}: timed out waiting for {what}; received {received:?}; {violations}", self.host());
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let violations = &self.server.state().violations;
            assert!(violations.is_empty(), "{}: {}", self.host(), violations.join("\n"));
        }
    }
}

impl Server {
    fn state(&self) -> MutexGuard<'_, ServerState> {
        self.state.lock().expect("the state of the server")
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.host)
    }

    pub(super) fn serve(&self, path: &str, document: Document) {
        self.state().documents.insert(path.to_owned(), document);
    }

    /// A number that this server has not used before.
    pub(super) fn next_number(&self) -> u64 {
        // As long as Mastodon's ids, which carry the time in their upper bits.
        110_000_000_000_000_000 + self.counter.fetch_add(1, Ordering::SeqCst)
    }

    pub(super) fn key_of(&self, name: &str) -> Key {
        self.state().keys[name].clone()
    }

    pub(super) fn set_key(&self, name: &str, key: Key) {
        self.state().keys.insert(name.to_owned(), key);
    }

    fn webfinger(&self, query: &str) -> Option<Document> {
        let (_, resource) =
            url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "resource")?;
        let actor_prefix = self.url("/users/");
        let name = match resource.strip_prefix("acct:") {
            Some(handle) => handle.strip_suffix(&format!("@{}", self.host))?.to_owned(),
            None => resource.strip_prefix(&actor_prefix)?.to_owned(),
        };
        let state = self.state();
        state.keys.get(&name)?;
        let jrd =
            state.webfingers.get(&name).cloned().unwrap_or_else(|| {
                jrd(&format!("{name}@{}", self.host), &self.url(&format!("/users/{name}")))
            });
        Some(Document::new("application/jrd+json", jrd.to_string()))
    }

    fn actor(self: &Arc<Self>, path: &str) -> Option<Document> {
        let name = path.strip_prefix("/users/")?.to_owned();
        self.state().keys.get(&name)?;
        let user = User { server: Arc::clone(self), name };
        Some(Document::activity_json(&user.actor()))
    }

    /// Waits until responses for this target are no longer held back.
    async fn wait_until_resumed(&self, target: &str) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if !self.state().paused_paths.iter().any(|path| path == target) {
                return;
            }
            changed.await;
        }
    }

    /// Whether it is signed with a scheme that this server does not accept.
    fn rejects_scheme(&self, incoming: &Incoming<'_>) -> bool {
        let mut state = self.state();
        let scheme = incoming.scheme();
        let rejected_schemes = state.accepted_scheme.is_some_and(|only| only != scheme);
        if rejected_schemes {
            state.rejected_schemes.push(scheme);
        }
        rejected_schemes
    }

    async fn receive(&self, incoming: &Incoming<'_>) -> Document {
        if self.rejects_scheme(incoming) {
            return Document::status(401);
        }
        let signer = match incoming.verify(&self.client, &self.key_cache).await {
            Ok(signer) => signer,
            Err(why) if why.contains("leads to the key") && self.state().tolerates_unknown_keys => {
                return Document::status(401);
            }
            Err(why) if why.contains(UNREACHABLE) => return Document::status(503),
            Err(violation) => {
                let violation = format!("a delivery to {} does not verify: {violation}", incoming.target);
                self.state().violations.push(violation);
                self.changed.notify_waiters();
                return Document::status(401);
            }
        };
        let Ok(activity) = serde_json::from_slice::<Value>(incoming.body) else {
            self.state().violations.push("a delivery is not JSON".to_owned());
            return Document::status(400);
        };
        if activity["actor"] != signer.owner {
            let violation = format!("{} signed for {}: {activity}", signer.owner, activity["actor"]);
            self.state().violations.push(violation);
        }
        let received = Received { activity, inbox: incoming.target.to_owned(), signer };
        let scripted = {
            let mut state = self.state();
            let scripted = state.script.pop_front();
            match scripted {
                None => state.received.push(received),
                Some(_) => state.rejected.push(received),
            }
            scripted
        };
        self.changed.notify_waiters();
        match scripted {
            None => Document::status(202),
            Some(ScriptedResponse::Status(status)) => Document::status(status),
            Some(ScriptedResponse::Hang) => std::future::pending().await,
        }
    }
}

/// The WebFinger response for a handle.
pub fn jrd(handle: &str, actor: &str) -> Value {
    json!({
        "subject": format!("acct:{handle}"),
        "aliases": [actor],
        "links": [{"rel": "self", "type": "application/activity+json", "href": actor}],
    })
}

/// Handles every request to the remote.
async fn handle(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY_SIZE).await else {
        return Document::status(413).response();
    };
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    *server.state().requests.entry(target.to_owned()).or_default() += 1;
    if let Some(name) = parts.headers.get("user-agent").and_then(|value| value.to_str().ok()) {
        server.state().user_agents.insert(target.to_owned(), name.to_owned());
    }
    let incoming = Incoming { method: parts.method.as_str(), target, headers: &parts.headers, body: &body };
    let path = parts.uri.path();
    if parts.method == Method::POST {
        if !path.ends_with("/inbox") {
            return Document::status(404).response();
        }
        let mut response = server.receive(&incoming).await;
        // An inbox has no document, so what is served there is the body of its errors.
        if response.status >= 400
            && let Some(error) = server.state().documents.get(target)
        {
            response.body.clone_from(&error.body);
        }
        return response.response();
    }
    server.wait_until_resumed(target).await;
    let is_guarded = path.starts_with("/users/") && server.is_secure.load(Ordering::SeqCst);
    if is_guarded && server.rejects_scheme(&incoming) {
        return Document::status(401).response();
    }
    if is_guarded && let Err(violation) = incoming.verify(&server.client, &server.key_cache).await {
        server.state().violations.push(format!("GET {target}: {violation}"));
        return Document::status(401).response();
    }
    let scripted = server.state().documents.get(target).cloned();
    let found = match path {
        _ if scripted.is_some() => scripted,
        "/.well-known/webfinger" => server.webfinger(parts.uri.query().unwrap_or("")),
        path => server.actor(path),
    };
    found.unwrap_or_else(|| Document::status(StatusCode::NOT_FOUND.as_u16())).response()
}
