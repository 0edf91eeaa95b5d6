//! Splits a line with several credits, such as `Regie: A. Buch: B, mit C und D; 1986, 98 Min.`, into one part each.

use super::film_facts::parse_fact;
use super::labels::{CreditLabel, LabelForm, Labelled, split_label};
use super::person_names::{after_maker_word, is_full_name};

/// Words before a full stop that do not end a credit.
const ABBREVIATIONS: [&str; 12] =
    ["jr", "sr", "dr", "st", "mr", "mrs", "ms", "prof", "no", "vol", "bzw", "ca"];

/// Words within labels such as `Regie und Buch`.
const JOINING_WORDS: [&str; 11] = ["and", "und", "et", "e", "y", "i", "och", "og", "en", "&", "+"];

/// How sharply a character separates parts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Boundary {
    /// `;` or `|`: it always separates.
    Sharp,
    /// `.`: it separates unless it belongs to an abbreviation.
    FullStop,
    /// `,` or `–`: it separates before any label.
    Comma,
    /// A space: it separates only before a label that cannot be anything else.
    Space,
}

/// Splits a line before labels, and at semicolons, bars and full stops. The parts are not empty.
pub(super) fn split_segments(text: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    let mut start = 0;
    let mut depth = 0_usize;
    let mut previous: Option<char> = None;
    let mut label_end = end_of_label(text, start);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '（' => depth += 1,
            ')' | '）' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let boundary = match c {
            ';' | '|' | '｜' | '；' | '•' | '\n' => Some(Boundary::Sharp),
            // `dir. Ada Lindqvist · France · 72 min`; without spaces it is part of a name.
            '·' if previous == Some(' ')
                && text.get(at + c.len_utf8()..).is_some_and(|rest| rest.starts_with(' ')) =>
            {
                Some(Boundary::Sharp)
            }
            '.' => Some(Boundary::FullStop),
            ',' | '–' | '—' | '/' | '、' | '，' => Some(Boundary::Comma),
            c if c.is_whitespace() => Some(Boundary::Space),
            _ => None,
        };
        let after = at + c.len_utf8();
        // `Assistant Director: X` and `Director/Writer: X` are one label.
        if let Some(boundary) = boundary.filter(|_| depth == 0 && at > start && at >= label_end) {
            let rest = text.get(after..).unwrap_or_default();
            let current = text.get(start..at).unwrap_or_default();
            if separates(boundary, current, rest, previous) {
                push(&mut segments, current);
                start = after;
                label_end = end_of_label(text, start);
            }
        }
        previous = Some(c);
    }
    push(&mut segments, text.get(start..).unwrap_or_default());
    segments
}

/// Returns where the label ends that stands before a colon at `start`; `start` if there is none.
fn end_of_label(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let blank = rest.len() - rest.trim_start().len();
    let head = rest.split([':', '：']).next().filter(|head| head.len() < rest.len()).unwrap_or_default();
    let labelled = split_label(rest).filter(|labelled| labelled.form == LabelForm::Separated);
    labelled.map_or(start, |labelled| {
        if head.trim() == labelled.head.trim() { start + blank + labelled.head.len() } else { start }
    })
}

fn push<'a>(segments: &mut Vec<&'a str>, segment: &'a str) {
    let segment = segment.trim().trim_end_matches([',', ';', '|', '–', '—', '/']).trim();
    if !segment.is_empty() {
        segments.push(segment);
    }
}

