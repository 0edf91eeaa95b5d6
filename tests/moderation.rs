//! Moderation of comments, and what the deletion by an author leaves.

use serde_json::Value;

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::http::{AS2, HTML};
use crate::support::page::Page;
use crate::support::remote::Document;
use crate::support::{Database, Fixture, eventually};

both_databases!(
    a_hidden_comment_with_replies_leaves_a_placeholder,
    the_text_of_a_removed_comment_never_comes_back,
    an_author_can_edit_and_delete_a_hidden_comment,
    comments_are_listed_with_their_states,
    a_comment_deleted_by_its_author_leaves_only_a_placeholder,
    a_comment_that_was_never_public_leaves_no_placeholder,
    a_held_comment_waits_until_its_author_is_approved,
    approving_a_new_author_is_permanent,
    comments_of_a_silenced_server_are_held,
);

async fn fixture_with_thread(database: Database) -> (Fixture, Value, Value, Value) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.comment(&fixture.alice, &article, "Who waves at ferries").await;
    let bob = fixture.remote.user("bob");
    let reply = bob.reply(id_of(&note), "<p>My aunt does</p>");
    bob.deliver(fixture.inbox(), &bob.create(&reply)).await;
    fixture.await_page(&article, "the reply", |page| page.comment("My aunt does").is_some()).await;
    (fixture, article, note, reply)
}

/// The URLs at which the comments on a review can be read.
fn thread_urls(article: &Value) -> Vec<String> {
    let id = id_of(article);
    let parts = ["/replies?page=1", "/context", "/replies"].map(|part| format!("{id}{part}"));
    parts.into_iter().chain([id.to_owned(), article["url"].as_str().expect("a page").to_owned()]).collect()
}

async fn assert_absent(fixture: &Fixture, article: &Value, traces: &[&str]) {
    for address in thread_urls(article) {
        for accept in [AS2, HTML] {
            let response = fixture.network.client.get(&address, accept).await;
            for trace in traces {
                assert!(!response.body.contains(trace), "{trace:?} is still served at {address}");
            }
        }
    }
}

async fn replies(fixture: &Fixture, article: &Value) -> Vec<Value> {
    let page = fixture.network.client.document(&format!("{}/replies?page=1", id_of(article))).await;
    page["items"].as_array().expect("items").clone()
}

/// Runs a command that must fail, and returns its error output.
async fn command_error(fixture: &Fixture, args: &[&str]) -> String {
    let output = fixture.app.cli(args).await;
    assert!(!output.status.success(), "{args:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn a_hidden_comment_with_replies_leaves_a_placeholder(database: Database) {
    let (fixture, article, note, reply) = fixture_with_thread(database).await;
    let anchor = fixture.page(&article).await.comment("Who waves").expect("the comment").anchor.clone();
    let address = format!("{}#{anchor}", article["url"].as_str().expect("a page"));
    fixture.app.command_output(&["comment", "hide", &address]).await;
    let page = fixture.page(&article).await;
    assert!(page.text.contains("This comment was hidden by the critic."), "{}", page.text);
    let reply_view = page.comment("My aunt does").expect("the reply");
    assert_eq!(page.parent_of(reply_view).expect("the placeholder").anchor, anchor);
    assert!(reply_view.text.contains("to a hidden comment"), "{}", reply_view.text);
    assert_absent(&fixture, &article, &["Who waves", "Alice Viewer", "@alice", id_of(&note)]).await;
    assert_eq!(replies(&fixture, &article).await, [reply["id"].clone()]);

    fixture.app.command_output(&["comment", "hide", id_of(&reply)]).await;
    let page = fixture.page(&article).await;
    assert!(page.comments.is_empty(), "placeholders without visible replies are not shown: {}", page.text);
    assert!(command_error(&fixture, &["comment", "hide", id_of(&note)]).await.contains("already hidden"));

    fixture.app.command_output(&["comment", "show", id_of(&note)]).await;
    let page = fixture.page(&article).await;
    assert!(page.comment("Who waves").is_some() && page.comments.len() == 1);
    assert!(command_error(&fixture, &["comment", "show", id_of(&note)]).await.contains("already shown"));
}

async fn the_text_of_a_removed_comment_never_comes_back(database: Database) {
    let (fixture, article, note, reply) = fixture_with_thread(database).await;
    let printed = fixture.app.command_output(&["comment", "delete", id_of(&note)]).await;
    assert!(printed.contains("still on its author's server"), "{printed}");
    let page = fixture.page(&article).await;
    assert!(page.text.contains("This comment was removed by the critic."), "{}", page.text);
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.edit(&note, "<p>Here again</p>", 60)).await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&note)).await;
    fixture.settle().await;
    assert_absent(&fixture, &article, &["Here again", "Who waves", "Alice Viewer"]).await;
    for args in [["comment", "show", id_of(&note)], ["comment", "delete", id_of(&note)]] {
        assert!(command_error(&fixture, &args).await.contains("removed"), "{args:?}");
    }
    fixture.app.command_output(&["comment", "delete", id_of(&reply)]).await;
    assert!(fixture.page(&article).await.comments.is_empty(), "placeholders without replies are not shown");
    assert!(
        command_error(&fixture, &["comment", "edit", id_of(&note), "--text", "x"])
            .await
            .contains("not written by a critic")
    );
}

