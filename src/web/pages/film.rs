//! A film, and what was written about it here.

use serde::Serialize;

use super::social_meta::{ListMeta, SocialMeta};
use super::views::{FilmView, Pager, ReviewCard, ReviewListItem, slug_path};
use super::{Pages, plain_text};
use crate::domain::film::Film;
use crate::domain::review::Review;

/// What the page of a film shows. Lies at `/films/<slug>?page=N`.
#[derive(Debug, Clone, Copy)]
pub struct FilmPage<'a> {
    /// The last part of its address.
    pub slug: &'a str,
    /// The film, as the one of its newest reviews tells it that tells most.
    pub film: &'a Film,
    /// The newest of its reviews, on whatever page.
    pub newest: &'a Review,
    /// Its reviews on this page, newest first.
    pub reviews: &'a [ReviewListItem<'a>],
    /// How many there are on all pages.
    pub total: u64,
    /// Whether several critics write here.
    pub several_critics: bool,
    /// The number of this page, from one.
    pub page: u32,
    /// How many pages there are, at least one.
    pub pages: u32,
}

#[derive(Debug, Serialize)]
struct FilmPageView {
    url: String,
    title: String,
    film: Option<FilmView>,
    reviews: Vec<ReviewCard>,
    total: u64,
    several_critics: bool,
    pager: Pager,
    #[serde(rename = "told")]
    social_meta: SocialMeta,
}

impl Pages {
    /// The page of a film.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn film(&self, page: &FilmPage<'_>) -> anyhow::Result<String> {
        let site = &self.site;
        let path = slug_path("/films/", page.slug);
        let (url, title) = (site.origin.url(&path), plain_text::text(&page.film.title));
        let description = site.messages.format("reviews", [("count", page.total.into())]);
        let list = ListMeta { title: &title, description, url: &url };
        let view = FilmPageView {
            social_meta: self.film_meta(page.film, page.newest, &list),
            url: url.into(),
            title,
            film: FilmView::new(&site.messages, page.film),
            reviews: page.reviews.iter().map(|listed| ReviewCard::new(site, *listed)).collect(),
            total: page.total,
            several_critics: page.several_critics,
            pager: Pager::new(&path, page.page, page.pages),
        };
        self.render("film.html", view)
    }
}
