//! Feeds with several pages that number the entries of each page anew.

use crate::both_databases;
use crate::feed_identity::prose;
use crate::feed_pages::{assert_sent, lines, reviews, rss_page};
use crate::support::feed::{Item, NAME as FEED, PATH};
use crate::support::remote::Remote;
use crate::support::{Database, Fixture};

both_databases!(
    pages_numbered_by_position_are_read_once,
    pages_numbered_by_position_with_one_headline_are_read_once,
    pages_numbered_by_position_without_dates_are_read_once,
    pages_numbered_by_position_without_dates_with_one_headline_are_read_once,
    a_server_that_repeats_its_entries_with_another_text_ends_the_feed,
);

/// New entries come at this time at the earliest.
const MORE: &str =
    "publish_since = \"2026-10-10\"\ninterval = \"1h\"\nmax_publish_per_poll = 50\npage_interval = \"0s\"";
const PAGE_LENGTH: usize = 3;
/// The entries that the feed has when it is first read: two whole pages, and one entry.
const OLD: usize = 7;

/// Of each entry, the oldest first. The headlines are similar.
const NAMES: [&str; 15] = [
    "Green", "Old", "Last", "Slow", "Lost", "Night", "Paper", "Silent", "Empty", "Golden", "Winter",
    "Second", "Broken", "Iron", "Small",
];

/// How the feed grows: nothing is new, one entry is, most of the first page is, and more than that holds.
const GROWTH: [usize; 6] = [0, 1, 2, 1, 4, 0];

/// Gives an entry what it has in a feed, besides its id.
type Form = fn(&mut Item);

/// Serves the newest entries of a feed first, in pages. The id of each is its position on its page, and it has no link.
fn serve(remote: &Remote, count: usize, form: Form) {
    let item = |number: usize| {
        let mut item = Item::review(&format!("The {} Ferry", NAMES[number]));
        item.html = format!("<p>{}.</p>", prose(number as u64));
        item.link.clear();
        item.published = format!("2026-10-{:02}T10:00:00Z", number + 3).parse().ok();
        form(&mut item);
        item
    };
    let items: Vec<Item> = (0..count).rev().map(item).collect();
    let pages: Vec<&[Item]> = items.chunks(PAGE_LENGTH).collect();
    for (number, page) in (1..).zip(&pages) {
        let page = page.iter().zip(1..).map(|(item, at)| Item { id: at.to_string(), ..item.clone() });
        let next = format!("/{}", number + 1);
        let next = (number < pages.len()).then_some(next.as_str());
        let path = if number == 1 { PATH.to_owned() } else { format!("/{number}") };
        remote.serve(&path, rss_page(&page.collect::<Vec<_>>(), next));
    }
}

async fn assert_each_once(fixture: &Fixture, count: usize) {
    let articles = fixture.articles().await;
    for number in 0..count {
        let text = prose(number as u64);
        let having = articles.iter().filter(|article| article["content"].to_string().contains(&text)).count();
        assert_eq!(having, 1, "{number} of {count}: {:#?}", fixture.app.feed_log().await);
    }
    assert_eq!(articles.len(), count, "{:#?}", fixture.app.feed_log().await);
    assert_sent(fixture, count - OLD).await;
    assert_eq!(fixture.remote.distinct_activities("Update").len(), 0);
    let held = fixture.app.command_output(&["feed", "held"]).await;
    assert!(held.contains("no reviews are held"), "{held}");
}

async fn assert_read_once(database: Database, form: Form, growth: &[usize]) {
    let fixture = Fixture::with(database, |remote, settings| {
        serve(remote, OLD, form);
        settings.feed(FEED, &remote.url(PATH), MORE)
    })
    .await;
    fixture.follow(&fixture.alice).await;
    let all = ["feed", "poll", FEED, "--all"];
    fixture.app.command_output(&all).await;
    assert_each_once(&fixture, OLD).await;
    assert!(!lines(&fixture, FEED, "pages read: 3").await.is_empty());
    let mut count = OLD;
    for added in growth {
        count += added;
        serve(&fixture.remote, count, form);
        fixture.poll().await;
        assert_each_once(&fixture, count).await;
        let printed = fixture.app.command_output(&all).await;
        let pages = count.div_ceil(PAGE_LENGTH);
        assert!(printed.contains(&format!("no entry is new; pages read: {pages}")), "{printed}");
        assert_each_once(&fixture, count).await;
    }
}

async fn pages_numbered_by_position_are_read_once(database: Database) {
    assert_read_once(database, |_| (), &GROWTH).await;
}

async fn pages_numbered_by_position_with_one_headline_are_read_once(database: Database) {
    assert_read_once(database, |item| "Film of the Week".clone_into(&mut item.title), &GROWTH).await;
}

async fn pages_numbered_by_position_without_dates_are_read_once(database: Database) {
    assert_read_once(database, |item| item.published = None, &GROWTH).await;
}

async fn pages_numbered_by_position_without_dates_with_one_headline_are_read_once(database: Database) {
    let form: Form = |item| {
        item.published = None;
        "Film of the Week".clone_into(&mut item.title);
    };
    // Nothing tells an entry of a further page from one that has moved there.
    assert_read_once(database, form, &GROWTH[..4]).await;
}

async fn a_server_that_repeats_its_entries_with_another_text_ends_the_feed(database: Database) {
    let page = |number: usize| {
        let item = |at: usize| {
            let mut item = Item::old_review(["Ash", "Brine"][at]);
            item.id = at.to_string();
            item.link.clear();
            item.html = format!("<p>{}.</p><p>Read {number}{at} times.</p>", prose(at as u64));
            item
        };
        rss_page(&[item(0), item(1)], Some(&format!("{PATH}?page={}", number + 1)))
    };
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve(PATH, page(1));
        for number in 2..6 {
            remote.serve(&format!("{PATH}?page={number}"), page(number));
        }
        settings.feed(FEED, &remote.url(PATH), MORE)
    })
    .await;
    fixture.poll().await;
    let requests = |number: usize| fixture.remote.requests_for(&format!("{PATH}?page={number}"));
    assert_eq!((requests(2), requests(3)), (1, 0));
    assert_eq!(reviews(&fixture).await, 2);
}
