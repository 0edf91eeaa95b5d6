//! What identifies an entry: the ids and links of many feeds are shared, or are used again.

use serde_json::Value;

use crate::both_databases;
use crate::support::feed::{Item, rss};
use crate::support::remote::Document;
use crate::support::rng::Rng;
use crate::support::{Database, Fixture, eventually};

both_databases!(
    a_review_is_never_replaced_by_another_one_with_its_id_or_link,
    a_rewritten_review_is_updated_under_its_id_and_link,
    what_may_be_another_review_waits_for_the_critic,
    a_retracted_review_does_not_come_back_under_other_ids,
    an_entry_that_a_document_has_twice_is_one,
    a_changed_date_of_a_scheduled_review_is_applied,
    what_the_critic_corrected_is_not_sent_again,
    what_changes_at_each_poll_is_not_sent_at_each_poll,
    a_renamed_feed_keeps_its_reviews,
    a_feed_takes_over_the_entries_of_one_that_has_left_the_config,
    what_only_a_feed_had_that_has_left_the_config_stays_held,
);

const ALL: &str = "publish_since = \"2000-01-01\"\ninterval = \"1s\"\nmax_publish_per_poll = 50";

const WORDS: &str = "river lamp quiet street window actor silence camera slow night train mother village colour edit shadow sound \
    laughter memory door ferry radio sister winter harbour letter orchard bridge candle mirror garden summer whistle staircase";

/// A text that no other seed has.
pub fn prose(seed: u64) -> String {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut rng = Rng::new(seed);
    (0..80).map(|_| *rng.pick(&words)).collect::<Vec<_>>().join(" ")
}

/// The review of a day: with a film, a headline and a text of its own.
pub fn review(day: u64, film: &str) -> Item {
    let mut item = Item::review(film);
    item.title = format!("Movie Review: '{film}'");
    item.html = format!("<p>{}.</p>", prose(day));
    item.published = format!("2026-10-{day:02}T10:00:00Z").parse().ok();
    item
}

/// A site with one feed for each of these names, and a follower.
pub async fn fixture(database: Database, feeds: &[&str]) -> Fixture {
    let fixture = Fixture::with(database, |remote, settings| {
        feeds.iter().fold(settings, |settings, feed| {
            let path = format!("/{feed}.xml");
            remote.serve(&path, Document::new("application/rss+xml", rss(&[])));
            settings.feed(feed, &remote.url(&path), ALL)
        })
    })
    .await;
    fixture.follow(&fixture.alice).await;
    fixture
}

pub async fn poll(fixture: &Fixture, feed: &str, items: &[Item]) {
    fixture.remote.serve(&format!("/{feed}.xml"), Document::new("application/rss+xml", rss(items)));
    fixture.app.poll(feed).await;
    fixture.settle().await;
}

/// The numbers of Creates and of Updates of reviews that the follower got.
pub fn sent(fixture: &Fixture) -> (usize, usize) {
    let count = |kind| {
        let activities = fixture.remote.distinct_activities(kind);
        activities.iter().filter(|activity| activity["object"]["type"] == "Article").count()
    };
    (count("Create"), count("Update"))
}

pub async fn log_lines(fixture: &Fixture, part: &str) -> usize {
    fixture.app.feed_log().await.iter().filter(|line| line.contains(part)).count()
}

/// Gives a review the id or link that a feed would, by its day and its position.
type Scheme = fn(&mut Item, u64, usize);

