//! Activities that arrive late, early or in another order.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::remote::{Document, User};
use crate::support::signature::{SignatureScheme, target_of};
use crate::support::{Database, Fixture, TestNetwork, eventually, now};

both_databases!(
    d5_an_actor_that_redirects_to_another_does_not_follow_in_its_name,
    d10_an_older_follow_that_arrives_late_is_ignored,
    an_account_that_is_gone_with_its_key_loses_its_comments,
    a_quote_of_another_author_cannot_be_taken_over,
    a_quote_that_was_a_deleted_comment_is_not_granted,
    a_quote_that_is_undone_before_its_request_is_not_granted,
    a_blocked_actor_can_still_delete_their_comment,
    a_block_applies_to_activities_in_preparation,
    an_author_approved_in_the_meantime_is_shown_at_once,
    private_replies_to_unknown_posts_are_not_parked,
);

/// Sends an activity that was signed a number of seconds ago.
async fn deliver_late(fixture: &Fixture, user: &User, activity: &Value, seconds: i64) {
    let mut late = user.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), activity);
    late.date = now() - SignedDuration::from_secs(seconds);
    let response = late.sign().post(&fixture.network.client).await;
    assert!(response.is_success(), "{}: {}", response.status, response.body);
}

async fn follows(fixture: &Fixture, user: &User) -> bool {
    let list = format!("{}?page=1", fixture.critic["followers"].as_str().expect("followers"));
    fixture.network.client.document(&list).await.to_string().contains(&user.id())
}

async fn d5_an_actor_that_redirects_to_another_does_not_follow_in_its_name(database: Database) {
    let network = TestNetwork::new();
    let (remote, evil) = (network.remote("remote.test").await, network.remote("evil.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    let mallory = evil.user("mallory");
    // The key must be known before the actor is fetched.
    mallory.deliver(fixture.inbox(), &mallory.like(fixture.actor())).await;
    evil.serve(&target_of(&mallory.id()), Document::redirect(&fixture.alice.id()));
    mallory.deliver(fixture.inbox(), &mallory.follow(fixture.actor())).await;
    fixture.settle().await;
    assert!(!follows(&fixture, &fixture.alice).await);
}

async fn d10_an_older_follow_that_arrives_late_is_ignored(database: Database) {
    let fixture = Fixture::new(database).await;
    let (first, second) = (fixture.alice.follow(fixture.actor()), fixture.alice.follow(fixture.actor()));
    fixture.alice.deliver(fixture.inbox(), &second).await;
    fixture.await_accept(&fixture.alice, &second).await;
    deliver_late(&fixture, &fixture.alice, &first, 60).await;
    fixture.settle().await;
    deliver_late(&fixture, &fixture.alice, &fixture.alice.undo(&first), 30).await;
    fixture.settle().await;
    assert!(follows(&fixture, &fixture.alice).await);
}

async fn an_account_that_is_gone_with_its_key_loses_its_comments(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let bob = fixture.remote.user("bob");
    // Bob is known only from the thread, and has never sent a signed request.
    let parent = bob.reply(id_of(&article), "<p>Words of bob</p>");
    let reply = fixture.alice.reply(id_of(&parent), "<p>I heard that</p>");
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&reply)).await;
    fixture.await_page(&article, "the thread", |page| page.comments.len() == 2).await;
    fixture.remote.serve(&target_of(&bob.id()), Document::status(410));
    bob.deliver(fixture.inbox(), &bob.activity("Delete", &json!(bob.id()))).await;
    fixture
        .await_page(&article, "the comment to disappear", |page| !page.text.contains("Words of bob"))
        .await;
}

/// A request to quote the article in a note.
fn quote_request(user: &User, note: &Value, article: &Value) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/activitystreams", {"QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest"}],
        "id": format!("{}/quote_requests/{}", user.id(), crate::support::unique()),
        "type": "QuoteRequest", "actor": user.id(), "object": id_of(article), "instrument": note,
    })
}

fn has_response(fixture: &Fixture, request: &Value) -> bool {
    fixture.remote.received().iter().any(|received| received.activity["object"]["id"] == request["id"])
}

async fn a_quote_of_another_author_cannot_be_taken_over(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let mallory = fixture.remote.user("mallory");
    let note = fixture.alice.reply(id_of(&article), "<p>As the critic says</p>");
    for instrument in [json!(id_of(&note)), json!({"id": id_of(&note), "type": "Note"})] {
        let request = quote_request(&mallory, &instrument, &article);
        mallory.deliver(fixture.inbox(), &request).await;
        fixture.settle().await;
        assert!(!has_response(&fixture, &request));
    }
    let request = quote_request(&fixture.alice, &json!(id_of(&note)), &article);
    fixture.alice.deliver(fixture.inbox(), &request).await;
    let is_match = |a: &Value| a["type"] == "Accept" && a["object"]["id"] == request["id"];
    fixture.remote.await_activity("the Accept of the quote", is_match).await;
}

