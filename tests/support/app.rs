//! Marquee as its own process, with real HTTPS in front of it: `MARQUEE_TEST_BIN`, or the binary that was
//! built with these tests.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};

use super::http::{Client, HTML, Response};
use super::network::TestNetwork;
use super::postgres::{Postgres, free_port};
use super::temp_dir::TempDir;
use super::tls_proxy::TlsProxy;
use tokio::net::TcpStream;

/// The host under which the world finds Marquee.
pub const HOST: &str = "marquee.test";

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// A feed as the config declares it.
#[derive(Debug, Clone)]
pub struct FeedSetting {
    pub name: String,
    pub url: String,
    /// Further lines of its table.
    pub more: String,
}

/// What Marquee is started with.
pub struct Settings<'w> {
    network: &'w TestNetwork,
    config: Config,
    /// Kept for as long as the test needs it.
    postgres: Option<Postgres>,
    folder: TempDir,
    environment: Vec<(String, String)>,
    role: Option<&'static str>,
    wrapper: Vec<String>,
}

/// The config file: sections, keys, and values as TOML writes them.
#[derive(Clone, Default)]
struct Config {
    sections: BTreeMap<String, BTreeMap<String, String>>,
    feeds: Vec<FeedSetting>,
}

/// A text as TOML writes it.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl Config {
    fn set(&mut self, section: &str, key: &str, value: String) {
        let keys = self.sections.entry(section.to_owned()).or_default();
        keys.insert(key.to_owned(), value);
    }

    fn toml(&self) -> String {
        let mut toml = String::new();
        for (section, keys) in &self.sections {
            match section.as_str() {
                "" => {}
                "critics" => toml.push_str("[[critics]]\n"),
                section => writeln!(toml, "[{section}]").expect("text"),
            }
            for (key, value) in keys {
                writeln!(toml, "{key} = {value}").expect("text");
            }
        }
        for feed in &self.feeds {
            let (name, url) = (quoted(&feed.name), quoted(&feed.url));
            let head =
                format!("[[feeds]]\nname = {name}\nurl = {url}\ncritic = \"critic\"\ninterval = \"24h\"");
            writeln!(toml, "{head}\n{}", feed.more).expect("text");
        }
        toml
    }
}

impl<'w> Settings<'w> {
    pub(super) async fn new(network: &'w TestNetwork, database: Database) -> Self {
        let folder = TempDir::new();
        let ca_file = folder.write("ca.pem", network.ca.pem());
        let postgres = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(Postgres::create().await),
        };
        let sqlite = || format!("sqlite://{}", folder.file("marquee.sqlite").display());
        let url = postgres.as_ref().map_or_else(sqlite, Postgres::url);
        let mut config = Config::default();
        config.set("", "data_dir", quoted(&folder.path().display().to_string()));
        config.set("site", "title", quoted("The Test Reel"));
        config.set("site", "language", quoted("en"));
        config.set("site", "timezone", quoted("UTC"));
        config.set("server", "listen", quoted(&format!("127.0.0.1:{}", free_port())));
        config.set("server", "origin", quoted(&format!("https://{HOST}")));
        config.set("database", "url", quoted(&url));
        config.set("critics", "handle", quoted("critic"));
        config.set("critics", "name", quoted("The Critic"));
        config.set("critics", "summary", quoted("Sits in the third row."));
        // Only this address: the rest of the loopback network stays forbidden ground, for traps.
        config.set("federation", "allow_networks", "[\"127.0.0.1/32\"]".to_owned());
        config.set("federation", "extra_ca_file", quoted(&ca_file.display().to_string()));
        for (name, address) in network.names.all() {
            config.set("federation.resolve", &quoted(&name), quoted(&address.to_string()));
        }
        Self { network, config, postgres, folder, environment: Vec::new(), role: None, wrapper: Vec::new() }
    }

    /// Sets a key to a value as TOML writes it.
    pub fn set(mut self, section: &str, key: &str, value: &str) -> Self {
        self.config.set(section, key, value.to_owned());
        self
    }

    /// Lets a name lead to an address.
    pub fn resolve(self, name: &str, address: SocketAddr) -> Self {
        self.set("federation.resolve", &quoted(name), &quoted(&address.to_string()))
    }

    /// Declares a feed; `more` is what its table has beside name, url and critic.
    pub fn feed(mut self, name: &str, url: &str, more: &str) -> Self {
        let (name, url, more) = (name.to_owned(), url.to_owned(), more.to_owned());
        self.config.feeds.push(FeedSetting { name, url, more });
        self
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Serves in one role alone.
    pub fn role(mut self, role: &'static str) -> Self {
        self.role = Some(role);
        self
    }

    /// Runs every process of it by this command, which is given the program and its arguments.
    pub fn wrap_with(mut self, command: Vec<String>) -> Self {
        self.wrapper = command;
        self
    }

    /// The config file that it writes.
    pub fn toml(&self) -> String {
        self.config.toml()
    }

    /// Starts it and waits until it is ready.
    pub async fn start(self) -> App {
        let listener = self.network.listen(HOST).await;
        let mut app = self.prepare();
        app.front.add(app.backend());
        tokio::spawn(app.front.clone().serve(listener));
        app.start().await;
        app
    }

    /// Starts what must not start, and gives what it says.
    pub async fn refusal(self) -> Output {
        let app = self.prepare();
        app.cli(&["serve"]).await
    }

    fn prepare(self) -> App {
        let app = App {
            client: self.network.client.clone(),
            config: self.config,
            folder: self.folder,
            environment: self.environment,
            role: self.role,
            wrapper: self.wrapper,
            front: TlsProxy::default(),
            child: None,
            log: Arc::default(),
            printed: Arc::default(),
            postgres: self.postgres,
        };
        app.write_config();
        app
    }
}

