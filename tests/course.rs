//! The main job from end to end: a reader finds the critic, follows, gets the next review, replies, edits,
//! deletes, likes, boosts, and leaves; the page shows each step.

use serde_json::Value;

use crate::both_databases;
use crate::support::feed::{self, Item};
use crate::support::page::Page;
use crate::support::remote::User;
use crate::support::shapes::id_of;
use crate::support::{Database, Stage, eventually};

both_databases!(
    the_main_job_from_look_up_to_farewell,
    what_a_feed_held_before_the_first_poll_is_archive,
    an_article_has_what_other_servers_need,
    the_page_and_the_article_lead_to_each_other,
    a_reply_to_a_comment_is_threaded_under_it,
    a_server_in_secure_mode_is_met_with_signed_requests,
    a_follower_on_another_server_gets_the_review_too,
    two_followers_on_one_server_cost_one_delivery,
);

/// What happens between a step and its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    Calm,
    /// Marquee is killed after each step, before its effect is seen.
    Stormy,
}

/// The steps of the course, each with its effect.
pub struct Course {
    pub stage: Stage,
    pub items: Vec<Item>,
    weather: Weather,
}

/// A stage whose critic has a feed with one old review in it, which was polled.
pub async fn stage_with_feed(database: Database, items: &[Item], more: &str) -> Stage {
    let stage = Stage::with(database, |remote, settings| {
        remote.serve_feed(items);
        settings.feed(feed::NAME, &remote.url(feed::PATH), more)
    })
    .await;
    stage.poll().await;
    stage
}

/// Waits until so many follow the critic.
pub async fn await_followers(stage: &Stage, count: u64) {
    eventually(&format!("{count} followers"), || async {
        (total(stage, &stage.critic["followers"]).await == count).then_some(())
    })
    .await;
}

/// The number of a total that a collection tells.
pub async fn total(stage: &Stage, collection: &Value) -> u64 {
    let document = match collection {
        Value::String(id) => stage.world.client.document(id).await,
        embedded => embedded.clone(),
    };
    document["totalItems"].as_u64().expect("a total")
}

/// Waits until a collection of an Article (`likes`, `shares`) has this total.
pub async fn await_total(stage: &Stage, article: &Value, collection: &str, count: u64) {
    eventually(&format!("{count} {collection}"), || async {
        let article = stage.article(article).await;
        (total(stage, &article[collection]).await == count).then_some(())
    })
    .await;
}

impl Course {
    pub async fn begin(database: Database, weather: Weather) -> Self {
        let items = vec![Item::old_review("Harbour Lights")];
        let stage = stage_with_feed(database, &items, "").await;
        stage.await_article(|article| named(article, "Harbour Lights")).await;
        Self { stage, items, weather }
    }

    async fn weather(&mut self) {
        if self.weather == Weather::Stormy {
            self.stage.app.crash().await;
        }
    }

    /// Follows; the Accept comes.
    pub async fn follow(&mut self) -> Value {
        let alice = self.stage.alice.clone();
        let follow = alice.follow(self.stage.actor());
        alice.deliver(self.stage.inbox(), &follow).await;
        self.weather().await;
        self.stage.await_accept(&alice, &follow).await;
        follow
    }

    /// A review appears in the feed; its Create comes, and its page is there.
    pub async fn publish(&mut self, film: &str) -> Value {
        self.items.insert(0, Item::review(film));
        self.stage.remote.serve_feed(&self.items);
        self.stage.poll().await;
        self.weather().await;
        let is_it = |a: &Value| a["type"] == "Create" && named(&a["object"], film);
        let create = self.stage.remote.await_activity("the Create", is_it).await;
        let article = create["object"].clone();
        self.stage.await_page(&article, "the review", |page| page.text.contains(film)).await;
        article
    }

    /// The review changes in the feed; its Update comes, and the page changes.
    pub async fn revise(&mut self, article: &Value) {
        self.items[0].html.push_str("<p>A second viewing was kinder to the ferry.</p>");
        self.stage.remote.serve_feed(&self.items);
        self.stage.poll().await;
        self.weather().await;
        let is_it = |a: &Value| a["type"] == "Update" && a["object"]["id"] == article["id"];
        let update = self.stage.remote.await_activity("the Update", is_it).await;
        assert_eq!(update["object"]["published"], article["published"]);
        let moments = (update["object"]["updated"].as_str(), article["published"].as_str());
        assert!(moments.0 > moments.1, "an edit is newer: {moments:?}");
        let is_it = |page: &Page| page.text.contains("kinder to the ferry");
        self.stage.await_page(article, "the revision", is_it).await;
    }

