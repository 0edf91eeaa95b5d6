//! Replies are threaded under their parents, at any depth and in any order of arrival.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::both_databases;
use crate::support::activities::{PUBLIC, id_of};
use crate::support::page::Page;
use crate::support::remote::{Document, User};
use crate::support::signature::target_of;
use crate::support::{Database, Fixture, TestNetwork};

both_databases!(
    a_branch_of_replies_that_arrives_late_is_threaded_correctly,
    a_reply_waits_for_a_parent_that_cannot_be_fetched,
    a_chain_that_does_not_lead_to_a_review_is_dropped,
    a_parent_that_was_deleted_before_it_arrived_leaves_a_placeholder,
    posts_fetched_along_a_thread_are_shown_only_if_public,
    a_post_is_accepted_only_from_its_own_server,
    e9_a_chain_of_ten_thousand_replies_causes_twenty_requests,
    e9_a_cyclic_chain_ends,
);

/// Creates a chain of notes under an article, each a reply to the previous one. Nothing is delivered yet.
fn chain(users: &[&User], article: &Value, texts: &[&str]) -> Vec<Value> {
    let mut notes: Vec<Value> = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let parent = notes.last().unwrap_or(article);
        let note = users[number % users.len()].reply(id_of(parent), &format!("<p>{text}</p>"));
        notes.push(note);
    }
    notes
}

fn assert_under(page: &Page, child: &str, parent: &str) {
    let comment = page.comment(child).unwrap_or_else(|| panic!("{child} in {}", page.text));
    let actual = page.parent_of(comment).unwrap_or_else(|| panic!("{child} has no parent"));
    assert!(actual.text.contains(parent), "the parent of {child} is {}", actual.text);
}

async fn a_branch_of_replies_that_arrives_late_is_threaded_correctly(database: Database) {
    let network = TestNetwork::new();
    let (remote, second) = (network.remote("remote.test").await, network.remote("second.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    let article = fixture.publish("The Night Ferry").await;
    let (bob, carol) = (second.user("bob"), second.user("carol"));
    let notes = chain(&[&bob, &fixture.alice, &carol], &article, &["Oldest", "Middle", "Newest"]);
    carol.deliver(fixture.inbox(), &carol.create(&notes[2])).await;
    let page = fixture.await_page(&article, "the branch", |page| page.comments.len() == 3).await;
    assert_under(&page, "Newest", "Middle");
    assert_under(&page, "Middle", "Oldest");
    assert!(page.text.contains(&bob.display_name()), "the author of a fetched post is shown: {}", page.text);
    // A fetched post belongs to its author as if it had been delivered: edits and deletions apply.
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&notes[1])).await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.edit(&notes[1], "<p>Centre</p>", 60)).await;
    fixture.await_page(&article, "the edit", |page| page.comment("Centre").is_some()).await;
    bob.deliver(fixture.inbox(), &bob.delete(&notes[0])).await;
    let page = fixture.await_page(&article, "the deletion", |page| !page.text.contains("Oldest")).await;
    assert_under(&page, "Newest", "Centre");
}

async fn a_reply_waits_for_a_parent_that_cannot_be_fetched(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let bob = fixture.remote.user("bob");
    let notes = chain(&[&fixture.alice, &bob], &article, &["First", "Second", "Third"]);
    fixture.remote.serve(&target_of(id_of(&notes[0])), Document::status(503));
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&notes[2])).await;
    fixture.settle().await;
    assert_eq!(fixture.page(&article).await.comments.len(), 0);
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&notes[0])).await;
    let page = fixture.await_page(&article, "the thread", |page| page.comments.len() == 3).await;
    assert_under(&page, "Third", "Second");
    assert_under(&page, "Second", "First");
}

async fn a_chain_that_does_not_lead_to_a_review_is_dropped(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let mut start = fixture.alice.reply(id_of(&article), "<p>Of other things</p>");
    start["inReplyTo"] = Value::Null;
    fixture.alice.publish(&start);
    let unknown = json!({"id": format!("{}x", id_of(&article))});
    for root in [&start, &unknown] {
        let notes = chain(&[&fixture.alice], root, &["Elsewhere", "Far away"]);
        fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&notes[1])).await;
    }
    fixture.settle().await;
    assert_eq!(fixture.page(&article).await.comments.len(), 0);
}

async fn a_parent_that_was_deleted_before_it_arrived_leaves_a_placeholder(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let bob = fixture.remote.user("bob");
    let notes = chain(&[&fixture.alice, &bob], &article, &["Said and unsaid", "I heard that"]);
    let create = fixture.alice.create(&notes[0]);
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.delete(&notes[0])).await;
    bob.deliver(fixture.inbox(), &bob.create(&notes[1])).await;
    fixture.settle().await;
    fixture.alice.deliver(fixture.inbox(), &create).await;
    let has_reply = |page: &Page| page.comment("I heard that").is_some();
    let page = fixture.await_page(&article, "the reply", has_reply).await;
    assert!(!page.text.contains("Said and unsaid"), "{}", page.text);
    assert_eq!(page.comments.len(), 2, "a placeholder and the reply: {}", page.text);
}

async fn posts_fetched_along_a_thread_are_shown_only_if_public(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let bob = fixture.remote.user("bob");
    let hidden = fixture.alice.reply_to_followers(id_of(&article), "<p>Between friends</p>");
    let reply = bob.reply(id_of(&hidden), "<p>Said aloud</p>");
    bob.deliver(fixture.inbox(), &bob.create(&reply)).await;
    let page = fixture.await_page(&article, "the reply", |page| page.comment("Said aloud").is_some()).await;
    assert!(!page.text.contains("Between friends"), "{}", page.text);
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&hidden)).await;
    fixture.settle().await;
    assert!(!fixture.page(&article).await.text.contains("Between friends"));
}

