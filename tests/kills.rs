//! Marquee is killed at any moment while reviews go out and others speak with it: every inbox is served, and whatever
//! was taken has its effect, once. `MARQUEE_TEST_KILLS` says how often, `MARQUEE_TEST_SEED` when.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::both_databases;
use crate::course::total;
use crate::support::app::Settings;
use crate::support::dice::{Dice, seed};
use crate::support::feed::markdown;
use crate::support::letter::Envelope;
use crate::support::remote::{Remote, User};
use crate::support::shapes::id_of;
use crate::support::signature::Form;
use crate::support::{Database, LONG, Stage, World, within};

both_databases!(
    killed_at_any_moment_it_serves_every_inbox_and_has_each_effect_once,
    two_webs_and_three_workers_share_the_work_and_whichever_is_killed_loses_nothing,
);

/// On each database; `MARQUEE_TEST_KILLS` says otherwise.
const KILLS: usize = 10;
/// Servers beside the usual one, each with a follower from the start.
const SERVERS: usize = 4;
/// Who follows, likes and comments meanwhile, on each of them.
const ACTORS: usize = 4;
/// Reviews that are talked about.
const ARTICLES: usize = 3;
/// Activities that come between two kills.
const LETTERS: usize = 10;
/// Of them at a time.
const SIDE_BY_SIDE: usize = 8;

async fn killed_at_any_moment_it_serves_every_inbox_and_has_each_effect_once(database: Database) {
    let kills = std::env::var("MARQUEE_TEST_KILLS").map_or(KILLS, |text| text.parse().expect("a number"));
    let mut dice = Dice::new(seed());
    let (stage, others) = scene(database, |settings| settings).await;
    let mut rush = Rush::new(stage, others).await;
    for _ in 0..kills {
        rush.release(&mut dice);
        // Now and then while it starts, otherwise after so many answers.
        let (count, patience) = if dice.in_percent(30) {
            (usize::MAX, Duration::from_millis(dice.next() % 600))
        } else {
            (dice.below(LETTERS), Duration::from_secs(5))
        };
        rush.await_answers(count, patience).await;
        rush.stage.app.kill9();
        rush.stage.app.launch();
    }
    rush.finish().await;
}

/// One that serves and two that work are killed in turn and do not come back: those that are left do everything.
async fn two_webs_and_three_workers_share_the_work_and_whichever_is_killed_loses_nothing(database: Database) {
    let mut dice = Dice::new(seed());
    let (stage, others) = scene(database, |settings| settings.role("web")).await;
    let worker = || stage.app.start_beside(&["serve", "--role", "worker"]);
    let mut workers = vec![worker(), worker(), worker()];
    let _web = stage.app.start_web_beside().await;
    let mut rush = Rush::new(stage, others).await;
    for killed in ["a worker", "a web", "another worker"] {
        rush.release(&mut dice);
        assert!(rush.await_answers(dice.below(LETTERS), LONG).await, "too few answers");
        match killed {
            "a web" => rush.stage.app.kill9(),
            _ => drop(workers.pop()),
        }
    }
    rush.release(&mut dice);
    rush.finish().await;
}

/// A site, and servers around it.
async fn scene(
    database: Database,
    change: impl for<'w> FnOnce(Settings<'w>) -> Settings<'w>,
) -> (Stage, Vec<Remote>) {
    let world = World::new();
    let remote = world.remote("remote.test").await;
    let mut others = Vec::new();
    for number in 0..SERVERS {
        others.push(world.remote(&format!("other{number}.test")).await);
    }
    (Stage::in_world(world, remote, database, |_, settings| change(settings)).await, others)
}

/// What goes in and out, and what must come of it.
struct Rush {
    stage: Stage,
    others: Vec<Remote>,
    /// Those that are talked about.
    articles: Vec<Value>,
    /// The titles of those that go out.
    titles: Vec<String>,
    /// The actors who follow, and their Follows, by the place of their server.
    follows: Vec<(usize, Value)>,
    followers: BTreeSet<String>,
    likes: Vec<BTreeSet<String>>,
    comments: Vec<BTreeSet<String>>,
    under_way: JoinSet<()>,
    answered: Arc<AtomicUsize>,
    /// How many were answered when the last ones were let go.
    before: usize,
    places: Arc<Semaphore>,
}

impl Rush {
    /// Each server has a follower, and there is something to talk about.
    async fn new(stage: Stage, others: Vec<Remote>) -> Self {
        stage.follow(&stage.alice).await;
        let mut followers = BTreeSet::from([stage.alice.id()]);
        for other in &others {
            let fan = other.user("fan");
            fan.deliver(stage.inbox(), &fan.follow(stage.actor())).await;
            other.await_activity("the Accept", |a| a["type"] == "Accept").await;
            followers.insert(fan.id());
        }
        let mut articles = Vec::new();
        for number in 0..ARTICLES {
            articles.push(stage.publish(&format!("The Ferry of {number} o'Clock")).await);
        }
        Self {
            stage,
            others,
            articles,
            titles: Vec::new(),
            follows: Vec::new(),
            followers,
            likes: vec![BTreeSet::new(); ARTICLES],
            comments: vec![BTreeSet::new(); ARTICLES],
            under_way: JoinSet::new(),
            answered: Arc::default(),
            before: 0,
            places: Arc::new(Semaphore::new(SIDE_BY_SIDE)),
        }
    }

