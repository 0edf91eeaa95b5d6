//! Quotes for values of YAML, and advice about them.

use super::super::html;
use super::yaml;

/// The maximum number of lines that are tried to find the one that needs quotes.
const MAX_TRIED_LINES: usize = 20;
/// The maximum length of a line that is corrected, in bytes.
const MAX_LINE_BYTES: usize = 1_000;

/// Returns a text as a YAML scalar that every parser reads as this text. It is in quotes unless it is a plain word.
pub(in crate::sources) fn quote(text: &str) -> String {
    let is_word = |c: char| c.is_alphabetic() || c == ' ' || c == '\u{2019}';
    let is_reserved = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    let is_trimmed = !text.is_empty() && text.trim() == text;
    if is_trimmed && !is_reserved && text.chars().all(is_word) {
        return text.to_owned();
    }
    // A string in JSON is one in YAML.
    serde_json::Value::from(text).to_string()
}

/// The advice to write a line like this.
pub(super) fn advice(line: &str) -> String {
    format!("put the value into quotes: `{}`", html::single_line_text(line, MAX_LINE_BYTES))
}

/// Finds a line whose value needs quotes: with them, the front matter is valid, or its first error is further down.
/// Returns the number of the line and the corrected line.
pub(super) fn find_unquoted(source: &str, error_line: usize) -> Option<(usize, String)> {
    let lines: Vec<&str> = source.lines().collect();
    // An error is often reported one line late, and an open quote only at the end.
    let nearest = error_line.min(lines.len());
    for number in (1..=nearest).rev().take(MAX_TRIED_LINES) {
        let line = lines.get(number - 1)?;
        for fixed in quoted_lines(line) {
            let mut all = lines.clone();
            if let Some(line) = all.get_mut(number - 1) {
                *line = &fixed;
            }
            let is_better = match yaml::parse(&all.join("\n")) {
                Ok(_) => true,
                Err(error) => error.line > error_line,
            };
            if is_better {
                return Some((number, fixed));
            }
        }
    }
    None
}

/// Returns a line with its value in quotes, and before it, for a list in brackets, with each of its items in quotes.
pub(super) fn quoted_lines(line: &str) -> Vec<String> {
    if line.len() > MAX_LINE_BYTES {
        return Vec::new();
    }
    let indent = line.len() - line.trim_start().len();
    let at = match line.get(indent..).and_then(|text| text.strip_prefix("- ")) {
        Some(_) => indent + 2,
        None => match line.find(": ") {
            Some(colon) => colon + 2,
            None => return Vec::new(),
        },
    };
    let (head, value) = line.split_at(at);
    let value = value.trim();
    let mut lines = Vec::new();
    if let Some(inner) = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'))
        && inner.contains([',', ':', '#'])
    {
        let items: Vec<String> = inner.split(',').map(|item| requote(item.trim())).collect();
        lines.push(format!("{head}[{}]", items.join(", ")));
    }
    if !value.is_empty() && (!value.starts_with('[') || value.contains(']')) {
        lines.push(format!("{head}{}", requote(value)));
    }
    lines
}

/// Puts a text into quotes that it does not contain. Quotes that surround it already are those of YAML.
fn requote(text: &str) -> String {
    let surrounded = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    let text = surrounded('"').or_else(|| surrounded('\'')).unwrap_or(text);
    if text.contains(['"', '\\']) { format!("'{}'", text.replace('\'', "''")) } else { format!("\"{text}\"") }
}