    /// Replies to the article or to a note; the comment appears on the page.
    pub async fn reply(&mut self, user: &User, article: &Value, to: &Value, text: &str) -> Value {
        let note = user.reply(id_of(to), &format!("<p>{text}</p>"));
        user.deliver(self.stage.shared_inbox(), &user.create(&note)).await;
        self.weather().await;
        let is_it = |page: &Page| page.comment(text).is_some();
        self.stage.await_page(article, "the comment", is_it).await;
        note
    }

    /// Edits a comment; the page changes.
    pub async fn edit(&mut self, article: &Value, note: &Value, text: &str) {
        let alice = self.stage.alice.clone();
        let update = alice.edit(note, &format!("<p>{text}</p>"), 60);
        alice.deliver(self.stage.inbox(), &update).await;
        self.weather().await;
        let is_it = |page: &Page| page.comment(text).is_some();
        self.stage.await_page(article, "the edited comment", is_it).await;
    }

    /// Deletes a comment; its text goes from the page.
    pub async fn delete(&mut self, article: &Value, note: &Value, text: &str) {
        let alice = self.stage.alice.clone();
        alice.deliver(self.stage.inbox(), &alice.delete(note)).await;
        self.weather().await;
        let is_it = |page: &Page| page.comment(text).is_none();
        self.stage.await_page(article, "the comment to go", is_it).await;
    }

    /// Likes, boosts, and takes the like back; the totals follow.
    pub async fn react(&mut self, article: &Value) {
        let alice = self.stage.alice.clone();
        let like = alice.like(id_of(article));
        alice.deliver(self.stage.inbox(), &like).await;
        self.weather().await;
        await_total(&self.stage, article, "likes", 1).await;
        alice.deliver(self.stage.inbox(), &alice.announce(id_of(article))).await;
        self.weather().await;
        await_total(&self.stage, article, "shares", 1).await;
        alice.deliver(self.stage.inbox(), &alice.undo(&like)).await;
        self.weather().await;
        await_total(&self.stage, article, "likes", 0).await;
    }

    /// Unfollows; the critic has one follower less.
    pub async fn leave(&mut self, follow: &Value) {
        let alice = self.stage.alice.clone();
        alice.deliver(self.stage.inbox(), &alice.undo(follow)).await;
        self.weather().await;
        let stage = &self.stage;
        eventually("no follower", || async {
            (total(stage, &stage.critic["followers"]).await == 0).then_some(())
        })
        .await;
    }

