//! Posts on other servers: Notes, and other types of objects that can be a reply.

use serde_json::Value;
use url::Url;

use super::audience::Audience;
use super::convert_text::{escape_html, truncate_bytes};
use super::json_document::{first_string, reference_id, values};
use super::json_members::{page_url, single_line_member, timestamp_member};
use super::parse_error::ParseError;
use super::url_rules::{UrlRules, same_origin};
use crate::domain::time::Timestamp;

/// The object types that can be a post or a reply (ActivityStreams vocabulary, section 3.3, and `BookWyrm`'s).
const NOTE_TYPES: [&str; 12] = [
    "Note",
    "Article",
    "Page",
    "Question",
    "Video",
    "Audio",
    "Image",
    "Event",
    "Document",
    "Comment",
    "Review",
    "Quotation",
];

/// The most content of a post that is kept, in bytes.
const MAX_CONTENT_BYTES: usize = 100_000;

/// A post on another server. Its texts are limited in length; `content` is HTML that is not sanitized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteNote {
    /// The id.
    pub id: Url,
    /// The author: the first in `attributedTo`, if it is on the post's own server.
    pub attributed_to: Option<Url>,
    /// The id of the object that it replies to.
    pub in_reply_to: Option<Url>,
    /// The title, as plain text. A vote in a poll has a name and no content.
    pub name: Option<String>,
    /// The content as HTML that is not sanitized. It may be empty.
    pub content: String,
    /// The language, as a BCP 47 tag: the first key of `contentMap`.
    pub language: Option<String>,
    /// The content warning, as plain text.
    pub summary: Option<String>,
    /// The URL of its page.
    pub url: Option<Url>,
    /// The time of publication according to the author.
    pub published: Option<Timestamp>,
    /// The time of the last edit.
    pub updated: Option<Timestamp>,
    /// Whether it is addressed to everyone.
    pub is_public: bool,
}

impl RemoteNote {
    /// Whether the type is that of a post.
    pub(super) fn is_note_type(type_name: &str) -> bool {
        NOTE_TYPES.contains(&type_name)
    }

    /// Parses a post. `outer` is the audience of the activity that contains it, which applies if the post states
    /// none.
    pub(super) fn parse(value: &Value, rules: UrlRules, outer: Option<Audience>) -> Result<Self, ParseError> {
        let id = first_string(value, "id").ok_or(ParseError::Missing("object.id"))?;
        let id = rules.parse_id(id).ok_or(ParseError::NotAnId("object.id"))?;
        let audience = Audience::parse(value);
        let (content, language) = content(value);
        Ok(Self {
            attributed_to: authors(value, rules).next().filter(|author| same_origin(author, &id)),
            in_reply_to: values(value, "inReplyTo")
                .iter()
                .find_map(reference_id)
                .and_then(|id| rules.parse_id(id)),
            name: single_line_member(value, "name", 300),
            content,
            language,
            summary: single_line_member(value, "summary", 500),
            url: page_url(value, rules),
            published: timestamp_member(value, "published"),
            updated: timestamp_member(value, "updated"),
            is_public: audience.or(outer).is_public,
            id,
        })
    }

    /// Whether this is a vote in a poll, given the content that readers would see: a vote has a name and no content.
    pub const fn is_poll_vote(&self, visible_content: &str) -> bool {
        self.name.is_some() && visible_content.is_empty()
    }

    /// Whether `actor` is authoritative for the post: the post is on the actor's server, and attributed to the
    /// actor or to nobody.
    pub(super) fn may_be_sent_by(&self, value: &Value, actor: &Url, rules: UrlRules) -> bool {
        let mut authors = authors(value, rules).peekable();
        same_origin(&self.id, actor) && (authors.peek().is_none() || authors.any(|author| author == *actor))
    }
}

/// Returns the ids in `attributedTo`, at most eight.
pub(super) fn authors(value: &Value, rules: UrlRules) -> impl Iterator<Item = Url> {
    values(value, "attributedTo")
        .iter()
        .take(8)
        .filter_map(reference_id)
        .filter_map(move |id| rules.parse_id(id))
}

/// Returns the content as HTML, and its language. Some servers send `content: null` with a `contentMap`.
fn content(value: &Value) -> (String, Option<String>) {
    let first = value
        .get("contentMap")
        .and_then(Value::as_object)
        .and_then(|map| map.iter().find_map(|(key, text)| Some((key, text.as_str()?))));
    let raw = first_string(value, "content")
        .filter(|text| !text.is_empty())
        .or(first.map(|(_, text)| text))
        .unwrap_or_default();
    let raw = truncate_bytes(raw, MAX_CONTENT_BYTES);
    let is_html = first_string(value, "mediaType").is_none_or(|kind| kind.starts_with("text/html"));
    let html = if is_html { raw.to_owned() } else { escape_html(raw) };
    (html, first.and_then(|(key, _)| language(key)))
}

/// Returns the tag if it has the form of BCP 47. `und` counts as none.
fn language(tag: &str) -> Option<String> {
    let is_tag = (2..=35).contains(&tag.len())
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && tag != "und";
    is_tag.then(|| tag.to_owned())
}
