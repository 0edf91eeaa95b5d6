//! Activities of other servers, in all forms in which they occur.

use serde_json::{Value, json};

use crate::both_databases;
use crate::end_to_end::{await_followers, await_total_items, total_items};
use crate::support::activities::{PUBLIC, id_of};
use crate::support::remote::{ScriptedResponse, User};
use crate::support::signature::SignatureScheme;
use crate::support::{Database, Fixture, TestNetwork, eventually};

both_databases!(
    every_type_of_object_that_can_be_a_reply_is_a_comment,
    a_reply_is_a_comment_in_every_form,
    follows_and_unfollows_count_in_every_form,
    reactions_and_their_undos_count_in_every_form,
    unknown_and_irrelevant_activities_are_accepted_without_effect,
    a_known_comment_can_be_edited_and_deleted_by_reference,
    a_follower_that_moves_is_counted_once,
    a_follow_waits_for_approval_if_the_critic_wants_that,
    a_report_is_kept_until_it_is_closed,
    the_first_comment_of_an_actor_is_held_if_configured,
    a_blocked_actor_gets_403_and_is_not_fetched,
    an_activity_with_its_own_signature_is_forwarded_to_the_followers,
    a_deleted_comment_is_not_forwarded_again,
    nothing_remains_of_a_deleted_account,
);

/// Changes the form of a Create.
type Transform = fn(&mut Value, &User);

async fn fixture_with_article(database: Database) -> (Fixture, Value) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    (fixture, article)
}

/// Delivers a Create of the note, and waits until the page shows it.
async fn assert_shown(fixture: &Fixture, article: &Value, create: &Value, text: &str) {
    fixture.alice.deliver(fixture.inbox(), create).await;
    fixture.await_page(article, text, |page| page.comment(text).is_some()).await;
}

async fn every_type_of_object_that_can_be_a_reply_is_a_comment(database: Database) {
    let (fixture, article) = fixture_with_article(database).await;
    let kinds = [
        json!("Note"),
        json!("Article"),
        json!("Page"),
        json!("Question"),
        json!("Video"),
        json!("Audio"),
        json!("Image"),
        json!("Event"),
        json!(["Note", "https://home.example/ns#Postcard"]),
        json!("as:Note"),
        json!("https://www.w3.org/ns/activitystreams#Note"),
    ];
    for (number, kind) in kinds.into_iter().enumerate() {
        let text = format!("Voice {number} of all");
        let mut note = fixture.alice.reply(id_of(&article), &format!("<p>{text}</p>"));
        note["type"] = kind;
        fixture.alice.publish(&note);
        let mut create = fixture.alice.create(&note);
        if number % 2 == 1 {
            create["type"] = json!(["Create"]);
        }
        assert_shown(&fixture, &article, &create, &text).await;
        let edited = format!("Voice {number}, again");
        fixture
            .alice
            .deliver(fixture.inbox(), &fixture.alice.edit(&note, &format!("<p>{edited}</p>"), 60))
            .await;
        fixture.await_page(&article, &edited, |page| page.comment(&edited).is_some()).await;
        if number % 3 == 0 {
            fixture.alice.deliver(fixture.inbox(), &fixture.alice.delete(&note)).await;
            fixture
                .await_page(&article, "the comment to disappear", |page| page.comment(&edited).is_none())
                .await;
        }
    }
}

async fn a_reply_is_a_comment_in_every_form(database: Database) {
    let (fixture, article) = fixture_with_article(database).await;
    let alice = &fixture.alice;
    let forms: [(&str, Transform); 9] = [
        ("as it is", |_, _| ()),
        ("a list of one", |create, _| create["object"] = json!([create["object"]])),
        ("contentMap alone", |create, _| {
            create["object"]["content"] = Value::Null;
        }),
        ("no audience of its own", |create, _| {
            let note = create["object"].as_object_mut().expect("a note");
            note.remove("to");
            note.remove("cc");
        }),
        ("an audience", |create, _| {
            for level in [1, 2] {
                let target = if level == 1 { &mut *create } else { &mut create["object"] };
                let members = target.as_object_mut().expect("an object");
                members.remove("to");
                members.remove("cc");
                members.insert("audience".into(), json!([PUBLIC]));
            }
        }),
        ("as:Public", |create, _| create["object"]["to"] = json!("as:Public")),
        ("authors in a list", |create, user| {
            create["object"]["attributedTo"] = json!([{"type": "Person", "id": user.id()}]);
        }),
        ("an actor in full", |create, user| create["actor"] = user.actor()),
        ("no id", |create, _| {
            create.as_object_mut().expect("an activity").remove("id");
        }),
    ];
    for (name, transform) in forms {
        let text = format!("Form: {name}.");
        let note = alice.reply(id_of(&article), &format!("<p>{text}</p>"));
        let mut create = alice.create(&note);
        transform(&mut create, alice);
        assert_shown(&fixture, &article, &create, &text).await;
    }
    let note = alice.reply(id_of(&article), "<p>By its id alone</p>");
    let create = json!({"type": "Create", "actor": alice.id(), "object": id_of(&note)});
    assert_shown(&fixture, &article, &create, "By its id alone").await;
}

