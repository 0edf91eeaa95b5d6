//! The film that a review is about, as far as its source says so. What is not certain stays empty.

use serde::{Deserialize, Serialize};
use url::Url;

/// What the credits block of a review tells about its film.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Film {
    /// The film's title; empty where the source does not name it with certainty.
    pub title: String,
    /// The year of its release.
    pub year: Option<i16>,
    /// Who directed it, in the order given.
    pub directors: Vec<String>,
    /// Who wrote it.
    pub writers: Vec<String>,
    /// Who stars in it.
    pub stars: Vec<String>,
    /// The day of its release.
    pub release_date: Option<jiff::civil::Date>,
    /// Its page at TMDB or IMDb, where a source identifies it.
    pub identity: Option<Url>,
}

impl Film {
    /// Whether nothing at all is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
