//! The inbox under overload, with invalid requests, and without a database (H and J in `docs/threats.md`). Each
//! activity that was acknowledged with 2xx takes effect exactly once; the senders of all others are asked to retry. The
//! same holds for too many searches.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::both_databases;
use crate::end_to_end::total_items;
use crate::support::activities::id_of;
use crate::support::config_file::url;
use crate::support::db_control::DbControl;
use crate::support::http::{Client, HTML, Response};
use crate::support::remote::{Document, User};
use crate::support::signature::SignatureScheme;
use crate::support::signed_request::SignedRequest;
use crate::support::{Database, Fixture, eventually};

both_databases!(
    a_flood_from_many_actors_takes_effect_once_and_forgeries_delay_no_one_else,
    h1_an_overloaded_inbox_asks_for_a_retry_and_accepts_it_later,
    j3_j12_an_activity_that_cannot_be_stored_does_not_affect_others,
    j12_an_activity_that_cannot_be_applied_does_not_affect_its_batch,
    j4_while_the_database_is_down_requests_get_503_and_succeed_later,
    b5_a_key_that_another_process_replaced_is_no_longer_accepted,
    b5_a_key_that_another_process_dropped_is_fetched_again,
    j14_nothing_acknowledged_before_a_sigterm_is_lost,
    a_block_applies_to_the_next_request_even_if_the_key_is_cached,
);

/// The maximum size of a request.
const MAX_BODY_SIZE: usize = 1024 * 1024;

/// How many requests of that size one client may have in flight.
const MAX_REQUESTS_PER_CLIENT: usize = 24;

fn sign(fixture: &Fixture, user: &User, activity: &Value) -> SignedRequest {
    user.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), activity).sign()
}

/// A signed reply to the review.
fn reply(fixture: &Fixture, user: &User, article: &Value, text: &str) -> SignedRequest {
    let note = user.reply(id_of(article), &format!("<p>{text}</p>"));
    sign(fixture, user, &user.create(&note))
}

fn asks_to_retry(response: &Response) -> bool {
    let seconds = response.header("retry-after").parse::<u32>();
    response.status == 503 && seconds.is_ok_and(|seconds| (1..=60).contains(&seconds))
}

fn is_overloaded(response: &Response) -> bool {
    response.body.contains("concurrent activities")
}

/// Sends a request until it is accepted. Until then every response must ask for a retry.
async fn post_until_accepted(client: &Client, request: &SignedRequest) {
    eventually("a request to be accepted", || async {
        let response = request.post(client).await;
        let is_retry = asks_to_retry(&response);
        assert!(is_retry || response.is_success(), "{}: {}", response.status, response.body);
        response.is_success().then_some(())
    })
    .await;
}

/// Waits until each of these texts is shown, and checks that each is shown once.
async fn await_once(fixture: &Fixture, article: &Value, texts: &[String]) {
    let all = |page: &crate::support::page::Page| texts.iter().all(|text| page.comment(text).is_some());
    fixture.await_page(article, "all comments", all).await;
    fixture.settle().await;
    let page = fixture.page(article).await;
    for text in texts {
        let shown = page.comments.iter().filter(|comment| comment.text.contains(text.as_str()));
        assert_eq!(shown.count(), 1, "{text}");
    }
}