/// Lines as they are printed.
pub type Lines = Arc<Mutex<Vec<String>>>;

/// A second process of Marquee, which ends with the value.
pub struct BackgroundProcess(Child);

impl Drop for BackgroundProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A Marquee of the test's own. It ends with the value; where the test fails, its log is printed.
pub struct App {
    client: Client,
    config: Config,
    environment: Vec<(String, String)>,
    role: Option<&'static str>,
    wrapper: Vec<String>,
    front: TlsProxy,
    child: Option<Child>,
    log: Lines,
    printed: Lines,
    folder: TempDir,
    postgres: Option<Postgres>,
}

/// The address of a path of Marquee's.
pub fn url(path: &str) -> String {
    format!("https://{HOST}{path}")
}

impl App {
    /// A folder that it may read.
    pub fn folder(&self) -> &TempDir {
        &self.folder
    }

    /// Changes a key of the config file; it is read at the next start.
    pub fn reconfigure(&mut self, section: &str, key: &str, value: &str) {
        self.config.set(section, key, value.to_owned());
        self.write_config();
    }

    /// Replaces the feeds that the config file declares; they are read at the next start.
    pub fn redeclare_feeds(&mut self, change: impl FnOnce(&mut Vec<FeedSetting>)) {
        change(&mut self.config.feeds);
        self.write_config();
    }

    fn write_config(&self) {
        self.folder.write("marquee.toml", &self.config.toml());
    }

    /// Where it listens, behind the TLS.
    pub fn backend(&self) -> SocketAddr {
        let listen = &self.config.sections["server"]["listen"];
        listen.trim_matches('"').parse().expect("an address")
    }

    fn command(&self, args: &[&str]) -> Command {
        let built = || PathBuf::from(env!("CARGO_BIN_EXE_marquee"));
        let program = std::env::var_os("MARQUEE_TEST_BIN").map_or_else(built, PathBuf::from);
        let words: Vec<&OsStr> = self.wrapper.iter().map(OsStr::new).chain([program.as_os_str()]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MARQUEE_") {
                command.env_remove(name);
            }
        }
        command
            .args(args)
            .arg("--config")
            .arg(self.folder.file("marquee.toml"))
            .current_dir(self.folder.path())
            .env("NO_COLOR", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts it, and waits until it is ready.
    pub async fn start(&mut self) {
        self.launch();
        let client = self.client.clone();
        let ready = url("/health/ready");
        let child = self.child.as_mut().expect("just started");
        super::eventually("Marquee to be ready", || {
            if let Some(status) = child.try_wait().expect("a child") {
                panic!("Marquee ended at its start: {status}");
            }
            let response = client.try_get(&ready, HTML);
            async move { response.await.ok().filter(|response| response.status == 200) }
        })
        .await;
    }

    fn spawn(&self, mut command: Command) -> Child {
        let mut child = command.env("MARQUEE_LOG", "info,marquee=debug").spawn().expect("Marquee");
        let (out, err) = (child.stdout.take(), child.stderr.take());
        keep(out.expect("its standard output"), vec![Arc::clone(&self.log), Arc::clone(&self.printed)]);
        keep(err.expect("its standard error"), vec![Arc::clone(&self.log)]);
        child
    }

    /// Sets a variable of the environment from the next start on; an empty one is none.
    #[cfg(feature = "failpoints")]
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.environment.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Starts it and waits for nothing: it may die at once.
    pub fn launch(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let role = self.role.map_or(vec!["serve"], |role| vec!["serve", "--role", role]);
        self.child = Some(self.spawn(self.command(&role)));
    }

    /// Whether it died by itself.
    #[cfg(feature = "failpoints")]
    pub fn is_dead(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().expect("a child").is_some())
    }

