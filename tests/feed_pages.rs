//! Feeds with several pages, feeds that have moved, and the requests for them.

use serde_json::json;

use crate::both_databases;
use crate::end_to_end::fixture_with_feed;
use crate::support::feed::{Item, NAME as FEED, PATH, atom, json_feed, rss};
use crate::support::remote::{Document, Remote};
use crate::support::{Database, Fixture, LONG_WAIT_TIMEOUT, TestNetwork, within};

both_databases!(
    a_feed_with_pages_is_read_to_its_end,
    the_address_of_a_blog_is_enough,
    an_archive_of_2400_entries_survives_errors_and_a_kill,
    pages_that_repeat_or_bring_nothing_new_end_the_feed,
    a_page_on_another_server_is_not_requested,
    poll_all_reads_the_pages_of_a_known_feed,
    more_new_entries_than_the_first_page_holds_are_not_missed,
    a_permanent_redirect_is_remembered_once_the_feed_is_the_same,
    a_feed_may_have_its_own_user_agent,
);

/// What the feeds of these tests have in the config: no pause between pages.
pub const NO_PAUSE: &str = "page_interval = \"0s\"";

pub fn old(names: &[&str]) -> Vec<Item> {
    names.iter().map(|name| Item::old_review(name)).collect()
}

/// RSS with further elements in its channel.
pub fn rss_with(items: &[Item], channel: &str) -> Document {
    let start = format!("<channel>{channel}");
    Document::new("application/rss+xml", rss(items).replacen("<channel>", &start, 1))
}

/// RSS that links to a next page.
pub fn rss_page(items: &[Item], next: Option<&str>) -> Document {
    let link =
        |href| format!("<a:link xmlns:a=\"http://www.w3.org/2005/Atom\" rel=\"next\" href=\"{href}\"/>");
    rss_with(items, &next.map(link).unwrap_or_default())
}

/// Atom with further elements.
fn atom_with(items: &[Item], head: &str) -> Document {
    let open = "<feed xmlns=\"http://www.w3.org/2005/Atom\">";
    let with_head = format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:openSearch=\"http://a9.com/-/spec/opensearchrss/1.0/\">{head}"
    );
    Document::new("application/atom+xml", atom(items).replacen(open, &with_head, 1))
}

/// The head of a page of a blog at Blogger.
fn blogger(start: usize, total: usize) -> String {
    format!(
        "<generator uri=\"http://www.blogger.com\">Blogger</generator><openSearch:totalResults>{total}\
         </openSearch:totalResults><openSearch:startIndex>{start}</openSearch:startIndex>\
         <openSearch:itemsPerPage>2</openSearch:itemsPerPage>"
    )
}

/// The lines of a feed in the log with a word.
pub async fn lines(fixture: &Fixture, feed: &str, word: &str) -> Vec<String> {
    let log = fixture.app.feed_log().await;
    log.into_iter().filter(|line| line.contains(&format!(" {feed} ")) && line.contains(word)).collect()
}

pub async fn assert_sent(fixture: &Fixture, count: usize) {
    fixture.settle().await;
    assert_eq!(fixture.remote.distinct_activities("Create").len(), count);
}

pub async fn reviews(fixture: &Fixture) -> usize {
    fixture.items(&fixture.critic["outbox"]).await.len()
}

async fn a_feed_with_pages_is_read_to_its_end(database: Database) {
    const FEEDS: [&str; 5] = ["next", "archives", "json", "blogger", "wordpress"];
    let fixture = Fixture::with(database, |remote, mut settings| {
        for feed in FEEDS {
            serve_pages(remote, feed);
            settings = settings.feed(feed, &remote.url(&format!("/{feed}")), NO_PAUSE);
        }
        settings
    })
    .await;
    fixture.follow(&fixture.alice).await;
    for feed in FEEDS {
        fixture.app.poll(feed).await;
        let summary = lines(&fixture, feed, "pages read: 3").await;
        assert_eq!(summary.len(), 1, "{feed}: {summary:?}");
        assert!(summary[0].contains("archived 6 entries, sent none of them"), "{summary:?}");
        let requests = fixture.remote.requests_under(&format!("/{feed}"));
        fixture.app.poll(feed).await;
        let again = fixture.remote.requests_under(&format!("/{feed}"));
        assert_eq!(again, requests + 1, "{feed}: later polls request the first page only");
    }
    assert_eq!(reviews(&fixture).await, 6 * FEEDS.len());
    assert_sent(&fixture, 0).await;
}

