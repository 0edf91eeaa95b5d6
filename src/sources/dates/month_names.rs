//! The names of months.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a word means as the name of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MonthName {
    /// The month with this number.
    Known(i64),
    /// Different months in different languages, and the language of the feed is none of them.
    Ambiguous,
    /// No month.
    Unknown,
}

/// The months of a name, with the languages that use it for the month, if other languages use it for another one.
type Meanings = Vec<(i64, Option<&'static str>)>;

static NAMES: LazyLock<HashMap<&'static str, Meanings>> = LazyLock::new(|| {
    let mut names: HashMap<&str, Meanings> = HashMap::new();
    for line in include_str!("month_names.tsv").lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split('\t');
        if let (Some(name), Some(Ok(month))) = (fields.next(), fields.next().map(str::parse)) {
            names.entry(name).or_default().push((month, fields.next()));
        }
    }
    names
});

/// Finds a month by its name, in lower case and without a full stop. `language` is a BCP 47 tag.
pub(super) fn find_month(name: &str, language: Option<&str>) -> MonthName {
    let Some(meanings) = NAMES.get(name) else { return MonthName::Unknown };
    let primary = language.and_then(|tag| tag.split('-').next()).unwrap_or_default();
    let is_used =
        |languages: Option<&str>| languages.is_none_or(|all| all.split(',').any(|one| one == primary));
    match meanings.iter().find(|(_, languages)| is_used(*languages)) {
        Some((month, _)) => MonthName::Known(*month),
        None => MonthName::Ambiguous,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_name() {
        let text = include_str!("month_names.tsv");
        let lines = text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(NAMES.values().map(Vec::len).sum::<usize>(), lines);
        assert!(NAMES.values().flatten().all(|(month, _)| (1..=12).contains(month)));
    }

    #[test]
    fn a_name_of_two_months_is_read_by_the_language() {
        assert_eq!(find_month("listopada", Some("pl")), MonthName::Known(11));
        assert_eq!(find_month("listopada", Some("hr-HR")), MonthName::Known(10));
        assert_eq!(find_month("listopada", None), MonthName::Ambiguous);
        assert_eq!(find_month("may", None), MonthName::Known(5));
        assert_eq!(find_month("smarch", None), MonthName::Unknown);
    }
}
