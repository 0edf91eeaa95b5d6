//! Requests with invalid signatures are rejected at once and change nothing (A in `docs/threats.md`).

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::both_databases;
use crate::end_to_end::total_items;
use crate::steps;
use crate::support::activities::id_of;
use crate::support::keys::{ED25519_MULTIBASE, ED25519_PEM, sign_ed25519};
use crate::support::signature::{SignatureScheme, http_date, sha256};
use crate::support::signed_request::{SignedRequest, UnsignedRequest};
use crate::support::{Database, Fixture, eventually, now, weak_keys};

both_databases!(
    a_request_with_a_bad_signature_is_rejected_and_changes_nothing,
    every_valid_signature_is_accepted,
    a_replay_has_no_second_effect,
);

/// Requests that must be rejected, each with a description.
type Cases = Vec<(&'static str, SignedRequest)>;

/// Creates the requests of an attack.
type Attack = fn(&Fixture) -> Cases;

async fn a_request_with_a_bad_signature_is_rejected_and_changes_nothing(database: Database) {
    let fixture = Fixture::new(database).await;
    let attacks: [(&str, Attack); 10] = [
        ("a1", a1_a_body_swapped_under_a_valid_signature),
        ("a2", a2_a_digest_that_is_missing_unsigned_weak_or_repeated),
        ("a3", a3_an_unsigned_request_target),
        ("a4", a4_an_unsigned_host),
        ("a5", a5_a_signature_for_another_host),
        ("a6", a6_a_signed_path_that_is_not_the_path_of_the_request),
        ("a7", a7_a_date_that_is_old_in_the_future_missing_or_invalid),
        ("a8", a8_a_signature_that_is_repeated_empty_or_changed),
        ("a8", a8_a_key_that_is_too_short_or_too_long),
        ("several signatures", several_signatures_of_which_one_is_not_the_actors),
    ];
    for (attack, cases) in attacks {
        for (case, request) in cases(&fixture) {
            let response = request.post(&fixture.network.client).await;
            // A key of 64 kbit makes the headers too large.
            let is_rejected = response.is_rejection() || response.status == 431;
            assert!(is_rejected, "{attack}, {case}: {} {}", response.status, response.body);
        }
    }
    fixture.settle().await;
    let activities = fixture.remote.received().into_iter().map(|received| received.activity);
    let accepted: Vec<_> = activities.filter(|a| a["object"]["actor"] == fixture.alice.id()).collect();
    assert!(accepted.is_empty(), "a rejected Follow had an effect: {accepted:?}");
    fixture.follow(&fixture.alice).await;
}

async fn every_valid_signature_is_accepted(database: Database) {
    let fixture = Fixture::new(database).await;
    steps!(&fixture;
        both_schemes_are_accepted,
        other_algorithms_and_longer_digests_are_accepted,
        a_multikey_is_accepted,
        a_signature_of_a_proxy_is_ignored,
        a_body_that_is_not_an_activity_is_malformed,
    );
}

async fn a_replay_has_no_second_effect(database: Database) {
    let mut fixture = Fixture::new(database).await;
    steps!(&fixture; a9_a_replayed_follow_does_not_undo_the_undo, a9_a_replay_gets_the_same_response);
    steps!(&mut fixture; a10_a_replay_after_a_restart_has_no_second_effect);
}

/// A Follow by alice, which must have no effect.
fn follow_request(fixture: &Fixture, scheme: SignatureScheme) -> UnsignedRequest {
    fixture.alice.unsigned_request(scheme, fixture.inbox(), &fixture.alice.follow(fixture.actor()))
}

fn a1_a_body_swapped_under_a_valid_signature(fixture: &Fixture) -> Cases {
    let mut cases = Vec::new();
    for scheme in SignatureScheme::BOTH {
        let mut swapped = follow_request(fixture, scheme).sign();
        swapped.body = fixture.alice.follow(fixture.actor()).to_string().into_bytes();
        cases.push(("only the body", swapped));
        let mut swapped = follow_request(fixture, scheme).sign();
        swapped.body = fixture.alice.follow(fixture.actor()).to_string().into_bytes();
        let digest = sha256(&swapped.body);
        match scheme {
            SignatureScheme::Cavage => swapped.set("digest", &format!("SHA-256={digest}")),
            SignatureScheme::Rfc9421 => swapped.set("content-digest", &format!("sha-256=:{digest}:")),
        }
        cases.push(("the body and its digest", swapped));
    }
    cases
}

fn a2_a_digest_that_is_missing_unsigned_weak_or_repeated(fixture: &Fixture) -> Cases {
    let mut cases = Vec::new();
    for (scheme, name, other) in [
        (SignatureScheme::Cavage, "digest", "SHA-256=AAAA"),
        (SignatureScheme::Rfc9421, "content-digest", "sha-256=:AAAA:"),
    ] {
        let mut absent = follow_request(fixture, scheme).sign();
        absent.remove(name);
        cases.push(("missing", absent));
        let mut unsigned = follow_request(fixture, scheme);
        unsigned.covered.retain(|covered| *covered != name);
        cases.push(("unsigned", unsigned.sign()));
        let mut missing = unsigned.sign();
        missing.remove(name);
        cases.push(("unsigned and missing", missing));
        let mut several = follow_request(fixture, scheme).sign();
        several.add(name, other);
        cases.push(("several", several));
    }
    let mut weak = follow_request(fixture, SignatureScheme::Cavage).sign();
    weak.set("digest", "MD5=1B2M2Y8AsgTpgAmY7PhCfg==");
    cases.push(("only MD5", weak));
    let mut weak = follow_request(fixture, SignatureScheme::Rfc9421).sign();
    weak.set("content-digest", "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:");
    cases.push(("only MD5", weak));
    cases
}

fn a3_an_unsigned_request_target(fixture: &Fixture) -> Cases {
    let mut cavage = follow_request(fixture, SignatureScheme::Cavage);
    cavage.covered.retain(|name| *name != "(request-target)");
    let mut target = follow_request(fixture, SignatureScheme::Rfc9421);
    target.covered.retain(|name| *name != "@target-uri");
    let mut method = follow_request(fixture, SignatureScheme::Rfc9421);
    method.covered.retain(|name| *name != "@method");
    let cases = vec![("cavage", cavage.sign()), ("target", target.sign()), ("method", method.sign())];
    cases
}

fn a4_an_unsigned_host(fixture: &Fixture) -> Cases {
    let mut cavage = follow_request(fixture, SignatureScheme::Cavage);
    cavage.covered.retain(|name| *name != "host");
    let mut path = follow_request(fixture, SignatureScheme::Rfc9421);
    path.covered = vec!["@method", "@path", "content-digest"];
    vec![("cavage", cavage.sign()), ("RFC 9421", path.sign())]
}

fn a5_a_signature_for_another_host(fixture: &Fixture) -> Cases {
    let mut other_host = follow_request(fixture, SignatureScheme::Cavage);
    "other.test".clone_into(&mut other_host.host);
    let mut hidden = other_host.clone();
    hidden.body = fixture.alice.follow(fixture.actor()).to_string().into_bytes();
    let mut hidden = hidden.sign();
    hidden.set("host", "marquee.test");
    let mut uri = follow_request(fixture, SignatureScheme::Rfc9421);
    uri.target_uri = uri.target_uri.replace("marquee.test", "other.test");
    let cases = vec![
        ("Host of the signature", other_host.sign()),
        ("Host of the request", hidden),
        ("RFC 9421", uri.sign()),
    ];
    cases
}

fn a6_a_signed_path_that_is_not_the_path_of_the_request(fixture: &Fixture) -> Cases {
    let mut cavage = follow_request(fixture, SignatureScheme::Cavage);
    "/ap/elsewhere".clone_into(&mut cavage.target);
    let mut uri = follow_request(fixture, SignatureScheme::Rfc9421);
    "https://marquee.test/ap/elsewhere".clone_into(&mut uri.target_uri);
    vec![("cavage", cavage.sign()), ("RFC 9421", uri.sign())]
}

fn a7_a_date_that_is_old_in_the_future_missing_or_invalid(fixture: &Fixture) -> Cases {
    let mut cases = Vec::new();
    for scheme in SignatureScheme::BOTH {
        for (name, moment) in [
            ("thirteen hours old", now() - SignedDuration::from_hours(13)),
            ("two hours ahead", now() + SignedDuration::from_hours(2)),
            ("ten days ahead", now() + SignedDuration::from_hours(240)),
        ] {
            let mut request = follow_request(fixture, scheme);
            request.date = moment;
            cases.push((name, request.sign()));
        }
    }
    let mut missing = follow_request(fixture, SignatureScheme::Cavage).sign();
    missing.remove("date");
    cases.push(("missing", missing));
    let mut unsigned = follow_request(fixture, SignatureScheme::Cavage);
    unsigned.covered.retain(|name| *name != "date");
    cases.push(("unsigned", unsigned.sign()));
    let mut no_date = follow_request(fixture, SignatureScheme::Cavage).sign();
    no_date.set("date", "the day before yesterday");
    cases.push(("not a date", no_date));
    let mut other = follow_request(fixture, SignatureScheme::Cavage).sign();
    other.set("date", &http_date(now() - SignedDuration::from_secs(1)));
    cases.push(("another date than the signed one", other));
    let mut undated = follow_request(fixture, SignatureScheme::Rfc9421).sign();
    let input = undated.get("signature-input").replace(";created=", ";created=x");
    undated.set("signature-input", &input);
    cases.push(("created is not a number", undated));
    let mut expired = follow_request(fixture, SignatureScheme::Rfc9421).sign();
    let input = expired_input(&expired);
    expired.set("signature-input", &input);
    cases.push(("expires is not signed", expired));
    let mut uncreated = follow_request(fixture, SignatureScheme::Rfc9421);
    uncreated.has_created = false;
    cases.push(("without created", uncreated.sign()));
    cases
}

/// The same `Signature-Input`, expired long ago.
fn expired_input(request: &SignedRequest) -> String {
    request.get("signature-input").replace(";keyid=", ";expires=1;keyid=")
}

fn a8_a_signature_that_is_repeated_empty_or_changed(fixture: &Fixture) -> Cases {
    let repeated = |scheme, name| {
        let mut request = follow_request(fixture, scheme).sign();
        let value = request.get(name);
        request.add(name, &value);
        request
    };
    let mut empty = follow_request(fixture, SignatureScheme::Cavage);
    empty.covered.clear();
    let mut cases = vec![("headers is empty", empty.sign())];
    for (scheme, name) in [
        (SignatureScheme::Cavage, "signature"),
        (SignatureScheme::Rfc9421, "signature"),
        (SignatureScheme::Rfc9421, "signature-input"),
    ] {
        cases.push(("repeated", repeated(scheme, name)));
    }
    let mut uncovered = follow_request(fixture, SignatureScheme::Rfc9421);
    uncovered.covered.clear();
    cases.push(("nothing is covered", uncovered.sign()));
    for scheme in SignatureScheme::BOTH {
        // Changes a character of the last complete group of four: still valid Base64 of the same length.
        let mut flipped = follow_request(fixture, scheme).sign();
        let signature = flipped.get("signature");
        let at = signature.len() - 12;
        let other = if &signature[at..=at] == "A" { "B" } else { "A" };
        let signature = format!("{}{other}{}", &signature[..at], &signature[at + 1..]);
        flipped.set("signature", &signature);
        cases.push(("flipped", flipped));
        let mut absent = follow_request(fixture, scheme).sign();
        absent.remove("signature");
        cases.push(("missing", absent));
    }
    cases
}

fn a8_a_key_that_is_too_short_or_too_long(fixture: &Fixture) -> Cases {
    let mut cases = Vec::new();
    for (name, pem) in [("short", weak_keys::RSA_512.to_owned()), ("long", weak_keys::rsa_65536())] {
        let mallory = fixture.remote.user(name);
        let mut actor = mallory.actor();
        actor["publicKey"]["publicKeyPem"] = json!(pem);
        mallory.serve_actor(&actor);
        for scheme in SignatureScheme::BOTH {
            let request = mallory.unsigned_request(scheme, fixture.inbox(), &mallory.follow(fixture.actor()));
            let request = match name {
                "short" => request.sign_with(weak_keys::sign_with_rsa_512),
                _ => request.sign_with(|_| vec![0x17; 8192]),
            };
            cases.push((name, request));
        }
    }
    cases
}

async fn both_schemes_are_accepted(fixture: &Fixture) {
    for (scheme, name) in [(SignatureScheme::Cavage, "cara"), (SignatureScheme::Rfc9421, "rhea")] {
        let user = fixture.remote.user(name);
        let follow = user.follow(fixture.actor());
        let response = user
            .unsigned_request(scheme, fixture.inbox(), &follow)
            .sign()
            .post(&fixture.network.client)
            .await;
        assert!(response.is_success(), "{scheme:?}: {} {}", response.status, response.body);
        fixture.await_accept(&user, &follow).await;
    }
    let user = fixture.remote.user("hester");
    let follow = user.follow(fixture.actor());
    let mut request = user.unsigned_request(SignatureScheme::Cavage, fixture.shared_inbox(), &follow).sign();
    let signature = request.get("signature").replace("rsa-sha256", "hs2019");
    request.set("signature", &signature);
    assert!(
        request.post(&fixture.network.client).await.is_success(),
        "hs2019 means the algorithm of the key"
    );
    fixture.await_accept(&user, &follow).await;
}

/// Follows and unfollows. Returns the signed Follow.
async fn follow_and_leave(fixture: &Fixture, scheme: SignatureScheme) -> SignedRequest {
    let follow = fixture.alice.follow(fixture.actor());
    let signed = fixture.alice.unsigned_request(scheme, fixture.inbox(), &follow).sign();
    assert!(signed.post(&fixture.network.client).await.is_success());
    fixture.await_accept(&fixture.alice, &follow).await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.undo(&follow)).await;
    await_followers(fixture, 0).await;
    signed
}

