//! Renders oEmbed 1.0 documents of type `link`.

use serde::Serialize;
use serde_json::json;

use super::critic_view::CriticView;
use super::review_card::review_title;
use super::{Pages, plain_text};
use crate::domain::critic::Critic;
use crate::domain::review::Review;
use crate::domain::sanitize_text::strip_invalid_xml;

/// An oEmbed format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OembedFormat {
    /// `application/json`
    Json,
    /// `text/xml`
    Xml,
}

impl OembedFormat {
    /// The media type in responses.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Xml => "text/xml; charset=utf-8",
        }
    }
}

#[derive(Debug, Serialize)]
struct OembedView {
    title: String,
    author_name: String,
    author_url: String,
    provider_name: String,
    provider_url: String,
    thumbnail: Option<OembedThumbnail>,
}

#[derive(Debug, Serialize)]
struct OembedThumbnail {
    url: String,
    width: u32,
    height: u32,
}

impl Pages {
    /// Renders the oEmbed document of a review. The image is included if it fits.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn oembed(
        &self,
        critic: &Critic,
        review: &Review,
        format: OembedFormat,
        fits: impl Fn((u32, u32)) -> bool,
    ) -> anyhow::Result<String> {
        let site = &self.site;
        let author = CriticView::new(site, critic);
        let image = self.share_image(critic, review);
        let fitting = image.size.filter(|size| fits(*size));
        let view = OembedView {
            title: strip_invalid_xml(&review_title(site, review)),
            author_name: strip_invalid_xml(&author.name),
            author_url: author.url,
            provider_name: strip_invalid_xml(&plain_text::text(&site.about.title)),
            provider_url: site.origin.home_page().into(),
            thumbnail: fitting.map(|(width, height)| OembedThumbnail { url: image.url, width, height }),
        };
        if format == OembedFormat::Xml {
            return self.render("oembed.xml", view);
        }
        let mut document = json!({
            "version": "1.0",
            "type": "link",
            "title": view.title,
            "author_name": view.author_name,
            "author_url": view.author_url,
            "provider_name": view.provider_name,
            "provider_url": view.provider_url,
        });
        if let Some(thumbnail) = view.thumbnail {
            document["thumbnail_url"] = json!(thumbnail.url);
            document["thumbnail_width"] = json!(thumbnail.width);
            document["thumbnail_height"] = json!(thumbnail.height);
        }
        Ok(document.to_string())
    }
}
