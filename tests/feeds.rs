//! Which entries of a feed are published and which are not.

use serde_json::{Value, json};

use crate::both_databases;
use crate::end_to_end::{fixture_with_feed, is_about};
use crate::support::activities::id_of;
use crate::support::feed::{Item, NAME as FEED, PATH, atom, json_feed, rss};
use crate::support::remote::Document;
use crate::support::{Database, Fixture, eventually};

both_databases!(
    each_format_of_feed_is_read,
    an_invalid_feed_is_logged_and_read_once_it_is_valid_again,
    a_feed_with_external_entities_or_billion_laughs_is_rejected,
    a_changed_guid_does_not_publish_again,
    a_changed_link_does_not_publish_again,
    guid_and_link_changed_together_do_not_publish_again,
    an_entry_is_recognized_while_its_identity_changes_step_by_step,
    two_reviews_with_the_same_text_stay_separate,
    a_feed_with_a_new_url_stays_the_same_feed,
    an_id_that_entries_share_identifies_none_of_them,
    an_entry_that_left_the_feed_stays,
    a_retracted_review_does_not_come_back,
    an_entry_with_a_future_date_is_scheduled,
    an_entry_with_a_future_date_is_published_at_that_time,
    scripts_in_a_feed_are_escaped_or_removed,
    a_feed_in_a_local_file_is_read,
    polling_an_unchanged_feed_changes_nothing,
    a_skipped_entry_is_logged_once_for_each_reason,
    a_shorter_interval_takes_effect_at_the_start,
    a_shorter_interval_does_not_hurry_a_server_that_wants_a_pause,
);

const ALL: &str = "publish_since = \"2000-01-01\"";

/// A fixture with a follower and a feed whose entries are all published.
pub async fn fixture_with_reviews(database: Database, items: &[Item]) -> Fixture {
    let fixture = fixture_with_feed(database, &[], ALL).await;
    fixture.follow(&fixture.alice).await;
    publish(&fixture, items).await;
    for item in items {
        let film = film_of(item);
        let is_match = |a: &Value| a["type"] == "Create" && is_about(&a["object"], film);
        fixture.remote.await_activity("the Create", is_match).await;
    }
    fixture
}

fn film_of(item: &Item) -> &str {
    item.title.split('\'').nth(1).expect("a film in quotes")
}

async fn publish(fixture: &Fixture, items: &[Item]) {
    fixture.remote.serve_feed(items);
    fixture.poll().await;
}

/// Checks how many reviews were delivered, after everything has been processed.
async fn assert_published(fixture: &Fixture, count: usize) {
    fixture.settle().await;
    let creates = fixture.remote.distinct_activities("Create");
    let objects: std::collections::BTreeSet<&str> =
        creates.iter().map(|create| id_of(&create["object"])).collect();
    assert_eq!(objects.len(), count, "{objects:?}");
    assert_eq!(creates.len(), count, "each review is delivered once");
}

async fn await_in_log(fixture: &Fixture, what: &[&str]) -> String {
    eventually(&format!("{what:?} in the log of the feed"), || async {
        let log = fixture.app.feed_log().await;
        log.into_iter().find(|line| what.iter().all(|part| line.contains(part)))
    })
    .await
}

async fn each_format_of_feed_is_read(database: Database) {
    let (one, two, three) = (Item::review("Alpha"), Item::review("Beta"), Item::review("Gamma"));
    let fixture = Fixture::with(database, |remote, settings| {
        let serve =
            |path: &str, media_type: &str, text: String| remote.serve(path, Document::new(media_type, text));
        serve("/rss", "application/rss+xml", rss(&[one]));
        serve("/atom", "application/atom+xml", atom(&[two]));
        serve("/json", "application/feed+json", json_feed(&[three]));
        settings.feed("rss", &remote.url("/rss"), ALL).feed("atom", &remote.url("/atom"), ALL).feed(
            "json",
            &remote.url("/json"),
            ALL,
        )
    })
    .await;
    for (feed, film) in [("rss", "Alpha"), ("atom", "Beta"), ("json", "Gamma")] {
        fixture.app.poll(feed).await;
        let article = fixture.await_article(|article| is_about(article, film)).await;
        assert!(article["summary"].as_str().is_some_and(|s| s.contains("Ada Lindqvist")), "{article}");
    }
}

