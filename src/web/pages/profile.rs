//! Renders the page of a critic.

use serde::Serialize;

use super::critic_view::{CriticView, critic_name};
use super::feed::{self, FeedLink};
use super::links::url_path;
use super::pager::Pager;
use super::review_card::{ReviewCard, ReviewListItem};
use super::social_meta::SocialMeta;
use super::{Pages, plain_text};
use crate::domain::critic::Critic;

/// Input of a critic's page at `/@handle?page=N`.
#[derive(Debug, Clone, Copy)]
pub struct ProfilePage<'a> {
    /// The critic.
    pub critic: &'a Critic,
    /// The critic's reviews on this page, newest first.
    pub reviews: &'a [ReviewListItem<'a>],
    /// The number of reviews on all pages.
    pub total: u64,
    /// The number of this page, from one.
    pub page: u32,
    /// The number of pages, at least one.
    pub pages: u32,
}

#[derive(Debug, Serialize)]
struct ProfilePageView {
    critic: CriticView,
    reviews: Vec<ReviewCard>,
    total: u64,
    pager: Pager,
    /// The feeds of this critic; every page has those of the site.
    feeds: Vec<FeedLink>,
    #[serde(rename = "told")]
    social_meta: SocialMeta,
}

impl Pages {
    /// Renders a critic's page.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn profile(&self, page: &ProfilePage<'_>) -> anyhow::Result<String> {
        let site = &self.site;
        let url = site.origin.profile_page(&page.critic.profile.handle);
        let title = format!("{} · {}", critic_name(page.critic), plain_text::text(&site.about.title));
        let view = ProfilePageView {
            social_meta: self.profile_meta(page.critic),
            feeds: feed::feed_links(&url_path(&url), &title),
            critic: CriticView::new(site, page.critic),
            reviews: page.reviews.iter().map(|l| ReviewCard::new(site, *l)).collect(),
            total: page.total,
            pager: Pager::new(&url_path(&url), page.page, page.pages),
        };
        self.render("profile.html", view)
    }
}
