//! What a format says about a review, in whatever form, becomes a draft: safe, bounded, with its credits
//! read. Every format ends here.

use std::collections::HashSet;

use url::Url;

use super::{credits, html};
use crate::domain::review::{Poster, ReviewContent};
use crate::domain::time::Timestamp;

/// Characters of a headline.
pub const MAX_TITLE_CHARS: usize = 300;
/// Characters of the line below a headline.
pub const MAX_SUBTITLE_CHARS: usize = 500;
/// Tags of one review, and characters of one of them.
pub const MAX_TAGS: (usize, usize) = (30, 60);
/// A headline that we have to make from the text.
const MADE_TITLE: usize = 80;

/// A text as a format carries it.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceText {
    /// HTML, not yet safe.
    Html(String),
    /// Plain text, in which `<` means itself.
    Plain(String),
}

impl SourceText {
    fn plain(&self) -> String {
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

    fn is_blank(&self) -> bool {
        let (Self::Html(text) | Self::Plain(text)) = self;
        text.trim().is_empty()
    }
}

/// What a format says about one review.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReviewParts {
    /// The headline.
    pub title: Option<SourceText>,
    /// The body.
    pub body: Option<SourceText>,
    /// A summary beside the body: a subtitle, or only the body's beginning.
    pub summary: Option<SourceText>,
    /// Tags, as HTML or plain text.
    pub tags: Vec<SourceText>,
    /// A language tag.
    pub language: Option<String>,
    /// Where it was published.
    pub link: Option<Url>,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// When it was changed.
    pub updated: Option<Timestamp>,
    /// Its picture, where the format names one.
    pub poster: Option<Poster>,
    /// A small picture, for want of another.
    pub thumbnail: Option<Poster>,
}

impl ReviewParts {
    /// The draft. Relative addresses are seen from `base`. None where there is neither headline nor text.
    pub fn into_content(self, base: &Url) -> Option<ReviewContent> {
        let (body, summary) = match (self.body.filter(|b| !b.is_blank()), self.summary) {
            (None, Some(summary)) => (Some(summary), None),
            parts => parts,
        };
        let raw = body.map(SourceText::into_html).unwrap_or_default();
        let poster = self.poster.or_else(|| html::first_image(&raw, base));
        let mut body = html::sanitize_review_body(&raw, base);
        if let Some(poster) = &poster {
            body = html::without_picture(&body, &poster.url);
        }
        let title =
            self.title.map(|t| html::single_line_text(&t.plain(), MAX_TITLE_CHARS)).unwrap_or_default();
        let subtitle = summary.and_then(|s| subtitle(&s, &title, &body));
        let read = credits::extract(&title, &body);
        let title = match (title.is_empty(), read.film.title.is_empty()) {
            (false, _) => title,
            (true, false) => read.film.title.clone(),
            (true, true) => html::single_line_text(&html::text_of(&html::parse(&read.body)), MADE_TITLE),
        };
        if title.is_empty() {
            return None;
        }
        let midnight = |day: jiff::civil::Date| {
            let at = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            Some(Timestamp::from_millis(at.timestamp().as_millisecond()))
        };
        Some(ReviewContent {
            title,
            subtitle,
            teaser: html::teaser(&read.body),
            body: read.body,
            film: read.film,
            rating: read.rating,
            tags: normalize_tags(&self.tags),
            language: self.language.as_deref().and_then(normalize_language),
            canonical_url: self.link,
            published: self.published.or_else(|| read.published.and_then(midnight)),
            updated: self.updated,
            poster: poster.or(self.thumbnail),
        })
    }
}

/// A summary is a subtitle where it is short and says something else than the body's beginning.
fn subtitle(summary: &SourceText, title: &str, body: &str) -> Option<String> {
    let text = html::single_line_text(&summary.plain(), 2 * MAX_SUBTITLE_CHARS);
    let cut = ["…", "[...]", "[…]", "..."].iter().any(|end| text.ends_with(end));
    let appended = text.contains(" appeared first on ");
    let letters = |text: &str, most: usize| -> String {
        let kept = text.chars().filter(|c| c.is_alphanumeric()).take(most);
        kept.flat_map(char::to_lowercase).collect()
    };
    let own = letters(&text, usize::MAX);
    let start = letters(&html::text_of(&html::parse(body)), 4 * MAX_SUBTITLE_CHARS);
    let repeats = own.is_empty() || own == letters(title, usize::MAX) || start.contains(&own);
    (!cut && !appended && !repeats && text.chars().count() <= MAX_SUBTITLE_CHARS).then_some(text)
}

/// Tags without markup and `#`, each once, whatever its case.
pub fn normalize_tags(raw: &[SourceText]) -> Vec<String> {
    let mut seen = HashSet::new();
    let texts = raw.iter().map(|tag| html::single_line_text(&tag.plain(), MAX_TAGS.1));
    let clean = texts.map(|tag| tag.trim_start_matches('#').trim().to_owned());
    // The name that WordPress gives to having no category.
    let told = clean.filter(|tag| !tag.is_empty() && !tag.eq_ignore_ascii_case("uncategorized"));
    told.filter(|tag| seen.insert(tag.to_lowercase())).take(MAX_TAGS.0).collect()
}

/// A language tag in the form of BCP 47 (`en-us` becomes `en-US`); none where it is not one.
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
    fn language_tags_get_their_usual_form() {
        for (given, tag) in [
            ("en-us", "en-US"),
            ("DE", "de"),
            ("zh_hant_TW", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("en-GB-oxendict", "en-GB-oxendict"),
        ] {
            assert_eq!(normalize_language(given).as_deref(), Some(tag));
        }
        for given in ["", "english", "e", "und", "en-", "en us", "en-<b>"] {
            assert_eq!(normalize_language(given), None, "{given}");
        }
    }

    #[test]
    fn tags_are_plain_once_and_few() {
        let raw: Vec<SourceText> = ["#Horror", "horror", "Drama &amp; <b>Co</b>", "Uncategorized", " "]
            .map(|t| SourceText::Html(t.into()))
            .into();
        assert_eq!(normalize_tags(&raw), ["Horror", "Drama & Co"]);
        let many: Vec<SourceText> =
            (0..100).map(|n| SourceText::Plain(format!("{n}{}", "x".repeat(99)))).collect();
        assert_eq!(normalize_tags(&many).len(), MAX_TAGS.0);
        assert!(normalize_tags(&many).iter().all(|t| t.chars().count() <= MAX_TAGS.1));
    }

    #[test]
    fn a_summary_is_a_subtitle_only_if_it_adds_something() {
        let of = |summary: &str| {
            subtitle(&SourceText::Html(summary.into()), "A Lift", "<p>The lift stops. Nobody speaks.</p>")
        };
        assert_eq!(of("Two people, one <i>lift</i>").as_deref(), Some("Two people, one lift"));
        for same in
            ["The lift stops.", "a lift!", "", "Another start […]", "X. The post Y appeared first on Z."]
        {
            assert_eq!(of(same), None, "{same}");
        }
        assert_eq!(of(&"word ".repeat(200)), None);
    }
}
