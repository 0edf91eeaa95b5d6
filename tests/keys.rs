//! Whose key it is decides what it may sign (B of what the server must stand).

use serde_json::{Value, json};

use crate::both_databases;
use crate::support::remote::{Document, Remote, User};
use crate::support::shapes::id_of;
use crate::support::signature::Form;
use crate::support::{Database, Stage, weak};

both_databases!(
    b1_a_valid_key_under_the_activity_of_another_actor,
    b2_a_key_whose_owner_is_on_another_host,
    b3_an_owner_that_does_not_list_the_key,
    b4_a_key_id_that_is_our_own_actor,
    b5_a_rotated_key_is_taken_after_one_fetch,
    b5_a_key_that_its_owner_no_longer_lists_is_dropped,
    b6_many_bad_signatures_cost_one_fetch,
    b6_a_forgery_does_not_shut_out_whose_name_it_bears,
    b7_of_a_key_that_is_gone_only_the_owners_own_farewell_is_tolerated,
    b8_an_elliptic_key_where_rsa_is_expected,
    b9_nothing_inside_the_body_grants_authority,
);

/// Signs an activity with somebody's key under a key id, and demands a refusal.
async fn assert_refused(stage: &Stage, signer: &User, key_id: &str, activity: &Value) {
    for form in Form::BOTH {
        let mut letter = signer.letter(form, stage.inbox(), activity);
        key_id.clone_into(&mut letter.key_id);
        let answer = letter.seal().post(&stage.world.client).await;
        assert!(answer.is_refusal(), "{form:?} {key_id}: {} {}", answer.status, answer.body);
    }
}

/// Nothing has come of what was sent in this actor's name.
async fn assert_no_follower(stage: &Stage, actor: &str) {
    stage.settle().await;
    let accepted = stage.remote.received().into_iter().any(|r| r.activity["object"]["actor"] == actor);
    assert!(!accepted, "{actor} was accepted as a follower");
}

async fn stage_with_second(database: Database) -> (Stage, Remote) {
    let world = crate::support::World::new();
    let (remote, second) = (world.remote("remote.test").await, world.remote("second.test").await);
    let stage = Stage::in_world(world, remote, database, |_, settings| settings).await;
    (stage, second)
}

async fn b1_a_valid_key_under_the_activity_of_another_actor(database: Database) {
    let (stage, second) = stage_with_second(database).await;
    for victim in [stage.remote.user("victim"), second.user("victim")] {
        let activity = victim.follow(stage.actor());
        assert_refused(&stage, &stage.alice, &stage.alice.key_id(), &activity).await;
        assert_no_follower(&stage, &victim.id()).await;
    }
}

async fn b2_a_key_whose_owner_is_on_another_host(database: Database) {
    let (stage, second) = stage_with_second(database).await;
    let victim = second.user("victim");
    let key_id = stage.remote.url("/keys/1");
    let key = json!({"id": key_id, "type": "Key", "owner": victim.id(), "publicKeyPem": stage.alice.key().public_pem()});
    stage.remote.serve("/keys/1", Document::activity_json(&key));
    assert_refused(&stage, &stage.alice, &key_id, &victim.follow(stage.actor())).await;
    assert_no_follower(&stage, &victim.id()).await;
}

async fn b3_an_owner_that_does_not_list_the_key(database: Database) {
    let stage = Stage::new(database).await;
    let (mallory, victim) = (stage.remote.user("mallory"), stage.remote.user("victim"));
    let key_id = stage.remote.url("/keys/2");
    let key = json!({"id": key_id, "type": "Key", "owner": victim.id(), "publicKeyPem": mallory.key().public_pem()});
    stage.remote.serve("/keys/2", Document::activity_json(&key));
    assert_refused(&stage, &mallory, &key_id, &victim.follow(stage.actor())).await;
    let borrowed = format!("{}#other-key", victim.id());
    assert_refused(&stage, &mallory, &borrowed, &victim.follow(stage.actor())).await;
    assert_no_follower(&stage, &victim.id()).await;
}

async fn b4_a_key_id_that_is_our_own_actor(database: Database) {
    let stage = Stage::new(database).await;
    let key_id = stage.critic["publicKey"]["id"].as_str().expect("a key").to_owned();
    let mut follow = stage.alice.follow(stage.actor());
    follow["actor"] = json!(stage.actor());
    assert_refused(&stage, &stage.alice, &key_id, &follow).await;
    assert_refused(&stage, &stage.alice, &key_id, &stage.alice.follow(stage.actor())).await;
    assert_no_follower(&stage, &stage.alice.id()).await;
}

async fn b5_a_rotated_key_is_taken_after_one_fetch(database: Database) {
    let stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    stage.settle().await;
    let path = "/users/alice";
    let before = stage.remote.requests_for(path);
    for (turn, form) in Form::BOTH.into_iter().enumerate() {
        stage.alice.rotate_key();
        for _ in 0..2 {
            let follow = stage.alice.follow(stage.actor());
            let letter = stage.alice.letter(form, stage.inbox(), &follow);
            assert!(letter.seal().post(&stage.world.client).await.is_success());
            stage.await_accept(&stage.alice, &follow).await;
            assert_eq!(stage.remote.requests_for(path), before + turn + 1, "one fetch for the new key");
        }
    }
}

