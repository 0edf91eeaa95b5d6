//! Compares a page with a trivial handler that sends the same bytes and headers, and measures response times
//! for many readers while a fan-out runs.

mod support;

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use support::authors::authors;
use support::baseline;
use support::connection::headers;
use support::environment::Environment;
use support::helper_process::{HelperProcess, count, real};
use support::report::{median, micros, number, ratio};
use support::seed::FollowerGroup;
use support::site::{AS2, HOST, ServerProcess, Site};
use support::{cpu, eventually, is_full, rounds, size, wants};

/// Comments on the review.
const COMMENTS: usize = 200;

/// Authors of the comments.
const AUTHORS: usize = 50;

/// Concurrent readers.
const CONNECTIONS: usize = 16;

/// The `Accept` of browsers.
const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn main() -> anyhow::Result<()> {
    support::enter(Box::pin(bench()))
}

async fn bench() -> anyhow::Result<()> {
    println!("pages: sizes {}, {} rounds", if is_full() { "of the goals" } else { "short" }, rounds()?);
    let mut environment = Environment::build().await?;
    let mut load = HelperProcess::start("as-load", &Value::Null).await?;
    // The fan-out that begins later delivers to these followers.
    let inboxes = size(80_000, 150_000);
    let followers = FollowerGroup { count: inboxes, inboxes, hosts: 16, name: "h" };
    let site = environment.site_without_followers(&[followers]).await?;
    let running = site.start("all").await?;
    let page = add_comments(&mut environment, &mut load, &site).await?;
    running.wait_until_idle().await?;
    let mut review = Review { site, running, page, load };
    if wants("page_html") {
        review.measure("page_html", HTML).await?;
    }
    if wants("page_as2") {
        review.measure("page_as2", AS2).await?;
    }
    if wants("stampede_p99") || wants("stampede_errors") {
        review.site.follow(followers).await?;
        review.stampede(&mut environment).await?;
    }
    Ok(())
}

/// Publishes a review and adds comments to it, each a signed activity from another server. Returns the path
/// of the page.
async fn add_comments(
    environment: &mut Environment,
    load: &mut HelperProcess,
    site: &Site,
) -> anyhow::Result<String> {
    let commenters = authors(AUTHORS);
    environment.serve_actors(&commenters).await?;
    let page = site.publish("The Third Row").await?.page;
    let document = site.document(&page).await?;
    let article = document["id"].as_str().unwrap_or_default();
    let text = "I saw it twice and left it thrice; the rain is a character of its own, and so is the usher.";
    let comment = |number: usize| {
        let author = &commenters[number % AUTHORS];
        author.signed_request(&author.reply(article, &format!("<p>{text} Remark {number}.</p>")))
    };
    let requests: Vec<_> = (0..COMMENTS).map(comment).collect();
    load.call(&json!({"do": "keep", "requests": requests})).await?;
    let address = site.listen.to_string();
    let sent = load.call(&json!({"do": "post", "address": address, "connections": 4})).await?;
    ensure!(sent["statuses"]["202"] == COMMENTS, "not every comment was accepted: {sent}");
    eventually("the comments", async || {
        let shown = site.get(&page, HTML).await?;
        let shown = String::from_utf8_lossy(&shown.body).matches("so is the usher. Remark ").count();
        Ok((shown == COMMENTS).then_some(()))
    })
    .await?;
    Ok(page)
}

struct Review {
    site: Site,
    running: ServerProcess,
    page: String,
    load: HelperProcess,
}