async fn await_followers(fixture: &Fixture, count: u64) {
    eventually(&format!("{count} followers"), || async {
        (total_items(fixture, &fixture.critic["followers"]).await == count).then_some(())
    })
    .await;
}

async fn a9_a_replayed_follow_does_not_undo_the_undo(fixture: &Fixture) {
    for scheme in SignatureScheme::BOTH {
        let signed = follow_and_leave(fixture, scheme).await;
        for _ in 0..3 {
            let response = signed.post(&fixture.network.client).await;
            assert!(response.is_success(), "a replay gets 2xx: {}", response.status);
        }
        fixture.settle().await;
        await_followers(fixture, 0).await;
    }
}

async fn a9_a_replay_gets_the_same_response(fixture: &Fixture) {
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.alice.reply(id_of(&article), "<p>Said once</p>");
    for scheme in SignatureScheme::BOTH {
        let signed =
            fixture.alice.unsigned_request(scheme, fixture.inbox(), &fixture.alice.create(&note)).sign();
        let first = signed.post(&fixture.network.client).await;
        let second = signed.post(&fixture.network.client).await;
        assert!(first.is_success() && second.is_success(), "{} {}", first.status, second.status);
    }
    fixture.settle().await;
    let page = fixture.page(&article).await;
    assert_eq!(page.comments.iter().filter(|c| c.text.contains("Said once")).count(), 1);
}

