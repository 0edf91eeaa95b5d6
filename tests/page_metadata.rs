//! Metadata for link previews and search engines: OpenGraph, share cards, JSON-LD.

use scraper::{Html, Selector};
use serde_json::{Value, json};

use crate::both_databases;
use crate::page_cache::{RawResponse, send_request};
use crate::steps;
use crate::support::config_file::url;
use crate::support::db_control::DbControl;
use crate::support::feed::markdown;
use crate::support::http::HTML;
use crate::support::{Database, Fixture};

both_databases!(pages_have_metadata);

async fn pages_have_metadata(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    steps!(&fixture, &article;
        the_front_page_and_the_critic_have_metadata,
        browse_pages_have_metadata,
        a_review_without_a_poster_has_a_share_card,
        f10_the_metadata_of_a_review_matches_its_text,
        a_share_card_changes_and_disappears_with_its_review,
        a_review_with_a_poster_shows_the_poster,
        f10_a_hostile_title_stays_escaped_in_the_head,
        a_film_has_the_same_metadata_on_all_its_pages,
    );
}

/// The parsed head of a page.
struct Head(Html);

impl Head {
    async fn fetch(fixture: &Fixture, address: &str) -> Self {
        let response = fixture.network.client.get(address, HTML).await;
        assert_eq!(response.status, 200, "{address}: {}", response.body);
        Self(Html::parse_document(&response.body))
    }

    /// The content of the `<meta>` with this property or name.
    fn meta(&self, name: &str) -> Option<String> {
        let found = Selector::parse(&format!("head > meta[property='{name}'], head > meta[name='{name}']"));
        let mut all = self.0.select(found.as_ref().expect("a selector"));
        let first = all.next()?.attr("content").map(str::to_owned);
        assert!(all.next().is_none(), "{name} occurs once");
        first
    }

    /// The only JSON-LD object of the page.
    fn json_ld(&self) -> Value {
        let scripts = Selector::parse("script").expect("a selector");
        let all: Vec<_> = self.0.select(&scripts).filter(|script| script.attr("src").is_none()).collect();
        let [script] = all.as_slice() else { panic!("{} scripts", all.len()) };
        assert_eq!(script.attr("type"), Some("application/ld+json"), "the only script element is JSON-LD");
        let json_ld: Value = serde_json::from_str(&script.text().collect::<String>()).expect("JSON");
        assert_eq!(json_ld["@context"], "https://schema.org");
        json_ld
    }
}

fn page_of(article: &Value) -> &str {
    article["url"].as_str().expect("a page")
}

async fn get(fixture: &Fixture, address: &str, headers: &[(&str, &str)]) -> RawResponse {
    send_request(&fixture.app, "GET", address, headers).await
}

/// The width and height of a valid PNG.
fn size_of(png: &[u8]) -> (u32, u32) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    reader.next_frame(&mut pixels).expect("a complete image");
    assert!(pixels.iter().any(|byte| *byte != pixels[0]), "the image is not empty");
    (reader.info().width, reader.info().height)
}

