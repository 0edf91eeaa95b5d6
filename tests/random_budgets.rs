//! Whatever the actors of one domain send, in whatever order: what is kept, shown, forwarded and requested for it stays under
//! its budgets. `MARQUEE_TEST_SEED` sets the seed, `MARQUEE_TEST_SHAPES` the number of activities.

use std::time::Instant;

use serde_json::{Value, json};

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::own_database::Sql;
use crate::support::remote::{Document, Remote, User};
use crate::support::rng::{Rng, seed};
use crate::support::{Database, Fixture, TestNetwork};

both_databases!(whatever_a_domain_sends_it_stays_under_its_budgets);

/// The default number of activities.
const DEFAULT_COUNT: usize = 240;
/// Activities between two checks.
const BATCH: usize = 60;
/// Their senders.
const USERS: usize = 4;

const KEPT_BYTES: i64 = 600_000;
const FORWARDS_PER_ACTOR: usize = 6;
const FORWARDS_PER_DOMAIN: usize = 10;
const REQUESTS_PER_DOMAIN: usize = 40;

async fn whatever_a_domain_sends_it_stays_under_its_budgets(database: Database) {
    let count =
        std::env::var("MARQUEE_TEST_SHAPES").map_or(DEFAULT_COUNT, |text| text.parse().expect("a number"));
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let (third, honest) = (network.remote("third.test").await, network.remote("honest.test").await);
    // The domain of the fixture's users, which is another one, must not run out of its own budget.
    let flood = network.remote("flood.test").await;
    let fixture = Fixture::in_network(network, remote, database, |_, settings| {
        let settings = settings.set("budgets", "kept_bytes_per_domain", &KEPT_BYTES.to_string());
        let settings = settings.set("budgets", "forwards_per_actor", &FORWARDS_PER_ACTOR.to_string());
        let settings = settings.set("budgets", "forwards_per_domain", &FORWARDS_PER_DOMAIN.to_string());
        settings.set("budgets", "requests_per_domain", &REQUESTS_PER_DOMAIN.to_string())
    })
    .await;
    fixture.follow_from(&honest, &honest.user("carol")).await;
    third.serve("/users/bob/statuses/busy", Document::status(503));
    third.serve("/users/bob/statuses/secret", Document::status(401));
    let article = fixture.publish("The Night Ferry").await;
    let users: Vec<User> = (0..USERS).map(|number| flood.user(&format!("sender{number}"))).collect();
    let mut rng = Rng::new(seed());
    let mut posts: Vec<(usize, Value)> = Vec::new();
    let started = Instant::now();
    let mut sent = 0;
    while sent < count {
        for _ in 0..BATCH {
            let sender = rng.below(USERS);
            let activity = random_activity(&mut rng, &users, sender, &article, &third, &mut posts);
            let response = users[sender].send(fixture.inbox(), &activity).await;
            assert!(
                matches!(response.status, 202 | 429),
                "{}: {} to {activity}",
                response.status,
                response.body
            );
        }
        sent += BATCH;
        assert_under_budget(&fixture, &third, &honest, started).await;
    }
    // The others are not affected.
    fixture.comment(&honest.user("dora"), &article, "From another house").await;
    assert_under_budget(&fixture, &third, &honest, started).await;
}

fn random_activity(
    rng: &mut Rng,
    users: &[User],
    sender: usize,
    article: &Value,
    third: &Remote,
    posts: &mut Vec<(usize, Value)>,
) -> Value {
    let user = &users[sender];
    let own = posts.iter().filter(|(author, _)| *author == sender).map(|(_, post)| post).next_back().cloned();
    let mut activity = match (rng.below(9), own) {
        (0..=2, _) | (3 | 4, None) => {
            let words = "and so on ".repeat(1 + rng.below(2000));
            let parent = posts.last().filter(|_| rng.in_percent(30)).map_or(article, |(_, post)| post);
            let post = user.reply(id_of(parent), &format!("<p>{words}</p>"));
            posts.push((sender, post.clone()));
            user.create(&post)
        }
        (3, Some(post)) => {
            user.edit(&post, "<p>Other words</p>", i64::try_from(posts.len()).expect("a number"))
        }
        (4, Some(post)) => user.delete(&post),
        (5, _) => {
            let post = *rng.pick(&["busy", "secret", "none", "other"]);
            let reply = user.reply(&third.url(&format!("/users/bob/statuses/{post}")), "<p>Hello?</p>");
            user.create(&reply)
        }
        (6, _) => {
            let mut actor = user.actor();
            actor["webfinger"] = json!(format!("bob{}@{}", rng.below(100), third.host()));
            user.serve_actor(&actor);
            user.activity("Update", &actor)
        }
        (7, _) => user.activity(rng.pick::<&str>(&["View", "Listen", "Add"]), &json!(id_of(article))),
        _ => user.like(id_of(article)),
    };
    if rng.in_percent(60) {
        activity["signature"] =
            json!({"type": "RsaSignature2017", "creator": user.key_id(), "signatureValue": "bm9uZQ=="});
    }
    if rng.in_percent(20) {
        activity["padding"] = json!("x".repeat(rng.below(60_000)));
    }
    activity
}

async fn assert_under_budget(fixture: &Fixture, third: &Remote, honest: &Remote, started: Instant) {
    fixture.settle().await;
    let mut sql = Sql::connect(&fixture.app.database_url()).await;
    let kept = "select cast(coalesce(sum(length(body)), 0) as text) from inbox_activities where domain = 'flood.test'";
    let kept: i64 = sql.texts(kept).await[0].parse().expect("a number");
    assert!(kept <= KEPT_BYTES, "{kept} bytes are kept");
    let forwarded: Vec<Value> = honest.received().into_iter().map(|received| received.activity).collect();
    let mut senders: Vec<String> = forwarded
        .iter()
        .filter(|activity| activity["signature"].is_object())
        .map(|activity| activity["actor"].to_string())
        .collect();
    senders.sort();
    assert!(senders.len() <= FORWARDS_PER_DOMAIN, "{} activities were forwarded", senders.len());
    for same in senders.chunk_by(|one, other| one == other) {
        assert!(same.len() <= FORWARDS_PER_ACTOR, "{} of {} were forwarded", same.len(), same[0]);
    }
    // One is restored every 15 seconds.
    let restored = usize::try_from(started.elapsed().as_secs()).expect("a number") / 15 + 1;
    honest.allow_forwards();
    assert!(third.requests() <= REQUESTS_PER_DOMAIN + restored, "{} requests", third.requests());
}
