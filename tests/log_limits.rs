//! What strangers send reaches the log and the terminal shortened and escaped, and however much they send, the log stays
//! small.

use serde_json::{Value, json};

use crate::both_databases;
use crate::end_to_end::fixture_with_feed;
use crate::support::activities::id_of;
use crate::support::feed::{Item, NAME as FEED, PATH};
use crate::support::http::HTML;
use crate::support::remote::{Document, ScriptedResponse, User, jrd};
use crate::support::signature::SignatureScheme;
use crate::support::signer::FastSigner;
use crate::support::{Database, Fixture, eventually};

both_databases!(
    h16_documents_of_junk_are_quoted_in_short_lines,
    h16_junk_in_an_activity_is_quoted_in_short_lines,
    a_feed_of_junk_is_quoted_in_a_short_line,
    h16_commands_print_no_escape_sequences,
    h16_a_flood_of_activities_is_summed_up,
);

/// What a terminal would obey: it clears the screen, names the window, breaks the line and reverses what follows.
const ESCAPES: &str = "\u{1b}[2J\u{1b}]0;pwned\u{7}\u{9b}31m\r\n2026-01-01 ERROR forged line\u{202e}\u{2028}";

/// The longest line, with the words about how much was cut.
const MAX_LINE_BYTES: usize = 2_100;

/// Escape sequences and 900 KB of text.
fn junk() -> String {
    format!("{ESCAPES}{}", "junk ".repeat(180_000))
}

fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}')
}

/// Checks that the log has only short lines without anything that a terminal obeys, and is small.
fn assert_tame(fixture: &Fixture) {
    let log = fixture.app.log();
    for line in &log {
        assert!(line.len() <= MAX_LINE_BYTES && !line.contains(is_obeyed), "{} bytes: {line:?}", line.len());
        assert!(!line.starts_with("2026-01-01 ERROR"), "a stranger wrote this line: {line}");
    }
    let bytes: usize = log.iter().map(String::len).sum();
    assert!(bytes < 200_000, "{bytes} bytes of log");
}

/// The forms that junk takes as a document: no JSON, a string, and a number of objects that quote it as a value.
fn junk_documents(id: &str) -> [Document; 5] {
    let raw = Document::new("application/activity+json", junk());
    let values = [
        json!(junk()),
        json!({"id": junk(), "type": junk()}),
        json!({"@context": junk(), "id": id, "type": "Person", "inbox": junk(), "publicKey": junk()}),
        json!({"id": id, "type": ["Note"], "inReplyTo": {"id": junk()}, "attributedTo": junk(), "content": 1}),
    ];
    let [one, two, three, four] = values.map(|value| Document::activity_json(&value));
    [raw, one, two, three, four]
}

async fn h16_documents_of_junk_are_quoted_in_short_lines(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    // A key, without any proof of who asks for it.
    for (number, document) in junk_documents(&fixture.remote.url("/users/key")).into_iter().enumerate() {
        let mallory = fixture.remote.user(&format!("key{number}"));
        fixture.remote.serve(&format!("/users/key{number}"), document);
        assert!(!mallory.send(fixture.inbox(), &mallory.follow(fixture.actor())).await.is_success());
    }
    // An error page in place of a key.
    let mallory = fixture.remote.user("error");
    let error = Document { status: 500, ..Document::new("text/html", junk()) };
    fixture.remote.serve("/users/error", error.clone());
    assert!(!mallory.send(fixture.inbox(), &mallory.follow(fixture.actor())).await.is_success());
    // The posts that replies answer.
    for (number, document) in
        junk_documents(&fixture.remote.url("/notes/0")).into_iter().chain([error]).enumerate()
    {
        let path = format!("/notes/{number}");
        fixture.remote.serve(&path, document);
        let reply = fixture.alice.reply(&fixture.remote.url(&path), "<p>Yes.</p>");
        fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&reply)).await;
    }
    fixture.app.await_log("the posts", |line| line.contains("could not resolve thread")).await;
    // What is said about a handle.
    for (name, subject) in
        [("webfinger", junk()), ("subject", format!("{ESCAPES}@remote.test")), ("long", "a".repeat(900_000))]
    {
        let user = fixture.remote.user(name);
        fixture.remote.serve_webfinger(name, jrd(&subject, &user.id()));
        fixture.comment(&user, &article, &format!("Said by {name}.")).await;
    }
    fixture.app.await_log("the handles", |line| line.contains("could not confirm handle")).await;
    assert_tame(&fixture);
}

