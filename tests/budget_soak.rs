//! All attackers together beside honest traffic: no honest activity is lost, and memory, disk and log stay bounded. It lasts
//! some seconds; `tests/long budgets` lets it last an hour. The measurements are printed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::both_databases;
use crate::support::activities::{PUBLIC, id_of};
use crate::support::remote::{Document, Remote};
use crate::support::signer::FastSigner;
use crate::support::{Database, Fixture, LONG_WAIT_TIMEOUT, TestNetwork, within};

both_databases!(all_attackers_together_lose_no_honest_activity);

/// How long it lasts, and how many honest servers take part, unless `MARQUEE_TEST_SECONDS` is set, which gives fifty.
const DEFAULT_SECONDS: u64 = 12;
const DEFAULT_SERVERS: usize = 5;

/// Memory that Marquee may take; the build of the tests takes more than a release build.
const MAX_MEMORY: usize = 512 * 1024 * 1024;

/// What all tasks share.
struct Soak {
    fixture: Fixture,
    article: Value,
    client: reqwest::Client,
    is_over: AtomicBool,
    sent: AtomicUsize,
}

async fn all_attackers_together_lose_no_honest_activity(database: Database) {
    let seconds = std::env::var("MARQUEE_TEST_SECONDS").ok().map(|text| text.parse().expect("a number"));
    let servers = if seconds.is_some() { 50 } else { DEFAULT_SERVERS };
    let seconds = seconds.unwrap_or(DEFAULT_SECONDS);
    let network = TestNetwork::new();
    let remote = network.remote("attacker.test").await;
    let dead = Arc::new(network.remote("dead.test").await);
    let honest: Vec<Remote> = join_all((0..servers).map(|number| {
        let (network, name) = (&network, format!("honest{number}.test"));
        async move { network.remote(&name).await }
    }))
    .await;
    let fixture =
        Fixture::in_network(network, remote, database, |_, settings| settings.env("MARQUEE_LOG", "info"))
            .await;
    let article = fixture.publish("The Night Ferry").await;
    let soak = Arc::new(Soak {
        fixture,
        article,
        client: FastSigner::client(),
        is_over: AtomicBool::new(false),
        sent: AtomicUsize::new(0),
    });
    let quiet = soak.follow_all(&honest, 0, 2).await;
    let mut attackers = JoinSet::new();
    for kind in 0..ATTACKS {
        attackers.spawn(attack(Arc::clone(&soak), Arc::clone(&dead), kind));
    }
    attackers.spawn(hold_connections(Arc::clone(&soak)));
    let started = Instant::now();
    let (mut slowest, mut round) = (Duration::ZERO, 0);
    while started.elapsed() < Duration::from_secs(seconds) {
        round += 1;
        slowest = slowest.max(soak.follow_all(&honest, round, 1).await);
        soak.read_page().await;
    }
    soak.is_over.store(true, Ordering::SeqCst);
    while let Some(ended) = attackers.join_next().await {
        ended.expect("an attacker");
    }
    let memory = soak.fixture.app.peak_memory();
    let log: usize = soak.fixture.app.log().iter().map(String::len).sum();
    let attacks = soak.sent.load(Ordering::SeqCst);
    eprintln!(
        "{seconds} s, {round} rounds of {servers} follows beside {attacks} hostile requests: the slowest follow took {slowest:?}, \
         without them {quiet:?}; {} MiB of memory, {} KiB of log",
        memory / 1024 / 1024,
        log / 1024
    );
    assert!(round > 0 && attacks > 0);
    assert!(memory < MAX_MEMORY, "{memory} bytes of memory");
    let per_second = log / usize::try_from(seconds).expect("a number");
    assert!(per_second < 20_000, "{per_second} bytes of log a second");
    dead.resume();
    for server in &honest {
        server.allow_forwards();
    }
}

