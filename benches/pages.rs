//! What a page costs beside a trivial handler that sends the same bytes and headers, and what a crowd meets while a
//! fan-out runs.

mod support;

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use support::figure::{median, micros, number, ratio};
use support::letters::authors;
use support::plain;
use support::player::{Player, count, real};
use support::rig::Rig;
use support::seed::Followers;
use support::site::{AS2, HOST, Running, Site};
use support::wire::headers;
use support::{cpu, eventually, is_full, rounds, size, wants};

/// Comments under the review.
const COMMENTS: usize = 200;

/// People who comment.
const AUTHORS: usize = 50;

/// Readers at a time.
const CONNECTIONS: usize = 16;

/// The `Accept` of browsers.
const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn main() -> anyhow::Result<()> {
    support::enter(Box::pin(bench()))
}

async fn bench() -> anyhow::Result<()> {
    println!("pages: sizes {}, {} rounds", if is_full() { "of the goals" } else { "short" }, rounds()?);
    let mut rig = Rig::build().await?;
    let mut load = Player::start("as-load", &Value::Null).await?;
    // The followers of the fan-out, which begins later.
    let inboxes = size(80_000, 150_000);
    let followers = Followers { count: inboxes, inboxes, hosts: 16, name: "h" };
    let site = rig.site_that_finds(&[followers]).await?;
    let running = site.start("all").await?;
    let page = discuss(&mut rig, &mut load, &site).await?;
    running.calm().await?;
    let mut review = Review { site, running, page, load };
    if wants("page_html") {
        review.measure("page_html", HTML).await?;
    }
    if wants("page_as2") {
        review.measure("page_as2", AS2).await?;
    }
    if wants("stampede_p99") || wants("stampede_errors") {
        review.site.follow(followers).await?;
        review.stampede(&mut rig).await?;
    }
    Ok(())
}

/// Publishes a review that is then commented on, as others do it: each comment is signed and sent. Gives its path.
async fn discuss(rig: &mut Rig, load: &mut Player, site: &Site) -> anyhow::Result<String> {
    let people = authors(AUTHORS);
    rig.introduce(&people).await?;
    let page = site.publish("The Third Row").await?.page;
    let document = site.document(&page).await?;
    let article = document["id"].as_str().unwrap_or_default();
    let text = "I saw it twice and left it thrice; the rain is a character of its own, and so is the usher.";
    let comment = |number: usize| {
        let author = &people[number % AUTHORS];
        author.letter(&author.reply(article, &format!("<p>{text} Remark {number}.</p>")))
    };
    let letters: Vec<_> = (0..COMMENTS).map(comment).collect();
    load.ask(&json!({"do": "keep", "letters": letters})).await?;
    let address = site.listen.to_string();
    let sent = load.ask(&json!({"do": "post", "address": address, "connections": 4})).await?;
    ensure!(sent["statuses"]["202"] == COMMENTS, "not all comments are taken: {sent}");
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
    running: Running,
    page: String,
    load: Player,
}

impl Review {
    /// What one form of it costs, beside the same bytes from a trivial handler.
    async fn measure(&mut self, name: &str, accept: &str) -> anyhow::Result<()> {
        let asked =
            headers(&[("host", HOST), ("accept", accept), ("accept-encoding", "gzip, deflate, br, zstd")]);
        let answer = self.site.ask(&self.page, &asked).await?;
        ensure!(answer.status == 200, "{} answers {}", self.page, answer.status);
        let same = Player::start("as-plain", &plain::copy(&answer)).await?;
        let (ours, theirs) = (self.site.listen.to_string(), same.hello["address"].clone());
        let (mut ratios, mut costs, mut limits) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds()? {
            let limit = self.cost(&asked, theirs.as_str().unwrap_or_default(), same.pid()?).await?;
            let cost = self.cost(&asked, &ours, self.running.pid).await?;
            limits.push(limit);
            costs.push(cost);
            ratios.push(limit / cost);
        }
        let encoding = answer.headers.get("content-encoding").and_then(|value| value.to_str().ok());
        ratio(
            name,
            &ratios,
            &[
                format!("limit: {}", micros("the trivial handler", &limits)),
                format!("{}, {:.0} a CPU-second", micros("a page", &costs), 1e6 / median(&costs)),
                format!(
                    "{COMMENTS} comments, {} bytes, encoding {}, {CONNECTIONS} kept connections",
                    answer.body.len(),
                    encoding.unwrap_or("none")
                ),
            ],
        );
        Ok(())
    }

