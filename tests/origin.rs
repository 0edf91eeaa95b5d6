//! A server has authority only over its own documents (C in `docs/threats.md`).

use serde_json::{Value, json};

use crate::both_databases;
use crate::support::activities::{PUBLIC, id_of};
use crate::support::remote::{Document, Remote, User, jrd};
use crate::support::signature::SignatureScheme;
use crate::support::{Database, Fixture, TestNetwork};

both_databases!(
    c1_an_activity_id_on_another_host_than_its_actor,
    c2_an_embedded_object_of_another_host_is_fetched_or_dropped,
    c3_an_object_attributed_to_another_user_of_the_same_host,
    c4_an_object_whose_id_is_not_the_url_that_it_was_fetched_from,
    c5_an_actor_document_that_names_another_user,
    c6_an_actor_that_is_served_as_html_or_an_image,
    c6_a_note_that_is_served_as_html,
    c7_a_handle_that_belongs_to_someone_else_by_webfinger_is_not_shown,
    c8_an_object_with_our_own_domain_in_its_id,
    c9_a_name_of_mixed_scripts_is_shown_as_punycode,
    c9_one_host_has_one_spelling,
    c10_a_key_that_occurs_twice_in_the_json,
    c11_ids_whose_host_is_an_ip_address,
);

async fn fixture_with_second_remote(database: Database, host: &str) -> (Fixture, Remote) {
    let network = TestNetwork::new();
    let (remote, other) = (network.remote("remote.test").await, network.remote(host).await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    (fixture, other)
}

/// Sends an activity that must be rejected at once.
async fn assert_rejected(fixture: &Fixture, user: &User, activity: &Value) {
    let response = user.send(fixture.inbox(), activity).await;
    assert!(response.is_rejection(), "{}: {} to {activity}", response.status, response.body);
}

/// Checks that the page does not show a text, after everything has been processed.
async fn assert_not_shown(fixture: &Fixture, article: &Value, text: &str) {
    fixture.settle().await;
    let page = fixture.page(article).await;
    assert!(!page.text.contains(text), "{text} is on the page: {}", page.text);
}

async fn c1_an_activity_id_on_another_host_than_its_actor(database: Database) {
    let (fixture, second) = fixture_with_second_remote(database, "second.test").await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.alice.reply(id_of(&article), "<p>Strange origin</p>");
    let mut create = fixture.alice.create(&note);
    create["id"] = json!(second.url("/users/victim/statuses/1/activity"));
    assert_rejected(&fixture, &fixture.alice, &create).await;
    assert_not_shown(&fixture, &article, "Strange origin").await;
}

async fn c2_an_embedded_object_of_another_host_is_fetched_or_dropped(database: Database) {
    let (fixture, second) = fixture_with_second_remote(database, "second.test").await;
    let article = fixture.publish("The Night Ferry").await;
    let victim = second.user("victim");
    let genuine = victim.reply(id_of(&article), "<p>What the victim said</p>");
    let mut forged = genuine.clone();
    forged["content"] = json!("<p>What the victim never said</p>");
    forged["contentMap"] = json!({"en": "<p>What the victim never said</p>"});
    let mut create = fixture.alice.create(&forged);
    create["id"] = json!(fixture.remote.url("/users/alice/statuses/2/activity"));
    fixture.alice.send(fixture.inbox(), &create).await;
    assert_not_shown(&fixture, &article, "never said").await;
}

async fn c3_an_object_attributed_to_another_user_of_the_same_host(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let victim = fixture.remote.user("victim");
    let note = victim.reply(id_of(&article), "<p>Words in a mouth</p>");
    let mut create = fixture.alice.create(&note);
    create["id"] = json!(fixture.remote.url("/users/alice/statuses/3/activity"));
    fixture.remote.serve(&crate::support::signature::target_of(id_of(&note)), Document::status(404));
    assert_rejected(&fixture, &fixture.alice, &create).await;
    assert_not_shown(&fixture, &article, "Words in a mouth").await;
}

async fn c4_an_object_whose_id_is_not_the_url_that_it_was_fetched_from(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let mut note = fixture.alice.reply(id_of(&article), "<p>Found elsewhere</p>");
    let path = crate::support::signature::target_of(id_of(&note));
    let create = fixture.alice.create(&note["id"].clone());
    note["id"] = json!(fixture.remote.url("/users/victim/statuses/9"));
    fixture.remote.serve(&path, Document::activity_json(&note));
    let mut bare = create.clone();
    bare["to"] = json!([PUBLIC]);
    fixture.alice.send(fixture.inbox(), &bare).await;
    assert_not_shown(&fixture, &article, "Found elsewhere").await;
}

async fn c5_an_actor_document_that_names_another_user(database: Database) {
    let fixture = Fixture::new(database).await;
    let (mallory, victim) = (fixture.remote.user("mallory"), fixture.remote.user("victim"));
    let mut actor = victim.actor();
    actor["publicKey"]["publicKeyPem"] = json!(mallory.key().public_pem());
    mallory.serve_actor(&actor);
    for user in [&mallory, &victim] {
        let follow = user.follow(fixture.actor());
        let mut request = mallory.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), &follow);
        request.key_id = mallory.key_id();
        let response = request.sign().post(&fixture.network.client).await;
        assert!(response.is_rejection(), "{}", response.status);
    }
}

