//! Parses the entries of an RSS or Atom feed with feed-rs.

use feed_rs::model::{Entry, Link};
use feed_rs::parser::{self, Parser};
use url::Url;

use super::authors;
use super::entry_dates::SourceDates;
use super::entry_document::{EntryDocument, MediaElement, XmlFormat};
use super::entry_kind::{self, GOOGLE_KIND_SCHEME};
use super::json_ld;
use super::letterboxd;
use super::recording;
use super::split_entries::SplitFeed;
use super::{EntryError, FeedFormat, FeedHead, ParsedEntry};
use crate::domain::credit_evidence::CreditOrigin;
use crate::domain::feed_entry::{EntryKind, ExcludedKind};
use crate::domain::review::Poster;
use crate::sources::html;
use crate::sources::review_content::{ReviewParts, SourceText};

/// The maximum length of an alternative text in characters.
const MAX_ALT_CHARS: usize = 1_000;

/// feed-rs must not invent ids: by default it hashes the link, or generates a UUID.
fn parser(base: &Url) -> Parser {
    parser::Builder::new()
        .base_uri(Some(base))
        .id_generator(|_, _, _| String::new())
        .sanitize_content(false)
        .build()
}

/// Parses the title and language of a feed.
pub(super) fn parse_head(split: &SplitFeed, base: &Url) -> FeedHead {
    let feed = parser(base).parse(split.head.as_bytes()).ok();
    let title = feed.as_ref().and_then(|f| f.title.as_ref()).map(|t| html::plain_text(&t.content));
    let language = feed.and_then(|f| f.language).or_else(|| split.language.clone());
    FeedHead {
        format: match split.format {
            XmlFormat::Rss => FeedFormat::Rss,
            XmlFormat::Rdf => FeedFormat::Rdf,
            XmlFormat::Atom => FeedFormat::Atom,
        },
        title,
        language,
        pages: split.pages.clone(),
        is_export: entry_kind::is_export(&split.members),
        authors: authors::of_feed(&split.members),
        generator: split.members.text("generator").map(str::to_owned),
        truncated: split.truncated.clone(),
        has_more: split.has_more,
    }
}

/// Parses one entry of a feed of that format. `is_in_export` tells whether the feed is an export or a backup.
pub(super) fn parse_entry(
    document: &EntryDocument,
    format: XmlFormat,
    base: &Url,
    is_in_export: bool,
) -> Result<ParsedEntry, EntryError> {
    let feed = parser(base).parse(document.xml.as_bytes());
    let feed = feed.map_err(|e| EntryError::Invalid(html::single_line_text(&e.to_string(), 200)))?;
    let entry = feed.entries.into_iter().next().ok_or(EntryError::NoLink)?;
    Ok(convert(entry, document, format, base, is_in_export))
}

/// The elements that have the date of publication, the most usual one first.
const PUBLICATION_DATES: [&str; 5] = ["pubdate", "published", "issued", "date", "created"];

fn dates_of(document: &EntryDocument) -> SourceDates {
    let published = PUBLICATION_DATES.iter().filter_map(|name| document.date(&[name]));
    SourceDates {
        published: published.map(str::to_owned).collect(),
        updated: document.date(&["updated", "modified"]).map(str::to_owned),
    }
}

