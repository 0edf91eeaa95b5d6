//! Names of people in a credits line, split only where it is certain.

/// Names beyond this are not read.
const MOST: usize = 40;
/// Small words inside names.
const PARTICLES: [&str; 28] = [
    "de", "del", "della", "di", "da", "dos", "das", "du", "la", "le", "van", "von", "der", "den", "het",
    "ter", "zu", "af", "av", "al", "el", "bin", "ibn", "ben", "y", "e", "i", "of",
];
/// Words of a company's name after `and`, before which nothing is split.
const COMPANY: [&str; 8] =
    ["Sons", "Daughters", "Brothers", "Sisters", "Company", "Co", "Partners", "Friends"];
const SUFFIXES: [&str; 9] = ["jr", "sr", "ii", "iii", "iv", "md", "phd", "esq", "asc"];

/// How a line is split at `and` between a single word and a full name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kin {
    /// *Joel and Ethan Coen* may share their name: not certain, so not split.
    MayShareName,
    /// *Zendaya and Josh O'Connor* are two.
    AreTwo,
}

/// The names in a line; none where anything in it is no name.
pub(super) fn names(text: &str, kin: Kin) -> Option<Vec<String>> {
    let text = text.trim().trim_end_matches(['.', ',', ';']).trim();
    let ends_short = ["Jr", "Sr"].iter().any(|s| text.ends_with(s));
    let mut found: Vec<String> = Vec::new();
    for part in commas(text) {
        let part = part.trim();
        let part = ["and ", "& "].iter().find_map(|a| part.strip_prefix(a)).unwrap_or(part);
        if part.is_empty() {
            continue;
        }
        let suffix = SUFFIXES.contains(&part.replace('.', "").to_lowercase().as_str());
        if let (true, Some(last)) = (suffix, found.last_mut()) {
            last.push_str(", ");
            last.push_str(part);
            if ends_short && !last.ends_with('.') {
                last.push('.');
            }
            continue;
        }
        for name in ands(part, kin) {
            let name = without_role(&name);
            if matches!(
                name.to_lowercase().as_str(),
                "more" | "others" | "many more" | "many others" | "et al"
            ) {
                continue;
            }
            if !is_name(&name) || found.len() >= MOST {
                return None;
            }
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
    (!found.is_empty()).then_some(found)
}

/// Split at commas, semicolons and bars outside parentheses.
fn commas(text: &str) -> Vec<String> {
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

fn ands(part: &str, kin: Kin) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut current: Vec<&str> = Vec::new();
    let words: Vec<&str> = part.split_whitespace().collect();
    for (at, word) in words.iter().enumerate() {
        let is_and = matches!(*word, "and" | "&" | "und" | "et");
        let next = words.get(at + 1).map(|w| w.trim_end_matches(['.', ',']));
        let company = next.is_none_or(|next| COMPANY.contains(&next));
        if is_and && !company && !current.is_empty() {
            found.push(current.join(" "));
            current.clear();
        } else {
            current.push(word);
        }
    }
    found.push(current.join(" "));
    let words = |name: &String| name.split(' ').count();
    let shared = kin == Kin::MayShareName
        && found.len() > 1
        && found.first().is_some_and(|n| words(n) == 1)
        && found.last().is_some_and(|n| words(n) > 1);
    if shared { vec![part.split_whitespace().collect::<Vec<_>>().join(" ")] } else { found }
}

/// Without `(as Ani)` or `(Ani)` behind it.
fn without_role(name: &str) -> String {
    let name = name.trim();
    match name.split_once('(') {
        Some((name, role)) if role.trim_end().ends_with(')') => name.trim().to_owned(),
        _ => name.to_owned(),
    }
}

fn is_name(name: &str) -> bool {
    let words: Vec<&str> = name.split(' ').collect();
    let plain =
        |c: char| c.is_alphanumeric() || "'\u{2019}-\u{2010}.,&\u{B7}\u{30FB} ".contains(c) || is_mark(c);
    let starts = words.first().is_some_and(|w| !is_small(w) || PARTICLES.contains(w));
    let initials = |w: &str| w.ends_with('.') && w.chars().count() <= 6;
    (1..=7).contains(&words.len())
        && name.chars().count() <= 60
        && name.chars().any(char::is_alphabetic)
        && name.chars().all(plain)
        && starts
        && words.iter().any(|w| !is_small(w))
        && words.iter().all(|w| !is_small(w) || PARTICLES.contains(w) || *w == "and" || *w == "&")
        && words.iter().all(|w| {
            !w.trim_end_matches(',').contains('.')
                || initials(w)
                || w.matches('.').count() > 1 && !w.ends_with("..")
        })
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// Whether a word is of small letters only.
fn is_small(word: &str) -> bool {
    word.chars().any(char::is_lowercase) && !word.chars().any(|c| c.is_uppercase() || c.is_numeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_where_it_is_certain() {
        let two = |text: &str| names(text, Kin::AreTwo).unwrap().join(" + ");
        let kin = |text: &str| names(text, Kin::MayShareName).unwrap().join(" + ");
        assert_eq!(
            two("Mikey Madison, Mark Eydelshteyn and Yura Borisov"),
            "Mikey Madison + Mark Eydelshteyn + Yura Borisov"
        );
        assert_eq!(
            two("Robert Downey, Jr., Ke Huy Quan & Zendaya"),
            "Robert Downey, Jr. + Ke Huy Quan + Zendaya"
        );
        assert_eq!(two("Zendaya and Josh O\u{2019}Connor"), "Zendaya + Josh O\u{2019}Connor");
        assert_eq!(
            two("Mikey Madison (Ani), Vache Tovmasyan (as Garnick, the muscle)"),
            "Mikey Madison + Vache Tovmasyan"
        );
        assert_eq!(kin("Joel and Ethan Coen"), "Joel and Ethan Coen");
        assert_eq!(kin("Joel Coen and Ethan Coen"), "Joel Coen + Ethan Coen");
        assert_eq!(kin("Sanders and Sons"), "Sanders and Sons");
        assert_eq!(
            kin("J.J. Abrams, Guillermo del Toro, M. Night Shyamalan."),
            "J.J. Abrams + Guillermo del Toro + M. Night Shyamalan"
        );
        assert_eq!(kin("宮崎駿、高畑勲"), "宮崎駿 + 高畑勲");
        assert_eq!(two("Michael B. Jordan, and many more"), "Michael B. Jordan");
    }

    #[test]
    fn prose_is_no_name() {
        for text in [
            "Sean Baker, this film is a delight.",
            "a committee",
            "his own account, badly",
            "Sean Baker. It sings",
            "Who? Nobody!",
            "",
        ] {
            assert_eq!(names(text, Kin::AreTwo), None, "{text}");
        }
    }
}
