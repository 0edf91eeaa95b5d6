//! Images in the text of a review, and the thumbnails of its trailers.

use serde_json::{Value, json};

use crate::both_databases;
use crate::end_to_end::is_about;
use crate::feeds::fixture_with_reviews;
use crate::support::config_file::url;
use crate::support::feed::{Item, NAME as FEED, markdown, rss};
use crate::support::forbidden_listener::ForbiddenListener;
use crate::support::http::HTML;
use crate::support::page::Page;
use crate::support::remote::Document;
use crate::support::temp_dir::TempDir;
use crate::support::{Database, Fixture, TestNetwork, eventually};

both_databases!(
    images_of_a_review_are_served_from_this_site,
    an_unchanged_feed_changes_nothing_and_fetches_no_image_again,
    a_missing_image_is_reported_and_fetched_when_its_entry_changes,
    images_next_to_a_local_feed_are_shown_without_their_paths,
    a_manually_published_review_has_its_images_or_is_rejected,
    images_do_not_affect_how_the_text_is_parsed,
    a_trailer_has_its_thumbnail_or_is_a_plain_link,
    e5_an_image_at_a_forbidden_address_is_left_out,
    h3_invalid_and_excess_images_are_left_out,
    an_image_of_a_review_stays_if_a_commenter_had_the_same,
);

const ALL: &str = "publish_since = \"2000-01-01\"";

/// A PNG that differs for each seed: bytes after its end are ignored.
fn image(seed: &str) -> Vec<u8> {
    [include_bytes!("../config/demo/avatar.png"), seed.as_bytes()].concat()
}

fn serve(fixture: &Fixture, path: &str) {
    fixture.remote.serve(path, Document::new("image/png", image(path.split('?').next().expect("a path"))));
}

/// A review whose body ends with this HTML.
fn review(html: &str) -> Item {
    let mut item = Item::review("Alpha");
    item.html.push_str(html);
    item
}

/// A fixture with a feed of one review whose Create has arrived. Returns its Article as well.
async fn published(database: Database, images: &[&str], item: &Item) -> (Fixture, Value) {
    let fixture = fixture_with_reviews(database, &[]).await;
    for path in images {
        serve(&fixture, path);
    }
    let article = publish(&fixture, item).await;
    (fixture, article)
}

async fn publish(fixture: &Fixture, item: &Item) -> Value {
    fixture.remote.serve_feed(std::slice::from_ref(item));
    fixture.poll().await;
    let create = fixture.remote.await_activity("the Create", |a| a["type"] == "Create").await;
    create["object"].clone()
}

fn content(article: &Value) -> &str {
    article["content"].as_str().expect("content")
}

/// The URLs of the images in HTML.
fn sources(html: &str) -> Vec<String> {
    let page = Page::parse(html);
    let images = page.elements.iter().filter(|(name, _)| name == "img");
    let sources = images.flat_map(|(_, attributes)| attributes.iter().filter(|(key, _)| key == "src"));
    sources.map(|(_, value)| value.clone()).collect()
}

async fn log(fixture: &Fixture) -> String {
    fixture.app.feed_log().await.join("\n")
}

async fn assert_no_update(fixture: &Fixture) {
    fixture.settle().await;
    assert!(fixture.remote.distinct_activities("Update").is_empty(), "nothing changed");
}

