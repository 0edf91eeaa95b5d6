//! Cleans plain text from outside so that it can be shown next to other text: one line, no control characters, limited
//! length.

pub(super) use crate::domain::sanitize_text::single_line as text;

/// The longest name that is shown in full, in characters.
const MAX_NAME_LENGTH: usize = 80;

/// Cleans a name, and truncates it if it is longer than real names are.
pub(super) fn name(raw: &str) -> String {
    // A name can be a megabyte long; only the part that could be shown is read.
    let start: String = raw.chars().take(MAX_NAME_LENGTH * 8).collect();
    let clean = text(&start);
    if clean.chars().count() <= MAX_NAME_LENGTH {
        return clean;
    }
    let mut truncated: String = clean.chars().take(MAX_NAME_LENGTH - 1).collect();
    truncated.truncate(truncated.trim_end().len());
    truncated.push('…');
    truncated
}

/// The paragraphs of a plain text, which are separated by empty lines.
pub(super) fn paragraphs(raw: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for line in raw.lines() {
        match (line.trim().is_empty(), all.last_mut()) {
            (false, Some(last)) => {
                last.push_str(line);
                last.push(' ');
            }
            _ => all.push(String::new()),
        }
    }
    all.iter().map(|p| text(p)).filter(|p| !p.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_truncated() {
        assert_eq!(name("Ada Lovelace"), "Ada Lovelace");
        assert_eq!(name(&"x".repeat(1_000_000)).chars().count(), MAX_NAME_LENGTH);
    }

    #[test]
    fn an_empty_line_starts_a_paragraph() {
        assert_eq!(paragraphs("One\ntwo\n \n\nthree\n"), ["One two", "three"]);
        assert!(paragraphs(" \n\n").is_empty());
    }
}