/// The schemes, with the number of entries that the feed has at a time.
const SCHEMES: [(&str, usize, Scheme); 9] = [
    ("position", 4, |item, _, at| item.id = (at + 1).to_string()),
    ("position-without-links", 4, |item, _, at| {
        item.id = (at + 1).to_string();
        item.link.clear();
    }),
    ("position-and-one-headline", 4, |item, _, at| {
        item.id = (at + 1).to_string();
        "Film of the Week".clone_into(&mut item.title);
    }),
    ("position-and-one-headline-without-links", 4, |item, _, at| {
        item.id = (at + 1).to_string();
        item.link.clear();
        "Film of the Week".clone_into(&mut item.title);
    }),
    ("blog-as-id", 1, |item, _, _| {
        "https://remote.test/".clone_into(&mut item.id);
        item.link.clone_from(&item.id);
    }),
    ("blog-as-link-without-id", 1, |item, _, _| {
        item.id.clear();
        "https://remote.test/latest".clone_into(&mut item.link);
    }),
    ("blog-as-link", 2, |item, day, _| {
        item.id = format!("blog-as-link {day}");
        "https://remote.test/home".clone_into(&mut item.link);
    }),
    ("month-page", 2, |item, day, _| {
        item.id = format!("month-page {day}");
        item.link = format!("https://remote.test/2026/10#day-{day}");
    }),
    ("page-of-a-film", 1, |item, day, _| {
        item.id = format!("page-of-a-film {day}");
        "https://films.test/one-film".clone_into(&mut item.link);
    }),
];

/// The slug of an Article.
pub fn slug(article: &Value) -> String {
    article["url"].as_str().and_then(|page| page.rsplit('/').next()).expect("a slug").to_owned()
}

async fn a_review_is_never_replaced_by_another_one_with_its_id_or_link(database: Database) {
    let fixture = fixture(database, &SCHEMES.map(|(feed, ..)| feed)).await;
    let mut count = 0;
    for (number, (feed, length, scheme)) in SCHEMES.into_iter().enumerate() {
        let text = |day: u64| prose(number as u64 * 100 + day);
        let of_day = |day: u64| {
            let film = ["Ash", "Brine", "Chalk", "Dust", "Elm", "Fog"][usize::try_from(day).expect("a day")];
            Item { html: format!("<p>{}.</p>", text(day)), ..review(day + 1, &format!("{film} {number}")) }
        };
        for newest in [3, 4, 4, 5] {
            let items: Vec<Item> = (0..=newest)
                .rev()
                .take(length)
                .enumerate()
                .map(|(at, day)| {
                    let mut item = of_day(day);
                    scheme(&mut item, day, at);
                    item
                })
                .collect();
            let document = Document::new("application/rss+xml", rss(&items));
            fixture.remote.serve(&format!("/{feed}.xml"), document);
            fixture.app.poll(feed).await;
        }
        fixture.settle().await;
        count += length + 2;
        assert_eq!(sent(&fixture), (count, 0), "{feed}: {:?}", fixture.app.feed_log().await);
        let articles = fixture.articles().await;
        for text in (4 - length as u64..6).map(text) {
            let contains =
                |article: &Value| article["content"].as_str().is_some_and(|html| html.contains(&text));
            assert_eq!(articles.iter().filter(|article| contains(article)).count(), 1, "{feed}: {text}");
        }
    }
    assert!(log_lines(&fixture, "its id is that of another review").await > 0);
    assert!(log_lines(&fixture, "its link is that of another review").await > 0);
}

async fn a_rewritten_review_is_updated_under_its_id_and_link(database: Database) {
    let fixture = fixture(database, &["blog"]).await;
    let mut item = review(1, "Brine");
    poll(&fixture, "blog", std::slice::from_ref(&item)).await;
    item.html = format!("<p>{}.</p>", prose(50));
    poll(&fixture, "blog", std::slice::from_ref(&item)).await;
    assert_eq!(sent(&fixture), (1, 1), "the text was rewritten");
    "What the Ferry Left Behind".clone_into(&mut item.title);
    item.published = "2026-10-02T10:00:00Z".parse().ok();
    poll(&fixture, "blog", std::slice::from_ref(&item)).await;
    assert_eq!(sent(&fixture), (1, 2), "the headline was rewritten");
    item.link.push_str("-renamed");
    item.html.push_str("<p>A line that was added.</p>");
    poll(&fixture, "blog", std::slice::from_ref(&item)).await;
    assert_eq!(sent(&fixture), (1, 3), "the link has another name");
    assert_eq!(fixture.articles().await.len(), 1);
}

