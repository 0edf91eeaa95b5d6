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

/// The name under which the bytes of an owner are counted: that of a domain or a suffix.
pub fn counted_name(owner: &Owner) -> String {
    owner.to_string()
}

/// Whether so many more bytes of that domain may be stored.
pub(in crate::flows) async fn has_room(app: &App, domain: &str, bytes: usize) -> Result<bool> {
    let today = day(app.clock.now());
    for owner in Owner::of_host(domain) {
        let used = kept_bytes::of_owner(&app.db, today, &counted_name(&owner)).await?;
        let limit = app.budgets.limits.kept_bytes_per_domain.saturating_mul(owner.factor().into());
        if used.saturating_add(cost(bytes)) > limit {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The bytes that are kept on this day, of the domains whose activities are stored together.
#[derive(Debug)]
pub(in crate::flows) struct KeptBytes {
    day: i64,
    used: BTreeMap<String, u64>,
    added: BTreeMap<String, u64>,
    per_domain: u64,
    in_all: u64,
}

impl KeptBytes {
    /// Loads what is kept of these domains, and of all together.
    pub(in crate::flows) async fn load(
        app: &App,
        tx: &mut Tx,
        domains: impl IntoIterator<Item = &str>,
        now: Timestamp,
    ) -> Result<Self> {
        let owners = domains.into_iter().flat_map(Owner::of_host).map(|owner| counted_name(&owner));
        let mut names: Vec<String> = owners.chain([String::new()]).collect();
        names.sort();
        names.dedup();
        let day = day(now);
        let used = kept_bytes::load(tx, day, &names).await?;
        let budgets = &app.budgets;
        let in_all = budgets.limits.kept_bytes.min(budgets.disk.free_bytes(now) / DISK_PART);
        let per_domain = budgets.limits.kept_bytes_per_domain;
        Ok(Self { day, used, added: BTreeMap::new(), per_domain, in_all })
    }

    /// Whether an activity of that domain with so many bytes may be stored; if so, it is counted.
    pub(in crate::flows) fn try_keep(&mut self, domain: &str, bytes: usize) -> bool {
        let cost = cost(bytes);
        let owners = Owner::of_host(domain);
        let fits = |name: &str, limit: u64| {
            self.used.get(name).copied().unwrap_or_default().saturating_add(cost) <= limit
        };
        let fits_all = fits("", self.in_all)
            && owners.iter().all(|owner| {
                fits(&counted_name(owner), self.per_domain.saturating_mul(owner.factor().into()))
            });
        if fits_all {
            for name in owners.iter().map(counted_name).chain([String::new()]) {
                *self.used.entry(name).or_default() += cost;
            }
        }
        fits_all
    }

    /// Records that an activity is stored that was not known before.
    pub(in crate::flows) fn record(&mut self, domain: &str, bytes: usize) {
        for name in Owner::of_host(domain).iter().map(counted_name).chain([String::new()]) {
            *self.added.entry(name).or_default() += cost(bytes);
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
