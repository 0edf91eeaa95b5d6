//! Renders the OpenSearch description of the site.

use serde::Serialize;

use super::search::PATH;
use super::{Pages, plain_text};
use crate::domain::sanitize_text::strip_invalid_xml;

#[derive(Debug, Serialize)]
struct OpenSearchView {
    short: String,
    about: String,
    template: String,
    language: String,
    home: String,
    icon: String,
}

impl Pages {
    /// Renders the OpenSearch 1.1 description.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn opensearch(&self) -> anyhow::Result<String> {
        let site = &self.site;
        let title = strip_invalid_xml(&plain_text::text(&site.about.title));
        let view = OpenSearchView {
            // The specification allows 16 characters.
            short: title.chars().take(16).collect(),
            about: site.messages.format("search-in", [("site", title.as_str().into())]),
            template: format!("{}?q={{searchTerms}}", site.origin.url(PATH)),
            language: site.messages.language().to_owned(),
            home: site.origin.url(PATH).into(),
            icon: site.origin.url(&self.assets.href("icon.svg").unwrap_or_else(|| "/".to_owned())).into(),
        };
        self.render("opensearch.xml", view)
    }
}
