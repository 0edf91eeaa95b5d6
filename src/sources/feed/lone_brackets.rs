//! Angle brackets that are text: `A < B`, `I <3 it`.

use std::borrow::Cow;

/// Sections in which no markup begins, without their first `<`.
const SECTIONS: [(&str, &str); 3] = [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>")];

/// Returns the document with `&lt;` for each `<` that begins no markup. As for a browser, a tag begins with an ASCII letter.
pub(super) fn escape_lone_brackets(xml: &str) -> Cow<'_, str> {
    let mut escaped = String::new();
    // Sections whose end was found missing are not looked for again, so that the time stays proportional to the length.
    let mut is_endless = [false; SECTIONS.len()];
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = xml.get(at..).and_then(|rest| rest.find('<')).map(|found| at + found) {
        let rest = xml.get(found + 1..).unwrap_or_default();
        at = found + 1;
        if let Some(kind) = SECTIONS.iter().position(|(start, _)| rest.starts_with(start)) {
            if !is_endless[kind] {
                match rest.find(SECTIONS[kind].1) {
                    Some(end) => at += end,
                    None => is_endless[kind] = true,
                }
            }
        } else if !begins_markup(rest) {
            escaped.push_str(xml.get(copied..found).unwrap_or_default());
            escaped.push_str("&lt;");
            copied = at;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(xml);
    }
    escaped.push_str(xml.get(copied..).unwrap_or_default());
    Cow::Owned(escaped)
}

fn begins_markup(rest: &str) -> bool {
    let name = rest.strip_prefix('/').unwrap_or(rest);
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') || rest.starts_with('!')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::read;
    use super::*;

    #[test]
    fn a_bracket_that_begins_no_tag_is_text() {
        for (text, title) in [
            ("A < B", "A < B"),
            ("I <3 it", "I <3 it"),
            // For a browser, this begins a comment.
            ("Broken </3 heart", "Broken"),
            ("<<Solaris>>", "<"),
            ("1 <= 2", "1 <= 2"),
            ("<", "<"),
            ("<<<", "<<<"),
            ("(>_<)", "(>_<)"),
            ("x <- y", "x <- y"),
            ("<> and <->", "<> and <->"),
            ("<기생충>", "<기생충>"),
            ("Up <\"here\">", "Up <\"here\">"),
            ("5 <b>bold</b> & c", "5 bold & c"),
            ("<![CDATA[A < B]]>", "A < B"),
            ("<!-- < -->A < B", "A < B"),
        ] {
            let document = read(&format!(
                "<rss><channel><description>We <3 films</description><item><title>{text}</title>\
                 <description>Salt {text} <p title='a < b'>x</p></description></item>\
                 <item><title>B</title></item></channel></rss>"
            ));
            if title == "<" && text.len() > 1 {
                // `<Solaris>` is a tag, as for a browser, and it is never closed.
                assert_eq!(document.entries.len() + document.skipped.len(), 2, "{document:?}");
                continue;
            }
            let titles: Vec<_> = document.entries.iter().map(|entry| entry.content.title.as_str()).collect();
            assert_eq!(titles, [title, "B"], "{:?}", document.skipped);
        }
    }

    #[test]
    fn texts_of_atom_have_lone_brackets_too() {
        for (kind, text, body) in [
            (
                "xhtml",
                "<div xmlns='http://www.w3.org/1999/xhtml'><p>1 < 2 <b>now</b></p></div>",
                "<p>1 &lt; 2 <strong>now</strong></p>",
            ),
            ("html", "&lt;p>1 < 2&lt;/p>", "<p>1 &lt; 2</p>"),
            ("text", "I <3 it", "<p>I &lt;3 it</p>"),
        ] {
            let document = read(&format!(
                "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>A < B</title><id>1</id>\
                 <content type='{kind}'>{text}</content></entry></feed>"
            ));
            let content =
                &document.entries.first().unwrap_or_else(|| panic!("{:?}", document.skipped)).content;
            assert_eq!((content.title.as_str(), content.body.as_str()), ("A < B", body));
        }
    }

    #[test]
    fn endless_sections_take_no_more_time() {
        let text = "<!-- < ".repeat(200_000);
        let start = crate::sources::cpu_time();
        assert_eq!(escape_lone_brackets(&text).len(), text.len() + 3 * 200_000);
        assert!(crate::sources::cpu_time().as_secs_f64() - start.as_secs_f64() < 5.0);
    }

    proptest! {
        #[test]
        fn what_is_xml_stays_the_same(text in "[a-z0-9 <>&'\"é-]{0,40}", section in "[a-z <>&]{0,20}") {
            let text = quick_xml::escape::escape(text.as_str());
            let xml = format!("<?xml version='1.0'?><!-- {section} --><a b='{text}'><_c/>{text}<![CDATA[{section}]]></a>");
            prop_assert_eq!(escape_lone_brackets(&xml), xml.as_str());
        }
    }
}
