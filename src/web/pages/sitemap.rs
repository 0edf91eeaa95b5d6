//! Renders the sitemap (sitemaps.org).

use serde::Serialize;

use super::Pages;
use crate::domain::time::Timestamp;

/// A page in the sitemap.
#[derive(Debug, Clone)]
pub struct SitemapEntry {
    /// The path.
    pub path: String,
    /// When it last changed, if known.
    pub changed: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct SitemapView {
    #[serde(rename = "places")]
    entries: Vec<SitemapEntryView>,
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
    /// Renders the index of the sitemap from the paths of its parts.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn sitemap_index(&self, parts: &[String]) -> anyhow::Result<String> {
        let parts = parts.iter().map(|path| self.site.origin.url(path).into()).collect();
        self.render("sitemap-index.xml", SitemapIndexView { parts })
    }

    /// Renders a part of the sitemap.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn sitemap(&self, entries: &[SitemapEntry]) -> anyhow::Result<String> {
        let view = |entry: &SitemapEntry| SitemapEntryView {
            url: self.site.origin.url(&entry.path).into(),
            changed: entry.changed.map(|moment| moment.to_string()),
        };
        self.render("sitemap.xml", SitemapView { entries: entries.iter().map(view).collect() })
    }
}
