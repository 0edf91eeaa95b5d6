//! What was looked for, and what was found.

use serde::Serialize;
use url::form_urlencoded::Serializer;

use super::view::{self, Card, Listed, Pager};
use super::{Pages, plain};
use crate::domain::critic::Critic;
use crate::domain::rating::Rating;
use crate::domain::search::{self, LONGEST_QUERY, Piece, Word};
use crate::domain::text::for_xml;

/// What a reader looks for, as asked. Nothing of it is trusted.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Words.
    pub q: String,
    /// Written in that year.
    pub year: String,
    /// The key of the least rating.
    pub rating: String,
    /// A tag.
    pub tag: String,
    /// Somebody of the film.
    pub person: String,
    /// The handle of a critic.
    pub critic: String,
}

/// What the page of a search shows. Lies at `/search?q=…`.
#[derive(Debug, Clone, Copy)]
pub struct SearchPage<'a> {
    /// What was asked.
    pub asked: &'a Asked,
    /// The words that were looked for.
    pub words: &'a [Word],
    /// The reviews on this page; none where nothing was asked.
    pub found: Option<&'a [Listed<'a>]>,
    /// How many there are, counted up to `most`.
    pub total: u64,
    /// Beyond that they are not counted.
    pub most: u64,
    /// What is wrong with what was asked.
    pub problem: Option<Problem>,
    /// Who writes here.
    pub critics: &'a [Critic],
    /// The ratings that were given, the best first.
    pub ratings: &'a [Rating],
    /// The first and the last year of the archive.
    pub years: Option<(i16, i16)>,
    /// The number of this page, from one.
    pub page: u32,
    /// How many pages there are, at least one.
    pub pages: u32,
}

/// What is wrong with a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// It is longer than any search is.
    TooLong,
    /// It has no word.
    NoWord,
}

#[derive(Debug, Serialize)]
struct View {
    query: String,
    longest: usize,
    year: String,
    tag: String,
    person: String,
    is_filtered: bool,
    years: Option<(i16, i16)>,
    ratings: Vec<Choice>,
    critics: Vec<Choice>,
    several_critics: bool,
    /// None where nothing was looked for.
    found: Option<Vec<Hit>>,
    total: u64,
    /// There are more than `total`.
    is_more: bool,
    problem: Option<&'static str>,
    pager: Pager,
}

/// One of several to choose from.
#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    name: String,
    is_chosen: bool,
}

#[derive(Debug, Serialize)]
struct Hit {
    card: Card,
    title: Vec<Part>,
    /// Of the text, where it has the words; what the lists say of the review where it has none.
    excerpt: Vec<Part>,
}

/// A part of a text; the template marks those that were looked for.
#[derive(Debug, Serialize)]
struct Part {
    text: String,
    hit: bool,
}

fn parts(pieces: Vec<Piece>) -> Vec<Part> {
    pieces.into_iter().map(|piece| Part { text: piece.text, hit: piece.is_hit }).collect()
}

impl Asked {
    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.fields().all(|(_, value)| value.trim().is_empty())
    }

    fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fields = [
            ("q", &self.q),
            ("year", &self.year),
            ("rating", &self.rating),
            ("tag", &self.tag),
            ("person", &self.person),
            ("critic", &self.critic),
        ];
        fields.into_iter().map(|(name, value)| (name, value.as_str()))
    }

    /// The address of its first page.
    fn path(&self) -> String {
        let asked = self.fields().filter(|(_, value)| !value.is_empty());
        format!("{PATH}?{}", Serializer::new(String::new()).extend_pairs(asked).finish())
    }
}

impl Pages {
    /// The page of a search.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn search(&self, page: &SearchPage<'_>) -> anyhow::Result<String> {
        let (site, asked) = (&self.site, page.asked);
        let hit = |listed: &Listed<'_>| {
            let draft = &listed.review.draft;
            let card = Card::new(site, *listed);
            let excerpt = search::excerpt(&draft.body, page.words);
            Hit {
                title: parts(search::marked(&view::title(site, listed.review), page.words)),
                excerpt: parts(excerpt.unwrap_or_else(|| search::marked(card.text(), page.words))),
                card,
            }
        };
        let rating = |rating: &Rating| Choice {
            name: plain::name(&rating.plain()),
            is_chosen: rating.key() == asked.rating,
            value: rating.key(),
        };
        let critic = |critic: &Critic| Choice {
            name: view::name(critic),
            is_chosen: critic.profile.handle.eq_ignore_ascii_case(&asked.critic),
            value: critic.profile.handle.clone(),
        };
        let is_too_long = page.problem == Some(Problem::TooLong);
        let view = View {
            query: if is_too_long { String::new() } else { plain::text(&asked.q) },
            longest: LONGEST_QUERY,
            year: plain::name(&asked.year),
            tag: plain::name(&asked.tag),
            person: plain::name(&asked.person),
            is_filtered: asked.fields().skip(1).any(|(_, value)| !value.is_empty()),
            years: page.years,
            ratings: page.ratings.iter().map(rating).collect(),
            critics: page.critics.iter().map(critic).collect(),
            several_critics: page.critics.len() > 1,
            found: page.found.map(|found| found.iter().map(hit).collect()),
            total: page.total.min(page.most),
            is_more: page.total > page.most,
            problem: page.problem.map(|problem| match problem {
                Problem::TooLong => "search-too-long",
                Problem::NoWord => "search-no-word",
            }),
            pager: Pager::new(&asked.path(), page.page, page.pages),
        };
        self.render("search.html", view)
    }

    /// How browsers search here by themselves (`OpenSearch` 1.1).
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn opensearch(&self) -> anyhow::Result<String> {
        let site = &self.site;
        let title = for_xml(&plain::text(&site.about.title));
        let view = Description {
            // The specification allows 16 characters.
            short: title.chars().take(16).collect(),
            about: site.words.say_with("search-in", [("site", title.as_str().into())]),
            template: format!("{}?q={{searchTerms}}", site.origin.url(PATH)),
            language: site.words.language().to_owned(),
            home: site.origin.url(PATH).into(),
            icon: site.origin.url(&self.assets.href("icon.svg").unwrap_or_else(|| "/".to_owned())).into(),
        };
        self.render("opensearch.xml", view)
    }
}

#[derive(Debug, Serialize)]
struct Description {
    short: String,
    about: String,
    template: String,
    language: String,
    home: String,
    icon: String,
}

/// Where the search is.
pub(super) const PATH: &str = "/search";
