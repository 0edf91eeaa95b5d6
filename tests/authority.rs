//! Which actors may change what, and in which order (D in `docs/threats.md`).

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::both_databases;
use crate::end_to_end::{await_followers, await_total_items, total_items};
use crate::support::activities::{PUBLIC, id_of};
use crate::support::page::Page;
use crate::support::remote::User;
use crate::support::signature::SignatureScheme;
use crate::support::{Database, Fixture, now};

both_databases!(
    d1_a_delete_of_anothers_comment_is_ignored,
    d2_an_update_of_anothers_comment_is_ignored,
    d3_an_actor_update_for_another_actor_is_ignored,
    d4_an_undo_of_anothers_activity_is_ignored,
    d5_a_follow_in_the_name_of_a_third_actor_is_ignored,
    d6_a_known_id_does_not_become_public_by_a_second_create,
    d7_an_unsolicited_accept_or_reject_is_ignored,
    d8_a_boost_of_a_private_post_shows_nothing,
    d9_private_replies_are_never_on_a_page,
    d10_an_undo_that_arrives_before_its_follow_wins,
    d10_a_follow_after_its_undo_counts_even_with_the_same_id,
    d11_a_delete_that_arrives_before_its_create_wins,
    d12_an_older_update_after_a_newer_one_is_ignored,
    d13_a_move_to_an_account_that_does_not_list_the_old_one_is_ignored,
    d14_the_number_of_reports_is_limited,
    d15_a_block_ends_the_follow_and_hides_the_comments,
    d15_a_block_hides_later_comments_until_it_is_undone,
    d15_a_block_that_arrives_after_its_undo_hides_nothing,
    d15_a_block_and_follows_have_the_same_result_in_every_order,
    d16_the_same_activity_to_both_inboxes_counts_once,
    d17_fifty_copies_at_once_count_once,
);

/// Sends an activity that is validly signed but not allowed: it must be accepted and dropped, or rejected.
async fn send_forbidden(fixture: &Fixture, user: &User, activity: &Value) {
    let response = user.send(fixture.inbox(), activity).await;
    assert!(
        response.is_success() || response.is_rejection(),
        "{}: {} to {activity}",
        response.status,
        response.body
    );
}

/// A fixture with a review and a comment by alice.
async fn fixture_with_comment(database: Database) -> (Fixture, Value, Value) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.comment(&fixture.alice, &article, "Here I stand").await;
    (fixture, article, note)
}

async fn d1_a_delete_of_anothers_comment_is_ignored(database: Database) {
    let (fixture, article, note) = fixture_with_comment(database).await;
    let mallory = fixture.remote.user("mallory");
    let mut tombstone = mallory.delete(&json!(fixture.remote.url("/users/mallory/statuses/1")));
    for object in [json!(id_of(&note)), json!({"id": id_of(&note), "type": "Tombstone"})] {
        tombstone["object"] = object;
        tombstone["id"] = json!(fixture.remote.url(&format!("/users/mallory#{}", crate::support::unique())));
        send_forbidden(&fixture, &mallory, &tombstone).await;
    }
    send_forbidden(&fixture, &mallory, &mallory.activity("Delete", &json!(id_of(&article)))).await;
    fixture.settle().await;
    assert!(fixture.page(&article).await.comment("Here I stand").is_some());
    assert_eq!(fixture.article(&article).await["type"], "Article");
}

async fn d2_an_update_of_anothers_comment_is_ignored(database: Database) {
    let (fixture, article, note) = fixture_with_comment(database).await;
    let mallory = fixture.remote.user("mallory");
    let mut edited = note.clone();
    edited["content"] = json!("<p>Here I fall</p>");
    edited["contentMap"] = json!({"en": "<p>Here I fall</p>"});
    edited["updated"] = json!("2099-01-01T00:00:00Z");
    send_forbidden(&fixture, &mallory, &mallory.activity("Update", &edited)).await;
    edited["attributedTo"] = json!(mallory.id());
    send_forbidden(&fixture, &mallory, &mallory.activity("Update", &edited)).await;
    fixture.settle().await;
    let page = fixture.page(&article).await;
    assert!(page.comment("Here I stand").is_some() && !page.text.contains("Here I fall"));
}

