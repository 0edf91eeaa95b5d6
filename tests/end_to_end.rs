//! The main journey from end to end: a reader finds the critic, follows, gets the next review, replies,
//! edits, deletes, likes, boosts and leaves; the page shows each step.

use serde_json::Value;

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::feed::{self, Item};
use crate::support::page::Page;
use crate::support::remote::User;
use crate::support::{Database, Fixture, eventually};

both_databases!(
    the_main_journey_works_from_lookup_to_unfollow,
    entries_from_before_the_first_poll_are_archived,
    an_article_has_what_other_servers_need,
    the_page_and_the_article_link_to_each_other,
    a_reply_to_a_comment_is_threaded_under_it,
    a_server_with_authorized_fetch_gets_signed_requests,
    a_follower_on_another_server_gets_the_review,
    two_followers_on_one_server_cost_one_delivery,
);

/// Whether Marquee is killed between a step and its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillMode {
    Never,
    /// Marquee is killed after each step, before its effect is visible.
    AfterEachStep,
}

/// The steps of the journey, each with its effect.
pub struct Journey {
    pub fixture: Fixture,
    pub items: Vec<Item>,
    kill_mode: KillMode,
}

/// A fixture whose critic has a feed with these entries, which has been polled.
pub async fn fixture_with_feed(database: Database, items: &[Item], more: &str) -> Fixture {
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve_feed(items);
        settings.feed(feed::NAME, &remote.url(feed::PATH), more)
    })
    .await;
    fixture.poll().await;
    fixture
}

/// Waits until the critic has this number of followers.
pub async fn await_followers(fixture: &Fixture, count: u64) {
    eventually(&format!("{count} followers"), || async {
        (total_items(fixture, &fixture.critic["followers"]).await == count).then_some(())
    })
    .await;
}

/// The `totalItems` of a collection.
pub async fn total_items(fixture: &Fixture, collection: &Value) -> u64 {
    let document = match collection {
        Value::String(id) => fixture.network.client.document(id).await,
        embedded => embedded.clone(),
    };
    document["totalItems"].as_u64().expect("a total")
}

/// Waits until a collection of an Article (`likes`, `shares`) has this total.
pub async fn await_total_items(fixture: &Fixture, article: &Value, collection: &str, count: u64) {
    eventually(&format!("{count} {collection}"), || async {
        let article = fixture.article(article).await;
        (total_items(fixture, &article[collection]).await == count).then_some(())
    })
    .await;
}

impl Journey {
    pub async fn begin(database: Database, kill_mode: KillMode) -> Self {
        let items = vec![Item::old_review("Harbour Lights")];
        let fixture = fixture_with_feed(database, &items, "").await;
        fixture.await_article(|article| is_about(article, "Harbour Lights")).await;
        Self { fixture, items, kill_mode }
    }

    async fn kill_if_enabled(&mut self) {
        if self.kill_mode == KillMode::AfterEachStep {
            self.fixture.app.crash().await;
        }
    }

    /// Follows, and waits for the Accept.
    pub async fn follow(&mut self) -> Value {
        let alice = self.fixture.alice.clone();
        let follow = alice.follow(self.fixture.actor());
        alice.deliver(self.fixture.inbox(), &follow).await;
        self.kill_if_enabled().await;
        self.fixture.await_accept(&alice, &follow).await;
        follow
    }

    /// Adds a review to the feed, and waits for its Create and its page.
    pub async fn publish(&mut self, film: &str) -> Value {
        self.items.insert(0, Item::review(film));
        self.fixture.remote.serve_feed(&self.items);
        self.fixture.poll().await;
        self.kill_if_enabled().await;
        let is_match = |a: &Value| a["type"] == "Create" && is_about(&a["object"], film);
        let create = self.fixture.remote.await_activity("the Create", is_match).await;
        let article = create["object"].clone();
        self.fixture.await_page(&article, "the review", |page| page.text.contains(film)).await;
        article
    }

    /// Changes the review in the feed, and waits for the Update and the changed page.
    pub async fn revise(&mut self, article: &Value) {
        self.items[0].html.push_str("<p>A second viewing was kinder to the ferry.</p>");
        self.fixture.remote.serve_feed(&self.items);
        self.fixture.poll().await;
        self.kill_if_enabled().await;
        let is_match = |a: &Value| a["type"] == "Update" && a["object"]["id"] == article["id"];
        let update = self.fixture.remote.await_activity("the Update", is_match).await;
        assert_eq!(update["object"]["published"], article["published"]);
        let moments = (update["object"]["updated"].as_str(), article["published"].as_str());
        assert!(moments.0 > moments.1, "`updated` is newer: {moments:?}");
        let is_match = |page: &Page| page.text.contains("kinder to the ferry");
        self.fixture.await_page(article, "the revision", is_match).await;
    }

