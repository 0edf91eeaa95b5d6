//! Entries that change: what is sent as an Update, what changes only the page, and what waits.

#[cfg(feature = "failpoints")]
use std::time::Duration;

use serde_json::Value;

use crate::both_databases;
use crate::end_to_end::is_about;
use crate::feeds::fixture_with_reviews;
use crate::support::activities::id_of;
use crate::support::db_control::DbControl;
use crate::support::feed::{Item, NAME as FEED, markdown};
use crate::support::http::HTML;
use crate::support::page::Page;
use crate::support::remote::Document;
use crate::support::{Database, Fixture};

both_databases!(
    a_tracking_parameter_of_a_link_is_no_change,
    what_only_this_version_reads_differently_is_mended_silently,
    what_is_too_large_to_be_kept_is_mended_silently,
    an_upgrade_does_not_hide_that_a_feed_turns_to_excerpts,
    a_kept_change_does_not_take_over_an_id_that_entries_share,
    a_manual_revision_by_an_earlier_version_is_not_mended_away,
    an_excerpt_does_not_replace_a_full_text,
    a_correction_of_one_field_stays_while_others_change,
    a_corrected_poster_and_link_stay_while_the_headline_changes,
    a_change_of_a_text_that_the_critic_revised_waits,
    a_renamed_review_is_revised_and_its_old_address_redirects,
    a_copy_of_a_review_that_is_still_in_the_feed_is_held,
);
#[cfg(feature = "failpoints")]
both_databases!(a_feed_sends_no_more_in_an_interval_than_its_limit);

async fn poll(fixture: &Fixture, items: &[Item]) {
    fixture.remote.serve_feed(items);
    fixture.poll().await;
    fixture.settle().await;
}

/// The Updates of reviews that the follower got.
fn updates(fixture: &Fixture) -> usize {
    let updates = fixture.remote.distinct_activities("Update");
    updates.iter().filter(|update| update["object"]["type"] == "Article").count()
}

async fn log_lines(fixture: &Fixture, part: &str) -> usize {
    fixture.app.feed_log().await.iter().filter(|line| line.contains(part)).count()
}

fn slug(article: &Value) -> &str {
    article["url"].as_str().and_then(|page| page.rsplit('/').next()).expect("a slug")
}

/// Makes the database what an earlier version wrote, which kept no sources.
async fn forget_sources(fixture: &Fixture) {
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute("update feed_entries set source = null, publish_since = null").await;
    db.execute("update feeds set parser_version = null").await;
    db.execute("update reviews set corrected_fields = '[]'").await;
}

async fn a_tracking_parameter_of_a_link_is_no_change(database: Database) {
    let mut item = Item::review("Alpha");
    let page = item.link.clone();
    "t1".clone_into(&mut item.id);
    item.link = format!("{page}?source=rss-aa11------2");
    let fixture = fixture_with_reviews(database, std::slice::from_ref(&item)).await;
    let lines = fixture.app.feed_log().await.len();
    for tracking in ["source=rss-aa11------1", "utm_source=feed&utm_medium=rss", "fbclid=7"] {
        item.link = format!("{page}?{tracking}");
        poll(&fixture, std::slice::from_ref(&item)).await;
        assert_eq!((updates(&fixture), fixture.app.feed_log().await.len()), (0, lines), "{tracking}");
    }
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    let shown = fixture.app.command_output(&["review", "show", slug(&article)]).await;
    assert!(shown.contains(&format!("canonical_url: {page}\n")), "{shown}");
    // The link alone identifies it, too.
    "t2".clone_into(&mut item.id);
    poll(&fixture, std::slice::from_ref(&item)).await;
    assert_eq!(updates(&fixture), 0);
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    assert!(!article.to_string().contains("rss-aa11"), "{article}");
}

