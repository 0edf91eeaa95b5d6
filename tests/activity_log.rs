//! The log: one search for the id of an activity finds every step of its processing.

use crate::support::activities::id_of;
use crate::support::{Database, Fixture};

/// Waits until the log has these messages, each on a line with the id of the activity.
async fn await_steps(fixture: &Fixture, id: &str, messages: &[&str]) {
    for message in messages {
        fixture.app.await_log(message, |line| line.contains(id) && line.contains(message)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_search_for_its_id_follows_an_activity_through_the_log() {
    let fixture = Fixture::new(Database::Sqlite).await;
    fixture.follow(&fixture.alice).await;
    let article = fixture.publish("The Night Ferry").await;
    let create = fixture.remote.await_activity("the Create", |activity| activity["type"] == "Create").await;
    let id = id_of(&create).rsplit('/').next().expect("a path");
    await_steps(&fixture, id, &["fan-out started", "fan-out expanded", "delivered"]).await;
    // This line leads from the review to the activity.
    let is_start =
        |line: &str| line.contains("kind=Create") && line.contains(id_of(&article)) && line.contains(id);
    fixture.app.await_log("the fan-out of the review", is_start).await;

    let like = fixture.alice.like(id_of(&article));
    fixture.alice.deliver(fixture.inbox(), &like).await;
    await_steps(&fixture, id_of(&like), &["activity accepted", "activity applied"]).await;

    let orphan = fixture.alice.reply("https://remote.test/notes/missing", "<p>To nobody</p>");
    let create = fixture.alice.create(&orphan);
    fixture.alice.deliver(fixture.inbox(), &create).await;
    await_steps(&fixture, id_of(&create), &["activity accepted", "activity not applied"]).await;
}
