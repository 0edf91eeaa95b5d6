//! Parses the names of people in credits. A text is split only where the end of a name is unambiguous.

/// The maximum number of names in a line. A line with more names is not a credit.
const MAX_NAMES: usize = 40;
/// Lower-case words within names.
const PARTICLES: [&str; 28] = [
    "de", "del", "della", "di", "da", "dos", "das", "du", "la", "le", "van", "von", "der", "den", "het",
    "ter", "zu", "af", "av", "al", "el", "bin", "ibn", "ben", "y", "e", "i", "of",
];
/// Words that follow `and` in the name of a company, which is not split.
const COMPANY_WORDS: [&str; 8] =
    ["Sons", "Daughters", "Brothers", "Sisters", "Company", "Co", "Partners", "Friends"];
const SUFFIXES: [&str; 9] = ["jr", "sr", "ii", "iii", "iv", "md", "phd", "esq", "asc"];

/// Whether two names joined by *and* may share a surname, as in *Joel and Ethan Coen*.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SharedSurname {
    /// They may, so the text is not split.
    Possible,
    /// They do not: *Zendaya and Josh O'Connor* are two names.
    No,
}

/// Returns the names in a text, or `None` if any part of it is not a name.
pub(super) fn parse_names(text: &str, shared_surname: SharedSurname) -> Option<Vec<String>> {
    let text = text.trim().trim_end_matches(['.', ',', ';']).trim();
    let ends_with_suffix = ["Jr", "Sr"].iter().any(|s| text.ends_with(s));
    let mut found: Vec<String> = Vec::new();
    for part in split_list(text) {
        let part = part.trim();
        let part = ["and ", "& "].iter().find_map(|a| part.strip_prefix(a)).unwrap_or(part);
        if part.is_empty() {
            continue;
        }
        let suffix = SUFFIXES.contains(&part.replace('.', "").to_lowercase().as_str());
        if let (true, Some(last)) = (suffix, found.last_mut()) {
            last.push_str(", ");
            last.push_str(part);
            if ends_with_suffix && !last.ends_with('.') {
                last.push('.');
            }
            continue;
        }
        for name in split_conjunction(part, shared_surname) {
            let name = strip_role(&name);
            if matches!(
                name.to_lowercase().as_str(),
                "more" | "others" | "many more" | "many others" | "et al"
            ) {
                continue;
            }
            if !is_name(&name) || found.len() >= MAX_NAMES {
                return None;
            }
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
    (!found.is_empty()).then_some(found)
}

/// Splits at commas and similar separators outside parentheses.
fn split_list(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && matches!(c, ',' | ';' | '|' | '/' | '\n' | '、' | '•') {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

/// Splits at `and`.
fn split_conjunction(part: &str, shared_surname: SharedSurname) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut current: Vec<&str> = Vec::new();
    let words: Vec<&str> = part.split_whitespace().collect();
    for (at, word) in words.iter().enumerate() {
        let is_and = matches!(*word, "and" | "&" | "und" | "et");
        let next = words.get(at + 1).map(|w| w.trim_end_matches(['.', ',']));
        let is_company = next.is_none_or(|next| COMPANY_WORDS.contains(&next));
        if is_and && !is_company && !current.is_empty() {
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
    if may_share { vec![part.split_whitespace().collect::<Vec<_>>().join(" ")] } else { found }
}

/// Returns the name without a role after it, such as `(as Ani)` or `(Ani)`.
fn strip_role(name: &str) -> String {
    let name = name.trim();
    match name.split_once('(') {
        Some((name, role)) if role.trim_end().ends_with(')') => name.trim().to_owned(),
        _ => name.to_owned(),
    }
}

fn is_name(name: &str) -> bool {
    let words: Vec<&str> = name.split(' ').collect();
    let is_name_char =
        |c: char| c.is_alphanumeric() || "'\u{2019}-\u{2010}.,&\u{B7}\u{30FB} ".contains(c) || is_mark(c);
    let starts_like_name = words.first().is_some_and(|w| !is_lowercase(w) || PARTICLES.contains(w));
    let is_initial = |w: &str| w.ends_with('.') && w.chars().count() <= 6;
    (1..=7).contains(&words.len())
        && name.chars().count() <= 60
        && name.chars().any(char::is_alphabetic)
        && name.chars().all(is_name_char)
        && starts_like_name
        && words.iter().any(|w| !is_lowercase(w))
        && words.iter().all(|w| !is_lowercase(w) || PARTICLES.contains(w) || *w == "and" || *w == "&")
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
        let separate = |text: &str| parse_names(text, SharedSurname::No).unwrap().join(" + ");
        let related = |text: &str| parse_names(text, SharedSurname::Possible).unwrap().join(" + ");
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
