//! The inbox when more comes than it can take, when something in between is bad, and when its database is away (H and J
//! of what the server must stand). What is answered with 2xx has its effect, once; the rest is told when to come again.
//! So is a crowd that searches.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::both_databases;
use crate::course::total;
use crate::support::app::url;
use crate::support::hand::Hand;
use crate::support::http::{Answer, Client, HTML};
use crate::support::letter::Envelope;
use crate::support::remote::{Document, User};
use crate::support::shapes::id_of;
use crate::support::signature::Form;
use crate::support::{Database, Stage, eventually};

both_databases!(
    a_flood_from_many_actors_has_each_effect_once_and_forgeries_cost_nobody_else,
    h1_a_full_inbox_says_when_to_come_again_and_takes_the_same_later,
    j3_j12_what_cannot_be_written_costs_nobody_else,
    j12_what_cannot_have_its_effect_costs_nobody_else_though_all_have_it_at_once,
    j4_with_its_database_away_for_a_minute_it_says_503_and_takes_the_same_once_it_is_back,
    b5_a_key_that_another_process_replaced_proves_nothing_any_more,
    b5_a_key_that_another_process_dropped_is_asked_for_again,
    j14_what_was_acknowledged_before_a_sigterm_is_not_lost,
    a_block_counts_for_the_next_request_though_the_key_is_known,
);

/// A letter of the largest size that is taken, padded where JSON does not mind.
const LARGEST: usize = 1024 * 1024;

/// So many of those are taken of one sender at a time, and not one more.
const MOST_OF_A_CLIENT: usize = 24;

fn seal(stage: &Stage, user: &User, activity: &Value) -> Envelope {
    user.letter(Form::Cavage, stage.inbox(), activity).seal()
}

/// A reply to the review, signed.
fn reply(stage: &Stage, user: &User, article: &Value, text: &str) -> Envelope {
    let note = user.reply(id_of(article), &format!("<p>{text}</p>"));
    seal(stage, user, &user.create(&note))
}

fn is_told_to_come_again(answer: &Answer) -> bool {
    let seconds = answer.header("retry-after").parse::<u32>();
    answer.status == 503 && seconds.is_ok_and(|seconds| (1..=60).contains(&seconds))
}

fn has_no_room(answer: &Answer) -> bool {
    answer.body.contains("coming in at once")
}

/// Sends it until it is taken. Nothing else may be answered meanwhile than that it is to come again.
async fn insist(client: &Client, envelope: &Envelope) {
    eventually("a letter to be taken", || async {
        let answer = envelope.post(client).await;
        let again = is_told_to_come_again(&answer);
        assert!(again || answer.is_success(), "{}: {}", answer.status, answer.body);
        answer.is_success().then_some(())
    })
    .await;
}

/// Waits until each of these texts is shown, and sees that each is shown once.
async fn await_once(stage: &Stage, article: &Value, texts: &[String]) {
    let all = |page: &crate::support::page::Page| texts.iter().all(|text| page.comment(text).is_some());
    stage.await_page(article, "all comments", all).await;
    stage.settle().await;
    let page = stage.page(article).await;
    for text in texts {
        let shown = page.comments.iter().filter(|comment| comment.text.contains(text.as_str()));
        assert_eq!(shown.count(), 1, "{text}");
    }
}