/// Serves three pages of two entries. Those of the last two pages are dated today: what is on older pages goes to nobody
/// whatever its date.
fn serve_pages(remote: &Remote, feed: &str) {
    let item = |number: usize| match number {
        1 | 2 => Item::old_review(&format!("{feed} {number}")),
        _ => Item::review(&format!("{feed} {number}")),
    };
    let page = |number: usize| vec![item(2 * number - 1), item(2 * number)];
    let path = format!("/{feed}");
    for number in 1..=3 {
        let items = page(number);
        let next = format!("{path}?n={}", number + 1);
        let next = (number < 3).then_some(next.as_str());
        let (place, document) = match feed {
            "next" => (format!("{path}?n={number}"), rss_page(&items, next)),
            "archives" => {
                let link = next.map(|href| format!("<link rel=\"prev-archive\" href=\"{href}\"/>"));
                (format!("{path}?n={number}"), atom_with(&items, &link.unwrap_or_default()))
            }
            "json" => {
                let mut feed: serde_json::Value = serde_json::from_str(&json_feed(&items)).expect("JSON");
                feed["next_url"] = json!(next);
                (format!("{path}?n={number}"), Document::new("application/feed+json", feed.to_string()))
            }
            "blogger" => {
                let start = 2 * number - 1;
                let place = format!("{path}?start-index={start}&max-results=2");
                (place, atom_with(&items, &blogger(start, 6)))
            }
            _ => {
                let generator = "<generator>https://wordpress.org/?v=6.8</generator>";
                (format!("{path}?paged={number}"), rss_with(&items, generator))
            }
        };
        remote.serve(if number == 1 { &path } else { &place }, document);
    }
}

async fn the_address_of_a_blog_is_enough(database: Database) {
    const POSTS: &str = "/feeds/posts/default";
    let fixture = Fixture::with(database, |remote, settings| {
        let link = |href: &str| {
            format!("<link rel=\"alternate\" type=\"application/atom+xml\" title=\"Third Row\" href=\"{href}\" />")
        };
        let links = link("/feeds/comments/default") + &link(&remote.url(POSTS));
        let page = format!("<!DOCTYPE html><html><head>{links}</head><body>Third Row</body></html>");
        remote.serve("/", Document::new("text/html", page));
        // As blogs at Blogger do, it links to another host, where the page is, too.
        let next = "<link rel=\"next\" href=\"http://www.blogger.com/feeds/9/posts/default?start-index=3&amp;max-results=2\"/>";
        remote.serve(POSTS, atom_with(&old(&["Alpha", "Beta"]), &(blogger(1, 3) + next)));
        remote.serve(
            &format!("{POSTS}?start-index=3&max-results=2"),
            atom_with(&old(&["Gamma"]), &blogger(3, 3)),
        );
        settings.feed(FEED, &remote.url("/"), NO_PAUSE)
    })
    .await;
    fixture.poll().await;
    assert_eq!(reviews(&fixture).await, 3);
    fixture.remote.serve(POSTS, atom_with(&old(&["Delta", "Alpha", "Beta"]), &blogger(1, 4)));
    let requests = fixture.remote.requests_for("/");
    fixture.poll().await;
    assert_eq!(reviews(&fixture).await, 4);
    assert_eq!(fixture.remote.requests_for("/"), requests, "the feed itself is requested");
    // The blog moves its feed: its home page is asked again.
    fixture.remote.serve(POSTS, Document::status(404));
    let page = "<!DOCTYPE html><link rel=alternate type=application/atom+xml href=/feed>";
    fixture.remote.serve("/", Document::new("text/html", page));
    fixture.remote.serve("/feed", atom_with(&old(&["Epsilon", "Delta", "Alpha", "Beta", "Gamma"]), ""));
    fixture.app.poll_expecting_failure(FEED).await;
    fixture.poll().await;
    assert_eq!(reviews(&fixture).await, 5);
}