fn convert(
    entry: Entry,
    document: &EntryDocument,
    format: XmlFormat,
    base: &Url,
    is_in_export: bool,
) -> ParsedEntry {
    let guid = Some(entry.id.trim().to_owned()).filter(|id| !id.is_empty());
    let guid = guid.or_else(|| document.about.clone()).map(|id| html::single_line_text(&id, 2_000));
    let permalink = guid.clone().filter(|id| document.is_permalink && id.starts_with("http"));
    let original = document.members.text("feedburner:origLink").filter(|link| link.starts_with("http"));
    let link = original.map(str::to_owned).or_else(|| page_link(&entry.links)).or(permalink);
    let link = link.and_then(|href| html::resolve_url(&href, Some(base)));
    let stated = entry.base.as_deref().and_then(|b| base.join(b).ok());
    let entry_base = stated.unwrap_or_else(|| super::entry_base(link.as_ref(), base));

    // Atom marks plain text. In RSS, any text may be HTML.
    let text = |content: String, subtype: &str| match (format, subtype) {
        (XmlFormat::Atom, "plain") => SourceText::Plain(content),
        // feed-rs writes `<br/>` as `<br></br>`, which is two line breaks in HTML.
        (_, "xhtml") => SourceText::Html(content.replace("</br>", "")),
        _ => SourceText::Html(content),
    };
    let body = entry.content.and_then(|content| {
        let subtype = content.content_type.subty().to_string();
        content.body.map(|body| text(body, subtype.split('+').next().unwrap_or_default()))
    });
    let convert_text = |t: feed_rs::model::Text| {
        let subtype = t.content_type.subty().to_string();
        text(t.content, subtype.split('+').next().unwrap_or_default())
    };
    let (kinds, tags): (Vec<_>, Vec<_>) =
        entry.categories.into_iter().partition(|c| c.scheme.as_deref() == Some(GOOGLE_KIND_SCHEME));
    let google_kind = kinds.first().map(|kind| kind.term.as_str());
    let stated = entry_kind::stated_kind(&document.members, google_kind, is_in_export);
    let excluded = stated.excluded.or_else(|| {
        let is_comment = link.as_ref().is_some_and(entry_kind::is_comment_link);
        is_comment.then_some(ExcludedKind::Comment)
    });
    let mut parts = ReviewParts {
        title: entry.title.map(convert_text),
        body,
        summary: entry.summary.map(convert_text),
        tags: tags.into_iter().map(|c| SourceText::Html(c.label.unwrap_or(c.term))).collect(),
        language: document.language.clone().or(entry.language),
        link,
        poster: image(&document.media, &["content", "enclosure"], &entry_base)
            .or_else(|| image(&document.media, &["image"], &entry_base)),
        thumbnail: image(&document.media, &["thumbnail"], &entry_base),
        recording: recording::of_entry(document, &entry_base),
        ..ReviewParts::default()
    };
    let kind = read_structured_data(document, guid.as_deref(), &mut parts);
    ParsedEntry {
        guid,
        parts,
        base: entry_base,
        dates: dates_of(document),
        source: document.kept_source(),
        excluded,
        kind,
        is_exported: stated.is_exported,
        has_stored_text: document.members.has("wp:post_type"),
        authors: authors::of_entry(&document.members),
    }
}

/// Reads what an entry states apart from its headline and text. Returns what it is.
fn read_structured_data(document: &EntryDocument, guid: Option<&str>, parts: &mut ReviewParts) -> EntryKind {
    if [&parts.body, &parts.summary].into_iter().flatten().all(SourceText::is_blank) {
        parts.body = recording::notes(&document.members);
    }
    let review = [&parts.body, &parts.summary].into_iter().find_map(|text| match text {
        Some(SourceText::Html(html)) => json_ld::read_review(html),
        _ => None,
    });
    if let Some((film, rating)) = review {
        (parts.film, parts.rating, parts.film_origin) = (film, rating, Some(CreditOrigin::JsonLd));
    }
    letterboxd::read_members(&document.members, guid, parts).unwrap_or_default()
}

/// Returns the link to the entry's page.
fn page_link(links: &[Link]) -> Option<String> {
    let own = |l: &&Link| l.target.is_none() && l.rel.as_deref().is_none_or(|rel| rel == "alternate");
    let html = |l: &&Link| l.media_type.as_deref().is_none_or(|t| t.contains("html"));
    let found = links.iter().filter(own).find(html).or_else(|| links.iter().find(own));
    found.map(|l| l.href.trim().to_owned()).filter(|href| !href.is_empty())
}

fn image(media: &[MediaElement], elements: &[&str], base: &Url) -> Option<Poster> {
    let candidates = media.iter().filter(|m| elements.contains(&m.name.as_str()));
    let mut images = candidates.filter(|m| is_image(m)).filter_map(|m| {
        let src = m.attribute("url").or_else(|| m.attribute("href"))?;
        Some((area(m), html::image_url(src, base)?, m))
    });
    // Of the renditions of an image, the first of the largest.
    let first = images.next()?;
    let (_, url, medium) =
        images.fold(first, |largest, next| if next.0 > largest.0 { next } else { largest });
    Some(Poster { url, alt: alt_text(medium) })
}

/// Returns what a medium says about what it shows. A title of one word is the name of a file or of an account.
fn alt_text(medium: &MediaElement) -> Option<String> {
    ["description", "text", "title"].into_iter().find_map(|wanted| {
        let (_, text) = medium.texts.iter().find(|(name, _)| *name == wanted)?;
        let text = html::single_line_text(&html::plain_text(text), MAX_ALT_CHARS);
        let is_words = text.contains(' ') || (wanted == "description" && !html::has_image_ending(&text));
        (is_words && !text.is_empty()).then_some(text)
    })
}

