//! A review as a Markdown file: YAML between `---` lines says what it is about, the rest is its body.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use pulldown_cmark::{Event, Options, Parser};
use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use super::{html, review_content};
use crate::domain::film::Film;
use crate::domain::rating::Rating;
use crate::domain::review::{Poster, ReviewContent};
use crate::domain::time::Timestamp;

/// The keys that a front matter may have.
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
/// A longer front matter is none.
const MAX_FRONT_MATTER: usize = 64 * 1024;
/// Names in one list, and characters of one of them.
const NAMES: (usize, usize) = (40, 100);

/// Why a file is no review. Each names the key that it is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarkdownError {
    /// The file does not begin with `---`.
    #[error("the file has no front matter: its first line must be `---`, then `title: …`, then `---`")]
    NoFrontMatter,
    /// The second `---` is missing.
    #[error("the front matter is never closed: a line `---` is missing after it")]
    Unclosed,
    /// Nothing is said.
    #[error("the file has no text: the review comes after the second `---`")]
    NoBody,
    /// It is not YAML.
    #[error("line {line} of the file: the front matter is not valid YAML: {what}")]
    Yaml {
        /// The line in the file, from 1.
        line: u64,
        /// What the parser says.
        what: String,
    },
    /// A key that nobody reads.
    #[error("unknown key `{0}`; valid keys are {keys}", keys = FRONT_MATTER_KEYS.join(", "))]
    UnknownKey(String),
    /// A value that cannot be read.
    #[error("`{key}`: {what}")]
    Value {
        /// The key.
        key: String,
        /// What is expected instead.
        what: String,
    },
    /// No title.
    #[error("`title` is missing: a review needs a headline")]
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

/// A list, or a text with commas.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Names {
    List(Vec<String>),
    Text(String),
}

