//! Readers are led to their own server, to follow, reply, like or boost from there.

use reqwest::Method;
use serde_json::{Value, json};

use crate::both_databases;
use crate::support::app::{HOST, url};
use crate::support::http::{Answer, HTML};
use crate::support::page::Page;
use crate::support::remote::{Document, Remote, jrd};
use crate::support::shapes::id_of;
use crate::support::trap::Trap;
use crate::support::{Database, Stage, World};

both_databases!(
    a_reader_follows_and_replies_from_their_own_server,
    a_server_alone_leads_home_where_its_kind_is_known,
    the_form_stands_on_each_page,
    what_leads_nowhere_is_told_with_another_way,
    nobody_is_led_to_a_server_that_is_not_theirs,
    g3_a_form_of_another_site_is_refused,
    one_client_has_others_asked_only_so_often,
);

async fn ask(stage: &Stage, handle: &str, wish: &str, object: &str, headers: &[(&str, &str)]) -> Answer {
    let form: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("handle", handle), ("wish", wish), ("object", object)])
        .finish();
    let mut all = vec![
        ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
        ("accept".to_owned(), HTML.to_owned()),
    ];
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    stage
        .world
        .client
        .send(Method::POST, &url("/interact"), &all, form.into_bytes())
        .await
        .expect("an answer")
}

const FROM_HERE: [(&str, &str); 2] = [("origin", "https://marquee.test"), ("sec-fetch-site", "same-origin")];

