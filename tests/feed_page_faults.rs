//! Pages of feeds that cannot be read as they should, and feeds that have to wait.

use crate::both_databases;
use crate::end_to_end::fixture_with_feed;
use crate::feed_pages::{NO_PAUSE, assert_sent, lines, old, reviews, rss_page, rss_with, within_minutes};
use crate::support::db_control::DbControl;
use crate::support::feed::{Item, NAME as FEED, PATH};
use crate::support::own_database::Sql;
use crate::support::remote::Document;
use crate::support::{Database, Fixture};

both_databases!(
    an_entry_without_a_text_ends_neither_its_page_nor_the_feed,
    a_page_that_is_broken_is_not_the_last_one,
    an_entry_that_cannot_be_stored_is_tried_again,
    the_pages_of_one_feed_are_read_after_those_of_another,
    similar_reviews_on_older_pages_are_listed,
    an_empty_page_in_the_middle_is_not_the_last_one,
    pages_that_stay_empty_end_the_feed,
    an_empty_page_hides_no_new_entry,
    a_server_that_makes_new_ids_for_the_same_texts_ends_the_feed,
    a_known_feed_with_new_ids_at_each_request_is_read_once,
);

/// A review without anything but a title.
fn empty(film: &str) -> Item {
    Item { html: String::new(), ..Item::old_review(film) }
}

async fn an_entry_without_a_text_ends_neither_its_page_nor_the_feed(database: Database) {
    let fixture = Fixture::with(database, |remote, settings| {
        let page = |items: &[Item]| [vec![empty("Stub")], items.to_vec()].concat();
        remote.serve(PATH, rss_page(&page(&old(&["Alpha"])), Some("/2")));
        remote.serve(
            "/2",
            rss_page(&[old(&["Beta"]), vec![empty("Blank")], old(&["Gamma"])].concat(), Some("/3")),
        );
        remote.serve("/3", rss_page(&old(&["Delta"]), None));
        settings.feed(FEED, &remote.url(PATH), NO_PAUSE)
    })
    .await;
    fixture.follow(&fixture.alice).await;
    fixture.poll().await;
    assert_eq!(reviews(&fixture).await, 4, "{:?}", fixture.app.feed_log().await);
    assert_eq!(lines(&fixture, FEED, "archived 4 entries, sent none of them; pages read: 3").await.len(), 1);
    for stub in ["Stub", "Blank"] {
        let lines = lines(&fixture, FEED, &format!("'{stub}'")).await;
        assert!(lines.len() == 1 && lines[0].contains("neither a text nor a picture"), "{lines:?}");
    }
    // The feed has been read: an entry without a date is new.
    let undated = Item { published: None, ..Item::review("New") };
    fixture
        .remote
        .serve(PATH, rss_page(&[vec![undated, empty("Stub")], old(&["Alpha"])].concat(), Some("/2")));
    fixture.poll().await;
    assert_sent(&fixture, 1).await;
}

