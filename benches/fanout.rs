//! Compares the CPU time of a delivery with that of its unavoidable steps, and measures what a large audience
//! adds. Every delivery is durable, and the sink verifies and counts each one.

#[path = "fanout/fedify.rs"]
mod fedify;
#[path = "fanout/publish.rs"]
mod publish;
mod support;

use std::time::{Duration, Instant};

use support::environment::Environment;
use support::limits::{self, INSERT, POST, POST_TLS, SIGN, cost};
use support::report::{exponent, median, micros, not_measured, number, ratio};
use support::seed::FollowerGroup;
use support::site::{ServerProcess, Site};
use support::{database, eventually, is_full, rounds, size, wants};

fn main() -> anyhow::Result<()> {
    support::enter(Box::pin(bench()))
}

async fn bench() -> anyhow::Result<()> {
    println!("fanout: sizes {}, {} rounds", if is_full() { "of the goals" } else { "short" }, rounds()?);
    let mut environment = Environment::build().await?;
    if wants("fanout_keepalive") {
        Box::pin(keepalive(&mut environment)).await?;
    }
    if wants("fanout_tls") {
        Box::pin(tls(&mut environment)).await?;
    }
    if wants("fanout_bad_hosts") {
        Box::pin(bad_hosts(&mut environment)).await?;
    }
    if wants("fanout_followers_exponent") || wants("fanout_memory") {
        Box::pin(followers(&mut environment)).await?;
    }
    if wants(publish::NAME) {
        Box::pin(publish::latency(&mut environment)).await?;
    }
    if wants("fanout_two_workers") {
        Box::pin(two_workers(&mut environment)).await?;
    }
    if wants(fedify::NAME) {
        Box::pin(fedify::compare(&mut environment)).await?;
    }
    Ok(())
}

/// Followers with an inbox each, spread evenly over hosts.
const fn spread_evenly(count: usize, hosts: usize) -> FollowerGroup {
    FollowerGroup { count, inboxes: count, hosts, name: "h" }
}

/// Publishes a review, waits until every delivery is recorded, and returns the CPU time that the processes
/// used. The sink has verified and counted the deliveries.
async fn deliver(
    environment: &mut Environment,
    site: &Site,
    running: &[&ServerProcess],
    inboxes: usize,
) -> anyhow::Result<Duration> {
    let spent = || running.iter().map(|process| process.cpu()).sum::<anyhow::Result<Duration>>();
    environment.reset_counts().await?;
    let before = spent()?;
    site.publish("The Third Row").await?;
    eventually(
        "the deliveries",
        async || Ok((environment.counts().await?.distinct >= inboxes).then_some(())),
    )
    .await?;
    site.await_delivered().await?;
    let after = spent()?;
    let counts = environment.assert_delivered(inboxes).await?;
    if counts.total != inboxes {
        println!("    {} deliveries arrived more than once", counts.total - inboxes);
    }
    Ok(after.saturating_sub(before))
}

/// The costs of the single steps and of a whole delivery, in µs, one value per round.
#[derive(Default)]
struct Costs {
    sign: Vec<f64>,
    post: Vec<f64>,
    insert: Vec<f64>,
    /// A whole delivery.
    ours: Vec<f64>,
    ratios: Vec<f64>,
}

impl Costs {
    /// Measures the steps again, and compares them with the time that `inboxes` deliveries took.
    async fn compare(
        &mut self,
        environment: &mut Environment,
        post: (&str, usize),
        spent: Duration,
        inboxes: usize,
    ) -> anyhow::Result<()> {
        let sign = cost(&mut environment.limits, "sign", SIGN).await?;
        let body = environment.last_body().await?;
        environment.limits.call(&serde_json::json!({"body": body})).await?;
        let post = cost(&mut environment.limits, post.0, post.1).await?;
        // The row of a delivery does not contain the body.
        let insert = limits::insert(&mut environment.limits, "").await?;
        let ours = spent.as_secs_f64() * 1e6 / number(inboxes);
        self.sign.push(sign);
        self.post.push(post);
        self.insert.push(insert);
        self.ours.push(ours);
        self.ratios.push((sign + post + 2.0 * insert) / ours);
        Ok(())
    }