async fn a_flood_from_many_actors_has_each_effect_once_and_forgeries_cost_nobody_else(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    let client = &stage.world.client;
    let users: Vec<User> = (0..24).map(|number| stage.remote.user(&format!("viewer{number}"))).collect();
    let (mut honest, mut forged, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for (number, user) in users.iter().enumerate() {
        let text = format!("Seat {number} of the house");
        let like = seal(&stage, user, &user.like(id_of(&article)));
        // The same letter twice: a replay is taken and has no effect.
        honest.extend([reply(&stage, user, &article, &text), like.clone(), like]);
        texts.push(text);
        let note = user.reply(id_of(&article), &format!("<p>A lie about {number}</p>"));
        let mut letter = user.letter(Form::Cavage, stage.inbox(), &user.create(&note));
        letter.key = stage.alice.key();
        forged.push(letter.seal());
        let mut spoiled = reply(&stage, user, &article, "A lie in the body");
        spoiled.body = String::from_utf8(spoiled.body).expect("text").replace("lie", "tie").into_bytes();
        forged.push(spoiled);
    }
    let honest = join_all(honest.iter().map(|envelope| insist(client, envelope)));
    let forged = join_all(forged.iter().map(|envelope| envelope.post(client)));
    let (_, refused) = tokio::join!(honest, forged);
    for answer in refused {
        let is_refused = answer.is_unauthorised() || is_told_to_come_again(&answer);
        assert!(is_refused, "{}: {}", answer.status, answer.body);
    }
    await_once(&stage, &article, &texts).await;
    let page = stage.page(&article).await;
    assert_eq!(page.comments.len(), texts.len(), "{}", page.text);
    assert_eq!(
        total(&stage, &stage.article(&article).await["likes"]).await,
        u64::try_from(users.len()).expect("few")
    );
}

async fn h1_a_full_inbox_says_when_to_come_again_and_takes_the_same_later(database: Database) {
    let stage =
        Stage::with(database, |_, settings| settings.set("server", "trusted_proxies", "[\"127.0.0.1/32\"]"))
            .await;
    let article = stage.publish("The Night Ferry").await;
    stage.follow(&stage.alice).await;
    let texts: Vec<String> = (0..MOST_OF_A_CLIENT).map(|number| format!("Row {number} is taken")).collect();
    let large: Vec<Envelope> = texts
        .iter()
        .map(|text| {
            let note = stage.alice.reply(id_of(&article), &format!("<p>{text}</p>"));
            let mut letter = stage.alice.letter(Form::Cavage, stage.inbox(), &stage.alice.create(&note));
            letter.body.resize(LARGEST, b' ');
            letter.seal()
        })
        .collect();
    let mut hand = Hand::on(&stage.app).await;
    hand.hold_back().await;
    let mut under_way = JoinSet::new();
    for envelope in large.clone() {
        let client = stage.world.client.clone();
        under_way.spawn(async move { envelope.post(&client).await });
    }
    // What is nothing at all is refused for that, until there is no room to look at it.
    let nothing = Envelope {
        url: stage.inbox().to_owned(),
        headers: vec![("signature".to_owned(), "none".to_owned())],
        body: Vec::new(),
    };
    eventually("no room", || async {
        let answer = nothing.post(&stage.world.client).await;
        assert!(answer.status == 400 || is_told_to_come_again(&answer), "{}", answer.status);
        has_no_room(&answer).then_some(())
    })
    .await;
    let small = seal(&stage, &stage.alice, &stage.alice.like(id_of(&article)));
    let refused = small.post(&stage.world.client).await;
    assert!(has_no_room(&refused) && is_told_to_come_again(&refused), "{}: {}", refused.status, refused.body);
    // There is room to look at what others send.
    let mut of_another = nothing.clone();
    of_another.add("x-forwarded-for", "203.0.113.9");
    assert_eq!(of_another.post(&stage.world.client).await.status, 400);
    hand.let_go().await;
    while let Some(answer) = under_way.join_next().await {
        let answer = answer.expect("an answer");
        assert!(answer.is_success() || is_told_to_come_again(&answer), "{}: {}", answer.status, answer.body);
    }
    for envelope in large.iter().chain([&small]) {
        insist(&stage.world.client, envelope).await;
    }
    await_once(&stage, &article, &texts).await;
    assert_eq!(total(&stage, &stage.article(&article).await["likes"]).await, 1);
}

async fn j3_j12_what_cannot_be_written_costs_nobody_else(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    stage.follow(&stage.alice).await;
    let mut hand = Hand::on(&stage.app).await;
    hand.poison("received", "body", "arsenic").await;
    hand.hold_back().await;
    let texts: Vec<String> = (0..12).map(|number| format!("Old lace {number} of twelve")).collect();
    let good: Vec<Envelope> = texts.iter().map(|text| reply(&stage, &stage.alice, &article, text)).collect();
    let bad = reply(&stage, &stage.alice, &article, "With arsenic");
    let mut under_way = JoinSet::new();
    for envelope in good.iter().cloned().chain([bad.clone()]) {
        let client = stage.world.client.clone();
        under_way.spawn(async move { envelope.post(&client).await });
    }
    hand.let_go().await;
    while let Some(answer) = under_way.join_next().await {
        let answer = answer.expect("an answer");
        assert!(answer.is_success() || is_told_to_come_again(&answer), "{}: {}", answer.status, answer.body);
    }
    let client = &stage.world.client;
    join_all(good.iter().map(|envelope| insist(client, envelope))).await;
    let answer = bad.post(client).await;
    assert!(is_told_to_come_again(&answer), "{}: {}", answer.status, answer.body);
    await_once(&stage, &article, &texts).await;
    assert!(stage.page(&article).await.comment("arsenic").is_none());
    hand.cure("received").await;
    insist(client, &bad).await;
    await_once(&stage, &article, &["With arsenic".to_owned()]).await;
}

async fn j12_what_cannot_have_its_effect_costs_nobody_else_though_all_have_it_at_once(database: Database) {
    let stage = Stage::with(database, |_, settings| settings.role("web")).await;
    let worker = stage.app.start_beside(&["serve", "--role", "worker"]);
    let article = stage.publish("The Night Ferry").await;
    // Those whom nobody knows are asked for first: these are ready at once.
    let known: Vec<String> = (0..4).map(|number| format!("Known {number} of four")).collect();
    let users: Vec<User> = (0..4).map(|number| stage.remote.user(&format!("viewer{number}"))).collect();
    let client = &stage.world.client;
    for (user, text) in users.iter().zip(&known) {
        insist(client, &reply(&stage, user, &article, text)).await;
    }
    await_once(&stage, &article, &known).await;
    // What it holds when it is killed would wait for the end of its lease.
    eventually("no host to be held", || async {
        let query = "select count(*) from hosts where lease is not null";
        (stage.app.number(query, query).await == 0).then_some(())
    })
    .await;
    drop(worker);
    let mut hand = Hand::on(&stage.app).await;
    hand.poison("comments", "content", "arsenic").await;
    let (mut texts, mut letters, mut taken_back) = (Vec::new(), Vec::new(), Vec::new());
    for (number, user) in users.iter().enumerate() {
        let text = format!("Old lace {number} of four");
        letters.extend([reply(&stage, user, &article, &text), reply(&stage, user, &article, "With arsenic")]);
        texts.push(text);
        let like = user.like(id_of(&article));
        letters.push(seal(&stage, user, &like));
        if number % 2 == 0 {
            taken_back.push(seal(&stage, user, &user.undo(&like)));
        }
    }
    // The Undo before its Like, too.
    for letter in taken_back.iter().chain(&letters) {
        insist(client, letter).await;
    }
    let _worker = stage.app.start_beside(&["serve", "--role", "worker"]);
    await_once(&stage, &article, &texts).await;
    assert!(stage.page(&article).await.comment("arsenic").is_none());
    eventually("the failures to be noted", || async {
        let query =
            "select count(*) from received where state = 'queued' and attempts > 0 and note like '%poison%'";
        (stage.app.number(query, query).await == 4).then_some(())
    })
    .await;
    assert_eq!(total(&stage, &stage.article(&article).await["likes"]).await, 2);
    hand.cure("comments").await;
    stage.await_page(&article, "all of them", |page| count(page, "arsenic") == 4).await;
    await_once(&stage, &article, &texts).await;
}

fn count(page: &crate::support::page::Page, text: &str) -> usize {
    page.comments.iter().filter(|comment| comment.text.contains(text)).count()
}

async fn j4_with_its_database_away_for_a_minute_it_says_503_and_takes_the_same_once_it_is_back(
    database: Database,
) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    stage.follow(&stage.alice).await;
    let stranger = stage.remote.user("stranger");
    let letters = [
        reply(&stage, &stage.alice, &article, "Known before"),
        reply(&stage, &stranger, &article, "Met in the dark"),
    ];
    let mut hand = Hand::on(&stage.app).await;
    hand.take_away().await;
    let client = &stage.world.client;
    let gone = Instant::now();
    // The pace at which both are sent again and again, as servers do that are told to come again.
    let mut pace = interval(Duration::from_secs(2));
    while gone.elapsed() < Duration::from_mins(1) {
        pace.tick().await;
        for answer in join_all(letters.iter().map(|letter| letter.post(client))).await {
            assert!(is_told_to_come_again(&answer), "{}: {}", answer.status, answer.body);
        }
        // A forgery is none of the database's business.
        let mut forged = reply(&stage, &stage.alice, &article, "A lie");
        forged.body.push(b' ');
        assert!(forged.post(client).await.is_unauthorised());
    }
    hand.give_back().await;
    join_all(letters.iter().map(|letter| insist(client, letter))).await;
    await_once(&stage, &article, &["Known before".to_owned(), "Met in the dark".to_owned()]).await;
}

