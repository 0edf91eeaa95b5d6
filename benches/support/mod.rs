//! What the benches share. The thing that is measured is the program itself, as its own process; sinks, load and
//! the limits are other processes, which the bench makes of its own binary.
#![allow(dead_code, reason = "each bench uses its part")]
#![allow(
    unreachable_pub,
    reason = "everything in a bench is unreachable from outside; `pub` marks what a module offers"
)]
#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a bench ends where something is not as it must be"
)]

pub mod cpu;
pub mod figure;
pub mod letters;
pub mod limits;
pub mod load;
pub mod plain;
pub mod player;
pub mod rig;
pub mod seed;
pub mod sink;
pub mod site;
pub mod wire;

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

/// How long a bench waits for what must come. Reached only where something is wrong.
pub const PATIENCE: Duration = Duration::from_mins(20);

/// The interval at which a condition is looked at while a bench waits for it.
pub const GLANCE: Duration = Duration::from_millis(50);

/// Runs the bench, or the part that another process of it asked this one to play.
pub fn enter(bench: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    if let Some(part) = std::env::args().nth(1).filter(|word| word.starts_with("as-")) {
        return player::play(&part);
    }
    tokio::runtime::Runtime::new()?.block_on(bench)
}

/// Whether the sizes are those of the goals (`BENCH_FULL=1`), or such as end in a few minutes.
pub fn is_full() -> bool {
    std::env::var_os("BENCH_FULL").is_some_and(|value| value == "1")
}

/// Whether the program has its data in PostgreSQL (`BENCH_DATABASE=postgres`), or in SQLite.
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

/// How often each measure is taken; the median counts.
pub fn rounds() -> anyhow::Result<usize> {
    match std::env::var("BENCH_ROUNDS") {
        Ok(text) => Ok(text.parse::<usize>()?.max(1)),
        Err(_) => Ok(5),
    }
}

/// Whether a figure is asked for: those whose names `BENCH_ONLY` lists, or all.
pub fn wants(figure: &str) -> bool {
    std::env::var("BENCH_ONLY").map_or(true, |only| only.split(',').any(|name| name.trim() == figure))
}

/// Waits until `probe` finds what it looks for.
pub async fn eventually<T>(
    what: &str,
    mut probe: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let began = std::time::Instant::now();
    loop {
        if let Some(found) = probe().await? {
            return Ok(found);
        }
        if began.elapsed() > PATIENCE {
            bail!("waited in vain for {what}");
        }
        tokio::time::sleep(GLANCE).await;
    }
}