impl Soak {
    /// Lets a new account of each honest server follow, and waits for all of the Accepts; returns the longest time.
    async fn follow_all(&self, honest: &[Remote], round: usize, times: usize) -> Duration {
        let mut slowest = Duration::ZERO;
        for time in 0..times {
            let follows = honest.iter().map(|server| async move {
                let started = Instant::now();
                let user = server.user(&format!("reader{round}x{time}"));
                let follow = user.follow(self.fixture.actor());
                let accepted = within(LONG_WAIT_TIMEOUT, || async {
                    let response = user.send(self.fixture.inbox(), &follow).await;
                    response.is_success().then_some(())
                });
                accepted.await.expect("the Follow to be accepted");
                server.await_retry("an Accept", |activity| activity["object"]["id"] == follow["id"]).await;
                started.elapsed()
            });
            slowest = slowest.max(join_all(follows).await.into_iter().max().unwrap_or_default());
        }
        slowest
    }

    async fn read_page(&self) {
        let path = self.article["url"].as_str().expect("a page");
        let response = self.fixture.network.client.get(path, crate::support::http::HTML).await;
        assert_eq!(response.status, 200);
    }

    fn signer(&self, name: &str) -> FastSigner {
        FastSigner::stranger(&self.fixture.remote, &self.fixture.app, &self.client, name)
    }
}

/// The kinds of attacks.
const ATTACKS: usize = 8;

async fn attack(soak: Arc<Soak>, dead: Arc<Remote>, kind: usize) {
    let signers: Vec<FastSigner> =
        (0..4).map(|number| soak.signer(&format!("attacker{kind}x{number}"))).collect();
    let junk = "\u{1b}[31mjunk ".repeat(80_000);
    soak.fixture.remote.serve("/junk", Document::new("application/activity+json", junk));
    let mut tick = interval(Duration::from_millis(5));
    let mut number = 0;
    while !soak.is_over.load(Ordering::SeqCst) {
        tick.tick().await;
        number += 1;
        let signer = &signers[number % signers.len()];
        let activity = hostile_activity(&soak, &dead, signer, kind, number);
        let posted = match kind {
            // Forged names, and keys whose documents are junk.
            0 => {
                let key_id = format!("https://dead.test/users/victim{number}#main-key");
                signer.post_as(&key_id, activity.to_string(), None).await
            }
            1 => {
                let key_id = soak.fixture.remote.url("/junk#main-key");
                signer.post_as(&key_id, activity.to_string(), None).await
            }
            _ => signer.post(activity.to_string()).await,
        };
        // A connection may be closed at any time.
        if posted.is_ok() {
            soak.sent.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn hostile_activity(soak: &Soak, dead: &Remote, signer: &FastSigner, kind: usize, number: usize) -> Value {
    let article = id_of(&soak.article);
    let mut activity = signer.activity(number, article, kind >= 3);
    match kind {
        2 => {
            activity["type"] = json!("View");
            activity["padding"] = json!("x".repeat(900_000));
        }
        3 => {
            let parent = format!("/users/bob/statuses/{}", number % 200);
            dead.pause(&parent);
            activity["object"]["inReplyTo"] = json!(dead.url(&parent));
        }
        4 => {
            let shape = format!("{}{}{}", "<b>".repeat(37), "<p>x".repeat(49), "</b>".repeat(37));
            activity["object"]["content"] = json!(shape.repeat(60));
        }
        5 => activity["signature"] = json!({"type": "RsaSignature2017", "signatureValue": "bm9uZQ=="}),
        6 => activity["object"]["published"] = json!("2020-01-01T00:00:00Z"),
        7 => {
            let actor = activity["actor"].clone();
            let object =
                json!({"id": actor, "type": "Person", "webfinger": format!("bob{number}@dead.test")});
            activity = json!({
                "@context": activity["@context"], "id": activity["id"], "type": "Update", "actor": actor,
                "to": [PUBLIC], "object": object,
            });
        }
        _ => {}
    }
    activity
}

/// Opens connections that send half a head, or nothing.
async fn hold_connections(soak: Arc<Soak>) {
    let mut held = Vec::new();
    let mut tick = interval(Duration::from_millis(20));
    while !soak.is_over.load(Ordering::SeqCst) {
        tick.tick().await;
        if held.len() > 400 {
            held.remove(0);
        }
        if let Ok(mut connection) = tokio::net::TcpStream::connect(soak.fixture.app.backend()).await {
            // It may be closed already.
            let _ = connection.write_all(b"GET / HTTP/1.1\r\nHost: ").await;
            held.push(connection);
        }
    }
}
