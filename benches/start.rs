//! Measures the start time and the size of the binary.

mod support;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;
use support::connection::{Connection, headers, request};
use support::environment::Environment;
use support::helper_process::HelperProcess;
use support::postgres::free_port;
use support::report::{median, ratio};
use support::seed::FollowerGroup;
use support::site::HOST;
use support::temp_dir::TempDir;
use support::{WAIT_TIMEOUT, is_full, rounds, size, wants};

fn main() -> anyhow::Result<()> {
    support::enter(Box::pin(bench()))
}

async fn bench() -> anyhow::Result<()> {
    println!("start: sizes {}, {} rounds", if is_full() { "of the goals" } else { "short" }, rounds()?);
    if wants("cold_start") {
        cold_start().await?;
    }
    if wants("binary_mb") {
        binary()?;
    }
    Ok(())
}

/// Compares the time from process start to the first successful response with that of a trivial server that
/// opens the same database.
async fn cold_start() -> anyhow::Result<()> {
    let followers = size(100_000, 1_000_000);
    let mut environment = Environment::build().await?;
    let group = FollowerGroup { count: followers, inboxes: 5_000, hosts: 16, name: "h" };
    let site = environment.site_on(&[group], false).await?;
    let (mut ratios, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    // The first start reads from disk what the others find in the page cache, so it does not count.
    for round in 0..=rounds()? {
        let address: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let started = Instant::now();
        let plan = json!({"listen": address.to_string(), "database": site.database});
        let trivial = HelperProcess::start("as-baseline", &plan).await?;
        let limit = time_to_first_response(address, "/", started).await?;
        drop(trivial);
        let started = Instant::now();
        let running = site.spawn("all")?;
        let time = time_to_first_response(site.listen, "/health/ready", started).await?;
        running.stop().await?;
        if round == 0 {
            continue;
        }
        theirs.push(limit.as_secs_f64() * 1e3);
        ours.push(time.as_secs_f64() * 1e3);
        ratios.push(time.as_secs_f64() / limit.as_secs_f64());
    }
    let line = format!(
        "ready after {:.1} ms; trivial server {:.1} ms; {followers} followers, SQLite",
        median(&ours),
        median(&theirs)
    );
    ratio("cold_start", &ratios, &[line]);
    Ok(())
}

/// Waits until a server responds with 200, and returns the time since `started`.
async fn time_to_first_response(
    address: SocketAddr,
    path: &str,
    started: Instant,
) -> anyhow::Result<Duration> {
    let headers = headers(&[("host", HOST)]);
    while started.elapsed() < WAIT_TIMEOUT {
        let response =
            async { Connection::without_tls(address).await?.send(request("GET", path, &headers, "")?).await };
        if response.await.is_ok_and(|response| response.status == 200) {
            return Ok(started.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    anyhow::bail!("{address} does not respond")
}

/// Measures the size of the binary without its symbols: the one that `BENCH_BINARY` names, or the benchmarked
/// one.
fn binary() -> anyhow::Result<()> {
    let named = std::env::var_os("BENCH_BINARY").map(PathBuf::from);
    let (binary, description) = match named {
        Some(named) => (named, "as named by BENCH_BINARY"),
        None => {
            (env!("CARGO_BIN_EXE_marquee").into(), "of the profile `release`; `dist` is what is installed")
        }
    };
    let folder = TempDir::new();
    let stripped = folder.file("marquee");
    let status = Command::new("strip").arg("-o").arg(&stripped).arg(&binary).status();
    ensure!(status.context("strip is not installed")?.success(), "strip failed");
    let bytes = u32::try_from(std::fs::metadata(&stripped)?.len())?;
    ratio("binary_mb", &[f64::from(bytes) / 1e6], &[format!("{bytes} bytes, stripped, {description}")]);
    Ok(())
}