async fn j14_what_was_acknowledged_before_a_sigterm_is_not_lost(database: Database) {
    let mut stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    stage.follow(&stage.alice).await;
    let texts: Vec<String> = (0..40).map(|number| format!("Ticket {number} of forty")).collect();
    let letters: Vec<Envelope> =
        texts.iter().map(|text| reply(&stage, &stage.alice, &article, text)).collect();
    let mut under_way = JoinSet::new();
    for (number, letter) in letters.iter().cloned().enumerate() {
        let client = stage.world.client.clone();
        under_way.spawn(async move {
            let answer = client.send(reqwest::Method::POST, &letter.url, &letter.headers, letter.body).await;
            // Where it ends meanwhile, nobody answers.
            answer.is_ok_and(|answer| answer.is_success()).then_some(number)
        });
    }
    let mut taken = Vec::new();
    while taken.is_empty() {
        taken.extend(under_way.join_next().await.expect("an answer").expect("an answer"));
    }
    let status = stage.app.terminate().await;
    assert!(status.success(), "it ended with {status}");
    while let Some(answer) = under_way.join_next().await {
        taken.extend(answer.expect("an answer"));
    }
    stage.app.start().await;
    let kept: Vec<String> = taken.iter().map(|number| texts[*number].clone()).collect();
    await_once(&stage, &article, &kept).await;
    // What nobody answered may have been written or not: sent again, it counts once.
    join_all(letters.iter().map(|letter| insist(&stage.world.client, letter))).await;
    await_once(&stage, &article, &texts).await;
}

