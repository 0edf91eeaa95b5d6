//! A custom look: colours, fonts, files and messages, and support links.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::Value;

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::config_file::{quoted, url};
use crate::support::http::{HTML, Response};
use crate::support::page::Page;
use crate::support::temp_dir::TempDir;
use crate::support::{Database, Fixture, TestNetwork};

both_databases!(
    a_site_can_have_its_own_colours_fonts_files_and_messages,
    support_links_are_shown_with_the_critic,
    a_file_is_immutable_only_under_its_current_version,
    oembed_describes_a_review,
    the_site_names_its_source_code_and_security_contact,
    looks_of_0_1_render_every_page,
);

async fn get(fixture: &Fixture, path: &str) -> Response {
    fixture.network.client.get(&url(path), "*/*").await
}

async fn a_site_can_have_its_own_colours_fonts_files_and_messages(database: Database) {
    let folder = TempDir::new();
    folder.write("own.css", "@font-face { font-family: Own; src: url(\"/assets/own.woff2\"); }");
    folder.write("own.woff2", "a font");
    folder.write("words.ftl", "direction = rtl\nall-reviews = כל הביקורות\n");
    folder.write(
        "error.html",
        "{% extends \"base.html\" %}{% block main %}Alas, {{ page.status }}{% endblock %}",
    );
    let looks_folder = quoted(&folder.path().display().to_string());
    let fixture = Fixture::with(database, |_, settings| {
        settings
            .set("site", "language", "\"he\"")
            .set("looks", "folder", &looks_folder)
            .set("looks", "serif", "\"Own, serif\"")
            .set("looks", "light", "{ paper = \"#FFFFF0\", soft = \"#bbbbbb\" }")
            .set("looks", "meta", "[{ name = \"google-site-verification\", content = \"a\\\"b\" }]")
    })
    .await;
    let home = get(&fixture, "/").await;
    assert!(home.body.contains("<html lang=\"he\" dir=\"rtl\">"), "{}", home.body);
    let page = Page::parse(&home.body);
    assert!(page.text.contains("כל הביקורות") && page.text.contains("The Test Reel"), "{}", page.text);
    assert_eq!(page.attribute("content").filter(|content| ["a\"b", "#fffff0"].contains(content)).count(), 2);
    let sheets: Vec<&str> =
        page.attribute("href").filter(|href| href.starts_with("/assets/style.css")).collect();
    assert_eq!(sheets.len(), 1, "there is only one style sheet");
    let style = get(&fixture, sheets[0]).await.body;
    for rule in ["--paper: #fffff0;", "--serif: \"Own\", serif;", "@font-face"] {
        assert!(style.contains(rule), "{rule}");
    }
    let font = get(&fixture, "/assets/own.woff2").await;
    assert_eq!((font.status, font.header("content-type"), font.body.as_str()), (200, "font/woff2", "a font"));
    assert!(home.header("content-security-policy").contains("font-src 'self'"));
    let missing = fixture.network.client.get(&url("/nothing"), HTML).await;
    assert!(missing.status == 404 && missing.body.contains("Alas, 404"), "{}", missing.body);
    let is_warning = |line: &str| line.contains("soft on paper has a contrast ratio of 1.9");
    fixture.app.await_log("the warning about the contrast", is_warning).await;
}

async fn a_file_is_immutable_only_under_its_current_version(database: Database) {
    let folder = TempDir::new();
    folder.write("own.woff2", "a font");
    let looks_folder = quoted(&folder.path().display().to_string());
    let mut fixture =
        Fixture::with(database, |_, settings| settings.set("looks", "folder", &looks_folder)).await;
    let home = Page::parse(&get(&fixture, "/").await.body);
    let href = |name: &str| {
        let mut all = home.attribute("href").chain(home.attribute("src"));
        all.find(|address| address.starts_with(name)).expect("its URL").to_owned()
    };
    for address in [href("/assets/style.css?v="), href("/assets/site.js?v="), href("/assets/icon.svg?v=")] {
        let file = get(&fixture, &address).await;
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable", "{address}");
        let name = address.split('?').next().expect("a path");
        // During a rolling restart, a page of another process may link to a version that this one does not have.
        for other in ["", "?v=", "?v=0123456789abcdef", "?v=%FF", "?x=y"] {
            let now = get(&fixture, &format!("{name}{other}")).await;
            assert_eq!((now.status, now.header("cache-control")), (200, "no-cache"), "{name}{other}");
            assert_eq!(now.body, file.body);
        }
        let tag = file.header("etag").to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let headers = [("if-none-match".to_owned(), known.clone())];
            let again = fixture.network.client.send(Method::GET, &url(name), &headers, Vec::new()).await;
            let again = again.expect("a response");
            assert_eq!((again.status, again.body.as_str()), (304, ""), "{name} {known}");
            assert_eq!((again.header("cache-control"), again.header("etag")), ("no-cache", tag.as_str()));
        }
    }
    let font = get(&fixture, "/assets/own.woff2").await;
    assert_eq!((font.header("cache-control"), font.body.as_str()), ("no-cache", "a font"));
    folder.write("own.woff2", "another font");
    fixture.app.restart().await;
    let headers = [("if-none-match".to_owned(), font.header("etag").to_owned())];
    let later =
        fixture.network.client.send(Method::GET, &url("/assets/own.woff2"), &headers, Vec::new()).await;
    assert_eq!(later.expect("a response").body, "another font", "caches notice the change");
}

