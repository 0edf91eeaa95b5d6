//! Entries without a date, and with dates in unusual forms: nothing old is sent to followers.

#[cfg(feature = "failpoints")]
use std::time::Duration;

use serde_json::json;

use crate::both_databases;
use crate::end_to_end::fixture_with_feed;
#[cfg(feature = "failpoints")]
use crate::support::eventually;
use crate::support::feed::{Item, NAME as FEED, PATH, rss};
use crate::support::remote::Document;
use crate::support::{Database, Fixture};

both_databases!(
    an_undated_archive_is_sent_to_nobody,
    an_undated_archive_is_not_newer_than_its_feed,
    an_undated_entry_is_new_only_above_those_that_were_known,
    an_undated_feed_that_turns_its_order_or_gets_longer_sends_nothing,
    an_undated_entry_is_archived_until_the_feed_was_read_to_its_last_page,
    an_undated_entry_that_was_broken_at_the_first_poll_is_archived,
    an_undated_entry_that_was_left_out_at_the_first_poll_is_archived,
    a_feed_that_was_empty_through_a_fault_is_read_later,
    a_date_in_an_unusual_form_is_a_date,
    a_date_that_cannot_be_read_is_quoted_in_the_log,
    a_date_that_cannot_be_read_does_not_make_new_what_is_plainly_old,
    what_was_no_public_post_or_had_a_date_at_the_first_poll_is_archived,
);
#[cfg(feature = "failpoints")]
both_databases!(a_feed_is_not_polled_before_its_server_wants_that);

fn undated(film: &str) -> Item {
    let mut item = Item::review(film);
    item.published = None;
    item
}

fn films(names: &[&str]) -> Vec<Item> {
    names.iter().map(|name| undated(name)).collect()
}

/// Serves a feed, polls it, and returns how many reviews have been sent to the follower since the start.
async fn poll(fixture: &Fixture, document: Document) -> usize {
    fixture.remote.serve(PATH, document);
    fixture.poll().await;
    fixture.settle().await;
    fixture.remote.distinct_activities("Create").len()
}

fn served(items: &[Item]) -> Document {
    Document::new("application/rss+xml; charset=utf-8", rss(items))
}

/// The lines of the log with that decision.
async fn lines(fixture: &Fixture, decision: &str) -> Vec<String> {
    let log = fixture.app.feed_log().await;
    log.into_iter().filter(|line| line.contains(&format!(" {decision} "))).collect()
}

async fn an_undated_archive_is_sent_to_nobody(database: Database) {
    let all = films(&["Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta"]);
    let fixture = fixture_with_feed(database, &all, "").await;
    fixture.follow(&fixture.alice).await;
    for _ in 0..3 {
        assert_eq!(poll(&fixture, served(&all)).await, 0);
    }
    let archived = lines(&fixture, "archived").await;
    assert_eq!(archived.len(), 7, "{archived:?}");
    assert!(archived.iter().all(|line| line.contains("it has no date")), "{archived:?}");
    assert_eq!(fixture.items(&fixture.critic["outbox"]).await.len(), 7, "each has a page");
}

async fn an_undated_archive_is_not_newer_than_its_feed(database: Database) {
    let fixture =
        fixture_with_feed(database, &films(&["Alpha", "Beta"]), "publish_since = \"2024-05-06\"").await;
    let listed = fixture.app.command_output(&["review", "list"]).await;
    assert_eq!(listed.matches("2024-05-06").count(), 2, "{listed}");
}

async fn an_undated_entry_is_new_only_above_those_that_were_known(database: Database) {
    let fixture = fixture_with_feed(database, &films(&["Beta", "Alpha"]), "").await;
    fixture.follow(&fixture.alice).await;
    assert_eq!(poll(&fixture, served(&films(&["Gamma", "Beta", "Alpha"]))).await, 1, "it is on top");
    assert_eq!(poll(&fixture, served(&films(&["Gamma", "Beta", "Old", "Alpha", "Older"]))).await, 1);
    // A document that shares no entry with those that are known may be anything.
    assert_eq!(poll(&fixture, served(&films(&["One", "Two", "Three"]))).await, 1);
    assert_eq!(poll(&fixture, served(&films(&["Delta", "One", "Two", "Three"]))).await, 2);
}

