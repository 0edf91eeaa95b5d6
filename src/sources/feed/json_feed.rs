//! Parses JSON Feed 1.0 and 1.1. feed-rs 3.0 cannot be used for it, since it fails on a numeric id and drops the images
//! and languages of items.

use serde::Deserialize as _;
use serde_json::{Map, Value};
use url::Url;

use super::authors::author_names;
use super::entry_dates::SourceDates;
use super::entry_kind;
use super::json_repair::mend_json;
use super::next_page::PageHints;
use super::recording::recording;
use super::{EntryError, FeedError, FeedFormat, FeedHead, NamedEntry, ParsedEntry, ParsedFeed, excerpt};
use crate::domain::feed_entry::{EntryKind, EntrySource, ExcludedKind};
use crate::domain::review::Poster;
use crate::sources::html;
use crate::sources::review_content::{ReviewParts, SourceText};

/// Parses a document. An invalid item does not affect the others.
pub(super) fn parse(text: &str, base: &Url) -> Result<ParsedFeed, FeedError> {
    let document = read_object(text).or_else(|_| read_object(&mend_json(text)));
    let mut document = document.map_err(|e| {
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
        return Err(FeedError::TooManyEntries(super::MAX_ENTRIES));
    }
    let head = FeedHead {
        format: FeedFormat::Json,
        title: string(&document, "title"),
        language: string(&document, "language"),
        pages: PageHints { next: string(&document, "next_url"), ..PageHints::default() },
        authors: authors(&document),
        ..FeedHead::default()
    };
    document.retain(|key, _| matches!(key.as_str(), "version" | "title" | "language" | "author" | "authors"));
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

/// Reads the object at the beginning of a text. Hosters append scripts.
fn read_object(text: &str) -> serde_json::Result<Map<String, Value>> {
    Map::deserialize(&mut serde_json::Deserializer::from_str(text))
}

fn string(object: &Map<String, Value>, key: &str) -> Option<String> {
    match object.get(key)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn parse_item(item: Map<String, Value>, feed: &Map<String, Value>, base: &Url) -> ParsedEntry {
    let entry = read_item(&item, base);
    let mut source = feed.clone();
    source.insert("items".to_owned(), Value::Array(vec![Value::Object(item)]));
    let source = Value::Object(source).to_string();
    let hash = super::hash_of_large(&source);
    ParsedEntry { source: hash.map_or_else(|| EntrySource::Document(source), EntrySource::Hash), ..entry }
}

fn read_item(item: &Map<String, Value>, base: &Url) -> ParsedEntry {
    let guid = string(item, "id");
    let link = string(item, "url").or_else(|| guid.clone().filter(|id| id.starts_with("http")));
    let link = link.and_then(|link| html::resolve_url(&link, Some(base)));
    let entry_base = super::entry_base(link.as_ref(), base);
    let attachments = item.get("attachments").and_then(Value::as_array).into_iter().flatten();
    let recording = attachments.clone().find_map(|attachment| {
        let attachment = attachment.as_object()?;
        let (media_type, length) =
            (string(attachment, "mime_type"), string(attachment, "duration_in_seconds"));
        recording(&string(attachment, "url")?, media_type.as_deref(), length.as_deref(), &entry_base)
    });
    let attached = attachments.filter_map(|attachment| {
        let attachment = attachment.as_object()?;
        let url = string(attachment, "url")?;
        let typed = string(attachment, "mime_type").and_then(|kind| html::is_image_type(&kind));
        let path = url.split(['?', '#']).next().unwrap_or_default();
        typed.unwrap_or_else(|| html::has_image_ending(path)).then_some(url)
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
        recording,
        ..ReviewParts::default()
    };
    let dates = SourceDates {
        published: Vec::from_iter(string(item, "date_published")),
        updated: string(item, "date_modified"),
    };
    ParsedEntry {
        guid,
        parts,
        base: entry_base,
        dates,
        excluded: excluded(item),
        kind: EntryKind::Post,
        is_exported: false,
        has_stored_text: false,
        source: EntrySource::Document(String::new()),
        authors: authors(item),
    }
}

/// Returns the names of the authors, or else their URLs: `authors` of version 1.1 or `author` of version 1.0.
fn authors(object: &Map<String, Value>) -> Vec<String> {
    let several = object.get("authors").and_then(Value::as_array).into_iter().flatten();
    let all = several.chain(object.get("author"));
    let names = all.filter_map(|author| match author {
        Value::Object(author) => string(author, "name").or_else(|| string(author, "url")),
        Value::String(name) => Some(name.clone()),
        _ => None,
    });
    author_names(names)
}

/// Objects of an item that are about the film: a status in them is not that of the post.
const FILM_OBJECTS: [&str; 6] = ["_film", "_movie", "_tmdb", "_imdb", "_letterboxd", "_trakt"];

/// Returns what an item is that says it is not public. The specification has no such members, but generators write those of
/// their own system, beside the others or in an object of their own such as `_meta`.
fn excluded(item: &Map<String, Value>) -> Option<ExcludedKind> {
    let is_own = |key: &str| key.starts_with('_') && !FILM_OBJECTS.contains(&key);
    let own = item.iter().filter(|(key, _)| is_own(key)).filter_map(|(_, value)| value.as_object());
    std::iter::once(item).chain(own).flatten().find_map(|(key, value)| stated_kind(key, value))
}

/// Returns what a member says that decides whether a post is public. Words that are unknown mean that it is not.
fn stated_kind(key: &str, value: &Value) -> Option<ExcludedKind> {
    let text = match value {
        Value::String(text) => text.trim().to_lowercase(),
        Value::Object(_) | Value::Array(_) => return None,
        value => value.to_string(),
    };
    let is_no = matches!(text.as_str(), "false" | "no" | "off" | "0" | "null" | "");
    let name: String = key.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect();
    match name.as_str() {
        "draft" | "isdraft" => (!is_no).then_some(ExcludedKind::Draft),
        // A date may have this name, too.
        "published" | "ispublished" => is_no.then_some(ExcludedKind::Draft),
        "private" | "isprivate" | "hidden" | "ishidden" | "unlisted" | "isunlisted" => {
            (!is_no).then_some(ExcludedKind::Private)
        }
        "public" | "ispublic" => {
            (!matches!(text.as_str(), "true" | "yes" | "on" | "1")).then_some(ExcludedKind::Private)
        }
        "password" | "passwordprotected" => (!is_no).then_some(ExcludedKind::Protected),
        "trashed" | "istrashed" | "deleted" | "isdeleted" => (!is_no).then_some(ExcludedKind::Trashed),
        "status" | "poststatus" => entry_kind::status_kind(&text),
        "visibility" => (text != "public").then_some(ExcludedKind::Private),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    #[test]
    fn an_item_is_public_unless_a_member_says_otherwise() {
        use ExcludedKind::*;
        for (members, kind) in [
            (r#""draft": true"#, Some(Draft)),
            (r#""draft": "yes""#, Some(Draft)),
            (r#""draft": 1"#, Some(Draft)),
            (r#""draft": "perhaps""#, Some(Draft)),
            (r#""draft": false"#, None),
            (r#""draft": "false""#, None),
            (r#""draft": null"#, None),
            (r#""isDraft": true"#, Some(Draft)),
            (r#""published": false"#, Some(Draft)),
            (r#""published": "no""#, Some(Draft)),
            (r#""published": null"#, Some(Draft)),
            (r#""published": true"#, None),
            (r#""published": "2024-10-18T09:30:00Z""#, None),
            (r#""private": true"#, Some(Private)),
            (r#""private": "true""#, Some(Private)),
            (r#""private": false"#, None),
            (r#""public": false"#, Some(Private)),
            (r#""public": true"#, None),
            (r#""hidden": true"#, Some(Private)),
            (r#""unlisted": true"#, Some(Private)),
            (r#""password": "sesame""#, Some(Protected)),
            (r#""password": """#, None),
            (r#""status": "draft""#, Some(Draft)),
            (r#""status": "embargoed""#, Some(UnknownStatus)),
            (r#""status": "published""#, None),
            (r#""visibility": "members""#, Some(Private)),
            (r#""visibility": "public""#, None),
            (r#""_meta": {"draft": true}"#, Some(Draft)),
            (r#""_meta": {"draft": false, "published": true}"#, None),
            (r#""_draft": true"#, Some(Draft)),
            (r#""_status": "private""#, Some(Private)),
            (r#""_microblog": {"post_status": "draft"}"#, Some(Draft)),
            (r#""_microblog": {"post_status": "published", "is_favorite": false}"#, None),
            (r#""_ghost": {"visibility": "paid"}"#, Some(Private)),
            (r#""_wp": {"post_status": "future"}"#, Some(Scheduled)),
            (r#""_blog": {"status": "embargoed"}"#, Some(UnknownStatus)),
            (r#""_film": {"status": "released", "hidden": true}"#, None),
            (r#""tags": ["draft"], "summary": "private""#, None),
        ] {
            let document = read(&format!(
                r#"{{"version": "https://jsonfeed.org/version/1.1", "items": [
                    {{"id": "1", "title": "A", "content_text": "Salt", {members}}}]}}"#
            ));
            let (read, excluded) =
                (document.entries.len(), document.excluded.first().map(|entry| entry.kind));
            assert_eq!((read, excluded), (usize::from(kind.is_none()), kind), "{members}");
        }
    }
}
