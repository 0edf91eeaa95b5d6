//! Recognizes a change of an entry that takes most of a review away: feeds that switch from full texts to excerpts, lose
//! their pictures, or become empty.

use super::body_text::visible_text;
use super::content_hash::fold_letters;
use super::review::ReviewContent;

/// What an entry would take away from its review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LossyChange {
    /// No text is left.
    #[error("the entry is empty now")]
    Empty,
    /// The new text is the beginning of the old one.
    #[error("the entry has only the beginning of the text now")]
    Beginning,
    /// More than half of the text is gone.
    #[error("the entry has less than half of the text now")]
    Shorter,
    /// No picture is left.
    #[error("the entry has no pictures any more")]
    Pictures,
}

/// What feeds write at the end of an excerpt.
const MORE: [&str; 6] =
    ["continuereading", "readmore", "readthefullreview", "weiterlesen", "lirelasuite", "more"];

impl LossyChange {
    /// Compares a review with the new content of its entry.
    pub fn find(old: &ReviewContent, new: &ReviewContent) -> Option<Self> {
        let (before, after) = (letters(&old.body), letters(&new.body));
        if before.is_empty() {
            return None;
        }
        if after.is_empty() {
            return Some(Self::Empty);
        }
        let start = MORE.iter().find_map(|more| after.strip_suffix(more)).unwrap_or(&after);
        if after != before && start.len() < before.len() && before.starts_with(start) {
            return Some(Self::Beginning);
        }
        if Self::is_under_half(old, new) {
            return Some(Self::Shorter);
        }
        (has_pictures(old) && !has_pictures(new)).then_some(Self::Pictures)
    }

    /// Whether the new text has less than half of the letters of the old one.
    pub fn is_under_half(old: &ReviewContent, new: &ReviewContent) -> bool {
        letters(&new.body).len() * 2 < letters(&old.body).len()
    }
}

fn letters(body: &str) -> String {
    fold_letters(&visible_text(body))
}

fn has_pictures(content: &ReviewContent) -> bool {
    content.poster.is_some() || content.body.contains("<img ")
}

#[cfg(test)]
mod tests {
    use super::super::content_hash::tests::{content, prose};
    use super::*;

    #[test]
    fn what_takes_most_of_a_review_away_is_lossy() {
        let text = prose(1);
        let words: Vec<&str> = text.split(' ').collect();
        let picture = "<img src=\"https://i.example/a.jpg\" alt=\"\">";
        let old = content("Anora", "", &format!("<p>{text}</p>{picture}"));
        let find = |body: String| LossyChange::find(&old, &content("Anora", "", &body));
        for end in ["", " […]", "…", " [...]", " Continue reading →", " <a href=\"/1\">Read more</a>"] {
            let beginning = format!("<p>{}{end}</p>{picture}", words[..90].join(" "));
            assert_eq!(find(beginning), Some(LossyChange::Beginning), "{end}");
        }
        assert_eq!(find(String::new()), Some(LossyChange::Empty));
        assert_eq!(find("<p> &nbsp;</p>".into()), Some(LossyChange::Empty));
        assert_eq!(find(picture.into()), Some(LossyChange::Empty));
        assert_eq!(find(format!("<p>{}</p>{picture}", words[60..110].join(" "))), Some(LossyChange::Shorter));
        assert_eq!(find(format!("<p>{text}</p>")), Some(LossyChange::Pictures));
        for kept in [
            format!("<p>{text} And a postscript.</p>{picture}"),
            format!("<p>{text}</p>{picture}<img src=\"https://i.example/b.jpg\" alt=\"\">"),
            format!("<p>{}</p>{picture}", text.replacen("word", "Word, mended: ", 3)),
            format!("<p>{}</p>{picture}", words[20..].join(" ")),
            format!("<p>{text}</p><img src=\"https://i.example/b.jpg\" alt=\"\">"),
        ] {
            assert_eq!(find(kept.clone()), None, "{kept}");
        }
        assert_eq!(LossyChange::find(&content("Anora", "", ""), &content("Anora", "", "")), None);
        let ends_with_more = content("Anora", "", "<p>It is less, and then more.</p>");
        assert_eq!(LossyChange::find(&ends_with_more, &ends_with_more.clone()), None);
    }
}
