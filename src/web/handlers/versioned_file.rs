//! Caching of files whose URL contains their version.

use axum::http::{HeaderMap, HeaderName, header};
use serde::Deserialize;

use crate::web::conditional::if_none_match_contains;

/// `Cache-Control` of files whose path contains a hash of their content.
pub(super) const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// The query `?v=VERSION`.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct VersionQuery {
    #[serde(default)]
    v: String,
}

/// A file with a version. The file at the URL with that version never changes. Any other URL returns the current file,
/// which must be revalidated: during an upgrade, two processes of different versions may serve the site.
#[derive(Debug)]
pub(super) struct VersionedFile<'a> {
    pub(super) version: &'a str,
    pub(super) content_type: &'static str,
}

impl VersionedFile<'_> {
    /// The header fields of a response with this file.
    pub(super) fn headers(&self, query: &VersionQuery) -> [(HeaderName, String); 3] {
        let caching = if query.v == self.version { IMMUTABLE } else { "no-cache" };
        [
            (header::CONTENT_TYPE, self.content_type.to_owned()),
            (header::CACHE_CONTROL, caching.to_owned()),
            (header::ETAG, self.etag()),
        ]
    }

    /// Whether the client already has this version.
    pub(super) fn is_unmodified(&self, headers: &HeaderMap) -> bool {
        if_none_match_contains(headers, self.etag().as_bytes())
    }

    fn etag(&self) -> String {
        format!("\"{}\"", self.version)
    }
}
