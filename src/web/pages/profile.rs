//! A critic's page.

use serde::Serialize;

use super::feed::{self, FeedLink};
use super::told::Told;
use super::view::{self, Card, CriticView, Listed, Pager, path};
use super::{Pages, plain};
use crate::domain::critic::Critic;

/// What a critic's page shows. Lies at `/@handle?page=N`.
#[derive(Debug, Clone, Copy)]
pub struct ProfilePage<'a> {
    /// The critic.
    pub critic: &'a Critic,
    /// The critic's reviews on this page, newest first.
    pub reviews: &'a [Listed<'a>],
    /// How many reviews there are on all pages.
    pub total: u64,
    /// The number of this page, from one.
    pub page: u32,
    /// How many pages there are, at least one.
    pub pages: u32,
}

#[derive(Debug, Serialize)]
struct View {
    critic: CriticView,
    reviews: Vec<Card>,
    total: u64,
    pager: Pager,
    /// Those of the critic alone; every page has the site's.
    feeds: Vec<FeedLink>,
    told: Told,
}

impl Pages {
    /// A critic's page.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn profile(&self, page: &ProfilePage<'_>) -> anyhow::Result<String> {
        let site = &self.site;
        let url = site.origin.profile_page(&page.critic.profile.handle);
        let title = format!("{} · {}", view::name(page.critic), plain::text(&site.about.title));
        let view = View {
            told: self.told_of_profile(page.critic),
            feeds: feed::links(&path(&url), &title),
            critic: CriticView::new(site, page.critic),
            reviews: page.reviews.iter().map(|l| Card::new(site, *l)).collect(),
            total: page.total,
            pager: Pager::new(&path(&url), page.page, page.pages),
        };
        self.render("profile.html", view)
    }
}