async fn an_invalid_feed_is_logged_and_read_once_it_is_valid_again(database: Database) {
    let first = Item::review("Alpha");
    let fixture = fixture_with_reviews(database, std::slice::from_ref(&first)).await;
    let complete = rss(&[Item::review("Alpha"), Item::review("Omega")]);
    let truncated = &complete[..complete.len() / 2];
    let broken = [
        Document::new("application/rss+xml", "<rss><channel><item>"),
        Document::new("text/html", "<!doctype html><title>Sorry</title><p>We are moving."),
        Document::new("application/rss+xml", ""),
        Document::new("application/rss+xml", vec![0xff, 0xfe, 0x00, 0x00, 0x01]),
        Document::new("application/rss+xml", truncated),
        // A hundred megabytes, of which the first sixteen are already too many.
        Document::new("application/rss+xml", vec![b' '; 100 * 1024 * 1024]),
        Document::status(500),
        Document::status(404),
    ];
    for (number, document) in broken.into_iter().enumerate() {
        fixture.remote.serve(PATH, document);
        fixture.app.poll_expecting_failure(FEED).await;
        eventually("another failure in the log of the feed", || async {
            let failures = fixture.app.feed_log().await.into_iter().filter(|line| line.contains("failed"));
            (failures.count() > number).then_some(())
        })
        .await;
    }
    publish(&fixture, &[Item::review("Beta"), first]).await;
    fixture
        .remote
        .await_activity("the Create", |a| a["type"] == "Create" && is_about(&a["object"], "Beta"))
        .await;
    assert_published(&fixture, 2).await;
}

async fn a_feed_with_external_entities_or_billion_laughs_is_rejected(database: Database) {
    let fixture = fixture_with_reviews(database, &[Item::review("Alpha")]).await;
    let secret = fixture.app.write("secret.txt", "the combination is 1234");
    let body = rss(&[Item::review("Beta")]).replace("The first reel", "&x; the first reel");
    let entity =
        body.replace("<rss ", &format!("<!DOCTYPE rss [<!ENTITY x SYSTEM \"file://{secret}\">]><rss "));
    let laugh = |n: u32| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10));
    let laughs = (1..30).map(laugh).collect::<Vec<_>>().concat();
    let title = "<title>&l29;</title>";
    let bomb = body
        .replace("<rss ", &format!("<!DOCTYPE rss [<!ENTITY l0 \"ha\">{laughs}]><rss "))
        .replace("<title>Third Row</title>", title);
    for document in [entity, bomb] {
        fixture.remote.serve(PATH, Document::new("application/rss+xml", document));
        fixture.app.poll_expecting_failure(FEED).await;
    }
    for article in fixture.articles().await {
        assert!(!article.to_string().contains("the combination"), "{article}");
    }
    publish(&fixture, &[Item::review("Gamma")]).await;
    fixture.await_article(|article| is_about(article, "Gamma")).await;
}

async fn a_changed_guid_does_not_publish_again(database: Database) {
    let mut item = Item::review("Alpha");
    let fixture = fixture_with_reviews(database, std::slice::from_ref(&item)).await;
    "urn:uuid:another-one-altogether".clone_into(&mut item.id);
    publish(&fixture, &[item]).await;
    assert_published(&fixture, 1).await;
}

async fn a_changed_link_does_not_publish_again(database: Database) {
    let mut item = Item::review("Alpha");
    let fixture = fixture_with_reviews(database, std::slice::from_ref(&item)).await;
    "https://remote.test/moved/alpha?utm_source=feed".clone_into(&mut item.link);
    publish(&fixture, &[item]).await;
    assert_published(&fixture, 1).await;
}

async fn guid_and_link_changed_together_do_not_publish_again(database: Database) {
    let mut items: Vec<Item> = ["Alpha", "Beta", "Gamma"].map(Item::review).to_vec();
    let fixture = fixture_with_reviews(database, &items).await;
    for (number, item) in items.iter_mut().enumerate() {
        item.id = format!("https://elsewhere.test/?p={number}");
        item.link = format!("https://elsewhere.test/{number}/");
    }
    publish(&fixture, &items).await;
    assert_published(&fixture, 3).await;
}

async fn an_entry_is_recognized_while_its_identity_changes_step_by_step(database: Database) {
    let mut item = Item::review("Alpha");
    let fixture = fixture_with_reviews(database, std::slice::from_ref(&item)).await;
    "urn:uuid:another-one-altogether".clone_into(&mut item.id);
    publish(&fixture, std::slice::from_ref(&item)).await;
    // Only the new id shows that it is the same entry.
    "https://elsewhere.test/alpha/".clone_into(&mut item.link);
    item.html.push_str("<p>An afterthought, which changes the text.</p>");
    publish(&fixture, std::slice::from_ref(&item)).await;
    fixture.remote.await_activity("the Update", |a| a["type"] == "Update").await;
    assert_published(&fixture, 1).await;
}

