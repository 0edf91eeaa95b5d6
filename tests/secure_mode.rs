//! `federation.authorized_fetch`: posts are served to those who sign and are not blocked.

use serde_json::Value;

use crate::both_databases;
use crate::support::http::{AS2, HTML};
use crate::support::letter::Letter;
use crate::support::signature::Form;
use crate::support::{Database, Stage, feed};

both_databases!(
    what_is_no_actor_is_served_to_those_who_sign_and_to_nobody_else,
    what_everyone_needs_stays_public,
    a_signature_that_proves_nothing_opens_nothing,
    who_is_blocked_is_told_so,
    two_servers_in_secure_mode_do_not_wait_for_each_other,
    without_secure_mode_nobody_looks_at_signatures_of_fetches,
);

async fn secure(database: Database) -> Stage {
    Stage::with(database, |_, settings| settings.set("federation", "authorized_fetch", "true")).await
}

/// Publishes a review, and gives the addresses of its Article and of its page.
async fn publish(stage: &Stage) -> (String, String) {
    let file = stage
        .app
        .write("review.md", &feed::markdown("The Night Ferry", "The Night Ferry", "It leaves at six."));
    let printed = stage.app.command_output(&["publish", &file]).await;
    let page = printed.split_whitespace().find(|word| word.starts_with("https://")).expect("an address");
    let article = stage.alice.fetch(Form::Cavage, page).await;
    assert_eq!(article.status, 200, "{}", article.body);
    (article.json()["id"].as_str().expect("an id").to_owned(), page.to_owned())
}

/// Addresses of documents that are no actors.
async fn guarded(stage: &Stage) -> Vec<String> {
    let (article, page) = publish(stage).await;
    let part = |name: &str| stage.critic[name].as_str().expect("an address").to_owned();
    let first = format!("{}?page=1", part("outbox"));
    let outbox = stage.alice.fetch(Form::Rfc9421, &first).await.json();
    let create = outbox["orderedItems"][0]["id"].as_str().expect("a Create").to_owned();
    let mut all = vec![page, create, part("outbox"), first, part("followers"), part("featured")];
    all.extend(["replies", "replies?page=1", "context", "likes"].map(|name| format!("{article}/{name}")));
    all.push(article);
    all
}

async fn what_is_no_actor_is_served_to_those_who_sign_and_to_nobody_else(database: Database) {
    let stage = secure(database).await;
    let all = guarded(&stage).await;
    for url in &all {
        let answer = stage.world.client.get(url, AS2).await;
        assert_eq!(answer.status, 401, "{url}: {}", answer.body);
        assert!(answer.body.contains("secure mode"), "it says why: {}", answer.body);
        assert!(!answer.body.contains("Ferry"), "{}", answer.body);
        let mut answers = vec![answer];
        for form in Form::BOTH {
            let answer = stage.alice.fetch(form, url).await;
            assert_eq!(answer.status, 200, "{url}: {}", answer.body);
            assert!(answer.header("content-type").starts_with("application/activity+json"));
            answers.push(answer);
        }
        for answer in answers {
            assert!(answer.header("cache-control").contains("private"), "{url}: {:?}", answer.headers);
            let vary = answer.header("vary").replace("Accept-Encoding, ", "");
            assert_eq!(vary, "Accept, Signature, Signature-Input");
        }
    }
    // Whatever form is asked for, or the head of it alone: a document is a document.
    let create = &all[1];
    assert_eq!(stage.world.client.get(create, HTML).await.status, 401);
    let head = stage.world.client.send(reqwest::Method::HEAD, create, &[], Vec::new()).await;
    assert_eq!(head.expect("an answer").status, 401);
    // Without its query, as GoToSocial signs.
    let outbox = format!("{}?page=1", stage.critic["outbox"].as_str().expect("an outbox"));
    let mut letter = Letter::fetch(Form::Cavage, &stage.alice.key(), &stage.alice.key_id(), &outbox);
    letter.target = letter.target.replace("?page=1", "");
    assert_eq!(letter.seal().fetch(&stage.world.client).await.status, 200);
}

