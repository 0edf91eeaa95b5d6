//! Marquee is killed, and loses and doubles nothing.

use serde_json::Value;

use crate::both_databases;
use crate::course::{Course, Weather, named, total};
use crate::support::feed::{Item, markdown};
use crate::support::remote::Scripted;
use crate::support::shapes::id_of;
use crate::support::{Database, Stage, eventually};

both_databases!(
    killed_after_each_step_of_the_course_it_loses_and_doubles_nothing,
    what_is_published_while_it_is_down_goes_out_when_it_is_back,
    a_delivery_that_was_on_its_way_arrives_with_the_same_id,
    a_delivery_that_failed_is_made_again_a_minute_later_with_the_same_bytes,
    an_activity_that_was_taken_is_worked_on_after_a_crash,
    an_activity_sent_again_after_a_crash_has_one_effect,
    sigterm_ends_it_in_peace_and_keeps_the_rest_for_later,
);

async fn killed_after_each_step_of_the_course_it_loses_and_doubles_nothing(database: Database) {
    let mut course = Course::begin(database, Weather::Stormy).await;
    let article = course.run().await;
    let stage = &course.stage;
    for kind in ["Accept", "Create", "Update"] {
        let distinct = stage.remote.distinct(kind);
        assert_eq!(distinct.len(), 1, "one {kind}, however often it was sent: {distinct:?}");
    }
    let page = stage.page(&article).await;
    let replies = page.comments.iter().filter(|comment| comment.text.contains("Me too, and twice"));
    assert_eq!(replies.count(), 1);
    assert_eq!(total(stage, &stage.article(&article).await["shares"]).await, 1);
    assert_eq!(stage.articles().await.len(), 2, "the review and the archive");
}

async fn what_is_published_while_it_is_down_goes_out_when_it_is_back(database: Database) {
    let mut stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    stage.app.kill9();
    let file =
        stage.app.write("review.md", &markdown("While You Slept", "While You Slept", "Nobody saw it."));
    stage.app.command_output(&["publish", &file]).await;
    stage.app.start().await;
    let create = stage.remote.await_activity("the Create", |a| a["type"] == "Create").await;
    assert!(named(&create["object"], "While You Slept"));
}

async fn a_delivery_that_was_on_its_way_arrives_with_the_same_id(database: Database) {
    let mut stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    stage.remote.script([Scripted::Hang]);
    stage.publish("The Night Ferry").await;
    stage.remote.await_refusals(1).await;
    stage.app.crash().await;
    let create = stage.remote.await_activity("the Create", |a| a["type"] == "Create").await;
    assert_eq!(stage.remote.refused()[0].activity, create, "the same bytes, the same id");
}

async fn a_delivery_that_failed_is_made_again_a_minute_later_with_the_same_bytes(database: Database) {
    let stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    stage.remote.script([Scripted::Status(503)]);
    stage.publish("The Night Ferry").await;
    stage.remote.await_refusals(1).await;
    let first = stage.remote.refused()[0].activity.clone();
    let is_it = |a: &Value| a["type"] == "Create";
    let second = stage.remote.await_retry("the second attempt", is_it).await;
    assert_eq!(first, second);
}

async fn an_activity_that_was_taken_is_worked_on_after_a_crash(database: Database) {
    let mut stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let mut texts = Vec::new();
    for number in 0..10 {
        let text = format!("Ticket number {number} of the evening");
        let note = stage.alice.reply(id_of(&article), &format!("<p>{text}</p>"));
        stage.alice.deliver(stage.inbox(), &stage.alice.create(&note)).await;
        texts.push(text);
    }
    stage.app.crash().await;
    let page = stage
        .await_page(&article, "ten comments", |page| texts.iter().all(|text| page.comment(text).is_some()))
        .await;
    assert_eq!(page.comments.len(), texts.len());
}

async fn an_activity_sent_again_after_a_crash_has_one_effect(database: Database) {
    let mut stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.alice.reply(id_of(&article), "<p>Said once</p>");
    let create = stage.alice.create(&note);
    stage.alice.deliver(stage.inbox(), &create).await;
    stage.app.crash().await;
    stage.alice.deliver(stage.inbox(), &create).await;
    stage.await_page(&article, "the comment", |page| page.comment("Said once").is_some()).await;
    stage.settle().await;
    let page = stage.page(&article).await;
    assert_eq!(page.comments.iter().filter(|c| c.text.contains("Said once")).count(), 1);
}

async fn sigterm_ends_it_in_peace_and_keeps_the_rest_for_later(database: Database) {
    let items = [Item::old_review("Harbour Lights")];
    let mut stage = crate::course::stage_with_feed(database, &items, "").await;
    stage.follow(&stage.alice).await;
    stage.remote.script([Scripted::Hang]);
    stage.remote.serve_feed(&[Item::review("The Night Ferry"), items[0].clone()]);
    stage.poll().await;
    stage.remote.await_refusals(1).await;
    let status = stage.app.terminate().await;
    assert!(status.success(), "it ended with {status}");
    stage.app.start().await;
    let is_it = |a: &Value| a["type"] == "Create";
    let create = stage.remote.await_activity("the Create", is_it).await;
    let article = create["object"].clone();
    eventually("its page", || async {
        stage.page(&article).await.text.contains("Night Ferry").then_some(())
    })
    .await;
}
