//! Delivery of a review to servers that respond and to servers that do not.

use serde_json::{Value, json};

use crate::both_databases;
use crate::support::db_control::DbControl;
use crate::support::feed::markdown;
use crate::support::remote::{Remote, ScriptedResponse};
use crate::support::{Database, Fixture, TestNetwork, eventually};

both_databases!(
    a_failing_server_costs_one_attempt_for_all_its_inboxes,
    a_server_that_is_back_gets_its_pending_deliveries_in_order,
    an_error_of_one_inbox_does_not_affect_others_on_its_server,
    an_activity_that_waits_for_an_older_one_causes_no_work,
    a_delivery_counts_as_delivered_even_if_its_signature_scheme_cannot_be_stored,
    a_delivery_to_an_inbox_that_is_gone_ends_even_if_its_followers_cannot_be_removed,
    a_delivery_whose_result_is_rejected_by_the_database_is_abandoned,
    a_host_is_held_back_if_no_result_about_it_can_be_stored,
    the_delivery_status_of_a_review_can_be_shown,
    followers_are_counted_at_the_inbox_that_reaches_them,
    j6_an_inbox_that_is_gone_is_not_retried_and_its_followers_are_removed,
    j9_a_hundred_tarpits_do_not_delay_a_healthy_server,
);

async fn fixture_with_second_remote(database: Database, host: &str) -> (Fixture, Remote) {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let other = network.remote(host).await;
    (Fixture::in_network(network, remote, database, |_, settings| settings).await, other)
}

async fn follow_from(fixture: &Fixture, other: &Remote, name: &str) {
    let user = other.user(name);
    let follow = user.follow(fixture.actor());
    user.deliver(fixture.inbox(), &follow).await;
    other.await_activity("the Accept", |a| a["type"] == "Accept" && a["object"]["id"] == follow["id"]).await;
}

fn create_of(article: &Value) -> impl Fn(&Value) -> bool {
    let id = article["id"].clone();
    move |activity| activity["type"] == "Create" && activity["object"]["id"] == id
}

async fn status(fixture: &Fixture, article: &Value) -> String {
    let page = article["url"].as_str().or_else(|| article["url"][0]["href"].as_str()).expect("a page");
    fixture.app.command_output(&["delivery", "status", page]).await
}

/// Waits until the delivery status contains a text.
async fn await_status(fixture: &Fixture, article: &Value, expected: &str) -> String {
    eventually(expected, || async {
        Some(status(fixture, article).await).filter(|text| text.contains(expected))
    })
    .await
}

async fn a_failing_server_costs_one_attempt_for_all_its_inboxes(database: Database) {
    let (fixture, away) = fixture_with_second_remote(database, "away.test").await;
    fixture.follow(&fixture.alice).await;
    follow_from(&fixture, &away, "bo").await;
    follow_from(&fixture, &away, "cy").await;
    away.script(std::iter::repeat_n(ScriptedResponse::Status(503), 20));
    let first = fixture.publish("The Night Ferry").await;
    away.await_rejections(1).await;
    let printed = await_status(&fixture, &first, "retry at").await;
    assert!(
        printed.contains("1 delivered, 1 queued, 0 failed") && printed.contains("responded with 503"),
        "{printed}"
    );
    let second = fixture.publish("The Day Ferry").await;
    fixture.remote.await_activity("the second Create", create_of(&second)).await;
    await_status(&fixture, &second, "1 delivered, 1 queued, 0 failed").await;
    fixture.settle().await;
    assert_eq!(away.rejected().len(), 1, "no further attempt was made");
    let hosts = fixture.app.command_output(&["host", "list"]).await;
    assert!(hosts.contains("away.test  1 failure since") && hosts.contains("responded with 503"), "{hosts}");
    assert!(!hosts.contains("remote.test"), "{hosts}");
}

