//! The page of a review and its conversation.

use minijinja::Value;
use serde::Serialize;

use super::live::{Live, OrderLink, Talk, orders};
use super::told::Told;
use super::view::{
    Card, CriticView, FilmView, Listed, Moment, Outside, Picture, RatingView, Tag, illustrated, page_of,
    path, poster, tags, title,
};
use super::{Pages, plain};
use crate::domain::critic::Critic;
use crate::domain::review::Review;
use crate::domain::shelf;

/// What the page of a review shows. It tells no time that passes ("an hour ago"), so that a rendering
/// can be kept until something changes.
#[derive(Debug, Clone, Copy)]
pub struct ReviewPage<'a> {
    /// Who wrote it.
    pub critic: &'a Critic,
    /// The review.
    pub review: &'a Review,
    /// What others say and do about it.
    pub talk: Talk<'a>,
    /// The critic's next review.
    pub newer: Option<Neighbour<'a>>,
    /// The critic's review before it.
    pub older: Option<Neighbour<'a>>,
    /// What else there is to read.
    pub more: More<'a>,
}

/// Other reviews near to one.
#[derive(Debug, Clone, Copy, Default)]
pub struct More<'a> {
    /// Of the same film.
    pub of_film: &'a [Listed<'a>],
    /// Of films by the same director, who is named first.
    pub by_director: Option<(&'a str, &'a [Listed<'a>])>,
}

/// The review before or after another.
#[derive(Debug, Clone, Copy)]
pub struct Neighbour<'a> {
    /// The last part of its address.
    pub slug: &'a str,
    /// Its headline, plain text.
    pub title: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct View {
    url: String,
    article: String,
    title: String,
    subtitle: String,
    description: String,
    language: Option<String>,
    critic: CriticView,
    poster: Option<Picture>,
    film: Option<FilmView>,
    pub(super) rating: Option<RatingView>,
    date: Moment,
    revised: Option<Moment>,
    minutes: u32,
    body: Value,
    tags: Vec<Tag>,
    elsewhere: Option<Outside>,
    live: Live,
    orders: Vec<OrderLink>,
    newer: Option<Step>,
    older: Option<Step>,
    more_of_film: Vec<Card>,
    more_by_director: Vec<Card>,
    director: Option<String>,
    director_href: String,
    several_critics: bool,
    told: Told,
}

#[derive(Debug, Serialize)]
struct Step {
    href: String,
    title: String,
}

impl Pages {
    /// The page of a review.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn review(&self, page: &ReviewPage<'_>) -> anyhow::Result<String> {
        self.render("review.html", self.review_view(page)?)
    }

    pub(super) fn review_view(&self, page: &ReviewPage<'_>) -> anyhow::Result<View> {
        let ReviewPage { critic, review, talk, newer, older, more } = *page;
        let (site, draft) = (&self.site, &review.draft);
        let subtitle = plain::text(draft.subtitle.as_deref().unwrap_or_default());
        let teaser = Some(plain::text(&draft.teaser)).filter(|teaser| !teaser.is_empty());
        let cards = |listed: &[Listed<'_>]| listed.iter().map(|listed| Card::new(site, *listed)).collect();
        let (director, of_director) = more.by_director.unzip();
        let of_director = of_director.unwrap_or_default();
        let description = teaser.unwrap_or_else(|| subtitle.clone());
        let elsewhere = draft.canonical_url.as_ref().filter(|url| !site.origin.owns(url));
        Ok(View {
            url: site.origin.review_page(review).into(),
            article: site.origin.article(review.id).into(),
            title: title(site, review),
            told: self.told_of_review(critic, review, talk.counts, &description),
            description,
            subtitle,
            language: draft.language.clone(),
            critic: CriticView::new(site, critic),
            poster: poster(site, review),
            film: FilmView::new(&site.words, &draft.film),
            rating: draft.rating.as_ref().map(|rating| RatingView::of(&site.words, rating)),
            date: Moment::new(site, review.original_date),
            revised: review.revised_at.map(|moment| Moment::new(site, moment)),
            minutes: draft.reading_minutes(),
            body: illustrated(site, &draft.body),
            tags: tags(site, &draft.tags),
            elsewhere: elsewhere.and_then(Outside::new),
            live: self.live(&talk)?,
            orders: orders(site, &talk),
            newer: newer.map(|neighbour| self.step(neighbour)),
            older: older.map(|neighbour| self.step(neighbour)),
            more_of_film: cards(more.of_film),
            more_by_director: cards(of_director),
            director: director.map(plain::name),
            director_href: page_of("/people/", &shelf::slug_of(director.unwrap_or_default())),
            several_critics: more.of_film.iter().any(|listed| listed.critic.id != critic.id),
        })
    }

    fn step(&self, neighbour: Neighbour<'_>) -> Step {
        let url = self.site.origin.url(&format!("/reviews/{}", neighbour.slug));
        Step { href: path(&url), title: plain::text(neighbour.title) }
    }
}