async fn a_flood_from_many_actors_takes_effect_once_and_forgeries_delay_no_one_else(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let client = &fixture.network.client;
    let users: Vec<User> = (0..24).map(|number| fixture.remote.user(&format!("viewer{number}"))).collect();
    let (mut valid, mut forged, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for (number, user) in users.iter().enumerate() {
        let text = format!("Seat {number} of the house");
        let like = sign(&fixture, user, &user.like(id_of(&article)));
        // The same request twice: a replay is accepted and has no effect.
        valid.extend([reply(&fixture, user, &article, &text), like.clone(), like]);
        texts.push(text);
        let note = user.reply(id_of(&article), &format!("<p>A lie about {number}</p>"));
        let mut request =
            user.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), &user.create(&note));
        request.key = fixture.alice.key();
        forged.push(request.sign());
        let mut tampered = reply(&fixture, user, &article, "A lie in the body");
        tampered.body = String::from_utf8(tampered.body).expect("text").replace("lie", "tie").into_bytes();
        forged.push(tampered);
    }
    let valid = join_all(valid.iter().map(|request| post_until_accepted(client, request)));
    let forged = join_all(forged.iter().map(|request| request.post(client)));
    let (_, rejected) = tokio::join!(valid, forged);
    for response in rejected {
        let is_rejected = response.is_unauthorized() || asks_to_retry(&response);
        assert!(is_rejected, "{}: {}", response.status, response.body);
    }
    await_once(&fixture, &article, &texts).await;
    let page = fixture.page(&article).await;
    assert_eq!(page.comments.len(), texts.len(), "{}", page.text);
    assert_eq!(
        total_items(&fixture, &fixture.article(&article).await["likes"]).await,
        u64::try_from(users.len()).expect("a number")
    );
}

async fn h1_an_overloaded_inbox_asks_for_a_retry_and_accepts_it_later(database: Database) {
    let fixture = Fixture::with(database, |_, settings| {
        settings.set("server", "trusted_proxies", "[\"127.0.0.1/32\"]")
    })
    .await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.follow(&fixture.alice).await;
    let texts: Vec<String> =
        (0..MAX_REQUESTS_PER_CLIENT).map(|number| format!("Row {number} is taken")).collect();
    let large: Vec<SignedRequest> = texts
        .iter()
        .map(|text| {
            let note = fixture.alice.reply(id_of(&article), &format!("<p>{text}</p>"));
            let mut request = fixture.alice.unsigned_request(
                SignatureScheme::Cavage,
                fixture.inbox(),
                &fixture.alice.create(&note),
            );
            request.body.resize(MAX_BODY_SIZE, b' ');
            request.sign()
        })
        .collect();
    let mut db = DbControl::connect(&fixture.app).await;
    db.block_writes().await;
    let mut in_flight = JoinSet::new();
    for request in large.clone() {
        let client = fixture.network.client.clone();
        in_flight.spawn(async move { request.post(&client).await });
    }
    // An invalid request is rejected as invalid until there is no capacity left to parse it.
    let invalid = SignedRequest {
        url: fixture.inbox().to_owned(),
        headers: vec![("signature".to_owned(), "none".to_owned())],
        body: Vec::new(),
    };
    eventually("the capacity to be exhausted", || async {
        let response = invalid.post(&fixture.network.client).await;
        assert!(response.status == 400 || asks_to_retry(&response), "{}", response.status);
        is_overloaded(&response).then_some(())
    })
    .await;
    let small = sign(&fixture, &fixture.alice, &fixture.alice.like(id_of(&article)));
    let rejected = small.post(&fixture.network.client).await;
    assert!(is_overloaded(&rejected) && asks_to_retry(&rejected), "{}: {}", rejected.status, rejected.body);
    // There is capacity for other senders.
    let mut other_client = invalid.clone();
    other_client.add("x-forwarded-for", "203.0.113.9");
    assert_eq!(other_client.post(&fixture.network.client).await.status, 400);
    db.unblock_writes().await;
    while let Some(response) = in_flight.join_next().await {
        let response = response.expect("a response");
        assert!(response.is_success() || asks_to_retry(&response), "{}: {}", response.status, response.body);
    }
    for request in large.iter().chain([&small]) {
        post_until_accepted(&fixture.network.client, request).await;
    }
    await_once(&fixture, &article, &texts).await;
    assert_eq!(total_items(&fixture, &fixture.article(&article).await["likes"]).await, 1);
}

