//! The words of credits in many languages: labels such as *Directed by* and *Regie*, and words with a meaning within values
//! and headlines. They are in `labels.tsv`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// What a label introduces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum CreditLabel {
    Directors,
    Writers,
    Stars,
    Released,
    Published,
    Rating,
    Title,
    OriginalTitle,
    Year,
    /// The country, perhaps with the year.
    Country,
    /// A credit for which there is no field.
    Other,
}

/// How a label is written, from the most to the least certain form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LabelForm {
    /// Before a separator, as in `Director: X`.
    Separated,
    /// Before a space, as in `Directed by X`.
    Spaced,
    /// A preposition, as in `Avec X`. It is a label only beside others.
    Preposition,
    /// An initial before a colon, as in `D: X`. It is a label only beside others.
    Initial,
}

impl LabelForm {
    /// Whether the label counts only beside others.
    pub(super) const fn is_weak(self) -> bool {
        matches!(self, Self::Preposition | Self::Initial)
    }
}

/// Words that mean something within values and headlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum WordKind {
    /// A value that says that there is none: `N/A`.
    Nobody,
    /// The end of a list that names not all: `et al.`.
    Others,
    /// What follows is not a writer of the film: `based on`.
    BasedOn,
    Country,
    /// *Review*, and words around it.
    Review,
    /// What is not a film, before or after *review*: `book`.
    NotFilm,
    /// What is reviewed in a digest: `Year in Review`.
    Digest,
    /// What stands before *review* and is not a title: `Blu-ray`.
    Column,
    /// The heading of a block of credits: `Film info`.
    Heading,
    /// Several films: `double feature`.
    DoubleFeature,
}

/// A line or a part of one that begins with a label.
#[derive(Debug, PartialEq)]
pub(super) struct Labelled<'a> {
    pub(super) labels: Vec<CreditLabel>,
    pub(super) form: LabelForm,
    /// The label as it is written.
    pub(super) head: &'a str,
    /// What follows the label. It is empty if the label is alone.
    pub(super) value: &'a str,
}

/// The longest label in characters.
const MAX_LABEL_CHARS: usize = 44;
/// The longest label before a space, in words.
const MAX_LABEL_WORDS: usize = 6;

#[derive(Default)]
struct Tables {
    /// Labels with the forms in which they occur: separated, spaced, as a preposition, as an initial, within others.
    labels: HashMap<&'static str, (CreditLabel, [bool; 5])>,
    words: HashSet<(&'static str, WordKind)>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables = Tables::default();
    for line in include_str!("labels.tsv").lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split('\t');
        let (Some(text), Some(kind)) = (fields.next(), fields.next()) else { continue };
        let word = match kind {
            "nobody" => Some(WordKind::Nobody),
            "others" => Some(WordKind::Others),
            "based-on" => Some(WordKind::BasedOn),
            "country" => Some(WordKind::Country),
            "review" => Some(WordKind::Review),
            "not-film" => Some(WordKind::NotFilm),
            "digest" => Some(WordKind::Digest),
            "column" => Some(WordKind::Column),
            "heading" => Some(WordKind::Heading),
            "double-feature" => Some(WordKind::DoubleFeature),
            _ => None,
        };
        if let Some(word) = word {
            tables.words.insert((text, word));
            continue;
        }
        let label = match kind {
            "director" => CreditLabel::Directors,
            "writer" => CreditLabel::Writers,
            "star" => CreditLabel::Stars,
            "released" => CreditLabel::Released,
            "published" => CreditLabel::Published,
            "rating" => CreditLabel::Rating,
            "title" => CreditLabel::Title,
            "original-title" => CreditLabel::OriginalTitle,
            "year" => CreditLabel::Year,
            "place" => CreditLabel::Country,
            _ => CreditLabel::Other,
        };
        let (_, forms) = tables.labels.entry(text).or_insert((label, [false; 5]));
        match fields.next() {
            Some("by") => forms[0..2].fill(true),
            Some("weak") => forms[2] = true,
            Some("short") => forms[3] = true,
            Some("part") => forms[4] = true,
            _ => forms[0] = true,
        }
    }
    tables
});

