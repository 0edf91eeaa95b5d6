//! Where the credits of a review were read, and how certain each of them is.

use super::named_enum::named_enum;

/// A value that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditEvidence {
    /// The field that it is for.
    pub field: CreditField,
    /// Where it was read.
    pub origin: CreditOrigin,
    /// How certain it is.
    pub certainty: CreditCertainty,
    /// The value as text.
    pub text: String,
}

/// A field of the credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CreditField {
    /// The title of the film.
    Title,
    /// Its year.
    Year,
    /// Its directors.
    Directors,
    /// Its writers.
    Writers,
    /// Its stars.
    Stars,
    /// Its date of release.
    ReleaseDate,
    /// The critic's rating.
    Rating,
}

named_enum!(CreditField, "field of the credits", {
    Title => "film",
    Year => "year",
    Directors => "directors",
    Writers => "writers",
    Stars => "stars",
    ReleaseDate => "release date",
    Rating => "rating",
});

/// Where a value was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditOrigin {
    /// Elements of the feed that state nothing else.
    Feed,
    /// A `Review` of schema.org within the text.
    JsonLd,
    /// The headline.
    Headline,
    /// A block of credits.
    Block,
    /// The line above a block of credits.
    LineAbove,
    /// The beginning of the text.
    FirstLine,
    /// The end of the text.
    LastLine,
    /// Another line of the text, or what it emphasizes.
    Text,
}

named_enum!(CreditOrigin, "origin of a credit", {
    Feed => "feed",
    JsonLd => "JSON-LD",
    Headline => "headline",
    Block => "credits block",
    Text => "text",
    LineAbove => "line above the credits",
    FirstLine => "first line",
    LastLine => "last line",
});

/// How certain a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CreditCertainty {
    /// It may be wrong, for instance since the review is of two films. It is not used.
    Unsure,
    /// The text implies it.
    Implied,
    /// The text states it.
    Stated,
}

named_enum!(CreditCertainty, "certainty of a credit", {
    Unsure => "unsure",
    Implied => "implied",
    Stated => "stated",
});
