//! The critic moves, here or away; a profile that changed is told once; followers are let in and removed.

use serde_json::{Value, json};

use crate::both_databases;
use crate::course::total;
use crate::support::app::quoted;
use crate::support::feed::{self, Item, markdown};
use crate::support::shapes::id_of;
use crate::support::{Database, Stage, eventually};

both_databases!(
    a_critic_moves_away_with_the_followers,
    d13_a_move_to_an_account_that_does_not_know_the_critic_is_refused,
    nothing_new_goes_out_after_a_move,
    earlier_accounts_stand_in_the_actor_and_a_changed_profile_is_told_once,
    a_follower_waits_is_accepted_and_removed,
    who_asks_to_follow_may_be_refused,
);

/// Lets a user of the remote name the critic as another account of theirs.
fn knows_the_critic(stage: &Stage, name: &str) -> String {
    let user = stage.remote.user(name);
    let mut actor = user.actor();
    actor["alsoKnownAs"] = json!([stage.actor()]);
    user.pose_as(&actor);
    user.handle()
}

async fn refusal(stage: &Stage, args: &[&str]) -> String {
    let output = stage.app.cli(args).await;
    assert!(!output.status.success(), "{args:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn a_critic_moves_away_with_the_followers(database: Database) {
    let stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    let target = stage.remote.user("newhome").id();
    let handle = knows_the_critic(&stage, "newhome");
    let printed = stage.app.command_output(&["critic", "move", &format!("@{handle}")]).await;
    assert!(printed.contains(&target), "{printed}");
    let moved = stage.remote.await_activity("the Move", |a| a["type"] == "Move").await;
    assert_eq!((&moved["object"], &moved["actor"]), (&stage.actor().into(), &stage.actor().into()));
    assert_eq!(moved["target"], target);
    let actor = stage.world.client.document(stage.actor()).await;
    assert_eq!(actor["movedTo"], target);
    assert_eq!(actor["@context"][2]["movedTo"]["@id"], "as:movedTo");
    assert!(refusal(&stage, &["critic", "move", &target]).await.contains("moved to"));
    stage.settle().await;
    assert_eq!(stage.remote.distinct("Move").len(), 1);
    assert!(stage.remote.distinct("Update").is_empty(), "the Move says it all");
}

async fn d13_a_move_to_an_account_that_does_not_know_the_critic_is_refused(database: Database) {
    let stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    let newhome = stage.remote.user("newhome");
    let complaint = refusal(&stage, &["critic", "move", &newhome.id()]).await;
    assert!(complaint.contains("aliases") && complaint.contains("@critic@marquee.test"), "{complaint}");
    let nobody = stage.remote.url("/users/nobody");
    assert!(refusal(&stage, &["critic", "move", &nobody]).await.contains("cannot be read"));
    assert!(refusal(&stage, &["critic", "move", stage.actor()]).await.contains("on this site"));
    stage.settle().await;
    assert!(stage.remote.distinct("Move").is_empty());
    assert_eq!(stage.world.client.document(stage.actor()).await["movedTo"], Value::Null);
    stage.publish("The Night Ferry").await;
}

async fn nothing_new_goes_out_after_a_move(database: Database) {
    let mut items = vec![Item::old_review("Harbour Lights")];
    let stage = crate::course::stage_with_feed(database, &items, "").await;
    let article = stage.await_article(|article| crate::course::named(article, "Harbour Lights")).await;
    stage.follow(&stage.alice).await;
    let target = stage.remote.user("newhome").id();
    knows_the_critic(&stage, "newhome");
    stage.app.command_output(&["critic", "move", &target]).await;
    items.insert(0, Item::review("The Night Ferry"));
    stage.remote.serve_feed(&items);
    stage.app.poll(feed::NAME).await;
    stage.app.poll(feed::NAME).await;
    let log = stage.app.feed_log().await.join("\n");
    assert!(log.contains("held") && log.contains(&format!("the critic moved to {target}")), "{log}");
    let file = stage.app.write("review.md", &markdown("By Hand", "By Hand", "A text."));
    for args in [["publish", &file].as_slice(), &["comment", "reply", id_of(&article), "--text", "A word"]] {
        assert!(refusal(&stage, args).await.contains("moved to"), "{args:?}");
    }
    stage.settle().await;
    assert!(stage.remote.distinct("Create").is_empty());
    assert_eq!(stage.articles().await.len(), 1);
}

async fn earlier_accounts_stand_in_the_actor_and_a_changed_profile_is_told_once(database: Database) {
    let mut stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    stage.app.restart().await;
    stage.settle().await;
    assert!(stage.remote.distinct("Update").is_empty(), "nothing changed");
    let earlier = stage.remote.user("earlier").id();
    stage.app.reconfigure("critics", "also_known_as", &format!("[{}]", quoted(&earlier)));
    stage.app.reconfigure("critics", "summary", &quoted("Sits in the first row now."));
    stage.app.restart().await;
    let update = stage.remote.await_activity("the Update", |a| a["type"] == "Update").await;
    assert_eq!(
        (&update["object"]["type"], &update["object"]["id"]),
        (&"Person".into(), &stage.actor().into())
    );
    assert_eq!(update["object"]["alsoKnownAs"], json!([earlier]));
    assert!(update["object"]["summary"].as_str().is_some_and(|text| text.contains("first row")), "{update}");
    let actor = stage.world.client.document(stage.actor()).await;
    for member in ["alsoKnownAs", "summary", "name", "publicKey"] {
        assert_eq!(update["object"][member], actor[member], "{member}");
    }
    stage.app.restart().await;
    stage.app.command_output(&["block", "list"]).await;
    stage.settle().await;
    assert_eq!(stage.remote.distinct("Update").len(), 1, "it is told once");
}

async fn await_followers(stage: &Stage, count: u64) {
    eventually(&format!("{count} followers"), || async {
        (total(stage, &stage.critic["followers"]).await == count).then_some(())
    })
    .await;
}

async fn await_listed(stage: &Stage, how: &str, handle: &str) {
    eventually(&format!("{handle} to be {how}"), || async {
        let listed = stage.app.command_output(&["follower", "list", "--state", how]).await;
        listed.contains(handle).then_some(())
    })
    .await;
}

async fn approving_stage(database: Database) -> Stage {
    Stage::with(database, |_, settings| settings.set("moderation", "approve_followers", "true")).await
}

async fn a_follower_waits_is_accepted_and_removed(database: Database) {
    let stage = approving_stage(database).await;
    let follow = stage.alice.follow(stage.actor());
    stage.alice.deliver(stage.inbox(), &follow).await;
    let handle = format!("@{}", stage.alice.handle());
    await_listed(&stage, "pending", &handle).await;
    await_followers(&stage, 0).await;
    stage.app.command_output(&["follower", "accept", &handle]).await;
    stage.await_accept(&stage.alice, &follow).await;
    await_listed(&stage, "following", &handle).await;
    await_followers(&stage, 1).await;
    stage.app.command_output(&["follower", "remove", &stage.alice.id()]).await;
    let reject = stage.remote.await_activity("the Reject", |a| a["type"] == "Reject").await;
    assert_eq!(reject["object"]["id"], follow["id"]);
    await_followers(&stage, 0).await;
    assert_eq!(stage.app.command_output(&["follower", "list"]).await.trim(), "no followers");
    assert!(refusal(&stage, &["follower", "remove", &handle]).await.contains("does not follow"));
}

async fn who_asks_to_follow_may_be_refused(database: Database) {
    let stage = approving_stage(database).await;
    let follow = stage.alice.follow(stage.actor());
    stage.alice.deliver(stage.inbox(), &follow).await;
    let handle = format!("@{}", stage.alice.handle());
    await_listed(&stage, "pending", &handle).await;
    stage.app.command_output(&["follower", "reject", &handle]).await;
    let reject = stage.remote.await_activity("the Reject", |a| a["type"] == "Reject").await;
    assert_eq!((&reject["object"]["id"], &reject["object"]["type"]), (&follow["id"], &"Follow".into()));
    await_followers(&stage, 0).await;
    assert!(refusal(&stage, &["follower", "accept", &handle]).await.contains("does not ask"));
    assert!(refusal(&stage, &["follower", "accept", "nobody"]).await.contains("neither"));
}
