//! What may be another review under the id of a known one: the critic imports it as a new review, and nothing takes its place
//! before.

use serde_json::Value;

use crate::both_databases;
use crate::feed_identity::{fixture, log_lines, poll, prose, review, sent, slug};
use crate::support::activities::id_of;
use crate::support::feed::{Item, rss};
use crate::support::remote::Document;
use crate::support::{Database, Fixture};

both_databases!(
    a_kept_change_is_imported_as_a_new_review,
    an_old_kept_change_is_imported_into_the_archive,
    a_second_review_of_a_film_is_imported_with_its_own_link,
    a_kept_change_that_is_similar_to_a_third_review_does_not_replace_that,
    the_entry_after_a_kept_change_waits_for_the_decision,
    a_kept_change_that_is_imported_already_is_not_imported_again,
    a_kept_change_that_came_in_by_itself_is_forgotten,
    a_change_of_the_same_review_is_not_imported_as_a_new_one,
    a_second_review_of_a_film_does_not_replace_the_first,
);

/// Another review with the id, the link and the date of this one.
fn other_than(item: &Item, seed: u64, film: &str) -> Item {
    Item { id: item.id.clone(), link: item.link.clone(), published: item.published, ..review(seed, film) }
}

/// A review that its position alone identifies.
fn at_position(position: usize, seed: u64, film: &str) -> Item {
    Item { id: position.to_string(), link: String::new(), published: None, ..review(seed, film) }
}

/// The only article with the text of that seed.
async fn article(fixture: &Fixture, seed: u64) -> Value {
    let text = prose(seed);
    let mut found = fixture.articles().await;
    found.retain(|article| article["content"].as_str().is_some_and(|content| content.contains(&text)));
    assert_eq!(found.len(), 1, "{seed}: {found:?}");
    found.remove(0)
}

async fn held(fixture: &Fixture) -> String {
    fixture.app.command_output(&["feed", "held"]).await
}

async fn import(fixture: &Fixture, slug: &str) -> String {
    let printed = fixture.app.command_output(&["feed", "accept", slug, "--as-new"]).await;
    fixture.settle().await;
    printed
}

async fn a_kept_change_is_imported_as_a_new_review(database: Database) {
    let fixture = fixture(database, &["blog"]).await;
    let item = review(1, "Brine");
    poll(&fixture, "blog", std::slice::from_ref(&item)).await;
    let old = article(&fixture, 1).await;
    let old_slug = slug(&old);
    fixture.comment(&fixture.alice, &old, "The ferry again!").await;
    let mut other = other_than(&item, 9, "Chalk");
    poll(&fixture, "blog", std::slice::from_ref(&other)).await;
    let kept = held(&fixture).await;
    let accept = fixture.app.command_hint(&format!("feed accept {old_slug}"));
    for part in [
        "reason: it may be another review under the same id or link".to_owned(),
        "headline now: Movie Review: 'Chalk'".to_owned(),
        format!("to import it as a new review: {accept} --as-new"),
        format!("to replace this review by it: {accept}\n"),
    ] {
        assert!(kept.contains(&part), "{part}: {kept}");
    }
    assert_eq!(log_lines(&fixture, &format!("{accept} --as-new")).await, 1);
    let printed = import(&fixture, &old_slug).await;
    let new = article(&fixture, 9).await;
    let page = new["url"].as_str().expect("a page");
    assert!(printed.contains(&format!("Archived, sent to nobody: {page}")), "{printed}");
    assert_ne!((id_of(&new), &new["url"]), (id_of(&old), &old["url"]));
    assert_eq!(sent(&fixture), (1, 0));
    fixture.app.command_output(&["feed", "release", &slug(&new), "--announce"]).await;
    fixture.settle().await;
    assert_eq!(sent(&fixture), (2, 0));
    let lines = fixture.app.feed_log().await;
    assert!(
        lines.iter().any(|line| line.contains("it was kept back; imported as a new review, as you decided"))
    );
    for _ in 0..2 {
        poll(&fixture, "blog", std::slice::from_ref(&other)).await;
        assert_eq!((sent(&fixture), held(&fixture).await.trim()), ((2, 0), "no reviews are held"));
    }
    assert_eq!(fixture.app.feed_log().await, lines);
    let again = fixture.app.cli(&["feed", "accept", &old_slug, "--as-new"]).await;
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("no change"));
    // The entry is that of the new review.
    other.html.push_str("<p>A line that was added.</p>");
    other.link.push_str("-renamed");
    poll(&fixture, "blog", std::slice::from_ref(&other)).await;
    assert_eq!(sent(&fixture), (2, 1));
    assert!(fixture.article(&new).await["content"].to_string().contains("A line that was added."));
    let now = fixture.article(&old).await;
    for field in ["content", "name", "url", "updated"] {
        assert_eq!(now[field], old[field], "{field}");
    }
    assert!(fixture.page(&old).await.comment("The ferry again!").is_some());
    assert!(fixture.page(&new).await.comment("The ferry again!").is_none());
}

