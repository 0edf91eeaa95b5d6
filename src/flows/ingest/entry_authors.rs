//! Decides whether entries are by the critic, if the config chooses no authors of the feed: those of a feed with one author are,
//! and those that name somebody else in a feed that names nobody are not.

use std::collections::BTreeSet;

use anyhow::Context;

use super::known_ids::is_known;
use crate::domain::author_name::is_same_person;
use crate::domain::critic::CriticProfile;
use crate::domain::feed::Feed;
use crate::domain::feed_entry::FeedEntry;
use crate::domain::feed_selection::fold_name;
use crate::flows::App;
use crate::store::critics;

/// An author with another name is the same one if at least so many entries, which are known, name it now. A post or two may
/// have been given to a guest.
const MIN_RENAMED: usize = 3;

/// Tells the entries of guests from those of the critic in a feed whose entries name nobody.
pub(super) struct Guests {
    /// `None` if no entry is a guest's for that reason.
    critic: Option<CriticProfile>,
}

impl Guests {
    /// Looks for guests among the entries of a document. `authors` are those of the feed so far ([`Feed::authors`]), and
    /// `is_further_page` says whether the entries of a page before, which are the critic's, were chosen.
    pub(super) async fn find(
        app: &App,
        feed: &Feed,
        entries: &[FeedEntry],
        authors: Option<&[String]>,
        is_further_page: bool,
    ) -> anyhow::Result<Self> {
        let has_unnamed = entries.iter().any(|entry| entry.authors.is_empty());
        let named: Vec<&FeedEntry> = entries.iter().filter(|entry| !entry.authors.is_empty()).collect();
        let has_common = common_authors(&named).is_some_and(|common| !common.is_empty());
        // Since the feed was first read, or on the pages before, no entry has named anybody.
        let named_nobody = authors.is_none() && (feed.pages.read > 0 || is_further_page);
        let has_guests = if named_nobody {
            // If all entries of the first page name the same author from now on, and some are known, it is that of the feed.
            has_unnamed || !has_common || is_further_page || !has_known(app, feed, &named).await?
        } else {
            authors.is_none() && has_unnamed && has_common
        };
        if !has_guests || named.is_empty() {
            return Ok(Self { critic: None });
        }
        let critic = critics::find(&app.db, feed.critic).await?.context("the feed has no critic")?;
        Ok(Self { critic: Some(critic.profile) })
    }

    /// Whether an entry names authors, and the critic is not among them.
    pub(super) fn has_written(&self, entry: &FeedEntry) -> bool {
        self.critic.as_ref().is_some_and(|critic| {
            !entry.authors.is_empty() && !entry.authors.iter().any(|name| is_critic(critic, name))
        })
    }

    /// Splits off their entries, without those that were imported before: a post may be given to somebody else later.
    pub(super) async fn split_off(
        &self,
        app: &App,
        feed: &Feed,
        entries: Vec<FeedEntry>,
    ) -> anyhow::Result<(Vec<FeedEntry>, Vec<FeedEntry>)> {
        let (mut kept, mut by_guests) = (Vec::with_capacity(entries.len()), Vec::new());
        if self.critic.is_none() {
            return Ok((entries, by_guests));
        }
        let mut tx = app.db.begin().await?;
        for entry in entries {
            if self.has_written(&entry) && !is_known(&mut tx, feed, &entry).await? {
                by_guests.push(entry);
            } else {
                kept.push(entry);
            }
        }
        Ok((kept, by_guests))
    }
}

/// Whether any of these entries is known.
async fn has_known(app: &App, feed: &Feed, entries: &[&FeedEntry]) -> anyhow::Result<bool> {
    let mut tx = app.db.begin().await?;
    for entry in entries {
        if is_known(&mut tx, feed, entry).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a name is that of the critic, or the handle.
fn is_critic(critic: &CriticProfile, name: &str) -> bool {
    let handle = fold_name(name.trim().trim_start_matches('@'));
    handle == fold_name(&critic.handle) || is_same_person(name, &critic.name)
}

/// Whether an author of all entries so far wrote these entries, too. Notes who remains.
pub(super) async fn accept_authors(
    app: &App,
    feed: &Feed,
    entries: &[&FeedEntry],
    authors: &mut Option<Vec<String>>,
) -> anyhow::Result<bool> {
    let Some(common) = common_authors(entries) else { return Ok(true) };
    let critic = critics::find(&app.db, feed.critic).await?.context("the feed has no critic")?.profile;
    if authors.as_ref().is_none_or(|known| !known.is_empty())
        && let Some(own) = names_of_critic(&critic, entries)
    {
        authors.get_or_insert(own);
        return Ok(true);
    }
    let is_shared = |name: &&String| authors.as_ref().is_none_or(|known| known.contains(name));
    let shared: Vec<String> = common.iter().filter(is_shared).cloned().collect();
    let is_accepted = !shared.is_empty();
    if is_accepted || authors.is_none() {
        *authors = Some(shared);
    } else if let Some(renamed) = find_renamed(app, feed, entries, &common, authors.as_deref()).await? {
        *authors = Some(renamed);
        return Ok(true);
    }
    Ok(is_accepted)
}

/// Returns the names of these entries that are new names of the author of all entries so far: entries that were imported before
/// have them, and either they are like an earlier name or the entries are many.
async fn find_renamed(
    app: &App,
    feed: &Feed,
    entries: &[&FeedEntry],
    common: &[String],
    authors: Option<&[String]>,
) -> anyhow::Result<Option<Vec<String>>> {
    let Some(authors) = authors.filter(|authors| !authors.is_empty()) else { return Ok(None) };
    if common.is_empty() {
        return Ok(None);
    }
    let mut renamed = 0;
    let mut tx = app.db.begin().await?;
    for entry in entries.iter().filter(|entry| !entry.authors.is_empty()) {
        renamed += usize::from(is_known(&mut tx, feed, entry).await?);
    }
    let is_like = |name: &&String| authors.iter().any(|earlier| is_same_person(earlier, name));
    let alike: Vec<String> = common.iter().filter(is_like).cloned().collect();
    Ok(match (renamed, alike.is_empty()) {
        (0, _) => None,
        (_, false) => Some(alike),
        (MIN_RENAMED.., true) => Some(common.to_vec()),
        (_, true) => None,
    })
}

/// Returns the names of the critic in these entries, if all that name any authors name the critic.
fn names_of_critic(critic: &CriticProfile, entries: &[&FeedEntry]) -> Option<Vec<String>> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for entry in entries.iter().filter(|entry| !entry.authors.is_empty()) {
        let own = entry.authors.iter().find(|name| is_critic(critic, name))?;
        names.insert(fold_name(own));
    }
    Some(names.into_iter().collect())
}

/// Returns the authors that wrote all entries that name any, alone or with others, or `None` if no entry does.
fn common_authors(entries: &[&FeedEntry]) -> Option<Vec<String>> {
    let mut named = entries.iter().filter(|entry| !entry.authors.is_empty());
    let mut common: Vec<String> = named.next()?.authors.iter().map(|name| fold_name(name)).collect();
    for entry in named {
        common.retain(|known| entry.authors.iter().any(|name| fold_name(name) == *known));
    }
    Some(common)
}
