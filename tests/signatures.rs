//! What is signed badly is refused at once and changes nothing (A of what the server must stand).

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::both_databases;
use crate::course::total;
use crate::support::keys::{ED25519_MULTIBASE, ED25519_PEM, sign_ed25519};
use crate::support::letter::{Envelope, Letter};
use crate::support::shapes::id_of;
use crate::support::signature::{Form, http_date, sha256};
use crate::support::{Database, Stage, eventually, now, weak};

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
fn letter(stage: &Stage, form: Form) -> Letter {
    stage.alice.letter(form, stage.inbox(), &stage.alice.follow(stage.actor()))
}

/// Sends each and demands a refusal; then nothing has come of any of them, and a good one is taken.
async fn assert_refused(stage: &Stage, cases: Vec<(&str, Envelope)>) {
    for (name, envelope) in cases {
        let answer = envelope.post(&stage.world.client).await;
        assert!(answer.is_refusal(), "{name}: {} {}", answer.status, answer.body);
    }
    stage.settle().await;
    let followed =
        stage.remote.received().into_iter().any(|r| r.activity["object"]["actor"] == stage.alice.id());
    assert!(!followed, "a refused Follow was accepted");
    stage.follow(&stage.alice).await;
}

async fn a1_a_body_swapped_under_a_valid_signature(database: Database) {
    let stage = Stage::new(database).await;
    let mut cases = Vec::new();
    for form in Form::BOTH {
        let mut swapped = letter(&stage, form).seal();
        swapped.body = stage.alice.follow(stage.actor()).to_string().into_bytes();
        cases.push(("the body alone", swapped));
        let mut swapped = letter(&stage, form).seal();
        swapped.body = stage.alice.follow(stage.actor()).to_string().into_bytes();
        let digest = sha256(&swapped.body);
        match form {
            Form::Cavage => swapped.set("digest", &format!("SHA-256={digest}")),
            Form::Rfc9421 => swapped.set("content-digest", &format!("sha-256=:{digest}:")),
        }
        cases.push(("the body and its digest", swapped));
    }
    assert_refused(&stage, cases).await;
}

async fn a2_a_digest_that_is_absent_unsigned_weak_or_not_alone(database: Database) {
    let stage = Stage::new(database).await;
    let mut cases = Vec::new();
    for (form, name, other) in
        [(Form::Cavage, "digest", "SHA-256=AAAA"), (Form::Rfc9421, "content-digest", "sha-256=:AAAA:")]
    {
        let mut absent = letter(&stage, form).seal();
        absent.remove(name);
        cases.push(("absent", absent));
        let mut unsigned = letter(&stage, form);
        unsigned.covered.retain(|covered| *covered != name);
        cases.push(("unsigned", unsigned.seal()));
        let mut gone = unsigned.seal();
        gone.remove(name);
        cases.push(("unsigned and absent", gone));
        let mut several = letter(&stage, form).seal();
        several.add(name, other);
        cases.push(("several", several));
    }
    let mut weak = letter(&stage, Form::Cavage).seal();
    weak.set("digest", "MD5=1B2M2Y8AsgTpgAmY7PhCfg==");
    cases.push(("MD5 alone", weak));
    let mut weak = letter(&stage, Form::Rfc9421).seal();
    weak.set("content-digest", "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:");
    cases.push(("MD5 alone", weak));
    assert_refused(&stage, cases).await;
}

async fn a3_the_request_target_unsigned(database: Database) {
    let stage = Stage::new(database).await;
    let mut cavage = letter(&stage, Form::Cavage);
    cavage.covered.retain(|name| *name != "(request-target)");
    let mut target = letter(&stage, Form::Rfc9421);
    target.covered.retain(|name| *name != "@target-uri");
    let mut method = letter(&stage, Form::Rfc9421);
    method.covered.retain(|name| *name != "@method");
    let cases = vec![("cavage", cavage.seal()), ("target", target.seal()), ("method", method.seal())];
    assert_refused(&stage, cases).await;
}

async fn a4_the_host_unsigned(database: Database) {
    let stage = Stage::new(database).await;
    let mut cavage = letter(&stage, Form::Cavage);
    cavage.covered.retain(|name| *name != "host");
    let mut path = letter(&stage, Form::Rfc9421);
    path.covered = vec!["@method", "@path", "content-digest"];
    assert_refused(&stage, vec![("cavage", cavage.seal()), ("RFC 9421", path.seal())]).await;
}

async fn a5_signed_for_another_host(database: Database) {
    let stage = Stage::new(database).await;
    let mut said = letter(&stage, Form::Cavage);
    "other.test".clone_into(&mut said.host);
    let mut hidden = said.clone();
    hidden.body = stage.alice.follow(stage.actor()).to_string().into_bytes();
    let mut hidden = hidden.seal();
    hidden.set("host", "marquee.test");
    let mut uri = letter(&stage, Form::Rfc9421);
    uri.target_uri = uri.target_uri.replace("marquee.test", "other.test");
    let cases = vec![("as said", said.seal()), ("hidden", hidden), ("RFC 9421", uri.seal())];
    assert_refused(&stage, cases).await;
}