/// Whether a text, in any case, is a word of a kind.
pub(super) fn is_word(text: &str, kind: WordKind) -> bool {
    TABLES.words.contains(&(fold(text).as_str(), kind))
}

/// Returns a label or word as the table has it.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        for c in word.chars() {
            match c {
                '\u{2019}' | '\u{2BC}' => folded.push('\''),
                '\u{B7}' => folded.push('・'),
                c => folded.extend(c.to_lowercase()),
            }
        }
    }
    folded
}

/// Returns the meaning of a label that is written in a form, or of several joined ones such as *Regie und Drehbuch*.
fn find_labels(text: &str, form: LabelForm) -> Option<Vec<CreditLabel>> {
    if text.chars().count() > MAX_LABEL_CHARS {
        return None;
    }
    let folded = fold(text);
    let folded =
        folded.trim_matches(|c: char| matches!(c, '.' | ':' | '*' | '_' | '"' | '(' | '[' | ']' | ' '));
    let folded = folded.strip_suffix(')').filter(|inner| !inner.contains('(')).unwrap_or(folded);
    let slot = match form {
        LabelForm::Separated => 0,
        LabelForm::Spaced => 1,
        LabelForm::Preposition => 2,
        LabelForm::Initial => 3,
    };
    let has_form = |forms: &[bool; 5]| {
        forms.get(slot).copied().unwrap_or_default() || (form == LabelForm::Separated && forms[2])
    };
    if let Some((label, _)) = TABLES.labels.get(folded).filter(|(_, forms)| has_form(forms)) {
        return Some(vec![*label]);
    }
    if form.is_weak() {
        return None;
    }
    let before_bracket =
        folded.split_once(['(', '（']).map(|(head, _)| head.trim()).filter(|head| !head.is_empty());
    find_joined(folded, slot).or_else(|| find_labels(before_bracket?, form))
}

/// Returns the meaning of joined labels. The last one decides the form.
fn find_joined(folded: &str, slot: usize) -> Option<Vec<CreditLabel>> {
    const CONJUNCTIONS: [&str; 11] = ["and", "und", "et", "e", "y", "i", "och", "og", "en", "&", "+"];
    let mut parts: Vec<String> = vec![String::new()];
    for word in
        folded.replace(['/', ',', '・', '、', '|', '&', '+', '／'], " & ").replace('-', " & ").split(' ')
    {
        if word.is_empty() {
            continue;
        }
        let Some(last) = parts.last_mut() else { continue };
        match (CONJUNCTIONS.contains(&word), last.is_empty()) {
            (true, true) => {}
            (true, false) => parts.push(String::new()),
            (false, true) => last.push_str(word),
            (false, false) => {
                last.push(' ');
                last.push_str(word);
            }
        }
    }
    if !(2..=4).contains(&parts.len()) {
        return None;
    }
    let mut labels = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let (label, forms) = TABLES.labels.get(part.as_str())?;
        let is_last = at + 1 == parts.len();
        let fits = if is_last { forms.get(slot).copied().unwrap_or_default() } else { forms[0] || forms[4] };
        let joins = !matches!(label, CreditLabel::Rating | CreditLabel::Title | CreditLabel::Published);
        if !fits || !joins {
            return None;
        }
        if *label != CreditLabel::Other && !labels.contains(label) {
            labels.push(*label);
        }
    }
    if labels.is_empty() {
        labels.push(CreditLabel::Other);
    }
    Some(labels)
}

/// The characters between a label and its value that need no space around them.
const SEPARATORS: [char; 8] = [':', '：', '|', '｜', '\t', '=', '→', '︰'];
const DASHES: [char; 3] = ['-', '\u{2013}', '\u{2014}'];

