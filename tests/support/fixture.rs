//! The starting point of most tests: Marquee, a remote server with a user, and the critic's actor as that server sees
//! it.

use serde_json::Value;

use super::activities::id_of;
use super::app::App;
use super::config_file::HOST;
use super::database::Database;
use super::feed::{self, markdown};
use super::page::Page;
use super::remote::{Remote, User};
use super::settings::Settings;
use super::{TestNetwork, eventually};

/// The text of the reviews that `Fixture::publish` publishes.
pub const THE_FERRY: &str = "The ferry leaves at six, and nobody waves.";

pub struct Fixture {
    // Fields are dropped in this order: the app first, so that it does not deliver to servers that have stopped.
    pub app: App,
    pub remote: Remote,
    pub network: TestNetwork,
    pub critic: Value,
    pub alice: User,
}

impl Fixture {
    pub async fn new(database: Database) -> Self {
        Self::with(database, |_, settings| settings).await
    }

    /// Like `new`, with other settings.
    pub async fn with(
        database: Database,
        change: impl for<'w> FnOnce(&Remote, Settings<'w>) -> Settings<'w>,
    ) -> Self {
        let network = TestNetwork::new();
        let remote = network.remote("remote.test").await;
        Self::in_network(network, remote, database, change).await
    }

    /// Like `with`, in a network with further servers.
    pub async fn in_network(
        network: TestNetwork,
        remote: Remote,
        database: Database,
        change: impl for<'w> FnOnce(&Remote, Settings<'w>) -> Settings<'w>,
    ) -> Self {
        let settings = network.marquee(database).await;
        let app = change(&remote, settings).start().await;
        let critic = network.client.look_up(&format!("critic@{HOST}")).await;
        let alice = remote.user("alice");
        Self { app, remote, network, critic, alice }
    }

    pub fn actor(&self) -> &str {
        id_of(&self.critic)
    }

    pub fn inbox(&self) -> &str {
        self.critic["inbox"].as_str().expect("an inbox")
    }

    pub fn shared_inbox(&self) -> &str {
        self.critic["endpoints"]["sharedInbox"].as_str().expect("a shared inbox")
    }

    /// Follows the critic and waits for the Accept. Returns the Follow.
    pub async fn follow(&self, user: &User) -> Value {
        let follow = user.follow(self.actor());
        user.deliver(self.inbox(), &follow).await;
        self.await_accept(user, &follow).await;
        follow
    }

    /// Follows the critic from another server.
    pub async fn follow_from(&self, remote: &Remote, user: &User) {
        let follow = user.follow(self.actor());
        user.deliver(self.inbox(), &follow).await;
        let is_accept = |a: &Value| a["type"] == "Accept" && a["object"]["id"] == follow["id"];
        remote.await_activity("the Accept", is_accept).await;
    }

    pub async fn await_accept(&self, user: &User, follow: &Value) {
        let is_accept = |a: &Value| a["type"] == "Accept" && a["object"]["id"] == follow["id"];
        let accept = self.remote.await_activity("the Accept", is_accept).await;
        assert_eq!(accept["actor"], self.actor());
        assert_eq!(accept["object"]["actor"], user.id());
    }

    /// Waits until everything that was delivered before has been processed: a new user follows and is accepted, twice.
    pub async fn settle(&self) {
        for _ in 0..2 {
            let stranger = self.remote.user(&format!("stranger{}", super::unique()));
            let follow = self.follow(&stranger).await;
            stranger.deliver(self.inbox(), &stranger.undo(&follow)).await;
        }
    }

    /// Polls the feed that the remote serves.
    pub async fn poll(&self) {
        self.app.poll(feed::NAME).await;
    }

    /// Publishes a review from the command line, and returns its Article as other servers see it.
    pub async fn publish(&self, title: &str) -> Value {
        let text = markdown(title, title, THE_FERRY);
        let file = self.app.write("review.md", &text);
        self.app.command_output(&["publish", &file]).await;
        self.await_article(|article| article["name"].as_str().is_some_and(|name| name.contains(title))).await
    }

    /// The Articles in the critic's outbox, newest first.
    pub async fn articles(&self) -> Vec<Value> {
        let client = &self.network.client;
        let outbox = client.document(self.critic["outbox"].as_str().expect("an outbox")).await;
        let mut page = match &outbox["first"] {
            Value::Null => outbox.clone(),
            Value::Object(_) => outbox["first"].clone(),
            first => client.document(id_of(first)).await,
        };
        let mut articles = Vec::new();
        loop {
            let items = page["orderedItems"].as_array().cloned().unwrap_or_default();
            for item in items {
                let object = if item["type"] == "Create" { item["object"].clone() } else { item };
                match &object {
                    Value::String(id) => articles.push(client.document(id).await),
                    _ => articles.push(object),
                }
            }
            match &page["next"] {
                Value::Null => return articles,
                next => page = client.document(id_of(next)).await,
            }
        }
    }

    pub async fn await_article(&self, is_match: impl Fn(&Value) -> bool) -> Value {
        let is_match = &is_match;
        eventually("an Article in the outbox", || async {
            self.articles().await.into_iter().find(|article| is_match(article))
        })
        .await
    }

    /// Fetches an Article again.
    pub async fn article(&self, article: &Value) -> Value {
        self.network.client.document(id_of(article)).await
    }

    /// The page of an Article, found by its `url`.
    pub async fn page(&self, article: &Value) -> Page {
        let url = article["url"].as_str().expect("a link to the page");
        let response = self.network.client.get(url, super::http::HTML).await;
        assert_eq!(response.status, 200, "{url}: {}", response.body);
        assert!(response.header("content-type").starts_with("text/html"), "{url} is a page");
        Page::parse(&response.body)
    }

    /// Waits until the page of an Article meets a condition.
    pub async fn await_page(&self, article: &Value, what: &str, is_match: impl Fn(&Page) -> bool) -> Page {
        let is_match = &is_match;
        eventually(what, || async { Some(self.page(article).await).filter(|page| is_match(page)) }).await
    }

    /// Sends a public reply and waits until the page shows it. Returns the Note.
    pub async fn comment(&self, user: &User, article: &Value, text: &str) -> Value {
        let note = user.reply(id_of(article), &format!("<p>{text}</p>"));
        user.deliver(self.inbox(), &user.create(&note)).await;
        self.await_page(article, "a comment", |page| page.comment(text).is_some()).await;
        note
    }

    /// Like `comment`, as a reply to a comment.
    pub async fn comment_under(&self, user: &User, article: &Value, parent: &Value, text: &str) -> Value {
        let note = user.reply(id_of(parent), &format!("<p>{text}</p>"));
        user.deliver(self.inbox(), &user.create(&note)).await;
        self.await_page(article, "a reply", |page| page.comment(text).is_some()).await;
        note
    }

    /// The ids in a collection, over all its pages.
    pub async fn items(&self, collection: &Value) -> Vec<String> {
        let client = &self.network.client;
        let mut page = client.document(id_of(collection)).await;
        let mut found = Vec::new();
        loop {
            for key in ["items", "orderedItems"] {
                found.extend(page[key].as_array().into_iter().flatten().map(|item| id_of(item).to_owned()));
            }
            page = match (&page["first"], &page["next"]) {
                (Value::Null, Value::Null) => return found,
                (Value::Null, next) => client.document(id_of(next)).await,
                (first @ Value::Object(_), _) if first["id"].is_null() => first.clone(),
                (first, _) => client.document(id_of(first)).await,
            };
        }
    }
}
