//! Decides which entries of a feed document are reviews of the critic: public posts, by an author and with labels that the
//! config chooses. What is left out is logged once, in one line for each reason.

use std::collections::{BTreeMap, BTreeSet};

use super::entry_authors::{Guests, accept_authors};
use super::known_ids::keep_known;
use super::left_out::undated_keys;
use crate::domain::feed::{Feed, IngestDecision};
use crate::domain::feed_entry::{EntryKind, FeedEntry};
use crate::domain::feed_selection::{UNKNOWN_AUTHOR, fold_name};
use crate::domain::html_escape::escape;
use crate::flows::App;
use crate::sources::feed::{FeedDocument, paid_note};
use crate::store::{feed_log, left_out_entries};

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
    let mut has_chosen = true;
    if selection.authors.is_empty() {
        let guests = Guests::find(app, feed, &chosen, authors.as_deref()).await?;
        let (own, by_guests) = guests.split_off(app, feed, chosen).await?;
        chosen = own;
        left_out.extend(undated_keys(document, &by_guests));
        if !by_guests.is_empty() {
            lines.push((feed.name.clone(), describe_guests(&by_guests)));
        }
        let own: Vec<&FeedEntry> = chosen.iter().filter(|entry| !guests.has_written(entry)).collect();
        has_chosen = accept_authors(app, feed, &own, authors).await?;
    }
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

/// Says that entries are by others than the critic, and what to do if they are not.
fn describe_guests(entries: &[FeedEntry]) -> String {
    let names: BTreeSet<&str> =
        entries.iter().flat_map(|entry| entry.authors.iter().map(String::as_str)).collect();
    let names = names.into_iter().take(MAX_LISTED_AUTHORS).map(|name| format!("{name:?}"));
    let names: Vec<String> = std::iter::once(format!("{UNKNOWN_AUTHOR:?}")).chain(names).collect();
    format!(
        "left out what is by somebody else, since the other entries name no author: {}; if these are yours, too, set \
         authors = [{}] in the config",
        count_authors(entries),
        names.join(", ")
    )
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

/// Returns the names of the authors with the numbers of their entries, the most frequent first.
fn count_authors(entries: &[FeedEntry]) -> String {
    let mut counts: BTreeMap<String, (&str, usize)> = BTreeMap::new();
    for entry in entries {
        let authors = entry.authors.iter().map(String::as_str);
        let unknown = entry.authors.is_empty().then_some(UNKNOWN_AUTHOR);
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
