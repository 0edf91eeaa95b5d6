//! Mends JSON that templates and string functions write: control characters in strings, escapes that JSON does not have, halves
//! of characters, and commas after the last member.

use std::fmt::Write as _;

/// Returns a document without these faults.
pub(super) fn mend_json(text: &str) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut is_in_string = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (whole, after) = rest.split_at(c.len_utf8());
        rest = after;
        match c {
            '"' => {
                is_in_string = !is_in_string;
                mended.push('"');
            }
            '\\' if is_in_string => {
                let length = mend_escape(after, &mut mended);
                rest = after.get(length..).unwrap_or_default();
            }
            c if is_in_string && c < ' ' => push_escaped(c, &mut mended),
            ',' if !is_in_string && after.trim_start().starts_with([']', '}']) => {}
            _ => mended.push_str(whole),
        }
    }
    mended
}

fn push_escaped(c: char, out: &mut String) {
    let _ = write!(out, "\\u{:04x}", u32::from(c));
}

/// Adds the escape whose text after the backslash is at the beginning of `text`. Returns how many bytes of that it has.
fn mend_escape(text: &str, out: &mut String) -> usize {
    if let Some(unit) = utf_16(text) {
        let pair = text.get(5..).and_then(|rest| utf_16(rest.strip_prefix('\\')?));
        if let Some(low) = pair
            && char::decode_utf16([unit, low]).next().is_some_and(|c| c.is_ok_and(|c| c > '\u{FFFF}'))
        {
            out.extend(["\\", text.get(..11).unwrap_or_default()]);
            return 11;
        }
        let is_half = (0xD800..0xE000).contains(&unit);
        out.extend(["\\", if is_half { "ufffd" } else { text.get(..5).unwrap_or_default() }]);
        return 5;
    }
    match text.chars().next() {
        Some(c @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => {
            out.extend(['\\', c]);
            1
        }
        // JavaScript and PHP escape it.
        Some('\'') => 0,
        _ => {
            out.push_str("\\\\");
            0
        }
    }
}

/// Returns the unit of UTF-16 in an escape such as `u00e9`.
fn utf_16(text: &str) -> Option<u16> {
    let digits = text.strip_prefix('u')?.get(..4)?;
    u16::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn faults_of_json_are_mended() {
        for (text, mended) in [
            ("{\"a\": \"b\n\tc\"}", "b\n\tc"),
            ("{\"a\": \"b\r\n\u{1}c\"}", "b\r\n\u{1}c"),
            (r#"{"a": "it\'s"}"#, "it's"),
            (r#"{"a": "C:\x \d \u12 \u+123"}"#, r"C:\x \d \u12 \u+123"),
            (r#"{"a": "\ud83c!"}"#, "\u{FFFD}!"),
            (r#"{"a": "\udfac\ud83c"}"#, "\u{FFFD}\u{FFFD}"),
            (r#"{"a": "\ud83c\udfac \u00e9",}"#, "\u{1F3AC} \u{e9}"),
            (r#"{"a": "x, ]",  }"#, "x, ]"),
            (r#"{"b": [1, 2, ], "a": "\"\\"}"#, "\"\\"),
        ] {
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
            let value: Value = serde_json::from_str(&mend_json(text)).expect(text);
            assert_eq!(value["a"], mended, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_json_stays_the_same(text in "\\PC{0,40}[\n\t\"\\\\]{0,3}\\PC{0,5}", number in any::<u32>()) {
            let value = serde_json::json!({"a": [text, number, {"b": text}]});
            let (compact, pretty) = (value.to_string(), serde_json::to_string_pretty(&value).unwrap());
            prop_assert_eq!(mend_json(&compact), compact);
            prop_assert_eq!(mend_json(&pretty), pretty);
        }
    }
}