async fn a_quote_that_was_a_deleted_comment_is_not_granted(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.comment(&fixture.alice, &article, "As the critic says").await;
    let request = quote_request(&fixture.alice, &note, &article);
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.delete(&note)).await;
    fixture.settle().await;
    fixture.alice.deliver(fixture.inbox(), &request).await;
    fixture.settle().await;
    assert!(!has_response(&fixture, &request));
}

async fn a_quote_that_is_undone_before_its_request_is_not_granted(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.alice.reply(id_of(&article), "<p>As the critic says</p>");
    let request = quote_request(&fixture.alice, &note, &article);
    let without_id = json!({
        "type": "QuoteRequest", "actor": fixture.alice.id(), "object": id_of(&article), "instrument": id_of(&note),
    });
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.activity("Undo", &without_id)).await;
    fixture.settle().await;
    deliver_late(&fixture, &fixture.alice, &request, 60).await;
    fixture.settle().await;
    assert!(!has_response(&fixture, &request));
    let mut late = fixture.alice.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), &request);
    late.date = now() + SignedDuration::from_secs(5);
    assert!(late.sign().post(&fixture.network.client).await.is_success());
    let is_match = |a: &Value| a["type"] == "Accept" && a["object"]["id"] == request["id"];
    fixture.remote.await_activity("the Accept of the later request", is_match).await;
}

async fn a_blocked_actor_can_still_delete_their_comment(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.comment(&fixture.alice, &article, "Here I stand").await;
    let bob = fixture.remote.user("bob");
    let other = fixture.comment(&bob, &article, "And so do I").await;
    for user in [&fixture.alice, &bob] {
        fixture.app.command_output(&["block", "account", &format!("@{}", user.handle())]).await;
    }
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.delete(&note)).await;
    bob.deliver(fixture.inbox(), &bob.activity("Delete", &json!(bob.id()))).await;
    assert_eq!(bob.send(fixture.inbox(), &bob.follow(fixture.actor())).await.status, 403);
    fixture.settle().await;
    for comment in [&note, &other] {
        let _ = fixture.app.cli(&["comment", "show", id_of(comment)]).await;
    }
    let page = fixture.page(&article).await;
    assert!(!page.text.contains("Here I stand") && !page.text.contains("And so do I"), "{}", page.text);
}

async fn a_block_applies_to_activities_in_preparation(database: Database) {
    let network = TestNetwork::new();
    let (remote, other) = (network.remote("remote.test").await, network.remote("other.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    let article = fixture.publish("The Night Ferry").await;
    // Alice's account is blocked, and bob's server.
    let (alice, bob) = (fixture.alice.clone(), other.user("bob"));
    for (remote, user, args) in [
        (&fixture.remote, &alice, ["account", "@alice@remote.test"]),
        (&other, &bob, ["domain", "other.test"]),
    ] {
        let note = user.reply(id_of(&article), "<p>Here I stand</p>");
        // The parent is being fetched while the block arrives.
        let reply = user.reply(id_of(&note), "<p>And here</p>");
        let path = target_of(id_of(&note));
        remote.pause(&path);
        user.deliver(fixture.inbox(), &user.create(&reply)).await;
        remote.await_request(&path).await;
        fixture.app.command_output(&["block", args[0], args[1]]).await;
        remote.resume();
    }
    fixture.settle().await;
    let page = fixture.page(&article).await;
    assert!(page.comments.is_empty(), "{}", page.text);
}

async fn an_author_approved_in_the_meantime_is_shown_at_once(database: Database) {
    let fixture =
        Fixture::with(database, |_, settings| settings.set("moderation", "first_comments", "\"held\"")).await;
    let article = fixture.publish("The Night Ferry").await;
    let first = fixture.alice.reply(id_of(&article), "<p>First of all</p>");
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&first)).await;
    let held = eventually("the held comment", || async {
        let held = fixture.app.command_output(&["comment", "list", "--state", "held"]).await;
        held.contains("First of all").then_some(held)
    })
    .await;
    let bob = fixture.remote.user("bob");
    let parent = bob.reply(id_of(&article), "<p>Well</p>");
    let reply = fixture.alice.reply(id_of(&parent), "<p>And then</p>");
    fixture.remote.pause(&target_of(id_of(&parent)));
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&reply)).await;
    fixture.remote.await_request(&target_of(id_of(&parent))).await;
    let id = held.split_whitespace().next().expect("an id");
    fixture.app.command_output(&["comment", "approve", id]).await;
    fixture.remote.resume();
    fixture.await_page(&article, "the second comment", |page| page.comment("And then").is_some()).await;
}

async fn private_replies_to_unknown_posts_are_not_parked(database: Database) {
    let fixture = Fixture::new(database).await;
    let start = fixture.remote.url("/users/bob/statuses/1");
    let note = fixture.alice.reply_to_followers(&start, "<p>Between friends</p>");
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&note)).await;
    fixture.app.await_log("the reply to be dropped", |line| line.contains("its parent is unknown")).await;
    assert_eq!(fixture.remote.requests_for(&target_of(&start)), 0);
}
