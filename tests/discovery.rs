//! How the critic is found: WebFinger, NodeInfo, host-meta, the heads of pages, and content negotiation.

use serde_json::{Value, json};

use crate::both_databases;
use crate::steps;
use crate::support::activities::id_of;
use crate::support::config_file::{HOST, quoted, url};
use crate::support::http::{AS2, HTML, Response};
use crate::support::page::Page;
use crate::support::{Database, Fixture};

both_databases!(the_critic_and_the_reviews_can_be_found, a_handle_may_be_on_another_domain);

async fn the_critic_and_the_reviews_can_be_found(database: Database) {
    let fixture = Fixture::with(database, |_, settings| {
        let links = "[{ name = \"The old blog\", url = \"https://old.test/films/\" }]";
        settings.set("critics", "links", links).set("critics", "attribution_domains", "[\"old.test\"]")
    })
    .await;
    let article = fixture.publish("The Night Ferry").await;
    steps!(&fixture, &article;
        nodeinfo_describes_the_site,
        webfinger_finds_the_critic_by_every_name,
        webfinger_rejects_invalid_and_unknown_resources,
        every_url_serves_the_representation_that_is_requested,
        pages_name_their_author,
        g9_no_cache_mixes_a_page_and_a_document,
    );
}

async fn webfinger(fixture: &Fixture, resource: &str) -> Response {
    let resource: String = url::form_urlencoded::byte_serialize(resource.as_bytes()).collect();
    let address = url(&format!("/.well-known/webfinger?resource={resource}"));
    fixture.network.client.get(&address, "application/jrd+json").await
}

fn link<'j>(jrd: &'j Value, rel: &str) -> Option<&'j Value> {
    jrd["links"].as_array().expect("links").iter().find(|link| link["rel"] == rel)
}

async fn webfinger_finds_the_critic_by_every_name(fixture: &Fixture, article: &Value) {
    let review = article["url"].as_str().expect("a page");
    let key = fixture.critic["publicKey"]["id"].as_str().expect("a key");
    for resource in [
        format!("acct:critic@{HOST}"),
        format!("acct:CRITIC@{}", HOST.to_uppercase()),
        format!("@critic@{HOST}"),
        fixture.actor().to_owned(),
        key.to_owned(),
        url("/"),
        url("/@critic"),
        url("/%40Critic"),
        url(&format!("/@critic@{HOST}")),
        url("/@critic?page=2"),
        review.to_owned(),
        id_of(article).to_owned(),
    ] {
        let response = webfinger(fixture, &resource).await;
        assert_eq!(response.status, 200, "{resource}: {}", response.body);
        assert_eq!(response.header("content-type"), "application/jrd+json");
        assert_eq!(response.header("access-control-allow-origin"), "*");
        let jrd = response.json();
        assert_eq!(jrd["subject"], format!("acct:critic@{HOST}"), "{resource}");
        assert_eq!(link(&jrd, "self").expect("a link")["href"], fixture.actor());
        assert_eq!(link(&jrd, "self").expect("a link")["type"], "application/activity+json");
        assert_eq!(
            link(&jrd, "http://webfinger.net/rel/profile-page").expect("a link")["href"],
            url("/@critic")
        );
        // Nobody can log in here, so there is no remote interaction for local users.
        assert!(link(&jrd, "http://ostatus.org/schema/1.0/subscribe").is_none());
        assert!(!jrd.to_string().contains("3b86"), "{jrd}");
    }
    let only = url(&format!("/.well-known/webfinger?resource=acct:critic@{HOST}&rel=self&rel=nothing"));
    let only = fixture.network.client.get(&only, "*/*").await.json();
    assert_eq!(only["links"].as_array().expect("links").len(), 1, "{only}");
    let site = webfinger(fixture, &format!("acct:{HOST}@{HOST}")).await.json();
    assert_eq!(link(&site, "self").expect("a link")["href"], url("/ap/actor"));
}

