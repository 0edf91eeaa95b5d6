//! All reviews, or those on one shelf, by year.

use serde::Serialize;

use super::feed::{self, FeedLink};
use super::social_meta::{ListMeta, SocialMeta};
use super::views::{Pager, RatingView, ReviewCard, ReviewListItem, path, slug_path};
use super::{Pages, plain_text};
use crate::domain::rating::Rating;

/// Where all reviews are listed.
pub(super) const PATH: &str = "/reviews";

/// Which reviews are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFilter<'a> {
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
    pub filter: ArchiveFilter<'a>,
    /// The reviews of this page, newest first.
    pub reviews: &'a [ReviewListItem<'a>],
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
struct ArchivePageView {
    url: String,
    title: String,
    tag: Option<String>,
    year: Option<i16>,
    year_before: Option<String>,
    year_after: Option<String>,
    rating: Option<RatingView>,
    years: Vec<YearGroup>,
    /// Whether a heading for each year would have hardly a review under it.
    is_sparse: bool,
    total: u64,
    several_critics: bool,
    pager: Pager,
    /// Those of the shelf alone; every page has the site's.
    feeds: Vec<FeedLink>,
    #[serde(rename = "told")]
    social_meta: SocialMeta,
}

#[derive(Debug, Serialize)]
pub(super) struct YearGroup {
    year: i16,
    href: String,
    reviews: Vec<ReviewCard>,
}

impl Pages {
    /// A page of the archive.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn archive(&self, page: &ArchivePage<'_>) -> anyhow::Result<String> {
        let site = &self.site;
        let url = match page.filter {
            ArchiveFilter::All => site.origin.url(PATH),
            ArchiveFilter::Tag(tag) => site.origin.tag_page(tag),
            ArchiveFilter::Year(year, ..) => site.origin.url(&year_path(year)),
            ArchiveFilter::Rating(rating) => site.origin.url(&slug_path("/ratings/", &rating.slug())),
        };
        let tag = if let ArchiveFilter::Tag(tag) = page.filter { Some(plain_text::name(tag)) } else { None };
        let rating = if let ArchiveFilter::Rating(rating) = page.filter { Some(rating) } else { None };
        let (year, before, after) = match page.filter {
            ArchiveFilter::Year(year, before, after) => (Some(year), before, after),
            _ => (None, None, None),
        };
        let years = group_by_year(page.reviews.iter().map(|listed| ReviewCard::new(site, *listed)));
        let feeds = match &tag {
            Some(tag) => {
                feed::feed_links(&path(&url), &format!("#{tag} · {}", plain_text::text(&site.about.title)))
            }
            None => Vec::new(),
        };
        let title = match page.filter {
            ArchiveFilter::All => site.messages.get("all-reviews"),
            ArchiveFilter::Tag(tag) => format!("#{}", plain_text::name(tag)),
            ArchiveFilter::Year(year, ..) => {
                site.messages.format("reviews-of-year", [("year", year.to_string().into())])
            }
            ArchiveFilter::Rating(rating) => {
                site.messages.format("reviews-rated", [("rating", plain_text::name(rating.as_str()).into())])
            }
        };
        let description = site.messages.format("reviews", [("count", page.total.into())]);
        let view = ArchivePageView {
            social_meta: self.shelf_meta(&ListMeta { title: &title, description, url: &url }),
            title,
            feeds,
            tag,
            year,
            year_before: before.map(year_path),
            year_after: after.map(year_path),
            rating: rating.map(|rating| RatingView::of(&site.messages, rating)),
            is_sparse: page.filter != ArchiveFilter::All && is_sparse(&years),
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
pub(super) fn year_path(year: i16) -> String {
    format!("/years/{year}")
}

/// Whether there are so few reviews in most years that they are better told in lines than under headings.
pub(super) fn is_sparse(years: &[YearGroup]) -> bool {
    years.iter().map(|year| year.reviews.len()).sum::<usize>() < 3 * years.len()
}

/// Neighbours of the same year, together.
pub(super) fn group_by_year(cards: impl Iterator<Item = ReviewCard>) -> Vec<YearGroup> {
    let mut years: Vec<YearGroup> = Vec::new();
    for card in cards {
        let year = card.date.year;
        match years.last_mut() {
            Some(last) if last.year == year => last.reviews.push(card),
            _ => years.push(YearGroup { year, href: year_path(year), reviews: vec![card] }),
        }
    }
    years
}
