//! The front page: who writes here, and what is new.

use serde::Serialize;

use super::Pages;
use super::social_meta::SocialMeta;
use super::views::{CriticView, ReviewCard, ReviewListItem};
use crate::domain::critic::Critic;

/// What the front page shows.
#[derive(Debug, Clone, Copy)]
pub struct HomePage<'a> {
    /// The critics of the site. One alone is introduced at length.
    pub critics: &'a [Critic],
    /// The newest reviews, newest first.
    pub newest: &'a [ReviewListItem<'a>],
    /// How many reviews there are in all.
    pub total: u64,
}

#[derive(Debug, Serialize)]
struct HomePageView {
    url: String,
    critics: Vec<CriticView>,
    newest: Vec<ReviewCard>,
    total: u64,
    #[serde(rename = "told")]
    social_meta: SocialMeta,
}

impl Pages {
    /// The front page.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn home(&self, page: &HomePage<'_>) -> anyhow::Result<String> {
        let site = &self.site;
        let view = HomePageView {
            social_meta: self.home_meta(page.critics),
            url: site.origin.home_page().into(),
            critics: page.critics.iter().map(|c| CriticView::new(site, c)).collect(),
            newest: page.newest.iter().map(|l| ReviewCard::new(site, *l)).collect(),
            total: page.total,
        };
        self.render("home.html", view)
    }
}