async fn webfinger_rejects_invalid_and_unknown_resources(fixture: &Fixture, _article: &Value) {
    let unknown = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    for resource in [
        format!("acct:nobody@{HOST}"),
        "acct:critic@elsewhere.test".to_owned(),
        "https://elsewhere.test/@critic".to_owned(),
        format!("http://{HOST}/@critic"),
        format!("https://{HOST}:444/@critic"),
        url("/@nobody"),
        url("/reviews/no-such-review"),
        url("/@critic/../secret"),
        url(&format!("/ap/actor/{unknown}")),
        url(&format!("/ap/article/{unknown}")),
        url(&format!("/ap/note/{unknown}")),
        url("/@%00"),
        url("/@' or 1=1 --"),
    ] {
        let response = webfinger(fixture, &resource).await;
        assert!(matches!(response.status, 400 | 404), "{resource}: {}", response.status);
        assert!(!resource.contains("elsewhere") || response.status == 404, "{resource}: {}", response.status);
    }
    for resource in [
        "",
        "critic",
        "acct:",
        "acct:critic",
        "mailto:critic@marquee.test",
        "acct:a\u{0}@marquee.test",
        "%ff",
    ] {
        assert_eq!(webfinger(fixture, resource).await.status, 400, "{resource}");
    }
    for query in [
        "",
        "?rel=self",
        "?resource=acct:critic@marquee.test&resource=acct:eve@marquee.test",
        "?resource=%FF",
    ] {
        let response =
            fixture.network.client.get(&url(&format!("/.well-known/webfinger{query}")), "*/*").await;
        assert_eq!(response.status, 400, "{query}");
    }
    for path in ["/@%00", "/reviews/%00", "/tags/%00", "/media/%00", "/ap/actor/%00", "/%00"] {
        assert_eq!(fixture.app.get_page(path).await.status, 400, "{path}");
    }
    let long = format!("acct:{}@{HOST}", "c".repeat(3_000));
    assert_eq!(webfinger(fixture, &long).await.status, 400);
}

async fn a_handle_may_be_on_another_domain(database: Database) {
    let network = crate::support::TestNetwork::new();
    let _remote = network.remote("remote.test").await;
    let settings = network.marquee(database).await;
    let settings = settings.set("server", "handle_domain", &quoted("critics.test")).set(
        "critics",
        "attribution_domains",
        "[\"old.test\", \"critics.test\"]",
    );
    let _app = settings.start().await;
    for resource in ["acct:critic@critics.test", "acct:critic@marquee.test", "https://marquee.test/@critic"] {
        let address = url(&format!("/.well-known/webfinger?resource={resource}"));
        let jrd = network.client.get(&address, "*/*").await.json();
        assert_eq!(jrd["subject"], "acct:critic@critics.test", "{resource}");
        let actor = link(&jrd, "self").expect("a link")["href"].as_str().expect("an id").to_owned();
        let actor = network.client.document(&actor).await;
        assert_eq!(actor["webfinger"], "critic@critics.test");
        assert_eq!(actor["preferredUsername"], "critic");
        assert_eq!(actor["attributionDomains"], json!([HOST, "critics.test", "old.test"]));
    }
    let page = network.client.get(&url("/@critic"), HTML).await;
    assert_eq!(meta(&Page::parse(&page.body), "fediverse:creator"), "@critic@critics.test");
}