async fn a10_a_replay_after_a_restart_has_no_second_effect(fixture: &mut Fixture) {
    let mut all = Vec::new();
    for scheme in SignatureScheme::BOTH {
        all.push(follow_and_leave(fixture, scheme).await);
    }
    fixture.app.restart().await;
    for signed in all {
        assert!(signed.post(&fixture.network.client).await.is_success());
    }
    fixture.settle().await;
    await_followers(fixture, 0).await;
}

/// A body that is not an activity is malformed even if it is signed.
async fn a_body_that_is_not_an_activity_is_malformed(fixture: &Fixture) {
    for body in [json!([]), json!("text"), json!({"type": 5}), Value::Null] {
        let response = fixture.alice.send(fixture.inbox(), &body).await;
        assert!(response.is_rejection(), "{body}: {}", response.status);
    }
    let mut request = follow_request(fixture, SignatureScheme::Cavage);
    request.body = b"{\"type\":".to_vec();
    assert!(request.sign().post(&fixture.network.client).await.is_rejection());
}

/// RSASSA-PSS, and digests of 512 bits, by the actor's one RSA key.
async fn other_algorithms_and_longer_digests_are_accepted(fixture: &Fixture) {
    for (scheme, algorithm) in
        [(SignatureScheme::Cavage, "hs2019"), (SignatureScheme::Rfc9421, "rsa-pss-sha512")]
    {
        let user = fixture.remote.user(&format!("pia{}", algorithm.len()));
        let follow = user.follow(fixture.actor());
        let mut request = user.unsigned_request(scheme, fixture.inbox(), &follow);
        request.algorithm = algorithm;
        request.has_long_digest = true;
        let response =
            request.sign_with(|text| user.key().sign_pss(text)).post(&fixture.network.client).await;
        assert!(response.is_success(), "{algorithm}: {} {}", response.status, response.body);
        fixture.await_accept(&user, &follow).await;
        // SHA-512 digests are verified.
        let mut swapped = request.sign_with(|text| user.key().sign_pss(text));
        swapped.body.push(b' ');
        assert!(swapped.post(&fixture.network.client).await.is_rejection());
    }
}

