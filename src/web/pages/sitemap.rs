//! All pages, for those who search the web (sitemaps.org).

use serde::Serialize;

use super::Pages;
use crate::domain::time::Timestamp;

/// A page.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its path.
    pub path: String,
    /// When it was last changed, where that is known.
    pub changed: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct View {
    places: Vec<PlaceView>,
}

#[derive(Debug, Serialize)]
struct PlaceView {
    url: String,
    changed: Option<String>,
}

#[derive(Debug, Serialize)]
struct IndexView {
    parts: Vec<String>,
}

impl Pages {
    /// The list of the parts of the map, by their paths.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn sitemap_index(&self, parts: &[String]) -> anyhow::Result<String> {
        let parts = parts.iter().map(|path| self.site.origin.url(path).into()).collect();
        self.render("sitemap-index.xml", IndexView { parts })
    }

    /// The list of these pages.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn sitemap(&self, places: &[Place]) -> anyhow::Result<String> {
        let view = |place: &Place| PlaceView {
            url: self.site.origin.url(&place.path).into(),
            changed: place.changed.map(|moment| moment.to_string()),
        };
        self.render("sitemap.xml", View { places: places.iter().map(view).collect() })
    }
}
