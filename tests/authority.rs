//! Who may change what, and in which order (D of what the server must stand).

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::both_databases;
use crate::course::{await_followers, await_total, total};
use crate::support::page::Page;
use crate::support::remote::User;
use crate::support::shapes::{PUBLIC, id_of};
use crate::support::signature::Form;
use crate::support::{Database, Stage, now};

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
    d10_a_follow_after_its_undo_counts_though_it_has_the_same_id,
    d11_a_delete_that_overtakes_its_create_wins,
    d12_an_older_update_after_a_newer_one_is_ignored,
    d13_a_move_to_an_account_that_does_not_name_the_old_one_is_ignored,
    d14_a_flood_of_reports_is_limited,
    d15_a_block_ends_the_follow_and_hides_the_comments,
    d15_a_block_hides_what_comes_later_until_it_is_undone,
    d15_a_block_that_is_overtaken_by_its_undo_hides_nothing,
    d15_a_block_among_follows_ends_the_same_in_every_order,
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
    await_followers(&stage, 1).await;
    await_total(&stage, &article, "likes", 1).await;
}

async fn d5_a_follow_in_the_name_of_a_third_is_ignored(database: Database) {
    let stage = Stage::new(database).await;
    let (mallory, victim) = (stage.remote.user("mallory"), stage.remote.user("victim"));
    try_it(&stage, &mallory, &victim.follow(stage.actor())).await;
    try_it(&stage, &mallory, &mallory.activity("Create", &victim.follow(stage.actor()))).await;
    stage.settle().await;
    await_followers(&stage, 0).await;
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
    let asked = json!({"type": "Follow", "actor": stage.actor(), "object": mallory.id()});
    for kind in ["Accept", "Reject"] {
        for object in [&follow, &accept, &asked] {
            for user in [&mallory, &stage.alice] {
                try_it(&stage, user, &user.activity(kind, object)).await;
            }
        }
    }
    stage.settle().await;
    await_followers(&stage, 1).await;
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
    await_followers(&stage, 0).await;
    let again = stage.alice.follow(stage.actor());
    let mut later = stage.alice.letter(Form::Cavage, stage.inbox(), &again);
    later.date = now() + SignedDuration::from_secs(5);
    assert!(later.seal().post(&stage.world.client).await.is_success());
    stage.await_accept(&stage.alice, &again).await;
}

async fn d10_a_follow_after_its_undo_counts_though_it_has_the_same_id(database: Database) {
    let stage = Stage::new(database).await;
    let follow = stage.follow(&stage.alice).await;
    stage.alice.deliver(stage.inbox(), &stage.alice.undo(&follow)).await;
    await_followers(&stage, 0).await;
    let mut again = stage.alice.letter(Form::Cavage, stage.inbox(), &follow);
    again.date = now() + SignedDuration::from_secs(2);
    assert!(again.seal().post(&stage.world.client).await.is_success());
    await_followers(&stage, 1).await;
    stage.settle().await;
    await_followers(&stage, 1).await;
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
    await_followers(&stage, 0).await;
}

async fn d13_a_move_to_an_account_that_does_not_name_the_old_one_is_ignored(database: Database) {
    let stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    let (mallory, target) = (stage.remote.user("mallory"), stage.remote.user("target"));
    let mut claim = target.actor();
    claim["alsoKnownAs"] = json!([mallory.id()]);
    target.pose_as(&claim);
    let mut moved = stage.alice.activity("Move", &json!(stage.alice.id()));
    moved["target"] = json!(target.id());
    try_it(&stage, &stage.alice, &moved).await;
    stage.settle().await;
    // Nor does anybody move another's account, wherever it says that it comes from.
    claim["alsoKnownAs"] = json!([stage.alice.id(), mallory.id()]);
    target.pose_as(&claim);
    for user in [&mallory, &target] {
        let mut forced = user.activity("Move", &json!(stage.alice.id()));
        forced["target"] = json!(target.id());
        try_it(&stage, user, &forced).await;
    }
    stage.settle().await;
    await_followers(&stage, 1).await;
    let page = format!("{}?page=1", stage.critic["followers"].as_str().expect("followers"));
    let page = stage.world.client.document(&page).await;
    assert!(page.to_string().contains(&stage.alice.id()), "{page}");
}

async fn d14_a_flood_of_reports_is_limited(database: Database) {
    let (stage, article, note) = stage_with_comment(database).await;
    let instance = stage.remote.user("instance");
    for number in 0..40 {
        let mut flag = instance.activity("Flag", &json!([id_of(&note), id_of(&article)]));
        flag["content"] = json!(format!("Report {number}"));
        instance.deliver(stage.inbox(), &flag).await;
    }
    stage.settle().await;
    let listed = stage.app.command_output(&["report", "list"]).await;
    assert_eq!(listed.matches("Report ").count(), 20, "{listed}");
    assert!(stage.page(&article).await.comment("Here I stand").is_some(), "a report hides nothing");
}