async fn d3_an_actor_update_for_another_actor_is_ignored(database: Database) {
    let (fixture, article, _) = fixture_with_comment(database).await;
    let mallory = fixture.remote.user("mallory");
    let mut actor = fixture.alice.actor();
    actor["name"] = json!("A Fool");
    actor["publicKey"]["publicKeyPem"] = json!(mallory.key().public_pem());
    send_forbidden(&fixture, &mallory, &mallory.activity("Update", &actor)).await;
    fixture.settle().await;
    let page = fixture.page(&article).await;
    assert!(
        page.text.contains(&fixture.alice.display_name()) && !page.text.contains("A Fool"),
        "{}",
        page.text
    );
    let mut request = mallory.unsigned_request(
        SignatureScheme::Cavage,
        fixture.inbox(),
        &fixture.alice.follow(fixture.actor()),
    );
    request.key_id = fixture.alice.key_id();
    assert!(request.sign().post(&fixture.network.client).await.is_rejection(), "the key was not replaced");
}

async fn d4_an_undo_of_anothers_activity_is_ignored(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let follow = fixture.follow(&fixture.alice).await;
    let like = fixture.alice.like(id_of(&article));
    fixture.alice.deliver(fixture.inbox(), &like).await;
    await_total_items(&fixture, &article, "likes", 1).await;
    let mallory = fixture.remote.user("mallory");
    for done in [&follow, &like] {
        for object in [done.clone(), json!(id_of(done))] {
            send_forbidden(&fixture, &mallory, &mallory.activity("Undo", &object)).await;
        }
    }
    fixture.settle().await;
    await_followers(&fixture, 1).await;
    await_total_items(&fixture, &article, "likes", 1).await;
}

async fn d5_a_follow_in_the_name_of_a_third_actor_is_ignored(database: Database) {
    let fixture = Fixture::new(database).await;
    let (mallory, victim) = (fixture.remote.user("mallory"), fixture.remote.user("victim"));
    send_forbidden(&fixture, &mallory, &victim.follow(fixture.actor())).await;
    send_forbidden(&fixture, &mallory, &mallory.activity("Create", &victim.follow(fixture.actor()))).await;
    fixture.settle().await;
    await_followers(&fixture, 0).await;
}

async fn d6_a_known_id_does_not_become_public_by_a_second_create(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.alice.reply_to_followers(id_of(&article), "<p>Between friends</p>");
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&note)).await;
    fixture.settle().await;
    let mut wider = note.clone();
    wider["to"] = json!([PUBLIC]);
    let mallory = fixture.remote.user("mallory");
    for user in [&fixture.alice, &mallory] {
        send_forbidden(&fixture, user, &user.activity("Create", &wider)).await;
    }
    fixture.settle().await;
    assert!(!fixture.page(&article).await.text.contains("Between friends"));
}

async fn d7_an_unsolicited_accept_or_reject_is_ignored(database: Database) {
    let fixture = Fixture::new(database).await;
    let follow = fixture.follow(&fixture.alice).await;
    let mallory = fixture.remote.user("mallory");
    let accepts = |a: &Value| a["type"] == "Accept";
    let accept = fixture.remote.await_activity("the Accept", accepts).await;
    let own_follow = json!({"type": "Follow", "actor": fixture.actor(), "object": mallory.id()});
    for kind in ["Accept", "Reject"] {
        for object in [&follow, &accept, &own_follow] {
            for user in [&mallory, &fixture.alice] {
                send_forbidden(&fixture, user, &user.activity(kind, object)).await;
            }
        }
    }
    fixture.settle().await;
    await_followers(&fixture, 1).await;
    assert_eq!(total_items(&fixture, &fixture.critic["following"]).await, 0);
}

