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

impl Pages {
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