async fn an_author_can_edit_and_delete_a_hidden_comment(database: Database) {
    let (fixture, article, note, _) = fixture_with_thread(database).await;
    fixture.app.command_output(&["comment", "hide", id_of(&note)]).await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.edit(&note, "<p>Who waves at boats</p>", 60)).await;
    fixture.settle().await;
    assert_absent(&fixture, &article, &["Who waves"]).await;
    fixture.app.command_output(&["comment", "show", id_of(&note)]).await;
    assert!(fixture.page(&article).await.comment("Who waves at boats").is_some(), "the edit was applied");
    fixture.app.command_output(&["comment", "hide", id_of(&note)]).await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.delete(&note)).await;
    let is_deleted = |page: &Page| page.text.contains("This comment was deleted by its author.");
    fixture.await_page(&article, "the deletion", is_deleted).await;
    assert!(
        command_error(&fixture, &["comment", "show", id_of(&note)]).await.contains("deleted by its author")
    );
}

async fn comments_are_listed_with_their_states(database: Database) {
    let (fixture, article, note, reply) = fixture_with_thread(database).await;
    fixture
        .alice
        .deliver(fixture.inbox(), &fixture.alice.edit(&note, "<p>Red\u{1b}[31m\u{202e}<br>flag</p>", 60))
        .await;
    fixture.await_page(&article, "the edit", |page| page.text.contains("flag")).await;
    fixture.app.command_output(&["comment", "hide", id_of(&reply)]).await;
    fixture.app.command_output(&["comment", "reply", id_of(&note), "--text", "Quite so"]).await;
    let all = fixture.app.command_output(&["comment", "list"]).await;
    let lines: Vec<&str> = all.lines().collect();
    assert_eq!(lines.len(), 6, "two lines for each comment: {all}");
    assert!(lines[0].contains("shown") && lines[0].contains("@critic@marquee.test"), "newest first: {all}");
    assert!(lines[1].contains("Quite so"), "{all}");
    let slug = article["url"].as_str().expect("a page").rsplit('/').next().expect("a slug");
    assert!(lines.iter().step_by(2).all(|line| line.contains(slug)), "{all}");
    assert!(all.contains(&format!("@{}", fixture.alice.handle())) && all.contains("Red[31m flag"), "{all}");
    assert!(!all.contains(['\u{1b}', '\u{202e}']), "{all:?}");
    let hidden = fixture.app.command_output(&["comment", "list", slug, "--state", "hidden"]).await;
    assert!(hidden.lines().count() == 2 && hidden.contains("My aunt does"), "{hidden}");
    let id = hidden.split_whitespace().next().expect("an id");
    fixture.app.command_output(&["comment", "show", id]).await;
    let held = fixture.app.command_output(&["comment", "list", "--state", "held"]).await;
    assert_eq!(held.trim(), "no comments");
    assert!(
        command_error(&fixture, &["comment", "list", "no-such-review"]).await.contains("no review found for")
    );
    assert!(command_error(&fixture, &["comment", "reject", id]).await.contains("shown, not held"));
}

async fn a_comment_deleted_by_its_author_leaves_only_a_placeholder(database: Database) {
    let (fixture, article, note, reply) = fixture_with_thread(database).await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.delete(&note)).await;
    let is_deleted = |page: &Page| page.text.contains("This comment was deleted by its author.");
    let page = fixture.await_page(&article, "the deletion", is_deleted).await;
    assert!(page.comment("My aunt does").expect("the reply").text.contains("to a deleted comment"));
    let url = note["url"].as_str().expect("a page");
    let traces = ["Who waves", "Alice Viewer", "@alice", "/users/alice", url, id_of(&note)];
    assert_absent(&fixture, &article, &traces).await;
    assert_eq!(replies(&fixture, &article).await, [reply["id"].clone()]);
    let list = fixture.app.command_output(&["comment", "list"]).await;
    assert!(!list.contains("Who waves") && !list.contains("@alice"), "{list}");
    assert!(
        command_error(&fixture, &["comment", "reply", id_of(&note), "--text", "x"]).await.contains("deleted")
    );
}