async fn an_old_kept_change_is_imported_into_the_archive(database: Database) {
    let fixture = fixture(database, &["dated", "undated"]).await;
    for (feed, date, seed, films) in [
        ("dated", "1999-01-01T10:00:00Z".parse().ok(), 10, ["Brine", "Chalk"]),
        ("undated", None, 20, ["Dust", "Elm"]),
    ] {
        let item = Item { published: date, ..review(seed, films[0]) };
        poll(&fixture, feed, std::slice::from_ref(&item)).await;
        let old = article(&fixture, seed).await;
        let other = other_than(&item, seed + 1, films[1]);
        poll(&fixture, feed, std::slice::from_ref(&other)).await;
        let printed = import(&fixture, &slug(&old)).await;
        let new = article(&fixture, seed + 1).await;
        let announce = fixture.app.command_hint(&format!("feed release {} --announce", slug(&new)));
        assert!(printed.contains("Archived, sent to nobody: ") && printed.contains(&announce), "{printed}");
        poll(&fixture, feed, std::slice::from_ref(&other)).await;
        assert_eq!((sent(&fixture), held(&fixture).await.trim()), ((0, 0), "no reviews are held"), "{feed}");
        assert_eq!(id_of(&article(&fixture, seed).await), id_of(&old));
    }
    let new = article(&fixture, 11).await;
    fixture.app.command_output(&["feed", "release", &slug(&new), "--announce"]).await;
    fixture.settle().await;
    assert_eq!(sent(&fixture), (1, 0));
}

async fn a_second_review_of_a_film_is_imported_with_its_own_link(database: Database) {
    let fixture = fixture(database, &["blog"]).await;
    let item = review(1, "Brine");
    poll(&fixture, "blog", std::slice::from_ref(&item)).await;
    let old = article(&fixture, 1).await;
    // The headline is the same, and the id is used again.
    let mut second = Item { id: item.id.clone(), ..review(9, "Brine") };
    second.link.push_str("-again");
    poll(&fixture, "blog", std::slice::from_ref(&second)).await;
    let kept = held(&fixture).await;
    assert!(kept.contains("it may be another review"), "{kept}");
    // The critic has said that it is not the first one: it is not held for its likeness to that.
    let printed = import(&fixture, &slug(&old)).await;
    assert!(printed.starts_with("Archived, sent to nobody: "), "{printed}");
    let new = article(&fixture, 9).await;
    poll(&fixture, "blog", std::slice::from_ref(&second)).await;
    assert_eq!((sent(&fixture), held(&fixture).await.trim()), ((1, 0), "no reviews are held"));
    // Its link alone identifies it, too, and that of the first review is still the first one's.
    let mut first = item;
    for item in [&mut first, &mut second] {
        item.id.push_str("-renamed");
        item.html.push_str("<p>A line that was added.</p>");
    }
    second.id.push_str("-again");
    poll(&fixture, "blog", &[second, first]).await;
    assert_eq!(sent(&fixture), (1, 1), "{:?}", fixture.app.feed_log().await);
    for article in [&old, &new] {
        assert!(fixture.article(article).await["content"].to_string().contains("A line that was added."));
    }
}

async fn a_kept_change_that_is_similar_to_a_third_review_does_not_replace_that(database: Database) {
    let fixture = fixture(database, &["blog"]).await;
    let (first, third) = (review(1, "Brine"), review(5, "Chalk"));
    poll(&fixture, "blog", &[first.clone(), third.clone()]).await;
    // Nine tenths of the text of the third one, under the id of the first one.
    let mut other = other_than(&first, 5, "Chalk");
    other.html =
        other.html.replace("</p>", " And a few other words that the third review does not have at all.</p>");
    poll(&fixture, "blog", &[other.clone(), third]).await;
    let old = slug(&article(&fixture, 1).await);
    assert!(held(&fixture).await.contains("it may be another review"));
    import(&fixture, &old).await;
    assert_eq!(fixture.articles().await.len(), 3, "{:?}", fixture.app.feed_log().await);
    assert_eq!(sent(&fixture), (2, 0));
}

