//! Content from feeds and other servers cannot run scripts or load anything (F in `docs/threats.md`).

use serde_json::json;

use crate::both_databases;
use crate::end_to_end::fixture_with_feed;
use crate::steps;
use crate::support::activities::id_of;
use crate::support::feed::Item;
use crate::support::http::HTML;
use crate::support::page::Page;
use crate::support::{Database, Fixture};

both_databases!(remote_content_is_inert, f9_scripts_in_a_feed);

async fn remote_content_is_inert(database: Database) {
    let fixture = Fixture::new(database).await;
    steps!(&fixture;
        f1_scripts_handlers_and_frames,
        f1_the_policy_of_a_page_allows_no_inline_script,
        f2_links_with_other_schemes,
        f2_urls_of_an_actor_and_a_note_with_other_schemes,
        f3_markup_in_names_summaries_and_tags,
        f4_remote_images_are_not_loaded_by_the_reader,
        f5_links_into_the_desk_or_without_a_scheme_are_dropped,
        f6_ids_classes_and_styles_stay_inside_a_comment,
        f7_bidirectional_invisible_and_stacked_characters,
        f8_a_link_shows_its_target,
    );
}

/// Elements that no comment may contain.
const FORBIDDEN_ELEMENTS: [&str; 12] = [
    "iframe", "object", "embed", "base", "applet", "frame", "form", "input", "math", "noscript", "template",
    "link",
];

/// Sends a reply with each piece of HTML, waits until all are shown, and returns the page.
async fn page_with(fixture: &Fixture, title: &str, pieces: &[&str]) -> Page {
    let article = fixture.publish(title).await;
    for (number, piece) in pieces.iter().enumerate() {
        let html = format!("<p>before{number}</p>{piece}<p>after{number}</p>");
        let note = fixture.alice.reply(id_of(&article), &html);
        fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&note)).await;
    }
    // They are processed side by side, so that the last may be shown first.
    let are_shown =
        |page: &Page| (0..pieces.len()).all(|number| page.text.contains(&format!("before{number}")));
    let page = fixture.await_page(&article, "the comments", are_shown).await;
    fixture.settle().await;
    assert_inert(&fixture.page(&article).await);
    page
}

/// Checks that nothing on the page can run or be loaded from another site.
fn assert_inert(page: &Page) {
    for (name, attributes) in &page.elements {
        let value = |key: &str| attributes.iter().find(|(k, _)| k == key).map_or("", |(_, v)| v.as_str());
        for (key, text) in attributes {
            assert!(!key.starts_with("on"), "{name} has {key}={text}");
            assert!(key != "srcdoc" && key != "formaction" && key != "ping", "{name} has {key}={text}");
            let compact: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
            let compact = compact.to_lowercase();
            for scheme in ["javascript:", "vbscript:", "data:text", "file:"] {
                assert!(!compact.starts_with(scheme), "{name} has {key}={text}");
            }
        }
        if matches!(name.as_str(), "img" | "script" | "source" | "video" | "audio" | "track" | "iframe") {
            let source = value("src");
            let is_local = source.is_empty() || (source.starts_with('/') && !source.starts_with("//"));
            assert!(is_local || source.starts_with("https://marquee.test/"), "{name} loads {source}");
        }
        if name == "script" {
            let is_data = value("type") == "application/ld+json";
            assert!(is_data || !value("src").is_empty(), "an inline script");
        }
        if name == "meta" {
            assert_ne!(value("http-equiv").to_lowercase(), "refresh");
        }
    }
}

/// The number of elements with this name on the page.
fn count(page: &Page, name: &str) -> usize {
    page.elements.iter().filter(|(known, _)| known == name).count()
}

async fn f1_scripts_handlers_and_frames(fixture: &Fixture) {
    let page = page_with(fixture, "The Night Ferry", &[
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg><script>alert(1)</script><a xlink:href=\"javascript:alert(1)\">x</a></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
        "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
        "<meta http-equiv=refresh content=\"0;url=https://evil.test/\">",
        "<base href=\"https://evil.test/\"><form action=\"https://evil.test/\"><input name=a></form>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
        "<template><script>alert(1)</script></template><object data=x></object><embed src=x>",
    ])
    .await;
    for name in FORBIDDEN_ELEMENTS.iter().filter(|name| !matches!(**name, "form" | "input" | "link")) {
        assert_eq!(count(&page, name), 0, "{name}");
    }
    assert!(!page.text.contains("alert(1)"), "{}", page.text);
}

