//! The keys of others, parsed once and kept in memory: reading one takes longer than verifying with it.
//!
//! What is kept may have been replaced or dropped by another process meanwhile. So a key that does not verify decides
//! nothing where the database, or its own server, was not asked lately; and what one proves counts only once the
//! transaction that writes it has seen that the key still stands.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use url::Url;

use super::RECHECK_AFTER;
use crate::domain::time::Timestamp;
use crate::federation::keys::PublicKey;
use crate::federation::signature::UnverifiedSignature;
use crate::store::actors::CachedActorKey;

/// So many keys are kept twice over: those that were used lately, and those before them.
const MOST: usize = 4096;

/// Of a key that does not verify, the database is asked again after this time: another process may have learned a new
/// one meanwhile. Much shorter than the time after which its server is asked, which this process alone would wait for.
const REREAD_AFTER: Duration = Duration::from_secs(5);

/// A PEM that is longer holds an RSA key of more than 4096 bits, which takes its time.
const LONG_PEM: usize = 1000;

/// A key that is ready for use.
#[derive(Debug)]
pub struct CachedKey {
    /// Its id.
    pub id: Url,
    /// Its owner.
    pub actor: Url,
    pem: String,
    key: PublicKey,
    /// When the database said the same, in milliseconds.
    read_at: AtomicI64,
    /// When its server said the same; 0 where it was not asked since the key is here.
    shown_at: AtomicI64,
}

impl CachedKey {
    /// A key as the database has it now; none where it is none that we can use.
    pub(super) fn parse(id: &Url, actor: &Url, pem: &str, now: Timestamp) -> Option<Self> {
        Some(Self {
            id: id.clone(),
            actor: actor.clone(),
            pem: pem.to_owned(),
            key: PublicKey::from_pem(pem).ok()?,
            read_at: AtomicI64::new(now.millis()),
            shown_at: AtomicI64::new(0),
        })
    }

    /// Whether it made the signature. Takes some 20 µs of a core, and much more only where [`Self::is_slow`].
    pub(super) fn verifies(&self, presented: &UnverifiedSignature) -> bool {
        presented.verify(&self.key).is_ok()
    }

    /// Whether verifying with it is better done elsewhere than on an async thread.
    pub(super) const fn is_slow(&self) -> bool {
        self.pem.len() > LONG_PEM
    }

    /// Whether this is what is written there.
    pub(super) fn matches(&self, actor: &str, pem: &str) -> bool {
        self.actor.as_str() == actor && self.pem == pem
    }

    /// The database says the same.
    pub(super) fn mark_read(&self, now: Timestamp) {
        self.read_at.store(now.millis(), Ordering::Relaxed);
    }

    /// Its server says the same.
    pub(super) fn mark_fetched(&self, at: Timestamp) {
        self.shown_at.store(at.millis(), Ordering::Relaxed);
    }

    /// Whether both the database and its server said the same so lately that neither need be asked again.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        let since = |at: &AtomicI64| now.duration_since(Timestamp::from_millis(at.load(Ordering::Relaxed)));
        since(&self.read_at) < REREAD_AFTER && since(&self.shown_at) < RECHECK_AFTER
    }

    /// As the database is asked whether it still stands.
    pub fn as_stored(&self) -> CachedActorKey<'_> {
        CachedActorKey { key_id: &self.id, actor: &self.actor, pem: &self.pem }
    }
}

/// The keys that were used lately, by their ids.
#[derive(Debug, Default)]
pub struct RemoteKeyCache(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Url, Arc<CachedKey>>,
    old: HashMap<Url, Arc<CachedKey>>,
}

impl RemoteKeyCache {
    /// The key of that id.
    pub(super) fn get(&self, id: &Url) -> Option<Arc<CachedKey>> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = keys.young.get(id) {
            return Some(Arc::clone(known));
        }
        let known = keys.old.remove(id)?;
        keys.keep(Arc::clone(&known));
        Some(known)
    }

    /// Keeps a key, in place of what was there.
    pub(super) fn insert(&self, key: Arc<CachedKey>) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.old.remove(&key.id);
        keys.keep(key);
    }

    /// Forgets a key.
    pub(super) fn remove(&self, id: &Url) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.young.remove(id);
        keys.old.remove(id);
    }
}

impl Generations {
    fn keep(&mut self, key: Arc<CachedKey>) {
        if self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key.id.clone(), key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::federation::keys::tests::ED25519_PEM;

    #[test]
    fn keys_that_are_used_stay_and_the_others_go() {
        let keys = RemoteKeyCache::default();
        let id = |number: usize| Url::parse(&format!("https://m.example/users/{number}#main-key")).unwrap();
        let now = Timestamp::from_millis(0);
        for number in 0..3 * MOST {
            let key = CachedKey::parse(&id(number), &id(number), ED25519_PEM, now).unwrap();
            keys.insert(Arc::new(key));
            assert!(keys.get(&id(0)).is_some(), "{number}");
        }
        assert!(keys.get(&id(1)).is_none() && keys.get(&id(3 * MOST - 2)).is_some());
        let kept = keys.0.lock().unwrap();
        assert!(kept.young.len() + kept.old.len() <= 2 * MOST);
    }

    #[test]
    fn a_key_that_does_not_verify_decides_only_while_all_were_asked_lately() {
        let id = Url::parse("https://m.example/users/a#main-key").unwrap();
        let at = |seconds: i64| Timestamp::from_millis(1_000_000_000 + seconds * 1000);
        let key = CachedKey::parse(&id, &id, ED25519_PEM, at(0)).unwrap();
        assert!(!key.is_fresh(at(0)), "its server was not asked");
        key.mark_fetched(at(0));
        assert!(key.is_fresh(at(4)) && !key.is_fresh(at(5)), "the database was not asked");
        key.mark_read(at(299));
        assert!(key.is_fresh(at(299)));
        key.mark_read(at(300));
        assert!(!key.is_fresh(at(300)), "its server was not asked for long");
    }
}
