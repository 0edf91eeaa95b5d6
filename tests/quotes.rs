//! Quotes by FEP-044f: asked for, granted with a stamp, taken back.

use serde_json::{Value, json};

use crate::both_databases;
use crate::support::app::url;
use crate::support::http::AS2;
use crate::support::remote::User;
use crate::support::shapes::{PUBLIC, id_of};
use crate::support::{Database, Stage, eventually};

both_databases!(
    a_quote_is_granted_once_however_often_it_is_asked_for,
    a_quote_that_the_critic_revokes_is_gone_for_good,
    a_quote_goes_with_the_post_that_quotes,
    a_stamp_goes_with_the_review_that_is_retracted,
    the_quotes_of_an_account_that_is_blocked_are_gone,
    a_request_that_is_undone_can_be_made_again,
    nobody_quotes_with_the_post_of_another_server_or_actor,
);

/// A post that quotes, and the request for it.
fn quoting(user: &User, article: &Value) -> (Value, Value) {
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

async fn stage_with_article(database: Database) -> (Stage, Value) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    (stage, article)
}

/// Asks, and waits for the Accept; gives the stamp's id.
async fn ask(stage: &Stage, request: &Value) -> String {
    stage.alice.deliver(stage.inbox(), request).await;
    let is_it = |a: &Value| a["type"] == "Accept" && a["object"]["id"] == request["id"];
    let accept = stage.remote.await_activity("the Accept of the quote", is_it).await;
    assert_eq!(accept["object"]["instrument"], request["instrument"]["id"]);
    assert_eq!(accept["actor"], stage.actor());
    id_of(&accept["result"]).to_owned()
}

async fn await_status(stage: &Stage, address: &str, status: u16) {
    eventually(&format!("{address} to answer {status}"), || async {
        (stage.world.client.get(address, AS2).await.status == status).then_some(())
    })
    .await;
}

async fn a_quote_is_granted_once_however_often_it_is_asked_for(database: Database) {
    let (stage, article) = stage_with_article(database).await;
    let (note, request) = quoting(&stage.alice, &article);
    let stamp = ask(&stage, &request).await;
    let document = stage.world.client.document(&stamp).await;
    assert_eq!(document["type"], "QuoteAuthorization");
    assert_eq!(document["interactingObject"], note["id"]);
    assert_eq!(document["interactionTarget"], article["id"]);
    assert_eq!(document["attributedTo"], stage.actor());
    // Again, by the id of the post alone; then as another request about the same post.
    let mut again = request.clone();
    again["instrument"] = note["id"].clone();
    stage.alice.deliver(stage.shared_inbox(), &again).await;
    stage.settle().await;
    let accepts = |a: &Value| a["type"] == "Accept" && a["object"]["id"] == request["id"];
    let taken = stage.remote.received();
    assert_eq!(taken.iter().filter(|received| accepts(&received.activity)).count(), 1);
    let mut other = request.clone();
    other["id"] = json!(format!("{}/quote_requests/other", stage.alice.id()));
    assert_eq!(ask(&stage, &other).await, stamp, "one post has one stamp");
    assert_eq!(stage.world.client.get(&url("/ap/stamp/01ARZ3NDEKTSV4RRFFQ69G5FAV"), AS2).await.status, 404);
}

async fn a_stamp_goes_with_the_review_that_is_retracted(database: Database) {
    let (stage, article) = stage_with_article(database).await;
    let stamp = ask(&stage, &quoting(&stage.alice, &article).1).await;
    await_status(&stage, &stamp, 200).await;
    let slug = article["url"].as_str().expect("a page").rsplit('/').next().expect("a slug");
    stage.app.command_output(&["retract", slug]).await;
    await_status(&stage, &stamp, 410).await;
}

async fn the_quotes_of_an_account_that_is_blocked_are_gone(database: Database) {
    let (stage, article) = stage_with_article(database).await;
    let first = ask(&stage, &quoting(&stage.alice, &article).1).await;
    let second = ask(&stage, &quoting(&stage.alice, &article).1).await;
    stage.app.command_output(&["quote", "revoke", first.rsplit('/').next().expect("an id")]).await;
    let handle = format!("@{}", stage.alice.handle());
    stage.app.command_output(&["block", "account", &handle]).await;
    for stamp in [&first, &second] {
        await_status(&stage, stamp, 410).await;
        stage
            .remote
            .await_activity("the Delete", |a| a["type"] == "Delete" && id_of(&a["object"]) == stamp)
            .await;
    }
    stage.app.command_output(&["block", "account", &handle]).await;
}