async fn what_may_be_another_review_waits_for_the_critic(database: Database) {
    let fixture = fixture(database, &["blog"]).await;
    let item = review(1, "Brine");
    poll(&fixture, "blog", std::slice::from_ref(&item)).await;
    let article = fixture.articles().await.remove(0);
    let slug = slug(&article);
    // Everything is new but the date, the id and the link.
    let mut other = review(9, "Chalk");
    (other.id, other.link, other.published) = (item.id, item.link, item.published);
    for _ in 0..2 {
        poll(&fixture, "blog", std::slice::from_ref(&other)).await;
        assert_eq!(sent(&fixture), (1, 0));
        assert_eq!(log_lines(&fixture, "it may be another review").await, 1);
    }
    assert!(fixture.article(&article).await["content"].to_string().contains(&prose(1)));
    fixture.app.command_output(&["feed", "accept", &slug]).await;
    fixture.settle().await;
    assert_eq!(sent(&fixture), (1, 1));
    assert!(fixture.article(&article).await["content"].to_string().contains(&prose(9)));
}

/// Held reviews go on to be published, and what the blog changes is applied.
async fn assert_goes_on(fixture: &Fixture, feed: &str, file: &str, items: &mut [Item]) {
    eventually("the reviews that were held", || async {
        fixture.app.poll(feed).await;
        fixture.settle().await;
        (sent(fixture).0 == items.len()).then_some(())
    })
    .await;
    items[0].html.push_str("<p>A line that was added.</p>");
    fixture.remote.serve(&format!("/{file}.xml"), Document::new("application/rss+xml", rss(items)));
    eventually("the Update", || async {
        fixture.app.poll(feed).await;
        fixture.settle().await;
        (sent(fixture).1 == 1).then_some(())
    })
    .await;
    assert_eq!(sent(fixture), (items.len(), 1), "{:?}", fixture.app.feed_log().await);
    let held = fixture.app.command_output(&["feed", "held"]).await;
    assert!(held.contains("no reviews are held"), "{held}");
}

async fn a_renamed_feed_keeps_its_reviews(database: Database) {
    let mut fixture = fixture(database, &["blog"]).await;
    let more = ALL.replace("50", "1").replace("1s", "1h");
    fixture.app.redeclare_feeds(|feeds| feeds[0].more.clone_from(&more));
    fixture.app.restart().await;
    let mut items: Vec<Item> =
        [(3, "Chalk"), (2, "Brine"), (1, "Ash")].map(|(day, film)| review(day, film)).to_vec();
    for item in &mut items {
        // Only the id identifies it, and that is one of this feed.
        item.link.clear();
    }
    poll(&fixture, "blog", &items).await;
    assert_eq!(sent(&fixture).0, 1);
    fixture.app.redeclare_feeds(|feeds| {
        "reviews".clone_into(&mut feeds[0].name);
        ALL.clone_into(&mut feeds[0].more);
    });
    fixture.app.restart().await;
    assert_goes_on(&fixture, "reviews", "blog", &mut items).await;
}

async fn a_feed_takes_over_the_entries_of_one_that_has_left_the_config(database: Database) {
    let mut fixture = fixture(database, &["blog", "other"]).await;
    let more = ALL.replace("50", "1").replace("1s", "1h");
    fixture.app.redeclare_feeds(|feeds| feeds.iter_mut().for_each(|feed| feed.more.clone_from(&more)));
    fixture.app.restart().await;
    let mut items: Vec<Item> =
        [(3, "Chalk"), (2, "Brine"), (1, "Ash")].map(|(day, film)| review(day, film)).to_vec();
    poll(&fixture, "blog", &items).await;
    assert_eq!(sent(&fixture).0, 1);
    // As long as both are in the config, the first one remains the source.
    poll(&fixture, "other", &items).await;
    assert_eq!((sent(&fixture).0, log_lines(&fixture, "which remains its source").await), (1, 3));
    fixture.app.redeclare_feeds(|feeds| {
        feeds.retain(|feed| feed.name == "other");
        ALL.clone_into(&mut feeds[0].more);
    });
    fixture.app.restart().await;
    assert_goes_on(&fixture, "other", "other", &mut items).await;
    assert_eq!(log_lines(&fixture, "took over entries of “blog”").await, 1);
}

