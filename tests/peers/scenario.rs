//! A foreign server and Marquee. Each step checks what both sides must show afterwards.

use axum::http::Method;
use serde_json::{Value, json};

use super::foreign_server::{Library, Peer, Received};
use crate::end_to_end::{await_total_items, total_items};
use crate::support::activities::id_of;
use crate::support::config_file::HOST;
use crate::support::feed::markdown;
use crate::support::fixture::THE_FERRY;
use crate::support::page::Page;
use crate::support::settings::Settings;
use crate::support::{Database, Fixture, TestNetwork, eventually};

pub const POSTER_ALT: &str = "A ferry at night, one window lit";

/// Marquee, and a foreign server whose user has looked up the critic.
pub struct Scenario {
    // The app is dropped before the peer, so that it delivers nothing to a server that is gone.
    pub fixture: Fixture,
    pub peer: Peer,
}

impl Scenario {
    pub async fn begin(library: Library, database: Database) -> Self {
        Self::begin_with(library, database, |settings| settings).await
    }

    /// The same with other settings.
    pub async fn begin_with(
        library: Library,
        database: Database,
        change: impl for<'w> FnOnce(Settings<'w>) -> Settings<'w>,
    ) -> Self {
        let network = TestNetwork::new();
        let peer = Peer::start(&network, library).await;
        let remote = network.remote("remote.test").await;
        let fixture = Fixture::in_network(network, remote, database, |_, settings| change(settings)).await;
        let scenario = Self { fixture, peer };
        scenario.look_up().await;
        scenario
    }

    /// Looks up the critic by handle.
    pub async fn look_up(&self) {
        let critic = self.peer.act("look_up", json!({"handle": format!("critic@{HOST}")})).await;
        for key in ["id", "name", "preferredUsername", "summary", "inbox"] {
            assert_eq!(critic[key], self.fixture.critic[key], "{key}");
        }
        assert_eq!(critic["sharedInbox"], self.fixture.shared_inbox());
        let server = self.peer.act("nodeinfo", json!({"host": HOST})).await;
        assert_eq!(server, json!({"software": "marquee", "protocols": ["activitypub"]}));
    }

    /// The peer reads a whole collection, and must find exactly these items in any order.
    pub async fn assert_lists(&self, url: &Value, mut ids: Vec<&str>) {
        let collection = self.peer.act("collection", json!({"id": id_of(url)})).await;
        assert_eq!(collection["totalItems"], ids.len(), "{collection}");
        let mut items: Vec<_> = collection["items"].as_array().expect("a list").iter().map(id_of).collect();
        items.sort_unstable();
        ids.sort_unstable();
        assert_eq!(items, ids, "{}", id_of(url));
    }

    /// Follows, and waits for the Accept. Returns the id of the Follow.
    pub async fn follow(&self) -> String {
        let follow = self.peer.act_for_id("follow", json!({})).await;
        let accept = self.peer.await_received("the Accept", |r| r.is("Accept", &follow)).await;
        assert_eq!(accept.0["actor"], self.fixture.actor());
        self.await_followers(1).await;
        follow
    }

    pub async fn await_followers(&self, count: u64) {
        let followers = &self.fixture.critic["followers"];
        eventually(&format!("{count} followers"), || async {
            (total_items(&self.fixture, followers).await == count).then_some(())
        })
        .await;
    }

    /// Publishes a review with a poster, and returns its Create as the peer received it.
    pub async fn announce(&self) -> Received {
        let poster = concat!(env!("CARGO_MANIFEST_DIR"), "/config/demo/posters/stalker.png");
        std::fs::copy(poster, self.fixture.app.folder().file("poster.png")).expect("a poster");
        let front = format!("---\nposter: poster.png\nposter_alt: \"{POSTER_ALT}\"\n");
        let text = markdown("The Night Ferry", "The Night Ferry", THE_FERRY).replacen("---\n", &front, 1);
        let file = self.fixture.app.write("review.md", &text);
        self.fixture.app.command_output(&["publish", &file]).await;
        let create = self.peer.await_received("the Create", |r| r.kind() == "Create").await;
        assert_eq!(create.0["actor"], self.fixture.actor());
        let signer = create.0["signer"].as_str().expect("somebody whose signature was verified");
        assert!(signer.starts_with(self.fixture.actor()), "{signer}");
        create
    }

    /// The same; returns its Article as well, and checks that the peer received exactly that.
    pub async fn publish(&self) -> (Received, Value) {
        let create = self.announce().await;
        let article = self.fixture.article(&create.0["object"]).await;
        assert_same(&create.0["object"], &article);
        (create, article)
    }

    /// Revises the review, and waits until the peer gets the Update.
    pub async fn revise(&self, article: &Value) -> Received {
        let text = markdown("The Night Ferry", "The Night Ferry", "Seen again, by daylight.");
        let file = self.fixture.app.write("revised.md", &text);
        let url = article["url"].as_str().expect("a page");
        self.fixture.app.command_output(&["revise", url, &file]).await;
        let update = self.peer.await_received("the Update", |r| r.is("Update", id_of(article))).await;
        assert!(update.object_text("content").contains("by daylight"), "{update:?}");
        assert_eq!(update.0["object"]["published"], article["published"]);
        let moments = [article["published"].as_str(), update.0["object"]["updated"].as_str()];
        let [published, updated] =
            moments.map(|moment| moment.and_then(|m| m.parse::<jiff::Timestamp>().ok()));
        assert!(published.is_some() && updated > published, "an edit is newer: {moments:?}");
        assert_same(
            &self.peer.act("read", json!({"id": article["id"]})).await,
            &self.fixture.article(article).await,
        );
        update
    }

    /// Retracts the review, and waits until the peer gets the Delete.
    pub async fn retract(&self, article: &Value) {
        let url = article["url"].as_str().expect("a page");
        self.fixture.app.command_output(&["retract", url]).await;
        self.peer.await_received("the Delete", |r| r.is("Delete", id_of(article))).await;
    }

    /// Replies, and waits until the page shows the comment with the name of its author. Returns the id of the
    /// note.
    pub async fn reply(&self, article: &Value, to: &str, text: &str, scheme: Option<&str>) -> String {
        let mut args = json!({"to": to, "text": text});
        if let Some(scheme) = scheme {
            args["scheme"] = scheme.into();
        }
        let note = self.peer.act_for_id("reply", args).await;
        let page = self.fixture.await_page(article, "the comment", |page| page.comment(text).is_some()).await;
        let comment = page.comment(text).expect("the comment");
        assert!(comment.text.contains(self.peer.software.handle()), "{}", comment.text);
        note
    }

    pub async fn await_removed(&self, article: &Value, text: &str) {
        let is_removed = |page: &Page| page.comment(text).is_none();
        self.fixture.await_page(article, "the comment to disappear", is_removed).await;
    }

    /// Likes and boosts, and undoes both.
    pub async fn react(&self, article: &Value) {
        for (step, collection) in [("like", "likes"), ("boost", "shares")] {
            let activity = self.peer.act_for_id(step, json!({"object": article["id"]})).await;
            await_total_items(&self.fixture, article, collection, 1).await;
            self.peer.act_for_id("undo", json!({"activity": activity})).await;
            await_total_items(&self.fixture, article, collection, 0).await;
        }
    }

    /// Checks that the peer rejects an unsigned activity: otherwise what it accepts would prove nothing.
    pub async fn assert_unsigned_rejected(&self, article: &Value) {
        let actor = self.fixture.actor();
        let forged = json!({
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": format!("{actor}#forged"), "type": "Delete", "actor": actor, "object": article["id"],
        });
        let inbox = format!("{}/inbox", self.peer.software.actor());
        let headers = [("content-type".to_owned(), "application/activity+json".to_owned())];
        let body = forged.to_string().into_bytes();
        let response = self.fixture.network.client.send(Method::POST, &inbox, &headers, body).await;
        assert_eq!(response.expect("a response").status, 401);
        assert_eq!(self.peer.rejections().await, 1);
        assert!(!self.peer.received().await.iter().any(|r| r.is("Delete", id_of(article))));
    }
}

/// Checks that an object, as a peer understood it, is the Article that Marquee serves.
fn assert_same(understood: &Value, article: &Value) {
    for key in ["id", "type", "attributedTo", "name", "summary", "content", "url"] {
        assert_eq!(understood[key], article[key], "{key}");
    }
    let attachments = article["attachment"].as_array().map_or(&[][..], Vec::as_slice);
    let understood = understood["attachments"].as_array().expect("a list");
    assert_eq!(understood.len(), attachments.len());
    for (parsed, attachment) in understood.iter().zip(attachments) {
        for key in ["type", "url", "mediaType", "name"] {
            assert_eq!(parsed[key], attachment[key], "{key} of an attachment");
        }
    }
}
