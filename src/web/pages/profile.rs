//! A critic's page.

use serde::Serialize;

use super::feed::{self, FeedLink};
use super::social_meta::SocialMeta;
use super::views::{self, CriticView, Pager, ReviewCard, ReviewListItem, path};
use super::{Pages, plain_text};
use crate::domain::critic::Critic;

/// What a critic's page shows. Lies at `/@handle?page=N`.
#[derive(Debug, Clone, Copy)]
pub struct ProfilePage<'a> {
    /// The critic.
    pub critic: &'a Critic,
    /// The critic's reviews on this page, newest first.
    pub reviews: &'a [ReviewListItem<'a>],
    /// How many reviews there are on all pages.
    pub total: u64,
    /// The number of this page, from one.
    pub page: u32,
    /// How many pages there are, at least one.
    pub pages: u32,
}

#[derive(Debug, Serialize)]
struct ProfilePageView {
    critic: CriticView,
    reviews: Vec<ReviewCard>,
    total: u64,
    pager: Pager,
    /// Those of the critic alone; every page has the site's.
    feeds: Vec<FeedLink>,
    #[serde(rename = "told")]
    social_meta: SocialMeta,
}

impl Pages {
    /// A critic's page.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn profile(&self, page: &ProfilePage<'_>) -> anyhow::Result<String> {
        let site = &self.site;
        let url = site.origin.profile_page(&page.critic.profile.handle);
        let title = format!("{} · {}", views::name(page.critic), plain_text::text(&site.about.title));
        let view = ProfilePageView {
            social_meta: self.profile_meta(page.critic),
            feeds: feed::feed_links(&path(&url), &title),
            critic: CriticView::new(site, page.critic),
            reviews: page.reviews.iter().map(|l| ReviewCard::new(site, *l)).collect(),
            total: page.total,
            pager: Pager::new(&path(&url), page.page, page.pages),
        };
        self.render("profile.html", view)
    }
}
