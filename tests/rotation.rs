//! `marquee critic rotate-key`: the new key is served first, and the old one signs for a while yet.

use serde_json::Value;

use crate::both_databases;
use crate::support::http::AS2;
use crate::support::signature::Form;
use crate::support::{Database, Stage, eventually};

both_databases!(
    the_new_key_is_served_first_and_the_old_one_signs_for_a_while,
    the_old_key_signs_no_more_once_its_time_is_over,
    a_leaked_key_signs_nothing_more,
    who_meets_the_critic_between_two_keys_is_shown_the_new_one,
    the_sites_own_key_rotates_like_any,
);

fn key_of(actor: &Value) -> (String, String) {
    let text = |name: &str| actor["publicKey"][name].as_str().expect("a text").to_owned();
    (text("id"), text("publicKeyPem"))
}

fn multikeys(actor: &Value) -> Vec<&str> {
    let all = actor["assertionMethod"].as_array().expect("a list");
    all.iter().map(|key| key["id"].as_str().expect("an id")).collect()
}

/// The id of the key that signs an Accept now.
async fn signing_key(stage: &Stage) -> String {
    let follow = stage.alice.follow(stage.actor());
    stage.alice.deliver(stage.inbox(), &follow).await;
    let accept =
        stage.remote.await_delivery("the Accept", |r| r.activity["object"]["id"] == follow["id"]).await;
    accept.signer.key_id
}

/// Rotates, with further arguments; gives the id of the new key, as it is printed.
async fn rotate(stage: &Stage, args: &[&str]) -> String {
    let args = [&["critic", "rotate-key"], args].concat();
    let printed = stage.app.command_output(&args).await;
    printed.trim().rsplit(' ').next().expect("a key").to_owned()
}

async fn the_new_key_is_served_first_and_the_old_one_signs_for_a_while(database: Database) {
    let stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    let (old, old_pem) = key_of(&stage.critic);
    assert_eq!(old, format!("{}#main-key", stage.actor()));
    assert_eq!(multikeys(&stage.critic), [old.as_str()]);
    let new = rotate(&stage, &["critic"]).await;
    assert_ne!(new, old, "who keeps the first key of an id meets a new one under its own");
    let actor = stage.world.client.document(stage.actor()).await;
    let (served, pem) = key_of(&actor);
    assert_eq!(served, new);
    assert_ne!(pem, old_pem);
    assert_eq!(multikeys(&actor), [new.as_str(), old.as_str()], "both sign, or will");
    let is_update = |r: &crate::support::remote::Received| r.activity["type"] == "Update";
    let update = stage.remote.await_delivery("the Update", is_update).await;
    assert_eq!(update.signer.key_id, old, "those who know the old key alone take it");
    assert_eq!(key_of(&update.activity["object"]), (new.clone(), pem));
    assert_eq!(update.activity["object"]["id"], stage.actor());
    assert_eq!(signing_key(&stage).await, old);
    // A second rotation ends what is left of the first.
    let newest = rotate(&stage, &["--overlap", "0s"]).await;
    let actor = stage.world.client.document(stage.actor()).await;
    assert_eq!(multikeys(&actor), [newest.as_str()]);
    assert_eq!(signing_key(&stage).await, newest);
}

async fn the_old_key_signs_no_more_once_its_time_is_over(database: Database) {
    let mut stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    let new = rotate(&stage, &["--overlap", "2s"]).await;
    eventually("the new key to sign", || async {
        let key = signing_key(&stage).await;
        (key == new).then_some(())
    })
    .await;
    let actor = stage.world.client.document(stage.actor()).await;
    assert_eq!(multikeys(&actor), [new.as_str()]);
    stage.app.restart().await;
    assert_eq!(signing_key(&stage).await, new);
}

async fn a_leaked_key_signs_nothing_more(database: Database) {
    let stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    let new = rotate(&stage, &["--overlap", "0s"]).await;
    let is_update = |r: &crate::support::remote::Received| r.activity["type"] == "Update";
    let update = stage.remote.await_delivery("the Update", is_update).await;
    assert_eq!(update.signer.key_id, new, "the running server noticed at once");
    assert_eq!(signing_key(&stage).await, new);
    let wrong = stage.app.cli(&["critic", "rotate-key", "--overlap", "soon"]).await;
    assert!(!wrong.status.success());
    let nobody = stage.app.cli(&["critic", "rotate-key", "nobody"]).await;
    assert!(!nobody.status.success());
}

async fn who_meets_the_critic_between_two_keys_is_shown_the_new_one(database: Database) {
    let stage = Stage::new(database).await;
    let new = rotate(&stage, &[]).await;
    stage.remote.pardon_unknown_keys();
    assert_eq!(signing_key(&stage).await, new, "in the same delivery, though the old one signs first");
}

async fn the_sites_own_key_rotates_like_any(database: Database) {
    let stage = Stage::new(database).await;
    stage.remote.demand_signed_gets();
    stage.follow(&stage.alice).await;
    let instance = crate::support::app::url("/ap/actor");
    let new = rotate(&stage, &["--instance"]).await;
    let actor = stage.world.client.get(&instance, AS2).await.json();
    assert_eq!(key_of(&actor).0, new);
    assert_eq!(multikeys(&actor), [new.as_str(), &format!("{instance}#main-key")]);
    // The remote knows the old one, which still signs our fetches.
    let bo = stage.remote.user("bo");
    stage.follow(&bo).await;
    rotate(&stage, &["--instance", "--overlap", "0s"]).await;
    let cy = stage.remote.user("cy");
    let follow = cy.follow(stage.actor());
    let letter = cy.letter(Form::Rfc9421, stage.inbox(), &follow);
    assert!(letter.seal().post(&stage.world.client).await.is_success());
    stage.await_accept(&cy, &follow).await;
}
