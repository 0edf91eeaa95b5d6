//! `marquee critic rotate-key`: the new key is served first, and the old one signs for some time.

use serde_json::Value;

use crate::both_databases;
use crate::support::http::AS2;
use crate::support::signature::SignatureScheme;
use crate::support::{Database, Fixture, eventually};

both_databases!(
    the_new_key_is_served_while_the_old_one_still_signs,
    the_old_key_stops_signing_after_its_grace_period,
    a_leaked_key_no_longer_signs,
    a_new_server_gets_the_new_key_during_a_rotation,
    the_key_of_the_site_actor_rotates_like_any_other,
);

fn key_of(actor: &Value) -> (String, String) {
    let text = |name: &str| actor["publicKey"][name].as_str().expect("a text").to_owned();
    (text("id"), text("publicKeyPem"))
}

fn multikeys(actor: &Value) -> Vec<&str> {
    let all = actor["assertionMethod"].as_array().expect("a list");
    all.iter().map(|key| key["id"].as_str().expect("an id")).collect()
}

/// The id of the key that currently signs deliveries.
async fn signing_key(fixture: &Fixture) -> String {
    let follow = fixture.alice.follow(fixture.actor());
    fixture.alice.deliver(fixture.inbox(), &follow).await;
    let accept =
        fixture.remote.await_delivery("the Accept", |r| r.activity["object"]["id"] == follow["id"]).await;
    accept.signer.key_id
}

/// Rotates the key with further arguments, and returns the id of the new key from the output.
async fn rotate(fixture: &Fixture, args: &[&str]) -> String {
    let args = [&["critic", "rotate-key"], args].concat();
    let printed = fixture.app.command_output(&args).await;
    printed.trim().rsplit(' ').next().expect("a key").to_owned()
}

async fn the_new_key_is_served_while_the_old_one_still_signs(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    let (old, old_pem) = key_of(&fixture.critic);
    assert_eq!(old, format!("{}#main-key", fixture.actor()));
    assert_eq!(multikeys(&fixture.critic), [old.as_str()]);
    let new = rotate(&fixture, &["critic"]).await;
    assert_ne!(new, old, "the new key has an id of its own, since some servers never refetch a key id");
    let actor = fixture.network.client.document(fixture.actor()).await;
    let (served, pem) = key_of(&actor);
    assert_eq!(served, new);
    assert_ne!(pem, old_pem);
    assert_eq!(multikeys(&actor), [new.as_str(), old.as_str()], "both keys are listed");
    let is_update = |r: &crate::support::remote::Received| r.activity["type"] == "Update";
    let update = fixture.remote.await_delivery("the Update", is_update).await;
    assert_eq!(update.signer.key_id, old, "the Update is signed with the key that all servers know");
    assert_eq!(key_of(&update.activity["object"]), (new.clone(), pem));
    assert_eq!(update.activity["object"]["id"], fixture.actor());
    assert_eq!(signing_key(&fixture).await, old);
    // A second rotation ends the remaining time of the first.
    let newest = rotate(&fixture, &["--overlap", "0s"]).await;
    let actor = fixture.network.client.document(fixture.actor()).await;
    assert_eq!(multikeys(&actor), [newest.as_str()]);
    assert_eq!(signing_key(&fixture).await, newest);
}

async fn the_old_key_stops_signing_after_its_grace_period(database: Database) {
    let mut fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    let new = rotate(&fixture, &["--overlap", "2s"]).await;
    eventually("the new key to sign", || async {
        let key = signing_key(&fixture).await;
        (key == new).then_some(())
    })
    .await;
    let actor = fixture.network.client.document(fixture.actor()).await;
    assert_eq!(multikeys(&actor), [new.as_str()]);
    fixture.app.restart().await;
    assert_eq!(signing_key(&fixture).await, new);
}

async fn a_leaked_key_no_longer_signs(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    let new = rotate(&fixture, &["--overlap", "0s"]).await;
    let is_update = |r: &crate::support::remote::Received| r.activity["type"] == "Update";
    let update = fixture.remote.await_delivery("the Update", is_update).await;
    assert_eq!(update.signer.key_id, new, "the running server uses the new key at once");
    assert_eq!(signing_key(&fixture).await, new);
    let invalid = fixture.app.cli(&["critic", "rotate-key", "--overlap", "soon"]).await;
    assert!(!invalid.status.success());
    let nobody = fixture.app.cli(&["critic", "rotate-key", "nobody"]).await;
    assert!(!nobody.status.success());
}

async fn a_new_server_gets_the_new_key_during_a_rotation(database: Database) {
    let fixture = Fixture::new(database).await;
    let new = rotate(&fixture, &[]).await;
    fixture.remote.tolerate_unknown_keys();
    assert_eq!(signing_key(&fixture).await, new, "the delivery is repeated with the new key at once");
}

async fn the_key_of_the_site_actor_rotates_like_any_other(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.remote.require_signed_gets();
    fixture.follow(&fixture.alice).await;
    let instance = crate::support::config_file::url("/ap/actor");
    let new = rotate(&fixture, &["--instance"]).await;
    let actor = fixture.network.client.get(&instance, AS2).await.json();
    assert_eq!(key_of(&actor).0, new);
    assert_eq!(multikeys(&actor), [new.as_str(), &format!("{instance}#main-key")]);
    // The remote knows the old key, which still signs fetches.
    let bo = fixture.remote.user("bo");
    fixture.follow(&bo).await;
    rotate(&fixture, &["--instance", "--overlap", "0s"]).await;
    let cy = fixture.remote.user("cy");
    let follow = cy.follow(fixture.actor());
    let request = cy.unsigned_request(SignatureScheme::Rfc9421, fixture.inbox(), &follow);
    assert!(request.sign().post(&fixture.network.client).await.is_success());
    fixture.await_accept(&cy, &follow).await;
}
