//! Parses JSON Feed 1.0 and 1.1. feed-rs 3.0 cannot be used for it, since it fails on a numeric id and drops the images
//! and languages of items.

use serde_json::{Map, Value};
use url::Url;

use super::entry_dates::SourceDates;
use super::next_page::PageHints;
use super::{EntryError, FeedError, FeedHead, NamedEntry, ParsedEntry, ParsedFeed, excerpt};
use crate::domain::review::Poster;
use crate::sources::html;
use crate::sources::review_content::{ReviewParts, SourceText};

/// Parses a document. An invalid item does not affect the others.
pub(super) fn parse(text: &str, base: &Url) -> Result<ParsedFeed, FeedError> {
    let mut document: Map<String, Value> = serde_json::from_str(text).map_err(|e| {
        if e.is_eof() {
            FeedError::Truncated("{".into())
        } else {
            FeedError::Malformed(format!("invalid JSON in line {}", e.line()))
        }
    })?;
    let version = document.get("version").and_then(Value::as_str).unwrap_or_default();
    if !version.contains("jsonfeed.org/version/1") {
        return Err(FeedError::NotAFeed);
    }
    let Some(Value::Array(items)) = document.remove("items") else {
        return Err(FeedError::NotAFeed);
    };
    if items.len() > super::MAX_ENTRIES {
        return Err(FeedError::TooManyEntries);
    }
    let head = FeedHead {
        title: string(&document, "title"),
        language: string(&document, "language"),
        pages: PageHints { next: string(&document, "next_url"), ..PageHints::default() },
    };
    document.retain(|key, _| matches!(key.as_str(), "version" | "title" | "language"));
    let items = items.into_iter().map(|item| match item {
        Value::Object(item) => {
            let name = ["title", "url", "id"].into_iter().find_map(|key| string(&item, key));
            NamedEntry {
                name: name.map(|name| excerpt(&name)),
                parsed: Ok(parse_item(item, &document, base)),
            }
        }
        _ => NamedEntry { name: None, parsed: Err(EntryError::NotAnObject) },
    });
    Ok((head, items.collect()))
}

fn string(object: &Map<String, Value>, key: &str) -> Option<String> {
    match object.get(key)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn parse_item(item: Map<String, Value>, feed: &Map<String, Value>, base: &Url) -> ParsedEntry {
    let (guid, parts, entry_base, dates) = read_item(&item, base);
    let mut source = feed.clone();
    source.insert("items".to_owned(), Value::Array(vec![Value::Object(item)]));
    ParsedEntry { guid, parts, base: entry_base, dates, source: Value::Object(source).to_string() }
}

fn read_item(item: &Map<String, Value>, base: &Url) -> (Option<String>, ReviewParts, Url, SourceDates) {
    let guid = string(item, "id");
    let link = string(item, "url").or_else(|| guid.clone().filter(|id| id.starts_with("http")));
    let link = link.and_then(|link| html::resolve_url(&link, Some(base)));
    let entry_base = super::entry_base(link.as_ref(), base);
    let attachments = item.get("attachments").and_then(Value::as_array).into_iter().flatten();
    let attached = attachments.filter_map(|attachment| {
        let attachment = attachment.as_object()?;
        let is_image =
            string(attachment, "mime_type").is_some_and(|t| t.to_ascii_lowercase().starts_with("image/"));
        string(attachment, "url").filter(|_| is_image)
    });
    let named = [string(item, "image"), string(item, "banner_image")].into_iter().flatten();
    let poster = named.chain(attached).find_map(|src| html::image_url(&src, &entry_base));
    let content = string(item, "content_html").map(SourceText::Html);
    let tags = item.get("tags").and_then(Value::as_array).into_iter().flatten();
    let parts = ReviewParts {
        title: string(item, "title").map(SourceText::Plain),
        body: content.or_else(|| string(item, "content_text").map(SourceText::Plain)),
        summary: string(item, "summary").map(SourceText::Plain),
        tags: tags.filter_map(Value::as_str).map(|tag| SourceText::Plain(tag.to_owned())).collect(),
        language: string(item, "language"),
        link,
        poster: poster.map(|url| Poster { url, alt: None }),
        ..ReviewParts::default()
    };
    let dates =
        SourceDates { published: string(item, "date_published"), updated: string(item, "date_modified") };
    (guid, parts, entry_base, dates)
}
