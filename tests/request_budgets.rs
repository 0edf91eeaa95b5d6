//! Requests to other servers are charged to whoever causes them: the address of a request, then its proven actor. Forged
//! names use up nothing of those who bear them.

use serde_json::json;

use crate::both_databases;
use crate::support::activities::id_of;
use crate::support::remote::{Document, Remote, User};
use crate::support::settings::Settings;
use crate::support::signature::SignatureScheme;
use crate::support::signed_request::SignedRequest;
use crate::support::{Database, Fixture, TestNetwork};

both_databases!(
    h8_unknown_actors_cause_a_limited_number_of_fetches,
    h8_one_forged_request_causes_few_requests,
    h8_forgeries_do_not_lock_out_the_server_that_they_name,
    b6_a_key_that_was_replaced_after_a_forgery_is_accepted_at_once,
    h14_a_proven_actor_causes_a_limited_number_of_requests,
    h14_a_domain_causes_a_limited_number_of_requests_to_another,
);

/// The address of an attacker, and of an honest server.
const ATTACKER: &str = "203.0.113.9";
const HONEST: &str = "198.51.100.7";

async fn fixture_with(
    database: Database,
    change: impl for<'w> FnOnce(Settings<'w>) -> Settings<'w>,
) -> (Fixture, Remote) {
    let network = TestNetwork::new();
    let (remote, third) = (network.remote("remote.test").await, network.remote("third.test").await);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| {
        change(settings.set("server", "trusted_proxies", "[\"127.0.0.1/32\"]"))
    })
    .await;
    (fixture, third)
}

/// A Follow by an actor, from that address.
fn follow(fixture: &Fixture, user: &User, address: &str) -> SignedRequest {
    let activity = user.follow(fixture.actor());
    let mut request = user.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), &activity).sign();
    request.add("x-forwarded-for", address);
    request
}

/// A Follow in the name of an actor, signed by somebody else.
fn forged(fixture: &Fixture, victim: &User, key_id: &str, address: &str) -> SignedRequest {
    let activity = victim.follow(fixture.actor());
    let mut request = fixture.alice.unsigned_request(SignatureScheme::Cavage, fixture.inbox(), &activity);
    key_id.clone_into(&mut request.key_id);
    let mut request = request.sign();
    request.add("x-forwarded-for", address);
    request
}

async fn h8_unknown_actors_cause_a_limited_number_of_fetches(database: Database) {
    let (fixture, _third) =
        fixture_with(database, |settings| settings.set("budgets", "keys_per_address", "20")).await;
    let mut statuses = Vec::new();
    for number in 0..60 {
        let user = fixture.remote.user(&format!("stranger{number}"));
        statuses.push(follow(&fixture, &user, ATTACKER).post(&fixture.network.client).await.status);
    }
    let accepted = statuses.iter().filter(|status| **status == 202).count();
    assert_eq!(accepted, 20, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 40, "{statuses:?}");
    // Others are not affected, nor are known actors.
    let late = fixture.remote.user("late");
    assert_eq!(follow(&fixture, &late, HONEST).post(&fixture.network.client).await.status, 202);
    let known = fixture.remote.user("stranger0");
    assert_eq!(follow(&fixture, &known, ATTACKER).post(&fixture.network.client).await.status, 202);
    fixture.settle().await;
}

async fn h8_one_forged_request_causes_few_requests(database: Database) {
    let (fixture, third) = fixture_with(database, |settings| settings).await;
    let victim = third.user("victim");
    // A key whose document redirects again and again, one with an owner that redirects, and one that rejects signatures.
    for hop in 0..30 {
        third.serve(&format!("/keys/{hop}"), Document::redirect(&third.url(&format!("/keys/{}", hop + 1))));
        third.serve(
            &format!("/owners/{hop}"),
            Document::redirect(&third.url(&format!("/owners/{}", hop + 1))),
        );
        let key = json!({"id": third.url(&format!("/many/{hop}")), "type": "Key", "owner": third.url(&format!("/many/{}", hop + 1)), "publicKeyPem": victim.key().public_pem()});
        third.serve(&format!("/many/{hop}"), Document::activity_json(&key));
    }
    let key = json!({"id": third.url("/key"), "type": "Key", "owner": third.url("/owners/0"), "publicKeyPem": victim.key().public_pem()});
    third.serve("/key", Document::activity_json(&key));
    third.serve("/secret", Document::status(401));
    for path in ["/keys/0", "/key", "/secret", "/many/0"] {
        let before = third.requests();
        let response =
            forged(&fixture, &victim, &third.url(path), ATTACKER).post(&fixture.network.client).await;
        assert!(response.is_unauthorized(), "{path}: {} {}", response.status, response.body);
        let caused = third.requests() - before;
        assert!((1..=8).contains(&caused), "{path} caused {caused} requests");
    }
}

