//! The places of activities that are processed with requests to other servers, by domain. They are not `Places`, since a
//! claim excludes domains by their names.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::store::inbox_activities::MAX_EXCLUDED;

/// Activities that are processed at a time with requests to other servers.
pub const MAX_NETWORK_JOBS: usize = 64;

/// The last places, which are given out one at a time, to domains that hold few.
const RESERVED: usize = MAX_NETWORK_JOBS / 4;

/// A domain with so many places gets none of those that are reserved. So many domains can be excluded from a claim.
const MANY: usize = MAX_NETWORK_JOBS / MAX_EXCLUDED;

/// The places that are held.
#[derive(Debug, Clone, Default)]
pub struct NetworkJobs(Arc<Mutex<BTreeMap<String, usize>>>);

impl NetworkJobs {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many activities may be claimed if so many places are free, and of which domains none may be claimed.
    pub fn plan_claim(&self, free: usize) -> (usize, Vec<String>) {
        let spare = free.saturating_sub(RESERVED);
        if spare > 0 {
            return (spare, Vec::new());
        }
        let held = self.lock();
        let many = held.iter().filter(|(_, count)| **count >= MANY).map(|(domain, _)| domain.clone());
        (free.min(1), many.collect())
    }

    /// Holds a place for an activity of that domain.
    pub fn hold(&self, domain: &str) -> HeldJob {
        *self.lock().entry(domain.to_owned()).or_default() += 1;
        HeldJob { jobs: self.clone(), domain: domain.to_owned() }
    }

    /// Whether few places are left, and the domain holds at least the part that each domain could hold.
    fn holds_too_many(&self, domain: &str) -> bool {
        let held = self.lock();
        let all: usize = held.values().sum();
        let fair = (MAX_NETWORK_JOBS / (held.len() + 1)).max(1);
        all >= MAX_NETWORK_JOBS - RESERVED && held.get(domain).is_some_and(|count| *count >= fair)
    }
}

/// A place that is held; dropping this frees it.
#[derive(Debug)]
pub struct HeldJob {
    jobs: NetworkJobs,
    domain: String,
}

impl HeldJob {
    /// Waits until the place should be given up: it was held for some time, few are left, and the domain holds many.
    pub async fn out_of_patience(&self, patience: Duration) {
        loop {
            tokio::time::sleep(patience).await;
            if self.jobs.holds_too_many(&self.domain) {
                return;
            }
        }
    }
}

impl Drop for HeldJob {
    fn drop(&mut self) {
        let mut held = self.jobs.lock();
        if let Some(count) = held.get_mut(&self.domain) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.domain);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(jobs: &NetworkJobs, domain: &str, count: usize) -> Vec<HeldJob> {
        (0..count).map(|_| jobs.hold(domain)).collect()
    }

    #[test]
    fn the_last_places_are_for_domains_that_hold_few() {
        let jobs = NetworkJobs::default();
        assert_eq!(jobs.plan_claim(MAX_NETWORK_JOBS), (48, Vec::new()), "one domain may hold most places");
        let many = hold(&jobs, "tarpit.example", 48);
        let few = hold(&jobs, "m.example", 7);
        assert_eq!(jobs.plan_claim(9), (1, vec!["tarpit.example".to_owned()]));
        assert_eq!(jobs.plan_claim(0).0, 0);
        assert!(jobs.holds_too_many("tarpit.example") && !jobs.holds_too_many("m.example"));
        drop(many);
        assert!(!jobs.holds_too_many("tarpit.example") && jobs.plan_claim(57).1.is_empty());
        drop(few);
        assert!(jobs.lock().is_empty());
    }

    #[test]
    fn many_domains_that_wait_give_up_their_places() {
        let jobs = NetworkJobs::default();
        let _held: Vec<_> = (0..16).flat_map(|number| hold(&jobs, &format!("{number}.example"), 3)).collect();
        assert!(jobs.holds_too_many("3.example"));
        let excluded = jobs.plan_claim(16).1;
        assert!(excluded.len() <= MAX_EXCLUDED);
    }
}
