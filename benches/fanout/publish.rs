//! Measures how long the command `publish` takes, from start to exit, as the number of followers grows.

use super::support::environment::Environment;
use super::support::report::{exponent, median, number, ratio};
use super::support::seed::FollowerGroup;
use super::support::{database, rounds, size};

/// The name of the ratio.
pub(crate) const NAME: &str = "publish_latency_exponent";

/// Publishes per round and size, alternating; the median counts.
const PUBLISHES: usize = 9;

/// Measures the ratio. No server runs, so the command has the machine to itself.
pub(crate) async fn latency(environment: &mut Environment) -> anyhow::Result<()> {
    let inboxes = size(1_000, 5_000);
    let counts: &[usize] = size(&[10_000, 100_000], &[10_000, 100_000, 1_000_000]);
    let mut sites = Vec::new();
    for count in counts {
        let site =
            environment.site(&[FollowerGroup { count: *count, inboxes, hosts: 16, name: "h" }]).await?;
        // The first publish on a site opens files that are then in the page cache.
        site.publish("The Second Row").await?;
        sites.push((number(*count), site));
    }
    let (mut exponents, mut seen) = (Vec::new(), vec![Vec::new(); sites.len()]);
    for _ in 0..rounds()? {
        let mut times = vec![Vec::new(); sites.len()];
        for _ in 0..PUBLISHES {
            for (n, (_, site)) in sites.iter().enumerate() {
                times[n].push(site.publish("The Third Row").await?.wall.as_secs_f64());
            }
        }
        let medians = times.iter().map(|times| median(times));
        let points: Vec<(f64, f64)> = sites.iter().map(|(count, _)| *count).zip(medians).collect();
        exponents.push(exponent(&points));
        for (n, (_, median)) in points.into_iter().enumerate() {
            seen[n].push(median);
        }
    }
    let at = |n: usize| format!("{:.0} followers {:.1} ms", sites[n].0, median(&seen[n]) * 1e3);
    let line: Vec<String> = (0..sites.len()).map(at).collect();
    let line = format!(
        "time of the command: {}; median of {PUBLISHES}, alternating, {inboxes} inboxes, {}",
        line.join(", "),
        database()
    );
    ratio(NAME, &exponents, &[line]);
    Ok(())
}