async fn what_only_this_version_reads_differently_is_mended_silently(database: Database) {
    let items = [Item::review("Alpha"), Item::review("Beta")];
    let fixture = fixture_with_reviews(database, &items).await;
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    // The version before read the cast of all reviews as a part of the text.
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute(
        "update reviews set body = '<p>Starring: Cleo Marsh</p>' || body, film = replace(film, 'Cleo Marsh', 'Nobody')",
    )
    .await;
    db.execute("update feed_entries set content_hash = 'of another version'").await;
    for is_from_before in [true, false] {
        if is_from_before {
            forget_sources(&fixture).await;
        }
        poll(&fixture, &items).await;
        let page = fixture.page(&article).await;
        assert!(
            page.text.contains("Cleo Marsh") && !page.text.contains("Starring: Cleo Marsh"),
            "{}",
            page.text
        );
        assert_eq!(updates(&fixture), 0);
        assert_eq!(log_lines(&fixture, "mended 2 reviews").await, if is_from_before { 1 } else { 2 });
        assert_eq!(log_lines(&fixture, "its contents changed").await, 0);
        // A later version: the sources are known.
        db.execute("update reviews set body = '<p>Starring: Cleo Marsh</p>' || body").await;
        db.execute("update feed_entries set content_hash = 'of another version'").await;
        db.execute("update feeds set parser_version = 'another'").await;
    }
    // What the feed changes is an Update.
    let mut changed = items.clone();
    changed[0].html.push_str("<p>A line that was added.</p>");
    poll(&fixture, &changed).await;
    assert_eq!(updates(&fixture), 1);
}

async fn what_is_too_large_to_be_kept_is_mended_silently(database: Database) {
    let mut item = Item::review("Alpha");
    item.html.extend(["<p><img src=\"data:image/png;base64,", &"iVBO".repeat(150_000), "\" alt=\"\"></p>"]);
    let fixture = fixture_with_reviews(database, std::slice::from_ref(&item)).await;
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    let mut db = DbControl::connect(&fixture.app).await;
    for read in 1..=2 {
        db.execute("update reviews set body = '<p>Read in another way.</p>' || body").await;
        db.execute("update feed_entries set content_hash = 'of another version'").await;
        db.execute("update feeds set parser_version = 'another'").await;
        poll(&fixture, std::slice::from_ref(&item)).await;
        assert!(!fixture.page(&article).await.text.contains("Read in another way."));
        assert_eq!((updates(&fixture), log_lines(&fixture, "mended 1 review").await), (0, read));
    }
    item.html.push_str("<p>A line that was added.</p>");
    poll(&fixture, std::slice::from_ref(&item)).await;
    assert_eq!(updates(&fixture), 1);
}

async fn an_upgrade_does_not_hide_that_a_feed_turns_to_excerpts(database: Database) {
    let items = [Item::review("Alpha"), Item::review("Beta")];
    let fixture = fixture_with_reviews(database, &items).await;
    let alpha = fixture.await_article(|article| is_about(article, "Alpha")).await;
    let beta = fixture.await_article(|article| is_about(article, "Beta")).await;
    // The version before took what stands below a text for a part of it.
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute("update reviews set body = body || '<p>The post appeared first on Third Row.</p>'").await;
    db.execute("update feed_entries set content_hash = 'of another version'").await;
    forget_sources(&fixture).await;
    let mut now = items.clone();
    let end = now[0].html.find("pays it back").expect("the first sentence");
    now[0].html = format!("{} […]</p>", &now[0].html[..end]);
    poll(&fixture, &now).await;
    assert!(fixture.page(&alpha).await.text.contains("what one takes home"));
    assert_eq!(log_lines(&fixture, "only the beginning of the text").await, 1);
    let page = fixture.page(&beta).await;
    assert!(
        !page.text.contains("appeared first") && page.text.contains("what one takes home"),
        "{}",
        page.text
    );
    assert_eq!((updates(&fixture), log_lines(&fixture, "mended 1 review").await), (0, 1));
}