async fn an_undated_feed_that_turns_its_order_or_gets_longer_sends_nothing(database: Database) {
    const ALL: [&str; 9] = ["One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"];
    let newest: Vec<&str> = ALL[6..].iter().rev().copied().collect();
    let names = ["turned", "longer", "moved", "redirected"];
    let path = |name: &str| format!("/{name}.xml");
    // Each feed has films of its own.
    let of = |name: &str, films: &[&str]| -> Vec<Item> {
        films.iter().map(|film| undated(&format!("{film} {name}"))).collect()
    };
    let fixture = Fixture::with(database, |remote, settings| {
        names.into_iter().fold(settings, |settings, name| {
            let first = if name == "longer" { &ALL[6..] } else { &newest[..] };
            remote.serve(&path(name), served(&of(name, first)));
            settings.feed(name, &remote.url(&path(name)), "")
        })
    })
    .await;
    fixture.follow(&fixture.alice).await;
    for name in names {
        fixture.app.poll(name).await;
        let all = served(&of(name, &ALL));
        let to = format!("/{name}/index.xml");
        match name {
            "moved" => fixture.remote.serve(&path(name), Document::status(301).with_header("location", &to)),
            "redirected" => {
                fixture.remote.serve(&path(name), Document::status(302).with_header("location", &to));
            }
            _ => fixture.remote.serve(&path(name), all.clone()),
        }
        // At another address, one entry more may be an old one, too.
        let elsewhere: Vec<&str> = ["Six"].into_iter().chain(newest.iter().copied()).collect();
        fixture.remote.serve(&to, served(&of(name, &elsewhere)));
        for _ in 0..2 {
            fixture.app.poll(name).await;
        }
        fixture.settle().await;
        assert_eq!(fixture.remote.distinct_activities("Create").len(), 0, "{name}");
    }
    // There, what comes on top next is new.
    let now: Vec<&str> = ["Quartz", "Six"].into_iter().chain(newest.iter().copied()).collect();
    fixture.remote.serve("/redirected/index.xml", served(&of("redirected", &now)));
    fixture.app.poll("redirected").await;
    fixture.settle().await;
    assert_eq!(fixture.remote.distinct_activities("Create").len(), 1);
}

async fn an_undated_entry_is_archived_until_the_feed_was_read_to_its_last_page(database: Database) {
    let page = |items: &[Item]| {
        let next =
            "<channel><atom:link xmlns:atom=\"http://www.w3.org/2005/Atom\" rel=\"next\" href=\"/2\"/>";
        Document::new("application/rss+xml", rss(items).replacen("<channel>", next, 1))
    };
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve(PATH, page(&films(&["Alpha"])));
        settings.feed(FEED, &remote.url(PATH), "")
    })
    .await;
    fixture.follow(&fixture.alice).await;
    assert_eq!(poll(&fixture, page(&films(&["Alpha"]))).await, 0);
    assert_eq!(poll(&fixture, page(&films(&["Beta", "Alpha"]))).await, 0);
    assert_eq!(poll(&fixture, served(&films(&["Gamma", "Beta", "Alpha"]))).await, 0, "the first whole poll");
    assert_eq!(poll(&fixture, served(&films(&["Delta", "Gamma", "Beta", "Alpha"]))).await, 1);
}

