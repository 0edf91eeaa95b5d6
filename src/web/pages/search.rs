//! What was looked for, and what was found.

use serde::Serialize;
use url::form_urlencoded::Serializer;

use super::views::{self, Pager, ReviewCard, ReviewListItem};
use super::{Pages, plain_text};
use crate::domain::critic::Critic;
use crate::domain::rating::Rating;
use crate::domain::search::{self, ExcerptSpan, MAX_QUERY_LENGTH, SearchTerm};
use crate::domain::text::strip_invalid_xml;

/// What a reader looks for, as filters. Nothing of it is trusted.
#[derive(Debug, Clone, Default)]
pub struct SearchFilters {
    /// Messages.
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
    /// What was filters.
    pub filters: &'a SearchFilters,
    /// The words that were looked for.
    pub words: &'a [SearchTerm],
    /// The reviews on this page; none where nothing was filters.
    pub found: Option<&'a [ReviewListItem<'a>]>,
    /// How many there are, counted up to `most`.
    pub total: u64,
    /// Beyond that they are not counted.
    pub most: u64,
    /// What is wrong with what was filters.
    pub problem: Option<SearchProblem>,
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
pub enum SearchProblem {
    /// It is longer than any search is.
    TooLong,
    /// It has no word.
    NoWord,
}

#[derive(Debug, Serialize)]
struct SearchPageView {
    query: String,
    longest: usize,
    year: String,
    tag: String,
    person: String,
    is_filtered: bool,
    years: Option<(i16, i16)>,
    ratings: Vec<SearchChoice>,
    critics: Vec<SearchChoice>,
    several_critics: bool,
    /// None where nothing was looked for.
    found: Option<Vec<SearchHit>>,
    total: u64,
    /// There are more than `total`.
    is_more: bool,
    problem: Option<&'static str>,
    pager: Pager,
}

/// One of several to choose from.
#[derive(Debug, Serialize)]
struct SearchChoice {
    value: String,
    name: String,
    is_chosen: bool,
}

#[derive(Debug, Serialize)]
struct SearchHit {
    card: ReviewCard,
    title: Vec<TextPart>,
    /// Of the text, where it has the words; what the lists say of the review where it has none.
    excerpt: Vec<TextPart>,
}

/// A part of a text; the template marks those that were looked for.
#[derive(Debug, Serialize)]
struct TextPart {
    text: String,
    hit: bool,
}

fn text_parts(pieces: Vec<ExcerptSpan>) -> Vec<TextPart> {
    pieces.into_iter().map(|piece| TextPart { text: piece.text, hit: piece.is_match }).collect()
}

impl SearchFilters {
    /// Whether nothing is filters.
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
        let filters = self.fields().filter(|(_, value)| !value.is_empty());
        format!("{PATH}?{}", Serializer::new(String::new()).extend_pairs(filters).finish())
    }
}

impl Pages {
    /// The page of a search.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn search(&self, page: &SearchPage<'_>) -> anyhow::Result<String> {
        let (site, filters) = (&self.site, page.filters);
        let hit = |listed: &ReviewListItem<'_>| {
            let draft = &listed.review.content;
            let card = ReviewCard::new(site, *listed);
            let excerpt = search::excerpt(&draft.body, page.words);
            SearchHit {
                title: text_parts(search::highlight(&views::title(site, listed.review), page.words)),
                excerpt: text_parts(excerpt.unwrap_or_else(|| search::highlight(card.text(), page.words))),
                card,
            }
        };
        let rating = |rating: &Rating| SearchChoice {
            name: plain_text::name(&rating.to_canonical()),
            is_chosen: rating.slug() == filters.rating,
            value: rating.slug(),
        };
        let critic = |critic: &Critic| SearchChoice {
            name: views::name(critic),
            is_chosen: critic.profile.handle.eq_ignore_ascii_case(&filters.critic),
            value: critic.profile.handle.clone(),
        };
        let is_too_long = page.problem == Some(SearchProblem::TooLong);
        let view = SearchPageView {
            query: if is_too_long { String::new() } else { plain_text::text(&filters.q) },
            longest: MAX_QUERY_LENGTH,
            year: plain_text::name(&filters.year),
            tag: plain_text::name(&filters.tag),
            person: plain_text::name(&filters.person),
            is_filtered: filters.fields().skip(1).any(|(_, value)| !value.is_empty()),
            years: page.years,
            ratings: page.ratings.iter().map(rating).collect(),
            critics: page.critics.iter().map(critic).collect(),
            several_critics: page.critics.len() > 1,
            found: page.found.map(|found| found.iter().map(hit).collect()),
            total: page.total.min(page.most),
            is_more: page.total > page.most,
            problem: page.problem.map(|problem| match problem {
                SearchProblem::TooLong => "search-too-long",
                SearchProblem::NoWord => "search-no-word",
            }),
            pager: Pager::new(&filters.path(), page.page, page.pages),
        };
        self.render("search.html", view)
    }

    /// How browsers search here by themselves (`OpenSearch` 1.1).
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn opensearch(&self) -> anyhow::Result<String> {
        let site = &self.site;
        let title = strip_invalid_xml(&plain_text::text(&site.about.title));
        let view = OpenSearchView {
            // The specification allows 16 characters.
            short: title.chars().take(16).collect(),
            about: site.messages.format("search-in", [("site", title.as_str().into())]),
            template: format!("{}?q={{searchTerms}}", site.origin.url(PATH)),
            language: site.messages.language().to_owned(),
            home: site.origin.url(PATH).into(),
            icon: site.origin.url(&self.assets.href("icon.svg").unwrap_or_else(|| "/".to_owned())).into(),
        };
        self.render("opensearch.xml", view)
    }
}

#[derive(Debug, Serialize)]
struct OpenSearchView {
    short: String,
    about: String,
    template: String,
    language: String,
    home: String,
    icon: String,
}

/// Where the search is.
pub(super) const PATH: &str = "/search";
