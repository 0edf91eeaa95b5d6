//! What a delivery costs beside the arithmetic that it cannot do without, and what a large audience adds to it.
//! Every delivery is durable, and the sink verifies each and counts them.

#[path = "fanout/fedify.rs"]
mod fedify;
#[path = "fanout/publish.rs"]
mod publish;
mod support;

use std::time::{Duration, Instant};

use support::figure::{exponent, median, micros, not_measured, number, ratio};
use support::limits::{self, INSERT, POST, POST_TLS, SIGN, cost};
use support::rig::Rig;
use support::seed::Followers;
use support::site::{Running, Site};
use support::{database, eventually, is_full, rounds, size, wants};

fn main() -> anyhow::Result<()> {
    support::enter(Box::pin(bench()))
}

async fn bench() -> anyhow::Result<()> {
    println!("fanout: sizes {}, {} rounds", if is_full() { "of the goals" } else { "short" }, rounds()?);
    let mut rig = Rig::build().await?;
    if wants("fanout_keepalive") {
        Box::pin(keepalive(&mut rig)).await?;
    }
    if wants("fanout_tls") {
        Box::pin(tls(&mut rig)).await?;
    }
    if wants("fanout_bad_hosts") {
        Box::pin(bad_hosts(&mut rig)).await?;
    }
    if wants("fanout_followers_exponent") || wants("fanout_memory") {
        Box::pin(followers(&mut rig)).await?;
    }
    if wants(publish::NAME) {
        Box::pin(publish::latency(&mut rig)).await?;
    }
    if wants("fanout_two_workers") {
        Box::pin(two_workers(&mut rig)).await?;
    }
    if wants(fedify::NAME) {
        Box::pin(fedify::compare(&mut rig)).await?;
    }
    Ok(())
}

/// So many followers, each at an inbox of its own, on so many hosts.
const fn evenly(count: usize, hosts: usize) -> Followers {
    Followers { count, inboxes: count, hosts, name: "h" }
}

/// Publishes, waits until every delivery is written down, and gives the CPU time that the processes took for it.
/// What came is counted and verified.
async fn deliver(
    rig: &mut Rig,
    site: &Site,
    running: &[&Running],
    inboxes: usize,
) -> anyhow::Result<Duration> {
    let spent = || running.iter().map(|process| process.cpu()).sum::<anyhow::Result<Duration>>();
    rig.forget().await?;
    let before = spent()?;
    site.publish("The Third Row").await?;
    eventually("the deliveries", async || Ok((rig.tally().await?.distinct >= inboxes).then_some(()))).await?;
    site.await_delivered().await?;
    let after = spent()?;
    let tally = rig.settle(inboxes).await?;
    if tally.total != inboxes {
        println!("    {} deliveries came twice", tally.total - inboxes);
    }
    Ok(after.saturating_sub(before))
}

/// What the steps of a delivery cost by themselves.
#[derive(Default)]
struct Costs {
    sign: Vec<f64>,
    post: Vec<f64>,
    insert: Vec<f64>,
    /// What a delivery took.
    ours: Vec<f64>,
    ratios: Vec<f64>,
}

impl Costs {
    /// Measures the steps anew, and compares with them what `inboxes` deliveries took.
    async fn compare(
        &mut self,
        rig: &mut Rig,
        post: (&str, usize),
        took: Duration,
        inboxes: usize,
    ) -> anyhow::Result<()> {
        let sign = cost(&mut rig.limits, "sign", SIGN).await?;
        let body = rig.last_body().await?;
        rig.limits.ask(&serde_json::json!({"body": body})).await?;
        let post = cost(&mut rig.limits, post.0, post.1).await?;
        // A delivery's row does not carry its body.
        let insert = limits::insert(&mut rig.limits, "").await?;
        let ours = took.as_secs_f64() * 1e6 / number(inboxes);
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
                    "{}, {:.0} deliveries a CPU-second; {inboxes} inboxes a round, each verified, {}",
                    micros("a delivery", &self.ours),
                    1e6 / median(&self.ours),
                    database()
                ),
            ],
        );
    }
}

/// To 16 hosts, over connections that are there already.
async fn keepalive(rig: &mut Rig) -> anyhow::Result<()> {
    let inboxes = size(2_000, 10_000);
    let site = rig.site(&[evenly(inboxes, 16)]).await?;
    let running = site.start("all").await?;
    deliver(rig, &site, &[&running], inboxes).await?;
    let mut costs = Costs::default();
    for _ in 0..rounds()? {
        running.calm().await?;
        let took = deliver(rig, &site, &[&running], inboxes).await?;
        costs.compare(rig, ("post", POST), took, inboxes).await?;
    }
    costs.print("fanout_keepalive", "post", inboxes);
    running.stop().await
}

/// To a thousand hosts that the process has never met.
async fn tls(rig: &mut Rig) -> anyhow::Result<()> {
    let inboxes = 1_000;
    let site = rig.site(&[evenly(inboxes, inboxes)]).await?;
    let mut costs = Costs::default();
    for _ in 0..rounds()? {
        let running = site.start("all").await?;
        running.calm().await?;
        let took = deliver(rig, &site, &[&running], inboxes).await?;
        running.stop().await?;
        costs.compare(rig, ("post_tls", POST_TLS), took, inboxes).await?;
    }
    costs.print("fanout_tls", "post_tls", inboxes);
    Ok(())
}

