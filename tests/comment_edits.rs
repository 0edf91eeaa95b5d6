//! Edits of known comments. They are judged by what is stored, whatever the Update repeats, leaves out or changes.

use serde_json::{Value, json};

use crate::both_databases;
use crate::support::activities::{PUBLIC, id_of};
use crate::support::page::Page;
use crate::support::remote::{Document, User};
use crate::support::signature::target_of;
use crate::support::{Database, Fixture, TestNetwork};

both_databases!(
    an_edit_applies_whatever_it_says_about_the_parent,
    an_edit_keeps_the_place_in_the_thread,
    an_edit_needs_nothing_from_other_servers,
    a_comment_with_a_narrower_audience_disappears,
    a_comment_that_becomes_a_tombstone_is_deleted,
    a_referenced_edit_is_judged_by_the_document_at_its_id,
    an_edit_without_a_parent_waits_for_its_comment,
    a_post_that_was_narrowed_before_it_arrived_is_not_shown,
    nobody_else_edits_or_deletes_a_comment,
    an_update_of_an_unknown_post_without_a_parent_is_ignored,
);

async fn fixture_with_comment(database: Database) -> (Fixture, Value, Value) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.comment(&fixture.alice, &article, "First words").await;
    (fixture, article, note)
}

/// An Update of the note with other words, `seconds` after it was written, and with these members set or (if null) set to null.
fn edit_with(user: &User, note: &Value, text: &str, seconds: i64, members: &Value) -> Value {
    let mut edited = note.clone();
    for (key, value) in members.as_object().expect("members") {
        edited[key] = value.clone();
    }
    let mut update = user.edit(&edited, &format!("<p>{text}</p>"), seconds);
    for key in ["to", "cc"] {
        update[key] = edited[key].clone();
    }
    update
}

/// An Update as Mastodon sends it, with the context and all members that it gives a Note.
fn mastodon_update(user: &User, note: &Value, text: &str) -> Value {
    let id = id_of(note);
    let updated = "2099-01-01T00:00:00Z";
    json!({
        "@context": ["https://www.w3.org/ns/activitystreams", {
            "ostatus": "http://ostatus.org#", "atomUri": "ostatus:atomUri",
            "inReplyToAtomUri": "ostatus:inReplyToAtomUri", "conversation": "ostatus:conversation",
            "sensitive": "as:sensitive", "toot": "http://joinmastodon.org/ns#", "votersCount": "toot:votersCount",
        }],
        "id": format!("{id}#updates/1764560000"), "type": "Update", "actor": user.id(), "published": updated,
        "to": note["to"], "cc": note["cc"],
        "object": {
            "id": id, "type": "Note", "summary": null, "inReplyTo": null, "published": note["published"],
            "url": note["url"], "attributedTo": user.id(), "to": note["to"], "cc": note["cc"], "sensitive": false,
            "atomUri": id, "inReplyToAtomUri": null, "conversation": "tag:remote.test,2026:objectId=1:objectType=Conversation",
            "context": format!("{id}/context"), "content": format!("<p>{text}</p>"),
            "contentMap": {"en": format!("<p>{text}</p>")}, "updated": updated, "attachment": [], "tag": [],
            "replies": {"id": format!("{id}/replies"), "type": "Collection", "first": {
                "type": "CollectionPage", "next": format!("{id}/replies?page=true"), "partOf": format!("{id}/replies"), "items": [],
            }},
            "likes": {"id": format!("{id}/likes"), "type": "Collection", "totalItems": 0},
            "shares": {"id": format!("{id}/shares"), "type": "Collection", "totalItems": 0},
        },
    })
}

fn shows(text: &str) -> impl Fn(&Page) -> bool {
    move |page| page.comment(text).is_some()
}

