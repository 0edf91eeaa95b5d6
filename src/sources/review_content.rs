//! Turns the parts of a review that a feed provides into a [`ReviewContent`]: sanitized, bounded, and with the credits
//! extracted.

use std::collections::HashSet;

use url::Url;

use super::credits::HeadlineColumns;
use super::html::EntryFacts;
use super::{credits, html, spoilers};
use crate::domain::body_text;
use crate::domain::credit_evidence::{CreditCertainty, CreditEvidence, CreditField, CreditOrigin};
use crate::domain::film::Film;
use crate::domain::rating::Rating;
use crate::domain::recording::Recording;
use crate::domain::review::{Poster, ReviewContent};
use crate::domain::time::Timestamp;
use crate::domain::tracking_parameters::strip_tracking;

/// The maximum length of a headline in characters.
pub const MAX_TITLE_CHARS: usize = 300;
/// The maximum length of a subtitle in characters.
pub const MAX_SUBTITLE_CHARS: usize = 500;
/// The maximum number of tags of one review.
pub const MAX_TAGS: usize = 30;
/// The maximum length of a tag in characters.
pub const MAX_TAG_CHARS: usize = 60;
/// The maximum length, in characters, of a headline that is derived from the body.
const MAX_DERIVED_TITLE_CHARS: usize = 80;

/// A text as the source provides it.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceText {
    /// Unsafe HTML.
    Html(String),
    /// Plain text.
    Plain(String),
}

impl SourceText {
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Html(html) => html::plain_text(html),
            Self::Plain(text) => text.clone(),
        }
    }

    fn into_html(self) -> String {
        match self {
            Self::Html(html) => html,
            Self::Plain(text) => html::from_plain(&text),
        }
    }

    pub(super) fn is_blank(&self) -> bool {
        let (Self::Html(text) | Self::Plain(text)) = self;
        text.trim().is_empty()
    }
}

/// The parts of a review that a source provides.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReviewParts {
    /// The headline.
    pub title: Option<SourceText>,
    /// The body.
    pub body: Option<SourceText>,
    /// A summary in addition to the body. It may be a subtitle, or just the beginning of the body.
    pub summary: Option<SourceText>,
    /// Tags, as HTML or plain text.
    pub tags: Vec<SourceText>,
    /// A language tag.
    pub language: Option<String>,
    /// The URL of the review.
    pub link: Option<Url>,
    /// The time of publication.
    pub published: Option<Timestamp>,
    /// The time of the last change.
    pub updated: Option<Timestamp>,
    /// The image that the source names.
    pub poster: Option<Poster>,
    /// A small image, which is used if there is no other.
    pub thumbnail: Option<Poster>,
    /// A sound or video.
    pub recording: Option<Recording>,
    /// The film, as far as the source describes it apart from the text.
    pub film: Film,
    /// The rating that the source gives apart from the text.
    pub rating: Option<Rating>,
    /// What gives that film and that rating.
    pub film_origin: Option<CreditOrigin>,
    /// Whether the source warns of spoilers.
    pub has_spoilers: bool,
    /// The columns that headlines of the source begin with.
    pub columns: HeadlineColumns,
}