async fn a_quote_that_the_critic_revokes_is_gone_for_good(database: Database) {
    let (stage, article) = stage_with_article(database).await;
    let (_, request) = quoting(&stage.alice, &article);
    let stamp = ask(&stage, &request).await;
    let listed = stage.app.command_output(&["quote", "list"]).await;
    let id = stamp.rsplit('/').next().expect("an id");
    assert!(listed.contains(id) && listed.contains("granted"), "{listed}");
    stage.app.command_output(&["quote", "revoke", id]).await;
    let is_it = |a: &Value| a["type"] == "Delete" && a["object"] == stamp.as_str();
    stage.remote.await_activity("the Delete of the stamp", is_it).await;
    await_status(&stage, &stamp, 410).await;
    let mut again = request.clone();
    again["id"] = json!(format!("{}/quote_requests/again", stage.alice.id()));
    stage.alice.deliver(stage.inbox(), &again).await;
    let is_it = |a: &Value| a["type"] == "Reject" && a["object"]["id"] == again["id"];
    stage.remote.await_activity("the Reject", is_it).await;
    await_status(&stage, &stamp, 410).await;
    // Who asks once more at once was told.
    again["id"] = json!(format!("{}/quote_requests/and-again", stage.alice.id()));
    stage.alice.deliver(stage.inbox(), &again).await;
    stage.settle().await;
    assert_eq!(stage.remote.distinct("Reject").len(), 1);
    let twice = stage.app.cli(&["quote", "revoke", id]).await;
    assert!(!twice.status.success(), "it is gone already");
}

async fn a_quote_goes_with_the_post_that_quotes(database: Database) {
    let (stage, article) = stage_with_article(database).await;
    let (note, request) = quoting(&stage.alice, &article);
    let stamp = ask(&stage, &request).await;
    let mallory = stage.remote.user("mallory");
    mallory.send(stage.inbox(), &mallory.activity("Delete", &json!(id_of(&note)))).await;
    stage.settle().await;
    await_status(&stage, &stamp, 200).await;
    stage.alice.deliver(stage.inbox(), &stage.alice.delete(&note)).await;
    await_status(&stage, &stamp, 410).await;
    // A request that comes after the post is gone grants nothing.
    let (gone, late) = quoting(&stage.alice, &article);
    stage.alice.deliver(stage.inbox(), &stage.alice.delete(&gone)).await;
    stage.settle().await;
    stage.alice.deliver(stage.inbox(), &late).await;
    stage.settle().await;
    let answers = |a: &Value| a["object"]["id"] == late["id"];
    assert!(!stage.remote.received().iter().any(|received| answers(&received.activity)));
    // Nor does one outlive its author's account.
    let (_, last) = quoting(&stage.alice, &article);
    let stamp = ask(&stage, &last).await;
    stage.alice.deliver(stage.inbox(), &stage.alice.activity("Delete", &json!(stage.alice.id()))).await;
    await_status(&stage, &stamp, 410).await;
}

async fn a_request_that_is_undone_can_be_made_again(database: Database) {
    let (stage, article) = stage_with_article(database).await;
    let (note, request) = quoting(&stage.alice, &article);
    let nameless = json!({
        "type": "QuoteRequest", "actor": stage.alice.id(), "object": id_of(&article), "instrument": id_of(&note),
    });
    for (number, object) in [request.clone(), json!(id_of(&request)), nameless].into_iter().enumerate() {
        let mut asked = request.clone();
        if number > 0 {
            asked["id"] = json!(format!("{}-{number}", id_of(&request)));
        }
        let stamp = ask(&stage, &asked).await;
        await_status(&stage, &stamp, 200).await;
        let mut object = object;
        if object.is_string() {
            object = asked["id"].clone();
        }
        let undo = json!({"type": "Undo", "actor": stage.alice.id(), "to": [PUBLIC], "object": object});
        stage.alice.deliver(stage.inbox(), &undo).await;
        await_status(&stage, &stamp, 410).await;
    }
}

async fn nobody_quotes_with_the_post_of_another_server_or_actor(database: Database) {
    let (stage, article) = stage_with_article(database).await;
    let mallory = stage.remote.user("mallory");
    let (note, mut request) = quoting(&stage.alice, &article);
    request["actor"] = json!(mallory.id());
    let answer = mallory.send(stage.inbox(), &request).await;
    assert!(answer.is_refusal(), "{}: {}", answer.status, answer.body);
    request["instrument"] = json!("https://elsewhere.test/users/victim/statuses/1");
    mallory.deliver(stage.inbox(), &request).await;
    request["instrument"] = note["id"].clone();
    request["object"] = json!(format!("{}x", id_of(&article)));
    mallory.deliver(stage.inbox(), &request).await;
    stage.settle().await;
    let answers = |a: &Value| a["object"]["type"] == "QuoteRequest";
    assert!(!stage.remote.received().iter().any(|received| answers(&received.activity)));
}