async fn a_kept_change_does_not_take_over_an_id_that_entries_share(database: Database) {
    let with_id = |film: &str| Item { id: "https://remote.test/".to_owned(), ..Item::review(film) };
    let mut items = vec![with_id("Alpha"), with_id("Beta")];
    let fixture = fixture_with_reviews(database, &items).await;
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    let text = "Mended at the desk. It has as many words as the text in the feed, so that no one takes the one for a \
                beginning of the other; the ferry is late, the radio is on, and two sisters do not speak at all.";
    let file = fixture.app.write("revised.md", &markdown("Alpha", "Alpha", text));
    fixture.app.command_output(&["revise", slug(&article), &file]).await;
    items[0].html.push_str("<p>Mended on the blog.</p>");
    poll(&fixture, &items).await;
    fixture.app.command_output(&["feed", "accept", slug(&article)]).await;
    fixture.await_page(&article, "the text of the feed", |page| page.text.contains("on the blog.")).await;
    // An entry alone shares its id with none.
    poll(&fixture, &[with_id("Gamma")]).await;
    assert_eq!(fixture.remote.distinct_activities("Create").len(), 3, "{:?}", fixture.app.feed_log().await);
    assert!(fixture.page(&article).await.text.contains("on the blog."));
}

async fn a_manual_revision_by_an_earlier_version_is_not_mended_away(database: Database) {
    let item = Item::review("Alpha");
    let fixture = fixture_with_reviews(database, std::slice::from_ref(&item)).await;
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    let file = fixture.app.write("revised.md", &markdown("Alpha", "Alpha", "Written again by hand."));
    fixture.app.command_output(&["revise", slug(&article), &file]).await;
    fixture.settle().await;
    let sent = updates(&fixture);
    DbControl::connect(&fixture.app)
        .await
        .execute("update feed_entries set content_hash = 'of another version'")
        .await;
    forget_sources(&fixture).await;
    poll(&fixture, std::slice::from_ref(&item)).await;
    let page = fixture.page(&article).await;
    assert!(page.text.contains("Written again by hand."), "{}", page.text);
    assert_eq!(updates(&fixture), sent);
}

async fn an_excerpt_does_not_replace_a_full_text(database: Database) {
    let items = [Item::review("Alpha"), Item::review("Beta")];
    let fixture = fixture_with_reviews(database, &items).await;
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    let mut excerpts = items.clone();
    for item in &mut excerpts {
        let end = item.html.find("pays it back").expect("the first sentence");
        item.html = format!("{} […]</p>", &item.html[..end]);
    }
    for _ in 0..2 {
        poll(&fixture, &excerpts).await;
        assert!(fixture.page(&article).await.text.contains("what one takes home"));
        assert_eq!(updates(&fixture), 0);
        assert_eq!(log_lines(&fixture, "only the beginning of the text").await, 2, "each is logged once");
    }
    let held = fixture.app.command_output(&["feed", "held", FEED]).await;
    assert_eq!(held.matches("reason: the entry has only the beginning of the text now").count(), 2, "{held}");
    // The full text again is no change.
    poll(&fixture, &items).await;
    assert_eq!(updates(&fixture), 0);
    // The critic may want the excerpt.
    poll(&fixture, &excerpts).await;
    let printed = fixture.app.command_output(&["feed", "accept", slug(&article)]).await;
    assert!(printed.contains("Revised"), "{printed}");
    let is_shorter = |page: &Page| !page.text.contains("what one takes home");
    fixture.await_page(&article, "the excerpt", is_shorter).await;
    fixture.settle().await;
    assert_eq!(updates(&fixture), 1);
    poll(&fixture, &excerpts).await;
    assert_eq!(updates(&fixture), 1);
}

async fn a_correction_of_one_field_stays_while_others_change(database: Database) {
    let mut item = Item::review("Alpha");
    let fixture = fixture_with_reviews(database, std::slice::from_ref(&item)).await;
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute("update reviews set corrected_fields = '[\"film\"]', film = replace(film, 'Cleo Marsh', 'Cleo Marsh-Adler')")
        .await;
    item.html.push_str("<p>A line that was added.</p>");
    poll(&fixture, std::slice::from_ref(&item)).await;
    let page = fixture.page(&article).await;
    assert!(
        page.text.contains("A line that was added.") && page.text.contains("Cleo Marsh-Adler"),
        "{}",
        page.text
    );
    assert_eq!(updates(&fixture), 1);
}

