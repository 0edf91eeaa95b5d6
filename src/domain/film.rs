//! The film that a review is about. A field stays empty unless the source states it with certainty.

use serde::{Deserialize, Serialize};
use url::Url;

use super::release_date::ReleaseDate;

/// A film as described by the credits block of a review.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Film {
    /// The title; empty if the source does not name it with certainty.
    pub title: String,
    /// The year of release.
    pub year: Option<i16>,
    /// The directors, in the order of the source.
    pub directors: Vec<String>,
    /// The writers.
    pub writers: Vec<String>,
    /// The stars.
    pub stars: Vec<String>,
    /// The date of release.
    pub release_date: Option<ReleaseDate>,
    /// The film's page at TMDB or IMDb, if the source identifies it.
    pub identity: Option<Url>,
}

impl Film {
    /// Whether nothing at all is known about the film.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
