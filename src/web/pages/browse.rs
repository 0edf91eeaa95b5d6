//! The browse page, and the indexes of films, people and tags from A to Z.

use serde::Serialize;

use super::archive::year_path;
use super::links::slug_path;
use super::pager::Pager;
use super::rating_view::RatingView;
use super::{Pages, plain_text};
use crate::domain::rating::Rating;

/// An entry of an index.
#[derive(Debug, Clone, Copy)]
pub struct IndexEntry<'a> {
    /// The last segment of its path.
    pub slug: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The number of reviews.
    pub total: u64,
}

/// Input of the browse page at `/browse`.
#[derive(Debug, Clone, Copy)]
pub struct BrowsePage<'a> {
    /// The number of reviews.
    pub total: u64,
    /// The years with reviews, newest first, and the number of reviews in each.
    pub years: &'a [(i16, u64)],
    /// The ratings in use, best first.
    pub ratings: &'a [IndexEntry<'a>],
    /// The tags with the most reviews.
    pub tags: &'a [IndexEntry<'a>],
    /// The people with the most reviews.
    pub people: &'a [IndexEntry<'a>],
}

/// What an index lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// Films.
    Films,
    /// People.
    People,
    /// Tags.
    Tags,
}

impl IndexKind {
    /// The path of the index, and of its entries before the slug.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Films => "/films",
            Self::People => "/people",
            Self::Tags => "/tags",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Films => "films",
            Self::People => "people",
            Self::Tags => "tags",
        }
    }
}

/// Input of an index at `/films?letter=L&page=N` and so on.
#[derive(Debug, Clone, Copy)]
pub struct IndexPage<'a> {
    /// What it lists.
    pub index: IndexKind,
    /// The letters that any entry starts with.
    pub letters: &'a [String],
    /// The letter that is shown; `None` for all.
    pub letter: Option<&'a str>,
    /// The entries of this page.
    pub shelves: &'a [IndexEntry<'a>],
    /// The number of entries on all pages.
    pub total: u64,
    /// The number of this page, from one.
    pub page: u32,
    /// The number of pages, at least one.
    pub pages: u32,
}

#[derive(Debug, Serialize)]
struct BrowsePageView {
    url: String,
    total: u64,
    years: Vec<IndexLink>,
    ratings: Vec<RatingLink>,
    tags: Vec<IndexLink>,
    people: Vec<IndexLink>,
}

#[derive(Debug, Serialize)]
struct IndexLink {
    name: String,
    href: String,
    total: u64,
    /// The width of its bar, in twelfths of the widest.
    twelfths: u64,
}

#[derive(Debug, Serialize)]
struct RatingLink {
    rating: RatingView,
    href: String,
    total: u64,
    twelfths: u64,
}

#[derive(Debug, Serialize)]
struct IndexPageView {
    url: String,
    kind: &'static str,
    letters: Vec<LetterLink>,
    letter: Option<String>,
    shelves: Vec<IndexLink>,
    total: u64,
    pager: Pager,
}

#[derive(Debug, Serialize)]
struct LetterLink {
    letter: String,
    href: String,
    is_chosen: bool,
}

/// The width of a bar in twelfths of the widest.
const fn twelfths(number: u64, largest: u64) -> u64 {
    if largest == 0 { 0 } else { (number * 12).div_ceil(largest) }
}

fn index_links(folder: &str, shelves: &[IndexEntry<'_>]) -> Vec<IndexLink> {
    let largest = shelves.iter().map(|shelf| shelf.total).max().unwrap_or(0);
    let way = |shelf: &IndexEntry<'_>| IndexLink {
        name: plain_text::name(shelf.name),
        href: slug_path(&format!("{folder}/"), shelf.slug),
        total: shelf.total,
        twelfths: twelfths(shelf.total, largest),
    };
    shelves.iter().map(way).collect()
}

impl Pages {
    /// Renders the browse page.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn browse(&self, page: &BrowsePage<'_>) -> anyhow::Result<String> {
        let site = &self.site;
        let largest = |numbers: &mut dyn Iterator<Item = u64>| numbers.max().unwrap_or(0);
        let of_years = largest(&mut page.years.iter().map(|(_, total)| *total));
        let of_ratings = largest(&mut page.ratings.iter().map(|shelf| shelf.total));
        let year = |(year, total): &(i16, u64)| IndexLink {
            name: year.to_string(),
            href: year_path(*year),
            total: *total,
            twelfths: twelfths(*total, of_years),
        };
        let rated = |shelf: &IndexEntry<'_>| {
            Some(RatingLink {
                rating: RatingView::new(&site.messages, &Rating::parse(shelf.name)?),
                href: slug_path("/ratings/", shelf.slug),
                total: shelf.total,
                twelfths: twelfths(shelf.total, of_ratings),
            })
        };
        let view = BrowsePageView {
            url: site.origin.url(PATH).into(),
            total: page.total,
            years: page.years.iter().map(year).collect(),
            ratings: page.ratings.iter().filter_map(rated).collect(),
            tags: index_links(IndexKind::Tags.path(), page.tags),
            people: index_links(IndexKind::People.path(), page.people),
        };
        self.render("browse.html", view)
    }

    /// Renders a page of an index.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn index(&self, page: &IndexPage<'_>) -> anyhow::Result<String> {
        let path = page.index.path();
        let of_letter = |letter: &str| slug_path(&format!("{path}?letter="), letter);
        let own = page.letter.map_or_else(|| path.to_owned(), of_letter);
        let letter = |letter: &String| LetterLink {
            href: of_letter(letter),
            is_chosen: page.letter == Some(letter),
            letter: plain_text::name(&letter.to_uppercase()),
        };
        let view = IndexPageView {
            url: self.site.origin.url(&own).into(),
            kind: page.index.name(),
            letters: page.letters.iter().map(letter).collect(),
            letter: page.letter.map(|letter| plain_text::name(&letter.to_uppercase())),
            shelves: index_links(path, page.shelves),
            total: page.total,
            pager: Pager::new(&own, page.page, page.pages),
        };
        self.render("index.html", view)
    }
}

/// The path of the browse page.
pub(super) const PATH: &str = "/browse";
