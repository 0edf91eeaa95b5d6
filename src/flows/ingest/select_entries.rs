//! Decides which entries of a feed document are reviews of the critic: public posts, by an author and with labels that the
//! config chooses. What is left out is logged once, in one line for each reason.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::entry_authors::{Guests, accept_authors};
use super::known_ids::keep_known;
use super::left_out::{entry_keys as keys_of, excluded_keys};
use super::withdrawn_entries::stop_waiting;
use crate::domain::feed::{Feed, IngestDecision};
use crate::domain::feed_entry::{EntryKind, ExcludedKind, FeedEntry};
use crate::domain::feed_selection::{FeedSelection, UNKNOWN_AUTHOR, fold_name};
use crate::domain::html_escape::escape;
use crate::flows::App;
use crate::sources::feed::{ExcludedEntry, FeedDocument, paid_note};
use crate::store::{feed_log, left_out_entries};
use url::Url;

/// The maximum number of authors that a line of the log names.
const MAX_LISTED_AUTHORS: usize = 20;

/// What is left out of a document.
#[derive(Default)]
struct LeftOut {
    /// Lines of the log: what, and why.
    lines: Vec<(String, String)>,
    /// The entries, each by its title, with the reason.
    entries: Vec<(String, String)>,
    /// What they are recognized by later.
    keys: Vec<String>,
    /// Their ids and links.
    ids: Vec<(Option<String>, Option<Url>)>,
}

/// Moves the entries that are no reviews to [`FeedDocument::left_out`]. Returns whether it could decide about them: if the feed has several authors and the
/// config chooses none, only entries that are known remain. `authors` are those of the feed so far ([`Feed::authors`]), and
/// `is_further_page` says whether entries of a page before were chosen.
pub(super) async fn select_entries(
    app: &App,
    feed: &Feed,
    document: &mut FeedDocument,
    authors: &mut Option<Vec<String>>,
    is_further_page: bool,
) -> anyhow::Result<bool> {
    let mut left_out = LeftOut::default();
    if !document.excluded.is_empty() {
        left_out.lines.push((feed.name.clone(), describe_excluded(&document.excluded)));
        let reason = |kind: ExcludedKind| format!("not a public post: {}", kind.noun(1));
        let entries = document.excluded.iter().map(|entry| (entry.name.clone(), reason(entry.kind)));
        left_out.entries.extend(entries);
        left_out.keys.extend(excluded_keys(&document.excluded));
        left_out.ids.extend(document.excluded.iter().map(|entry| (entry.guid.clone(), entry.url.clone())));
    }
    let chosen = choose_by_kind(feed, document, &mut left_out);
    let chosen = choose_by_label(feed, document, chosen, &mut left_out);
    let (chosen, has_chosen) =
        choose_by_author(app, feed, document, chosen, authors, is_further_page, &mut left_out).await?;
    let (empty, mut chosen): (Vec<_>, Vec<_>) =
        chosen.into_iter().partition(|entry| entry.content.is_empty());
    let reason = "it has neither a text nor a picture nor a sound";
    left_out.add(document, &empty, |_| reason.to_owned());
    left_out.lines.extend(empty.into_iter().map(|entry| (entry.content.title, reason.to_owned())));
    chosen.iter_mut().for_each(add_teaser_note);
    document.entries = chosen;
    document.left_out.append(&mut left_out.entries);
    left_out.save(app, feed).await?;
    Ok(has_chosen)
}

impl LeftOut {
    /// Leaves out entries of a document.
    fn add(&mut self, document: &FeedDocument, entries: &[FeedEntry], reason: impl Fn(&FeedEntry) -> String) {
        self.keys.extend(keys_of(document, entries));
        self.entries.extend(entries.iter().map(|entry| (entry.content.title.clone(), reason(entry))));
        self.ids
            .extend(entries.iter().map(|entry| (entry.guid.clone(), entry.content.canonical_url.clone())));
    }

    async fn save(mut self, app: &App, feed: &Feed) -> anyhow::Result<()> {
        if feed.is_read() {
            // What is left out later was not there at first: with a label or a text, it is new.
            self.keys.clear();
        }
        if self.lines.is_empty() && self.keys.is_empty() && self.ids.is_empty() {
            return Ok(());
        }
        let now = app.clock.now();
        let mut tx = app.db.begin().await?;
        stop_waiting(&mut tx, feed, &self.ids, now).await?;
        for (subject, reason) in &self.lines {
            feed_log::append_once(&mut tx, feed.id, IngestDecision::Skipped, subject, reason, now).await?;
        }
        left_out_entries::insert(&mut tx, feed.id, &self.keys).await?;
        Ok(tx.commit().await?)
    }
}

/// Takes the entries out of the document whose kind the config chooses.
fn choose_by_kind(feed: &Feed, document: &mut FeedDocument, left_out: &mut LeftOut) -> Vec<FeedEntry> {
    let (chosen, others): (Vec<_>, Vec<_>) = std::mem::take(&mut document.entries)
        .into_iter()
        .partition(|entry| feed.selection.takes_kind(entry.kind));
    left_out.add(document, &others, |entry| describe_kind(entry.kind).to_owned());
    if others.iter().any(|entry| matches!(entry.kind, EntryKind::DiaryEntry | EntryKind::List)) {
        let reason = "left out films without a text and lists; include chooses them in the config";
        left_out.lines.push((feed.name.clone(), reason.to_owned()));
    }
    let teasers = others.into_iter().filter(|entry| entry.kind == EntryKind::Teaser);
    let described = teasers.map(|entry| (entry.content.title, describe_kind(EntryKind::Teaser).to_owned()));
    left_out.lines.extend(described);
    chosen
}

