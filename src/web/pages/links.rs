//! Renders links, and the paths of pages.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use url::Url;

use super::{Site, plain_text};
use crate::domain::browse_index;

/// A link to another site.
#[derive(Debug, Serialize)]
pub(super) struct ExternalLink {
    pub(super) href: String,
    pub(super) host: String,
}

impl ExternalLink {
    /// Returns `None` unless the URL is an HTTP or HTTPS URL: nothing else may become a link.
    pub(super) fn new(url: &Url) -> Option<Self> {
        let host = url.host_str().filter(|_| matches!(url.scheme(), "https" | "http"))?;
        Some(Self { href: url.to_string(), host: host.strip_prefix("www.").unwrap_or(host).to_owned() })
    }
}

/// A tag with a link to its page.
#[derive(Debug, Serialize)]
pub(super) struct TagLink {
    name: String,
    href: String,
}

/// The tags of a review. A tag with neither letter nor digit has no page and is left out.
pub(super) fn tag_links(site: &Site, tags: &[String]) -> Vec<TagLink> {
    tags.iter()
        .filter(|tag| !browse_index::browse_slug(tag).is_empty())
        .map(|tag| TagLink { name: plain_text::name(tag), href: url_path(&site.origin.tag_page(tag)) })
        .collect()
}

/// The path of the page with that slug.
pub(super) fn slug_path(folder: &str, slug: &str) -> String {
    format!("{folder}{}", utf8_percent_encode(slug, NOT_IN_PATHS))
}

/// A slug consists of letters of all scripts, digits, hyphens and full stops.
const NOT_IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.');

/// The path of one of our URLs, with query and fragment.
pub(super) fn url_path(url: &Url) -> String {
    url[url::Position::BeforePath..].to_owned()
}
