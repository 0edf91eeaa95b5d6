//! Columns: what stands before the film in the headlines of a series, as in `Horror in the 90s: Candyman`. Such a headline
//! names a film only if the column is known: from the config, or because several headlines begin with it.

use std::collections::{HashMap, HashSet};

use super::labels::{WordKind, is_word};
use crate::domain::content_hash::fold_letters;

/// How many headlines with different endings begin with a column that the config does not name.
const MIN_HEADLINES: usize = 3;
/// The maximum length of a column in words.
const MAX_WORDS: usize = 8;
/// The maximum number of columns of a feed.
const MAX_COLUMNS: usize = 100;
/// Words of series that are about people, news or several films.
const OTHER_SERIES: [&str; 91] = [
    "interview",
    "interviews",
    "conversation",
    "talk",
    "talks",
    "talking",
    "q&a",
    "questions",
    "profile",
    "portrait",
    "spotlight",
    "news",
    "trailer",
    "trailers",
    "teaser",
    "clip",
    "poster",
    "posters",
    "podcast",
    "episode",
    "ep",
    "list",
    "lists",
    "listicle",
    "top",
    "best",
    "worst",
    "ranked",
    "ranking",
    "favorite",
    "favourite",
    "favorites",
    "favourites",
    "year",
    "obituary",
    "memoriam",
    "rip",
    "tribute",
    "essay",
    "feature",
    "preview",
    "previews",
    "predictions",
    "oscars",
    "oscar",
    "awards",
    "nominations",
    "winners",
    "giveaway",
    "contest",
    "office",
    "soundtrack",
    "score",
    "book",
    "books",
    "tv",
    "television",
    "series",
    "season",
    "game",
    "games",
    "recap",
    "links",
    "weekend",
    "guest",
    "notes",
    "diary",
    "week",
    "gespräch",
    "nachruf",
    "liste",
    "vorschau",
    "nachrichten",
    "serie",
    "entretien",
    "actu",
    "hommage",
    "bande-annonce",
    "intervista",
    "classifica",
    "entrevista",
    "noticias",
    "tráiler",
    "adelanto",
    "lista",
    "intervju",
    "wywiad",
    "zwiastun",
    "nekrolog",
    "minnesord",
    "nyheter",
];
/// The same in scripts without spaces.
const OTHER_SERIES_UNSPACED: [&str; 7] =
    ["インタビュー", "ニュース", "予告", "ランキング", "인터뷰", "예고편", "뉴스"];

/// The columns of a feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeadlineColumns {
    /// Those that the config names, in letters.
    configured: HashSet<String>,
    /// Those that several headlines begin with, in letters.
    seen: HashSet<String>,
}

/// What follows a column in a headline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnEntry {
    /// The headline without the column.
    pub rest: String,
    /// Whether the config names the column.
    pub is_configured: bool,
}

impl HeadlineColumns {
    /// Returns the columns that the config names.
    pub fn configured(names: &[String]) -> Self {
        Self { configured: names.iter().map(|name| fold_letters(name)).collect(), seen: HashSet::new() }
    }

    /// Adds the columns that several of these headlines begin with.
    pub fn learn<'a>(&mut self, headlines: impl Iterator<Item = &'a str>) {
        let mut endings: HashMap<String, HashSet<String>> = HashMap::new();
        for (column, rest) in headlines.filter_map(split).filter(|(column, _)| may_be_column(column)) {
            endings.entry(fold_letters(column)).or_default().insert(fold_letters(rest));
        }
        let often = endings.into_iter().filter(|(_, endings)| endings.len() >= MIN_HEADLINES);
        let mut names: Vec<String> = often.map(|(column, _)| column).collect();
        names.sort_unstable();
        self.seen.extend(names.into_iter().take(MAX_COLUMNS));
    }

    /// Returns what follows the column in a headline that begins with one.
    pub fn entry(&self, headline: &str) -> Option<ColumnEntry> {
        let (column, rest) = split(headline)?;
        let column = fold_letters(column);
        let is_configured = self.configured.contains(&column);
        (is_configured || self.seen.contains(&column))
            .then(|| ColumnEntry { rest: rest.to_owned(), is_configured })
    }
}