async fn images_of_a_review_are_served_from_this_site(database: Database) {
    let item = review(
        "<p><img src='https://remote.test/poster.png'></p>\
         <figure><a href='https://remote.test/big'><img src='https://remote.test/ferry.png?w=600' alt='A \"ferry\"'></a>\
         <figcaption>The <em>ferry</em></figcaption></figure>\
         <details><summary>The end</summary><div class=separator><img src='http://remote.test/end.png'></div></details>\
         <img src='https://remote.test/pixel.png' width=1 height=1><img src='https://remote.test/poster.png?again'>",
    );
    let images = ["/poster.png", "/ferry.png?w=600", "/end.png"];
    let (fixture, article) = published(database, &images, &item).await;
    let urls = sources(content(&article));
    assert_eq!(urls.len(), 2, "the poster and the tracking pixel are left out: {urls:?}");
    for (address, path) in urls.iter().zip(["/ferry.png?w=600", "/end.png"]) {
        assert!(address.starts_with(&url("/media/")), "{address}");
        let response = fixture.network.client.get(address, "image/*").await;
        assert_eq!((response.status, response.header("content-type")), (200, "image/png"));
        assert_eq!(fixture.remote.requests_for(path), 1);
    }
    let ferry = &urls[0];
    let figure = format!(
        "<figure><img src=\"{ferry}\" alt=\"A &quot;ferry&quot;\" width=\"400\" height=\"400\">\
         <figcaption>The <em>ferry</em></figcaption></figure><details><summary>The end</summary><figure>"
    );
    assert!(content(&article).contains(&figure), "{}", content(&article));
    assert_eq!(
        article["attachment"].as_array().map(Vec::len),
        Some(1),
        "only the poster is attached: {article}"
    );
    assert_eq!(fixture.remote.requests_for("/pixel.png"), 0);
    let html = fixture.network.client.get(article["url"].as_str().expect("a page"), HTML).await.body;
    let path = ferry.strip_prefix(url("").as_str()).expect("a URL of this site");
    assert!(
        html.contains(&format!("<img loading=\"lazy\" decoding=\"async\" src=\"{path}\" alt=")),
        "{html}"
    );
    assert!(
        html.contains("</summary><figure><img loading=\"lazy\""),
        "images in spoilers are loaded lazily: {html}"
    );
    assert!(sources(&html).iter().all(|src| src.starts_with('/')), "images are served from this site");
    for feed in ["/feed.xml", "/atom.xml", "/feed.json"] {
        let body = fixture.network.client.get(&url(feed), "*/*").await.body;
        let feed = feed_rs::parser::parse(body.as_bytes()).expect("a feed");
        let entry = feed.entries[0].content.as_ref().and_then(|content| content.body.as_deref());
        assert_eq!(entry, Some(content(&article)), "the same HTML as in the Article");
    }
}

async fn an_unchanged_feed_changes_nothing_and_fetches_no_image_again(database: Database) {
    let mut item =
        review("<img src='https://remote.test/p.png'><p>Then</p><img src='https://remote.test/a.png?sig=1'>");
    let (fixture, article) = published(database, &["/p.png", "/a.png?sig=1", "/a.png?sig=2"], &item).await;
    fixture.poll().await;
    // Some sources sign the URLs of images again for each request.
    item.html = item.html.replace("sig=1", "sig=2");
    fixture.remote.serve_feed(std::slice::from_ref(&item));
    fixture.poll().await;
    assert_no_update(&fixture).await;
    assert_eq!(fixture.remote.requests_under("/a.png"), 1);
    assert_eq!(fixture.article(&article).await["content"], article["content"]);
    item.html.push_str("<p>An afterthought.</p>");
    fixture.remote.serve_feed(std::slice::from_ref(&item));
    fixture.poll().await;
    let update = fixture.remote.await_activity("the Update", |a| a["type"] == "Update").await;
    assert_eq!(sources(content(&update["object"])), sources(content(&article)));
    assert_eq!(fixture.remote.requests_for("/p.png"), 1, "a stored image is not fetched again");
}

async fn a_missing_image_is_reported_and_fetched_when_its_entry_changes(database: Database) {
    let mut item = review(
        "<img src='https://remote.test/p.png'><p>Then</p>\
         <figure><img src='https://remote.test/late.png'><figcaption>Too late</figcaption></figure>",
    );
    let (fixture, article) = published(database, &["/p.png"], &item).await;
    assert_eq!(sources(content(&article)), [""; 0]);
    assert!(content(&article).contains("<p>Too late</p>"), "the caption stays");
    let line = "could not fetch an image of the review: https://remote.test/late.png";
    eventually("the line in the log", || async { log(&fixture).await.contains(line).then_some(()) }).await;
    let log = log(&fixture).await;
    assert!(log.contains(" failed “") && !log.contains("skipped"), "the review was not left out: {log}");
    serve(&fixture, "/late.png");
    fixture.poll().await;
    assert_no_update(&fixture).await;
    item.html.push_str("<p>An afterthought.</p>");
    fixture.remote.serve_feed(std::slice::from_ref(&item));
    fixture.poll().await;
    let update = fixture.remote.await_activity("the Update", |a| a["type"] == "Update").await;
    assert_eq!(sources(content(&update["object"])).len(), 1);
    assert!(content(&update["object"]).contains("Too late"));
}

