//! Parses the names of people in credits. A text is split only where the end of a name is unambiguous.

use super::labels::{WordKind, is_word};

/// The maximum number of names in a line. A line with more names is not a credit.
const MAX_NAMES: usize = 40;
/// A Japanese text with more Hiragana is a sentence and not a name.
const MAX_HIRAGANA: usize = 7;
/// Lower-case words within names.
const PARTICLES: [&str; 44] = [
    "ten", "te", "op", "aan", "vom", "zum", "dal", "dalla", "degli", "dei", "do", "los", "las", "lo", "abu",
    "'t", "de", "del", "della", "di", "da", "dos", "das", "du", "la", "le", "van", "von", "der", "den",
    "het", "ter", "zu", "af", "av", "al", "el", "bin", "ibn", "ben", "y", "e", "i", "of",
];
/// Words that follow `and` in the name of a company, which is not split.
const COMPANY_WORDS: [&str; 8] =
    ["Sons", "Daughters", "Brothers", "Sisters", "Company", "Co", "Partners", "Friends"];
/// Values that repeat another line.
const SAME: [&str; 7] = ["same", "same as above", "ditto", "idem", "dito", "ders", "dies"];
const SUFFIXES: [&str; 9] = ["jr", "sr", "ii", "iii", "iv", "md", "phd", "esq", "asc"];

/// Words between a title and its director, as in `Stalker, by Andrei Tarkovsky`.
pub(super) const MAKER_WORDS: [&str; 9] = ["by", "de", "di", "von", "van", "av", "af", "del", "por"];

/// Returns what follows one of [`MAKER_WORDS`] at the beginning of a text, if it begins like a name.
pub(super) fn after_maker_word(text: &str) -> Option<&str> {
    let (word, name) = text.split_once(' ')?;
    (MAKER_WORDS.contains(&word) && name.starts_with(char::is_uppercase)).then_some(name)
}

/// Whether two names joined by *and* may share a surname, as in *Joel and Ethan Coen*.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SharedSurname {
    /// They may, so the text is not split.
    Possible,
    /// They do not: *Zendaya and Josh O'Connor* are two names.
    No,
}

/// What the names in a text are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PersonNames {
    /// At least one name.
    Names(Vec<String>),
    /// The text says that there is nobody: `N/A`.
    Nobody,
}

/// Returns the names in a text, or `None` if any part of it is not a name.
pub(super) fn parse_names(text: &str, shared_surname: SharedSurname) -> Option<PersonNames> {
    let text = narrow(text);
    let text = text.trim().trim_end_matches([',', ';', '…']).trim();
    if is_word(text, WordKind::Nobody) || is_word(text.trim_end_matches('.'), WordKind::Nobody) {
        return Some(PersonNames::Nobody);
    }
    // `Writer: Same`, `Rollen: Ani – Nora Ek; Vanya – Jon Vale`: which of the two is the person is not said.
    let pairs = |separator: &str| text.matches(separator).count();
    let is_role = |dash: &str| {
        text.split_once(dash).is_some_and(|(role, name)| !role.contains(' ') && name.trim().contains(' '))
    };
    let lists_roles = [" - ", " – ", " — "].into_iter().any(|dash| pairs(dash) == 1 && is_role(dash));
    if lists_roles || SAME.contains(&text.trim_end_matches('.').to_lowercase().as_str()) {
        return None;
    }
    let had_full_stop = text.ends_with('.');
    let text = text.trim_end_matches('.').trim_end_matches([',', ' ']);
    let ends_with_suffix = ["Jr", "Sr"].iter().any(|s| text.ends_with(s));
    let text = before_source(text);
    let mut found: Vec<String> = Vec::new();
    for part in split_list(text) {
        let part = part.trim();
        if part.is_empty() || is_others(part) {
            continue;
        }
        let part = strip_introduction(part);
        if is_others(part) {
            continue;
        }
        let part = strip_others(part);
        let suffix = SUFFIXES.contains(&part.replace('.', "").to_lowercase().as_str());
        if let (true, Some(last)) = (suffix, found.last_mut()) {
            last.push_str(", ");
            last.push_str(part);
            if ends_with_suffix && !last.ends_with('.') {
                last.push('.');
            }
            continue;
        }
        for name in split_conjunction(part, shared_surname)? {
            let name = strip_role(strip_others(&name));
            let name = strip_introduction(strip_others(&name));
            if name.is_empty() || is_others(name) || is_word(name, WordKind::Nobody) {
                continue;
            }
            if !is_name(name) || found.len() >= MAX_NAMES {
                return None;
            }
            if !found.iter().any(|known| known == name) {
                found.push(name.to_owned());
            }
        }
    }
    if let Some(last) =
        found.last_mut().filter(|last| had_full_stop && ends_with_suffix && !last.ends_with('.'))
    {
        last.push('.');
    }
    (!found.is_empty()).then_some(PersonNames::Names(found))
}

