//! The critic answers in the thread of a review.

use serde_json::Value;

use crate::both_databases;
use crate::support::app::url;
use crate::support::http::{AS2, HTML};
use crate::support::page::Page;
use crate::support::shapes::{PUBLIC, id_of};
use crate::support::{Database, Stage, World, eventually};

both_databases!(
    an_answer_reaches_the_author_the_followers_and_the_thread,
    an_answer_stands_on_the_page_under_what_it_answers,
    an_edit_of_an_answer_is_newer_and_a_deletion_is_for_good,
    the_same_answer_again_is_refused,
    an_answer_names_whom_its_text_names,
    an_answer_is_served_as_it_was_sent_whatever_became_of_whom_it_names,
    a_reply_to_an_answer_hangs_under_it,
    answers_go_with_the_review_that_is_retracted,
    what_can_not_be_answered_is_said,
    an_answer_that_is_written_while_the_server_is_down_goes_out_at_its_start,
);

/// Answers, and gives the address of the answer on the page.
async fn answer(stage: &Stage, to: &str, text: &str) -> String {
    let printed = stage.app.command_output(&["comment", "reply", to, "--text", text]).await;
    let address = printed.split_whitespace().find(|word| word.starts_with("https://"));
    address.unwrap_or_else(|| panic!("{printed}")).to_owned()
}

/// The id of a Note whose place on the page has this address.
pub fn note_at(stage: &Stage, address: &str) -> String {
    let (_, id) = address.split_once("#comment-").expect("an anchor");
    let (origin, _) = stage.actor().split_once("/ap/").expect("an id");
    format!("{origin}/ap/note/{id}")
}

fn is_about(kind: &str, note: &str) -> impl Fn(&Value) -> bool {
    let (kind, note) = (kind.to_owned(), note.to_owned());
    move |a| a["type"] == kind.as_str() && a["object"].is_object() && a["object"]["id"] == note.as_str()
}

/// A stage with a second remote server.
async fn stage_with_another(database: Database) -> (Stage, crate::support::remote::Remote) {
    let world = World::new();
    let remote = world.remote("remote.test").await;
    let other = world.remote("other.test").await;
    let stage = Stage::in_world(world, remote, database, |_, settings| settings).await;
    (stage, other)
}

async fn an_answer_reaches_the_author_the_followers_and_the_thread(database: Database) {
    let world = World::new();
    let remote = world.remote("remote.test").await;
    let (fans, others) = (world.remote("fans.test").await, world.remote("others.test").await);
    let stage = Stage::in_world(world, remote, database, |_, settings| settings).await;
    let article = stage.publish("The Night Ferry").await;
    let (fan, other) = (fans.user("fan"), others.user("other"));
    stage.follow(&stage.alice).await;
    stage.comment(&stage.remote.user("neighbour"), &article, "A word from next door").await;
    fan.deliver(stage.inbox(), &fan.follow(stage.actor())).await;
    fans.await_activity("the Accept", |a| a["type"] == "Accept").await;
    stage.comment(&other, &article, "Another word").await;
    let note = stage.comment(&stage.alice, &article, "Who waves at ferries").await;

    let address = answer(&stage, id_of(&note), "Nobody, *and that is the point*.").await;
    let id = note_at(&stage, &address);
    let create = stage.remote.await_activity("the Create", is_about("Create", &id)).await;
    for follower in [&fans, &others] {
        let copy = follower.await_activity("the Create", is_about("Create", &id)).await;
        assert_eq!(copy, create, "everyone gets the same bytes");
    }
    assert_eq!(create["actor"], stage.actor());
    let object = &create["object"];
    assert_eq!((&object["type"], &object["attributedTo"]), (&"Note".into(), &create["actor"]));
    assert_eq!(object["inReplyTo"], note["id"]);
    assert_eq!(object["to"], serde_json::json!([PUBLIC]));
    let cc = object["cc"].as_array().expect("cc");
    assert!(cc.contains(&stage.critic["followers"]) && cc.contains(&stage.alice.id().into()), "{cc:?}");
    let tag = &object["tag"][0];
    assert_eq!((&tag["type"], &tag["href"]), (&"Mention".into(), &stage.alice.id().into()));
    assert_eq!(tag["name"], format!("@{}", stage.alice.handle()));
    let content = object["content"].as_str().expect("content");
    assert!(content.contains(">@<span>alice</span></a></span> Nobody, <em>"), "{content}");
    assert_eq!(object["contentMap"]["en"], object["content"]);
    assert_eq!(object["context"], article["context"]);
    assert_eq!(object["url"], address);
    stage.settle().await;
    let taken = stage.remote.received();
    let copies = taken.iter().filter(|received| received.activity["id"] == create["id"]).count();
    assert_eq!(copies, 1, "follower, author and neighbour share an inbox");

    let served = stage.world.client.document(&id).await;
    for member in ["type", "content", "inReplyTo", "to", "cc", "tag", "published", "url"] {
        assert_eq!(served[member], object[member], "{member}");
    }
    let again = stage.world.client.document(id_of(&create)).await;
    assert_eq!(again, create, "the activity can be fetched");
}

