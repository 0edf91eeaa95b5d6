//! Publishing, revising and retracting from the command line, next to a running server.

use serde_json::Value;

use crate::both_databases;
use crate::end_to_end::is_about;
use crate::support::activities::id_of;
use crate::support::feed::markdown;
use crate::support::fixture::THE_FERRY;
use crate::support::http::{AS2, HTML};
use crate::support::{Database, Fixture, eventually};

both_databases!(
    a_manually_published_review_is_delivered,
    a_revision_is_delivered_with_the_same_id,
    an_old_url_redirects_to_the_new_one,
    publishing_again_after_an_interruption_does_not_publish_twice,
    a_retracted_review_stays_retracted,
    a_retracted_review_cannot_be_revised,
    a_file_that_is_not_a_review_changes_nothing,
    a_draft_is_never_published,
    values_are_read_as_people_mean_them_or_refused,
);

/// The last part of the page's URL.
fn slug_of(article: &Value) -> &str {
    let url = article["url"].as_str().expect("a page");
    url.rsplit('/').next().expect("a slug")
}

async fn revise(fixture: &Fixture, article: &Value, title: &str, body: &str) -> Value {
    let file = fixture.app.write("revised.md", &markdown(title, "The Night Ferry", body));
    fixture.app.command_output(&["revise", slug_of(article), &file]).await;
    let is_match = |a: &Value| a["type"] == "Update" && a["object"]["id"] == article["id"];
    fixture.remote.await_activity("the Update", is_match).await
}

async fn a_manually_published_review_is_delivered(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    let article = fixture.publish("The Night Ferry").await;
    let create = fixture.remote.await_activity("the Create", |a| a["type"] == "Create").await;
    assert_eq!(create["object"]["id"], article["id"]);
    assert_eq!(create["actor"], fixture.actor());
    let home = fixture.app.get_page("/").await;
    assert!(home.body.contains("The Night Ferry"), "the front page lists it");
    let fetched = fixture.network.client.document(id_of(&create)).await;
    assert_eq!(fetched["type"], "Create", "the activity can be fetched");
}

async fn a_revision_is_delivered_with_the_same_id(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.remote.await_activity("the Create", |a| a["type"] == "Create").await;
    let update = revise(&fixture, &article, "The Night Ferry", "Seen again, by daylight.").await;
    assert_eq!(update["object"]["published"], article["published"]);
    let moments = (update["object"]["updated"].as_str(), article["published"].as_str());
    assert!(moments.0 > moments.1, "`updated` is newer: {moments:?}");
    assert!(update["object"]["content"].as_str().is_some_and(|c| c.contains("by daylight")));
    fixture.await_page(&article, "the revision", |page| page.text.contains("by daylight")).await;
    let first = update["object"]["updated"].clone();
    let file = fixture.app.write("again.md", &markdown("The Night Ferry", "The Night Ferry", "And again."));
    fixture.app.command_output(&["revise", slug_of(&article), &file]).await;
    let is_second = |a: &Value| a["type"] == "Update" && a["object"]["updated"] != first;
    let second = fixture.remote.await_activity("the second Update", is_second).await;
    assert!(second["object"]["updated"].as_str() > first.as_str(), "each edit is newer than the last");
    let old = fixture.network.client.document(id_of(&update)).await;
    let content = old["object"]["content"].as_str().expect("content");
    assert!(
        content.contains("And again.") && !content.contains("by daylight"),
        "replaced text is not served: {content}"
    );
    assert_eq!((&old["id"], &old["type"]), (&update["id"], &"Update".into()));
}

async fn an_old_url_redirects_to_the_new_one(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    let article = fixture.publish("The Night Ferry").await;
    let renamed = markdown("A Boat by Another Name", "The Day Ferry", "The same crossing.");
    let file = fixture.app.write("revised.md", &renamed);
    fixture.app.command_output(&["revise", slug_of(&article), &file]).await;
    let update = fixture.remote.await_activity("the Update", |a| a["type"] == "Update").await;
    let (old, new) =
        (article["url"].as_str().expect("a page"), update["object"]["url"].as_str().expect("a page"));
    assert_ne!(old, new);
    let response = fixture.network.client.get(old, HTML).await;
    assert!((300..400).contains(&response.status), "{old}: {}", response.status);
    assert_eq!(response.header("location"), new);
    assert_eq!(update["object"]["id"], article["id"], "the id is the same");
}

async fn publishing_again_after_an_interruption_does_not_publish_twice(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let file = fixture.app.write("again.md", &markdown("The Night Ferry", "The Night Ferry", THE_FERRY));
    let output = fixture.app.cli(&["publish", &file]).await;
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains(article["url"].as_str().expect("a page")), "{stderr}");
    assert_eq!(fixture.articles().await.len(), 1);
}