async fn h16_junk_in_an_activity_is_quoted_in_short_lines(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.follow(&fixture.alice).await;
    let long = "a".repeat(100_000);
    let with = |name: &str, value: Value| {
        let mut like = fixture.alice.like(id_of(&article));
        like[name] = value;
        like
    };
    let activities = [
        with("id", json!(fixture.remote.url(&format!("/{long}")))),
        with("id", json!(junk())),
        with("type", json!(junk())),
        with("object", json!(fixture.remote.url(&format!("/{long}")))),
        with("object", json!(junk())),
        with("actor", json!(fixture.remote.url(&format!("/{long}")))),
        with("actor", json!(junk())),
        json!(junk()),
    ];
    for activity in &activities {
        let response = fixture.alice.send(fixture.inbox(), activity).await;
        assert!(response.body.len() < 20_000 && !response.body.contains("junk junk"), "{}", response.body);
    }
    let mut forged = fixture.alice.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), &activities[2]);
    forged.key_id = format!("{}#{}", fixture.alice.id(), "k".repeat(5_000));
    let response = forged.sign().post(&fixture.network.client).await;
    assert!(response.is_rejection() && response.body.len() < 20_000, "{}", response.body);
    // What an inbox says when it refuses a delivery.
    for (number, body) in [junk(), format!("{ESCAPES}no"), "n".repeat(900_000)].into_iter().enumerate() {
        refuse_delivery(&fixture, &format!("Film {number}"), &body).await;
    }
    assert_tame(&fixture);
}

async fn a_feed_of_junk_is_quoted_in_a_short_line(database: Database) {
    let fixture = fixture_with_feed(database, &[Item::review("Alpha")], "").await;
    let named = format!("<rss version=\"2.0\"><channel><{}></b></channel></rss>", "n".repeat(900_000));
    for body in
        [junk(), format!("<rss><channel><item>{}", junk()), named, json!({"version": junk()}).to_string()]
    {
        fixture.remote.serve(PATH, Document::new("application/rss+xml", body));
        let failed = fixture.app.cli(&["feed", "poll", FEED]).await;
        let shown =
            String::from_utf8_lossy(&failed.stderr).into_owned() + &String::from_utf8_lossy(&failed.stdout);
        assert!(shown.len() < MAX_LINE_BYTES, "{shown}");
        assert!(!shown.contains(|c| is_obeyed(c) && c != '\n'), "{shown:?}");
    }
    let log = fixture.app.command_output(&["feed", "log"]).await;
    assert!(log.len() < 20_000 && !log.contains(|c| is_obeyed(c) && c != '\n'), "{log:?}");
    assert_tame(&fixture);
}

/// Publishes a review that the inbox of a follower refuses with this text.
async fn refuse_delivery(fixture: &Fixture, title: &str, error: &str) -> Value {
    let refusals =
        || fixture.app.log().iter().filter(|line| line.contains("the server responded with 422")).count();
    let before = refusals();
    fixture.remote.serve("/inbox", Document::new("text/plain", error));
    fixture.remote.script([ScriptedResponse::Status(422)]);
    let article = fixture.publish(title).await;
    eventually("the refusal", || async { (refusals() > before).then_some(()) }).await;
    article
}

