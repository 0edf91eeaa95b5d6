//! Marquee never connects to forbidden addresses (E in `docs/threats.md`): here `127.0.0.2`, which the config does not
//! allow, and `::1`. The URLs in the requests lead to listeners that must get no connection.

use serde_json::{Value, json};

use crate::both_databases;
use crate::support::activities::{PUBLIC, id_of};
use crate::support::feed::{NAME as FEED, PATH};
use crate::support::forbidden_listener::ForbiddenListener;
use crate::support::remote::{Document, User};
use crate::support::signature::SignatureScheme;
use crate::support::{Database, Fixture, TestNetwork, eventually};

both_databases!(
    e1_an_object_and_its_parent_at_a_forbidden_address,
    e1_images_and_inboxes_of_an_actor_at_a_forbidden_address,
    e7_other_schemes_are_never_requested,
    e10_nothing_is_delivered_to_a_name_that_changes_to_a_private_address,
    e8_line_breaks_and_queries_in_names_are_rejected,
    e9_an_endless_chain_of_replies_costs_a_limited_number_of_requests,
    e9_an_endless_chain_of_key_owners_is_not_followed,
    e1_a_feed_and_its_images_at_a_forbidden_address,
);

/// A name that resolves to a forbidden address.
const FORBIDDEN: &str = "forbidden.test";

struct SsrfFixture {
    fixture: Fixture,
    v4: ForbiddenListener,
    v6: ForbiddenListener,
}

impl SsrfFixture {
    async fn new(database: Database) -> Self {
        let network = TestNetwork::new();
        let remote = network.remote("remote.test").await;
        let (v4, v6) = (ForbiddenListener::bind("127.0.0.2").await, ForbiddenListener::bind("::1").await);
        let (address, address6) = (v4.address(), v6.address());
        let fixture = Fixture::in_network(network, remote, database, |_, settings| {
            settings.resolve(FORBIDDEN, address).resolve("forbidden6.test", address6)
        })
        .await;
        Self { fixture, v4, v6 }
    }

    /// URLs of forbidden addresses, in many spellings.
    fn addresses(&self, path: &str) -> Vec<String> {
        let (port, port6) = (self.v4.port(), self.v6.port());
        vec![
            format!("https://{FORBIDDEN}{path}"),
            format!("https://forbidden6.test{path}"),
            format!("https://127.0.0.2:{port}{path}"),
            format!("http://127.0.0.2:{port}{path}"),
            format!("https://2130706434:{port}{path}"),
            format!("https://0x7f000002:{port}{path}"),
            format!("https://0177.0.0.2:{port}{path}"),
            format!("https://127.2:{port}{path}"),
            format!("https://[::ffff:127.0.0.2]:{port}{path}"),
            format!("https://[::ffff:7f00:2]:{port}{path}"),
            format!("https://[::127.0.0.2]:{port}{path}"),
            format!("https://[::1]:{port6}{path}"),
            format!("https://localhost:{port6}{path}"),
            format!("https://remote.test@127.0.0.2:{port}{path}"),
            format!("https://user:password@{FORBIDDEN}{path}"),
            format!("file:///etc/hostname#{path}"),
            "data:application/activity+json,{}".to_owned(),
            format!("gopher://127.0.0.2:{port}{path}"),
        ]
    }

    async fn assert_no_connections(&self) {
        self.fixture.settle().await;
        self.v4.assert_no_connections();
        self.v6.assert_no_connections();
    }

    /// Sends an activity with a key id that the attacker chose; it must be rejected.
    async fn send_with_key(&self, user: &User, key_id: &str, activity: &Value) {
        for scheme in SignatureScheme::BOTH {
            let mut request = user.unsigned_request(scheme, self.fixture.inbox(), activity);
            key_id.clone_into(&mut request.key_id);
            let response = request.sign().post(&self.fixture.network.client).await;
            assert!(response.is_rejection(), "{key_id}: {}", response.status);
        }
    }
}

#[tokio::test]
async fn e1_a_key_id_at_a_forbidden_address() {
    let ssrf = SsrfFixture::new(Database::Sqlite).await;
    for address in ssrf.addresses("/users/alice#main-key") {
        let mut follow = ssrf.fixture.alice.follow(ssrf.fixture.actor());
        ssrf.send_with_key(&ssrf.fixture.alice, &address, &follow).await;
        follow["actor"] = json!(address.split('#').next().unwrap_or_default());
        ssrf.send_with_key(&ssrf.fixture.alice, &address, &follow).await;
    }
    ssrf.assert_no_connections().await;
}

