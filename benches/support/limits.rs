//! The limits: what each unavoidable step costs on a single thread of a dedicated process.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};
use tokio_rustls::TlsConnector;

use super::connection::{Connection, connector, headers, request};
use super::helper_process::{HelperProcess, Role, count, real, text};
use super::keys::{Key, unpem};
use super::seed::Database;
use super::signature::sha256;
use super::sink::UNSIGNED;
use super::temp_dir::TempDir;
use super::{cpu, unique};

/// Persistent connections.
const CONNECTIONS: usize = 16;

/// Rows per transaction, and entries per feed.
const BATCH_SIZE: usize = 100;

/// The length of what a delivery's signature covers.
const SIGNED_TEXT_LENGTH: usize = 220;

pub struct Limits {
    key: Key,
    public: ParsedPublicKey,
    tls: Option<(TlsConnector, SocketAddr)>,
    body: String,
    connections: Vec<Connection>,
    database: Database,
    _folder: TempDir,
}

// How often each step runs for one measurement, so that it takes a good part of a second.
pub const SIGN: usize = 500;
pub const VERIFY: usize = 10_000;
pub const DIGEST: usize = 50_000;
pub const POST: usize = 8_000;
pub const POST_TLS: usize = 400;
pub const INSERT: usize = 5_000;
pub const PARSE: usize = 5_000;
pub const SANITISE: usize = 2_000;

impl Role for Limits {
    const SINGLE_THREADED: bool = true;

    async fn start(plan: Value) -> anyhow::Result<(Self, Value)> {
        let key = Key::fresh();
        let der = unpem(&key.public_pem()).context("a PEM")?;
        let folder = TempDir::new();
        let database = match plan["database"].as_str() {
            Some(url) => Database::Postgres(PgConnection::connect(url).await?),
            None => Database::Sqlite(open(&folder).await?),
        };
        let database = with_table(database).await?;
        let tls = match plan["sink"].as_str() {
            Some(sink) => Some((connector(text(&plan, "ca")?)?, sink.parse()?)),
            None => None,
        };
        let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &der)?;
        let limits = Self {
            key,
            public,
            tls,
            body: String::new(),
            connections: Vec::new(),
            database,
            _folder: folder,
        };
        Ok((limits, Value::Null))
    }

    async fn handle(&mut self, order: Value) -> anyhow::Result<Value> {
        if let Some(body) = order["body"].as_str() {
            body.clone_into(&mut self.body);
            return Ok(Value::Null);
        }
        let times = count(&order, "times")?;
        let step = text(&order, "do")?;
        if step == "post" && self.connections.is_empty() {
            self.connections = self.connect().await?;
        }
        let message = "m".repeat(SIGNED_TEXT_LENGTH);
        let signature = self.key.sign(message.as_bytes());
        let before = cpu::of_threads(std::process::id())?;
        match step {
            "sign" => (0..times).for_each(|_| drop(self.key.sign(message.as_bytes()))),
            "digest" => (0..times).for_each(|_| drop(std::hint::black_box(sha256(self.body.as_bytes())))),
            "verify" => {
                let good = |_| self.public.verify_sig(message.as_bytes(), &signature).is_ok();
                ensure!((0..times).all(good), "its own signature does not verify");
            }
            "parse" => parse(times)?,
            "sanitize" => (0..times).for_each(|_| drop(std::hint::black_box(ammonia::clean(&entry())))),
            "post" => self.post(times).await?,
            "post_tls" => self.post_tls(times).await?,
            "insert" => self.insert(times).await?,
            step => anyhow::bail!("unknown limit {step}"),
        }
        let spent = cpu::of_threads(std::process::id())?.saturating_sub(before);
        Ok(json!({"micros": spent.as_secs_f64() * 1e6 / super::report::number(times)}))
    }
}

impl Limits {
    fn sink(&self) -> anyhow::Result<&(TlsConnector, SocketAddr)> {
        self.tls.as_ref().context("no sink was named")
    }

    async fn connect(&self) -> anyhow::Result<Vec<Connection>> {
        let (tls, sink) = self.sink()?;
        let names = (0..CONNECTIONS).map(|n| format!("limit{n}.bench.test"));
        try_join_all(names.map(|name| async move { Connection::with_tls(*sink, &name, tls).await })).await
    }

