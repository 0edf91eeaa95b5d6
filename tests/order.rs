//! A thousand activities, each sent up to three times and in random order to a Marquee that is killed ten times, end
//! in the state in which the same activities end that are sent once, in order. `MARQUEE_TEST_SEED` says which.

mod plan;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::both_databases;
use crate::course::total;
use crate::support::dice::{Dice, seed};
use crate::support::letter::Envelope;
use crate::support::shapes::id_of;
use crate::support::signature::Form;
use crate::support::{Database, LONG, Stage, within};

use plan::{ACTORS, ARTICLES, Plan};

both_databases!(a_thousand_activities_in_any_order_end_as_in_order);

/// Activities; `MARQUEE_TEST_ACTIVITIES` says otherwise.
const USUAL: usize = 1_000;
/// How often it is killed.
const KILLS: usize = 10;
/// Deliveries at a time.
const SIDE_BY_SIDE: usize = 8;

async fn a_thousand_activities_in_any_order_end_as_in_order(database: Database) {
    let count =
        std::env::var("MARQUEE_TEST_ACTIVITIES").map_or(USUAL, |text| text.parse().expect("a number"));
    let mut dice = Dice::new(seed());
    let plan = Plan::new(&mut dice, count);
    let expected = in_order(database, &plan).await;
    assert!(!expected.is_empty() && expected.iter().any(|fact| fact.contains("under gone")), "{expected:?}");
    let mut scene = Scene::new(database, &plan).await;
    let mut letters = scene.copies(&plan, &mut dice);
    dice.shuffle(&mut letters);
    scene.deliver_and_kill(letters, &mut dice).await;
    let ends_so = async |scene: &Scene| {
        let (scene, expected) = (&scene, &expected);
        let look = || async { (scene.state().await == *expected).then_some(()) };
        within(LONG, look).await
    };
    if ends_so(&scene).await.is_none() {
        let found = scene.state().await;
        let missing: Vec<_> = expected.difference(&found).collect();
        let surplus: Vec<_> = found.difference(&expected).collect();
        panic!("missing: {missing:#?}\nsurplus: {surplus:#?}");
    }
    scene.stage.settle().await;
    assert!(ends_so(&scene).await.is_some(), "it does not stay so");
}

/// The state that they end in who hear everything once, as it happens.
async fn in_order(database: Database, plan: &Plan) -> BTreeSet<String> {
    let scene = Scene::new(database, plan).await;
    for at in 0..plan.acts.len() {
        let answer = scene.letter(plan, at, Form::Cavage).post(&scene.stage.world.client).await;
        assert!(answer.is_success(), "{}: {}", answer.status, answer.body);
        // Now and then it catches up, so that what is sent in order is also worked on in order.
        if at % 250 == 249 {
            scene.stage.settle().await;
        }
    }
    scene.stage.settle().await;
    let before = scene.state().await;
    scene.stage.settle().await;
    assert_eq!(before, scene.state().await, "nothing is left to do");
    before
}

/// A site with reviews, and the remote with everybody who acts.
struct Scene {
    stage: Stage,
    articles: Vec<Value>,
}

impl Scene {
    async fn new(database: Database, plan: &Plan) -> Self {
        let stage = Stage::new(database).await;
        let mut articles = Vec::new();
        for number in 0..ARTICLES {
            articles.push(stage.publish(&format!("Film {number} of the week")).await);
        }
        for actor in 0..ACTORS {
            stage.remote.user(&plan::name(actor));
        }
        let scene = Self { stage, articles };
        for (path, document) in plan.served(&scene.ids()) {
            scene.stage.remote.serve(&path, document);
        }
        scene
    }

    fn ids(&self) -> plan::Ids {
        let articles = self.articles.iter().map(|article| id_of(article).to_owned()).collect();
        plan::Ids { critic: self.stage.actor().to_owned(), articles, remote: self.stage.remote.url("") }
    }

    /// One activity of the plan, signed at its own second.
    fn letter(&self, plan: &Plan, at: usize, form: Form) -> Envelope {
        let user = self.stage.remote.user(&plan::name(plan.acts[at].actor));
        let mut letter = user.letter(form, self.stage.shared_inbox(), &plan.activity(at, &self.ids()));
        letter.date = plan.moment(at);
        letter.seal()
    }

    /// Each activity up to three times: the same bytes again, or signed anew in the other form, at the same second.
    fn copies(&self, plan: &Plan, dice: &mut Dice) -> Vec<Envelope> {
        let mut letters = Vec::new();
        for at in 0..plan.acts.len() {
            let first = self.letter(plan, at, Form::Cavage);
            for _ in 0..dice.below(3) {
                let again = dice.in_percent(50);
                letters.push(if again { first.clone() } else { self.letter(plan, at, Form::Rfc9421) });
            }
            letters.push(first);
        }
        letters
    }

    /// Delivers everything, and kills it while that goes on. Who gets no answer tries again.
    async fn deliver_and_kill(&mut self, letters: Vec<Envelope>, dice: &mut Dice) {
        let count = letters.len();
        let arrived = Arc::new(AtomicUsize::new(0));
        let places = Arc::new(Semaphore::new(SIDE_BY_SIDE));
        let mut senders = JoinSet::new();
        for letter in letters {
            let (client, arrived, places) =
                (self.stage.world.client.clone(), Arc::clone(&arrived), Arc::clone(&places));
            senders.spawn(async move {
                let _place = places.acquire_owned().await.expect("a place");
                letter.insist(&client).await;
                arrived.fetch_add(1, Ordering::SeqCst);
            });
        }
        let mut moments: Vec<usize> = (0..KILLS).map(|_| dice.below(count)).collect();
        moments.sort_unstable();
        for moment in moments {
            let reached = || async { (arrived.load(Ordering::SeqCst) >= moment).then_some(()) };
            assert!(within(LONG, reached).await.is_some(), "{moment} of {count} are not delivered");
            self.stage.app.crash().await;
        }
        while let Some(sent) = senders.join_next().await {
            sent.expect("a delivery");
        }
    }

    /// Everything that the world can see, as sentences.
    async fn state(&self) -> BTreeSet<String> {
        let mut facts: BTreeSet<String> = BTreeSet::new();
        for follower in self.stage.items(&self.stage.critic["followers"]).await {
            // Those by whom the test waits come and go.
            if !follower.contains("stranger") {
                facts.insert(format!("{follower} follows"));
            }
        }
        for (number, article) in self.articles.iter().enumerate() {
            let now = self.stage.article(article).await;
            for kind in ["likes", "shares"] {
                facts.insert(format!("{} {kind} of {number}", total(&self.stage, &now[kind]).await));
            }
            for reply in self.stage.items(&now["replies"]).await {
                facts.insert(format!("{reply} answers {number}"));
            }
            let page = self.stage.page(article).await;
            for comment in &page.comments {
                let under = page.parent_of(comment).map_or("the review", |parent| plan::said(&parent.text));
                facts.insert(format!("{} under {under} of {number}", plan::said(&comment.text)));
            }
        }
        facts
    }
}
