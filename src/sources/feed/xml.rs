//! One entry of RSS or Atom, as feed-rs reads it.

use feed_rs::model::{Entry, Link};
use feed_rs::parser::{self, Parser};
use url::Url;

use super::splitter::{Dialect, Media, Outline, Piece};
use super::{Found, Head};
use crate::domain::review::Poster;
use crate::domain::time::Timestamp;
use crate::sources::html;
use crate::sources::review_content::{ReviewParts, SourceText};

/// A feed has no id of its own invented: feed-rs would hash the link, or roll dice.
fn parser(base: &Url) -> Parser {
    parser::Builder::new()
        .base_uri(Some(base))
        .id_generator(|_, _, _| String::new())
        .sanitize_content(false)
        .build()
}

/// What a feed says about itself.
pub(super) fn head(outline: &Outline, base: &Url) -> Head {
    let feed = parser(base).parse(outline.head.as_bytes()).ok();
    let title = feed.as_ref().and_then(|f| f.title.as_ref()).map(|t| html::plain_text(&t.content));
    Head { title, language: feed.and_then(|f| f.language).or_else(|| outline.language.clone()) }
}

/// Reads one entry; what is wrong with it where that fails.
pub(super) fn found(piece: &Piece, dialect: Dialect, base: &Url) -> Result<Found, String> {
    let feed = parser(base).parse(piece.document.as_bytes());
    let feed = feed.map_err(|e| html::single_line_text(&e.to_string(), 200))?;
    let entry = feed.entries.into_iter().next().ok_or("it has no link")?;
    Ok(of_entry(entry, piece, dialect, base))
}

fn of_entry(entry: Entry, piece: &Piece, dialect: Dialect, base: &Url) -> Found {
    let guid = Some(entry.id.trim().to_owned()).filter(|id| !id.is_empty());
    let guid = guid.or_else(|| piece.about.clone()).map(|id| html::single_line_text(&id, 2_000));
    let permalink = guid.clone().filter(|id| piece.permalink && id.starts_with("http"));
    let link = address(&entry.links).or(permalink);
    let link = link.and_then(|href| html::resolve_url(&href, Some(base)));
    let stated = entry.base.as_deref().and_then(|b| base.join(b).ok());
    let seen_from = stated.unwrap_or_else(|| super::seen_from(link.as_ref(), base));

    // Atom says what is plain text; in RSS everything may be HTML.
    let text = |content: String, subtype: &str| match (dialect, subtype) {
        (Dialect::Atom, "plain") => SourceText::Plain(content),
        // feed-rs writes `<br/>` as `<br></br>`, which HTML reads as two.
        (_, "xhtml") => SourceText::Html(content.replace("</br>", "")),
        _ => SourceText::Html(content),
    };
    let body = entry.content.and_then(|content| {
        let subtype = content.content_type.subty().to_string();
        content.body.map(|body| text(body, subtype.split('+').next().unwrap_or_default()))
    });
    let of = |t: feed_rs::model::Text| {
        let subtype = t.content_type.subty().to_string();
        text(t.content, subtype.split('+').next().unwrap_or_default())
    };
    let time = |t: Option<i64>| t.filter(|ms| *ms >= 0).map(Timestamp::from_millis);
    let published = time(entry.published.map(|t| t.timestamp_millis()));
    let updated = time(entry.updated.map(|t| t.timestamp_millis()));
    // RSS knows no `updated`: feed-rs copies `pubDate`. Atom must have one, and it may be all there is.
    let updated_only = published.is_none().then_some(updated).flatten();
    let tags = entry
        .categories
        .into_iter()
        .filter(|c| c.scheme.as_deref() != Some("http://schemas.google.com/g/2005#kind"));
    let parts = ReviewParts {
        title: entry.title.map(of),
        body,
        summary: entry.summary.map(of),
        tags: tags.map(|c| SourceText::Html(c.label.unwrap_or(c.term))).collect(),
        language: entry.language.or_else(|| piece.language.clone()),
        link,
        published: published.or(updated_only),
        updated: updated.filter(|u| published.is_some_and(|p| *u != p)),
        poster: picture(&piece.media, &["content", "enclosure"], &seen_from)
            .or_else(|| picture(&piece.media, &["image"], &seen_from)),
        thumbnail: picture(&piece.media, &["thumbnail"], &seen_from),
    };
    Found { guid, parts, base: seen_from }
}

/// The entry's own address among its links.
fn address(links: &[Link]) -> Option<String> {
    let own = |l: &&Link| l.target.is_none() && l.rel.as_deref().is_none_or(|rel| rel == "alternate");
    let html = |l: &&Link| l.media_type.as_deref().is_none_or(|t| t.contains("html"));
    let found = links.iter().filter(own).find(html).or_else(|| links.iter().find(own));
    found.map(|l| l.href.trim().to_owned()).filter(|href| !href.is_empty())
}

fn picture(media: &[Media], elements: &[&str], base: &Url) -> Option<Poster> {
    let candidates = media.iter().filter(|m| elements.contains(&m.element.as_str()));
    candidates.filter(|m| is_picture(m)).find_map(|m| {
        let src = m.attribute("url").or_else(|| m.attribute("href"))?;
        html::picture_url(src, base).map(|url| Poster { url, alt: None })
    })
}

fn is_picture(media: &Media) -> bool {
    let size = |name| media.attribute(name).and_then(|v| v.parse::<u32>().ok());
    let small = [size("width"), size("height")].into_iter().flatten().any(|px| px < html::MIN_PICTURE_PIXELS);
    if matches!(media.element.as_str(), "thumbnail" | "image") {
        return media.element == "image" || !small;
    }
    let typed = media.attribute("type").map(|t| t.starts_with("image/"));
    let medium = media.attribute("medium").map(|m| m == "image");
    let url = media.attribute("url").unwrap_or_default().to_lowercase();
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let named = [".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif"].iter().any(|end| path.ends_with(end));
    !small && typed.or(medium).unwrap_or(named)
}
