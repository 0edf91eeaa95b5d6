//! URLs of links and images.

use url::Url;

/// The maximum size of a URL in bytes. Longer URLs are dropped.
pub(super) const MAX_URL_BYTES: usize = 2_000;
/// Parts of the URLs of emoji, avatars and tracking pixels, which do not belong to a review.
const IGNORED_URL_PARTS: [&str; 7] =
    ["/emoji/", "gravatar.com/", "/~r/", "/~ff/", "pixel.", "stats.wordpress.com", "s.w.org/images/core/"];

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

/// Returns the URL of an image: an https URL, even if the source says http, or a file in the folder of a local feed.
pub(in crate::sources) fn image_url(src: &str, base: &Url) -> Option<Url> {
    let url = base.join(src.trim()).ok()?;
    if IGNORED_URL_PARTS.iter().any(|part| url.as_str().contains(part)) || url.as_str().len() > MAX_URL_BYTES
    {
        return None;
    }
    if url.scheme() == "file" {
        let folder = base.join(".").ok()?;
        // The URL parser does not decode `%2e%2e` and `%2f`, but opening the file does.
        let has_no_escapes = !url.path().to_ascii_lowercase().contains("%2e")
            && !url.path().to_ascii_lowercase().contains("%2f");
        let is_local = base.scheme() == "file" && url.host_str().is_none();
        return (is_local && has_no_escapes && url.path().starts_with(folder.path())).then_some(url);
    }
    let mut url = resolve_url(url.as_str(), None)?;
    if url.scheme() == "http" && url.port().is_none() {
        url.set_scheme("https").ok()?;
    }
    Some(url)
}
