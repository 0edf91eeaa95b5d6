//! `marquee feed check`: what a poll would do with each entry of a feed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value, json};

use super::config_hint::with_config;
use super::missing_part::{MissingPart, ReviewParts};
use super::output::{LINE_WIDTH, print_json, print_line, wrap};
use super::{init_logging, load_or_default, shutdown_signal};
use crate::app::{self, SystemClock};
use crate::config::Config;
use crate::domain::credit_evidence::{CreditCertainty, CreditEvidence, CreditField};
use crate::domain::critic::CriticProfile;
use crate::domain::feed::IngestDecision;
use crate::domain::rating::Rating;
use crate::domain::sanitize_text::single_line;
use crate::domain::time::Timestamp;
use crate::flows::App;
use crate::flows::ingest::check_feed::{CheckedEntry, FeedCheck, check_feed};
use crate::sources::feed::NextPage;
use crate::store::feed_log::FeedLogLine;

/// Characters before the values of an entry.
const VALUE_INDENT: usize = 17;
/// The most entries that are named for one reason.
const MAX_SUBJECTS: usize = 3;
/// The decision about an entry that changes nothing.
const UNCHANGED: &str = "unchanged";

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Name of a feed of the config, an https:// URL, or the path of a file.
    feed: String,
    /// Handle of the critic, if the feed is not in the config and the site has several critics.
    #[arg(long)]
    critic: Option<String>,
    /// Maximum number of entries to show.
    #[arg(long, default_value_t = 100)]
    lines: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(file: &Path, args: CheckArgs) -> anyhow::Result<()> {
    let mut config = load_or_default(file)?;
    init_logging("warn");
    let name = select_feed(&mut config, &args.feed, args.critic.as_deref())?;
    let stop = shutdown_signal()?;
    let copy = app::open_copy(&config, Arc::new(SystemClock)).await?;
    let checked = tokio::select! {
        checked = check_feed(&copy.app, &name) => checked.with_context(|| name.clone()),
        () = stop => Err(anyhow::anyhow!("interrupted")),
    };
    let app = copy.app.clone();
    copy.close().await;
    let mut check = checked?;
    let entries = check.entries.iter_mut().map(|entry| &mut entry.reason);
    for reason in entries.chain(check.lines.iter_mut().map(|line| &mut line.reason)) {
        *reason = with_config(reason, file);
    }
    if args.json {
        return print_json(&to_json(&check, args.lines));
    }
    for line in describe(&app, &check, args.lines) {
        print_line(line.trim_end())?;
    }
    Ok(())
}

/// The name of the feed that an argument means. One that is not in the config is added to it, for this process alone.
fn select_feed(config: &mut Config, argument: &str, critic: Option<&str>) -> anyhow::Result<String> {
    if let Some(feed) = config.feeds.iter().find(|feed| feed.name == argument || feed.url == argument) {
        return Ok(feed.name.clone());
    }
    let url = if argument.starts_with("https://") {
        argument.to_owned()
    } else if Path::new(argument).is_file() {
        std::path::absolute(argument)?.display().to_string()
    } else if argument.contains("://") {
        bail!("the URL of a feed begins with https://");
    } else {
        let names: Vec<&str> = config.feeds.iter().map(|feed| feed.name.as_str()).collect();
        let configured = if names.is_empty() {
            "no feeds are configured".to_owned()
        } else {
            format!("configured feeds: {}", names.join(", "))
        };
        bail!(
            "no feed and no file named {argument:?}; {configured}. To check another feed, use its https:// URL"
        );
    };
    let handle = match (critic.map(|handle| handle.trim_start_matches('@')), config.critics.as_slice()) {
        (Some(handle), critics) if critics.iter().any(|critic| critic.handle == handle) => handle.to_owned(),
        (Some(handle), _) => bail!("no critic with the handle {handle}: check [[critics]] in the config"),
        (None, []) => {
            config.critics.push(unnamed_critic());
            unnamed_critic().handle
        }
        (None, [only]) => only.handle.clone(),
        (None, several) => {
            let handles: Vec<&str> = several.iter().map(|critic| critic.handle.as_str()).collect();
            bail!("the site has several critics; select one with --critic: {}", handles.join(", "))
        }
    };
    config.add_feed(&url, &handle)?;
    Ok(url)
}