async fn an_edit_applies_whatever_it_says_about_the_parent(database: Database) {
    let (fixture, article, note) = fixture_with_comment(database).await;
    let alice = &fixture.alice;
    let variants = [
        json!({"inReplyTo": null}),
        json!({"inReplyTo": []}),
        json!({"inReplyTo": ""}),
        json!({"inReplyTo": {"type": "Tombstone"}}),
        json!({"inReplyTo": "https://elsewhere.test/statuses/1"}),
        json!({"inReplyTo": null, "name": "A title", "summary": "Careful"}),
    ];
    for (at, members) in variants.iter().enumerate() {
        let text = format!("Words number {at}");
        let seconds = 60 * (i64::try_from(at).expect("a small number") + 1);
        alice.deliver(fixture.inbox(), &edit_with(alice, &note, &text, seconds, members)).await;
        let page = fixture.await_page(&article, &format!("{members}"), shows(&text)).await;
        assert_eq!(page.comments.len(), 1, "{members}");
        assert!(!page.text.contains("First words"), "{members}");
    }
    let mut without = alice.edit(&note, "<p>No parent at all</p>", 3600);
    without["object"].as_object_mut().expect("a note").remove("inReplyTo");
    alice.deliver(fixture.inbox(), &without).await;
    fixture.await_page(&article, "an edit without the member", shows("No parent at all")).await;
    alice.deliver(fixture.inbox(), &mastodon_update(alice, &note, "As Mastodon sends it")).await;
    fixture.await_page(&article, "Mastodon's edit", shows("As Mastodon sends it")).await;
}

async fn an_edit_keeps_the_place_in_the_thread(database: Database) {
    let (fixture, article, parent) = fixture_with_comment(database).await;
    let alice = &fixture.alice;
    let other = fixture.publish("Harbour Lights").await;
    let note = fixture.comment_under(alice, &article, &parent, "A reply").await;
    let targets = [id_of(&article).to_owned(), id_of(&other).to_owned(), id_of(&note).to_owned()];
    for (at, target) in targets.iter().enumerate() {
        let text = format!("Moved {at} times");
        let seconds = 60 * (i64::try_from(at).expect("a small number") + 1);
        let update = edit_with(alice, &note, &text, seconds, &json!({"inReplyTo": target}));
        alice.deliver(fixture.inbox(), &update).await;
        let page = fixture.await_page(&article, target, shows(&text)).await;
        let comment = page.comment(&text).expect("it is shown");
        let above = page.parent_of(comment).expect("its parent");
        assert!(above.text.contains("First words"), "{target}: {}", above.text);
    }
    assert!(fixture.page(&other).await.comments.is_empty());
}

