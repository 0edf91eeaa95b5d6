//! Accessors for members that activities, posts and actors have in common.

use serde_json::Value;
use url::Url;

use super::convert_text::{shorten, truncate_bytes};
use super::json_document::{first_string, reference_id, values};
use super::url_rules::UrlRules;
use crate::domain::sanitize_text::single_line;
use crate::domain::time::Timestamp;

/// Returns the first id among the values of a member.
pub(super) fn id_member(value: &Value, key: &str, rules: UrlRules) -> Option<Url> {
    let id = values(value, key).iter().find_map(reference_id)?;
    rules.parse_id(id)
}

/// Returns a member as one line of plain text with at most `max` characters, or `None` if it is empty.
pub(super) fn single_line_member(value: &Value, key: &str, max: usize) -> Option<String> {
    let raw = first_string(value, key)?;
    let line = shorten(&single_line(truncate_bytes(raw, max * 8)), max);
    (!line.is_empty()).then_some(line)
}

/// Parses a member as a timestamp.
pub(super) fn timestamp_member(value: &Value, key: &str) -> Option<Timestamp> {
    first_string(value, key).and_then(Timestamp::parse_rfc3339)
}

/// Returns the URL of an object's page. Its `url` is a string, a Link, or a list of both; the first with the media
/// type HTML, or with none, counts.
pub(super) fn page_url(value: &Value, rules: UrlRules) -> Option<Url> {
    values(value, "url").iter().take(32).find_map(|link| {
        let media_type = first_string(link, "mediaType").unwrap_or("text/html");
        let url = link.as_str().or_else(|| first_string(link, "href"))?;
        media_type.starts_with("text/html").then(|| rules.parse_page_url(url))?
    })
}
