//! Unusual URLs, as requested by crawlers and scripts.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::both_databases;
use crate::steps;
use crate::support::config_file::url;
use crate::support::http::{HTML, Response};
use crate::support::{Database, Fixture, eventually};

both_databases!(unusual_urls_are_handled);

async fn unusual_urls_are_handled(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    steps!(&fixture, &article;
        a_list_is_cached_once_for_all_spellings_of_its_url,
        g1_a_nul_in_a_url_is_a_bad_request,
        a_page_beyond_the_last_does_not_exist,
        another_spelling_of_a_tag_leads_to_its_page,
    );
}

async fn get(fixture: &Fixture, path: &str) -> Response {
    fixture.network.client.get(&url(path), HTML).await
}

async fn g1_a_nul_in_a_url_is_a_bad_request(fixture: &Fixture, article: &Value) {
    let review =
        article["url"].as_str().and_then(|page| page.strip_prefix(&url(""))).expect("a page of this site");
    for path in [
        "/films?letter=%00",
        "/people?letter=%00",
        "/tags?letter=%00",
        "/search?q=%00",
        "/search?q=ferry%00",
        "/search?q=ferry&year=%00",
        "/search?q=ferry&rating=4.5%00",
        "/search?q=ferry&tag=%00",
        "/search?q=ferry&person=%00",
        "/search?q=ferry&critic=%00",
        "/search?q=ferry&critic=@critic%00",
        "/search?q=ferry&page=%00",
        "/reviews?page=%00",
        "/people/ada-lindqvist?as=%00",
        &format!("{review}?sort=%00"),
        &format!("{review}/comments?sort=%00"),
        &format!("{review}/card.png?v=%00"),
        &format!("/oembed?url={}%00", url(review)),
        "/assets/style.css?v=%00",
        "/no/such/place?%00",
    ] {
        let response = get(fixture, path).await;
        assert_eq!(response.status, 400, "{path}: {}", response.body);
        assert!(response.body.contains("Invalid request"), "{path}: {}", response.body);
    }
    // A NUL that is escaped twice is rejected after the second decoding: the page does not exist.
    for slug in ["%2500", "the-night-ferry%2500", "%25FF"] {
        let path = format!("/oembed?url={}", url(&format!("/reviews/{slug}")));
        assert_eq!(get(fixture, &path).await.status, 404, "{path}");
    }
    for resource in [url("/reviews/%2500"), url("/@critic%2500")] {
        let path = format!("/.well-known/webfinger?resource={resource}");
        assert_eq!(fixture.network.client.get(&url(&path), "*/*").await.status, 404, "{path}");
    }
}

async fn a_list_is_cached_once_for_all_spellings_of_its_url(fixture: &Fixture, _article: &Value) {
    let lists = [
        ("erries?", ["/tags/ferries", "/tags/%66erries", "/tags/f%65rr%69es"]),
        ("ratings", ["/ratings/4", "/ratings/%34", "/ratings/%34?page=1"]),
        (
            "ferry-2021?",
            ["/films/the-night-ferry-2021", "/films/the%2Dnight-ferry-2021", "/films/%74he-night-ferry-2021"],
        ),
        ("lindqvist?", ["/people/ada-lindqvist", "/people/%61da-lindqvist", "/people/ada%2dlindqvist"]),
        ("erries/atom", ["/tags/ferries/atom.xml", "/tags/%66erries/atom.xml", "/tags/ferries/%61tom.xml"]),
        (
            "lindqvist/feed",
            [
                "/people/ada-lindqvist/feed.json",
                "/people/%61da-lindqvist/feed.json",
                "/people/ada-lindqvist/feed%2Ejson",
            ],
        ),
        ("critic/feed", ["/@critic/feed.xml", "/@Critic/feed.xml", "/%40cRITIC/feed.xml"]),
    ];
    for path in lists.iter().flat_map(|(_, spellings)| spellings) {
        assert_eq!(get(fixture, path).await.status, 200, "{path}");
    }
    // This list is requested last, so it is the last one rendered.
    assert_eq!(get(fixture, "/people?letter=l").await.status, 200);
    let cached_names = |part: &str| -> BTreeSet<String> {
        let log = fixture.app.log();
        let rendered = log.iter().filter(|line| line.contains("rendered kind=List"));
        let names = rendered.filter_map(|line| Some(line.split_once("name=")?.1.to_owned()));
        names.filter(|name| name.to_lowercase().contains(part)).collect()
    };
    eventually("the last list", || async { (!cached_names("letter=l").is_empty()).then_some(()) }).await;
    for (part, _) in lists {
        let names = cached_names(part);
        assert_eq!(names.len(), 1, "{part}: {names:?}");
    }
}

async fn a_page_beyond_the_last_does_not_exist(fixture: &Fixture, _article: &Value) {
    for list in [
        "/@critic",
        "/reviews",
        "/films",
        "/people",
        "/tags",
        "/films/the-night-ferry-2021",
        "/people/ada-lindqvist",
        "/tags/ferries",
        "/ratings/4",
    ] {
        assert_eq!(get(fixture, &format!("{list}?page=1")).await.status, 200, "{list}");
        for beyond in [2, 999, 100_000] {
            let response = get(fixture, &format!("{list}?page={beyond}")).await;
            assert_eq!(response.status, 404, "{list} {beyond}");
            assert!(response.body.contains("Page not found"), "{}", response.body);
        }
    }
}

async fn another_spelling_of_a_tag_leads_to_its_page(fixture: &Fixture, _article: &Value) {
    for (spelled, path) in [
        ("/tags/Ferries", "/tags/ferries"),
        ("/tags/%20f%C3%A9rries?page=2", "/tags/ferries?page=2"),
        ("/tags/FERRIES/feed.xml", "/tags/ferries/feed.xml"),
    ] {
        let response = get(fixture, spelled).await;
        assert_eq!((response.status, response.header("location")), (308, url(path).as_str()), "{spelled}");
    }
    for path in ["/tags/Nothing", "/tags/Nothing/feed.xml", "/tags/FERRIES/none.xml"] {
        assert_eq!(get(fixture, path).await.status, 404, "{path}");
    }
}
