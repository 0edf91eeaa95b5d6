//! What is signed badly is refused at once and changes nothing (A of what the server must stand).

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::both_databases;
use crate::end_to_end::total_items;
use crate::support::activities::id_of;
use crate::support::keys::{ED25519_MULTIBASE, ED25519_PEM, sign_ed25519};
use crate::support::signature::{SignatureScheme, http_date, sha256};
use crate::support::signed_request::{SignedRequest, UnsignedRequest};
use crate::support::{Database, Fixture, eventually, now, weak_keys};

both_databases!(
    a1_a_body_swapped_under_a_valid_signature,
    a2_a_digest_that_is_absent_unsigned_weak_or_not_alone,
    a3_the_request_target_unsigned,
    a4_the_host_unsigned,
    a5_signed_for_another_host,
    a6_the_signed_path_is_not_the_sent_path,
    a7_a_date_that_is_old_ahead_missing_or_no_date,
    a8_a_signature_that_is_doubled_empty_or_flipped,
    a8_a_key_that_is_too_short_or_too_long,
    both_forms_are_taken_where_they_are_right,
    other_algorithms_and_longer_digests_are_taken,
    a_multikey_is_a_key_like_others,
    of_several_signatures_one_counts_and_only_as_what_it_is,
    what_is_no_activity_is_malformed,
    a9_a_replayed_follow_does_not_undo_the_undo,
    a9_a_replay_is_answered_like_the_first_time,
    a10_a_replay_after_a_restart_has_no_second_effect,
);

/// A Follow by alice, which nothing may come of.
fn follow_request(fixture: &Fixture, scheme: SignatureScheme) -> UnsignedRequest {
    fixture.alice.unsigned_request(scheme, fixture.inbox(), &fixture.alice.follow(fixture.actor()))
}

/// Sends each and demands a refusal; then nothing has come of any of them, and a good one is taken.
async fn assert_refused(fixture: &Fixture, cases: Vec<(&str, SignedRequest)>) {
    for (name, request) in cases {
        let response = request.post(&fixture.network.client).await;
        assert!(response.is_refusal(), "{name}: {} {}", response.status, response.body);
    }
    fixture.settle().await;
    let followed =
        fixture.remote.received().into_iter().any(|r| r.activity["object"]["actor"] == fixture.alice.id());
    assert!(!followed, "a refused Follow was accepted");
    fixture.follow(&fixture.alice).await;
}

async fn a1_a_body_swapped_under_a_valid_signature(database: Database) {
    let fixture = Fixture::new(database).await;
    let mut cases = Vec::new();
    for scheme in SignatureScheme::BOTH {
        let mut swapped = follow_request(&fixture, scheme).sign();
        swapped.body = fixture.alice.follow(fixture.actor()).to_string().into_bytes();
        cases.push(("the body alone", swapped));
        let mut swapped = follow_request(&fixture, scheme).sign();
        swapped.body = fixture.alice.follow(fixture.actor()).to_string().into_bytes();
        let digest = sha256(&swapped.body);
        match scheme {
            SignatureScheme::Cavage => swapped.set("digest", &format!("SHA-256={digest}")),
            SignatureScheme::Rfc9421 => swapped.set("content-digest", &format!("sha-256=:{digest}:")),
        }
        cases.push(("the body and its digest", swapped));
    }
    assert_refused(&fixture, cases).await;
}

async fn a2_a_digest_that_is_absent_unsigned_weak_or_not_alone(database: Database) {
    let fixture = Fixture::new(database).await;
    let mut cases = Vec::new();
    for (scheme, name, other) in [
        (SignatureScheme::Cavage, "digest", "SHA-256=AAAA"),
        (SignatureScheme::Rfc9421, "content-digest", "sha-256=:AAAA:"),
    ] {
        let mut absent = follow_request(&fixture, scheme).sign();
        absent.remove(name);
        cases.push(("absent", absent));
        let mut unsigned = follow_request(&fixture, scheme);
        unsigned.covered.retain(|covered| *covered != name);
        cases.push(("unsigned", unsigned.sign()));
        let mut gone = unsigned.sign();
        gone.remove(name);
        cases.push(("unsigned and absent", gone));
        let mut several = follow_request(&fixture, scheme).sign();
        several.add(name, other);
        cases.push(("several", several));
    }
    let mut weak = follow_request(&fixture, SignatureScheme::Cavage).sign();
    weak.set("digest", "MD5=1B2M2Y8AsgTpgAmY7PhCfg==");
    cases.push(("MD5 alone", weak));
    let mut weak = follow_request(&fixture, SignatureScheme::Rfc9421).sign();
    weak.set("content-digest", "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:");
    cases.push(("MD5 alone", weak));
    assert_refused(&fixture, cases).await;
}

