//! Makes the URLs of links absolute.

use url::Url;

/// The maximum size of a URL in bytes. Longer URLs are dropped.
pub(super) const MAX_URL_BYTES: usize = 2_000;

/// Resolves `href` against `base`, or returns `None` if it is not an HTTP URL. Control characters and spaces cannot
/// hide a scheme, since URLs are parsed as in browsers.
pub(in crate::sources) fn resolve_url(href: &str, base: Option<&Url>) -> Option<Url> {
    let url = match base {
        Some(base) => base.join(href.trim()),
        None => Url::parse(href.trim()),
    };
    let url = url.ok()?;
    let is_http = matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|h| !h.is_empty());
    let has_no_credentials = url.username().is_empty() && url.password().is_none();
    (is_http && has_no_credentials && url.as_str().len() <= MAX_URL_BYTES).then_some(url)
}
