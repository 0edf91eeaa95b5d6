//! Marquee as a child process behind an HTTPS proxy.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::config_file::{ConfigFile, FeedSetting, url};
use super::database::TestDatabase;
use super::http::{Client, HTML, Response};
use super::network::TlsListener;
use super::postgres::free_port;
use super::temp_dir::TempDir;
use super::template::program;
use super::tls_proxy::TlsProxy;

/// Lines of output.
pub type Lines = Arc<Mutex<Vec<String>>>;

/// Another process of Marquee, which is killed when the value is dropped.
pub struct BackgroundProcess(Child);

impl Drop for BackgroundProcess {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How an [`App`] is started.
pub struct AppOptions {
    pub client: Client,
    pub config: ConfigFile,
    pub database: TestDatabase,
    pub folder: TempDir,
    pub environment: Vec<(String, String)>,
    pub role: Option<&'static str>,
    pub wrapper: Vec<String>,
}

/// The Marquee of a test. The process is killed when the value is dropped; if the test fails, its log is printed.
pub struct App {
    options: AppOptions,
    proxy: TlsProxy,
    child: Option<Child>,
    log: Lines,
    printed: Lines,
}

impl App {
    /// Creates its database and its config file, and starts nothing.
    pub async fn new(options: AppOptions) -> Self {
        options.database.create(&options.config).await;
        let (log, printed) = (Arc::default(), Arc::default());
        let app = Self { options, proxy: TlsProxy::default(), child: None, log, printed };
        app.write_config();
        app
    }

    /// Serves HTTPS in front of it for as long as the test runs.
    pub fn serve_tls(&self, listener: TlsListener) {
        self.proxy.add(self.backend());
        tokio::spawn(self.proxy.clone().serve(listener));
    }

    /// A directory that Marquee can read.
    pub fn folder(&self) -> &TempDir {
        &self.options.folder
    }

    /// Changes a key of the config file, for the next start.
    pub fn reconfigure(&mut self, section: &str, key: &str, value: &str) {
        self.options.config.set(section, key, value.to_owned());
        self.write_config();
    }

    /// Changes the feeds in the config file, for the next start.
    pub fn redeclare_feeds(&mut self, change: impl FnOnce(&mut Vec<FeedSetting>)) {
        change(&mut self.options.config.feeds);
        self.write_config();
    }

    fn write_config(&self) {
        self.options.folder.write("marquee.toml", &self.options.config.toml());
    }

    /// Where it listens for plain HTTP.
    pub fn backend(&self) -> SocketAddr {
        self.options.config.listen_address()
    }

    fn command(&self, args: &[&str]) -> Command {
        let program = program();
        let command_line: Vec<&OsStr> =
            self.options.wrapper.iter().map(OsStr::new).chain([program.as_os_str()]).collect();
        let mut command = Command::new(command_line[0]);
        command.args(&command_line[1..]);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MARQUEE_") {
                command.env_remove(name);
            }
        }
        command
            .args(args)
            .arg("--config")
            .arg(self.options.folder.file("marquee.toml"))
            .current_dir(self.options.folder.path())
            .env("NO_COLOR", "1")
            .env("MARQUEE_TEST_CLOCK", self.options.folder.file(super::clock::FILE))
            .envs(self.options.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts Marquee and waits until it is ready.
    pub async fn start(&mut self) {
        self.launch();
        let client = self.options.client.clone();
        let ready = url("/health/ready");
        let child = self.child.as_mut().expect("just started");
        super::eventually("Marquee to be ready", || {
            if let Some(status) = child.try_wait().expect("a child") {
                panic!("Marquee exited during its start: {status}");
            }
            let response = client.try_get(&ready, HTML);
            async move { response.await.ok().filter(|response| response.status == 200) }
        })
        .await;
    }

    fn spawn(&self, mut command: Command) -> Child {
        if !self.options.environment.iter().any(|(name, _)| name == "MARQUEE_LOG") {
            command.env("MARQUEE_LOG", "info,marquee=debug");
        }
        let mut child = command.spawn().expect("Marquee");
        let (out, err) = (child.stdout.take(), child.stderr.take());
        collect_lines(
            out.expect("its standard output"),
            vec![Arc::clone(&self.log), Arc::clone(&self.printed)],
        );
        collect_lines(err.expect("its standard error"), vec![Arc::clone(&self.log)]);
        child
    }

    /// Sets an environment variable from the next start on, or removes it if the value is empty.
    #[cfg(feature = "failpoints")]
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.options.environment.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.options.environment.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Starts Marquee without waiting; it may exit at once.
    pub fn launch(&mut self) {
        assert!(self.child.is_none(), "it is already running");
        let role = self.options.role.map_or(vec!["serve"], |role| vec!["serve", "--role", role]);
        self.child = Some(self.spawn(self.command(&role)));
    }

    /// Whether Marquee has exited on its own.
    #[cfg(feature = "failpoints")]
    pub fn has_exited(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().expect("a child").is_some())
    }

