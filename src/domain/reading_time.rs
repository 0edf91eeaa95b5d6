//! The reading time of a review.

use super::body_text::strip_figures;

/// Returns the reading time of an HTML body in minutes, at 230 words a minute, at least one.
pub fn reading_minutes(html: &str) -> u32 {
    let html = strip_figures(html);
    let mut words: u32 = 0;
    let (mut in_tag, mut in_word) = (false, false);
    for c in html.chars() {
        match c {
            '<' => (in_tag, in_word) = (true, false),
            '>' => in_tag = false,
            _ if in_tag => {}
            c if c.is_whitespace() => in_word = false,
            _ if !in_word => {
                in_word = true;
                words = words.saturating_add(1);
            }
            _ => {}
        }
    }
    words.div_ceil(230).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_time_counts_words_and_not_tags() {
        assert_eq!(reading_minutes("<p class=\"a b c\">One two</p>"), 1);
        assert_eq!(reading_minutes(&"<p>word</p> ".repeat(231)), 2);
    }
}
