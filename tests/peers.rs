//! Servers built with other libraries look up the critic, follow, read, reply, edit, like, boost, undo and unfollow.
//! Marquee shows each step, and the other servers understand what Marquee sends. See tests/peers/README.md.

mod foreign_server;
mod proxy;
mod scenario;

use serde_json::json;

use crate::both_databases;
use crate::end_to_end::await_total_items;
use crate::support::Database;
use crate::support::activities::id_of;
use crate::support::http::AS2;
use crate::support::page::Page;
use foreign_server::Library;
use scenario::{POSTER_ALT, Scenario};

both_databases!(
    fedify_and_marquee_interoperate,
    bovine_and_marquee_interoperate,
    fedify_can_sign_with_draft_cavage,
    fedify_that_blocks_the_critic_no_longer_follows,
    bovine_that_blocks_the_critic_no_longer_follows,
    a_deleted_account_of_fedify_leaves_nothing_behind,
    a_deleted_account_of_bovine_leaves_nothing_behind,
    a_quote_that_fedify_requests_is_authorized,
    a_quote_that_bovine_requests_is_authorized,
    fedify_gets_the_critics_replies,
    bovine_gets_the_critics_replies,
    with_authorized_fetch_fedify_reads_with_its_signature,
    with_authorized_fetch_bovine_reads_with_its_signature,
    fedify_verifies_signatures_of_a_new_key,
    bovine_verifies_signatures_of_a_new_key,
    fedify_that_knows_the_old_key_still_verifies_its_signatures,
    bovine_that_cannot_find_the_old_key_gets_the_new_one,
    fedify_that_only_accepts_rfc_9421_gets_it,
);

/// The activities that a peer delivers in the scenario.
const DELIVERIES: usize = 10;

/// All steps of a reader on another server, from the lookup to the unfollow.
async fn journey(library: Library, database: Database) -> Scenario {
    let scenario = Scenario::begin(library, database).await;
    let follow = scenario.follow().await;
    let (create, article) = scenario.publish().await;
    assert_eq!(article["attachment"][0]["name"], POSTER_ALT);
    let first = scenario.reply(&article, id_of(&article), "The radio made me cry", None).await;
    let second = scenario.reply(&article, &first, "Me too, and twice", None).await;
    scenario.assert_lists(&article["replies"], vec![&first, &second]).await;
    scenario.assert_lists(&scenario.fixture.critic["followers"], vec![library.actor()]).await;
    scenario.assert_lists(&scenario.fixture.critic["featured"], vec![id_of(&article)]).await;
    scenario.assert_lists(&scenario.fixture.critic["outbox"], vec![id_of(&create.0)]).await;
    scenario.peer.act_for_id("edit", json!({"note": first, "text": "The radio made me laugh"})).await;
    let is_edited = |page: &Page| page.comment("made me laugh").is_some();
    let page = scenario.fixture.await_page(&article, "the edited comment", is_edited).await;
    let second = page.comment("Me too, and twice").expect("the second comment");
    assert!(page.parent_of(second).is_some_and(|first| first.text.contains("made me laugh")));
    scenario.react(&article).await;
    scenario.revise(&article).await;
    scenario.peer.act_for_id("delete", json!({"note": first})).await;
    scenario.await_removed(&article, "made me laugh").await;
    scenario.retract(&article).await;
    scenario.peer.act_for_id("undo", json!({"activity": follow})).await;
    scenario.await_followers(0).await;
    scenario
}

async fn fedify_and_marquee_interoperate(database: Database) {
    let scenario = journey(Library::Fedify, database).await;
    // One attempt for each delivery: none was rejected and repeated with the other scheme.
    assert_eq!(scenario.peer.signature_schemes().await, ["rfc9421"; DELIVERIES]);
}

async fn bovine_and_marquee_interoperate(database: Database) {
    let scenario = journey(Library::Bovine, database).await;
    assert_eq!(scenario.peer.signature_schemes().await, ["cavage"; DELIVERIES]);
}

