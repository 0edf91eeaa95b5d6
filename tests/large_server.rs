//! A large, honest server meets no budget: thousands of its actors whom Marquee has never met like, boost and answer a
//! review within a minute, from four addresses, and accounts of which nothing is known are deleted.

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::{Value, json};

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::own_database::Sql;
use crate::support::remote::Document;
use crate::support::signer::FastSigner;
use crate::support::{Database, Fixture, LONG_WAIT_TIMEOUT, within};

both_databases!(nothing_of_a_large_server_is_refused_or_held);

/// Actors who were never met before.
const ACTORS: usize = 3_000;
/// Those who answer the review.
const REPLIES: usize = 500;
/// Deletes of accounts of which nothing is known: one in five activities.
const DELETES: usize = 900;
/// Requests at a time.
const CONCURRENCY: usize = 32;

async fn nothing_of_a_large_server_is_refused_or_held(database: Database) {
    let fixture = Fixture::with(database, |_, settings| {
        settings.set("server", "trusted_proxies", "[\"127.0.0.1/32\"]")
    })
    .await;
    let article = fixture.publish("The Night Ferry").await;
    let client = FastSigner::client();
    let strangers: Vec<FastSigner> = (0..ACTORS)
        .map(|number| {
            FastSigner::stranger(&fixture.remote, &fixture.app, &client, &format!("viewer{number}"))
        })
        .collect();
    let mut sent: Vec<(usize, Value)> = Vec::new();
    for (number, stranger) in strangers.iter().enumerate() {
        sent.push((number, stranger.activity(number, id_of(&article), number < REPLIES)));
        if number < REPLIES {
            sent.push((number, stranger.activity(1, id_of(&article), false)));
        }
    }
    let addresses = ["198.51.100.1", "198.51.100.2", "198.51.100.3", "2001:db8:1::1"];
    let deletes = stream::iter(0..DELETES).for_each_concurrent(CONCURRENCY / 4, |number| {
        let (strangers, fixture) = (&strangers, &fixture);
        async move {
            let path = format!("/users/gone{number}");
            fixture.remote.serve(&path, Document::status(410));
            let gone = fixture.remote.url(&path);
            let delete = json!({
                "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{gone}#delete"),
                "type": "Delete", "actor": gone, "object": gone,
            });
            let signer = &strangers[number];
            let key_id = format!("{gone}#main-key");
            let status = signer.post_as(&key_id, delete.to_string(), Some(addresses[number % 4])).await;
            assert_eq!(status.expect("a response"), 202);
        }
    });
    let others = stream::iter(sent).for_each_concurrent(CONCURRENCY, |(number, activity)| {
        let signer = &strangers[number];
        async move {
            let status = signer.post_from(activity.to_string(), addresses[number % 4]).await;
            assert_eq!(status.expect("a response"), 202, "{activity}");
        }
    });
    tokio::join!(deletes, others);
    let states = "select state || ' ' || cast(count(*) as text) from comments group by state";
    within(LONG_WAIT_TIMEOUT, || async {
        let mut sql = Sql::connect(&fixture.app.database_url()).await;
        (sql.texts(states).await == [format!("shown {REPLIES}")]).then_some(())
    })
    .await
    .expect("all comments to be shown");
    let shown = fixture.app.command_output(&["host", "show", fixture.remote.host()]).await;
    let refusals = shown.lines().filter(|line| line.contains("refused") && !line.contains(" 0 refused"));
    // Deletes that have nothing to delete are ignored.
    let refusals = refusals.filter(|line| !line.contains("unknown_deletes_per_address"));
    assert_eq!(refusals.collect::<Vec<_>>(), Vec::<&str>::new(), "{shown}");
}
