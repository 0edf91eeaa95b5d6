//! Renders the page of a review.

use minijinja::Value;
use serde::Serialize;

use super::critic_view::CriticView;
use super::date_view::DateView;
use super::discussion::{Discussion, DiscussionView, OrderLink, order_links};
use super::film_view::FilmView;
use super::links::{ExternalLink, TagLink, slug_path, tag_links, url_path};
use super::poster::PosterView;
use super::rating_view::RatingView;
use super::review_card::{ReviewCard, ReviewListItem, review_title};
use super::safe_html::{review_body, safe_html};
use super::social_meta::SocialMeta;
use super::{Pages, plain_text};
use crate::domain::body_text::split_poster_caption;
use crate::domain::browse_index;
use crate::domain::critic::Critic;
use crate::domain::review::Review;

/// Input of a review's page. It contains no relative times ("an hour ago"), so that a rendering stays valid until
/// something changes.
#[derive(Debug, Clone, Copy)]
pub struct ReviewPage<'a> {
    /// The author.
    pub critic: &'a Critic,
    /// The review.
    pub review: &'a Review,
    /// The comments on it, the reactions to it, and its numbers.
    pub discussion: Discussion<'a>,
    /// The critic's next review.
    pub newer: Option<AdjacentReview<'a>>,
    /// The critic's previous review.
    pub older: Option<AdjacentReview<'a>>,
    /// Related reviews.
    pub related: RelatedReviews<'a>,
}

/// Reviews related to another.
#[derive(Debug, Clone, Copy, Default)]
pub struct RelatedReviews<'a> {
    /// Reviews of the same film.
    pub same_film: &'a [ReviewListItem<'a>],
    /// The name of the director, and reviews of other films by them.
    pub by_director: Option<(&'a str, &'a [ReviewListItem<'a>])>,
}

/// The next or previous review.
#[derive(Debug, Clone, Copy)]
pub struct AdjacentReview<'a> {
    /// The last segment of its path.
    pub slug: &'a str,
    /// Its headline as plain text.
    pub title: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct ReviewPageView {
    url: String,
    article: String,
    title: String,
    subtitle: String,
    description: String,
    language: Option<String>,
    critic: CriticView,
    poster: Option<PosterView>,
    poster_caption: Option<Value>,
    has_spoilers: bool,
    /// The body without the caption of the poster, if that is shown beside the poster.
    prose: Value,
    film: Option<FilmView>,
    pub(super) rating: Option<RatingView>,
    date: DateView,
    revised: Option<DateView>,
    minutes: u32,
    body: Value,
    tags: Vec<TagLink>,
    elsewhere: Option<ExternalLink>,
    live: DiscussionView,
    orders: Vec<OrderLink>,
    newer: Option<AdjacentLink>,
    older: Option<AdjacentLink>,
    more_of_film: Vec<ReviewCard>,
    more_by_director: Vec<ReviewCard>,
    director: Option<String>,
    director_href: String,
    several_critics: bool,
    #[serde(rename = "told")]
    social_meta: SocialMeta,
}

#[derive(Debug, Serialize)]
struct AdjacentLink {
    href: String,
    title: String,
}

impl Pages {
    /// Renders the page of a review.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn review(&self, page: &ReviewPage<'_>) -> anyhow::Result<String> {
        self.render("review.html", self.review_view(page)?)
    }

    pub(super) fn review_view(&self, page: &ReviewPage<'_>) -> anyhow::Result<ReviewPageView> {
        let ReviewPage { critic, review, discussion, newer, older, related } = *page;
        let (site, content) = (&self.site, &review.content);
        let subtitle = plain_text::text(content.subtitle.as_deref().unwrap_or_default());
        let teaser = Some(plain_text::text(&content.teaser)).filter(|teaser| !teaser.is_empty());
        let cards = |listed: &[ReviewListItem<'_>]| {
            listed.iter().map(|listed| ReviewCard::new(site, *listed)).collect()
        };
        let (director, by_director) = related.by_director.unzip();
        let by_director = by_director.unwrap_or_default();
        let description = teaser.unwrap_or_else(|| subtitle.clone());
        let elsewhere = content.original_url().filter(|url| !site.origin.owns(url));
        let poster = PosterView::new(site, review);
        let (caption, prose) = match &poster {
            Some(_) => split_poster_caption(&content.body),
            None => (None, content.body.as_str()),
        };
        let link = content.recording.as_ref().map(|recording| recording.link(&content.title));
        let with_link =
            |body: &str| review_body(site, &format!("{body}{}", link.as_deref().unwrap_or_default()));
        let prose = with_link(prose);
        Ok(ReviewPageView {
            url: site.origin.review_page(review).into(),
            article: site.origin.article(review.id).into(),
            title: review_title(site, review),
            social_meta: self.review_meta(critic, review, discussion.counts, &description),
            description,
            subtitle,
            language: content.language.clone(),
            critic: CriticView::new(site, critic),
            poster,
            poster_caption: caption.map(safe_html),
            has_spoilers: content.has_spoilers,
            film: FilmView::new(&site.messages, &content.film),
            rating: content.rating.as_ref().map(|rating| RatingView::new(&site.messages, rating)),
            date: DateView::new(site, review.original_date),
            revised: review.revised_at.map(|moment| DateView::new(site, moment)),
            minutes: content.reading_minutes(),
            // Templates of an older version know only this one.
            body: if caption.is_some() { with_link(&content.body) } else { prose.clone() },
            prose,
            tags: tag_links(site, &content.tags),
            elsewhere: elsewhere.as_ref().and_then(ExternalLink::new),
            live: self.discussion_view(&discussion)?,
            orders: order_links(site, &discussion),
            newer: newer.map(|adjacent| self.adjacent_link(adjacent)),
            older: older.map(|adjacent| self.adjacent_link(adjacent)),
            more_of_film: cards(related.same_film),
            more_by_director: cards(by_director),
            director: director.map(plain_text::name),
            director_href: slug_path("/people/", &browse_index::browse_slug(director.unwrap_or_default())),
            several_critics: related.same_film.iter().any(|listed| listed.critic.id != critic.id),
        })
    }

    fn adjacent_link(&self, adjacent: AdjacentReview<'_>) -> AdjacentLink {
        let url = self.site.origin.url(&format!("/reviews/{}", adjacent.slug));
        AdjacentLink { href: url_path(&url), title: plain_text::text(adjacent.title) }
    }
}