async fn a_server_that_is_back_gets_its_pending_deliveries_in_order(database: Database) {
    let (fixture, away) = fixture_with_second_remote(database, "away.test").await;
    follow_from(&fixture, &away, "bo").await;
    away.script([ScriptedResponse::Status(502)]);
    let first = fixture.publish("The Night Ferry").await;
    away.await_rejections(1).await;
    await_status(&fixture, &first, "retry at").await;
    let second = fixture.publish("The Day Ferry").await;
    await_status(&fixture, &second, "0 delivered, 1 queued").await;
    // A server that sends something is up again.
    let bo = away.user("bo");
    bo.deliver(fixture.inbox(), &bo.like(first["id"].as_str().expect("an id"))).await;
    away.await_activity("the second Create", create_of(&second)).await;
    let creates: Vec<Value> = away.received().into_iter().map(|received| received.activity).collect();
    let position = |article: &Value| creates.iter().position(create_of(article)).expect("a received Create");
    assert!(position(&first) < position(&second), "the older one arrived first");
    await_status(&fixture, &second, "1 delivered, 0 queued, 0 failed").await;
    assert!(fixture.app.command_output(&["host", "list"]).await.contains("all servers are responding"));
}

async fn an_error_of_one_inbox_does_not_affect_others_on_its_server(database: Database) {
    let (fixture, other) = fixture_with_second_remote(database, "other.test").await;
    follow_from(&fixture, &other, "bo").await;
    other.script([ScriptedResponse::Status(500)]);
    let first = fixture.publish("The Night Ferry").await;
    other.await_rejections(1).await;
    await_status(&fixture, &first, "responded with 500").await;
    let second = fixture.publish("The Day Ferry").await;
    other.await_activity("the second Create", create_of(&second)).await;
    assert!(fixture.app.command_output(&["host", "list"]).await.contains("all servers are responding"));
}

/// The Update of a review whose Create was rejected waits for that Create, and causes no work until then.
async fn an_activity_that_waits_for_an_older_one_causes_no_work(database: Database) {
    let (fixture, other) = fixture_with_second_remote(database, "other.test").await;
    fixture.follow(&fixture.alice).await;
    follow_from(&fixture, &other, "bo").await;
    other.script([ScriptedResponse::Status(500)]);
    let article = fixture.publish("The Night Ferry").await;
    other.await_rejections(1).await;
    await_status(&fixture, &article, "responded with 500").await;
    let file =
        fixture.app.write("revised.md", &markdown("The Night Ferry", "The Night Ferry", "It came late."));
    let page = article["url"].as_str().or_else(|| article["url"][0]["href"].as_str()).expect("a page");
    fixture.app.command_output(&["revise", page, &file]).await;
    fixture.remote.await_activity("the Update", |a| a["type"] == "Update").await;
    for _ in 0..3 {
        fixture.settle().await;
    }
    let is_batch = |line: &&String| line.contains("host=other.test") && line.contains("sending batch");
    let count = || fixture.app.log().iter().filter(is_batch).count();
    eventually("the second batch", || async { (count() >= 2).then_some(()) }).await;
    let (batches, log) = (count(), fixture.app.log());
    assert!((2..=6).contains(&batches), "{batches} batches:\n{}", log.join("\n"));
    assert!(
        !other.received().iter().any(|received| received.activity["type"] == "Update"),
        "the Update is not sent before the Create"
    );
}

async fn the_delivery_status_of_a_review_can_be_shown(database: Database) {
    let (fixture, other) = fixture_with_second_remote(database, "other.test").await;
    fixture.follow(&fixture.alice).await;
    follow_from(&fixture, &other, "bo").await;
    let article = fixture.publish("The Night Ferry").await;
    let page = article["url"].as_str().or_else(|| article["url"][0]["href"].as_str()).expect("a page");
    let printed = fixture.app.command_output(&["delivery", "status", page, "--wait"]).await;
    assert!(
        printed.starts_with("Create at ") && printed.contains("2 delivered, 0 queued, 0 failed"),
        "{printed}"
    );
    fixture.app.command_output(&["retract", page]).await;
    let printed = await_status(&fixture, &article, "Delete at ").await;
    assert!(printed.contains("Create at ") && printed.contains("2 delivered"), "{printed}");
    let unknown = fixture.app.cli(&["delivery", "status", "no-such-review"]).await;
    assert!(!unknown.status.success() && !unknown.stderr.is_empty());
}

