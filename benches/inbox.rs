//! What it costs to take in what others send: proven, committed, and only then answered. What is forged is refused at
//! the price of finding that out. Everything is signed beforehand by another process.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::figure::{median, micros, number, ratio};
use support::letters::{Author, authors, forge};
use support::limits::{self, DIGEST, VERIFY, cost};
use support::load::Letter;
use support::player::Player;
use support::rig::Rig;
use support::site::{Running, Site};
use support::{cpu, database, eventually, is_full, rounds, size, wants};

/// People who send.
const AUTHORS: usize = 200;

/// Connections of those who send.
const CONNECTIONS: usize = 32;

fn main() -> anyhow::Result<()> {
    support::enter(Box::pin(bench()))
}

async fn bench() -> anyhow::Result<()> {
    println!("inbox: sizes {}, {} rounds", if is_full() { "of the goals" } else { "short" }, rounds()?);
    let mut flood = Flood::build().await?;
    if wants("inbox") {
        flood.accepted("inbox", "web").await?;
        flood.accepted("inbox_applied", "all").await?;
    }
    if wants("inbox_forged") {
        flood.forged().await?;
    }
    Ok(())
}

struct Flood {
    rig: Rig,
    site: Site,
    load: Player,
    plain: Player,
    authors: Vec<Author>,
    /// The review that they like.
    article: String,
}

/// What one round showed, in µs of CPU.
#[derive(Default)]
struct Costs {
    http: Vec<f64>,
    digest: Vec<f64>,
    verify: Vec<f64>,
    insert: Vec<f64>,
    ours: Vec<f64>,
    ratios: Vec<f64>,
    /// Answers of each status.
    statuses: Vec<String>,
}

impl Costs {
    fn print(&self, name: &str, letters: usize) {
        let mut parts =
            vec![micros("http", &self.http), micros("digest", &self.digest), micros("verify", &self.verify)];
        if !self.insert.is_empty() {
            parts.push(micros("insert", &self.insert));
        }
        ratio(
            name,
            &self.ratios,
            &[
                format!("limits: {}", parts.join(", ")),
                format!(
                    "{}, {:.0} a CPU-second; {letters} a round by {AUTHORS} actors, {CONNECTIONS} connections, {}",
                    micros("an activity", &self.ours),
                    1e6 / median(&self.ours),
                    database()
                ),
                format!("answers of the last round: {}", self.statuses.last().map_or("", String::as_str)),
            ],
        );
    }
}

impl Flood {
    async fn build() -> anyhow::Result<Self> {
        let mut rig = Rig::build().await?;
        let site = rig.site(&[]).await?;
        let authors = authors(AUTHORS);
        rig.introduce(&authors).await?;
        let load = Player::start("as-load", &Value::Null).await?;
        let plain = Player::start("as-plain", &json!({})).await?;
        let running = site.start("all").await?;
        let page = site.publish("The Third Row").await?.page;
        let article = site.document(&page).await?["id"].as_str().unwrap_or_default().to_owned();
        running.stop().await?;
        Ok(Self { rig, site, load, plain, authors, article })
    }

    /// So many likes, signed now.
    fn letters(&self, count: usize) -> Vec<Letter> {
        let authors = self.authors.iter().cycle().take(count);
        authors.map(|author| author.letter(&author.like(&self.article))).collect()
    }

    /// Sends what is given, each once; gives how many answers of each status there were.
    async fn send(&mut self, letters: &[Letter], address: &str) -> anyhow::Result<Value> {
        self.load.ask(&json!({"do": "keep", "letters": letters})).await?;
        self.resend(address).await
    }

    async fn resend(&mut self, address: &str) -> anyhow::Result<Value> {
        let order = json!({"do": "post", "address": address, "connections": CONNECTIONS});
        Ok(self.load.ask(&order).await?["statuses"].take())
    }

    /// What the trivial handler needs for the same requests.
    async fn http(&mut self, letters: &[Letter]) -> anyhow::Result<f64> {
        let address = self.plain.hello["address"].as_str().unwrap_or_default().to_owned();
        let pid = self.plain.pid()?;
        let before = cpu::of(pid)?;
        self.send(letters, &address).await?;
        // Few ticks of the clock are no measure.
        for _ in 0..4 {
            self.resend(&address).await?;
        }
        Ok(each(cpu::of(pid)?.saturating_sub(before), letters.len() * 5))
    }