async fn e1_an_object_and_its_parent_at_a_forbidden_address(database: Database) {
    let ssrf = SsrfFixture::new(database).await;
    let (fixture, alice) = (&ssrf.fixture, &ssrf.fixture.alice);
    let article = fixture.publish("The Night Ferry").await;
    for address in ssrf.addresses("/notes/1") {
        for kind in ["Create", "Announce", "Like", "Update", "Delete", "Undo"] {
            alice.send(fixture.inbox(), &alice.activity(kind, &json!(address))).await;
        }
        let note = alice.reply(&address, "<p>A reply to an unreachable post</p>");
        alice.send(fixture.inbox(), &alice.create(&note)).await;
    }
    let page = fixture.page(&article).await;
    assert!(page.comments.is_empty());
    ssrf.assert_no_connections().await;
}

async fn e1_images_and_inboxes_of_an_actor_at_a_forbidden_address(database: Database) {
    let ssrf = SsrfFixture::new(database).await;
    let fixture = &ssrf.fixture;
    let article = fixture.publish("The Night Ferry").await;
    for (number, address) in ssrf.addresses("/inbox").into_iter().enumerate() {
        let user = fixture.remote.user(&format!("eve{number}"));
        let mut actor = user.actor();
        actor["icon"] = json!({"type": "Image", "mediaType": "image/png", "url": address});
        actor["image"] = actor["icon"].clone();
        for key in ["inbox", "outbox", "followers", "featured"] {
            actor[key] = json!(address);
        }
        actor["endpoints"] = json!({"sharedInbox": address});
        user.serve_actor(&actor);
        user.send(fixture.inbox(), &user.follow(fixture.actor())).await;
        let mut note = user.reply(id_of(&article), "<p>With an image</p>");
        note["attachment"] =
            json!([{"type": "Document", "mediaType": "image/png", "url": address, "name": "An image"}]);
        user.publish(&note);
        user.send(fixture.inbox(), &user.create(&note)).await;
    }
    fixture.publish("Not delivered").await;
    ssrf.assert_no_connections().await;
}

#[tokio::test]
async fn e2_a_name_of_any_private_ipv6_address() {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let (v4, v6) = (ForbiddenListener::bind("127.0.0.2").await, ForbiddenListener::bind("::1").await);
    let (port, port6) = (v4.port(), v6.port());
    let addresses = [
        format!("[::]:{port6}"),
        format!("[::1]:{port6}"),
        format!("[::ffff:127.0.0.2]:{port}"),
        format!("[::127.0.0.2]:{port}"),
        format!("[fc00::1]:{port6}"),
        format!("[fd12:3456::1]:{port6}"),
        format!("[fe80::1]:{port6}"),
        format!("[fec0::1]:{port6}"),
        format!("[ff02::1]:{port6}"),
        format!("[64:ff9b::7f00:2]:{port}"),
        format!("[64:ff9b:1::7f00:2]:{port}"),
        format!("[2002:7f00:2::]:{port}"),
        format!("[2001:0:7f00:2::]:{port}"),
        format!("[2001:db8::1]:{port6}"),
        format!("[100::1]:{port6}"),
    ];
    let fixture = Fixture::in_network(network, remote, Database::Sqlite, |_, mut settings| {
        for (number, address) in addresses.iter().enumerate() {
            settings = settings.resolve(&format!("v6-{number}.test"), address.parse().expect("an address"));
        }
        settings
    })
    .await;
    let ssrf = SsrfFixture { fixture, v4, v6 };
    let alice = &ssrf.fixture.alice;
    for number in 0..addresses.len() {
        let address = format!("https://v6-{number}.test/users/eve");
        ssrf.send_with_key(alice, &format!("{address}#main-key"), &alice.follow(ssrf.fixture.actor())).await;
        alice.send(ssrf.fixture.inbox(), &alice.activity("Announce", &json!(address))).await;
        let note = alice.reply(&address, "<p>A reply to an unreachable post</p>");
        alice.send(ssrf.fixture.inbox(), &alice.create(&note)).await;
    }
    ssrf.assert_no_connections().await;
}