async fn a3_the_request_target_unsigned(database: Database) {
    let fixture = Fixture::new(database).await;
    let mut cavage = follow_request(&fixture, SignatureScheme::Cavage);
    cavage.covered.retain(|name| *name != "(request-target)");
    let mut target = follow_request(&fixture, SignatureScheme::Rfc9421);
    target.covered.retain(|name| *name != "@target-uri");
    let mut method = follow_request(&fixture, SignatureScheme::Rfc9421);
    method.covered.retain(|name| *name != "@method");
    let cases = vec![("cavage", cavage.sign()), ("target", target.sign()), ("method", method.sign())];
    assert_refused(&fixture, cases).await;
}

async fn a4_the_host_unsigned(database: Database) {
    let fixture = Fixture::new(database).await;
    let mut cavage = follow_request(&fixture, SignatureScheme::Cavage);
    cavage.covered.retain(|name| *name != "host");
    let mut path = follow_request(&fixture, SignatureScheme::Rfc9421);
    path.covered = vec!["@method", "@path", "content-digest"];
    assert_refused(&fixture, vec![("cavage", cavage.sign()), ("RFC 9421", path.sign())]).await;
}

async fn a5_signed_for_another_host(database: Database) {
    let fixture = Fixture::new(database).await;
    let mut said = follow_request(&fixture, SignatureScheme::Cavage);
    "other.test".clone_into(&mut said.host);
    let mut hidden = said.clone();
    hidden.body = fixture.alice.follow(fixture.actor()).to_string().into_bytes();
    let mut hidden = hidden.sign();
    hidden.set("host", "marquee.test");
    let mut uri = follow_request(&fixture, SignatureScheme::Rfc9421);
    uri.target_uri = uri.target_uri.replace("marquee.test", "other.test");
    let cases = vec![("as said", said.sign()), ("hidden", hidden), ("RFC 9421", uri.sign())];
    assert_refused(&fixture, cases).await;
}

async fn a6_the_signed_path_is_not_the_sent_path(database: Database) {
    let fixture = Fixture::new(database).await;
    let mut cavage = follow_request(&fixture, SignatureScheme::Cavage);
    "/ap/elsewhere".clone_into(&mut cavage.target);
    let mut uri = follow_request(&fixture, SignatureScheme::Rfc9421);
    "https://marquee.test/ap/elsewhere".clone_into(&mut uri.target_uri);
    assert_refused(&fixture, vec![("cavage", cavage.sign()), ("RFC 9421", uri.sign())]).await;
}

async fn a7_a_date_that_is_old_ahead_missing_or_no_date(database: Database) {
    let fixture = Fixture::new(database).await;
    let mut cases = Vec::new();
    for scheme in SignatureScheme::BOTH {
        for (name, moment) in [
            ("thirteen hours old", now() - SignedDuration::from_hours(13)),
            ("two hours ahead", now() + SignedDuration::from_hours(2)),
            ("ten days ahead", now() + SignedDuration::from_hours(240)),
        ] {
            let mut request = follow_request(&fixture, scheme);
            request.date = moment;
            cases.push((name, request.sign()));
        }
    }
    let mut missing = follow_request(&fixture, SignatureScheme::Cavage).sign();
    missing.remove("date");
    cases.push(("missing", missing));
    let mut unsigned = follow_request(&fixture, SignatureScheme::Cavage);
    unsigned.covered.retain(|name| *name != "date");
    cases.push(("unsigned", unsigned.sign()));
    let mut no_date = follow_request(&fixture, SignatureScheme::Cavage).sign();
    no_date.set("date", "the day before yesterday");
    cases.push(("no date", no_date));
    let mut other = follow_request(&fixture, SignatureScheme::Cavage).sign();
    other.set("date", &http_date(now() - SignedDuration::from_secs(1)));
    cases.push(("another date than the signed one", other));
    let mut undated = follow_request(&fixture, SignatureScheme::Rfc9421).sign();
    let input = undated.get("signature-input").replace(";created=", ";created=x");
    undated.set("signature-input", &input);
    cases.push(("created is no number", undated));
    let mut expired = follow_request(&fixture, SignatureScheme::Rfc9421).sign();
    let input = expired_input(&expired);
    expired.set("signature-input", &input);
    cases.push(("expired, and not signed so", expired));
    let mut uncreated = follow_request(&fixture, SignatureScheme::Rfc9421);
    uncreated.has_created = false;
    cases.push(("without created", uncreated.sign()));
    assert_refused(&fixture, cases).await;
}

