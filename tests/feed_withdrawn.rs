//! Entries that wait, for their turn, their time or the critic, and that become private or are left out meanwhile: nothing of
//! them is published by itself any more.

use crate::both_databases;
use crate::feed_identity::{prose, review};
use crate::support::feed::{Item, NAME as FEED, PATH, rss};
use crate::support::remote::Document;
use crate::support::{Database, Fixture, eventually};

both_databases!(
    what_waits_for_its_turn_and_becomes_private_is_not_published,
    what_waits_for_its_time_and_is_left_out_is_not_published,
    a_change_that_waits_is_forgotten_when_its_entry_is_left_out,
    a_review_that_becomes_private_is_not_changed,
);

/// RSS of WordPress in which the entries with these links have a label.
fn served(items: &[Item], labelled: &[&Item]) -> Document {
    let mut feed = rss(items).replacen(
        "<description>",
        "<generator>https://wordpress.org/?v=7.0</generator><description>",
        1,
    );
    for item in labelled {
        let guid = format!("{}</guid>", item.id);
        feed = feed.replacen(&guid, &format!("{guid}<category>Members</category>"), 1);
    }
    Document::new("application/rss+xml", feed)
}

async fn fixture(database: Database, document: Document, limit: u8) -> Fixture {
    fixture_with_interval(database, document, limit, "1s").await
}

async fn fixture_with_interval(database: Database, document: Document, limit: u8, interval: &str) -> Fixture {
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve_feed(&[]);
        let more = format!(
            "publish_since = \"2000-01-01\"\ninterval = \"{interval}\"\nmax_publish_per_poll = {limit}\nexcept = [\"Members\"]"
        );
        settings.feed(FEED, &remote.url(PATH), &more)
    })
    .await;
    fixture.follow(&fixture.alice).await;
    poll(&fixture, document).await;
    fixture
}

async fn poll(fixture: &Fixture, document: Document) {
    fixture.remote.serve(PATH, document);
    fixture.poll().await;
    fixture.settle().await;
}

fn sent(fixture: &Fixture) -> (usize, usize) {
    let count = |kind: &str| fixture.remote.distinct_activities(kind).len();
    (count("Create"), count("Update"))
}

/// Polls until a new entry, which comes after all that wait, is published.
async fn poll_until_published(fixture: &Fixture, document: &Document, film: &str) {
    eventually("the entry after those that wait", || async {
        poll(fixture, document.clone()).await;
        let articles = fixture.articles().await;
        articles.iter().any(|article| article["name"].to_string().contains(film)).then_some(())
    })
    .await;
}

async fn what_waits_for_its_turn_and_becomes_private_is_not_published(database: Database) {
    let items: Vec<Item> = (1..=4)
        .map(|day| review(day, ["Ash", "Brine", "Chalk", "Dust"][usize::try_from(day).expect("a day") - 1]))
        .collect();
    let mut fixture = fixture_with_interval(database, served(&items, &[]), 1, "1h").await;
    let queued: Vec<&Item> = items.iter().skip(1).collect();
    let mut later = items.clone();
    later[1] = Item {
        title: format!("Protected: {}", queued[0].title),
        html: "<p>There is no excerpt because this is a protected post.</p>".to_owned(),
        ..later[1].clone()
    };
    later[2].title = format!("Private: {}", queued[1].title);
    later.insert(0, review(5, "Ember"));
    let document = served(&later, &[&items[3]]);
    fixture.remote.serve(PATH, document.clone());
    fixture.app.redeclare_feeds(|feeds| feeds[0].more = feeds[0].more.replace("1h", "1s"));
    fixture.app.restart().await;
    poll_until_published(&fixture, &document, "Ember").await;
    assert_eq!(sent(&fixture), (2, 0), "{:?}", fixture.app.feed_log().await);
    assert_eq!(fixture.articles().await.len(), 2);
    let log = fixture.app.feed_log().await;
    let lines =
        log.iter().filter(|line| line.contains("its entry is left out now, so that it waits for you"));
    assert_eq!(lines.count(), 3, "{log:?}");
    let held = fixture.app.command_output(&["feed", "held"]).await;
    assert!(held.contains("waits until you release it"), "{held}");
}

async fn what_waits_for_its_time_and_is_left_out_is_not_published(database: Database) {
    let mut item = review(1, "Ash");
    item.published = Some(crate::support::now() + jiff::SignedDuration::from_hours(2));
    let fixture = fixture(database, served(std::slice::from_ref(&item), &[]), 5).await;
    poll(&fixture, served(std::slice::from_ref(&item), &[&item])).await;
    let listed = fixture.app.command_output(&["review", "list"]).await;
    assert!(!listed.contains("scheduled") && listed.to_lowercase().contains("held"), "{listed}");
    assert_eq!(sent(&fixture), (0, 0));
}

async fn a_change_that_waits_is_forgotten_when_its_entry_is_left_out(database: Database) {
    let item = review(1, "Ash");
    let fixture = fixture(database, served(std::slice::from_ref(&item), &[]), 5).await;
    let other = Item {
        html: format!("<p>{}</p>", prose(9)),
        title: "Movie Review: 'Chalk'".to_owned(),
        ..item.clone()
    };
    poll(&fixture, served(std::slice::from_ref(&other), &[])).await;
    let held = fixture.app.command_output(&["feed", "held"]).await;
    assert!(held.contains("headline now: Movie Review: 'Chalk'"), "{held}");
    poll(&fixture, served(std::slice::from_ref(&other), &[&other])).await;
    assert_eq!(fixture.app.command_output(&["feed", "held"]).await.trim(), "no reviews are held");
    assert_eq!(sent(&fixture), (1, 0));
}

async fn a_review_that_becomes_private_is_not_changed(database: Database) {
    let item = review(1, "Ash");
    let fixture = fixture(database, served(std::slice::from_ref(&item), &[]), 5).await;
    for prefix in ["Private: ", "Privat: ", "Privé\u{a0}: ", "非公開: "] {
        let private = Item {
            title: format!("{prefix}{}", item.title),
            html: format!("{}<p>A secret.</p>", item.html),
            ..item.clone()
        };
        poll(&fixture, served(std::slice::from_ref(&private), &[])).await;
    }
    let articles = fixture.articles().await;
    assert!(articles.len() == 1 && !articles[0].to_string().contains("secret"), "{articles:?}");
    assert_eq!(sent(&fixture), (1, 0));
}
