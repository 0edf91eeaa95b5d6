//! Quotes (FEP-044f): requested, authorized and revoked.

use serde_json::{Value, json};

use crate::both_databases;
use crate::support::activities::{PUBLIC, id_of};
use crate::support::config_file::url;
use crate::support::http::AS2;
use crate::support::remote::User;
use crate::support::{Database, Fixture, eventually};

both_databases!(
    repeated_quote_requests_get_one_authorization,
    a_revoked_quote_stays_revoked,
    a_quote_is_deleted_with_the_quoting_post,
    an_authorization_is_revoked_when_the_review_is_retracted,
    quotes_of_a_blocked_account_are_revoked,
    an_undone_quote_request_can_be_repeated,
    a_quote_request_with_another_actors_post_is_rejected,
);

/// A post that quotes the article, and the request for that quote.
fn quote_with_request(user: &User, article: &Value) -> (Value, Value) {
    let mut note = user.reply(id_of(article), "<p>As the critic says</p>");
    note["inReplyTo"] = Value::Null;
    note["quote"] = json!(id_of(article));
    user.publish(&note);
    let request = json!({
        "@context": ["https://www.w3.org/ns/activitystreams", {"QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest"}],
        "id": format!("{}/quote_requests/{}", user.id(), crate::support::unique()),
        "type": "QuoteRequest", "actor": user.id(), "object": id_of(article), "instrument": note,
    });
    (note, request)
}

async fn fixture_with_article(database: Database) -> (Fixture, Value) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    (fixture, article)
}

/// Requests a quote and waits for the Accept. Returns the id of the authorization.
async fn request_authorization(fixture: &Fixture, request: &Value) -> String {
    fixture.alice.deliver(fixture.inbox(), request).await;
    let is_match = |a: &Value| a["type"] == "Accept" && a["object"]["id"] == request["id"];
    let accept = fixture.remote.await_activity("the Accept of the quote", is_match).await;
    assert_eq!(accept["object"]["instrument"], request["instrument"]["id"]);
    assert_eq!(accept["actor"], fixture.actor());
    id_of(&accept["result"]).to_owned()
}

async fn await_status(fixture: &Fixture, address: &str, status: u16) {
    eventually(&format!("{status} for {address}"), || async {
        (fixture.network.client.get(address, AS2).await.status == status).then_some(())
    })
    .await;
}

async fn repeated_quote_requests_get_one_authorization(database: Database) {
    let (fixture, article) = fixture_with_article(database).await;
    let (note, request) = quote_with_request(&fixture.alice, &article);
    let authorization = request_authorization(&fixture, &request).await;
    let document = fixture.network.client.document(&authorization).await;
    assert_eq!(document["type"], "QuoteAuthorization");
    assert_eq!(document["interactingObject"], note["id"]);
    assert_eq!(document["interactionTarget"], article["id"]);
    assert_eq!(document["attributedTo"], fixture.actor());
    // Again with only the id of the post, and then as another request for the same post.
    let mut again = request.clone();
    again["instrument"] = note["id"].clone();
    fixture.alice.deliver(fixture.shared_inbox(), &again).await;
    fixture.settle().await;
    let accepts = |a: &Value| a["type"] == "Accept" && a["object"]["id"] == request["id"];
    let received = fixture.remote.received();
    assert_eq!(received.iter().filter(|delivery| accepts(&delivery.activity)).count(), 1);
    let mut other = request.clone();
    other["id"] = json!(format!("{}/quote_requests/other", fixture.alice.id()));
    assert_eq!(
        request_authorization(&fixture, &other).await,
        authorization,
        "one post has one authorization"
    );
    assert_eq!(
        fixture.network.client.get(&url("/ap/authorization/01ARZ3NDEKTSV4RRFFQ69G5FAV"), AS2).await.status,
        404
    );
}

async fn an_authorization_is_revoked_when_the_review_is_retracted(database: Database) {
    let (fixture, article) = fixture_with_article(database).await;
    let authorization =
        request_authorization(&fixture, &quote_with_request(&fixture.alice, &article).1).await;
    await_status(&fixture, &authorization, 200).await;
    let slug = article["url"].as_str().expect("a page").rsplit('/').next().expect("a slug");
    fixture.app.command_output(&["retract", slug]).await;
    await_status(&fixture, &authorization, 410).await;
}

async fn quotes_of_a_blocked_account_are_revoked(database: Database) {
    let (fixture, article) = fixture_with_article(database).await;
    let first = request_authorization(&fixture, &quote_with_request(&fixture.alice, &article).1).await;
    let second = request_authorization(&fixture, &quote_with_request(&fixture.alice, &article).1).await;
    fixture.app.command_output(&["quote", "revoke", first.rsplit('/').next().expect("an id")]).await;
    let handle = format!("@{}", fixture.alice.handle());
    fixture.app.command_output(&["block", "account", &handle]).await;
    for authorization in [&first, &second] {
        await_status(&fixture, authorization, 410).await;
        fixture
            .remote
            .await_activity("the Delete", |a| a["type"] == "Delete" && id_of(&a["object"]) == authorization)
            .await;
    }
    fixture.app.command_output(&["block", "account", &handle]).await;
}