/// Returns a text with the usual forms of full-width punctuation.
fn narrow(text: &str) -> String {
    let narrow = |c: char| match c {
        '（' | '［' | '[' => '(',
        '）' | '］' | ']' => ')',
        '，' => ',',
        '／' => '/',
        '；' => ';',
        '\u{3000}' | '\u{A0}' => ' ',
        c => c,
    };
    text.chars().map(narrow).collect()
}

/// Returns the text before words such as *based on*: the people after them did not make the film.
fn before_source(text: &str) -> &str {
    let is_start =
        |at: usize| text.get(..at).is_some_and(|before| before.ends_with([' ', ',', ';', '(', '、']));
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).filter(|at| is_start(*at)).collect();
    for at in starts {
        let rest = text.get(at..).unwrap_or_default();
        let ends = rest.match_indices([' ', '\'', '\u{2019}', '：', ':']).take(3);
        for (end, found) in ends {
            let end = if found == " " { end } else { end + found.len() };
            let head = rest.get(..end).unwrap_or_default().trim_end_matches([':', '：']);
            if is_word(head, WordKind::BasedOn) && !head.chars().next().is_some_and(char::is_uppercase) {
                return text.get(..at).unwrap_or_default().trim_end_matches([' ', ',', ';', '(', '–', '-']);
            }
        }
    }
    text
}

/// Removes words such as *and* or *with* before a name.
fn strip_introduction(part: &str) -> &str {
    const INTRODUCTIONS: [&str; 24] = [
        "and introducing ",
        "introducing ",
        "and ",
        "& ",
        "with ",
        "featuring ",
        "plus ",
        "und ",
        "mit ",
        "sowie ",
        "et ",
        "avec ",
        "con ",
        "e con ",
        "y ",
        "com ",
        "met ",
        "med ",
        "och ",
        "og ",
        "oraz ",
        "samt ",
        "the voices of ",
        "as well as ",
    ];
    let found = INTRODUCTIONS.iter().find_map(|word| {
        let head = part.get(..word.len())?;
        head.eq_ignore_ascii_case(word).then(|| part.get(word.len()..))?
    });
    found.map_or(part, str::trim_start)
}

/// Whether a text is *et al.* or the like, with or without its last full stop.
fn is_others(text: &str) -> bool {
    is_word(text, WordKind::Others) || is_word(&format!("{text}."), WordKind::Others)
}

/// Removes *et al.* and the like after a name.
fn strip_others(name: &str) -> &str {
    let mut name = name.trim();
    for end in ["ほか", "など"] {
        name = name.strip_suffix(end).unwrap_or(name).trim_end();
    }
    // The words may be joined to the name by a space alone.
    let spaces: Vec<usize> = name.match_indices(' ').map(|(at, _)| at).collect();
    spaces
        .into_iter()
        .find(|at| {
            let rest = name.get(at + 1..).unwrap_or_default();
            is_others(rest)
        })
        .and_then(|at| name.get(..at))
        .map_or(name, |name| name.trim_end_matches([',', ' ', '&', '+']))
}