async fn followers_are_counted_at_the_inbox_that_reaches_them(database: Database) {
    let (fixture, other) = fixture_with_second_remote(database, "other.test").await;
    let total_items = async || {
        let followers = fixture.critic["followers"].as_str().expect("a collection");
        fixture.network.client.document(followers).await["totalItems"].clone()
    };
    assert_eq!(total_items().await, json!(0));
    let bo = other.user("bo");
    for attempt in 0..2 {
        follow_from(&fixture, &other, "bo").await;
        follow_from(&fixture, &other, "cy").await;
        fixture.follow(&fixture.alice).await;
        assert_eq!(total_items().await, json!(3), "attempt {attempt}");
        let follow = bo.follow(fixture.actor());
        bo.deliver(fixture.inbox(), &bo.undo(&follow)).await;
        eventually("one follower less", || async { (total_items().await == json!(2)).then_some(()) }).await;
    }
    fixture.app.command_output(&["block", "domain", "other.test"]).await;
    assert_eq!(total_items().await, json!(1));
    let article = fixture.publish("The Night Ferry").await;
    let printed = await_status(&fixture, &article, "1 delivered, 0 queued").await;
    assert!(!printed.contains("other.test"), "{printed}");
}

/// Follows as a user whose server has no shared inbox.
async fn follow_with_own_inbox(fixture: &Fixture, other: &Remote, name: &str) {
    let user = other.user(name);
    let mut actor = user.actor();
    actor["endpoints"] = Value::Null;
    user.serve_actor(&actor);
    follow_from(fixture, other, name).await;
}

