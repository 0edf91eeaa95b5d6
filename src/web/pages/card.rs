//! What stands on the picture of a review that has none.

use super::view::{name, title};
use super::{Pages, plain};
use crate::domain::critic::Critic;
use crate::domain::rating::Scale;
use crate::domain::review::Review;
use crate::web::card::Card;

impl Pages {
    /// What to draw for a review.
    pub(in crate::web) fn card(&self, critic: &Critic, review: &Review) -> Card {
        let (site, film) = (&self.site, &review.draft.film);
        let (shown, film_title) = (title(site, review), plain::text(&film.title));
        let year = film.year.or_else(|| film.release_date.map(jiff::civil::Date::year));
        let directors = film.directors.iter().map(|name| plain::name(name));
        let known: Vec<String> = year.map(|year| year.to_string()).into_iter().chain(directors).collect();
        let named = Some(film_title.clone()).filter(|title| !title.is_empty() && *title != shown);
        let with_title: Vec<String> = named.into_iter().chain(known.iter().cloned()).collect();
        let lines = [with_title.join(" · "), known.join(" · "), known.first().cloned().unwrap_or_default()];
        let rating = review.draft.rating.as_ref();
        let halves = rating.and_then(|rating| match rating.scale() {
            Scale::Stars(halves) => Some(halves.min(10)),
            Scale::Points(..) | Scale::Letter => None,
        });
        Card {
            titles: [shown, film_title].into_iter().filter(|title| !title.is_empty()).collect(),
            film: lines.into_iter().filter(|line| !line.is_empty()).collect(),
            halves,
            verdict: rating.filter(|_| halves.is_none()).map(|rating| plain::name(rating.shown())),
            critic: name(critic),
            site: vec![plain::text(&site.about.title), site.origin.host().to_owned()],
        }
    }
}
