//! Whether a text without quotation marks reads like the title of a film, and not like a sentence, a question or two titles.

use super::labels::{WordKind, is_word};
use super::quoted_title::MAX_TITLE_CHARS;

/// Words of four letters and more that titles do not capitalize.
const SMALL_WORDS: [&str; 24] = [
    "with", "from", "into", "over", "upon", "than", "that", "about", "after", "under", "when", "without",
    "through", "between", "before", "against", "across", "within", "toward", "towards", "this", "their",
    "your", "like",
];
/// Verbs of sentences about a film.
const VERBS: [&str; 45] = [
    "plays",
    "feels",
    "leads",
    "lends",
    "works",
    "doubles",
    "struggles",
    "keeps",
    "looks",
    "doesn't",
    "tells",
    "bites",
    "is",
    "are",
    "was",
    "were",
    "isn't",
    "has",
    "have",
    "delivers",
    "soars",
    "proves",
    "fails",
    "makes",
    "brings",
    "should",
    "gets",
    "gives",
    "shines",
    "stumbles",
    "falls",
    "finds",
    "offers",
    "remains",
    "takes",
    "turns",
    "wastes",
    "packs",
    "hits",
    "misses",
    "needs",
    "deserves",
    "can't",
    "won't",
    "lacks",
];
/// Words that begin a question about a film.
const QUESTION_WORDS: [&str; 14] = [
    "is", "are", "was", "does", "do", "did", "should", "can", "could", "will", "why", "how", "ist", "est-ce",
];
/// The longest title in a language whose titles are written like sentences, if nothing confirms it, in words.
const MAX_UNCONFIRMED_WORDS: usize = 6;
/// The longest title without quotation marks, in words.
const MAX_TITLE_WORDS: usize = 12;

/// Whether a text can be a title at all.
pub(super) fn is_plausible(title: &str) -> bool {
    let words = title.split_whitespace().count();
    let is_taken = |kind| is_word(title, kind);
    (1..=MAX_TITLE_WORDS).contains(&words)
        && title.chars().count() <= MAX_TITLE_CHARS
        && title.chars().any(char::is_alphanumeric)
        && !title.starts_with(char::is_lowercase)
        && !title.starts_with(['/', '-', '–', '—', '|', '+', '&', ',', ':', ';', ')'])
        && !title.ends_with([',', ':', ';'])
        && ![WordKind::Review, WordKind::Column, WordKind::NotFilm, WordKind::Digest]
            .into_iter()
            .any(is_taken)
}

/// Whether a text reads like a title and not like a sentence or two titles. English titles are capitalized.
pub(super) fn reads_like_title(title: &str, is_english: bool) -> bool {
    let words: Vec<&str> = title.split_whitespace().collect();
    if title.ends_with('?')
        && words.first().is_some_and(|word| QUESTION_WORDS.contains(&word.to_lowercase().as_str()))
    {
        return false;
    }
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase().replace('\u{2019}', "'")).collect();
    let joins = words.iter().skip(1).any(|word| {
        matches!(
            *word,
            "and"
                | "&"
                | "und"
                | "et"
                | "och"
                | "og"
                | "And"
                | "+"
                | "/"
                | "vs"
                | "vs."
                | "v"
                | "y"
                | "oraz"
                | "Und"
                | "Et"
        )
    }) || title.contains([',', ';']);
    if joins {
        return false;
    }
    if !is_english {
        // A longer one is more often a sentence, unless the text has it, too.
        return words.len() <= MAX_UNCONFIRMED_WORDS;
    }
    let has_verb = words.len() >= 3
        && lower.iter().skip(1).take(words.len() - 2).any(|word| VERBS.contains(&word.as_str()));
    let is_sentence = words.iter().any(|word| {
        word.chars().count() >= 4 && word.starts_with(char::is_lowercase) && !SMALL_WORDS.contains(word)
    });
    !has_verb && !is_sentence
}
