//! Renders pages, feeds and other documents from domain types. After start it does no IO and reads neither the clock
//! nor the database.
//!
//! Content from outside gets into a page in two ways: as HTML that `sources` sanitized (the body of a review, the
//! content of a comment), or as plain text that the templates escape.

mod archive;
mod browse;
mod comment;
mod comments;
mod conversation;
mod critic_view;
mod date_view;
mod discussion;
mod error;
mod feed;
mod film;
mod film_view;
mod home;
mod interact;
mod json_ld;
mod links;
mod oembed;
mod opensearch;
mod pager;
mod person;
mod plain_text;
mod poster;
mod profile;
mod rating_view;
mod review;
mod review_card;
mod safe_html;
mod search;
mod share_card;
mod sitemap;
mod social_meta;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use anyhow::Context as _;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde::Serialize;

pub use archive::{ArchiveFilter, ArchivePage};
pub use browse::{BrowsePage, IndexEntry, IndexKind, IndexPage};
pub use comment::CommentPage;
pub use conversation::{Conversation, conversation_query};
pub use discussion::{Discussion, ReviewCounts};
pub use feed::{FeedFormat, FeedPage, FeedSubject};
pub use film::FilmPage;
pub use home::HomePage;
pub use interact::InteractPage;
pub use oembed::OembedFormat;
pub use person::PersonPage;
pub use profile::ProfilePage;
pub use review::{AdjacentReview, RelatedReviews, ReviewPage};
pub use review_card::ReviewListItem;
pub use search::{SearchFilters, SearchPage, SearchProblem};
pub use sitemap::SitemapEntry;

use self::feed::FeedLink;
use super::assets::Assets;
pub use super::messages::Messages;
use super::messages::add_functions;
use super::templates;
use crate::domain;
use crate::domain::looks::{MetaTag, Palette};
use crate::domain::origin::Origin;

/// What all pages of a site share.
#[derive(Debug, Clone)]
pub struct Site {
    /// Title, language, time zone and looks.
    pub about: domain::site::Site,
    /// The origin of the site.
    pub origin: Origin,
    /// The domain of the handles: `@handle@domain`.
    pub handle_domain: String,
    /// The texts of the pages.
    pub messages: Arc<Messages>,
}

/// Renders pages.
#[derive(Debug)]
pub struct Pages {
    site: Site,
    assets: Assets,
    env: Environment<'static>,
}

/// The global variable `site` of the templates.
#[derive(Serialize)]
struct SiteView {
    title: String,
    language: String,
    is_trial: bool,
    home: &'static str,
    archive: &'static str,
    browse: &'static str,
    search: &'static str,
    style: String,
    script: String,
    icon: String,
    feeds: Vec<FeedLink>,
    /// The background colours in light and dark mode.
    light: String,
    dark: String,
    meta: Vec<MetaTag>,
    /// The URL of the source code.
    source: Option<String>,
}

impl Pages {
    /// Loads templates and assets; files in the looks folder replace the built-in ones.
    ///
    /// # Errors
    /// If a file in that folder cannot be read or is not a valid template; the error names it.
    pub fn new(site: Site) -> anyhow::Result<Self> {
        let looks = &site.about.looks;
        let assets = Assets::load(looks)?;
        let mut env = templates::load(looks.folder.as_deref())?;
        let view = SiteView {
            title: plain_text::text(&site.about.title),
            language: site.messages.language().to_owned(),
            is_trial: site.origin.is_localhost(),
            home: "/",
            archive: archive::PATH,
            browse: browse::PATH,
            search: search::PATH,
            style: assets.href("style.css").unwrap_or_default(),
            script: assets.href("site.js").unwrap_or_default(),
            icon: assets.href("icon.svg").unwrap_or_default(),
            feeds: feed::feed_links("/", &plain_text::text(&site.about.title)),
            light: looks.light.resolve("paper", &Palette::DEFAULT_LIGHT),
            dark: looks.dark.resolve("paper", &Palette::DEFAULT_DARK),
            meta: looks.meta.clone(),
            source: site.about.source_url.as_ref().map(ToString::to_string),
        };
        env.add_global("site", Serde(view));
        add_functions(&mut env, &site.messages);
        Ok(Self { site, assets, env })
    }

    /// The static files of the site.
    pub const fn assets(&self) -> &Assets {
        &self.assets
    }

    fn render(&self, template: &str, page: impl Serialize) -> anyhow::Result<String> {
        self.env
            .get_template(template)
            .and_then(|template| template.render(context! { page => Serde(page) }))
            .with_context(|| format!("could not render {template}"))
    }
}