async fn the_entry_after_a_kept_change_waits_for_the_decision(database: Database) {
    let fixture = fixture(database, &["blog"]).await;
    let serve = async |item: &Item| {
        let document = Document::new("application/rss+xml", rss(std::slice::from_ref(item)));
        let version = format!("\"{}\"", item.html.len());
        fixture.remote.serve("/blog.xml", document.with_header("etag", &version));
        fixture.app.poll("blog").await;
        fixture.settle().await;
    };
    let versions = async || {
        let query = "select count(*) from feeds where etag is not null";
        fixture.app.number(query, query).await
    };
    let waits = "it has the id or link of another entry that waits for your decision";
    serve(&at_position(1, 1, "Ash")).await;
    let first = slug(&article(&fixture, 1).await);
    let mut second = at_position(1, 2, "Brine");
    serve(&second).await;
    assert_eq!(versions().await, 1);
    let third = at_position(1, 3, "Chalk");
    for _ in 0..2 {
        serve(&third).await;
        let kept = held(&fixture).await;
        assert!(kept.contains("'Brine'") && !kept.contains("'Chalk'"), "{kept}");
        assert_eq!((log_lines(&fixture, waits).await, versions().await), (1, 0));
    }
    // A new version of the one that waits takes its place.
    second.html.push_str("<p>A line that was added.</p>");
    serve(&second).await;
    serve(&third).await;
    import(&fixture, &first).await;
    let second = article(&fixture, 2).await;
    assert!(second["content"].to_string().contains("A line that was added."), "{second}");
    // The third one is read again, although the feed has not changed since.
    serve(&third).await;
    let kept = held(&fixture).await;
    assert!(kept.contains("headline now: Movie Review: 'Chalk'"), "{kept}");
    assert_eq!((log_lines(&fixture, waits).await, versions().await), (1, 1));
    import(&fixture, &slug(&second)).await;
    for seed in 1..=3 {
        article(&fixture, seed).await;
    }
    assert_eq!((sent(&fixture), held(&fixture).await.trim()), ((0, 0), "no reviews are held"));
}

async fn a_kept_change_that_is_imported_already_is_not_imported_again(database: Database) {
    let fixture = fixture(database, &["blog", "other"]).await;
    poll(&fixture, "blog", &[at_position(1, 1, "Ash")]).await;
    let kept = at_position(1, 2, "Brine");
    poll(&fixture, "blog", std::slice::from_ref(&kept)).await;
    poll(&fixture, "other", &[at_position(7, 2, "Brine")]).await;
    let printed = import(&fixture, &slug(&article(&fixture, 1).await)).await;
    let page = article(&fixture, 2).await["url"].as_str().expect("a page").to_owned();
    assert!(printed.contains(&format!("Already imported: {page}")), "{printed}");
    let lines = fixture.app.feed_log().await;
    poll(&fixture, "blog", &[kept]).await;
    assert_eq!(fixture.app.feed_log().await, lines);
    assert_eq!((sent(&fixture), held(&fixture).await.trim()), ((0, 0), "no reviews are held"));
    assert_eq!(fixture.articles().await.len(), 2);
}

async fn a_kept_change_that_came_in_by_itself_is_forgotten(database: Database) {
    let fixture = fixture(database, &["blog"]).await;
    let item = review(1, "Brine");
    poll(&fixture, "blog", std::slice::from_ref(&item)).await;
    let kept = other_than(&item, 9, "Chalk");
    poll(&fixture, "blog", std::slice::from_ref(&kept)).await;
    assert!(held(&fixture).await.contains("--as-new"));
    // Two entries with one id: it identifies neither.
    let next = other_than(&item, 12, "Dust");
    poll(&fixture, "blog", &[next, kept]).await;
    assert_eq!(fixture.articles().await.len(), 3);
    assert_eq!((sent(&fixture), held(&fixture).await.trim()), ((3, 0), "no reviews are held"));
    article(&fixture, 1).await;
}

async fn a_change_of_the_same_review_is_not_imported_as_a_new_one(database: Database) {
    let fixture = fixture(database, &["blog"]).await;
    let mut item = review(1, "Brine");
    poll(&fixture, "blog", std::slice::from_ref(&item)).await;
    let slug = slug(&article(&fixture, 1).await);
    item.html = item.html.chars().take(120).collect();
    poll(&fixture, "blog", std::slice::from_ref(&item)).await;
    assert!(held(&fixture).await.contains(&slug));
    let refused = fixture.app.cli(&["feed", "accept", &slug, "--as-new"]).await;
    let message = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && message.contains("a change of the same review"), "{message}");
    assert_eq!((sent(&fixture), fixture.articles().await.len()), ((1, 0), 1));
}

async fn a_second_review_of_a_film_does_not_replace_the_first(database: Database) {
    let fixture = fixture(database, &["blog"]).await;
    let item = review(1, "Brine");
    poll(&fixture, "blog", std::slice::from_ref(&item)).await;
    for day in [10, 20] {
        let other = Item { id: item.id.clone(), link: item.link.clone(), ..review(day, "Brine") };
        poll(&fixture, "blog", &[other]).await;
        article(&fixture, 1).await;
    }
    assert!(held(&fixture).await.contains("it may be another review"));
    assert_eq!(sent(&fixture), (1, 0));
}
