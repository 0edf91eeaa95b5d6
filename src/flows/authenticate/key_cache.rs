//! The cache of remote actors' keys. It keeps them parsed, since parsing one takes longer than verifying with it.
//!
//! Another process may have replaced or removed a key since it was cached. A cached key that does not verify therefore
//! proves nothing unless the database and the key's own server were asked a moment ago, and a cached key that verifies
//! counts only once the transaction that stores the activity has seen that the key is still valid.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use moka::policy::EvictionPolicy;
use url::Url;

use super::key_fetch::REFETCH_INTERVAL;
use crate::domain::time::Timestamp;
use crate::federation::public_key::PublicKey;
use crate::federation::signature::UnverifiedSignature;
use crate::store::actor_keys::CachedActorKey;

/// Keys that are kept in memory.
const CACHE_CAPACITY: u64 = 8192;

/// Before a cached key may reject a signature it must have been read from the database within this time: another
/// process may have stored a new one.
const REREAD_INTERVAL: Duration = Duration::from_secs(5);

/// A longer PEM holds an RSA key of more than 4096 bits, with which verifying is slow.
const SLOW_PEM_LENGTH: usize = 1000;

/// A parsed key.
#[derive(Debug)]
pub struct CachedKey {
    /// Its id.
    pub id: Url,
    /// Its owner.
    pub actor: Url,
    pem: String,
    key: PublicKey,
    /// When it was last read from the database, in milliseconds.
    read_at: AtomicI64,
    /// When it was last seen at its server, in milliseconds; 0 if it was not fetched since it was cached.
    fetched_at: AtomicI64,
    /// The client for whose request that was.
    fetched_for: AtomicU64,
}

impl CachedKey {
    /// Parses a key that was just read from the database; returns `None` if its type is not supported.
    pub(super) fn parse(id: &Url, actor: &Url, pem: &str, now: Timestamp) -> Option<Self> {
        Some(Self {
            id: id.clone(),
            actor: actor.clone(),
            pem: pem.to_owned(),
            key: PublicKey::from_pem(pem).ok()?,
            read_at: AtomicI64::new(now.millis()),
            fetched_at: AtomicI64::new(0),
            fetched_for: AtomicU64::new(0),
        })
    }

    /// Whether it made the signature. Takes some 20 µs of CPU time, or much more if it [is slow](Self::is_slow).
    pub(super) fn verifies(&self, presented: &UnverifiedSignature) -> bool {
        presented.verify(&self.key).is_ok()
    }

    /// Whether verifying with it would block an async thread for too long.
    pub(super) const fn is_slow(&self) -> bool {
        self.pem.len() > SLOW_PEM_LENGTH
    }

    /// Whether the cached key has this actor and this PEM.
    pub(super) fn matches(&self, actor: &str, pem: &str) -> bool {
        self.actor.as_str() == actor && self.pem == pem
    }

    /// Records that the database still has it.
    pub(super) fn mark_read(&self, now: Timestamp) {
        self.read_at.store(now.millis(), Ordering::Relaxed);
    }

    /// Records that its server still publishes it, for a request of this client.
    pub(super) fn mark_fetched(&self, at: Timestamp, client: u64) {
        self.fetched_at.store(at.millis(), Ordering::Relaxed);
        self.fetched_for.store(client, Ordering::Relaxed);
    }

    /// Whether both the database and its server confirmed it so recently that neither needs to be asked again for this
    /// client. Another client may be the owner, who replaced the key in the meantime.
    pub(super) fn is_fresh(&self, now: Timestamp, client: u64) -> bool {
        let since = |at: &AtomicI64| now.duration_since(Timestamp::from_millis(at.load(Ordering::Relaxed)));
        since(&self.read_at) < REREAD_INTERVAL
            && since(&self.fetched_at) < REFETCH_INTERVAL
            && self.fetched_for.load(Ordering::Relaxed) == client
    }

    /// The form in which the database is asked whether it is still valid.
    pub fn as_stored(&self) -> CachedActorKey<'_> {
        CachedActorKey { key_id: &self.id, actor: &self.actor, pem: &self.pem }
    }
}

/// The keys that were used recently, by their ids.
#[derive(Debug)]
pub struct RemoteKeyCache(moka::sync::Cache<Url, Arc<CachedKey>>);

impl Default for RemoteKeyCache {
    fn default() -> Self {
        // A key that was just used is admitted even if others are used more often: its next request comes soon.
        Self(
            moka::sync::Cache::builder()
                .max_capacity(CACHE_CAPACITY)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
        )
    }
}

impl RemoteKeyCache {
    /// Returns the key of that id.
    pub(super) fn get(&self, id: &Url) -> Option<Arc<CachedKey>> {
        self.0.get(id)
    }

    /// Caches a key in place of the one that was cached under its id.
    pub(super) fn insert(&self, key: Arc<CachedKey>) {
        self.0.insert(key.id.clone(), key);
    }

    /// Removes a key.
    pub(super) fn remove(&self, id: &Url) {
        self.0.invalidate(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::federation::public_key::tests::ED25519_PEM;

    #[test]
    fn keys_that_are_used_stay_cached_and_others_are_evicted() {
        let keys = RemoteKeyCache::default();
        let id = |number: u64| Url::parse(&format!("https://m.example/users/{number}#main-key")).unwrap();
        let now = Timestamp::from_millis(0);
        for number in 0..2 * CACHE_CAPACITY {
            let key = CachedKey::parse(&id(number), &id(number), ED25519_PEM, now).unwrap();
            keys.insert(Arc::new(key));
            assert!(keys.get(&id(0)).is_some(), "{number}");
            if number % 64 == 0 {
                keys.0.run_pending_tasks();
            }
        }
        keys.0.run_pending_tasks();
        assert!(keys.get(&id(1)).is_none() && keys.get(&id(2 * CACHE_CAPACITY - 1)).is_some());
        assert!(keys.0.entry_count() <= CACHE_CAPACITY);
    }

    #[test]
    fn a_cached_key_rejects_only_while_the_database_and_its_server_confirmed_it_recently() {
        let id = Url::parse("https://m.example/users/a#main-key").unwrap();
        let at = |seconds: i64| Timestamp::from_millis(1_000_000_000 + seconds * 1000);
        let key = CachedKey::parse(&id, &id, ED25519_PEM, at(0)).unwrap();
        assert!(!key.is_fresh(at(0), 7), "its server was not asked");
        key.mark_fetched(at(0), 7);
        assert!(key.is_fresh(at(4), 7) && !key.is_fresh(at(5), 7), "the database was not asked");
        key.mark_read(at(299));
        assert!(key.is_fresh(at(299), 7) && !key.is_fresh(at(299), 8), "for this client");
        key.mark_read(at(300));
        assert!(!key.is_fresh(at(300), 7), "its server was not asked for long");
    }
}
