//! Measures the cost of an inbound activity, which is verified and committed before the response is sent, and
//! of a forged one, which is rejected. A helper process has signed everything beforehand.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::authors::{Author, authors, forge};
use support::environment::Environment;
use support::helper_process::HelperProcess;
use support::limits::{self, DIGEST, VERIFY, cost};
use support::load::SignedRequest;
use support::report::{median, micros, number, ratio};
use support::site::{ServerProcess, Site};
use support::{cpu, database, eventually, is_full, rounds, size, wants};

/// Actors who send activities.
const AUTHORS: usize = 200;

/// Connections of the load generator.
const CONNECTIONS: usize = 32;

fn main() -> anyhow::Result<()> {
    support::enter(Box::pin(bench()))
}

async fn bench() -> anyhow::Result<()> {
    println!("inbox: sizes {}, {} rounds", if is_full() { "of the goals" } else { "short" }, rounds()?);
    let mut bench = InboxBench::build().await?;
    if wants("inbox") {
        bench.accepted("inbox", "web").await?;
        bench.accepted("inbox_applied", "all").await?;
    }
    if wants("inbox_forged") {
        bench.forged().await?;
    }
    Ok(())
}

struct InboxBench {
    environment: Environment,
    site: Site,
    load: HelperProcess,
    baseline: HelperProcess,
    authors: Vec<Author>,
    /// The review that the actors like.
    article: String,
}

/// One value per round, in µs of CPU time.
#[derive(Default)]
struct Costs {
    http: Vec<f64>,
    digest: Vec<f64>,
    verify: Vec<f64>,
    insert: Vec<f64>,
    ours: Vec<f64>,
    ratios: Vec<f64>,
    /// Responses per status.
    statuses: Vec<String>,
}

impl Costs {
    fn print(&self, name: &str, requests: usize) {
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
                    "{}, {:.0} per CPU second; {requests} per round by {AUTHORS} actors, {CONNECTIONS} connections, {}",
                    micros("an activity", &self.ours),
                    1e6 / median(&self.ours),
                    database()
                ),
                format!("responses of the last round: {}", self.statuses.last().map_or("", String::as_str)),
            ],
        );
    }
}

impl InboxBench {
    async fn build() -> anyhow::Result<Self> {
        let mut environment = Environment::build().await?;
        let site = environment.site(&[]).await?;
        let authors = authors(AUTHORS);
        environment.serve_actors(&authors).await?;
        let load = HelperProcess::start("as-load", &Value::Null).await?;
        let baseline = HelperProcess::start("as-baseline", &json!({})).await?;
        let running = site.start("all").await?;
        let page = site.publish("The Third Row").await?.page;
        let article = site.document(&page).await?["id"].as_str().unwrap_or_default().to_owned();
        running.stop().await?;
        Ok(Self { environment, site, load, baseline, authors, article })
    }

    /// Signs `count` likes.
    fn requests(&self, count: usize) -> Vec<SignedRequest> {
        let authors = self.authors.iter().cycle().take(count);
        authors.map(|author| author.signed_request(&author.like(&self.article))).collect()
    }

    /// Sends each request once, and returns the number of responses per status.
    async fn send(&mut self, requests: &[SignedRequest], address: &str) -> anyhow::Result<Value> {
        self.load.call(&json!({"do": "keep", "requests": requests})).await?;
        self.resend(address).await
    }

    async fn resend(&mut self, address: &str) -> anyhow::Result<Value> {
        let order = json!({"do": "post", "address": address, "connections": CONNECTIONS});
        Ok(self.load.call(&order).await?["statuses"].take())
    }

    /// Measures the CPU time that the trivial handler needs for the same requests.
    async fn http(&mut self, requests: &[SignedRequest]) -> anyhow::Result<f64> {
        let address = self.baseline.ready["address"].as_str().unwrap_or_default().to_owned();
        let pid = self.baseline.pid()?;
        let before = cpu::of(pid)?;
        self.send(requests, &address).await?;
        // A few clock ticks would be too coarse, so the requests are sent five times in all.
        for _ in 0..4 {
            self.resend(&address).await?;
        }
        Ok(micros_per_item(cpu::of(pid)?.saturating_sub(before), requests.len() * 5))
    }

