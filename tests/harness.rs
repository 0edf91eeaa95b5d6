//! Tests of the test harness: a scripted server accepts what a scripted user sends, over real TLS.

use std::collections::BTreeMap;

use figment::Figment;
use figment::providers::{Format as _, Toml};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use crate::support::postgres::Postgres;
use crate::support::remote::{Remote, ScriptedResponse, User};
use crate::support::signature::SignatureScheme;
use crate::support::{Database, TestNetwork};

/// Two servers, a user on one, and the inbox of a user on the other.
async fn two_servers() -> (TestNetwork, Remote, Remote, User, String) {
    let network = TestNetwork::new();
    let (here, there) = (network.remote("here.test").await, network.remote("there.test").await);
    let alice = here.user("alice");
    let actor = network.client.look_up(&there.user("bob").handle()).await;
    let inbox = actor["inbox"].as_str().expect("an inbox").to_owned();
    (network, here, there, alice, inbox)
}

#[tokio::test]
async fn a_signed_activity_is_verified_and_recorded() {
    let (_network, _here, there, alice, inbox) = two_servers().await;
    let follow = alice.follow("https://there.test/users/bob");
    alice.deliver(&inbox, &follow).await;
    let received = there.await_delivery("the Follow", |r| r.activity == follow).await;
    assert_eq!(received.signer.key_id, alice.key_id());
    assert_eq!(received.inbox, "/users/bob/inbox");
}

#[tokio::test]
async fn an_invalid_delivery_fails_the_test() {
    let (network, _here, there, alice, inbox) = two_servers().await;
    let request = alice.unsigned_request(
        SignatureScheme::Cavage,
        &inbox,
        &json!({"type": "Follow", "actor": alice.id()}),
    );
    let mut swapped = request.sign();
    swapped.body = b"{}".to_vec();
    let mut unsigned = request.clone();
    unsigned.covered.retain(|name| *name != "digest");
    let mut stale = request.clone();
    stale.date = crate::support::now() - jiff::SignedDuration::from_hours(1);
    let mut elsewhere = request.clone();
    "/users/mallory/inbox".clone_into(&mut elsewhere.target);
    for request in [swapped, unsigned.sign(), stale.sign(), elsewhere.sign()] {
        assert!(request.post(&network.client).await.is_unauthorized());
    }
    let violations = there.take_violations();
    assert_eq!(violations.len(), 4, "{violations:?}");
    assert!(there.received().is_empty());
}

#[tokio::test]
async fn a_script_sets_the_responses_to_the_next_deliveries() {
    let (_network, _here, there, alice, inbox) = two_servers().await;
    there.script([ScriptedResponse::Status(503)]);
    let follow = alice.follow("https://there.test/users/bob");
    assert_eq!(alice.send(&inbox, &follow).await.status, 503);
    there.await_rejections(1).await;
    alice.deliver(&inbox, &follow).await;
    assert_eq!(there.received().len(), 1);
}

#[tokio::test]
async fn a_remote_with_authorized_fetch_requires_signed_gets() {
    let (network, here, _there, alice, _inbox) = two_servers().await;
    here.require_signed_gets();
    let response = network.client.get(&alice.id(), crate::support::http::AS2).await;
    assert!(response.is_unauthorized());
    assert_eq!(here.take_violations().len(), 1);
}

#[tokio::test]
async fn the_config_file_is_valid_toml() {
    let network = TestNetwork::new();
    let _remote = network.remote("remote.test").await;
    let settings = network.marquee(Database::Sqlite).await;
    let settings = settings.feed("third-row", "https://remote.test/feed.xml", "max_publish_per_poll = 2");
    let read = Figment::from(Toml::string(&settings.toml()));
    let text = |key: &str| read.extract_inner::<String>(key).expect("a key");
    assert_eq!(text("server.origin"), "https://marquee.test");
    let names: BTreeMap<String, String> = read.extract_inner("federation.resolve").expect("a table");
    assert!(names["remote.test"].starts_with("127.0.0.1:"));
    let feeds: Vec<BTreeMap<String, figment::value::Value>> = read.extract_inner("feeds").expect("feeds");
    assert_eq!(feeds[0]["name"].as_str(), Some("third-row"));
}

#[tokio::test]
async fn each_test_has_its_own_database_which_is_dropped() {
    let (first, second) = (Postgres::create().await, Postgres::create().await);
    let url = first.url();
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    sqlx::raw_sql("create table films (name text)").execute(&mut connection).await.expect("a table");
    let mut other = PgConnection::connect(&second.url()).await.expect("a connection");
    let films = sqlx::raw_sql("select * from films").execute(&mut other).await;
    assert!(films.is_err(), "each test has its own database");
    drop(first);
    assert!(PgConnection::connect(&url).await.is_err(), "the database was dropped");
}
