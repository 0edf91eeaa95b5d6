//! Parses a review written in Markdown: YAML front matter between `---` lines, then the body.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::tz::TimeZone;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};
use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use super::{html, review_content};
use crate::domain::film::Film;
use crate::domain::html_escape::escape;
use crate::domain::rating::Rating;
use crate::domain::review::{Poster, ReviewContent};
use crate::domain::time::Timestamp;

/// The valid keys of a front matter.
pub const FRONT_MATTER_KEYS: [&str; 14] = [
    "title",
    "subtitle",
    "film",
    "year",
    "directors",
    "writers",
    "starring",
    "release_date",
    "rating",
    "tags",
    "language",
    "poster",
    "poster_alt",
    "published",
];
/// The maximum size of a front matter in bytes.
const MAX_FRONT_MATTER_BYTES: usize = 64 * 1024;
/// The maximum number of names in one list.
const MAX_NAMES: usize = 40;
/// The maximum length of a name in characters.
const MAX_NAME_CHARS: usize = 100;

/// Why a file is not a valid review.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarkdownError {
    /// The file does not begin with `---`.
    #[error("the file has no front matter: begin it with the lines `---`, `title: …` and `---`")]
    NoFrontMatter,
    /// The second `---` is missing.
    #[error("the front matter is not closed: add a `---` line after it")]
    Unclosed,
    /// There is nothing after the front matter.
    #[error("the file has no text: write the review after the second `---`")]
    NoBody,
    /// The front matter is not YAML.
    #[error("line {line} of the file: the front matter is not valid YAML: {what}")]
    Yaml {
        /// The line in the file, from 1.
        line: u64,
        /// The error of the parser.
        what: String,
    },
    /// There is an unknown key.
    #[error("unknown key `{0}`; valid keys are {keys}", keys = FRONT_MATTER_KEYS.join(", "))]
    UnknownKey(String),
    /// A value is invalid.
    #[error("`{key}`: {what}")]
    Value {
        /// The key.
        key: String,
        /// What to write instead.
        what: String,
    },
    /// There is no title.
    #[error("`title` is missing: every review needs one")]
    NoTitle,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FrontMatter {
    title: Option<String>,
    subtitle: Option<String>,
    film: Option<String>,
    year: Option<i16>,
    directors: Option<Names>,
    writers: Option<Names>,
    starring: Option<Names>,
    release_date: Option<String>,
    rating: Option<String>,
    tags: Option<Names>,
    language: Option<String>,
    poster: Option<String>,
    poster_alt: Option<String>,
    published: Option<String>,
}

/// A list, or comma-separated text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Names {
    List(Vec<String>),
    Text(String),
}

/// Parses a file. Relative URLs, such as that of a poster, are resolved against `base`, the URL of the file. Times
/// without a time zone are in `zone`.
///
/// # Errors
/// See [`MarkdownError`].
pub fn parse(text: &str, base: &Url, zone: &TimeZone) -> Result<ReviewContent, MarkdownError> {
    let (yaml, markdown) = split_front_matter(text)?;
    let front = parse_front_matter(yaml)?;
    let title = front
        .title
        .as_deref()
        .map(|t| html::single_line_text(t, review_content::MAX_TITLE_CHARS))
        .unwrap_or_default();
    if title.is_empty() {
        return Err(MarkdownError::NoTitle);
    }
    let body = html::sanitize_review_body(&to_html(markdown), base);
    if body.is_empty() {
        return Err(MarkdownError::NoBody);
    }
    let poster = poster(&front, base)?;
    let body = poster.as_ref().map_or(body.clone(), |poster| html::without_image(&body, &poster.url));
    let film = film(&front)?;
    let rating = front.rating.as_deref().map(|text| {
        Rating::parse(text)
            .ok_or_else(|| invalid("rating", "expected a rating such as ★★★½, 3.5/5, 8/10 or B+"))
    });
    let tags = front.tags.map(Names::split).unwrap_or_default();
    let tags: Vec<_> = tags.into_iter().map(review_content::SourceText::Plain).collect();
    let language = front.language.as_deref().map(|tag| {
        review_content::normalize_language(tag)
            .ok_or_else(|| invalid("language", "expected a language tag such as en or pt-BR"))
    });
    let published = front.published.as_deref().map(|text| {
        parse_time(text, zone).ok_or_else(|| {
            invalid(
                "published",
                "expected a date such as 2024-10-18, 2024-10-18 09:30 or 2024-10-18T09:30:00Z",
            )
        })
    });
    Ok(ReviewContent {
        title,
        subtitle: front
            .subtitle
            .map(|s| html::single_line_text(&s, review_content::MAX_SUBTITLE_CHARS))
            .filter(|s| !s.is_empty()),
        teaser: html::teaser(&body),
        body,
        film,
        rating: rating.transpose()?,
        tags: review_content::normalize_tags(&tags),
        language: language.transpose()?,
        published: published.transpose()?,
        poster,
        ..ReviewContent::default()
    })
}