async fn a_page_that_is_broken_is_not_the_last_one(database: Database) {
    const GENERATOR: &str = "<generator>https://wordpress.org/?v=6.8</generator>";
    let page = |films: &[&str]| rss_with(&old(films), GENERATOR);
    let text = |document: Document| String::from_utf8(document.body).expect("text");
    let second = text(page(&["Beta"]));
    let broken = [
        second[..second.len() - 40].to_owned(),
        String::new(),
        "<!DOCTYPE html><html><head><title>Just a moment</title></head><body>Checking</body></html>"
            .to_owned(),
    ];
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve(PATH, page(&["Alpha"]));
        remote.serve(&format!("{PATH}?paged=2"), Document::new("text/xml", broken[0].clone()));
        settings.feed(FEED, &remote.url(PATH), NO_PAUSE)
    })
    .await;
    for document in broken {
        fixture.remote.serve(&format!("{PATH}?paged=2"), Document::new("text/xml", document.clone()));
        fixture.app.poll_expecting_failure(FEED).await;
        assert_eq!(lines(&fixture, FEED, "pages read").await, Vec::<String>::new(), "{document}");
    }
    assert!(!lines(&fixture, FEED, "page 2: ").await.is_empty());
    fixture.remote.serve(&format!("{PATH}?paged=2"), page(&["Beta"]));
    fixture.remote.serve(&format!("{PATH}?paged=3"), page(&["Gamma"]));
    // The home page, which links to the feed, is where a fourth page would be.
    let home = format!("<!DOCTYPE html><link rel=alternate type=application/rss+xml href={PATH}>Third Row");
    fixture.remote.serve(&format!("{PATH}?paged=4"), Document::new("text/html", home));
    fixture.poll().await;
    assert_eq!(lines(&fixture, FEED, "archived 3 entries, sent none of them; pages read: 3").await.len(), 1);
    assert_eq!(lines(&fixture, FEED, "cannot be read").await.len(), 0);
    assert_eq!(reviews(&fixture).await, 3);
}

async fn an_entry_that_cannot_be_stored_is_tried_again(database: Database) {
    let undated = |film: &str| Item { published: None, ..Item::review(film) };
    let fixture = fixture_with_feed(database, &old(&["Alpha"]), NO_PAUSE).await;
    fixture.follow(&fixture.alice).await;
    let mut db = DbControl::connect(&fixture.app).await;
    db.fail_inserts_containing("reviews", "title", "Beta").await;
    fixture.remote.serve(PATH, rss_page(&old(&["Alpha"]), Some("/2")));
    fixture.remote.serve("/2", rss_page(&[old(&["Gamma"]), vec![undated("Beta")]].concat(), Some("/3")));
    fixture.remote.serve("/3", rss_page(&old(&["Delta"]), None));
    let all = ["feed", "poll", FEED, "--all"];
    assert!(!fixture.app.cli(&all).await.status.success());
    fixture.app.poll_expecting_failure(FEED).await;
    assert!(lines(&fixture, FEED, "page 2: an entry cannot be stored").await.len() >= 2);
    assert_eq!(reviews(&fixture).await, 2, "the others are stored");
    fixture.poll().await;
    let summary = lines(&fixture, FEED, "pages read: 3").await;
    assert!(summary.len() == 1 && summary[0].contains("archived 2 entries"), "{summary:?}");
    db.stop_failing_inserts("reviews").await;
    // Whatever comes of it later, it is not new.
    fixture.remote.serve(PATH, rss_page(&[vec![undated("Beta")], old(&["Alpha"])].concat(), None));
    fixture.poll().await;
    assert_eq!(reviews(&fixture).await, 4);
    assert_sent(&fixture, 0).await;
}

async fn the_pages_of_one_feed_are_read_after_those_of_another(database: Database) {
    const FEEDS: [&str; 3] = ["one", "two", "three"];
    let fixture = Fixture::with(database, |remote, mut settings| {
        for feed in FEEDS {
            remote.serve(&format!("/{feed}"), Document::status(503));
            remote.serve(&format!("/{feed}?n=2"), rss_page(&old(&[&format!("{feed} 2")]), None));
            remote.pause(&format!("/{feed}?n=2"));
            let more = format!("interval = \"1s\"\n{NO_PAUSE}");
            settings = settings.feed(feed, &remote.url(&format!("/{feed}")), &more);
        }
        settings
    })
    .await;
    // From now on, nothing but the end of another feed makes a feed due.
    let mut fixture = fixture;
    fixture.app.redeclare_feeds(|feeds| {
        for feed in feeds {
            feed.more = format!("interval = \"1d\"\n{NO_PAUSE}");
        }
    });
    fixture.app.terminate().await;
    for feed in FEEDS {
        let next = format!("/{feed}?n=2");
        fixture.remote.serve(&format!("/{feed}"), rss_page(&old(&[&format!("{feed} 1")]), Some(&next)));
    }
    DbControl::connect(&fixture.app).await.execute("update feeds set next_poll_at = 0, failures = 0").await;
    let first_pages = |fixture: &Fixture| {
        FEEDS.map(|feed| fixture.remote.requests_for(&format!("/{feed}"))).iter().sum::<usize>()
    };
    let before = first_pages(&fixture);
    fixture.app.start().await;
    within_minutes(&fixture, "two feeds that wait", async |fixture| {
        let waiting = "select name from feeds where next_page is not null and lease is null";
        Sql::connect(&fixture.app.database_url()).await.texts(waiting).await.len() == 2
    })
    .await;
    assert_eq!(first_pages(&fixture), before + 3);
    fixture.remote.resume();
    for feed in FEEDS {
        within_minutes(&fixture, "its end", async |fixture| {
            !lines(fixture, feed, "pages read: 2").await.is_empty()
        })
        .await;
    }
    assert_eq!((first_pages(&fixture), reviews(&fixture).await), (before + 5, 6));
}