fn area(media: &MediaElement) -> u64 {
    let side = |name| media.attribute(name).and_then(|v| v.parse::<u32>().ok()).map_or(0, u64::from);
    side("width") * side("height").max(1)
}

fn is_image(media: &MediaElement) -> bool {
    let size = |name| media.attribute(name).and_then(|v| v.parse::<u32>().ok());
    let is_small =
        [size("width"), size("height")].into_iter().flatten().any(|px| px < html::MIN_IMAGE_PIXELS);
    if matches!(media.name.as_str(), "thumbnail" | "image") {
        return media.name == "image" || !is_small;
    }
    let typed = media.attribute("type").and_then(html::is_image_type);
    let medium = media.attribute("medium").map(|medium| medium.eq_ignore_ascii_case("image"));
    let url = media.attribute("url").or_else(|| media.attribute("href")).unwrap_or_default();
    let has_image_suffix = html::has_image_ending(url.split(['?', '#']).next().unwrap_or_default());
    !is_small && typed.or(medium).unwrap_or(has_image_suffix)
}

#[cfg(test)]
mod tests {
    use super::super::{FeedDocument, tests};

    fn read(items: &str) -> FeedDocument {
        let text = format!("<rss version='2.0'><channel>{items}</channel></rss>");
        let text = text.replacen(
            "<rss ",
            "<rss xmlns:media='http://search.yahoo.com/mrss/' xmlns:feedburner='http://rssnamespace.org/feedburner/ext/1.0' ",
            1,
        );
        tests::read(&text)
    }

    #[test]
    fn an_address_behind_a_counter_is_shown_as_it_is() {
        let item = "<item><title>A</title><link>https://feedproxy.example/~r/row/~3/x/</link>\
            <feedburner:origLink>https://crit.example/a</feedburner:origLink><description>Salt</description></item>";
        let document = read(item);
        let content = &document.entries.first().unwrap().content;
        assert_eq!(content.canonical_url.as_ref().unwrap().as_str(), "https://crit.example/a");
    }

    #[test]
    fn the_largest_rendition_of_an_image_is_the_poster() {
        let medium = |name: &str, size: &str| {
            format!("<media:content url='https://i.example/{name}.jpg' medium='image' {size}/>")
        };
        for (media, expected) in [
            ([medium("s", "width='300' height='200'"), medium("l", "width='1200' height='800'")], "l"),
            ([medium("l", "width='1200'"), medium("s", "width='300'")], "l"),
            ([medium("first", ""), medium("second", "")], "first"),
        ] {
            let item = format!("<item><title>A</title><media:group>{}</media:group></item>", media.concat());
            let document = read(&item);
            let poster = document.entries.first().unwrap().content.poster.as_ref().unwrap();
            assert_eq!(poster.url.as_str(), format!("https://i.example/{expected}.jpg"));
        }
    }

    #[test]
    fn a_medium_says_what_it_shows() {
        for (inner, alt) in [
            (
                "<media:description type='plain'>A boat &amp;amp; a man</media:description>",
                Some("A boat & a man"),
            ),
            ("<media:title>IMG_0042</media:title>", None),
            (
                "<media:title>a boat</media:title><media:description>At sea</media:description>",
                Some("At sea"),
            ),
            ("<media:title type='html'>A &lt;b&gt;boat&lt;/b&gt;</media:title>", Some("A boat")),
            ("<media:text>Two oars</media:text>", Some("Two oars")),
            ("<media:description>b.jpg</media:description>", None),
            ("", None),
        ] {
            let medium = format!(
                "<media:content url='https://i.example/b.jpg' medium='image'>{inner}</media:content>"
            );
            for media in [medium.clone(), format!("<media:group>{medium}</media:group>")] {
                let document = read(&format!("<item><title>A</title>{media}</item>"));
                let poster = document.entries.first().unwrap().content.poster.clone().unwrap();
                assert_eq!(poster.alt.as_deref(), alt, "{media}");
            }
        }
    }

    #[test]
    fn the_language_of_the_text_beats_that_of_the_entry() {
        let text = "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='en'><entry xml:lang='fr'><title>A</title>\
            <id>1</id><link href='/a'/><content type='html' xml:lang='de'>Salz</content></entry></feed>";
        let document = tests::read(text);
        assert_eq!(document.entries.first().unwrap().content.language.as_deref(), Some("de"));
    }
}