/// Reads a file that lies at `base`; a relative `poster` lies beside it. Hours and days that name no zone are those of
/// `zone`.
///
/// # Errors
/// See `MarkdownError`.
pub fn parse(text: &str, base: &Url, zone: &TimeZone) -> Result<ReviewContent, MarkdownError> {
    let (yaml, markdown) = split(text)?;
    let front = front_matter(yaml)?;
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
    let body = poster.as_ref().map_or(body.clone(), |poster| html::without_picture(&body, &poster.url));
    let film = film(&front)?;
    let rating = front.rating.as_deref().map(|text| {
        Rating::parse(text).ok_or_else(|| wrong("rating", "expected a rating like ★★★½, 3.5/5, 8/10 or B+"))
    });
    let tags = front.tags.map(Names::split).unwrap_or_default();
    let tags: Vec<_> = tags.into_iter().map(review_content::SourceText::Plain).collect();
    let language = front.language.as_deref().map(|tag| {
        review_content::normalize_language(tag)
            .ok_or_else(|| wrong("language", "expected a language tag like en or pt-BR"))
    });
    let published = front.published.as_deref().map(|text| {
        moment(text, zone).ok_or_else(|| {
            wrong("published", "expected a date like 2024-10-18, 2024-10-18 09:30 or 2024-10-18T09:30:00Z")
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

fn wrong(key: &str, what: &str) -> MarkdownError {
    MarkdownError::Value { key: key.to_owned(), what: what.to_owned() }
}

/// The front matter, and the Markdown behind it.
fn split(text: &str) -> Result<(&str, &str), MarkdownError> {
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
        if at > MAX_FRONT_MATTER {
            break;
        }
    }
    Err(MarkdownError::Unclosed)
}

fn front_matter(yaml: &str) -> Result<FrontMatter, MarkdownError> {
    if yaml.trim().is_empty() {
        return Ok(FrontMatter::default());
    }
    #[expect(clippy::zero_sized_map_values, reason = "only a map reads keys and passes over values")]
    let keys: BTreeMap<String, IgnoredAny> = serde_saphyr::from_str(yaml).map_err(|e| broken(&e))?;
    if let Some(key) = keys.into_keys().find(|key| !FRONT_MATTER_KEYS.contains(&key.as_str())) {
        return Err(MarkdownError::UnknownKey(html::single_line_text(&key, 60)));
    }
    serde_saphyr::from_str(yaml).map_err(|e| {
        // The parser knows where the value is: the key stands there, or above.
        let line = e.location().map_or(0, |at| usize::try_from(at.line()).unwrap_or(0));
        let above = yaml.lines().take(line).filter_map(|l| l.split_once(':'));
        let key = above.map(|(key, _)| key.trim()).filter(|key| FRONT_MATTER_KEYS.contains(key)).last();
        match key {
            Some(key @ ("directors" | "writers" | "starring" | "tags")) => {
                wrong(key, "expected a list, or a text with commas")
            }
            Some("year") => wrong("year", "expected a year like 1979"),
            Some(key) => wrong(key, "expected a text"),
            None => broken(&e),
        }
    })
}

fn broken(error: &serde_saphyr::Error) -> MarkdownError {
    MarkdownError::Yaml {
        // The line of `---` comes before.
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
                        // `Robert Downey, Jr.` is one.
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
        let clean =
            names.iter().map(|name| html::single_line_text(name, NAMES.1)).filter(|name| !name.is_empty());
        clean.take(NAMES.0).collect()
    }
}

fn film(front: &FrontMatter) -> Result<Film, MarkdownError> {
    let names = |names: &Option<Names>| match names {
        Some(Names::List(list)) => Names::List(list.clone()).split(),
        Some(Names::Text(text)) => Names::Text(text.clone()).split(),
        None => Vec::new(),
    };
    if front.year.is_some_and(|year| !(1888..=2100).contains(&year)) {
        return Err(wrong("year", "expected a year like 1979"));
    }
    let day = front.release_date.as_deref().map(|text| {
        let day = text.trim().parse::<jiff::civil::Date>();
        day.map_err(|_| wrong("release_date", "expected a date like 2024-10-18"))
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
    let url = html::picture_url(path, base)
        .filter(|url| url.scheme() == "file" || path.trim().starts_with("https://"));
    let url = url
        .ok_or_else(|| wrong("poster", "expected an https address, or the path of a file beside this one"))?;
    Ok(Some(Poster { url, alt }))
}

/// A moment, an hour of the zone's, or the midnight with which a day of it begins.
fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    let local = || {
        let hour: jiff::civil::DateTime = text.parse().ok()?;
        Some(Timestamp::from_millis(hour.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond()))
    };
    Timestamp::parse_rfc3339(text).or_else(local)
}

fn to_html(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    let mut out = String::new();
    // Where a line of the file ends means nothing; some readers would show it as a break (Misskey).
    let events = Parser::new_ext(markdown, options).map(|event| match event {
        Event::SoftBreak => Event::Text(" ".into()),
        event => event,
    });
    pulldown_cmark::html::push_html(&mut out, events);
    let out = with_ways_back(&out);
    // The number of a footnote belongs into its first paragraph.
    let mut parts = out.split("<sup class=\"footnote-definition-label\">");
    let mut joined = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once("</sup>") {
            Some((number, rest)) if rest.trim_start().starts_with("<p>") => {
                let rest = rest.trim_start().get("<p>".len()..).unwrap_or_default();
                joined.extend(["<p><sup>", number, "</sup> ", rest]);
            }
            _ => joined.push_str(part),
        }
    }
    joined
}

/// From each footnote a link leads back to where it is first referred to.
fn with_ways_back(html: &str) -> String {
    const REFERENCE: &str = "<sup class=\"footnote-reference\"><a href=\"#";
    const NOTE: &str = "<div class=\"footnote-definition\" id=\"";
    let mut out = String::with_capacity(html.len());
    let mut known = BTreeSet::new();
    let mut parts = html.split(REFERENCE);
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let name = part.split('"').next().unwrap_or_default();
        if known.insert(name) {
            out.extend(["<sup id=\"to-", name, "\"><a href=\"#"]);
        } else {
            out.push_str(REFERENCE);
        }
        out.push_str(part);
    }
    let mut parts = out.split(NOTE);
    let mut done = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name = part.split('"').next().unwrap_or_default();
        done.push_str(NOTE);
        match part.split_once("</p>\n</div>") {
            Some((note, rest)) if known.contains(name) => {
                done.extend([note, " <a href=\"#to-", name, "\">↩</a></p>\n</div>", rest]);
            }
            _ => done.push_str(part),
        }
    }
    done
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
    fn a_whole_file_becomes_a_draft() {
        let draft = read(
            "---\ntitle: \"A bet in Brighton: Anora\"\nsubtitle: Nobody sleeps\nfilm: Anora\nyear: 2024\ndirectors: Sean Baker\n\
             writers: [Sean Baker]\nstarring:\n  - Mikey Madison\n  - Robert Downey, Jr.\nrelease_date: 2024-10-18\nrating: ★★★★½\n\
             tags: drama, Comedy, drama\nlanguage: en-us\nposter: img/anora.jpg\nposter_alt: A woman laughs\npublished: 2024-10-18T09:30:00+02:00\n---\n\
             # First\n\nIt *begins* with ~~a~~ bet[^1].\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[^1]: A small one.\n",
        )
        .unwrap();
        assert_eq!(draft.title, "A bet in Brighton: Anora");
        assert_eq!((draft.film.title.as_str(), draft.film.year), ("Anora", Some(2024)));
        assert_eq!(draft.film.directors, draft.film.writers);
        assert_eq!(draft.film.stars, ["Mikey Madison", "Robert Downey, Jr."]);
        assert_eq!(draft.rating, Rating::parse("★★★★½"));
        assert_eq!(draft.tags, ["drama", "Comedy"]);
        assert_eq!(draft.language.as_deref(), Some("en-US"));
        assert_eq!(draft.poster.as_ref().unwrap().url.as_str(), "file:///reviews/img/anora.jpg");
        assert_eq!(draft.published.unwrap().to_string(), "2024-10-18T07:30:00Z");
        assert_eq!(
            draft.body,
            "<h2>First</h2><p>It <em>begins</em> with <del>a</del> bet<sup id=\"note-to-1\"><a href=\"#note-1\">1</a></sup>.</p>\
             <table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>\
             <div id=\"note-1\"><p><sup>1</sup> A small one. <a href=\"#note-to-1\">↩</a></p></div>"
        );
    }

    #[test]
    fn a_teaser_has_neither_numbers_of_footnotes_nor_trailers_nor_spoilers() {
        let draft = read(
            "---\ntitle: A\n---\nThey talk, *once*[^1].\n\n<iframe src=\"https://www.youtube.com/embed/abc\"></iframe>\n\n\
             <details><summary>The end</summary>\n\nAll die.\n\n</details>\n\nIt is night.\n\n[^1]: Twice.\n",
        );
        assert_eq!(draft.unwrap().teaser, "They talk, once. It is night.");
    }

    #[test]
    fn titles_that_look_like_numbers_are_titles() {
        let draft = read(
            "---\ntitle: 1917\nfilm: 2046\nyear: 2004\npublished: 2024-10-18\nrating: 4/5\n---\nTwo trains.",
        )
        .unwrap();
        assert_eq!((draft.title.as_str(), draft.film.title.as_str()), ("1917", "2046"));
        assert_eq!(draft.published.unwrap().to_string(), "2024-10-18T00:00:00Z");
    }

    #[test]
    fn an_error_names_the_key_and_what_to_do() {
        let error = |front: &str| read(&format!("---\ntitle: A\n{front}\n---\nB")).unwrap_err().to_string();
        assert!(read("---\ntitle: A\n---\n \n").unwrap_err().to_string().starts_with("the file has no text"));
        assert!(error("titel: B").starts_with("unknown key `titel`; valid keys are title, subtitle,"));
        assert_eq!(error("year: soon"), "`year`: expected a year like 1979");
        assert_eq!(error("subtitle: [a, b]"), "`subtitle`: expected a text");
        assert!(error("directors:\n  name: x").starts_with("`directors`: expected a list"));
        assert!(error("rating: good").starts_with("`rating`: expected a rating"));
        let zone = TimeZone::get("Europe/Vienna").unwrap();
        for (told, meant) in [
            ("2027-01-01", "2026-12-31T23:00:00Z"),
            ("2027-01-01 10:00", "2027-01-01T09:00:00Z"),
            ("2027-07-01T10:00:30", "2027-07-01T08:00:30Z"),
            ("2027-07-01T10:00:30-03:00", "2027-07-01T13:00:30Z"),
        ] {
            assert_eq!(moment(told, &zone).map(|at| at.to_string()).as_deref(), Some(meant));
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
    fn markup_in_markdown_is_as_safe_as_any() {
        let draft =
            read("---\ntitle: <b>A</b>\n---\n<script>x</script>\n\n[a](javascript:alert(1)) <p onclick=x>b")
                .unwrap();
        assert_eq!(draft.title, "<b>A</b>", "a title is plain text");
        assert_eq!(draft.body, "<p>a</p><p>b</p>");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(front in "[a-z: \\[\\]{}&*!|>'\"\n-]{0,60}", body in ".{0,80}") {
            let _ = read(&format!("---\ntitle: A\n{front}\n---\n{body}"));
            let _ = read(&body);
        }
    }
}