async fn follows_and_unfollows_count_in_every_form(database: Database) {
    let fixture = Fixture::new(database).await;
    let actor = fixture.actor().to_owned();
    let objects =
        [json!(actor), json!([actor]), json!({"id": actor, "type": "Person"}), fixture.critic.clone()];
    for (number, object) in objects.into_iter().enumerate() {
        let user = fixture.remote.user(&format!("follower{number}"));
        let mut follow = user.follow(&actor);
        follow["object"] = object;
        let is_without_id = number == 1;
        if is_without_id {
            follow.as_object_mut().expect("a Follow").remove("id");
        }
        user.deliver(fixture.shared_inbox(), &follow).await;
        await_followers(&fixture, 1).await;
        let accepted = |a: &Value| a["type"] == "Accept" && a["object"]["actor"] == user.id();
        let accept = fixture.remote.await_activity("the Accept", accepted).await;
        assert_eq!(accept["object"]["id"], follow["id"]);
        let object = if number == 2 { follow["id"].clone() } else { follow };
        let undo = json!({"type": "Undo", "actor": user.id(), "object": object});
        user.deliver(fixture.inbox(), &undo).await;
        await_followers(&fixture, 0).await;
    }
}

async fn reactions_and_their_undos_count_in_every_form(database: Database) {
    let (fixture, article) = fixture_with_article(database).await;
    let alice = &fixture.alice;
    for (kind, total_items) in [("Like", "likes"), ("EmojiReact", "likes"), ("Announce", "shares")] {
        for form in ["embedded", "by id", "without id"] {
            let mut reaction = alice.activity(kind, &json!([{"id": id_of(&article), "type": "Article"}]));
            reaction["content"] = json!("🍿");
            if form == "without id" {
                reaction.as_object_mut().expect("an activity").remove("id");
            }
            alice.deliver(fixture.inbox(), &reaction).await;
            await_total_items(&fixture, &article, total_items, 1).await;
            let object = if form == "by id" { reaction["id"].clone() } else { reaction };
            let undo = json!({"type": "Undo", "actor": alice.id(), "object": object});
            alice.deliver(fixture.inbox(), &undo).await;
            await_total_items(&fixture, &article, total_items, 0).await;
        }
    }
}

async fn unknown_and_irrelevant_activities_are_accepted_without_effect(database: Database) {
    let (fixture, article) = fixture_with_article(database).await;
    let (alice, before) = (&fixture.alice, fixture.article(&article).await);
    let elsewhere = json!("https://elsewhere.test/users/victim/statuses/1");
    for kind in ["Dislike", "Add", "Remove", "Listen", "View", "Bite", "https://home.example/ns#Wave"] {
        for object in
            [json!(id_of(&article)), json!([]), Value::Null, json!(7), json!({"type": "Odd"}), json!("odd")]
        {
            alice.deliver(fixture.inbox(), &alice.activity(kind, &object)).await;
        }
    }
    for kind in ["Like", "Announce", "Block", "Flag", "Move", "Delete", "Undo", "Follow", "Accept", "Reject"]
    {
        alice.deliver(fixture.inbox(), &alice.activity(kind, &elsewhere)).await;
    }
    for kind in ["Create", "Update"] {
        let odd = json!({"id": format!("{}/odd/1", alice.id()), "type": "Game", "inReplyTo": id_of(&article), "content": "Odd"});
        alice.deliver(fixture.inbox(), &alice.activity(kind, &odd)).await;
    }
    fixture.settle().await;
    assert_eq!(fixture.article(&article).await, before);
    assert!(fixture.page(&article).await.comments.is_empty());
    let is_ignored = |line: &str| line.contains("unsupported activity type");
    fixture.app.await_log("the ignored activity in the log", is_ignored).await;
}