    /// Replies to the article or to a note, and waits until the page shows the comment.
    pub async fn reply(&mut self, user: &User, article: &Value, to: &Value, text: &str) -> Value {
        let note = user.reply(id_of(to), &format!("<p>{text}</p>"));
        user.deliver(self.fixture.shared_inbox(), &user.create(&note)).await;
        self.kill_if_enabled().await;
        let is_match = |page: &Page| page.comment(text).is_some();
        self.fixture.await_page(article, "the comment", is_match).await;
        note
    }

    /// Edits a comment, and waits until the page changes.
    pub async fn edit(&mut self, article: &Value, note: &Value, text: &str) {
        let alice = self.fixture.alice.clone();
        let update = alice.edit(note, &format!("<p>{text}</p>"), 60);
        alice.deliver(self.fixture.inbox(), &update).await;
        self.kill_if_enabled().await;
        let is_match = |page: &Page| page.comment(text).is_some();
        self.fixture.await_page(article, "the edited comment", is_match).await;
    }

    /// Deletes a comment, and waits until its text leaves the page.
    pub async fn delete(&mut self, article: &Value, note: &Value, text: &str) {
        let alice = self.fixture.alice.clone();
        alice.deliver(self.fixture.inbox(), &alice.delete(note)).await;
        self.kill_if_enabled().await;
        let is_match = |page: &Page| page.comment(text).is_none();
        self.fixture.await_page(article, "the comment to disappear", is_match).await;
    }

    /// Likes, boosts and undoes the like, and waits for the totals.
    pub async fn react(&mut self, article: &Value) {
        let alice = self.fixture.alice.clone();
        let like = alice.like(id_of(article));
        alice.deliver(self.fixture.inbox(), &like).await;
        self.kill_if_enabled().await;
        await_total_items(&self.fixture, article, "likes", 1).await;
        alice.deliver(self.fixture.inbox(), &alice.announce(id_of(article))).await;
        self.kill_if_enabled().await;
        await_total_items(&self.fixture, article, "shares", 1).await;
        alice.deliver(self.fixture.inbox(), &alice.undo(&like)).await;
        self.kill_if_enabled().await;
        await_total_items(&self.fixture, article, "likes", 0).await;
    }

    /// Unfollows, and waits until the critic has no follower.
    pub async fn leave(&mut self, follow: &Value) {
        let alice = self.fixture.alice.clone();
        alice.deliver(self.fixture.inbox(), &alice.undo(follow)).await;
        self.kill_if_enabled().await;
        let fixture = &self.fixture;
        eventually("no follower", || async {
            (total_items(fixture, &fixture.critic["followers"]).await == 0).then_some(())
        })
        .await;
    }

    /// The whole journey.
    pub async fn run(&mut self) -> Value {
        let bob = self.fixture.remote.user("bob");
        let follow = self.follow().await;
        let article = self.publish("The Night Ferry").await;
        let alice = self.fixture.alice.clone();
        let note = self.reply(&alice, &article, &article, "The radio made me cry").await;
        self.reply(&bob, &article, &note, "Me too, and twice").await;
        self.edit(&article, &note, "The radio made me laugh").await;
        self.react(&article).await;
        self.revise(&article).await;
        self.delete(&article, &note, "The radio made me laugh").await;
        self.leave(&follow).await;
        article
    }
}

/// Whether an Article is about a film with this name.
pub fn is_about(article: &Value, film: &str) -> bool {
    article["name"].as_str().is_some_and(|name| name.contains(film))
}

async fn the_main_journey_works_from_lookup_to_unfollow(database: Database) {
    let mut journey = Journey::begin(database, KillMode::Never).await;
    let article = journey.run().await;
    let page = journey.fixture.page(&article).await;
    assert!(page.comment("Me too, and twice").is_some(), "the reply to a deleted comment is still shown");
    assert!(!page.text.contains("The radio made me"), "the deleted text is not shown: {}", page.text);
}

async fn entries_from_before_the_first_poll_are_archived(database: Database) {
    let mut journey = Journey::begin(database, KillMode::Never).await;
    journey.follow().await;
    journey.publish("The Night Ferry").await;
    let delivered = journey.fixture.remote.distinct_activities("Create");
    assert_eq!(delivered.len(), 1, "only the new review is delivered: {delivered:?}");
    let archived = journey.fixture.await_article(|article| is_about(article, "Harbour Lights")).await;
    assert!(archived["published"].as_str().is_some_and(|moment| moment.starts_with("2019-03-04")));
    let page = journey.fixture.page(&archived).await;
    assert!(page.text.contains("2019"), "the page shows the date of the review: {}", page.text);
}

