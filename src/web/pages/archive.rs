//! Renders the archive: all reviews, or those of a year, with a rating or with a tag, grouped by year.

use serde::Serialize;

use super::feed::{self, FeedLink};
use super::links::{slug_path, url_path};
use super::pager::Pager;
use super::rating_view::RatingView;
use super::review_card::{ReviewCard, ReviewListItem};
use super::social_meta::{ListMeta, SocialMeta};
use super::{Pages, plain_text};
use crate::domain::rating::Rating;

/// The path of the list of all reviews.
pub(super) const PATH: &str = "/reviews";

/// Which reviews are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFilter<'a> {
    /// Reviews of a year, with the nearest years before and after it that have any.
    Year(i16, Option<i16>, Option<i16>),
    /// Reviews with a rating.
    Rating(&'a Rating),
    /// All reviews.
    All,
    /// Reviews with a tag, as the critic writes it.
    Tag(&'a str),
}

/// Input of the archive at `/reviews?page=N`, `/tags/<slug>`, `/years/<year>` and `/ratings/<rating>`.
#[derive(Debug, Clone, Copy)]
pub struct ArchivePage<'a> {
    /// Which reviews are listed.
    pub filter: ArchiveFilter<'a>,
    /// The reviews of this page, newest first.
    pub reviews: &'a [ReviewListItem<'a>],
    /// The number of reviews on all pages.
    pub total: u64,
    /// Whether the site has several critics, so that each review names its own.
    pub several_critics: bool,
    /// The number of this page, from one.
    pub page: u32,
    /// The number of pages, at least one.
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
    /// Whether most years have too few reviews for a heading each.
    is_sparse: bool,
    total: u64,
    several_critics: bool,
    pager: Pager,
    /// The feeds of this list; every page has those of the site.
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
    /// Renders a page of the archive.
    ///
    /// # Errors
    /// If a custom template fails.
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
            Some(tag) => feed::feed_links(
                &url_path(&url),
                &format!("#{tag} · {}", plain_text::text(&site.about.title)),
            ),
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
            social_meta: self.archive_meta(&ListMeta { title: &title, description, url: &url }),
            title,
            feeds,
            tag,
            year,
            year_before: before.map(year_path),
            year_after: after.map(year_path),
            rating: rating.map(|rating| RatingView::new(&site.messages, rating)),
            is_sparse: page.filter != ArchiveFilter::All && is_sparse(&years),
            years,
            total: page.total,
            several_critics: page.several_critics,
            pager: Pager::new(&url_path(&url), page.page, page.pages),
            url: url.into(),
        };
        self.render("archive.html", view)
    }
}

/// The path of the reviews of a year.
pub(super) fn year_path(year: i16) -> String {
    format!("/years/{year}")
}

/// Whether most years have too few reviews for a heading each.
pub(super) fn is_sparse(years: &[YearGroup]) -> bool {
    years.iter().map(|year| year.reviews.len()).sum::<usize>() < 3 * years.len()
}

/// Groups consecutive reviews of the same year.
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
