//! Nothing old or undated is ever sent, whatever the feed, the config and the critic do, unless the critic announces it:
//! random sequences of polls, releases, publishes and changes of the config. `MARQUEE_TEST_POLLS` sets their number,
//! `MARQUEE_TEST_SEED` the seed.

use serde_json::Value;

use crate::both_databases;
use crate::end_to_end::fixture_with_feed;
use crate::support::activities::id_of;
use crate::support::feed::{Item, markdown};
use crate::support::rng::{Rng, seed};
use crate::support::{Database, Fixture};

both_databases!(nothing_old_is_sent_unless_it_is_announced);

/// The default number of steps.
const DEFAULT_STEPS: usize = 15;
/// Entries of the feed at its first poll: some have no date.
const FIRST_ENTRIES: usize = 6;

/// A site with a feed, and what has been done with it.
struct RandomSite {
    fixture: Fixture,
    rng: Rng,
    items: Vec<Item>,
    /// Entries that have left the feed.
    left: Vec<Item>,
    /// Number of reviews so far, which names the next one.
    count: usize,
    /// Whether `publish_since` is before all entries, so that a new one is not old whatever its date is.
    is_everything_new: bool,
    steps: Vec<&'static str>,
}

async fn nothing_old_is_sent_unless_it_is_announced(database: Database) {
    let steps =
        std::env::var("MARQUEE_TEST_POLLS").map_or(DEFAULT_STEPS, |text| text.parse().expect("a number"));
    let mut site = RandomSite::create(database).await;
    for _ in 0..steps {
        site.step().await;
        site.assert_nothing_old_was_sent().await;
    }
    site.announce_one().await;
}

impl RandomSite {
    async fn create(database: Database) -> Self {
        let mut rng = Rng::new(seed());
        let items: Vec<Item> = (0..FIRST_ENTRIES).map(|number| old(&mut rng, number)).collect();
        let fixture = fixture_with_feed(database, &items, "").await;
        fixture.follow(&fixture.alice).await;
        Self {
            fixture,
            rng,
            items,
            left: Vec::new(),
            count: FIRST_ENTRIES,
            is_everything_new: false,
            steps: Vec::new(),
        }
    }

    async fn step(&mut self) {
        let name = *self.rng.pick(&[
            "add",
            "add",
            "edit",
            "edit",
            "new guid",
            "new link",
            "leave",
            "return",
            "shuffle",
            "publish",
            "release",
            "move publish_since",
            "re-add",
        ]);
        self.steps.push(name);
        let at = self.rng.below(self.items.len().max(1));
        match name {
            "add" => self.add(),
            "edit" => {
                if let Some(item) = self.items.get_mut(at) {
                    item.html.push_str("<p>A line that was added.</p>");
                }
            }
            "new guid" => {
                if let Some(item) = self.items.get_mut(at) {
                    item.id.push_str("-2");
                }
            }
            "new link" => {
                if let Some(item) = self.items.get_mut(at) {
                    item.link.push_str("-2");
                }
            }
            "leave" if !self.items.is_empty() => self.left.push(self.items.remove(at)),
            "return" => {
                if let Some(item) = self.left.pop() {
                    self.items.insert(at.min(self.items.len()), item);
                }
            }
            "shuffle" => self.rng.shuffle(&mut self.items),
            "publish" => self.publish_old().await,
            "release" => self.release().await,
            "move publish_since" => self.move_publish_since().await,
            "re-add" => self.add_feed_again().await,
            _ => {}
        }
        self.fixture.remote.serve_feed(&self.items);
        self.fixture.poll().await;
    }

    /// Adds a new entry on top, or an old one anywhere. An undated one could count as new.
    fn add(&mut self) {
        self.count += 1;
        if self.is_everything_new || self.rng.in_percent(50) {
            self.items.insert(0, Item::review(&format!("New {}", self.count)));
        } else {
            let item = Item::old_review(&format!("Old {}", self.count));
            let at = self.rng.below(self.items.len() + 1);
            self.items.insert(at, item);
        }
    }

    async fn publish_old(&mut self) {
        self.count += 1;
        let title = format!("Old {}", self.count);
        let text = markdown(&title, &title, &format!("A ferry, and nobody on it but number {}.", self.count));
        let text = text.replacen("---\n", "---\ndate: 2019-03-04\n", 1);
        let file = self.fixture.app.write("old.md", &text);
        self.fixture.app.command_output(&["publish", &file]).await;
    }

    /// Releases any review, whatever its state is.
    async fn release(&mut self) {
        let list = self.fixture.app.command_output(&["review", "list", "--json", "--lines", "1000"]).await;
        let reviews: Value = serde_json::from_str(&list).expect("JSON");
        let reviews = reviews.as_array().cloned().unwrap_or_default();
        if !reviews.is_empty() {
            let slug = self.rng.pick(&reviews)["slug"].as_str().expect("a slug").to_owned();
            // A review that is not held is an error, which changes nothing.
            let _ = self.fixture.app.cli(&["feed", "release", &slug]).await;
        }
    }

    async fn move_publish_since(&mut self) {
        self.is_everything_new = !self.is_everything_new;
        let yesterday = (crate::support::now() - jiff::SignedDuration::from_hours(24)).to_string();
        let since = if self.is_everything_new { "2000-01-01" } else { &yesterday };
        self.fixture.app.redeclare_feeds(|feeds| feeds[0].more = format!("publish_since = {since:?}"));
        self.fixture.app.restart().await;
    }

    /// Removes the feed from the config and adds it again.
    async fn add_feed_again(&mut self) {
        let mut removed = Vec::new();
        self.fixture.app.redeclare_feeds(|feeds| removed.append(feeds));
        self.fixture.app.restart().await;
        self.fixture.app.redeclare_feeds(|feeds| feeds.append(&mut removed));
        self.fixture.app.restart().await;
    }

    async fn assert_nothing_old_was_sent(&self) {
        self.fixture.settle().await;
        for activity in ["Create", "Update"] {
            for sent in self.fixture.remote.distinct_activities(activity) {
                let name = sent["object"]["name"].as_str().unwrap_or_default();
                assert!(name.contains("New "), "{activity} of {name} after {:?}", self.steps);
            }
        }
        let creates = self.fixture.remote.distinct_activities("Create");
        let ids: std::collections::BTreeSet<&str> =
            creates.iter().map(|create| id_of(&create["object"])).collect();
        assert_eq!(ids.len(), creates.len(), "a review was sent twice after {:?}", self.steps);
    }

    /// An old review is sent once the critic says so.
    async fn announce_one(&mut self) {
        let sent = self.fixture.remote.distinct_activities("Create").len();
        let title = "Announced";
        let text = markdown(title, title, "A ferry with everybody on it.");
        let file = self.fixture.app.write("old.md", &text.replacen("---\n", "---\ndate: 2019-03-04\n", 1));
        self.fixture.app.command_output(&["publish", "--announce", &file]).await;
        self.fixture.settle().await;
        assert_eq!(self.fixture.remote.distinct_activities("Create").len(), sent + 1);
    }
}

/// An entry of the first poll, with an old date or none.
fn old(rng: &mut Rng, number: usize) -> Item {
    let mut item = Item::old_review(&format!("Old {number}"));
    if rng.in_percent(50) {
        item.published = None;
    }
    item
}
