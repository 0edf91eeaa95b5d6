//! Whether two names of authors are of the same person.

/// Whether two names are plainly of the same person: all words of the shorter one are in the longer one, at least one of them in
/// full and others perhaps as initials, such as in `O. Larkin` and `Odette Larkin`.
pub fn is_same_person(a: &str, b: &str) -> bool {
    let words = |name: &str| -> Vec<String> {
        let folded = name.to_lowercase();
        let words = folded.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’');
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let (mut short, mut long) = (words(a), words(b));
    if short.len() > long.len() {
        std::mem::swap(&mut short, &mut long);
    }
    // Many people have the same first name.
    if short.len() == 1 && long.len() > 1 {
        return false;
    }
    let is_initial = |a: &str, b: &str| a.chars().count() == 1 && b.starts_with(a);
    let mut full = 0;
    for word in &short {
        let same = long.iter().position(|other| other == word);
        full += usize::from(same.is_some());
        let found =
            same.or_else(|| long.iter().position(|other| is_initial(word, other) || is_initial(other, word)));
        let Some(found) = found else { return false };
        long.remove(found);
    }
    full > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_and_missing_words_are_of_the_same_person() {
        for (a, b) in [
            ("Odette Larkin", "odette  larkin"),
            ("O. Larkin", "Odette Larkin"),
            ("Odette M. Larkin", "Odette Larkin"),
            ("Larkin Odette", "Odette Larkin"),
            ("By Odette Larkin", "Odette Larkin"),
            ("小津", "小津"),
        ] {
            assert!(is_same_person(a, b) && is_same_person(b, a), "{a} / {b}");
        }
        for (a, b) in [
            ("Ben Larkin", "Odette Larkin"),
            ("Odette Meyer", "Odette Larkin"),
            ("O. L.", "Odette Larkin"),
            ("Bob", "Odette Larkin"),
            ("Odette", "Odette Larkin"),
            ("", "Odette Larkin"),
            ("admin", "Odette Larkin"),
        ] {
            assert!(!is_same_person(a, b) && !is_same_person(b, a), "{a} / {b}");
        }
    }
}