async fn d8_a_boost_of_a_private_post_shows_nothing(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let bob = fixture.remote.user("bob");
    let note = fixture.alice.reply_to_followers(id_of(&article), "<p>Between friends</p>");
    bob.deliver(fixture.inbox(), &bob.announce(id_of(&note))).await;
    let mut embedded = bob.announce(id_of(&note));
    embedded["object"] = note;
    send_forbidden(&fixture, &bob, &embedded).await;
    fixture.settle().await;
    assert!(!fixture.page(&article).await.text.contains("Between friends"));
}

async fn d9_private_replies_are_never_on_a_page(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let alice = &fixture.alice;
    let followers = alice.reply_to_followers(id_of(&article), "<p>For followers only</p>");
    let direct = alice.direct_reply(id_of(&article), "<p>For your eyes only</p>", fixture.actor());
    for note in [&followers, &direct] {
        alice.deliver(fixture.inbox(), &alice.create(note)).await;
    }
    fixture.comment(alice, &article, "For everybody").await;
    let edit = alice.edit(&direct, "<p>For your eyes only, still</p>", 60);
    send_forbidden(&fixture, alice, &edit).await;
    fixture.settle().await;
    let page = fixture.page(&article).await;
    assert_eq!(page.comments.len(), 1, "{}", page.text);
    assert!(!page.text.contains("only"), "{}", page.text);
}

async fn d10_an_undo_that_arrives_before_its_follow_wins(database: Database) {
    let fixture = Fixture::new(database).await;
    let follow = fixture.alice.follow(fixture.actor());
    let mut early = fixture.alice.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), &follow);
    early.date = now() - SignedDuration::from_mins(1);
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.undo(&follow)).await;
    fixture.settle().await;
    assert!(early.sign().post(&fixture.network.client).await.is_success());
    fixture.settle().await;
    await_followers(&fixture, 0).await;
    let again = fixture.alice.follow(fixture.actor());
    let mut later = fixture.alice.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), &again);
    later.date = now() + SignedDuration::from_secs(5);
    assert!(later.sign().post(&fixture.network.client).await.is_success());
    fixture.await_accept(&fixture.alice, &again).await;
}

async fn d10_a_follow_after_its_undo_counts_even_with_the_same_id(database: Database) {
    let fixture = Fixture::new(database).await;
    let follow = fixture.follow(&fixture.alice).await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.undo(&follow)).await;
    await_followers(&fixture, 0).await;
    let mut again = fixture.alice.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), &follow);
    again.date = now() + SignedDuration::from_secs(2);
    assert!(again.sign().post(&fixture.network.client).await.is_success());
    await_followers(&fixture, 1).await;
    fixture.settle().await;
    await_followers(&fixture, 1).await;
}

async fn d11_a_delete_that_arrives_before_its_create_wins(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.alice.reply(id_of(&article), "<p>Said and unsaid</p>");
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.delete(&note)).await;
    fixture.settle().await;
    fixture.alice.publish(&note);
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&note)).await;
    fixture.settle().await;
    assert!(!fixture.page(&article).await.text.contains("Said and unsaid"));
}

async fn d12_an_older_update_after_a_newer_one_is_ignored(database: Database) {
    let (fixture, article, note) = fixture_with_comment(database).await;
    let older = fixture.alice.edit(&note, "<p>Second thoughts</p>", 60);
    let newer = fixture.alice.edit(&note, "<p>Third thoughts</p>", 120);
    fixture.alice.deliver(fixture.inbox(), &newer).await;
    let is_newer = |page: &Page| page.comment("Third thoughts").is_some();
    fixture.await_page(&article, "the newer edit", is_newer).await;
    fixture.alice.deliver(fixture.inbox(), &older).await;
    fixture.settle().await;
    assert!(is_newer(&fixture.page(&article).await));
}

async fn d15_a_block_ends_the_follow_and_hides_the_comments(database: Database) {
    let (fixture, article, _) = fixture_with_comment(database).await;
    fixture.follow(&fixture.alice).await;
    let block = fixture.alice.activity("Block", &json!(fixture.actor()));
    fixture.alice.deliver(fixture.inbox(), &block).await;
    let is_hidden = |page: &Page| page.comment("Here I stand").is_none();
    fixture.await_page(&article, "the comment to be hidden", is_hidden).await;
    await_followers(&fixture, 0).await;
}

