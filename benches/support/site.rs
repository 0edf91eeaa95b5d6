//! Marquee under test: the release binary with its own config, directory and database.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::connection::{Connection, HttpResponse, headers, request};
use super::postgres::{Postgres, free_port};
use super::seed::{self, Database, FollowerGroup};
use super::temp_dir::TempDir;
use super::{POLL_INTERVAL, cpu, eventually, unique};

/// The host name of the site.
pub const HOST: &str = "marquee.test";

/// The signal that asks a process to end.
const SIGTERM: i32 = 15;

/// The `Accept` header that other servers send.
pub const AS2: &str =
    r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams", application/activity+json"#;

/// How to set up a site.
pub struct SiteConfig<'a> {
    /// The CA that the site trusts.
    pub ca: &'a str,
    /// Host names that the site resolves, with their addresses.
    pub names: Vec<(String, SocketAddr)>,
    pub on_postgres: bool,
}

pub struct Site {
    folder: TempDir,
    pub listen: SocketAddr,
    pub database: String,
    // Dropped with the site.
    _postgres: Option<Postgres>,
}

/// A process of Marquee.
pub struct ServerProcess {
    child: Child,
    pub pid: u32,
}

/// The cost of a publish in wall-clock and CPU time.
#[derive(Debug, Clone)]
pub struct PublishResult {
    /// The path of the review's page.
    pub page: String,
    pub wall: Duration,
    pub cpu: Duration,
}

/// What a command printed, and its CPU time.
#[derive(Debug, Clone)]
pub struct CommandResult {
    pub output: String,
    pub cpu: Duration,
}

impl Site {
    /// Creates a site with its database and the critic's key.
    pub async fn create(plan: SiteConfig<'_>) -> anyhow::Result<Self> {
        let folder = TempDir::new();
        let postgres = if plan.on_postgres { Some(seed::postgres().await?) } else { None };
        let sqlite = || format!("sqlite://{}", folder.file("marquee.sqlite").display());
        let database = postgres.as_ref().map_or_else(sqlite, Postgres::url);
        let listen: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let ca = folder.write("ca.pem", plan.ca);
        let mut config = format!(
            "data_dir = \"{}\"\n[site]\ntitle = \"Bench\"\n[server]\nlisten = \"{listen}\"\n\
             origin = \"https://{HOST}\"\ntrusted_proxies = [\"127.0.0.1/32\"]\n[database]\nurl = {database:?}\n\
             [[critics]]\nhandle = \"critic\"\nname = \"The Critic\"\n\
             [federation]\nallow_networks = [\"127.0.0.1/32\"]\nextra_ca_file = \"{}\"\n[federation.resolve]\n",
            folder.path().display(),
            ca.display()
        );
        for (name, address) in &plan.names {
            writeln!(config, "{name:?} = \"{address}\"")?;
        }
        folder.write("marquee.toml", &config);
        let site = Self { folder, listen, database, _postgres: postgres };
        site.start("all").await?.stop().await?;
        Ok(site)
    }