async fn a6_the_signed_path_is_not_the_sent_path(database: Database) {
    let stage = Stage::new(database).await;
    let mut cavage = letter(&stage, Form::Cavage);
    "/ap/elsewhere".clone_into(&mut cavage.target);
    let mut uri = letter(&stage, Form::Rfc9421);
    "https://marquee.test/ap/elsewhere".clone_into(&mut uri.target_uri);
    assert_refused(&stage, vec![("cavage", cavage.seal()), ("RFC 9421", uri.seal())]).await;
}

async fn a7_a_date_that_is_old_ahead_missing_or_no_date(database: Database) {
    let stage = Stage::new(database).await;
    let mut cases = Vec::new();
    for form in Form::BOTH {
        for (name, moment) in [
            ("thirteen hours old", now() - SignedDuration::from_hours(13)),
            ("two hours ahead", now() + SignedDuration::from_hours(2)),
            ("ten days ahead", now() + SignedDuration::from_hours(240)),
        ] {
            let mut letter = letter(&stage, form);
            letter.date = moment;
            cases.push((name, letter.seal()));
        }
    }
    let mut missing = letter(&stage, Form::Cavage).seal();
    missing.remove("date");
    cases.push(("missing", missing));
    let mut unsigned = letter(&stage, Form::Cavage);
    unsigned.covered.retain(|name| *name != "date");
    cases.push(("unsigned", unsigned.seal()));
    let mut no_date = letter(&stage, Form::Cavage).seal();
    no_date.set("date", "the day before yesterday");
    cases.push(("no date", no_date));
    let mut other = letter(&stage, Form::Cavage).seal();
    other.set("date", &http_date(now() - SignedDuration::from_secs(1)));
    cases.push(("another date than the signed one", other));
    let mut undated = letter(&stage, Form::Rfc9421).seal();
    let input = undated.get("signature-input").replace(";created=", ";created=x");
    undated.set("signature-input", &input);
    cases.push(("created is no number", undated));
    let mut expired = letter(&stage, Form::Rfc9421).seal();
    let input = expired_input(&expired);
    expired.set("signature-input", &input);
    cases.push(("expired, and not signed so", expired));
    let mut uncreated = letter(&stage, Form::Rfc9421);
    uncreated.has_created = false;
    cases.push(("without created", uncreated.seal()));
    assert_refused(&stage, cases).await;
}

/// The same `Signature-Input`, expired long ago.
fn expired_input(envelope: &Envelope) -> String {
    envelope.get("signature-input").replace(";keyid=", ";expires=1;keyid=")
}

async fn a8_a_signature_that_is_doubled_empty_or_flipped(database: Database) {
    let stage = Stage::new(database).await;
    let doubled = |form, name| {
        let mut doubled = letter(&stage, form).seal();
        let value = doubled.get(name);
        doubled.add(name, &value);
        doubled
    };
    let mut empty = letter(&stage, Form::Cavage);
    empty.covered.clear();
    let mut cases = vec![("headers is empty", empty.seal())];
    for (form, name) in
        [(Form::Cavage, "signature"), (Form::Rfc9421, "signature"), (Form::Rfc9421, "signature-input")]
    {
        cases.push(("doubled", doubled(form, name)));
    }
    let mut uncovered = letter(&stage, Form::Rfc9421);
    uncovered.covered.clear();
    cases.push(("nothing is covered", uncovered.seal()));
    for form in Form::BOTH {
        // A bit of the last whole group of four: well-formed base 64 of the same length.
        let mut flipped = letter(&stage, form).seal();
        let signature = flipped.get("signature");
        let at = signature.len() - 12;
        let other = if &signature[at..=at] == "A" { "B" } else { "A" };
        let signature = format!("{}{other}{}", &signature[..at], &signature[at + 1..]);
        flipped.set("signature", &signature);
        cases.push(("flipped", flipped));
        let mut absent = letter(&stage, form).seal();
        absent.remove("signature");
        cases.push(("absent", absent));
    }
    assert_refused(&stage, cases).await;
}