async fn similar_reviews_on_older_pages_are_listed(database: Database) {
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve(PATH, rss_page(&old(&["Alpha"]), Some("/2")));
        let mut again = Item::old_review("Alpha");
        again.id.push_str("-again");
        again.link.push_str("-again");
        again.title.push_str(", Again");
        again.html.push_str("<p>Seen once more, from the balcony.</p>");
        remote.serve("/2", rss_page(&[again], None));
        settings.feed(FEED, &remote.url(PATH), NO_PAUSE)
    })
    .await;
    fixture.poll().await;
    assert_eq!(reviews(&fixture).await, 2);
    assert_eq!(lines(&fixture, FEED, "similar to “Movie Review: 'Alpha'").await.len(), 1);
}

async fn an_empty_page_in_the_middle_is_not_the_last_one(database: Database) {
    let page = |film: &str, next| rss_page(&old(&[film]), next);
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve(PATH, page("Alpha", Some("/2")));
        remote.serve("/2", rss_page(&[], Some("/3")));
        remote.serve("/3", page("Gamma", Some("/4")));
        remote.serve("/4", rss_page(&[], Some("/5")));
        remote.serve("/5", page("Epsilon", None));
        settings.feed(FEED, &remote.url(PATH), NO_PAUSE)
    })
    .await;
    // The page is read again, and this time its entry is there.
    fixture.app.poll_expecting_failure(FEED).await;
    assert!(!lines(&fixture, FEED, "page 2: it is empty, although it links to a next page").await.is_empty());
    assert_eq!((reviews(&fixture).await, fixture.remote.requests_for("/3")), (1, 0));
    fixture.remote.serve("/2", page("Beta", Some("/3")));
    fixture.app.poll_expecting_failure(FEED).await;
    assert_eq!(reviews(&fixture).await, 3);
    assert_eq!(lines(&fixture, FEED, "pages read").await, Vec::<String>::new());
    // One that stays empty is passed over.
    poll_until_read(&fixture).await;
    assert_eq!(reviews(&fixture).await, 4);
    assert_eq!(lines(&fixture, FEED, "archived 4 entries, sent none of them; pages read: 5").await.len(), 1);
    assert_eq!(lines(&fixture, FEED, "page 4: it is empty").await.len(), 4);
    assert_eq!(fixture.remote.requests_for("/4"), 5);
}

/// Polls until the feed has been read to its end. The server polls once when it starts, too.
async fn poll_until_read(fixture: &Fixture) {
    for _ in 0..10 {
        if fixture.app.cli(&["feed", "poll", FEED]).await.status.success() {
            return;
        }
    }
    panic!("the feed is never read to its end: {:?}", fixture.app.feed_log().await);
}

