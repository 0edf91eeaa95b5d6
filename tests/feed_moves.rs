//! Feeds whose server redirects to another host.

use crate::both_databases;
use crate::feed_pages::{NO_PAUSE, assert_sent, lines, old, reviews};
use crate::support::feed::{Item, NAME as FEED, PATH, rss};
use crate::support::remote::{Document, Remote};
use crate::support::{Database, Fixture, TestNetwork};

both_databases!(
    a_redirect_to_the_feed_of_somebody_else_lets_nothing_in,
    a_feed_that_moved_to_another_host_goes_on,
    a_feed_may_be_at_another_host_from_the_beginning,
);

async fn fixture(database: Database, items: &[Item]) -> (Fixture, Remote) {
    let network = TestNetwork::new();
    let (remote, other) = (network.remote("remote.test").await, network.remote("other.test").await);
    let fixture = Fixture::in_network(network, remote, database, |remote, settings| {
        remote.serve_feed(items);
        settings.feed(FEED, &remote.url(PATH), &format!("interval = \"1d\"\n{NO_PAUSE}"))
    })
    .await;
    fixture.follow(&fixture.alice).await;
    fixture.poll().await;
    (fixture, other)
}

fn serve(remote: &Remote, items: &[Item]) {
    remote.serve(PATH, Document::new("application/rss+xml", rss(items)));
}

/// Reviews with ids and links at the other host.
fn foreign(films: &[&str]) -> Vec<Item> {
    let at_other = |film: &&str| {
        let link = format!("https://other.test/{film}");
        Item { id: link.clone(), link, ..Item::review(film) }
    };
    films.iter().map(at_other).collect()
}

async fn a_redirect_to_the_feed_of_somebody_else_lets_nothing_in(database: Database) {
    let (mut fixture, other) = fixture(database, &old(&["Alpha", "Beta"])).await;
    serve(&other, &foreign(&["Pills", "Shoes"]));
    for (polls, status) in (1..).zip([301, 302, 307, 308]) {
        fixture.remote.serve(PATH, Document { status, ..Document::redirect(&other.url(PATH)) });
        fixture.app.poll_expecting_failure(FEED).await;
        assert_eq!(reviews(&fixture).await, 2, "{status}");
        let advice = "if the feed has moved there, set url = \"https://other.test/feed.xml\" in the config";
        let said = lines(&fixture, FEED, advice).await;
        assert_eq!(said.len(), polls, "a line for each poll: {said:?}");
    }
    // A chain, the last part of which is on the other host.
    fixture.remote.serve(PATH, Document::redirect(&fixture.remote.url("/old.xml")));
    fixture.remote.serve("/old.xml", Document::redirect(&other.url(PATH)));
    fixture.app.poll_expecting_failure(FEED).await;
    // Even a check says so.
    let check = fixture.app.cli(&["feed", "check", FEED]).await;
    assert!(
        String::from_utf8_lossy(&check.stderr).contains("none of the entries that are known"),
        "{check:?}"
    );
    assert_sent(&fixture, 0).await;
    // It is the critic who says that this is the feed.
    let url = other.url(PATH);
    fixture.app.redeclare_feeds(|feeds| feeds[0].url = url);
    fixture.app.restart().await;
    fixture.poll().await;
    assert_eq!(reviews(&fixture).await, 4);
}

async fn a_feed_that_moved_to_another_host_goes_on(database: Database) {
    let (fixture, other) = fixture(database, &old(&["Alpha", "Beta"])).await;
    fixture.remote.serve(PATH, Document { status: 301, ..Document::redirect(&other.url(PATH)) });
    // Ids and links are others; one text is the same.
    let mut moved = Item::old_review("Alpha");
    "https://other.test/?p=1".clone_into(&mut moved.id);
    "https://other.test/alpha".clone_into(&mut moved.link);
    serve(&other, &[foreign(&["Gamma"]), vec![moved]].concat());
    fixture.poll().await;
    assert_sent(&fixture, 1).await;
    assert_eq!(reviews(&fixture).await, 3);
    // The new host is the one that is asked now, and may have nothing but new entries.
    let requests = fixture.remote.requests_for(PATH);
    serve(&other, &foreign(&["Delta"]));
    fixture.poll().await;
    assert_sent(&fixture, 2).await;
    assert_eq!(fixture.remote.requests_for(PATH), requests);
}

async fn a_feed_may_be_at_another_host_from_the_beginning(database: Database) {
    let network = TestNetwork::new();
    let (remote, other) = (network.remote("remote.test").await, network.remote("other.test").await);
    serve(&other, &old(&["Alpha", "Beta"]));
    let target = other.url(PATH);
    let fixture = Fixture::in_network(network, remote, database, |remote, settings| {
        remote.serve(PATH, Document::redirect(&target));
        settings.feed(FEED, &remote.url(PATH), &format!("interval = \"1d\"\n{NO_PAUSE}"))
    })
    .await;
    fixture.follow(&fixture.alice).await;
    fixture.poll().await;
    assert_eq!(reviews(&fixture).await, 2);
    serve(&other, &[vec![Item::review("Gamma")], old(&["Alpha"])].concat());
    fixture.poll().await;
    assert_sent(&fixture, 1).await;
    assert_eq!(reviews(&fixture).await, 3);
}