async fn a_revoked_quote_stays_revoked(database: Database) {
    let (fixture, article) = fixture_with_article(database).await;
    let (_, request) = quote_with_request(&fixture.alice, &article);
    let authorization = request_authorization(&fixture, &request).await;
    let listed = fixture.app.command_output(&["quote", "list"]).await;
    let id = authorization.rsplit('/').next().expect("an id");
    assert!(listed.contains(id) && listed.contains("granted"), "{listed}");
    fixture.app.command_output(&["quote", "revoke", id]).await;
    let is_match = |a: &Value| a["type"] == "Delete" && a["object"] == authorization.as_str();
    fixture.remote.await_activity("the Delete of the authorization", is_match).await;
    await_status(&fixture, &authorization, 410).await;
    let mut again = request.clone();
    again["id"] = json!(format!("{}/quote_requests/again", fixture.alice.id()));
    fixture.alice.deliver(fixture.inbox(), &again).await;
    let is_match = |a: &Value| a["type"] == "Reject" && a["object"]["id"] == again["id"];
    fixture.remote.await_activity("the Reject", is_match).await;
    await_status(&fixture, &authorization, 410).await;
    // A further request gets no second Reject.
    again["id"] = json!(format!("{}/quote_requests/and-again", fixture.alice.id()));
    fixture.alice.deliver(fixture.inbox(), &again).await;
    fixture.settle().await;
    assert_eq!(fixture.remote.distinct_activities("Reject").len(), 1);
    let twice = fixture.app.cli(&["quote", "revoke", id]).await;
    assert!(!twice.status.success(), "a quote cannot be revoked twice");
}

async fn a_quote_is_deleted_with_the_quoting_post(database: Database) {
    let (fixture, article) = fixture_with_article(database).await;
    let (note, request) = quote_with_request(&fixture.alice, &article);
    let authorization = request_authorization(&fixture, &request).await;
    let mallory = fixture.remote.user("mallory");
    mallory.send(fixture.inbox(), &mallory.activity("Delete", &json!(id_of(&note)))).await;
    fixture.settle().await;
    await_status(&fixture, &authorization, 200).await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.delete(&note)).await;
    await_status(&fixture, &authorization, 410).await;
    // A request for a post that is gone is not granted.
    let (deleted, late) = quote_with_request(&fixture.alice, &article);
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.delete(&deleted)).await;
    fixture.settle().await;
    fixture.alice.deliver(fixture.inbox(), &late).await;
    fixture.settle().await;
    let is_response = |a: &Value| a["object"]["id"] == late["id"];
    assert!(!fixture.remote.received().iter().any(|received| is_response(&received.activity)));
    // An authorization does not outlive the author's account.
    let (_, last) = quote_with_request(&fixture.alice, &article);
    let authorization = request_authorization(&fixture, &last).await;
    fixture
        .alice
        .deliver(fixture.inbox(), &fixture.alice.activity("Delete", &json!(fixture.alice.id())))
        .await;
    await_status(&fixture, &authorization, 410).await;
}

async fn an_undone_quote_request_can_be_repeated(database: Database) {
    let (fixture, article) = fixture_with_article(database).await;
    let (note, request) = quote_with_request(&fixture.alice, &article);
    let without_id = json!({
        "type": "QuoteRequest", "actor": fixture.alice.id(), "object": id_of(&article), "instrument": id_of(&note),
    });
    for (number, object) in [request.clone(), json!(id_of(&request)), without_id].into_iter().enumerate() {
        let mut repeated = request.clone();
        if number > 0 {
            repeated["id"] = json!(format!("{}-{number}", id_of(&request)));
        }
        let authorization = request_authorization(&fixture, &repeated).await;
        await_status(&fixture, &authorization, 200).await;
        let mut object = object;
        if object.is_string() {
            object = repeated["id"].clone();
        }
        let undo = json!({"type": "Undo", "actor": fixture.alice.id(), "to": [PUBLIC], "object": object});
        fixture.alice.deliver(fixture.inbox(), &undo).await;
        await_status(&fixture, &authorization, 410).await;
    }
}

async fn a_quote_request_with_another_actors_post_is_rejected(database: Database) {
    let (fixture, article) = fixture_with_article(database).await;
    let mallory = fixture.remote.user("mallory");
    let (note, mut request) = quote_with_request(&fixture.alice, &article);
    request["actor"] = json!(mallory.id());
    let response = mallory.send(fixture.inbox(), &request).await;
    assert!(response.is_rejection(), "{}: {}", response.status, response.body);
    request["instrument"] = json!("https://elsewhere.test/users/victim/statuses/1");
    mallory.deliver(fixture.inbox(), &request).await;
    request["instrument"] = note["id"].clone();
    request["object"] = json!(format!("{}x", id_of(&article)));
    mallory.deliver(fixture.inbox(), &request).await;
    fixture.settle().await;
    let is_response = |a: &Value| a["object"]["type"] == "QuoteRequest";
    assert!(!fixture.remote.received().iter().any(|received| is_response(&received.activity)));
}
