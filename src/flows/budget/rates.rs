//! How much of each budget each owner has used recently, in a table of fixed size.
//!
//! Each entry is one time, by the generic cell rate algorithm: when all that was used would be restored. Entries are found by
//! a keyed hash; if there are more owners than entries, the one that used least is forgotten. Two owners whose hashes are
//! equal would share an entry, which does not happen in practice.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::domain::time::Timestamp;

/// Entries that are searched together, under one lock.
const SET_SIZE: usize = 8;

/// The table has room for half a million owners and takes 9 MiB.
const SETS: usize = 65_536;

/// The limit of a budget: this amount in this time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    /// The amount, which may be used at once.
    pub amount: u64,
    /// The time in which all of it is restored.
    pub window: Duration,
}

impl RateLimit {
    /// Which part of the limit an amount is.
    #[expect(clippy::cast_precision_loss, reason = "a part of a millisecond does not matter")]
    pub fn part(self, amount: u64) -> f64 {
        amount as f64 / self.amount.max(1) as f64
    }

    /// How long it takes until a part of the amount is restored, in milliseconds.
    fn restore_time(self, amount: u64) -> f64 {
        self.window.as_secs_f64() * 1000.0 * self.part(amount)
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct RateEntry {
    key: u64,
    /// When everything is restored, in milliseconds.
    restored_at: f64,
}

type RateSet = Mutex<[RateEntry; SET_SIZE]>;

/// The table. It is allocated at its first use.
#[derive(Debug, Default)]
pub struct Rates {
    sets: OnceLock<Box<[RateSet]>>,
    hasher: RandomState,
}

impl Rates {
    /// The key of an entry.
    pub fn key(&self, owner: impl Hash) -> u64 {
        self.hasher.hash_one(owner).max(1)
    }

    fn with_entry<R>(&self, key: u64, use_entry: impl FnOnce(&mut RateEntry) -> R) -> R {
        let sets = self.sets.get_or_init(|| (0..SETS).map(|_| RateSet::default()).collect());
        let index = usize::try_from(key >> 32).unwrap_or_default() % sets.len();
        // The index is below the length.
        let Some(set) = sets.get(index) else { return use_entry(&mut RateEntry::default()) };
        let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
        let found = set.iter().position(|entry| entry.key == key);
        let chosen = found.unwrap_or_else(|| {
            let times = set.iter().enumerate();
            let idle = times.min_by(|(_, one), (_, other)| one.restored_at.total_cmp(&other.restored_at));
            idle.map_or(0, |(index, _)| index)
        });
        let [entry, ..] = set.get_mut(chosen..).unwrap_or_default() else {
            return use_entry(&mut RateEntry::default());
        };
        if entry.key != key {
            *entry = RateEntry { key, restored_at: 0.0 };
        }
        use_entry(entry)
    }

    /// Uses that amount if the limit allows it. Returns which part of the limit is used then.
    ///
    /// # Errors
    /// If it does not: after this time it will.
    pub fn take(&self, key: u64, limit: RateLimit, amount: u64, now: Timestamp) -> Result<f64, Duration> {
        let now = millis(now);
        self.with_entry(key, |entry| {
            let restored_at = entry.restored_at.max(now) + limit.restore_time(amount);
            let window = limit.window.as_secs_f64() * 1000.0;
            let excess = restored_at - now - window;
            // The sum of many parts may miss the whole by a rounding error.
            if excess > 0.001 {
                return Err(Duration::from_secs_f64(excess.min(1e9) / 1000.0));
            }
            entry.restored_at = restored_at;
            Ok((restored_at - now) / window)
        })
    }

    /// Uses that amount, even if the limit does not allow it. Returns when what was used before will be restored: now, or
    /// later.
    pub fn add(&self, key: u64, limit: RateLimit, amount: u64, now: Timestamp) -> Timestamp {
        let before = self.with_entry(key, |entry| {
            let before = entry.restored_at.max(millis(now));
            entry.restored_at = before + limit.restore_time(amount);
            before
        });
        timestamp(before)
    }

    /// How much is used, and not restored yet.
    pub fn used(&self, key: u64, limit: RateLimit, now: Timestamp) -> u64 {
        let now = millis(now);
        let pending = self.with_entry(key, |entry| (entry.restored_at - now).max(0.0));
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is not negative, and a rounding error does not matter"
        )]
        let used = (pending * limit.amount as f64 / (limit.window.as_secs_f64() * 1000.0)).round() as u64;
        used
    }

