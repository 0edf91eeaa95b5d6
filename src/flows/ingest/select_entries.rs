//! Decides which entries of a feed document are reviews of the critic: public posts, by an author and with labels that the
//! config chooses. What is left out is logged once, in one line for each reason.

use std::collections::BTreeMap;

use super::left_out::undated_keys;
use crate::domain::canonical_url::url_key;
use crate::domain::feed::{Feed, IngestDecision};
use crate::domain::feed_entry::{EntryKind, FeedEntry};
use crate::domain::feed_selection::fold_name;
use crate::domain::html_escape::escape;
use crate::flows::App;
use crate::sources::feed::{FeedDocument, paid_note};
use crate::store::{Tx, feed_entries, feed_log, left_out_entries};

/// The maximum number of authors that a line of the log names.
const MAX_LISTED_AUTHORS: usize = 20;

/// Removes the entries that are no reviews. Returns whether it could decide about them: if the feed has several authors and the
/// config chooses none, only entries that are known remain. `authors` are those of the feed so far ([`Feed::authors`]).
pub(super) async fn select_entries(
    app: &App,
    feed: &Feed,
    document: &mut FeedDocument,
    authors: &mut Option<Vec<String>>,
) -> anyhow::Result<bool> {
    let selection = &feed.selection;
    let mut lines: Vec<(String, String)> = Vec::new();
    if !document.excluded.is_empty() {
        let counts = document.excluded.iter().map(|(kind, count)| format!("{count} {}", kind.noun(*count)));
        let counts: Vec<String> = counts.collect();
        lines.push((feed.name.clone(), format!("left out what is no public post: {}", counts.join(", "))));
    }
    let (chosen, others): (Vec<_>, Vec<_>) = std::mem::take(&mut document.entries)
        .into_iter()
        .partition(|entry| selection.takes_kind(entry.kind) && selection.takes_labels(&entry.content.tags));
    let mut left_out = undated_keys(document, &others);
    if others.iter().any(|entry| matches!(entry.kind, EntryKind::DiaryEntry | EntryKind::List)) {
        let reason = "left out films without a text and lists; include chooses them in the config";
        lines.push((feed.name.clone(), reason.to_owned()));
    }
    lines.extend(others.into_iter().filter(|entry| entry.kind == EntryKind::Teaser).map(|entry| {
        let reason = "only its beginning is public; to publish that, set paid = \"teaser\" for this feed";
        (entry.content.title, reason.to_owned())
    }));
    let (mut chosen, others): (Vec<_>, Vec<_>) =
        chosen.into_iter().partition(|entry| selection.takes_authors(&entry.authors));
    left_out.extend(undated_keys(document, &others));
    if !others.is_empty() {
        let reason = format!("left out what is not by the authors of this feed: {}", count_authors(&others));
        lines.push((feed.name.clone(), reason));
    }
    let has_chosen = !selection.authors.is_empty() || accept_authors(app, feed, &chosen, authors).await?;
    if !has_chosen {
        let reason = describe_authors(&chosen, authors.as_deref());
        lines.push((feed.name.clone(), reason));
        chosen = keep_known(app, feed, chosen).await?;
    }
    let (empty, mut chosen): (Vec<_>, Vec<_>) =
        chosen.into_iter().partition(|entry| entry.content.is_empty());
    left_out.extend(undated_keys(document, &empty));
    let reason = "it has neither a text nor a picture nor a sound";
    lines.extend(empty.into_iter().map(|entry| (entry.content.title, reason.to_owned())));
    chosen.iter_mut().for_each(add_teaser_note);
    document.entries = chosen;
    if feed.is_read() {
        // What is left out later was not there at first: with a label or a text, it is new.
        left_out.clear();
    }
    if !lines.is_empty() || !left_out.is_empty() {
        let now = app.clock.now();
        let mut tx = app.db.begin().await?;
        for (subject, reason) in lines {
            feed_log::append_once(&mut tx, feed.id, IngestDecision::Skipped, &subject, &reason, now).await?;
        }
        left_out_entries::insert(&mut tx, feed.id, &left_out).await?;
        tx.commit().await?;
    }
    Ok(has_chosen)
}

/// Says why no author is accepted. `before` are those of earlier entries.
fn describe_authors(entries: &[FeedEntry], before: Option<&[String]>) -> String {
    let before = match before {
        None | Some([]) => String::new(),
        Some(names) => format!("; before: {}", names.join(", ")),
    };
    let now = count_authors(entries);
    format!("the feed has several authors ({now}{before}); to import its entries, set authors in the config")
}