async fn f1_the_policy_of_a_page_allows_no_inline_script(fixture: &Fixture) {
    let article = fixture.publish("The Day Ferry").await;
    for url in ["https://marquee.test/", article["url"].as_str().expect("a page")] {
        let response = fixture.network.client.get(url, HTML).await;
        let policy = response.header("content-security-policy");
        let directive = |name: &str| {
            let found = policy.split(';').map(str::trim).find(|d| d.split(' ').next() == Some(name));
            found.unwrap_or_default().to_owned()
        };
        let fallback = directive("default-src");
        let script = Some(directive("script-src")).filter(|d| !d.is_empty()).unwrap_or(fallback);
        assert!(!script.is_empty() && !script.contains("unsafe") && !script.contains('*'), "{policy}");
        assert!(!directive("base-uri").is_empty(), "{policy}");
        assert_eq!(response.header("x-content-type-options"), "nosniff");
    }
}

async fn f2_links_with_other_schemes(fixture: &Fixture) {
    let page = page_with(
        fixture,
        "Salt",
        &[
            "<a href=\"javascript:alert(1)\">one</a>",
            "<a href=\"JaVa\nScript:alert(1)\">two</a>",
            "<a href=\"&#106;avascript:alert(1)\">three</a>",
            "<a href=\"data:text/html,<script>alert(1)</script>\">four</a>",
            "<a href=\" vbscript:x\">five</a>",
        ],
    )
    .await;
    assert!(page.text.contains("three"), "the text of a link is kept");
}

async fn f2_urls_of_an_actor_and_a_note_with_other_schemes(fixture: &Fixture) {
    let article = fixture.publish("Smoke").await;
    let eve = fixture.remote.user("eve");
    let mut actor = eve.actor();
    actor["url"] = json!("javascript:alert(1)");
    eve.serve_actor(&actor);
    let mut note = eve.reply(id_of(&article), "<p>Follow me</p>");
    note["url"] = json!([{"type": "Link", "mediaType": "text/html", "href": "javascript:alert(2)"}, "data:text/html,x"]);
    note["attachment"] =
        json!([{"type": "Document", "mediaType": "image/png", "url": "javascript:alert(3)"}]);
    eve.publish(&note);
    eve.send(fixture.inbox(), &eve.create(&note)).await;
    fixture.settle().await;
    assert_inert(&fixture.page(&article).await);
}

async fn f3_markup_in_names_summaries_and_tags(fixture: &Fixture) {
    let article = fixture.publish("Harbour Lights").await;
    let eve = fixture.remote.user("evelyn");
    let mut actor = eve.actor();
    actor["name"] = json!("<script>alert(1)</script><b onclick=alert(2)>Eve</b> :blob:");
    actor["summary"] = json!("<img src=x onerror=alert(3)>");
    actor["tag"] = json!([{"type": "Emoji", "name": ":blob:\"><img src=x onerror=alert(4)>", "icon": {"type": "Image",
        "url": "https://remote.test/blob.png\" onerror=\"alert(5)"}}]);
    eve.serve_actor(&actor);
    let mut note = eve.reply(id_of(&article), "<p>Names are noise :blob:</p>");
    note["summary"] = json!("<img src=x onerror=alert(6)>Careful");
    note["sensitive"] = json!(true);
    note["tag"] =
        json!([{"type": "Hashtag", "name": "#<script>alert(7)</script>", "href": "javascript:alert(8)"}]);
    eve.publish(&note);
    eve.deliver(fixture.inbox(), &eve.create(&note)).await;
    let page =
        fixture.await_page(&article, "the comment", |page| page.text.contains("Names are noise")).await;
    assert_inert(&page);
}

async fn f4_remote_images_are_not_loaded_by_the_reader(fixture: &Fixture) {
    let page = page_with(
        fixture,
        "Low Water",
        &[
            "<img src=\"https://remote.test/pixel.gif\" srcset=\"https://remote.test/pixel.gif 2x\">",
            "<video poster=\"https://remote.test/p.jpg\"><source src=\"https://remote.test/v.mp4\"></video>",
            "<p style=\"background:url(https://remote.test/bg.png)\">styled</p>",
            "<table background=\"https://remote.test/bg.png\"><tr><td>cell</td></tr></table>",
        ],
    )
    .await;
    for key in ["srcset", "poster", "background"] {
        let foreign: Vec<_> = page.attribute(key).filter(|v| v.contains("remote.test")).collect();
        assert!(foreign.is_empty(), "{key}: {foreign:?}");
    }
    assert!(!page.attribute("style").any(|style| style.contains("url(")));
}

async fn f5_links_into_the_desk_or_without_a_scheme_are_dropped(fixture: &Fixture) {
    let page = page_with(
        fixture,
        "The Pilot",
        &[
            "<a href=\"/desk/comments/1/delete\">one</a>",
            "<a href=\"//evil.test/\">two</a>",
            "<a href=\"https://marquee.test/desk/\">three</a>",
            "<a href=\"../../desk/\">four</a>",
        ],
    )
    .await;
    for link in page.attribute("href") {
        assert!(!link.starts_with("//") && !link.contains("evil.test") && !link.contains("/desk/"), "{link}");
    }
}