/// How often alice's actor was asked for.
fn asked(stage: &Stage) -> usize {
    stage.remote.requests_for("/users/alice")
}

async fn b5_a_key_that_another_process_replaced_proves_nothing_any_more(database: Database) {
    let stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    stage.settle().await;
    let leaked = stage.alice.key();
    stage.alice.rotate_key();
    let pem = stage.alice.key().public_pem();
    let mut hand = Hand::on(&stage.app).await;
    hand.execute(&format!("update actor_keys set pem = '{pem}' where key_id = '{}'", stage.alice.key_id()))
        .await;
    let before = asked(&stage);
    for form in Form::BOTH {
        let mut letter = stage.alice.letter(form, stage.inbox(), &stage.alice.like(stage.actor()));
        letter.key = leaked.clone();
        let answer = letter.seal().post(&stage.world.client).await;
        assert!(answer.is_unauthorised(), "{}: {}", answer.status, answer.body);
        let letter = stage.alice.letter(form, stage.inbox(), &stage.alice.like(stage.actor()));
        let answer = letter.seal().post(&stage.world.client).await;
        assert!(answer.is_success(), "{}: {}", answer.status, answer.body);
    }
    assert!(asked(&stage) - before <= 1, "one look at most, because of the leaked one");
}

async fn b5_a_key_that_another_process_dropped_is_asked_for_again(database: Database) {
    let stage = Stage::new(database).await;
    stage.follow(&stage.alice).await;
    stage.settle().await;
    let mut hand = Hand::on(&stage.app).await;
    let drop = format!("delete from actor_keys where key_id = '{}'", stage.alice.key_id());
    hand.execute(&drop).await;
    let before = asked(&stage);
    stage.alice.deliver(stage.inbox(), &stage.alice.like(stage.actor())).await;
    assert_eq!(asked(&stage), before + 1, "its server says that it stands");
    hand.execute(&drop).await;
    let mut actor = stage.alice.actor();
    actor["publicKey"] = json!([]);
    stage.remote.serve("/users/alice", Document::activity_json(&actor));
    let answer = stage.alice.send(stage.inbox(), &stage.alice.like(stage.actor())).await;
    assert!(answer.is_unauthorised(), "{}: {}", answer.status, answer.body);
}

