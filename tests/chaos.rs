//! Marquee dies at each of its failpoints, on the way out and on the way in: nothing is lost, nothing is done twice.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::both_databases;
use crate::house;
use crate::support::feed::markdown;
use crate::support::shapes::id_of;
use crate::support::{Database, Stage, World, eventually};

both_databases!(j1_j2_killed_at_every_failpoint_it_loses_and_doubles_nothing,);

/// Where the process that serves dies.
const SERVER: [&str; 11] = [
    "expand-before-commit",
    "expand-after-commit",
    "claim-after-commit",
    "send-before",
    "send-after",
    "ledger-before-commit",
    "ledger-after-commit",
    "accept-before-commit",
    "accept-after-commit",
    "apply-before-commit",
    "apply-after-commit",
];

/// Where the command dies that publishes.
const COMMAND: [&str; 2] = ["publish-before-commit", "publish-after-commit"];

#[test]
fn every_failpoint_has_its_turn() {
    let mut there = BTreeSet::new();
    for file in house::rust_files(&house::root().join("src")) {
        let text = house::read(&file);
        there.extend(
            text.split("fail_point!(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())),
        );
    }
    let all: BTreeSet<String> = SERVER.iter().chain(&COMMAND).map(|name| (*name).to_owned()).collect();
    assert_eq!(there, all);
}

/// Says something about a review until it is accepted.
async fn say(stage: &Stage, activity: &Value) {
    eventually("an answer of 202", || async {
        let answer = stage.alice.try_send(stage.inbox(), activity).await;
        answer.filter(|answer| answer.status == 202).map(|_| ())
    })
    .await;
}

/// Dies once at each point, with a review to send and a comment to take; gives the comments.
async fn die_everywhere(stage: &mut Stage, article: &Value) -> Vec<Value> {
    let mut said = Vec::new();
    for point in SERVER {
        let title = format!("Ferry of {point}");
        let file = stage.app.write("review.md", &markdown(&title, &title, "It sinks."));
        stage.app.command_output(&["publish", &file]).await;
        stage.app.set_env("FAILPOINTS", &format!("{point}=return"));
        stage.app.launch();
        let note = stage.alice.reply(id_of(article), &format!("<p>Said at {point}</p>"));
        let create = stage.alice.create(&note);
        // It may be dead before it hears of it, and dies of what it hears otherwise.
        while !stage.app.is_dead() && stage.alice.try_send(stage.inbox(), &create).await.is_none() {
            tokio::task::yield_now().await;
        }
        said.push(create);
        stage.app.await_death().await;
        stage.app.set_env("FAILPOINTS", "");
    }
    for point in COMMAND {
        let title = format!("Ferry of {point}");
        let file = stage.app.write("review.md", &markdown(&title, &title, "It sinks."));
        stage.app.set_env("FAILPOINTS", &format!("{point}=return"));
        let died = stage.app.cli(&["publish", &file]).await;
        assert!(!died.status.success(), "it died");
        stage.app.set_env("FAILPOINTS", "");
        let again = stage.app.cli(&["publish", &file]).await;
        let is_here = String::from_utf8_lossy(&again.stderr).contains("here already");
        assert_eq!((again.status.success(), is_here), (point == COMMAND[0], point == COMMAND[1]), "{point}");
    }
    said
}

async fn j1_j2_killed_at_every_failpoint_it_loses_and_doubles_nothing(database: Database) {
    let world = World::new();
    let remote = world.remote("remote.test").await;
    let other = world.remote("other.test").await;
    let mut stage = Stage::in_world(world, remote, database, |_, settings| settings).await;
    let bo = other.user("bo");
    bo.deliver(stage.inbox(), &bo.follow(stage.actor())).await;
    other.await_activity("the Accept", |a| a["type"] == "Accept").await;
    stage.follow(&stage.alice).await;
    let article = stage.publish("The First of Them").await;
    stage.app.kill9();

    let said = die_everywhere(&mut stage, &article).await;
    stage.app.start().await;
    for create in &said {
        say(&stage, create).await;
    }
    for point in SERVER.iter().chain(&COMMAND) {
        let is_it = |a: &Value| {
            let name = a["object"]["name"].as_str().unwrap_or_default();
            a["type"] == "Create" && name.contains(&format!("Ferry of {point}"))
        };
        for server in [&stage.remote, &other] {
            server.await_activity(point, is_it).await;
            let ids: BTreeSet<String> = server
                .received()
                .iter()
                .filter(|received| is_it(&received.activity))
                .map(|received| received.activity["id"].to_string())
                .collect();
            assert_eq!(ids.len(), 1, "{point}: one activity, however often it was sent");
        }
    }
    let page = stage.await_page(&article, "all comments", |page| page.comments.len() >= said.len()).await;
    for point in SERVER {
        let theirs =
            page.comments.iter().filter(|comment| comment.text.ends_with(&format!("Said at {point}")));
        assert_eq!(theirs.count(), 1, "{point}");
    }
}