async fn an_article_has_what_other_servers_need(database: Database) {
    let mut journey = Journey::begin(database, KillMode::Never).await;
    journey.follow().await;
    let article = journey.publish("The Night Ferry").await;
    let summary = article["summary"].as_str().expect("a summary");
    assert!(summary.starts_with("★★★★"), "the rating comes first: {summary}");
    for part in ["The Night Ferry", "Ada Lindqvist", "2021"] {
        assert!(summary.contains(part), "{part} in {summary}");
    }
    assert!(summary.chars().count() <= 500 && !summary.contains(['<', '>']), "{summary}");
    assert_eq!(article["type"], "Article");
    assert_eq!(article["attributedTo"], journey.fixture.actor());
    assert_ne!(article["id"], article["url"]);
    assert!(article["contentMap"]["en"].is_string());
    assert!(article["preview"]["id"].is_null() && article["preview"]["type"] == "Note");
    let content = article["content"].as_str().expect("content");
    assert!(content.contains("two sisters") && !content.contains("Directed by"), "{content}");
    let fetched = journey.fixture.article(&article).await;
    assert_eq!(fetched["content"], article["content"]);
}

async fn the_page_and_the_article_link_to_each_other(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let url = article["url"].as_str().expect("a page");
    let client = &fixture.network.client;
    let page = fixture.page(&article).await;
    let links_to_article = page.elements.iter().any(|(name, attributes)| {
        let has = |key: &str, value: &str| attributes.iter().any(|(k, v)| k == key && v == value);
        name == "link" && has("rel", "alternate") && has("href", id_of(&article))
    });
    assert!(links_to_article, "the page links to the Article");
    let response = client.get(url, crate::support::http::AS2).await;
    let is_redirect =
        (300..400).contains(&response.status) && response.header("location").ends_with(id_of(&article));
    assert!(
        is_redirect || response.json()["id"] == article["id"],
        "the URL of the page serves the Article to servers"
    );
    for accept in [crate::support::http::AS2, crate::support::http::HTML] {
        let response = client.get(url, accept).await;
        assert!(
            response.header("vary").to_lowercase().contains("accept"),
            "caches keep both representations apart"
        );
    }
    let mastodon = "application/activity+json, application/ld+json;q=0.9, text/html;q=0.1";
    let response = client.get(id_of(&article), mastodon).await;
    assert!(response.header("content-type").starts_with("application/activity+json"));
}

async fn a_reply_to_a_comment_is_threaded_under_it(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let bob = fixture.remote.user("bob");
    let first = fixture.comment(&fixture.alice, &article, "First in the queue").await;
    let second = bob.reply(id_of(&first), "<p>Second in the queue</p>");
    bob.deliver(fixture.shared_inbox(), &bob.create(&second)).await;
    let has_both = |page: &Page| page.comment("Second in the queue").is_some();
    let page = fixture.await_page(&article, "the reply", has_both).await;
    let parent = page.comment("Second in the queue").and_then(|reply| page.parent_of(reply));
    assert!(parent.is_some_and(|parent| parent.text.contains("First in the queue")));
    assert!(page.text.contains("@alice@remote.test"), "the author is shown: {}", page.text);
    let article = fixture.article(&article).await;
    let replies = fixture.network.client.document(id_of(&article["replies"])).await;
    let first_page = match &replies["first"] {
        Value::String(id) => fixture.network.client.document(id).await,
        embedded => embedded.clone(),
    };
    let items = first_page["items"].as_array().expect("items");
    assert!(items.contains(&first["id"]) && items.contains(&second["id"]), "{items:?}");
}

async fn a_server_with_authorized_fetch_gets_signed_requests(database: Database) {
    let fixture = Fixture::with(database, |remote, settings| {
        remote.require_signed_gets();
        settings
    })
    .await;
    fixture.follow(&fixture.alice).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.comment(&fixture.alice, &article, "Behind closed doors").await;
}

async fn a_follower_on_another_server_gets_the_review(database: Database) {
    let network = crate::support::TestNetwork::new();
    let (remote, second) = (network.remote("remote.test").await, network.remote("second.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    fixture.follow(&fixture.alice).await;
    let dora = second.user("dora");
    let follow = dora.follow(fixture.actor());
    dora.deliver(fixture.inbox(), &follow).await;
    second.await_activity("the Accept", |a| a["type"] == "Accept").await;
    let article = fixture.publish("The Night Ferry").await;
    for server in [&fixture.remote, &second] {
        let create = server.await_activity("the Create", |a| a["type"] == "Create").await;
        assert_eq!(create["object"]["id"], article["id"]);
    }
}

async fn two_followers_on_one_server_cost_one_delivery(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    fixture.follow(&fixture.remote.user("bob")).await;
    fixture.publish("The Night Ferry").await;
    fixture.remote.await_activity("the Create", |a| a["type"] == "Create").await;
    fixture.settle().await;
    let creates = fixture.remote.received().into_iter().filter(|r| r.activity["type"] == "Create");
    let inboxes: Vec<String> = creates.map(|r| r.inbox).collect();
    assert_eq!(inboxes, ["/inbox"], "once, to the shared inbox");
}