async fn e7_other_schemes_are_never_requested(database: Database) {
    let ssrf = SsrfFixture::new(database).await;
    let (fixture, alice) = (&ssrf.fixture, &ssrf.fixture.alice);
    let (port, file) =
        (ssrf.v4.port(), fixture.app.write("secret.json", "{\"secret\":\"the opened vault\"}"));
    let article = fixture.publish("The Night Ferry").await;
    for (number, address) in [
        format!("file://{file}"),
        format!("file://remote.test{file}"),
        "data:application/activity+json,{\"secret\":\"the opened vault\"}".to_owned(),
        format!("gopher://127.0.0.2:{port}/1secret"),
        format!("ftp://127.0.0.2:{port}/secret"),
        format!("ws://127.0.0.2:{port}/secret"),
        format!("HTTP://127.0.0.2:{port}/secret"),
        "javascript:secret".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        ssrf.send_with_key(alice, &address, &alice.follow(fixture.actor())).await;
        for kind in ["Create", "Update", "Announce", "Like", "Undo"] {
            alice.send(fixture.inbox(), &alice.activity(kind, &json!(address))).await;
        }
        let mut note = alice.reply(id_of(&article), &format!("<p>Reply {number}</p>"));
        note["url"] = json!(address);
        note["attachment"] = json!([{"type": "Document", "mediaType": "image/png", "url": address}]);
        alice.deliver(fixture.inbox(), &alice.create(&note)).await;
        let eve = fixture.remote.user(&format!("eve{number}"));
        let mut actor = eve.actor();
        actor["icon"] = json!({"type": "Image", "mediaType": "image/png", "url": address});
        actor["inbox"] = json!(address);
        eve.serve_actor(&actor);
        eve.send(fixture.inbox(), &eve.follow(fixture.actor())).await;
    }
    fixture.publish("Not delivered").await;
    ssrf.assert_no_connections().await;
    let page = fixture.page(&article).await;
    assert!(!page.text.contains("opened vault") && page.comments.len() == 8, "{}", page.text);
    let mut addresses = page.attribute("href").chain(page.attribute("src"));
    assert!(addresses.all(|address| !address.contains("secret")), "the page links to none of them");
}

async fn e10_nothing_is_delivered_to_a_name_that_changes_to_a_private_address(database: Database) {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let changing = network.remote("changing.test").await;
    let listener = ForbiddenListener::bind("127.0.0.2").await;
    let mut fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    fixture.follow(&fixture.alice).await;
    let mallory = changing.user("mallory");
    let follow = mallory.follow(fixture.actor());
    mallory.deliver(fixture.inbox(), &follow).await;
    changing.await_activity("the Accept", |a| a["type"] == "Accept").await;
    let address = serde_json::Value::from(listener.address().to_string()).to_string();
    fixture.app.reconfigure("federation.resolve", "\"changing.test\"", &address);
    fixture.app.restart().await;
    fixture.publish("The Night Ferry").await;
    fixture.remote.await_activity("the Create", |a| a["type"] == "Create").await;
    eventually("the delivery to fail", || async {
        let log = fixture.app.log();
        log.iter().any(|line| line.contains("changing.test") && line.contains("delivery ")).then_some(())
    })
    .await;
    fixture.settle().await;
    listener.assert_no_connections();
    assert!(changing.distinct_activities("Create").is_empty());
}

#[tokio::test]
async fn e5_a_redirect_to_a_forbidden_address() {
    let ssrf = SsrfFixture::new(Database::Sqlite).await;
    let (fixture, alice) = (&ssrf.fixture, &ssrf.fixture.alice);
    fixture.publish("The Night Ferry").await;
    for (number, address) in ssrf.addresses("/users/alice").into_iter().enumerate() {
        let path = format!("/redirect/{number}");
        fixture.remote.serve(&path, Document::redirect(&address));
        let key_id = format!("{}#main-key", fixture.remote.url(&path));
        ssrf.send_with_key(alice, &key_id, &alice.follow(fixture.actor())).await;
        let mut create = alice.activity("Create", &json!(fixture.remote.url(&path)));
        create["to"] = json!([PUBLIC]);
        alice.send(fixture.inbox(), &create).await;
    }
    ssrf.assert_no_connections().await;
}

#[tokio::test]
async fn e5_only_a_few_redirects_are_followed() {
    let ssrf = SsrfFixture::new(Database::Sqlite).await;
    let (fixture, alice) = (&ssrf.fixture, &ssrf.fixture.alice);
    fixture.remote.serve("/loop", Document::redirect(&fixture.remote.url("/loop")));
    for number in 0..10 {
        let next = fixture.remote.url(&format!("/hop/{}", number + 1));
        fixture.remote.serve(&format!("/hop/{number}"), Document::redirect(&next));
    }
    ssrf.send_with_key(alice, &fixture.remote.url("/loop#main-key"), &alice.follow(fixture.actor())).await;
    ssrf.send_with_key(alice, &fixture.remote.url("/hop/0#main-key"), &alice.follow(fixture.actor())).await;
    assert!(fixture.remote.requests_for("/loop") <= 8, "two attempts, each of at most four requests");
    assert_eq!(fixture.remote.requests_for("/hop/5"), 0, "at most three redirects");
    fixture.follow(alice).await;
}