    /// Makes the server cache the keys of all actors, as it would for frequent senders.
    async fn learn_keys(&mut self) -> anyhow::Result<()> {
        let requests = self.requests(AUTHORS);
        let address = self.site.listen.to_string();
        let statuses = self.send(&requests, &address).await?;
        anyhow::ensure!(statuses["202"] == AUTHORS, "not every request was accepted: {statuses}");
        Ok(())
    }

    /// Measures accepted activities until they are committed, and with the role `all` until they have taken
    /// effect.
    async fn accepted(&mut self, name: &str, role: &str) -> anyhow::Result<()> {
        let running = self.site.start(role).await?;
        self.learn_keys().await?;
        let count = size(4_000, 20_000);
        let mut store = self.site.store().await?;
        let mut costs = Costs::default();
        for _ in 0..rounds()? {
            let requests = self.requests(count);
            costs.http.push(self.http(&requests).await?);
            self.wait_until_settled(&running, role).await?;
            let (before, stored) = (running.cpu()?, store.accepted().await?);
            let address = self.site.listen.to_string();
            let statuses = self.resend(&address).await?;
            if role == "all" {
                eventually("effects", async || Ok((store.unapplied().await? == 0).then_some(()))).await?;
            }
            let cost_per_item = micros_per_item(running.cpu()?.saturating_sub(before), count);
            let stored = store.accepted().await? - stored;
            anyhow::ensure!(usize::try_from(stored)? == count, "{stored} of {count} were stored: {statuses}");
            costs.statuses.push(statuses.to_string());
            let body = &requests[0].body;
            costs.insert.push(limits::insert(&mut self.environment.limits, body).await?);
            self.compare(&mut costs, cost_per_item).await?;
        }
        costs.print(name, count);
        running.stop().await
    }

    /// Waits until all earlier activities are processed.
    async fn wait_until_settled(&self, running: &ServerProcess, role: &str) -> anyhow::Result<()> {
        let mut store = self.site.store().await?;
        if role == "all" {
            eventually("effects", async || Ok((store.unapplied().await? == 0).then_some(()))).await?;
        }
        running.wait_until_idle().await
    }

    /// Measures invalid signatures of actors whose keys are cached.
    async fn forged(&mut self) -> anyhow::Result<()> {
        let running = self.site.start("web").await?;
        self.learn_keys().await?;
        let count = size(4_000, 20_000);
        let requests: Vec<SignedRequest> = self.requests(count).into_iter().map(forge).collect();
        let address = self.site.listen.to_string();
        // The first forged request per actor may cause a new fetch of the key.
        self.send(&requests[..AUTHORS], &address).await?;
        let mut store = self.site.store().await?;
        let mut costs = Costs::default();
        for _ in 0..rounds()? {
            costs.http.push(self.http(&requests).await?);
            self.wait_until_settled(&running, "web").await?;
            let (before, stored) = (running.cpu()?, store.accepted().await?);
            let statuses = self.resend(&address).await?;
            let cost_per_item = micros_per_item(running.cpu()?.saturating_sub(before), count);
            anyhow::ensure!(statuses["401"] == count, "not every request was rejected: {statuses}");
            anyhow::ensure!(store.accepted().await? == stored, "a forged activity was stored");
            costs.statuses.push(statuses.to_string());
            self.environment.limits.call(&json!({"body": requests[0].body})).await?;
            self.compare(&mut costs, cost_per_item).await?;
        }
        costs.print("inbox_forged", count);
        running.stop().await
    }

    async fn compare(&mut self, costs: &mut Costs, cost_per_item: f64) -> anyhow::Result<()> {
        let digest = cost(&mut self.environment.limits, "digest", DIGEST).await?;
        let verify = cost(&mut self.environment.limits, "verify", VERIFY).await?;
        costs.digest.push(digest);
        costs.verify.push(verify);
        costs.ours.push(cost_per_item);
        let last = |values: &[f64]| values.last().copied().unwrap_or(0.0);
        costs.ratios.push((last(&costs.http) + digest + verify + last(&costs.insert)) / cost_per_item);
        Ok(())
    }
}

/// Returns the time per item in µs.
fn micros_per_item(spent: Duration, count: usize) -> f64 {
    spent.as_secs_f64() * 1e6 / number(count)
}