async fn images_next_to_a_local_feed_are_shown_without_their_paths(database: Database) {
    let (folder, outside) = (TempDir::new(), TempDir::new());
    for name in ["p.png", "a.png"] {
        std::fs::write(folder.file(name), image(name)).expect("an image");
    }
    std::fs::write(outside.file("secret.png"), image("secret")).expect("an image");
    std::os::unix::fs::symlink(outside.file("secret.png"), folder.file("link.png")).expect("a link");
    let item = review(&format!(
        "<img src=p.png><p>One</p><img src='a.png' alt=Sea><img src=link.png><img src='file://{}'><img src='../x.png'>",
        outside.file("secret.png").display()
    ));
    let path = folder.write("feed.xml", &rss(&[item])).display().to_string();
    let fixture = Fixture::with(database, |_, settings| settings.feed(FEED, &path, ALL)).await;
    fixture.app.poll(FEED).await;
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    assert_eq!(sources(content(&article)).len(), 1, "{}", content(&article));
    assert!(content(&article).contains("alt=\"Sea\""));
    let page = fixture.network.client.get(article["url"].as_str().expect("a page"), HTML).await.body;
    let feed = fixture.network.client.get(&url("/feed.xml"), "*/*").await.body;
    for text in [page, feed, article.to_string()] {
        assert!(!text.contains("file:") && !text.contains("link.png"), "{text}");
    }
}

async fn a_manually_published_review_has_its_images_or_is_rejected(database: Database) {
    let fixture = Fixture::new(database).await;
    let text = |body: &str| markdown("The Night Ferry", "The Night Ferry", body);
    let file = fixture.app.write("review.md", &text("One.\n\n![A *ferry*](ferry.png \"Title\")\n\nTwo."));
    let output = fixture.app.cli(&["publish", &file]).await;
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("image: ") && stderr.contains("ferry.png"), "{stderr}");
    assert!(fixture.articles().await.is_empty(), "nothing is published");
    std::fs::write(fixture.app.folder().file("ferry.png"), image("ferry")).expect("an image");
    fixture.app.command_output(&["publish", &file]).await;
    let article = fixture.await_article(|article| is_about(article, "The Night Ferry")).await;
    assert_eq!(sources(content(&article)).len(), 1);
    assert!(
        content(&article).contains("<p>One.</p><figure><img ")
            && content(&article).contains("alt=\"A ferry\"")
    );
    assert!(article["attachment"].is_null(), "it is not a poster");
    let again = fixture.app.cli(&["publish", &file]).await;
    assert!(String::from_utf8_lossy(&again.stderr).contains("this review has already been published"));
    let page = article["url"].as_str().expect("a page");
    let same = fixture.app.cli(&["revise", page, &file]).await;
    assert!(String::from_utf8_lossy(&same.stdout).starts_with("Nothing changed: "));
    std::fs::write(fixture.app.folder().file("ferry.png"), image("another")).expect("an image");
    fixture.app.command_output(&["revise", page, &file]).await;
    assert_ne!(sources(content(&fixture.article(&article).await)), sources(content(&article)));
}