    /// Sends unsigned requests over persistent connections.
    async fn post(&mut self, times: usize) -> anyhow::Result<()> {
        let body = bytes::Bytes::from(self.body.clone());
        let headers = post_headers("limit.bench.test");
        let requests_per_connection = times / CONNECTIONS;
        let posts = self.connections.iter_mut().map(async |connection| {
            for _ in 0..requests_per_connection {
                let response = connection.send(request("POST", UNSIGNED, &headers, body.clone())?).await?;
                ensure!(response.status == 202, "the sink responded with {}", response.status);
            }
            anyhow::Ok(())
        });
        try_join_all(posts).await?;
        Ok(())
    }

    /// Sends each request over a new connection, eight at a time.
    async fn post_tls(&self, times: usize) -> anyhow::Result<()> {
        let (tls, sink) = self.sink()?;
        let body = bytes::Bytes::from(self.body.clone());
        let tasks = (0..8).map(async |task| {
            for number in 0..times / 8 {
                let name = format!("fresh{task}-{number}.bench.test");
                let mut connection = Connection::with_tls(*sink, &name, tls).await?;
                let response =
                    connection.send(request("POST", UNSIGNED, &post_headers(&name), body.clone())?).await?;
                ensure!(response.status == 202, "the sink responded with {}", response.status);
            }
            anyhow::Ok(())
        });
        try_join_all(tasks).await?;
        Ok(())
    }

    /// Inserts rows as large as the body, a hundred per transaction.
    async fn insert(&mut self, times: usize) -> anyhow::Result<()> {
        let prefix = unique();
        macro_rules! insert {
            ($database:expr, $begin:literal) => {
                for batch in 0..times / BATCH_SIZE {
                    let mut tx = $database.begin_with($begin).await?;
                    for row in 0..BATCH_SIZE {
                        sqlx::query(
                            "insert into rows (id, host, state, body, at) values ($1, $2, 'queued', $3, $4)",
                        )
                        .bind(format!("https://h{row}.bench.test/{prefix}/{batch}"))
                        .bind("h.bench.test")
                        .bind(&self.body)
                        .bind(1_700_000_000_000_i64)
                        .execute(&mut *tx)
                        .await?;
                    }
                    tx.commit().await?;
                }
            };
        }
        match &mut self.database {
            Database::Sqlite(database) => insert!(database, "begin immediate"),
            Database::Postgres(database) => insert!(database, "begin"),
        }
        Ok(())
    }
}

/// The text of a feed entry.
fn entry() -> String {
    let paragraph = "<p>A <em>long</em> take through the <a href=\"https://rain.test/\">rain</a>, and then the lights \
        go out; the usher <strong>stays</strong>.</p>";
    paragraph.repeat(12)
}

/// Parses feeds of a hundred entries each until `times` entries are read.
fn parse(times: usize) -> anyhow::Result<()> {
    let content = entry().replace('<', "&lt;");
    let item = |number: usize| {
        format!("<item><guid>{number}</guid><title>A film</title><description>{content}</description></item>")
    };
    let items: String = (0..BATCH_SIZE).map(item).collect();
    let feed = format!("<rss version=\"2.0\"><channel><title>Films</title>{items}</channel></rss>");
    for _ in 0..times / BATCH_SIZE {
        let parsed = feed_rs::parser::parse(feed.as_bytes())?;
        ensure!(parsed.entries.len() == BATCH_SIZE, "not every entry is read");
    }
    Ok(())
}

fn post_headers(host: &str) -> Vec<(String, String)> {
    headers(&[("host", host), ("content-type", "application/activity+json"), ("user-agent", "bench/1.0")])
}

/// Opens a database with the durability that Marquee's has.
async fn open(folder: &TempDir) -> anyhow::Result<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(folder.file("limits.sqlite"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    Ok(SqliteConnection::connect_with(&options).await?)
}

/// Creates an empty table in it.
async fn with_table(mut database: Database) -> anyhow::Result<Database> {
    let table = "create table rows (id text not null primary key, host text not null, state text not null, \
        body text not null, at bigint not null)";
    match &mut database {
        Database::Sqlite(database) => sqlx::query(table).execute(database).await.map(drop)?,
        Database::Postgres(database) => sqlx::query(table).execute(database).await.map(drop)?,
    }
    Ok(database)
}

/// Returns the cost of a step in µs of CPU time.
pub async fn cost(limits: &mut HelperProcess, step: &str, times: usize) -> anyhow::Result<f64> {
    real(&limits.call(&json!({"do": step, "times": times})).await?, "micros")
}

/// Returns the cost of inserting a row with this text in µs of CPU time.
pub async fn insert(limits: &mut HelperProcess, body: &str) -> anyhow::Result<f64> {
    limits.call(&json!({"body": body})).await?;
    cost(limits, "insert", INSERT).await
}
