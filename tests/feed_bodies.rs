//! What an entry of a feed contains besides the critic's words and pictures, and pictures in every form.

use serde_json::Value;

use crate::both_databases;
use crate::end_to_end::fixture_with_feed;
use crate::support::feed::{Item, rss};
use crate::support::http::HTML;
use crate::support::remote::Document;
use crate::support::{Database, Fixture};

both_databases!(
    platform_text_is_not_sent_as_the_critics,
    the_caption_of_the_poster_stays_with_it,
    pictures_that_load_late_are_found,
    an_enclosure_is_a_picture_by_its_name_if_its_type_says_nothing,
    addresses_are_shown_without_tracking,
);

const PROSE: &str = "<p>A postman rows to an island where nobody writes letters, and the film rows with him.</p>\
                     <p>There is a dog, there is fog, and there is one joke that waits an hour for its end.</p>";

/// The prose of the review with this title. Two reviews with the same text would be one review.
fn prose(title: &str) -> String {
    PROSE.replace(" the film ", &format!(" {title} ")).replace(' ', &format!(" {} ", title.replace(' ', "")))
}

/// An entry with this body, published now.
fn entry(title: &str, html: &str) -> Item {
    let mut item = Item::review(title);
    title.clone_into(&mut item.title);
    item.html = html.replace(PROSE, &prose(title));
    item
}

fn png(path: &str) -> Vec<u8> {
    [include_bytes!("../config/demo/avatar.png"), path.as_bytes()].concat()
}

/// Serves a feed and pictures, and returns the Articles of all entries in their order, and their pages.
async fn published(
    database: Database,
    items: &[Item],
    images: &[&str],
    change: impl Fn(String) -> String,
) -> (Fixture, Vec<Value>, Vec<String>) {
    let fixture = fixture_with_feed(database, &[], "publish_since = \"2000-01-01\"").await;
    for image in images {
        fixture.remote.serve(image, Document::new("text/plain", png(image)));
    }
    fixture
        .remote
        .serve(crate::support::feed::PATH, Document::new("application/rss+xml", change(rss(items))));
    fixture.poll().await;
    let (mut articles, mut pages) = (Vec::new(), Vec::new());
    for item in items {
        let article = fixture.await_article(|article| article["name"] == item.title.as_str()).await;
        let page = article["url"].as_str().expect("a page");
        pages.push(fixture.network.client.get(page, HTML).await.body);
        articles.push(article);
    }
    (fixture, articles, pages)
}

/// The content of an Article, with the prose that all have in common.
fn content(article: &Value) -> String {
    let (title, content) = (article["name"].as_str().expect("a title"), article["content"].as_str());
    content.expect("content").replace(&prose(title), PROSE)
}

