//! Places that owners hold for a while: requests in flight, bytes of their bodies, fetches.
//!
//! A lone owner may hold most of them. Once three quarters are held, the rest is reserved for owners that hold little, so that
//! one of them cannot shut out the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Places of one kind.
#[derive(Debug, Clone)]
pub struct Places(Arc<PlacesInner>);

#[derive(Debug)]
struct PlacesInner {
    capacity: usize,
    held: Mutex<HeldPlaces>,
    /// A place was freed.
    freed: Notify,
}

#[derive(Debug, Default)]
struct HeldPlaces {
    all: usize,
    owners: HashMap<u64, usize>,
}

/// The part of all places that an owner may hold when few are left.
#[derive(Debug, Clone, Copy)]
pub enum Share {
    /// An eighth, for addresses and actors.
    Eighth,
    /// A quarter, for hosts: all actors of a large server are one owner.
    Quarter,
}

impl Places {
    /// Places that nobody holds yet.
    pub fn new(capacity: usize) -> Self {
        let held = Mutex::default();
        Self(Arc::new(PlacesInner { capacity, held, freed: Notify::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, HeldPlaces> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_hold(&self, held: &HeldPlaces, owner: u64, share: Share) -> bool {
        let capacity = self.0.capacity;
        let most = match share {
            Share::Eighth => capacity / 8,
            Share::Quarter => capacity / 4,
        };
        let is_crowded = held.all >= capacity / 4 * 3;
        !is_crowded || held.owners.get(&owner).copied().unwrap_or_default() < most.max(1)
    }

    /// Takes places for all of these owners. Returns `None` if none are free for one of them.
    pub fn try_take(&self, owners: &[(u64, Share)], count: usize) -> Option<HeldPlace> {
        let mut held = self.lock();
        if held.all + count > self.0.capacity {
            return None;
        }
        if !owners.iter().all(|(owner, share)| self.may_hold(&held, *owner, *share)) {
            return None;
        }
        held.all += count;
        for (owner, _) in owners {
            *held.owners.entry(*owner).or_default() += count;
        }
        drop(held);
        let owners = owners.iter().map(|(owner, _)| *owner).collect();
        Some(HeldPlace { places: self.clone(), owners, count })
    }

    /// Takes a place for all of these owners as soon as one is free for them.
    pub async fn take(&self, owners: &[(u64, Share)]) -> HeldPlace {
        loop {
            let mut freed = std::pin::pin!(self.0.freed.notified());
            // It must be registered before the places are counted, or a place that is freed in between goes unnoticed.
            freed.as_mut().enable();
            if let Some(place) = self.try_take(owners, 1) {
                return place;
            }
            freed.await;
        }
    }

    /// How many places an owner holds.
    pub fn held_by(&self, owner: u64) -> usize {
        self.lock().owners.get(&owner).copied().unwrap_or_default()
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        let held = self.lock();
        held.all == 0 && held.owners.is_empty()
    }
}

/// Places that are held; dropping this frees them.
#[derive(Debug)]
pub struct HeldPlace {
    places: Places,
    owners: Vec<u64>,
    count: usize,
}

impl HeldPlace {
    /// Takes more places for the same owner; returns whether that many are free for it.
    pub fn grow(&mut self, share: Share, count: usize) -> bool {
        let mut held = self.places.lock();
        let may_grow = held.all + count <= self.places.0.capacity
            && self.owners.iter().all(|owner| self.places.may_hold(&held, *owner, share));
        if may_grow {
            held.all += count;
            for owner in &self.owners {
                *held.owners.entry(*owner).or_default() += count;
            }
            self.count += count;
        }
        may_grow
    }

    /// Counts these places for a further owner; returns whether it may hold them.
    pub fn add_owner(&mut self, owner: u64, share: Share) -> bool {
        let mut held = self.places.lock();
        // They are counted among all places already.
        held.all -= self.count;
        let may_hold = self.places.may_hold(&held, owner, share);
        held.all += self.count;
        if may_hold && !self.owners.contains(&owner) {
            *held.owners.entry(owner).or_default() += self.count;
            self.owners.push(owner);
        }
        may_hold
    }
}

impl Drop for HeldPlace {
    fn drop(&mut self) {
        let mut held = self.places.lock();
        held.all -= self.count;
        for owner in &self.owners {
            if let Some(count) = held.owners.get_mut(owner) {
                *count -= self.count;
                if *count == 0 {
                    held.owners.remove(owner);
                }
            }
        }
        drop(held);
        self.places.0.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(places: &Places, owner: u64, times: usize) -> Vec<HeldPlace> {
        (0..times).filter_map(|_| places.try_take(&[(owner, Share::Eighth)], 1)).collect()
    }

    #[test]
    fn one_owner_may_hold_most_places_and_leaves_the_rest_to_others() {
        let places = Places::new(64);
        let many = take(&places, 1, 100);
        assert_eq!(many.len(), 48);
        assert_eq!(take(&places, 2, 4).len(), 4, "others are admitted");
        let few = take(&places, 2, 100);
        assert_eq!(few.len(), 8, "with an eighth for each of them");
        drop(many);
        drop(few);
        assert!(places.is_empty());
    }

    #[test]
    fn all_places_together_are_bounded() {
        let places = Places::new(64);
        let held: Vec<_> = (0..100).flat_map(|owner| take(&places, owner, 1)).collect();
        assert_eq!(held.len(), 64);
        assert!(places.try_take(&[], 1).is_none());
    }

    #[test]
    fn a_place_grows_and_gets_further_owners_within_the_shares() {
        let places = Places::new(64);
        let mut large = places.try_take(&[(1, Share::Eighth)], 1).unwrap();
        assert!(large.grow(Share::Eighth, 47) && !large.grow(Share::Eighth, 1));
        let mut other = places.try_take(&[(2, Share::Eighth)], 1).unwrap();
        assert!(other.add_owner(9, Share::Quarter));
        let mut others = Vec::new();
        for owner in 10..100 {
            let Some(mut place) = places.try_take(&[(owner, Share::Eighth)], 1) else { break };
            if place.add_owner(9, Share::Quarter) {
                others.push(place);
            }
        }
        assert_eq!(others.len(), 15, "a quarter of all places");
        drop((large, other, others));
        assert!(places.is_empty());
    }
}