async fn an_answer_stands_on_the_page_under_what_it_answers(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.comment(&stage.alice, &article, "Who waves at ferries").await;
    let slug = article["url"].as_str().expect("a page").rsplit('/').next().expect("a slug").to_owned();
    let under_note = answer(&stage, note["url"].as_str().expect("its page"), "Nobody at all").await;
    let under_review = answer(&stage, &slug, "One more thing").await;
    let page = stage.page(&article).await;
    let shown = page.comment("Nobody at all").expect("the answer");
    assert!(under_note.ends_with(&format!("#{}", shown.anchor)), "{under_note}");
    assert!(page.parent_of(shown).expect("what it answers").text.contains("Who waves at ferries"));
    assert!(
        shown.text.contains("The Critic") && shown.text.contains("@critic@marquee.test"),
        "{}",
        shown.text
    );
    assert!(shown.text.contains("critic "), "it is marked: {}", shown.text);
    assert!(page.parent_of(page.comment("One more thing").expect("the answer to the review")).is_none());

    let client = &stage.world.client;
    let first = client.document(&format!("{}/replies?page=1", id_of(&article))).await;
    let items = first["items"].as_array().expect("items");
    let (one, two) = (note_at(&stage, &under_note), note_at(&stage, &under_review));
    assert!(items.contains(&one.clone().into()) && items.contains(&two.into()), "{items:?}");
    let context = client.document(article["context"].as_str().expect("a context")).await;
    assert!(context["orderedItems"].as_array().expect("posts").contains(&one.clone().into()));
    let seen = client.get(&one, HTML).await;
    assert!((300..400).contains(&seen.status), "a browser is led to the page: {}", seen.status);
    assert_eq!(seen.header("location"), under_note);
}

async fn an_edit_of_an_answer_is_newer_and_a_deletion_is_for_good(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.comment(&stage.alice, &article, "Who waves at ferries").await;
    let address = answer(&stage, id_of(&note), "Nobody at all").await;
    let id = note_at(&stage, &address);
    let create = stage.remote.await_activity("the Create", is_about("Create", &id)).await;
    let mut last = create["object"]["published"].as_str().expect("a date").to_owned();
    for text in ["Somebody, once", "Somebody, twice"] {
        stage.app.command_output(&["comment", "edit", &address, "--text", text]).await;
        let is_it = |a: &Value| {
            is_about("Update", &id)(a) && a["object"]["content"].as_str().is_some_and(|c| c.contains(text))
        };
        let update = stage.remote.await_activity("the Update", is_it).await;
        let updated = update["object"]["updated"].as_str().expect("a date").to_owned();
        assert!(updated > last, "{updated} is newer than {last}");
        assert_eq!(update["object"]["published"], create["object"]["published"]);
        last = updated;
    }
    let page = stage.page(&article).await;
    assert!(page.comment("Somebody, twice").is_some() && !page.text.contains("Nobody at all"));
    let old = stage.world.client.get(id_of(&create), AS2).await;
    assert!(!old.body.contains("Nobody at all"), "words that were replaced are not told again");
    let same = stage.app.cli(&["comment", "edit", &address, "--text", "Somebody, twice"]).await;
    assert!(!same.status.success() && String::from_utf8_lossy(&same.stderr).contains("nothing changed"));

    stage.app.command_output(&["comment", "delete", &id]).await;
    let delete = stage.remote.await_activity("the Delete", is_about("Delete", &id)).await;
    assert_eq!(delete["object"]["type"], "Tombstone");
    let gone = stage.world.client.get(&id, AS2).await;
    assert_eq!((gone.status, gone.json()["type"].clone()), (410, "Tombstone".into()));
    for address in [&id, id_of(&create)] {
        let answer = stage.world.client.get(address, AS2).await;
        assert!(answer.status == 410 && !answer.body.contains("Somebody"), "{address}: {}", answer.status);
    }
    let page = stage.page(&article).await;
    assert!(!page.text.contains("Somebody") && page.comments.len() == 1);
    let again = stage.app.cli(&["comment", "delete", &id]).await;
    assert!(!again.status.success());
}