async fn support_links_are_shown_with_the_critic(database: Database) {
    let fixture = Fixture::with(database, |_, settings| {
        settings.set(
            "",
            "support",
            "[{ kind = \"tip\", url = \"https://money.example/tip\" }, \
              { kind = \"podcast\", url = \"https://sound.example/\", name = \"Two Seats <Left>\", critic = \"critic\" }]",
        )
    })
    .await;
    let article = fixture.publish("The Night Ferry").await;
    let review = article["url"].as_str().expect("a page");
    for address in [review, &url("/"), &url("/@critic")] {
        let page = Page::parse(&fixture.network.client.get(address, HTML).await.body);
        assert!(page.text.contains("Leave a tip") && page.text.contains("Two Seats <Left>"), "{}", page.text);
        assert!(page.attribute("href").any(|href| href == "https://money.example/tip"));
    }
}

async fn oembed_describes_a_review(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("Salt & Smoke").await;
    let review = article["url"].as_str().expect("a page");
    let page = Page::parse(&fixture.network.client.get(review, HTML).await.body);
    let links: Vec<&str> = page.attribute("href").filter(|href| href.starts_with("/oembed?")).collect();
    assert_eq!(links.len(), 2, "{links:?}");
    for link in links {
        let response = get(&fixture, link).await;
        assert_eq!((response.status, response.header("access-control-allow-origin")), (200, "*"));
        if link.contains("format=xml") {
            assert_eq!(response.header("content-type"), "text/xml; charset=utf-8");
            assert!(response.body.contains("<title>Salt &amp; Smoke</title>"), "{}", response.body);
            continue;
        }
        let document: Value = serde_json::from_str(&response.body).expect("JSON");
        assert_eq!((&document["version"], &document["type"]), (&Value::from("1.0"), &Value::from("link")));
        assert_eq!(document["title"], "Salt & Smoke");
        assert_eq!(document["author_url"], url("/@critic"));
        assert_eq!(document["provider_name"], "The Test Reel");
        // The review has no poster, so the thumbnail is the share card.
        let card = document["thumbnail_url"].as_str().expect("an image");
        assert!(card.starts_with(&format!("{review}/card.png?v=")), "{card}");
        assert_eq!(
            (&document["thumbnail_width"], &document["thumbnail_height"]),
            (&1200.into(), &630.into())
        );
        let image = fixture.app.get_page(card.strip_prefix(&url("")).expect("a path")).await;
        assert_eq!((image.status, image.header("content-type")), (200, "image/png"));
    }
    for (bounds, fits) in [
        ("maxwidth=1200&maxheight=630", true),
        ("maxwidth=99999", true),
        ("maxwidth=1199", false),
        ("maxheight=629", false),
        ("maxwidth=2000&maxheight=1", false),
        ("maxwidth=0", false),
    ] {
        for format in ["json", "xml"] {
            let response = get(&fixture, &format!("/oembed?url={review}&format={format}&{bounds}")).await;
            assert_eq!(response.status, 200, "{bounds}");
            assert_eq!(response.body.contains("thumbnail"), fits, "{format} {bounds}: {}", response.body);
        }
    }
    for (query, status) in [
        ("", 400),
        ("?url=nothing", 400),
        ("?url=https://elsewhere.example/reviews/salt", 404),
        (&format!("?url={}", url("/reviews/nothing")), 404),
        (&format!("?url={review}&format=yaml"), 501),
        (&format!("?url={review}&maxwidth=wide"), 400),
        (&format!("?url={review}&maxheight=-1"), 400),
    ] {
        assert_eq!(get(&fixture, &format!("/oembed{query}")).await.status, status, "{query}");
    }
    fixture.app.command_output(&["retract", review.rsplit('/').next().unwrap_or_default()]).await;
    assert_eq!(get(&fixture, &format!("/oembed?url={review}")).await.status, 410);
}