async fn two_reviews_with_the_same_text_stay_separate(database: Database) {
    let mut items = ["Alpha", "Beta"].map(Item::review);
    let html = "<p>The rest of this review is for subscribers of the paper. ".to_owned()
        + &"Come in! ".repeat(40)
        + "</p>";
    for item in &mut items {
        item.html.clone_from(&html);
    }
    let fixture = fixture_with_feed(database, &[], ALL).await;
    fixture.follow(&fixture.alice).await;
    publish(&fixture, &items).await;
    assert_published(&fixture, 2).await;
    fixture.poll().await;
    // A third entry is similar to both, and nothing else connects it to either.
    let mut third = Item::review("Gamma");
    third.html.clone_from(&html);
    publish(&fixture, std::slice::from_ref(&third)).await;
    await_in_log(&fixture, &["held", "Gamma"]).await;
    assert_published(&fixture, 2).await;
    assert!(fixture.remote.distinct_activities("Update").is_empty(), "no review was replaced by another");
}

async fn a_feed_with_a_new_url_stays_the_same_feed(database: Database) {
    let item = Item::review("Alpha");
    let mut fixture = fixture_with_reviews(database, std::slice::from_ref(&item)).await;
    let moved = rss(&[Item::review("Beta"), item]);
    fixture.remote.serve("/moved.xml", Document::new("application/rss+xml", moved));
    let url = fixture.remote.url("/moved.xml");
    fixture.app.redeclare_feeds(|feeds| feeds[0].url = url);
    fixture.app.restart().await;
    fixture.app.poll(FEED).await;
    fixture
        .remote
        .await_activity("the Create", |a| a["type"] == "Create" && is_about(&a["object"], "Beta"))
        .await;
    assert_published(&fixture, 2).await;
}

async fn an_id_that_entries_share_identifies_none_of_them(database: Database) {
    let mut items: Vec<Item> = ["Alpha", "Beta"].map(Item::review).to_vec();
    for item in &mut items {
        "1".clone_into(&mut item.id);
    }
    let fixture = fixture_with_reviews(database, &items).await;
    assert_published(&fixture, 2).await;
    let mut third = Item::review("Gamma");
    "1".clone_into(&mut third.id);
    items.push(third);
    publish(&fixture, &items).await;
    fixture
        .remote
        .await_activity("the third review", |a| a["type"] == "Create" && is_about(&a["object"], "Gamma"))
        .await;
    assert_published(&fixture, 3).await;
}

async fn an_entry_that_left_the_feed_stays(database: Database) {
    let fixture = fixture_with_reviews(database, &["Alpha", "Beta"].map(Item::review)).await;
    publish(&fixture, &[Item::review("Gamma")]).await;
    fixture.await_article(|article| is_about(article, "Gamma")).await;
    fixture.settle().await;
    assert_eq!(fixture.articles().await.len(), 3);
    assert!(fixture.remote.distinct_activities("Delete").is_empty());
}

async fn a_retracted_review_does_not_come_back(database: Database) {
    let mut item = Item::review("Alpha");
    let fixture = fixture_with_reviews(database, std::slice::from_ref(&item)).await;
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    let slug = article["url"].as_str().and_then(|url| url.rsplit('/').next()).expect("a slug");
    fixture.app.command_output(&["retract", slug]).await;
    fixture.remote.await_activity("the Delete", |a| a["type"] == "Delete").await;
    fixture.poll().await;
    item.html.push_str("<p>An afterthought.</p>");
    publish(&fixture, std::slice::from_ref(&item)).await;
    assert_published(&fixture, 1).await;
    assert!(fixture.articles().await.is_empty());
}

async fn an_entry_with_a_future_date_is_scheduled(database: Database) {
    let mut item = Item::review("Alpha");
    item.published = item.published.map(|moment| moment + jiff::SignedDuration::from_hours(48));
    let fixture = fixture_with_feed(database, &[], ALL).await;
    fixture.follow(&fixture.alice).await;
    publish(&fixture, &[item]).await;
    await_in_log(&fixture, &["scheduled"]).await;
    assert_published(&fixture, 0).await;
    assert!(fixture.articles().await.is_empty(), "it is not public before");
    for path in ["/", "/@critic"] {
        assert!(!fixture.app.get_page(path).await.body.contains("Alpha"), "{path}");
    }
}

