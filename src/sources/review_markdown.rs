//! Parses a review written in Markdown: front matter in YAML or TOML, then the body. Keys of other programs that publish
//! Markdown are understood, too.

mod body;
mod fields;
mod people;
mod poster;
#[cfg(test)]
mod tests;
mod write;
mod write_body;

use jiff::tz::TimeZone;
use url::Url;

use super::dates::{DateContext, YEARS, film_year, read_date};
use super::front_matter::{FrontMatter, FrontMatterError};
use super::spoilers::SPOILER_TEASER;
use super::{html, review_content};
use crate::domain::body_text;
use crate::domain::film::Film;
use crate::domain::rating::Rating;
use crate::domain::release_date::ReleaseDate;
use crate::domain::review::ReviewContent;
use crate::domain::time::Timestamp;
pub use write::write;
pub use write_body::is_same_body;

use fields::{OWN_KEYS, ReviewField, ReviewFields};
use people::{people, texts};
use poster::poster;

/// What the site says about values that a file leaves open.
#[derive(Debug, Clone)]
pub struct MarkdownContext<'a> {
    /// The URL of the file, against which relative URLs are resolved.
    pub base: &'a Url,
    /// The time zone of times without one.
    pub zone: &'a TimeZone,
    /// The scale of ratings that are bare numbers, such as 5 for stars out of five.
    pub rating_scale: Option<u8>,
}

/// A review from a Markdown file.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkdownReview {
    /// The content.
    pub content: ReviewContent,
    /// What says that the file is not meant for the public, such as `draft: true`, with its line.
    pub not_public: Option<String>,
}

/// Why a file is not a valid review.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarkdownError {
    /// There is no valid front matter.
    #[error(transparent)]
    FrontMatter(#[from] FrontMatterError),
    /// There is nothing after the front matter.
    #[error("the file has no text: write the review after the front matter")]
    NoBody,
    /// There is an unknown key.
    #[error(
        "line {line} of the file: unknown key `{key}`{suggestion}; valid keys are {keys}",
        suggestion = nearest.map(|key| format!(", did you mean `{key}`?")).unwrap_or_default(),
        keys = OWN_KEYS.join(", ")
    )]
    UnknownKey {
        /// The line in the file, from 1.
        line: usize,
        /// The key.
        key: String,
        /// The valid key that it is most like.
        nearest: Option<&'static str>,
    },
    /// A value is invalid.
    #[error("line {line} of the file: `{key}`: {what}")]
    Value {
        /// The line in the file, from 1.
        line: usize,
        /// The key.
        key: String,
        /// What to write instead.
        what: String,
    },
    /// It is another page of a site.
    #[error(
        "line {line} of the file: `{key}: {text}` says that this is a page and no review; if it is one, remove the line"
    )]
    Page {
        /// The line in the file, from 1.
        line: usize,
        /// The key.
        key: String,
        /// The kind of page.
        text: String,
    },
    /// There is no title.
    #[error("`title` is missing: every review needs one")]
    NoTitle,
}

