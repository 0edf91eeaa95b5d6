//! All pages, for those who search the web (sitemaps.org).

use serde::Serialize;

use super::Pages;
use crate::domain::time::Timestamp;

/// A page.
#[derive(Debug, Clone)]
pub struct SitemapEntry {
    /// Its path.
    pub path: String,
    /// When it was last changed, where that is known.
    pub changed: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct SitemapView {
    places: Vec<SitemapEntryView>,
}

#[derive(Debug, Serialize)]
struct SitemapEntryView {
    url: String,
    changed: Option<String>,
}

#[derive(Debug, Serialize)]
struct SitemapIndexView {
    parts: Vec<String>,
}

impl Pages {
    /// The list of the parts of the map, by their paths.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn sitemap_index(&self, parts: &[String]) -> anyhow::Result<String> {
        let parts = parts.iter().map(|path| self.site.origin.url(path).into()).collect();
        self.render("sitemap-index.xml", SitemapIndexView { parts })
    }

    /// The list of these pages.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn sitemap(&self, entries: &[SitemapEntry]) -> anyhow::Result<String> {
        let view = |place: &SitemapEntry| SitemapEntryView {
            url: self.site.origin.url(&place.path).into(),
            changed: place.changed.map(|moment| moment.to_string()),
        };
        self.render("sitemap.xml", SitemapView { places: entries.iter().map(view).collect() })
    }
}
