//! `federation.authorized_fetch`: posts are served only to signed requests of servers that are not blocked.

use serde_json::Value;

use crate::both_databases;
use crate::support::http::{AS2, HTML};
use crate::support::signature::SignatureScheme;
use crate::support::signed_request::UnsignedRequest;
use crate::support::{Database, Fixture, feed};

both_databases!(
    other_documents_are_served_only_to_signed_requests,
    actors_and_discovery_stay_public,
    a_fetch_with_an_invalid_signature_is_rejected,
    a_blocked_server_gets_403,
    two_servers_with_authorized_fetch_do_not_deadlock,
    without_authorized_fetch_signatures_of_fetches_are_ignored,
);

async fn secure_fixture(database: Database) -> Fixture {
    Fixture::with(database, |_, settings| settings.set("federation", "authorized_fetch", "true")).await
}

/// Publishes a review, and returns the URLs of its Article and of its page.
async fn publish(fixture: &Fixture) -> (String, String) {
    let file = fixture
        .app
        .write("review.md", &feed::markdown("The Night Ferry", "The Night Ferry", "It leaves at six."));
    let printed = fixture.app.command_output(&["publish", &file]).await;
    let page = printed.split_whitespace().find(|word| word.starts_with("https://")).expect("a URL");
    let article = fixture.alice.fetch(SignatureScheme::Cavage, page).await;
    assert_eq!(article.status, 200, "{}", article.body);
    (article.json()["id"].as_str().expect("an id").to_owned(), page.to_owned())
}

/// URLs of documents other than actors.
async fn protected_urls(fixture: &Fixture) -> Vec<String> {
    let (article, page) = publish(fixture).await;
    let part = |name: &str| fixture.critic[name].as_str().expect("a URL").to_owned();
    let first = format!("{}?page=1", part("outbox"));
    let outbox = fixture.alice.fetch(SignatureScheme::Rfc9421, &first).await.json();
    let create = outbox["orderedItems"][0]["id"].as_str().expect("a Create").to_owned();
    let mut all = vec![page, create, part("outbox"), first, part("followers"), part("featured")];
    all.extend(["replies", "replies?page=1", "context", "likes"].map(|name| format!("{article}/{name}")));
    all.push(article);
    all
}

async fn other_documents_are_served_only_to_signed_requests(database: Database) {
    let fixture = secure_fixture(database).await;
    let all = protected_urls(&fixture).await;
    for url in &all {
        let response = fixture.network.client.get(url, AS2).await;
        assert_eq!(response.status, 401, "{url}: {}", response.body);
        assert!(response.body.contains("Authorized fetch"), "the error gives the reason: {}", response.body);
        assert!(!response.body.contains("Ferry"), "{}", response.body);
        let mut responses = vec![response];
        for scheme in SignatureScheme::BOTH {
            let response = fixture.alice.fetch(scheme, url).await;
            assert_eq!(response.status, 200, "{url}: {}", response.body);
            assert!(response.header("content-type").starts_with("application/activity+json"));
            responses.push(response);
        }
        for response in responses {
            assert!(response.header("cache-control").contains("private"), "{url}: {:?}", response.headers);
            let vary = response.header("vary").replace("Accept-Encoding, ", "");
            assert_eq!(vary, "Accept, Signature, Signature-Input");
        }
    }
    // A document is protected whatever representation is requested, and for HEAD as well.
    let create = &all[1];
    assert_eq!(fixture.network.client.get(create, HTML).await.status, 401);
    let head = fixture.network.client.send(reqwest::Method::HEAD, create, &[], Vec::new()).await;
    assert_eq!(head.expect("a response").status, 401);
    // GoToSocial signs the path without the query.
    let outbox = format!("{}?page=1", fixture.critic["outbox"].as_str().expect("an outbox"));
    let mut request = UnsignedRequest::fetch(
        SignatureScheme::Cavage,
        &fixture.alice.key(),
        &fixture.alice.key_id(),
        &outbox,
    );
    request.target = request.target.replace("?page=1", "");
    assert_eq!(request.sign().fetch(&fixture.network.client).await.status, 200);
}

