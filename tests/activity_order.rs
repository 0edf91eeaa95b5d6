//! A thousand activities are sent in random order, each up to three times, to a Marquee that is killed ten times. The
//! result is the same as if each had been sent once and in order. `MARQUEE_TEST_SEED` sets the seed.

mod plan;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::both_databases;
use crate::end_to_end::total_items;
use crate::support::activities::id_of;
use crate::support::rng::{Rng, seed};
use crate::support::signature::SignatureScheme;
use crate::support::signed_request::SignedRequest;
use crate::support::{Database, Fixture, LONG_WAIT_TIMEOUT, within};

use plan::{ACTORS, ARTICLES, Plan};

both_databases!(a_thousand_activities_have_the_same_result_in_any_order);

/// The default number of activities.
const DEFAULT_ACTIVITIES: usize = 1_000;
/// The number of kills.
const KILLS: usize = 10;
/// Concurrent deliveries.
const CONCURRENCY: usize = 8;

async fn a_thousand_activities_have_the_same_result_in_any_order(database: Database) {
    let count = std::env::var("MARQUEE_TEST_ACTIVITIES")
        .map_or(DEFAULT_ACTIVITIES, |text| text.parse().expect("a number"));
    let mut rng = Rng::new(seed());
    let plan = Plan::new(&mut rng, count);
    let expected = state_after_order(database, &plan).await;
    assert!(
        !expected.is_empty() && expected.iter().any(|fact| fact.contains("under deleted")),
        "{expected:?}"
    );
    let mut site = Site::new(database, &plan).await;
    let mut requests = site.copies(&plan, &mut rng);
    rng.shuffle(&mut requests);
    site.deliver_and_kill(requests, &mut rng).await;
    let await_expected = async |site: &Site| {
        let (site, expected) = (&site, &expected);
        let probe = || async { (site.state().await == *expected).then_some(()) };
        within(LONG_WAIT_TIMEOUT, probe).await
    };
    if await_expected(&site).await.is_none() {
        let actual = site.state().await;
        let missing: Vec<_> = expected.difference(&actual).collect();
        let surplus: Vec<_> = actual.difference(&expected).collect();
        panic!("missing: {missing:#?}\nsurplus: {surplus:#?}");
    }
    site.fixture.settle().await;
    assert!(await_expected(&site).await.is_some(), "the state changed again");
}

/// The state after every activity was sent once, in order.
async fn state_after_order(database: Database, plan: &Plan) -> BTreeSet<String> {
    let site = Site::new(database, plan).await;
    for at in 0..plan.actions.len() {
        let response =
            site.signed_request(plan, at, SignatureScheme::Cavage).post(&site.fixture.network.client).await;
        assert!(response.is_success(), "{}: {}", response.status, response.body);
        // Marquee must catch up now and then, so that it also processes the activities in order.
        if at % 250 == 249 {
            site.fixture.settle().await;
        }
    }
    site.fixture.settle().await;
    let before = site.state().await;
    site.fixture.settle().await;
    assert_eq!(before, site.state().await, "everything has been processed");
    before
}

/// A site with reviews, and a remote with all actors.
struct Site {
    fixture: Fixture,
    articles: Vec<Value>,
}

impl Site {
    async fn new(database: Database, plan: &Plan) -> Self {
        // A few actors do in a minute what they would not do in weeks.
        let fixture = Fixture::with(database, |_, settings| {
            let budgets = ["requests_per_actor", "keys_per_address", "unknown_deletes_per_address"];
            budgets.into_iter().fold(settings, |settings, name| settings.set("budgets", name, "100000"))
        })
        .await;
        let mut articles = Vec::new();
        for number in 0..ARTICLES {
            articles.push(fixture.publish(&format!("Film {number} of the week")).await);
        }
        for actor in 0..ACTORS {
            fixture.remote.user(&plan::name(actor));
        }
        let site = Self { fixture, articles };
        for (path, document) in plan.documents(&site.ids()) {
            site.fixture.remote.serve(&path, document);
        }
        site
    }

