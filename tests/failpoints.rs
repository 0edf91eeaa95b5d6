//! Marquee is killed at each failpoint, inbound and outbound: nothing is lost, and nothing happens twice.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::feed::markdown;
use crate::support::source_tree;
use crate::support::{Database, Fixture, TestNetwork, eventually};

both_databases!(j1_j2_a_kill_at_any_failpoint_loses_and_repeats_nothing,);

/// The failpoints of the server.
const SERVER: [&str; 11] = [
    "expand-before-commit",
    "expand-after-commit",
    "claim-after-commit",
    "send-before",
    "send-after",
    "results-before-commit",
    "results-after-commit",
    "accept-before-commit",
    "accept-after-commit",
    "apply-before-commit",
    "apply-after-commit",
];

/// The failpoints of the command `publish`.
const COMMAND: [&str; 2] = ["publish-before-commit", "publish-after-commit"];

/// The failpoints of an upgrade, which `upgrade` tests.
pub const UPGRADE: [&str; 3] =
    ["migrations-before-commit", "triggers-before-commit", "triggers-after-commit"];

#[test]
fn every_failpoint_of_the_source_is_tested() {
    let mut declared = BTreeSet::new();
    for file in source_tree::rust_files(&source_tree::root().join("src")) {
        let text = source_tree::read(&file);
        declared.extend(
            text.split("fail_point!(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())),
        );
    }
    let tested: BTreeSet<String> =
        SERVER.iter().chain(&COMMAND).chain(&UPGRADE).map(|name| (*name).to_owned()).collect();
    assert_eq!(declared, tested);
}

/// Sends an activity until it is accepted.
async fn send_until_accepted(fixture: &Fixture, activity: &Value) {
    eventually("a response of 202", || async {
        let response = fixture.alice.try_send(fixture.inbox(), activity).await;
        response.filter(|response| response.status == 202).map(|_| ())
    })
    .await;
}

/// Kills Marquee once at each failpoint, with a review to deliver and a comment to accept. Returns the
/// comments.
async fn kill_at_each_failpoint(fixture: &mut Fixture, article: &Value) -> Vec<Value> {
    let mut comments = Vec::new();
    for point in SERVER {
        let title = format!("Ferry of {point}");
        let file = fixture.app.write("review.md", &markdown(&title, &title, "It sinks."));
        fixture.app.command_output(&["publish", &file]).await;
        fixture.app.set_env("FAILPOINTS", &format!("{point}=return"));
        fixture.app.launch();
        let note = fixture.alice.reply(id_of(article), &format!("<p>Said at {point}</p>"));
        let create = fixture.alice.create(&note);
        // Marquee may die before it accepts the comment, or while it does.
        while !fixture.app.has_exited() && fixture.alice.try_send(fixture.inbox(), &create).await.is_none() {
            tokio::task::yield_now().await;
        }
        comments.push(create);
        fixture.app.await_exit().await;
        fixture.app.set_env("FAILPOINTS", "");
    }
    for point in COMMAND {
        let title = format!("Ferry of {point}");
        let file = fixture.app.write("review.md", &markdown(&title, &title, "It sinks."));
        fixture.app.set_env("FAILPOINTS", &format!("{point}=return"));
        let killed = fixture.app.cli(&["publish", &file]).await;
        assert!(!killed.status.success(), "{point}");
        fixture.app.set_env("FAILPOINTS", "");
        let again = fixture.app.cli(&["publish", &file]).await;
        let is_published = String::from_utf8_lossy(&again.stderr).contains("already been published");
        assert_eq!(
            (again.status.success(), is_published),
            (point == COMMAND[0], point == COMMAND[1]),
            "{point}"
        );
    }
    comments
}

async fn j1_j2_a_kill_at_any_failpoint_loses_and_repeats_nothing(database: Database) {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let other = network.remote("other.test").await;
    let mut fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    let bo = other.user("bo");
    bo.deliver(fixture.inbox(), &bo.follow(fixture.actor())).await;
    other.await_activity("the Accept", |a| a["type"] == "Accept").await;
    fixture.follow(&fixture.alice).await;
    let article = fixture.publish("The First of Them").await;
    fixture.app.kill9();

    let comments = kill_at_each_failpoint(&mut fixture, &article).await;
    fixture.app.start().await;
    for create in &comments {
        send_until_accepted(&fixture, create).await;
    }
    for point in SERVER.iter().chain(&COMMAND) {
        let is_match = |a: &Value| {
            let name = a["object"]["name"].as_str().unwrap_or_default();
            a["type"] == "Create" && name.contains(&format!("Ferry of {point}"))
        };
        for server in [&fixture.remote, &other] {
            server.await_activity(point, is_match).await;
            let ids: BTreeSet<String> = server
                .received()
                .iter()
                .filter(|received| is_match(&received.activity))
                .map(|received| received.activity["id"].to_string())
                .collect();
            assert_eq!(ids.len(), 1, "{point}: the Create has one id, however often it was sent");
        }
    }
    let page =
        fixture.await_page(&article, "all comments", |page| page.comments.len() >= comments.len()).await;
    for point in SERVER {
        let shown =
            page.comments.iter().filter(|comment| comment.text.ends_with(&format!("Said at {point}")));
        assert_eq!(shown.count(), 1, "{point}");
    }
}
