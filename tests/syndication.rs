//! Feeds and sitemaps.

use feed_rs::model::{Feed, FeedType};
use feed_rs::parser;
use serde_json::Value;

use crate::both_databases;
use crate::steps;
use crate::support::activities::id_of;
use crate::support::config_file::url;
use crate::support::db_control::DbControl;
use crate::support::feed::markdown;
use crate::support::http::{HTML, Response};
use crate::support::page::Page;
use crate::support::{Database, Fixture, eventually};

both_databases!(feeds_and_sitemaps_contain_the_reviews, the_sitemap_is_split_into_parts);

async fn feeds_and_sitemaps_contain_the_reviews(database: Database) {
    let fixture = Fixture::new(database).await;
    let first = fixture.publish("The Night Ferry").await;
    let second = fixture.publish("Salt & <Smoke>").await;
    steps!(&fixture, &first, &second;
        every_feed_contains_each_review_with_all_its_metadata,
        a_critic_and_a_tag_have_feeds_of_their_own,
        pages_link_to_their_feeds,
        the_sitemap_lists_every_review,
        a_feed_shows_a_revision_and_no_retracted_review,
    );
}

const FEEDS: [(&str, &str, FeedType); 3] = [
    ("feed.xml", "application/rss+xml; charset=utf-8", FeedType::RSS2),
    ("atom.xml", "application/atom+xml; charset=utf-8", FeedType::Atom),
    ("feed.json", "application/feed+json", FeedType::JSON),
];

async fn get(fixture: &Fixture, path: &str) -> Response {
    fixture.network.client.get(&url(path), "*/*").await
}

async fn read(fixture: &Fixture, path: &str) -> Feed {
    let response = get(fixture, path).await;
    assert_eq!(response.status, 200, "{path}: {}", response.body);
    parser::parse(response.body.as_bytes())
        .unwrap_or_else(|error| panic!("{path}: {error}: {}", response.body))
}

fn titles(feed: &Feed) -> Vec<&str> {
    feed.entries.iter().map(|entry| entry.title.as_ref().map_or("", |title| &title.content)).collect()
}

async fn every_feed_contains_each_review_with_all_its_metadata(
    fixture: &Fixture,
    first: &Value,
    second: &Value,
) {
    for (file, media_type, kind) in FEEDS {
        let path = format!("/{file}");
        assert_eq!(get(fixture, &path).await.header("content-type"), media_type);
        let feed = read(fixture, &path).await;
        assert_eq!(feed.feed_type, kind);
        assert_eq!(titles(&feed), ["Salt & <Smoke>", "The Night Ferry"], "{file}");
        for (entry, article) in feed.entries.iter().zip([second, first]) {
            assert_eq!(entry.id, id_of(article), "{file}: the id of the Article");
            assert_eq!(entry.links[0].href, article["url"].as_str().expect("a page"), "{file}");
            let content = entry.content.as_ref().and_then(|content| content.body.as_deref());
            assert_eq!(content, article["content"].as_str(), "{file}: the complete review");
            assert!(entry.published.is_some(), "{file}");
            let summary = entry.summary.as_ref().map(|summary| summary.content.as_str());
            assert_eq!(summary, article["summary"].as_str(), "{file}");
            assert!(
                entry.categories.iter().any(|tag| tag.term == "Ferries"),
                "{file}: {:?}",
                entry.categories
            );
            assert_eq!(entry.authors.len(), 1, "{file}");
        }
    }
}

async fn a_critic_and_a_tag_have_feeds_of_their_own(fixture: &Fixture, _first: &Value, _second: &Value) {
    for (file, ..) in FEEDS {
        for folder in ["/@critic", "/tags/ferries"] {
            assert_eq!(
                titles(&read(fixture, &format!("{folder}/{file}")).await),
                ["Salt & <Smoke>", "The Night Ferry"]
            );
        }
        for unknown in ["/@nobody", "/critic", "/tags/nothing", "/reviews"] {
            assert_eq!(get(fixture, &format!("{unknown}/{file}")).await.status, 404, "{unknown}/{file}");
        }
    }
    for path in ["/@critic/other.xml", "/tags/ferries/feed", "/@critic/"] {
        assert_eq!(get(fixture, path).await.status, 404, "{path}");
    }
}

async fn a_feed_shows_a_revision_and_no_retracted_review(fixture: &Fixture, first: &Value, _second: &Value) {
    let page = first["url"].as_str().expect("a page");
    let file = fixture.app.write("revised.md", &markdown("The Day Ferry", "The Night Ferry", "By daylight."));
    fixture.app.command_output(&["revise", page, &file]).await;
    for (file, ..) in FEEDS {
        let path = format!("/{file}");
        eventually("the revision in the feed", || async {
            let feed = read(fixture, &path).await;
            (titles(&feed) == ["Salt & <Smoke>", "The Day Ferry"]).then_some(())
        })
        .await;
    }
    fixture.app.command_output(&["retract", page]).await;
    for (file, ..) in FEEDS {
        let path = format!("/{file}");
        eventually("the retracted review to leave the feed", || async {
            (titles(&read(fixture, &path).await) == ["Salt & <Smoke>"]).then_some(())
        })
        .await;
    }
}