async fn an_undated_entry_that_was_broken_at_the_first_poll_is_archived(database: Database) {
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve(
            PATH,
            Document::new(
                "application/rss+xml",
                rss(&films(&["Alpha"])).replacen("<item>", "<item/><item>", 1),
            ),
        );
        settings.feed(FEED, &remote.url(PATH), "")
    })
    .await;
    fixture.poll().await;
    fixture.follow(&fixture.alice).await;
    assert!(!lines(&fixture, "skipped").await.is_empty(), "an entry is empty");
    assert_eq!(
        poll(&fixture, served(&films(&["Beta", "Alpha"]))).await,
        0,
        "it may be the one that was empty"
    );
    assert_eq!(poll(&fixture, served(&films(&["Gamma", "Beta", "Alpha"]))).await, 1);
}

/// RSS in which entries have labels.
fn labelled(items: &[(Item, &str)]) -> Document {
    let mut feed = rss(&items.iter().map(|(item, _)| item.clone()).collect::<Vec<_>>());
    for (item, label) in items {
        let guid = format!("{}</guid>", item.id);
        feed = feed.replacen(&guid, &format!("{guid}<category>{label}</category>"), 1);
    }
    Document::new("application/rss+xml", feed)
}

async fn an_undated_entry_that_was_left_out_at_the_first_poll_is_archived(database: Database) {
    let stub = || Item { html: String::new(), ..undated("Stub") };
    let paid = || {
        let mut item = undated("Paid");
        item.html.push_str("<div class=\"gh-post-upgrade-cta\"><p>For members.</p></div>");
        item
    };
    let first =
        [(stub(), "Reviews"), (paid(), "Reviews"), (undated("News"), "News"), (undated("Alpha"), "Reviews")];
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve(PATH, labelled(&first));
        settings.feed(FEED, &remote.url(PATH), "only = [\"Reviews\"]")
    })
    .await;
    fixture.poll().await;
    fixture.follow(&fixture.alice).await;
    assert_eq!(fixture.items(&fixture.critic["outbox"]).await.len(), 1);
    // They get a text, become free, or get a label; one of them with another link.
    let mut free = undated("Paid");
    free.link.push_str("-for-all");
    let now =
        [(undated("Stub"), "Reviews"), (free, "Reviews"), (undated("News"), "Reviews"), first[3].clone()];
    assert_eq!(poll(&fixture, labelled(&now)).await, 0, "{:?}", fixture.app.feed_log().await);
    assert_eq!(fixture.items(&fixture.critic["outbox"]).await.len(), 4);
    // What was not there at first is new, with its label at once or later.
    let with = |label| [vec![(undated("Beta"), label), (undated("Gamma"), "Reviews")], now.to_vec()].concat();
    assert_eq!(poll(&fixture, labelled(&with("News"))).await, 1);
    let without_gamma: Vec<(Item, &str)> =
        with("Reviews").into_iter().filter(|(item, _)| item.link != undated("Gamma").link).collect();
    assert_eq!(poll(&fixture, labelled(&without_gamma)).await, 2);
}

async fn a_feed_that_was_empty_through_a_fault_is_read_later(database: Database) {
    let fixture = fixture_with_feed(database, &[], "page_interval = \"0s\"").await;
    fixture.follow(&fixture.alice).await;
    fixture.remote.serve("/2", served(&films(&["Older"])));
    let link = "<channel><atom:link xmlns:atom=\"http://www.w3.org/2005/Atom\" rel=\"next\" href=\"/2\"/>";
    let page =
        |items: &[Item]| Document::new("application/rss+xml", rss(items).replacen("<channel>", link, 1));
    assert_eq!(poll(&fixture, page(&films(&["Beta", "Alpha"]))).await, 0);
    assert_eq!(fixture.items(&fixture.critic["outbox"]).await.len(), 3, "its pages are read, too");
    assert_eq!(poll(&fixture, served(&[])).await, 0);
    assert_eq!(poll(&fixture, page(&films(&["Gamma", "Beta", "Alpha"]))).await, 1);
}

