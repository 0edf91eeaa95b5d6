//! Readers follow, reply, like and boost from their own server.

use reqwest::Method;
use serde_json::{Value, json};

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::config_file::{HOST, url};
use crate::support::forbidden_listener::ForbiddenListener;
use crate::support::http::{HTML, Response};
use crate::support::page::Page;
use crate::support::remote::{Document, Remote, jrd};
use crate::support::{Database, Fixture, TestNetwork};

both_databases!(
    a_reader_follows_and_replies_from_their_own_server,
    a_host_name_is_enough_if_its_software_is_known,
    the_form_is_on_each_page,
    a_failed_lookup_explains_the_alternative,
    readers_are_sent_only_to_their_own_server,
    g3_a_form_on_another_site_is_rejected,
    lookups_per_client_are_limited,
);

/// Submits the form on `/interact`.
async fn submit_form(
    fixture: &Fixture,
    handle: &str,
    intent: &str,
    object: &str,
    headers: &[(&str, &str)],
) -> Response {
    let form: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("handle", handle), ("wish", intent), ("object", object)])
        .finish();
    let mut all = vec![
        ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
        ("accept".to_owned(), HTML.to_owned()),
    ];
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fixture
        .network
        .client
        .send(Method::POST, &url("/interact"), &all, form.into_bytes())
        .await
        .expect("a response")
}

const SAME_ORIGIN: [(&str, &str); 2] =
    [("origin", "https://marquee.test"), ("sec-fetch-site", "same-origin")];

/// A user whose WebFinger has these additional links.
fn serve_links(fixture: &Fixture, name: &str, links: &[Value]) {
    fixture.remote.user(name);
    let mut response = jrd(&format!("{name}@remote.test"), &format!("https://remote.test/users/{name}"));
    response["links"].as_array_mut().expect("links").extend_from_slice(links);
    fixture.remote.serve_webfinger(name, response);
}

fn template(rel: &str, template: &str) -> Value {
    json!({"rel": rel, "template": template})
}

const SUBSCRIBE: &str = "http://ostatus.org/schema/1.0/subscribe";

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

async fn a_reader_follows_and_replies_from_their_own_server(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let (article, actor) = (id_of(&article), fixture.actor());
    serve_links(
        &fixture,
        "old",
        &[template(SUBSCRIBE, "https://remote.test/authorize_interaction?uri={uri}")],
    );
    serve_links(
        &fixture,
        "new",
        &[
            template(SUBSCRIBE, "https://remote.test/authorize_interaction?uri={uri}"),
            template(
                "https://w3id.org/fep/3b86/Follow",
                "https://remote.test/follow?who={object}&then={on-success}",
            ),
            template(
                "https://w3id.org/fep/3b86/Create",
                "https://remote.test/write?re={inReplyTo}&text={content}",
            ),
            template("https://w3id.org/fep/3b86/Like", "https://remote.test/like?what={object}"),
            template("https://w3id.org/fep/3b86/Announce", "https://remote.test/boost?what={object}"),
        ],
    );
    let (encoded_article, encoded_actor) = (encoded(article), encoded(actor));
    for (handle, intent, object, page) in [
        ("@new@remote.test", "follow", actor, format!("follow?who={encoded_actor}&then=")),
        ("new@REMOTE.test", "reply", article, format!("write?re={encoded_article}&text=")),
        ("https://remote.test/@new", "like", article, format!("like?what={encoded_article}")),
        (" @new@remote.test ", "boost", article, format!("boost?what={encoded_article}")),
        ("@old@remote.test", "follow", actor, format!("authorize_interaction?uri=critic%40{HOST}")),
        ("@old@remote.test", "reply", article, format!("authorize_interaction?uri={encoded_article}")),
    ] {
        let response = submit_form(&fixture, handle, intent, object, &SAME_ORIGIN).await;
        assert_eq!(response.status, 303, "{handle} {intent}: {}", response.body);
        assert_eq!(response.header("location"), format!("https://remote.test/{page}"));
        assert_eq!(response.header("cache-control"), "no-store");
    }
}

