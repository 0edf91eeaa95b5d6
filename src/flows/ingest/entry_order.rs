//! Notices that a feed whose entries have no dates lists others than its newest ones at its top: if it turned its order, or
//! suddenly has many more entries, what stands above the known ones is not new.

use std::collections::{HashMap, HashSet};

use super::identify::Candidate;

/// Such a feed may get longer by this many entries between two polls.
const MAX_GROWTH: usize = 3;

/// The most entries whose order is remembered.
const MAX_ENTRIES: usize = 1_000;

/// Returns the hashes of the texts of the entries, in the order of the document. Those that several entries have are left out.
pub(super) fn entry_order(candidates: &[Candidate]) -> Vec<String> {
    let mut entries: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.has_own_text).collect();
    entries.sort_by_key(|candidate| candidate.position);
    let hash = |candidate: &Candidate| candidate.text_hash.chars().take(16).collect();
    entries.into_iter().take(MAX_ENTRIES).map(hash).collect()
}

/// Whether a document goes on from an earlier one: what both have is in the same order, and it is hardly longer.
pub(super) fn goes_on(before: &[String], now: &[String]) -> bool {
    let positions: HashMap<&String, usize> = before.iter().zip(0..).collect();
    let has_same_order = now.iter().filter_map(|hash| positions.get(hash)).is_sorted();
    let present: HashSet<&String> = now.iter().collect();
    let gone = before.iter().filter(|hash| !present.contains(hash)).count();
    let added = present.iter().filter(|hash| !positions.contains_key(*hash)).count();
    has_same_order && added <= gone + MAX_GROWTH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_goes_on_if_it_keeps_its_order_and_hardly_grows() {
        let order = |entries: &str| entries.chars().map(String::from).collect::<Vec<_>>();
        for (before, now, is_expected) in [
            ("987", "987", true),
            ("987", "a987", true),
            ("987", "a98", true),
            ("987", "cba", true),
            ("987", "a97", true),
            ("", "987", true),
            ("987", "789", false),
            ("987", "123456789", false),
            ("789", "123456789", false),
            ("987", "dcba987", false),
            ("987654", "fedcba", true),
            ("987", "897", false),
        ] {
            assert_eq!(goes_on(&order(before), &order(now)), is_expected, "{before} {now}");
        }
    }
}
