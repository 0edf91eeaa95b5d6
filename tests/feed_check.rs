//! `marquee feed check`: what a poll would do with each entry, without doing it.

use std::process::Output;

use serde_json::Value;

use crate::both_databases;
use crate::end_to_end::fixture_with_feed;
use crate::support::feed::{Item, NAME as FEED, PATH, rss};
use crate::support::remote::Document;
use crate::support::{Database, Fixture};

both_databases!(
    a_check_says_what_the_next_poll_does_and_changes_nothing,
    a_feed_is_checked_before_it_is_added,
    a_check_names_each_entry_that_is_left_out,
    a_charset_is_guessed_only_beyond_ascii,
);

async fn check(fixture: &Fixture, feed: &str) -> Value {
    let output = fixture.app.command_output(&["feed", "check", feed, "--json"]).await;
    serde_json::from_str(&output).expect("JSON")
}

/// The decision and the reason for each entry, in the order of the feed.
fn decisions(checked: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let entries = checked["entries"].as_array().expect("entries");
    entries.iter().map(|entry| (text(&entry["decision"]), text(&entry["reason"]))).collect()
}

/// The number of rows in all tables that a poll writes to.
async fn count_rows(fixture: &Fixture) -> i64 {
    const QUERY: &str = "select (select count(*) from reviews) + (select count(*) from feed_entries)
        + (select count(*) from feed_log) + (select count(*) from activities) + (select count(*) from media)
        + (select count(*) from feeds) + (select count(*) from critics)";
    fixture.app.number(QUERY, QUERY).await
}

async fn a_check_says_what_the_next_poll_does_and_changes_nothing(database: Database) {
    let items = [Item::review("Alpha"), Item::old_review("Beta"), Item::review("Gamma")];
    let fixture = fixture_with_feed(database, &items, "max_publish_per_poll = 3").await;
    fixture.follow(&fixture.alice).await;
    let mut changed = items.to_vec();
    changed[0].html.push_str("<p>A line that was added.</p>");
    let mut undated = Item::review("Delta");
    undated.published = None;
    let mut copy = Item::review("Gamma");
    (copy.id, copy.link) = ("copy".to_owned(), "https://remote.test/copy".to_owned());
    let mut later = Item::review("Later");
    later.published = Some("2100-01-01T00:00:00Z".parse().expect("a moment"));
    let mut first = Item::review("Zeta");
    first.published = first.published.map(|at| at - jiff::SignedDuration::from_mins(1));
    changed.splice(0..0, [later, copy, Item::review("Epsilon"), first]);
    changed.push(undated);
    fixture.remote.serve(PATH, Document::new("application/rss+xml", rss(&changed)));
    let before = count_rows(&fixture).await;
    let checked = check(&fixture, FEED).await;
    assert_eq!(count_rows(&fixture).await, before, "nothing is stored");
    let decided = decisions(&checked);
    let names: Vec<&str> = decided.iter().map(|(decision, _)| decision.as_str()).collect();
    assert_eq!(
        names,
        ["scheduled", "held", "held", "published", "revised", "unchanged", "unchanged", "archived"],
        "{decided:?}"
    );
    fixture.poll().await;
    let log = fixture.app.feed_log().await;
    for ((decision, reason), item) in decided.iter().zip(&changed) {
        let line = format!("{decision} “{}”: {reason}", item.title);
        let is_logged = log.iter().any(|logged| logged.contains(&line));
        assert_eq!(is_logged, decision != "unchanged", "{line}: {log:#?}");
    }
}