fn separates(boundary: Boundary, current: &str, rest: &str, previous: Option<char>) -> bool {
    let follows_space = rest.starts_with(char::is_whitespace);
    let rest = rest.trim_start();
    let label = || split_label(rest).filter(|labelled| !labelled.value.is_empty());
    match boundary {
        // A bar may follow a label: `Director | X`.
        Boundary::Sharp => split_label(current).is_none_or(|labelled| !labelled.value.is_empty()),
        Boundary::FullStop => {
            let word = current.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            let is_abbreviation =
                word.chars().count() < 3 || ABBREVIATIONS.contains(&word.to_lowercase().as_str());
            // A date or another abbreviation may go on: `Oct. 8, 2024`.
            let goes_on = rest.starts_with(char::is_lowercase)
                || rest.starts_with(|c: char| c.is_ascii_digit())
                    && !current.ends_with(|c: char| c.is_ascii_digit())
                    && !begins_with_fact(rest);
            follows_space
                && !goes_on
                && split_label(current).is_none_or(|labelled| !labelled.value.is_empty())
                && (!is_abbreviation || label().is_some() && previous.is_some_and(char::is_alphanumeric))
        }
        // `111 Min., von Thea Lund`
        Boundary::Comma if after_maker_word(rest).is_some() && ends_with_fact(current) => true,
        Boundary::Comma => label().is_some_and(|labelled| is_credit_start(&labelled, rest)),
        // `Regie und Buch: X` is one label.
        Boundary::Space if JOINING_WORDS.contains(&current.rsplit(' ').next().unwrap_or_default()) => false,
        Boundary::Space if is_cast_preposition(rest) => split_label(current)
            .is_some_and(|before| before.labels == [CreditLabel::Directors] && is_full_name(before.value)),
        Boundary::Space => {
            starts_upper(rest)
                && label().is_some_and(|labelled| {
                    is_sure_start(&labelled, rest)
                        && split_label(current).is_none_or(|before| !before.value.is_empty())
                })
        }
    }
}

/// Whether a fact stands before the next separator, such as in `15 cert, 97 mins`. A number alone may be a day.
fn begins_with_fact(rest: &str) -> bool {
    let first = |separators: &[char]| rest.split(separators).next().unwrap_or_default();
    let item = first(&['.', ';', '|', ',']);
    parse_fact(first(&['.', ';', '|'])).is_some()
        || item.contains(char::is_alphabetic) && parse_fact(item).is_some()
}

/// Whether a label after a comma begins a credit.
fn is_credit_start(labelled: &Labelled<'_>, rest: &str) -> bool {
    match labelled.form {
        LabelForm::Separated => true,
        LabelForm::Spaced => labelled.head.contains(' ') || labelled.head.len() > 5,
        // `de` and `von` are also parts of names.
        LabelForm::Preposition => {
            !matches!(labelled.head.to_lowercase().as_str(), "de" | "di" | "von" | "van" | "av" | "af")
                || rest.starts_with(char::is_uppercase)
        }
        LabelForm::Initial => false,
    }
}

/// Whether a label after a mere space begins a credit.
fn is_sure_start(labelled: &Labelled<'_>, rest: &str) -> bool {
    let has_colon = || {
        let after = rest.get(labelled.head.len()..).unwrap_or_default().trim_start();
        after.starts_with([':', '：'])
    };
    match labelled.form {
        LabelForm::Separated => has_colon(),
        LabelForm::Spaced => labelled.head.contains(' '),
        LabelForm::Preposition => {
            matches!(labelled.head, "Par" | "Avec" | "With" | "Mit" | "Met" | "Med")
        }
        LabelForm::Initial => false,
    }
}

/// Whether the last item of a list is a fact.
fn ends_with_fact(list: &str) -> bool {
    parse_fact(list.rsplit([',', '|', ';']).next().unwrap_or_default()).is_some()
}

/// Whether a text is like `mit Ulrich Ahl`, as after `von Thea Lund`.
fn is_cast_preposition(text: &str) -> bool {
    ["mit ", "avec ", "with ", "con ", "com ", "met ", "med "]
        .iter()
        .any(|word| text.strip_prefix(word).is_some_and(|rest| rest.starts_with(char::is_uppercase)))
}

fn starts_upper(text: &str) -> bool {
    text.starts_with(|c: char| c.is_uppercase() || !c.is_ascii() && !c.is_lowercase())
}
