//! What others write: a Note, or anything else that can be a reply.

use serde_json::Value;
use url::Url;

use super::AS_CONTEXT;
use super::json_document::{first_string, reference_id, values};
use super::remote_activity::{Audience, ParseError};
use super::text::{escape_html, shorten, truncate_bytes};
use super::url_rules::{UrlRules, same_origin};
use crate::domain::text::single_line;
use crate::domain::time::Timestamp;

/// Types that can be a reply or a post (ActivityStreams vocabulary, section 3.3, and what
/// writers about books send).
const KINDS: [&str; 12] = [
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

/// More of a post is not kept, in bytes.
const MOST_CONTENT: usize = 100_000;

/// A post of somebody else. Its texts are as they came, bounded: `content` is HTML that nobody has cleaned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteNote {
    /// Its id.
    pub id: Url,
    /// Who wrote it: the first who is named, if that is somebody on the post's own server.
    pub attributed_to: Option<Url>,
    /// What it answers.
    pub in_reply_to: Option<Url>,
    /// Its title, plain text. A vote in a poll has a name and no content.
    pub name: Option<String>,
    /// What it says, as raw HTML. Empty where it says nothing.
    pub content: String,
    /// BCP 47 tag of the language: the first key of `contentMap`.
    pub language: Option<String>,
    /// Its content warning, plain text.
    pub summary: Option<String>,
    /// The page where it can be read.
    pub url: Option<Url>,
    /// When it was written, as its author says.
    pub published: Option<Timestamp>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
    /// Whether it is addressed to everyone.
    pub is_public: bool,
}

impl RemoteNote {
    /// Whether a type is that of a post.
    pub(super) fn is_note_type(kind: &str) -> bool {
        KINDS.contains(&kind)
    }

    /// Reads a post. `around` is the audience of the activity that carries it: what holds where the post has
    /// none of its own.
    pub(super) fn read(value: &Value, rules: UrlRules, around: Option<Audience>) -> Result<Self, ParseError> {
        let id = first_string(value, "id").ok_or(ParseError::Missing("object.id"))?;
        let id = rules.parse_id(id).ok_or(ParseError::NotAnId("object.id"))?;
        let own = Audience::read(value);
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
            is_public: own.or(around).is_public,
            id,
        })
    }

    /// Whether `actor` may speak for the post: it is on the actor's server, and theirs or nobody's.
    pub(super) fn may_come_from(&self, value: &Value, actor: &Url, rules: UrlRules) -> bool {
        let mut authors = authors(value, rules).peekable();
        same_origin(&self.id, actor) && (authors.peek().is_none() || authors.any(|author| author == *actor))
    }
}

/// Everyone to whom it is attributed: an id, an object with one, or a list of both. At most eight.
pub(super) fn authors(value: &Value, rules: UrlRules) -> impl Iterator<Item = Url> {
    values(value, "attributedTo")
        .iter()
        .take(8)
        .filter_map(reference_id)
        .filter_map(move |id| rules.parse_id(id))
}

/// The content as HTML and its language. Some servers send `content: null` beside a `contentMap`.
fn content(value: &Value) -> (String, Option<String>) {
    let first = value
        .get("contentMap")
        .and_then(Value::as_object)
        .and_then(|map| map.iter().find_map(|(key, text)| Some((key, text.as_str()?))));
    let raw = first_string(value, "content")
        .filter(|text| !text.is_empty())
        .or(first.map(|(_, text)| text))
        .unwrap_or_default();
    let raw = truncate_bytes(raw, MOST_CONTENT);
    let is_html = first_string(value, "mediaType").is_none_or(|kind| kind.starts_with("text/html"));
    let html = if is_html { raw.to_owned() } else { escape_html(raw) };
    (html, first.and_then(|(key, _)| language(key)))
}

/// The tag as BCP 47 where it has that form; `und` says nothing.
fn language(tag: &str) -> Option<String> {
    let is_tag = (2..=35).contains(&tag.len())
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && tag != "und";
    is_tag.then(|| tag.to_owned())
}

/// A member as one short line of plain text; none where it is empty.
pub(super) fn single_line_member(value: &Value, key: &str, most: usize) -> Option<String> {
    let raw = first_string(value, key)?;
    let line = shorten(&single_line(truncate_bytes(raw, most * 8)), most);
    (!line.is_empty()).then_some(line)
}

/// A member as a moment.
pub(super) fn timestamp_member(value: &Value, key: &str) -> Option<Timestamp> {
    first_string(value, key).and_then(Timestamp::parse_rfc3339)
}

/// The page of an object: its `url` is a text, a Link, or a list of both; the first that is HTML, or does not
/// say what it is.
pub(super) fn page_url(value: &Value, rules: UrlRules) -> Option<Url> {
    values(value, "url").iter().take(32).find_map(|link| {
        let kind = first_string(link, "mediaType").unwrap_or("text/html");
        let address = link.as_str().or_else(|| first_string(link, "href"))?;
        kind.starts_with("text/html").then(|| rules.parse_page_url(address))?
    })
}

impl Audience {
    /// Reads `to`, `cc` and `audience`.
    pub(super) fn read(value: &Value) -> Self {
        const MEMBERS: [&str; 3] = ["to", "cc", "audience"];
        let mut named = MEMBERS.into_iter().flat_map(|key| values(value, key)).filter_map(reference_id);
        let is_public =
            |id: &str| id.strip_prefix(AS_CONTEXT) == Some("#Public") || matches!(id, "as:Public" | "Public");
        Self {
            is_stated: MEMBERS.iter().any(|key| value.get(key).is_some()),
            is_public: named.any(is_public),
        }
    }

    fn or(self, other: Option<Self>) -> Self {
        other.filter(|_| !self.is_stated).unwrap_or(self)
    }
}