    /// Waits until Marquee exits on its own.
    #[cfg(feature = "failpoints")]
    pub async fn await_exit(&mut self) {
        let child = self.child.as_mut().expect("it is running");
        super::eventually("Marquee to exit", || {
            let status = child.try_wait().expect("a child");
            async move { status }
        })
        .await;
        self.child = None;
    }

    /// Starts another process of Marquee with the same config.
    pub fn spawn_command(&self, args: &[&str]) -> BackgroundProcess {
        BackgroundProcess(self.spawn(self.command(args)))
    }

    /// Starts another process with `--role web` behind the same HTTPS, and waits until it listens.
    pub async fn start_second_web(&self) -> BackgroundProcess {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = self.command(&["serve", "--role", "web"]);
        command.env("MARQUEE_SERVER__LISTEN", address.to_string());
        let web = BackgroundProcess(self.spawn(command));
        super::eventually("another web", || async { TcpStream::connect(address).await.ok() }).await;
        self.proxy.add(address);
        web
    }

    /// Its peak memory in bytes.
    pub fn peak_memory(&self) -> usize {
        let pid = self.child.as_ref().expect("it is running").id();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
    }

    /// What Marquee has printed on its standard output.
    pub fn printed(&self) -> Vec<String> {
        self.printed.lock().expect("the output").clone()
    }

    /// Waits until a line of the log meets a condition. A line may arrive later than the response that it is about.
    pub async fn await_log(&self, what: &str, is_match: impl Fn(&str) -> bool) {
        super::eventually(what, || async { self.log().iter().any(|line| is_match(line)).then_some(()) })
            .await;
    }