async fn a_corrected_poster_and_link_stay_while_the_headline_changes(database: Database) {
    let mut item = Item::review("Alpha");
    item.html.push_str(
        "<p><a href='https://remote.test/wrong'>More</a></p><img src='https://remote.test/p.png' alt='A hall'>",
    );
    let fixture = fixture_with_reviews(database, &[]).await;
    fixture.remote.serve("/p.png", Document::new("image/png", include_bytes!("../config/demo/avatar.png")));
    poll(&fixture, std::slice::from_ref(&item)).await;
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    let text = fixture.app.command_output(&["review", "show", slug(&article)]).await;
    assert!(text.contains("poster_alt: A hall") && text.contains("/wrong"), "{text}");
    let corrected =
        text.replace("poster_alt: A hall", "poster_alt: An empty hall").replace("/wrong", "/right");
    let file = fixture.app.write("corrected.md", &corrected);
    fixture.app.command_output(&["revise", slug(&article), &file]).await;
    item.title = item.title.replace("Earns", "Loses");
    poll(&fixture, std::slice::from_ref(&item)).await;
    let update = fixture
        .remote
        .await_activity("the new headline", |a| {
            a["type"] == "Update" && a["object"]["name"].as_str().is_some_and(|name| name.contains("Loses"))
        })
        .await;
    let object = &update["object"];
    assert_eq!(object["attachment"][0]["name"], "An empty hall", "{object}");
    assert!(object["content"].as_str().is_some_and(|content| content.contains("/right")), "{object}");
}

async fn a_change_of_a_text_that_the_critic_revised_waits(database: Database) {
    let mut item = Item::review("Alpha");
    let fixture = fixture_with_reviews(database, std::slice::from_ref(&item)).await;
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    let text = "Mended at the desk. It has as many words as the text in the feed, so that no one takes the one for a \
                beginning of the other; the ferry is late, the radio is on, and two sisters do not speak at all.";
    let file = fixture.app.write("revised.md", &markdown("Alpha", "Alpha", text));
    fixture.app.command_output(&["revise", slug(&article), &file]).await;
    fixture.poll().await;
    let contains = |text: &'static str| move |page: &Page| page.text.contains(text);
    fixture.await_page(&article, "the manual revision", contains("Mended at the desk.")).await;
    fixture.settle().await;
    let sent = updates(&fixture);
    item.html.push_str("<p>Mended on the blog.</p>");
    for _ in 0..2 {
        poll(&fixture, std::slice::from_ref(&item)).await;
        assert!(fixture.page(&article).await.text.contains("Mended at the desk."));
        assert_eq!(updates(&fixture), sent);
        assert_eq!(log_lines(&fixture, "you have revised it, too").await, 1);
    }
    // The critic sees it without the log.
    let command = fixture.app.command_hint(&format!("feed accept {}", slug(&article)));
    let held = fixture.app.command_output(&["feed", "held"]).await;
    for part in
        ["change kept back", "reason: you have revised the text, too", "would change: ", "text", &command]
    {
        assert!(held.contains(part), "{part}: {held}");
    }
    assert!(fixture.app.command_output(&["review", "list"]).await.contains("change kept back"));
    let listed = fixture.app.command_output(&["review", "list", "--json"]).await;
    assert!(listed.contains("\"kept_change\":\"corrected\""), "{listed}");
    fixture.app.command_output(&["feed", "accept", slug(&article)]).await;
    assert_eq!(fixture.app.command_output(&["feed", "held"]).await.trim(), "no reviews are held");
    let listed = fixture.app.command_output(&["review", "list", "--json"]).await;
    assert!(listed.contains("\"kept_change\":null"), "{listed}");
    fixture.await_page(&article, "the text of the feed", contains("Mended on the blog.")).await;
    // From now on, the text is the feed's.
    item.html.push_str("<p>Mended on the blog again.</p>");
    poll(&fixture, std::slice::from_ref(&item)).await;
    fixture.await_page(&article, "the new text of the feed", contains("on the blog again.")).await;
}