async fn platform_text_is_not_sent_as_the_critics(database: Database) {
    let items = [
        entry(
            "Letter to Nobody",
            &format!(
                "{PROSE}<p><strong>Verdict: see it.</strong></p><div class='sharedaddy sd-sharing-enabled'><h3 class=sd-title>Share this:</h3>\
                 <ul><li class=share-x><a href='https://remote.test/reviews/letter-to-nobody?share=x'><span>Click to share on X</span></a></li></ul></div>\
                 <div id=jp-relatedposts class=jp-relatedposts><h3><em>Related</em></h3></div>\
                 <p>The post <a href='https://remote.test/reviews/letter-to-nobody'>Letter to Nobody</a> appeared first on <a href='https://remote.test/'>Third Row</a>.</p>"
            ),
        ),
        entry(
            "Salt on the Window",
            &format!(
                "<h3>Salt on the Window</h3><h4>A film about looking out</h4>{PROSE}<p><strong>Verdict: see it.</strong></p>\
                 <img src='https://medium.com/_/stat?event=post.clientViewed&amp;postId=1' width=1 height=1 alt=''><hr>\
                 <p><a href='https://medium.com/p/1'>Salt on the Window</a> was originally published in <a href='https://medium.com/third-row'>Third Row</a> on Medium, \
                 where people are continuing the conversation by highlighting and responding to this story.</p>"
            ),
        ),
        entry(
            "Fog over Water",
            &format!(
                "{PROSE}<p><strong>Verdict: see it.</strong></p><p class=button-wrapper><a class='button primary' href='https://row.substack.com/subscribe?'><span>Subscribe now</span></a></p>\
                 <div class=subscription-widget-wrap-editor><p class=cta-caption>Thanks for reading Third Row!</p></div>"
            ),
        ),
        entry(
            "Only a Button",
            "<div class=sharedaddy><p>This is the whole text of this entry, and it stays.</p></div>",
        ),
    ];
    let (_fixture, articles, pages) = published(database, &items, &[], |feed| feed).await;
    let critic = format!("{PROSE}<p><strong>Verdict: see it.</strong></p>");
    assert_eq!(content(&articles[0]), critic);
    assert_eq!(
        content(&articles[1]),
        format!("<p><strong>A film about looking out</strong></p>{critic}"),
        "the subtitle stays"
    );
    assert_eq!(content(&articles[2]), critic);
    assert!(content(&articles[3]).contains("it stays"), "{}", articles[3]);
    for page in &pages[..3] {
        for text in [
            "Share this",
            "Click to share",
            "Related",
            "appeared first",
            "originally published",
            "Subscribe now",
        ] {
            assert!(!page.contains(text), "{text}: {page}");
        }
    }
}

async fn the_caption_of_the_poster_stays_with_it(database: Database) {
    let items = [
        entry(
            "Letter to Nobody",
            &format!(
                "<figure><img src='https://remote.test/a.png' alt='A boat'><figcaption>Nora Ek in the boat. <em>Photo:</em> Per Lund</figcaption></figure>{PROSE}"
            ),
        ),
        entry(
            "Salt on the Window",
            &format!(
                "{PROSE}<table class=tr-caption-container><tbody><tr><td><img src='https://remote.test/b.png' width=400 height=300></td></tr>\
                 <tr><td class=tr-caption>The window, before it was cleaned</td></tr></tbody></table>"
            ),
        ),
        entry(
            "Fog over Water",
            &format!(
                "<div class=wp-caption><img src='https://remote.test/missing.png' alt=Fog><p class=wp-caption-text>Fog. Photo: Per Lund</p></div>{PROSE}"
            ),
        ),
    ];
    let (_fixture, articles, pages) = published(database, &items, &["/a.png", "/b.png"], |feed| feed).await;
    for (at, caption) in
        ["Nora Ek in the boat. <em>Photo:</em> Per Lund", "The window, before it was cleaned"]
            .iter()
            .enumerate()
    {
        assert_eq!(
            content(&articles[at]),
            format!("<figure><figcaption>{caption}</figcaption></figure>{PROSE}")
        );
        let (before, after) = pages[at].split_once("<figure class=\"poster\">").expect("a poster");
        let (poster, body) = after.split_once("</figure>").expect("a figure");
        assert!(poster.contains(&format!(">{caption}</figcaption>")), "{poster}");
        assert!(!before.contains(caption) && !body.contains(caption), "once on the page: {body}");
        assert!(!articles[at]["summary"].as_str().expect("a summary").contains("Photo"), "{}", articles[at]);
    }
    assert!(pages[0].contains("alt=\"A boat\""), "{}", pages[0]);
    assert!(articles[2]["image"].is_null(), "the picture cannot be fetched");
    assert!(content(&articles[2]).contains("Fog. Photo: Per Lund"), "{}", articles[2]);
    assert!(pages[2].contains("Fog. Photo: Per Lund"), "{}", pages[2]);
}