async fn a_block_counts_for_the_next_request_though_the_key_is_known(database: Database) {
    let stage = Stage::new(database).await;
    let article = stage.publish("The Night Ferry").await;
    // Known before, so that nobody asks for the face of who likes.
    stage.follow(&stage.alice).await;
    stage.settle().await;
    let handle = format!("@{}", stage.alice.handle());
    for args in [["account", handle.as_str()], ["domain", stage.remote.host()]] {
        stage.alice.deliver(stage.inbox(), &stage.alice.like(id_of(&article))).await;
        let before = asked(&stage);
        stage.app.command_output(&["block", args[0], args[1]]).await;
        let answer = stage.alice.send(stage.inbox(), &stage.alice.like(id_of(&article))).await;
        assert_eq!(answer.status, 403, "{args:?}: {}", answer.body);
        assert_eq!(asked(&stage), before, "nothing is asked of who is blocked");
        let subject = if args[0] == "account" { stage.alice.id() } else { args[1].to_owned() };
        stage.app.command_output(&["block", "remove", &subject]).await;
        stage.alice.deliver(stage.inbox(), &stage.alice.like(id_of(&article))).await;
    }
}

/// Requests at once: more than there are places for searches.
const CROWD: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_searches_while_searches_hang_is_told_to_come_again_and_the_rest_of_the_site_answers() {
    let stage = Stage::new(Database::Postgres).await;
    let article = stage.publish("The Night Ferry").await;
    let mut hand = Hand::on(&stage.app).await;
    hand.execute("begin; lock table search in access exclusive mode").await;
    let mut searches = JoinSet::new();
    for number in 0..CROWD {
        let client = stage.world.client.clone();
        let path = url(&format!("/search?q=ferry&page=1&n={number}"));
        searches.spawn(async move { client.get(&path, HTML).await });
    }
    // Nobody finds anything yet, and still some are answered: those for whom there is no place.
    let first = searches.join_next().await.expect("an answer").expect("an answer");
    assert!(is_told_to_come_again(&first), "{}: {}", first.status, first.body);
    assert!(first.header("content-type").starts_with("text/html"));
    let review = article["url"].as_str().expect("a page");
    for address in [url("/"), url("/reviews"), url("/search"), review.to_owned(), url("/health/ready")] {
        assert_eq!(stage.world.client.get(&address, HTML).await.status, 200, "{address}");
    }
    hand.let_go().await;
    let answers = searches.join_all().await;
    let found =
        answers.iter().filter(|answer| answer.status == 200 && answer.body.contains("1 review found"));
    assert!(found.count() >= 2);
    assert!(answers.iter().all(|answer| answer.status == 200 || is_told_to_come_again(answer)));
    assert_eq!(
        stage.world.client.get(&url("/search?q=ferry"), HTML).await.status,
        200,
        "there is room again"
    );
}
