//! `marquee review`: the critic lists reviews, shows and edits them as Markdown, and holds scheduled ones.

use serde_json::Value;

use crate::both_databases;
use crate::end_to_end::{fixture_with_feed, is_about};
use crate::support::db_control::DbControl;
use crate::support::feed::{Item, markdown};
use crate::support::{Database, Fixture, now};

both_databases!(
    a_review_that_is_shown_and_revised_does_not_change,
    a_typo_is_mended_in_what_is_shown,
    a_poster_that_was_never_copied_is_not_shown_and_stays,
    a_command_whose_output_is_closed_ends_quietly,
    reviews_are_listed_in_all_states_with_what_is_missing,
    a_scheduled_review_can_be_held_before_its_time,
);
#[cfg(feature = "failpoints")]
both_databases!(a_review_can_be_edited_in_an_editor);

/// A body with everything that critics write, and some of what editors leave behind.
const RICH: &str = "<h3>One</h3>\n<p>It's *not* a <em>dream</em>, <strong>[really]</strong>:\nsee <a href=\"https://example.org/a_(b)?x=1&amp;y=2\">\
    here</a>.<br>Next &lt;line&gt; &amp; so on<sup><a href=\"#n1\" id=\"r1\">1</a></sup>.</p><h4>Two</h4>\
    <ul><li>First</li><li>Second <code>a*b</code></li></ul><ol start=\"3\"><li>Three</li></ol>\
    <blockquote><p>Quoted.</p><p>Twice.</p></blockquote><p>1. No list</p><p># No heading</p><p>- no list</p>\
    <pre>a\n\n  b</pre><table><tr><th>A</th></tr><tr><td>1</td></tr></table>\
    <details><summary>The end</summary><p>All <del>die</del> live.</p></details>\
    <p>Trailing&nbsp;space <i>here </i>and\n\nthere.</p><hr><div id=\"n1\"><p>A note. <a href=\"#r1\">back</a></p></div>";

fn rich_item(film: &str) -> Item {
    let mut item = Item::review(film);
    item.html.push_str(RICH);
    item
}

/// The last part of the page's URL.
fn slug_of(article: &Value) -> &str {
    article["url"].as_str().and_then(|url| url.rsplit('/').next()).expect("a page")
}

async fn fixture_with_review(database: Database) -> (Fixture, Value) {
    let fixture = fixture_with_feed(database, &[rich_item("Alpha")], "publish_since = \"2000-01-01\"").await;
    fixture.follow(&fixture.alice).await;
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    (fixture, article)
}

async fn assert_no_update(fixture: &Fixture) {
    fixture.settle().await;
    assert!(fixture.remote.distinct_activities("Update").is_empty());
}

