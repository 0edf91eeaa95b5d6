//! Chooses the content of a share card.

use super::critic_view::critic_name;
use super::review_card::review_title;
use super::{Pages, plain_text};
use crate::domain::critic::Critic;
use crate::domain::rating::RatingScale;
use crate::domain::release_date::ReleaseDate;
use crate::domain::review::Review;
use crate::web::share_card::ShareCard;

impl Pages {
    /// The content of the share card of a review.
    pub(in crate::web) fn share_card(&self, critic: &Critic, review: &Review) -> ShareCard {
        let (site, film) = (&self.site, &review.content.film);
        let (title, film_title) = (review_title(site, review), plain_text::text(&film.title));
        let year = film.year.or_else(|| film.release_date.map(ReleaseDate::year));
        let directors = film.directors.iter().map(|name| plain_text::name(name));
        let details: Vec<String> = year.map(|year| year.to_string()).into_iter().chain(directors).collect();
        let other_title =
            Some(film_title.clone()).filter(|film_title| !film_title.is_empty() && *film_title != title);
        let with_title: Vec<String> = other_title.into_iter().chain(details.iter().cloned()).collect();
        let lines =
            [with_title.join(" · "), details.join(" · "), details.first().cloned().unwrap_or_default()];
        let rating = review.content.rating.as_ref();
        let half_stars = rating.and_then(|rating| match rating.scale() {
            RatingScale::Stars(half_stars) => Some(half_stars.min(10)),
            RatingScale::Points(..) | RatingScale::Letter | RatingScale::Thumb(_) => None,
        });
        ShareCard {
            titles: [title, film_title].into_iter().filter(|title| !title.is_empty()).collect(),
            film_lines: lines.into_iter().filter(|line| !line.is_empty()).collect(),
            half_stars,
            rating_text: rating
                .filter(|_| half_stars.is_none())
                .map(|rating| plain_text::name(rating.as_str())),
            critic: critic_name(critic),
            site_names: vec![plain_text::text(&site.about.title), site.origin.host().to_owned()],
        }
    }
}