async fn j6_an_inbox_that_is_gone_is_not_retried_and_its_followers_are_removed(database: Database) {
    let (fixture, other) = fixture_with_second_remote(database, "other.test").await;
    fixture.follow(&fixture.alice).await;
    // Bo has only a personal inbox; the others are reached through the shared inbox.
    follow_with_own_inbox(&fixture, &other, "bo").await;
    follow_from(&fixture, &other, "cy").await;
    let followers = async || {
        let listed = fixture.items(&fixture.critic["followers"]).await;
        let total_items = crate::end_to_end::total_items(&fixture, &fixture.critic["followers"]).await;
        assert_eq!(usize::try_from(total_items).ok(), Some(listed.len()), "{listed:?}");
        listed.iter().map(|id| id.rsplit('/').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    other.script([ScriptedResponse::Status(410), ScriptedResponse::Status(410)]);
    let first = fixture.publish("The Night Ferry").await;
    let printed = await_status(&fixture, &first, "1 delivered, 0 queued, 2 failed").await;
    assert!(printed.contains("other.test") && printed.contains("responded with 410"), "{printed}");
    assert_eq!(followers().await, ["cy", "alice"]);
    // Bo gets no deliveries any more, and the shared inbox is tried again for the next follower.
    let second = fixture.publish("The Day Ferry").await;
    await_status(&fixture, &second, "2 delivered, 0 queued, 0 failed").await;
    // A follower can follow again. A 404 does not end a follow, since it may be a mistake.
    follow_from(&fixture, &other, "bo").await;
    assert_eq!(followers().await, ["bo", "cy", "alice"]);
    other.script([ScriptedResponse::Status(404), ScriptedResponse::Status(404)]);
    let third = fixture.publish("The Last Ferry").await;
    await_status(&fixture, &third, "1 delivered, 0 queued, 2 failed").await;
    assert_eq!(followers().await, ["bo", "cy", "alice"]);
}

async fn j9_a_hundred_tarpits_do_not_delay_a_healthy_server(database: Database) {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let mut tarpits = Vec::new();
    for number in 0..100 {
        tarpits.push(network.remote(&format!("tarpit{number}.test")).await);
    }
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    let follow = async |tarpit: &Remote| {
        follow_from(&fixture, tarpit, "bo").await;
        tarpit.script([ScriptedResponse::Hang]);
    };
    futures_util::future::join_all(tarpits.iter().map(follow)).await;
    // The name of this server sorts last.
    fixture.follow(&fixture.alice).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.remote.await_activity("the Create", create_of(&article)).await;
    let printed = await_status(&fixture, &article, "1 delivered").await;
    assert!(printed.contains("1 delivered, 100 queued, 0 failed"), "{printed}");
}

/// Waits until the result of every delivery is stored.
async fn await_no_queued_delivery(fixture: &Fixture) {
    eventually("no queued delivery", || async {
        let query = "select count(*) from deliveries where state = 'queued'";
        (fixture.app.number(query, query).await == 0).then_some(())
    })
    .await;
}

fn count_creates(remote: &Remote, article: &Value) -> usize {
    remote.received().iter().filter(|received| create_of(article)(&received.activity)).count()
}

async fn a_delivery_counts_as_delivered_even_if_its_signature_scheme_cannot_be_stored(database: Database) {
    let (fixture, other) = fixture_with_second_remote(database, "other.test").await;
    fixture.follow(&fixture.alice).await;
    follow_from(&fixture, &other, "bo").await;
    await_no_queued_delivery(&fixture).await;
    let mut db = DbControl::connect(&fixture.app).await;
    db.fail_updates("hosts", "new.signature_scheme <> old.signature_scheme").await;
    // The first signature is rejected, the one of the other scheme accepted.
    other.script([ScriptedResponse::Status(401)]);
    let article = fixture.publish("The Night Ferry").await;
    await_status(&fixture, &article, "2 delivered, 0 queued, 0 failed").await;
    assert_eq!(count_creates(&other, &article), 1, "it is accepted once");
    let is_logged = |line: &str| line.contains("could not store what follows from a delivery");
    fixture.app.await_log("the scheme that is not stored", is_logged).await;
}

async fn a_delivery_to_an_inbox_that_is_gone_ends_even_if_its_followers_cannot_be_removed(
    database: Database,
) {
    let (fixture, other) = fixture_with_second_remote(database, "other.test").await;
    fixture.follow(&fixture.alice).await;
    follow_with_own_inbox(&fixture, &other, "bo").await;
    await_no_queued_delivery(&fixture).await;
    let mut db = DbControl::connect(&fixture.app).await;
    db.fail_updates("followers", "new.state = 'gone'").await;
    other.script([ScriptedResponse::Status(410)]);
    let article = fixture.publish("The Night Ferry").await;
    await_status(&fixture, &article, "1 delivered, 0 queued, 1 failed").await;
    let is_logged = |line: &str| line.contains("could not store what follows from a delivery");
    fixture.app.await_log("the followers that are not removed", is_logged).await;
    fixture.settle().await;
    other.await_rejections(1).await;
    assert_eq!(other.rejected().len(), 1, "it is sent once");
}

async fn a_delivery_whose_result_is_rejected_by_the_database_is_abandoned(database: Database) {
    let (fixture, other) = fixture_with_second_remote(database, "other.test").await;
    fixture.follow(&fixture.alice).await;
    follow_from(&fixture, &other, "bo").await;
    await_no_queued_delivery(&fixture).await;
    let mut db = DbControl::connect(&fixture.app).await;
    db.fail_updates("deliveries", "new.state = 'done' and new.inbox like '%//other.test/%'").await;
    let article = fixture.publish("The Night Ferry").await;
    await_status(&fixture, &article, "1 delivered, 0 queued, 1 failed").await;
    fixture.settle().await;
    assert_eq!(count_creates(&other, &article), 1, "it is sent once");
    let second = fixture.publish("The Day Ferry").await;
    await_status(&fixture, &second, "1 delivered, 0 queued, 1 failed").await;
    assert_eq!(count_creates(&other, &second), 1, "the host is not backed off");
}

async fn a_host_is_held_back_if_no_result_about_it_can_be_stored(database: Database) {
    let (fixture, other) = fixture_with_second_remote(database, "other.test").await;
    fixture.follow(&fixture.alice).await;
    follow_from(&fixture, &other, "bo").await;
    await_no_queued_delivery(&fixture).await;
    let mut db = DbControl::connect(&fixture.app).await;
    db.fail_updates("deliveries", "new.inbox like '%//other.test/%'").await;
    let article = fixture.publish("The Night Ferry").await;
    other.await_activity("the Create", create_of(&article)).await;
    eventually("the host to be backed off", || async {
        let hosts = fixture.app.command_output(&["host", "list"]).await;
        hosts.contains("other.test  1 failure since").then_some(())
    })
    .await;
    await_status(&fixture, &article, "1 delivered, 1 queued, 0 failed").await;
    fixture.settle().await;
    assert_eq!(count_creates(&other, &article), 1, "it is sent once");
    db.stop_failing_updates("deliveries").await;
    // A server that sends something is tried again at once.
    let bo = other.user("bo");
    bo.deliver(fixture.inbox(), &bo.like(article["id"].as_str().expect("an id"))).await;
    await_status(&fixture, &article, "2 delivered, 0 queued, 0 failed").await;
}