/// Parses a file.
///
/// # Errors
/// See [`MarkdownError`].
pub fn parse(text: &str, context: &MarkdownContext<'_>) -> Result<MarkdownReview, MarkdownError> {
    let front = FrontMatter::parse(text)?;
    let fields = ReviewFields::new(&front)?;
    let line = |field, max_chars| {
        let found = fields.text(field)?.map(|(text, _)| html::single_line_text(text, max_chars));
        Ok::<_, MarkdownError>(found.filter(|text| !text.is_empty()))
    };
    let title = line(ReviewField::Title, review_content::MAX_TITLE_CHARS)?.ok_or(MarkdownError::NoTitle)?;
    let subtitle = line(ReviewField::Subtitle, review_content::MAX_SUBTITLE_CHARS)?;
    let body = html::sanitize_review_body(&body::to_html(front.body), context.base);
    if body.is_empty() {
        return Err(MarkdownError::NoBody);
    }
    let mut poster = poster(&fields, context.base)?;
    let (body, caption) = match &mut poster {
        Some(poster) => html::take_poster(&body, poster),
        None => (body, None),
    };
    let film_title = line(ReviewField::Film, review_content::MAX_TITLE_CHARS)?;
    let tags = tags(&fields)?;
    let has_spoilers = has_spoilers(&fields)?;
    let language = fields.text(ReviewField::Language)?.map(|(tag, found)| {
        review_content::normalize_language(tag)
            .ok_or_else(|| found.error("expected a language tag such as en or pt-BR"))
    });
    Ok(MarkdownReview {
        content: ReviewContent {
            title,
            subtitle,
            teaser: if has_spoilers { SPOILER_TEASER.to_owned() } else { html::teaser(&body) },
            body: body_text::with_poster_caption(caption, body),
            film: film(&fields, film_title.unwrap_or_default())?,
            rating: rating(&fields, context.rating_scale)?,
            tags: review_content::normalize_tags(&tags),
            language: language.transpose()?,
            canonical_url: web_url(&fields, ReviewField::CanonicalUrl)?,
            published: time(&fields, ReviewField::Published, context.zone)?,
            updated: time(&fields, ReviewField::Updated, context.zone)?,
            poster,
            recording: None,
            has_spoilers,
        },
        not_public: fields.not_public,
    })
}

fn has_spoilers(fields: &ReviewFields<'_>) -> Result<bool, MarkdownError> {
    let Some((text, found)) = fields.text(ReviewField::Spoilers)? else { return Ok(false) };
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" => Ok(true),
        "false" | "no" | "off" => Ok(false),
        _ => Err(found.error("expected true or false")),
    }
}

fn rating(fields: &ReviewFields<'_>, site_scale: Option<u8>) -> Result<Option<Rating>, MarkdownError> {
    let Some((text, found)) = fields.text(ReviewField::Rating)? else { return Ok(None) };
    if let Some(number) = text.strip_prefix(['-', '\u{2212}', '\u{2013}'])
        && number.starts_with(|c: char| c.is_ascii_digit())
    {
        return Err(found.error(&format!("a rating is not below zero: did you mean `{number}`?")));
    }
    // More asterisks than five have no scale of their own.
    let asterisks = text.len();
    if asterisks > 5 && text.bytes().all(|byte| byte == b'*') {
        let counted = site_scale.and_then(|scale| Rating::parse(&format!("{asterisks}/{scale}")));
        return counted.map(Some).ok_or_else(|| {
            found.error(&format!("{asterisks} out of how many? Write for example `{asterisks}/10`"))
        });
    }
    let is_number = text.parse::<f32>().is_ok_and(|number| (0.0..=100.0).contains(&number));
    let full = match site_scale {
        Some(scale) if is_number => format!("{text}/{scale}"),
        _ => text.to_owned(),
    };
    // A row of asterisks is a rating only with a label, and the key is one.
    if let Some(rating) = Rating::parse(&full).or_else(|| Rating::parse(&format!("Rating: {full}"))) {
        return Ok(Some(rating));
    }
    Err(found.error(&match site_scale {
        None if is_number => format!(
            "out of how many? Write `{text}/5` or `{text}/10`, or set `site.rating_scale` in the config"
        ),
        _ => "expected a rating such as ★★★½, 3.5/5, 8/10 or B+".to_owned(),
    }))
}

fn tags(fields: &ReviewFields<'_>) -> Result<Vec<review_content::SourceText>, MarkdownError> {
    let mut tags = Vec::new();
    for found in fields.all(ReviewField::Tags) {
        tags.extend(texts(fields, found)?.into_iter().map(review_content::SourceText::Plain));
    }
    Ok(tags)
}

/// Returns a title without the year in brackets at its end, and that year.
fn split_off_year(title: &str) -> Option<(&str, i16)> {
    let (title, year) = title.strip_suffix(')')?.rsplit_once(" (")?;
    let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    Some((title.trim_end(), film_year(year.parse().ok().filter(|_| is_year)?)?))
        .filter(|(title, _)| !title.is_empty())
}