impl ReviewParts {
    /// Returns the content of the review, and where its credits were read, or `None` if there is neither a headline nor a text.
    /// Relative URLs are resolved against `base`.
    pub fn into_content(self, base: &Url) -> Option<(ReviewContent, Vec<CreditEvidence>)> {
        let (body, summary) = match (self.body.filter(|b| !b.is_blank()), self.summary) {
            (None, Some(summary)) => (Some(summary), None),
            parts => parts,
        };
        let raw = body.map(SourceText::into_html).unwrap_or_default();
        let title =
            self.title.map(|t| html::single_line_text(&t.plain(), MAX_TITLE_CHARS)).unwrap_or_default();
        let facts = EntryFacts { title: &title, has_summary: summary.is_some() };
        let (body, repeated_subtitle) = html::sanitize_entry_body(&raw, base, facts);
        let mut poster = self.poster.or_else(|| html::first_image(&body));
        let (body, caption) = match &mut poster {
            Some(poster) => html::take_poster(&body, poster),
            None => (body, None),
        };
        let subtitle = summary.and_then(|s| subtitle(&s, &title, &body)).or(repeated_subtitle);
        let column = self.columns.entry(&title);
        let credits = credits::extract_in_column(&title, column.as_ref(), &body, self.language.as_deref());
        let evidence = merge_evidence(&self.film, self.rating.as_ref(), self.film_origin, credits.evidence);
        let film = merge_film(self.film, credits.film);
        let title = match (title.is_empty(), film.title.is_empty()) {
            (false, _) => title,
            (true, false) => film.title.clone(),
            (true, true) => {
                html::single_line_text(&html::text_of(&html::parse(&credits.body)), MAX_DERIVED_TITLE_CHARS)
            }
        };
        if title.is_empty() {
            return None;
        }
        let midnight = |day: jiff::civil::Date| {
            let at = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            Some(Timestamp::from_millis(at.timestamp().as_millisecond()))
        };
        let has_spoilers = self.has_spoilers
            || spoilers::has_warning(&title, self.tags.iter().map(SourceText::plain), &credits.body);
        let content = ReviewContent {
            title,
            subtitle,
            teaser: if has_spoilers {
                spoilers::SPOILER_TEASER.to_owned()
            } else {
                html::teaser(&credits.body)
            },
            body: body_text::with_poster_caption(caption, credits.body),
            film,
            rating: self.rating.or(credits.rating),
            tags: normalize_tags(&self.tags),
            language: self.language.as_deref().and_then(normalize_language),
            canonical_url: self.link.map(|url| strip_tracking(url, None)),
            published: self.published.or_else(|| credits.published.and_then(midnight)),
            updated: self.updated,
            poster: poster.or(self.thumbnail),
            recording: self.recording,
            has_spoilers,
        };
        Some((content, evidence))
    }
}

/// Completes what the source states about the film by what the text says.
fn merge_film(stated: Film, found: Film) -> Film {
    Film {
        title: if stated.title.is_empty() { found.title } else { stated.title },
        year: stated.year.or(found.year),
        identity: stated.identity.or(found.identity),
        directors: if stated.directors.is_empty() { found.directors } else { stated.directors },
        ..found
    }
}

/// Completes where the text says its credits by what the source states apart from it.
fn merge_evidence(
    film: &Film,
    rating: Option<&Rating>,
    origin: Option<CreditOrigin>,
    found: Vec<CreditEvidence>,
) -> Vec<CreditEvidence> {
    let Some(origin) = origin else { return found };
    let stated = [
        (CreditField::Title, Some(film.title.clone()).filter(|title| !title.is_empty())),
        (CreditField::Year, film.year.map(|year| year.to_string())),
        (CreditField::Directors, Some(film.directors.join(", ")).filter(|names| !names.is_empty())),
        (CreditField::Rating, rating.map(|rating| rating.as_str().to_owned())),
    ];
    let stated = stated.into_iter().filter_map(|(field, text)| {
        Some(CreditEvidence { field, origin, certainty: CreditCertainty::Stated, text: text? })
    });
    let mut all: Vec<CreditEvidence> = stated.collect();
    for evidence in found {
        if all.iter().all(|known| known.field != evidence.field) {
            all.push(evidence);
        }
    }
    all
}

/// Returns the summary as a subtitle, if it is short and does not just repeat the headline or the body.
fn subtitle(summary: &SourceText, title: &str, body: &str) -> Option<String> {
    let text = html::single_line_text(&summary.plain(), 2 * MAX_SUBTITLE_CHARS);
    let text = html::strip_from_text(&text, title).to_owned();
    let is_truncated = ["…", "[...]", "[…]", "..."].iter().any(|end| text.ends_with(end));
    let is_boilerplate = text.contains(" appeared first on ");
    let letters = |text: &str, limit: usize| -> String {
        let kept = text.chars().filter(|c| c.is_alphanumeric()).take(limit);
        kept.flat_map(char::to_lowercase).collect()
    };
    let own = letters(&text, usize::MAX);
    let start = letters(&html::text_of(&html::parse(body)), 4 * MAX_SUBTITLE_CHARS);
    let repeats = own.is_empty() || own == letters(title, usize::MAX) || start.contains(&own);
    (!is_truncated && !is_boilerplate && !repeats && text.chars().count() <= MAX_SUBTITLE_CHARS)
        .then_some(text)
}

