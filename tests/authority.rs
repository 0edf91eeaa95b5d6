//! Who may change what, and in which order (D of what the server must stand).

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::both_databases;
use crate::course::{await_total, total};
use crate::support::page::Page;
use crate::support::remote::User;
use crate::support::shapes::{PUBLIC, id_of};
use crate::support::signature::Form;
use crate::support::{Database, Stage, eventually, now};

both_databases!(
    d1_a_delete_of_the_comment_of_another_is_ignored,
    d2_an_update_of_the_comment_of_another_is_ignored,
    d3_an_actor_update_for_another_actor_is_ignored,
    d4_an_undo_of_what_another_did_is_ignored,
    d5_a_follow_in_the_name_of_a_third_is_ignored,
    d6_a_known_id_does_not_become_public_by_a_second_create,
    d7_an_accept_or_reject_that_nobody_asked_for_is_ignored,
    d8_a_boost_of_what_is_not_public_shows_nothing,
    d9_what_is_not_public_is_never_on_a_page,
    d10_an_undo_that_overtakes_its_follow_wins,
    d11_a_delete_that_overtakes_its_create_wins,
    d12_an_older_update_after_a_newer_one_is_ignored,
    d15_a_block_ends_the_follow_and_hides_the_comments,
    d16_the_same_activity_to_both_inboxes_counts_once,
    d17_fifty_copies_at_once_count_once,
);

/// Sends what is not forged but not allowed: it is taken and dropped, or forbidden.
async fn try_it(stage: &Stage, user: &User, activity: &Value) {
    let answer = user.send(stage.inbox(), activity).await;
    assert!(answer.is_success() || answer.is_refusal(), "{}: {} to {activity}", answer.status, answer.body);
}

/// A stage with a review and a comment by alice on it.
async fn stage_with_comment(database: Database) -> (Stage, Value, Value) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.comment(&stage.alice, &article, "Here I stand").await;
    (stage, article, note)
}

async fn assert_followers(stage: &Stage, count: u64) {
    eventually(&format!("{count} followers"), || async {
        (total(stage, &stage.critic["followers"]).await == count).then_some(())
    })
    .await;
}

async fn d1_a_delete_of_the_comment_of_another_is_ignored(database: Database) {
    let (stage, article, note) = stage_with_comment(database).await;
    let mallory = stage.remote.user("mallory");
    let mut tombstone = mallory.delete(&json!(stage.remote.url("/users/mallory/statuses/1")));
    for object in [json!(id_of(&note)), json!({"id": id_of(&note), "type": "Tombstone"})] {
        tombstone["object"] = object;
        tombstone["id"] = json!(stage.remote.url(&format!("/users/mallory#{}", crate::support::unique())));
        try_it(&stage, &mallory, &tombstone).await;
    }
    try_it(&stage, &mallory, &mallory.activity("Delete", &json!(id_of(&article)))).await;
    stage.settle().await;
    assert!(stage.page(&article).await.comment("Here I stand").is_some());
    assert_eq!(stage.article(&article).await["type"], "Article");
}

async fn d2_an_update_of_the_comment_of_another_is_ignored(database: Database) {
    let (stage, article, note) = stage_with_comment(database).await;
    let mallory = stage.remote.user("mallory");
    let mut edited = note.clone();
    edited["content"] = json!("<p>Here I fall</p>");
    edited["contentMap"] = json!({"en": "<p>Here I fall</p>"});
    edited["updated"] = json!("2099-01-01T00:00:00Z");
    try_it(&stage, &mallory, &mallory.activity("Update", &edited)).await;
    edited["attributedTo"] = json!(mallory.id());
    try_it(&stage, &mallory, &mallory.activity("Update", &edited)).await;
    stage.settle().await;
    let page = stage.page(&article).await;
    assert!(page.comment("Here I stand").is_some() && !page.text.contains("Here I fall"));
}

