//! Renders the poster of a review.

use serde::Serialize;

use super::links::url_path;
use super::{Site, plain_text};
use crate::domain::review::Review;

/// A poster that we serve.
#[derive(Debug, Serialize)]
pub(super) struct PosterView {
    src: String,
    pub(super) url: String,
    pub(super) alt: String,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl PosterView {
    /// Returns `None` unless the poster has been fetched: a page never makes its reader contact another server.
    pub(super) fn new(site: &Site, review: &Review) -> Option<Self> {
        let media = review.poster.as_ref()?;
        let alt_text = review.content.poster.as_ref().and_then(|p| p.alt.as_deref());
        let alt = match alt_text.map(plain_text::text).filter(|alt| !alt.is_empty()) {
            Some(alt) => alt,
            None if review.content.film.title.is_empty() => site.messages.get("poster-of-film"),
            None => site
                .messages
                .format("poster-of", [("film", plain_text::text(&review.content.film.title).into())]),
        };
        let url = site.origin.media_url(media);
        Some(Self { src: url_path(&url), url: url.into(), alt, width: media.width, height: media.height })
    }
}