/// Serves NodeInfo with this software; the discovery document links to `href`.
fn serve_nodeinfo(remote: &Remote, software: &str, href: &str) {
    let rel = "http://nodeinfo.diaspora.software/ns/schema/2.0";
    let discovery = json!({"links": [{"rel": rel, "href": href}]}).to_string();
    remote.serve("/.well-known/nodeinfo", Document::new("application/json", discovery));
    let document = json!({"version": "2.0", "software": {"name": software, "version": "1"}}).to_string();
    remote.serve("/nodeinfo/2.0", Document::new("application/json", document));
}

async fn a_host_name_is_enough_if_its_software_is_known(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let (article, actor) = (id_of(&article), fixture.actor());
    let nodeinfo_url = fixture.remote.url("/nodeinfo/2.0");
    serve_nodeinfo(&fixture.remote, "mastodon", &nodeinfo_url);
    let encoded_article = encoded(article);
    for (handle, intent, object, page) in [
        ("remote.test", "reply", article, format!("authorize_interaction?uri={encoded_article}")),
        ("https://remote.test/", "boost", article, format!("authorize_interaction?uri={encoded_article}")),
        ("@REMOTE.test", "follow", actor, format!("authorize_interaction?uri=critic%40{HOST}")),
    ] {
        let response = submit_form(&fixture, handle, intent, object, &SAME_ORIGIN).await;
        assert_eq!(response.status, 303, "{handle}: {}", response.body);
        assert_eq!(response.header("location"), format!("https://remote.test/{page}"));
    }
    // Unknown software, NodeInfo on another host, an unreachable server, and this site itself.
    serve_nodeinfo(&fixture.remote, "writefreely", &nodeinfo_url);
    assert_eq!(submit_form(&fixture, "remote.test", "reply", article, &SAME_ORIGIN).await.status, 422);
    serve_nodeinfo(&fixture.remote, "mastodon", "https://evil.test/nodeinfo/2.0");
    let response = submit_form(&fixture, "remote.test", "reply", article, &SAME_ORIGIN).await;
    assert_eq!((response.status, response.header("location")), (422, ""));
    let response = submit_form(&fixture, "nowhere.test", "reply", article, &SAME_ORIGIN).await;
    assert!(response.status == 422 && response.body.contains("nowhere.test"), "{}", response.body);
    assert_eq!(submit_form(&fixture, HOST, "reply", article, &SAME_ORIGIN).await.status, 422);
}

async fn the_form_is_on_each_page(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let review = article["url"].as_str().expect("a page").to_owned();
    for (address, forms) in [(url("/"), 1), (url("/@critic"), 1), (review, 2)] {
        let response = fixture.network.client.get(&address, HTML).await;
        let page = Page::parse(&response.body);
        let actions: Vec<&str> = page.attribute("action").filter(|action| *action != "/search").collect();
        assert_eq!(actions, vec!["/interact"; forms], "{address}");
        // Browsers check the redirect of a form against this policy.
        let policy = response.header("content-security-policy");
        assert!(
            policy.contains("form-action 'self' https:;") && policy.contains("default-src 'none'"),
            "{policy}"
        );
        let hidden: Vec<&str> = page.attribute("value").collect();
        assert!(hidden.contains(&fixture.actor()), "{hidden:?}");
    }
    let other = fixture.network.client.get(&url("/reviews"), HTML).await;
    assert!(other.header("content-security-policy").contains("form-action 'self';"));
}