/// Splits a headline at its first colon, dash or bar.
fn split(headline: &str) -> Option<(&str, &str)> {
    let at = [": ", " – ", " — ", " - ", " | ", "：", "｜"]
        .into_iter()
        .filter_map(|separator| Some((headline.find(separator)?, separator.len())))
        .min()?;
    let (column, rest) = (headline.get(..at.0)?.trim(), headline.get(at.0 + at.1..)?.trim());
    (!fold_letters(column).is_empty() && !fold_letters(rest).is_empty()).then_some((column, rest))
}

fn may_be_column(column: &str) -> bool {
    let lower = column.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| c.is_whitespace() || ",/()".contains(c)).collect();
    let is_other = |word: &&str| {
        OTHER_SERIES.contains(word) || is_word(word, WordKind::NotFilm) || is_word(word, WordKind::Digest)
    };
    words.len() <= MAX_WORDS
        && !words.iter().any(|word| is_other(&word.trim_matches(['\'', '"', '#', '’'])))
        && !is_word(&lower, WordKind::NotFilm)
        && !is_word(&lower, WordKind::Digest)
        && !OTHER_SERIES_UNSPACED.iter().any(|word| lower.contains(word))
        && !lower.contains("in review")
}

#[cfg(test)]
mod tests {
    use super::super::extract_in_column;
    use super::*;

    const BODY: &str =
        "<p>I saw Candyman, Cube and Cure in one night, each of them in the dark, as one should.</p>";

    fn films(columns: &HeadlineColumns, headlines: &[&str]) -> Vec<String> {
        let film = |headline: &&str| {
            extract_in_column(headline, columns.entry(headline).as_ref(), BODY, None).film.title
        };
        headlines.iter().map(film).collect()
    }

    #[test]
    fn a_column_of_three_headlines_is_known() {
        let mut columns = HeadlineColumns::default();
        let headlines =
            ["Horror in the 90s: Candyman", "Horror in the 90s: Cube (1997)", "Horror in the 90s: \"Cure\""];
        columns.learn(headlines.iter().take(2).copied());
        assert_eq!(films(&columns, &headlines[..1]), [""], "two are too few");
        columns.learn(headlines.iter().copied());
        assert_eq!(films(&columns, &headlines), ["Candyman", "Cube", "Cure"]);
        assert_eq!(films(&columns, &["Horror in the 90s: What We Learned", "Candyman: an essay"]), ["", ""]);
    }

    #[test]
    fn a_column_of_the_config_is_known() {
        let columns = HeadlineColumns::configured(&["Horror in the 90s".to_owned()]);
        let headlines =
            ["Horror In The 90s – Candyman", "Horror in the 90s | The Faculty", "Other: Candyman"];
        assert_eq!(films(&columns, &headlines), ["Candyman", "The Faculty", ""]);
    }

    #[test]
    fn series_about_something_else_are_no_columns() {
        for column in [
            "Interview",
            "News",
            "The Year in Review",
            "Top Ten",
            "Trailer",
            "In Memoriam",
            "Book Club",
            "TV",
            "Nachruf",
            "Wywiad",
            "インタビュー",
            "Oscars 2025",
            "Best of 2024",
        ] {
            let headlines = ["Candyman", "Cube", "Cure"].map(|film| format!("{column}: {film}"));
            let mut columns = HeadlineColumns::default();
            columns.learn(headlines.iter().map(String::as_str));
            let headlines: Vec<&str> = headlines.iter().map(String::as_str).collect();
            assert_eq!(films(&columns, &headlines), ["", "", ""], "{column}");
        }
    }
}
