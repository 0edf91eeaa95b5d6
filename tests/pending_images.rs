//! Images that do not come while their feed is polled.

use std::time::Duration;

use serde_json::Value;

use crate::both_databases;
use crate::end_to_end::is_about;
use crate::feeds::fixture_with_reviews;
use crate::support::config_file::url;
use crate::support::feed::{Item, NAME as FEED};
use crate::support::remote::Document;
use crate::support::{Database, Fixture, TestNetwork, eventually};

both_databases!(
    a_new_review_does_not_wait_for_an_image_and_is_updated_with_it,
    images_of_a_dead_host_delay_no_review_and_are_given_up,
    what_the_critic_writes_while_an_image_is_missing_stays,
    a_change_of_the_text_without_its_images_is_applied,
);

const POSTER: &str = "/poster.png";
const STILL: &str = "/still.png";

fn with_still(film: &str) -> Item {
    let mut item = Item::review(film);
    item.html.push_str(
        "<img src='https://remote.test/poster.png'><p>And then</p>\
         <img src='https://remote.test/still.png' alt='A ferry at six'>",
    );
    item
}

fn content(article: &Value) -> &str {
    article["content"].as_str().expect("content")
}

fn has_image(article: &Value) -> bool {
    content(article).contains(&format!("<img src=\"{}", url("/media/"))) && !article["attachment"].is_null()
}

/// A review that was published while the server of its image did not respond.
async fn published_without_image(database: Database) -> (Fixture, Value) {
    let fixture = fixture_with_reviews(database, &[]).await;
    for path in [POSTER, STILL] {
        let file = [include_bytes!("../config/demo/avatar.png"), path.as_bytes()].concat();
        fixture.remote.serve(path, Document::new("image/png", file));
        fixture.remote.pause(path);
    }
    fixture.remote.serve_feed(&[with_still("Alpha")]);
    fixture.poll().await;
    let create = fixture.remote.await_activity("the Create", |a| a["type"] == "Create").await;
    let article = create["object"].clone();
    assert!(!has_image(&article) && content(&article).contains("A ferry at six"), "{article}");
    (fixture, article)
}

async fn a_new_review_does_not_wait_for_an_image_and_is_updated_with_it(database: Database) {
    let (fixture, article) = published_without_image(database).await;
    fixture.remote.resume();
    let update = fixture.remote.await_activity("the Update", |a| a["type"] == "Update").await;
    assert!(has_image(&update["object"]), "{update}");
    assert!(content(&update["object"]).contains("alt=\"A ferry at six\""));
    let is_shown =
        |page: &crate::support::page::Page| page.attribute("src").any(|src| src.starts_with("/media/"));
    fixture.await_page(&article, "the image", is_shown).await;
    // Nothing is left to do, and the feed has not changed.
    fixture.poll().await;
    fixture.settle().await;
    assert_eq!(fixture.remote.distinct_activities("Update").len(), 1);
    let log = fixture.app.feed_log().await.join("\n");
    assert!(!log.contains("could not fetch") && !log.contains("revised"), "{log}");
}

async fn images_of_a_dead_host_delay_no_review_and_are_given_up(database: Database) {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    // Nobody listens at this address any more.
    let address = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = address.expect("an address");
    let items: Vec<Item> = (0..8)
        .map(|number| {
            let mut item = Item::old_review(&format!("Film{number}"));
            let image = format!("<img src='https://dead.test/{number}.png' alt='Still {number}'>");
            item.html.push_str(&image);
            item
        })
        .collect();
    let fixture = Fixture::in_network(network, remote, database, |remote, settings| {
        remote.serve_feed(&items);
        settings.resolve("dead.test", address).feed(FEED, &remote.url("/feed.xml"), "interval = \"1h\"")
    })
    .await;
    fixture.follow(&fixture.alice).await;
    let query = "select count(*) from pending_images";
    let waits = async || fixture.app.number(query, query).await;
    eventually("reviews without images", || async { (waits().await == 8).then_some(()) }).await;
    let log = fixture.app.feed_log().await.join("\n");
    assert!(!log.contains("could not fetch"), "{log}");
    let list = fixture.app.command_output(&["review", "list", "--json"]).await;
    assert_eq!(list.matches("\"archive\"").count(), 8, "the texts are there: {list}");
    fixture.app.set_clock_forward(Duration::from_hours(8 * 24));
    eventually("no image is waited for", || async { (waits().await == 0).then_some(()) }).await;
    let log = fixture.app.feed_log().await;
    for number in 0..8 {
        let line =
            format!("could not fetch the poster, so the review has none: https://dead.test/{number}.png");
        assert_eq!(log.iter().filter(|entry| entry.contains(&line)).count(), 1, "{log:#?}");
    }
    assert!(fixture.remote.distinct_activities("Update").is_empty());
}

async fn what_the_critic_writes_while_an_image_is_missing_stays(database: Database) {
    let (fixture, article) = published_without_image(database).await;
    let slug = article["url"].as_str().and_then(|url| url.rsplit('/').next()).expect("a slug").to_owned();
    let text = fixture.app.command_output(&["review", "show", &slug]).await;
    let file = fixture.app.write("corrected.md", &text.replace("And then", "And then it sails"));
    fixture.app.command_output(&["revise", &slug, &file]).await;
    let is_corrected = |a: &Value| a["type"] == "Update" && content(&a["object"]).contains("it sails");
    fixture.remote.await_activity("the correction", is_corrected).await;
    fixture.remote.resume();
    fixture.settle().await;
    fixture.poll().await;
    fixture.settle().await;
    assert_eq!(fixture.remote.distinct_activities("Update").len(), 1);
    assert!(content(&fixture.article(&article).await).contains("it sails"));
}

async fn a_change_of_the_text_without_its_images_is_applied(database: Database) {
    let (fixture, article) = published_without_image(database).await;
    let mut item = with_still("Alpha");
    item.html.push_str("<p>An afterthought.</p>");
    fixture.remote.serve_feed(std::slice::from_ref(&item));
    fixture.poll().await;
    let is_changed = |a: &Value| a["type"] == "Update" && content(&a["object"]).contains("An afterthought");
    fixture.remote.await_activity("the change", is_changed).await;
    fixture.remote.resume();
    let both = |a: &Value| is_changed(a) && has_image(&a["object"]);
    fixture.remote.await_activity("the change with its image", both).await;
    assert!(is_about(&fixture.article(&article).await, "Alpha"));
}
