//! Marquee is killed at random moments while it delivers reviews and receives activities. Every inbox gets every
//! delivery, and every accepted activity takes effect once. `MARQUEE_TEST_KILLS` sets the number of kills,
//! `MARQUEE_TEST_SEED` the seed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::both_databases;
use crate::end_to_end::total_items;
use crate::support::activities::id_of;
use crate::support::feed::markdown;
use crate::support::remote::{Remote, User};
use crate::support::rng::{Rng, seed};
use crate::support::settings::Settings;
use crate::support::signature::SignatureScheme;
use crate::support::signed_request::SignedRequest;
use crate::support::{Database, Fixture, LONG_WAIT_TIMEOUT, TestNetwork, within};

both_databases!(
    random_kills_lose_no_delivery_and_repeat_no_effect,
    kills_of_several_web_and_worker_processes_lose_nothing,
);

/// The default number of kills per database.
const KILLS: usize = 10;
/// Additional servers, each with a follower from the start.
const SERVERS: usize = 4;
/// Users per server who follow, like and comment in the meantime.
const ACTORS: usize = 4;
/// Reviews that the users react to.
const ARTICLES: usize = 3;
/// Activities between two kills.
const BATCH: usize = 10;
/// Concurrent activities.
const CONCURRENCY: usize = 8;

async fn random_kills_lose_no_delivery_and_repeat_no_effect(database: Database) {
    let kills = std::env::var("MARQUEE_TEST_KILLS").map_or(KILLS, |text| text.parse().expect("a number"));
    let mut rng = Rng::new(seed());
    let (fixture, others) = fixture_with_remotes(database, |settings| settings).await;
    let mut load = Load::new(fixture, others).await;
    for _ in 0..kills {
        load.send_batch(&mut rng);
        // The kill happens during the start in some cases, otherwise after a number of responses.
        let (count, timeout) = if rng.in_percent(30) {
            (usize::MAX, Duration::from_millis(rng.next() % 600))
        } else {
            (rng.below(BATCH), Duration::from_secs(5))
        };
        load.await_responses(count, timeout).await;
        load.fixture.app.kill9();
        load.fixture.app.launch();
    }
    load.finish().await;
}

/// One web process and two workers are killed in turn and not restarted; the remaining processes do all the
/// work.
async fn kills_of_several_web_and_worker_processes_lose_nothing(database: Database) {
    let mut rng = Rng::new(seed());
    let (fixture, others) = fixture_with_remotes(database, |settings| settings.role("web")).await;
    let worker = || fixture.app.spawn_command(&["serve", "--role", "worker"]);
    let mut workers = vec![worker(), worker(), worker()];
    let _web = fixture.app.start_second_web().await;
    let mut load = Load::new(fixture, others).await;
    for process in ["a worker", "the web process", "another worker"] {
        load.send_batch(&mut rng);
        assert!(load.await_responses(rng.below(BATCH), LONG_WAIT_TIMEOUT).await, "too few responses");
        match process {
            "the web process" => load.fixture.app.kill9(),
            _ => drop(workers.pop()),
        }
    }
    load.send_batch(&mut rng);
    load.finish().await;
}

/// A site, and remote servers.
async fn fixture_with_remotes(
    database: Database,
    change: impl for<'w> FnOnce(Settings<'w>) -> Settings<'w>,
) -> (Fixture, Vec<Remote>) {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let mut others = Vec::new();
    for number in 0..SERVERS {
        others.push(network.remote(&format!("other{number}.test")).await);
    }
    (Fixture::in_network(network, remote, database, |_, settings| change(settings)).await, others)
}

/// The activities that are sent and delivered, and the expected result.
struct Load {
    fixture: Fixture,
    others: Vec<Remote>,
    /// The reviews that the users react to.
    articles: Vec<Value>,
    /// The titles of the reviews that are delivered.
    titles: Vec<String>,
    /// Actors who follow, each with the Follow, by the index of their server.
    follows: Vec<(usize, Value)>,
    followers: BTreeSet<String>,
    likes: Vec<BTreeSet<String>>,
    comments: Vec<BTreeSet<String>>,
    in_flight: JoinSet<()>,
    responded: Arc<AtomicUsize>,
    /// The number of responses when the last batch was sent.
    before: usize,
    permits: Arc<Semaphore>,
}

impl Load {
    /// Creates the reviews, and a follower on each server.
    async fn new(fixture: Fixture, others: Vec<Remote>) -> Self {
        fixture.follow(&fixture.alice).await;
        let mut followers = BTreeSet::from([fixture.alice.id()]);
        for other in &others {
            let fan = other.user("fan");
            fan.deliver(fixture.inbox(), &fan.follow(fixture.actor())).await;
            other.await_activity("the Accept", |a| a["type"] == "Accept").await;
            followers.insert(fan.id());
        }
        let mut articles = Vec::new();
        for number in 0..ARTICLES {
            articles.push(fixture.publish(&format!("The Ferry of {number} o'Clock")).await);
        }
        Self {
            fixture,
            others,
            articles,
            titles: Vec::new(),
            follows: Vec::new(),
            followers,
            likes: vec![BTreeSet::new(); ARTICLES],
            comments: vec![BTreeSet::new(); ARTICLES],
            in_flight: JoinSet::new(),
            responded: Arc::default(),
            before: 0,
            permits: Arc::new(Semaphore::new(CONCURRENCY)),
        }
    }