async fn a_retracted_review_does_not_come_back_under_other_ids(database: Database) {
    let fixture = fixture(database, &["blog"]).await;
    let item = review(1, "Brine");
    poll(&fixture, "blog", std::slice::from_ref(&item)).await;
    let article = fixture.articles().await.remove(0);
    let slug = slug(&article);
    fixture.app.command_output(&["retract", &slug]).await;
    let mut moved = item.clone();
    "https://elsewhere.test/?p=1".clone_into(&mut moved.id);
    "https://elsewhere.test/brine".clone_into(&mut moved.link);
    moved.html = moved.html.replacen("<p>", "<p>Once ", 1);
    let mut old = moved.clone();
    (old.id, old.link) = ("old".to_owned(), "https://elsewhere.test/old-brine".to_owned());
    old.published = "1999-01-01T10:00:00Z".parse().ok();
    old.html.push_str("<p>Then again.</p>");
    for items in [vec![moved.clone()], vec![moved.clone()], vec![old, moved]] {
        poll(&fixture, "blog", &items).await;
        assert_eq!(sent(&fixture).0, 1, "{:?}", fixture.app.feed_log().await);
        assert!(fixture.articles().await.is_empty());
    }
    assert_eq!(log_lines(&fixture, "it has the text of a review that was retracted").await, 2);
}

async fn an_entry_that_a_document_has_twice_is_one(database: Database) {
    let fixture = fixture(database, &["blog"]).await;
    let items = [review(2, "Brine"), review(1, "Ash"), review(2, "Brine")];
    for _ in 0..2 {
        poll(&fixture, "blog", &items).await;
        assert_eq!((sent(&fixture), log_lines(&fixture, "similar to").await), ((2, 0), 0));
    }
    // It is recognized by its id alone, or by its link alone.
    let mut edited = items;
    for item in &mut edited {
        item.html.push_str("<p>A line that was added.</p>");
    }
    edited[0].link.push_str("-renamed");
    edited[2] = edited[0].clone();
    edited[1].id.push_str("-renamed");
    poll(&fixture, "blog", &edited).await;
    assert_eq!(sent(&fixture), (2, 2));
}

async fn a_changed_date_of_a_scheduled_review_is_applied(database: Database) {
    let fixture = fixture(database, &["blog"]).await;
    let in_hours = |hours| Some(crate::support::now() + jiff::SignedDuration::from_hours(hours));
    let mut items = [review(1, "Ash"), review(2, "Brine"), review(3, "Chalk"), review(4, "Dust")];
    for item in &mut items {
        item.published = in_hours(9_000);
    }
    poll(&fixture, "blog", &items).await;
    assert_eq!((sent(&fixture).0, log_lines(&fixture, " scheduled ").await), (0, 4));
    // One is of today, one is old, one comes sooner, and the last one keeps its date.
    items[0].published = in_hours(-1);
    items[1].published = "1999-01-01T10:00:00Z".parse().ok();
    items[2].published = in_hours(48);
    for _ in 0..2 {
        poll(&fixture, "blog", &items).await;
        assert_eq!(log_lines(&fixture, "its date changed").await, 3);
    }
    fixture
        .remote
        .await_activity("the Create", |a| {
            a["type"] == "Create" && a["object"]["name"].to_string().contains("Ash")
        })
        .await;
    eventually("the old one in the archive", || async {
        (fixture.articles().await.len() == 2).then_some(())
    })
    .await;
    fixture.settle().await;
    assert_eq!(sent(&fixture), (1, 0));
    let listed = fixture.app.command_output(&["review", "list", "--json"]).await;
    let day = in_hours(48).expect("a moment").to_string()[..10].to_owned();
    assert!(listed.contains(&day), "{listed}");
}