    /// Waits until it died by itself.
    #[cfg(feature = "failpoints")]
    pub async fn await_death(&mut self) {
        let child = self.child.as_mut().expect("it runs");
        super::eventually("the end of Marquee", || {
            let ended = child.try_wait().expect("a child");
            async move { ended }
        })
        .await;
        self.child = None;
    }

    /// Starts another process of Marquee beside it, on the same config.
    pub fn spawn_command(&self, args: &[&str]) -> BackgroundProcess {
        BackgroundProcess(self.spawn(self.command(args)))
    }

    /// Starts another process that serves alone, behind the same TLS, and waits until it listens.
    pub async fn start_second_web(&self) -> BackgroundProcess {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = self.command(&["serve", "--role", "web"]);
        command.env("MARQUEE_SERVER__LISTEN", address.to_string());
        let web = BackgroundProcess(self.spawn(command));
        super::eventually("another web", || async { TcpStream::connect(address).await.ok() }).await;
        self.front.add(address);
        web
    }

    /// The most memory that it had so far, in bytes.
    pub fn peak_memory(&self) -> usize {
        let pid = self.child.as_ref().expect("it runs").id();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
    }

    /// What it has printed so far on its standard output.
    pub fn printed(&self) -> Vec<String> {
        self.printed.lock().expect("what it printed").clone()
    }

    /// What it has printed so far, on both outputs.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("the log").clone()
    }

    /// Ends it as a power cut would.
    pub fn kill9(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("SIGKILL");
        child.wait().expect("its end");
    }

    /// Ends it as a power cut would, and starts it again.
    pub async fn crash(&mut self) {
        self.kill9();
        self.start().await;
    }

    /// Asks it to end, and waits until it has.
    pub async fn terminate(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        let pid = child.id().to_string();
        let status = Command::new("kill").args(["-TERM", &pid]).status().expect("kill");
        assert!(status.success(), "SIGTERM was not sent");
        super::eventually("Marquee to end", || {
            let ended = child.try_wait().expect("a child");
            async move { ended }
        })
        .await
    }

    /// Ends it in peace, and starts it again.
    pub async fn restart(&mut self) {
        let status = self.terminate().await;
        assert!(status.success(), "it ended with {status}");
        self.start().await;
    }

    /// Runs another command of Marquee beside it, on the same config.
    pub fn cli(&self, args: &[&str]) -> impl Future<Output = Output> + use<> {
        let mut command = tokio::process::Command::from(self.command(args));
        let said = args.join(" ");
        async move {
            let output = command.kill_on_drop(true).output();
            match tokio::time::timeout(super::WAIT_TIMEOUT, output).await {
                Ok(output) => output.expect("Marquee"),
                Err(elapsed) => panic!("marquee {said} does not end: {elapsed}"),
            }
        }
    }

    /// Runs a command that must succeed, and gives what it prints.
    pub async fn command_output(&self, args: &[&str]) -> String {
        let output = self.cli(args).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "marquee {}: {}\n{out}{err}", args.join(" "), output.status);
        out
    }

    /// Where its data lies, as its config says.
    pub fn data_dir(&self) -> String {
        self.config.sections[""]["data_dir"].trim_matches('"').to_owned()
    }

    /// The address of its database.
    pub fn database_url(&self) -> String {
        let sqlite = || format!("sqlite://{}", self.folder.file("marquee.sqlite").display());
        self.postgres.as_ref().map_or_else(sqlite, Postgres::url)
    }

    /// The lines of `feed log`.
    pub async fn feed_log(&self) -> Vec<String> {
        let printed = self.command_output(&["feed", "log"]).await;
        printed.lines().map(str::to_owned).collect()
    }

    /// Has a feed read now.
    pub async fn poll(&self, feed: &str) {
        self.command_output(&["feed", "poll", feed]).await;
    }

    /// Has a feed read that cannot be read, which the command says.
    pub async fn poll_expecting_failure(&self, feed: &str) {
        let output = self.cli(&["feed", "poll", feed]).await;
        assert!(!output.status.success(), "{feed} is no feed");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(complaint.contains(feed) && complaint.trim().lines().count() == 1, "{complaint}");
    }

    /// Gets a page as a browser does.
    pub async fn get_page(&self, path: &str) -> Response {
        self.client.get(&url(path), HTML).await
    }

    /// Writes a file that commands can name.
    pub fn write(&self, name: &str, content: &str) -> String {
        let path: &Path = &self.folder.write(name, content);
        path.display().to_string()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("── what Marquee printed ──\n{}\n──", self.log().join("\n"));
        }
    }
}

/// Keeps each line of an output.
pub fn keep(output: impl Read + Send + 'static, places: Vec<Lines>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            for place in &places {
                place.lock().expect("the lines").push(line.clone());
            }
        }
    });
}
