//! Renders the browse page, and the indexes of films, people and tags from A to Z.

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
    /// The initials of all entries.
    pub initials: &'a [String],
    /// The initial of the entries shown; `None` for all.
    pub initial: Option<&'a str>,
    /// The entries of this page.
    pub entries: &'a [IndexEntry<'a>],
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
    #[serde(rename = "shelves")]
    entries: Vec<IndexLink>,
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

fn index_links(folder: &str, entries: &[IndexEntry<'_>]) -> Vec<IndexLink> {
    let largest = entries.iter().map(|entry| entry.total).max().unwrap_or(0);
    let link = |entry: &IndexEntry<'_>| IndexLink {
        name: plain_text::name(entry.name),
        href: slug_path(&format!("{folder}/"), entry.slug),
        total: entry.total,
        twelfths: twelfths(entry.total, largest),
    };
    entries.iter().map(link).collect()
}

impl Pages {
    /// Renders the browse page.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn browse(&self, page: &BrowsePage<'_>) -> anyhow::Result<String> {
        let site = &self.site;
        let largest = |numbers: &mut dyn Iterator<Item = u64>| numbers.max().unwrap_or(0);
        let largest_year = largest(&mut page.years.iter().map(|(_, total)| *total));
        let largest_rating = largest(&mut page.ratings.iter().map(|entry| entry.total));
        let year = |(year, total): &(i16, u64)| IndexLink {
            name: year.to_string(),
            href: year_path(*year),
            total: *total,
            twelfths: twelfths(*total, largest_year),
        };
        let rating = |entry: &IndexEntry<'_>| {
            Some(RatingLink {
                rating: RatingView::new(&site.messages, &Rating::parse(entry.name)?),
                href: slug_path("/ratings/", entry.slug),
                total: entry.total,
                twelfths: twelfths(entry.total, largest_rating),
            })
        };
        let view = BrowsePageView {
            url: site.origin.url(PATH).into(),
            total: page.total,
            years: page.years.iter().map(year).collect(),
            ratings: page.ratings.iter().filter_map(rating).collect(),
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
        let initial_path = |initial: &str| slug_path(&format!("{path}?letter="), initial);
        let own_path = page.initial.map_or_else(|| path.to_owned(), initial_path);
        let letter_link = |initial: &String| LetterLink {
            href: initial_path(initial),
            is_chosen: page.initial == Some(initial),
            letter: plain_text::name(&initial.to_uppercase()),
        };
        let view = IndexPageView {
            url: self.site.origin.url(&own_path).into(),
            kind: page.index.name(),
            letters: page.initials.iter().map(letter_link).collect(),
            letter: page.initial.map(|initial| plain_text::name(&initial.to_uppercase())),
            entries: index_links(path, page.entries),
            total: page.total,
            pager: Pager::new(&own_path, page.page, page.pages),
        };
        self.render("index.html", view)
    }
}

/// The path of the browse page.
pub(super) const PATH: &str = "/browse";