async fn a_feed_is_checked_before_it_is_added(database: Database) {
    let fixture = Fixture::new(database).await;
    let mut stars = Item::old_review("Alpha");
    stars.html = format!("<p>Salt.</p><p>{}</p><p>★★★½</p>", "The ferry waits for nobody. ".repeat(9));
    fixture.remote.serve_feed(&[stars, Item::old_review("Beta")]);
    let before = count_rows(&fixture).await;
    let url = fixture.remote.url(PATH);
    let checked = check(&fixture, &url).await;
    assert_eq!(count_rows(&fixture).await, before);
    assert_eq!((&checked["format"], &checked["title"]), (&"RSS".into(), &"Third Row".into()));
    let entries = checked["entries"].as_array().expect("entries");
    assert!(entries.iter().all(|entry| entry["decision"] == "archived"), "{checked}");
    let credit = |entry: usize, field: &str| {
        let credits = checked["entries"][entry]["credits"].as_array().expect("credits");
        let found = credits.iter().find(|credit| credit["field"] == field);
        found.map(|credit| {
            [&credit["value"], &credit["origin"], &credit["certainty"]].map(ToString::to_string)
        })
    };
    let some = |parts: [&str; 3]| Some(parts.map(|part| format!("\"{part}\"")));
    assert_eq!(credit(0, "film"), some(["Alpha", "headline", "implied"]));
    assert_eq!(credit(0, "rating"), some(["★★★½", "last line", "stated"]));
    assert_eq!(credit(0, "directors"), None);
    assert_eq!(credit(1, "directors"), some(["Ada Lindqvist", "credits block", "stated"]));
    assert_eq!(checked["entries"][0]["missing"].to_string(), r#"["year","directors","poster","tags"]"#);
    let shown = fixture.app.command_output(&["feed", "check", &url]).await;
    for line in
        ["2 entries; after a poll: 2 archived.", "      directors  Ada Lindqvist (from the credits block)"]
    {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
    assert!(shown.lines().all(|line| line.chars().count() < 80), "{shown}");
    let log = fixture.app.command_output(&["feed", "log"]).await;
    assert_eq!(log, "no entries have been read yet\n");
    let Output { status, stderr, .. } = fixture.app.cli(&["feed", "check", "nowhere"]).await;
    let error = String::from_utf8_lossy(&stderr).into_owned();
    assert!(!status.success() && error.contains("no feed and no file named \"nowhere\""), "{error}");
}

async fn a_check_names_each_entry_that_is_left_out(database: Database) {
    let mut items = ["Ferry", "Oar", "Quay", "Salt", "Tide"].map(Item::old_review);
    "<p> </p>".clone_into(&mut items[4].html);
    let mut feed = rss(&items);
    let authors = ["Ada", "Ben", "Ada", "Ada", "Ada"];
    let labels = ["Reviews", "Reviews", "News", "Reviews", "Reviews"];
    for (item, (author, label)) in items.iter().zip(authors.into_iter().zip(labels)) {
        let guid = format!("{}</guid>", item.id);
        let more = format!("{guid}<dc:creator>{author}</dc:creator><category>{label}</category>");
        feed = feed.replacen(&guid, &more, 1);
    }
    let guid = format!("{}</guid>", items[3].id);
    let draft = "<app:control><app:draft>yes</app:draft></app:control>";
    feed = feed.replacen(&guid, &format!("{guid}{draft}"), 1);
    let more = "authors = [\"Ada\"]\nonly = [\"reviews\"]";
    let fixture = fixture_with_feed(database, &[], more).await;
    for path in [PATH, "/other.xml"] {
        fixture.remote.serve(path, Document::new("application/rss+xml", feed.clone()));
    }
    let left_out = |checked: &Value| -> Vec<(String, String)> {
        let list = checked["left_out"].as_array().expect("a list");
        let text = |entry: &Value, key: &str| entry[key].as_str().expect("a text").to_owned();
        let mut list: Vec<_> = list.iter().map(|one| (text(one, "title"), text(one, "reason"))).collect();
        list.sort();
        list
    };
    let checked = check(&fixture, FEED).await;
    let expected = [
        (items[1].title.clone(), "by Ben, who is not in authors of this feed".to_owned()),
        (items[2].title.clone(), "it has no label of only".to_owned()),
        ("Movie Review: 'Salt' Earns Its Last…".to_owned(), "not a public post: draft".to_owned()),
        (items[4].title.clone(), "it has neither a text nor a picture nor a sound".to_owned()),
    ];
    assert_eq!(left_out(&checked), expected, "{checked}");
    assert_eq!(decisions(&checked).len(), 1, "{checked}");
    let shown = fixture.app.command_output(&["feed", "check", FEED]).await;
    assert!(shown.contains("5 entries; after a poll: 1 archived, 4 left out."), "{shown}");
    for (title, reason) in &expected {
        assert!(
            shown.split_whitespace().collect::<Vec<_>>().join(" ").contains(&format!("“{title}”: {reason}"))
        );
    }
    assert_eq!(shown.matches("neither a text").count(), 1, "each is named once: {shown}");
    let list = shown.split("Left out:\n").nth(1).expect("a list");
    assert!(!list.contains("left out"), "{shown}");
    let limited = fixture.app.command_output(&["feed", "check", FEED, "--lines", "1"]).await;
    assert!(limited.contains("  … and 3 more; --lines shows more of them"), "{limited}");
    // Without `authors`, all that is new waits.
    let checked = check(&fixture, &fixture.remote.url("/other.xml")).await;
    assert_eq!(decisions(&checked), [], "{checked}");
    let waiting = left_out(&checked);
    assert!(waiting.contains(&(items[0].title.clone(), "by Ada; the feed has several authors".to_owned())));
}

async fn a_charset_is_guessed_only_beyond_ascii(database: Database) {
    let fixture = Fixture::new(database).await;
    let mut item = Item::old_review("Alpha");
    "<p>A ferry waits for nobody.</p>".clone_into(&mut item.html);
    let ascii = rss(&[item]).replacen(" encoding=\"UTF-8\"", "", 1);
    let latin = ascii.replace("A ferry", "Le cin\u{e9}ma d'\u{e9}t\u{e9}: a ferry");
    let latin: Vec<u8> = latin.chars().map(|c| u8::try_from(u32::from(c)).expect("of Latin-1")).collect();
    for (path, text, guessed) in
        [("/ascii.xml", ascii.into_bytes(), Value::Null), ("/latin.xml", latin, "windows-1252".into())]
    {
        fixture.remote.serve(path, Document::new("application/rss+xml", text));
        let url = fixture.remote.url(path);
        assert_eq!(check(&fixture, &url).await["guessed_charset"], guessed, "{path}");
        let shown = fixture.app.command_output(&["feed", "check", &url]).await;
        assert_eq!(shown.contains("charset guessed"), !guessed.is_null(), "{shown}");
    }
}