async fn the_site_names_its_source_code_and_security_contact(database: Database) {
    let plain = Fixture::new(database).await;
    assert_eq!(get(&plain, "/.well-known/security.txt").await.status, 404, "no contact is configured");
    drop(plain);
    let source = "https://code.example/marquee";
    let fixture = Fixture::with(database, |_, settings| {
        settings.set("site", "source_url", &quoted(source)).set(
            "site",
            "security_contact",
            "\"mailto:hole@example.org\"",
        )
    })
    .await;
    let response = get(&fixture, "/.well-known/security.txt").await;
    assert_eq!(response.header("content-type"), "text/plain; charset=utf-8");
    let lines: Vec<&str> = response.body.lines().collect();
    assert_eq!(lines[0], "Contact: mailto:hole@example.org");
    assert!(lines[1].starts_with("Expires: 2") && lines[1].ends_with('Z'), "{}", lines[1]);
    let page = Page::parse(&get(&fixture, "/").await.body);
    assert!(page.attribute("href").any(|href| href == source));
    let node: Value = serde_json::from_str(&get(&fixture, "/nodeinfo/2.1").await.body).expect("JSON");
    assert_eq!(node["software"]["repository"], source);
}

/// A looks folder that replaces every template and every message, as they were in 0.1.0.
fn looks_of_0_1() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/looks-0.1")
}

/// The names of the files in a folder with one of these extensions.
fn files_in(folder: &Path, extensions: &[&str]) -> BTreeSet<String> {
    let files = std::fs::read_dir(folder).expect("a folder").flatten();
    let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    names.filter(|name| extensions.iter().any(|extension| name.ends_with(extension))).collect()
}

/// The ids of the messages in a Fluent file.
fn message_ids(path: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(path).expect("a file of messages");
    let lines = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    lines.filter_map(|line| Some(line.split_once(" =")?.0.to_owned())).collect()
}

#[test]
fn every_template_and_message_of_0_1_still_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let before = files_in(&looks_of_0_1(), &[".html", ".xml"]);
    let now = files_in(&root.join("src/web/templates"), &[".html", ".xml"]);
    assert_eq!(before.difference(&now).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(before.len(), 26);
    for (before, now) in [("words.ftl", "en.ftl"), ("words.de.ftl", "de.ftl")] {
        let before = message_ids(&looks_of_0_1().join(before));
        let now = message_ids(&root.join("src/web/messages").join(now));
        assert_eq!(before.difference(&now).collect::<Vec<_>>(), Vec::<&String>::new());
        assert!(before.len() > 200);
    }
}

/// Follows all links of the site, starting at these paths, and returns the paths found.
async fn crawl(fixture: &Fixture, paths: &[&str]) -> BTreeSet<String> {
    let mut open: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    let mut seen: BTreeSet<String> = open.iter().cloned().collect();
    while let Some(path) = open.pop() {
        let response = fixture.network.client.get(&url(&path), HTML).await;
        assert_eq!(response.status, 200, "{path}: {}", response.body);
        if !response.header("content-type").starts_with("text/html") {
            continue;
        }
        let page = Page::parse(&response.body);
        for link in page.attribute("href").chain(page.attribute("src")) {
            let link = link.strip_prefix(&url("")).unwrap_or(link);
            let link = link.split('#').next().unwrap_or_default();
            // ActivityPub documents are not rendered by templates.
            if link.starts_with('/') && !link.starts_with("/ap/") && seen.insert(link.to_owned()) {
                open.push(link.to_owned());
            }
        }
    }
    seen
}