    /// Lets the keys of all be known, as they are of those who write often.
    async fn meet(&mut self) -> anyhow::Result<()> {
        let letters = self.letters(AUTHORS);
        let address = self.site.listen.to_string();
        let statuses = self.send(&letters, &address).await?;
        anyhow::ensure!(statuses["202"] == AUTHORS, "not all are heard: {statuses}");
        Ok(())
    }

    /// Activities that are accepted and committed; by a process that works, too, until each had its effect.
    async fn accepted(&mut self, name: &str, role: &str) -> anyhow::Result<()> {
        let running = self.site.start(role).await?;
        self.meet().await?;
        let count = size(4_000, 20_000);
        let mut store = self.site.store().await?;
        let mut costs = Costs::default();
        for _ in 0..rounds()? {
            let letters = self.letters(count);
            costs.http.push(self.http(&letters).await?);
            self.settle(&running, role).await?;
            let (before, kept) = (running.cpu()?, store.accepted().await?);
            let address = self.site.listen.to_string();
            let statuses = self.resend(&address).await?;
            if role == "all" {
                eventually("effects", async || Ok((store.unapplied().await? == 0).then_some(()))).await?;
            }
            let took = each(running.cpu()?.saturating_sub(before), count);
            let kept = store.accepted().await? - kept;
            anyhow::ensure!(usize::try_from(kept)? == count, "{kept} are kept of {count}: {statuses}");
            costs.statuses.push(statuses.to_string());
            let body = &letters[0].body;
            costs.insert.push(limits::insert(&mut self.rig.limits, body).await?);
            self.compare(&mut costs, took).await?;
        }
        costs.print(name, count);
        running.stop().await
    }

    /// Waits until what was sent before is dealt with.
    async fn settle(&self, running: &Running, role: &str) -> anyhow::Result<()> {
        let mut store = self.site.store().await?;
        if role == "all" {
            eventually("effects", async || Ok((store.unapplied().await? == 0).then_some(()))).await?;
        }
        running.calm().await
    }

    /// Signatures that do not fit, by actors whose keys are known.
    async fn forged(&mut self) -> anyhow::Result<()> {
        let running = self.site.start("web").await?;
        self.meet().await?;
        let count = size(4_000, 20_000);
        let letters: Vec<Letter> = self.letters(count).into_iter().map(forge).collect();
        let address = self.site.listen.to_string();
        // The first of each may make the server look for a new key.
        self.send(&letters[..AUTHORS], &address).await?;
        let mut store = self.site.store().await?;
        let mut costs = Costs::default();
        for _ in 0..rounds()? {
            costs.http.push(self.http(&letters).await?);
            self.settle(&running, "web").await?;
            let (before, kept) = (running.cpu()?, store.accepted().await?);
            let statuses = self.resend(&address).await?;
            let took = each(running.cpu()?.saturating_sub(before), count);
            anyhow::ensure!(statuses["401"] == count, "not all are refused: {statuses}");
            anyhow::ensure!(store.accepted().await? == kept, "a forged activity is kept");
            costs.statuses.push(statuses.to_string());
            self.rig.limits.ask(&json!({"body": letters[0].body})).await?;
            self.compare(&mut costs, took).await?;
        }
        costs.print("inbox_forged", count);
        running.stop().await
    }

    async fn compare(&mut self, costs: &mut Costs, took: f64) -> anyhow::Result<()> {
        let digest = cost(&mut self.rig.limits, "digest", DIGEST).await?;
        let verify = cost(&mut self.rig.limits, "verify", VERIFY).await?;
        costs.digest.push(digest);
        costs.verify.push(verify);
        costs.ours.push(took);
        let last = |list: &[f64]| list.last().copied().unwrap_or(0.0);
        costs.ratios.push((last(&costs.http) + digest + verify + last(&costs.insert)) / took);
        Ok(())
    }
}

/// A share of a time, in µs.
fn each(spent: Duration, count: usize) -> f64 {
    spent.as_secs_f64() * 1e6 / number(count)
}
