//! Makes outside plain text safe to show beside other text: one line, no control characters, bounded length.

pub(super) use crate::domain::sanitize_text::single_line as text;

/// Longest name that is shown in full, in characters.
const LONGEST_NAME: usize = 80;

/// Cleans a name, and truncates it if it is longer than any real one.
pub(super) fn name(raw: &str) -> String {
    // A name can be a megabyte long; only the part that could be shown is read.
    let start: String = raw.chars().take(LONGEST_NAME * 8).collect();
    let clean = text(&start);
    if clean.chars().count() <= LONGEST_NAME {
        return clean;
    }
    let mut cut: String = clean.chars().take(LONGEST_NAME - 1).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
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
    fn a_name_ends_somewhere() {
        assert_eq!(name("Ada Lovelace"), "Ada Lovelace");
        assert_eq!(name(&"x".repeat(1_000_000)).chars().count(), LONGEST_NAME);
    }

    #[test]
    fn an_empty_line_starts_a_paragraph() {
        assert_eq!(paragraphs("One\ntwo\n \n\nthree\n"), ["One two", "three"]);
        assert!(paragraphs(" \n\n").is_empty());
    }
}
