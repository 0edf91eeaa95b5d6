//! Decodes the bytes of a feed.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::FeedError;

/// Returns the text of a document, and whether it contained bytes that are invalid in its encoding (they became U+FFFD).
/// The encoding is taken from the byte order mark or else from the XML declaration, and is UTF-8 otherwise.
pub(super) fn decode(bytes: &[u8]) -> Result<(String, bool), FeedError> {
    let encoding = match bytes {
        // Without a byte order mark, a zero byte next to `<` indicates UTF-16.
        [b'<', 0, ..] => UTF_16LE,
        [0, b'<', ..] => UTF_16BE,
        _ => declared(bytes)?.unwrap_or(UTF_8),
    };
    let (text, _, has_invalid_bytes) = encoding.decode(bytes);
    Ok((text.into_owned(), has_invalid_bytes))
}

fn declared(bytes: &[u8]) -> Result<Option<&'static Encoding>, FeedError> {
    let head = bytes.get(..bytes.len().min(512)).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let declaration = head.trim_start_matches('\u{FEFF}').trim_start();
    let Some(declaration) = declaration.strip_prefix("<?xml").and_then(|d| d.split("?>").next()) else {
        return Ok(None);
    };
    let Some((_, value)) = declaration.split_once("encoding") else {
        return Ok(None);
    };
    let label = value.trim_start().trim_start_matches('=').trim();
    let label = label.trim_matches(|c| matches!(c, '"' | '\''));
    let label = label.split(['"', '\'']).next().unwrap_or_default().trim();
    match Encoding::for_label(label.as_bytes()) {
        // A declaration that can be read as ASCII cannot be in UTF-16, even if it claims so.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok(Some(UTF_8)),
        Some(encoding) => Ok(Some(encoding)),
        None => Err(FeedError::Encoding(super::excerpt(label))),
    }
}