impl Review {
    /// Measures one representation of the page, and the same bytes from a trivial handler.
    async fn measure(&mut self, name: &str, accept: &str) -> anyhow::Result<()> {
        let request_headers =
            headers(&[("host", HOST), ("accept", accept), ("accept-encoding", "gzip, deflate, br, zstd")]);
        let response = self.site.get_with_headers(&self.page, &request_headers).await?;
        ensure!(response.status == 200, "{} responded with {}", self.page, response.status);
        let baseline_process = HelperProcess::start("as-baseline", &baseline::copy(&response)).await?;
        let (ours, baseline_address) =
            (self.site.listen.to_string(), baseline_process.ready["address"].clone());
        let (mut ratios, mut costs, mut limits) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds()? {
            let limit = self
                .cost(
                    &request_headers,
                    baseline_address.as_str().unwrap_or_default(),
                    baseline_process.pid()?,
                )
                .await?;
            let cost = self.cost(&request_headers, &ours, self.running.pid).await?;
            limits.push(limit);
            costs.push(cost);
            ratios.push(limit / cost);
        }
        let encoding = response.headers.get("content-encoding").and_then(|value| value.to_str().ok());
        ratio(
            name,
            &ratios,
            &[
                format!("limit: {}", micros("the trivial handler", &limits)),
                format!("{}, {:.0} per CPU second", micros("a page", &costs), 1e6 / median(&costs)),
                format!(
                    "{COMMENTS} comments, {} bytes, encoding {}, {CONNECTIONS} persistent connections",
                    response.body.len(),
                    encoding.unwrap_or("none")
                ),
            ],
        );
        Ok(())
    }

    /// Returns the CPU time of one response in µs.
    async fn cost(
        &mut self,
        request_headers: &[(String, String)],
        address: &str,
        pid: u32,
    ) -> anyhow::Result<f64> {
        let mut order = json!({
            "do": "get", "address": address, "path": self.page, "headers": request_headers, "millis": 300,
            "connections": CONNECTIONS,
        });
        // Warm up first.
        self.load.call(&order).await?;
        order["millis"] = json!(size(1_500, 5_000));
        let before = cpu::of(pid)?;
        let response = self.load.call(&order).await?;
        let spent = cpu::of(pid)?.saturating_sub(before);
        let statuses = response["statuses"].as_object().map_or(0, serde_json::Map::len);
        ensure!(statuses == 1, "not every response is 200: {response}");
        let responses = count(&response["statuses"], "200")?;
        Ok(spent.as_secs_f64() * 1e6 / number(responses))
    }

    /// Measures readers who arrive over new connections while the fan-out of another review runs, and the
    /// same readers at the trivial handler during the same fan-out.
    async fn stampede(&mut self, environment: &mut Environment) -> anyhow::Result<()> {
        let (readers, millis) = (size(2_000, 10_000), size(4_000, 10_000));
        let request_headers =
            headers(&[("host", HOST), ("accept", HTML), ("accept-encoding", "gzip, deflate, br, zstd")]);
        let response = self.site.get_with_headers(&self.page, &request_headers).await?;
        let baseline_process = HelperProcess::start("as-baseline", &baseline::copy(&response)).await?;
        let mut order = json!({
            "do": "stampede", "path": self.page, "headers": request_headers, "readers": readers, "millis": millis,
        });
        let (mut ratios, mut ours, mut theirs, mut errors) = (Vec::new(), Vec::new(), Vec::new(), 0);
        let mut delivered = 0;
        for _ in 0..rounds()?.min(3) {
            self.site.publish("While They Read").await?;
            // Wait until the fan-out has started.
            environment.reset_counts().await?;
            eventually("a delivery", async || Ok((environment.counts().await?.total > 0).then_some(())))
                .await?;
            order["address"] = baseline_process.ready["address"].clone();
            let trivial = self.load.call(&order).await?;
            order["address"] = json!(self.site.listen.to_string());
            let stampede = self.load.call(&order).await?;
            let left = self.site.store().await?.undelivered().await?;
            ensure!(left > 0, "the fan-out ended before the stampede did");
            delivered += environment.counts().await?.total;
            ensure!(count(&trivial, "errors")? == 0, "the trivial handler fails: {trivial}");
            errors += count(&stampede, "errors")?;
            theirs.push(real(&trivial, "p99")?);
            ours.push(real(&stampede, "p99")?);
            ratios.push(real(&stampede, "p99")? / real(&trivial, "p99")?);
        }
        let seconds = Duration::from_millis(u64::try_from(millis)?).as_secs_f64();
        let conditions = format!(
            "{readers} new connections in {seconds:.0} s per round, while a fan-out ran ({delivered} deliveries meanwhile)"
        );
        ratio("stampede_errors", &[number(errors)], std::slice::from_ref(&conditions));
        let line = format!("p99 {:.1} ms; trivial handler {:.1} ms", median(&ours), median(&theirs));
        ratio("stampede_p99", &ratios, &[line, conditions]);
        Ok(())
    }
}
