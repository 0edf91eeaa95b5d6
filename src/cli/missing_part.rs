//! What a review may lack.

use clap::ValueEnum;

use crate::domain::film::Film;

/// A part that a review may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum MissingPart {
    Film,
    Year,
    Directors,
    Rating,
    Poster,
    Tags,
}

/// The parts of a review.
pub(super) struct ReviewParts<'a> {
    pub(super) film: &'a Film,
    pub(super) has_rating: bool,
    pub(super) has_poster: bool,
    pub(super) has_tags: bool,
}

impl MissingPart {
    const fn name(self) -> &'static str {
        match self {
            Self::Film => "film",
            Self::Year => "year",
            Self::Directors => "directors",
            Self::Rating => "rating",
            Self::Poster => "poster",
            Self::Tags => "tags",
        }
    }

    pub(super) fn is_missing_in(self, review: &ReviewParts<'_>) -> bool {
        match self {
            Self::Film => review.film.title.is_empty(),
            Self::Year => review.film.year.is_none(),
            Self::Directors => review.film.directors.is_empty(),
            Self::Rating => !review.has_rating,
            Self::Poster => !review.has_poster,
            Self::Tags => !review.has_tags,
        }
    }

    pub(super) fn all_in(review: &ReviewParts<'_>) -> Vec<&'static str> {
        let missing = Self::value_variants().iter().filter(|part| part.is_missing_in(review));
        missing.map(|part| part.name()).collect()
    }
}