/// The server of the parent that the Update names is not asked, and neither is that of the author.
async fn an_edit_needs_nothing_from_other_servers(database: Database) {
    let network = TestNetwork::new();
    let (remote, other) = (network.remote("remote.test").await, network.remote("other.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    let article = fixture.publish("The Night Ferry").await;
    let alice = &fixture.alice;
    let note = fixture.comment(alice, &article, "First words").await;
    other.serve("/statuses/1", Document::status(503));
    let actor = target_of(&alice.id());
    let before = fixture.remote.requests_for(&actor);
    let parent = other.url("/statuses/1");
    let update = edit_with(alice, &note, "Second words", 60, &json!({"inReplyTo": parent}));
    alice.deliver(fixture.inbox(), &update).await;
    fixture.await_page(&article, "the edit", shows("Second words")).await;
    assert_eq!(other.requests_for("/statuses/1"), 0);
    assert_eq!(fixture.remote.requests_for(&actor), before);
}

async fn a_comment_with_a_narrower_audience_disappears(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let alice = &fixture.alice;
    let followers = format!("{}/followers", alice.id());
    let variants = [
        json!({"to": [followers], "cc": []}),
        json!({"to": [followers], "cc": [], "inReplyTo": null}),
        json!({"to": fixture.actor(), "cc": null, "inReplyTo": "https://elsewhere.test/statuses/1"}),
        json!({"to": [], "cc": [], "inReplyTo": null, "content": ""}),
        json!({"to": [followers], "cc": [fixture.actor()], "inReplyTo": id_of(&article), "name": "vote"}),
    ];
    for (at, members) in variants.iter().enumerate() {
        let note = fixture.comment(alice, &article, &format!("Public words {at}")).await;
        let update = edit_with(alice, &note, &format!("Secret words {at}"), 60, members);
        alice.deliver(fixture.inbox(), &update).await;
        let page = fixture
            .await_page(&article, &format!("{members}"), |page| {
                page.comment(&format!("Public words {at}")).is_none()
            })
            .await;
        assert!(!page.text.contains("Secret words"), "{members}");
        let listed = fixture.app.command_output(&["comment", "list"]).await;
        assert!(!listed.contains("Public words") && !listed.contains("Secret words"), "{listed}");
        // It does not become public again.
        alice.deliver(fixture.inbox(), &edit_with(alice, &note, "Public again", 120, &json!({}))).await;
        fixture.settle().await;
        assert!(!fixture.page(&article).await.text.contains("Public again"), "{members}");
    }
}

async fn a_comment_that_becomes_a_tombstone_is_deleted(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let alice = &fixture.alice;
    for (at, kind) in [
        json!("Tombstone"),
        json!(["Tombstone"]),
        json!("as:Tombstone"),
        json!("https://www.w3.org/ns/activitystreams#Tombstone"),
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!("Words {at}");
        let note = fixture.comment(alice, &article, &text).await;
        let tombstone = json!({"id": id_of(&note), "type": kind, "formerType": "Note"});
        let mut update = alice.activity("Update", &tombstone);
        if at == 1 {
            update["object"] = json!([tombstone]);
        }
        alice.deliver(fixture.inbox(), &update).await;
        fixture.await_page(&article, &format!("{kind}"), |page| page.comment(&text).is_none()).await;
        alice.deliver(fixture.inbox(), &alice.create(&note)).await;
        fixture.settle().await;
        assert!(fixture.page(&article).await.comments.is_empty(), "{kind}");
    }
    let unseen = alice.reply(id_of(&article), "<p>Deleted before it arrived</p>");
    let tombstone = json!({"id": id_of(&unseen), "type": "Tombstone"});
    alice.deliver(fixture.inbox(), &alice.activity("Update", &tombstone)).await;
    fixture.settle().await;
    alice.deliver(fixture.inbox(), &alice.create(&unseen)).await;
    fixture.settle().await;
    assert!(fixture.page(&article).await.comments.is_empty());
}

async fn a_referenced_edit_is_judged_by_the_document_at_its_id(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let alice = &fixture.alice;
    let reference = |note: &Value| alice.activity("Update", &json!(id_of(note)));
    for (text, members) in [
        ("Without a parent", json!({"inReplyTo": null})),
        ("Under another parent", json!({"inReplyTo": "https://elsewhere.test/statuses/1"})),
    ] {
        let note = fixture.comment(alice, &article, "First words").await;
        edit_with(alice, &note, text, 60, &members);
        alice.deliver(fixture.inbox(), &reference(&note)).await;
        fixture.await_page(&article, text, shows(text)).await;
        alice.deliver(fixture.inbox(), &alice.delete(&note)).await;
        fixture.await_page(&article, "the deletion", |page| page.comments.is_empty()).await;
    }
    let tombstone = |note: &Value| json!({"id": id_of(note), "type": "Tombstone"});
    for case in ["followers", "nobody", "gone", "not found", "tombstone"] {
        let note = fixture.comment(alice, &article, "First words").await;
        let path = target_of(id_of(&note));
        match case {
            "followers" => {
                let followers =
                    json!({"to": [format!("{}/followers", alice.id())], "cc": [], "inReplyTo": null});
                edit_with(alice, &note, "Secret words", 60, &followers);
            }
            "nobody" => {
                edit_with(alice, &note, "Secret words", 60, &json!({"to": null, "cc": null}));
            }
            "gone" => fixture.remote.serve(&path, Document::status(410)),
            "not found" => fixture.remote.serve(&path, Document::status(404)),
            _ => fixture.remote.serve(&path, Document::activity_json(&tombstone(&note))),
        }
        alice.deliver(fixture.inbox(), &reference(&note)).await;
        let page = fixture.await_page(&article, case, |page| page.comments.is_empty()).await;
        assert!(!page.text.contains("Secret words"), "{case}");
    }
}

async fn an_edit_without_a_parent_waits_for_its_comment(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let (alice, bob) = (&fixture.alice, fixture.remote.user("bob"));
    let parent = bob.reply(id_of(&article), "<p>The parent</p>");
    // The parent cannot be fetched, so the reply waits until it arrives.
    fixture.remote.serve(&target_of(id_of(&parent)), Document::status(503));
    let note = alice.reply(id_of(&parent), "<p>First words</p>");
    alice.deliver(fixture.inbox(), &alice.create(&note)).await;
    fixture.app.await_log("the deferred reply", |line| line.contains("waiting for the parent post")).await;
    let update = edit_with(alice, &note, "Second words", 60, &json!({"inReplyTo": null}));
    alice.deliver(fixture.inbox(), &update).await;
    fixture.settle().await;
    bob.deliver(fixture.inbox(), &bob.create(&parent)).await;
    let page = fixture.await_page(&article, "the edit", shows("Second words")).await;
    assert!(page.comment("First words").is_none());
}

async fn a_post_that_was_narrowed_before_it_arrived_is_not_shown(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let alice = &fixture.alice;
    let followers = format!("{}/followers", alice.id());
    for parent in [json!(null), json!(id_of(&article))] {
        let note = alice.reply(id_of(&article), "<p>Public for a moment</p>");
        let narrowed = json!({"to": [followers], "cc": [], "inReplyTo": parent});
        let update = edit_with(alice, &note, "Secret words", 60, &narrowed);
        alice.deliver(fixture.inbox(), &update).await;
        fixture.settle().await;
        alice.deliver(fixture.inbox(), &alice.create(&note)).await;
        fixture.settle().await;
        let page = fixture.page(&article).await;
        assert!(page.comments.is_empty(), "{parent}: {}", page.text);
    }
}

async fn nobody_else_edits_or_deletes_a_comment(database: Database) {
    let network = TestNetwork::new();
    let (remote, evil) = (network.remote("remote.test").await, network.remote("evil.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.comment(&fixture.alice, &article, "First words").await;
    let tombstone = json!({"id": id_of(&note), "type": "Tombstone"});
    for attacker in [evil.user("mallory"), fixture.remote.user("bob")] {
        let mut claimed = note.clone();
        claimed["content"] = json!("<p>Stolen words</p>");
        claimed["attributedTo"] = json!(attacker.id());
        claimed["inReplyTo"] = json!(null);
        let mut private = claimed.clone();
        private["to"] = json!([attacker.id()]);
        private["cc"] = json!([]);
        for object in [claimed, private, tombstone.clone(), json!(id_of(&note))] {
            // Some of these are rejected at once.
            attacker.send(fixture.inbox(), &attacker.activity("Update", &object)).await;
        }
    }
    fixture.settle().await;
    let page = fixture.page(&article).await;
    assert!(page.comment("First words").is_some() && !page.text.contains("Stolen"), "{}", page.text);
}

async fn an_update_of_an_unknown_post_without_a_parent_is_ignored(database: Database) {
    let (fixture, article, _) = fixture_with_comment(database).await;
    let alice = &fixture.alice;
    let unknown = alice.reply(id_of(&article), "<p>Never sent</p>");
    let mut update = edit_with(alice, &unknown, "Out of nowhere", 60, &json!({"inReplyTo": null}));
    update["to"] = json!([PUBLIC]);
    alice.deliver(fixture.inbox(), &update).await;
    fixture.app.await_log("the ignored edit", |line| line.contains("not a reply")).await;
    assert_eq!(fixture.page(&article).await.comments.len(), 1);
}