/// The same `Signature-Input`, expired long ago.
fn expired_input(request: &SignedRequest) -> String {
    request.get("signature-input").replace(";keyid=", ";expires=1;keyid=")
}

async fn a8_a_signature_that_is_doubled_empty_or_flipped(database: Database) {
    let fixture = Fixture::new(database).await;
    let doubled = |scheme, name| {
        let mut doubled = follow_request(&fixture, scheme).sign();
        let value = doubled.get(name);
        doubled.add(name, &value);
        doubled
    };
    let mut empty = follow_request(&fixture, SignatureScheme::Cavage);
    empty.covered.clear();
    let mut cases = vec![("headers is empty", empty.sign())];
    for (scheme, name) in [
        (SignatureScheme::Cavage, "signature"),
        (SignatureScheme::Rfc9421, "signature"),
        (SignatureScheme::Rfc9421, "signature-input"),
    ] {
        cases.push(("doubled", doubled(scheme, name)));
    }
    let mut uncovered = follow_request(&fixture, SignatureScheme::Rfc9421);
    uncovered.covered.clear();
    cases.push(("nothing is covered", uncovered.sign()));
    for scheme in SignatureScheme::BOTH {
        // A bit of the last whole group of four: well-formed base 64 of the same length.
        let mut flipped = follow_request(&fixture, scheme).sign();
        let signature = flipped.get("signature");
        let at = signature.len() - 12;
        let other = if &signature[at..=at] == "A" { "B" } else { "A" };
        let signature = format!("{}{other}{}", &signature[..at], &signature[at + 1..]);
        flipped.set("signature", &signature);
        cases.push(("flipped", flipped));
        let mut absent = follow_request(&fixture, scheme).sign();
        absent.remove("signature");
        cases.push(("absent", absent));
    }
    assert_refused(&fixture, cases).await;
}

async fn a8_a_key_that_is_too_short_or_too_long(database: Database) {
    let fixture = Fixture::new(database).await;
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
            let response = request.post(&fixture.network.client).await;
            assert!(response.is_refusal() || response.status == 431, "{name}: {}", response.status);
        }
    }
    assert_refused(&fixture, Vec::new()).await;
}

/// What cavage and RFC 9421 both have to offer is taken.
async fn both_forms_are_taken_where_they_are_right(database: Database) {
    let fixture = Fixture::new(database).await;
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
    assert!(request.post(&fixture.network.client).await.is_success(), "hs2019 names the same");
    fixture.await_accept(&user, &follow).await;
}

/// A signed Follow, and the Undo of it after it was accepted.
async fn follow_and_leave(fixture: &Fixture, scheme: SignatureScheme) -> SignedRequest {
    let follow = fixture.alice.follow(fixture.actor());
    let sealed = fixture.alice.unsigned_request(scheme, fixture.inbox(), &follow).sign();
    assert!(sealed.post(&fixture.network.client).await.is_success());
    fixture.await_accept(&fixture.alice, &follow).await;
    fixture.alice.deliver(fixture.inbox(), &fixture.alice.undo(&follow)).await;
    await_followers(fixture, 0).await;
    sealed
}

async fn await_followers(fixture: &Fixture, count: u64) {
    eventually(&format!("{count} followers"), || async {
        (total_items(fixture, &fixture.critic["followers"]).await == count).then_some(())
    })
    .await;
}

async fn a9_a_replayed_follow_does_not_undo_the_undo(database: Database) {
    let fixture = Fixture::new(database).await;
    for scheme in SignatureScheme::BOTH {
        let sealed = follow_and_leave(&fixture, scheme).await;
        for _ in 0..3 {
            let response = sealed.post(&fixture.network.client).await;
            assert!(response.is_success(), "a replay is no reason to complain: {}", response.status);
        }
        fixture.settle().await;
        await_followers(&fixture, 0).await;
    }
}

async fn a9_a_replay_is_answered_like_the_first_time(database: Database) {
    let fixture = Fixture::new(database).await;
    let article = fixture.publish("The Night Ferry").await;
    let note = fixture.alice.reply(id_of(&article), "<p>Said once</p>");
    for scheme in SignatureScheme::BOTH {
        let sealed =
            fixture.alice.unsigned_request(scheme, fixture.inbox(), &fixture.alice.create(&note)).sign();
        let first = sealed.post(&fixture.network.client).await;
        let second = sealed.post(&fixture.network.client).await;
        assert!(first.is_success() && second.is_success(), "{} {}", first.status, second.status);
    }
    fixture.settle().await;
    let page = fixture.page(&article).await;
    assert_eq!(page.comments.iter().filter(|c| c.text.contains("Said once")).count(), 1);
}

