//! Parses ratings that a label introduces, that are a line of their own, or that a line begins with.

use super::labels::Labelled;
use crate::domain::rating::Rating;

/// Parses a line whose label is one for ratings of the critic's own, as in `Popcorn rating: 3.5 kernels out of 5`.
pub(super) fn own_rating(text: &str) -> Option<Rating> {
    /// Words of ratings that others give, or that are not of the film.
    const OTHERS: [&str; 45] = [
        "gore",
        "violence",
        "scare",
        "fear",
        "sex",
        "nudity",
        "language",
        "action",
        "rewatch",
        "family",
        "kids",
        "music",
        "acting",
        "story",
        "humor",
        "humour",
        "imdb",
        "mpaa",
        "mpa",
        "bbfc",
        "rotten",
        "tomatoes",
        "metacritic",
        "letterboxd",
        "audience",
        "critics",
        "user",
        "users",
        "reader",
        "readers",
        "viewer",
        "viewers",
        "age",
        "content",
        "parental",
        "tmdb",
        "douban",
        "sound",
        "video",
        "audio",
        "picture",
        "dvd",
        "blu-ray",
        "disc",
        "extras",
    ];
    let (label, value) = text.split_once([':', '：'])?;
    let words: Vec<String> = label.split_whitespace().map(str::to_lowercase).collect();
    let (last, before) = words.split_last()?;
    let is_own = matches!(last.as_str(), "rating" | "score" | "grade" | "scale")
        && (1..=3).contains(&before.len())
        && !before.iter().any(|word| OTHERS.contains(&word.as_str()));
    is_own
        .then(|| Rating::parse_labelled(value.trim()))
        .flatten()
        .filter(|rating| rating.as_str().chars().count() > 1)
}

/// Parses a line such as `6.5 out of 10 lost suitcases`. Without what is counted, it may number the parts of a series.
pub(super) fn counted_rating(text: &str) -> Option<Rating> {
    let ends_with_word = text.trim_end_matches(['.', '!']).ends_with(char::is_alphabetic);
    let may_count = text.starts_with(|c: char| c.is_ascii_digit())
        && ends_with_word
        && text.split_whitespace().count() >= 4;
    may_count.then(|| Rating::parse_labelled(text))?
}

/// Removes the faces and other pictures after a rating.
pub(super) fn strip_emoji(text: &str) -> &str {
    let is_picture = |c: char| {
        c.is_whitespace()
            || matches!(c, '\u{FE0F}' | '\u{200D}' | '❤' | '✨')
            || matches!(u32::from(c), 0x1F300..=0x1F31E | 0x1F320..=0x1F443 | 0x1F450..=0x1F64F | 0x1F900..=0x1FAFF)
    };
    let stripped = text.trim_end_matches(is_picture);
    if stripped.is_empty() { text } else { stripped }
}

/// Parses the value of a rating label. The label may name the scale: `Rating (out of 5): 3.5`.
pub(super) fn parse_rating(labelled: &Labelled<'_>) -> Option<Rating> {
    if let Some(rating) = Rating::parse_labelled(labelled.value) {
        return Some(rating);
    }
    let lower = labelled.head.to_lowercase();
    // The dice of Norwegian critics have six sides.
    if lower.trim() == "terningkast" {
        return Rating::parse(&format!("{}/6", labelled.value.trim_end_matches('.')));
    }
    // Ten is the only scale on which critics give more than five points without naming it.
    let may_be_certificate = lower.contains("rating") || lower.contains("classif");
    if let Some(rating) = Rating::parse(&format!("{}/10", labelled.value.trim_end_matches('.')))
        .filter(|rating| rating.rank() > 500 && !may_be_certificate)
    {
        return Some(rating);
    }
    let mut scales = labelled.head.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let scale = scales.next().filter(|_| scales.next().is_none())?;
    Rating::parse(&format!("{}/{scale}", labelled.value))
}

/// Parses the value of `Rated: 4 stars out of 5`, which is no certificate such as `Rated: PG-13`.
pub(super) fn rated(labelled: &Labelled<'_>) -> Option<Rating> {
    let is_rated = labelled.head.trim().eq_ignore_ascii_case("rated");
    Rating::parse(labelled.value).filter(|rating| is_rated && rating.as_str().chars().count() > 2)
}

/// Splits the row of stars at the beginning of a text off.
pub(super) fn stars_at_start(text: &str) -> Option<(Rating, &str)> {
    let text = text.trim_start();
    let width: usize = text
        .chars()
        .take_while(|c| is_star(*c) || matches!(c, '½' | ' ' | '\u{FE0F}'))
        .map(char::len_utf8)
        .sum();
    let width = if text.get(width..)?.starts_with("1/2") { width + 3 } else { width };
    let row = text.get(..width)?;
    // A legend such as `★★★★★ = masterpiece, ★ = avoid` rates nothing, and what `★★★+ (3.5)` means is not known.
    let after = text.get(width..)?;
    let is_picture = |c: char| matches!(u32::from(c), 0x1F300..=0x1FAFF);
    if after.starts_with(['=', '+']) || after.starts_with(is_picture) || after.contains(is_star) {
        return None;
    }
    let rest = text.get(width..)?.trim_start_matches(|c: char| c.is_whitespace() || ":-–—|".contains(c));
    let rating = Rating::parse(row.trim()).filter(|_| row.chars().filter(|c| is_star(*c)).count() >= 2)?;
    Some((rating, rest))
}

/// Whether a character is a star. Other symbols, such as pumpkins, are ratings only with a scale.
pub(super) const fn is_star(c: char) -> bool {
    matches!(c, '★' | '☆' | '⭐' | '🌟' | '⯪' | '⯨' | '✭' | '✩' | '✮' | '✯' | '✰')
}