fn invalid(key: &str, what: &str) -> MarkdownError {
    MarkdownError::Value { key: key.to_owned(), what: what.to_owned() }
}

/// Splits a file into its front matter and the Markdown after it.
fn split_front_matter(text: &str) -> Result<(&str, &str), MarkdownError> {
    let text = text.trim_start_matches('\u{FEFF}');
    let first = text.split_inclusive('\n').next().unwrap_or_default();
    if first.trim_end() != "---" {
        return Err(MarkdownError::NoFrontMatter);
    }
    let rest = text.get(first.len()..).unwrap_or_default();
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Ok((rest.get(..at).unwrap_or_default(), rest.get(at + line.len()..).unwrap_or_default()));
        }
        at += line.len();
        if at > MAX_FRONT_MATTER_BYTES {
            break;
        }
    }
    Err(MarkdownError::Unclosed)
}

fn parse_front_matter(yaml: &str) -> Result<FrontMatter, MarkdownError> {
    if yaml.trim().is_empty() {
        return Ok(FrontMatter::default());
    }
    #[expect(clippy::zero_sized_map_values, reason = "only a map parses keys and skips values")]
    let keys: BTreeMap<String, IgnoredAny> = serde_saphyr::from_str(yaml).map_err(|e| yaml_error(&e))?;
    if let Some(key) = keys.into_keys().find(|key| !FRONT_MATTER_KEYS.contains(&key.as_str())) {
        return Err(MarkdownError::UnknownKey(html::single_line_text(&key, 60)));
    }
    serde_saphyr::from_str(yaml).map_err(|e| {
        // The parser reports the position of the value, so its key is on the same line or above.
        let line = e.location().map_or(0, |at| usize::try_from(at.line()).unwrap_or(0));
        let above = yaml.lines().take(line).filter_map(|l| l.split_once(':'));
        let key = above.map(|(key, _)| key.trim()).filter(|key| FRONT_MATTER_KEYS.contains(key)).last();
        match key {
            Some(key @ ("directors" | "writers" | "starring" | "tags")) => {
                invalid(key, "expected a list, or comma-separated text")
            }
            Some("year") => invalid("year", "expected a year such as 1979"),
            Some(key) => invalid(key, "expected text"),
            None => yaml_error(&e),
        }
    })
}

fn yaml_error(error: &serde_saphyr::Error) -> MarkdownError {
    MarkdownError::Yaml {
        // The line `---` precedes the YAML.
        line: error.location().map_or(1, |at| u64::from(u32::try_from(at.line()).unwrap_or(0)) + 1),
        what: html::single_line_text(&error.without_snippet().to_string(), 160),
    }
}

