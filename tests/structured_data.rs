//! What feeds state in members of their own: films and ratings of Letterboxd, and episodes of podcasts.

use serde_json::json;

use crate::both_databases;
use crate::support::feed::{NAME as FEED, PATH};
use crate::support::remote::Document;
use crate::support::{Database, Fixture};

both_databases!(
    a_review_of_letterboxd_has_its_film_and_rating,
    a_diary_and_lists_are_imported_only_if_the_config_includes_them,
    an_episode_has_its_sound_with_it,
    a_column_of_three_headlines_names_the_film,
    a_column_that_the_config_names_is_known_at_once,
    texts_of_wordpress_are_shown_as_their_editor_meant_them,
    a_review_in_microdata_names_its_film,
);

async fn fixture(database: Database, feed: String, more: &str) -> Fixture {
    let fixture = Fixture::with(database, |remote, settings| {
        remote.serve_feed(&[]);
        settings.feed(FEED, &remote.url(PATH), more)
    })
    .await;
    fixture.follow(&fixture.alice).await;
    fixture.remote.serve(PATH, Document::new("application/rss+xml; charset=utf-8", feed));
    fixture.poll().await;
    fixture.settle().await;
    fixture
}

fn now() -> String {
    crate::support::signature::http_date(crate::support::now())
}

/// An item of Letterboxd. `members` are those of its own namespaces.
fn film(kind: &str, number: u32, title: &str, members: &str, description: &str) -> String {
    format!(
        "<item><title>{title}</title><link>https://letterboxd.com/odette/film/{number}/</link>\
         <guid isPermaLink=\"false\">letterboxd-{kind}-{number}</guid><pubDate>{}</pubDate>{members}\
         <description><![CDATA[<p><img src=\"https://a.ltrbxd.example/{number}.jpg\"/></p> {description}]]></description>\
         <dc:creator>Odette</dc:creator></item>",
        now()
    )
}

fn letterboxd() -> String {
    let items = [
        film(
            "review",
            1,
            "The Ferryman&#039;s Wife, 2025 - ★★★★½",
            "<letterboxd:rewatch>Yes</letterboxd:rewatch><letterboxd:filmTitle>The Ferryman&#039;s Wife</letterboxd:filmTitle>\
             <letterboxd:filmYear>2025</letterboxd:filmYear><letterboxd:memberRating>4.5</letterboxd:memberRating>\
             <tmdb:movieId>990001</tmdb:movieId>",
            "<p>The oar does all the acting.</p>",
        ),
        film(
            "review",
            2,
            "Salt, Sand, Sea, 1974 (contains spoilers)",
            "<letterboxd:filmTitle>Salt, Sand, Sea</letterboxd:filmTitle><letterboxd:filmYear>1974</letterboxd:filmYear>\
             <tmdb:movieId>990002</tmdb:movieId>",
            "<p><em>This review may contain spoilers.</em></p> <p>The ferry sinks in the end.</p>",
        ),
        film(
            "watch",
            3,
            "Quay, 2001 - ★★",
            "<letterboxd:filmTitle>Quay</letterboxd:filmTitle><letterboxd:filmYear>2001</letterboxd:filmYear>\
             <letterboxd:memberRating>2.0</letterboxd:memberRating>",
            "<p>Watched on Sunday January 11, 2026.</p>",
        ),
        film("list", 4, "Ten ferries", "", "<ul><li>Quay</li></ul>"),
    ];
    format!(
        "<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:letterboxd=\"https://letterboxd.com\" \
         xmlns:tmdb=\"https://themoviedb.org\"><channel><title>Letterboxd - Odette</title>\
         <link>https://letterboxd.com/odette/</link>{}</channel></rss>",
        items.concat()
    )
}

async fn a_review_of_letterboxd_has_its_film_and_rating(database: Database) {
    let fixture = fixture(database, letterboxd(), "").await;
    assert_eq!(fixture.articles().await.len(), 2, "two are reviews");
    let ferryman = fixture.await_article(|article| article["name"] == "The Ferryman's Wife, 2025").await;
    let movie = ferryman["tag"].as_array().expect("tags").iter().find(|tag| tag["type"] == "Movie");
    let movie = movie.expect("a film");
    assert_eq!(movie["name"], "The Ferryman's Wife");
    assert_eq!(movie["href"], "https://www.themoviedb.org/movie/990001");
    let content = ferryman["content"].as_str().expect("content");
    assert!(content.contains("★★★★½ <em>The Ferryman&#39;s Wife</em> (2025)"), "{content}");
    assert!(ferryman["tag"].to_string().contains("#Rewatch"), "{}", ferryman["tag"]);
    let url = ferryman["url"].as_str().expect("a URL");
    assert!(url.ends_with("/the-ferrymans-wife-2025"), "{url}");

    let salt = fixture.await_article(|article| article["name"] == "Salt, Sand, Sea, 1974").await;
    assert!(!salt["content"].to_string().contains('★'));
    let summary = salt["summary"].as_str().expect("a summary");
    assert!(summary.contains("may contain spoilers") && !summary.contains("sinks"), "{summary}");
    assert_eq!((&salt["sensitive"], &ferryman["sensitive"]), (&json!(true), &json!(false)));
    assert!(fixture.page(&salt).await.text.contains("This review contains spoilers."));
    let log = fixture.app.feed_log().await;
    assert!(log.iter().any(|line| line.contains("left out films without a text and lists")), "{log:?}");
}