async fn a8_a_key_that_is_too_short_or_too_long(database: Database) {
    let stage = Stage::new(database).await;
    for (name, pem) in [("short", weak::RSA_512.to_owned()), ("long", weak::rsa_65536())] {
        let mallory = stage.remote.user(name);
        let mut actor = mallory.actor();
        actor["publicKey"]["publicKeyPem"] = json!(pem);
        mallory.pose_as(&actor);
        for form in Form::BOTH {
            let letter = mallory.letter(form, stage.inbox(), &mallory.follow(stage.actor()));
            let envelope = match name {
                "short" => letter.seal_with(weak::sign_with_rsa_512),
                _ => letter.seal_with(|_| vec![0x17; 8192]),
            };
            let answer = envelope.post(&stage.world.client).await;
            assert!(answer.is_refusal() || answer.status == 431, "{name}: {}", answer.status);
        }
    }
    assert_refused(&stage, Vec::new()).await;
}

/// What cavage and RFC 9421 both have to offer is taken.
async fn both_forms_are_taken_where_they_are_right(database: Database) {
    let stage = Stage::new(database).await;
    for (form, name) in [(Form::Cavage, "cara"), (Form::Rfc9421, "rhea")] {
        let user = stage.remote.user(name);
        let follow = user.follow(stage.actor());
        let answer = user.letter(form, stage.inbox(), &follow).seal().post(&stage.world.client).await;
        assert!(answer.is_success(), "{form:?}: {} {}", answer.status, answer.body);
        stage.await_accept(&user, &follow).await;
    }
    let user = stage.remote.user("hester");
    let follow = user.follow(stage.actor());
    let mut envelope = user.letter(Form::Cavage, stage.shared_inbox(), &follow).seal();
    let signature = envelope.get("signature").replace("rsa-sha256", "hs2019");
    envelope.set("signature", &signature);
    assert!(envelope.post(&stage.world.client).await.is_success(), "hs2019 names the same");
    stage.await_accept(&user, &follow).await;
}

/// A signed Follow, and the Undo of it after it was accepted.
async fn follow_and_leave(stage: &Stage, form: Form) -> Envelope {
    let follow = stage.alice.follow(stage.actor());
    let sealed = stage.alice.letter(form, stage.inbox(), &follow).seal();
    assert!(sealed.post(&stage.world.client).await.is_success());
    stage.await_accept(&stage.alice, &follow).await;
    stage.alice.deliver(stage.inbox(), &stage.alice.undo(&follow)).await;
    await_followers(stage, 0).await;
    sealed
}

async fn await_followers(stage: &Stage, count: u64) {
    eventually(&format!("{count} followers"), || async {
        (total(stage, &stage.critic["followers"]).await == count).then_some(())
    })
    .await;
}

async fn a9_a_replayed_follow_does_not_undo_the_undo(database: Database) {
    let stage = Stage::new(database).await;
    for form in Form::BOTH {
        let sealed = follow_and_leave(&stage, form).await;
        for _ in 0..3 {
            let answer = sealed.post(&stage.world.client).await;
            assert!(answer.is_success(), "a replay is no reason to complain: {}", answer.status);
        }
        stage.settle().await;
        await_followers(&stage, 0).await;
    }
}

async fn a9_a_replay_is_answered_like_the_first_time(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let note = stage.alice.reply(id_of(&article), "<p>Said once</p>");
    for form in Form::BOTH {
        let sealed = stage.alice.letter(form, stage.inbox(), &stage.alice.create(&note)).seal();
        let first = sealed.post(&stage.world.client).await;
        let second = sealed.post(&stage.world.client).await;
        assert!(first.is_success() && second.is_success(), "{} {}", first.status, second.status);
    }
    stage.settle().await;
    let page = stage.page(&article).await;
    assert_eq!(page.comments.iter().filter(|c| c.text.contains("Said once")).count(), 1);
}

async fn a10_a_replay_after_a_restart_has_no_second_effect(database: Database) {
    let mut stage = Stage::new(database).await;
    let mut all = Vec::new();
    for form in Form::BOTH {
        all.push(follow_and_leave(&stage, form).await);
    }
    stage.app.restart().await;
    for sealed in all {
        assert!(sealed.post(&stage.world.client).await.is_success());
    }
    stage.settle().await;
    await_followers(&stage, 0).await;
}

/// What is no activity at all is malformed, whoever signed it.
async fn what_is_no_activity_is_malformed(database: Database) {
    let stage = Stage::new(database).await;
    for body in [json!([]), json!("text"), json!({"type": 5}), Value::Null] {
        let answer = stage.alice.send(stage.inbox(), &body).await;
        assert!(answer.is_refusal(), "{body}: {}", answer.status);
    }
    let mut letter = letter(&stage, Form::Cavage);
    letter.body = b"{\"type\":".to_vec();
    assert!(letter.seal().post(&stage.world.client).await.is_refusal());
}