    fn print(&self, name: &str, post: &str, inboxes: usize) {
        let parts = [micros("sign", &self.sign), micros(post, &self.post), micros("insert", &self.insert)];
        ratio(
            name,
            &self.ratios,
            &[
                format!("limits: {} (batches of 100, {INSERT} rows)", parts.join(", ")),
                format!(
                    "{}, {:.0} deliveries per CPU second; {inboxes} inboxes per round, each verified, {}",
                    micros("a delivery", &self.ours),
                    1e6 / median(&self.ours),
                    database()
                ),
            ],
        );
    }
}

/// Delivers to 16 hosts over connections that are already open.
async fn keepalive(environment: &mut Environment) -> anyhow::Result<()> {
    let inboxes = size(2_000, 10_000);
    let site = environment.site(&[spread_evenly(inboxes, 16)]).await?;
    let running = site.start("all").await?;
    deliver(environment, &site, &[&running], inboxes).await?;
    let mut costs = Costs::default();
    for _ in 0..rounds()? {
        running.wait_until_idle().await?;
        let spent = deliver(environment, &site, &[&running], inboxes).await?;
        costs.compare(environment, ("post", POST), spent, inboxes).await?;
    }
    costs.print("fanout_keepalive", "post", inboxes);
    running.stop().await
}

/// Delivers to a thousand hosts that the process has not contacted before.
async fn tls(environment: &mut Environment) -> anyhow::Result<()> {
    let inboxes = 1_000;
    let site = environment.site(&[spread_evenly(inboxes, inboxes)]).await?;
    let mut costs = Costs::default();
    for _ in 0..rounds()? {
        let running = site.start("all").await?;
        running.wait_until_idle().await?;
        let spent = deliver(environment, &site, &[&running], inboxes).await?;
        running.stop().await?;
        costs.compare(environment, ("post_tls", POST_TLS), spent, inboxes).await?;
    }
    costs.print("fanout_tls", "post_tls", inboxes);
    Ok(())
}