impl Names {
    fn split(self) -> Vec<String> {
        let names = match self {
            Self::List(names) => names,
            Self::Text(text) => {
                let mut names: Vec<String> = Vec::new();
                for part in text.split(',').map(str::trim) {
                    match names.last_mut() {
                        // `Robert Downey, Jr.` is one name.
                        Some(last) if matches!(part, "Jr." | "Sr." | "Jr" | "Sr" | "II" | "III") => {
                            last.push_str(", ");
                            last.push_str(part);
                        }
                        _ => names.push(part.to_owned()),
                    }
                }
                names
            }
        };
        let clean = names
            .iter()
            .map(|name| html::single_line_text(name, MAX_NAME_CHARS))
            .filter(|name| !name.is_empty());
        clean.take(MAX_NAMES).collect()
    }
}

fn film(front: &FrontMatter) -> Result<Film, MarkdownError> {
    let names = |names: &Option<Names>| match names {
        Some(Names::List(list)) => Names::List(list.clone()).split(),
        Some(Names::Text(text)) => Names::Text(text.clone()).split(),
        None => Vec::new(),
    };
    if front.year.is_some_and(|year| !(1888..=2100).contains(&year)) {
        return Err(invalid("year", "expected a year such as 1979"));
    }
    let day = front.release_date.as_deref().map(|text| {
        let day = text.trim().parse::<jiff::civil::Date>();
        day.map_err(|_| invalid("release_date", "expected a date such as 2024-10-18"))
    });
    let release_date = day.transpose()?;
    Ok(Film {
        title: front
            .film
            .as_deref()
            .map(|t| html::single_line_text(t, review_content::MAX_TITLE_CHARS))
            .unwrap_or_default(),
        year: front.year.or(release_date.map(jiff::civil::Date::year)),
        directors: names(&front.directors),
        writers: names(&front.writers),
        stars: names(&front.starring),
        release_date,
        identity: None,
    })
}

fn poster(front: &FrontMatter, base: &Url) -> Result<Option<Poster>, MarkdownError> {
    let alt = front
        .poster_alt
        .as_deref()
        .map(|alt| html::single_line_text(alt, 1_000))
        .filter(|alt| !alt.is_empty());
    let Some(path) = &front.poster else {
        return Ok(None);
    };
    let url = html::image_url(path, base)
        .filter(|url| url.scheme() == "file" || path.trim().starts_with("https://"));
    let url = url
        .ok_or_else(|| invalid("poster", "expected an https URL, or the path of a file next to this one"))?;
    Ok(Some(Poster { url, alt }))
}

/// Parses a timestamp with a time zone, a local time, or a date, which means midnight.
fn parse_time(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    let local = || {
        let local_time: jiff::civil::DateTime = text.parse().ok()?;
        Some(Timestamp::from_millis(local_time.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond()))
    };
    Timestamp::parse_rfc3339(text).or_else(local)
}

fn to_html(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    // A single line break in Markdown is just a space, but some clients (Misskey) would show it as a line break.
    let events = Parser::new_ext(markdown, options).map(|event| match event {
        Event::SoftBreak => Event::Text(" ".into()),
        event => event,
    });
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, link_footnotes(events.collect()).into_iter());
    out
}