async fn pages_that_stay_empty_end_the_feed(database: Database) {
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve(PATH, rss_page(&old(&["Alpha"]), Some("/2")));
        for number in 2..9 {
            remote.serve(&format!("/{number}"), rss_page(&[], Some(&format!("/{}", number + 1))));
        }
        settings.feed(FEED, &remote.url(PATH), NO_PAUSE)
    })
    .await;
    poll_until_read(&fixture).await;
    assert_eq!(lines(&fixture, FEED, "page 2: it is empty").await.len(), 4);
    assert_eq!(lines(&fixture, FEED, "pages read: 2").await.len(), 1);
    let requests = ["/2", "/3", "/4"].map(|path| fixture.remote.requests_for(path));
    assert_eq!(requests, [5, 1, 0]);
    fixture.poll().await;
    assert_eq!(fixture.remote.requests_for("/2"), 5, "that was all");
}

async fn an_empty_page_hides_no_new_entry(database: Database) {
    let fixture = fixture_with_feed(database, &old(&["Alpha"]), NO_PAUSE).await;
    fixture.follow(&fixture.alice).await;
    fixture.remote.serve(PATH, rss_page(&[Item::review("Delta")], Some("/2")));
    fixture.remote.serve("/2", rss_page(&[], Some("/3")));
    fixture.remote.serve("/3", rss_page(&[vec![Item::review("Beta")], old(&["Alpha"])].concat(), None));
    fixture.app.poll_expecting_failure(FEED).await;
    assert_sent(&fixture, 0).await;
    fixture.remote.serve("/2", rss_page(&[Item::review("Gamma")], Some("/3")));
    fixture.poll().await;
    assert_sent(&fixture, 3).await;
}

/// The same reviews with other ids and links, as a server makes them that keeps none.
fn with_new_ids(films: &[&str], number: usize) -> Vec<Item> {
    let with_new_id = |item: Item| Item {
        id: format!("{}-{number}", item.id),
        link: format!("{}?session={number}", item.link),
        ..item
    };
    old(films).into_iter().map(with_new_id).collect()
}

async fn a_server_that_makes_new_ids_for_the_same_texts_ends_the_feed(database: Database) {
    let fixture = Fixture::with(database, |remote, settings| {
        let page = |films: &[&str], number: usize| {
            rss_page(&with_new_ids(films, number), Some(&format!("/{}", number + 1)))
        };
        remote.serve(PATH, page(&["Alpha", "Beta"], 1));
        // A page with something new is read, but what is the same again is no review.
        remote.serve("/2", page(&["Gamma", "Beta"], 2));
        for number in 3..9 {
            remote.serve(&format!("/{number}"), page(&["Gamma", "Alpha", "Beta"], number));
        }
        settings.feed(FEED, &remote.url(PATH), NO_PAUSE)
    })
    .await;
    fixture.poll().await;
    assert_eq!(reviews(&fixture).await, 3);
    assert_eq!(lines(&fixture, FEED, "archived 3 entries, sent none of them; pages read: 2").await.len(), 1);
    assert_eq!(
        lines(&fixture, FEED, "another entry of the feed has the same headline and text").await.len(),
        1
    );
    assert_eq!(fixture.remote.requests_for("/4"), 0);
}

async fn a_known_feed_with_new_ids_at_each_request_is_read_once(database: Database) {
    let fixture = fixture_with_feed(database, &old(&["Alpha"]), NO_PAUSE).await;
    let serve = |first: usize| {
        for number in 1..6 {
            let next = format!("/{}", number + 1);
            let path = if number == 1 { PATH.to_owned() } else { format!("/{number}") };
            let items = with_new_ids(&["Beta", "Gamma"], first + number);
            fixture.remote.serve(&path, rss_page(&items, Some(&next)));
        }
    };
    serve(10);
    fixture.poll().await;
    assert_eq!(reviews(&fixture).await, 3);
    assert_eq!((fixture.remote.requests_for("/2"), fixture.remote.requests_for("/3")), (1, 0));
    serve(20);
    fixture.poll().await;
    assert_eq!(fixture.remote.requests_for("/2"), 1, "the texts are known");
}
