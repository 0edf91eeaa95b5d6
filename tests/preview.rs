//! `marquee preview` shows a review as a reader on Mastodon sees it, made from the Article that is delivered.

use crate::both_databases;
use crate::end_to_end::is_about;
use crate::steps;
use crate::support::feed::{Item, markdown};
use crate::support::{Database, Fixture};

both_databases!(previews_match_what_is_delivered, a_preview_shows_its_audience);

async fn previews_match_what_is_delivered(database: Database) {
    let fixture = Fixture::new(database).await;
    steps!(&fixture; a_file_can_be_previewed_before_it_is_published, a_preview_matches_the_article);
}

/// The lines of a preview, joined.
fn joined(preview: &str) -> String {
    let words = preview.lines().map(|line| line.trim_start_matches("  |")).flat_map(str::split_whitespace);
    words.collect::<Vec<_>>().join(" ")
}

async fn a_preview_matches_the_article(fixture: &Fixture) {
    let article = fixture.publish("The Night Ferry").await;
    let link = article["url"].as_str().expect("a page");
    let slug = link.rsplit('/').next().expect("a slug");
    for argument in [slug, link, article["id"].as_str().expect("an id")] {
        let preview = joined(&fixture.app.command_output(&["preview", argument]).await);
        let summary = article["summary"].as_str().expect("a summary");
        let parts = ["The Critic @critic@marquee.test", "THE NIGHT FERRY", summary, link, "#Ferries"];
        for part in parts {
            assert!(preview.contains(part), "{part} of {preview}");
        }
        assert!(
            preview.contains("[Preview card") && preview.contains("The Test Reel The Night Ferry"),
            "{preview}"
        );
        assert!(preview.contains("is delivered to the critic's followers"), "{preview}");
    }
    fixture.app.command_output(&["retract", slug]).await;
    let failed = fixture.app.cli(&["preview", slug]).await;
    assert!(!failed.status.success());
    assert!(String::from_utf8_lossy(&failed.stderr).contains("was retracted"));
    assert!(!fixture.app.cli(&["preview", "no-such-review"]).await.status.success());
}

async fn a_file_can_be_previewed_before_it_is_published(fixture: &Fixture) {
    let text = markdown("The Night Ferry", "The Night Ferry", "It leaves at six.");
    let text = text.replacen("---\n", "---\nposter: ferry.png\nposter_alt: A ferry by night\n", 1);
    let file = fixture.app.write("draft.md", &text);
    let before = joined(&fixture.app.command_output(&["preview", &file]).await);
    let parts =
        ["★★★★ The Night Ferry (Ada Lindqvist, 2021). It leaves at six.", "[Poster: A ferry by night]"];
    for part in parts {
        assert!(before.contains(part), "{part} of {before}");
    }
    assert!(before.contains("https://marquee.test/reviews/the-night-ferry-2021"), "{before}");
    assert!(before.contains("not published yet"), "{before}");
    let file = fixture.app.write("dots.md", "---\ntitle: \"...\"\n---\n\nIt leaves at six.\n");
    let preview = fixture.app.command_output(&["preview", &file]).await;
    let slug = preview.split("https://marquee.test/reviews/").nth(1).and_then(|rest| rest.lines().next());
    assert_eq!(slug.map(|slug| slug.trim().len()), Some(26), "the address has an id: {preview}");
    assert!(fixture.articles().await.is_empty(), "a preview publishes nothing");
}

async fn a_preview_shows_its_audience(database: Database) {
    let fixture = crate::end_to_end::fixture_with_feed(database, &[Item::old_review("Alpha")], "").await;
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    let id = article["id"].as_str().expect("an id");
    let preview = joined(&fixture.app.command_output(&["preview", id]).await);
    assert!(preview.contains("not delivered to anyone"), "{preview}");
    assert!(preview.contains("filter by language find it under en"), "{preview}");
}
