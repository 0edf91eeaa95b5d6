//! Hashtags, in a form that every server accepts.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::domain::origin::Origin;

/// The most hashtags of a post. Some servers drop posts with more.
const MAX_HASHTAGS: usize = 30;

/// Returns the hashtags of a review, each once.
pub(super) fn hashtags(origin: &Origin, tags: &[String]) -> Vec<Value> {
    let mut seen = HashSet::new();
    tags.iter()
        .filter_map(|tag| Some((tag, hashtag(tag)?)))
        .filter(|(_, name)| seen.insert(name.to_lowercase()))
        .take(MAX_HASHTAGS)
        .map(|(tag, name)| json!({"type": "Hashtag", "name": name, "href": origin.tag_page(tag)}))
        .collect()
}

/// Returns the tag as a hashtag of letters, digits and underscores, in camel case so that screen readers read
/// its words. Returns `None` for a tag without letters, which is not a hashtag on Mastodon or Misskey.
fn hashtag(tag: &str) -> Option<String> {
    let words: Vec<&str> = tag
        .split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '\'' | '\u{2019}'))
        .filter(|word| !word.is_empty())
        .collect();
    let mut name = String::from("#");
    for word in &words {
        let mut letters = word.chars().filter(|c| c.is_alphanumeric() || *c == '_');
        if words.len() > 1 {
            name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        }
        name.extend(letters);
    }
    (name.chars().any(char::is_alphabetic) && name.chars().count() <= 100).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_of_several_words_is_camel_cased() {
        for (tag, name) in [
            ("Andrei Tarkovsky", "#AndreiTarkovsky"),
            ("sci-fi", "#SciFi"),
            ("horror", "#horror"),
            ("1970s", "#1970s"),
            ("New Year's Eve", "#NewYearsEve"),
            ("кино", "#кино"),
            ("film_noir", "#film_noir"),
        ] {
            assert_eq!(hashtag(tag).as_deref(), Some(name));
        }
    }

    #[test]
    fn a_tag_without_letters_is_not_a_hashtag() {
        for tag in ["1979", "", "???", "_", "12-34"] {
            assert_eq!(hashtag(tag), None, "{tag}");
        }
    }

    #[test]
    fn a_hashtag_occurs_once() {
        let origin = Origin::parse("https://crit.example").unwrap();
        let tags = ["Sci-Fi".to_owned(), "sci fi".to_owned(), "1979".to_owned()];
        assert_eq!(
            hashtags(&origin, &tags),
            [json!({"type": "Hashtag", "name": "#SciFi", "href": "https://crit.example/tags/sci-fi"})]
        );
    }
}
