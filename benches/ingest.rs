//! Measures the cost of a new entry of a feed: 25 of them per poll, decided and stored as archived reviews.

mod support;

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use support::ca::Ca;
use support::helper_process::HelperProcess;
use support::limits::{self, PARSE, SANITISE, cost};
use support::report::{median, micros, number, ratio};
use support::seed;
use support::site::{Site, SiteConfig};
use support::{database, on_postgres, postgres::Postgres, rounds, size};

/// Entries of a feed, all of which are new at its first poll.
const ENTRIES: usize = 25;

/// Paragraphs of an entry, as in those that the limits parse and sanitize.
const PARAGRAPHS: usize = 12;

/// A feed whose only entry is known, so that its poll costs what any process of Marquee does.
const KNOWN: &str = "known";

fn main() -> anyhow::Result<()> {
    support::enter(Box::pin(bench()))
}

/// One value per round, in µs of CPU time per entry.
#[derive(Default)]
struct Costs {
    parse: Vec<f64>,
    sanitize: Vec<f64>,
    insert: Vec<f64>,
    new: Vec<f64>,
    unchanged: Vec<f64>,
    ratios: Vec<f64>,
}

async fn bench() -> anyhow::Result<()> {
    println!("ingest: {} rounds, {}", rounds()?, database());
    let feeds = size(40, 200);
    let ca = Ca::new();
    let postgres = if on_postgres() { Some(seed::postgres().await?) } else { None };
    let plan = json!({"database": postgres.as_ref().map(Postgres::url)});
    let mut limits = HelperProcess::start("as-limits", &plan).await?;
    let mut costs = Costs::default();
    for _ in 0..rounds()? {
        let parse = cost(&mut limits, "parse", PARSE).await?;
        let sanitize = cost(&mut limits, "sanitize", SANITISE).await?;
        let insert = limits::insert(&mut limits, &entry_html(0)).await?;
        let site = site_with_feeds(&ca, feeds).await?;
        let new = poll(&site, feeds, feeds * ENTRIES).await?;
        let unchanged = poll(&site, feeds, 0).await?;
        costs.ratios.push((parse + sanitize + 2.0 * insert) / new);
        for (costs, value) in [
            (&mut costs.parse, parse),
            (&mut costs.sanitize, sanitize),
            (&mut costs.insert, insert),
            (&mut costs.new, new),
            (&mut costs.unchanged, unchanged),
        ] {
            costs.push(value);
        }
    }
    let limits =
        [micros("parse", &costs.parse), micros("sanitize", &costs.sanitize), micros("insert", &costs.insert)];
    ratio(
        "ingest",
        &costs.ratios,
        &[
            format!("limits: {}", limits.join(", ")),
            format!(
                "{}, {:.0} per CPU second; {}; {feeds} feeds of {ENTRIES} entries per round, {}",
                micros("a new entry", &costs.new),
                1e6 / median(&costs.new),
                micros("an unchanged one", &costs.unchanged),
                database()
            ),
        ],
    );
    Ok(())
}

/// Creates a site with these feeds, and one that is polled already.
async fn site_with_feeds(ca: &Ca, feeds: usize) -> anyhow::Result<Site> {
    let site =
        Site::create(SiteConfig { ca: ca.pem(), names: Vec::new(), on_postgres: on_postgres() }).await?;
    site.add_feed(KNOWN, &feed(0, 1))?;
    site.poll_feeds(Some(KNOWN)).await?;
    for number in 1..=feeds {
        site.add_feed(&format!("feed{number}"), &feed(number, ENTRIES))?;
    }
    Ok(site)
}

/// Polls all feeds, and returns the CPU time per entry in µs without that of a process that polls a known entry.
async fn poll(site: &Site, feeds: usize, expected: usize) -> anyhow::Result<f64> {
    let known = site.poll_feeds(Some(KNOWN)).await?;
    let all = site.poll_feeds(None).await?;
    let archived = all.output.matches(" archived ").count();
    ensure!(archived == expected, "{archived} entries were archived instead of {expected}:\n{}", all.output);
    let spent = all.cpu.saturating_sub(known.cpu).max(Duration::ZERO);
    Ok(spent.as_secs_f64() * 1e6 / number(feeds * ENTRIES))
}

/// An RSS feed of old reviews.
fn feed(number: usize, entries: usize) -> String {
    let mut items = String::new();
    for entry in 0..entries {
        let id = number * ENTRIES + entry;
        let html = entry_html(id).replace('<', "&lt;");
        let day = 1 + entry % 28;
        let _ = write!(
            items,
            "<item><guid>https://critic.test/{id}</guid><link>https://critic.test/{id}</link>\
             <title>The Reel of {id}</title><pubDate>{day:02} May 2012 10:00:00 GMT</pubDate>\
             <description>{html}</description></item>"
        );
    }
    format!("<rss version=\"2.0\"><channel><title>Films {number}</title>{items}</channel></rss>")
}

/// The text of an entry, of the same length and markup as the one of the limits. No two share enough words to be similar.
fn entry_html(id: usize) -> String {
    let mut state = id as u64 + 1;
    let mut word = || {
        const SYLLABLES: [&str; 16] = [
            "ra", "lo", "mi", "ten", "sor", "va", "ne", "ku", "dal", "pi", "os", "em", "ha", "ri", "bo", "tu",
        ];
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = state >> 52;
        [bits & 15, (bits >> 4) & 15].map(|at| SYLLABLES[usize::try_from(at).unwrap_or_default()]).concat()
    };
    let mut html = String::new();
    for _ in 0..PARAGRAPHS {
        let words: Vec<String> = (0..13).map(|_| word()).collect();
        let _ = write!(
            html,
            "<p>A <em>{}</em> {} the <a href=\"https://rain.test/\">{}</a>, {} <strong>{}</strong>.</p>",
            words[0],
            words[1..4].join(" "),
            words[4],
            words[5..12].join(" "),
            words[12]
        );
    }
    html
}