async fn a_date_in_an_unusual_form_is_a_date(database: Database) {
    let fixture = fixture_with_feed(database, &films(&["Known"]), "").await;
    fixture.follow(&fixture.alice).await;
    let old = [
        "10/28/2023 3:15:22 PM",
        "2019-11-15T10:30:00",
        "2018/02/15 10:30:00",
        "Thu, 15 Feb 2018 10:30:00 GMT+7",
        "15 février 2018 à 10h30",
        "15. Februar 2018",
        "2018年2月15日",
        "Donnerstag, 15. Februar 2018, 10:30 Uhr",
        "15.2.2018 10.30 Uhr",
        "15 février 2018 à 10 h 30",
        "2018-02-15T10:30:00+07:00[Asia/Bangkok]",
    ];
    let items: Vec<Item> = (0..old.len()).map(|number| undated(&format!("Film {number}"))).collect();
    let mut xml = rss(&[items.clone(), films(&["Known"])].concat());
    for (item, date) in items.iter().zip(old) {
        let guid = format!("{}</guid>", item.id);
        xml = xml.replacen(&guid, &format!("{guid}<pubDate>{date}</pubDate>"), 1);
    }
    assert_eq!(poll(&fixture, Document::new("application/rss+xml", xml)).await, 0);
    let archived = lines(&fixture, "archived").await;
    assert_eq!(
        archived.iter().filter(|line| line.contains("older than publish_since")).count(),
        old.len(),
        "{archived:?}"
    );
    // One date names a zone.
    assert!(
        archived.iter().any(|line| line
            .contains("“10/28/2023 3:15:22 PM” has no time zone; that of the other dates was assumed")),
        "{archived:?}"
    );

    // In JSON Feed, the date of the last change is the only one, or a day without a time.
    let item = |name: &str, key: &str, date: &str| {
        let item = undated(name);
        json!({"id": item.id, "url": item.link, "title": item.title, "content_html": item.html, key: date})
    };
    let feed = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Third Row",
        "items": [item("Modified", "date_modified", "2018-02-03T10:00:00Z"), item("Day", "date_published", "2018-02-02")],
    });
    assert_eq!(poll(&fixture, Document::new("application/feed+json", feed.to_string())).await, 0);
    let archived = lines(&fixture, "archived").await;
    assert_eq!(
        archived.iter().filter(|line| line.contains("older than publish_since")).count(),
        old.len() + 2,
        "{archived:?}"
    );
}

async fn a_date_that_cannot_be_read_is_quoted_in_the_log(database: Database) {
    let fixture = fixture_with_feed(database, &films(&["Known"]), "").await;
    fixture.follow(&fixture.alice).await;
    for (number, (date, why)) in
        [("next Tuesday", "it cannot be read as a date"), ("03/12/2025", "it can mean more than one day")]
            .into_iter()
            .enumerate()
    {
        let item = undated(&format!("Film {number}"));
        let xml = rss(&[films(&["Known"]), vec![item.clone()]].concat());
        let xml = xml.replacen(
            &format!("{}</guid>", item.id),
            &format!("{}</guid><pubDate>{date}</pubDate>", item.id),
            1,
        );
        assert_eq!(poll(&fixture, Document::new("application/rss+xml", xml)).await, 0);
        let archived = lines(&fixture, "archived").await;
        assert!(archived.iter().any(|line| line.contains(&format!("“{date}”: {why}"))), "{archived:?}");
    }
}

