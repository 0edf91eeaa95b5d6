//! Share cards: images for link previews of reviews without a poster, drawn from title, film and rating.
//!
//! Cards are drawn one at a time. The cache of drawn cards is limited in size.

mod canvas;
mod draw;
mod font;

use axum::body::Bytes;

use super::error::WebError;
use super::work_queue::WorkQueue;
use crate::domain::hash::sha256_hex;

pub(super) use canvas::{HEIGHT, WIDTH};

/// To be incremented with each change of the design; it changes the URLs of all cards.
const DESIGN_VERSION: &str = "1";

/// Memory for cached cards.
const MAX_CACHED_BYTES: u64 = 4 * 1024 * 1024;

/// How many requests may wait for a card.
const MAX_QUEUED_CARDS: usize = 32;

/// The content of a card. Of each list, the first text that the font can draw is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ShareCard {
    /// The title of the review.
    pub(super) titles: Vec<String>,
    /// The film, its year and its directors.
    pub(super) film_lines: Vec<String>,
    /// Half stars out of ten, if the rating is given in stars.
    pub(super) half_stars: Option<u8>,
    /// The rating as text, if it is not given in stars.
    pub(super) rating_text: Option<String>,
    /// The author.
    pub(super) critic: String,
    /// The name of the site.
    pub(super) site_names: Vec<String>,
}

impl ShareCard {
    /// A short hash of the content, used in the URL and as the entity tag.
    pub(super) fn version(&self) -> String {
        // Spelled out, since another text would change the URL of every card that other servers have cached.
        let content = format!(
            "{DESIGN_VERSION} Card {{ titles: {:?}, film: {:?}, halves: {:?}, verdict: {:?}, critic: {:?}, site: {:?} }}",
            self.titles, self.film_lines, self.half_stars, self.rating_text, self.critic, self.site_names,
        );
        let mut version = sha256_hex(content.as_bytes());
        version.truncate(12);
        version
    }
}

/// Draws cards, and caches them.
#[derive(Debug)]
pub struct ShareCards {
    drawn: moka::sync::Cache<String, Bytes>,
    queue: WorkQueue,
}

impl Default for ShareCards {
    fn default() -> Self {
        let weight = |_: &String, card: &Bytes| u32::try_from(card.len()).unwrap_or(u32::MAX);
        let drawn = moka::sync::Cache::builder().max_capacity(MAX_CACHED_BYTES).weigher(weight);
        Self {
            drawn: drawn.build(),
            queue: WorkQueue::new(MAX_QUEUED_CARDS, 1, "too many concurrent preview cards"),
        }
    }
}

impl ShareCards {
    /// The card as a PNG.
    pub(super) async fn draw(&self, card: ShareCard) -> Result<Bytes, WebError> {
        let version = card.version();
        if let Some(drawn) = self.drawn.get(&version) {
            return Ok(drawn);
        }
        let permit = self.queue.acquire().await?;
        // Another request may have drawn the same card meanwhile.
        if let Some(drawn) = self.drawn.get(&version) {
            return Ok(drawn);
        }
        let drawn = Bytes::from(permit.run(move || draw::render_png(&card)).await?);
        self.drawn.insert(version, drawn.clone());
        Ok(drawn)
    }
}

#[cfg(test)]
mod tests;
