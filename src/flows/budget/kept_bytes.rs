//! Limits the bytes of activities that are stored, for each domain and for all together.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use crate::domain::owner::Owner;
use crate::domain::time::Timestamp;
use crate::flows::App;
use crate::store::{Result, Tx, kept_bytes};

/// What an activity costs beside its body: its rows, and those of its effect, in tables and indexes.
const ROW_BYTES: u64 = 1000;

/// Of the free disk, strangers may use this part in a day.
const DISK_PART: u64 = 10;

/// How often the free disk is asked for.
const DISK_INTERVAL: Duration = Duration::from_secs(10);

/// The disk of the database, if it is on this machine.
#[derive(Debug)]
pub struct DatabaseDisk {
    folder: Option<PathBuf>,
    /// The free bytes, and when they were asked for.
    free: Mutex<(Timestamp, u64)>,
}

impl DatabaseDisk {
    /// The disk of this folder.
    pub const fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, free: Mutex::new((Timestamp::from_millis(0), u64::MAX)) }
    }

    fn free_bytes(&self, now: Timestamp) -> u64 {
        let Some(folder) = &self.folder else { return u64::MAX };
        let mut free = self.free.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if now.duration_since(free.0) >= DISK_INTERVAL {
            *free = (now, available(folder).unwrap_or(u64::MAX));
        }
        free.1
    }
}

#[cfg(unix)]
fn available(folder: &std::path::Path) -> Option<u64> {
    let stat = nix::sys::statvfs::statvfs(folder).ok()?;
    Some(stat.blocks_available().saturating_mul(stat.fragment_size()))
}

#[cfg(not(unix))]
fn available(_: &std::path::Path) -> Option<u64> {
    None
}

/// The day on which something is kept, from 1970 in UTC.
pub fn day(now: Timestamp) -> i64 {
    now.millis().div_euclid(24 * 60 * 60 * 1000)
}

/// How long it takes until the next day begins.
pub fn until_next_day(now: Timestamp) -> Duration {
    let next = Timestamp::from_millis((day(now) + 1) * 24 * 60 * 60 * 1000);
    next.duration_since(now)
}

/// Whether so many more bytes of that domain may be stored.
pub(in crate::flows) async fn has_room(app: &App, domain: &str, bytes: usize) -> Result<bool> {
    let today = day(app.clock.now());
    for owner in Owner::of_host(domain) {
        let used = kept_bytes::of_owner(&app.db, today, &owner.to_string()).await?;
        if used.saturating_add(cost(bytes)) > app.budgets.kept_limit(&owner) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The bytes that are kept on this day, of the domains whose activities are stored together.
#[derive(Debug)]
pub(in crate::flows) struct KeptBytes {
    day: i64,
    /// The names and limits of those who are charged for a domain: its owners, and all together.
    charged: BTreeMap<String, Vec<(String, u64)>>,
    used: BTreeMap<String, u64>,
    added: BTreeMap<String, u64>,
}

impl KeptBytes {
    /// Finds out who is charged for these domains. Call it before the transaction, since it may ask for the free disk.
    pub(in crate::flows) fn of_domains<'d>(
        app: &App,
        domains: impl IntoIterator<Item = &'d str>,
        now: Timestamp,
    ) -> Self {
        let budgets = &app.budgets;
        let in_all = budgets.limits.kept_bytes.min(budgets.disk.free_bytes(now) / DISK_PART);
        let mut charged: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
        for domain in domains {
            if !charged.contains_key(domain) {
                let owners = Owner::of_host(domain);
                let owners = owners.iter().map(|owner| (owner.to_string(), budgets.kept_limit(owner)));
                charged.insert(domain.to_owned(), owners.chain([(String::new(), in_all)]).collect());
            }
        }
        Self { day: day(now), charged, used: BTreeMap::new(), added: BTreeMap::new() }
    }

    /// Loads what is kept of them.
    pub(in crate::flows) async fn load(&mut self, tx: &mut Tx) -> Result<()> {
        let mut names: Vec<String> = self.charged.values().flatten().map(|(name, _)| name.clone()).collect();
        names.sort();
        names.dedup();
        self.used = kept_bytes::load(tx, self.day, &names).await?;
        Ok(())
    }

    /// Whether an activity of that domain with so many bytes may be stored; if so, it is counted.
    pub(in crate::flows) fn try_keep(&mut self, domain: &str, bytes: usize) -> bool {
        let cost = cost(bytes);
        let used = |name: &str| self.used.get(name).copied().unwrap_or_default();
        let fits = self
            .charged
            .get(domain)
            .into_iter()
            .flatten()
            .all(|(name, limit)| used(name).saturating_add(cost) <= *limit);
        if fits {
            for (name, _) in self.charged.get(domain).into_iter().flatten() {
                *self.used.entry(name.clone()).or_default() += cost;
            }
        }
        fits
    }

    /// Records that something is stored that was not known before.
    pub(in crate::flows) fn record(&mut self, domain: &str, bytes: usize) {
        for (name, _) in self.charged.get(domain).into_iter().flatten() {
            *self.added.entry(name.clone()).or_default() += cost(bytes);
        }
    }

    /// Writes what was recorded.
    pub(in crate::flows) async fn save(self, tx: &mut Tx) -> Result<()> {
        kept_bytes::add(tx, self.day, &self.added).await
    }
}

fn cost(bytes: usize) -> u64 {
    ROW_BYTES + u64::try_from(bytes).unwrap_or(u64::MAX / 4)
}
