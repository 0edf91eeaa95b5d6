//! The critic moves from or to another account; a changed profile is sent once; followers are approved and removed.

use serde_json::{Value, json};

use crate::both_databases;
use crate::end_to_end::total_items;
use crate::support::activities::id_of;
use crate::support::config_file::quoted;
use crate::support::feed::{self, Item, markdown};
use crate::support::remote::User;
use crate::support::signature::SignatureScheme;
use crate::support::{Database, Fixture, TestNetwork, eventually, now};

both_databases!(
    a_critic_moves_away_with_the_followers,
    d13_a_move_to_an_account_that_does_not_list_the_critic_is_rejected,
    nothing_is_delivered_after_a_move,
    the_actor_lists_earlier_accounts_and_a_changed_profile_is_sent_once,
    a_follower_is_approved_and_removed,
    a_follow_request_can_be_rejected,
    a_follower_that_moves_there_and_back_within_a_second_still_follows,
);

/// Makes a user of the remote list the critic in `alsoKnownAs`, and returns the handle.
fn list_critic_as_alias(fixture: &Fixture, name: &str) -> String {
    let user = fixture.remote.user(name);
    let mut actor = user.actor();
    actor["alsoKnownAs"] = json!([fixture.actor()]);
    user.serve_actor(&actor);
    user.handle()
}