/// The critic of a site that has none yet.
fn unnamed_critic() -> CriticProfile {
    CriticProfile {
        handle: "critic".to_owned(),
        name: "Critic".to_owned(),
        summary: String::new(),
        avatar: None,
        links: Vec::new(),
        also_known_as: Vec::new(),
        attribution_domains: Vec::new(),
        hide_followers: false,
    }
}

/// The check as text, line by line.
fn describe(app: &App, check: &FeedCheck, limit: usize) -> Vec<String> {
    let mut lines = describe_feed(app, check);
    if !check.lines.is_empty() {
        lines.extend([String::new(), "Besides:".to_owned()]);
        lines.extend(describe_lines(check));
    }
    if !check.left_out.is_empty() {
        lines.extend([String::new(), "Left out:".to_owned()]);
        lines.extend(describe_left_out(check, limit));
    }
    for (number, checked) in (1..).zip(check.entries.iter().take(limit)) {
        lines.push(String::new());
        lines.extend(describe_entry(app, number, checked));
    }
    let more = check.entries.len().saturating_sub(limit);
    if more > 0 {
        lines.extend([String::new(), format!("… and {more} more; --lines shows more of them")]);
    }
    lines
}

fn describe_feed(app: &App, check: &FeedCheck) -> Vec<String> {
    let mut facts: Vec<String> = check.title.iter().map(|title| single_line(title)).collect();
    facts.push(check.format.to_string());
    facts.extend(check.language.iter().map(|language| format!("language {language}")));
    facts.extend(check.guessed_charset.map(|charset| format!("charset guessed: {charset}")));
    let mut lines = wrap(&facts.join(" · "), LINE_WIDTH);
    lines.push(check.url.to_string());
    let mut texts = vec![summary(check)];
    let since = local_time(app, check.feed.publish_since);
    texts
        .push(format!("Entries dated before {since} (publish_since) are archived, which is sent to nobody."));
    match &check.zone {
        Some(zone) => texts.push(format!("Dates without a time zone are read in {zone}.")),
        None => texts.push("Dates without a time zone are read in that of the other dates.".to_owned()),
    }
    texts.push(match &check.next {
        NextPage::None => "The feed names no further page.".to_owned(),
        NextPage::At(url) if check.feed.pages.read > 0 => format!("The feed has older pages: {url}"),
        NextPage::At(url) => {
            format!("The feed has older pages, which the first poll reads and archives: {url}")
        }
        NextPage::Elsewhere(url) => format!("The next page is on another server and is not read: {url}"),
    });
    lines.push(String::new());
    lines.extend(texts.iter().flat_map(|text| wrap(text, LINE_WIDTH)));
    lines
}

/// How many entries there are of each decision, in one sentence.
fn summary(check: &FeedCheck) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for checked in &check.entries {
        *counts.entry(decision_name(checked)).or_default() += 1;
    }
    let decisions = IngestDecision::ALL.map(IngestDecision::as_str).into_iter().chain([UNCHANGED]);
    let counts: Vec<String> =
        decisions.filter_map(|decision| Some(format!("{} {decision}", counts.get(decision)?))).collect();
    let left_out = check.left_out.len();
    let counts: Vec<String> =
        counts.into_iter().chain((left_out > 0).then(|| format!("{left_out} left out"))).collect();
    let entries = check.entries.len() + left_out;
    let noun = if entries == 1 { "entry" } else { "entries" };
    match (entries, check.entries.len()) {
        (0, _) => "A poll would import nothing.".to_owned(),
        (_, 0) => format!("A poll would import nothing: {entries} {noun}; {}.", counts.join(", ")),
        _ => format!("{entries} {noun}; after a poll: {}.", counts.join(", ")),
    }
}

