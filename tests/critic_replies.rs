//! The critic replies to comments in the thread of a review.

use serde_json::Value;

use crate::both_databases;
use crate::support::activities::{PUBLIC, id_of};
use crate::support::config_file::url;
use crate::support::http::{AS2, HTML};
use crate::support::page::Page;
use crate::support::{Database, Fixture, TestNetwork, eventually};

both_databases!(
    the_critics_reply_reaches_the_author_the_followers_and_the_thread,
    the_critics_reply_is_shown_under_its_parent,
    the_critics_reply_can_be_edited_and_deleted,
    a_duplicate_reply_is_rejected,
    accounts_named_in_a_reply_are_mentioned,
    the_critics_reply_is_served_as_it_was_sent,
    a_reply_to_the_critics_reply_is_threaded_under_it,
    the_critics_replies_are_deleted_with_a_retracted_review,
    an_impossible_reply_fails_with_an_explanation,
    a_reply_written_while_the_server_is_down_is_delivered_at_its_start,
);

/// Replies from the command line, and returns the URL of the reply on the page.
async fn post_reply(fixture: &Fixture, to: &str, text: &str) -> String {
    let printed = fixture.app.command_output(&["comment", "reply", to, "--text", text]).await;
    let address = printed.split_whitespace().find(|word| word.starts_with("https://"));
    address.unwrap_or_else(|| panic!("{printed}")).to_owned()
}

/// The id of the Note at this URL of a page.
pub fn note_at(fixture: &Fixture, address: &str) -> String {
    let (_, id) = address.split_once("#comment-").expect("an anchor");
    let (origin, _) = fixture.actor().split_once("/ap/").expect("an id");
    format!("{origin}/ap/note/{id}")
}

fn is_about(kind: &str, note: &str) -> impl Fn(&Value) -> bool {
    let (kind, note) = (kind.to_owned(), note.to_owned());
    move |a| a["type"] == kind.as_str() && a["object"].is_object() && a["object"]["id"] == note.as_str()
}

/// A fixture with a second remote server.
async fn fixture_with_second_remote(database: Database) -> (Fixture, crate::support::remote::Remote) {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let other = network.remote("other.test").await;
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    (fixture, other)
}