async fn nodeinfo_describes_the_site(fixture: &Fixture, article: &Value) {
    let client = &fixture.network.client;
    fixture.comment(&fixture.alice, article, "Not counted, since it came from elsewhere").await;
    let discovery = client.get(&url("/.well-known/nodeinfo"), "*/*").await.json();
    assert_eq!(
        link(&discovery, "https://www.w3.org/ns/activitystreams#Application").expect("a link")["href"],
        url("/ap/actor")
    );
    for version in ["2.0", "2.1"] {
        let schema = format!("http://nodeinfo.diaspora.software/ns/schema/{version}");
        let address = link(&discovery, &schema).expect("a link")["href"].as_str().expect("a URL").to_owned();
        let response = client.get(&address, "*/*").await;
        assert_eq!(response.header("content-type"), format!("application/json; profile=\"{schema}#\""));
        let document = response.json();
        assert_valid_nodeinfo(&document, version);
        assert_eq!(
            document["usage"],
            json!({
                "users": {"total": 1, "activeMonth": 1, "activeHalfyear": 1},
                "localPosts": 1, "localComments": 0,
            })
        );
        assert_eq!(document["metadata"]["nodeName"], "The Test Reel");
    }
    assert_eq!(client.get(&url("/nodeinfo/1.0"), "*/*").await.status, 404);
    let xrd = client.get(&url("/.well-known/host-meta"), "*/*").await;
    assert_eq!(xrd.header("content-type"), "application/xrd+xml");
    let template = url("/.well-known/webfinger?resource={uri}");
    assert!(xrd.body.contains(&format!("template=\"{template}\"")), "{}", xrd.body);
    let jrd = client.get(&url("/.well-known/host-meta.json"), "*/*").await.json();
    assert_eq!(link(&jrd, "lrdd").expect("a link")["template"], template);
    let robots = client.get(&url("/robots.txt"), "*/*").await;
    assert_eq!(robots.status, 200);
    assert!(robots.header("content-type").starts_with("text/plain"));
}

/// The rules of the NodeInfo schemas 2.0 and 2.1: which members exist, and of which type.
fn assert_valid_nodeinfo(document: &Value, version: &str) {
    let members = |value: &Value| -> Vec<String> {
        let mut members: Vec<String> = value.as_object().expect("an object").keys().cloned().collect();
        members.sort();
        members
    };
    assert_eq!(
        members(document),
        ["metadata", "openRegistrations", "protocols", "services", "software", "usage", "version"]
    );
    assert_eq!(document["version"], version);
    assert_eq!(document["openRegistrations"], false);
    assert_eq!(document["protocols"], json!(["activitypub"]));
    let name = document["software"]["name"].as_str().expect("a name");
    assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
    assert!(document["software"]["version"].is_string());
    let known = ["atom1.0", "gnusocial", "imap", "pnut", "pop3", "pumpio", "rss2.0", "twitter"];
    let inbound = document["services"]["inbound"].as_array().expect("a list");
    assert!(inbound.iter().all(|service| known.iter().any(|known| service == known)));
    assert!(document["services"]["outbound"].is_array());
    for count in ["localPosts", "localComments"] {
        assert!(document["usage"][count].is_u64(), "{count}");
    }
    assert_eq!(members(&document["usage"]["users"]), ["activeHalfyear", "activeMonth", "total"]);
}

/// The `Accept` that Mastodon sends when a URL is pasted into its search box.
const LOOK_UP: &str = "application/activity+json, application/ld+json; \
    profile=\"https://www.w3.org/ns/activitystreams\", text/html;q=0.1";

async fn every_url_serves_the_representation_that_is_requested(fixture: &Fixture, article: &Value) {
    let client = &fixture.network.client;
    let (review, article) = (article["url"].as_str().expect("a page"), id_of(article));
    // The URL, the id of its document, and whether a client without a preference gets the page.
    for (address, id, is_page) in [
        (url("/"), fixture.actor(), true),
        (url("/@critic"), fixture.actor(), true),
        (review.to_owned(), article, true),
        (fixture.actor().to_owned(), fixture.actor(), false),
        (article.to_owned(), article, false),
    ] {
        for accept in
            [AS2, LOOK_UP, "application/json", "application/ld+json", "*/*;q=0.2, application/activity+json"]
        {
            let response = client.get(&address, accept).await;
            assert_eq!(response.status, 200, "{address} as {accept}");
            assert_eq!(response.header("content-type"), "application/activity+json", "{address} as {accept}");
            assert_eq!(response.json()["id"], id, "{address} as {accept}");
        }
        for accept in [HTML, "text/html", "text/html, application/activity+json;q=0.9"] {
            let response = client.get(&address, accept).await;
            if is_page {
                assert!(response.header("content-type").starts_with("text/html"), "{address} as {accept}");
                let header = format!("<{id}>; rel=\"alternate\"; type=\"application/activity+json\"");
                assert_eq!(response.header("link"), header, "{address}");
                assert_eq!(alternate(&Page::parse(&response.body)), id, "{address}");
            } else {
                assert_eq!(response.status, 303, "{address} redirects browsers to the page");
            }
        }
        for accept in ["*/*", "", "image/png"] {
            let response = client.get(&address, accept).await;
            let is_html = response.header("content-type").starts_with("text/html");
            assert_eq!(is_html, is_page, "{address} as {accept}");
        }
    }
}