/// An Ed25519 key, in `assertionMethod` (FEP-521a) next to an RSA key, or in `publicKey`.
async fn a_multikey_is_accepted(fixture: &Fixture) {
    let (modern, plain) = (fixture.remote.user("modern"), fixture.remote.user("plain"));
    let key_id = format!("{}#ed25519-key", modern.id());
    let mut actor = modern.actor();
    actor["assertionMethod"] = json!([{
        "id": key_id, "type": "Multikey", "controller": modern.id(), "publicKeyMultibase": ED25519_MULTIBASE,
    }]);
    modern.serve_actor(&actor);
    let mut actor = plain.actor();
    actor["publicKey"]["publicKeyPem"] = json!(ED25519_PEM);
    plain.serve_actor(&actor);
    for (user, key_id) in [(&modern, key_id), (&plain, plain.key_id())] {
        for (scheme, algorithm) in
            [(SignatureScheme::Rfc9421, "ed25519"), (SignatureScheme::Cavage, "hs2019")]
        {
            let follow = user.follow(fixture.actor());
            let mut request = user.unsigned_request(scheme, fixture.inbox(), &follow);
            key_id.clone_into(&mut request.key_id);
            request.algorithm = algorithm;
            let response = request.sign_with(sign_ed25519).post(&fixture.network.client).await;
            assert!(response.is_success(), "{algorithm}: {} {}", response.status, response.body);
            fixture.await_accept(user, &follow).await;
        }
    }
    // A key whose controller is another actor is not valid for either.
    let thief = fixture.remote.user("thief");
    let key_id = format!("{}#ed25519-key", thief.id());
    let mut actor = thief.actor();
    actor["assertionMethod"] = json!({
        "id": key_id, "type": "Multikey", "controller": plain.id(), "publicKeyMultibase": ED25519_MULTIBASE,
    });
    thief.serve_actor(&actor);
    let mut request =
        thief.unsigned_request(SignatureScheme::Rfc9421, fixture.inbox(), &thief.follow(fixture.actor()));
    request.key_id = key_id;
    request.algorithm = "ed25519";
    assert!(request.sign_with(sign_ed25519).post(&fixture.network.client).await.is_rejection());
}

