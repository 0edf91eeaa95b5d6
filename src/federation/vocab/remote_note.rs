//! Posts on other servers: Notes, and other types of objects that can be a reply.

use serde_json::Value;
use url::Url;

use super::audience::Audience;
use super::convert_text::{escape_html, truncate_bytes};
use super::json_document::{first_string, reference_id, type_name, values};
use super::json_members::{page_url, single_line_member, timestamp_member};
use super::parse_error::ParseError;
use super::url_rules::{UrlRules, same_origin};
use crate::domain::comment::{Attachment, AttachmentKind};
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

/// The most attachments of a post that are read. Mastodon allows 4 of them, Pixelfed 20.
const MAX_ATTACHMENTS: usize = 20;
/// The longest description of an attachment in characters. Mastodon allows as many.
const MAX_DESCRIPTION_CHARS: usize = 1_500;

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
    /// The files that are attached.
    pub attachments: Vec<Attachment>,
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
            attachments: values(value, "attachment")
                .iter()
                .take(MAX_ATTACHMENTS)
                .filter_map(|attached| attachment(attached, rules))
                .collect(),
            url: page_url(value, rules),
            published: timestamp_member(value, "published"),
            updated: timestamp_member(value, "updated"),
            is_public: audience.or(outer).is_public,
            id,
        })
    }

    /// Whether this is a vote in a poll, given the content that readers would see: a vote has a name and no content.
    pub const fn is_poll_vote(&self, visible_content: &str) -> bool {
        self.name.is_some() && visible_content.is_empty() && self.attachments.is_empty()
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

/// Parses an attached file. Other attachments, such as links and the fields of a profile, are ignored.
fn attachment(value: &Value, rules: UrlRules) -> Option<Attachment> {
    let media_type = first_string(value, "mediaType").unwrap_or_default();
    let kind = match (type_name(value)?, media_type.split('/').next().unwrap_or_default()) {
        ("Image", _) | ("Document", "image") => AttachmentKind::Image,
        ("Video", _) | ("Document", "video") => AttachmentKind::Video,
        ("Audio", _) | ("Document", "audio") => AttachmentKind::Audio,
        ("Document", _) => AttachmentKind::File,
        _ => return None,
    };
    let url = values(value, "url").iter().take(32).find_map(|link| {
        let url = link.as_str().or_else(|| first_string(link, "href"))?;
        rules.parse_page_url(url)
    });
    let description = ["name", "summary"]
        .into_iter()
        .filter_map(|key| single_line_member(value, key, MAX_DESCRIPTION_CHARS))
        .find(|text| !is_file_name(text));
    Some(Attachment { kind, url, description })
}

/// Whether a text is the name of a file, which Pleroma sends instead of a description.
fn is_file_name(text: &str) -> bool {
    let ending = text.rsplit_once('.').map_or("", |(_, ending)| ending);
    (3..=4).contains(&ending.len())
        && ending.bytes().all(|b| b.is_ascii_alphanumeric())
        && !text.contains(char::is_whitespace)
}

/// Returns the tag if it has the form of BCP 47. `und` counts as none.
fn language(tag: &str) -> Option<String> {
    let is_tag = (2..=35).contains(&tag.len())
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && tag != "und";
    is_tag.then(|| tag.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attachments_are_read_with_their_descriptions() {
        let attached = |attachment: Value| {
            let note = json!({"id": "https://m.example/notes/1", "type": "Note", "attachment": attachment});
            RemoteNote::parse(&note, UrlRules::STRICT, None).unwrap().attachments
        };
        let file = |kind, at: &str, description: Option<&str>| Attachment {
            kind,
            url: at.parse().ok(),
            description: description.map(str::to_owned),
        };
        let cat = "https://m.example/media/cat.png";
        for (attachment, expected) in [
            (
                json!([{"type": "Document", "mediaType": "image/png", "url": cat, "name": "A cat\nasleep"}]),
                vec![file(AttachmentKind::Image, cat, Some("A cat asleep"))],
            ),
            (
                json!({"type": "Image", "url": [{"type": "Link", "href": cat}], "name": null, "summary": "A cat"}),
                vec![file(AttachmentKind::Image, cat, Some("A cat"))],
            ),
            (
                json!([{"type": "Video", "url": cat, "name": "VID_20261130.mp4"}, {"type": "Document", "url": cat}]),
                vec![file(AttachmentKind::Video, cat, None), file(AttachmentKind::File, cat, None)],
            ),
            (
                json!([{"type": "Document", "mediaType": "audio/ogg", "url": cat}]),
                vec![file(AttachmentKind::Audio, cat, None)],
            ),
            (
                json!([{"type": "PropertyValue", "name": "Site"}, {"type": "Link", "href": cat}, "x", null]),
                vec![],
            ),
        ] {
            assert_eq!(attached(attachment.clone()), expected, "{attachment}");
        }
        let script = attached(json!([{"type": "Image", "url": "javascript:alert(1)"}]));
        assert_eq!(script, [Attachment { kind: AttachmentKind::Image, url: None, description: None }]);
        let many =
            attached(json!(vec![json!({"type": "Image", "url": cat, "name": "x ".repeat(9_000)}); 90]));
        assert_eq!(many.len(), 20);
        assert!(
            many.iter().all(|a| a.description.as_ref().is_some_and(|text| text.chars().count() <= 1_500))
        );
    }
}