async fn an_archive_of_2400_entries_survives_errors_and_a_kill(database: Database) {
    const PAGES: usize = 96;
    let page = |number: usize| {
        let items: Vec<Item> = (0..25).map(|item| numbered_review(number * 25 + item)).collect();
        let next = format!("{PATH}?page={}", number + 1);
        rss_page(&items, (number < PAGES).then_some(next.as_str()))
    };
    let path = |number: usize| format!("{PATH}?page={number}");
    let busy = Document::status(503).with_header("retry-after", "1");
    let mut fixture = Fixture::with(database, |remote, settings| {
        remote.serve(PATH, busy.clone());
        settings.feed(FEED, &remote.url(PATH), &format!("interval = \"1s\"\n{NO_PAUSE}"))
    })
    .await;
    fixture.follow(&fixture.alice).await;
    for number in 2..=PAGES {
        fixture.remote.serve(&path(number), page(number));
    }
    fixture.remote.serve(&path(30), busy);
    fixture.remote.pause(&path(60));
    fixture.remote.serve(PATH, page(1));
    // The server is asked to come back, then the process is killed while it reads a page.
    within_minutes(&fixture, "an error", async |fixture| fixture.remote.requests_for(&path(30)) > 1).await;
    fixture.remote.serve(&path(30), page(30));
    within_minutes(&fixture, "page 60", async |fixture| fixture.remote.requests_for(&path(60)) > 0).await;
    fixture.app.kill9();
    fixture.remote.resume();
    fixture.app.start().await;
    within_minutes(&fixture, "the end", async |fixture| {
        !lines(fixture, FEED, "pages read: 96").await.is_empty()
    })
    .await;
    let summary = lines(&fixture, FEED, "pages read").await;
    assert_eq!(summary.len(), 1, "{summary:?}");
    assert!(summary[0].contains("archived 2400 entries, sent none of them; pages read: 96"), "{summary:?}");
    for number in (2..=PAGES).filter(|number| ![30, 60].contains(number)) {
        assert_eq!(fixture.remote.requests_for(&path(number)), 1, "page {number} is requested once");
    }
    assert_eq!(reviews(&fixture).await, 2_400);
    assert_sent(&fixture, 0).await;
}

/// An old review with a text that is like no other.
fn numbered_review(number: usize) -> Item {
    const WORDS: [&str; 32] = [
        "ferry", "radio", "winter", "sister", "camera", "silence", "the", "a", "of", "and", "waits",
        "leaves", "night", "island", "letter", "with", "old", "patient", "light", "its", "scene", "never",
        "again", "under", "harbour", "song", "is", "long", "for", "quiet", "last", "road",
    ];
    let mut seed = number;
    let mut word = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        WORDS[(seed >> 33) % WORDS.len()]
    };
    let text = (0..60).map(|_| word()).collect::<Vec<_>>().join(" ");
    let mut item = Item::old_review(&format!("Film {number}"));
    item.html = format!("<p>{text}.</p>");
    item
}

pub async fn within_minutes(fixture: &Fixture, what: &str, is_met: impl AsyncFn(&Fixture) -> bool) {
    let probe = || async { is_met(fixture).await.then_some(()) };
    within(LONG_WAIT_TIMEOUT, probe).await.unwrap_or_else(|| panic!("timed out waiting for {what}"));
}