    /// Publishes one more review, and sends a batch of activities.
    fn send_batch(&mut self, rng: &mut Rng) {
        self.before = self.responded.load(Ordering::SeqCst);
        let title = format!("Harbour number {} of the night", self.titles.len());
        let name = format!("review{}.md", self.titles.len());
        let file = self.fixture.app.write(&name, &markdown(&title, &title, "It sinks."));
        self.titles.push(title);
        let publishing = self.fixture.app.cli(&["publish", &file]);
        self.in_flight.spawn(async move {
            let output = publishing.await;
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        });
        for _ in 0..BATCH {
            let request = self.signed_request(rng);
            let (client, responded, permits) =
                (self.fixture.network.client.clone(), Arc::clone(&self.responded), Arc::clone(&self.permits));
            self.in_flight.spawn(async move {
                let _permit = permits.acquire_owned().await.expect("a permit");
                request.post_until_accepted(&client).await;
                responded.fetch_add(1, Ordering::SeqCst);
            });
        }
    }

    /// A random activity: a new follow, a new like or a comment.
    fn signed_request(&mut self, rng: &mut Rng) -> SignedRequest {
        let (server, article) = (rng.below(self.others.len()), rng.below(ARTICLES));
        let user = self.others[server].user(&format!("actor{}", rng.below(ACTORS)));
        let about = id_of(&self.articles[article]);
        let activity = if rng.in_percent(20) && self.followers.insert(user.id()) {
            let follow = user.follow(self.fixture.actor());
            self.follows.push((server, follow.clone()));
            follow
        } else if rng.in_percent(40) && self.likes[article].insert(user.id()) {
            user.like(about)
        } else {
            let text = format!("Word {} of many", self.comments.iter().map(BTreeSet::len).sum::<usize>());
            let note = user.reply(about, &format!("<p>{text}</p>"));
            self.comments[article].insert(text);
            user.create(&note)
        };
        self.sign(&user, rng, &activity)
    }

    fn sign(&self, user: &User, rng: &mut Rng, activity: &Value) -> SignedRequest {
        let inbox = if rng.in_percent(50) { self.fixture.inbox() } else { self.fixture.shared_inbox() };
        user.unsigned_request(*rng.pick(&SignatureScheme::BOTH), inbox, activity).sign()
    }

    /// Waits until a number of further responses has arrived, but no longer than `timeout`.
    async fn await_responses(&self, count: usize, timeout: Duration) -> bool {
        // The first request may get a response before the last one is sent.
        let expected = self.before.saturating_add(count);
        let has_enough = || async { (self.responded.load(Ordering::SeqCst) >= expected).then_some(()) };
        within(timeout, has_enough).await.is_some()
    }

    /// Waits for all responses. Then nothing may be missing, and nothing may exist twice.
    async fn finish(mut self) {
        while let Some(result) = self.in_flight.join_next().await {
            result.expect("a response");
        }
        for server in self.others.iter().chain([&self.fixture.remote]) {
            for title in &self.titles {
                let is_match = |a: &Value| {
                    a["type"] == "Create" && a["object"]["name"].as_str().is_some_and(|n| n.contains(title))
                };
                await_one(server, title, is_match).await;
            }
        }
        for (server, follow) in &self.follows {
            let is_match = |a: &Value| a["type"] == "Accept" && a["object"]["id"] == follow["id"];
            await_one(&self.others[*server], "the Accept", is_match).await;
        }
        let difference = async || self.difference().await;
        let is_complete =
            within(LONG_WAIT_TIMEOUT, || async { difference().await.is_empty().then_some(()) }).await;
        assert!(is_complete.is_some(), "{:#?}", self.difference().await);
        self.fixture.settle().await;
        assert_eq!(self.difference().await, BTreeSet::new(), "the state changed again");
    }

    /// The differences from the expected state.
    async fn difference(&self) -> BTreeSet<String> {
        let mut differences = BTreeSet::new();
        let listed = self.fixture.items(&self.fixture.critic["followers"]).await;
        let listed: Vec<_> = listed.into_iter().filter(|actor| !actor.contains("stranger")).collect();
        let followers: BTreeSet<String> = listed.iter().cloned().collect();
        if followers != self.followers || listed.len() != followers.len() {
            differences.insert(format!("{listed:?} follow, not {:?}", self.followers));
        }
        for (number, article) in self.articles.iter().enumerate() {
            let likes = total_items(&self.fixture, &self.fixture.article(article).await["likes"]).await;
            if usize::try_from(likes).ok() != Some(self.likes[number].len()) {
                differences.insert(format!("{likes} likes of {number}, not {}", self.likes[number].len()));
            }
            let page = self.fixture.page(article).await;
            for text in &self.comments[number] {
                let shown = page.comments.iter().filter(|c| c.text.contains(text.as_str())).count();
                if shown != 1 {
                    differences.insert(format!("{text:?} is shown {shown} times under {number}"));
                }
            }
            if page.comments.len() != self.comments[number].len() {
                differences.insert(format!("{} comments under {number}", page.comments.len()));
            }
        }
        differences
    }
}

/// Waits until a server has the activity. It may arrive more than once with the same id.
async fn await_one(server: &Remote, what: &str, is_match: impl Fn(&Value) -> bool) {
    let ids = || -> BTreeSet<String> {
        let received = server.received().into_iter().filter(|received| is_match(&received.activity));
        received.map(|received| received.activity["id"].to_string()).collect()
    };
    let arrived = within(LONG_WAIT_TIMEOUT, || async { (!ids().is_empty()).then_some(()) }).await;
    assert!(arrived.is_some(), "{}: timed out waiting for {what}", server.host());
    assert_eq!(ids().len(), 1, "{}: {what} has one id", server.host());
}