async fn j3_j12_an_activity_that_cannot_be_stored_does_not_affect_others(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.follow(&fixture.alice).await;
    let mut db = DbControl::connect(&fixture.app).await;
    db.fail_inserts_containing("inbox_activities", "body", "arsenic").await;
    db.block_writes().await;
    let texts: Vec<String> = (0..12).map(|number| format!("Old lace {number} of twelve")).collect();
    let good: Vec<SignedRequest> =
        texts.iter().map(|text| reply(&fixture, &fixture.alice, &article, text)).collect();
    let bad = reply(&fixture, &fixture.alice, &article, "With arsenic");
    let mut in_flight = JoinSet::new();
    for request in good.iter().cloned().chain([bad.clone()]) {
        let client = fixture.network.client.clone();
        let is_bad = request.body == bad.body;
        in_flight.spawn(async move { (is_bad, request.post(&client).await) });
    }
    db.unblock_writes().await;
    while let Some(result) = in_flight.join_next().await {
        let (is_bad, response) = result.expect("a response");
        let is_expected = if is_bad { response.status == 500 } else { response.is_success() };
        assert!(is_expected || asks_to_retry(&response), "{}: {}", response.status, response.body);
    }
    let client = &fixture.network.client;
    join_all(good.iter().map(|request| post_until_accepted(client, request))).await;
    // The fault is in the data and not caused by load. Senders retry after any 5xx.
    let response = bad.post(client).await;
    assert_eq!(response.status, 500, "{}", response.body);
    await_once(&fixture, &article, &texts).await;
    assert!(fixture.page(&article).await.comment("arsenic").is_none());
    db.stop_failing_inserts("inbox_activities").await;
    post_until_accepted(client, &bad).await;
    await_once(&fixture, &article, &["With arsenic".to_owned()]).await;
}

async fn j12_an_activity_that_cannot_be_applied_does_not_affect_its_batch(database: Database) {
    let fixture = Fixture::with(database, |_, settings| settings.role("web")).await;
    let worker = fixture.app.spawn_command(&["serve", "--role", "worker"]);
    let article = fixture.publish("The Night Ferry").await;
    // Unknown actors are fetched first; these are ready at once.
    let known: Vec<String> = (0..4).map(|number| format!("Known {number} of four")).collect();
    let users: Vec<User> = (0..4).map(|number| fixture.remote.user(&format!("viewer{number}"))).collect();
    let client = &fixture.network.client;
    for (user, text) in users.iter().zip(&known) {
        post_until_accepted(client, &reply(&fixture, user, &article, text)).await;
    }
    await_once(&fixture, &article, &known).await;
    // Jobs that the worker holds when it is killed would wait until their leases expire.
    eventually("all leases to be released", || async {
        let query = "select count(*) from hosts where lease is not null";
        (fixture.app.number(query, query).await == 0).then_some(())
    })
    .await;
    drop(worker);
    let mut db = DbControl::connect(&fixture.app).await;
    db.fail_inserts_containing("comments", "content", "arsenic").await;
    let (mut texts, mut requests, mut undos) = (Vec::new(), Vec::new(), Vec::new());
    for (number, user) in users.iter().enumerate() {
        let text = format!("Old lace {number} of four");
        requests.extend([
            reply(&fixture, user, &article, &text),
            reply(&fixture, user, &article, "With arsenic"),
        ]);
        texts.push(text);
        let like = user.like(id_of(&article));
        requests.push(sign(&fixture, user, &like));
        if number % 2 == 0 {
            undos.push(sign(&fixture, user, &user.undo(&like)));
        }
    }
    // Each Undo arrives before its Like.
    for request in undos.iter().chain(&requests) {
        post_until_accepted(client, request).await;
    }
    let _worker = fixture.app.spawn_command(&["serve", "--role", "worker"]);
    await_once(&fixture, &article, &texts).await;
    assert!(fixture.page(&article).await.comment("arsenic").is_none());
    eventually("the failures to be recorded", || async {
        let query =
            "select count(*) from inbox_activities where state = 'queued' and attempts > 0 and note like '%poison%'";
        (fixture.app.number(query, query).await == 4).then_some(())
    })
    .await;
    assert_eq!(total_items(&fixture, &fixture.article(&article).await["likes"]).await, 2);
    db.stop_failing_inserts("comments").await;
    // The first retry comes after two seconds, and the second one after a minute.
    fixture.app.set_clock_forward(Duration::from_secs(70));
    fixture.await_page(&article, "all comments", |page| count(page, "arsenic") == 4).await;
    await_once(&fixture, &article, &texts).await;
}