async fn a_diary_and_lists_are_imported_only_if_the_config_includes_them(database: Database) {
    let fixture = fixture(database, letterboxd(), "include = [\"diary\", \"lists\"]").await;
    assert_eq!(fixture.articles().await.len(), 4);
    let quay = fixture.await_article(|article| article["name"] == "Quay, 2001").await;
    assert!(quay["content"].to_string().contains("★★ <em>Quay</em> (2001)"), "{quay}");
}

/// Four episodes: with a sound, with notes besides, with nothing, and with a video.
fn podcast() -> String {
    let item = |number: u8, members: &str| {
        format!(
            "<item><title>Ep. {number}: Salt &amp; oars</title><guid isPermaLink=\"false\">ep{number}</guid>\
             <pubDate>{}</pubDate>{members}</item>",
            now()
        )
    };
    let sound = |number: u8| {
        format!("<enclosure url=\"https://pod.example/{number}.mp3\" length=\"12345\" type=\"audio/mpeg\"/>")
    };
    let items = [
        item(11, &format!("{}<itunes:duration>3000</itunes:duration>", sound(11))),
        item(
            12,
            &format!("{}<itunes:summary>We argue over a ferry for an hour.</itunes:summary>", sound(12)),
        ),
        item(13, ""),
        item(
            14,
            "<media:content url=\"https://pod.example/14.mp4\" type=\"video/mp4\" duration=\"61\"/>\
             <itunes:subtitle>A short film about a quay.</itunes:subtitle>",
        ),
    ];
    format!(
        "<rss version=\"2.0\" xmlns:itunes=\"http://www.itunes.com/dtds/podcast-1.0.dtd\" \
         xmlns:media=\"http://search.yahoo.com/mrss/\"><channel><title>Third Row, the podcast</title>\
         <link>https://pod.example/</link>{}</channel></rss>",
        items.concat()
    )
}

async fn an_episode_has_its_sound_with_it(database: Database) {
    let fixture = fixture(database, podcast(), "").await;
    assert_eq!(fixture.articles().await.len(), 3, "one has neither a text nor a sound");
    let episode = |number: u8| {
        let name = format!("Ep. {number}: Salt & oars");
        let fixture = &fixture;
        async move { fixture.await_article(|article| article["name"] == name).await }
    };
    let first = episode(11).await;
    assert_eq!(
        first["attachment"][0],
        serde_json::json!({
            "type": "Audio", "mediaType": "audio/mpeg", "url": "https://pod.example/11.mp3",
            "name": "Ep. 11: Salt & oars", "duration": "PT50M",
        })
    );
    let link = "<a href=\"https://pod.example/11.mp3\">Ep. 11: Salt &amp; oars</a> (50:00)";
    assert!(first["content"].to_string().replace("\\\"", "\"").contains(link), "{}", first["content"]);
    let page = fixture.page(&first).await;
    assert!(page.attribute("href").any(|href| href == "https://pod.example/11.mp3"));
    let second = episode(12).await;
    assert!(second["content"].to_string().contains("We argue over a ferry for an hour."));
    assert_eq!(second["attachment"][0]["duration"], serde_json::Value::Null);
    let film = episode(14).await;
    assert_eq!(
        (&film["attachment"][0]["type"], &film["attachment"][0]["duration"]),
        (&"Video".into(), &"PT1M1S".into())
    );
    assert!(film["content"].to_string().contains("A short film about a quay."));
    let log = fixture.app.feed_log().await;
    assert!(
        log.iter()
            .any(|line| line.contains("Ep. 13") && line.contains("neither a text nor a picture nor a sound")),
        "{log:?}"
    );
}

/// A feed of these headlines, each with the film that it names in the text.
fn column(headlines: &[(&str, &str)]) -> String {
    let item = |(headline, film): &(&str, &str)| {
        let slug = film.to_lowercase();
        format!(
            "<item><title>{headline}</title><link>https://crit.example/{slug}</link><guid>{slug}</guid><pubDate>{}</pubDate>\
             <description>&lt;p&gt;Nobody sleeps in {film}, and in this row nobody slept either, {film} or not.&lt;/p&gt;\
             </description></item>",
            now()
        )
    };
    let items: Vec<String> = headlines.iter().map(item).collect();
    format!("<rss version=\"2.0\"><channel><title>Row</title>{}</channel></rss>", items.concat())
}

