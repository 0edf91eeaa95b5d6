//! What Letterboxd's feeds say about films in members of their own, so that neither headline nor text has to be interpreted.

use url::Url;

use super::members::Members;
use crate::domain::credit_evidence::CreditOrigin;
use crate::domain::feed_entry::EntryKind;
use crate::domain::rating::Rating;
use crate::sources::html;
use crate::sources::review_content::{MAX_TITLE_CHARS, ReviewParts, SourceText};

/// The line that Letterboxd puts above a review whose author marks it.
const SPOILER_LINE: &str = "This review may contain spoilers.";
/// What begins the text of a diary entry.
const WATCHED_ON: &str = "Watched on ";

/// Reads the members of an entry. Returns what it is if the feed is one of Letterboxd.
pub(super) fn read_members(
    members: &Members,
    guid: Option<&str>,
    parts: &mut ReviewParts,
) -> Option<EntryKind> {
    let kind = kind(members, guid, parts)?;
    let text = |path| members.text(path).map(str::trim);
    let Some(title) = text("letterboxd:filmTitle") else { return Some(kind) };
    let title = html::single_line_text(&html::plain_text(title), MAX_TITLE_CHARS);
    let year = text("letterboxd:filmYear").filter(|year| year.len() == 4).and_then(|year| year.parse().ok());
    let headline = parts.title.as_ref().map(SourceText::plain).unwrap_or_default();
    parts.has_spoilers = headline.contains("(contains spoilers)")
        || parts.body.iter().chain(&parts.summary).any(|body| body.plain().contains(SPOILER_LINE));
    // The headline is the film, its year and the rating, written by Letterboxd.
    parts.title = Some(SourceText::Plain(match year {
        Some(year) => format!("{title}, {year}"),
        None => title.clone(),
    }));
    parts.film_origin = Some(CreditOrigin::Feed);
    parts.film.title = title;
    parts.film.year = year;
    parts.film.identity = text("tmdb:movieId")
        .and_then(|id| tmdb("movie", id))
        .or_else(|| text("tmdb:tvId").and_then(|id| tmdb("tv", id)));
    parts.rating = text("letterboxd:memberRating").and_then(stars);
    if text("letterboxd:rewatch").is_some_and(|rewatch| rewatch.eq_ignore_ascii_case("yes")) {
        parts.tags.push(SourceText::Plain("Rewatch".to_owned()));
    }
    Some(kind)
}

/// Returns what an entry is: its id says it, and otherwise its text.
fn kind(members: &Members, guid: Option<&str>, parts: &ReviewParts) -> Option<EntryKind> {
    let id = guid.and_then(|guid| guid.strip_prefix("letterboxd-"));
    match id.and_then(|id| id.split('-').next()) {
        Some("review") => return Some(EntryKind::Post),
        Some("watch") => return Some(EntryKind::DiaryEntry),
        Some("list") => return Some(EntryKind::List),
        _ => {}
    }
    let is_list = parts
        .link
        .as_ref()
        .is_some_and(|link| link.host_str() == Some("letterboxd.com") && link.path().contains("/list/"));
    if is_list {
        return Some(EntryKind::List);
    }
    if !members.has("letterboxd:filmTitle") {
        return None;
    }
    let body = parts.body.as_ref().or(parts.summary.as_ref()).map(SourceText::plain).unwrap_or_default();
    let body = body.trim();
    let is_diary = body.is_empty() || (body.starts_with(WATCHED_ON) && body.lines().count() == 1);
    Some(if is_diary { EntryKind::DiaryEntry } else { EntryKind::Post })
}

/// Returns the page of a film or a series at TMDB.
fn tmdb(kind: &str, id: &str) -> Option<Url> {
    let is_number = !id.is_empty() && id.len() < 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Url::parse(&format!("https://www.themoviedb.org/{kind}/{id}")).ok())?
}

/// Returns a rating of half a star to five stars.
fn stars(text: &str) -> Option<Rating> {
    let halves = text.parse::<f32>().ok()? * 2.0;
    let count = (1_u8..=10).find(|count| (f32::from(*count) - halves).abs() < f32::EPSILON)?;
    let half = if count % 2 == 1 { "½" } else { "" };
    Rating::parse(&("★".repeat(usize::from(count / 2)) + half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_are_half_a_star_to_five() {
        for (text, expected) in [
            ("0.5", Some("½")),
            ("1.0", Some("★")),
            ("4.5", Some("★★★★½")),
            ("5.0", Some("★★★★★")),
            ("5", Some("★★★★★")),
            ("0.0", None),
            ("5.5", None),
            ("3.2", None),
            ("-1", None),
            ("NaN", None),
            ("four", None),
        ] {
            assert_eq!(stars(text).as_ref().map(Rating::as_str), expected, "{text}");
        }
    }

    #[test]
    fn a_film_is_identified_by_a_number() {
        let page = tmdb("movie", "990001").unwrap();
        assert_eq!(page.as_str(), "https://www.themoviedb.org/movie/990001");
        for wrong in ["", "12x", "../9", "1234567890123"] {
            assert_eq!(tmdb("movie", wrong), None, "{wrong}");
        }
    }
}