/// The document that the head of a page links to.
fn alternate(page: &Page) -> String {
    let has = |attributes: &[(String, String)], key: &str, expected: &str| {
        attributes.iter().any(|(known, value)| known == key && value == expected)
    };
    let mut links = page.elements.iter().filter(|(name, attributes)| {
        name == "link"
            && has(attributes, "rel", "alternate")
            && has(attributes, "type", "application/activity+json")
    });
    let (_, attributes) = links.next().expect("a link to the document");
    assert!(links.next().is_none(), "there is only one link");
    attributes.iter().find(|(key, _)| key == "href").expect("a URL").1.clone()
}

async fn g9_no_cache_mixes_a_page_and_a_document(fixture: &Fixture, article: &Value) {
    let client = &fixture.network.client;
    let review = article["url"].as_str().expect("a page").to_owned();
    let retracted = fixture.publish("The Day Ferry").await;
    let retracted_page = retracted["url"].as_str().expect("a page").to_owned();
    fixture.app.command_output(&["retract", retracted_page.rsplit('/').next().expect("a slug")]).await;
    let unknown = url("/reviews/no-such-review");
    for address in [
        url("/"),
        url("/@critic"),
        url("/@CRITIC"),
        review,
        fixture.actor().to_owned(),
        id_of(article).to_owned(),
        retracted_page,
        id_of(&retracted).to_owned(),
        unknown,
    ] {
        for accept in [AS2, HTML, LOOK_UP, "*/*"] {
            let response = client.get(&address, accept).await;
            let vary: Vec<String> =
                response.header("vary").split(',').map(|name| name.trim().to_lowercase()).collect();
            assert!(vary.iter().any(|name| name == "accept"), "{address} as {accept}: {vary:?}");
            let body_is_page = response.body.trim_start().starts_with("<!doctype html>");
            let type_is_page = response.header("content-type").starts_with("text/html");
            assert_eq!(body_is_page, type_is_page, "{address} as {accept}");
        }
    }
}

/// The content of the only `<meta>` with this name.
fn meta(page: &Page, name: &str) -> String {
    let value = |attributes: &[(String, String)], key: &str| {
        attributes.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
    };
    let mut found = page
        .elements
        .iter()
        .filter(|(element, attributes)| {
            element == "meta" && value(attributes, "name").as_deref() == Some(name)
        })
        .filter_map(|(_, attributes)| value(attributes, "content"));
    let content = found.next().unwrap_or_else(|| panic!("no {name}"));
    assert!(found.next().is_none(), "there is only one {name}");
    content
}

async fn pages_name_their_author(fixture: &Fixture, article: &Value) {
    assert_eq!(fixture.critic["attributionDomains"], json!([HOST, "old.test"]));
    let value = fixture.critic["attachment"][0]["value"].as_str().expect("a field");
    assert_eq!(value, "<a href=\"https://old.test/films/\" rel=\"me\">old.test/films</a>");
    for address in [url("/"), url("/@critic"), article["url"].as_str().expect("a page").to_owned()] {
        let page = Page::parse(&fixture.network.client.get(&address, HTML).await.body);
        assert_eq!(meta(&page, "fediverse:creator"), format!("@critic@{HOST}"), "{address}");
        let is_rel_me = |attributes: &[(String, String)]| {
            let has = |key: &str, what: &str| {
                attributes.iter().any(|(k, v)| k == key && v.split(' ').any(|word| word == what))
            };
            has("rel", "me") && has("href", "https://old.test/films/")
        };
        assert!(
            page.elements.iter().any(|(name, attributes)| name == "a" && is_rel_me(attributes)),
            "{address}"
        );
    }
}