async fn pictures_that_load_late_are_found(database: Database) {
    let img = "https://remote.test";
    let forms = [
        format!("<img src='{img}/blank.gif' data-original='{img}/l1.png' alt=One>"),
        format!("<img srcset='{img}/l2-400.png 400w, {img}/l2.png 800w' alt=One>"),
        format!(
            "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw=' alt=''><noscript><img src='{img}/l3.png' alt=One></noscript>"
        ),
        format!(
            "<picture><source type=image/avif srcset='{img}/l4.avif'><source type=image/webp srcset='{img}/l4.png 1x'><img src='data:,' alt=One></picture>"
        ),
        format!(
            "<a href='{img}/l5.png'><img src='{img}/l5-300x200.png' srcset='{img}/l5-300x200.png 300w, {img}/l5.png 1024w' alt=One></a><p><img src='{img}/l5-150x150.png'></p>"
        ),
    ];
    let titles = ["Letter to Nobody", "Salt on the Window", "Fog over Water", "The Dog", "One Joke"];
    let items: Vec<_> = forms
        .iter()
        .zip(titles)
        .map(|(form, title)| entry(title, &format!("<p>{form}</p>{PROSE}")))
        .collect();
    let images = ["/l1.png", "/l2.png", "/l3.png", "/l4.png", "/l5.png"];
    let (fixture, articles, _) = published(database, &items, &images, |feed| feed).await;
    for (article, image) in articles.iter().zip(images) {
        assert_eq!(article["image"]["mediaType"], "image/png", "{image}: by its bytes: {article}");
        assert_eq!(article["attachment"][0]["name"], "One", "{article}");
        assert_eq!(content(article), PROSE, "it is shown once");
        assert_eq!(fixture.remote.requests_for(image), 1);
    }
    for other in ["/blank.gif", "/l2-400.png", "/l4.avif", "/l5-300x200.png", "/l5-150x150.png"] {
        assert_eq!(fixture.remote.requests_for(other), 0, "{other}");
    }
}

async fn an_enclosure_is_a_picture_by_its_name_if_its_type_says_nothing(database: Database) {
    let titles = ["Upper Case", "Octets", "No Type", "A Sound"];
    let items: Vec<_> = titles.iter().map(|title| entry(title, PROSE)).collect();
    let enclosures = [
        "url=\"https://remote.test/P1.PNG\" type=\"IMAGE/PNG\"",
        "url=\"https://remote.test/p2.png?v=1\" type=\"application/octet-stream\"",
        "url=\"https://remote.test/p3.png\" type=\"\"",
        "url=\"https://remote.test/p4.png\" type=\"audio/mpeg\"",
    ];
    let images = ["/P1.PNG", "/p2.png?v=1", "/p3.png", "/p4.png"];
    let (_fixture, articles, _) = published(database, &items, &images, |mut feed| {
        for (title, enclosure) in titles.iter().zip(enclosures) {
            let title = format!("<title>{title}</title>");
            feed = feed.replace(&title, &format!("{title}<enclosure length=\"1\" {enclosure}/>"));
        }
        feed
    })
    .await;
    let has_poster: Vec<bool> = articles.iter().map(|article| article["image"].is_object()).collect();
    assert_eq!(has_poster, [true, true, true, false], "{titles:?}");
}

async fn addresses_are_shown_without_tracking(database: Database) {
    let mut item = entry(
        "Letter to Nobody",
        &format!(
            "{PROSE}<p><a href='https://film.example/x?id=3&amp;utm_source=third-row&amp;fbclid=a'>More</a></p>"
        ),
    );
    "https://odette.medium.example/letter-1?source=rss-aa11------2".clone_into(&mut item.link);
    let (_fixture, articles, pages) = published(database, &[item], &[], |feed| feed).await;
    assert!(content(&articles[0]).contains("href=\"https://film.example/x?id=3\""), "{}", articles[0]);
    assert!(pages[0].contains("href=\"https://odette.medium.example/letter-1\""), "{}", pages[0]);
    for shown in [&pages[0], &articles[0].to_string()] {
        for tracking in ["rss-aa11", "utm_source", "fbclid"] {
            assert!(!shown.contains(tracking), "{tracking}: {shown}");
        }
    }
}
