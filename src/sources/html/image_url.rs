//! The URLs of images.

use url::Url;

use super::resolve_urls::{MAX_URL_BYTES, resolve_url};

/// Parts of the URLs of images that only count readers.
const TRACKERS: [&str; 11] = [
    "/~r/",
    "/~ff/",
    "/~4/",
    "//pixel.",
    "stats.wordpress.com",
    "medium.com/_/stat",
    "googleusercontent.com/tracker/",
    "feedads.g.doubleclick.net",
    "google-analytics.com",
    "scorecardresearch.com",
    "assoc-amazon.",
];
/// Parts of the URLs of emoji and avatars, which are no pictures of a review.
const ORNAMENTS: [&str; 4] = ["/emoji/", "/wpcom-smileys/", "gravatar.com/", "s.w.org/images/core/"];

/// Whether an image with this `src` only counts readers.
pub(super) fn is_tracker(src: &str) -> bool {
    TRACKERS.iter().any(|part| src.contains(part))
}

/// Whether a media type (RFC 2045 section 5.1: in any case) is that of an image, or `None` if it says nothing: it may be
/// `application/octet-stream`, or no media type at all. The bytes decide in the end.
pub(in crate::sources) fn is_image_type(media_type: &str) -> Option<bool> {
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (kind, subtype) = media_type.split_once('/')?;
    match kind {
        "image" => Some(true),
        "application" | "binary" if subtype.ends_with("octet-stream") => None,
        "application" | "audio" | "font" | "message" | "model" | "multipart" | "text" | "video" => {
            Some(false)
        }
        _ => None,
    }
}

/// Returns the URL of an image: an https URL, even if the source says http, or a file in the folder of a local feed.
pub(in crate::sources) fn image_url(src: &str, base: &Url) -> Option<Url> {
    let url = base.join(src.trim()).ok()?;
    let is_ornament = ORNAMENTS.iter().any(|part| url.as_str().contains(part));
    if is_ornament || is_tracker(url.as_str()) || url.as_str().len() > MAX_URL_BYTES {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_that_says_nothing_decides_nothing() {
        for (media_type, expected) in [
            ("image/jpeg", Some(true)),
            ("IMAGE/JPEG", Some(true)),
            (" Image/PNG; q=1", Some(true)),
            ("application/octet-stream", None),
            ("binary/octet-stream", None),
            ("", None),
            ("jpg", None),
            ("x/y", None),
            ("audio/mpeg", Some(false)),
            ("video/mp4", Some(false)),
            ("application/pdf", Some(false)),
            ("text/html; charset=utf-8", Some(false)),
        ] {
            assert_eq!(is_image_type(media_type), expected, "{media_type}");
        }
    }
}
