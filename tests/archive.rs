//! Old reviews are sent to nobody on any path, unless the critic announces them.

use serde_json::Value;

use crate::both_databases;
use crate::end_to_end::{fixture_with_feed, is_about};
use crate::support::db_control::DbControl;
use crate::support::feed::{Item, LONG_AGO, markdown};
use crate::support::{Database, Fixture, eventually};

both_databases!(
    an_old_review_published_by_hand_is_archived_unless_announced,
    an_old_review_that_was_held_is_archived_unless_announced,
    a_new_review_that_was_held_for_long_is_not_old,
    a_moved_publish_since_sends_nothing_that_was_archived,
    what_a_feed_published_while_it_was_not_in_the_config_is_archived,
    an_old_review_is_archived_even_if_it_is_similar_to_another_one,
    held_reviews_can_be_archived_together,
    publish_since_needs_no_quotes,
    an_undated_review_that_an_earlier_version_held_is_archived,
    a_scheduled_review_that_turns_out_to_be_old_is_archived,
);

/// How many reviews were sent to the follower.
async fn sent(fixture: &Fixture) -> usize {
    fixture.settle().await;
    fixture.remote.distinct_activities("Create").len()
}

async fn state_of(fixture: &Fixture, slug: &str) -> String {
    let articles = fixture.articles().await;
    let is_it =
        |article: &&Value| article["url"].as_str().is_some_and(|url| url.ends_with(&format!("/{slug}")));
    let public = articles.iter().find(is_it).is_some();
    if public { "public".to_owned() } else { "not public".to_owned() }
}

async fn an_old_review_published_by_hand_is_archived_unless_announced(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    let old = |title: &str| {
        markdown(title, title, "A ferry, and nobody on it.").replacen("---\n", "---\ndate: 2019-03-04\n", 1)
    };
    let file = fixture.app.write("old.md", &old("The Night Ferry"));
    let printed = fixture.app.command_output(&["publish", &file]).await;
    assert!(printed.contains("Archived, sent to nobody") && printed.contains("--announce"), "{printed}");
    assert_eq!(
        (sent(&fixture).await, state_of(&fixture, "the-night-ferry-2021").await.as_str()),
        (0, "public")
    );
    let printed = fixture.app.command_output(&["publish", "--announce", &file]).await;
    assert!(printed.contains("Published"), "{printed}");
    assert_eq!(sent(&fixture).await, 1);
    let other = fixture.app.write("other.md", &old("The Empty Hall"));
    fixture.app.command_output(&["publish", "--announce", &other]).await;
    assert_eq!(sent(&fixture).await, 2);
}

/// A fixture whose feed has an archived review, which an earlier version held as a suspected duplicate.
async fn fixture_with_held(database: Database) -> Fixture {
    let fixture = fixture_with_feed(database, &[Item::old_review("Alpha")], "").await;
    fixture.follow(&fixture.alice).await;
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute("update reviews set state = 'held'").await;
    db.execute("update feed_entries set hold_reason = 'similar', publish_since = null").await;
    fixture
}

async fn an_old_review_that_was_held_is_archived_unless_announced(database: Database) {
    let fixture = fixture_with_held(database).await;
    let printed = fixture.app.command_output(&["feed", "release", "alpha-2021"]).await;
    assert!(printed.contains("Archived, sent to nobody") && printed.contains("--announce"), "{printed}");
    assert_eq!((sent(&fixture).await, state_of(&fixture, "alpha-2021").await.as_str()), (0, "public"));
    let again = fixture.app.cli(&["feed", "release", "alpha-2021"]).await;
    let stderr = String::from_utf8_lossy(&again.stderr);
    let command = fixture.app.command_hint("feed release alpha-2021 --announce");
    assert!(stderr.contains("sent to nobody") && stderr.contains(&command), "{stderr}");
    fixture.app.command_output(&["feed", "release", "alpha-2021", "--announce"]).await;
    assert_eq!(sent(&fixture).await, 1);
}

async fn a_new_review_that_was_held_for_long_is_not_old(database: Database) {
    let fixture = fixture_with_held(database).await;
    // It was new when it was first seen.
    let since: jiff::Timestamp = LONG_AGO.parse().expect("a moment");
    let set = format!("update feed_entries set publish_since = {}", since.as_millisecond() - 1);
    DbControl::connect(&fixture.app).await.execute(&set).await;
    let printed = fixture.app.command_output(&["feed", "release", "alpha-2021"]).await;
    assert!(printed.contains("Published"), "{printed}");
    assert_eq!(sent(&fixture).await, 1);
}

async fn a_moved_publish_since_sends_nothing_that_was_archived(database: Database) {
    let mut fixture = fixture_with_feed(database, &[Item::old_review("Alpha")], "").await;
    fixture.follow(&fixture.alice).await;
    fixture.app.redeclare_feeds(|feeds| feeds[0].more.push_str("\npublish_since = \"2000-01-01\""));
    fixture.app.restart().await;
    let mut changed = Item::old_review("Alpha");
    changed.html.push_str("<p>A line that was added.</p>");
    fixture.remote.serve_feed(&[changed]);
    fixture.poll().await;
    assert_eq!(sent(&fixture).await, 0);
    assert!(fixture.remote.distinct_activities("Update").is_empty());
}