async fn d13_a_move_to_an_account_that_does_not_list_the_old_one_is_ignored(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    let (mallory, target) = (fixture.remote.user("mallory"), fixture.remote.user("target"));
    let mut claim = target.actor();
    claim["alsoKnownAs"] = json!([mallory.id()]);
    target.serve_actor(&claim);
    let mut moved = fixture.alice.activity("Move", &json!(fixture.alice.id()));
    moved["target"] = json!(target.id());
    send_forbidden(&fixture, &fixture.alice, &moved).await;
    fixture.settle().await;
    // Nobody can move the account of another actor.
    claim["alsoKnownAs"] = json!([fixture.alice.id(), mallory.id()]);
    target.serve_actor(&claim);
    for user in [&mallory, &target] {
        let mut forced = user.activity("Move", &json!(fixture.alice.id()));
        forced["target"] = json!(target.id());
        send_forbidden(&fixture, user, &forced).await;
    }
    fixture.settle().await;
    await_followers(&fixture, 1).await;
    let page = format!("{}?page=1", fixture.critic["followers"].as_str().expect("followers"));
    let page = fixture.network.client.document(&page).await;
    assert!(page.to_string().contains(&fixture.alice.id()), "{page}");
}

async fn d14_the_number_of_reports_is_limited(database: Database) {
    let (fixture, article, note) = fixture_with_comment(database).await;
    let instance = fixture.remote.user("instance");
    for number in 0..40 {
        let mut flag = instance.activity("Flag", &json!([id_of(&note), id_of(&article)]));
        flag["content"] = json!(format!("Report {number}"));
        instance.deliver(fixture.inbox(), &flag).await;
    }
    fixture.settle().await;
    let listed = fixture.app.command_output(&["report", "list"]).await;
    assert_eq!(listed.matches("Report ").count(), 20, "{listed}");
    assert!(fixture.page(&article).await.comment("Here I stand").is_some(), "a report hides nothing");
}

async fn d15_a_block_hides_later_comments_until_it_is_undone(database: Database) {
    let (fixture, article, note) = fixture_with_comment(database).await;
    let bob = fixture.remote.user("bob");
    fixture.comment(&bob, &article, "Untouched").await;
    for has_id in [true, false] {
        let mut block = fixture.alice.activity("Block", &json!(fixture.actor()));
        if !has_id {
            block.as_object_mut().expect("an object").remove("id");
        }
        fixture.alice.deliver(fixture.inbox(), &block).await;
        let is_hidden = |page: &Page| page.comment("Here I stand").is_none();
        fixture.await_page(&article, "the comment to be hidden", is_hidden).await;
        let later = format!("Said while blocking {has_id}");
        let reply = fixture.alice.reply(id_of(&article), &format!("<p>{later}</p>"));
        fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&reply)).await;
        let edit = fixture.alice.edit(
            &note,
            &format!("<p>Here I stand, edited {has_id}</p>"),
            60 + i64::from(has_id),
        );
        fixture.alice.deliver(fixture.inbox(), &edit).await;
        fixture.settle().await;
        let page = fixture.page(&article).await;
        assert!(!page.text.contains("Here I stand") && !page.text.contains(&later), "{}", page.text);
        assert!(page.comment("Untouched").is_some());
        let undone = if has_id { block["id"].clone() } else { block };
        let undo = json!({"type": "Undo", "actor": fixture.alice.id(), "object": undone});
        fixture.alice.deliver(fixture.inbox(), &undo).await;
        let is_back = |page: &Page| page.comment("Here I stand").is_some() && page.comment(&later).is_some();
        fixture.await_page(&article, "the comments to come back", is_back).await;
    }
}