    /// All of it.
    pub async fn run(&mut self) -> Value {
        let bob = self.stage.remote.user("bob");
        let follow = self.follow().await;
        let article = self.publish("The Night Ferry").await;
        let alice = self.stage.alice.clone();
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

/// Whether an Article is about a film of that name.
pub fn named(article: &Value, film: &str) -> bool {
    article["name"].as_str().is_some_and(|name| name.contains(film))
}

async fn the_main_job_from_look_up_to_farewell(database: Database) {
    let mut course = Course::begin(database, Weather::Calm).await;
    let article = course.run().await;
    let page = course.stage.page(&article).await;
    assert!(page.comment("Me too, and twice").is_some(), "the reply to a deleted comment stays");
    assert!(!page.text.contains("The radio made me"), "what was deleted is gone: {}", page.text);
}

async fn what_a_feed_held_before_the_first_poll_is_archive(database: Database) {
    let mut course = Course::begin(database, Weather::Calm).await;
    course.follow().await;
    course.publish("The Night Ferry").await;
    let delivered = course.stage.remote.distinct("Create");
    assert_eq!(delivered.len(), 1, "only the new review goes out: {delivered:?}");
    let archived = course.stage.await_article(|article| named(article, "Harbour Lights")).await;
    assert!(archived["published"].as_str().is_some_and(|moment| moment.starts_with("2019-03-04")));
    let page = course.stage.page(&archived).await;
    assert!(page.text.contains("2019"), "the page shows the date of the review: {}", page.text);
}

async fn an_article_has_what_other_servers_need(database: Database) {
    let mut course = Course::begin(database, Weather::Calm).await;
    course.follow().await;
    let article = course.publish("The Night Ferry").await;
    let summary = article["summary"].as_str().expect("a summary");
    assert!(summary.starts_with("★★★★"), "the rating comes first: {summary}");
    for part in ["The Night Ferry", "Ada Lindqvist", "2021"] {
        assert!(summary.contains(part), "{part} in {summary}");
    }
    assert!(summary.chars().count() <= 500 && !summary.contains(['<', '>']), "{summary}");
    assert_eq!(article["type"], "Article");
    assert_eq!(article["attributedTo"], course.stage.actor());
    assert_ne!(article["id"], article["url"]);
    assert!(article["contentMap"]["en"].is_string());
    assert!(article["preview"]["id"].is_null() && article["preview"]["type"] == "Note");
    let content = article["content"].as_str().expect("content");
    assert!(content.contains("two sisters") && !content.contains("Directed by"), "{content}");
    let fetched = course.stage.article(&article).await;
    assert_eq!(fetched["content"], article["content"]);
}

async fn the_page_and_the_article_lead_to_each_other(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let url = article["url"].as_str().expect("a page");
    let client = &stage.world.client;
    let page = stage.page(&article).await;
    let leads_back = page.elements.iter().any(|(name, attributes)| {
        let has = |key: &str, value: &str| attributes.iter().any(|(k, v)| k == key && v == value);
        name == "link" && has("rel", "alternate") && has("href", id_of(&article))
    });
    assert!(leads_back, "the page names the Article's id");
    let answer = client.get(url, crate::support::http::AS2).await;
    let is_redirect =
        (300..400).contains(&answer.status) && answer.header("location").ends_with(id_of(&article));
    assert!(is_redirect || answer.json()["id"] == article["id"], "the page's address answers other servers");
    for accept in [crate::support::http::AS2, crate::support::http::HTML] {
        let answer = client.get(url, accept).await;
        assert!(answer.header("vary").to_lowercase().contains("accept"), "caches are told apart");
    }
    let mastodon = "application/activity+json, application/ld+json;q=0.9, text/html;q=0.1";
    let answer = client.get(id_of(&article), mastodon).await;
    assert!(answer.header("content-type").starts_with("application/activity+json"));
}

async fn a_reply_to_a_comment_is_threaded_under_it(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let bob = stage.remote.user("bob");
    let first = stage.comment(&stage.alice, &article, "First in the queue").await;
    let second = bob.reply(id_of(&first), "<p>Second in the queue</p>");
    bob.deliver(stage.shared_inbox(), &bob.create(&second)).await;
    let has_both = |page: &Page| page.comment("Second in the queue").is_some();
    let page = stage.await_page(&article, "the reply", has_both).await;
    let parent = page.comment("Second in the queue").and_then(|reply| page.parent_of(reply));
    assert!(parent.is_some_and(|parent| parent.text.contains("First in the queue")));
    assert!(page.text.contains("@alice@remote.test"), "who wrote it is shown: {}", page.text);
    let article = stage.article(&article).await;
    let replies = stage.world.client.document(id_of(&article["replies"])).await;
    let first_page = match &replies["first"] {
        Value::String(id) => stage.world.client.document(id).await,
        embedded => embedded.clone(),
    };
    let items = first_page["items"].as_array().expect("items");
    assert!(items.contains(&first["id"]) && items.contains(&second["id"]), "{items:?}");
}

async fn a_server_in_secure_mode_is_met_with_signed_requests(database: Database) {
    let stage = Stage::with(database, |remote, settings| {
        remote.demand_signed_gets();
        settings
    })
    .await;
    stage.follow(&stage.alice).await;
    let article = stage.publish("The Night Ferry").await;
    stage.comment(&stage.alice, &article, "Behind closed doors").await;
}

async fn a_follower_on_another_server_gets_the_review_too(database: Database) {
    let world = crate::support::World::new();
    let (remote, second) = (world.remote("remote.test").await, world.remote("second.test").await);
    let stage = Stage::in_world(world, remote, database, |_, settings| settings).await;
    stage.follow(&stage.alice).await;
    let dora = second.user("dora");
    let follow = dora.follow(stage.actor());
    dora.deliver(stage.inbox(), &follow).await;
    second.await_activity("the Accept", |a| a["type"] == "Accept").await;
    let article = stage.publish("The Night Ferry").await;
    for server in [&stage.remote, &second] {
        let create = server.await_activity("the Create", |a| a["type"] == "Create").await;
        assert_eq!(create["object"]["id"], article["id"]);
    }
}

async fn two_followers_on_one_server_cost_one_delivery(database: Database) {
    let stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    stage.follow(&stage.remote.user("bob")).await;
    stage.publish("The Night Ferry").await;
    stage.remote.await_activity("the Create", |a| a["type"] == "Create").await;
    stage.settle().await;
    let creates = stage.remote.received().into_iter().filter(|r| r.activity["type"] == "Create");
    let inboxes: Vec<String> = creates.map(|r| r.inbox).collect();
    assert_eq!(inboxes, ["/inbox"], "once, to the shared inbox");
}
