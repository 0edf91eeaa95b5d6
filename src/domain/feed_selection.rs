//! Which entries of a feed are reviews: by author, by label and by kind.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::feed_entry::EntryKind;

/// What the config says about the entries of a feed. The default takes every post that all can read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedSelection {
    /// The authors whose entries are taken. If it is empty, the feed must not have several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    /// The labels of which an entry must have one, unless there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// The labels of which an entry must have none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
    /// The kinds of entries that are taken in addition to posts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<IncludedKind>,
    /// What to do with posts of which only the beginning is free.
    #[serde(skip_serializing_if = "PaidPosts::is_default")]
    pub paid: PaidPosts,
    /// What stands before the film in headlines such as `Horror in the 90s: Candyman`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
}

/// A kind of entries that is taken only if the config says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncludedKind {
    /// Films in a diary, without a text.
    Diary,
    /// Lists of films.
    Lists,
}

/// What to do with posts of which only the beginning is free.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaidPosts {
    /// Leave them out.
    #[default]
    Skip,
    /// Publish the beginning, and say that it is one.
    Teaser,
}

impl PaidPosts {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_default(&self) -> bool {
        *self == Self::Skip
    }
}

impl FeedSelection {
    /// Whether entries of that kind are taken.
    pub fn takes_kind(&self, kind: EntryKind) -> bool {
        match kind {
            EntryKind::Post => true,
            EntryKind::Teaser => self.paid == PaidPosts::Teaser,
            EntryKind::DiaryEntry => self.include.contains(&IncludedKind::Diary),
            EntryKind::List => self.include.contains(&IncludedKind::Lists),
        }
    }

    /// Whether an entry with these labels is taken.
    pub fn takes_labels(&self, labels: &[String]) -> bool {
        (self.only.is_empty() || has_any(labels, &self.only)) && !self.excepts_labels(labels)
    }

    /// Whether an entry with these labels is not taken because of one of them.
    pub fn excepts_labels(&self, labels: &[String]) -> bool {
        has_any(labels, &self.except)
    }

    /// Whether an entry by these authors is taken. If any are chosen, an entry that names none is by [`UNKNOWN_AUTHOR`].
    pub fn takes_authors(&self, authors: &[String]) -> bool {
        let wanted: BTreeSet<String> = self.authors.iter().map(|name| fold_name(name)).collect();
        wanted.is_empty()
            || authors.iter().any(|name| wanted.contains(&fold_name(name)))
            || (authors.is_empty() && wanted.contains(UNKNOWN_AUTHOR))
    }
}

/// Whether any of these labels is wanted.
fn has_any(labels: &[String], wanted: &[String]) -> bool {
    let labels: BTreeSet<String> = labels.iter().map(|label| fold_name(label)).collect();
    wanted.iter().any(|label| labels.contains(&fold_name(label)))
}

/// What the author of an entry that names none is called, in the config and in the log.
pub const UNKNOWN_AUTHOR: &str = "unknown";

/// Returns a name in the form in which names are compared: without regard to case and white space.
pub fn fold_name(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn labels_and_authors_are_compared_without_regard_to_case() {
        let selection = FeedSelection {
            authors: texts(&["Odette  Larkin"]),
            only: texts(&["reviews"]),
            except: texts(&["News"]),
            ..FeedSelection::default()
        };
        assert!(selection.takes_authors(&texts(&["Ben Okoro", "ODETTE LARKIN"])));
        assert!(!selection.takes_authors(&texts(&["Ben Okoro"])));
        assert!(!selection.takes_authors(&[]), "an unknown author may be anybody");
        assert!(FeedSelection::default().takes_authors(&[]));
        let or_unknown =
            FeedSelection { authors: texts(&["Odette Larkin", "Unknown"]), ..FeedSelection::default() };
        assert!(or_unknown.takes_authors(&[]) && !or_unknown.takes_authors(&texts(&["Ben Okoro"])));
        assert!(selection.takes_labels(&texts(&["Drama", "Reviews"])));
        assert!(!selection.takes_labels(&texts(&["Reviews", "news"])));
        assert!(!selection.takes_labels(&[]));
    }

    #[test]
    fn the_default_is_stored_as_an_empty_object() {
        assert_eq!(serde_json::to_string(&FeedSelection::default()).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<FeedSelection>("{}").unwrap(), FeedSelection::default());
    }
}