async fn what_everyone_needs_stays_public(database: Database) {
    let stage = secure(database).await;
    let (_, page) = publish(&stage).await;
    let at = crate::support::app::url;
    for (url, accept) in [
        (stage.actor().to_owned(), AS2),
        (at("/@critic"), AS2),
        (at("/ap/actor"), AS2),
        (at("/.well-known/webfinger?resource=acct:critic@marquee.test"), "application/jrd+json"),
        (at("/.well-known/nodeinfo"), "application/json"),
        (at("/nodeinfo/2.1"), "application/json"),
        (at("/.well-known/host-meta"), "application/xrd+xml"),
        (at("/"), HTML),
        (at("/@critic"), HTML),
        (page, HTML),
    ] {
        let answer = stage.world.client.get(&url, accept).await;
        assert_eq!(answer.status, 200, "{url}: {}", answer.body);
        let vary = answer.header("vary").replace("Accept-Encoding, ", "");
        assert_eq!(vary, "Accept, Signature, Signature-Input");
    }
}

async fn a_signature_that_proves_nothing_opens_nothing(database: Database) {
    let stage = secure(database).await;
    let (article, _) = publish(&stage).await;
    let (mallory, alice) = (stage.remote.user("mallory"), &stage.alice);
    let hour = jiff::SignedDuration::from_hours(13);
    for form in Form::BOTH {
        let good = Letter::fetch(form, &alice.key(), &alice.key_id(), &article);
        let mut borrowed = good.clone();
        borrowed.key = mallory.key();
        let mut old = good.clone();
        old.date = crate::support::now() - hour;
        let mut elsewhere = good.clone();
        "/ap/elsewhere".clone_into(&mut elsewhere.target);
        "https://marquee.test/ap/elsewhere".clone_into(&mut elsewhere.target_uri);
        let mut ours = good.clone();
        ours.key_id = format!("{}#main-key", stage.actor());
        let mut unsigned = good.clone();
        unsigned.covered.retain(|name| !matches!(*name, "(request-target)" | "@target-uri"));
        for letter in [borrowed, old, elsewhere, ours, unsigned] {
            let answer = letter.seal().fetch(&stage.world.client).await;
            assert_eq!(answer.status, 401, "{}", answer.body);
        }
        assert_eq!(good.seal().fetch(&stage.world.client).await.status, 200);
    }
}

async fn who_is_blocked_is_told_so(database: Database) {
    let mut stage = secure(database).await;
    let (article, _) = publish(&stage).await;
    // Where only named servers are spoken with, and this one is not named.
    stage.app.reconfigure("moderation", "allow_list", "true");
    stage.app.restart().await;
    for form in Form::BOTH {
        let answer = stage.alice.fetch(form, &article).await;
        assert_eq!(answer.status, 403, "{}", answer.body);
        assert!(answer.header("cache-control").contains("private"));
    }
    assert_eq!(stage.alice.fetch(Form::Cavage, stage.actor()).await.status, 200, "the key is for everyone");
    let stranger = stage.remote.user("stranger");
    let before = stage.remote.requests();
    assert_eq!(stranger.fetch(Form::Cavage, &article).await.status, 403);
    assert_eq!(stage.remote.requests(), before, "of who is not named no key is asked");
}

async fn two_servers_in_secure_mode_do_not_wait_for_each_other(database: Database) {
    let stage = secure(database).await;
    stage.remote.demand_signed_gets();
    let before = stage.remote.requests();
    stage.follow(&stage.alice).await;
    let (article, _) = publish(&stage).await;
    assert_eq!(stage.alice.fetch(Form::Rfc9421, &article).await.status, 200);
    let requests = stage.remote.requests() - before;
    assert!(requests < 20, "{requests} requests");
    assert_eq!(stage.remote.take_violations(), Vec::<String>::new());
}

async fn without_secure_mode_nobody_looks_at_signatures_of_fetches(database: Database) {
    let stage = Stage::new(database).await;
    let article: Value = stage.publish("The Night Ferry").await;
    let before = stage.remote.requests();
    let url = article["id"].as_str().expect("an id");
    for signature in ["nonsense", "keyId=\"https://remote.test/users/nobody\",signature=\"AA==\""] {
        let headers = [("accept", AS2), ("signature", signature)].map(|(n, v)| (n.to_owned(), v.to_owned()));
        let answer = stage
            .world
            .client
            .send(reqwest::Method::GET, url, &headers, Vec::new())
            .await
            .expect("an answer");
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("vary"), "Accept, Accept-Encoding");
    }
    assert_eq!(stage.remote.requests(), before, "nobody was asked for a key");
}