async fn what_a_feed_published_while_it_was_not_in_the_config_is_archived(database: Database) {
    let all = "publish_since = \"2000-01-01\"";
    let mut fixture = fixture_with_feed(database, &[], all).await;
    fixture.follow(&fixture.alice).await;
    let mut removed = Vec::new();
    fixture.app.redeclare_feeds(|feeds| removed.append(feeds));
    fixture.app.restart().await;
    removed[0].more.clear();
    fixture.app.redeclare_feeds(|feeds| feeds.append(&mut removed));
    fixture.app.restart().await;
    let mut undated = Item::review("Beta");
    undated.published = None;
    fixture.remote.serve_feed(&[undated, Item::old_review("Alpha"), Item::review("Gamma")]);
    fixture.poll().await;
    assert_eq!(sent(&fixture).await, 1, "that of today");
    let log = fixture.app.feed_log().await;
    assert_eq!(log.iter().filter(|line| line.contains(" archived ")).count(), 2, "{log:?}");
}

async fn an_old_review_is_archived_even_if_it_is_similar_to_another_one(database: Database) {
    let mut copy = Item::old_review("Alpha");
    copy.id.push_str("-2");
    copy.link.push_str("-2");
    copy.title.push_str(", Again");
    let fixture = fixture_with_feed(database, &[copy, Item::old_review("Alpha")], "").await;
    assert_eq!(fixture.articles().await.len(), 2);
    let log = fixture.app.feed_log().await;
    assert!(
        log.iter().any(|line| line.contains(" archived ") && line.contains("similar to “Movie Review")),
        "{log:?}"
    );
}

async fn held_reviews_can_be_archived_together(database: Database) {
    let more = "publish_since = \"2000-01-01\"\nmax_publish_per_poll = 0";
    let fixture = fixture_with_feed(database, &[Item::review("Alpha"), Item::old_review("Beta")], more).await;
    fixture.follow(&fixture.alice).await;
    let held = async || fixture.app.command_output(&["feed", "held"]).await;
    assert_eq!(held().await.matches("max_publish_per_poll is 0").count(), 2, "no poll is promised");
    let log = fixture.app.feed_log().await;
    assert_eq!(log.iter().filter(|line| line.contains("it waits until you decide")).count(), 2, "{log:?}");
    let archive = async |more: &[&str]| {
        let command = [&["feed", "release", "--all-as-archive"], more].concat();
        fixture.app.command_output(&command).await
    };
    assert!(archive(&["--year", "1999"]).await == "no such reviews are held\n");
    assert!(archive(&["--year", "2019"]).await.contains("Archived 1"));
    assert!(held().await.contains("alpha") && !held().await.contains("beta"));
    assert!(archive(&["--feed", crate::support::feed::NAME]).await.contains("Archived 1"));
    assert_eq!((held().await.trim(), sent(&fixture).await), ("no reviews are held", 0));
    for (args, message) in [
        (&["feed", "release"][..], "name a review, as `"),
        (&["feed", "release", "--year", "2019"], "--all-as-archive"),
    ] {
        let output = fixture.app.cli(args).await;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && stderr.contains(message), "{stderr}");
        assert!(!stderr.contains("<REVIEW>"), "no review is asked for with --year: {stderr}");
    }
    fixture.await_article(|article| is_about(article, "Beta")).await;
}

async fn an_undated_review_that_an_earlier_version_held_is_archived(database: Database) {
    let mut undated = Item::review("Alpha");
    undated.published = None;
    let fixture = fixture_with_feed(database, &[undated.clone()], "").await;
    fixture.follow(&fixture.alice).await;
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute("update reviews set state = 'held'").await;
    db.execute("update feed_entries set hold_reason = 'next_poll', publish_since = null").await;
    fixture.poll().await;
    assert_eq!((sent(&fixture).await, state_of(&fixture, "alpha-2021").await.as_str()), (0, "public"));
}

async fn a_scheduled_review_that_turns_out_to_be_old_is_archived(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    let dated = |date: &str| {
        markdown("Soon", "Soon", "A text.").replacen("---\n", &format!("---\npublished: {date}\n"), 1)
    };
    let file = fixture.app.write("soon.md", &dated("2099-01-01"));
    fixture.app.command_output(&["publish", &file]).await;
    let file = fixture.app.write("soon.md", &dated("2015-01-01"));
    fixture.app.command_output(&["revise", "soon-2021", &file]).await;
    let is_archived = || async { (state_of(&fixture, "soon-2021").await == "public").then_some(()) };
    eventually("the review in the archive", is_archived).await;
    assert_eq!(sent(&fixture).await, 0);
}

async fn publish_since_needs_no_quotes(database: Database) {
    for (more, count) in [
        ("publish_since = 2019-03-04", 1),
        ("publish_since = 2019-03-04T09:59:59", 1),
        ("publish_since = 2019-03-04 11:00:00", 0),
        ("publish_since = 2019-03-04T12:00:00+01:00", 0),
    ] {
        let fixture = fixture_with_feed(database, &[], more).await;
        fixture.follow(&fixture.alice).await;
        fixture.remote.serve_feed(&[Item::old_review("Alpha")]);
        fixture.poll().await;
        assert_eq!(sent(&fixture).await, count, "{more}");
    }
}