fn count(page: &crate::support::page::Page, text: &str) -> usize {
    page.comments.iter().filter(|comment| comment.text.contains(text)).count()
}

async fn j4_while_the_database_is_down_requests_get_503_and_succeed_later(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.follow(&fixture.alice).await;
    let stranger = fixture.remote.user("stranger");
    let requests = [
        reply(&fixture, &fixture.alice, &article, "Known before"),
        reply(&fixture, &stranger, &article, "Met in the dark"),
    ];
    let mut db = DbControl::connect(&fixture.app).await;
    db.make_unavailable().await;
    let client = &fixture.network.client;
    let started = Instant::now();
    // Both requests are sent again at this interval, as servers do that are asked to retry.
    let mut retry_interval = interval(Duration::from_secs(2));
    while started.elapsed() < Duration::from_mins(1) {
        retry_interval.tick().await;
        for response in join_all(requests.iter().map(|request| request.post(client))).await {
            assert!(asks_to_retry(&response), "{}: {}", response.status, response.body);
        }
        // A forgery does not need the database.
        let mut forged = reply(&fixture, &fixture.alice, &article, "A lie");
        forged.body.push(b' ');
        assert!(forged.post(client).await.is_unauthorized());
    }
    db.make_available().await;
    join_all(requests.iter().map(|request| post_until_accepted(client, request))).await;
    await_once(&fixture, &article, &["Known before".to_owned(), "Met in the dark".to_owned()]).await;
}

async fn j14_nothing_acknowledged_before_a_sigterm_is_lost(database: Database) {
    let mut fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.follow(&fixture.alice).await;
    let texts: Vec<String> = (0..40).map(|number| format!("Ticket {number} of forty")).collect();
    let requests: Vec<SignedRequest> =
        texts.iter().map(|text| reply(&fixture, &fixture.alice, &article, text)).collect();
    let mut in_flight = JoinSet::new();
    for (number, request) in requests.iter().cloned().enumerate() {
        let client = fixture.network.client.clone();
        in_flight.spawn(async move {
            let response =
                client.send(reqwest::Method::POST, &request.url, &request.headers, request.body).await;
            // If the server stops in the meantime, there is no response.
            response.is_ok_and(|response| response.is_success()).then_some(number)
        });
    }
    let mut acknowledged = Vec::new();
    while acknowledged.is_empty() {
        acknowledged.extend(in_flight.join_next().await.expect("a response").expect("a response"));
    }
    let status = fixture.app.terminate().await;
    assert!(status.success(), "it ended with {status}");
    while let Some(response) = in_flight.join_next().await {
        acknowledged.extend(response.expect("a response"));
    }
    fixture.app.start().await;
    let stored: Vec<String> = acknowledged.iter().map(|number| texts[*number].clone()).collect();
    await_once(&fixture, &article, &stored).await;
    // A request without a response may have been stored or not: sent again, it counts once.
    join_all(requests.iter().map(|request| post_until_accepted(&fixture.network.client, request))).await;
    await_once(&fixture, &article, &texts).await;
}

/// How often alice's actor was requested.
fn actor_requests(fixture: &Fixture) -> usize {
    fixture.remote.requests_for("/users/alice")
}

async fn b5_a_key_that_another_process_replaced_is_no_longer_accepted(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    fixture.settle().await;
    let leaked = fixture.alice.key();
    fixture.alice.rotate_key();
    let pem = fixture.alice.key().public_pem();
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute(&format!("update actor_keys set pem = '{pem}' where key_id = '{}'", fixture.alice.key_id()))
        .await;
    let before = actor_requests(&fixture);
    for scheme in SignatureScheme::BOTH {
        let mut request =
            fixture.alice.unsigned_request(scheme, fixture.inbox(), &fixture.alice.like(fixture.actor()));
        request.key = leaked.clone();
        let response = request.sign().post(&fixture.network.client).await;
        assert!(response.is_unauthorized(), "{}: {}", response.status, response.body);
        let request =
            fixture.alice.unsigned_request(scheme, fixture.inbox(), &fixture.alice.like(fixture.actor()));
        let response = request.sign().post(&fixture.network.client).await;
        assert!(response.is_success(), "{}: {}", response.status, response.body);
    }
    assert!(actor_requests(&fixture) - before <= 1, "at most one request, because of the leaked key");
}

