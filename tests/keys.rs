//! A key signs only for its owner (B in `docs/threats.md`).

use serde_json::{Value, json};

use crate::both_databases;
use crate::steps;
use crate::support::activities::id_of;
use crate::support::remote::{Document, Remote, User};
use crate::support::signature::SignatureScheme;
use crate::support::{Database, Fixture, weak_keys};

both_databases!(
    a_key_is_valid_only_for_its_owner,
    b5_a_rotated_key_is_accepted_after_one_fetch,
    b5_a_key_that_its_owner_no_longer_lists_is_dropped,
    b6_many_bad_signatures_cause_one_fetch,
);

async fn a_key_is_valid_only_for_its_owner(database: Database) {
    let (fixture, second) = fixture_with_second_remote(database).await;
    steps!(&fixture, &second;
        b1_a_valid_key_for_the_activity_of_another_actor,
        b2_a_key_whose_owner_is_on_another_host,
    );
    steps!(&fixture;
        b3_an_owner_that_does_not_list_the_key,
        b4_a_key_id_that_is_our_own_actor,
        b8_an_elliptic_curve_key_where_rsa_is_expected,
        b9_nothing_in_the_body_grants_authority,
        b7_after_a_key_is_gone_only_the_owners_delete_is_accepted,
        b6_a_forgery_does_not_lock_out_the_actor_that_it_names,
    );
}

/// Signs an activity with the key of `signer` under another key id; it must be rejected.
async fn assert_rejected(fixture: &Fixture, signer: &User, key_id: &str, activity: &Value) {
    for scheme in SignatureScheme::BOTH {
        let mut request = signer.unsigned_request(scheme, fixture.inbox(), activity);
        key_id.clone_into(&mut request.key_id);
        let response = request.sign().post(&fixture.network.client).await;
        assert!(response.is_rejection(), "{scheme:?} {key_id}: {} {}", response.status, response.body);
    }
}

/// Checks that no follow in the name of this actor had an effect.
async fn assert_no_follower(fixture: &Fixture, actor: &str) {
    fixture.settle().await;
    let accepted = fixture.remote.received().into_iter().any(|r| r.activity["object"]["actor"] == actor);
    assert!(!accepted, "{actor} was accepted as a follower");
}