async fn pages_that_repeat_or_bring_nothing_new_end_the_feed(database: Database) {
    let fixture = Fixture::with(database, |remote, settings| {
        // One page names itself, the other one always a further page with the same entries.
        remote.serve("/loop", rss_page(&old(&["Alpha"]), Some("/loop?n=2")));
        remote.serve("/loop?n=2", rss_page(&old(&["Beta"]), Some("/loop?n=2")));
        remote.serve("/endless", rss_page(&old(&["Gamma"]), Some("/endless?n=2")));
        for number in 2..9 {
            let next = format!("/endless?n={}", number + 1);
            remote.serve(&format!("/endless?n={number}"), rss_page(&old(&["Delta"]), Some(&next)));
        }
        let feed = |path| remote.url(path);
        settings.feed("loop", &feed("/loop"), NO_PAUSE).feed("endless", &feed("/endless"), NO_PAUSE)
    })
    .await;
    for (feed, requests) in [("loop", 1), ("endless", 2)] {
        fixture.app.poll(feed).await;
        let summary = lines(&fixture, feed, "archived 2 entries").await;
        assert_eq!(summary.len(), 1, "{feed}");
        assert_eq!(fixture.remote.requests_under(&format!("/{feed}?")), requests, "{feed}");
    }
    assert_eq!(reviews(&fixture).await, 4);
}

async fn a_page_on_another_server_is_not_requested(database: Database) {
    let network = TestNetwork::new();
    let (remote, other) = (network.remote("remote.test").await, network.remote("other.test").await);
    let next = other.url("/2");
    other.serve("/2", rss_page(&old(&["Beta"]), None));
    let fixture = Fixture::in_network(network, remote, database, |remote, settings| {
        remote.serve(PATH, rss_page(&old(&["Alpha"]), Some(&next)));
        remote.serve("/redirect.xml", rss_page(&old(&["Gamma"]), Some("/elsewhere")));
        remote.serve("/elsewhere", Document::redirect(&next));
        settings.feed(FEED, &remote.url(PATH), NO_PAUSE).feed(
            "redirect",
            &remote.url("/redirect.xml"),
            NO_PAUSE,
        )
    })
    .await;
    fixture.poll().await;
    fixture.app.poll("redirect").await;
    assert_eq!(lines(&fixture, FEED, "https://other.test/2 is on another server").await.len(), 1);
    assert_eq!(lines(&fixture, "redirect", "redirects to another server").await.len(), 1);
    assert_eq!(reviews(&fixture).await, 2);
    assert_eq!(other.requests_for("/2"), 1, "only the redirect is followed");
}

async fn poll_all_reads_the_pages_of_a_known_feed(database: Database) {
    let fixture = fixture_with_feed(database, &old(&["Alpha"]), NO_PAUSE).await;
    fixture.follow(&fixture.alice).await;
    fixture.remote.serve("/2", rss_page(&[Item::review("Beta"), Item::old_review("Alpha")], None));
    fixture.remote.serve(PATH, rss_page(&old(&["Alpha"]), Some("/2")));
    fixture.poll().await;
    assert_eq!(reviews(&fixture).await, 1, "the feed was read before");
    let printed = fixture.app.command_output(&["feed", "poll", FEED, "--all"]).await;
    assert!(printed.contains("archived 1 entries, sent none of them; pages read: 2"), "{printed}");
    assert_eq!(reviews(&fixture).await, 2);
    let printed = fixture.app.command_output(&["feed", "poll", FEED, "--all"]).await;
    assert!(printed.contains("no entry is new; pages read: 2"), "{printed}");
    assert_sent(&fixture, 0).await;
}