/// A user whose server says this beside the usual.
fn serve_links(stage: &Stage, name: &str, links: &[Value]) {
    stage.remote.user(name);
    let mut answer = jrd(&format!("{name}@remote.test"), &format!("https://remote.test/users/{name}"));
    answer["links"].as_array_mut().expect("links").extend_from_slice(links);
    stage.remote.serve_webfinger(name, answer);
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
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let (article, actor) = (id_of(&article), stage.actor());
    serve_links(&stage, "old", &[template(SUBSCRIBE, "https://remote.test/authorize_interaction?uri={uri}")]);
    serve_links(
        &stage,
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
    let (article_there, actor_there) = (encoded(article), encoded(actor));
    for (handle, wish, object, page) in [
        ("@new@remote.test", "follow", actor, format!("follow?who={actor_there}&then=")),
        ("new@REMOTE.test", "reply", article, format!("write?re={article_there}&text=")),
        ("https://remote.test/@new", "like", article, format!("like?what={article_there}")),
        (" @new@remote.test ", "boost", article, format!("boost?what={article_there}")),
        ("@old@remote.test", "follow", actor, format!("authorize_interaction?uri=critic%40{HOST}")),
        ("@old@remote.test", "reply", article, format!("authorize_interaction?uri={article_there}")),
    ] {
        let answer = ask(&stage, handle, wish, object, &FROM_HERE).await;
        assert_eq!(answer.status, 303, "{handle} {wish}: {}", answer.body);
        assert_eq!(answer.header("location"), format!("https://remote.test/{page}"));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

/// NodeInfo of a server of that kind, found at that address.
fn serve_kind(remote: &Remote, software: &str, at: &str) {
    let rel = "http://nodeinfo.diaspora.software/ns/schema/2.0";
    let discovery = json!({"links": [{"rel": rel, "href": at}]}).to_string();
    remote.serve("/.well-known/nodeinfo", Document::new("application/json", discovery));
    let document = json!({"version": "2.0", "software": {"name": software, "version": "1"}}).to_string();
    remote.serve("/nodeinfo/2.0", Document::new("application/json", document));
}

async fn a_server_alone_leads_home_where_its_kind_is_known(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let (article, actor) = (id_of(&article), stage.actor());
    let here = stage.remote.url("/nodeinfo/2.0");
    serve_kind(&stage.remote, "mastodon", &here);
    let there = encoded(article);
    for (typed, wish, object, page) in [
        ("remote.test", "reply", article, format!("authorize_interaction?uri={there}")),
        ("https://remote.test/", "boost", article, format!("authorize_interaction?uri={there}")),
        ("@REMOTE.test", "follow", actor, format!("authorize_interaction?uri=critic%40{HOST}")),
    ] {
        let answer = ask(&stage, typed, wish, object, &FROM_HERE).await;
        assert_eq!(answer.status, 303, "{typed}: {}", answer.body);
        assert_eq!(answer.header("location"), format!("https://remote.test/{page}"));
    }
    // What is not known, is elsewhere, or is nobody's.
    serve_kind(&stage.remote, "writefreely", &here);
    assert_eq!(ask(&stage, "remote.test", "reply", article, &FROM_HERE).await.status, 422);
    serve_kind(&stage.remote, "mastodon", "https://evil.test/nodeinfo/2.0");
    let answer = ask(&stage, "remote.test", "reply", article, &FROM_HERE).await;
    assert_eq!((answer.status, answer.header("location")), (422, ""));
    let answer = ask(&stage, "nowhere.test", "reply", article, &FROM_HERE).await;
    assert!(answer.status == 422 && answer.body.contains("nowhere.test"), "{}", answer.body);
    assert_eq!(ask(&stage, HOST, "reply", article, &FROM_HERE).await.status, 422);
}

async fn the_form_stands_on_each_page(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let review = article["url"].as_str().expect("a page").to_owned();
    for (address, forms) in [(url("/"), 1), (url("/@critic"), 1), (review, 2)] {
        let answer = stage.world.client.get(&address, HTML).await;
        let page = Page::parse(&answer.body);
        let actions: Vec<&str> = page.attribute("action").filter(|action| *action != "/search").collect();
        assert_eq!(actions, vec!["/interact"; forms], "{address}");
        // Browsers hold what the form's answer leads to against this.
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("form-action 'self' https:;") && policy.contains("default-src 'none'"),
            "{policy}"
        );
        let hidden: Vec<&str> = page.attribute("value").collect();
        assert!(hidden.contains(&stage.actor()), "{hidden:?}");
    }
    let other = stage.world.client.get(&url("/reviews"), HTML).await;
    assert!(other.header("content-security-policy").contains("form-action 'self';"));
}

async fn what_leads_nowhere_is_told_with_another_way(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    stage.remote.user("plain");
    stage.remote.serve(
        "/.well-known/webfinger?resource=acct%3Abroken%40remote.test",
        Document::new("text/html", "<p>"),
    );
    for (handle, told) in [
        ("nonsense", "not a handle"),
        ("@a@127.0.0.1", "not a handle"),
        ("@a@b@c/<script>alert(1)</script>", "not a handle"),
        ("@me@nowhere.test", "nowhere.test does not answer"),
        ("@nobody@remote.test", "remote.test knows nobody"),
        ("@plain@remote.test", "remote.test does not say"),
        ("@broken@remote.test", "remote.test does not say"),
        (&format!("@critic@{HOST}"), "does not say"),
    ] {
        let answer = ask(&stage, handle, "reply", id_of(&article), &FROM_HERE).await;
        assert_eq!(answer.status, 422, "{handle}: {}", answer.body);
        let page = Page::parse(&answer.body);
        assert!(page.text.contains(told), "{handle}: {}", page.text);
        assert!(page.text.contains(id_of(&article)), "the address to copy");
        assert_eq!(page.scripts(), ["/assets/site.js"], "ours alone");
        assert!(page.attribute("value").any(|value| value == handle), "what was typed is there to be mended");
    }
    let unknown = url("/ap/article/01ARZ3NDEKTSV4RRFFQ69G5FAV");
    for (wish, object, status) in [
        ("reply", "https://elsewhere.test/notes/1", 404),
        ("reply", &unknown, 404),
        ("reply", stage.actor(), 404),
        ("follow", id_of(&article), 404),
        ("dance", id_of(&article), 400),
        ("reply", "not an address", 400),
    ] {
        let answer = ask(&stage, "@plain@remote.test", wish, object, &FROM_HERE).await;
        assert_eq!(answer.status, status, "{wish} {object}");
    }
    assert_eq!(stage.app.get_page("/interact").await.status, 405);
}

async fn nobody_is_led_to_a_server_that_is_not_theirs(database: Database) {
    let world = World::new();
    let remote = world.remote("remote.test").await;
    let trap = Trap::on("127.0.0.2").await;
    let address = trap.address();
    let stage =
        Stage::in_world(world, remote, database, |_, settings| settings.resolve("forbidden.test", address))
            .await;
    let article = stage.publish("The Night Ferry").await;
    for (number, where_to) in [
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
        serve_links(&stage, &name, &[template(SUBSCRIBE, where_to)]);
        let answer = ask(&stage, &format!("@{name}@remote.test"), "reply", id_of(&article), &FROM_HERE).await;
        assert_eq!((answer.status, answer.header("location")), (422, ""), "{where_to}");
    }
    // And nobody makes us connect where we must not.
    for handle in ["@eve@forbidden.test", "@eve@localhost", "@eve@[::1]"] {
        let answer = ask(&stage, handle, "reply", id_of(&article), &FROM_HERE).await;
        assert_eq!(answer.status, 422, "{handle}");
    }
    trap.assert_untouched();
}

async fn g3_a_form_of_another_site_is_refused(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    serve_links(&stage, "old", &[template(SUBSCRIBE, "https://remote.test/i?uri={uri}")]);
    for foreign in [
        vec![("origin", "https://evil.test")],
        vec![("origin", "null")],
        vec![("origin", "https://marquee.test.evil.test")],
        vec![("sec-fetch-site", "cross-site")],
        vec![("origin", "https://marquee.test"), ("sec-fetch-site", "cross-site")],
    ] {
        let answer = ask(&stage, "@old@remote.test", "reply", id_of(&article), &foreign).await;
        assert_eq!((answer.status, answer.header("location")), (403, ""), "{foreign:?}");
    }
    assert_eq!(ask(&stage, "@old@remote.test", "reply", id_of(&article), &FROM_HERE).await.status, 303);
    let large = "x".repeat(10_000);
    assert_eq!(ask(&stage, &large, "reply", id_of(&article), &FROM_HERE).await.status, 413);
}

async fn one_client_has_others_asked_only_so_often(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    serve_links(&stage, "old", &[template(SUBSCRIBE, "https://remote.test/i?uri={uri}")]);
    let mut statuses = Vec::new();
    let mut last = None;
    for _ in 0..30 {
        let answer = ask(&stage, "@old@remote.test", "reply", id_of(&article), &FROM_HERE).await;
        statuses.push(answer.status);
        last = Some(answer);
    }
    assert!(statuses[..12].iter().all(|status| *status == 303), "{statuses:?}");
    let last = last.expect("an answer");
    assert_eq!((last.status, last.header("retry-after")), (429, "60"), "{statuses:?}");
}
