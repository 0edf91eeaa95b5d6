//! What comes late, first or in another's place, and what that changes.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::both_databases;
use crate::support::remote::{Document, User};
use crate::support::shapes::id_of;
use crate::support::signature::{Form, target_of};
use crate::support::{Database, Stage, World, eventually, now};

both_databases!(
    d5_an_actor_that_redirects_to_another_does_not_follow_in_its_name,
    d10_a_late_older_follow_does_not_turn_the_clock_back,
    an_account_that_is_gone_with_its_key_takes_its_words_along,
    nobody_takes_the_place_of_a_quote_that_is_anothers,
    a_quote_that_was_a_comment_too_is_not_granted_after_it_was_deleted,
    a_quote_that_is_undone_before_it_was_asked_for_is_not_granted,
    who_is_blocked_may_still_take_back_what_they_said,
    a_block_counts_for_what_is_being_prepared,
    who_is_let_through_meanwhile_is_shown_at_once,
    what_is_said_in_private_to_strangers_is_not_kept_waiting,
);

/// Sends it as if it had been signed so many seconds ago.
async fn deliver_late(stage: &Stage, user: &User, activity: &Value, seconds: i64) {
    let mut letter = user.letter(Form::Cavage, stage.inbox(), activity);
    letter.date = now() - SignedDuration::from_secs(seconds);
    let answer = letter.seal().post(&stage.world.client).await;
    assert!(answer.is_success(), "{}: {}", answer.status, answer.body);
}

async fn follows(stage: &Stage, user: &User) -> bool {
    let list = format!("{}?page=1", stage.critic["followers"].as_str().expect("followers"));
    stage.world.client.document(&list).await.to_string().contains(&user.id())
}

async fn d5_an_actor_that_redirects_to_another_does_not_follow_in_its_name(database: Database) {
    let world = World::new();
    let (remote, evil) = (world.remote("remote.test").await, world.remote("evil.test").await);
    let stage = Stage::in_world(world, remote, database, |_, settings| settings).await;
    let mallory = evil.user("mallory");
    // So that its key is known when its actor is asked for.
    mallory.deliver(stage.inbox(), &mallory.like(stage.actor())).await;
    evil.serve(&target_of(&mallory.id()), Document::redirect(&stage.alice.id()));
    mallory.deliver(stage.inbox(), &mallory.follow(stage.actor())).await;
    stage.settle().await;
    assert!(!follows(&stage, &stage.alice).await);
}

async fn d10_a_late_older_follow_does_not_turn_the_clock_back(database: Database) {
    let stage = Stage::new(database).await;
    let (first, second) = (stage.alice.follow(stage.actor()), stage.alice.follow(stage.actor()));
    stage.alice.deliver(stage.inbox(), &second).await;
    stage.await_accept(&stage.alice, &second).await;
    deliver_late(&stage, &stage.alice, &first, 60).await;
    stage.settle().await;
    deliver_late(&stage, &stage.alice, &stage.alice.undo(&first), 30).await;
    stage.settle().await;
    assert!(follows(&stage, &stage.alice).await);
}

async fn an_account_that_is_gone_with_its_key_takes_its_words_along(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let bob = stage.remote.user("bob");
    // Bob is met on the way, and has sent nothing that was signed.
    let parent = bob.reply(id_of(&article), "<p>Words of bob</p>");
    let answer = stage.alice.reply(id_of(&parent), "<p>I heard that</p>");
    stage.alice.deliver(stage.inbox(), &stage.alice.create(&answer)).await;
    stage.await_page(&article, "the thread", |page| page.comments.len() == 2).await;
    stage.remote.serve(&target_of(&bob.id()), Document::status(410));
    bob.deliver(stage.inbox(), &bob.activity("Delete", &json!(bob.id()))).await;
    stage.await_page(&article, "the end of the words", |page| !page.text.contains("Words of bob")).await;
}

/// A post that quotes, and the request for it.
fn quoting(user: &User, note: &Value, article: &Value) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/activitystreams", {"QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest"}],
        "id": format!("{}/quote_requests/{}", user.id(), crate::support::unique()),
        "type": "QuoteRequest", "actor": user.id(), "object": id_of(article), "instrument": note,
    })
}

fn is_answered(stage: &Stage, request: &Value) -> bool {
    stage.remote.received().iter().any(|received| received.activity["object"]["id"] == request["id"])
}

async fn nobody_takes_the_place_of_a_quote_that_is_anothers(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let mallory = stage.remote.user("mallory");
    let note = stage.alice.reply(id_of(&article), "<p>As the critic says</p>");
    for instrument in [json!(id_of(&note)), json!({"id": id_of(&note), "type": "Note"})] {
        let taken = quoting(&mallory, &instrument, &article);
        mallory.deliver(stage.inbox(), &taken).await;
        stage.settle().await;
        assert!(!is_answered(&stage, &taken));
    }
    let request = quoting(&stage.alice, &json!(id_of(&note)), &article);
    stage.alice.deliver(stage.inbox(), &request).await;
    let is_it = |a: &Value| a["type"] == "Accept" && a["object"]["id"] == request["id"];
    stage.remote.await_activity("the Accept of the quote", is_it).await;
}