async fn a_known_comment_can_be_edited_and_deleted_by_reference(database: Database) {
    let (fixture, article) = fixture_with_article(database).await;
    let alice = &fixture.alice;
    let note = fixture.comment(alice, &article, "First words").await;
    alice.edit(&note, "<p>Second words</p>", 60);
    let update = json!({"type": "Update", "actor": alice.id(), "object": id_of(&note)});
    alice.deliver(fixture.inbox(), &update).await;
    fixture.await_page(&article, "the edit", |page| page.comment("Second words").is_some()).await;
    let delete = json!({"type": "Delete", "actor": alice.id(), "object": id_of(&note)});
    alice.deliver(fixture.inbox(), &delete).await;
    fixture.await_page(&article, "the deletion", |page| page.comments.is_empty()).await;
}

async fn a_follower_that_moves_is_counted_once(database: Database) {
    let network = TestNetwork::new();
    let (remote, second) = (network.remote("remote.test").await, network.remote("second.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    fixture.follow(&fixture.alice).await;
    let new = second.user("alice");
    let mut claim = new.actor();
    claim["alsoKnownAs"] = json!(["https://elsewhere.test/users/x", fixture.alice.id()]);
    new.serve_actor(&claim);
    let mut moved = fixture.alice.activity("Move", &json!(fixture.alice.id()));
    moved["target"] = json!(new.id());
    fixture.alice.deliver(fixture.inbox(), &moved).await;
    let list = format!("{}?page=1", fixture.critic["followers"].as_str().expect("followers"));
    eventually("the new account to follow", || async {
        fixture.network.client.document(&list).await.to_string().contains(&new.id()).then_some(())
    })
    .await;
    await_followers(&fixture, 1).await;
    // The other activities of the move change nothing: the new account follows, and the old one unfollows.
    let follow = new.follow(fixture.actor());
    new.deliver(fixture.inbox(), &follow).await;
    let accepted = |a: &Value| a["type"] == "Accept" && a["object"]["id"] == follow["id"];
    second.await_activity("the Accept", accepted).await;
    let undo = fixture.alice.undo(&fixture.alice.follow(fixture.actor()));
    fixture.alice.deliver(fixture.inbox(), &undo).await;
    moved["id"] = json!(format!("{}/moves/again", fixture.alice.id()));
    fixture.alice.deliver(fixture.inbox(), &moved).await;
    fixture.settle().await;
    await_followers(&fixture, 1).await;
    fixture.publish("Second Film").await;
    let is_match = |a: &Value| a["type"] == "Create" && a.to_string().contains("Second Film");
    second.await_activity("the Create", is_match).await;
}

async fn a_follow_waits_for_approval_if_the_critic_wants_that(database: Database) {
    let fixture =
        Fixture::with(database, |_, settings| settings.set("moderation", "approve_followers", "true")).await;
    let article = fixture.publish("The Night Ferry").await;
    let bob = fixture.remote.user("bob");
    let follow = bob.follow(fixture.actor());
    bob.deliver(fixture.inbox(), &follow).await;
    // When a later comment is shown, everything before it has been processed.
    fixture.comment(&bob, &article, "May I come in").await;
    await_followers(&fixture, 0).await;
    bob.deliver(fixture.inbox(), &bob.undo(&follow)).await;
    fixture.comment(&bob, &article, "Never mind").await;
    assert!(!fixture.remote.received().iter().any(|received| received.activity["type"] == "Accept"));
}

async fn a_report_is_kept_until_it_is_closed(database: Database) {
    let (fixture, article) = fixture_with_article(database).await;
    let note = fixture.comment(&fixture.alice, &article, "Here I stand").await;
    let instance = fixture.remote.user("instance");
    let mut flag = instance.activity("Flag", &json!([fixture.alice.id(), id_of(&note)]));
    flag["content"] = json!("Rude\nto \u{1b}[31mferries");
    for inbox in [fixture.inbox(), fixture.shared_inbox()] {
        instance.deliver(inbox, &flag).await;
    }
    fixture.settle().await;
    let listed = fixture.app.command_output(&["report", "list"]).await;
    assert!(listed.contains(&instance.id()) && listed.contains(id_of(&note)), "{listed}");
    assert!(listed.contains("Rude to") && !listed.contains('\u{1b}'), "{listed}");
    assert_eq!(listed.matches(" by ").count(), 1, "{listed}");
    let id = listed.split_whitespace().next().expect("an id");
    fixture.app.command_output(&["report", "close", id]).await;
    assert_eq!(fixture.app.command_output(&["report", "list"]).await.trim(), "no open reports");
    assert!(
        !fixture.app.cli(&["report", "close", id]).await.status.success(),
        "a report cannot be closed twice"
    );
}

async fn the_first_comment_of_an_actor_is_held_if_configured(database: Database) {
    let fixture =
        Fixture::with(database, |_, settings| settings.set("moderation", "first_comments", "\"held\"")).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.alice.reply(id_of(&article), "<p>Let me in</p>");
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&note)).await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.edit(&note, "<p>Let me in, please</p>", 60)).await;
    fixture.settle().await;
    assert!(!fixture.page(&article).await.text.contains("Let me in"));
    let now = fixture.article(&article).await;
    assert_eq!(total_items(&fixture, &now["replies"]).await, 0);
    let context = fixture.network.client.document(id_of(&now["context"])).await;
    assert!(!context.to_string().contains(id_of(&note)), "{context}");
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.delete(&note)).await;
    fixture.settle().await;
    assert!(!fixture.page(&article).await.text.contains("Let me in"));
}