/// Returns the signature of a request under another label.
fn relabel(request: &SignedRequest, label: &str) -> (String, String) {
    let part = |name: &str| request.get(name).replacen("sig1", label, 1);
    (part("signature-input"), part("signature"))
}

/// Adds two signatures to a request.
fn with_both(one: &(String, String), other: &(String, String), request: &SignedRequest) -> SignedRequest {
    let mut both = request.clone();
    both.set("signature-input", &format!("{}, {}", one.0, other.0));
    both.set("signature", &format!("{}, {}", one.1, other.1));
    both
}

/// RFC 9421 allows several signatures (section 4.3). Each of them is valid only for its own signer.
fn several_signatures_of_which_one_is_not_the_actors(fixture: &Fixture) -> Cases {
    let mallory = fixture.remote.user("mallory");
    let by_alice = follow_request(fixture, SignatureScheme::Rfc9421).sign();
    let mut by_mallory = follow_request(fixture, SignatureScheme::Rfc9421);
    by_mallory.key = mallory.key();
    by_mallory.key_id = mallory.key_id();
    let by_mallory = by_mallory.sign();
    let mut forged = by_alice.clone();
    let signature = by_mallory.get("signature");
    forged.set("signature", &signature);
    let both_schemes = {
        let mut both = follow_request(fixture, SignatureScheme::Cavage).sign();
        let input = by_mallory.get("signature-input");
        both.set("signature-input", &input);
        both
    };
    let [alice_a, alice_b] = ["a", "b"].map(|label| relabel(&by_alice, label));
    let [mallory_a, mallory_b] = ["a", "b"].map(|label| relabel(&by_mallory, label));
    vec![
        ("mallory's valid signature", by_mallory.clone()),
        ("mallory's first", with_both(&mallory_a, &alice_b, &by_mallory)),
        ("a forged one first", with_both(&relabel(&forged, "a"), &mallory_b, &by_mallory)),
        ("the same label twice", with_both(&alice_a, &mallory_a, &by_alice)),
        ("a cavage signature with the parameters of RFC 9421", both_schemes),
    ]
}

async fn a_signature_of_a_proxy_is_ignored(fixture: &Fixture) {
    let bo = fixture.remote.user("bo");
    let follow = bo.follow(fixture.actor());
    let signed = bo.unsigned_request(SignatureScheme::Rfc9421, fixture.inbox(), &follow).sign();
    let proxy = ("proxy=(\"@method\");created=1;keyid=\"proxy\"".to_owned(), "proxy=:AAAA:".to_owned());
    let response = with_both(&proxy, &relabel(&signed, "b"), &signed).post(&fixture.network.client).await;
    assert!(response.is_success(), "{}: {}", response.status, response.body);
    fixture.await_accept(&bo, &follow).await;
}
