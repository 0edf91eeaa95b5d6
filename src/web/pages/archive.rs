//! All reviews, or those on one shelf, by year.

use serde::Serialize;

use super::feed::{self, FeedLink};
use super::told::{ListPage, Told};
use super::view::{Card, Listed, Pager, RatingView, page_of, path};
use super::{Pages, plain};
use crate::domain::rating::Rating;

/// Where all reviews are listed.
pub(super) const PATH: &str = "/reviews";

/// Which reviews are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf<'a> {
    /// Those written in a year; and the years before and after it in which any were written.
    Year(i16, Option<i16>, Option<i16>),
    /// Those with a rating.
    Rating(&'a Rating),
    /// All of the site.
    All,
    /// Those with a tag, as the critic writes it.
    Tag(&'a str),
}

/// What a page of the archive shows. Lies at `/reviews?page=N`, or at `/tags/<slug>`, `/years/<year>`,
/// `/ratings/<rating>`.
#[derive(Debug, Clone, Copy)]
pub struct ArchivePage<'a> {
    /// Which reviews are listed.
    pub shelf: Shelf<'a>,
    /// The reviews of this page, newest first.
    pub reviews: &'a [Listed<'a>],
    /// How many there are on all pages.
    pub total: u64,
    /// Whether several critics write here, so that each review needs its name.
    pub several_critics: bool,
    /// The number of this page, from one.
    pub page: u32,
    /// How many pages there are, at least one.
    pub pages: u32,
}

#[derive(Debug, Serialize)]
struct View {
    url: String,
    title: String,
    tag: Option<String>,
    year: Option<i16>,
    year_before: Option<String>,
    year_after: Option<String>,
    rating: Option<RatingView>,
    years: Vec<OfYear>,
    /// Whether a heading for each year would have hardly a review under it.
    is_sparse: bool,
    total: u64,
    several_critics: bool,
    pager: Pager,
    /// Those of the shelf alone; every page has the site's.
    feeds: Vec<FeedLink>,
    told: Told,
}

#[derive(Debug, Serialize)]
pub(super) struct OfYear {
    year: i16,
    href: String,
    reviews: Vec<Card>,
}

impl Pages {
    /// A page of the archive.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn archive(&self, page: &ArchivePage<'_>) -> anyhow::Result<String> {
        let site = &self.site;
        let url = match page.shelf {
            Shelf::All => site.origin.url(PATH),
            Shelf::Tag(tag) => site.origin.tag_page(tag),
            Shelf::Year(year, ..) => site.origin.url(&path_of_year(year)),
            Shelf::Rating(rating) => site.origin.url(&page_of("/ratings/", &rating.key())),
        };
        let tag = if let Shelf::Tag(tag) = page.shelf { Some(plain::name(tag)) } else { None };
        let rating = if let Shelf::Rating(rating) = page.shelf { Some(rating) } else { None };
        let (year, before, after) = match page.shelf {
            Shelf::Year(year, before, after) => (Some(year), before, after),
            _ => (None, None, None),
        };
        let years = by_year(page.reviews.iter().map(|listed| Card::new(site, *listed)));
        let feeds = match &tag {
            Some(tag) => feed::links(&path(&url), &format!("#{tag} · {}", plain::text(&site.about.title))),
            None => Vec::new(),
        };
        let title = match page.shelf {
            Shelf::All => site.words.say("all-reviews"),
            Shelf::Tag(tag) => format!("#{}", plain::name(tag)),
            Shelf::Year(year, ..) => {
                site.words.say_with("reviews-of-year", [("year", year.to_string().into())])
            }
            Shelf::Rating(rating) => {
                site.words.say_with("reviews-rated", [("rating", plain::name(rating.shown()).into())])
            }
        };
        let description = site.words.say_with("reviews", [("count", page.total.into())]);
        let view = View {
            told: self.told_of_shelf(&ListPage { title: &title, description, url: &url }),
            title,
            feeds,
            tag,
            year,
            year_before: before.map(path_of_year),
            year_after: after.map(path_of_year),
            rating: rating.map(|rating| RatingView::of(&site.words, rating)),
            is_sparse: page.shelf != Shelf::All && is_sparse(&years),
            years,
            total: page.total,
            several_critics: page.several_critics,
            pager: Pager::new(&path(&url), page.page, page.pages),
            url: url.into(),
        };
        self.render("archive.html", view)
    }
}

/// Where the reviews of a year are listed.
pub(super) fn path_of_year(year: i16) -> String {
    format!("/years/{year}")
}

/// Whether there are so few reviews in most years that they are better told in lines than under headings.
pub(super) fn is_sparse(years: &[OfYear]) -> bool {
    years.iter().map(|year| year.reviews.len()).sum::<usize>() < 3 * years.len()
}

/// Neighbours of the same year, together.
pub(super) fn by_year(cards: impl Iterator<Item = Card>) -> Vec<OfYear> {
    let mut years: Vec<OfYear> = Vec::new();
    for card in cards {
        let year = card.date.year;
        match years.last_mut() {
            Some(last) if last.year == year => last.reviews.push(card),
            _ => years.push(OfYear { year, href: path_of_year(year), reviews: vec![card] }),
        }
    }
    years
}