async fn a_review_that_is_shown_and_revised_does_not_change(database: Database) {
    let (fixture, article) = fixture_with_review(database).await;
    let by_hand = fixture.publish("The Night Ferry").await;
    for article in [&article, &by_hand] {
        let slug = slug_of(article);
        let shown = fixture.app.command_output(&["review", "show", slug]).await;
        let output = fixture.app.cli_with_input(&["revise", slug, "-"], &shown).await;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(printed.starts_with("Nothing changed: "), "{printed}{output:?}\n{shown}");
        let after = fixture.article(article).await;
        for key in ["url", "name", "content", "published", "updated", "tag"] {
            assert_eq!(after[key], article[key], "{key}");
        }
    }
    assert_no_update(&fixture).await;
    let shown = fixture.app.command_output(&["review", "show", slug_of(&article)]).await;
    for line in [
        "canonical_url: https://remote.test/reviews/alpha",
        "directors: [Ada Lindqvist]",
        "starring: [Cleo Marsh, Dov Adler]",
        "release_date: 2021-10-08",
        "## One",
        "### Two",
        "- First",
        "> Quoted.",
        "\\# No heading",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
}

async fn a_typo_is_mended_in_what_is_shown(database: Database) {
    let (fixture, article) = fixture_with_review(database).await;
    let shown = fixture.app.command_output(&["review", "show", slug_of(&article)]).await;
    let mended = shown.replace("Quoted.", "Quoted rightly.");
    let output = fixture.app.cli_with_input(&["revise", slug_of(&article), "-"], &mended).await;
    assert!(output.status.success(), "{output:?}");
    let update = fixture.remote.await_activity("the Update", |a| a["type"] == "Update").await;
    let (before, after) = (&article["content"], &update["object"]["content"]);
    let expected = before.as_str().map(|text| text.replace("Quoted.", "Quoted rightly."));
    assert_eq!(after.as_str(), expected.as_deref());
    assert_eq!(update["object"]["url"], article["url"]);
    fixture.poll().await;
    let again = fixture.article(&article).await;
    assert!(again["content"].as_str().is_some_and(|text| text.contains("Quoted rightly.")), "it stays");
}

async fn reviews_are_listed_in_all_states_with_what_is_missing(database: Database) {
    let mut later = Item::review("Omega");
    later.published = Some(now() + jiff::SignedDuration::from_hours(48));
    let items = [Item::review("Alpha"), Item::old_review("Beta"), later];
    let fixture = fixture_with_feed(database, &items, "").await;
    fixture.publish("The Night Ferry").await;
    let listed = async |args: &[&str]| {
        let args: Vec<&str> = ["review", "list"].iter().chain(args).copied().collect();
        fixture.app.command_output(&args).await
    };
    let all = listed(&[]).await;
    for part in [
        "alpha-2021",
        "beta-2021  feed",
        "archive",
        "scheduled",
        "omega-2021",
        "the-night-ferry-2021",
        "★★★★",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    let scheduled = listed(&["--state", "scheduled"]).await;
    assert!(scheduled.contains("omega-2021") && !scheduled.contains("alpha-2021"), "{scheduled}");
    let of_feed: Value =
        serde_json::from_str(&listed(&["--json", "--feed", crate::support::feed::NAME]).await).expect("JSON");
    assert_eq!(of_feed.as_array().map(Vec::len), Some(3), "{of_feed}");
    let omega = of_feed
        .as_array()
        .and_then(|all| all.iter().find(|one| one["film"] == "Omega"))
        .expect("it is listed");
    assert_eq!((&omega["state"], &omega["year"]), (&"scheduled".into(), &2021.into()));
    assert_eq!(omega["missing"], serde_json::json!(["poster", "tags"]));
    assert_eq!(listed(&["--missing", "film"]).await.trim(), "no reviews");
    let untagged = listed(&["--missing", "tags", "--critic", "critic"]).await;
    assert!(untagged.contains("alpha-2021") && !untagged.contains("the-night-ferry"), "{untagged}");
    assert_eq!(listed(&["--lines", "1"]).await.lines().count(), 2);
    assert!(!fixture.app.cli(&["review", "list", "--feed", "none"]).await.status.success());
}

async fn a_scheduled_review_can_be_held_before_its_time(database: Database) {
    let fixture = Fixture::new(database).await;
    let at = now() + jiff::SignedDuration::from_hours(48);
    let text = markdown("The Night Ferry", "The Night Ferry", "It leaves later.");
    let file = fixture.app.write("later.md", &text.replacen("---\n", &format!("---\npublished: {at}\n"), 1));
    fixture.app.command_output(&["publish", &file]).await;
    let slug = "the-night-ferry-2021";
    let printed = fixture.app.command_output(&["review", "unschedule", slug]).await;
    assert!(printed.starts_with("Held: "), "{printed}");
    let listed = fixture.app.command_output(&["review", "list", "--state", "held"]).await;
    assert!(listed.contains(slug), "{listed}");
    let held = fixture.app.command_output(&["feed", "held"]).await;
    let command = fixture.app.command_hint(&format!("feed release {slug}"));
    assert!(printed.contains(&format!("(`{command}` publishes it)")), "{printed}");
    let release = format!("to publish it: {command}");
    assert!(held.contains("waits until you release it") && held.contains(&release), "{held}");
    let again = fixture.app.cli(&["review", "unschedule", slug]).await;
    assert!(String::from_utf8_lossy(&again.stderr).contains("the review is not scheduled"));
    fixture.app.command_output(&["feed", "release", slug]).await;
    let listed = fixture.app.command_output(&["review", "list", "--state", "published"]).await;
    let planned = at.to_string();
    assert!(listed.contains(slug) && !listed.contains(&planned[..10]), "released, it is of today: {listed}");
    fixture.app.command_output(&["retract", slug]).await;
    let retracted = fixture.app.cli(&["review", "unschedule", slug]).await;
    assert!(!retracted.status.success(), "retracting is final");
}

async fn a_poster_that_was_never_copied_is_not_shown_and_stays(database: Database) {
    let (fixture, article) = fixture_with_review(database).await;
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute("update reviews set poster_url = 'file:///srv/feed/poster.jpg', poster_alt = 'A ferry', poster_media = null")
        .await;
    let slug = slug_of(&article);
    let shown = fixture.app.command_output(&["review", "show", slug]).await;
    assert!(!shown.contains("file:") && !shown.contains("poster"), "{shown}");
    let output = fixture.app.cli_with_input(&["revise", slug, "-"], &shown).await;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.starts_with("Nothing changed: "), "{printed}{output:?}");
    let typo = shown.replacen("Earns", "Deserves", 1);
    let output = fixture.app.cli_with_input(&["revise", slug, "-"], &typo).await;
    assert!(output.status.success(), "{output:?}");
    let kept = "select count(*) from reviews where poster_url like 'file:%'";
    assert_eq!(fixture.app.number(kept, kept).await, 1);
}

async fn a_command_whose_output_is_closed_ends_quietly(database: Database) {
    let (fixture, _) = fixture_with_review(database).await;
    for command in [
        &["review", "list"][..],
        &["feed", "log"],
        &["feed", "held"],
        &["comment", "list"],
        &["report", "list"],
        &["quote", "list"],
        &["block", "list"],
        &["host", "list"],
        &["insights"],
        &["health"],
    ] {
        let output = fixture.app.cli_unread(command).await;
        assert!(output.status.success() && output.stderr.is_empty(), "{command:?}: {output:?}");
    }
}

#[cfg(feature = "failpoints")]
async fn a_review_can_be_edited_in_an_editor(database: Database) {
    let mut fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let slug = slug_of(&article);
    let folder = fixture.app.folder().path().join("editing");
    std::fs::create_dir(&folder).expect("a folder");
    fixture.app.set_env("TMPDIR", folder.to_str().expect("UTF-8"));
    fixture.app.set_env("VISUAL", " ");
    fixture.app.set_env("EDITOR", " ");
    let failed = fixture.app.cli(&["review", "edit", slug]).await;
    let stderr = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!failed.status.success() && stderr.contains("no editor is set"), "{stderr}");
    assert!(stderr.contains(&fixture.app.command_hint(&format!("revise {slug} review.md"))), "{stderr}");
    fixture.app.set_env("EDITOR", "false");
    let failed = fixture.app.cli(&["review", "edit", slug]).await;
    let stderr = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert_eq!(stderr.trim(), "marquee: nothing was changed: the editor \"false\" failed");
    let is_empty = || std::fs::read_dir(&folder).expect("the folder").next().is_none();
    assert!(is_empty(), "no copy is left");
    fixture.app.set_env("VISUAL", "true");
    let printed = fixture.app.command_output(&["review", "edit", slug]).await;
    assert!(printed.starts_with("Nothing changed: "), "{printed}");
    fixture.app.set_env("VISUAL", "sed -i 's/^title: .*/title: A Better Name/'");
    let printed = fixture.app.command_output(&["review", "edit", slug]).await;
    assert!(printed.starts_with("Revised: "), "{printed}");
    assert_eq!(fixture.article(&article).await["name"], "A Better Name");
    assert!(is_empty(), "no copy is left");
    fixture.app.set_env("VISUAL", "sed -i 's/^rating: .*/rating: 4/'");
    let failed = fixture.app.cli(&["review", "edit", slug]).await;
    let stderr = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!failed.status.success() && stderr.contains("out of how many?"), "{stderr}");
    let path = stderr
        .split("your text is kept in ")
        .nth(1)
        .and_then(|rest| rest.split(": ").next())
        .expect("a path");
    assert!(std::fs::read_to_string(path).is_ok_and(|text| text.contains("rating: 4")), "{path}");
    std::fs::remove_file(path).expect("the file");
}