    /// CPU of one answer of a process, in µs.
    async fn cost(&mut self, asked: &[(String, String)], address: &str, pid: u32) -> anyhow::Result<f64> {
        let mut order = json!({
            "do": "get", "address": address, "path": self.page, "headers": asked, "millis": 300,
            "connections": CONNECTIONS,
        });
        // Warm first.
        self.load.ask(&order).await?;
        order["millis"] = json!(size(1_500, 5_000));
        let before = cpu::of(pid)?;
        let answer = self.load.ask(&order).await?;
        let spent = cpu::of(pid)?.saturating_sub(before);
        let statuses = answer["statuses"].as_object().map_or(0, serde_json::Map::len);
        ensure!(statuses == 1, "not every answer is 200: {answer}");
        let answers = count(&answer["statuses"], "200")?;
        Ok(spent.as_secs_f64() * 1e6 / number(answers))
    }

    /// Readers who all come anew, while the fan-out of another review runs; the same crowd at the trivial handler,
    /// beside the same fan-out.
    async fn stampede(&mut self, rig: &mut Rig) -> anyhow::Result<()> {
        let (readers, millis) = (size(2_000, 10_000), size(4_000, 10_000));
        let asked =
            headers(&[("host", HOST), ("accept", HTML), ("accept-encoding", "gzip, deflate, br, zstd")]);
        let answer = self.site.ask(&self.page, &asked).await?;
        let same = Player::start("as-plain", &plain::copy(&answer)).await?;
        let mut order = json!({
            "do": "stampede", "path": self.page, "headers": asked, "readers": readers, "millis": millis,
        });
        let (mut ratios, mut ours, mut theirs, mut errors) = (Vec::new(), Vec::new(), Vec::new(), 0);
        let mut delivered = 0;
        for _ in 0..rounds()?.min(3) {
            self.site.publish("While They Read").await?;
            // Until it has begun.
            rig.forget().await?;
            eventually("a delivery", async || Ok((rig.tally().await?.total > 0).then_some(()))).await?;
            order["address"] = same.hello["address"].clone();
            let trivial = self.load.ask(&order).await?;
            order["address"] = json!(self.site.listen.to_string());
            let crowd = self.load.ask(&order).await?;
            let left = self.site.store().await?.undelivered().await?;
            ensure!(left > 0, "the fan-out was over before the crowd was");
            delivered += rig.tally().await?.total;
            ensure!(count(&trivial, "errors")? == 0, "the trivial handler fails: {trivial}");
            errors += count(&crowd, "errors")?;
            theirs.push(real(&trivial, "p99")?);
            ours.push(real(&crowd, "p99")?);
            ratios.push(real(&crowd, "p99")? / real(&trivial, "p99")?);
        }
        let seconds = Duration::from_millis(u64::try_from(millis)?).as_secs_f64();
        let crowd = format!(
            "{readers} new connections in {seconds:.0} s a round, while a fan-out ran ({delivered} deliveries meanwhile)"
        );
        ratio("stampede_errors", &[number(errors)], std::slice::from_ref(&crowd));
        let line = format!("p99 {:.1} ms; trivial handler {:.1} ms", median(&ours), median(&theirs));
        ratio("stampede_p99", &ratios, &[line, crowd]);
        Ok(())
    }
}
