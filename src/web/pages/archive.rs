//! All reviews, or those on one shelf, by year.

use serde::Serialize;

use super::feed::{self, FeedLink};
use super::view::{Card, Listed, Pager, path};
use super::{Pages, plain};

/// Where all reviews are listed.
pub(super) const PATH: &str = "/reviews";

/// Which reviews are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf<'a> {
    /// All of the site.
    All,
    /// Those with a tag, as the critic writes it.
    Tag(&'a str),
}

/// What a page of the archive shows. Lies at `/reviews?page=N` or `/tags/<slug>?page=N`.
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
    tag: Option<String>,
    years: Vec<Year>,
    total: u64,
    several_critics: bool,
    pager: Pager,
    /// Those of the shelf alone; every page has the site's.
    feeds: Vec<FeedLink>,
}

#[derive(Debug, Serialize)]
struct Year {
    year: i16,
    reviews: Vec<Card>,
}

impl Pages {
    /// A page of the archive.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn archive(&self, page: &ArchivePage<'_>) -> anyhow::Result<String> {
        let site = &self.site;
        let (tag, url) = match page.shelf {
            Shelf::All => (None, site.origin.url(PATH)),
            Shelf::Tag(tag) => (Some(plain::name(tag)), site.origin.tag_page(tag)),
        };
        let cards = page.reviews.iter().map(|listed| Card::new(site, *listed));
        let feeds = match &tag {
            Some(tag) => feed::links(&path(&url), &format!("#{tag} · {}", plain::text(&site.about.title))),
            None => Vec::new(),
        };
        let view = View {
            feeds,
            tag,
            years: by_year(cards),
            total: page.total,
            several_critics: page.several_critics,
            pager: Pager::new(&path(&url), page.page, page.pages),
            url: url.into(),
        };
        self.render("archive.html", view)
    }
}

/// Neighbours of the same year, together.
fn by_year(cards: impl Iterator<Item = Card>) -> Vec<Year> {
    let mut years: Vec<Year> = Vec::new();
    for card in cards {
        let year = card.date.year;
        match years.last_mut() {
            Some(last) if last.year == year => last.reviews.push(card),
            _ => years.push(Year { year, reviews: vec![card] }),
        }
    }
    years
}
