//! Replies without words: pictures, videos and sounds, and quotes. None leaves a blank box.

use serde_json::{Value, json};

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::page::Page;
use crate::support::{Database, Fixture};

both_databases!(
    a_picture_without_words_shows_its_description,
    a_reply_without_words_or_description_is_a_link_in_the_language_of_the_site,
    a_description_that_is_added_later_appears,
    f2_descriptions_and_urls_of_attachments_are_harmless,
);

const CAT: &str = "https://img.example/cat.png";

/// A reply with this HTML and these attachments.
fn reply(fixture: &Fixture, article: &Value, html: &str, attachments: Value) -> Value {
    let mut note = fixture.alice.reply(id_of(article), html);
    note["attachment"] = attachments;
    note
}

async fn deliver(fixture: &Fixture, note: &Value) {
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(note)).await;
}

/// Whether the page links to this address.
fn has_link(page: &Page, href: &str) -> bool {
    page.attribute("href").any(|known| known == href)
}

async fn a_picture_without_words_shows_its_description(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let image =
        json!([{"type": "Document", "mediaType": "image/png", "url": CAT, "name": "A cat before a screen"}]);
    deliver(&fixture, &reply(&fixture, &article, "", image)).await;
    let mention = format!(
        "<p><span class=\"h-card\"><a href=\"{}\" class=\"u-url mention\">@<span>critic</span></a></span></p>",
        fixture.actor()
    );
    let dog = "https://img.example/dog.mp4";
    let video = json!([
        {"type": "Document", "mediaType": "video/mp4", "url": dog, "name": "A dog reads"},
        {"type": "Document", "mediaType": "image/png", "url": CAT, "name": "A cat looks on"},
    ]);
    deliver(&fixture, &reply(&fixture, &article, &mention, video)).await;
    let worded = json!([{"type": "Image", "url": CAT, "name": "Not shown"}]);
    deliver(&fixture, &reply(&fixture, &article, "<p>Just so.</p>", worded)).await;
    let page = fixture.await_page(&article, "the replies", |page| page.comments.len() == 3).await;
    for text in ["A cat before a screen", "A dog reads", "A cat looks on", "Just so."] {
        assert!(page.comment(text).is_some(), "{text}: {}", page.text);
    }
    assert!(has_link(&page, CAT) && has_link(&page, dog));
    assert!(!page.text.contains("Not shown"), "{}", page.text);
    let listed = fixture.app.command_output(&["comment", "list"]).await;
    assert!(listed.contains("A cat before a screen") && listed.contains("A dog reads"), "{listed}");
}

async fn a_reply_without_words_or_description_is_a_link_in_the_language_of_the_site(database: Database) {
    let fixture = Fixture::with(database, |_, settings| settings.set("site", "language", "\"de\"")).await;
    let article = fixture.publish("The Night Ferry").await;
    let file = |media_type: &str, name: Value| json!([{"type": "Document", "mediaType": media_type, "url": CAT, "name": name}]);
    for (attachments, german, english) in [
        (file("image/png", Value::Null), "ein Bild", "a picture"),
        (file("video/mp4", json!("VID_2026.mp4")), "ein Video", "a video"),
        (file("audio/ogg", json!("")), "eine Tonaufnahme", "a sound"),
        (json!([]), "ein Beitrag", "a post"),
    ] {
        deliver(&fixture, &reply(&fixture, &article, "<p> </p>", attachments)).await;
        let page = fixture.await_page(&article, german, |page| page.comment(german).is_some()).await;
        assert!(page.comment(english).is_none(), "{}", page.text);
        let listed = fixture.app.command_output(&["comment", "list"]).await;
        assert!(listed.contains(english), "{listed}");
    }
}

async fn a_description_that_is_added_later_appears(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let mut note = reply(&fixture, &article, "", json!([{"type": "Image", "url": CAT}]));
    deliver(&fixture, &note).await;
    fixture.await_page(&article, "the picture", |page| page.comment("a picture").is_some()).await;
    note["attachment"][0]["name"] = json!("A cat, described");
    let edit = fixture.alice.edit(&note, "", 60);
    fixture.alice.deliver(fixture.inbox(), &edit).await;
    let page =
        fixture.await_page(&article, "the edit", |page| page.comment("A cat, described").is_some()).await;
    assert!(page.comment("a picture").is_none(), "{}", page.text);
}

async fn f2_descriptions_and_urls_of_attachments_are_harmless(database: Database) {
    let fixture =
        Fixture::with(database, |_, settings| settings.set("budgets", "comment_bytes_shown", "100000")).await;
    let article = fixture.publish("The Night Ferry").await;
    let many: Vec<_> = (0..60)
        .map(|n| json!({"type": "Image", "url": format!("{CAT}?{n}"), "name": format!("Cat {n} {}", "x".repeat(4_000))}))
        .collect();
    deliver(&fixture, &reply(&fixture, &article, "", json!(many))).await;
    for url in ["javascript:alert(1)", "data:text/html,x", "/desk/reviews", "http://u:p@img.example/"] {
        let image =
            json!([{"type": "Image", "url": url, "name": format!("<script>alert(1)</script> {url}")}]);
        deliver(&fixture, &reply(&fixture, &article, "", image)).await;
    }
    let page = fixture.await_page(&article, "the replies", |page| page.comments.len() == 5).await;
    assert!(
        has_link(&page, &format!("{CAT}?19")) && !has_link(&page, &format!("{CAT}?20")),
        "at most twenty"
    );
    assert!(page.text.len() < 60_000, "descriptions are short: {}", page.text.len());
    assert!(page.text.contains("<script>alert(1)</script>"), "{}", page.text);
    let is_harmful =
        |href: &str| href.starts_with("javascript:") || href.starts_with("data:") || href.contains("u:p@");
    assert!(!page.attribute("href").any(is_harmful));
}
