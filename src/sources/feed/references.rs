//! Character references as feeds write them.

use quick_xml::escape::unescape;

/// Decodes each reference separately, so that a bare `&`, which many URLs contain, does not affect the references next
/// to it.
pub(super) fn decode_references(value: &str) -> String {
    /// No reference is longer.
    const MAX_REFERENCE_BYTES: usize = 40;
    let mut decoded = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, reference)) = rest.find('&').map(|at| rest.split_at(at)) {
        decoded.push_str(before);
        let end =
            reference.bytes().take(MAX_REFERENCE_BYTES).position(|byte| byte == b';').map(|end| end + 1);
        if let Some((text, end)) = end.and_then(|end| Some((unescape(&reference[..end]).ok()?, end))) {
            decoded.push_str(&text);
            rest = &reference[end..];
        } else {
            decoded.push('&');
            rest = &reference[1..];
        }
    }
    decoded.push_str(rest);
    decoded
}

/// Makes references that no parser accepts harmless: a bare `&` becomes `&amp;`, and two surrogates become the character that
/// they stand for.
pub(super) fn mend_references(xml: &str) -> String {
    const START: &str = "<![CDATA[";
    const END: &str = "]]>";
    let mut mended = String::with_capacity(xml.len());
    let mut rest = xml;
    while let Some(at) = rest.find(START) {
        mend_text(&rest[..at], &mut mended);
        let end = rest[at..].find(END).map_or(rest.len(), |end| at + end + END.len());
        mended.push_str(&rest[at..end]);
        rest = &rest[end..];
    }
    mend_text(rest, &mut mended);
    mended
}

fn mend_text(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(rest) {
            Some((Reference::Surrogate(high), length)) => {
                rest = &rest[length..];
                let low = reference(rest);
                if let Some((Reference::Surrogate(low), length)) = low
                    && let Some(Ok(character)) = char::decode_utf16([high, low]).next()
                {
                    rest = &rest[length..];
                    out.push(character);
                } else {
                    out.push(char::REPLACEMENT_CHARACTER);
                }
            }
            Some((Reference::Other, length)) => {
                // XML has only a small x.
                out.push_str(&rest[..length].replacen("&#X", "&#x", 1));
                rest = &rest[length..];
            }
            None => {
                out.push_str("&amp;");
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
}

enum Reference {
    /// Half of a character in UTF-16.
    Surrogate(u16),
    Other,
}

/// Returns the reference at the beginning of a text, and its length.
fn reference(text: &str) -> Option<(Reference, usize)> {
    /// No reference is longer.
    const MAX_BYTES: usize = 40;
    let end = text.bytes().take(MAX_BYTES).position(|byte| byte == b';')?;
    let name = text.strip_prefix('&')?.get(..end - 1)?;
    let Some(number) = name.strip_prefix('#') else {
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        return is_name.then_some((Reference::Other, end + 1));
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
        None => number.parse().ok()?,
    };
    let surrogate = u16::try_from(code).ok().filter(|code| (0xD800..0xE000).contains(code));
    Some((surrogate.map_or(Reference::Other, Reference::Surrogate), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_that_no_parser_accepts_are_mended() {
        for (text, mended) in [
            ("<title>Salt & Vinegar</title>", "<title>Salt &amp; Vinegar</title>"),
            (
                "<link>https://a.example/?p=7&lang=en</link>",
                "<link>https://a.example/?p=7&amp;lang=en</link>",
            ),
            ("a && b&", "a &amp;&amp; b&amp;"),
            ("&amp; &nbsp; &#8217; &#x2019;", "&amp; &nbsp; &#8217; &#x2019;"),
            ("&#X2019;", "&#x2019;"),
            ("&#xD83D;&#xDE00; &#55357;&#56832;", "\u{1F600} \u{1F600}"),
            ("&#xD83D; &#xDE00;x", "\u{FFFD} \u{FFFD}x"),
            ("&#xZZ; &#; & ; &1;", "&amp;#xZZ; &amp;#; &amp; ; &amp;1;"),
            ("<![CDATA[a & b]]>c & d<![CDATA[&", "<![CDATA[a & b]]>c &amp; d<![CDATA[&"),
        ] {
            assert_eq!(mend_references(text), mended, "{text}");
        }
    }
}