    /// When everything that was used will be restored: now, or later.
    pub fn restored_at(&self, key: u64, now: Timestamp) -> Timestamp {
        timestamp(self.with_entry(key, |entry| entry.restored_at.max(millis(now))))
    }
}

#[expect(clippy::cast_precision_loss, reason = "times fit into 52 bits")]
fn millis(time: Timestamp) -> f64 {
    time.millis() as f64
}

#[expect(clippy::cast_possible_truncation, reason = "times fit")]
const fn timestamp(millis: f64) -> Timestamp {
    Timestamp::from_millis(millis as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: RateLimit = RateLimit { amount: 10, window: Duration::from_mins(1) };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_780_000_000_000 + seconds * 1000)
    }

    #[test]
    fn the_amount_can_be_used_at_once_and_is_restored_evenly() {
        let rates = Rates::default();
        let key = rates.key("alice");
        let taken = (0..20).filter(|_| rates.take(key, LIMIT, 1, at(0)).is_ok()).count();
        assert_eq!(taken, 10);
        assert_eq!(rates.take(key, LIMIT, 1, at(0)), Err(Duration::from_secs(6)));
        assert_eq!(rates.used(key, LIMIT, at(0)), 10);
        assert!(rates.take(key, LIMIT, 1, at(6)).is_ok() && rates.take(key, LIMIT, 1, at(6)).is_err());
        assert_eq!(rates.used(key, LIMIT, at(36)), 5);
        assert!(rates.take(rates.key("bob"), LIMIT, 10, at(0)).is_ok(), "others have their own");
        assert!(rates.take(key, LIMIT, 11, at(600)).is_err(), "more than all of it is never allowed");
        assert!(rates.take(key, LIMIT, 10, at(600)).is_ok());
    }

    #[test]
    fn what_is_used_beyond_the_limit_is_counted() {
        let rates = Rates::default();
        let key = rates.key("alice");
        assert_eq!(rates.add(key, LIMIT, 30, at(0)), at(0));
        assert_eq!(rates.used(key, LIMIT, at(0)), 30);
        assert_eq!(rates.restored_at(key, at(0)), at(180));
        assert!(rates.take(key, LIMIT, 1, at(125)).is_err() && rates.take(key, LIMIT, 1, at(126)).is_ok());
    }

    #[test]
    fn amounts_of_bytes_in_a_day_do_not_drift() {
        let rates = Rates::default();
        let limit = RateLimit { amount: 200_000_000, window: Duration::from_hours(24) };
        let key = rates.key("m.example");
        let taken = (0..100_000).filter(|_| rates.take(key, limit, 10_000, at(0)).is_ok()).count();
        assert_eq!(taken, 20_000);
    }

    #[test]
    fn the_heaviest_of_a_hundred_thousand_owners_is_not_forgotten() {
        let rates = Rates::default();
        let heavy = rates.key("heavy");
        assert!(rates.take(heavy, LIMIT, 10, at(0)).is_ok());
        for owner in 0..800_000 {
            let _ = rates.take(rates.key(owner), LIMIT, 1, at(0));
        }
        assert!(rates.take(heavy, LIMIT, 1, at(1)).is_err());
        let size = SETS * size_of::<RateSet>();
        assert!(size < 12 * 1024 * 1024, "{size}");
    }
}