async fn a_comment_that_was_never_public_leaves_no_placeholder(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let bob = fixture.remote.user("bob");
    let mut private_notes = Vec::new();
    for text in ["Between us", "Between us, too"] {
        let note = fixture.alice.reply_to_followers(id_of(&article), &format!("<p>{text}</p>"));
        fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&note)).await;
        let under = bob.reply(id_of(&note), &format!("<p>In the open, to {}</p>", private_notes.len()));
        bob.deliver(fixture.inbox(), &bob.create(&under)).await;
        let text = format!("In the open, to {}", private_notes.len());
        fixture.await_page(&article, "the reply", |page| page.comment(&text).is_some()).await;
        private_notes.push(note);
    }
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.delete(&private_notes[0])).await;
    fixture.settle().await;
    assert!(!fixture.page(&article).await.text.contains("deleted"), "after deleting a note");
    let delete = fixture.alice.activity("Delete", &fixture.alice.id().into());
    fixture.alice.deliver(fixture.inbox(), &delete).await;
    fixture.settle().await;
    let page = fixture.page(&article).await;
    assert!(
        page.comments.len() == 2 && !page.text.contains("deleted"),
        "after deleting the account: {}",
        page.text
    );
}

async fn approving_a_new_author_is_permanent(database: Database) {
    let fixture =
        Fixture::with(database, |_, settings| settings.set("moderation", "first_comments", "\"held\"")).await;
    let article = fixture.publish("The Night Ferry").await;
    let bob = fixture.remote.user("bob");
    // Alice's server serves her post, but not her actor.
    fixture.remote.serve("/users/alice", Document::status(503));
    let note = fixture.alice.reply(id_of(&article), "<p>Who waves at ferries</p>");
    let reply = bob.reply(id_of(&note), "<p>My aunt does</p>");
    bob.deliver(fixture.inbox(), &bob.create(&reply)).await;
    await_held(&fixture, 2).await;
    let approve = ["comment", "approve", id_of(&note)];
    assert!(command_error(&fixture, &approve).await.contains("could not fetch the author"));
    assert!(command_error(&fixture, &["comment", "show", id_of(&note)]).await.contains("comment approve"));
    fixture.alice.serve_actor(&fixture.alice.actor());
    fixture.app.command_output(&approve).await;
    fixture.comment(&fixture.alice, &article, "From now on at once").await;
}

async fn await_held(fixture: &Fixture, count: usize) -> String {
    eventually(&format!("{count} held comments"), || async {
        let held = fixture.app.command_output(&["comment", "list", "--state", "held"]).await;
        (held.lines().count() == 2 * count).then_some(held)
    })
    .await
}

async fn a_held_comment_waits_until_its_author_is_approved(database: Database) {
    let fixture =
        Fixture::with(database, |_, settings| settings.set("moderation", "first_comments", "\"held\"")).await;
    let article = fixture.publish("The Night Ferry").await;
    let bob = fixture.remote.user("bob");
    for (user, text) in
        [(&fixture.alice, "First of all"), (&fixture.alice, "And then"), (&bob, "Buy my boats")]
    {
        let note = user.reply(id_of(&article), &format!("<p>{text}</p>"));
        user.deliver(fixture.inbox(), &user.create(&note)).await;
    }
    let held = await_held(&fixture, 3).await;
    assert_absent(&fixture, &article, &["First of all", "And then", "Buy my boats"]).await;
    let id_with_text = |text: &str| {
        let lines: Vec<&str> = held.lines().collect();
        let at = lines.iter().position(|line| line.contains(text)).expect("the comment");
        lines[at - 1].split_whitespace().next().expect("an id").to_owned()
    };
    fixture.app.command_output(&["comment", "reject", &id_with_text("Buy my boats")]).await;
    let printed = fixture.app.command_output(&["comment", "approve", &id_with_text("First of all")]).await;
    assert!(printed.contains("1 other held comment is now shown"), "{printed}");
    let page = fixture.page(&article).await;
    assert!(page.comment("First of all").is_some() && page.comment("And then").is_some());
    assert!(!page.text.contains("Buy my boats"));
    fixture.comment(&fixture.alice, &article, "From now on at once").await;
    let again = bob.reply(id_of(&article), "<p>Buy my ferries</p>");
    bob.deliver(fixture.inbox(), &bob.create(&again)).await;
    await_held(&fixture, 1).await;
    assert!(!fixture.page(&article).await.text.contains("Buy my"));
}

async fn comments_of_a_silenced_server_are_held(database: Database) {
    let (fixture, article, note, _) = fixture_with_thread(database).await;
    let printed = fixture.app.command_output(&["block", "domain", "remote.test", "--silence"]).await;
    assert!(printed.contains("will be held"), "{printed}");
    assert!(
        fixture.page(&article).await.comment("Who waves").is_some(),
        "comments that are shown stay shown"
    );
    let late = fixture.alice.reply(id_of(&note), "<p>One more word</p>");
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&late)).await;
    let held = await_held(&fixture, 1).await;
    assert!(held.contains("One more word"), "{held}");
    assert_absent(&fixture, &article, &["One more word"]).await;
    assert!(
        command_error(&fixture, &["comment", "show", id_of(&late)]).await.contains("the comment is held")
    );
    fixture.app.command_output(&["comment", "approve", id_of(&late)]).await;
    assert!(fixture.page(&article).await.comment("One more word").is_some());
}