async fn fixture_with_second_remote(database: Database) -> (Fixture, Remote) {
    let network = crate::support::TestNetwork::new();
    let (remote, second) = (network.remote("remote.test").await, network.remote("second.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| settings).await;
    (fixture, second)
}

async fn b1_a_valid_key_for_the_activity_of_another_actor(fixture: &Fixture, second: &Remote) {
    for victim in [fixture.remote.user("victim"), second.user("victim")] {
        let activity = victim.follow(fixture.actor());
        assert_rejected(fixture, &fixture.alice, &fixture.alice.key_id(), &activity).await;
        assert_no_follower(fixture, &victim.id()).await;
    }
}

async fn b2_a_key_whose_owner_is_on_another_host(fixture: &Fixture, second: &Remote) {
    let victim = second.user("victim");
    let key_id = fixture.remote.url("/keys/1");
    let key = json!({"id": key_id, "type": "Key", "owner": victim.id(), "publicKeyPem": fixture.alice.key().public_pem()});
    fixture.remote.serve("/keys/1", Document::activity_json(&key));
    assert_rejected(fixture, &fixture.alice, &key_id, &victim.follow(fixture.actor())).await;
    assert_no_follower(fixture, &victim.id()).await;
}

async fn b3_an_owner_that_does_not_list_the_key(fixture: &Fixture) {
    let (mallory, victim) = (fixture.remote.user("mallory"), fixture.remote.user("victim"));
    let key_id = fixture.remote.url("/keys/2");
    let key = json!({"id": key_id, "type": "Key", "owner": victim.id(), "publicKeyPem": mallory.key().public_pem()});
    fixture.remote.serve("/keys/2", Document::activity_json(&key));
    assert_rejected(fixture, &mallory, &key_id, &victim.follow(fixture.actor())).await;
    let borrowed = format!("{}#other-key", victim.id());
    assert_rejected(fixture, &mallory, &borrowed, &victim.follow(fixture.actor())).await;
    assert_no_follower(fixture, &victim.id()).await;
}

async fn b4_a_key_id_that_is_our_own_actor(fixture: &Fixture) {
    let key_id = fixture.critic["publicKey"]["id"].as_str().expect("a key").to_owned();
    let mut follow = fixture.alice.follow(fixture.actor());
    follow["actor"] = json!(fixture.actor());
    assert_rejected(fixture, &fixture.alice, &key_id, &follow).await;
    assert_rejected(fixture, &fixture.alice, &key_id, &fixture.alice.follow(fixture.actor())).await;
    assert_no_follower(fixture, &fixture.alice.id()).await;
}

async fn b5_a_rotated_key_is_accepted_after_one_fetch(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    fixture.settle().await;
    let path = "/users/alice";
    let before = fixture.remote.requests_for(path);
    for (number, scheme) in SignatureScheme::BOTH.into_iter().enumerate() {
        fixture.alice.rotate_key();
        for _ in 0..2 {
            let follow = fixture.alice.follow(fixture.actor());
            let request = fixture.alice.unsigned_request(scheme, fixture.inbox(), &follow);
            assert!(request.sign().post(&fixture.network.client).await.is_success());
            fixture.await_accept(&fixture.alice, &follow).await;
            assert_eq!(fixture.remote.requests_for(path), before + number + 1, "one fetch for the new key");
        }
    }
}

async fn b5_a_key_that_its_owner_no_longer_lists_is_dropped(database: Database) {
    let fixture = Fixture::new(database).await;
    let key_id = format!("{}#second", fixture.alice.id());
    let second = fixture.remote.user("second").key();
    let mut actor = fixture.alice.actor();
    let second_key = json!({"id": key_id, "owner": fixture.alice.id(), "publicKeyPem": second.public_pem()});
    actor["publicKey"] = json!([actor["publicKey"], second_key]);
    fixture.alice.serve_actor(&actor);
    for scheme in SignatureScheme::BOTH {
        let follow = fixture.alice.follow(fixture.actor());
        let mut request = fixture.alice.unsigned_request(scheme, fixture.inbox(), &follow);
        request.key = second.clone();
        key_id.clone_into(&mut request.key_id);
        assert!(request.sign().post(&fixture.network.client).await.is_success());
        fixture.await_accept(&fixture.alice, &follow).await;
    }
    fixture.alice.serve_actor(&fixture.alice.actor());
    fixture.follow(&fixture.alice).await;
    for scheme in SignatureScheme::BOTH {
        let mut request =
            fixture.alice.unsigned_request(scheme, fixture.inbox(), &fixture.alice.follow(fixture.actor()));
        request.key = second.clone();
        key_id.clone_into(&mut request.key_id);
        assert!(request.sign().post(&fixture.network.client).await.is_rejection());
    }
}

async fn b6_many_bad_signatures_cause_one_fetch(database: Database) {
    let fixture = Fixture::new(database).await;
    fixture.follow(&fixture.alice).await;
    fixture.settle().await;
    let before = fixture.remote.requests();
    let stranger = fixture.remote.user("stranger");
    for number in 0..100 {
        let mut request = fixture.alice.unsigned_request(
            SignatureScheme::BOTH[number % 2],
            fixture.inbox(),
            &fixture.alice.follow(fixture.actor()),
        );
        request.key = stranger.key();
        assert!(request.sign().post(&fixture.network.client).await.is_rejection());
    }
    let fetches = fixture.remote.requests() - before;
    assert!(fetches <= 1, "{fetches} fetches for a hundred forgeries");
}

async fn b6_a_forgery_does_not_lock_out_the_actor_that_it_names(fixture: &Fixture) {
    let (mallory, victim) = (fixture.remote.user("mallory"), fixture.remote.user("victim"));
    assert_rejected(fixture, &mallory, &victim.key_id(), &victim.follow(fixture.actor())).await;
    fixture.follow(&victim).await;
}

async fn b7_after_a_key_is_gone_only_the_owners_delete_is_accepted(fixture: &Fixture) {
    let deleted = fixture.remote.user("deleted");
    fixture.remote.serve("/users/deleted", Document::status(410));
    let delete = json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{}#delete", deleted.id()), "type": "Delete",
        "actor": deleted.id(), "to": ["https://www.w3.org/ns/activitystreams#Public"], "object": deleted.id(),
    });
    for scheme in SignatureScheme::BOTH {
        let request = deleted.unsigned_request(scheme, fixture.shared_inbox(), &delete);
        let response = request.sign().post(&fixture.network.client).await;
        assert!(response.is_success(), "{}: {}", response.status, response.body);
    }
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.alice.reply(id_of(&article), "<p>Still here</p>");
    for activity in [deleted.follow(fixture.actor()), deleted.delete(&note), deleted.create(&note)] {
        assert_rejected(fixture, &deleted, &deleted.key_id(), &activity).await;
    }
}

async fn b8_an_elliptic_curve_key_where_rsa_is_expected(fixture: &Fixture) {
    for (name, pem) in [
        ("edward", weak_keys::ED25519),
        ("percy", weak_keys::P256),
        ("nobody", "no key at all"),
        ("void", ""),
    ] {
        let user = fixture.remote.user(name);
        let mut actor = user.actor();
        actor["publicKey"]["publicKeyPem"] = json!(pem);
        user.serve_actor(&actor);
        assert_rejected(fixture, &user, &user.key_id(), &user.follow(fixture.actor())).await;
        assert_no_follower(fixture, &user.id()).await;
    }
}

async fn b9_nothing_in_the_body_grants_authority(fixture: &Fixture) {
    let (mallory, victim) = (fixture.remote.user("mallory"), fixture.remote.user("victim"));
    let mut endorsed = victim.follow(fixture.actor());
    endorsed["signature"] = json!({
        "type": "RsaSignature2017", "creator": victim.key_id(), "created": "2026-01-01T00:00:00Z",
        "signatureValue": "dGhlIHZpY3RpbSBzaWduZWQgdGhpcywgaG9uZXN0bHk=",
    });
    assert_rejected(fixture, &mallory, &mallory.key_id(), &endorsed).await;
    for key in ["@graph", "@reverse", "@included"] {
        let mut smuggled = mallory.follow(fixture.actor());
        smuggled[key] = json!([victim.follow(fixture.actor())]);
        // The activity may be rejected or accepted, but its hidden part must have no effect.
        mallory.send(fixture.inbox(), &smuggled).await;
    }
    assert_no_follower(fixture, &victim.id()).await;
}
