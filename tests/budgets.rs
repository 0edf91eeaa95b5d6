//! What one stranger sends, makes Marquee keep and makes it pass on stays within a budget, and delays no one else.

use serde_json::{Value, json};

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::own_database::Sql;
use crate::support::remote::{Remote, User};
use crate::support::settings::Settings;
use crate::support::signature::SignatureScheme;
use crate::support::{Database, Fixture, TestNetwork, eventually};

both_databases!(
    h11_replies_that_wait_for_a_dead_server_delay_no_one_else,
    h11_other_work_that_waits_for_a_dead_server_delays_no_one_else,
    h12_what_has_no_effect_is_not_kept,
    h12_bytes_that_are_kept_are_bounded_for_each_domain,
    h12_bytes_that_are_kept_are_bounded_in_all,
    h13_what_is_forwarded_is_bounded_for_each_actor_and_domain,
    h13_nothing_is_forwarded_from_actors_whose_comments_are_unwanted,
    what_a_server_uses_is_shown,
);

/// Two servers beside the fixture's: one that never responds to requests for its posts and accounts, and an honest one.
async fn fixture_with(
    database: Database,
    change: impl for<'w> FnOnce(Settings<'w>) -> Settings<'w>,
) -> (Fixture, Remote, Remote) {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let (other, honest) = (network.remote("other.test").await, network.remote("honest.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| change(settings)).await;
    (fixture, other, honest)
}

async fn number(fixture: &Fixture, query: &str) -> i64 {
    let mut sql = Sql::connect(&fixture.app.database_url()).await;
    let found = sql.texts(&format!("select cast(({query}) as text)")).await;
    found[0].parse().unwrap_or_else(|_| panic!("{found:?} is no number"))
}

/// The bytes of all bodies that are stored.
async fn kept_bytes(fixture: &Fixture) -> i64 {
    number(fixture, "select coalesce(sum(length(body)), 0) from inbox_activities").await
}

async fn waiting(fixture: &Fixture) -> i64 {
    number(fixture, "select count(*) from inbox_activities where state = 'queued'").await
}

/// Lets an honest account follow while an attack goes on, and checks that it still does.
async fn assert_follow_takes_effect(fixture: &Fixture, honest: &Remote, is_on: impl AsyncFn() -> bool) {
    let carol = honest.user("carol");
    let follow = carol.follow(fixture.actor());
    carol.deliver(fixture.inbox(), &follow).await;
    honest.await_activity("an Accept", |activity| activity["object"]["id"] == follow["id"]).await;
    assert!(is_on().await, "the attack was over before the follow took effect");
}

async fn h11_replies_that_wait_for_a_dead_server_delay_no_one_else(database: Database) {
    let (fixture, dead, honest) = fixture_with(database, |settings| settings).await;
    let senders: Vec<User> = (0..8).map(|number| fixture.remote.user(&format!("sender{number}"))).collect();
    for number in 0..160 {
        dead.pause(&format!("/users/bob/statuses/{number}"));
    }
    for number in 0..160 {
        let sender = &senders[number % senders.len()];
        let reply =
            sender.reply(&dead.url(&format!("/users/bob/statuses/{number}")), "<p>And another thing</p>");
        sender.deliver(fixture.inbox(), &sender.create(&reply)).await;
    }
    dead.await_request("/users/bob/statuses/0").await;
    assert_follow_takes_effect(&fixture, &honest, async || waiting(&fixture).await > 0).await;
    // What needs no other server does not wait at all: the sender is known, and so is its parent.
    let article = fixture.publish("The Night Ferry").await;
    fixture.comment(&honest.user("carol"), &article, "A word in between").await;
    assert!(waiting(&fixture).await > 0, "the attack was over before");
    dead.resume();
}

async fn h11_other_work_that_waits_for_a_dead_server_delays_no_one_else(database: Database) {
    let (fixture, dead, honest) = fixture_with(database, |settings| settings).await;
    fixture.follow(&fixture.alice).await;
    dead.pause("/users/bob");
    let path = format!("/.well-known/webfinger?resource=acct%3Abob%40{}", dead.host());
    dead.pause(&path);
    for number in 0..40 {
        // A Move to a dead account, an Update whose handle is on a dead server, and a reply by an actor whose handle is.
        let alice = &fixture.alice;
        let mut moving = alice.activity("Move", &json!(alice.id()));
        moving["target"] = json!(dead.url("/users/bob"));
        alice.deliver(fixture.inbox(), &moving).await;
        let mut actor = alice.actor();
        actor["webfinger"] = json!(format!("bob@{}", dead.host()));
        alice.serve_actor(&actor);
        alice.deliver(fixture.inbox(), &alice.activity("Update", &actor)).await;
        let stranger = fixture.remote.user(&format!("stranger{number}"));
        let mut actor = stranger.actor();
        actor["webfinger"] = json!(format!("bob@{}", dead.host()));
        stranger.serve_actor(&actor);
        stranger.deliver(fixture.inbox(), &stranger.follow(fixture.actor())).await;
    }
    eventually("requests that wait", || async { (dead.requests() > 0).then_some(()) }).await;
    assert_follow_takes_effect(&fixture, &honest, async || waiting(&fixture).await > 0).await;
    dead.resume();
}

/// Adds so many bytes to an activity.
fn padded(mut activity: Value, bytes: usize) -> Value {
    activity["padding"] = json!("x".repeat(bytes));
    activity
}

async fn h12_what_has_no_effect_is_not_kept(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let alice = &fixture.alice;
    let object = json!(id_of(&article));
    for kind in ["View", "Dislike", "Listen", "Add", "Accept", "https://example.com/ns#Wink"] {
        alice.deliver(fixture.inbox(), &padded(alice.activity(kind, &object), 100_000)).await;
    }
    fixture.settle().await;
    let others =
        "select count(*) from inbox_activities where body like '%padding%' or note like 'unsupported%'";
    assert_eq!(number(&fixture, others).await, 0);
    // These are looked at, and dropped: a post that is no reply, one of somebody else, a boost of something else.
    let mut post = alice.reply(id_of(&article), "<p>Good evening</p>");
    post["inReplyTo"] = Value::Null;
    let elsewhere = fixture.remote.url("/users/bob/statuses/1");
    let dropped = [alice.create(&post), alice.announce(&elsewhere), alice.like(&elsewhere)];
    for activity in &dropped {
        alice.deliver(fixture.inbox(), &padded(activity.clone(), 100_000)).await;
    }
    fixture.settle().await;
    assert_eq!(
        number(&fixture, "select count(*) from inbox_activities where state = 'dropped' and body = ''").await,
        3
    );
    assert!(kept_bytes(&fixture).await < 10_000, "only the activities with which the test waited are kept");
    // What is forged is rejected even if it has no effect.
    let mut forged = alice.unsigned_request(
        SignatureScheme::Cavage,
        fixture.inbox(),
        &fixture.remote.user("victim").activity("View", &object),
    );
    forged.key_id = fixture.remote.user("victim").key_id();
    assert!(forged.sign().post(&fixture.network.client).await.is_unauthorized());
    // A block applies to it, too, even if the key is cached.
    fixture.app.command_output(&["block", "account", &alice.id()]).await;
    assert_eq!(alice.send(fixture.inbox(), &alice.activity("View", &object)).await.status, 403);
}

async fn h12_bytes_that_are_kept_are_bounded_for_each_domain(database: Database) {
    const LIMIT: usize = 400_000;
    let (fixture, other, _honest) =
        fixture_with(database, |settings| settings.set("budgets", "kept_bytes_per_domain", "400000")).await;
    let article = fixture.publish("The Night Ferry").await;
    let (alice, mallory) = (&fixture.alice, fixture.remote.user("mallory"));
    let mut refused = 0;
    for number in 0..12 {
        for user in [alice, &mallory] {
            let reply = user.reply(id_of(&article), &format!("<p>Take {number}</p>"));
            let activity = match number % 3 {
                0 => user.create(&reply),
                1 => user.like(id_of(&article)),
                _ => user.delete(&reply),
            };
            let response = user.send(fixture.inbox(), &padded(activity, 50_000)).await;
            if response.status == 429 {
                assert!(response.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
                refused += 1;
            } else {
                assert!(response.is_success(), "{}: {}", response.status, response.body);
            }
        }
    }
    assert!(refused >= 15, "{refused} of 24 were refused, and each has 50 KB");
    fixture.settle().await;
    assert!(usize::try_from(kept_bytes(&fixture).await).expect("a size") <= LIMIT);
    // It holds after a restart, and for this domain alone.
    let mut fixture = fixture;
    fixture.app.restart().await;
    let like = fixture.alice.like(id_of(&article));
    assert_eq!(fixture.alice.send(fixture.inbox(), &padded(like, 50_000)).await.status, 429);
    fixture.comment(&other.user("bob"), &article, "From another house").await;
}

async fn h12_bytes_that_are_kept_are_bounded_in_all(database: Database) {
    let (fixture, other, honest) =
        fixture_with(database, |settings| settings.set("budgets", "kept_bytes", "200000")).await;
    let article = fixture.publish("The Night Ferry").await;
    let mut statuses = Vec::new();
    for remote in [&fixture.remote, &other, &honest] {
        for name in ["dora", "emil"] {
            let user = remote.user(name);
            let like = padded(user.like(id_of(&article)), 50_000);
            statuses.push(user.send(fixture.inbox(), &like).await.status);
        }
    }
    assert_eq!(statuses, [202, 202, 202, 429, 429, 429]);
}

/// A reply with a linked-data signature that nobody can verify.
fn signed_reply(user: &User, article: &Value, text: &str) -> (Value, Value) {
    let reply = user.reply(id_of(article), &format!("<p>{text}</p>"));
    let mut create = user.create(&reply);
    create["signature"] = json!({
        "type": "RsaSignature2017", "creator": user.key_id(), "created": create["published"], "signatureValue": "bm9uZQ==",
    });
    (reply, create)
}

/// The ids of the activities that were forwarded to a server.
fn forwarded(remote: &Remote) -> Vec<Value> {
    remote
        .distinct_activities("Create")
        .into_iter()
        .filter(|activity| activity["signature"].is_object())
        .collect()
}

async fn h13_what_is_forwarded_is_bounded_for_each_actor_and_domain(database: Database) {
    let (fixture, other, honest) = fixture_with(database, |settings| {
        settings.set("budgets", "forwards_per_actor", "3").set("budgets", "forwards_per_domain", "5")
    })
    .await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.follow_from(&honest, &honest.user("carol")).await;
    for name in ["dora", "emil", "fay"] {
        let user = fixture.remote.user(name);
        for number in 0..5 {
            let (_, create) = signed_reply(&user, &article, &format!("{name} says {number}"));
            user.deliver(fixture.inbox(), &create).await;
        }
    }
    fixture.await_page(&article, "all comments", |page| page.comments.len() == 15).await;
    // Those of another domain are forwarded, and come after those that were forwarded before.
    let (_, create) = signed_reply(&other.user("bob"), &article, "From another house");
    other.user("bob").deliver(fixture.inbox(), &create).await;
    honest.await_activity("the forward", |activity| activity["id"] == create["id"]).await;
    let forwarded = forwarded(&honest);
    let of = |name: &str| {
        let id = fixture.remote.url(&format!("/users/{name}"));
        forwarded.iter().filter(|activity| activity["actor"] == id.as_str()).count()
    };
    assert_eq!([of("dora"), of("emil"), of("fay")], [3, 2, 0]);
    honest.allow_forwards();
}

async fn h13_nothing_is_forwarded_from_actors_whose_comments_are_unwanted(database: Database) {
    let (fixture, other, honest) = fixture_with(database, |settings| settings).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.follow_from(&honest, &honest.user("carol")).await;
    let alice = &fixture.alice;
    let first = fixture.comment(alice, &article, "A first word").await;
    fixture.app.command_output(&["comment", "hide", id_of(&first)]).await;
    let (_, create) = signed_reply(alice, &article, "A second word");
    alice.deliver(fixture.inbox(), &create).await;
    let (_, wanted) = signed_reply(&other.user("bob"), &article, "From another house");
    other.user("bob").deliver(fixture.inbox(), &wanted).await;
    honest.await_activity("the forward", |activity| activity["id"] == wanted["id"]).await;
    assert!(forwarded(&honest).iter().all(|activity| activity["id"] != create["id"]));
    honest.allow_forwards();
}

async fn what_a_server_uses_is_shown(database: Database) {
    let (fixture, other, _honest) = fixture_with(database, |settings| {
        settings.set("budgets", "forwards_per_domain", "2").set("budgets", "forwards_per_actor", "9")
    })
    .await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.follow(&fixture.alice).await;
    for number in 0..3 {
        let (_, create) = signed_reply(&fixture.alice, &article, &format!("Row {number}"));
        fixture.alice.deliver(fixture.inbox(), &create).await;
    }
    let shown = |args: &'static [&'static str]| async { fixture.app.command_output(args).await };
    eventually("the use of the domain", || async {
        let text = shown(&["host", "show", "social.remote.test"]).await;
        text.contains("remote.test: forwards_per_domain: 2 of 2 used, 1 refused").then_some(())
    })
    .await;
    let text = shown(&["host", "show", "remote.test"]).await;
    assert!(
        text.contains("remote.test: kept_bytes_per_domain: ") && text.contains("of 200000000 today"),
        "{text}"
    );
    assert!(text.contains("everyone: forwards_per_domain: 1 refused") && text.contains("counted "), "{text}");
    let actor = fixture.app.command_output(&["actor", "show", &fixture.alice.id()]).await;
    assert!(actor.contains("comments: 3 shown"), "{actor}");
    assert!(
        actor.contains(&format!("{}: forwards_per_actor: 3 of 9 used, 0 refused", fixture.alice.id())),
        "{actor}"
    );
    let little = fixture.app.command_output(&["host", "show", other.host()]).await;
    assert!(little.contains("other.test: little of all other budgets"), "{little}");
}