async fn e8_line_breaks_and_queries_in_names_are_rejected(database: Database) {
    let ssrf = SsrfFixture::new(database).await;
    let (fixture, alice) = (&ssrf.fixture, &ssrf.fixture.alice);
    let article = fixture.publish("The Night Ferry").await;
    for name in
        ["eve\r\nX-Injected: 1", "eve&resource=acct:victim@remote.test", "../victim", "eve#", "eve%2e%2e/"]
    {
        let mut actor = fixture.remote.user("eve").actor();
        actor["preferredUsername"] = json!(name);
        fixture.remote.user("eve").serve_actor(&actor);
        let eve = fixture.remote.user("eve");
        let note = eve.reply(id_of(&article), "<p>A curious name</p>");
        eve.send(fixture.inbox(), &eve.create(&note)).await;
    }
    fixture.settle().await;
    let page = fixture.page(&article).await;
    assert!(!page.text.contains("@victim@remote.test"), "{}", page.text);
    fixture.comment(alice, &article, "All is well").await;
}

async fn e9_an_endless_chain_of_replies_costs_a_limited_number_of_requests(database: Database) {
    let ssrf = SsrfFixture::new(database).await;
    let (fixture, alice) = (&ssrf.fixture, &ssrf.fixture.alice);
    let article = fixture.publish("The Night Ferry").await;
    let mut last = alice.reply("https://remote.test/users/alice/statuses/beginning", "<p>Deep</p>");
    for _ in 0..200 {
        last = alice.reply(id_of(&last), "<p>Deeper</p>");
    }
    alice.deliver(fixture.inbox(), &alice.create(&last)).await;
    fixture.comment(alice, &article, "Not lost in the chain").await;
    fixture.settle().await;
    // Only requests for notes are counted: `settle` causes further requests for actors and handles.
    let note_requests: usize = (0..400)
        .map(|number| {
            fixture
                .remote
                .requests_for(&format!("/users/alice/statuses/{}", 110_000_000_000_000_001_u64 + number))
        })
        .sum();
    assert!(note_requests <= 20, "{note_requests} requests");
}

async fn e9_an_endless_chain_of_key_owners_is_not_followed(database: Database) {
    let ssrf = SsrfFixture::new(database).await;
    let (fixture, mallory) = (&ssrf.fixture, ssrf.fixture.remote.user("mallory"));
    let key_url = |number: usize| fixture.remote.url(&format!("/keys/{number}"));
    for number in 0..200 {
        let key = json!({
            "id": key_url(number), "owner": key_url(number + 1), "publicKeyPem": mallory.key().public_pem(),
        });
        fixture.remote.serve(&format!("/keys/{number}"), Document::activity_json(&key));
    }
    let mut request =
        mallory.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), &mallory.follow(fixture.actor()));
    request.key_id = key_url(0);
    let response = request.sign().post(&fixture.network.client).await;
    assert!(response.is_rejection(), "{}: {}", response.status, response.body);
    let requests = fixture.remote.requests_under("/keys/");
    assert!((1..=20).contains(&requests), "{requests} requests");
}

async fn e1_a_feed_and_its_images_at_a_forbidden_address(database: Database) {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let listener = ForbiddenListener::bind("127.0.0.2").await;
    let address = listener.address();
    let mut item = crate::support::feed::Item::review("The Night Ferry");
    item.html =
        format!("<img src=\"https://{FORBIDDEN}/a.jpg\"><img src=\"https://{address}/b.jpg\">{}", item.html);
    remote.serve("/away.xml", Document::redirect(&format!("https://{FORBIDDEN}/feed.xml")));
    let fixture = Fixture::in_network(network, remote, database, |remote, settings| {
        remote.serve_feed(&[item]);
        settings
            .resolve(FORBIDDEN, address)
            .feed(FEED, &remote.url(PATH), "publish_since = \"2020-01-01\"")
            .feed("direct", &format!("https://{FORBIDDEN}/feed.xml"), "")
            .feed("redirected", &remote.url("/away.xml"), "")
    })
    .await;
    fixture.app.poll(FEED).await;
    for feed in ["direct", "redirected"] {
        fixture.app.poll_expecting_failure(feed).await;
    }
    fixture.await_article(|article| crate::end_to_end::is_about(article, "The Night Ferry")).await;
    eventually("both feeds to be rejected", || async {
        let log = fixture.app.feed_log().await.join("\n");
        (log.contains("direct") && log.contains("redirected")).then_some(())
    })
    .await;
    fixture.settle().await;
    listener.assert_no_connections();
}
