//! Renders the front page: the critics and the newest reviews.

use serde::Serialize;

use super::Pages;
use super::critic_view::CriticView;
use super::review_card::{ReviewCard, ReviewListItem};
use super::social_meta::SocialMeta;
use crate::domain::critic::Critic;

/// Input of the front page.
#[derive(Debug, Clone, Copy)]
pub struct HomePage<'a> {
    /// The critics of the site. If there is only one, the page shows the whole profile.
    pub critics: &'a [Critic],
    /// The newest reviews, newest first.
    pub newest: &'a [ReviewListItem<'a>],
    /// The number of all reviews.
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
    /// Renders the front page.
    ///
    /// # Errors
    /// If a custom template fails.
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