async fn a_post_is_accepted_only_from_its_own_server(database: Database) {
    let network = TestNetwork::new();
    let (remote, second) = (network.remote("remote.test").await, network.remote("second.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    let article = fixture.publish("The Night Ferry").await;
    let victim = second.user("victim");
    // A parent whose id differs from its URL, and one whose author is on another server.
    for (number, (key, value)) in
        [("id", second.url("/users/victim/statuses/7")), ("attributedTo", victim.id())].iter().enumerate()
    {
        let mut parent = fixture.alice.reply(id_of(&article), "<p>Words in a mouth</p>");
        let id = parent["id"].clone();
        parent[*key] = json!(value);
        fixture.remote.serve(&target_of(id_of(&id)), Document::activity_json(&parent));
        let child = fixture.alice.reply(id_of(&id), &format!("<p>Lost {number}</p>"));
        fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&child)).await;
    }
    fixture.settle().await;
    let page = fixture.page(&article).await;
    assert!(!page.text.contains("Words in a mouth") && !page.text.contains("Lost"), "{}", page.text);
}

async fn e9_a_chain_of_ten_thousand_replies_causes_twenty_requests(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let mut last = article.clone();
    for _ in 0..10_000 {
        last = fixture.alice.reply(id_of(&last), "<p>Deeper</p>");
    }
    let known = fixture.comment(&fixture.alice, &article, "Not lost in the chain").await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&last)).await;
    let after = fixture.alice.reply(id_of(&known), "<p>After it</p>");
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&after)).await;
    fixture.await_page(&article, "a later reply", |page| page.comment("After it").is_some()).await;
    fixture.settle().await;
    let requests = fixture.remote.requests_under("/users/alice/statuses/");
    assert!((1..=20).contains(&requests), "{requests} requests");
    assert!(!fixture.page(&article).await.text.contains("Deeper"));
}

async fn e9_a_cyclic_chain_ends(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let mut notes = chain(&[&fixture.alice], &article, &["One", "Two", "Three"]);
    notes[0]["inReplyTo"] = notes[2]["id"].clone();
    fixture.alice.publish(&notes[0]);
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&notes[2])).await;
    fixture.settle().await;
    assert_eq!(fixture.page(&article).await.comments.len(), 0);
    assert!(fixture.remote.requests_under("/users/alice/statuses/") <= 20);
}

/// A thread, and how it arrives.
#[derive(Debug, Clone)]
struct Arrival {
    /// The parent of each note: an earlier one, or the review.
    parents: Vec<Option<usize>>,
    /// The order of delivery.
    order: Vec<usize>,
    /// The notes that can be fetched.
    fetchable: Vec<bool>,
}

fn arrival() -> impl Strategy<Value = Arrival> {
    (2..7_usize).prop_flat_map(|size| {
        let parents: Vec<_> = (0..size)
            .map(|number| {
                prop_oneof![1 => Just(None), 3 => (0..number.max(1)).prop_map(Some)]
                    .prop_map(move |parent| parent.filter(|_| number > 0))
            })
            .collect();
        let order = Just((0..size).collect::<Vec<_>>()).prop_shuffle();
        (parents, order, proptest::collection::vec(any::<bool>(), size))
            .prop_map(|(parents, order, fetchable)| Arrival { parents, order, fetchable })
    })
}

/// A property test over the shape of the thread, the order of delivery, and which notes can be fetched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tree_is_the_same_in_every_order_of_arrival() {
    let fixture = Fixture::with(Database::Sqlite, |_, settings| {
        // A few users do in a minute what they would not do in days.
        settings.set("budgets", "requests_per_actor", "100000")
    })
    .await;
    let users = [fixture.alice.clone(), fixture.remote.user("bob"), fixture.remote.user("carol")];
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    for case in 0..16 {
        let arrival = arrival().new_tree(&mut runner).expect("a case").current();
        let article = fixture.publish(&format!("Film {case}")).await;
        assert_threaded(&fixture, &users, &article, &arrival).await;
    }
}

async fn assert_threaded(fixture: &Fixture, users: &[User], article: &Value, arrival: &Arrival) {
    let text = |number: usize| format!("Voice {number} of all");
    let mut notes: Vec<Value> = Vec::new();
    for (number, parent) in arrival.parents.iter().enumerate() {
        let parent = parent.map_or(article, |parent| &notes[parent]);
        let note = users[number % users.len()].reply(id_of(parent), &format!("<p>{}</p>", text(number)));
        if !arrival.fetchable[number] {
            fixture.remote.serve(&target_of(id_of(&note)), Document::status(404));
        }
        notes.push(note);
    }
    for &number in &arrival.order {
        let user = &users[number % users.len()];
        user.deliver(fixture.inbox(), &user.create(&notes[number])).await;
    }
    let is_complete = |page: &Page| page.comments.len() == notes.len();
    let page = fixture.await_page(article, &format!("all of {arrival:?}"), is_complete).await;
    for (number, parent) in arrival.parents.iter().enumerate() {
        let comment = page.comment(&text(number)).expect("the comment");
        let actual = page.parent_of(comment).map(|actual| actual.text.clone());
        match parent {
            Some(parent) => {
                let actual = actual.unwrap_or_else(|| panic!("{number} has no parent: {arrival:?}"));
                assert!(actual.contains(&text(*parent)), "{number} under {actual}: {arrival:?}");
            }
            None => assert!(actual.is_none(), "{number} at the top: {arrival:?}"),
        }
    }
    let replies = fixture.network.client.document(id_of(&article["replies"])).await;
    assert_eq!(replies["totalItems"], notes.len(), "{arrival:?}");
    assert_eq!(article["to"], json!([PUBLIC]));
}