/// Keeps the entries whose labels the config chooses.
fn choose_by_label(
    feed: &Feed,
    document: &FeedDocument,
    entries: Vec<FeedEntry>,
    left_out: &mut LeftOut,
) -> Vec<FeedEntry> {
    let selection = &feed.selection;
    let (chosen, others): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| selection.takes_labels(&entry.content.tags));
    left_out.add(document, &others, |entry| {
        let is_excepted = selection.excepts_labels(&entry.content.tags);
        if is_excepted { "it has a label of except" } else { "it has no label of only" }.to_owned()
    });
    if let Some(newest) = others.first() {
        let reason = describe_labels(selection, &others, &newest.content.title);
        left_out.lines.push((feed.name.clone(), reason));
    }
    chosen
}

/// Keeps the entries by the authors that the config chooses, or by the critic. Returns whether it could decide.
async fn choose_by_author(
    app: &App,
    feed: &Feed,
    document: &FeedDocument,
    entries: Vec<FeedEntry>,
    authors: &mut Option<Vec<String>>,
    is_further_page: bool,
    left_out: &mut LeftOut,
) -> anyhow::Result<(Vec<FeedEntry>, bool)> {
    let selection = &feed.selection;
    let mut log = |reason| left_out.lines.push((feed.name.clone(), reason));
    if !selection.authors.is_empty() {
        let (chosen, others): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| selection.takes_authors(&entry.authors));
        if !others.is_empty() {
            log(format!("left out what is not by the authors of this feed: {}", count_authors(&others)));
        }
        left_out.add(document, &others, |entry| {
            format!("by {}, who is not in authors of this feed", name_authors(entry))
        });
        return Ok((chosen, true));
    }
    let guests = Guests::find(app, feed, &entries, authors.as_deref(), is_further_page).await?;
    let (mut chosen, by_guests) = guests.split_off(app, feed, entries).await?;
    if !by_guests.is_empty() {
        log(describe_guests(&by_guests));
    }
    let own: Vec<&FeedEntry> = chosen.iter().filter(|entry| !guests.has_written(entry)).collect();
    let has_chosen = accept_authors(app, feed, &own, authors).await?;
    if !has_chosen {
        log(describe_authors(&chosen, authors.as_deref()));
        let reason = |entry: &FeedEntry| format!("by {}; the feed has several authors", name_authors(entry));
        let all: Vec<_> = chosen.iter().map(|entry| (entry_key(entry), reason(entry))).collect();
        chosen = keep_known(app, feed, chosen).await?;
        let known: HashSet<_> = chosen.iter().map(entry_key).collect();
        let waiting = all.into_iter().filter(|(key, _)| !known.contains(key));
        left_out.entries.extend(waiting.map(|((_, _, title), reason)| (title, reason)));
    }
    left_out.add(document, &by_guests, |entry| format!("by somebody else: {}", name_authors(entry)));
    Ok((chosen, has_chosen))
}

/// What tells the entries of a document apart.
fn entry_key(entry: &FeedEntry) -> (Option<String>, Option<Url>, String) {
    (entry.guid.clone(), entry.content.canonical_url.clone(), entry.content.title.clone())
}

/// The authors of an entry.
fn name_authors(entry: &FeedEntry) -> String {
    if entry.authors.is_empty() { UNKNOWN_AUTHOR.to_owned() } else { entry.authors.join(", ") }
}

/// Why an entry of a kind is left out that the config does not choose.
const fn describe_kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Post => "a post",
        EntryKind::Teaser => {
            "only its beginning is public; to publish that, set paid = \"teaser\" for this feed"
        }
        EntryKind::DiaryEntry => "a film without a text",
        EntryKind::List => "a list of films",
    }
}

/// Says how many entries are no public posts.
fn describe_excluded(excluded: &[ExcludedEntry]) -> String {
    let mut counts: BTreeMap<ExcludedKind, usize> = BTreeMap::new();
    for entry in excluded {
        *counts.entry(entry.kind).or_default() += 1;
    }
    let counts = counts.into_iter().map(|(kind, count)| format!("{count} {}", kind.noun(count)));
    format!("left out what is not a public post: {}", counts.collect::<Vec<_>>().join(", "))
}

/// Says how many entries are left out for their labels. The line has the newest one, so that the log has a line for each.
fn describe_labels(selection: &FeedSelection, entries: &[FeedEntry], newest: &str) -> String {
    let excepted = entries.iter().filter(|entry| selection.excepts_labels(&entry.content.tags)).count();
    let counts =
        [(excepted, "with a label of except"), (entries.len() - excepted, "without a label of only")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, which)| format!("{count} {which}")).collect();
    let noun = if entries.len() == 1 { "entry" } else { "entries" };
    format!(
        "left out for their labels: {} {noun} ({}); the first is “{newest}”",
        entries.len(),
        counts.join(", ")
    )
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