/// The user's actor and posts with escape sequences wherever text may be.
async fn send_escapes(fixture: &Fixture, user: &User, article: &Value) {
    let mut actor = user.actor();
    actor["name"] = json!(format!("{ESCAPES}Mallory"));
    user.serve_actor(&actor);
    let note = user.reply(id_of(article), &format!("<p>{ESCAPES}Words of mallory.</p>"));
    user.deliver(fixture.inbox(), &user.create(&note)).await;
    user.deliver(fixture.inbox(), &user.follow(fixture.actor())).await;
    let mut flag = user.activity("Flag", &json!([id_of(article)]));
    flag["content"] = json!(format!("{ESCAPES}A report.{}", " More.".repeat(50_000)));
    user.deliver(fixture.inbox(), &flag).await;
}

async fn h16_commands_print_no_escape_sequences(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let mallory = fixture.remote.user("mallory");
    send_escapes(&fixture, &mallory, &article).await;
    fixture.settle().await;
    fixture.await_page(&article, "the comment", |page| page.text.contains("Words of mallory.")).await;
    let refused = refuse_delivery(&fixture, "Another", ESCAPES).await;
    let delivery = ["delivery", "status", id_of(&refused)];
    let lists: [&[&str]; 6] = [
        &["comment", "list"],
        &["follower", "list"],
        &["report", "list"],
        &["quote", "list"],
        &["host", "list"],
        &delivery,
    ];
    for command in lists {
        for shown in
            [fixture.app.command_output(command).await, fixture.app.output_on_terminal(command).await]
        {
            assert!(!shown.contains(|c| is_obeyed(c) && c != '\n'), "{command:?}: {shown:?}");
            assert!(
                shown.lines().all(|line| line.len() < 4_000 && !line.starts_with("2026-01-01")),
                "{shown}"
            );
        }
    }
    let comments = fixture.app.command_output(&["comment", "list"]).await;
    assert!(comments.contains("Words of mallory."), "{comments}");
    let reports = fixture.app.command_output(&["report", "list"]).await;
    assert!(reports.contains("A report."), "{reports}");
}

/// Whether a line sums up others with this text.
fn is_sum(line: &str, text: &str) -> bool {
    line.contains(" more lines like this in 10 s: ") && line.contains(text)
}

async fn h16_a_flood_of_activities_is_summed_up(database: Database) {
    let fixture =
        Fixture::with(database, |_, settings| settings.env("MARQUEE_LOG", "info,marquee::request=debug"))
            .await;
    let article = fixture.publish("The Night Ferry").await;
    let signer = FastSigner::new(&fixture.alice, &fixture.app);
    for _ in 0..300 {
        let like = fixture.alice.like(id_of(&article));
        assert_eq!(signer.post(like.to_string()).await.expect("a response"), 202);
    }
    let eve = fixture.remote.user("eve");
    for _ in 0..5_000 {
        let forged = eve.like(id_of(&article)).to_string();
        assert!(signer.post(forged).await.expect("a response") >= 400);
    }
    assert_eq!(fixture.app.get_page("/").await.status, 200);
    let html = fixture.network.client.get(article["url"].as_str().expect("a page"), HTML).await;
    assert_eq!(html.status, 200);
    fixture.app.await_log("the sum of the activities", |line| is_sum(line, "activity applied")).await;
    fixture.app.await_log("the sum of the requests", |line| is_sum(line, "request")).await;
    let log = fixture.app.log();
    let applied =
        log.iter().filter(|line| line.contains("activity applied") && !line.contains("more lines")).count();
    assert!(applied >= 20, "the first ones are shown: {applied}");
    let reads = |line: &&String| line.contains("method=GET") && line.contains("status=200");
    assert!(log.iter().filter(reads).count() >= 2, "those of readers are all shown");
    let requests = log.iter().filter(|line| line.contains("method=POST")).count();
    assert!(requests < 500, "{requests} lines about requests");
    assert_tame(&fixture);
}