async fn pages_link_to_their_feeds(fixture: &Fixture, first: &Value, _second: &Value) {
    let review = first["url"].as_str().expect("a page");
    let feeds = async |address: &str| -> Vec<String> {
        let page = Page::parse(&fixture.network.client.get(address, HTML).await.body);
        let is_feed =
            |value: &str| ["rss+xml", "atom+xml", "feed+json"].iter().any(|end| value.ends_with(end));
        let links = page.elements.into_iter().filter(|(name, _)| name == "link");
        let value = |attributes: &[(String, String)], key: &str| {
            attributes.iter().find(|(name, _)| name == key).map(|(_, found)| found.clone())
        };
        links
            .filter(|(_, attributes)| {
                value(attributes, "type").is_some_and(|media_type| is_feed(&media_type))
            })
            .filter_map(|(_, attributes)| value(&attributes, "href"))
            .collect()
    };
    let site_feeds = ["/feed.xml", "/atom.xml", "/feed.json"];
    assert_eq!(feeds(review).await, site_feeds);
    assert_eq!(feeds(&url("/")).await, site_feeds);
    for folder in ["/@critic", "/tags/ferries"] {
        let own = site_feeds.map(|feed| format!("{folder}{feed}"));
        assert_eq!(
            feeds(&url(folder)).await,
            [own.to_vec(), site_feeds.map(str::to_owned).to_vec()].concat()
        );
    }
}

/// The URLs in a sitemap or a sitemap index.
async fn urls_in(fixture: &Fixture, map: &str) -> Vec<String> {
    let response = fixture.network.client.get(map, "*/*").await;
    assert_eq!(
        (response.status, response.header("content-type")),
        (200, "application/xml; charset=utf-8"),
        "{map}"
    );
    // The templates escape slashes.
    let text = response.body.replace("&#x2f;", "/");
    let urls = text.split("<loc>").skip(1).filter_map(|rest| rest.split_once("</loc>"));
    urls.map(|(url, _)| url.to_owned()).collect()
}

/// All URLs in the sitemaps of the site.
async fn sitemap_urls(fixture: &Fixture) -> Vec<String> {
    let robots = get(fixture, "/robots.txt").await.body;
    let map = robots.lines().find_map(|line| line.strip_prefix("Sitemap: ")).expect("a sitemap");
    let mut all = Vec::new();
    for part in urls_in(fixture, map).await {
        all.extend(urls_in(fixture, &part).await);
    }
    all
}

async fn the_sitemap_lists_every_review(fixture: &Fixture, _first: &Value, _second: &Value) {
    let third = fixture.publish("The Ferryman").await;
    let page = third["url"].as_str().expect("a page");
    let urls = sitemap_urls(fixture).await;
    let film = url("/films/the-night-ferry-2021");
    for expected in
        [url("/"), url("/reviews"), url("/@critic"), page.to_owned(), film, url("/people/ada-lindqvist")]
    {
        assert!(urls.contains(&expected), "{expected}: {urls:?}");
    }
    fixture.app.command_output(&["retract", page]).await;
    eventually("the retracted review to leave the sitemap", || async {
        (!sitemap_urls(fixture).await.contains(&page.to_owned())).then_some(())
    })
    .await;
}

async fn the_sitemap_is_split_into_parts(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let page = article["url"].as_str().expect("a page");
    // Inserted directly, since a test cannot publish that many.
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute(
        "insert into reviews (id, critic_id, create_id, slug, state, title, body, teaser, film, film_key, tags,
            original_date, released_at, created_at, browse_indexed)
         with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 5000)
         select '01ARZ3NDEKTSV4RRFFQ6' || substr(cast(1000000 + n as text), 2), (select id from critics),
            '01ARZ3NDEKTSV4RRFFQ7' || substr(cast(1000000 + n as text), 2), 'seeded-' || n, 'archive', 'Seeded', '', '',
            '{}', '', '[]', n, n, n, 1 from numbers",
    )
    .await;
    db.execute(
        "insert into browse_index (kind, slug, original_date, review_id, roles, name, sort)
         select 'all', '', original_date, id, 0, '', '' from reviews where slug like 'seeded-%'",
    )
    .await;
    let map = url("/sitemap.xml");
    let part = |name: &str| format!("{map}?part={name}");
    let parts = urls_in(&fixture, &map).await;
    assert_eq!(parts, ["lists", "reviews-1", "reviews-2", "films-1", "people-1"].map(part));
    let (first, second) = (urls_in(&fixture, &parts[1]).await, urls_in(&fixture, &parts[2]).await);
    let seeded: Vec<String> = (1..=5_000).map(|number| url(&format!("/reviews/seeded-{number}"))).collect();
    assert_eq!(first, seeded, "the oldest reviews are in the first part");
    assert_eq!(second, [page]);
    for unknown in
        ["reviews-3", "reviews-0", "reviews-01", "reviews-", "reviews", "4294967295", "films-4294967295", ""]
    {
        assert_eq!(fixture.network.client.get(&part(unknown), "*/*").await.status, 404, "{unknown}");
    }
    // Comments do not change a sitemap.
    let renderings = |name: &str| {
        let line = format!("rendered kind=Sitemap name={name:?}");
        fixture.app.log().iter().filter(|logged| logged.contains(&line)).count()
    };
    eventually("the parts in the log", || async { (renderings("reviews-2") == 1).then_some(()) }).await;
    fixture.comment(&fixture.alice, &article, "I read maps").await;
    for part in [&map, &parts[1], &parts[2], &parts[0]] {
        urls_in(&fixture, part).await;
    }
    eventually("the last part in the log", || async { (renderings("lists") == 1).then_some(()) }).await;
    assert_eq!((renderings(""), renderings("reviews-1"), renderings("reviews-2")), (1, 1, 1));
}
