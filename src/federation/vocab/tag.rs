//! Hashtags, in the form that every server takes.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::domain::origin::Origin;

/// More tags than this are noise, and some servers drop a post for them.
const MOST: usize = 30;

/// The hashtags of a review, each once.
pub(super) fn hashtags(origin: &Origin, tags: &[String]) -> Vec<Value> {
    let mut seen = HashSet::new();
    tags.iter()
        .filter_map(|tag| Some((tag, hashtag(tag)?)))
        .filter(|(_, name)| seen.insert(name.to_lowercase()))
        .take(MOST)
        .map(|(tag, name)| json!({"type": "Hashtag", "name": name, "href": origin.tag_page(tag)}))
        .collect()
}

/// A tag as `#CamelCase` of letters, digits and underscores, so that screen readers hear its words; none where
/// it has no letter, since a hashtag of digits alone is not one (Mastodon, Misskey).
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
    fn what_no_server_takes_as_a_hashtag_is_none() {
        for tag in ["1979", "", "???", "_", "12-34"] {
            assert_eq!(hashtag(tag), None, "{tag}");
        }
    }

    #[test]
    fn a_tag_stands_once() {
        let origin = Origin::parse("https://crit.example").unwrap();
        let tags = ["Sci-Fi".to_owned(), "sci fi".to_owned(), "1979".to_owned()];
        assert_eq!(
            hashtags(&origin, &tags),
            [json!({"type": "Hashtag", "name": "#SciFi", "href": "https://crit.example/tags/sci-fi"})]
        );
    }
}
