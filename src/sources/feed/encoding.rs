//! Decodes the bytes of a feed.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Returns the text of a document. Its encoding is found in this order: a byte order mark; bytes that are UTF-8 and not only
/// ASCII; the `charset` of the HTTP header (RFC 7303 section 3.2); the XML declaration; and a detector, if the bytes are not
/// valid in what was declared. Every document has a text: bytes that are valid nowhere become U+FFFD. If the detector guessed the
/// encoding of anything outside ASCII, its name is returned, too.
pub(super) fn decode(bytes: &[u8], charset: Option<&str>) -> (String, Option<&'static str>) {
    if let Some(text) = decode_certain(bytes, charset) {
        return (text, None);
    }
    if is_mostly_utf_8(bytes) {
        return (decode_mixed(bytes), Some("UTF-8 mixed with windows-1252"));
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    let guessed = detector.guess(None, Utf8Detection::Deny);
    let text = guessed.decode_without_bom_handling(bytes).0.into_owned();
    let is_ascii = text.is_ascii();
    (text, (!is_ascii).then(|| guessed.name()))
}

/// Returns the text if its encoding need not be guessed.
fn decode_certain(bytes: &[u8], charset: Option<&str>) -> Option<String> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        let (text, _) = encoding.decode_without_bom_handling(&bytes[length..]);
        return Some(text.into_owned());
    }
    match bytes {
        // Without a byte order mark, a zero byte next to `<` indicates UTF-16.
        [b'<' | b'{', 0, ..] => return Some(UTF_16LE.decode_without_bom_handling(bytes).0.into_owned()),
        [0, b'<' | b'{', ..] => return Some(UTF_16BE.decode_without_bom_handling(bytes).0.into_owned()),
        _ => {}
    }
    if !bytes.is_ascii()
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return Some(text.to_owned());
    }
    let named = [charset.map(str::to_owned), declared(bytes)];
    for label in named.iter().flatten() {
        if let Some(encoding) = named_encoding(label)
            && let (text, false) = encoding.decode_without_bom_handling(bytes)
        {
            return Some(text.into_owned());
        }
    }
    None
}

/// Returns the encoding of a label. A text that can be read as ASCII is not in UTF-16, even if it claims so.
fn named_encoding(label: &str) -> Option<&'static Encoding> {
    let encoding = Encoding::for_label(label.trim().as_bytes())?;
    Some(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding })
}

/// Whether characters of UTF-8 prevail over bytes that are not valid in it.
fn is_mostly_utf_8(bytes: &[u8]) -> bool {
    let (mut valid, mut invalid) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        invalid += chunk.invalid().len();
    }
    valid > invalid
}

/// Decodes UTF-8 in which some bytes are of windows-1252, as in feeds that are made of several sources.
fn decode_mixed(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
    }
    text
}

/// Returns the label of the XML declaration.
fn declared(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..bytes.len().min(512)).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let declaration = head.trim_start().strip_prefix("<?xml")?.split("?>").next()?;
    let (_, value) = declaration.split_once("encoding")?;
    let label = value.trim_start().trim_start_matches('=').trim();
    let label = label.trim_matches(|c| matches!(c, '"' | '\''));
    Some(label.split(['"', '\'']).next().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse_as;

    #[test]
    fn the_encoding_is_found_by_evidence_before_it_is_believed() {
        let title = |bytes: &[u8], charset: Option<&str>| {
            let document = parse_as(bytes, charset).unwrap();
            assert_eq!(document.skipped, Vec::new());
            document.entries.first().unwrap().content.title.clone()
        };
        let document = |declared: &str| {
            let declaration = format!("<?xml version=\"1.0\" encoding=\"{declared}\"?>");
            format!(
                "{declaration}<rss version=\"2.0\"><channel><item><title>\u{c9}t\u{e9} \u{e0} la jet\u{e9}e</title></item></channel></rss>"
            )
        };
        let expected = "\u{c9}t\u{e9} \u{e0} la jet\u{e9}e";
        let latin = |declared: &str| encoding_rs::WINDOWS_1252.encode(&document(declared)).0.into_owned();
        // UTF-8 is believed whatever is declared, since no other text looks like it.
        for (declared, charset) in
            [("ISO-8859-1", Some("utf-8")), ("ISO-8859-1", None), ("utf-8", Some("windows-1251"))]
        {
            assert_eq!(title(document(declared).as_bytes(), charset), expected, "{declared} {charset:?}");
        }
        // The header goes before the declaration, and the detector comes last.
        for (declared, charset) in [
            ("utf-8", Some("iso-8859-1")),
            ("klingon-8", Some("\"latin1\"")),
            ("iso-8859-1", None),
            ("utf-8", None),
            ("klingon-8", None),
        ] {
            let charset = charset.map(|charset| charset.trim_matches('"'));
            assert_eq!(title(&latin(declared), charset), expected, "{declared} {charset:?}");
        }
        // A feed that is made of two sources.
        let text = document("utf-8");
        let (before, after) = text.split_once("la jet").unwrap();
        let bytes = [before.as_bytes(), &[0xE0, b' '], b"la jet", after.as_bytes()].concat();
        assert_eq!(title(&bytes, Some("utf-8")), "\u{c9}t\u{e9} \u{e0} \u{e0} la jet\u{e9}e");
    }
}