async fn a10_a_replay_after_a_restart_has_no_second_effect(database: Database) {
    let mut fixture = Fixture::new(database).await;
    let mut all = Vec::new();
    for scheme in SignatureScheme::BOTH {
        all.push(follow_and_leave(&fixture, scheme).await);
    }
    fixture.app.restart().await;
    for sealed in all {
        assert!(sealed.post(&fixture.network.client).await.is_success());
    }
    fixture.settle().await;
    await_followers(&fixture, 0).await;
}

/// What is no activity at all is malformed, whoever signed it.
async fn what_is_no_activity_is_malformed(database: Database) {
    let fixture = Fixture::new(database).await;
    for body in [json!([]), json!("text"), json!({"type": 5}), Value::Null] {
        let response = fixture.alice.send(fixture.inbox(), &body).await;
        assert!(response.is_refusal(), "{body}: {}", response.status);
    }
    let mut request = follow_request(&fixture, SignatureScheme::Cavage);
    request.body = b"{\"type\":".to_vec();
    assert!(request.sign().post(&fixture.network.client).await.is_refusal());
}

/// RSASSA-PSS, and digests of 512 bits, by the actor's one RSA key.
async fn other_algorithms_and_longer_digests_are_taken(database: Database) {
    let fixture = Fixture::new(database).await;
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
        // The digest counts in this length, too.
        let mut swapped = request.sign_with(|text| user.key().sign_pss(text));
        swapped.body.push(b' ');
        assert!(swapped.post(&fixture.network.client).await.is_refusal());
    }
}

/// An Ed25519 key in `assertionMethod` (FEP-521a), beside the RSA key or in its place in `publicKey`.
async fn a_multikey_is_a_key_like_others(database: Database) {
    let fixture = Fixture::new(database).await;
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
    // One that names another as its controller is nobody's.
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
    assert!(request.sign_with(sign_ed25519).post(&fixture.network.client).await.is_refusal());
}

/// RFC 9421 allows several signatures (section 4.3): whichever counts, it proves its own signer alone.
async fn of_several_signatures_one_counts_and_only_as_what_it_is(database: Database) {
    let fixture = Fixture::new(database).await;
    let mallory = fixture.remote.user("mallory");
    let relabel = |request: &SignedRequest, label: &str| {
        let part = |name: &str| request.get(name).replacen("sig1", label, 1);
        (part("signature-input"), part("signature"))
    };
    let together = |one: (String, String), other: (String, String), request: &SignedRequest| {
        let mut both = request.clone();
        both.set("signature-input", &format!("{}, {}", one.0, other.0));
        both.set("signature", &format!("{}, {}", one.1, other.1));
        both
    };
    let of_alice = follow_request(&fixture, SignatureScheme::Rfc9421).sign();
    let mut by_mallory = follow_request(&fixture, SignatureScheme::Rfc9421);
    by_mallory.key = mallory.key();
    by_mallory.key_id = mallory.key_id();
    let by_mallory = by_mallory.sign();
    let mut forged = of_alice.clone();
    let signature = by_mallory.get("signature");
    forged.set("signature", &signature);
    let both_forms = {
        let mut both = follow_request(&fixture, SignatureScheme::Cavage).sign();
        let input = by_mallory.get("signature-input");
        both.set("signature-input", &input);
        both
    };
    let cases = vec![
        ("mallory's, good", by_mallory.clone()),
        ("mallory's first", together(relabel(&by_mallory, "a"), relabel(&of_alice, "b"), &by_mallory)),
        ("a forged one first", together(relabel(&forged, "a"), relabel(&by_mallory, "b"), &by_mallory)),
        ("one label twice", together(relabel(&of_alice, "a"), relabel(&by_mallory, "a"), &of_alice)),
        ("cavage in RFC 9421's clothes", both_forms),
    ];
    assert_refused(&fixture, cases).await;
    // What a proxy added, and what cannot be one for us, is passed over.
    let bo = fixture.remote.user("bo");
    let follow = bo.follow(fixture.actor());
    let sealed = bo.unsigned_request(SignatureScheme::Rfc9421, fixture.inbox(), &follow).sign();
    let proxy = ("proxy=(\"@method\");created=1;keyid=\"proxy\"".to_owned(), "proxy=:AAAA:".to_owned());
    let response = together(proxy, relabel(&sealed, "b"), &sealed).post(&fixture.network.client).await;
    assert!(response.is_success(), "{}: {}", response.status, response.body);
    fixture.await_accept(&bo, &follow).await;
}