async fn d3_an_actor_update_for_another_actor_is_ignored(database: Database) {
    let (stage, article, _) = stage_with_comment(database).await;
    let mallory = stage.remote.user("mallory");
    let mut actor = stage.alice.actor();
    actor["name"] = json!("A Fool");
    actor["publicKey"]["publicKeyPem"] = json!(mallory.key().public_pem());
    try_it(&stage, &mallory, &mallory.activity("Update", &actor)).await;
    stage.settle().await;
    let page = stage.page(&article).await;
    assert!(
        page.text.contains(&stage.alice.display_name()) && !page.text.contains("A Fool"),
        "{}",
        page.text
    );
    let mut letter = mallory.letter(Form::Cavage, stage.inbox(), &stage.alice.follow(stage.actor()));
    letter.key_id = stage.alice.key_id();
    assert!(letter.seal().post(&stage.world.client).await.is_refusal(), "the key was not replaced");
}

async fn d4_an_undo_of_what_another_did_is_ignored(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let follow = stage.follow(&stage.alice).await;
    let like = stage.alice.like(id_of(&article));
    stage.alice.deliver(stage.inbox(), &like).await;
    await_total(&stage, &article, "likes", 1).await;
    let mallory = stage.remote.user("mallory");
    for done in [&follow, &like] {
        for object in [done.clone(), json!(id_of(done))] {
            try_it(&stage, &mallory, &mallory.activity("Undo", &object)).await;
        }
    }
    stage.settle().await;
    assert_followers(&stage, 1).await;
    await_total(&stage, &article, "likes", 1).await;
}

async fn d5_a_follow_in_the_name_of_a_third_is_ignored(database: Database) {
    let stage = Stage::new(database).await;
    let (mallory, victim) = (stage.remote.user("mallory"), stage.remote.user("victim"));
    try_it(&stage, &mallory, &victim.follow(stage.actor())).await;
    try_it(&stage, &mallory, &mallory.activity("Create", &victim.follow(stage.actor()))).await;
    stage.settle().await;
    assert_followers(&stage, 0).await;
}

async fn d6_a_known_id_does_not_become_public_by_a_second_create(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.alice.reply_to_followers(id_of(&article), "<p>Between friends</p>");
    stage.alice.deliver(stage.inbox(), &stage.alice.create(&note)).await;
    stage.settle().await;
    let mut wider = note.clone();
    wider["to"] = json!([PUBLIC]);
    let mallory = stage.remote.user("mallory");
    for user in [&stage.alice, &mallory] {
        try_it(&stage, user, &user.activity("Create", &wider)).await;
    }
    stage.settle().await;
    assert!(!stage.page(&article).await.text.contains("Between friends"));
}

async fn d7_an_accept_or_reject_that_nobody_asked_for_is_ignored(database: Database) {
    let stage = Stage::new(database).await;
    let follow = stage.follow(&stage.alice).await;
    let mallory = stage.remote.user("mallory");
    let accepts = |a: &Value| a["type"] == "Accept";
    let accept = stage.remote.await_activity("the Accept", accepts).await;
    for kind in ["Accept", "Reject"] {
        for object in [&follow, &accept] {
            try_it(&stage, &mallory, &mallory.activity(kind, object)).await;
        }
    }
    stage.settle().await;
    assert_followers(&stage, 1).await;
    assert_eq!(total(&stage, &stage.critic["following"]).await, 0);
}

async fn d8_a_boost_of_what_is_not_public_shows_nothing(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let bob = stage.remote.user("bob");
    let note = stage.alice.reply_to_followers(id_of(&article), "<p>Between friends</p>");
    bob.deliver(stage.inbox(), &bob.announce(id_of(&note))).await;
    let mut embedded = bob.announce(id_of(&note));
    embedded["object"] = note;
    try_it(&stage, &bob, &embedded).await;
    stage.settle().await;
    assert!(!stage.page(&article).await.text.contains("Between friends"));
}

async fn d9_what_is_not_public_is_never_on_a_page(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let alice = &stage.alice;
    let followers = alice.reply_to_followers(id_of(&article), "<p>For followers only</p>");
    let direct = alice.direct_reply(id_of(&article), "<p>For your eyes only</p>", stage.actor());
    for note in [&followers, &direct] {
        alice.deliver(stage.inbox(), &alice.create(note)).await;
    }
    stage.comment(alice, &article, "For everybody").await;
    let edit = alice.edit(&direct, "<p>For your eyes only, still</p>", 60);
    try_it(&stage, alice, &edit).await;
    stage.settle().await;
    let page = stage.page(&article).await;
    assert_eq!(page.comments.len(), 1, "{}", page.text);
    assert!(!page.text.contains("only"), "{}", page.text);
}