async fn actors_and_discovery_stay_public(database: Database) {
    let fixture = secure_fixture(database).await;
    let (_, page) = publish(&fixture).await;
    let local = crate::support::config_file::url;
    for (url, accept) in [
        (fixture.actor().to_owned(), AS2),
        (local("/@critic"), AS2),
        (local("/ap/actor"), AS2),
        (local("/.well-known/webfinger?resource=acct:critic@marquee.test"), "application/jrd+json"),
        (local("/.well-known/nodeinfo"), "application/json"),
        (local("/nodeinfo/2.1"), "application/json"),
        (local("/.well-known/host-meta"), "application/xrd+xml"),
        (local("/"), HTML),
        (local("/@critic"), HTML),
        (page, HTML),
    ] {
        let response = fixture.network.client.get(&url, accept).await;
        assert_eq!(response.status, 200, "{url}: {}", response.body);
        let vary = response.header("vary").replace("Accept-Encoding, ", "");
        assert_eq!(vary, "Accept, Signature, Signature-Input");
    }
}

async fn a_fetch_with_an_invalid_signature_is_rejected(database: Database) {
    let fixture = secure_fixture(database).await;
    let (article, _) = publish(&fixture).await;
    let (mallory, alice) = (fixture.remote.user("mallory"), &fixture.alice);
    let thirteen_hours = jiff::SignedDuration::from_hours(13);
    for scheme in SignatureScheme::BOTH {
        let valid = UnsignedRequest::fetch(scheme, &alice.key(), &alice.key_id(), &article);
        let mut borrowed = valid.clone();
        borrowed.key = mallory.key();
        let mut old = valid.clone();
        old.date = crate::support::now() - thirteen_hours;
        let mut elsewhere = valid.clone();
        "/ap/elsewhere".clone_into(&mut elsewhere.target);
        "https://marquee.test/ap/elsewhere".clone_into(&mut elsewhere.target_uri);
        let mut own_key = valid.clone();
        own_key.key_id = format!("{}#main-key", fixture.actor());
        let mut unsigned = valid.clone();
        unsigned.covered.retain(|name| !matches!(*name, "(request-target)" | "@target-uri"));
        for request in [borrowed, old, elsewhere, own_key, unsigned] {
            let response = request.sign().fetch(&fixture.network.client).await;
            assert_eq!(response.status, 401, "{}", response.body);
        }
        assert_eq!(valid.sign().fetch(&fixture.network.client).await.status, 200);
    }
}

async fn a_blocked_server_gets_403(database: Database) {
    let mut fixture = secure_fixture(database).await;
    let (article, _) = publish(&fixture).await;
    // With an allow list that does not contain this server.
    fixture.app.reconfigure("moderation", "allow_list", "true");
    fixture.app.restart().await;
    for scheme in SignatureScheme::BOTH {
        let response = fixture.alice.fetch(scheme, &article).await;
        assert_eq!(response.status, 403, "{}", response.body);
        assert!(response.header("cache-control").contains("private"));
    }
    assert_eq!(
        fixture.alice.fetch(SignatureScheme::Cavage, fixture.actor()).await.status,
        200,
        "actors stay public"
    );
    let stranger = fixture.remote.user("stranger");
    let before = fixture.remote.requests();
    assert_eq!(stranger.fetch(SignatureScheme::Cavage, &article).await.status, 403);
    assert_eq!(fixture.remote.requests(), before, "no key is fetched from a server that is not on the list");
}

async fn two_servers_with_authorized_fetch_do_not_deadlock(database: Database) {
    let fixture = secure_fixture(database).await;
    fixture.remote.require_signed_gets();
    let before = fixture.remote.requests();
    fixture.follow(&fixture.alice).await;
    let (article, _) = publish(&fixture).await;
    assert_eq!(fixture.alice.fetch(SignatureScheme::Rfc9421, &article).await.status, 200);
    let requests = fixture.remote.requests() - before;
    assert!(requests < 20, "{requests} requests");
    assert_eq!(fixture.remote.take_violations(), Vec::<String>::new());
}

async fn without_authorized_fetch_signatures_of_fetches_are_ignored(database: Database) {
    let fixture = Fixture::new(database).await;
    let article: Value = fixture.publish("The Night Ferry").await;
    let before = fixture.remote.requests();
    let url = article["id"].as_str().expect("an id");
    for signature in ["nonsense", "keyId=\"https://remote.test/users/nobody\",signature=\"AA==\""] {
        let headers = [("accept", AS2), ("signature", signature)].map(|(n, v)| (n.to_owned(), v.to_owned()));
        let response = fixture
            .network
            .client
            .send(reqwest::Method::GET, url, &headers, Vec::new())
            .await
            .expect("a response");
        assert_eq!(response.status, 200);
        assert_eq!(response.header("vary"), "Accept, Accept-Encoding");
    }
    assert_eq!(fixture.remote.requests(), before, "no key was fetched");
}
