//! The URLs of images.

use url::Url;

use super::resolve_urls::{MAX_URL_BYTES, resolve_url};

/// Parts of the URLs of emoji, avatars and tracking pixels, which do not belong to a review.
const IGNORED_URL_PARTS: [&str; 7] =
    ["/emoji/", "gravatar.com/", "/~r/", "/~ff/", "pixel.", "stats.wordpress.com", "s.w.org/images/core/"];

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