async fn f6_ids_classes_and_styles_stay_inside_a_comment(fixture: &Fixture) {
    let page = page_with(
        fixture,
        "Seven Buoys",
        &[
            "<p id=\"main\" name=\"body\" class=\"overlay\">clobbered</p>",
            "<a id=\"comment-01J0000000000000000000000\" href=\"https://remote.test/\">false anchor</a>",
            "<div style=\"position:fixed;inset:0;z-index:9999\">overlay</div>",
            "<style>body{display:none}</style>",
        ],
    )
    .await;
    assert!(!page.attribute("style").any(|style| style.contains("fixed")));
    assert!(!page.attribute("class").any(|class| class.contains("overlay")));
    assert!(!page.attribute("id").any(|id| id == "comment-01J0000000000000000000000"));
    let mut ids: Vec<&str> = page.attribute("id").collect();
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "ids are unique");
    assert!(!page.text.contains("display:none"));
}

async fn f7_bidirectional_invisible_and_stacked_characters(fixture: &Fixture) {
    let article = fixture.publish("Fog Horn").await;
    let eve = fixture.remote.user("evita");
    let mut actor = eve.actor();
    let marks = "\u{301}".repeat(1000);
    actor["name"] = json!(format!("\u{202e}evE\u{200b}\u{2066} {marks}"));
    eve.serve_actor(&actor);
    let text = format!("Turn \u{202e}around\u{200b} a{marks}");
    let note = eve.reply(id_of(&article), &format!("<p>{text}</p>"));
    eve.deliver(fixture.inbox(), &eve.create(&note)).await;
    let page = fixture.await_page(&article, "the comment", |page| page.text.contains("Turn")).await;
    let comment = page.comment("Turn").expect("just seen");
    let marks = comment.text.chars().filter(|c| *c == '\u{301}').count();
    assert!(marks < 100, "{marks} marks");
    let is_isolated = !page.text.contains("\u{202e}evE");
    assert!(is_isolated, "a name does not change the direction of other text");
}

async fn f8_a_link_shows_its_target(fixture: &Fixture) {
    let page = page_with(
        fixture,
        "The Last Tram",
        &["<a href=\"https://evil.test/login\">https://bank.test/login</a>"],
    )
    .await;
    let has_link = page.elements.iter().any(|(name, attributes)| {
        name == "a"
            && attributes.iter().any(|(key, value)| key == "href" && value == "https://evil.test/login")
    });
    let is_visible = page.text.contains("evil.test") || !has_link;
    assert!(is_visible, "the target of the link is not visible: {}", page.text);
    let rels = page.elements.iter().filter(|(name, attributes)| {
        name == "a" && attributes.iter().any(|(key, value)| key == "href" && value.contains("evil.test"))
    });
    for (_, attributes) in rels {
        let rel = attributes.iter().find(|(key, _)| key == "rel").map_or("", |(_, value)| value.as_str());
        assert!(rel.contains("nofollow") && rel.contains("noopener"), "{attributes:?}");
    }
}

async fn f9_scripts_in_a_feed(database: Database) {
    let mut item = Item::review("The Night Ferry");
    "Movie Review: 'The Night Ferry' <script>alert(1)</script>".clone_into(&mut item.title);
    item.html.push_str("<script>alert(2)</script><img src=\"https://127.0.0.2/x.png\" onerror=alert(3)>");
    item.html.push_str("<p onclick=alert(4)>click</p><iframe src=\"https://evil.test/\"></iframe>");
    let fixture = fixture_with_feed(database, &[item], "publish_since = \"2020-01-01\"").await;
    let article =
        fixture.await_article(|article| crate::end_to_end::is_about(article, "The Night Ferry")).await;
    assert_inert(&fixture.page(&article).await);
    let home = fixture.app.get_page("/").await;
    assert_inert(&Page::parse(&home.body));
    let content = article["content"].as_str().expect("content");
    assert!(
        !content.contains("script") && !content.contains("onclick") && !content.contains("iframe"),
        "{content}"
    );
    let name = article["name"].as_str().expect("a name");
    assert!(!name.contains("<script"), "a name is plain text: {name}");
}

#[tokio::test]
async fn f10_a_script_end_tag_in_structured_data() {
    let mut item = Item::review("The Night Ferry");
    item.title = "Movie Review: '</script><script>alert(1)</script>' and <!-- more".to_owned();
    let fixture = fixture_with_feed(Database::Sqlite, &[item], "publish_since = \"2020-01-01\"").await;
    let article = fixture.await_article(|_| true).await;
    let response = fixture.network.client.get(article["url"].as_str().expect("a page"), HTML).await;
    assert!(!response.body.contains("<script>alert(1)"), "{}", response.body);
    assert_inert(&Page::parse(&response.body));
}