fn names_film(article: &serde_json::Value, film: &str) -> bool {
    article["summary"].as_str().is_some_and(|summary| summary.starts_with(&format!("{film}.")))
}

async fn a_column_of_three_headlines_names_the_film(database: Database) {
    let headlines = [
        ("Horror in the 90s: Candyman", "Candyman"),
        ("Interview: Ilse Brandt", "Ilse Brandt"),
        ("Horror in the 90s: Cube", "Cube"),
        ("Interview: Ada Roos", "Ada Roos"),
        ("Horror in the 90s: Cure", "Cure"),
        ("Interview: Per Lund", "Per Lund"),
    ];
    let fixture = fixture(database, column(&headlines[..3]), "max_publish_per_poll = 20").await;
    let first = fixture.await_article(|article| article["name"] == "Horror in the 90s: Candyman").await;
    assert!(!names_film(&first, "Candyman"), "two headlines are no column: {first}");
    fixture.remote.serve(PATH, Document::new("application/rss+xml", column(&headlines)));
    fixture.poll().await;
    fixture.settle().await;
    for (headline, film) in headlines {
        let article = fixture.await_article(|article| article["name"] == headline).await;
        let article = fixture.article(&article).await;
        assert_eq!(names_film(&article, film), headline.starts_with("Horror"), "{article}");
        assert_eq!(article["updated"], serde_json::Value::Null, "what Marquee has learnt is no update");
    }
}

async fn a_column_that_the_config_names_is_known_at_once(database: Database) {
    let feed = column(&[("Horror in the 90s: Candyman", "Candyman"), ("Quick thoughts: Cube", "Cube")]);
    let fixture = fixture(database, feed, "columns = [\"Horror in the 90s\"]").await;
    let candyman = fixture.await_article(|article| article["name"] == "Horror in the 90s: Candyman").await;
    assert!(names_film(&candyman, "Candyman"), "{candyman}");
    let cube = fixture.await_article(|article| article["name"] == "Quick thoughts: Cube").await;
    assert!(!names_film(&cube, "Cube"), "{cube}");
}

async fn texts_of_wordpress_are_shown_as_their_editor_meant_them(database: Database) {
    let body = "The oar does all the acting.\n\n[gallery ids=\"7,8\"]\n\n[caption id=\"a_1\" width=\"300\"]\
        <img src=\"https://crit.example/b.jpg\" width=\"300\"> Photo: Per[/caption]\n\nHe rows [sic] on.\nAnd on.";
    let feed = format!(
        "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" xmlns:wp=\"http://wordpress.org/export/1.2/\">\
         <channel><title>Row</title><wp:wxr_version>1.2</wp:wxr_version><item><title>Ferry</title><link>https://crit.example/ferry</link>\
         <guid>1</guid><pubDate>{}</pubDate><content:encoded><![CDATA[{body}]]></content:encoded>\
         <wp:status>publish</wp:status><wp:post_type>post</wp:post_type></item></channel></rss>",
        now()
    );
    let fixture = fixture(database, feed, "").await;
    let ferry = fixture.await_article(|article| article["name"] == "Ferry").await;
    let content = ferry["content"].as_str().expect("content");
    assert!(content.contains("<p>The oar does all the acting.</p>"), "{content}");
    assert!(content.contains("<p>He rows [sic] on.<br>\nAnd on.</p>"), "{content}");
    assert!(
        content.contains("Photo: Per") && !content.contains("gallery") && !content.contains("[caption"),
        "{content}"
    );
}

async fn a_review_in_microdata_names_its_film(database: Database) {
    let body = "<div itemscope itemtype=\"https://schema.org/Review\"><div itemprop=\"itemReviewed\" itemscope itemtype=\"https://schema.org/Movie\">\
        <span itemprop=\"name\">The Ferryman</span><meta itemprop=\"dateCreated\" content=\"1974\"></div>\
        <span itemprop=\"reviewRating\" itemscope itemtype=\"https://schema.org/Rating\"><meta itemprop=\"ratingValue\" content=\"3.5\">\
        <meta itemprop=\"bestRating\" content=\"4\"></span><p>The oar does all the acting.</p></div>";
    let feed = format!(
        "<rss version=\"2.0\"><channel><title>Row</title><item><title>An oar</title><link>https://crit.example/oar</link><guid>1</guid>\
         <pubDate>{}</pubDate><description><![CDATA[{body}]]></description></item></channel></rss>",
        now()
    );
    let fixture = fixture(database, feed, "").await;
    let article = fixture.await_article(|article| article["name"] == "An oar").await;
    let summary = article["summary"].as_str().expect("a summary");
    assert!(summary.starts_with("3.5/4 The Ferryman (1974)."), "{summary}");
}
