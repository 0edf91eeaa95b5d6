//! A small fediverse server in one file. Its only user, Rita, follows the critic, waits for a review, and replies to it. Run
//! it next to a trial site:
//!
//! ```sh
//! cargo run --release -- serve                              # in one terminal
//! cargo run --release --example follower                    # in a second one
//! cargo run --release -- publish config/demo/new-review.md  # in a third one, when the example asks for it
//! ```
//!
//! It does what any other server would do, except for three things that a real server must do as well: verify the
//! signatures of inbound activities, use HTTPS, and store its data.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Parser;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use url::Url;

const CONTEXT: &str = "https://www.w3.org/ns/activitystreams";
const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
const ACTIVITY_JSON: &str = "application/activity+json";

/// Follow a critic on a trial site, and reply to the next review.
#[derive(Debug, Parser)]
struct Arguments {
    /// Handle of the critic to follow.
    #[arg(long, default_value = "critic@localhost:8080")]
    handle: String,
    /// Minutes to wait for a review.
    #[arg(long, default_value_t = 15)]
    patience: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let (rita, mut inbox) = Rita::start().await?;

    let handle = arguments.handle.trim_start_matches('@');
    println!("1. Rita, {}, looks up {handle}.", rita.origin);
    let critic = rita.look_up(handle).await?;
    println!("   Found {}: {}", text(&critic["name"]), text(&critic["id"]));

    println!("2. She follows and waits for the Accept.");
    let follow = rita.follow(&critic);
    rita.send(&critic, &follow).await?;
    await_activity(&mut inbox, Duration::from_mins(1), |activity| {
        activity["type"] == "Accept" && activity["object"]["id"] == follow["id"]
    })
    .await
    .context("no Accept arrived")?;
    println!("   Accepted.");

    println!("3. She waits for a review. Publish one from another terminal:\n");
    println!("       cargo run --release -- publish config/demo/new-review.md\n");
    let timeout = Duration::from_mins(arguments.patience);
    let create = await_activity(&mut inbox, timeout, |activity| activity["type"] == "Create")
        .await
        .context("no review arrived")?;
    let article = &create["object"];
    println!("   {}", text(&article["name"]));
    println!("   {}", text(&article["summary"]));
    println!("   {}", text(&article["url"]));
    println!("   {}…", excerpt(text(&article["content"])));

    println!("4. She replies.");
    let note = rita.reply(&critic, article);
    rita.send(&critic, &rita.create(&note)).await?;
    let comment = rita.find_on_page(text(&article["url"]), "I shall see it tonight").await?;
    println!("   Her comment is on the page: {comment}");

    println!("5. She unfollows, since her server is about to stop.");
    rita.send(&critic, &rita.undo(&follow)).await
}

/// A user, her key, and her server.
struct Rita {
    origin: String,
    key: Arc<KeyPair>,
    client: reqwest::Client,
    state: ServerState,
}

/// The documents that other servers can fetch, by path, and the channel for what they send.
#[derive(Clone)]
struct ServerState {
    documents: Arc<Mutex<BTreeMap<String, Value>>>,
    received: mpsc::UnboundedSender<Value>,
}

impl Rita {
    /// Generates a key and serves her actor on a free port.
    async fn start() -> anyhow::Result<(Self, mpsc::UnboundedReceiver<Value>)> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://localhost:{}", listener.local_addr()?.port());
        let (received, inbox) = mpsc::unbounded_channel();
        let state = ServerState { documents: Arc::default(), received };
        let router = Router::new()
            .route("/.well-known/webfinger", get(webfinger))
            .route("/inbox", post(receive))
            .route("/{*path}", get(document))
            .with_state(state.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        let key = KeyPair::generate(KeySize::Rsa2048).context("could not generate a key")?;
        let rita = Self { origin, key: Arc::new(key), client: client()?, state };
        rita.publish(&rita.actor()?);
        Ok((rita, inbox))
    }

    fn id(&self) -> String {
        format!("{}/rita", self.origin)
    }

