//! The rig: one `World` a test, in which remote servers and Marquee find each other by name over HTTPS.

pub mod app;
pub mod ca;
pub mod dice;
pub mod disk;
pub mod feed;
mod fresh;
pub mod front;
pub mod hand;
pub mod http;
pub mod keys;
pub mod letter;
pub mod page;
pub mod paths;
pub mod pen;
pub mod postgres;
pub mod remote;
pub mod shapes;
pub mod signature;
pub mod stage;
pub mod temp;
pub mod trap;
pub mod verify;
pub mod weak;
pub mod world;

use std::future::Future;
use std::time::Duration;

pub use app::Database;
pub use fresh::{now, unique};
pub use stage::Stage;
pub use world::World;

/// How long a test waits for something that must come. Generous: it is reached only where a test fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The same for what a lease or a first retry of the worker may hold up.
pub const LONG: Duration = Duration::from_mins(4);

/// The interval at which a condition is looked at while a test waits for it.
const GLANCE: Duration = Duration::from_millis(50);

/// Waits until `probe` finds what it looks for.
///
/// # Panics
/// Where it does not within `PATIENCE`.
pub async fn eventually<T, Probe, Found>(what: &str, probe: Probe) -> T
where
    Probe: FnMut() -> Found,
    Found: Future<Output = Option<T>>,
{
    match within(PATIENCE, probe).await {
        Some(found) => found,
        None => panic!("waited in vain for {what}"),
    }
}

/// What `probe` finds within that time; none where it does not.
pub async fn within<T, Probe, Found>(patience: Duration, mut probe: Probe) -> Option<T>
where
    Probe: FnMut() -> Found,
    Found: Future<Output = Option<T>>,
{
    let waiting = async {
        loop {
            if let Some(found) = probe().await {
                return found;
            }
            tokio::time::sleep(GLANCE).await;
        }
    };
    tokio::time::timeout(patience, waiting).await.ok()
}

/// Makes a test on SQLite and a test on PostgreSQL of each function named: `name::sqlite`, `name::postgres`.
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