async fn fedify_can_sign_with_draft_cavage(database: Database) {
    let scenario = Scenario::begin(Library::Fedify, database).await;
    scenario.follow().await;
    let (_, article) = scenario.publish().await;
    scenario.reply(&article, id_of(&article), "Signed with draft-cavage", Some("cavage")).await;
    assert_eq!(scenario.peer.signature_schemes().await, ["rfc9421", "cavage"]);
    scenario.assert_unsigned_rejected(&article).await;
}

/// A Block ends the follow and hides the comments of its author.
async fn block(library: Library, database: Database) {
    let scenario = Scenario::begin(library, database).await;
    scenario.follow().await;
    let (_, article) = scenario.publish().await;
    scenario.assert_unsigned_rejected(&article).await;
    scenario.reply(&article, id_of(&article), "I liked it once", None).await;
    scenario.peer.act_for_id("block", json!({})).await;
    scenario.await_followers(0).await;
    scenario.await_removed(&article, "I liked it once").await;
}

async fn fedify_that_blocks_the_critic_no_longer_follows(database: Database) {
    block(Library::Fedify, database).await;
}

async fn bovine_that_blocks_the_critic_no_longer_follows(database: Database) {
    block(Library::Bovine, database).await;
}

/// An account deletes itself: its follow, its comments and its likes disappear.
async fn account_deletion(library: Library, database: Database) {
    let scenario = Scenario::begin(library, database).await;
    scenario.follow().await;
    let (_, article) = scenario.publish().await;
    scenario.reply(&article, id_of(&article), "My last word", None).await;
    scenario.peer.act_for_id("like", json!({"object": article["id"]})).await;
    await_total_items(&scenario.fixture, &article, "likes", 1).await;
    scenario.peer.act_for_id("delete_actor", json!({})).await;
    scenario.await_followers(0).await;
    scenario.await_removed(&article, "My last word").await;
    await_total_items(&scenario.fixture, &article, "likes", 0).await;
}

async fn a_deleted_account_of_fedify_leaves_nothing_behind(database: Database) {
    account_deletion(Library::Fedify, database).await;
}

async fn a_deleted_account_of_bovine_leaves_nothing_behind(database: Database) {
    account_deletion(Library::Bovine, database).await;
}

/// Requests a quote of a review; the response brings an authorization with all required properties.
async fn quote(library: Library, database: Database) {
    let scenario = Scenario::begin(library, database).await;
    scenario.follow().await;
    let (_, article) = scenario.publish().await;
    let quote = scenario
        .peer
        .act("quote", json!({"article": article["id"], "text": "As the critic object_text"}))
        .await;
    let accept = scenario.peer.await_received("the Accept", |r| r.is("Accept", id_of(&quote))).await;
    assert_eq!(accept.0["actor"], scenario.fixture.actor());
    let authorization = scenario.peer.act("quote_authorization", json!({"id": accept.0["result"]})).await;
    let expected = json!({
        "attributedTo": scenario.fixture.actor(),
        "interactingObject": quote["note"],
        "interactionTarget": article["id"],
    });
    assert_eq!(authorization, expected);
}

async fn a_quote_that_fedify_requests_is_authorized(database: Database) {
    quote(Library::Fedify, database).await;
}

async fn a_quote_that_bovine_requests_is_authorized(database: Database) {
    quote(Library::Bovine, database).await;
}