    fn ids(&self) -> plan::Ids {
        let articles = self.articles.iter().map(|article| id_of(article).to_owned()).collect();
        plan::Ids { critic: self.fixture.actor().to_owned(), articles, remote: self.fixture.remote.url("") }
    }

    /// One activity of the plan, signed at its own time.
    fn signed_request(&self, plan: &Plan, at: usize, scheme: SignatureScheme) -> SignedRequest {
        let user = self.fixture.remote.user(&plan::name(plan.actions[at].actor));
        let mut request =
            user.unsigned_request(scheme, self.fixture.shared_inbox(), &plan.activity(at, &self.ids()));
        request.date = plan.moment(at);
        request.sign()
    }

    /// Each activity up to three times: the same bytes again, or signed with the other scheme at the same
    /// time.
    fn copies(&self, plan: &Plan, rng: &mut Rng) -> Vec<SignedRequest> {
        let mut requests = Vec::new();
        for at in 0..plan.actions.len() {
            let first = self.signed_request(plan, at, SignatureScheme::Cavage);
            for _ in 0..rng.below(3) {
                let is_exact_copy = rng.in_percent(50);
                requests.push(if is_exact_copy {
                    first.clone()
                } else {
                    self.signed_request(plan, at, SignatureScheme::Rfc9421)
                });
            }
            requests.push(first);
        }
        requests
    }

    /// Delivers all requests while Marquee is killed several times. A sender that gets no response tries again.
    async fn deliver_and_kill(&mut self, requests: Vec<SignedRequest>, rng: &mut Rng) {
        let count = requests.len();
        let arrived = Arc::new(AtomicUsize::new(0));
        let permits = Arc::new(Semaphore::new(CONCURRENCY));
        let mut senders = JoinSet::new();
        for request in requests {
            let (client, arrived, permits) =
                (self.fixture.network.client.clone(), Arc::clone(&arrived), Arc::clone(&permits));
            senders.spawn(async move {
                let _permit = permits.acquire_owned().await.expect("a permit");
                request.post_until_accepted(&client).await;
                arrived.fetch_add(1, Ordering::SeqCst);
            });
        }
        let mut moments: Vec<usize> = (0..KILLS).map(|_| rng.below(count)).collect();
        moments.sort_unstable();
        for moment in moments {
            let reached = || async { (arrived.load(Ordering::SeqCst) >= moment).then_some(()) };
            assert!(
                within(LONG_WAIT_TIMEOUT, reached).await.is_some(),
                "fewer than {moment} of {count} were delivered"
            );
            self.fixture.app.crash().await;
        }
        while let Some(sent) = senders.join_next().await {
            sent.expect("a delivery");
        }
    }

    /// Everything that is publicly visible, as sentences.
    async fn state(&self) -> BTreeSet<String> {
        let mut facts: BTreeSet<String> = BTreeSet::new();
        for follower in self.fixture.items(&self.fixture.critic["followers"]).await {
            // `Fixture::settle` creates followers of its own.
            if !follower.contains("stranger") {
                facts.insert(format!("{follower} follows"));
            }
        }
        for (number, article) in self.articles.iter().enumerate() {
            let now = self.fixture.article(article).await;
            for kind in ["likes", "shares"] {
                facts.insert(format!("{} {kind} of {number}", total_items(&self.fixture, &now[kind]).await));
            }
            for reply in self.fixture.items(&now["replies"]).await {
                facts.insert(format!("{reply} replies to {number}"));
            }
            let page = self.fixture.page(article).await;
            for comment in &page.comments {
                let under =
                    page.parent_of(comment).map_or("the review", |parent| plan::note_label(&parent.text));
                facts.insert(format!("{} under {under} of {number}", plan::note_label(&comment.text)));
            }
        }
        facts
    }
}
