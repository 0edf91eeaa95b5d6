//! The output of commands.
//!
//! What is printed may quote strangers, so control characters that a terminal would obey are escaped. What commands quote in
//! a list is `Untrusted` besides, so that it stays short and on its line.

use std::fmt::Write as _;
use std::io::{ErrorKind, IsTerminal, Write};

use crate::domain::untrusted::{PrintableText, is_unsafe};

/// Characters per line of what is wrapped.
pub(super) const LINE_WIDTH: usize = 79;
/// Characters before what follows the first line of an entry of a list.
const LIST_INDENT: usize = 4;

/// The reader of the output has closed it, as `head` does once it has enough.
#[derive(Debug, thiserror::Error)]
#[error("the output was closed")]
pub(super) struct OutputClosed;

/// Prints a line, or several.
///
/// # Errors
/// [`OutputClosed`] if nobody reads the output any more; unlike `println!`, it does not panic.
pub(super) fn print_line(line: &str) -> anyhow::Result<()> {
    print_as_is(&PrintableText(line))
}

/// Prints the text of a review. Unless it goes to a terminal, it is printed as it is, so that it can be read again.
///
/// # Errors
/// As [`print_line`].
pub(super) fn print_document(text: &str) -> anyhow::Result<()> {
    if std::io::stdout().is_terminal() { print_line(text) } else { print_as_is(&text) }
}

/// Prints JSON, with the same escapes in its own form.
///
/// # Errors
/// As [`print_line`].
pub(super) fn print_json(json: &impl std::fmt::Display) -> anyhow::Result<()> {
    print_as_is(&escape_json(&json.to_string()))
}

/// Escapes the characters in the strings of a JSON text that [`PrintableText`] would escape.
fn escape_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unsafe(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _infallible = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn print_as_is(text: &impl std::fmt::Display) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(OutputClosed.into()),
        written => Ok(written?),
    }
}

/// Prints a line of a list. On a terminal it is wrapped; elsewhere it stays whole, for `grep` and scripts.
///
/// # Errors
/// As [`print_line`].
pub(super) fn print_list_line(line: &str) -> anyhow::Result<()> {
    if !std::io::stdout().is_terminal() {
        return print_line(line);
    }
    let text = line.trim_start_matches(' ');
    let mut indent = line.len() - text.len();
    for part in wrap(text, LINE_WIDTH - LIST_INDENT - indent) {
        print_line(&format!("{:indent$}{part}", ""))?;
        indent = line.len() - text.len() + LIST_INDENT;
    }
    Ok(())
}

/// Wraps a text at that many characters; longer words get a line of their own. Within a line, spaces stay as they are.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 1 + word.chars().count() <= width => {
                last.push(' ');
                last.push_str(word);
            }
            _ if word.is_empty() => {}
            _ => lines.push(word.to_owned()),
        }
    }
    for line in &mut lines {
        line.truncate(line.trim_end_matches(' ').len());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_the_same_value() {
        let value = serde_json::json!({"title": "a\u{202e}b\u{1b}\u{9b}\n\u{e0041}é"});
        for json in [value.to_string(), format!("{value:#}")] {
            let escaped = escape_json(&json);
            assert!(escaped.contains(r"a\u202eb\u001b\u009b\n\udb40\udc41é"), "{escaped}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
        }
    }
}
