//! Somebody who makes films or plays in them, and every review of those.

use serde::Serialize;

use super::archive::{YearGroup, group_by_year, is_sparse};
use super::feed::{self, FeedLink};
use super::social_meta::{ListMeta, SocialMeta};
use super::views::{Pager, ReviewCard, ReviewListItem, slug_path};
use super::{Pages, plain_text};
use crate::domain::browse_index::CreditRole;

/// What the page of a person shows. Lies at `/people/<slug>?as=ROLE&page=N`.
#[derive(Debug, Clone, Copy)]
pub struct PersonPage<'a> {
    /// The last part of its address.
    pub slug: &'a str,
    /// The person's name.
    pub name: &'a str,
    /// How many films that are reviewed here the person directed, wrote and stars in.
    pub roles: [u64; 3],
    /// In which role; none for any.
    pub role: Option<CreditRole>,
    /// The reviews on this page, newest first.
    pub reviews: &'a [ReviewListItem<'a>],
    /// How many there are on all pages.
    pub total: u64,
    /// How many there are in any role.
    pub of_all: u64,
    /// Whether several critics write here.
    pub several_critics: bool,
    /// The number of this page, from one.
    pub page: u32,
    /// How many pages there are, at least one.
    pub pages: u32,
}

#[derive(Debug, Serialize)]
struct PersonPageView {
    url: String,
    name: String,
    role: Option<&'static str>,
    /// Ways to the reviews in one role; empty where the person has but one.
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
    /// Of a role; none for all of them.
    role: Option<&'static str>,
    href: String,
    total: u64,
    is_chosen: bool,
}

impl Pages {
    /// The page of a person.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn person(&self, page: &PersonPage<'_>) -> anyhow::Result<String> {
        let site = &self.site;
        let whole = slug_path("/people/", page.slug);
        let path = |role: Option<CreditRole>| match role {
            Some(role) => format!("{whole}?as={}", role.as_str()),
            None => whole.clone(),
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
            choices.insert(0, role_choice((None, page.of_all)));
        } else {
            choices.clear();
        }
        let years = group_by_year(page.reviews.iter().map(|listed| ReviewCard::new(site, *listed)));
        let name = plain_text::name(page.name);
        let url = site.origin.url(&path(page.role));
        let every = page
            .role
            .map_or_else(|| "every-review".to_owned(), |role| format!("every-review-{}", role.as_str()));
        let description = site.messages.format(&every, [("person", name.as_str().into())]);
        let view = PersonPageView {
            social_meta: self.person_meta(page.slug, &ListMeta { title: &name, description, url: &url }),
            url: url.into(),
            feeds: feed::feed_links(&whole, &format!("{name} · {}", plain_text::text(&site.about.title))),
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