fn film(fields: &ReviewFields<'_>, title: String) -> Result<Film, MarkdownError> {
    let year = fields.text(ReviewField::Year)?.map(|(text, found)| {
        let year = text.parse().ok().filter(|year| (1888..=2100).contains(year));
        year.ok_or_else(|| found.error("expected a year such as 1979"))
    });
    let stated_year = year.transpose()?;
    let (title, year) = match (split_off_year(&title), fields.get(ReviewField::Film)) {
        (Some((_, year)), Some(found)) if stated_year.is_some_and(|stated| stated != year) => {
            let stated = stated_year.unwrap_or_default();
            return Err(found.error(&format!("the film is of {year} here, but of {stated} in `year`")));
        }
        (Some((title, year)), _) => (title.to_owned(), Some(year)),
        (None, _) => (title, stated_year),
    };
    let released = fields.text(ReviewField::ReleaseDate)?.map(|(text, found)| {
        let date = text.parse::<ReleaseDate>().map_err(|error| found.error(&error.to_string()));
        date.and_then(|date| match date.year() {
            1888..=2100 => Ok(date),
            _ => Err(found.error("expected a date such as 2024-10-18, 2024-10 or 2024")),
        })
    });
    let release_date = released.transpose()?;
    Ok(Film {
        title,
        year: year.or(release_date.map(ReleaseDate::year)),
        directors: people(fields, ReviewField::Directors)?,
        writers: people(fields, ReviewField::Writers)?,
        stars: people(fields, ReviewField::Starring)?,
        release_date,
        identity: identity(fields)?,
    })
}

/// The page of the film at TMDB or IMDb.
fn identity(fields: &ReviewFields<'_>) -> Result<Option<Url>, MarkdownError> {
    if let Some(url) = web_url(fields, ReviewField::FilmUrl)? {
        return Ok(Some(url));
    }
    let is_number = |text: &str| (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if let Some((id, _)) = fields.text(ReviewField::TmdbId)?.filter(|(id, _)| is_number(id)) {
        return Ok(Url::parse(&format!("https://www.themoviedb.org/movie/{id}")).ok());
    }
    let imdb = fields.text(ReviewField::ImdbId)?.and_then(|(id, _)| id.strip_prefix("tt"));
    Ok(imdb
        .filter(|id| is_number(id))
        .and_then(|id| Url::parse(&format!("https://www.imdb.com/title/tt{id}/")).ok()))
}

fn web_url(fields: &ReviewFields<'_>, field: ReviewField) -> Result<Option<Url>, MarkdownError> {
    let url = fields.text(field)?.map(|(text, found)| {
        let url = html::resolve_url(text, None).filter(|url| matches!(url.scheme(), "https" | "http"));
        url.ok_or_else(|| found.error("expected a URL such as https://example.org/reviews/anora"))
    });
    url.transpose()
}

/// Reads a time with or without a zone, or a date, which means midnight.
fn time(
    fields: &ReviewFields<'_>,
    field: ReviewField,
    zone: &TimeZone,
) -> Result<Option<Timestamp>, MarkdownError> {
    let Some((text, found)) = fields.text(field)? else { return Ok(None) };
    // A year alone, or a day without a year, is no day.
    let has_day = text.len() > "2024-10".len();
    let context = DateContext { zone, order: None, language: None };
    let read = read_date(text, &context).ok().filter(|_| has_day).map(|read| read.at);
    read.map(Some).ok_or_else(|| {
        let year = text.get(..4).filter(|_| text.get(4..).is_some_and(|rest| rest.starts_with(['-', '/', '.'])));
        if let Some(year) = year.and_then(|year| year.parse::<i64>().ok()).filter(|year| !YEARS.contains(year)) {
            return found.error(&format!(
                "a review cannot be of {year:04}, only of {} to {}; the date of the film goes into `release_date`",
                YEARS.start(),
                YEARS.end()
            ));
        }
        found.error("expected a date such as 2024-10-18, 2024-10-18 09:30 or 2024-10-18T09:30:00Z")
    })
}