    /// Serves an object at its id.
    fn publish(&self, object: &Value) {
        let path = text(&object["id"]).replacen(&self.origin, "", 1);
        let mut documents = self.state.documents.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        documents.insert(path, object.clone());
    }

    fn actor(&self) -> anyhow::Result<Value> {
        let der: PublicKeyX509Der<'_> = self.key.public_key().as_der().context("no public key")?;
        let pem = STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{pem}\n-----END PUBLIC KEY-----\n");
        let id = self.id();
        Ok(json!({
            "@context": [CONTEXT, "https://w3id.org/security/v1"],
            "id": id, "type": "Person", "preferredUsername": "rita", "name": "Rita from the Front Row", "url": id,
            "inbox": format!("{}/inbox", self.origin), "outbox": format!("{id}/outbox"),
            "publicKey": {"id": format!("{id}#main-key"), "owner": id, "publicKeyPem": pem},
        }))
    }

    fn follow(&self, critic: &Value) -> Value {
        let id = format!("{}/follows/1", self.origin);
        json!({"@context": CONTEXT, "id": id, "type": "Follow", "actor": self.id(), "object": critic["id"]})
    }

    fn undo(&self, follow: &Value) -> Value {
        let id = format!("{}/undos/1", self.origin);
        json!({"@context": CONTEXT, "id": id, "type": "Undo", "actor": self.id(), "object": follow})
    }

    /// Creates a public reply and serves it at its id.
    fn reply(&self, critic: &Value, article: &Value) -> Value {
        let note = json!({
            "@context": CONTEXT, "id": format!("{}/notes/1", self.origin), "type": "Note",
            "url": format!("{}/notes/1", self.origin), "attributedTo": self.id(), "inReplyTo": article["id"],
            "to": [PUBLIC], "cc": [critic["id"]], "published": now().to_string(),
            "content": "<p>I shall see it tonight, in the front row.</p>",
        });
        self.publish(&note);
        note
    }

    fn create(&self, note: &Value) -> Value {
        json!({
            "@context": CONTEXT, "id": format!("{}/activity", text(&note["id"])), "type": "Create",
            "actor": self.id(), "to": note["to"], "cc": note["cc"], "object": note,
        })
    }

    /// Resolves `user@host` with WebFinger (RFC 7033) and fetches the actor.
    async fn look_up(&self, handle: &str) -> anyhow::Result<Value> {
        let (_, host) = handle.split_once('@').context("a handle is user@host")?;
        let address = format!("http://{host}/.well-known/webfinger?resource=acct:{handle}");
        let response = self.client.get(&address).send().await.with_context(|| {
            format!(
                "cannot connect to {host}: is `cargo run --release -- serve` running in another terminal?"
            )
        })?;
        let jrd: Value = response.error_for_status()?.json().await?;
        let links = jrd["links"].as_array().context("WebFinger returned no links")?;
        let link = links.iter().find(|link| link["rel"] == "self" && link["type"] == ACTIVITY_JSON);
        let id = link.and_then(|link| link["href"].as_str()).context("WebFinger returned no actor")?;
        let response = self.client.get(id).header(header::ACCEPT, ACTIVITY_JSON).send().await?;
        Ok(response.error_for_status()?.json().await?)
    }

    /// Signs an activity (draft-cavage-http-signatures-12) and posts it to the critic's inbox.
    async fn send(&self, critic: &Value, activity: &Value) -> anyhow::Result<()> {
        let inbox = Url::parse(text(&critic["inbox"])).context("the critic has no inbox")?;
        let body = activity.to_string();
        let host = &inbox[url::Position::BeforeHost..url::Position::AfterPort];
        let date = now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let digest = format!("SHA-256={}", STANDARD.encode(digest(&SHA256, body.as_bytes())));
        let signed =
            format!("(request-target): post {}\nhost: {host}\ndate: {date}\ndigest: {digest}", inbox.path());
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .context("the activity could not be signed")?;
        let signature = format!(
            "keyId=\"{}#main-key\",algorithm=\"rsa-sha256\",headers=\"(request-target) host date digest\",\
             signature=\"{}\"",
            self.id(),
            STANDARD.encode(signature)
        );
        let request = self.client.post(inbox.clone()).body(body);
        let request = request.header(header::CONTENT_TYPE, ACTIVITY_JSON).header(header::DATE, date);
        let response = request.header("digest", digest).header("signature", signature).send().await?;
        let status = response.status();
        if !status.is_success() {
            bail!("{inbox} returned {status}: {}", response.text().await?);
        }
        Ok(())
    }