async fn a_review_without_a_poster_has_a_share_card(fixture: &Fixture, article: &Value) {
    let head = Head::fetch(fixture, page_of(article)).await;
    let address = head.meta("og:image").expect("an image");
    assert!(address.starts_with(&format!("{}/card.png?v=", page_of(article))), "{address}");
    assert_eq!(head.meta("og:image:width").as_deref(), Some("1200"));
    assert_eq!(head.meta("og:image:height").as_deref(), Some("630"));
    assert_eq!(head.meta("og:image:type").as_deref(), Some("image/png"));
    assert!(head.meta("og:image:alt").is_some_and(|alt| alt.contains("The Night Ferry")));
    assert_eq!(head.meta("twitter:card").as_deref(), Some("summary_large_image"));
    let card = get(fixture, &address, &[]).await;
    assert_eq!((card.status, card.header("content-type")), (200, "image/png"));
    assert_eq!(card.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(size_of(&card.body), (1200, 630));
    let again = get(fixture, &address, &[("if-none-match", card.header("etag"))]).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    // Any other version returns the current card, which may change.
    for other in ["", "?v=0", "?v=%FF", "?x=y"] {
        let address = format!("{}/card.png{other}", page_of(article));
        let now = get(fixture, &address, &[]).await;
        assert_eq!((now.status, now.header("cache-control")), (200, "no-cache"), "{other}");
        assert_eq!(now.body, card.body);
    }
}

async fn a_share_card_changes_and_disappears_with_its_review(fixture: &Fixture, article: &Value) {
    let before = Head::fetch(fixture, page_of(article)).await.meta("og:image").expect("an image");
    let first = get(fixture, &before, &[]).await;
    let slug = page_of(article).rsplit('/').next().expect("a slug");
    let file = fixture.app.write("new.md", &markdown("The Day Ferry", "The Night Ferry", "By daylight."));
    fixture.app.command_output(&["revise", slug, &file]).await;
    let after = Head::fetch(fixture, page_of(article)).await.meta("og:image").expect("an image");
    assert_ne!(before, after, "caches must fetch it again");
    assert_ne!(get(fixture, &after, &[]).await.body, first.body);
    let old = get(fixture, &before, &[]).await;
    assert_eq!((old.status, old.header("cache-control")), (200, "no-cache"));
    fixture.app.command_output(&["retract", slug]).await;
    assert_eq!(get(fixture, &after, &[]).await.status, 410);
    assert_eq!(get(fixture, &url("/reviews/no-such-review/card.png"), &[]).await.status, 404);
}

/// A small PNG.
fn small_png() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 20, 30);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("a head");
    writer.write_image_data(&[128; 600]).expect("pixels");
    writer.finish().expect("an end");
    file
}

async fn a_review_with_a_poster_shows_the_poster(fixture: &Fixture, _article: &Value) {
    std::fs::write(fixture.app.folder().file("poster.png"), small_png()).expect("a file");
    let text = markdown("Salt", "Salt", "It leaves at six.");
    let text = text.replacen("---\n", "---\nposter: poster.png\nposter_alt: A ferry\n", 1);
    let file = fixture.app.write("review.md", &text);
    fixture.app.command_output(&["publish", &file]).await;
    let article = fixture.await_article(|article| article["name"] == "Salt").await;
    let head = Head::fetch(fixture, page_of(&article)).await;
    let poster = article["image"]["url"].as_str().expect("a poster");
    assert_eq!(head.meta("og:image").as_deref(), Some(poster));
    assert_eq!(head.meta("og:image:alt").as_deref(), Some("A ferry"));
    assert_eq!(head.meta("og:image:width").as_deref(), Some("20"));
    assert_eq!(head.meta("twitter:card").as_deref(), Some("summary"));
    assert_eq!(head.json_ld()["itemReviewed"]["image"], poster);
}