async fn b5_a_key_that_its_owner_no_longer_lists_is_dropped(database: Database) {
    let stage = Stage::new(database).await;
    let key_id = format!("{}#second", stage.alice.id());
    let second = stage.remote.user("second").key();
    let mut actor = stage.alice.actor();
    let one = json!({"id": key_id, "owner": stage.alice.id(), "publicKeyPem": second.public_pem()});
    actor["publicKey"] = json!([actor["publicKey"], one]);
    stage.alice.pose_as(&actor);
    for form in Form::BOTH {
        let follow = stage.alice.follow(stage.actor());
        let mut letter = stage.alice.letter(form, stage.inbox(), &follow);
        letter.key = second.clone();
        key_id.clone_into(&mut letter.key_id);
        assert!(letter.seal().post(&stage.world.client).await.is_success());
        stage.await_accept(&stage.alice, &follow).await;
    }
    stage.alice.pose_as(&stage.alice.actor());
    stage.follow(&stage.alice).await;
    for form in Form::BOTH {
        let mut letter = stage.alice.letter(form, stage.inbox(), &stage.alice.follow(stage.actor()));
        letter.key = second.clone();
        key_id.clone_into(&mut letter.key_id);
        assert!(letter.seal().post(&stage.world.client).await.is_refusal());
    }
}

async fn b6_many_bad_signatures_cost_one_fetch(database: Database) {
    let stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    stage.settle().await;
    let before = stage.remote.requests();
    let stranger = stage.remote.user("stranger");
    for turn in 0..100 {
        let mut letter =
            stage.alice.letter(Form::BOTH[turn % 2], stage.inbox(), &stage.alice.follow(stage.actor()));
        letter.key = stranger.key();
        assert!(letter.seal().post(&stage.world.client).await.is_refusal());
    }
    let fetches = stage.remote.requests() - before;
    assert!(fetches <= 1, "{fetches} fetches for a hundred forgeries");
}

async fn b6_a_forgery_does_not_shut_out_whose_name_it_bears(database: Database) {
    let stage = Stage::new(database).await;
    let (mallory, victim) = (stage.remote.user("mallory"), stage.remote.user("victim"));
    assert_refused(&stage, &mallory, &victim.key_id(), &victim.follow(stage.actor())).await;
    stage.follow(&victim).await;
}

async fn b7_of_a_key_that_is_gone_only_the_owners_own_farewell_is_tolerated(database: Database) {
    let stage = Stage::new(database).await;
    let gone = stage.remote.user("gone");
    stage.remote.serve("/users/gone", Document::status(410));
    let farewell = json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{}#delete", gone.id()), "type": "Delete",
        "actor": gone.id(), "to": ["https://www.w3.org/ns/activitystreams#Public"], "object": gone.id(),
    });
    for form in Form::BOTH {
        let letter = gone.letter(form, stage.shared_inbox(), &farewell);
        let answer = letter.seal().post(&stage.world.client).await;
        assert!(answer.is_success(), "{}: {}", answer.status, answer.body);
    }
    let article = stage.publish("The Night Ferry").await;
    let note = stage.alice.reply(id_of(&article), "<p>Still here</p>");
    for activity in [gone.follow(stage.actor()), gone.delete(&note), gone.create(&note)] {
        assert_refused(&stage, &gone, &gone.key_id(), &activity).await;
    }
}

async fn b8_an_elliptic_key_where_rsa_is_expected(database: Database) {
    let stage = Stage::new(database).await;
    for (name, pem) in
        [("edward", weak::ED25519), ("percy", weak::P256), ("nobody", "no key at all"), ("void", "")]
    {
        let user = stage.remote.user(name);
        let mut actor = user.actor();
        actor["publicKey"]["publicKeyPem"] = json!(pem);
        user.pose_as(&actor);
        assert_refused(&stage, &user, &user.key_id(), &user.follow(stage.actor())).await;
        assert_no_follower(&stage, &user.id()).await;
    }
}

async fn b9_nothing_inside_the_body_grants_authority(database: Database) {
    let stage = Stage::new(database).await;
    let (mallory, victim) = (stage.remote.user("mallory"), stage.remote.user("victim"));
    let mut endorsed = victim.follow(stage.actor());
    endorsed["signature"] = json!({
        "type": "RsaSignature2017", "creator": victim.key_id(), "created": "2026-01-01T00:00:00Z",
        "signatureValue": "dGhlIHZpY3RpbSBzaWduZWQgdGhpcywgaG9uZXN0bHk=",
    });
    assert_refused(&stage, &mallory, &mallory.key_id(), &endorsed).await;
    for key in ["@graph", "@reverse", "@included"] {
        let mut smuggled = mallory.follow(stage.actor());
        smuggled[key] = json!([victim.follow(stage.actor())]);
        // Whether it is refused or its visible part is taken: the hidden part has no effect.
        mallory.send(stage.inbox(), &smuggled).await;
    }
    assert_no_follower(&stage, &victim.id()).await;
}