/// Splits at commas and similar separators outside parentheses.
fn split_list(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        // A dash or a dot separates names only between spaces.
        let is_spaced = || {
            text.get(..at).is_some_and(|before| before.ends_with(' '))
                && text.get(at + c.len_utf8()..).is_some_and(|after| after.starts_with(' '))
        };
        let separates = matches!(c, ',' | ';' | '|' | '/' | '\n' | '、' | '•')
            || (matches!(c, '-' | '\u{2013}' | '\u{2014}' | '·' | '・') && is_spaced());
        if depth == 0 && separates {
            parts.push(text.get(start..at).unwrap_or_default());
            start = at + c.len_utf8();
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// Splits at `and`. Returns `None` if it is ambiguous whether the word belongs to a name, as in *Ortega y Gasset*.
fn split_conjunction(part: &str, shared_surname: SharedSurname) -> Option<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    let mut current: Vec<&str> = Vec::new();
    let mut depth = 0_usize;
    let words: Vec<&str> = part.split_whitespace().collect();
    for (at, word) in words.iter().enumerate() {
        let is_and = depth == 0
            && matches!(
                *word,
                "and"
                    | "And"
                    | "AND"
                    | "&"
                    | "+"
                    | "und"
                    | "et"
                    | "och"
                    | "og"
                    | "en"
                    | "oraz"
                    | "sowie"
                    | "samt"
                    | "with"
                    | "plus"
            );
        let may_be_and = depth == 0 && matches!(*word, "e" | "y" | "i" | "ed");
        depth += word.matches('(').count();
        depth = depth.saturating_sub(word.matches(')').count());
        let next = words.get(at + 1).map(|w| w.trim_end_matches(['.', ',']));
        let is_company = next.is_none_or(|next| COMPANY_WORDS.contains(&next));
        if may_be_and && !is_company && !current.is_empty() {
            let after = words.get(at + 1..).unwrap_or_default().len();
            match (current.len(), after) {
                (2.., 2..) | (1, 1) => {}
                _ => return None,
            }
        }
        if (is_and || may_be_and) && !is_company && !current.is_empty() {
            found.push(current.join(" "));
            current.clear();
        } else {
            current.push(word);
        }
    }
    found.push(current.join(" "));
    let words = |name: &String| name.split(' ').count();
    let may_share = shared_surname == SharedSurname::Possible
        && found.len() > 1
        && found.first().is_some_and(|n| words(n) == 1)
        && found.last().is_some_and(|n| words(n) > 1);
    Some(if may_share { vec![part.split_whitespace().collect::<Vec<_>>().join(" ")] } else { found })
}

/// Returns the name without a role after it, such as `(as Ani)`, `(Ani)` or `as Ani`.
fn strip_role(name: &str) -> String {
    let mut name = name.trim();
    for dots in ["…", "...", " .."] {
        name = name.split_once(dots).map_or(name, |(before, _)| before.trim_end_matches([' ', '.', '…']));
    }
    if let Some((before, role)) = name.split_once('(')
        && (role.trim_end().ends_with(')') || !role.contains(')'))
    {
        name = before.trim();
    }
    let as_role = [
        " as ",
        " als ",
        " dans le rôle ",
        " dans le role ",
        " nel ruolo ",
        " en el papel ",
        " como ",
        " som ",
        " jako ",
        " i rollen ",
        " in de rol ",
    ];
    let cut = as_role.iter().filter_map(|word| name.find(word)).min();
    cut.and_then(|at| name.get(..at)).unwrap_or(name).trim_end_matches(['.', '…', ' ']).to_owned()
        + initial_dot(name, cut)
}

/// The full stop of a name that ends with an abbreviation.
fn initial_dot(name: &str, cut: Option<usize>) -> &'static str {
    let ends = ["Jr.", "Sr."].iter().any(|end| name.ends_with(end));
    let is_initial = name.ends_with('.') && name.chars().rev().nth(2).is_some_and(char::is_whitespace);
    if cut.is_none() && (ends || is_initial) { "." } else { "" }
}

/// Whether a text looks like a name of several words.
pub(super) fn is_full_name(text: &str) -> bool {
    text.contains(' ') && is_name(text)
}