/// Returns the label at the start of a text, and what follows it.
pub(super) fn split_label(text: &str) -> Option<Labelled<'_>> {
    let text = strip_bullet(text);
    if let Some(labelled) = split_bracketed_label(text) {
        return Some(labelled);
    }
    // The colons first: `Writer-director: X`.
    let mut dashes = Vec::new();
    for (at, c) in text.char_indices().take(MAX_LABEL_CHARS + 1) {
        let Some((head, rest)) = text.split_at_checked(at) else { break };
        if DASHES.contains(&c) {
            dashes.push(at);
        }
        if SEPARATORS.contains(&c) {
            let found = find_labels(head, LabelForm::Separated).map(|labels| (labels, LabelForm::Separated));
            let initial = || find_labels(head, LabelForm::Initial).map(|labels| (labels, LabelForm::Initial));
            if let Some((labels, form)) = found.or_else(initial) {
                let value =
                    rest.trim_start_matches(|c: char| is_separator(c) || c.is_whitespace()).trim_end();
                return Some(Labelled { labels, form, head, value });
            }
            // What stands before a colon is the whole label, unless a country or a link precedes it.
            if c != '|' {
                break;
            }
        }
    }
    for at in dashes {
        let Some((head, rest)) = text.split_at_checked(at) else { break };
        let is_spaced =
            head.ends_with(char::is_whitespace) || rest.chars().nth(1).is_some_and(char::is_whitespace);
        if is_spaced && let Some(labels) = find_labels(head, LabelForm::Separated) {
            let value = rest.trim_start_matches(|c: char| is_separator(c) || c.is_whitespace()).trim_end();
            return Some(Labelled { labels, form: LabelForm::Separated, head, value });
        }
    }
    if let Some(labels) = find_labels(text, LabelForm::Separated).filter(|_| !text.is_empty()) {
        return Some(Labelled { labels, form: LabelForm::Separated, head: text, value: "" });
    }
    if let Some(labelled) = split_abbreviated_label(text) {
        return Some(labelled);
    }
    [LabelForm::Spaced, LabelForm::Preposition]
        .into_iter()
        .find_map(|form| split_spaced_label(text, form))
        .or_else(|| split_bare_label(text))
}

/// Splits a line such as `Director Celine Song`, whose label usually has a colon. It counts only beside other credits.
fn split_bare_label(text: &str) -> Option<Labelled<'_>> {
    let (head, value) = text.split_once(' ')?;
    let labels = find_labels(head, LabelForm::Separated)?;
    let is_people = |label: &CreditLabel| {
        matches!(label, CreditLabel::Directors | CreditLabel::Writers | CreditLabel::Stars)
    };
    let starts_upper = [head, value].iter().all(|text| text.starts_with(char::is_uppercase));
    (starts_upper && labels.iter().all(is_people)).then(|| Labelled {
        labels,
        form: LabelForm::Preposition,
        head,
        value: value.trim(),
    })
}

fn is_separator(c: char) -> bool {
    SEPARATORS.contains(&c) || DASHES.contains(&c) || c == '.'
}

/// Splits a text such as `【監督】X` or `[Director] X`.
fn split_bracketed_label(text: &str) -> Option<Labelled<'_>> {
    let close = match text.chars().next()? {
        '【' => '】',
        '［' => '］',
        '[' => ']',
        '〈' => '〉',
        '＜' => '＞',
        '〔' => '〕',
        '（' => '）',
        '(' => ')',
        _ => return None,
    };
    let open = text.chars().next()?.len_utf8();
    let (head, rest) = text.get(open..)?.split_once(close)?;
    let labels = find_labels(head, LabelForm::Separated)?;
    let value = rest.trim_start_matches(|c: char| is_separator(c) || c.is_whitespace()).trim_end();
    Some(Labelled { labels, form: LabelForm::Separated, head, value })
}

/// Splits a text such as `dir. X` or `reż. X`.
fn split_abbreviated_label(text: &str) -> Option<Labelled<'_>> {
    let (head, value) = text.split_once(". ")?;
    let is_word = (3..=6).contains(&head.chars().count()) && head.chars().all(char::is_alphabetic);
    let labels = find_labels(head, LabelForm::Separated).filter(|_| is_word)?;
    let is_people = |label: &CreditLabel| {
        matches!(label, CreditLabel::Directors | CreditLabel::Writers | CreditLabel::Stars)
    };
    labels.iter().all(is_people).then(|| Labelled {
        labels,
        form: LabelForm::Separated,
        head,
        value: value.trim(),
    })
}