async fn f10_the_metadata_of_a_review_matches_its_text(fixture: &Fixture, article: &Value) {
    fixture.comment(&fixture.alice, article, "Who waves at ferries").await;
    let head = Head::fetch(fixture, page_of(article)).await;
    assert_eq!(head.meta("og:type").as_deref(), Some("article"));
    assert_eq!(head.meta("og:site_name").as_deref(), Some("The Test Reel"));
    assert_eq!(head.meta("og:locale").as_deref(), Some("en"));
    assert_eq!(head.meta("article:published_time").as_deref(), article["published"].as_str());
    assert_eq!(head.meta("article:author"), Some(url("/@critic")));
    assert_eq!(head.meta("article:tag").as_deref(), Some("Ferries"));
    let review = head.json_ld();
    let member = |path: &str| review.pointer(path).cloned().unwrap_or_default();
    for (path, expected) in [
        ("/@type", json!("Review")),
        ("/url", json!(page_of(article))),
        ("/name", json!("The Night Ferry")),
        ("/datePublished", article["published"].clone()),
        ("/dateModified", Value::Null),
        ("/inLanguage", json!("en")),
        ("/keywords", json!(["Ferries"])),
        ("/author/@type", json!("Person")),
        ("/author/name", json!("The Critic")),
        ("/author/url", json!(url("/@critic"))),
        ("/publisher/name", json!("The Test Reel")),
        ("/itemReviewed/@type", json!("Movie")),
        ("/itemReviewed/name", json!("The Night Ferry")),
        ("/itemReviewed/dateCreated", json!("2021")),
        ("/itemReviewed/url", json!(url("/films/the-night-ferry-2021"))),
        ("/itemReviewed/director/0/name", json!("Ada Lindqvist")),
        ("/itemReviewed/director/0/url", json!(url("/people/ada-lindqvist"))),
        ("/itemReviewed/director/1", Value::Null),
        ("/itemReviewed/actor", Value::Null),
        ("/reviewRating", json!({"@type": "Rating", "ratingValue": 4, "bestRating": 5, "worstRating": 0})),
        ("/commentCount", json!(1)),
        ("/interactionStatistic/0/interactionType/@type", json!("LikeAction")),
        ("/interactionStatistic/2/userInteractionCount", json!(1)),
    ] {
        assert_eq!(member(path), expected, "{path} of {review}");
    }
    for (rating, expected) in [
        ("B+", Value::Null),
        ("8/10", json!({"@type": "Rating", "ratingValue": 8, "bestRating": 10, "worstRating": 0})),
        ("3.5/5", json!({"@type": "Rating", "ratingValue": 3.5, "bestRating": 5, "worstRating": 0})),
    ] {
        let text = markdown("The Night Ferry", "The Night Ferry", "Again.").replace("★★★★", rating);
        let file = fixture.app.write("graded.md", &text);
        let slug = page_of(article).rsplit('/').next().expect("a slug");
        fixture.app.command_output(&["revise", slug, &file]).await;
        let review = Head::fetch(fixture, page_of(article)).await.json_ld();
        assert_eq!(review.get("reviewRating").cloned().unwrap_or_default(), expected, "{rating}");
        assert!(review["dateModified"].is_string());
    }
}

async fn f10_a_hostile_title_stays_escaped_in_the_head(fixture: &Fixture, _article: &Value) {
    let hostile = "</script><!--<script>alert(1)//\"><img src=x>&amp;";
    let text = markdown(hostile, hostile, "It leaves at six.").replace("Ferries", "</script><b>x");
    let file = fixture.app.write("hostile.md", &text);
    fixture.app.command_output(&["publish", &file]).await;
    let article = fixture
        .await_article(|article| article["name"].as_str().is_some_and(|name| name.contains("alert(1)")))
        .await;
    let head = Head::fetch(fixture, page_of(&article)).await;
    let review = head.json_ld();
    let title = review["name"].as_str().expect("a title");
    assert!(title.contains("</script><!--<script>alert(1)"), "{title}");
    assert_eq!(head.meta("og:title").as_deref(), Some(title));
    assert_eq!(review["itemReviewed"]["name"], title);
    let card = get(fixture, &head.meta("og:image").expect("a card"), &[]).await;
    assert_eq!(size_of(&card.body), (1200, 630));
    // Without the title of a film, it is an Article instead of a Review.
    let without_film = text.lines().filter(|line| !line.starts_with("film:")).collect::<Vec<_>>().join("\n");
    let file = fixture.app.write("without_film.md", &without_film);
    let slug = page_of(&article).rsplit('/').next().expect("a slug");
    fixture.app.command_output(&["revise", slug, &file]).await;
    let article = fixture.article(&article).await;
    let article_data = Head::fetch(fixture, page_of(&article)).await.json_ld();
    assert_eq!((&article_data["@type"], article_data.get("itemReviewed")), (&json!("Article"), None));
}