/// RSASSA-PSS, and digests of 512 bits, by the actor's one RSA key.
async fn other_algorithms_and_longer_digests_are_taken(database: Database) {
    let stage = Stage::new(database).await;
    for (form, algorithm) in [(Form::Cavage, "hs2019"), (Form::Rfc9421, "rsa-pss-sha512")] {
        let user = stage.remote.user(&format!("pia{}", algorithm.len()));
        let follow = user.follow(stage.actor());
        let mut letter = user.letter(form, stage.inbox(), &follow);
        letter.algorithm = algorithm;
        letter.has_long_digest = true;
        let answer = letter.seal_with(|text| user.key().sign_pss(text)).post(&stage.world.client).await;
        assert!(answer.is_success(), "{algorithm}: {} {}", answer.status, answer.body);
        stage.await_accept(&user, &follow).await;
        // The digest counts in this length, too.
        let mut swapped = letter.seal_with(|text| user.key().sign_pss(text));
        swapped.body.push(b' ');
        assert!(swapped.post(&stage.world.client).await.is_refusal());
    }
}

/// An Ed25519 key in `assertionMethod` (FEP-521a), beside the RSA key or in its place in `publicKey`.
async fn a_multikey_is_a_key_like_others(database: Database) {
    let stage = Stage::new(database).await;
    let (modern, plain) = (stage.remote.user("modern"), stage.remote.user("plain"));
    let key_id = format!("{}#ed25519-key", modern.id());
    let mut actor = modern.actor();
    actor["assertionMethod"] = json!([{
        "id": key_id, "type": "Multikey", "controller": modern.id(), "publicKeyMultibase": ED25519_MULTIBASE,
    }]);
    modern.pose_as(&actor);
    let mut actor = plain.actor();
    actor["publicKey"]["publicKeyPem"] = json!(ED25519_PEM);
    plain.pose_as(&actor);
    for (user, key_id) in [(&modern, key_id), (&plain, plain.key_id())] {
        for (form, algorithm) in [(Form::Rfc9421, "ed25519"), (Form::Cavage, "hs2019")] {
            let follow = user.follow(stage.actor());
            let mut letter = user.letter(form, stage.inbox(), &follow);
            key_id.clone_into(&mut letter.key_id);
            letter.algorithm = algorithm;
            let answer = letter.seal_with(sign_ed25519).post(&stage.world.client).await;
            assert!(answer.is_success(), "{algorithm}: {} {}", answer.status, answer.body);
            stage.await_accept(user, &follow).await;
        }
    }
    // One that names another as its controller is nobody's.
    let thief = stage.remote.user("thief");
    let key_id = format!("{}#ed25519-key", thief.id());
    let mut actor = thief.actor();
    actor["assertionMethod"] = json!({
        "id": key_id, "type": "Multikey", "controller": plain.id(), "publicKeyMultibase": ED25519_MULTIBASE,
    });
    thief.pose_as(&actor);
    let mut letter = thief.letter(Form::Rfc9421, stage.inbox(), &thief.follow(stage.actor()));
    letter.key_id = key_id;
    letter.algorithm = "ed25519";
    assert!(letter.seal_with(sign_ed25519).post(&stage.world.client).await.is_refusal());
}

/// RFC 9421 allows several signatures (section 4.3): whichever counts, it proves its own signer alone.
async fn of_several_signatures_one_counts_and_only_as_what_it_is(database: Database) {
    let stage = Stage::new(database).await;
    let mallory = stage.remote.user("mallory");
    let relabel = |envelope: &Envelope, label: &str| {
        let part = |name: &str| envelope.get(name).replacen("sig1", label, 1);
        (part("signature-input"), part("signature"))
    };
    let together = |one: (String, String), other: (String, String), envelope: &Envelope| {
        let mut both = envelope.clone();
        both.set("signature-input", &format!("{}, {}", one.0, other.0));
        both.set("signature", &format!("{}, {}", one.1, other.1));
        both
    };
    let of_alice = letter(&stage, Form::Rfc9421).seal();
    let mut by_mallory = letter(&stage, Form::Rfc9421);
    by_mallory.key = mallory.key();
    by_mallory.key_id = mallory.key_id();
    let by_mallory = by_mallory.seal();
    let mut forged = of_alice.clone();
    let signature = by_mallory.get("signature");
    forged.set("signature", &signature);
    let both_forms = {
        let mut both = letter(&stage, Form::Cavage).seal();
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
    assert_refused(&stage, cases).await;
    // What a proxy added, and what cannot be one for us, is passed over.
    let bo = stage.remote.user("bo");
    let follow = bo.follow(stage.actor());
    let sealed = bo.letter(Form::Rfc9421, stage.inbox(), &follow).seal();
    let proxy = ("proxy=(\"@method\");created=1;keyid=\"proxy\"".to_owned(), "proxy=:AAAA:".to_owned());
    let answer = together(proxy, relabel(&sealed, "b"), &sealed).post(&stage.world.client).await;
    assert!(answer.is_success(), "{}: {}", answer.status, answer.body);
    stage.await_accept(&bo, &follow).await;
}