async fn the_same_answer_again_is_refused(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.comment(&stage.alice, &article, "Who waves at ferries").await;
    let address = answer(&stage, id_of(&note), "Nobody at all").await;
    let again = stage.app.cli(&["comment", "reply", id_of(&note), "--text", " Nobody at all\n"]).await;
    assert!(!again.status.success());
    let complaint = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(complaint.contains(&address), "{complaint}");
    answer(&stage, id_of(&article), "Nobody at all").await;
    let page = stage.page(&article).await;
    assert_eq!(page.comments.iter().filter(|c| c.text.contains("Nobody at all")).count(), 2);
}

async fn an_answer_names_whom_its_text_names(database: Database) {
    let (stage, other) = stage_with_another(database).await;
    let article = stage.publish("The Night Ferry").await;
    let bob = other.user("bob");
    let follow = bob.follow(stage.actor());
    bob.deliver(stage.inbox(), &follow).await;
    other.await_activity("the Accept", |a| a["type"] == "Accept").await;
    bob.deliver(stage.inbox(), &bob.undo(&follow)).await;
    let note = stage.comment(&stage.alice, &article, "Who waves at ferries").await;
    let text = "Ask @bob@other.test, and not @nobody@other.test.\n";
    let file = stage.app.write("answer.md", text);
    let printed = stage.app.command_output(&["comment", "reply", id_of(&note), &file]).await;
    assert!(printed.starts_with("Replied: "), "{printed}");
    let is_it = |a: &Value| a["type"] == "Create" && a["object"]["type"] == "Note";
    let create = other.await_activity("the Create, since bob is named", is_it).await;
    let tags = create["object"]["tag"].as_array().expect("tags");
    let named: Vec<&str> = tags.iter().filter_map(|tag| tag["href"].as_str()).collect();
    assert_eq!(named, [stage.alice.id(), bob.id()]);
    let content = create["object"]["content"].as_str().expect("content");
    assert!(content.contains("class=\"mention\"") && content.contains(">@bob</a>"), "{content}");
    assert!(content.contains("@nobody@other.test"), "{content}");
}

async fn an_answer_is_served_as_it_was_sent_whatever_became_of_whom_it_names(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.comment(&stage.alice, &article, "Who waves at ferries").await;
    let id = note_at(&stage, &answer(&stage, id_of(&note), "Nobody at all").await);
    let create = stage.remote.await_activity("the Create", is_about("Create", &id)).await;
    assert_eq!(create["object"]["tag"][0]["href"], stage.alice.id());
    let leave = stage.alice.activity("Delete", &stage.alice.id().into());
    stage.alice.deliver(stage.shared_inbox(), &leave).await;
    let is_gone = |page: &Page| page.text.contains("This comment was deleted by its author.");
    stage.await_page(&article, "a placeholder", is_gone).await;
    let served = stage.world.client.document(&id).await;
    for member in ["tag", "content", "to", "cc"] {
        assert_eq!(served[member], create["object"][member], "{member}");
    }
}