    /// What Marquee has printed on both outputs so far. To wait for a line, use [`App::await_log`].
    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("the log").clone()
    }

    /// Kills Marquee as a power cut would.
    pub fn kill9(&mut self) {
        let mut child = self.child.take().expect("it is running");
        child.kill().expect("SIGKILL");
        child.wait().expect("its end");
    }

    /// Kills Marquee as a power cut would, and starts it again.
    pub async fn crash(&mut self) {
        self.kill9();
        self.start().await;
    }

    /// Sends SIGTERM and waits until Marquee has exited.
    pub async fn terminate(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it is running");
        let pid = child.id().to_string();
        let status = Command::new("kill").args(["-TERM", &pid]).status().expect("kill");
        assert!(status.success(), "SIGTERM was not sent");
        super::eventually("Marquee to exit", || {
            let status = child.try_wait().expect("a child");
            async move { status }
        })
        .await
    }

    /// Stops Marquee with SIGTERM and starts it again.
    pub async fn restart(&mut self) {
        let status = self.terminate().await;
        assert!(status.success(), "Marquee exited with {status}");
        self.start().await;
    }

    /// Runs a command of Marquee with the same config.
    pub fn cli(&self, args: &[&str]) -> impl Future<Output = Output> + use<> {
        let mut command = tokio::process::Command::from(self.command(args));
        let command_line = args.join(" ");
        async move {
            let output = command.kill_on_drop(true).output();
            match tokio::time::timeout(super::WAIT_TIMEOUT, output).await {
                Ok(output) => output.expect("Marquee"),
                Err(elapsed) => panic!("marquee {command_line} does not exit: {elapsed}"),
            }
        }
    }

    /// Runs a command with this text on its standard input.
    pub async fn cli_with_input(&self, args: &[&str], input: &str) -> Output {
        let mut command = tokio::process::Command::from(self.command(args));
        let mut child = command.stdin(Stdio::piped()).kill_on_drop(true).spawn().expect("Marquee");
        let mut stdin = child.stdin.take().expect("its standard input");
        stdin.write_all(input.as_bytes()).await.expect("it reads");
        drop(stdin);
        let output = tokio::time::timeout(super::WAIT_TIMEOUT, child.wait_with_output()).await;
        output.expect("it exits in time").expect("Marquee")
    }

    /// Runs a command whose standard output nobody reads.
    pub async fn cli_unread(&self, args: &[&str]) -> Output {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = tokio::process::Command::from(self.command(args));
        let child =
            command.stdout(writer).stderr(Stdio::piped()).kill_on_drop(true).spawn().expect("Marquee");
        let output = tokio::time::timeout(super::WAIT_TIMEOUT, child.wait_with_output()).await;
        output.expect("it exits in time").expect("Marquee")
    }

    /// Runs a command that must succeed on a terminal, and returns what that shows.
    pub async fn output_on_terminal(&self, args: &[&str]) -> String {
        let pty = nix::pty::openpty(None, None).expect("a terminal");
        let mut command = tokio::process::Command::from(self.command(args));
        let mut child = command.stdout(pty.slave).kill_on_drop(true).spawn().expect("Marquee");
        // With it, the last handle of the terminal's other end is the child's.
        drop(command);
        let shown = tokio::task::spawn_blocking(move || {
            let mut shown = Vec::new();
            // Once the other end is closed, Linux reports an error.
            let _closed = std::fs::File::from(pty.master).read_to_end(&mut shown);
            String::from_utf8(shown).expect("UTF-8").replace("\r\n", "\n")
        });
        let status = tokio::time::timeout(super::WAIT_TIMEOUT, child.wait()).await;
        assert!(status.expect("it exits in time").expect("Marquee").success(), "marquee {}", args.join(" "));
        shown.await.expect("the output")
    }

    /// Runs a command that must succeed, and returns its output.
    pub async fn command_output(&self, args: &[&str]) -> String {
        let output = self.cli(args).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "marquee {}: {}\n{out}{err}", args.join(" "), output.status);
        out
    }

    /// A command as messages name it, with the config file.
    pub fn command_hint(&self, command: &str) -> String {
        format!("marquee --config {} {command}", self.options.folder.file("marquee.toml").display())
    }

    /// The folder of its data, as its config says.
    pub fn data_dir(&self) -> String {
        self.options.config.get("", "data_dir").to_owned()
    }

    pub fn database_url(&self) -> String {
        self.options.database.url()
    }

    /// The lines of `feed log`.
    pub async fn feed_log(&self) -> Vec<String> {
        let printed = self.command_output(&["feed", "log"]).await;
        printed.lines().map(str::to_owned).collect()
    }

    /// Polls a feed now.
    pub async fn poll(&self, feed: &str) {
        self.command_output(&["feed", "poll", feed]).await;
    }

    /// Polls a feed that cannot be read; the command must report that.
    pub async fn poll_expecting_failure(&self, feed: &str) {
        let output = self.cli(&["feed", "poll", feed]).await;
        assert!(!output.status.success(), "{feed} is not a feed");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(feed) && stderr.trim().lines().count() == 1, "{stderr}");
    }

    /// Gets a page like a browser.
    pub async fn get_page(&self, path: &str) -> Response {
        self.options.client.get(&url(path), HTML).await
    }

    /// Writes a file that commands can name, and returns its path.
    pub fn write(&self, name: &str, content: &str) -> String {
        let path: &Path = &self.options.folder.write(name, content);
        path.display().to_string()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("── output of Marquee ──\n{}\n──", self.log().join("\n"));
        }
    }
}

/// Keeps each line of an output.
pub fn collect_lines(output: impl Read + Send + 'static, sinks: Vec<Lines>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            for sink in &sinks {
                sink.lock().expect("the lines").push(line.clone());
            }
        }
    });
}
