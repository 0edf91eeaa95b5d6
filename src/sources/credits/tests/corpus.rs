//! Measures the credits that are read in reviews in the forms of real critics. Half of them were written by somebody who had
//! not seen the parser.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use crate::domain::rating::Rating;
use crate::domain::review::ReviewContent;
use crate::sources::review_content::{ReviewParts, SourceText};

/// The least part of the read values that are right, and of the values that are read.
const MIN_PRECISION: f64 = 0.98;
const MIN_RECALL: f64 = 0.90;

#[derive(Deserialize)]
struct Corpus {
    block: Vec<Sample>,
}

/// A review with what is right.
#[derive(Deserialize)]
struct Sample {
    name: String,
    language: Option<String>,
    headline: String,
    html: String,
    #[serde(default)]
    expected: Expected,
}

/// The right values. A key that is missing means that no value may be read.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Expected {
    film: Option<String>,
    year: Option<i16>,
    #[serde(default)]
    directors: Vec<String>,
    #[serde(default)]
    writers: Vec<String>,
    #[serde(default)]
    stars: Vec<String>,
    rating: Option<String>,
}

/// Counts of a field.
#[derive(Default)]
struct Score {
    right: u32,
    wrong: u32,
    missing: u32,
}

impl Score {
    fn count(&mut self, read: &str, expected: &str) {
        let is_right = read == expected;
        self.right += u32::from(is_right && !read.is_empty());
        self.wrong += u32::from(!is_right && !read.is_empty());
        self.missing += u32::from(!is_right && !expected.is_empty());
    }

    fn precision(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.wrong).max(1))
    }

    fn recall(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.missing).max(1))
    }
}

fn read(sample: &Sample) -> ReviewContent {
    let parts = ReviewParts {
        title: Some(SourceText::Plain(sample.headline.clone())),
        body: Some(SourceText::Html(sample.html.clone())),
        language: sample.language.clone(),
        ..ReviewParts::default()
    };
    parts.into_content(&"https://crit.example/a".parse().unwrap()).unwrap().0
}

/// The value of a rating, however it is written; empty if nobody can know its scale, as of `4,5` or `a fat seven`.
fn rating_value(text: &str) -> String {
    // More than five points, as in `Voto: 7½`, are out of ten.
    let of_ten = || Rating::parse(&format!("{text}/10")).filter(|rating| rating.rank() > 500);
    Rating::parse_labelled(text).or_else(of_ten).map(|rating| rating.slug()).unwrap_or_default()
}

fn measure(corpus: &str, scores: &mut BTreeMap<&'static str, Score>, report: &mut String) -> usize {
    let corpus: Corpus = toml::from_str(corpus).unwrap();
    for sample in &corpus.block {
        let content = read(sample);
        let (film, expected) = (&content.film, &sample.expected);
        let year = |year: Option<i16>| year.map(|year| year.to_string()).unwrap_or_default();
        let rating = content.rating.as_ref().map(|rating| rating_value(rating.as_str())).unwrap_or_default();
        for (field, read, right) in [
            ("film", film.title.clone(), expected.film.clone().unwrap_or_default()),
            ("year", year(film.year), year(expected.year)),
            ("directors", film.directors.join(" + "), expected.directors.join(" + ")),
            ("writers", film.writers.join(" + "), expected.writers.join(" + ")),
            ("stars", film.stars.join(" + "), expected.stars.join(" + ")),
            ("rating", rating, expected.rating.as_deref().map(rating_value).unwrap_or_default()),
        ] {
            scores.entry(field).or_default().count(&read, &right);
            if read != right {
                let _ = writeln!(report, "{}: {field} is {read:?} and not {right:?}", sample.name);
            }
        }
    }
    corpus.block.len()
}

#[test]
fn credits_are_read_as_critics_write_them() {
    let mut scores = BTreeMap::new();
    let mut report = String::new();
    let corpora = [
        include_str!("../../../../tests/fixtures/credits/independent.toml"),
        include_str!("../../../../tests/fixtures/credits/own.toml"),
        include_str!("../../../../tests/fixtures/credits/pages.toml"),
        include_str!("../../../../tests/fixtures/credits/shapes.toml"),
        include_str!("../../../../tests/fixtures/credits/natural.toml"),
        include_str!("../../../../tests/fixtures/credits/sample.toml"),
    ];
    let count: usize = corpora.iter().map(|corpus| measure(corpus, &mut scores, &mut report)).sum();
    for (field, score) in &scores {
        println!(
            "{field}: precision {:.3}, recall {:.3} ({} right, {} wrong, {} missing)",
            score.precision(),
            score.recall(),
            score.right,
            score.wrong,
            score.missing
        );
    }
    println!("{count} reviews\n{report}");
    let is_good = |score: &Score| score.precision() >= MIN_PRECISION && score.recall() >= MIN_RECALL;
    assert!(scores.values().all(is_good));
}
