//! What a critic waits for who publishes: the command, from its start to its end, where ever more people follow.

use super::support::figure::{exponent, median, number, ratio};
use super::support::rig::Rig;
use super::support::seed::Followers;
use super::support::{database, rounds, size};

/// The name of the figure.
pub(crate) const NAME: &str = "publish_latency_exponent";

/// Publishes of a round at each size, in turns; their median counts.
const PUBLISHES: usize = 9;

/// Measures it. Nobody delivers meanwhile, so that the command has the machine as far as it can be had.
pub(crate) async fn latency(rig: &mut Rig) -> anyhow::Result<()> {
    let inboxes = size(1_000, 5_000);
    let counts: &[usize] = size(&[10_000, 100_000], &[10_000, 100_000, 1_000_000]);
    let mut sites = Vec::new();
    for count in counts {
        let site = rig.site(&[Followers { count: *count, inboxes, hosts: 16, name: "h" }]).await?;
        // The first one of a site opens files that none opened before.
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
        "the command on the clock: {}; the median of {PUBLISHES} in turns, {inboxes} inboxes, {}",
        line.join(", "),
        database()
    );
    ratio(NAME, &exponents, &[line]);
    Ok(())
}
