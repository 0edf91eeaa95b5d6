//! Shared code of the benches. A bench measures Marquee itself, which runs as its own process. The sink, the load
//! generator, the limits and the baseline are helper processes, started from the binary of the bench.
#![allow(dead_code, reason = "each bench uses its part")]
#![allow(
    unreachable_pub,
    reason = "everything in a bench is unreachable from outside; `pub` marks what a module offers"
)]
#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a bench ends with the first error"
)]

pub mod authors;
pub mod baseline;
pub mod connection;
pub mod cpu;
pub mod environment;
pub mod helper_process;
pub mod limits;
pub mod load;
pub mod report;
pub mod seed;
pub mod sink;
pub mod site;

#[path = "../../tests/support/ca.rs"]
pub mod ca;
#[path = "../../tests/support/keys.rs"]
pub mod keys;
#[path = "../../tests/support/postgres.rs"]
pub mod postgres;
#[path = "../../tests/support/signature.rs"]
pub mod signature;
#[path = "../../tests/support/temp_dir.rs"]
pub mod temp_dir;
#[path = "../../tests/support/unique.rs"]
mod unique;

use std::future::Future;
use std::time::Duration;

use anyhow::bail;

pub use unique::{now, unique};

/// How long a bench waits for a condition. It is reached only if something is wrong.
pub const WAIT_TIMEOUT: Duration = Duration::from_mins(20);

/// How often a condition is checked while a bench waits for it.
pub const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Runs the bench, or the role of a helper process if the first argument names one.
pub fn enter(bench: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("as-baseline") => helper_process::run::<baseline::Baseline>(),
        Some("as-limits") => helper_process::run::<limits::Limits>(),
        Some("as-load") => helper_process::run::<load::LoadGenerator>(),
        Some("as-sink") => helper_process::run::<sink::Sink>(),
        Some(role) if role.starts_with("as-") => bail!("there is no role {role}"),
        _ => tokio::runtime::Runtime::new()?.block_on(bench),
    }
}

/// Whether to use the sizes that the goals are defined for (`BENCH_FULL=1`) rather than those that take minutes.
pub fn is_full() -> bool {
    std::env::var_os("BENCH_FULL").is_some_and(|value| value == "1")
}

/// Whether Marquee runs on PostgreSQL (`BENCH_DATABASE=postgres`) rather than on SQLite.
pub fn on_postgres() -> bool {
    std::env::var_os("BENCH_DATABASE").is_some_and(|value| value == "postgres")
}

/// The name of that database.
pub fn database() -> &'static str {
    if on_postgres() { "PostgreSQL" } else { "SQLite" }
}

/// One of two sizes.
pub fn size<T>(short: T, full: T) -> T {
    if is_full() { full } else { short }
}

/// How often each value is measured; the median counts.
pub fn rounds() -> anyhow::Result<usize> {
    match std::env::var("BENCH_ROUNDS") {
        Ok(text) => Ok(text.parse::<usize>()?.max(1)),
        Err(_) => Ok(5),
    }
}

/// Whether to measure this ratio: `BENCH_ONLY` lists their names; without it all are measured.
pub fn wants(name: &str) -> bool {
    std::env::var("BENCH_ONLY").map_or(true, |only| only.split(',').any(|wanted| wanted.trim() == name))
}

/// Waits until `probe` returns a value.
pub async fn eventually<T>(
    what: &str,
    mut probe: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let began = std::time::Instant::now();
    loop {
        if let Some(found) = probe().await? {
            return Ok(found);
        }
        if began.elapsed() > WAIT_TIMEOUT {
            bail!("timed out waiting for {what}");
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