async fn the_front_page_and_the_critic_have_metadata(fixture: &Fixture, _article: &Value) {
    let home = Head::fetch(fixture, &url("/")).await;
    assert_eq!(home.meta("og:type").as_deref(), Some("website"));
    assert_eq!(home.meta("og:title").as_deref(), Some("The Test Reel"));
    assert_eq!(home.meta("og:description").as_deref(), Some("Sits in the third row."));
    let site_data = home.json_ld();
    assert_eq!((&site_data["@type"], &site_data["name"]), (&json!("WebSite"), &json!("The Test Reel")));
    assert_eq!(site_data["potentialAction"]["@type"], "SearchAction");
    assert_eq!(site_data["potentialAction"]["target"]["urlTemplate"], url("/search?q={search_term_string}"));
    let profile = Head::fetch(fixture, &url("/@critic")).await;
    assert_eq!(profile.meta("og:type").as_deref(), Some("profile"));
    assert_eq!(profile.meta("profile:username").as_deref(), Some("critic"));
    assert_eq!(profile.meta("og:url"), Some(url("/@critic")));
    let profile_data = profile.json_ld();
    assert_eq!(
        (&profile_data["@type"], &profile_data["mainEntity"]["@type"]),
        (&json!("ProfilePage"), &json!("Person"))
    );
    assert_eq!(profile_data["mainEntity"]["name"], "The Critic");
    assert_eq!(profile_data["mainEntity"]["alternateName"], "@critic@marquee.test");
}

async fn browse_pages_have_metadata(fixture: &Fixture, _article: &Value) {
    for (path, form, kind, title, description) in [
        ("/films/the-night-ferry-2021", "video.movie", "Movie", "The Night Ferry", "1 review"),
        (
            "/people/ada-lindqvist",
            "profile",
            "Person",
            "Ada Lindqvist",
            "All reviews of films that Ada Lindqvist worked on.",
        ),
        (
            "/people/ada-lindqvist?as=director",
            "profile",
            "Person",
            "Ada Lindqvist",
            "All reviews of films directed by Ada Lindqvist.",
        ),
        ("/tags/ferries", "website", "CollectionPage", "#Ferries", "1 review"),
        ("/reviews", "website", "CollectionPage", "All reviews", "1 review"),
    ] {
        let head = Head::fetch(fixture, &url(path)).await;
        assert_eq!(head.meta("og:type").as_deref(), Some(form), "{path}");
        assert_eq!(head.meta("og:title").as_deref(), Some(title), "{path}");
        assert_eq!(head.meta("og:description").as_deref(), Some(description), "{path}");
        assert_eq!(head.meta("og:url"), Some(url(path)));
        let data = head.json_ld();
        assert_eq!((&data["@type"], &data["name"]), (&json!(kind), &json!(title)), "{path}");
        assert_eq!(data["@context"], "https://schema.org");
    }
}

/// Repeats the newest review of the film thirty times in the index, so that the older one is on another page.
const REPEAT_NEWEST: &str = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 30)
     insert into browse_index (review_id, original_date, kind, slug, roles, name, sort)
     select review_id, original_date + i, kind, slug, roles, name, sort from n, (
        select * from browse_index where kind = 'film' order by original_date desc, review_id desc limit 1) newest";

async fn a_film_has_the_same_metadata_on_all_its_pages(fixture: &Fixture, _article: &Value) {
    let full_credits = markdown("Before", "The Morning Ferry", "It leaves at six.");
    let full_credits = full_credits.replacen("---\n", "---\nstarring: [\"Cleo Marsh\", \"Dov Adler\"]\n", 1);
    for (name, text) in
        [("long.md", full_credits), ("short.md", markdown("After", "The Morning Ferry", "It left."))]
    {
        let file = fixture.app.write(name, &text);
        fixture.app.command_output(&["publish", &file]).await;
    }
    let load = async |page: u32| {
        let path = url(&format!("/films/the-morning-ferry-2021?page={page}"));
        let response = fixture.network.client.get(&path, HTML).await;
        assert_eq!(response.status, 200, "{path}");
        let document = Html::parse_document(&response.body);
        let text = |selector: &str| {
            let found = Selector::parse(selector).expect("a selector");
            let texts = document.select(&found).flat_map(|element| element.text().collect::<Vec<_>>());
            texts.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        (text("dl.of-film"), text(".ledger-title, .card-title"))
    };
    DbControl::connect(&fixture.app).await.execute(REPEAT_NEWEST).await;
    let (first, second) = (load(1).await, load(2).await);
    assert!(second.1.contains("Before") && !first.1.contains("Before"), "{first:?} {second:?}");
    assert!(first.0.contains("Ada Lindqvist") && !first.0.contains("Cleo Marsh"), "{first:?}");
    assert_eq!(first.0, second.0);
}