async fn a_blocked_actor_gets_403_and_is_not_fetched(database: Database) {
    let fixture =
        Fixture::with(database, |_, settings| settings.set("moderation", "allow_list", "true")).await;
    let article = fixture.publish("The Night Ferry").await;
    let before = fixture.remote.requests();
    let note = fixture.alice.reply(id_of(&article), "<p>Knock knock</p>");
    for activity in [
        fixture.alice.follow(fixture.actor()),
        fixture.alice.create(&note),
        fixture.alice.like(id_of(&article)),
    ] {
        for scheme in [SignatureScheme::Cavage, SignatureScheme::Rfc9421] {
            let request = fixture.alice.unsigned_request(scheme, fixture.inbox(), &activity);
            let response = request.sign().post(&fixture.network.client).await;
            assert_eq!(response.status, 403, "{}", response.body);
        }
    }
    assert_eq!(fixture.remote.requests(), before, "not even its key was fetched");
    await_followers(&fixture, 0).await;
    assert!(fixture.page(&article).await.comments.is_empty());
}

async fn an_activity_with_its_own_signature_is_forwarded_to_the_followers(database: Database) {
    let network = TestNetwork::new();
    let (remote, second) = (network.remote("remote.test").await, network.remote("second.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.follow(&fixture.alice).await;
    let bob = second.user("bob");
    let follow = bob.follow(fixture.actor());
    bob.deliver(fixture.inbox(), &follow).await;
    await_followers(&fixture, 2).await;
    let signature =
        json!({"type": "RsaSignature2017", "creator": fixture.alice.key_id(), "signatureValue": "AAAA"});
    let plain = fixture.comment(&fixture.alice, &article, "Not passed on").await;
    let note = fixture.alice.reply(id_of(&article), "<p>Passed on</p>");
    let mut update = fixture.alice.edit(&note, "<p>Passed on, too</p>", 60);
    let mut create = fixture.alice.create(&note);
    let mut delete = fixture.alice.delete(&note);
    for activity in [&mut create, &mut update, &mut delete] {
        activity["signature"] = signature.clone();
        fixture.alice.deliver(fixture.inbox(), activity).await;
        let is_match = |a: &Value| a["id"] == activity["id"];
        let forwarded = second.await_activity("the forwarded activity", is_match).await;
        assert_eq!(forwarded, *activity, "unchanged");
    }
    // Although it was sent twice, it is forwarded once, and not back to its origin.
    fixture.alice.deliver(fixture.inbox(), &create).await;
    fixture.settle().await;
    let received = second.received();
    assert_eq!(received.iter().filter(|delivery| delivery.activity["id"] == create["id"]).count(), 1);
    assert!(!received.iter().any(|delivery| delivery.activity.to_string().contains(id_of(&plain))));
    assert!(!fixture.remote.received().iter().any(|received| received.activity["id"] == create["id"]));
    second.allow_forwards();
}

async fn a_deleted_comment_is_not_forwarded_again(database: Database) {
    let network = TestNetwork::new();
    let (remote, second) = (network.remote("remote.test").await, network.remote("second.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    let article = fixture.publish("The Night Ferry").await;
    let bob = second.user("bob");
    bob.deliver(fixture.inbox(), &bob.follow(fixture.actor())).await;
    await_followers(&fixture, 1).await;
    second.await_activity("the Accept", |a| a["type"] == "Accept").await;
    second.script([ScriptedResponse::Status(503)]);
    let note = fixture.alice.reply(id_of(&article), "<p>Passed on</p>");
    let (mut create, mut delete) = (fixture.alice.create(&note), fixture.alice.delete(&note));
    for activity in [&mut create, &mut delete] {
        activity["signature"] =
            json!({"type": "RsaSignature2017", "creator": fixture.alice.key_id(), "signatureValue": "AAAA"});
    }
    fixture.alice.deliver(fixture.inbox(), &create).await;
    second.await_rejections(1).await;
    fixture.alice.deliver(fixture.inbox(), &delete).await;
    // A server that sends something is reachable again and gets its pending deliveries.
    bob.deliver(fixture.inbox(), &bob.like(id_of(&article))).await;
    second.await_activity("the Delete", |a| a["id"] == delete["id"]).await;
    assert!(!second.received().iter().any(|received| received.activity["id"] == create["id"]));
    let bodies = fixture.app.received_bodies().await;
    assert!(bodies.contains("Follow") && !bodies.contains("<p>Passed on"), "{bodies}");
    second.allow_forwards();
}

async fn nothing_remains_of_a_deleted_account(database: Database) {
    let (fixture, article) = fixture_with_article(database).await;
    let bob = fixture.remote.user("bob");
    let follow = fixture.follow(&fixture.alice).await;
    let note = fixture.comment(&fixture.alice, &article, "Here I stand").await;
    let reply = bob.reply(id_of(&note), "<p>So you do</p>");
    bob.deliver(fixture.inbox(), &bob.create(&reply)).await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.like(id_of(&article))).await;
    await_total_items(&fixture, &article, "likes", 1).await;
    let mut flag = fixture.alice.activity("Flag", &json!([id_of(&reply)]));
    flag["content"] = json!("Words of mine");
    fixture.alice.deliver(fixture.inbox(), &flag).await;
    let mut late = fixture.alice.unsigned_request(
        SignatureScheme::Cavage,
        fixture.inbox(),
        &fixture.alice.like(id_of(&article)),
    );
    late.date = crate::support::now() - jiff::SignedDuration::from_mins(1);
    fixture.settle().await;
    fixture
        .alice
        .deliver(fixture.inbox(), &fixture.alice.activity("Delete", &json!(fixture.alice.id())))
        .await;
    await_total_items(&fixture, &article, "likes", 0).await;
    await_followers(&fixture, 0).await;
    // Activities that it sent before the deletion are too late.
    let _ = late.sign().post(&fixture.network.client).await;
    fixture.settle().await;
    await_total_items(&fixture, &article, "likes", 0).await;
    let page = fixture.page(&article).await;
    assert!(page.comment("So you do").is_some());
    for trace in ["Here I stand", &fixture.alice.display_name(), &fixture.alice.handle(), "/@alice"] {
        assert!(!page.text.contains(trace), "{trace}: {}", page.text);
    }
    let links: Vec<&str> = page.attribute("href").filter(|link| link.contains("/@alice")).collect();
    assert!(links.is_empty(), "{links:?}");
    let listed = fixture.app.command_output(&["report", "list"]).await;
    assert!(!listed.contains("Words of mine"), "{listed}");
    let list = format!("{}?page=1", fixture.critic["followers"].as_str().expect("followers"));
    assert!(!fixture.network.client.document(&list).await.to_string().contains(&fixture.alice.id()));
    assert!(follow["id"].is_string());
}
