//! A PostgreSQL cluster for the test run, which is removed when the run ends, and a database in it for each
//! test.
//!
//! The first test that needs the cluster starts it. Other tests of the same run (nextest runs each test in a
//! process and gives all of them a run id) find it in the folder of the run. A watchdog process stops it and
//! removes the folder once the process that owns the run is gone, however that ended.
//! `MARQUEE_TEST_POSTGRES`, a `postgres://` URL of a superuser without a database, names a running cluster to
//! use instead. Without PostgreSQL the tests that need it fail.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// A database, dropped with this value.
#[derive(Debug)]
pub struct Postgres {
    cluster: Cluster,
    name: String,
}

#[derive(Debug, Clone)]
struct Cluster {
    url: String,
    /// The folder of the test run; none if the cluster was running before.
    folder: Option<PathBuf>,
}

impl Postgres {
    /// Creates an empty database.
    pub async fn create() -> Self {
        let database = Self::reserve().await;
        database.create_database("template0").await;
        database
    }

    /// Chooses the name of a database, which `create_database` creates.
    pub async fn reserve() -> Self {
        let cluster = tokio::task::spawn_blocking(cluster).await.expect("a cluster");
        Self { cluster, name: format!("marquee_{}", super::unique()) }
    }

    /// A database of another name in the same cluster.
    pub fn sibling(&self, name: &str) -> Self {
        Self { cluster: self.cluster.clone(), name: name.to_owned() }
    }

    /// Creates the database as a copy of another.
    pub async fn create_database(&self, template: &str) {
        let statement = format!("create database {} template {template}", self.name);
        self.administer(statement).await.expect("a new database");
    }

    /// Does not drop the database.
    pub fn keep(self) {
        std::mem::forget(self);
    }

    /// The folder of the test run; none on a cluster that outlives it.
    pub fn run_folder(&self) -> Option<&Path> {
        self.cluster.folder.as_deref()
    }

    /// The URL of the database.
    pub fn url(&self) -> String {
        format!("{}/{}", self.cluster.url, self.name)
    }

    async fn administer(&self, statement: String) -> Result<(), sqlx::Error> {
        let mut connection = PgConnection::connect(&format!("{}/postgres", self.cluster.url)).await?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
        connection.close().await
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let statement = format!("drop database if exists {} with (force)", self.name);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                // If this fails, the database goes with its cluster.
                if let Ok(runtime) = runtime {
                    let _ = runtime.block_on(self.administer(statement));
                }
            });
        });
    }
}

/// The cluster of the test run, which is started if it does not run yet.
fn cluster() -> Cluster {
    if let Ok(url) = std::env::var("MARQUEE_TEST_POSTGRES") {
        return Cluster { url: url.trim_end_matches('/').to_owned(), folder: None };
    }
    // Under nextest the run is owned by the runner, our parent process; otherwise by this process.
    let (run, owner) = match std::env::var("NEXTEST_RUN_ID") {
        Ok(run) => (run, std::os::unix::process::parent_id()),
        Err(_) => (std::process::id().to_string(), std::process::id()),
    };
    let folder = std::env::temp_dir().join(format!("marquee-postgres-{run}"));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let lock = File::create(folder.join("lock")).expect("a lock file");
    lock.lock().expect("a lock");
    let known = folder.join("url");
    if let Ok(url) = fs::read_to_string(&known) {
        return Cluster { url, folder: Some(folder) };
    }
    let url = start(&folder, owner);
    fs::write(&known, &url).expect("a file in a temporary folder");
    Cluster { url, folder: Some(folder) }
}

/// Starts a cluster in `folder`, and the watchdog that stops it when `owner` ends.
fn start(folder: &Path, owner: u32) -> String {
    let tools = tools();
    let data = folder.join("data");
    fs::create_dir_all(&data).expect("a temporary folder");
    // PostgreSQL rejects to run as root, so another user must own the cluster.
    let user = run_as();
    fs::set_permissions(folder, Permissions::from_mode(0o755)).expect("permissions");
    if let Some(user) = &user {
        run(Command::new("chown").arg(user).arg(&data));
    }
    let as_user = |tool: &str| {
        let mut command = match &user {
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", user, "--regid", &group_of(user), "--clear-groups"]);
                command.arg(tools.join(tool));
                command
            }
            None => Command::new(tools.join(tool)),
        };
        command.current_dir("/").env_remove("PGDATA");
        command
    };
    run(as_user("initdb")
        .args(["--auth=trust", "--username=marquee", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
        .arg(&data));
    for _ in 0..20 {
        let port = free_port();
        let options = format!(
            "-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300 \
             -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c max_wal_size=4GB"
        );
        let started = as_user("pg_ctl")
            .args(["start", "--wait", "--silent", "-o", &options, "-l"])
            .arg(data.join("log"))
            .arg("-D")
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("pg_ctl");
        if started.success() {
            watch(owner, &data, folder);
            return format!("postgres://marquee@127.0.0.1:{port}");
        }
    }
    let log = fs::read_to_string(data.join("log")).unwrap_or_default();
    panic!("PostgreSQL does not start:\n{log}");
}

/// Stops the server and removes the folder as soon as `owner` is gone. It runs in a session of its own, so
/// that killing a test does not kill it.
fn watch(owner: u32, data: &Path, folder: &Path) {
    // The pid file contains the server's pid in its first line and disappears with the server. (Where nothing
    // reaps orphans, the pid itself remains.) SIGQUIT is the immediate shutdown.
    let script = "tail --pid=\"$1\" -f /dev/null
        kill -QUIT \"$(head -n 1 \"$2/postmaster.pid\")\"
        for _ in $(seq 100); do [ -e \"$2/postmaster.pid\" ] || break; sleep 0.1; done
        rm -rf \"$3\"";
    Command::new("setsid")
        .args(["--fork", "sh", "-c", script, "watchdog", &owner.to_string()])
        .args([data, folder])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("setsid");
}

/// The directory of `initdb` and `pg_ctl`: from PATH, or from Debian's directories, newest version first.
fn tools() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders
        .into_iter()
        .find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
        .expect("PostgreSQL is not installed: no initdb and pg_ctl on PATH or in /usr/lib/postgresql/*/bin")
}

/// The user that the cluster runs as, or `None` if that is the current user.
fn run_as() -> Option<String> {
    let uid = text_of(Command::new("id").arg("-u"));
    let exists = |user: &&str| Command::new("id").arg(user).output().is_ok_and(|o| o.status.success());
    (uid == "0").then(|| ["postgres", "nobody"].iter().find(|u| exists(u)).expect("a user").to_string())
}

fn group_of(user: &str) -> String {
    text_of(Command::new("id").args(["-g", user]))
}

fn text_of(command: &mut Command) -> String {
    let output = command.output().expect("a command");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{stderr}");
}

/// A free port below the range of ephemeral ports.
pub fn free_port() -> u16 {
    loop {
        let mut random = [0u8; 2];
        aws_lc_rs::rand::fill(&mut random).expect("random bytes");
        let port = 18_000 + u16::from_be_bytes(random) % 14_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
