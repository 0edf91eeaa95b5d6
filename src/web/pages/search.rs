//! Renders the search page.

use serde::Serialize;
use url::form_urlencoded::Serializer;

use super::critic_view::critic_name;
use super::pager::Pager;
use super::review_card::{ReviewCard, ReviewListItem, review_title};
use super::{Pages, plain_text};
use crate::domain::critic::Critic;
use crate::domain::rating::Rating;
use crate::domain::search::{self, ExcerptSpan, MAX_QUERY_LENGTH, SearchTerm};

/// The query of a reader, as sent.
#[derive(Debug, Clone, Default)]
pub struct SearchFilters {
    /// The search words.
    pub q: String,
    /// The year of the review.
    pub year: String,
    /// The slug of the lowest rating.
    pub rating: String,
    /// A tag.
    pub tag: String,
    /// A person of the film.
    pub person: String,
    /// The handle of a critic.
    pub critic: String,
}

/// Input of the search page at `/search?q=…`.
#[derive(Debug, Clone, Copy)]
pub struct SearchPage<'a> {
    /// The query.
    pub filters: &'a SearchFilters,
    /// The words that were searched.
    pub words: &'a [SearchTerm],
    /// The reviews of this page; `None` if nothing was searched.
    pub found: Option<&'a [ReviewListItem<'a>]>,
    /// The number of results, counted up to `max_total`.
    pub total: u64,
    /// The number up to which results are counted.
    pub max_total: u64,
    /// What is wrong with the query.
    pub problem: Option<SearchProblem>,
    /// The critics of the site.
    pub critics: &'a [Critic],
    /// The ratings in use, best first.
    pub ratings: &'a [Rating],
    /// The first and the last year of the archive.
    pub years: Option<(i16, i16)>,
    /// The number of this page, from one.
    pub page: u32,
    /// The number of pages, at least one.
    pub pages: u32,
}

/// What is wrong with a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchProblem {
    /// It is too long.
    TooLong,
    /// It contains no word.
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
    /// `None` if nothing was searched.
    found: Option<Vec<SearchHit>>,
    total: u64,
    /// Whether there are more than `total`.
    is_more: bool,
    problem: Option<&'static str>,
    pager: Pager,
}

/// An option of a filter.
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
    /// A part of the review's body that contains the words, otherwise its teaser.
    excerpt: Vec<TextPart>,
}

/// A part of a text; the template highlights matches.
#[derive(Debug, Serialize)]
struct TextPart {
    text: String,
    hit: bool,
}

fn text_parts(spans: Vec<ExcerptSpan>) -> Vec<TextPart> {
    spans.into_iter().map(|span| TextPart { text: span.text, hit: span.is_match }).collect()
}

impl SearchFilters {
    /// Whether nothing is searched.
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

    /// The path of the first page of results.
    fn path(&self) -> String {
        let filters = self.fields().filter(|(_, value)| !value.is_empty());
        format!("{PATH}?{}", Serializer::new(String::new()).extend_pairs(filters).finish())
    }
}

impl Pages {
    /// Renders the search page.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn search(&self, page: &SearchPage<'_>) -> anyhow::Result<String> {
        let (site, filters) = (&self.site, page.filters);
        let hit = |listed: &ReviewListItem<'_>| {
            let content = &listed.review.content;
            let card = ReviewCard::new(site, *listed);
            let excerpt = search::excerpt(&content.body, page.words);
            SearchHit {
                title: text_parts(search::highlight(&review_title(site, listed.review), page.words)),
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
            name: critic_name(critic),
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
            total: page.total.min(page.max_total),
            is_more: page.total > page.max_total,
            problem: page.problem.map(|problem| match problem {
                SearchProblem::TooLong => "search-too-long",
                SearchProblem::NoWord => "search-no-word",
            }),
            pager: Pager::new(&filters.path(), page.page, page.pages),
        };
        self.render("search.html", view)
    }
}

/// The path of the search page.
pub(super) const PATH: &str = "/search";
