//! What others write: a Note, or anything else that can be a reply.

use serde_json::Value;
use url::Url;

use super::CONTEXT;
use super::address::{Rules, same_origin};
use super::document::{each, reference, text};
use super::incoming::{Audience, ParseError};
use super::text::{cut, escape, shorten};
use crate::domain::text::one_line;
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
pub struct Note {
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

impl Note {
    /// Whether a type is that of a post.
    pub(super) fn is_kind(kind: &str) -> bool {
        KINDS.contains(&kind)
    }

    /// Reads a post. `around` is the audience of the activity that carries it: what holds where the post has
    /// none of its own.
    pub(super) fn read(value: &Value, rules: Rules, around: Option<Audience>) -> Result<Self, ParseError> {
        let id = text(value, "id").ok_or(ParseError::Missing("object.id"))?;
        let id = rules.id(id).ok_or(ParseError::NotAnId("object.id"))?;
        let own = Audience::read(value);
        let (content, language) = content(value);
        Ok(Self {
            attributed_to: authors(value, rules).next().filter(|author| same_origin(author, &id)),
            in_reply_to: each(value, "inReplyTo").iter().find_map(reference).and_then(|id| rules.id(id)),
            name: line(value, "name", 300),
            content,
            language,
            summary: line(value, "summary", 500),
            url: page(value, rules),
            published: moment(value, "published"),
            updated: moment(value, "updated"),
            is_public: own.or(around).is_public,
            id,
        })
    }

    /// Whether `actor` may speak for the post: it is on the actor's server, and theirs or nobody's.
    pub(super) fn may_come_from(&self, value: &Value, actor: &Url, rules: Rules) -> bool {
        let mut authors = authors(value, rules).peekable();
        same_origin(&self.id, actor) && (authors.peek().is_none() || authors.any(|author| author == *actor))
    }
}

/// Everyone to whom it is attributed: an id, an object with one, or a list of both. At most eight.
pub(super) fn authors(value: &Value, rules: Rules) -> impl Iterator<Item = Url> {
    each(value, "attributedTo").iter().take(8).filter_map(reference).filter_map(move |id| rules.id(id))
}

/// The content as HTML and its language. Some servers send `content: null` beside a `contentMap`.
fn content(value: &Value) -> (String, Option<String>) {
    let first = value
        .get("contentMap")
        .and_then(Value::as_object)
        .and_then(|map| map.iter().find_map(|(key, text)| Some((key, text.as_str()?))));
    let raw = text(value, "content")
        .filter(|text| !text.is_empty())
        .or(first.map(|(_, text)| text))
        .unwrap_or_default();
    let raw = cut(raw, MOST_CONTENT);
    let is_html = text(value, "mediaType").is_none_or(|kind| kind.starts_with("text/html"));
    let html = if is_html { raw.to_owned() } else { escape(raw) };
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
pub(super) fn line(value: &Value, key: &str, most: usize) -> Option<String> {
    let raw = text(value, key)?;
    let line = shorten(&one_line(cut(raw, most * 8)), most);
    (!line.is_empty()).then_some(line)
}

/// A member as a moment.
pub(super) fn moment(value: &Value, key: &str) -> Option<Timestamp> {
    text(value, key).and_then(Timestamp::parse_rfc3339)
}

/// The page of an object: its `url` is a text, a Link, or a list of both; the first that is HTML, or does not
/// say what it is.
pub(super) fn page(value: &Value, rules: Rules) -> Option<Url> {
    each(value, "url").iter().take(32).find_map(|link| {
        let kind = text(link, "mediaType").unwrap_or("text/html");
        let address = link.as_str().or_else(|| text(link, "href"))?;
        kind.starts_with("text/html").then(|| rules.page(address))?
    })
}

impl Audience {
    /// Reads `to`, `cc` and `audience`.
    pub(super) fn read(value: &Value) -> Self {
        const MEMBERS: [&str; 3] = ["to", "cc", "audience"];
        let mut named = MEMBERS.into_iter().flat_map(|key| each(value, key)).filter_map(reference);
        let is_public =
            |id: &str| id.strip_prefix(CONTEXT) == Some("#Public") || matches!(id, "as:Public" | "Public");
        Self {
            is_stated: MEMBERS.iter().any(|key| value.get(key).is_some()),
            is_public: named.any(is_public),
        }
    }

    fn or(self, other: Option<Self>) -> Self {
        other.filter(|_| !self.is_stated).unwrap_or(self)
    }
}