async fn an_entry_with_a_future_date_is_published_at_that_time(database: Database) {
    let mut item = Item::review("Alpha");
    item.published = Some(crate::support::now() + jiff::SignedDuration::from_secs(6));
    let fixture = fixture_with_feed(database, &[], ALL).await;
    fixture.follow(&fixture.alice).await;
    publish(&fixture, &[item]).await;
    await_in_log(&fixture, &["scheduled"]).await;
    fixture
        .remote
        .await_activity("the Create", |a| a["type"] == "Create" && is_about(&a["object"], "Alpha"))
        .await;
    assert_published(&fixture, 1).await;
}

async fn scripts_in_a_feed_are_escaped_or_removed(database: Database) {
    let mut item = Item::review("Alpha");
    "'Alpha' <script>alert(1)</script> & &lt;b&gt;".clone_into(&mut item.title);
    item.html.push_str(
        "<script>alert(2)</script><p onclick=\"alert(3)\">Fade <a href=\"javascript:alert(4)\">out</a></p>",
    );
    let fixture = fixture_with_reviews(database, std::slice::from_ref(&item)).await;
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    assert!(
        !article["content"].to_string().contains("alert(2)") && !article.to_string().contains("javascript:")
    );
    let page = fixture.page(&article).await;
    assert_eq!(page.scripts(), ["/assets/site.js"], "only the script of this site");
    assert!(page.attribute("onclick").next().is_none());
    assert!(page.attribute("href").all(|href| !href.starts_with("javascript:")));
    assert!(page.text.contains("Fade out"));
}

async fn a_feed_in_a_local_file_is_read(database: Database) {
    let folder = crate::support::temp_dir::TempDir::new();
    let path = folder.write("feed.xml", &rss(&[Item::review("Alpha")]));
    let path = path.display().to_string();
    let fixture = Fixture::with(database, |_, settings| settings.feed(FEED, &path, ALL)).await;
    fixture.app.poll(FEED).await;
    fixture.await_article(|article| is_about(article, "Alpha")).await;
}

async fn polling_an_unchanged_feed_changes_nothing(database: Database) {
    let items = ["Alpha", "Beta"].map(Item::review);
    let fixture = fixture_with_reviews(database, &items).await;
    for _ in 0..3 {
        fixture.poll().await;
    }
    assert_published(&fixture, 2).await;
    assert!(fixture.remote.distinct_activities("Update").is_empty());
}

/// The subject of a broken entry is its position, at which another broken entry can stand later.
async fn a_skipped_entry_is_logged_once_for_each_reason(database: Database) {
    let fixture = fixture_with_feed(database, &[], ALL).await;
    let serve = |entry: &Value| {
        let good = json!({"id": "1", "url": fixture.remote.url("/1"), "title": "Alpha", "content_html": "<p>Good</p>"});
        let feed = json!({"version": "https://jsonfeed.org/version/1.1", "title": "Reviews", "items": [good, entry]});
        fixture.remote.serve(PATH, Document::new("application/feed+json", feed.to_string()));
    };
    let skipped = async || {
        let log = fixture.app.feed_log().await;
        log.into_iter().filter(|line| line.contains("skipped")).collect::<Vec<_>>()
    };
    serve(&json!({}));
    fixture.poll().await;
    fixture.poll().await;
    let lines = skipped().await;
    assert!(lines.len() == 1 && lines[0].contains("entry 2"), "{lines:?}");
    serve(&json!("a text"));
    fixture.poll().await;
    fixture.poll().await;
    let lines = skipped().await;
    assert_eq!(lines.len(), 2, "{lines:?}");
}

async fn a_shorter_interval_does_not_hurry_a_server_that_wants_a_pause(database: Database) {
    let mut fixture = fixture_with_feed(database, &[Item::old_review("Alpha")], "interval = \"1h\"").await;
    fixture.remote.serve(PATH, Document::status(429).with_header("retry-after", "86000"));
    fixture.app.poll_expecting_failure(FEED).await;
    fixture.app.redeclare_feeds(|feeds| "interval = \"1m\"".clone_into(&mut feeds[0].more));
    fixture.app.restart().await;
    let pause = "select max(next_poll_at) - max(created_at) from feeds";
    assert!(fixture.app.number(pause, pause).await > 80_000_000);
}

async fn a_shorter_interval_takes_effect_at_the_start(database: Database) {
    let mut fixture = fixture_with_feed(database, &[Item::old_review("Alpha")], "interval = \"1d\"").await;
    fixture.follow(&fixture.alice).await;
    fixture.app.redeclare_feeds(|feeds| "interval = \"1s\"".clone_into(&mut feeds[0].more));
    fixture.remote.serve_feed(&[Item::review("Beta"), Item::old_review("Alpha")]);
    fixture.app.restart().await;
    fixture.await_article(|article| is_about(article, "Beta")).await;
}
