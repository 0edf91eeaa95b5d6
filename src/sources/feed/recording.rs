//! The sound or video of an entry: an enclosure, or a medium of Media RSS.

use url::Url;

use super::entry_document::{EntryDocument, MediaElement};
use super::members::Members;
use crate::domain::recording::Recording;
use crate::sources::html;
use crate::sources::review_content::SourceText;

/// Suffixes of files and their media types, for enclosures whose type says nothing.
const SUFFIXES: [(&str, &str); 10] = [
    (".mp3", "audio/mpeg"),
    (".m4a", "audio/mp4"),
    (".aac", "audio/aac"),
    (".ogg", "audio/ogg"),
    (".oga", "audio/ogg"),
    (".opus", "audio/ogg"),
    (".wav", "audio/wav"),
    (".mp4", "video/mp4"),
    (".m4v", "video/mp4"),
    (".webm", "video/webm"),
];
/// The maximum length of a media type in bytes.
const MAX_TYPE_BYTES: usize = 50;
/// The longest recording whose length is believed: a week, in seconds.
const MAX_SECONDS: u32 = 7 * 24 * 60 * 60;

/// Returns the recording of an entry. Enclosures go first.
pub(super) fn of_entry(document: &EntryDocument, base: &Url) -> Option<Recording> {
    let enclosures = document.media.iter().filter(|media| media.name == "enclosure");
    let contents = document.media.iter().filter(|media| media.name == "content");
    enclosures.chain(contents).find_map(|media| {
        let seconds = document.members.text("itunes:duration").or_else(|| media.attribute("duration"));
        recording(media_url(media)?, media.attribute("type"), seconds, base)
    })
}

fn media_url(media: &MediaElement) -> Option<&str> {
    media.attribute("url").or_else(|| media.attribute("href"))
}

/// Returns the recording with that URL, type and length, unless it is something else, such as an image.
pub(super) fn recording(
    url: &str,
    media_type: Option<&str>,
    duration: Option<&str>,
    base: &Url,
) -> Option<Recording> {
    let url =
        html::resolve_url(url.trim(), Some(base)).filter(|url| matches!(url.scheme(), "https" | "http"))?;
    let stated =
        media_type.map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let is_clear = |text: &String| {
        text.len() <= MAX_TYPE_BYTES && text.contains('/') && !text.ends_with("/octet-stream")
    };
    let media_type = if let Some(stated) = stated.filter(is_clear) {
        stated
    } else {
        let path = url.path().to_lowercase();
        SUFFIXES.iter().find(|(suffix, _)| path.ends_with(suffix))?.1.to_owned()
    };
    let is_recording = media_type.starts_with("audio/") || media_type.starts_with("video/");
    is_recording.then(|| Recording { url, media_type, seconds: duration.and_then(seconds) })
}

/// Parses a length: seconds, `MM:SS` or `HH:MM:SS`.
fn seconds(text: &str) -> Option<u32> {
    let text = text.trim();
    let text = text.split_once('.').map_or(text, |(whole, _)| whole);
    let parts = text.split(':').map(|part| part.parse::<u32>().ok()).collect::<Option<Vec<u32>>>()?;
    if parts.len() > 3 || parts.iter().skip(1).any(|part| *part >= 60) {
        return None;
    }
    let total = parts.iter().try_fold(0_u32, |total, part| total.checked_mul(60)?.checked_add(*part))?;
    (1..=MAX_SECONDS).contains(&total).then_some(total)
}

/// Returns the notes of an episode that has no other text.
pub(super) fn notes(members: &Members) -> Option<SourceText> {
    let paths = [
        "itunes:summary",
        "itunes:subtitle",
        "media:description",
        "media:group/media:description",
        "media:content/media:description",
    ];
    let text = paths.into_iter().find_map(|path| members.text(path))?;
    let is_html = text.contains("</") || text.contains("<br") || text.contains("<p>");
    Some(if is_html { SourceText::Html(text.to_owned()) } else { SourceText::Plain(text.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_in_all_their_forms() {
        for (text, expected) in [
            ("3000", Some(3000)),
            ("50:00", Some(3000)),
            ("1:02:03", Some(3723)),
            ("00:00:07", Some(7)),
            ("90:00", Some(5400)),
            ("3000.5", Some(3000)),
            (" 12 ", Some(12)),
            ("0", None),
            ("1:75", None),
            ("1:2:3:4", None),
            ("an hour", None),
            ("-5", None),
            ("9999999999", None),
            ("1000000", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn sounds_and_videos_are_recordings() {
        let base = Url::parse("https://pod.example/feed.xml").unwrap();
        for (url, stated, expected) in [
            ("/11.mp3", Some("audio/mpeg"), Some("audio/mpeg")),
            ("/11", Some("Audio/X-M4A; q=1"), Some("audio/x-m4a")),
            ("/11.mp3", Some("application/octet-stream"), Some("audio/mpeg")),
            ("/11.MP4?x=1", None, Some("video/mp4")),
            ("/11.opus", Some(""), Some("audio/ogg")),
            ("/11.jpg", Some("image/jpeg"), None),
            ("/11.pdf", Some("application/pdf"), None),
            ("/11", None, None),
            ("javascript:x.mp3", Some("audio/mpeg"), None),
        ] {
            let found = recording(url, stated, None, &base).map(|found| found.media_type);
            assert_eq!(found.as_deref(), expected, "{url} {stated:?}");
        }
    }
}