    fn command(&self, args: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_marquee"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MARQUEE_") {
                command.env_remove(name);
            }
        }
        let log = File::options().create(true).append(true).open(self.folder.file("log"))?;
        command
            .args(args)
            .arg("--config")
            .arg(self.folder.file("marquee.toml"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // Marquee logs at the default level; the cost of that is part of what is measured.
            .stderr(log)
            .kill_on_drop(true);
        Ok(command)
    }

    /// Starts a process in a role without waiting.
    pub fn spawn(&self, role: &str) -> anyhow::Result<ServerProcess> {
        let child = self.command(&["serve", "--role", role])?.spawn()?;
        let pid = child.id().context("a process")?;
        Ok(ServerProcess { child, pid })
    }

    /// Starts a process in a role, and waits until it is ready.
    pub async fn start(&self, role: &str) -> anyhow::Result<ServerProcess> {
        let mut running = self.spawn(role)?;
        let output = running.child.stdout.take().context("an output")?;
        let greeting = BufReader::new(output).lines().next_line().await?;
        greeting.with_context(|| format!("Marquee does not start:\n{}", self.log()))?;
        if role != "worker" {
            self.await_ready().await?;
        }
        Ok(running)
    }

    /// Waits until the readiness check succeeds.
    pub async fn await_ready(&self) -> anyhow::Result<()> {
        eventually("Marquee to be ready", async || {
            let response = self.get("/health/ready", "*/*").await;
            Ok(response.ok().filter(|response| response.status == 200))
        })
        .await?;
        Ok(())
    }

    /// The last lines of its log.
    pub fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.file("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Connects to its database.
    pub async fn store(&self) -> anyhow::Result<Database> {
        Database::open(&self.database).await
    }

    /// Adds followers to the critic.
    pub async fn follow(&self, followers: FollowerGroup) -> anyhow::Result<()> {
        self.store().await?.follow(followers).await
    }

    /// Publishes a review with the command `publish`.
    pub async fn publish(&self, title: &str) -> anyhow::Result<PublishResult> {
        let paragraph = "A long take through the rain, and then the lights go out. ".repeat(12);
        // The texts differ, or the second would be held as a duplicate.
        let name = unique();
        let head = format!("title: {title} {name}\nfilm: The Reel {name}\nyear: 1957");
        let text = format!("---\n{head}\n---\n\n{paragraph}\n\n{paragraph} {name}\n");
        let file = self.folder.write("review.md", &text).display().to_string();
        let (before, began) = (cpu::of_ended_children()?, Instant::now());
        let output = self.command(&["publish", &file])?.output().await?;
        let (wall, cpu) = (began.elapsed(), cpu::of_ended_children()?.saturating_sub(before));
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "marquee publish: {}\n{stdout}\n{stderr}", output.status);
        let origin = format!("https://{HOST}");
        let page = stdout.split_whitespace().find_map(|word| word.strip_prefix(&origin));
        let page = page.with_context(|| format!("no page URL in {stdout:?}"))?.to_owned();
        Ok(PublishResult { page, wall, cpu })
    }

    /// Adds a feed of the critic, which is a local file, to the config.
    pub fn add_feed(&self, name: &str, document: &str) -> anyhow::Result<()> {
        let file = self.folder.write(&format!("{name}.xml"), document).display().to_string();
        let mut config = File::options().append(true).open(self.folder.file("marquee.toml"))?;
        write!(config, "\n[[feeds]]\nname = {name:?}\nurl = {file:?}\ncritic = \"critic\"\n")?;
        Ok(())
    }

    /// Polls a feed, or all feeds, with the command `feed poll`.
    pub async fn poll_feeds(&self, name: Option<&str>) -> anyhow::Result<CommandResult> {
        let before = cpu::of_ended_children()?;
        let args: Vec<&str> = ["feed", "poll"].into_iter().chain(name).collect();
        let output = self.command(&args)?.output().await?;
        let cpu = cpu::of_ended_children()?.saturating_sub(before);
        ensure!(output.status.success(), "marquee feed poll: {}\n{}", output.status, self.log());
        Ok(CommandResult { output: String::from_utf8_lossy(&output.stdout).into_owned(), cpu })
    }

    /// Waits until every delivery is sent and recorded.
    pub async fn await_delivered(&self) -> anyhow::Result<()> {
        let mut store = self.store().await?;
        eventually("the deliveries", async || Ok((store.undelivered().await? == 0).then_some(()))).await
    }

    /// Gets a page or a document.
    pub async fn get(&self, path: &str, accept: &str) -> anyhow::Result<HttpResponse> {
        self.get_with_headers(path, &headers(&[("host", HOST), ("accept", accept)])).await
    }

    /// Sends a GET with exactly these headers.
    pub async fn get_with_headers(
        &self,
        path: &str,
        headers: &[(String, String)],
    ) -> anyhow::Result<HttpResponse> {
        Connection::without_tls(self.listen).await?.send(request("GET", path, headers, "")?).await
    }

    /// Gets an ActivityPub document.
    pub async fn document(&self, path: &str) -> anyhow::Result<Value> {
        let response = self.get(path, AS2).await?;
        ensure!(response.status == 200, "{path} responded with {}", response.status);
        Ok(serde_json::from_slice(&response.body)?)
    }

    /// Finds the critic's actor through WebFinger.
    pub async fn critic(&self) -> anyhow::Result<Value> {
        let found = self.document(&format!("/.well-known/webfinger?resource=acct:critic@{HOST}")).await?;
        let links = found["links"].as_array().context("links")?;
        let link = links.iter().find(|link| link["rel"] == "self").context("a link to the actor")?;
        let path = link["href"].as_str().and_then(|href| href.strip_prefix(&format!("https://{HOST}")));
        self.document(path.context("an actor of this site")?).await
    }
}

impl ServerProcess {
    /// Its CPU time so far.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        cpu::of(self.pid)
    }

    /// Waits until the process is almost idle.
    pub async fn wait_until_idle(&self) -> anyhow::Result<()> {
        let mut before = self.cpu()?;
        for _ in 0..40 {
            tokio::time::sleep(POLL_INTERVAL * 4).await;
            let now = self.cpu()?;
            if now.saturating_sub(before) <= Duration::from_millis(10) {
                break;
            }
            before = now;
        }
        Ok(())
    }

    /// Stops it with SIGTERM.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.pid.to_string();
        let signalled = Command::new("kill").args(["-TERM", &pid]).status().await?;
        ensure!(signalled.success(), "SIGTERM was not sent");
        let ended = self.child.wait().await?;
        // A process that has just started may not handle the signal yet, and is ended by it.
        ensure!(ended.success() || ended.signal() == Some(SIGTERM), "Marquee ended with {ended}");
        Ok(())
    }
}