    /// One more review goes out, and others say more.
    fn release(&mut self, dice: &mut Dice) {
        self.before = self.answered.load(Ordering::SeqCst);
        let title = format!("Harbour number {} of the night", self.titles.len());
        let name = format!("review{}.md", self.titles.len());
        let file = self.stage.app.write(&name, &markdown(&title, &title, "It sinks."));
        self.titles.push(title);
        let publishing = self.stage.app.cli(&["publish", &file]);
        self.under_way.spawn(async move {
            let output = publishing.await;
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        });
        for _ in 0..LETTERS {
            let letter = self.letter(dice);
            let (client, answered, places) =
                (self.stage.world.client.clone(), Arc::clone(&self.answered), Arc::clone(&self.places));
            self.under_way.spawn(async move {
                let _place = places.acquire_owned().await.expect("a place");
                letter.insist(&client).await;
                answered.fetch_add(1, Ordering::SeqCst);
            });
        }
    }

    /// What somebody says: a follow or a like that is new, or a comment.
    fn letter(&mut self, dice: &mut Dice) -> Envelope {
        let (server, article) = (dice.below(self.others.len()), dice.below(ARTICLES));
        let user = self.others[server].user(&format!("actor{}", dice.below(ACTORS)));
        let about = id_of(&self.articles[article]);
        let activity = if dice.in_percent(20) && self.followers.insert(user.id()) {
            let follow = user.follow(self.stage.actor());
            self.follows.push((server, follow.clone()));
            follow
        } else if dice.in_percent(40) && self.likes[article].insert(user.id()) {
            user.like(about)
        } else {
            let said = format!("Word {} of many", self.comments.iter().map(BTreeSet::len).sum::<usize>());
            let note = user.reply(about, &format!("<p>{said}</p>"));
            self.comments[article].insert(said);
            user.create(&note)
        };
        self.seal(&user, dice, &activity)
    }

    fn seal(&self, user: &User, dice: &mut Dice, activity: &Value) -> Envelope {
        let inbox = if dice.in_percent(50) { self.stage.inbox() } else { self.stage.shared_inbox() };
        user.letter(*dice.pick(&Form::BOTH), inbox, activity).seal()
    }

    /// Waits until so many more were answered, or for so long.
    async fn await_answers(&self, count: usize, patience: Duration) -> bool {
        // The first of them may be answered before the last is written.
        let wanted = self.before.saturating_add(count);
        let enough = || async { (self.answered.load(Ordering::SeqCst) >= wanted).then_some(()) };
        within(patience, enough).await.is_some()
    }

    /// Once everybody was answered, nothing is missing, and nothing is there twice.
    async fn finish(mut self) {
        while let Some(ended) = self.under_way.join_next().await {
            ended.expect("an answer");
        }
        for server in self.others.iter().chain([&self.stage.remote]) {
            for title in &self.titles {
                let is_it = |a: &Value| {
                    a["type"] == "Create" && a["object"]["name"].as_str().is_some_and(|n| n.contains(title))
                };
                await_one(server, title, is_it).await;
            }
        }
        for (server, follow) in &self.follows {
            let is_it = |a: &Value| a["type"] == "Accept" && a["object"]["id"] == follow["id"];
            await_one(&self.others[*server], "the Accept", is_it).await;
        }
        let difference = async || self.difference().await;
        let none = within(LONG, || async { difference().await.is_empty().then_some(()) }).await;
        assert!(none.is_some(), "{:#?}", self.difference().await);
        self.stage.settle().await;
        assert_eq!(self.difference().await, BTreeSet::new(), "it does not stay so");
    }

    /// What is not as it should be.
    async fn difference(&self) -> BTreeSet<String> {
        let mut wrong = BTreeSet::new();
        let listed = self.stage.items(&self.stage.critic["followers"]).await;
        let listed: Vec<_> = listed.into_iter().filter(|actor| !actor.contains("stranger")).collect();
        let followers: BTreeSet<String> = listed.iter().cloned().collect();
        if followers != self.followers || listed.len() != followers.len() {
            wrong.insert(format!("{listed:?} follow, not {:?}", self.followers));
        }
        for (number, article) in self.articles.iter().enumerate() {
            let likes = total(&self.stage, &self.stage.article(article).await["likes"]).await;
            if usize::try_from(likes).ok() != Some(self.likes[number].len()) {
                wrong.insert(format!("{likes} likes of {number}, not {}", self.likes[number].len()));
            }
            let page = self.stage.page(article).await;
            for said in &self.comments[number] {
                let shown = page.comments.iter().filter(|c| c.text.contains(said.as_str())).count();
                if shown != 1 {
                    wrong.insert(format!("{said:?} is shown {shown} times under {number}"));
                }
            }
            if page.comments.len() != self.comments[number].len() {
                wrong.insert(format!("{} comments under {number}", page.comments.len()));
            }
        }
        wrong
    }
}

/// Waits until a server has it. It may come more than once, as one and the same.
async fn await_one(server: &Remote, what: &str, is_it: impl Fn(&Value) -> bool) {
    let ids = || -> BTreeSet<String> {
        let received = server.received().into_iter().filter(|received| is_it(&received.activity));
        received.map(|received| received.activity["id"].to_string()).collect()
    };
    let came = within(LONG, || async { (!ids().is_empty()).then_some(()) }).await;
    assert!(came.is_some(), "{}: waited in vain for {what}", server.host());
    assert_eq!(ids().len(), 1, "{}: {what} is one activity", server.host());
}