/// A site in the language that uses every template and message made for 0.1.0, with two reviews, a comment and a like.
/// Also returns the Article of the first review.
async fn site_with_looks_of_0_1(
    database: Database,
    language: &str,
    messages: &str,
    folder: &TempDir,
) -> (Fixture, Value) {
    for name in files_in(&looks_of_0_1(), &[".html", ".xml"]) {
        let source = std::fs::read_to_string(looks_of_0_1().join(&name)).expect("a template");
        folder.write(&name, &source);
    }
    let source = std::fs::read_to_string(looks_of_0_1().join(messages)).expect("messages");
    folder.write("words.ftl", &source);
    let looks = quoted(&folder.path().display().to_string());
    let support = "[{ kind = \"tip\", url = \"https://money.example/tip\" }]";
    let fixture = Fixture::with(database, |_, settings| {
        settings
            .set("site", "language", &quoted(language))
            .set("looks", "folder", &looks)
            .set("", "support", support)
    })
    .await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.publish("The Empty Hall").await;
    fixture.comment(&fixture.alice, &article, "I was on that ferry").await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.like(id_of(&article))).await;
    fixture.settle().await;
    (fixture, article)
}

async fn looks_of_0_1_render_every_page(database: Database) {
    for (language, messages) in [("en", "words.ftl"), ("de", "words.de.ftl")] {
        let folder = TempDir::new();
        let (mut fixture, article) = site_with_looks_of_0_1(database, language, messages, &folder).await;
        let review = article["url"].as_str().expect("a page").strip_prefix(&url("")).expect("a path");
        let (comments, sorted) = (format!("{review}/comments"), format!("{review}?sort=newest"));
        let pages = crawl(
            &fixture,
            &[
                "/",
                &comments,
                &sorted,
                "/search?q=ferry",
                "/search?q=+",
                "/sitemap.xml",
                "/sitemap.xml?part=reviews-1",
                "/tags/ferries/atom.xml",
                "/@critic/feed.xml",
            ],
        )
        .await;
        for prefix in [
            "/reviews",
            "/years/",
            "/ratings/",
            "/films/",
            "/people/",
            "/tags/",
            "/oembed?",
            "/opensearch.xml",
            "/@critic",
            "/assets/",
        ] {
            assert!(pages.iter().any(|page| page.starts_with(prefix)), "{prefix}: {pages:?}");
        }
        assert_error_pages_render(&fixture, id_of(&article)).await;
        let log = fixture.app.log();
        let errors: Vec<&String> =
            log.iter().filter(|line| line.contains(" WARN ") || line.contains(" ERROR ")).collect();
        assert!(errors.is_empty(), "{language}: {errors:#?}");
        fixture.app.terminate().await;
    }
}

/// Requests a page that does not exist, and submits the remote interaction form with an invalid handle.
async fn assert_error_pages_render(fixture: &Fixture, article: &str) {
    let missing = fixture.network.client.get(&url("/nothing"), HTML).await;
    assert_eq!(missing.status, 404);
    let fields = [("handle", "not a handle"), ("wish", "reply"), ("object", article)];
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers = [
        ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
        ("accept".to_owned(), HTML.to_owned()),
    ];
    let interact =
        fixture.network.client.send(Method::POST, &url("/interact"), &headers, form.into_bytes()).await;
    assert_eq!(interact.expect("a response").status, 422);
}

#[tokio::test]
async fn an_invalid_look_is_named_and_prevents_the_start() {
    let network = TestNetwork::new();
    for (section, key, value, expected) in [
        ("looks", "light", "{ paper = \"red; } body { display: none\" }", "looks.light.paper"),
        ("looks", "dark", "{ papper = \"#000000\" }", "looks.dark"),
        ("looks", "serif", "\"url(https://fonts.example)\"", "looks.serif"),
        ("looks", "folder", "\"/nowhere/looks\"", "looks.folder"),
        ("looks", "meta", "[{ name = \"a b\", content = \"\" }]", "looks.meta.0.name"),
        ("", "support", "[{ kind = \"tip\", url = \"javascript:alert(1)\" }]", "support.0.url"),
        ("", "support", "[{ kind = \"other\", url = \"https://a.example\" }]", "support.0.name"),
        (
            "",
            "support",
            "[{ kind = \"tip\", url = \"https://a.example\", critic = \"nobody\" }]",
            "support.0.critic",
        ),
        ("", "support", "[{ kind = \"bribe\", url = \"https://a.example\" }]", "support"),
        ("site", "source_url", "\"here\"", "site.source_url"),
        ("site", "security_contact", "\"me\"", "site.security_contact"),
    ] {
        let settings = network.marquee(Database::Sqlite).await.set(section, key, value);
        let output = settings.failed_start().await;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && stderr.contains(expected), "no {expected} in {stderr}");
        assert_eq!(stderr.trim().lines().count(), 1, "{stderr}");
    }
}
