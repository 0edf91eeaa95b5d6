//! Warnings of spoilers: as a tag, in the headline, or in one of the first lines of the text.

use super::html;

/// The teaser of a text that warns of spoilers.
pub(super) const SPOILER_TEASER: &str = "This review may contain spoilers.";
/// The number of lines at the beginning in which a warning is looked for, and the longest one in characters.
const MAX_LINES: usize = 4;
const MAX_LINE_CHARS: usize = 100;

/// Tags that are a warning.
const TAGS: [&str; 5] = ["spoiler", "spoilers", "spoiler alert", "spoiler warning", "contains spoilers"];
/// What a warning says, in lower case and without punctuation.
const WARNINGS: [&str; 46] = [
    "spoiler alert",
    "spoiler warning",
    "spoilers ahead",
    "spoilers below",
    "spoilers follow",
    "spoilers within",
    "contain spoilers",
    "contains spoilers",
    "containing spoilers",
    "contain some spoilers",
    "contains some spoilers",
    "contain major spoilers",
    "contains major spoilers",
    "contain minor spoilers",
    "contains minor spoilers",
    "contains mild spoilers",
    "contains plot spoilers",
    "full spoilers",
    "with spoilers",
    "warning spoilers",
    "beware of spoilers",
    "spoilerwarnung",
    "achtung spoiler",
    "vorsicht spoiler",
    "enthält spoiler",
    "mit spoilern",
    "attention spoiler",
    "attention spoilers",
    "contient des spoilers",
    "avec spoilers",
    "contiene spoiler",
    "contiene spoilers",
    "attenzione spoiler",
    "allerta spoiler",
    "con spoiler",
    "con spoilers",
    "atención spoilers",
    "alerta de spoiler",
    "alerta de spoilers",
    "contém spoilers",
    "com spoilers",
    "bevat spoilers",
    "spoilervarning",
    "innehåller spoilers",
    "uwaga spoilery",
    "zawiera spoilery",
];
/// One of these is in every warning.
const STEMS: [&str; 3] = ["spoiler", "ネタバレ", "스포"];
/// Warnings in scripts without spaces.
const UNSPACED_WARNINGS: [&str; 7] = [
    "ネタバレあり",
    "ネタバレ注意",
    "ネタバレを含",
    "스포일러 주의",
    "스포일러 있음",
    "스포일러 포함",
    "스포 있음",
];
/// Words beside which a warning is none: `This review does not contain spoilers`.
const NEGATIONS: [&str; 16] = [
    "no", "not", "non", "without", "free", "won't", "doesn't", "ohne", "keine", "sans", "senza", "sin",
    "sem", "zonder", "utan", "bez",
];

/// Whether a review warns of spoilers. `body` is what `html::sanitize_review_body` returned.
pub(super) fn has_warning(title: &str, mut tags: impl Iterator<Item = String>, body: &str) -> bool {
    tags.any(|tag| TAGS.contains(&words(&tag).trim())) || warns(title) || is_bracketed(title) || {
        let start = body.get(..body.floor_char_boundary(2_000)).unwrap_or_default();
        let text = html::text_of(&html::parse(start));
        text.lines().take(MAX_LINES).any(|line| line.chars().count() <= MAX_LINE_CHARS && warns(line))
    }
}

/// Whether a headline has `(spoilers)` or `[SPOILER]` in it.
fn is_bracketed(title: &str) -> bool {
    let mut inner = title.split(['(', '[']).skip(1).filter_map(|part| part.split([')', ']']).next());
    inner.any(|inner| TAGS.contains(&words(inner).trim()))
}

fn warns(text: &str) -> bool {
    let text = words(text);
    if !STEMS.iter().any(|stem| text.contains(stem)) {
        return false;
    }
    let has = |phrase: &str| text.contains(&format!(" {phrase} "));
    (WARNINGS.into_iter().any(has) || UNSPACED_WARNINGS.iter().any(|warning| text.contains(warning)))
        && !NEGATIONS.into_iter().any(has)
}

/// Returns the words of a text in lower case with a space around each.
fn words(text: &str) -> String {
    let lower = text.to_lowercase().replace('\u{2019}', "'");
    let words = lower.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty());
    format!(" {} ", words.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_warning_has_a_stem() {
        for warning in WARNINGS.iter().chain(&UNSPACED_WARNINGS) {
            assert!(STEMS.iter().any(|stem| warning.contains(stem)), "{warning}");
        }
    }

    #[test]
    fn a_warning_is_found_in_headline_tags_and_first_lines() {
        let warned = |title: &str, tag: &str, line: &str| {
            let body =
                format!("<p>{line}</p><p>The boat sinks, and with it all that spoilers could spoil.</p>");
            has_warning(title, std::iter::once(tag.to_owned()), &body)
        };
        for line in [
            "SPOILER ALERT!",
            "Warning: Spoilers ahead",
            "This review may contain spoilers.",
            "(Note: contains major spoilers for the ending.)",
            "Achtung, Spoiler!",
            "Attention : spoilers",
            "Attenzione, spoiler!",
            "※ネタバレあり",
            "스포일러 주의",
        ] {
            assert!(warned("Salt", "drama", line), "{line}");
            assert!(warned(&format!("Salt – {line}"), "drama", "One."), "{line}");
        }
        assert!(warned("Salt", "#Spoilers", "One.") && warned("Salt (Spoilers)", "", "One."));
        for line in [
            "This review contains no spoilers.",
            "Spoiler-free review",
            "Kritik ohne Spoiler",
            "Sans spoilers",
            "She spoils him, and the spoiler of her car is red.",
            "A film whose trailers contain spoilers that the studio should have kept to itself, since nothing else in it is as good as they are.",
        ] {
            assert!(!warned("Salt", "drama", line), "{line}");
        }
    }
}