async fn a_quote_that_was_a_comment_too_is_not_granted_after_it_was_deleted(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.comment(&stage.alice, &article, "As the critic says").await;
    let request = quoting(&stage.alice, &note, &article);
    stage.alice.deliver(stage.inbox(), &stage.alice.delete(&note)).await;
    stage.settle().await;
    stage.alice.deliver(stage.inbox(), &request).await;
    stage.settle().await;
    assert!(!is_answered(&stage, &request));
}

async fn a_quote_that_is_undone_before_it_was_asked_for_is_not_granted(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.alice.reply(id_of(&article), "<p>As the critic says</p>");
    let request = quoting(&stage.alice, &note, &article);
    let nameless = json!({
        "type": "QuoteRequest", "actor": stage.alice.id(), "object": id_of(&article), "instrument": id_of(&note),
    });
    stage.alice.deliver(stage.inbox(), &stage.alice.activity("Undo", &nameless)).await;
    stage.settle().await;
    deliver_late(&stage, &stage.alice, &request, 60).await;
    stage.settle().await;
    assert!(!is_answered(&stage, &request));
    let mut letter = stage.alice.letter(Form::Cavage, stage.inbox(), &request);
    letter.date = now() + SignedDuration::from_secs(5);
    assert!(letter.seal().post(&stage.world.client).await.is_success());
    let is_it = |a: &Value| a["type"] == "Accept" && a["object"]["id"] == request["id"];
    stage.remote.await_activity("the Accept of what is asked later", is_it).await;
}

async fn who_is_blocked_may_still_take_back_what_they_said(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.comment(&stage.alice, &article, "Here I stand").await;
    let bob = stage.remote.user("bob");
    let other = stage.comment(&bob, &article, "And so do I").await;
    for user in [&stage.alice, &bob] {
        stage.app.command_output(&["block", "account", &format!("@{}", user.handle())]).await;
    }
    stage.alice.deliver(stage.inbox(), &stage.alice.delete(&note)).await;
    bob.deliver(stage.inbox(), &bob.activity("Delete", &json!(bob.id()))).await;
    assert_eq!(bob.send(stage.inbox(), &bob.follow(stage.actor())).await.status, 403);
    stage.settle().await;
    for comment in [&note, &other] {
        let _ = stage.app.cli(&["comment", "show", id_of(comment)]).await;
    }
    let page = stage.page(&article).await;
    assert!(!page.text.contains("Here I stand") && !page.text.contains("And so do I"), "{}", page.text);
}

async fn a_block_counts_for_what_is_being_prepared(database: Database) {
    let world = World::new();
    let (remote, other) = (world.remote("remote.test").await, world.remote("other.test").await);
    let stage = Stage::in_world(world, remote, database, |_, settings| settings).await;
    let article = stage.publish("The Night Ferry").await;
    // The account of the one is blocked, and the server of the other.
    let (alice, bob) = (stage.alice.clone(), other.user("bob"));
    for (remote, user, args) in
        [(&stage.remote, &alice, ["account", "@alice@remote.test"]), (&other, &bob, ["domain", "other.test"])]
    {
        let note = user.reply(id_of(&article), "<p>Here I stand</p>");
        // What it answers is asked for while the block comes.
        let answer = user.reply(id_of(&note), "<p>And here</p>");
        let path = target_of(id_of(&note));
        remote.hold_back(&path);
        user.deliver(stage.inbox(), &user.create(&answer)).await;
        remote.await_request(&path).await;
        stage.app.command_output(&["block", args[0], args[1]]).await;
        remote.let_go();
    }
    stage.settle().await;
    let page = stage.page(&article).await;
    assert!(page.comments.is_empty(), "{}", page.text);
}

async fn who_is_let_through_meanwhile_is_shown_at_once(database: Database) {
    let stage =
        Stage::with(database, |_, settings| settings.set("moderation", "first_comments", "\"held\"")).await;
    let article = stage.publish("The Night Ferry").await;
    let first = stage.alice.reply(id_of(&article), "<p>First of all</p>");
    stage.alice.deliver(stage.inbox(), &stage.alice.create(&first)).await;
    let held = eventually("the held comment", || async {
        let held = stage.app.command_output(&["comment", "list", "--state", "held"]).await;
        held.contains("First of all").then_some(held)
    })
    .await;
    let bob = stage.remote.user("bob");
    let parent = bob.reply(id_of(&article), "<p>Well</p>");
    let answer = stage.alice.reply(id_of(&parent), "<p>And then</p>");
    stage.remote.hold_back(&target_of(id_of(&parent)));
    stage.alice.deliver(stage.inbox(), &stage.alice.create(&answer)).await;
    stage.remote.await_request(&target_of(id_of(&parent))).await;
    let id = held.split_whitespace().next().expect("an id");
    stage.app.command_output(&["comment", "approve", id]).await;
    stage.remote.let_go();
    stage.await_page(&article, "the second comment", |page| page.comment("And then").is_some()).await;
}

async fn what_is_said_in_private_to_strangers_is_not_kept_waiting(database: Database) {
    let stage = Stage::new(database).await;
    let start = stage.remote.url("/users/bob/statuses/1");
    let note = stage.alice.reply_to_followers(&start, "<p>Between friends</p>");
    stage.alice.deliver(stage.inbox(), &stage.alice.create(&note)).await;
    eventually("the end of the waiting", || async {
        stage.app.log().iter().any(|line| line.contains("answers nothing that is here")).then_some(())
    })
    .await;
    assert_eq!(stage.remote.requests_for(&target_of(&start)), 0);
}