/// Whether a text looks like a name.
fn is_name(name: &str) -> bool {
    let words: Vec<&str> = name.split(' ').collect();
    let is_name_char = |c: char| {
        c.is_alphanumeric()
            || "'\u{2019}\u{2018}-\u{2010}\u{2013}.,&\u{B7}\u{30FB}\u{FF1D}= \"".contains(c)
            || is_mark(c)
    };
    let starts_like_name = words.first().is_some_and(|w| !is_lowercase(w) || PARTICLES.contains(w));
    let is_initial = |w: &str| w.ends_with('.') && w.chars().count() <= 6;
    let hiragana = name.chars().filter(|c| matches!(c, '\u{3041}'..='\u{309F}')).count();
    (1..=7).contains(&words.len())
        && hiragana <= MAX_HIRAGANA
        && name.chars().count() <= 60
        && name.chars().any(char::is_alphabetic)
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(is_name_char)
        && starts_like_name
        && words.iter().any(|w| !is_lowercase(w))
        && words.iter().all(|w| !is_lowercase(w) || PARTICLES.contains(w) || matches!(*w, "and" | "&"))
        && words.iter().all(|w| {
            !w.trim_end_matches(',').contains('.')
                || is_initial(w)
                || w.matches('.').count() > 1 && !w.ends_with("..")
        })
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// Whether a word is in lower case.
fn is_lowercase(word: &str) -> bool {
    word.chars().any(char::is_lowercase) && !word.chars().any(|c| c.is_uppercase() || c.is_numeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_only_where_it_is_unambiguous() {
        let names = |text: &str, shared| match parse_names(text, shared) {
            Some(PersonNames::Names(names)) => names.join(" + "),
            other => panic!("{text}: {other:?}"),
        };
        let separate = |text: &str| names(text, SharedSurname::No);
        let related = |text: &str| names(text, SharedSurname::Possible);
        assert_eq!(
            separate("Mikey Madison, Mark Eydelshteyn and Yura Borisov"),
            "Mikey Madison + Mark Eydelshteyn + Yura Borisov"
        );
        assert_eq!(
            separate("Robert Downey, Jr., Ke Huy Quan & Zendaya"),
            "Robert Downey, Jr. + Ke Huy Quan + Zendaya"
        );
        assert_eq!(separate("Zendaya and Josh O\u{2019}Connor"), "Zendaya + Josh O\u{2019}Connor");
        assert_eq!(
            separate("Mikey Madison (Ani), Vache Tovmasyan (as Garnick, the muscle)"),
            "Mikey Madison + Vache Tovmasyan"
        );
        assert_eq!(related("Joel and Ethan Coen"), "Joel and Ethan Coen");
        assert_eq!(related("Joel Coen and Ethan Coen"), "Joel Coen + Ethan Coen");
        assert_eq!(related("Sanders and Sons"), "Sanders and Sons");
        assert_eq!(
            related("J.J. Abrams, Guillermo del Toro, M. Night Shyamalan."),
            "J.J. Abrams + Guillermo del Toro + M. Night Shyamalan"
        );
        assert_eq!(related("宮崎駿、高畑勲"), "宮崎駿 + 高畑勲");
        assert_eq!(separate("Michael B. Jordan, and many more"), "Michael B. Jordan");
        assert_eq!(separate("Nora Ek as Anna, Jon Vale as the Postman"), "Nora Ek + Jon Vale");
        assert_eq!(separate("Nora Ek [Anna], Jon Vale (the Postman) et al."), "Nora Ek + Jon Vale");
        assert_eq!(separate("with Nora Ek, Jon Vale and Ida Roos"), "Nora Ek + Jon Vale + Ida Roos");
        assert_eq!(separate("Nora Ek, Jon Vale u.a."), "Nora Ek + Jon Vale");
        assert_eq!(separate("Nora Ek, Jon Vale y Ana Ruiz Luna"), "Nora Ek + Jon Vale + Ana Ruiz Luna");
        assert_eq!(separate("ノラ・エク、ヨン・ヴァーレほか"), "ノラ・エク + ヨン・ヴァーレ");
        assert_eq!(separate("김하나, 이두리 등"), "김하나 + 이두리");
        assert_eq!(separate("Nora Ek - Jon Vale"), "Nora Ek + Jon Vale");
        assert_eq!(separate("Jon Vale Jr., Nora Ek"), "Jon Vale Jr. + Nora Ek");
        assert_eq!(related("Tomas Rey, based on the novel by Kurt Weg"), "Tomas Rey");
        assert_eq!(related("Tomas Rey, nach dem Roman von Kurt Weg"), "Tomas Rey");
        assert_eq!(related("Tomas Rey (d\u{2019}après le roman de Kurt Weg)"), "Tomas Rey");
        for nobody in ["N/A", "TBA", "unknown", "k.A.", "Non renseigné", "不明", "미정", "b.d.", "-"] {
            assert_eq!(parse_names(nobody, SharedSurname::No), Some(PersonNames::Nobody), "{nobody}");
        }
    }

    #[test]
    fn prose_is_not_a_name() {
        for text in [
            "Sean Baker, this film is a delight.",
            "a committee",
            "his own account, badly",
            "Sean Baker. It sings",
            "Who? Nobody!",
            "",
        ] {
            assert_eq!(parse_names(text, SharedSurname::No), None, "{text}");
        }
    }
}