/// Splits a text such as `Directed by X`, at the longest label.
fn split_spaced_label(text: &str, form: LabelForm) -> Option<Labelled<'_>> {
    let mut ends: Vec<usize> = Vec::new();
    let mut was_space = false;
    for (at, c) in text.char_indices().take(MAX_LABEL_CHARS + 1) {
        if c.is_whitespace() && !was_space {
            ends.push(at);
            if ends.len() >= MAX_LABEL_WORDS {
                break;
            }
        }
        was_space = c.is_whitespace();
    }
    ends.iter().rev().find_map(|end| {
        let (head, rest) = text.split_at_checked(*end)?;
        let labels = find_labels(head, form)?;
        Some(Labelled { labels, form, head, value: rest.trim() })
    })
}

/// Removes a bullet or an emoji before a label.
pub(super) fn strip_bullet(text: &str) -> &str {
    let is_bullet = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '•' | '·'
                    | '・'
                    | '*'
                    | '-'
                    | '–'
                    | '—'
                    | '>'
                    | '»'
                    | '→'
                    | '✓'
                    | '✔'
                    | '➤'
                    | '◦'
                    | '\u{FE0F}'
                    | '\u{200D}'
            )
            || matches!(u32::from(c), 0x25A0..=0x25FF | 0x1F300..=0x1F64F | 0x1F680..=0x1FAFF)
    };
    let is_rating = |c: char| matches!(c, '\u{1F31F}' | '\u{1F44D}' | '\u{1F44E}');
    text.trim_start_matches(|c: char| is_bullet(c) && !is_rating(c)).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = include_str!("labels.tsv").lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let fields: Vec<&str> = line.split('\t').collect();
            assert!((2..=3).contains(&fields.len()), "{line}");
            assert_eq!(fold(fields[0]), fields[0], "{line}");
            let is_label = fields.len() == 3;
            assert_eq!(TABLES.labels.contains_key(fields[0]) && is_label, is_label, "{line}");
        }
    }

    #[test]
    fn labels_are_found_in_all_forms() {
        use CreditLabel::{Directors, Other, Stars, Writers};
        for (text, labels, value) in [
            ("Directed by Ilse Brandt", vec![Directors], "Ilse Brandt"),
            ("Director: Ilse Brandt", vec![Directors], "Ilse Brandt"),
            ("DIRECTOR(S) - Ilse Brandt", vec![Directors], "Ilse Brandt"),
            ("Written & Directed by: Ilse Brandt", vec![Writers, Directors], "Ilse Brandt"),
            ("Writer-Director: Ilse Brandt", vec![Writers, Directors], "Ilse Brandt"),
            ("Regie und Drehbuch: Ilse Brandt", vec![Directors, Writers], "Ilse Brandt"),
            ("Produced and Directed by Ilse Brandt", vec![Directors], "Ilse Brandt"),
            ("Scénario : Tomas Rey", vec![Writers], "Tomas Rey"),
            ("監督・脚本：ブラント", vec![Directors, Writers], "ブラント"),
            ("【出演】エク、ヴァーレ", vec![Stars], "エク、ヴァーレ"),
            ("■ 監督　ブラント", vec![Directors], "ブラント"),
            ("감독: 김하나", vec![Directors], "김하나"),
            ("🎬 Regi: Ilse Brandt", vec![Directors], "Ilse Brandt"),
            ("Director of Photography: Per Lund", vec![Other], "Per Lund"),
            ("Cast", vec![Stars], ""),
            ("Avec Nora Ek", vec![Stars], "Nora Ek"),
            ("D: Ilse Brandt", vec![Directors], "Ilse Brandt"),
            ("dir. Ilse Brandt", vec![Directors], "Ilse Brandt"),
            ("reż. Ilse Brandt", vec![Directors], "Ilse Brandt"),
            ("Director Ilse Brandt", vec![Directors], "Ilse Brandt"),
        ] {
            let found = split_label(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.labels, found.value), (labels, value), "{text}");
        }
        for text in ["A lift stops", "director of it all", "Art Direction of the year: X", "12:30", ""] {
            assert_eq!(split_label(text), None, "{text}");
        }
    }
}