async fn a_reply_to_an_answer_hangs_under_it(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.comment(&stage.alice, &article, "Who waves at ferries").await;
    let id = note_at(&stage, &answer(&stage, id_of(&note), "Nobody at all").await);
    let reply = stage.alice.reply(&id, "<p>Sad, that</p>");
    stage.alice.deliver(stage.shared_inbox(), &stage.alice.create(&reply)).await;
    let page = stage.await_page(&article, "the reply", |page| page.comment("Sad, that").is_some()).await;
    let parent = page.parent_of(page.comment("Sad, that").expect("the reply")).expect("the answer");
    assert!(parent.text.contains("Nobody at all"));
    let client = &stage.world.client;
    let replies = client.document(&format!("{id}/replies")).await;
    assert_eq!(replies["totalItems"], 1);
    let first = client.document(replies["first"].as_str().expect("a page")).await;
    assert_eq!(first["items"], serde_json::json!([id_of(&reply)]));

    stage.app.command_output(&["comment", "delete", &id]).await;
    let has_placeholder = |page: &Page| page.text.contains("This comment was deleted by its author.");
    let page = stage.await_page(&article, "a placeholder", has_placeholder).await;
    assert!(!page.text.contains("Nobody at all"));
    assert!(page.parent_of(page.comment("Sad, that").expect("the reply")).is_some(), "it stays in its place");
    assert_eq!(client.get(&format!("{id}/replies"), AS2).await.status, 410);
}

async fn answers_go_with_the_review_that_is_retracted(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let slug = article["url"].as_str().expect("a page").rsplit('/').next().expect("a slug").to_owned();
    let id = note_at(&stage, &answer(&stage, &slug, "One more thing").await);
    let client = &stage.world.client;
    let counted = || async {
        let nodeinfo = client.get(&url("/nodeinfo/2.1"), "*/*").await.json();
        nodeinfo["usage"]["localComments"].clone()
    };
    assert_eq!(counted().await, 1);
    let create = stage.remote.distinct("Create");
    stage.app.command_output(&["retract", &slug]).await;
    eventually("the Note to be gone", || async { (client.get(&id, AS2).await.status == 410).then_some(()) })
        .await;
    let gone = client.get(&id, AS2).await;
    assert!(gone.json()["type"] == "Tombstone" && !gone.body.contains("One more thing"), "{}", gone.body);
    assert_eq!(client.get(&id, HTML).await.status, 410);
    assert_eq!(client.get(&format!("{id}/replies"), AS2).await.status, 410);
    for create in create.iter().filter(|create| create["object"]["id"] == *id) {
        assert_eq!(client.get(id_of(create), AS2).await.status, 410);
    }
    eventually("NodeInfo not to count it", || async { (counted().await == 0).then_some(()) }).await;
    let edit = stage.app.cli(&["comment", "edit", &id, "--text", "x"]).await;
    assert!(!edit.status.success(), "what nobody can read is not edited");
    stage.app.command_output(&["comment", "delete", &id]).await;
}

async fn what_can_not_be_answered_is_said(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.comment(&stage.alice, &article, "Who waves at ferries").await;
    stage.app.command_output(&["comment", "hide", id_of(&note)]).await;
    let nowhere = stage.remote.url("/users/alice/statuses/1");
    for (to, text, why) in [
        (id_of(&note), "A word", "hidden"),
        (nowhere.as_str(), "A word", "no comment and no review"),
        (id_of(&article), "<!-- -->", "empty"),
    ] {
        let output = stage.app.cli(&["comment", "reply", to, "--text", text]).await;
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && complaint.contains(why), "{complaint}");
        assert_eq!(complaint.trim().lines().count(), 1, "{complaint}");
    }
    let unknown = format!("{}/ap/note/01ARZ3NDEKTSV4RRFFQ69G5FAV", "https://marquee.test");
    eventually("an unknown note is not there", || async {
        (stage.world.client.get(&unknown, AS2).await.status == 404).then_some(())
    })
    .await;
}

async fn an_answer_that_is_written_while_the_server_is_down_goes_out_at_its_start(database: Database) {
    let mut stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.comment(&stage.alice, &article, "Who waves at ferries").await;
    stage.app.kill9();
    let id = note_at(&stage, &answer(&stage, id_of(&note), "Nobody at all").await);
    stage.app.start().await;
    stage.remote.await_activity("the Create", is_about("Create", &id)).await;
    stage.app.kill9();
    stage.app.command_output(&["comment", "edit", &id, "--text", "Somebody"]).await;
    stage.app.command_output(&["comment", "delete", &id]).await;
    stage.app.start().await;
    stage.remote.await_activity("the Delete", is_about("Delete", &id)).await;
    stage.settle().await;
    assert!(stage.remote.distinct("Update").is_empty(), "what was deleted is not told before");
}