async fn a_failed_lookup_explains_the_alternative(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.remote.user("plain");
    fixture.remote.serve(
        "/.well-known/webfinger?resource=acct%3Abroken%40remote.test",
        Document::new("text/html", "<p>"),
    );
    for (handle, message) in [
        ("nonsense", "neither a handle nor a server"),
        ("@a@127.0.0.1", "neither a handle nor a server"),
        ("@a@b@c/<script>alert(1)</script>", "neither a handle nor a server"),
        ("@me@nowhere.test", "nowhere.test does not respond"),
        ("@nobody@remote.test", "No such account on remote.test"),
        ("@plain@remote.test", "remote.test does not support"),
        ("@broken@remote.test", "remote.test does not support"),
        (&format!("@critic@{HOST}"), "does not support"),
    ] {
        let response = submit_form(&fixture, handle, "reply", id_of(&article), &SAME_ORIGIN).await;
        assert_eq!(response.status, 422, "{handle}: {}", response.body);
        let page = Page::parse(&response.body);
        assert!(page.text.contains(message), "{handle}: {}", page.text);
        assert!(page.text.contains(id_of(&article)), "the page shows the URL to copy");
        assert_eq!(page.scripts(), ["/assets/site.js"], "only the script of this site");
        assert!(
            page.attribute("value").any(|value| value == handle),
            "the form contains the submitted handle"
        );
    }
    let unknown = url("/ap/article/01ARZ3NDEKTSV4RRFFQ69G5FAV");
    for (intent, object, status) in [
        ("reply", "https://elsewhere.test/notes/1", 404),
        ("reply", &unknown, 404),
        ("reply", fixture.actor(), 404),
        ("follow", id_of(&article), 404),
        ("dance", id_of(&article), 400),
        ("reply", "not an address", 400),
    ] {
        let response = submit_form(&fixture, "@plain@remote.test", intent, object, &SAME_ORIGIN).await;
        assert_eq!(response.status, status, "{intent} {object}");
    }
    assert_eq!(fixture.app.get_page("/interact").await.status, 405);
}

async fn readers_are_sent_only_to_their_own_server(database: Database) {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let listener = ForbiddenListener::bind("127.0.0.2").await;
    let address = listener.address();
    let fixture = Fixture::in_network(network, remote, database, |_, settings| {
        settings.resolve("forbidden.test", address)
    })
    .await;
    let article = fixture.publish("The Night Ferry").await;
    for (number, target) in [
        "https://evil.test/?uri={uri}",
        "https://remote.test@evil.test/?uri={uri}",
        "http://remote.test/?uri={uri}",
        "javascript:alert('{uri}')",
        "//evil.test/{uri}",
        "{uri}",
        "https://{uri}/",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("eve{number}");
        serve_links(&fixture, &name, &[template(SUBSCRIBE, target)]);
        let response =
            submit_form(&fixture, &format!("@{name}@remote.test"), "reply", id_of(&article), &SAME_ORIGIN)
                .await;
        assert_eq!((response.status, response.header("location")), (422, ""), "{target}");
    }
    // No handle makes Marquee connect to a forbidden address.
    for handle in ["@eve@forbidden.test", "@eve@localhost", "@eve@[::1]"] {
        let response = submit_form(&fixture, handle, "reply", id_of(&article), &SAME_ORIGIN).await;
        assert_eq!(response.status, 422, "{handle}");
    }
    listener.assert_no_connections();
}

async fn g3_a_form_on_another_site_is_rejected(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    serve_links(&fixture, "old", &[template(SUBSCRIBE, "https://remote.test/i?uri={uri}")]);
    for foreign in [
        vec![("origin", "https://evil.test")],
        vec![("origin", "null")],
        vec![("origin", "https://marquee.test.evil.test")],
        vec![("sec-fetch-site", "cross-site")],
        vec![("origin", "https://marquee.test"), ("sec-fetch-site", "cross-site")],
    ] {
        let response = submit_form(&fixture, "@old@remote.test", "reply", id_of(&article), &foreign).await;
        assert_eq!((response.status, response.header("location")), (403, ""), "{foreign:?}");
    }
    assert_eq!(
        submit_form(&fixture, "@old@remote.test", "reply", id_of(&article), &SAME_ORIGIN).await.status,
        303
    );
    let large = "x".repeat(10_000);
    assert_eq!(submit_form(&fixture, &large, "reply", id_of(&article), &SAME_ORIGIN).await.status, 413);
}

async fn lookups_per_client_are_limited(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    serve_links(&fixture, "old", &[template(SUBSCRIBE, "https://remote.test/i?uri={uri}")]);
    let mut statuses = Vec::new();
    let mut last = None;
    for _ in 0..30 {
        let response =
            submit_form(&fixture, "@old@remote.test", "reply", id_of(&article), &SAME_ORIGIN).await;
        statuses.push(response.status);
        last = Some(response);
    }
    assert!(statuses[..12].iter().all(|status| *status == 303), "{statuses:?}");
    let last = last.expect("a response");
    let retry_after = last.header("retry-after").parse::<u32>();
    assert_eq!(last.status, 429, "{statuses:?}");
    assert!(retry_after.is_ok_and(|seconds| (1..=60).contains(&seconds)));
}