async fn d15_a_block_that_arrives_after_its_undo_hides_nothing(database: Database) {
    let (fixture, article, _) = fixture_with_comment(database).await;
    for form in ["embedded", "by id", "without id"] {
        let mut block = fixture.alice.activity("Block", &json!(fixture.actor()));
        if form == "without id" {
            block.as_object_mut().expect("an object").remove("id");
        }
        let mut early = fixture.alice.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), &block);
        early.date = now() - SignedDuration::from_mins(1);
        let object = if form == "by id" { block["id"].clone() } else { block };
        let undo = json!({"type": "Undo", "actor": fixture.alice.id(), "object": object});
        fixture.alice.deliver(fixture.inbox(), &undo).await;
        fixture.settle().await;
        assert!(early.sign().post(&fixture.network.client).await.is_success());
        fixture.settle().await;
        assert!(fixture.page(&article).await.comment("Here I stand").is_some(), "{form}");
    }
}

/// All permutations of the numbers below `count`.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in orders(count - 1) {
        for position in 0..count {
            let mut order = shorter.clone();
            order.insert(position, count - 1);
            all.push(order);
        }
    }
    all
}

async fn d15_a_block_and_follows_have_the_same_result_in_every_order(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    // With and without an Undo of the block at the end.
    for count in [3, 4] {
        for (number, order) in orders(count).into_iter().enumerate() {
            let user = fixture.remote.user(&format!("user{count}of{number}"));
            let text = format!("Voice {number} of {count}.");
            let note = user.reply(id_of(&article), &format!("<p>{text}</p>"));
            user.deliver(fixture.inbox(), &user.create(&note)).await;
            let follow = user.follow(fixture.actor());
            let block = user.activity("Block", &json!(fixture.actor()));
            let (unfollow, unblock) = (user.undo(&follow), user.undo(&block));
            let activities = [&follow, &block, &unfollow, &unblock];
            for at in order {
                let mut request =
                    user.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), activities[at]);
                let ago = 600 - 60 * i64::try_from(at).expect("a small number");
                request.date = now() - SignedDuration::from_secs(ago);
                assert!(request.sign().post(&fixture.network.client).await.is_success());
            }
        }
    }
    fixture.settle().await;
    await_followers(&fixture, 0).await;
    let shown = |page: &Page, count: usize| {
        page.comments.iter().filter(|c| c.text.contains(&format!("of {count}."))).count()
    };
    fixture
        .await_page(&article, "comments of authors who no longer block", |page| shown(page, 4) == 24)
        .await;
    fixture.await_page(&article, "no comment of authors who block", |page| shown(page, 3) == 0).await;
}

async fn d16_the_same_activity_to_both_inboxes_counts_once(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.alice.reply(id_of(&article), "<p>Said once</p>");
    for activity in [fixture.alice.create(&note), fixture.alice.like(id_of(&article))] {
        fixture.alice.deliver(fixture.inbox(), &activity).await;
        fixture.alice.deliver(fixture.shared_inbox(), &activity).await;
    }
    let boost = fixture.alice.announce(id_of(&article));
    fixture.alice.deliver(fixture.shared_inbox(), &boost).await;
    fixture.alice.deliver(fixture.inbox(), &boost).await;
    fixture.settle().await;
    await_total_items(&fixture, &article, "likes", 1).await;
    await_total_items(&fixture, &article, "shares", 1).await;
    assert_eq!(fixture.page(&article).await.comments.len(), 1);
}

async fn d17_fifty_copies_at_once_count_once(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.alice.reply(id_of(&article), "<p>Said once</p>");
    let activities = [fixture.alice.create(&note), fixture.alice.like(id_of(&article))];
    let deliveries = (0..50).map(|number| {
        // Each is signed at a different second, so that it is not a replay of the same signature.
        let mut request =
            fixture.alice.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), &activities[number % 2]);
        request.date = now() - SignedDuration::from_secs(i64::try_from(number).expect("a small number"));
        let client = &fixture.network.client;
        async move { request.sign().post(client).await }
    });
    for response in futures_util::future::join_all(deliveries).await {
        assert!(response.is_success(), "{}: {}", response.status, response.body);
    }
    fixture.settle().await;
    await_total_items(&fixture, &article, "likes", 1).await;
    assert_eq!(fixture.page(&article).await.comments.len(), 1);
}
