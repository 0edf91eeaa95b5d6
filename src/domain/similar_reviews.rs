//! Recognizes an entry that is probably the same review as another one, and is therefore held for the critic.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::body_text::visible_text;
use super::content_hash::fold_letters;
use super::review::ReviewContent;

/// Whether two entries may be the same review: the same film with a similar headline, or a similar text.
pub fn is_similar(a: &ReviewContent, b: &ReviewContent) -> bool {
    (is_same_film(a, b) && are_titles_similar(&a.title, &b.title)) || are_texts_similar(&a.body, &b.body)
}

fn is_same_film(a: &ReviewContent, b: &ReviewContent) -> bool {
    let (one, other) = (fold_letters(&a.film.title), fold_letters(&b.film.title));
    let years = a.film.year.zip(b.film.year).is_none_or(|(x, y)| x == y);
    !one.is_empty() && one == other && years
}

/// Whether the titles share at least half of all their words.
fn are_titles_similar(a: &str, b: &str) -> bool {
    let (a, b) = (folded_words(a), folded_words(b));
    let (a, b): (HashSet<_>, HashSet<_>) = (a.into_iter().collect(), b.into_iter().collect());
    let both = a.intersection(&b).count();
    let either = a.union(&b).count();
    either > 0 && both * 2 >= either
}

/// Only this many words of a text are compared.
const MAX_COMPARED_WORDS: usize = 20_000;
/// Texts with fewer shingles than this may be similar by chance.
const MIN_SHINGLES: usize = 20;

/// Whether the texts share at least 60 percent of their shingles, which are runs of four words.
fn are_texts_similar(a: &str, b: &str) -> bool {
    let shingles = |html: &str| -> HashSet<u64> {
        let mut words = folded_words(&visible_text(html));
        words.truncate(MAX_COMPARED_WORDS);
        words
            .windows(4)
            .map(|run| {
                let mut hasher = DefaultHasher::new();
                run.hash(&mut hasher);
                hasher.finish()
            })
            .collect()
    };
    let (a, b) = (shingles(a), shingles(b));
    if a.len().min(b.len()) < MIN_SHINGLES {
        return false;
    }
    let both = a.intersection(&b).count();
    both * 10 >= (a.len() + b.len() - both) * 6
}

fn folded_words(text: &str) -> Vec<String> {
    text.split_whitespace().map(fold_letters).filter(|w| !w.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::content_hash::tests::{content, prose};
    use super::*;

    #[test]
    fn reviews_are_similar_if_their_texts_are_or_their_film_and_headline() {
        let one = content("Anora Is Among the Best of 2024", "Anora", &prose(1));
        let retitled = content("'Anora' is Among the Year's Best", "Anora", &prose(2));
        let elsewhere = content("Something else", "", &format!("{} and more", prose(1)));
        let again = content("Second thoughts on a favourite", "Anora", &prose(3));
        let remake = {
            let mut d = content("Anora Is Among the Best of 2024", "Anora", &prose(4));
            d.film.year = Some(1999);
            d
        };
        let dated = {
            let mut d = one.clone();
            d.film.year = Some(2024);
            d
        };
        assert!(is_similar(&one, &retitled));
        assert!(is_similar(&one, &elsewhere));
        assert!(!is_similar(&one, &again));
        assert!(!is_similar(&dated, &remake));
        assert!(!is_similar(&content("x", "", ""), &content("x", "", "")), "there is nothing to compare");
    }
}