/// Returns the tags without markup and `#`. Of tags that differ only in case, the first one is kept.
pub fn normalize_tags(raw: &[SourceText]) -> Vec<String> {
    let mut seen = HashSet::new();
    let texts = raw.iter().map(|tag| html::single_line_text(&tag.plain(), MAX_TAG_CHARS));
    let clean = texts.map(|tag| tag.trim_start_matches('#').trim().to_owned());
    // The category of WordPress posts without a category.
    let named = clean.filter(|tag| !tag.is_empty() && !tag.eq_ignore_ascii_case("uncategorized"));
    named.filter(|tag| seen.insert(tag.to_lowercase())).take(MAX_TAGS).collect()
}

/// Normalizes a language tag as BCP 47 recommends: `en-us` becomes `en-US`. Returns `None` if it is not a language tag.
pub fn normalize_language(tag: &str) -> Option<String> {
    let tag = tag.trim().replace('_', "-");
    if tag.len() > 35 {
        return None;
    }
    let mut out = String::new();
    for (at, part) in tag.split('-').enumerate() {
        let letters = part.bytes().all(|b| b.is_ascii_alphabetic());
        let fits =
            if at == 0 { letters && (2..=3).contains(&part.len()) } else { (1..=8).contains(&part.len()) };
        if !fits || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        if at > 0 {
            out.push('-');
        }
        match (at, part.len(), letters) {
            (1.., 2, true) => out.push_str(&part.to_ascii_uppercase()),
            (1.., 4, true) => {
                let (first, rest) = part.split_at(1);
                out.push_str(&first.to_ascii_uppercase());
                out.push_str(&rest.to_ascii_lowercase());
            }
            _ => out.push_str(&part.to_ascii_lowercase()),
        }
    }
    (out != "und").then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_tags_are_normalized() {
        for (input, tag) in [
            ("en-us", "en-US"),
            ("DE", "de"),
            ("zh_hant_TW", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("en-GB-oxendict", "en-GB-oxendict"),
        ] {
            assert_eq!(normalize_language(input).as_deref(), Some(tag));
        }
        for input in ["", "english", "e", "und", "en-", "en us", "en-<b>"] {
            assert_eq!(normalize_language(input), None, "{input}");
        }
    }

    #[test]
    fn tags_are_plain_unique_and_limited() {
        let raw: Vec<SourceText> = ["#Horror", "horror", "Drama &amp; <b>Co</b>", "Uncategorized", " "]
            .map(|t| SourceText::Html(t.into()))
            .into();
        assert_eq!(normalize_tags(&raw), ["Horror", "Drama & Co"]);
        let many: Vec<SourceText> =
            (0..100).map(|n| SourceText::Plain(format!("{n}{}", "x".repeat(99)))).collect();
        assert_eq!(normalize_tags(&many).len(), MAX_TAGS);
        assert!(normalize_tags(&many).iter().all(|t| t.chars().count() <= MAX_TAG_CHARS));
    }

    #[test]
    fn a_summary_is_a_subtitle_only_if_it_adds_something() {
        let subtitle_from = |summary: &str| {
            subtitle(&SourceText::Html(summary.into()), "A Lift", "<p>The lift stops. Nobody speaks.</p>")
        };
        assert_eq!(subtitle_from("Two people, one <i>lift</i>").as_deref(), Some("Two people, one lift"));
        for same in
            ["The lift stops.", "a lift!", "", "Another start […]", "X. The post Y appeared first on Z."]
        {
            assert_eq!(subtitle_from(same), None, "{same}");
        }
        assert_eq!(subtitle_from(&"word ".repeat(200)), None);
    }
}