async fn d10_an_undo_that_overtakes_its_follow_wins(database: Database) {
    let stage = Stage::new(database).await;
    let follow = stage.alice.follow(stage.actor());
    let mut early = stage.alice.letter(Form::Cavage, stage.inbox(), &follow);
    early.date = now() - SignedDuration::from_mins(1);
    stage.alice.deliver(stage.inbox(), &stage.alice.undo(&follow)).await;
    stage.settle().await;
    assert!(early.seal().post(&stage.world.client).await.is_success());
    stage.settle().await;
    assert_followers(&stage, 0).await;
    let again = stage.alice.follow(stage.actor());
    let mut later = stage.alice.letter(Form::Cavage, stage.inbox(), &again);
    later.date = now() + SignedDuration::from_secs(5);
    assert!(later.seal().post(&stage.world.client).await.is_success());
    stage.await_accept(&stage.alice, &again).await;
}

async fn d11_a_delete_that_overtakes_its_create_wins(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.alice.reply(id_of(&article), "<p>Said and unsaid</p>");
    stage.alice.deliver(stage.inbox(), &stage.alice.delete(&note)).await;
    stage.settle().await;
    stage.alice.publish(&note);
    stage.alice.deliver(stage.inbox(), &stage.alice.create(&note)).await;
    stage.settle().await;
    assert!(!stage.page(&article).await.text.contains("Said and unsaid"));
}

async fn d12_an_older_update_after_a_newer_one_is_ignored(database: Database) {
    let (stage, article, note) = stage_with_comment(database).await;
    let older = stage.alice.edit(&note, "<p>Second thoughts</p>", 60);
    let newer = stage.alice.edit(&note, "<p>Third thoughts</p>", 120);
    stage.alice.deliver(stage.inbox(), &newer).await;
    let is_newer = |page: &Page| page.comment("Third thoughts").is_some();
    stage.await_page(&article, "the newer edit", is_newer).await;
    stage.alice.deliver(stage.inbox(), &older).await;
    stage.settle().await;
    assert!(is_newer(&stage.page(&article).await));
}

async fn d15_a_block_ends_the_follow_and_hides_the_comments(database: Database) {
    let (stage, article, _) = stage_with_comment(database).await;
    stage.follow(&stage.alice).await;
    let block = stage.alice.activity("Block", &json!(stage.actor()));
    stage.alice.deliver(stage.inbox(), &block).await;
    let is_hidden = |page: &Page| page.comment("Here I stand").is_none();
    stage.await_page(&article, "the comment to be hidden", is_hidden).await;
    assert_followers(&stage, 0).await;
}

async fn d16_the_same_activity_to_both_inboxes_counts_once(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.alice.reply(id_of(&article), "<p>Said once</p>");
    for activity in [stage.alice.create(&note), stage.alice.like(id_of(&article))] {
        stage.alice.deliver(stage.inbox(), &activity).await;
        stage.alice.deliver(stage.shared_inbox(), &activity).await;
    }
    let boost = stage.alice.announce(id_of(&article));
    stage.alice.deliver(stage.shared_inbox(), &boost).await;
    stage.alice.deliver(stage.inbox(), &boost).await;
    stage.settle().await;
    await_total(&stage, &article, "likes", 1).await;
    await_total(&stage, &article, "shares", 1).await;
    assert_eq!(stage.page(&article).await.comments.len(), 1);
}

async fn d17_fifty_copies_at_once_count_once(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.alice.reply(id_of(&article), "<p>Said once</p>");
    let activities = [stage.alice.create(&note), stage.alice.like(id_of(&article))];
    let sendings = (0..50).map(|number| {
        // Each signed at another second, so that it is a copy and not a replay.
        let mut letter = stage.alice.letter(Form::Cavage, stage.inbox(), &activities[number % 2]);
        letter.date = now() - SignedDuration::from_secs(i64::try_from(number).expect("a small number"));
        let client = &stage.world.client;
        async move { letter.seal().post(client).await }
    });
    for answer in futures_util::future::join_all(sendings).await {
        assert!(answer.is_success(), "{}: {}", answer.status, answer.body);
    }
    stage.settle().await;
    await_total(&stage, &article, "likes", 1).await;
    assert_eq!(stage.page(&article).await.comments.len(), 1);
}
