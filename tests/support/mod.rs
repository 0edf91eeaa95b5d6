//! The test harness. Each test has a `TestNetwork` of its own, in which Marquee and remote servers find each
//! other by name over HTTPS.

pub mod activities;
pub mod app;
pub mod ca;
pub mod clock;
pub mod config_file;
pub mod database;
pub mod db_control;
pub mod feed;
pub mod fixture;
pub mod forbidden_listener;
pub mod http;
pub mod keys;
pub mod network;
pub mod own_database;
pub mod page;
pub mod postgres;
pub mod remote;
pub mod rng;
pub mod rust_source;
pub mod settings;
pub mod signature;
pub mod signed_request;
pub mod signer;
pub mod small_disk;
pub mod source_tree;
pub mod temp_dir;
pub mod template;
pub mod tls_proxy;
mod unique;
pub mod verify;
pub mod weak_keys;

use std::future::Future;
use std::time::Duration;

pub use database::Database;
pub use fixture::Fixture;
pub use network::TestNetwork;
pub use unique::{now, unique};

/// How long a test waits for a condition. Generous, since it is reached only when a test fails.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

/// The same for conditions that a lease or the first retry of the worker can delay.
pub const LONG_WAIT_TIMEOUT: Duration = Duration::from_mins(4);

/// How often a condition is checked while a test waits for it.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Waits until `probe` returns a value.
///
/// # Panics
/// If it does not within `WAIT_TIMEOUT`.
pub async fn eventually<T, Probe, Found>(what: &str, probe: Probe) -> T
where
    Probe: FnMut() -> Found,
    Found: Future<Output = Option<T>>,
{
    match within(WAIT_TIMEOUT, probe).await {
        Some(found) => found,
        None => panic!("timed out waiting for {what}"),
    }
}

/// Waits until `probe` returns a value; `None` if it does not within this time.
pub async fn within<T, Probe, Found>(timeout: Duration, mut probe: Probe) -> Option<T>
where
    Probe: FnMut() -> Found,
    Found: Future<Output = Option<T>>,
{
    let waiting = async {
        loop {
            if let Some(found) = probe().await {
                return found;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    tokio::time::timeout(timeout, waiting).await.ok()
}

/// Makes two tests of each function, one per database: `name::sqlite` and `name::postgres`.
#[macro_export]
macro_rules! both_databases {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::support::Database::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name($crate::support::Database::Postgres).await;
            }
        }
    )+};
}

/// Runs scenarios that share a server one after the other. If one fails, the output names it.
///
/// `steps!(&fixture, &article; first_scenario, second_scenario)` awaits `first_scenario(&fixture, &article)`, and so
/// on.
#[macro_export]
macro_rules! steps {
    ($($shared:expr),+; $($name:ident),+ $(,)?) => {
        $crate::steps!(@each [$($name),+] [$($shared),+])
    };
    (@each [$($name:ident),+] $shared:tt) => {
        $($crate::steps!(@one $name $shared);)+
    };
    (@one $name:ident [$($shared:expr),+]) => {{
        let step = $crate::support::Step::start(stringify!($name));
        $name($($shared),+).await;
        drop(step);
    }};
}

/// A scenario that shares its server with others; see `steps!`.
#[derive(Debug)]
pub struct Step(&'static str);

impl Step {
    pub fn start(name: &'static str) -> Self {
        Self(name)
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("── failed scenario: {} ──", self.0);
        }
    }
}
