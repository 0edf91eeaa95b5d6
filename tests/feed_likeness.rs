//! Entries that are like others: what is a rename of a review, what is a copy of one, and what is neither.

use crate::both_databases;
use crate::end_to_end::fixture_with_feed;
use crate::support::feed::{Item, LONG_AGO, PATH, rss};
use crate::support::remote::Document;
use crate::support::{Database, Fixture};

both_databases!(
    of_like_entries_in_one_document_one_is_sent,
    like_entries_of_an_archive_are_never_held,
    a_review_that_moved_to_an_older_page_is_not_taken_for_gone,
    a_backup_changes_known_reviews_silently,
    a_corrected_title_of_a_film_is_no_new_review,
);

const PROSE: &str = "<p>A week of rain, and nobody went to the pictures. The projectionist played the same reel for the empty \
    chairs, and the usher sold a ticket to her own mother, who left before the end and said that she had seen it all.</p>";

/// An entry that names no film.
fn column(number: usize, html: &str) -> Item {
    let mut item = Item::review(&format!("column {number}"));
    item.title = format!("Column number {number}");
    html.clone_into(&mut item.html);
    item
}

/// Three entries in one document: two with the same text, and one with a sentence more.
fn like_entries() -> [Item; 3] {
    let longer = format!("{PROSE}<p>It rained on.</p>");
    [column(3, PROSE), column(2, &longer), column(1, PROSE)]
}

fn page(items: &[Item], next: Option<&str>) -> Document {
    let link = |href| {
        format!("<channel><a:link xmlns:a=\"http://www.w3.org/2005/Atom\" rel=\"next\" href=\"{href}\"/>")
    };
    let start = next.map_or_else(|| "<channel>".to_owned(), link);
    Document::new("application/rss+xml", rss(items).replacen("<channel>", &start, 1))
}

/// Polls, and returns how many Creates and Updates of reviews the follower has got since the start.
async fn poll(fixture: &Fixture, document: Document) -> (usize, usize) {
    fixture.remote.serve(PATH, document);
    fixture.poll().await;
    fixture.settle().await;
    let updates = fixture.remote.distinct_activities("Update");
    let updates = updates.iter().filter(|update| update["object"]["type"] == "Article");
    (fixture.remote.distinct_activities("Create").len(), updates.count())
}

async fn log_lines(fixture: &Fixture, parts: [&str; 2]) -> usize {
    let log = fixture.app.feed_log().await;
    log.iter().filter(|line| parts.iter().all(|part| line.contains(part))).count()
}

async fn of_like_entries_in_one_document_one_is_sent(database: Database) {
    let fixture = fixture_with_feed(database, &[Item::old_review("Alpha")], "").await;
    fixture.follow(&fixture.alice).await;
    for _ in 0..2 {
        let sent = poll(&fixture, page(&like_entries(), None)).await;
        assert_eq!(sent, (1, 0), "neither of the others is a rename, and followers get no copies");
        assert_eq!(log_lines(&fixture, [" held ", "similar to “Column number"]).await, 2);
    }
}

async fn like_entries_of_an_archive_are_never_held(database: Database) {
    let old = like_entries().map(|item| Item { published: LONG_AGO.parse().ok(), ..item });
    let fixture = fixture_with_feed(database, &old, "").await;
    assert_eq!(log_lines(&fixture, [" archived ", ""]).await, 3);
    assert_eq!(
        log_lines(&fixture, [" archived ", "similar to “Column number"]).await,
        2,
        "the pairs are listed"
    );
    assert_eq!(fixture.items(&fixture.critic["outbox"]).await.len(), 3);
}

async fn a_review_that_moved_to_an_older_page_is_not_taken_for_gone(database: Database) {
    let at = |minutes: i64, item: Item| {
        let published = item.published.map(|at| at - jiff::SignedDuration::from_mins(minutes));
        Item { published, ..item }
    };
    let first = at(9, column(1, PROSE));
    let others = |minutes| [at(minutes, Item::review("Beta")), at(minutes + 1, Item::review("Gamma"))];
    let more = "publish_since = \"2000-01-01\"\npage_interval = \"0s\"";
    let fixture = fixture_with_feed(database, std::slice::from_ref(&first), more).await;
    fixture.follow(&fixture.alice).await;
    let copy = column(2, PROSE);
    // Two newer entries have moved the first one to the second page, where it still is.
    fixture.remote.serve("/2", page(&[first], None));
    let mut items = vec![copy];
    items.extend(others(3));
    let sent = poll(&fixture, page(&items, Some("/2"))).await;
    assert_eq!(sent.1, 0, "the first one is not revised to be its copy");
    assert_eq!(log_lines(&fixture, [" held ", "similar to “Column number 1”"]).await, 1);
    // One that would be on the first page, if it was in the feed at all, is gone.
    let mut renamed = items[1].clone();
    "https://remote.test/reviews/another-address".clone_into(&mut renamed.link);
    renamed.id.clone_from(&renamed.link);
    "Movie Review: 'Beta' Takes Its Time".clone_into(&mut renamed.title);
    items[1] = renamed;
    let before = sent.0;
    let sent = poll(&fixture, page(&items, Some("/2"))).await;
    assert_eq!(sent, (before, 1), "its headline and address changed");
}

async fn a_backup_changes_known_reviews_silently(database: Database) {
    let mut items = [Item::review("Alpha"), Item::review("Beta")];
    let fixture = fixture_with_feed(database, &items, "publish_since = \"2000-01-01\"").await;
    fixture.follow(&fixture.alice).await;
    items[0].html.push_str("<p>A line that only the backup has.</p>");
    let backup = rss(&items)
        .replacen("<rss ", "<rss xmlns:wp=\"http://wordpress.org/export/1.2/\" ", 1)
        .replacen("<channel>", "<channel><wp:wxr_version>1.2</wp:wxr_version>", 1)
        .replace("<item>", "<item><wp:status>publish</wp:status><wp:post_type>post</wp:post_type>");
    let sent = poll(&fixture, Document::new("application/rss+xml", backup)).await;
    assert_eq!(sent, (0, 0));
    assert_eq!(log_lines(&fixture, [" revised ", "nothing was sent to followers"]).await, 1);
    let shown = fixture.app.command_output(&["review", "show", "alpha-2021"]).await;
    assert!(shown.contains("only the backup has"), "{shown}");
    // What the feed changes is sent again.
    items[0].html.push_str("<p>And one of the feed.</p>");
    assert_eq!(poll(&fixture, page(&items, None)).await, (0, 1));
}

async fn a_corrected_title_of_a_film_is_no_new_review(database: Database) {
    let about = |film: &str, number: usize, end: &str| {
        let mut item = column(number, &format!("{PROSE}{end}"));
        item.title = format!("Movie Review: '{film}' Plays to Empty Chairs");
        item
    };
    let fixture = fixture_with_feed(database, &[Item::old_review("Alpha")], "").await;
    fixture.follow(&fixture.alice).await;
    let sent = poll(&fixture, page(&[about("Anroa", 1, "")], None)).await;
    assert_eq!(sent, (1, 0));
    // A version of its text comes under a new id and address, after it has left the feed.
    for _ in 0..2 {
        let sent = poll(&fixture, page(&[about("Anora", 2, "<p>It rains on.</p>")], None)).await;
        assert_eq!(sent, (1, 0), "followers have got it");
    }
    assert_eq!(log_lines(&fixture, [" held ", "similar to “Movie Review: 'Anroa'"]).await, 1);
}
