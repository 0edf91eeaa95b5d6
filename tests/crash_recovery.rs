//! Marquee is killed at various moments. Nothing is lost, and nothing happens twice.

use std::time::Duration;

use serde_json::Value;

use crate::both_databases;
use crate::end_to_end::{Journey, KillMode, is_about, total_items};
use crate::support::activities::id_of;
use crate::support::feed::{Item, markdown};
use crate::support::remote::ScriptedResponse;
use crate::support::{Database, Fixture, eventually};

both_databases!(
    a_kill_after_any_step_of_the_main_journey_loses_and_repeats_nothing,
    a_review_published_while_the_server_is_down_is_delivered_later,
    an_interrupted_delivery_arrives_with_the_same_id,
    a_failed_delivery_is_retried_a_minute_later_with_the_same_bytes,
    an_accepted_activity_is_processed_after_a_crash,
    an_activity_sent_again_after_a_crash_has_one_effect,
    sigterm_shuts_down_cleanly_and_keeps_pending_work,
);

async fn a_kill_after_any_step_of_the_main_journey_loses_and_repeats_nothing(database: Database) {
    let mut journey = Journey::begin(database, KillMode::AfterEachStep).await;
    let article = journey.run().await;
    let fixture = &journey.fixture;
    for kind in ["Accept", "Create", "Update"] {
        let distinct_activities = fixture.remote.distinct_activities(kind);
        assert_eq!(
            distinct_activities.len(),
            1,
            "the {kind} has one id, however often it was sent: {distinct_activities:?}"
        );
    }
    let page = fixture.page(&article).await;
    let replies = page.comments.iter().filter(|comment| comment.text.contains("Me too, and twice"));
    assert_eq!(replies.count(), 1);
    assert_eq!(total_items(fixture, &fixture.article(&article).await["shares"]).await, 1);
    assert_eq!(fixture.articles().await.len(), 2, "the review and the archive");
}

async fn a_review_published_while_the_server_is_down_is_delivered_later(database: Database) {
    let mut fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    fixture.app.kill9();
    let file =
        fixture.app.write("review.md", &markdown("While You Slept", "While You Slept", "Nobody saw it."));
    fixture.app.command_output(&["publish", &file]).await;
    fixture.app.start().await;
    let create = fixture.remote.await_activity("the Create", |a| a["type"] == "Create").await;
    assert!(is_about(&create["object"], "While You Slept"));
}

async fn an_interrupted_delivery_arrives_with_the_same_id(database: Database) {
    let mut fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    fixture.remote.script([ScriptedResponse::Hang]);
    fixture.publish("The Night Ferry").await;
    fixture.remote.await_rejections(1).await;
    fixture.app.crash().await;
    let create = fixture.remote.await_activity("the Create", |a| a["type"] == "Create").await;
    assert_eq!(fixture.remote.rejected()[0].activity, create, "the same bytes, the same id");
}

async fn a_failed_delivery_is_retried_a_minute_later_with_the_same_bytes(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    fixture.remote.script([ScriptedResponse::Status(503)]);
    fixture.publish("The Night Ferry").await;
    fixture.remote.await_rejections(1).await;
    let first = fixture.remote.rejected()[0].activity.clone();
    eventually("the attempt to be recorded", || async {
        let query = "select count(*) from deliveries where state = 'queued' and attempts = 1";
        (fixture.app.number(query, query).await == 1).then_some(())
    })
    .await;
    // The random part of the delay is up to an eighth of a minute.
    fixture.app.set_clock_forward(Duration::from_secs(70));
    let is_match = |a: &Value| a["type"] == "Create";
    let second = fixture.remote.await_retry("the second attempt", is_match).await;
    assert_eq!(first, second);
}

async fn an_accepted_activity_is_processed_after_a_crash(database: Database) {
    let mut fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let mut texts = Vec::new();
    for number in 0..10 {
        let text = format!("Ticket number {number} of the evening");
        let note = fixture.alice.reply(id_of(&article), &format!("<p>{text}</p>"));
        fixture.alice.deliver(fixture.inbox(), &fixture.alice.create(&note)).await;
        texts.push(text);
    }
    fixture.app.crash().await;
    let page = fixture
        .await_page(&article, "ten comments", |page| texts.iter().all(|text| page.comment(text).is_some()))
        .await;
    assert_eq!(page.comments.len(), texts.len());
}

async fn an_activity_sent_again_after_a_crash_has_one_effect(database: Database) {
    let mut fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.alice.reply(id_of(&article), "<p>Said once</p>");
    let create = fixture.alice.create(&note);
    fixture.alice.deliver(fixture.inbox(), &create).await;
    fixture.app.crash().await;
    fixture.alice.deliver(fixture.inbox(), &create).await;
    fixture.await_page(&article, "the comment", |page| page.comment("Said once").is_some()).await;
    fixture.settle().await;
    let page = fixture.page(&article).await;
    assert_eq!(page.comments.iter().filter(|c| c.text.contains("Said once")).count(), 1);
}

async fn sigterm_shuts_down_cleanly_and_keeps_pending_work(database: Database) {
    let items = [Item::old_review("Harbour Lights")];
    let mut fixture = crate::end_to_end::fixture_with_feed(database, &items, "").await;
    fixture.follow(&fixture.alice).await;
    fixture.remote.script([ScriptedResponse::Hang]);
    fixture.remote.serve_feed(&[Item::review("The Night Ferry"), items[0].clone()]);
    fixture.poll().await;
    fixture.remote.await_rejections(1).await;
    let status = fixture.app.terminate().await;
    assert!(status.success(), "it ended with {status}");
    fixture.app.start().await;
    let is_match = |a: &Value| a["type"] == "Create";
    let create = fixture.remote.await_activity("the Create", is_match).await;
    let article = create["object"].clone();
    eventually("its page", || async {
        fixture.page(&article).await.text.contains("Night Ferry").then_some(())
    })
    .await;
}