async fn b5_a_key_that_another_process_dropped_is_fetched_again(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    fixture.settle().await;
    let mut db = DbControl::connect(&fixture.app).await;
    let drop = format!("delete from actor_keys where key_id = '{}'", fixture.alice.key_id());
    db.execute(&drop).await;
    let before = actor_requests(&fixture);
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.like(fixture.actor())).await;
    assert_eq!(actor_requests(&fixture), before + 1, "the key is fetched again");
    db.execute(&drop).await;
    let mut actor = fixture.alice.actor();
    actor["publicKey"] = json!([]);
    fixture.remote.serve("/users/alice", Document::activity_json(&actor));
    let response = fixture.alice.send(fixture.inbox(), &fixture.alice.like(fixture.actor())).await;
    assert!(response.is_unauthorized(), "{}: {}", response.status, response.body);
}

async fn a_block_applies_to_the_next_request_even_if_the_key_is_cached(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    // The actor is already known, so it is not fetched for the facepile.
    fixture.follow(&fixture.alice).await;
    fixture.settle().await;
    let handle = format!("@{}", fixture.alice.handle());
    for args in [["account", handle.as_str()], ["domain", fixture.remote.host()]] {
        fixture.alice.deliver(fixture.inbox(), &fixture.alice.like(id_of(&article))).await;
        let before = actor_requests(&fixture);
        fixture.app.command_output(&["block", args[0], args[1]]).await;
        let response = fixture.alice.send(fixture.inbox(), &fixture.alice.like(id_of(&article))).await;
        assert_eq!(response.status, 403, "{args:?}: {}", response.body);
        assert_eq!(actor_requests(&fixture), before, "no request to a blocked server");
        let subject = if args[0] == "account" { fixture.alice.id() } else { args[1].to_owned() };
        fixture.app.command_output(&["block", "remove", &subject]).await;
        fixture.alice.deliver(fixture.inbox(), &fixture.alice.like(id_of(&article))).await;
    }
}

/// More concurrent searches than the queue has capacity for.
const SEARCHES: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hanging_searches_get_503_and_do_not_block_other_pages() {
    let fixture = Fixture::new(Database::Postgres).await;
    let article = fixture.publish("The Night Ferry").await;
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute("begin; lock table search_index in access exclusive mode").await;
    let mut searches = JoinSet::new();
    for number in 0..SEARCHES {
        let client = fixture.network.client.clone();
        let path = url(&format!("/search?q=ferry&page=1&n={number}"));
        searches.spawn(async move { client.get(&path, HTML).await });
    }
    // No search can complete yet. The first responses are for those that the full queue rejects.
    let first = searches.join_next().await.expect("a response").expect("a response");
    assert!(asks_to_retry(&first), "{}: {}", first.status, first.body);
    assert!(first.header("content-type").starts_with("text/html"));
    let review = article["url"].as_str().expect("a page");
    for address in [url("/"), url("/reviews"), url("/search"), review.to_owned(), url("/health/ready")] {
        assert_eq!(fixture.network.client.get(&address, HTML).await.status, 200, "{address}");
    }
    db.unblock_writes().await;
    let responses = searches.join_all().await;
    let found = responses
        .iter()
        .filter(|response| response.status == 200 && response.body.contains("1 review found"));
    assert!(found.count() >= 2);
    assert!(responses.iter().all(|response| response.status == 200 || asks_to_retry(response)));
    assert_eq!(
        fixture.network.client.get(&url("/search?q=ferry"), HTML).await.status,
        200,
        "the queue has capacity again"
    );
}