async fn c6_an_actor_that_is_served_as_html_or_an_image(database: Database) {
    let fixture = Fixture::new(database).await;
    for (name, media_type) in [("paige", "text/html"), ("pixel", "image/png"), ("plain", "application/json")]
    {
        let user = fixture.remote.user(name);
        let document = Document::new(media_type, user.actor().to_string());
        fixture.remote.serve(&format!("/users/{name}"), document);
        assert_rejected(&fixture, &user, &user.follow(fixture.actor())).await;
    }
}

async fn c6_a_note_that_is_served_as_html(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.alice.reply(id_of(&article), "<p>Uploaded as a file</p>");
    let path = crate::support::signature::target_of(id_of(&note));
    fixture.remote.serve(&path, Document::new("text/html", note.to_string()));
    let mut create = fixture.alice.create(&note["id"]);
    create["to"] = json!([PUBLIC]);
    fixture.alice.send(fixture.inbox(), &create).await;
    assert_not_shown(&fixture, &article, "Uploaded as a file").await;
}

async fn c7_a_handle_that_belongs_to_someone_else_by_webfinger_is_not_shown(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let eve = fixture.remote.user("eve");
    fixture.remote.serve_webfinger("eve", jrd("victim@remote.test", &fixture.remote.url("/users/victim")));
    fixture.comment(&eve, &article, "Who am I today").await;
    fixture.settle().await;
    let page = fixture.page(&article).await;
    assert!(!page.text.contains("@victim@remote.test"), "{}", page.text);
    assert!(!page.text.contains("@eve@remote.test"), "an unconfirmed handle is not shown: {}", page.text);
}

async fn c8_an_object_with_our_own_domain_in_its_id(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let mut note = fixture.alice.reply(id_of(&article), "<p>One of your own</p>");
    for id in ["https://marquee.test/ap/note/1", id_of(&article)] {
        note["id"] = json!(id);
        let mut create = fixture.alice.create(&note);
        create["id"] = json!(fixture.remote.url("/users/alice/statuses/4/activity"));
        assert_rejected(&fixture, &fixture.alice, &create).await;
    }
    assert_not_shown(&fixture, &article, "One of your own").await;
    assert_eq!(fixture.article(&article).await["name"], article["name"]);
}

async fn c9_a_name_of_mixed_scripts_is_shown_as_punycode(database: Database) {
    // `аpple.test`, which begins with a Cyrillic letter.
    let (fixture, look_alike) = fixture_with_second_remote(database, "xn--pple-43d.test").await;
    let article = fixture.publish("The Night Ferry").await;
    let eve = look_alike.user("eve");
    fixture.comment(&eve, &article, "Fruit of another tree").await;
    let page = fixture.page(&article).await;
    assert!(!page.text.contains('\u{430}'), "{}", page.text);
}

async fn c9_one_host_has_one_spelling(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    for host in ["REMOTE.test", "remote.test."] {
        let mut note = fixture.alice.reply(id_of(&article), &format!("<p>Greetings from {}</p>", host.len()));
        note["attributedTo"] = json!(format!("https://{host}/users/alice"));
        let mut create = fixture.alice.create(&note);
        create["actor"] = note["attributedTo"].clone();
        // The activity is rejected or attributed to the same actor, never to another one.
        fixture.alice.send(fixture.inbox(), &create).await;
    }
    fixture.settle().await;
    let page = fixture.page(&article).await;
    assert!(!page.text.contains("REMOTE.test") && !page.text.contains("remote.test."), "{}", page.text);
}

async fn c10_a_key_that_occurs_twice_in_the_json(database: Database) {
    let fixture = Fixture::new(database).await;
    let victim = fixture.remote.user("victim");
    let follow = fixture.alice.follow(fixture.actor()).to_string();
    let bodies = [
        follow.replacen('{', &format!("{{\"actor\":\"{}\",", victim.id()), 1),
        follow.replacen('{', "{\"type\":\"Undo\",", 1),
    ];
    for body in bodies {
        let mut request =
            fixture.alice.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), &Value::Null);
        request.body = body.clone().into_bytes();
        let response = request.sign().post(&fixture.network.client).await;
        assert!(response.is_rejection(), "{}: {body}", response.status);
    }
}

async fn c11_ids_whose_host_is_an_ip_address(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    for host in ["127.0.0.1", "[::1]", "2130706433", "192.0.2.7"] {
        let note = fixture.alice.reply(id_of(&article), "<p>No name at all</p>");
        let mut create = fixture.alice.create(&note);
        create["actor"] = json!(format!("https://{host}/users/alice"));
        create["id"] = json!(format!("https://{host}/users/alice/statuses/5/activity"));
        create["object"]["id"] = json!(format!("https://{host}/users/alice/statuses/5"));
        create["object"]["attributedTo"] = create["actor"].clone();
        assert_rejected(&fixture, &fixture.alice, &create).await;
    }
    assert_not_shown(&fixture, &article, "No name at all").await;
}