/// The critic replies to a comment, edits the reply and deletes it; the author of the comment gets each.
async fn critic_reply(library: Library, database: Database) {
    let scenario = Scenario::begin(library, database).await;
    let article = scenario.fixture.publish("The Night Ferry").await;
    let comment = scenario.reply(&article, id_of(&article), "Was it raining?", None).await;
    let command = |args: [&'static str; 2], to: &str, text: Option<&'static str>| {
        let mut args: Vec<String> = args.iter().chain([&to]).map(ToString::to_string).collect();
        args.extend(text.into_iter().flat_map(|text| ["--text".to_owned(), text.to_owned()]));
        let app = &scenario.fixture.app;
        async move { app.command_output(&args.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    command(["comment", "reply"], &comment, Some("From the first reel on")).await;
    let create = scenario.peer.await_received("the reply", |r| r.kind() == "Create").await;
    assert_eq!(create.0["object"]["type"], "Note");
    assert_eq!(create.0["object"]["attributedTo"], scenario.fixture.actor());
    assert_eq!(create.0["object"]["inReplyTo"], comment);
    assert!(create.object_text("content").contains("From the first reel on"), "{create:?}");
    let note = create.object_text("id");
    assert_eq!(scenario.peer.act("read", json!({"id": note})).await, create.0["object"]);
    command(["comment", "edit"], note, Some("From the second reel on")).await;
    let update = scenario.peer.await_received("the Update", |r| r.is("Update", note)).await;
    assert!(update.object_text("content").contains("From the second reel on"), "{update:?}");
    command(["comment", "delete"], note, None).await;
    scenario.peer.await_received("the Delete", |r| r.is("Delete", note)).await;
}

async fn fedify_gets_the_critics_replies(database: Database) {
    critic_reply(Library::Fedify, database).await;
}

async fn bovine_gets_the_critics_replies(database: Database) {
    critic_reply(Library::Bovine, database).await;
}

/// With authorized fetch, the peer looks up, follows, reads and replies as usual. Unsigned requests are rejected.
async fn authorized_fetch(library: Library, database: Database) {
    let scenario = Scenario::begin_with(library, database, |settings| {
        settings.set("federation", "authorized_fetch", "true")
    })
    .await;
    let follow = scenario.peer.act_for_id("follow", json!({})).await;
    scenario.peer.await_received("the Accept", |r| r.is("Accept", &follow)).await;
    let create = scenario.announce().await;
    let article = &create.0["object"];
    assert_eq!(scenario.peer.act("read", json!({"id": article["id"]})).await, *article);
    scenario.assert_lists(&scenario.fixture.critic["outbox"], vec![id_of(&create.0)]).await;
    let response = scenario.fixture.network.client.get(id_of(article), AS2).await;
    assert!(response.is_unauthorized(), "{}", response.status);
    scenario.reply(article, id_of(article), "Behind closed doors", None).await;
}

async fn with_authorized_fetch_fedify_reads_with_its_signature(database: Database) {
    authorized_fetch(Library::Fedify, database).await;
}

async fn with_authorized_fetch_bovine_reads_with_its_signature(database: Database) {
    authorized_fetch(Library::Bovine, database).await;
}

/// The critic gets a new key while the old one still signs for some time. The next Update must be verified. Returns how
/// often the peer rejected it before.
async fn rotation(library: Library, database: Database, overlap: &str) -> usize {
    let scenario = Scenario::begin(library, database).await;
    scenario.follow().await;
    let (_, article) = scenario.publish().await;
    scenario.fixture.app.command_output(&["critic", "rotate-key", "--overlap", overlap]).await;
    scenario.revise(&article).await;
    scenario.peer.rejections().await
}

async fn fedify_verifies_signatures_of_a_new_key(database: Database) {
    assert_eq!(rotation(Library::Fedify, database, "0s").await, 0);
}

async fn bovine_verifies_signatures_of_a_new_key(database: Database) {
    assert_eq!(rotation(Library::Bovine, database, "0s").await, 0);
}

async fn fedify_that_knows_the_old_key_still_verifies_its_signatures(database: Database) {
    assert_eq!(rotation(Library::Fedify, database, "10m").await, 0);
}

/// bovine fetches the key each time, and the old one is no longer served.
async fn bovine_that_cannot_find_the_old_key_gets_the_new_one(database: Database) {
    let rejected = rotation(Library::Bovine, database, "10m").await;
    assert!(rejected > 0, "the old key was used first");
}

/// A peer verifies our RFC 9421 signatures. The first delivery learns that the peer requires them; the next ones use
/// them at once.
async fn fedify_that_only_accepts_rfc_9421_gets_it(database: Database) {
    let scenario = Scenario::begin(Library::Fedify, database).await;
    scenario.peer.act("accept_only", json!({"only": "rfc9421"})).await;
    scenario.follow().await;
    let (create, article) = scenario.publish().await;
    assert_eq!(create.0["scheme"], "rfc9421");
    assert_eq!(scenario.revise(&article).await.0["scheme"], "rfc9421");
    assert_eq!(scenario.peer.rejections().await, 1);
}