async fn d15_a_block_hides_what_comes_later_until_it_is_undone(database: Database) {
    let (stage, article, note) = stage_with_comment(database).await;
    let bob = stage.remote.user("bob");
    stage.comment(&bob, &article, "Untouched").await;
    for named in [true, false] {
        let mut block = stage.alice.activity("Block", &json!(stage.actor()));
        if !named {
            block.as_object_mut().expect("an object").remove("id");
        }
        stage.alice.deliver(stage.inbox(), &block).await;
        let is_hidden = |page: &Page| page.comment("Here I stand").is_none();
        stage.await_page(&article, "the comment to be hidden", is_hidden).await;
        let later = format!("Said while blocking {named}");
        let reply = stage.alice.reply(id_of(&article), &format!("<p>{later}</p>"));
        stage.alice.deliver(stage.inbox(), &stage.alice.create(&reply)).await;
        let edit =
            stage.alice.edit(&note, &format!("<p>Here I stand, edited {named}</p>"), 60 + i64::from(named));
        stage.alice.deliver(stage.inbox(), &edit).await;
        stage.settle().await;
        let page = stage.page(&article).await;
        assert!(!page.text.contains("Here I stand") && !page.text.contains(&later), "{}", page.text);
        assert!(page.comment("Untouched").is_some());
        let undone = if named { block["id"].clone() } else { block };
        let undo = json!({"type": "Undo", "actor": stage.alice.id(), "object": undone});
        stage.alice.deliver(stage.inbox(), &undo).await;
        let is_back = |page: &Page| page.comment("Here I stand").is_some() && page.comment(&later).is_some();
        stage.await_page(&article, "the comments to come back", is_back).await;
    }
}

async fn d15_a_block_that_is_overtaken_by_its_undo_hides_nothing(database: Database) {
    let (stage, article, _) = stage_with_comment(database).await;
    for undone in ["embedded", "bare", "nameless"] {
        let mut block = stage.alice.activity("Block", &json!(stage.actor()));
        if undone == "nameless" {
            block.as_object_mut().expect("an object").remove("id");
        }
        let mut early = stage.alice.letter(Form::Cavage, stage.inbox(), &block);
        early.date = now() - SignedDuration::from_mins(1);
        let object = if undone == "bare" { block["id"].clone() } else { block };
        let undo = json!({"type": "Undo", "actor": stage.alice.id(), "object": object});
        stage.alice.deliver(stage.inbox(), &undo).await;
        stage.settle().await;
        assert!(early.seal().post(&stage.world.client).await.is_success());
        stage.settle().await;
        assert!(stage.page(&article).await.comment("Here I stand").is_some(), "{undone}");
    }
}

/// Every order of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in orders(count - 1) {
        for place in 0..count {
            let mut order = shorter.clone();
            order.insert(place, count - 1);
            all.push(order);
        }
    }
    all
}

async fn d15_a_block_among_follows_ends_the_same_in_every_order(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    // With and without the block being undone at the end.
    for count in [3, 4] {
        for (number, order) in orders(count).into_iter().enumerate() {
            let user = stage.remote.user(&format!("user{count}of{number}"));
            let text = format!("Voice {number} of {count}.");
            let note = user.reply(id_of(&article), &format!("<p>{text}</p>"));
            user.deliver(stage.inbox(), &user.create(&note)).await;
            let follow = user.follow(stage.actor());
            let block = user.activity("Block", &json!(stage.actor()));
            let (unfollow, unblock) = (user.undo(&follow), user.undo(&block));
            let told = [&follow, &block, &unfollow, &unblock];
            for at in order {
                let mut letter = user.letter(Form::Cavage, stage.inbox(), told[at]);
                let ago = 600 - 60 * i64::try_from(at).expect("a small number");
                letter.date = now() - SignedDuration::from_secs(ago);
                assert!(letter.seal().post(&stage.world.client).await.is_success());
            }
        }
    }
    stage.settle().await;
    await_followers(&stage, 0).await;
    let shown = |page: &Page, count: usize| {
        page.comments.iter().filter(|c| c.text.contains(&format!("of {count}."))).count()
    };
    stage.await_page(&article, "those who block no longer", |page| shown(page, 4) == 24).await;
    stage.await_page(&article, "those who block", |page| shown(page, 3) == 0).await;
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