/// Compares the rate of deliveries to healthy hosts with and without bad hosts among them: one in five is
/// down or takes 30 s to respond.
async fn bad_hosts(environment: &mut Environment) -> anyhow::Result<()> {
    let (healthy, inboxes) = (size(160, 800), size(1_600, 8_000));
    let bad = |name| FollowerGroup { count: healthy / 8, inboxes: healthy / 8, hosts: healthy / 8, name };
    let healthy_group = spread_evenly(inboxes, healthy);
    let (mut ratios, mut with, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds()? {
        let alone = rate(environment, &[healthy_group], inboxes).await?;
        let among = rate(environment, &[healthy_group, bad("dead"), bad("slow")], inboxes).await?;
        without.push(alone);
        with.push(among);
        ratios.push(among / alone);
    }
    let line = format!(
        "{:.0} deliveries a second with them, {:.0} without; {healthy} healthy hosts with {inboxes} inboxes, {} dead, {} slow",
        median(&with),
        median(&without),
        healthy / 8,
        healthy / 8
    );
    ratio("fanout_bad_hosts", &ratios, &[line]);
    Ok(())
}

/// Returns deliveries per second of wall-clock time, on a site that has not contacted any host before.
async fn rate(
    environment: &mut Environment,
    followers: &[FollowerGroup],
    inboxes: usize,
) -> anyhow::Result<f64> {
    let site = environment.site(followers).await?;
    let running = site.start("all").await?;
    running.wait_until_idle().await?;
    environment.reset_counts().await?;
    site.publish("The Third Row").await?;
    let began = Instant::now();
    eventually("the healthy hosts", async || {
        Ok((environment.counts().await?.distinct >= inboxes).then_some(()))
    })
    .await?;
    let spent = began.elapsed();
    environment.assert_delivered(inboxes).await?;
    // The process is killed here, since the remaining deliveries to slow hosts do not matter.
    drop(running);
    Ok(number(inboxes) / spent.as_secs_f64())
}

/// Measures how the cost of one publish grows with the number of followers behind the same inboxes: CPU time
/// of server and command, and memory.
async fn followers(environment: &mut Environment) -> anyhow::Result<()> {
    let inboxes = size(1_000, 5_000);
    let counts: &[usize] = size(&[10_000, 100_000], &[10_000, 100_000, 1_000_000]);
    let mut sites = Vec::new();
    for count in counts {
        let group = FollowerGroup { count: *count, inboxes, hosts: 16, name: "h" };
        sites.push((number(*count), environment.site(&[group]).await?));
    }
    let (mut cpu, mut memory) = (Vec::new(), Vec::new());
    let mut seen = Vec::new();
    for _ in 0..rounds()? {
        let (mut costs, mut peaks) = (Vec::new(), Vec::new());
        for (count, site) in &sites {
            let running = site.start("all").await?;
            running.wait_until_idle().await?;
            environment.reset_counts().await?;
            let before = running.cpu()?;
            let published = site.publish("The Third Row").await?;
            let all = async || Ok((environment.counts().await?.distinct >= inboxes).then_some(()));
            eventually("the deliveries", all).await?;
            site.await_delivered().await?;
            let spent = running.cpu()?.saturating_sub(before) + published.cpu;
            environment.assert_delivered(inboxes).await?;
            costs.push((*count, spent.as_secs_f64()));
            peaks.push((*count, support::cpu::peak_memory(running.pid)?));
            running.stop().await?;
        }
        cpu.push(exponent(&costs));
        memory.push(peaks[peaks.len() - 1].1 / peaks[0].1);
        seen.push((costs, peaks));
    }
    let components = |label: &str, unit: &str, pick: &dyn Fn(usize) -> Vec<f64>| {
        let at = |n: usize| format!("{:.0} followers {:.3} {unit}", sites[n].0, median(&pick(n)));
        let line: Vec<String> = (0..sites.len()).map(at).collect();
        vec![format!("{label}: {}; {inboxes} inboxes on 16 hosts, {}", line.join(", "), database())]
    };
    let costs = |n: usize| seen.iter().map(|round| round.0[n].1).collect();
    let peaks = |n: usize| seen.iter().map(|round| round.1[n].1).collect();
    ratio("fanout_followers_exponent", &cpu, &components("CPU of a publish", "s", &costs));
    ratio("fanout_memory", &memory, &components("peak memory", "MiB", &peaks));
    Ok(())
}

/// Compares the CPU time of a delivery when two processes share the work with that of one process.
async fn two_workers(environment: &mut Environment) -> anyhow::Result<()> {
    const NAME: &str = "fanout_two_workers";
    // This panics if PostgreSQL is not installed.
    let can_start = tokio::spawn(async { drop(support::postgres::Postgres::create().await) }).await.is_ok();
    if !can_start {
        not_measured(NAME, "PostgreSQL cannot be started here");
        return Ok(());
    }
    let inboxes = size(2_000, 10_000);
    let site = environment.site_on(&[spread_evenly(inboxes, 16)], true).await?;
    let (mut ratios, mut alone, mut shared) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds()? {
        let first = site.start("worker").await?;
        deliver(environment, &site, &[&first], inboxes).await?;
        let one = deliver(environment, &site, &[&first], inboxes).await?;
        let second = site.start("worker").await?;
        deliver(environment, &site, &[&first, &second], inboxes).await?;
        let two = deliver(environment, &site, &[&first, &second], inboxes).await?;
        first.stop().await?;
        second.stop().await?;
        let micros_per_delivery = |spent: Duration| spent.as_secs_f64() * 1e6 / number(inboxes);
        alone.push(micros_per_delivery(one));
        shared.push(micros_per_delivery(two));
        ratios.push(micros_per_delivery(two) / micros_per_delivery(one));
    }
    let line = format!(
        "{}, {}; {inboxes} inboxes on 16 hosts, PostgreSQL",
        micros("a delivery of two workers", &shared),
        micros("of one", &alone)
    );
    ratio(NAME, &ratios, &[line]);
    Ok(())
}