/// The same review after its headline was mended: id and link follow the headline, and a sentence is new.
fn renamed(item: &Item) -> Item {
    let mut renamed = item.clone();
    "https://remote.test/reviews/another-address".clone_into(&mut renamed.link);
    renamed.id.clone_from(&renamed.link);
    "Movie Review: 'Alpha' Takes Its Time".clone_into(&mut renamed.title);
    renamed.html.push_str("<p>One sentence is new.</p>");
    renamed
}

async fn a_renamed_review_is_revised_and_its_old_address_redirects(database: Database) {
    let (item, other) = (Item::review("Alpha"), Item::review("Beta"));
    let fixture = fixture_with_reviews(database, &[item.clone(), other.clone()]).await;
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    let mut renamed = renamed(&item);
    // The film's year comes into the address of the page.
    renamed.html = renamed.html.replace("October 8th, 2021", "October 8th, 2022");
    poll(&fixture, &[renamed, other]).await;
    assert_eq!((fixture.remote.distinct_activities("Create").len(), updates(&fixture)), (2, 1));
    let now = fixture.article(&article).await;
    assert_eq!(id_of(&now), id_of(&article));
    assert!(now["name"].as_str().is_some_and(|name| name.contains("Takes Its Time")), "{now}");
    assert_ne!(now["url"], article["url"]);
    let old = article["url"].as_str().expect("a page");
    let redirect = fixture.network.client.get(old, HTML).await;
    assert_eq!((redirect.status, redirect.header("location")), (308, now["url"].as_str().expect("a page")));
}

async fn a_copy_of_a_review_that_is_still_in_the_feed_is_held(database: Database) {
    let item = Item::review("Alpha");
    let fixture = fixture_with_reviews(database, std::slice::from_ref(&item)).await;
    let mut copy = renamed(&item);
    "Another headline altogether".clone_into(&mut copy.title);
    copy.html = copy.html.replace("<p><strong>Alpha</strong></p>", "");
    poll(&fixture, &[copy, item]).await;
    assert_eq!((fixture.remote.distinct_activities("Create").len(), updates(&fixture)), (1, 0));
    assert_eq!(log_lines(&fixture, "similar to").await, 1);
    let held = fixture.app.command_output(&["feed", "held"]).await;
    assert!(held.contains("Another headline altogether"), "{held}");
}

#[cfg(feature = "failpoints")]
async fn a_feed_sends_no_more_in_an_interval_than_its_limit(database: Database) {
    let films = ["Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta"];
    let mut items: Vec<Item> = films.map(Item::review).to_vec();
    for (item, minutes) in items.iter_mut().zip(1..) {
        // Eta is the oldest.
        item.published = item.published.map(|moment| moment - jiff::SignedDuration::from_mins(minutes));
    }
    let more = "publish_since = \"2000-01-01\"\ninterval = \"1h\"\nmax_publish_per_poll = 3";
    let fixture = crate::end_to_end::fixture_with_feed(database, &[], more).await;
    for (hours, count) in [(0, 3), (2, 6), (4, 7), (6, 7)] {
        fixture.app.set_clock_forward(Duration::from_hours(hours));
        // It does not matter who polls, and how often.
        for _ in 0..2 {
            fixture.remote.serve_feed(&items);
            fixture.poll().await;
            let articles = fixture.articles().await;
            assert_eq!(articles.len(), count, "after {hours} hours");
            assert!(articles.iter().any(|article| is_about(article, "Eta")), "the oldest is the first");
        }
    }
    for item in &mut items {
        item.html.push_str("<p>A share line.</p>");
    }
    for (hours, count) in [(8, 3), (10, 6), (12, 7), (14, 7)] {
        fixture.app.set_clock_forward(Duration::from_hours(hours));
        for _ in 0..2 {
            fixture.remote.serve_feed(&items);
            fixture.poll().await;
            let query = "select count(*) from activities where kind = 'Update'";
            assert_eq!(fixture.app.number(query, query).await, count, "after {hours} hours");
        }
        // The feed may lose entries whose changes wait.
        items.truncate(1);
    }
    for article in fixture.articles().await {
        assert!(
            article["content"].as_str().is_some_and(|content| content.contains("A share line.")),
            "{article}"
        );
    }
}