#[cfg(feature = "failpoints")]
async fn a_feed_is_not_polled_before_its_server_wants_that(database: Database) {
    const OTHER: &str = "/other.xml";
    let busy = Document::status(429).with_header("retry-after", "7200");
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve(PATH, busy);
        remote.serve(OTHER, served(&films(&["Alpha"])));
        let other = "interval = \"1m\"";
        settings.feed(FEED, &remote.url(PATH), "interval = \"15m\"").feed("other", &remote.url(OTHER), other)
    })
    .await;
    fixture.app.poll_expecting_failure(FEED).await;
    fixture.app.poll("other").await;
    assert!(
        lines(&fixture, "failed").await.iter().any(|line| line.contains("asks to wait for 7200 seconds"))
    );
    let asked = fixture.remote.requests_for(PATH);
    // By now, a feed that fails for no such reason is due, and has been for longer than the other one when that is polled again.
    for minutes in [110, 115] {
        let others = fixture.remote.requests_for(OTHER);
        fixture.app.set_clock_forward(Duration::from_mins(minutes));
        eventually("a poll of the other feed", || async {
            (fixture.remote.requests_for(OTHER) > others).then_some(())
        })
        .await;
        // Once this poll has begun, the one before has ended.
        fixture.app.poll("other").await;
    }
    assert_eq!(fixture.remote.requests_for(PATH), asked);
    fixture.app.set_clock_forward(Duration::from_mins(125));
    eventually("a poll of the feed", || async { (fixture.remote.requests_for(PATH) > asked).then_some(()) })
        .await;
}

async fn a_date_that_cannot_be_read_does_not_make_new_what_is_plainly_old(database: Database) {
    let fixture = fixture_with_feed(database, &films(&["Known"]), "").await;
    fixture.follow(&fixture.alice).await;
    let old = [
        "<pubDate>garbage</pubDate><dc:date>2019-05-03T00:00:00Z</dc:date>",
        "<pubDate>0000-00-00 00:00:00</pubDate><dc:date>2019-05-03</dc:date>",
        "<pubDate>garbage</pubDate><atom:updated>2019-05-03T00:00:00Z</atom:updated>",
        "<pubDate>Sun, 31 Nov 2019 10:00:00 GMT</pubDate>",
        "<pubDate>30.02.2019</pubDate>",
        "<pubDate>2019-W18</pubDate>",
        "<pubDate>24 Nov 1026</pubDate>",
        "<pubDate>Mon, 30 Nov -0001 00:00:00 +0000</pubDate>",
    ];
    let document = |item: &Item, date: &str, known: &[Item]| {
        let xml = rss(&[vec![item.clone()], known.to_vec()].concat());
        let xml = xml.replacen(
            "<rss version=\"2.0\"",
            "<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:atom=\"http://www.w3.org/2005/Atom\"",
            1,
        );
        let guid = format!("{}</guid>", item.id);
        Document::new("application/rss+xml", xml.replacen(&guid, &format!("{guid}{date}"), 1))
    };
    let mut known = films(&["Known"]);
    for (number, date) in old.iter().enumerate() {
        let item = undated(&format!("Film {number}"));
        assert_eq!(poll(&fixture, document(&item, date, &known)).await, 0, "{date}");
        known.insert(0, item);
    }
    let item = undated("New film");
    let this_year = crate::support::now().strftime("<pubDate>Someday in %Y</pubDate>").to_string();
    assert_eq!(poll(&fixture, document(&item, &this_year, &known)).await, 1, "what may be new is new");
}

async fn what_was_no_public_post_or_had_a_date_at_the_first_poll_is_archived(database: Database) {
    let protected = || Item {
        title: "Protected: Nightlift".to_owned(),
        html: "<p>There is no excerpt because this is a protected post.</p>".to_owned(),
        ..undated("Nightlift")
    };
    let dated = || Item::old_review("Draft");
    let first = [(protected(), "Reviews"), (undated("Ombra"), "Reviews"), (dated(), "News")];
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve(PATH, labelled(&first));
        settings.feed(FEED, &remote.url(PATH), "only = [\"Reviews\"]")
    })
    .await;
    fixture.poll().await;
    fixture.follow(&fixture.alice).await;
    assert_eq!(fixture.items(&fixture.critic["outbox"]).await.len(), 1);
    let now =
        [(undated("Nightlift"), "Reviews"), (undated("Draft"), "Reviews"), (undated("Ombra"), "Reviews")];
    assert_eq!(poll(&fixture, labelled(&now)).await, 0, "{:?}", fixture.app.feed_log().await);
    assert_eq!(fixture.items(&fixture.critic["outbox"]).await.len(), 3);
}