async fn the_critics_reply_reaches_the_author_the_followers_and_the_thread(database: Database) {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let (fans, others) = (network.remote("fans.test").await, network.remote("others.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    let article = fixture.publish("The Night Ferry").await;
    let (fan, other) = (fans.user("fan"), others.user("other"));
    fixture.follow(&fixture.alice).await;
    fixture.comment(&fixture.remote.user("neighbour"), &article, "A word from next door").await;
    fan.deliver(fixture.inbox(), &fan.follow(fixture.actor())).await;
    fans.await_activity("the Accept", |a| a["type"] == "Accept").await;
    fixture.comment(&other, &article, "Another word").await;
    let note = fixture.comment(&fixture.alice, &article, "Who waves at ferries").await;

    let address = post_reply(&fixture, id_of(&note), "Nobody, *and that is the point*.").await;
    let id = note_at(&fixture, &address);
    let create = fixture.remote.await_activity("the Create", is_about("Create", &id)).await;
    for follower in [&fans, &others] {
        let copy = follower.await_activity("the Create", is_about("Create", &id)).await;
        assert_eq!(copy, create, "everyone gets the same bytes");
    }
    assert_eq!(create["actor"], fixture.actor());
    let object = &create["object"];
    assert_eq!((&object["type"], &object["attributedTo"]), (&"Note".into(), &create["actor"]));
    assert_eq!(object["inReplyTo"], note["id"]);
    assert_eq!(object["to"], serde_json::json!([PUBLIC]));
    let cc = object["cc"].as_array().expect("cc");
    assert!(cc.contains(&fixture.critic["followers"]) && cc.contains(&fixture.alice.id().into()), "{cc:?}");
    let tag = &object["tag"][0];
    assert_eq!((&tag["type"], &tag["href"]), (&"Mention".into(), &fixture.alice.id().into()));
    assert_eq!(tag["name"], format!("@{}", fixture.alice.handle()));
    let content = object["content"].as_str().expect("content");
    assert!(content.contains(">@<span>alice</span></a></span> Nobody, <em>"), "{content}");
    assert_eq!(object["contentMap"]["en"], object["content"]);
    assert_eq!(object["context"], article["context"]);
    assert_eq!(object["url"], address);
    fixture.settle().await;
    let received = fixture.remote.received();
    let copies = received.iter().filter(|delivery| delivery.activity["id"] == create["id"]).count();
    assert_eq!(copies, 1, "the follower, the author and the other user share an inbox");

    let served = fixture.network.client.document(&id).await;
    for member in ["type", "content", "inReplyTo", "to", "cc", "tag", "published", "url"] {
        assert_eq!(served[member], object[member], "{member}");
    }
    let again = fixture.network.client.document(id_of(&create)).await;
    assert_eq!(again, create, "the activity can be fetched");
}

async fn the_critics_reply_is_shown_under_its_parent(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.comment(&fixture.alice, &article, "Who waves at ferries").await;
    let slug = article["url"].as_str().expect("a page").rsplit('/').next().expect("a slug").to_owned();
    let under_note = post_reply(&fixture, note["url"].as_str().expect("its page"), "Nobody at all").await;
    let under_review = post_reply(&fixture, &slug, "One more thing").await;
    let page = fixture.page(&article).await;
    let shown = page.comment("Nobody at all").expect("the reply");
    assert!(under_note.ends_with(&format!("#{}", shown.anchor)), "{under_note}");
    assert!(page.parent_of(shown).expect("its parent").text.contains("Who waves at ferries"));
    assert!(
        shown.text.contains("The Critic") && shown.text.contains("@critic@marquee.test"),
        "{}",
        shown.text
    );
    assert!(shown.text.contains("critic "), "the reply is marked as the critic's: {}", shown.text);
    assert!(page.parent_of(page.comment("One more thing").expect("the reply to the review")).is_none());

    let client = &fixture.network.client;
    let first = client.document(&format!("{}/replies?page=1", id_of(&article))).await;
    let items = first["items"].as_array().expect("items");
    let (one, two) = (note_at(&fixture, &under_note), note_at(&fixture, &under_review));
    assert!(items.contains(&one.clone().into()) && items.contains(&two.into()), "{items:?}");
    let context = client.document(article["context"].as_str().expect("a context")).await;
    assert!(context["orderedItems"].as_array().expect("posts").contains(&one.clone().into()));
    let response = client.get(&one, HTML).await;
    assert!(
        (300..400).contains(&response.status),
        "a browser is redirected to the page: {}",
        response.status
    );
    assert_eq!(response.header("location"), under_note);
}

async fn the_critics_reply_can_be_edited_and_deleted(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.comment(&fixture.alice, &article, "Who waves at ferries").await;
    let address = post_reply(&fixture, id_of(&note), "Nobody at all").await;
    let id = note_at(&fixture, &address);
    let create = fixture.remote.await_activity("the Create", is_about("Create", &id)).await;
    let mut last = create["object"]["published"].as_str().expect("a date").to_owned();
    for text in ["Somebody, once", "Somebody, twice"] {
        fixture.app.command_output(&["comment", "edit", &address, "--text", text]).await;
        let is_match = |a: &Value| {
            is_about("Update", &id)(a) && a["object"]["content"].as_str().is_some_and(|c| c.contains(text))
        };
        let update = fixture.remote.await_activity("the Update", is_match).await;
        let updated = update["object"]["updated"].as_str().expect("a date").to_owned();
        assert!(updated > last, "{updated} is newer than {last}");
        assert_eq!(update["object"]["published"], create["object"]["published"]);
        last = updated;
    }
    let page = fixture.page(&article).await;
    assert!(page.comment("Somebody, twice").is_some() && !page.text.contains("Nobody at all"));
    let old = fixture.network.client.get(id_of(&create), AS2).await;
    assert!(!old.body.contains("Nobody at all"), "replaced text is not served again");
    let same = fixture.app.cli(&["comment", "edit", &address, "--text", "Somebody, twice"]).await;
    assert!(
        !same.status.success() && String::from_utf8_lossy(&same.stderr).contains("already has this text")
    );

    fixture.app.command_output(&["comment", "delete", &id]).await;
    let delete = fixture.remote.await_activity("the Delete", is_about("Delete", &id)).await;
    assert_eq!(delete["object"]["type"], "Tombstone");
    let deleted = fixture.network.client.get(&id, AS2).await;
    assert_eq!((deleted.status, deleted.json()["type"].clone()), (410, "Tombstone".into()));
    for address in [&id, id_of(&create)] {
        let response = fixture.network.client.get(address, AS2).await;
        assert!(
            response.status == 410 && !response.body.contains("Somebody"),
            "{address}: {}",
            response.status
        );
    }
    let page = fixture.page(&article).await;
    assert!(!page.text.contains("Somebody") && page.comments.len() == 1);
    let again = fixture.app.cli(&["comment", "delete", &id]).await;
    assert!(!again.status.success());
}

async fn a_duplicate_reply_is_rejected(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.comment(&fixture.alice, &article, "Who waves at ferries").await;
    let address = post_reply(&fixture, id_of(&note), "Nobody at all").await;
    let again = fixture.app.cli(&["comment", "reply", id_of(&note), "--text", " Nobody at all\n"]).await;
    assert!(!again.status.success());
    let stderr = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(stderr.contains(&address), "{stderr}");
    post_reply(&fixture, id_of(&article), "Nobody at all").await;
    let page = fixture.page(&article).await;
    assert_eq!(page.comments.iter().filter(|c| c.text.contains("Nobody at all")).count(), 2);
}

async fn accounts_named_in_a_reply_are_mentioned(database: Database) {
    let (fixture, other) = fixture_with_second_remote(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let bob = other.user("bob");
    let follow = bob.follow(fixture.actor());
    bob.deliver(fixture.inbox(), &follow).await;
    other.await_activity("the Accept", |a| a["type"] == "Accept").await;
    bob.deliver(fixture.inbox(), &bob.undo(&follow)).await;
    let note = fixture.comment(&fixture.alice, &article, "Who waves at ferries").await;
    let text = "Ask @bob@other.test, and not @nobody@other.test.\n";
    let file = fixture.app.write("reply.md", text);
    let printed = fixture.app.command_output(&["comment", "reply", id_of(&note), &file]).await;
    assert!(printed.starts_with("Replied: "), "{printed}");
    let is_match = |a: &Value| a["type"] == "Create" && a["object"]["type"] == "Note";
    let create = other.await_activity("the Create, because bob is mentioned", is_match).await;
    let tags = create["object"]["tag"].as_array().expect("tags");
    let mentioned: Vec<&str> = tags.iter().filter_map(|tag| tag["href"].as_str()).collect();
    assert_eq!(mentioned, [fixture.alice.id(), bob.id()]);
    let content = create["object"]["content"].as_str().expect("content");
    assert!(content.contains("class=\"mention\"") && content.contains(">@bob</a>"), "{content}");
    assert!(content.contains("@nobody@other.test"), "{content}");
}

async fn the_critics_reply_is_served_as_it_was_sent(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.comment(&fixture.alice, &article, "Who waves at ferries").await;
    let id = note_at(&fixture, &post_reply(&fixture, id_of(&note), "Nobody at all").await);
    let create = fixture.remote.await_activity("the Create", is_about("Create", &id)).await;
    assert_eq!(create["object"]["tag"][0]["href"], fixture.alice.id());
    let leave = fixture.alice.activity("Delete", &fixture.alice.id().into());
    fixture.alice.deliver(fixture.shared_inbox(), &leave).await;
    let is_gone = |page: &Page| page.text.contains("This comment was deleted by its author.");
    fixture.await_page(&article, "a placeholder", is_gone).await;
    let served = fixture.network.client.document(&id).await;
    for member in ["tag", "content", "to", "cc"] {
        assert_eq!(served[member], create["object"][member], "{member}");
    }
}

async fn a_reply_to_the_critics_reply_is_threaded_under_it(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.comment(&fixture.alice, &article, "Who waves at ferries").await;
    let id = note_at(&fixture, &post_reply(&fixture, id_of(&note), "Nobody at all").await);
    let reply = fixture.alice.reply(&id, "<p>Sad, that</p>");
    fixture.alice.deliver(fixture.shared_inbox(), &fixture.alice.create(&reply)).await;
    let page = fixture.await_page(&article, "the reply", |page| page.comment("Sad, that").is_some()).await;
    let parent = page.parent_of(page.comment("Sad, that").expect("the reply")).expect("the reply");
    assert!(parent.text.contains("Nobody at all"));
    let client = &fixture.network.client;
    let replies = client.document(&format!("{id}/replies")).await;
    assert_eq!(replies["totalItems"], 1);
    let first = client.document(replies["first"].as_str().expect("a page")).await;
    assert_eq!(first["items"], serde_json::json!([id_of(&reply)]));

    fixture.app.command_output(&["comment", "delete", &id]).await;
    let has_placeholder = |page: &Page| page.text.contains("This comment was deleted by its author.");
    let page = fixture.await_page(&article, "a placeholder", has_placeholder).await;
    assert!(!page.text.contains("Nobody at all"));
    assert!(
        page.parent_of(page.comment("Sad, that").expect("the reply")).is_some(),
        "the reply stays under the placeholder"
    );
    assert_eq!(client.get(&format!("{id}/replies"), AS2).await.status, 410);
}

async fn the_critics_replies_are_deleted_with_a_retracted_review(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let slug = article["url"].as_str().expect("a page").rsplit('/').next().expect("a slug").to_owned();
    let id = note_at(&fixture, &post_reply(&fixture, &slug, "One more thing").await);
    let client = &fixture.network.client;
    let count_replies = || async {
        let nodeinfo = client.get(&url("/nodeinfo/2.1"), "*/*").await.json();
        nodeinfo["usage"]["localComments"].clone()
    };
    assert_eq!(count_replies().await, 1);
    let create = fixture.remote.distinct_activities("Create");
    fixture.app.command_output(&["retract", &slug]).await;
    eventually("the Note to be gone", || async { (client.get(&id, AS2).await.status == 410).then_some(()) })
        .await;
    let tombstone = client.get(&id, AS2).await;
    assert!(
        tombstone.json()["type"] == "Tombstone" && !tombstone.body.contains("One more thing"),
        "{}",
        tombstone.body
    );
    assert_eq!(client.get(&id, HTML).await.status, 410);
    assert_eq!(client.get(&format!("{id}/replies"), AS2).await.status, 410);
    for create in create.iter().filter(|create| create["object"]["id"] == *id) {
        assert_eq!(client.get(id_of(create), AS2).await.status, 410);
    }
    eventually("NodeInfo not to count it", || async { (count_replies().await == 0).then_some(()) }).await;
    let edit = fixture.app.cli(&["comment", "edit", &id, "--text", "x"]).await;
    assert!(!edit.status.success(), "a deleted reply cannot be edited");
    fixture.app.command_output(&["comment", "delete", &id]).await;
}

async fn an_impossible_reply_fails_with_an_explanation(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.comment(&fixture.alice, &article, "Who waves at ferries").await;
    fixture.app.command_output(&["comment", "hide", id_of(&note)]).await;
    let unknown_status = fixture.remote.url("/users/alice/statuses/1");
    for (to, text, reason) in [
        (id_of(&note), "A word", "hidden"),
        (unknown_status.as_str(), "A word", "no comment or review"),
        (id_of(&article), "<!-- -->", "empty"),
    ] {
        let output = fixture.app.cli(&["comment", "reply", to, "--text", text]).await;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && stderr.contains(reason), "{stderr}");
        assert_eq!(stderr.trim().lines().count(), 1, "{stderr}");
    }
    let unknown = format!("{}/ap/note/01ARZ3NDEKTSV4RRFFQ69G5FAV", "https://marquee.test");
    eventually("404 for an unknown note", || async {
        (fixture.network.client.get(&unknown, AS2).await.status == 404).then_some(())
    })
    .await;
}

async fn a_reply_written_while_the_server_is_down_is_delivered_at_its_start(database: Database) {
    let mut fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.comment(&fixture.alice, &article, "Who waves at ferries").await;
    fixture.app.kill9();
    let id = note_at(&fixture, &post_reply(&fixture, id_of(&note), "Nobody at all").await);
    fixture.app.start().await;
    fixture.remote.await_activity("the Create", is_about("Create", &id)).await;
    fixture.app.kill9();
    fixture.app.command_output(&["comment", "edit", &id, "--text", "Somebody"]).await;
    fixture.app.command_output(&["comment", "delete", &id]).await;
    fixture.app.start().await;
    fixture.remote.await_activity("the Delete", is_about("Delete", &id)).await;
    fixture.settle().await;
    assert!(fixture.remote.distinct_activities("Update").is_empty(), "no Update of a deleted reply is sent");
}