async fn images_do_not_affect_how_the_text_is_parsed(database: Database) {
    let images = "<img src='https://remote.test/p.png'><figure><img src='https://remote.test/a.png' alt=Zebra>\
                <figcaption>Quagga</figcaption></figure>";
    let mut item = Item::review("Alpha");
    item.html =
        format!("{images}{}{images}", item.html.replace("<p>Directed", &format!("{images}<p>Directed")));
    let (fixture, article) = published(database, &["/p.png", "/a.png"], &item).await;
    assert_eq!(sources(content(&article)).len(), 3, "{}", content(&article));
    let summary = article["summary"].as_str().expect("a summary");
    assert!(
        summary.starts_with("★★★★ Alpha (Ada Lindqvist, 2021). The first reel"),
        "the credits are parsed: {summary}"
    );
    assert!(!summary.contains("Quagga"), "{summary}");
    let found = async |word: &str| {
        let response = fixture.network.client.get(&url(&format!("/search?q={word}")), HTML).await;
        response.body.contains("Earns Its Last Minute")
    };
    assert!(found("patience").await);
    assert!(!found("quagga").await && !found("zebra").await);
    // The entry is recognized by its text, although its id, link and images have changed.
    let mut moved = Item::review("Alpha");
    moved.id.push_str("-moved");
    moved.link.push_str("-moved");
    fixture.remote.serve_feed(&[moved]);
    fixture.poll().await;
    fixture.settle().await;
    assert_eq!(fixture.articles().await.len(), 1);
}

fn trailer(id: &str, title: &str) -> String {
    format!("<iframe src=\"https://remote.test/videos/embed/{id}\" title=\"{title}\"></iframe>")
}

async fn a_trailer_has_its_thumbnail_or_is_a_plain_link(database: Database) {
    let fixture = fixture_with_reviews(database, &[]).await;
    let oembed_path = |id: &str| {
        format!("/services/oembed?format=json&url=https%3A%2F%2Fremote.test%2Fvideos%2Fwatch%2F{id}")
    };
    let serve_oembed = |id: &str, response: Value| {
        fixture.remote.serve(&oembed_path(id), Document::new("application/json", response.to_string()));
    };
    serve(&fixture, "/p.png");
    serve(&fixture, "/previews/1.png");
    serve_oembed(
        "1",
        json!({"version": "1.0", "type": "video", "thumbnail_url": "https://remote.test/previews/1.png"}),
    );
    serve_oembed("2", json!({"version": "1.0", "type": "video", "thumbnail_url": "file:///etc/passwd"}));
    serve_oembed(
        "3",
        json!({"thumbnail_url": "https://remote.test/previews/1.png", "html": "x".repeat(100_000)}),
    );
    let trailers: String = (1..=9).map(|id| trailer(&id.to_string(), &format!("Trailer {id}"))).collect();
    let article =
        publish(&fixture, &review(&format!("<img src='https://remote.test/p.png'>{trailers}"))).await;
    let urls = sources(content(&article));
    assert_eq!(urls.len(), 1, "{}", content(&article));
    let card = format!(
        "<p><a href=\"https://remote.test/videos/watch/1\" rel=\"noopener noreferrer\"><img src=\"{}\" alt=\"\" \
         width=\"400\" height=\"400\">▶ Trailer 1</a></p>",
        urls[0]
    );
    let link =
        "<p><a href=\"https://remote.test/videos/watch/2\" rel=\"noopener noreferrer\">▶ Trailer 2</a></p>";
    assert!(content(&article).contains(&card) && content(&article).contains(link), "{}", content(&article));
    assert!(fixture.remote.requests_under("/services/oembed") <= 4, "only the first trailers are looked up");
    let page = fixture.page(&article).await;
    assert!(page.text.contains("▶ Trailer 1") && page.text.contains("▶ Trailer 9"));
    fixture.poll().await;
    assert_no_update(&fixture).await;
    assert_eq!(fixture.remote.requests_for(&oembed_path("1")), 1);
}

