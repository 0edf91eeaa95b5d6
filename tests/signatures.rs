//! What is signed badly is refused at once and changes nothing (A of what the server must stand).

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::both_databases;
use crate::course::total;
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
    let mut uncreated = letter(&stage, Form::Rfc9421);
    uncreated.has_created = false;
    cases.push(("without created", uncreated.seal()));
    assert_refused(&stage, cases).await;
}

async fn a8_a_signature_that_is_doubled_empty_or_flipped(database: Database) {
    let stage = Stage::new(database).await;
    let mut doubled = letter(&stage, Form::Cavage).seal();
    let signature = doubled.get("signature");
    doubled.add("signature", &signature);
    let mut empty = letter(&stage, Form::Cavage);
    empty.covered.clear();
    let mut cases = vec![("doubled", doubled), ("headers is empty", empty.seal())];
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
    let sealed = stage.alice.letter(Form::Cavage, stage.inbox(), &stage.alice.create(&note)).seal();
    let first = sealed.post(&stage.world.client).await;
    let second = sealed.post(&stage.world.client).await;
    assert!(first.is_success() && second.is_success(), "{} {}", first.status, second.status);
    stage.settle().await;
    let page = stage.page(&article).await;
    assert_eq!(page.comments.iter().filter(|c| c.text.contains("Said once")).count(), 1);
}

async fn a10_a_replay_after_a_restart_has_no_second_effect(database: Database) {
    let mut stage = Stage::new(database).await;
    let sealed = follow_and_leave(&stage, Form::Cavage).await;
    stage.app.restart().await;
    assert!(sealed.post(&stage.world.client).await.is_success());
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