/// Converts footnotes to HTML. Each begins with its number and ends with a link back to its first reference, which
/// pulldown-cmark's own renderer does not write.
fn link_footnotes(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let html = |html: String| Event::InlineHtml(html.into());
    let referenced: HashSet<_> = events
        .iter()
        .filter_map(
            |event| if let Event::FootnoteReference(name) = event { Some(name.clone()) } else { None },
        )
        .collect();
    let mut out = Vec::with_capacity(events.len());
    let mut numbers = HashMap::new();
    let mut number_of = |name: &CowStr<'_>| {
        let next = numbers.len() + 1;
        *numbers.entry(name.to_string()).or_insert(next)
    };
    let mut linked = HashSet::new();
    let mut current = None;
    let mut events = events.into_iter().peekable();
    while let Some(event) = events.next() {
        match event {
            Event::FootnoteReference(name) => {
                let (number, target) = (number_of(&name), escape(&name));
                let id = if linked.insert(name) { format!(" id=\"to-{target}\"") } else { String::new() };
                out.push(html(format!("<sup{id}><a href=\"#{target}\">{number}</a></sup>")));
            }
            Event::Start(Tag::FootnoteDefinition(name)) => {
                out.push(Event::Html(format!("<div id=\"{}\">", escape(&name)).into()));
                out.extend(events.next_if(|next| matches!(next, Event::Start(Tag::Paragraph))));
                out.push(html(format!("<sup>{}</sup> ", number_of(&name))));
                current = Some(name);
            }
            Event::End(TagEnd::Paragraph) => {
                let is_last = matches!(events.peek(), Some(Event::End(TagEnd::FootnoteDefinition)));
                if let Some(name) = current.as_ref().filter(|name| is_last && referenced.contains(*name)) {
                    out.push(html(format!(" <a href=\"#to-{}\">↩</a>", escape(name))));
                }
                out.push(event);
            }
            Event::End(TagEnd::FootnoteDefinition) => {
                current = None;
                out.push(Event::Html("</div>\n".into()));
            }
            event => out.push(event),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn base() -> Url {
        "file:///reviews/anora.md".parse().unwrap()
    }

    fn read(text: &str) -> Result<ReviewContent, MarkdownError> {
        parse(text, &base(), &TimeZone::UTC)
    }

    #[test]
    fn every_key_of_the_front_matter_is_parsed() {
        let content = read(
            "---\ntitle: \"A bet in Brighton: Anora\"\nsubtitle: Nobody sleeps\nfilm: Anora\nyear: 2024\ndirectors: Sean Baker\n\
             writers: [Sean Baker]\nstarring:\n  - Mikey Madison\n  - Robert Downey, Jr.\nrelease_date: 2024-10-18\nrating: ★★★★½\n\
             tags: drama, Comedy, drama\nlanguage: en-us\nposter: img/anora.jpg\nposter_alt: A woman laughs\npublished: 2024-10-18T09:30:00+02:00\n---\n\
             # First\n\nIt *begins* with ~~a~~ bet[^1].\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[^1]: A small one.\n",
        )
        .unwrap();
        assert_eq!(content.title, "A bet in Brighton: Anora");
        assert_eq!((content.film.title.as_str(), content.film.year), ("Anora", Some(2024)));
        assert_eq!(content.film.directors, content.film.writers);
        assert_eq!(content.film.stars, ["Mikey Madison", "Robert Downey, Jr."]);
        assert_eq!(content.rating, Rating::parse("★★★★½"));
        assert_eq!(content.tags, ["drama", "Comedy"]);
        assert_eq!(content.language.as_deref(), Some("en-US"));
        assert_eq!(content.poster.as_ref().unwrap().url.as_str(), "file:///reviews/img/anora.jpg");
        assert_eq!(content.published.unwrap().to_string(), "2024-10-18T07:30:00Z");
        assert_eq!(
            content.body,
            "<h2>First</h2><p>It <em>begins</em> with <del>a</del> bet<sup id=\"note-to-1\"><a href=\"#note-1\">1</a></sup>.</p>\
             <table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>\
             <div id=\"note-1\"><p><sup>1</sup> A small one. <a href=\"#note-to-1\">↩</a></p></div>"
        );
    }

    #[test]
    fn a_teaser_contains_no_footnote_numbers_trailers_or_spoilers() {
        let content = read(
            "---\ntitle: A\n---\nThey talk, *once*[^1].\n\n<iframe src=\"https://www.youtube.com/embed/abc\"></iframe>\n\n\
             <details><summary>The end</summary>\n\nAll die.\n\n</details>\n\nIt is night.\n\n[^1]: Twice.\n",
        );
        assert_eq!(content.unwrap().teaser, "They talk, once. It is night.");
    }

    #[test]
    fn a_footnote_links_back_to_its_first_reference() {
        let content = read("---\ntitle: A\n---\nOne[^n]. Two[^n].\n\n[^n]: Yes.\n\n    *No.*\n").unwrap();
        assert_eq!(
            content.body,
            "<p>One<sup id=\"note-to-n\"><a href=\"#note-n\">1</a></sup>. Two<sup><a href=\"#note-n\">1</a></sup>.</p>\
             <div id=\"note-n\"><p><sup>1</sup> Yes.</p><p><em>No.</em> <a href=\"#note-to-n\">↩</a></p></div>"
        );
    }

    #[test]
    fn a_number_can_be_a_title() {
        let content = read(
            "---\ntitle: 1917\nfilm: 2046\nyear: 2004\npublished: 2024-10-18\nrating: 4/5\n---\nTwo trains.",
        )
        .unwrap();
        assert_eq!((content.title.as_str(), content.film.title.as_str()), ("1917", "2046"));
        assert_eq!(content.published.unwrap().to_string(), "2024-10-18T00:00:00Z");
    }

    #[test]
    fn an_error_contains_the_key_and_what_is_expected() {
        let error = |front: &str| read(&format!("---\ntitle: A\n{front}\n---\nB")).unwrap_err().to_string();
        assert!(read("---\ntitle: A\n---\n \n").unwrap_err().to_string().starts_with("the file has no text"));
        assert!(error("titel: B").starts_with("unknown key `titel`; valid keys are title, subtitle,"));
        assert_eq!(error("year: soon"), "`year`: expected a year such as 1979");
        assert_eq!(error("subtitle: [a, b]"), "`subtitle`: expected text");
        assert!(error("directors:\n  name: x").starts_with("`directors`: expected a list"));
        assert!(error("rating: good").starts_with("`rating`: expected a rating"));
        let zone = TimeZone::get("Europe/Vienna").unwrap();
        for (text, meaning) in [
            ("2027-01-01", "2026-12-31T23:00:00Z"),
            ("2027-01-01 10:00", "2027-01-01T09:00:00Z"),
            ("2027-07-01T10:00:30", "2027-07-01T08:00:30Z"),
            ("2027-07-01T10:00:30-03:00", "2027-07-01T13:00:30Z"),
        ] {
            assert_eq!(parse_time(text, &zone).map(|at| at.to_string()).as_deref(), Some(meaning));
        }
        assert!(error("published: soon").starts_with("`published`: expected a date"));
        assert!(error("release_date: soon").starts_with("`release_date`"));
        assert!(error("language: Klingon").starts_with("`language`"));
        for poster in
            ["../a.jpg", "/etc/passwd", "http://x.example/a.jpg", "javascript:x", "file:///etc/passwd"]
        {
            assert!(error(&format!("poster: {poster}")).starts_with("`poster`"), "{poster}");
        }
        assert!(error("tags: [a").contains("not valid YAML"));
        assert_eq!(read("A"), Err(MarkdownError::NoFrontMatter));
        assert_eq!(read("---\ntitle: A\n"), Err(MarkdownError::Unclosed));
        assert_eq!(read("---\nfilm: A\n---\n"), Err(MarkdownError::NoTitle));
        assert_eq!(read("---\n---\n"), Err(MarkdownError::NoTitle));
    }

    #[test]
    fn html_in_markdown_is_sanitized() {
        let content =
            read("---\ntitle: <b>A</b>\n---\n<script>x</script>\n\n[a](javascript:alert(1)) <p onclick=x>b")
                .unwrap();
        assert_eq!(content.title, "<b>A</b>", "a title is plain text");
        assert_eq!(content.body, "<p>a</p><p>b</p>");
    }

    proptest! {
        #[test]
        fn no_text_causes_a_panic(front in "[a-z: \\[\\]{}&*!|>'\"\n-]{0,60}", body in ".{0,80}") {
            let _ = read(&format!("---\ntitle: A\n{front}\n---\n{body}"));
            let _ = read(&body);
        }
    }
}