async fn h8_forgeries_do_not_lock_out_the_server_that_they_name(database: Database) {
    let (fixture, third) = fixture_with(database, |settings| settings).await;
    // Its server is known by an activity that it sent.
    fixture.network.client.document(fixture.actor()).await;
    let known = third.user("known");
    assert_eq!(follow(&fixture, &known, HONEST).post(&fixture.network.client).await.status, 202);
    fixture.settle().await;
    let before = third.requests();
    for number in 0..330 {
        let victim = third.user("victim");
        let key_id = third.url(&format!("/users/victim{number}#main-key"));
        let response = forged(&fixture, &victim, &key_id, ATTACKER).post(&fixture.network.client).await;
        assert!(matches!(response.status, 401 | 429), "{}: {}", response.status, response.body);
    }
    let caused = third.requests() - before;
    // A tenth of 700, and one more in nine seconds.
    assert!(caused <= 80, "one address caused {caused} requests");
    for number in 0..5 {
        let newcomer = third.user(&format!("newcomer{number}"));
        let response = follow(&fixture, &newcomer, HONEST).post(&fixture.network.client).await;
        assert_eq!(response.status, 202, "{}", response.body);
    }
    // Another of its addresses, which sent nothing before, is not locked out either.
    let other = follow(&fixture, &third.user("other"), "198.51.100.8").post(&fixture.network.client).await;
    assert_eq!(other.status, 202, "{}", other.body);
    fixture.settle().await;
}

async fn b6_a_key_that_was_replaced_after_a_forgery_is_accepted_at_once(database: Database) {
    let (fixture, third) = fixture_with(database, |settings| settings).await;
    let victim = third.user("victim");
    assert_eq!(follow(&fixture, &victim, HONEST).post(&fixture.network.client).await.status, 202);
    fixture.settle().await;
    let before = third.requests_for("/users/victim");
    for _ in 0..20 {
        let response =
            forged(&fixture, &victim, &victim.key_id(), ATTACKER).post(&fixture.network.client).await;
        assert!(response.is_unauthorized(), "{}", response.body);
    }
    assert_eq!(third.requests_for("/users/victim") - before, 1, "forgeries cause one fetch");
    for scheme in SignatureScheme::BOTH {
        victim.rotate_key();
        let activity = victim.follow(fixture.actor());
        let mut request = victim.unsigned_request(scheme, fixture.inbox(), &activity).sign();
        request.add("x-forwarded-for", HONEST);
        let response = request.post(&fixture.network.client).await;
        assert_eq!(response.status, 202, "{scheme:?}: {}", response.body);
    }
    fixture.settle().await;
}

async fn h14_a_proven_actor_causes_a_limited_number_of_requests(database: Database) {
    let (fixture, third) =
        fixture_with(database, |settings| settings.set("budgets", "requests_per_actor", "30")).await;
    fixture.follow(&fixture.alice).await;
    fixture.settle().await;
    let (alice, before) = (&fixture.alice, third.requests());
    third.serve("/users/bob/statuses/busy", Document::status(503));
    third.serve("/users/bob/statuses/secret", Document::status(401));
    for number in 0..30 {
        let mut actor = alice.actor();
        actor["webfinger"] = json!(format!("bob{number}@{}", third.host()));
        alice.serve_actor(&actor);
        alice.deliver(fixture.inbox(), &alice.activity("Update", &actor)).await;
        let mut moving = alice.activity("Move", &json!(alice.id()));
        moving["target"] = json!(third.url(&format!("/users/bob{number}")));
        alice.deliver(fixture.inbox(), &moving).await;
        for post in ["busy", "secret", &format!("gone{number}")] {
            let reply = alice.reply(&third.url(&format!("/users/bob/statuses/{post}")), "<p>Hello?</p>");
            alice.deliver(fixture.inbox(), &alice.create(&reply)).await;
        }
    }
    let article = fixture.publish("The Night Ferry").await;
    // Another actor of the same server is not affected.
    fixture.comment(&fixture.remote.user("dora"), &article, "From the same house").await;
    fixture.settle().await;
    let caused = third.requests() - before;
    // One is restored every 20 seconds.
    assert!((1..=33).contains(&caused), "one actor caused {caused} requests");
}

async fn h14_a_domain_causes_a_limited_number_of_requests_to_another(database: Database) {
    let (fixture, third) =
        fixture_with(database, |settings| settings.set("budgets", "requests_to_host", "100")).await;
    let article = fixture.publish("The Night Ferry").await;
    for number in 0..40 {
        let user = fixture.remote.user(&format!("sender{number}"));
        let reply = user.reply(&third.url(&format!("/users/bob/statuses/{number}")), "<p>Hello?</p>");
        user.deliver(fixture.inbox(), &user.create(&reply)).await;
    }
    fixture.settle().await;
    let caused = third.requests();
    // One is restored every minute.
    assert!((1..=11).contains(&caused), "one domain caused {caused} requests");
    // What its own people need is counted apart.
    let own = third.user("carol");
    let post = own.reply(id_of(&article), "<p>First</p>");
    let reply = fixture.remote.user("late").reply(id_of(&post), "<p>Second</p>");
    own.deliver(fixture.inbox(), &own.create(&post)).await;
    fixture.await_page(&article, "the own post", |page| page.comment("First").is_some()).await;
    let late = fixture.remote.user("late");
    late.deliver(fixture.inbox(), &late.create(&reply)).await;
    fixture.await_page(&article, "a reply to it", |page| page.comment("Second").is_some()).await;
}