/// Runs a command that must fail, and returns its error output.
async fn command_error(fixture: &Fixture, args: &[&str]) -> String {
    let output = fixture.app.cli(args).await;
    assert!(!output.status.success(), "{args:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn a_critic_moves_away_with_the_followers(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    let target = fixture.remote.user("newhome").id();
    let handle = list_critic_as_alias(&fixture, "newhome");
    let printed = fixture.app.command_output(&["critic", "move", &format!("@{handle}")]).await;
    assert!(printed.contains(&target), "{printed}");
    let moved = fixture.remote.await_activity("the Move", |a| a["type"] == "Move").await;
    assert_eq!((&moved["object"], &moved["actor"]), (&fixture.actor().into(), &fixture.actor().into()));
    assert_eq!(moved["target"], target);
    let actor = fixture.network.client.document(fixture.actor()).await;
    assert_eq!(actor["movedTo"], target);
    assert_eq!(actor["@context"][2]["movedTo"]["@id"], "as:movedTo");
    assert!(command_error(&fixture, &["critic", "move", &target]).await.contains("moved to"));
    fixture.settle().await;
    assert_eq!(fixture.remote.distinct_activities("Move").len(), 1);
    assert!(fixture.remote.distinct_activities("Update").is_empty(), "a Move needs no Update");
}

async fn d13_a_move_to_an_account_that_does_not_list_the_critic_is_rejected(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    let newhome = fixture.remote.user("newhome");
    let stderr = command_error(&fixture, &["critic", "move", &newhome.id()]).await;
    assert!(stderr.contains("aliases") && stderr.contains("@critic@marquee.test"), "{stderr}");
    let nobody = fixture.remote.url("/users/nobody");
    assert!(command_error(&fixture, &["critic", "move", &nobody]).await.contains("could not fetch"));
    assert!(
        command_error(&fixture, &["critic", "move", fixture.actor()])
            .await
            .contains("an account of this site")
    );
    fixture.settle().await;
    assert!(fixture.remote.distinct_activities("Move").is_empty());
    assert_eq!(fixture.network.client.document(fixture.actor()).await["movedTo"], Value::Null);
    fixture.publish("The Night Ferry").await;
}

async fn nothing_is_delivered_after_a_move(database: Database) {
    let mut items = vec![Item::old_review("Harbour Lights")];
    let fixture = crate::end_to_end::fixture_with_feed(database, &items, "").await;
    let article =
        fixture.await_article(|article| crate::end_to_end::is_about(article, "Harbour Lights")).await;
    fixture.follow(&fixture.alice).await;
    let target = fixture.remote.user("newhome").id();
    list_critic_as_alias(&fixture, "newhome");
    fixture.app.command_output(&["critic", "move", &target]).await;
    items.insert(0, Item::review("The Night Ferry"));
    fixture.remote.serve_feed(&items);
    fixture.app.poll(feed::NAME).await;
    fixture.app.poll(feed::NAME).await;
    let log = fixture.app.feed_log().await.join("\n");
    assert!(log.contains("held") && log.contains(&format!("the critic has moved to {target}")), "{log}");
    let file = fixture.app.write("review.md", &markdown("By Hand", "By Hand", "A text."));
    for args in [["publish", &file].as_slice(), &["comment", "reply", id_of(&article), "--text", "A word"]] {
        assert!(command_error(&fixture, args).await.contains("moved to"), "{args:?}");
    }
    fixture.settle().await;
    assert!(fixture.remote.distinct_activities("Create").is_empty());
    assert_eq!(fixture.articles().await.len(), 1);
}

async fn the_actor_lists_earlier_accounts_and_a_changed_profile_is_sent_once(database: Database) {
    let mut fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    fixture.app.restart().await;
    fixture.settle().await;
    assert!(fixture.remote.distinct_activities("Update").is_empty(), "nothing changed");
    let earlier = fixture.remote.user("earlier").id();
    fixture.app.reconfigure("critics", "also_known_as", &format!("[{}]", quoted(&earlier)));
    fixture.app.reconfigure("critics", "summary", &quoted("Sits in the first row now."));
    fixture.app.restart().await;
    let update = fixture.remote.await_activity("the Update", |a| a["type"] == "Update").await;
    assert_eq!(
        (&update["object"]["type"], &update["object"]["id"]),
        (&"Person".into(), &fixture.actor().into())
    );
    assert_eq!(update["object"]["alsoKnownAs"], json!([earlier]));
    assert!(update["object"]["summary"].as_str().is_some_and(|text| text.contains("first row")), "{update}");
    let actor = fixture.network.client.document(fixture.actor()).await;
    for member in ["alsoKnownAs", "summary", "name", "publicKey"] {
        assert_eq!(update["object"][member], actor[member], "{member}");
    }
    fixture.app.restart().await;
    fixture.app.command_output(&["block", "list"]).await;
    fixture.settle().await;
    assert_eq!(fixture.remote.distinct_activities("Update").len(), 1, "the Update is sent once");
}

async fn await_followers(fixture: &Fixture, count: u64) {
    eventually(&format!("{count} followers"), || async {
        (total_items(fixture, &fixture.critic["followers"]).await == count).then_some(())
    })
    .await;
}

async fn await_listed(fixture: &Fixture, state: &str, handle: &str) {
    eventually(&format!("{handle} to be {state}"), || async {
        let listed = fixture.app.command_output(&["follower", "list", "--state", state]).await;
        listed.contains(handle).then_some(())
    })
    .await;
}

async fn fixture_with_approval(database: Database) -> Fixture {
    Fixture::with(database, |_, settings| settings.set("moderation", "approve_followers", "true")).await
}

async fn a_follower_is_approved_and_removed(database: Database) {
    let fixture = fixture_with_approval(database).await;
    let follow = fixture.alice.follow(fixture.actor());
    fixture.alice.deliver(fixture.inbox(), &follow).await;
    let handle = format!("@{}", fixture.alice.handle());
    await_listed(&fixture, "pending", &handle).await;
    await_followers(&fixture, 0).await;
    fixture.app.command_output(&["follower", "accept", &handle]).await;
    fixture.await_accept(&fixture.alice, &follow).await;
    await_listed(&fixture, "following", &handle).await;
    await_followers(&fixture, 1).await;
    fixture.app.command_output(&["follower", "remove", &fixture.alice.id()]).await;
    let reject = fixture.remote.await_activity("the Reject", |a| a["type"] == "Reject").await;
    assert_eq!(reject["object"]["id"], follow["id"]);
    await_followers(&fixture, 0).await;
    assert_eq!(fixture.app.command_output(&["follower", "list"]).await.trim(), "no followers");
    assert!(command_error(&fixture, &["follower", "remove", &handle]).await.contains("is not a follower"));
}

async fn a_follow_request_can_be_rejected(database: Database) {
    let fixture = fixture_with_approval(database).await;
    let follow = fixture.alice.follow(fixture.actor());
    fixture.alice.deliver(fixture.inbox(), &follow).await;
    let handle = format!("@{}", fixture.alice.handle());
    await_listed(&fixture, "pending", &handle).await;
    fixture.app.command_output(&["follower", "reject", &handle]).await;
    let reject = fixture.remote.await_activity("the Reject", |a| a["type"] == "Reject").await;
    assert_eq!((&reject["object"]["id"], &reject["object"]["type"]), (&follow["id"], &"Follow".into()));
    await_followers(&fixture, 0).await;
    assert!(command_error(&fixture, &["follower", "accept", &handle]).await.contains("no follow request"));
    assert!(command_error(&fixture, &["follower", "accept", "nobody"]).await.contains("neither"));
}

/// What accounts of a follower send while it moves, all of it signed within one second.
struct SignedSecond {
    fixture: Fixture,
    date: jiff::Timestamp,
}

impl SignedSecond {
    async fn deliver(&self, user: &User, activity: &Value) {
        let mut request = user.unsigned_request(SignatureScheme::Cavage, self.fixture.inbox(), activity);
        request.date = self.date;
        let response = request.sign().post(&self.fixture.network.client).await;
        assert!(response.is_success(), "{}: {}", response.status, response.body);
    }

    async fn move_account(&self, from: &User, to: &User) {
        let mut moved = from.activity("Move", &json!(from.id()));
        moved["target"] = json!(to.id());
        self.deliver(from, &moved).await;
        self.await_follower(from, to).await;
    }

    /// Waits until the critic has this follower, and not the other one.
    async fn await_follower(&self, not: &User, follower: &User) {
        let list = format!("{}?page=1", self.fixture.critic["followers"].as_str().expect("followers"));
        eventually("the follower", || async {
            let listed = self.fixture.network.client.document(&list).await.to_string();
            (listed.contains(&follower.id()) && !listed.contains(&not.id())).then_some(())
        })
        .await;
    }
}

async fn a_follower_that_moves_there_and_back_within_a_second_still_follows(database: Database) {
    let network = TestNetwork::new();
    let (remote, second) = (network.remote("remote.test").await, network.remote("second.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    let mut site = SignedSecond { fixture, date: now() };
    for case in ["only the Moves", "with all that Mastodon sends", "there again"] {
        let name = case.split(' ').next_back().expect("a word").to_lowercase();
        let (old, new) = (site.fixture.remote.user(&name), second.user(&name));
        for (user, other) in [(&old, &new), (&new, &old)] {
            let mut actor = user.actor();
            actor["alsoKnownAs"] = json!([other.id()]);
            user.serve_actor(&actor);
        }
        let follow = site.fixture.follow(&old).await;
        site.date = now();
        site.move_account(&old, &new).await;
        if case == "with all that Mastodon sends" {
            let follow_again = new.follow(site.fixture.actor());
            site.deliver(&new, &follow_again).await;
            let is_accept = |a: &Value| a["type"] == "Accept" && a["object"]["id"] == follow_again["id"];
            second.await_activity("the Accept", is_accept).await;
            site.deliver(&old, &old.undo(&follow)).await;
            site.fixture.settle().await;
        }
        site.move_account(&new, &old).await;
        if case == "there again" {
            site.move_account(&old, &new).await;
        }
        site.fixture.settle().await;
        let (follower, other) = if case == "there again" { (&new, &old) } else { (&old, &new) };
        site.await_follower(other, follower).await;
    }
    site.fixture.publish("The Night Ferry").await;
    let is_review = |a: &Value| a["type"] == "Create" && a.to_string().contains("The Night Ferry");
    site.fixture.remote.await_activity("the review", is_review).await;
    second.await_activity("the review", is_review).await;
}
