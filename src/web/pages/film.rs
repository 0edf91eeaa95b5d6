//! Renders the page of a film.

use serde::Serialize;

use super::film_view::FilmView;
use super::links::slug_path;
use super::pager::Pager;
use super::review_card::{ReviewCard, ReviewListItem};
use super::social_meta::{ListMeta, SocialMeta};
use super::{Pages, plain_text};
use crate::domain::film::Film;
use crate::domain::review::Review;

/// Input of a film's page at `/films/<slug>?page=N`.
#[derive(Debug, Clone, Copy)]
pub struct FilmPage<'a> {
    /// The last segment of its path.
    pub slug: &'a str,
    /// The film, as described by the newest review with the most credits.
    pub film: &'a Film,
    /// The newest review of the film, which may be on another page.
    pub newest: &'a Review,
    /// The reviews of this page, newest first.
    pub reviews: &'a [ReviewListItem<'a>],
    /// The number of reviews on all pages.
    pub total: u64,
    /// Whether the site has several critics.
    pub several_critics: bool,
    /// The number of this page, from one.
    pub page: u32,
    /// The number of pages, at least one.
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
    /// Renders the page of a film.
    ///
    /// # Errors
    /// If a custom template fails.
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
