//! Renders the page of a person, with the reviews of their films.

use serde::Serialize;

use super::archive::{YearGroup, group_by_year, is_sparse};
use super::feed::{self, FeedLink};
use super::links::slug_path;
use super::pager::Pager;
use super::review_card::{ReviewCard, ReviewListItem};
use super::social_meta::{ListMeta, SocialMeta};
use super::{Pages, plain_text};
use crate::domain::browse_index::CreditRole;

/// Input of a person's page at `/people/<slug>?as=ROLE&page=N`.
#[derive(Debug, Clone, Copy)]
pub struct PersonPage<'a> {
    /// The last segment of its path.
    pub slug: &'a str,
    /// The person's name.
    pub name: &'a str,
    /// The numbers of reviewed films that the person directed, wrote and stars in.
    pub roles: [u64; 3],
    /// The role to show; `None` for any.
    pub role: Option<CreditRole>,
    /// The reviews of this page, newest first.
    pub reviews: &'a [ReviewListItem<'a>],
    /// The number of reviews on all pages.
    pub total: u64,
    /// The number of reviews in any role.
    pub total_in_any_role: u64,
    /// Whether the site has several critics.
    pub several_critics: bool,
    /// The number of this page, from one.
    pub page: u32,
    /// The number of pages, at least one.
    pub pages: u32,
}

#[derive(Debug, Serialize)]
struct PersonPageView {
    url: String,
    name: String,
    role: Option<&'static str>,
    /// Links to the single roles; empty if the person has only one.
    choices: Vec<RoleChoice>,
    years: Vec<YearGroup>,
    is_sparse: bool,
    total: u64,
    several_critics: bool,
    pager: Pager,
    feeds: Vec<FeedLink>,
    #[serde(rename = "told")]
    social_meta: SocialMeta,
}

#[derive(Debug, Serialize)]
struct RoleChoice {
    /// The role; `None` for all.
    role: Option<&'static str>,
    href: String,
    total: u64,
    is_chosen: bool,
}

impl Pages {
    /// Renders the page of a person.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn person(&self, page: &PersonPage<'_>) -> anyhow::Result<String> {
        let site = &self.site;
        let base_path = slug_path("/people/", page.slug);
        let path = |role: Option<CreditRole>| match role {
            Some(role) => format!("{base_path}?as={}", role.as_str()),
            None => base_path.clone(),
        };
        let in_role = CreditRole::ALL.into_iter().zip(page.roles).filter(|(_, total)| *total > 0);
        let role_choice = |(role, total): (Option<CreditRole>, u64)| RoleChoice {
            role: role.map(CreditRole::as_str),
            href: path(role),
            total,
            is_chosen: role == page.role,
        };
        let mut choices: Vec<RoleChoice> =
            in_role.map(|(role, total)| role_choice((Some(role), total))).collect();
        if choices.len() > 1 {
            choices.insert(0, role_choice((None, page.total_in_any_role)));
        } else {
            choices.clear();
        }
        let years = group_by_year(page.reviews.iter().map(|listed| ReviewCard::new(site, *listed)));
        let name = plain_text::name(page.name);
        let url = site.origin.url(&path(page.role));
        let message_key = page
            .role
            .map_or_else(|| "every-review".to_owned(), |role| format!("every-review-{}", role.as_str()));
        let description = site.messages.format(&message_key, [("person", name.as_str().into())]);
        let view = PersonPageView {
            social_meta: self.person_meta(page.slug, &ListMeta { title: &name, description, url: &url }),
            url: url.into(),
            feeds: feed::feed_links(&base_path, &format!("{name} · {}", plain_text::text(&site.about.title))),
            name,
            role: page.role.map(CreditRole::as_str),
            choices,
            is_sparse: is_sparse(&years),
            years,
            total: page.total,
            several_critics: page.several_critics,
            pager: Pager::new(&path(page.role), page.page, page.pages),
        };
        self.render("person.html", view)
    }
}
