//! Renders a review in a list.

use serde::Serialize;

use super::critic_view::CriticView;
use super::date_view::DateView;
use super::film_view::FilmView;
use super::links::url_path;
use super::poster::PosterView;
use super::rating_view::RatingView;
use super::{Site, plain_text};
use crate::domain::critic::Critic;
use crate::domain::review::Review;

/// A review in a list, before rendering.
#[derive(Debug, Clone, Copy)]
pub struct ReviewListItem<'a> {
    /// The author.
    pub critic: &'a Critic,
    /// The review.
    pub review: &'a Review,
    /// The number of comments.
    pub comments: u64,
}

/// A review in a list, as rendered.
#[derive(Debug, Serialize)]
pub(super) struct ReviewCard {
    href: String,
    title: String,
    text: String,
    /// The teaser, if `text` is something else.
    opening: String,
    language: Option<String>,
    film: Option<FilmView>,
    pub(super) rating: Option<RatingView>,
    poster: Option<PosterView>,
    pub(super) date: DateView,
    minutes: u32,
    comments: u64,
    critic_name: String,
    critic_href: String,
}

impl ReviewCard {
    pub(super) fn new(site: &Site, listed: ReviewListItem<'_>) -> Self {
        let ReviewListItem { critic, review, comments } = listed;
        let content = &review.content;
        let CriticView { name, href, .. } = CriticView::new(site, critic);
        Self {
            href: url_path(&site.origin.review_page(review)),
            title: review_title(site, review),
            text: plain_text::text(content.subtitle.as_deref().unwrap_or(&content.teaser)),
            opening: if content.subtitle.is_some() {
                plain_text::text(&content.teaser)
            } else {
                String::new()
            },
            language: content.language.clone(),
            film: FilmView::new(&site.messages, &content.film),
            rating: content.rating.as_ref().map(|rating| RatingView::new(&site.messages, rating)),
            poster: PosterView::new(site, review),
            date: DateView::new(site, review.original_date),
            minutes: content.reading_minutes(),
            comments,
            critic_name: name,
            critic_href: href,
        }
    }

    /// The text below the title.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// The title of a review, or of its film if it has none.
pub(super) fn review_title(site: &Site, review: &Review) -> String {
    let candidates = [&review.content.title, &review.content.film.title];
    candidates
        .into_iter()
        .map(|title| plain_text::text(title))
        .find(|title| !title.is_empty())
        .unwrap_or_else(|| site.messages.get("untitled"))
}