    /// Waits until a page contains a text, and returns the link to the comment with it.
    async fn find_on_page(&self, page: &str, content: &str) -> anyhow::Result<String> {
        for _ in 0..120 {
            let response = self.client.get(page).header(header::ACCEPT, "text/html").send().await?;
            let html = response.error_for_status()?.text().await?;
            // The comment's element is the last one with such an id before the text.
            if let Some(before) = html.find(content).map(|at| &html[..at])
                && let Some((_, id)) = before.rsplit_once("id=\"comment-")
            {
                return Ok(format!("{page}#comment-{}", id.split('"').next().unwrap_or("")));
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        bail!("her comment is not on {page}")
    }
}

/// Waits for an activity that matches.
async fn await_activity(
    inbox: &mut mpsc::UnboundedReceiver<Value>,
    timeout: Duration,
    matches: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let waiting = async {
        while let Some(activity) = inbox.recv().await {
            if matches(&activity) {
                return Ok(activity);
            }
        }
        bail!("the inbox is closed")
    };
    tokio::time::timeout(timeout, waiting).await.context("timed out")?
}

/// `/.well-known/webfinger`: returns Rita's actor id.
async fn webfinger(
    State(state): State<ServerState>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, StatusCode> {
    let resource = query.get("resource").ok_or(StatusCode::BAD_REQUEST)?;
    let documents = state.documents.lock().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let id = documents.get("/rita").map(|actor| actor["id"].clone()).ok_or(StatusCode::NOT_FOUND)?;
    let host = text(&id).trim_start_matches("http://").trim_end_matches("/rita");
    let subject = format!("acct:rita@{host}");
    if *resource != subject && *resource != text(&id) {
        return Err(StatusCode::NOT_FOUND);
    }
    let jrd = json!({"subject": subject, "links": [{"rel": "self", "type": ACTIVITY_JSON, "href": id}]});
    Ok(([(header::CONTENT_TYPE, "application/jrd+json")], jrd.to_string()).into_response())
}

/// Returns Rita's actor or one of her notes.
async fn document(
    State(state): State<ServerState>,
    Path(path): Path<String>,
) -> Result<Response, StatusCode> {
    let documents = state.documents.lock().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let document = documents.get(&format!("/{path}")).ok_or(StatusCode::NOT_FOUND)?;
    Ok(([(header::CONTENT_TYPE, ACTIVITY_JSON)], document.to_string()).into_response())
}

/// The inbox. A real server would verify the signature first.
async fn receive(State(state): State<ServerState>, body: String) -> StatusCode {
    match serde_json::from_str(&body).map(|activity| state.received.send(activity)) {
        Ok(Ok(())) => StatusCode::ACCEPTED,
        Ok(Err(_)) => StatusCode::GONE,
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

/// The first words of an HTML text, without tags.
fn excerpt(html: &str) -> String {
    // Between two `<`, the text is what follows `>`. Each tag becomes a space.
    let pieces = html.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, behind)| behind));
    let plain = pieces.collect::<Vec<_>>().join(" ");
    plain.split_whitespace().take(30).collect::<Vec<_>>().join(" ")
}

#[expect(clippy::disallowed_methods, reason = "the example is another server and has its own client")]
fn client() -> anyhow::Result<reqwest::Client> {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20));
    Ok(client.user_agent("Follower/1.0 (an example of Marquee)").build()?)
}

#[expect(clippy::disallowed_methods, reason = "the example is another server and reads its own clock")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
