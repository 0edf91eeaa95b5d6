//! No activity causes an internal error, whatever it contains: thousands of random activities with valid
//! signatures are sent to the inbox. `MARQUEE_TEST_SHAPES` sets their number, `MARQUEE_TEST_SEED` the seed.

mod generator;

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::config_file::url;
use crate::support::http::{AS2, HTML};
use crate::support::rng::{Rng, seed};
use crate::support::signer::FastSigner;
use crate::support::{Database, Fixture};

both_databases!(no_activity_causes_an_internal_error);

/// The default number of activities.
const DEFAULT_COUNT: usize = 3_000;
/// The users who send them.
const USERS: usize = 20;
/// Activities between two waits for the queue.
const BATCH: usize = 1_000;
/// Concurrent requests.
const CONCURRENCY: usize = 16;

async fn no_activity_causes_an_internal_error(database: Database) {
    let count =
        std::env::var("MARQUEE_TEST_SHAPES").map_or(DEFAULT_COUNT, |text| text.parse().expect("a number"));
    let seed = seed();
    let closed_port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let fixture = Fixture::with(database, |_, settings| settings.resolve("other.test", closed_port)).await;
    let article = fixture.publish("The Night Ferry").await;
    let users: Vec<_> = (0..USERS).map(|number| fixture.remote.user(&format!("sender{number}"))).collect();
    let signers: Vec<FastSigner> = users.iter().map(|user| FastSigner::new(user, &fixture.app)).collect();
    // A post that can be fetched, and a reply to it.
    let first = users[0].reply(id_of(&article), "<p>The first word</p>");
    let second = users[1].reply(id_of(&first), "<p>The second word</p>");
    let known = [fixture.actor(), id_of(&article), id_of(&first), id_of(&second)].map(str::to_owned);
    let mut generator = generator::ActivityGenerator::new(seed, &known);
    let mut rng = Rng::new(seed);
    let statuses = Mutex::new(BTreeMap::<u16, usize>::new());
    let mut sent = 0;
    while sent < count {
        let batch = (count - sent).min(BATCH);
        let activities = (0..batch).map(|_| {
            let user = rng.below(USERS);
            (user, generator.next(&users[user].id()))
        });
        stream::iter(activities)
            .for_each_concurrent(CONCURRENCY, |(user, body)| {
                let (signer, statuses) = (&signers[user], &statuses);
                async move {
                    let status =
                        signer.post(body.clone()).await.unwrap_or_else(|e| panic!("{e:?} to {body}"));
                    assert!(
                        (200..300).contains(&status) || (400..500).contains(&status),
                        "{status} to {body}"
                    );
                    *statuses.lock().expect("the statuses").entry(status).or_default() += 1;
                }
            })
            .await;
        sent += batch;
        fixture.settle().await;
    }
    let statuses = statuses.into_inner().expect("the statuses");
    eprintln!("{count} activities: {statuses:?}");
    let accepted = statuses.get(&202).copied().unwrap_or(0);
    assert!(accepted * 10 > count * 3, "too many invalid activities: {statuses:?}");
    assert_healthy(&fixture, &article).await;
}

/// Checks that nothing has panicked, no job has failed, and all pages are still served.
async fn assert_healthy(fixture: &Fixture, article: &serde_json::Value) {
    let failures = ["panicked", "a job failed", "ERROR", "could not be claimed"];
    let log = fixture.app.log();
    let errors: Vec<&String> =
        log.iter().filter(|line| failures.iter().any(|failure| line.contains(failure))).collect();
    assert!(errors.is_empty(), "{} errors, the first: {:?}", errors.len(), errors.first());
    let page = article["url"].as_str().expect("a page");
    for (address, accept) in [
        (page, HTML),
        (&url("/"), HTML),
        (&url("/@critic"), HTML),
        (fixture.actor(), AS2),
        (id_of(article), AS2),
        (id_of(&fixture.critic["followers"]), AS2),
        (id_of(&fixture.critic["outbox"]), AS2),
        (id_of(&article["replies"]), AS2),
        (id_of(&article["likes"]), AS2),
    ] {
        let response = fixture.network.client.get(address, accept).await;
        assert_eq!(response.status, 200, "{address}: {}", response.body);
    }
}
