//! Renders the film of a review, with links to the pages of its people.

use serde::Serialize;

use super::date_view::ReleaseDateView;
use super::links::{ExternalLink, slug_path};
use super::{Messages, plain_text};
use crate::domain::browse_index;
use crate::domain::film::Film;

/// The film of a review, for its credits.
#[derive(Debug, Serialize)]
pub(super) struct FilmView {
    title: String,
    year: Option<i16>,
    /// The page of the film, if its title is known.
    href: Option<String>,
    directors: Vec<PersonLink>,
    writers: Vec<PersonLink>,
    stars: Vec<PersonLink>,
    released: Option<ReleaseDateView>,
    identity: Option<ExternalLink>,
}

/// A person of a film, with a link to their page.
#[derive(Debug, Serialize)]
struct PersonLink {
    name: String,
    /// `None` if the name has neither letter nor digit.
    href: Option<String>,
}

impl FilmView {
    /// Returns `None` if nothing is known about the film.
    pub(super) fn new(messages: &Messages, film: &Film) -> Option<Self> {
        if film.is_empty() {
            return None;
        }
        let person = |name: &String| {
            let href = Some(browse_index::browse_slug(name)).filter(|slug| !slug.is_empty());
            PersonLink { name: plain_text::name(name), href: href.map(|slug| slug_path("/people/", &slug)) }
        };
        let names = |names: &[String]| names.iter().map(person).collect();
        Some(Self {
            title: plain_text::text(&film.title),
            year: browse_index::release_year(film),
            href: browse_index::film_slug(film).map(|slug| slug_path("/films/", &slug)),
            directors: names(&film.directors),
            writers: names(&film.writers),
            stars: names(&film.stars),
            released: film.release_date.map(|date| ReleaseDateView::new(messages, date)),
            identity: film.identity.as_ref().and_then(ExternalLink::new),
        })
    }
}