async fn what_the_critic_corrected_is_not_sent_again(database: Database) {
    let fixture = fixture(database, &["blog"]).await;
    let mut item = review(1, "Brine");
    let rated = |stars| format!("<p>{}.</p><p>Rating: {stars}</p>", prose(1));
    item.html = rated("★★★");
    poll(&fixture, "blog", std::slice::from_ref(&item)).await;
    let article = fixture.articles().await.remove(0);
    let slug = slug(&article);
    let text = fixture.app.command_output(&["review", "show", &slug]).await;
    let file = fixture.app.write("corrected.md", &text.replace("★★★", "★★★★★"));
    fixture.app.command_output(&["revise", &slug, &file]).await;
    fixture.settle().await;
    assert_eq!(sent(&fixture), (1, 1));
    item.html = rated("★★");
    for _ in 0..2 {
        poll(&fixture, "blog", std::slice::from_ref(&item)).await;
        assert_eq!(sent(&fixture), (1, 1));
        assert_eq!(log_lines(&fixture, "only what you have corrected changed").await, 1);
    }
    item.html.push_str("<p>A line that was added.</p>");
    poll(&fixture, "blog", std::slice::from_ref(&item)).await;
    assert_eq!(sent(&fixture), (1, 2));
}

async fn what_changes_at_each_poll_is_not_sent_at_each_poll(database: Database) {
    let fixture = fixture(database, &["counter", "servers"]).await;
    let counted = review(1, "Ash");
    let served = |server: &str| {
        let mut item = review(2, "Brine");
        item.html.extend(["<p>A line that only server ", server, " has.</p>"]);
        [item]
    };
    poll(&fixture, "counter", std::slice::from_ref(&counted)).await;
    poll(&fixture, "servers", &served("B")).await;
    for views in 1..=7 {
        let mut item = counted.clone();
        item.html.extend(["<p>", &views.to_string(), " views</p>"]);
        poll(&fixture, "counter", &[item]).await;
    }
    assert_eq!(sent(&fixture), (2, 4));
    assert_eq!(log_lines(&fixture, "updates of it were sent within a day").await, 1);
    // Another version once, and then both in turn.
    for server in ["A", "B", "A", "B"] {
        poll(&fixture, "servers", &served(server)).await;
        assert_eq!(sent(&fixture), (2, 5));
    }
    assert_eq!(log_lines(&fixture, "it is as it was before its last change").await, 1);
}

async fn what_only_a_feed_had_that_has_left_the_config_stays_held(database: Database) {
    let mut fixture = fixture(database, &["site", "own"]).await;
    let more = ALL.replace("50", "1").replace("1s", "1h");
    fixture.app.redeclare_feeds(|feeds| feeds.iter_mut().for_each(|feed| feed.more.clone_from(&more)));
    fixture.app.restart().await;
    // The feed of a whole site has reviews by others, too.
    let of_site: Vec<Item> =
        [(4, "Dust"), (3, "Chalk"), (2, "Brine"), (1, "Ash")].map(|(day, film)| review(day, film)).to_vec();
    poll(&fixture, "site", &of_site).await;
    assert_eq!(sent(&fixture).0, 1);
    fixture.app.redeclare_feeds(|feeds| {
        feeds.retain(|feed| feed.name == "own");
        ALL.clone_into(&mut feeds[0].more);
    });
    fixture.app.restart().await;
    let own: Vec<Item> = [(2, "Brine"), (1, "Ash")].map(|(day, film)| review(day, film)).to_vec();
    eventually("the review that both have", || async {
        poll(&fixture, "own", &own).await;
        (sent(&fixture).0 == 2).then_some(())
    })
    .await;
    poll(&fixture, "own", &own).await;
    assert_eq!(sent(&fixture).0, 2);
    assert_eq!(log_lines(&fixture, "took over entries of “site”").await, 1);
}