/// Whether an author of all entries so far wrote these entries, too. Notes who remains.
async fn accept_authors(
    app: &App,
    feed: &Feed,
    entries: &[FeedEntry],
    authors: &mut Option<Vec<String>>,
) -> anyhow::Result<bool> {
    let Some(common) = common_authors(entries) else { return Ok(true) };
    let is_shared = |name: &&String| authors.as_ref().is_none_or(|known| known.contains(name));
    let shared: Vec<String> = common.iter().filter(is_shared).cloned().collect();
    let is_accepted = !shared.is_empty();
    if is_accepted || authors.is_none() {
        *authors = Some(shared);
    } else if !common.is_empty() && is_renamed(app, feed, entries, authors.as_deref()).await? {
        *authors = Some(common);
        return Ok(true);
    }
    Ok(is_accepted)
}

/// Whether an entry that was imported names other authors now: the critic has another name.
async fn is_renamed(
    app: &App,
    feed: &Feed,
    entries: &[FeedEntry],
    authors: Option<&[String]>,
) -> anyhow::Result<bool> {
    let Some(authors) = authors.filter(|authors| !authors.is_empty()) else { return Ok(false) };
    let is_by_others = |entry: &&FeedEntry| {
        !entry.authors.is_empty() && !entry.authors.iter().any(|name| authors.contains(&fold_name(name)))
    };
    let mut tx = app.db.begin().await?;
    for entry in entries.iter().filter(is_by_others) {
        if is_known(&mut tx, feed, entry).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the authors that wrote all entries that name any, alone or with others, or `None` if no entry does.
fn common_authors(entries: &[FeedEntry]) -> Option<Vec<String>> {
    let mut named = entries.iter().filter(|entry| !entry.authors.is_empty());
    let mut common: Vec<String> = named.next()?.authors.iter().map(|name| fold_name(name)).collect();
    for entry in named {
        common.retain(|known| entry.authors.iter().any(|name| fold_name(name) == *known));
    }
    Some(common)
}

/// Returns the names of the authors with the numbers of their entries, the most frequent first.
fn count_authors(entries: &[FeedEntry]) -> String {
    let mut counts: BTreeMap<String, (&str, usize)> = BTreeMap::new();
    for entry in entries {
        let authors = entry.authors.iter().map(String::as_str);
        let unknown = entry.authors.is_empty().then_some("unknown");
        for name in authors.chain(unknown) {
            counts.entry(fold_name(name)).or_insert((name, 0)).1 += 1;
        }
    }
    let mut counts: Vec<(&str, usize)> = counts.into_values().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let more = counts.len().saturating_sub(MAX_LISTED_AUTHORS);
    let listed = counts.iter().take(MAX_LISTED_AUTHORS).map(|(name, count)| format!("{name}: {count}"));
    let more = (more > 0).then(|| format!("and {more} more"));
    listed.chain(more).collect::<Vec<_>>().join(", ")
}

/// Keeps the entries that were imported before.
async fn keep_known(app: &App, feed: &Feed, entries: Vec<FeedEntry>) -> anyhow::Result<Vec<FeedEntry>> {
    let mut known = Vec::new();
    let mut tx = app.db.begin().await?;
    for entry in entries {
        if is_known(&mut tx, feed, &entry).await? {
            known.push(entry);
        }
    }
    Ok(known)
}

/// Whether an entry was imported from this feed before, by its id or URL.
pub(super) async fn is_known(tx: &mut Tx, feed: &Feed, entry: &FeedEntry) -> anyhow::Result<bool> {
    let by_guid = match &entry.guid {
        Some(guid) => feed_entries::find_by_guid(tx, feed.id, guid).await?,
        None => None,
    };
    let found = match (by_guid, &entry.content.canonical_url) {
        (None, Some(url)) => feed_entries::find_by_url(tx, feed, &url_key(url)).await?,
        (found, _) => found,
    };
    Ok(found.is_some_and(|found| found.feed_id == feed.id))
}

/// Says below a text of which only the beginning is public that it goes on elsewhere.
pub(super) fn add_teaser_note(entry: &mut FeedEntry) {
    if entry.kind != EntryKind::Teaser {
        return;
    }
    let content = &mut entry.content;
    let note = paid_note(content.language.as_deref());
    let note = match &content.canonical_url {
        Some(url) => format!("<a href=\"{}\">{note}</a>", escape(url.as_str())),
        None => note.to_owned(),
    };
    content.body.extend(["<p><em>", &note, "</em></p>"]);
}