async fn more_new_entries_than_the_first_page_holds_are_not_missed(database: Database) {
    let films = ["Zeta", "Epsilon", "Delta", "Gamma", "Beta"];
    let new: Vec<Item> = (1..)
        .zip(films)
        .map(|(minutes, film)| {
            let item = Item::review(film);
            let published = item.published.map(|at| at - jiff::SignedDuration::from_mins(minutes));
            Item { published, ..item }
        })
        .collect();
    let fixture = fixture_with_feed(database, &old(&["Alpha", "Older"]), NO_PAUSE).await;
    fixture.follow(&fixture.alice).await;
    let mut undated = Item::review("Undated");
    undated.published = None;
    let last = [vec![undated], new[4..].to_vec(), old(&["Unseen", "Alpha"])].concat();
    fixture.remote.serve(PATH, rss_page(&new[..2], Some("/2")));
    fixture.remote.serve("/3", rss_page(&last, Some("/4")));
    // A page that cannot be read is read again, and nothing is missed.
    fixture.app.poll_expecting_failure(FEED).await;
    assert_sent(&fixture, 0).await;
    fixture.remote.serve("/2", rss_page(&new[2..4], Some("/3")));
    fixture.poll().await;
    assert_eq!(reviews(&fixture).await, 8, "{:?}", fixture.app.feed_log().await);
    assert_sent(&fixture, 5).await;
    assert_eq!(lines(&fixture, FEED, " held ").await.len(), 1, "there is one more than the limit allows");
    assert_eq!(lines(&fixture, FEED, "Unseen").await.len(), 1);
    assert!(lines(&fixture, FEED, "Unseen").await[0].contains("older than publish_since"));
    assert_eq!(fixture.remote.requests_for("/4"), 0, "a known entry ends it");
    let requests = fixture.remote.requests_for("/2");
    fixture.poll().await;
    assert_eq!(fixture.remote.requests_for("/2"), requests);
}

async fn a_permanent_redirect_is_remembered_once_the_feed_is_the_same(database: Database) {
    const NEW: &str = "/new.xml";
    let moved = |to: &str, status| Document { status, ..Document::redirect(to) };
    let mut fixture = fixture_with_feed(database, &old(&["Alpha"]), "interval = \"1d\"").await;
    let requests = |fixture: &Fixture| (fixture.remote.requests_for(PATH), fixture.remote.requests_for(NEW));
    let serve = |fixture: &Fixture, names: &[&str]| {
        fixture.remote.serve(NEW, Document::new("application/rss+xml", rss(&old(names))));
    };
    // A temporary redirect, and a permanent one to another feed, are followed and not remembered.
    for (status, names) in [(302, ["Alpha", "Beta"]), (301, ["Gamma", "Delta"])] {
        fixture.remote.serve(PATH, moved(NEW, status));
        serve(&fixture, &names);
        let before = requests(&fixture);
        fixture.poll().await;
        assert_eq!(requests(&fixture), (before.0 + 1, before.1 + 1), "{status}");
    }
    serve(&fixture, &["Epsilon", "Alpha"]);
    fixture.poll().await;
    let before = requests(&fixture);
    fixture.poll().await;
    assert_eq!(requests(&fixture), (before.0, before.1 + 1), "the new URL is requested");
    // A new URL in the config is the one that is requested.
    let url = fixture.remote.url("/configured.xml");
    fixture.remote.serve("/configured.xml", Document::new("application/rss+xml", rss(&old(&["Alpha"]))));
    fixture.app.redeclare_feeds(|feeds| feeds[0].url = url);
    fixture.app.restart().await;
    fixture.poll().await;
    assert_eq!(requests(&fixture), (before.0, before.1 + 1));
    assert!(fixture.remote.requests_for("/configured.xml") > 0);
}

async fn a_feed_may_have_its_own_user_agent(database: Database) {
    const OTHER: &str = "/other.xml";
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve(PATH, Document::redirect(&remote.url("/target.xml")));
        remote.serve("/target.xml", rss_page(&old(&["Alpha"]), Some("/page.xml")));
        remote.serve("/page.xml", rss_page(&old(&["Beta"]), None));
        remote.serve(OTHER, rss_page(&old(&["Gamma"]), None));
        let own = format!("user_agent = \"Mozilla/5.0 (Third Row)\"\n{NO_PAUSE}");
        settings.feed(FEED, &remote.url(PATH), &own).feed("other", &remote.url(OTHER), "")
    })
    .await;
    fixture.poll().await;
    fixture.app.poll("other").await;
    for path in [PATH, "/target.xml", "/page.xml"] {
        assert_eq!(fixture.remote.user_agent_for(path).as_deref(), Some("Mozilla/5.0 (Third Row)"), "{path}");
    }
    let own = fixture.remote.user_agent_for(OTHER).expect("a request");
    assert!(own.starts_with("Marquee/") && own.contains("(+https://"), "{own}");
}