async fn e5_an_image_at_a_forbidden_address_is_left_out(database: Database) {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let listener = ForbiddenListener::bind("127.0.0.2").await;
    let address = listener.address();
    let fixture = Fixture::in_network(network, remote, database, |remote, settings| {
        remote.serve("/away.png", Document::redirect("https://forbidden.test/a.png"));
        let oembed = json!({"thumbnail_url": format!("https://{address}/b.png")}).to_string();
        let path = "/services/oembed?format=json&url=https%3A%2F%2Fremote.test%2Fvideos%2Fwatch%2F1";
        remote.serve(path, Document::new("application/json", oembed));
        remote.serve_feed(&[review(&format!(
            "<img src='https://remote.test/p.png'><p>One</p><img src='https://remote.test/away.png'>\
             <img src='https://forbidden.test/a.png'><img src='https://{address}/a.png'>{}\
             <iframe src='https://{address}/videos/embed/2'></iframe>",
            trailer("1", "One")
        ))]);
        settings.resolve("forbidden.test", address).feed(FEED, &remote.url("/feed.xml"), ALL)
    })
    .await;
    fixture.poll().await;
    let article = fixture.await_article(|article| is_about(article, "Alpha")).await;
    assert_eq!(sources(content(&article)), [""; 0]);
    assert!(fixture.remote.requests_for("/away.png") == 1 && content(&article).contains("▶ One"));
    fixture.settle().await;
    listener.assert_no_connections();
}

async fn h3_invalid_and_excess_images_are_left_out(database: Database) {
    let fixture = fixture_with_reviews(database, &[]).await;
    serve(&fixture, "/p.png");
    let huge = [image("huge"), vec![0; 9 * 1024 * 1024]].concat();
    fixture.remote.serve("/many/huge.png", Document::new("image/png", huge));
    fixture.remote.serve("/many/page.png", Document::new("image/png", "<script>alert(1)</script>"));
    let svg =
        "<svg xmlns='http://www.w3.org/2000/svg' width='900' height='900'><script>alert(1)</script></svg>";
    fixture.remote.serve("/many/drawing.png", Document::new("image/png", svg));
    let mut body = "<img src='https://remote.test/p.png'><p>One</p>".to_owned();
    for name in
        ["huge", "page", "drawing"].map(str::to_owned).into_iter().chain((0..1_000).map(|n| n.to_string()))
    {
        body.extend(["<img src='https://remote.test/many/", &name, ".png'>"]);
    }
    serve(&fixture, "/many/3.png");
    let article = publish(&fixture, &review(&body)).await;
    assert_eq!(sources(content(&article)).len(), 1, "{}", content(&article));
    assert!(fixture.remote.requests_under("/many/") <= 20, "{}", fixture.remote.requests_under("/many/"));
    let line = eventually("the line in the log", || async {
        log(&fixture)
            .await
            .lines()
            .find(|line| line.contains("could not fetch") && line.contains("images of the review"))
            .map(str::to_owned)
    })
    .await;
    assert!(line.len() < 400, "{line}");
}

async fn an_image_of_a_review_stays_if_a_commenter_had_the_same(database: Database) {
    let item = review("<img src='https://remote.test/p.png'><p>One</p><img src='https://remote.test/a.png'>");
    let (fixture, article) = published(database, &["/p.png", "/a.png"], &item).await;
    let url = sources(content(&article)).remove(0);
    let file = url.rsplit('/').next().expect("a name").to_owned();
    let has_avatar =
        |page: &Page, name: &str| page.attribute("src").filter(|src| src.contains(name)).count() == 2;
    let mut actor = fixture.alice.actor();
    actor["icon"] = json!({"type": "Image", "mediaType": "image/png", "url": "https://remote.test/a.png"});
    fixture.alice.serve_actor(&actor);
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.activity("Update", &actor)).await;
    fixture.comment(&fixture.alice, &article, "With your own still").await;
    fixture.await_page(&article, "the same image as image and avatar", |page| has_avatar(page, &file)).await;
    let without_icon = {
        actor.as_object_mut().expect("an actor").remove("icon");
        actor
    };
    fixture.alice.serve_actor(&without_icon);
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.activity("Update", &without_icon)).await;
    fixture.await_page(&article, "the image alone", |page| !has_avatar(page, &file)).await;
    fixture.settle().await;
    assert_eq!(fixture.network.client.get(&url, "image/*").await.status, 200);
}