async fn a_retracted_review_stays_retracted(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.remote.await_activity("the Create", |a| a["type"] == "Create").await;
    fixture.app.command_output(&["retract", slug_of(&article)]).await;
    let delete = fixture.remote.await_activity("the Delete", |a| a["type"] == "Delete").await;
    assert_eq!(id_of(&delete["object"]), id_of(&article));
    let client = &fixture.network.client;
    let response = eventually("410 for the id", || async {
        Some(client.get(id_of(&article), AS2).await).filter(|response| response.status == 410)
    })
    .await;
    let tombstone = response.json();
    assert_eq!((&tombstone["type"], &tombstone["id"]), (&"Tombstone".into(), &article["id"]));
    assert_eq!(tombstone["formerType"], "Article");
    let page = client.get(article["url"].as_str().expect("a page"), HTML).await;
    assert_eq!(page.status, 410);
    assert!(!page.body.contains("nobody waves"), "the text is not served any more");
    assert!(!fixture.articles().await.iter().any(|listed| listed["id"] == article["id"]));
    let home = fixture.app.get_page("/").await;
    assert!(!home.body.contains("The Night Ferry"), "the front page does not list it any more");
}

async fn a_retracted_review_cannot_be_revised(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.app.command_output(&["retract", slug_of(&article)]).await;
    let file = fixture.app.write("again.md", &markdown("The Night Ferry", "The Night Ferry", "Again."));
    for args in [["revise", slug_of(&article), &file].as_slice(), &["retract", slug_of(&article)]] {
        let output = fixture.app.cli(args).await;
        assert!(!output.status.success(), "{args:?}");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.contains("retracted"), "{stderr}");
    }
}

async fn a_file_that_is_not_a_review_changes_nothing(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.publish("The Night Ferry").await;
    let broken = fixture.app.write("broken.md", "---\ntitle: [unclosed\n---\n\nText.\n");
    let missing = fixture.app.folder().file("missing.md").display().to_string();
    for file in [broken, missing] {
        let output = fixture.app.cli(&["publish", &file]).await;
        assert!(!output.status.success(), "{file}");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.contains(".md"), "the error names the file: {stderr}");
    }
    let articles = fixture.articles().await;
    assert!(articles.len() == 1 && is_about(&articles[0], "The Night Ferry"));
}

async fn values_are_read_as_people_mean_them_or_refused(database: Database) {
    let fixture = Fixture::new(database).await;
    let text = |front: &str| format!("---\ntitle: The room\n{front}\n---\n\nThree men walk to a room.\n");
    for (front, error) in [
        ("rating: -1/5", "did you mean `1/5`?"),
        ("rating: \"******\"", "6 out of how many?"),
        ("film: Stalker (1979)\nyear: 1980", "the film is of 1979 here, but of 1980 in `year`"),
        ("layout: page", "`layout: page` says that this is a page and no review"),
        ("type: page", "`type: page` says that this is a page and no review"),
        ("published: 1895-12-28", "a review cannot be of 1895"),
        ("poster: nope.png", "nope.png: there is no such file"),
    ] {
        let file = fixture.app.write("room.md", &text(front));
        let output = fixture.app.cli(&["publish", &file]).await;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && stderr.contains(error), "{front}: {stderr}");
        // What was logged before has the URL.
        let stderr = stderr.rsplit("marquee: ").next().unwrap_or_default();
        assert!(!stderr.contains("file://") && !stderr.contains("os error"), "{front}: {stderr}");
    }
    assert_eq!(fixture.articles().await.len(), 0);
    let front =
        "film: Stalker (1979)\ndirector: Andrei Tarkovsky & Nora Ek\ncast:\n  - name: Alisa Freindlich";
    let file = fixture.app.write("room.md", &text(front));
    fixture.app.command_output(&["publish", &file]).await;
    let article = fixture.await_article(|article| article["name"] == "The room").await;
    let shown = fixture.app.command_output(&["review", "show", slug_of(&article)]).await;
    for part in ["Stalker", "1979", "Andrei Tarkovsky", "Nora Ek", "Alisa Freindlich"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("Tarkovsky &") && !shown.contains("(1979)\""), "{shown}");
}

async fn a_draft_is_never_published(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let text = markdown("The Day Ferry", "The Day Ferry", "It is not ready.");
    for line in ["draft: true", "published: false", "status: unknown"] {
        let file = fixture.app.write("draft.md", &text.replacen("---\n", &format!("---\n{line}\n"), 1));
        for args in [["publish", &file].as_slice(), &["revise", slug_of(&article), &file]] {
            let output = fixture.app.cli(args).await;
            assert!(!output.status.success(), "{args:?}");
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                stderr.contains(&format!("`{line}` in line 2 says that this review is not public")),
                "{stderr}"
            );
        }
        assert!(fixture.app.cli(&["preview", &file]).await.status.success(), "a draft can be previewed");
    }
    assert_eq!(fixture.articles().await.len(), 1);
    let file = fixture.app.write("ready.md", &text.replacen("---\n", "---\ndraft: false\n", 1));
    fixture.app.command_output(&["publish", &file]).await;
    assert_eq!(fixture.articles().await.len(), 2);
}