/// Deliveries a second to healthy hosts, where one host of five is dead or takes 30 s for its answer.
async fn bad_hosts(rig: &mut Rig) -> anyhow::Result<()> {
    let (healthy, inboxes) = (size(160, 800), size(1_600, 8_000));
    let bad = |name| Followers { count: healthy / 8, inboxes: healthy / 8, hosts: healthy / 8, name };
    let well = evenly(inboxes, healthy);
    let (mut ratios, mut with, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds()? {
        let alone = rate(rig, &[well], inboxes).await?;
        let among = rate(rig, &[well, bad("dead"), bad("slow")], inboxes).await?;
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

/// Deliveries a second on the clock, on a site that has met nobody yet.
async fn rate(rig: &mut Rig, followers: &[Followers], inboxes: usize) -> anyhow::Result<f64> {
    let site = rig.site(followers).await?;
    let running = site.start("all").await?;
    running.calm().await?;
    rig.forget().await?;
    site.publish("The Third Row").await?;
    let began = Instant::now();
    eventually("the healthy hosts", async || Ok((rig.tally().await?.distinct >= inboxes).then_some(())))
        .await?;
    let took = began.elapsed();
    rig.settle(inboxes).await?;
    // It is ended as it stands: what hangs on slow hosts is not waited for.
    drop(running);
    Ok(number(inboxes) / took.as_secs_f64())
}

/// What one publish costs where ever more people stand behind the same inboxes: CPU of the server and of the
/// command, and memory.
async fn followers(rig: &mut Rig) -> anyhow::Result<()> {
    let inboxes = size(1_000, 5_000);
    let counts: &[usize] = size(&[10_000, 100_000], &[10_000, 100_000, 1_000_000]);
    let mut sites = Vec::new();
    for count in counts {
        let group = Followers { count: *count, inboxes, hosts: 16, name: "h" };
        sites.push((number(*count), rig.site(&[group]).await?));
    }
    let (mut cpu, mut memory) = (Vec::new(), Vec::new());
    let mut seen = Vec::new();
    for _ in 0..rounds()? {
        let (mut costs, mut peaks) = (Vec::new(), Vec::new());
        for (count, site) in &sites {
            let running = site.start("all").await?;
            running.calm().await?;
            rig.forget().await?;
            let before = running.cpu()?;
            let published = site.publish("The Third Row").await?;
            let all = async || Ok((rig.tally().await?.distinct >= inboxes).then_some(()));
            eventually("the deliveries", all).await?;
            site.await_delivered().await?;
            let spent = running.cpu()?.saturating_sub(before) + published.cpu;
            rig.settle(inboxes).await?;
            costs.push((*count, spent.as_secs_f64()));
            peaks.push((*count, support::cpu::peak_memory(running.pid)?));
            running.stop().await?;
        }
        cpu.push(exponent(&costs));
        memory.push(peaks[peaks.len() - 1].1 / peaks[0].1);
        seen.push((costs, peaks));
    }
    let made_of = |what: &str, unit: &str, pick: &dyn Fn(usize) -> Vec<f64>| {
        let at = |n: usize| format!("{:.0} followers {:.3} {unit}", sites[n].0, median(&pick(n)));
        let line: Vec<String> = (0..sites.len()).map(at).collect();
        vec![format!("{what}: {}; {inboxes} inboxes on 16 hosts, {}", line.join(", "), database())]
    };
    let costs = |n: usize| seen.iter().map(|round| round.0[n].1).collect();
    let peaks = |n: usize| seen.iter().map(|round| round.1[n].1).collect();
    ratio("fanout_followers_exponent", &cpu, &made_of("CPU of a publish", "s", &costs));
    ratio("fanout_memory", &memory, &made_of("peak of memory", "MiB", &peaks));
    Ok(())
}

/// CPU of a delivery where two processes share the work, beside that of one.
async fn two_workers(rig: &mut Rig) -> anyhow::Result<()> {
    const NAME: &str = "fanout_two_workers";
    // Where PostgreSQL is not installed, this panics.
    let is_there = tokio::spawn(async { drop(support::postgres::Postgres::create().await) }).await.is_ok();
    if !is_there {
        not_measured(NAME, "PostgreSQL cannot be started here");
        return Ok(());
    }
    let inboxes = size(2_000, 10_000);
    let site = rig.site_on(&[evenly(inboxes, 16)], true).await?;
    let (mut ratios, mut alone, mut shared) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds()? {
        let first = site.start("worker").await?;
        deliver(rig, &site, &[&first], inboxes).await?;
        let one = deliver(rig, &site, &[&first], inboxes).await?;
        let second = site.start("worker").await?;
        deliver(rig, &site, &[&first, &second], inboxes).await?;
        let two = deliver(rig, &site, &[&first, &second], inboxes).await?;
        first.stop().await?;
        second.stop().await?;
        let each = |spent: Duration| spent.as_secs_f64() * 1e6 / number(inboxes);
        alone.push(each(one));
        shared.push(each(two));
        ratios.push(each(two) / each(one));
    }
    let line = format!(
        "{}, {}; {inboxes} inboxes on 16 hosts, PostgreSQL",
        micros("a delivery of two workers", &shared),
        micros("of one", &alone)
    );
    ratio(NAME, &ratios, &[line]);
    Ok(())
}