fn decision_name(checked: &CheckedEntry) -> &'static str {
    checked.decision.map_or(UNCHANGED, IngestDecision::as_str)
}

/// The entries that are left out, with the reasons.
fn describe_left_out(check: &FeedCheck, limit: usize) -> Vec<String> {
    let shown = check.left_out.iter().take(limit);
    let mut lines: Vec<String> = shown
        .flat_map(|(title, reason)| {
            indented("  ", &format!("“{}”: {}", single_line(title), single_line(reason)))
        })
        .collect();
    let more = check.left_out.len().saturating_sub(limit);
    if more > 0 {
        lines.push(format!("  … and {more} more; --lines shows more of them"));
    }
    lines
}

/// Lines of the log, those with the same reason as one.
fn describe_lines(check: &FeedCheck) -> Vec<String> {
    let mut reasons: Vec<(&FeedLogLine, Vec<String>)> = Vec::new();
    for line in &check.lines {
        let subject = (line.subject != check.feed.name).then(|| format!("“{}”", single_line(&line.subject)));
        let is_same = |(known, _): &&mut (&FeedLogLine, _)| {
            (known.decision, &known.reason) == (line.decision, &line.reason)
        };
        match reasons.iter_mut().find(is_same) {
            Some((_, subjects)) => subjects.extend(subject),
            None => reasons.push((line, subject.into_iter().collect())),
        }
    }
    let describe = |(line, subjects): (&FeedLogLine, Vec<String>)| {
        let decision = match line.decision {
            IngestDecision::Skipped => String::new(),
            decision => format!("{decision} "),
        };
        let named = subjects.iter().take(MAX_SUBJECTS).cloned().collect::<Vec<_>>().join(", ");
        let more = subjects.len().saturating_sub(MAX_SUBJECTS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let colon = if subjects.is_empty() { "" } else { ": " };
        indented("  ", &format!("{decision}{named}{more}{colon}{}", single_line(&line.reason)))
    };
    reasons.into_iter().flat_map(describe).collect()
}

fn describe_entry(app: &App, number: usize, checked: &CheckedEntry) -> Vec<String> {
    let (entry, content) = (&checked.entry, &checked.entry.content);
    let film = &content.film;
    let mut lines = indented(&format!("{number:>4}  "), &format!("“{}”", single_line(&content.title)));
    lines
        .extend(indented("      ", &format!("{}: {}", decision_name(checked), single_line(&checked.reason))));
    let mut field = |name: &str, value: String| {
        if !value.is_empty() {
            let label = format!("      {name:<width$}", width = VALUE_INDENT - 6);
            lines.extend(indented(&label, &single_line(&value)));
        }
    };
    let date = content.published.map_or_else(|| "none".to_owned(), |date| local_time(app, date));
    let note = entry.date_note.iter().filter(|note| !checked.reason.contains(*note));
    field("date", note.fold(date, |date, note| format!("{date}; {note}")));
    field("author", entry.authors.join(", "));
    let year = film.year.map(|year| year.to_string()).unwrap_or_default();
    let released = film.release_date.map(|date| date.to_string()).unwrap_or_default();
    let rating = content.rating.as_ref().map(|rating| rating.as_str().to_owned()).unwrap_or_default();
    for (kind, value) in [
        (CreditField::Title, film.title.clone()),
        (CreditField::Year, year),
        (CreditField::Directors, film.directors.join(", ")),
        (CreditField::Writers, film.writers.join(", ")),
        (CreditField::Stars, film.stars.join(", ")),
        (CreditField::ReleaseDate, released),
        (CreditField::Rating, rating),
    ] {
        let used = |evidence: &&CreditEvidence| {
            evidence.field == kind && evidence.certainty != CreditCertainty::Unsure
        };
        let origin = entry.evidence.iter().find(used).map(describe_origin);
        let origin = origin.filter(|_| !value.is_empty()).unwrap_or_default();
        field(if kind == CreditField::ReleaseDate { "released" } else { kind.as_str() }, value + &origin);
    }
    for unsure in entry.evidence.iter().filter(|evidence| evidence.certainty == CreditCertainty::Unsure) {
        field("not used", format!("{} {}{}", unsure.field, unsure.text, describe_origin(unsure)));
    }
    field("missing", MissingPart::all_in(&entry_parts(checked)).join(", "));
    lines
}

/// Where a value was read, and how surely if that is not certain.
fn describe_origin(evidence: &CreditEvidence) -> String {
    match evidence.certainty {
        CreditCertainty::Stated => format!(" (from the {})", evidence.origin),
        certainty => format!(" (from the {}, {certainty})", evidence.origin),
    }
}

fn to_json(check: &FeedCheck, limit: usize) -> Value {
    let next = match &check.next {
        NextPage::None => None,
        NextPage::At(url) | NextPage::Elsewhere(url) => Some(url.as_str()),
    };
    let lines = check.lines.iter().map(
        |line| json!({"decision": line.decision.as_str(), "subject": line.subject, "reason": line.reason}),
    );
    let left_out =
        check.left_out.iter().take(limit).map(|(title, reason)| json!({"title": title, "reason": reason}));
    json!({
        "feed": check.feed.name, "url": check.url.as_str(), "title": check.title, "language": check.language,
        "format": check.format.as_str(), "guessed_charset": check.guessed_charset, "zone": check.zone,
        "publish_since": check.feed.publish_since.to_string(), "next_page": next,
        "lines": lines.collect::<Vec<_>>(), "left_out": left_out.collect::<Vec<_>>(), "count": check.entries.len(),
        "entries": check.entries.iter().take(limit).map(entry_json).collect::<Vec<_>>(),
    })
}

fn entry_json(checked: &CheckedEntry) -> Value {
    let (entry, content) = (&checked.entry, &checked.entry.content);
    let film = &content.film;
    let credits = entry.evidence.iter().map(|evidence| {
        json!({
            "field": evidence.field.as_str(), "value": evidence.text, "origin": evidence.origin.as_str(),
            "certainty": evidence.certainty.as_str(),
        })
    });
    json!({
        "title": content.title, "url": content.canonical_url.as_ref().map(url::Url::as_str),
        "date": content.published.map(|date| date.to_string()), "date_note": entry.date_note,
        "decision": decision_name(checked), "reason": checked.reason, "authors": entry.authors,
        "language": content.language, "tags": content.tags, "film": film.title, "year": film.year,
        "directors": film.directors, "writers": film.writers, "starring": film.stars,
        "release_date": film.release_date.map(|date| date.to_string()),
        "rating": content.rating.as_ref().map(Rating::as_str),
        "credits": credits.collect::<Vec<_>>(), "missing": MissingPart::all_in(&entry_parts(checked)),
    })
}

fn entry_parts(checked: &CheckedEntry) -> ReviewParts<'_> {
    let content = &checked.entry.content;
    ReviewParts {
        film: &content.film,
        has_rating: content.rating.is_some(),
        has_poster: content.poster.is_some(),
        has_tags: !content.tags.is_empty(),
    }
}

/// A moment in the zone of the site.
fn local_time(app: &App, at: Timestamp) -> String {
    at.to_jiff().to_zoned(app.site.timezone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Wraps a text after a label; the lines that follow are indented like it.
fn indented(label: &str, text: &str) -> Vec<String> {
    let indent = label.chars().count();
    let wrapped = wrap(text, LINE_WIDTH - indent);
    let labels = std::iter::once(label.to_owned()).chain(std::iter::repeat(" ".repeat(indent)));
    labels.zip(wrapped).map(|(label, line)| label + &line).collect()
}
