//! Renders ratings: as drawn stars, or as the critic wrote them.

use serde::Serialize;

use super::{Messages, plain_text};
use crate::domain::rating::{Rating, RatingScale};

/// A rating.
#[derive(Debug, Serialize)]
pub(super) struct RatingView {
    /// The rating as the critic writes it.
    shown: String,
    /// The text for screen readers.
    spoken: String,
    /// Half stars out of ten, if it is given in stars.
    halves: Option<u8>,
    /// Whether `shown` says more than the drawn stars.
    has_text: bool,
}

impl RatingView {
    pub(super) fn new(messages: &Messages, rating: &Rating) -> Self {
        Self::from_parts(messages, rating.as_str(), rating.scale())
    }

    pub(super) fn from_parts(messages: &Messages, shown: &str, scale: RatingScale) -> Self {
        let shown = plain_text::name(shown);
        let halves = match scale {
            RatingScale::Stars(halves) => Some(halves.min(10)),
            RatingScale::Points(..) | RatingScale::Letter | RatingScale::Thumb(_) => None,
        };
        let spoken = match halves {
            Some(1) => messages.get("rating-half"),
            Some(halves) if halves % 2 == 1 => {
                messages.format("rating-halves", [("count", (halves / 2).into())])
            }
            Some(halves) => messages.format("rating-stars", [("count", (halves / 2).into())]),
            None => match shown.split_once('/') {
                Some((points, max)) => {
                    messages.format("rating-points", [("points", points.into()), ("most", max.into())])
                }
                None => shown.clone(),
            },
        };
        Self { has_text: halves.is_none() || shown.contains('/'), shown, spoken, halves }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_are_spoken_on_the_scale_of_the_critic() {
        let messages = Messages::load("en", None).unwrap();
        let spoken = |shown: &str, scale| {
            serde_json::to_value(RatingView::from_parts(&messages, shown, scale)).unwrap()
        };
        let stars = spoken("★★★½", RatingScale::Stars(7));
        assert_eq!(stars["spoken"], "3.5 out of 5 stars");
        assert_eq!(stars["has_text"], false);
        assert_eq!(spoken("½", RatingScale::Stars(1))["spoken"], "0.5 out of 5 stars");
        assert_eq!(spoken("8/10", RatingScale::Points(800, 1000))["spoken"], "8 out of 10");
        assert_eq!(spoken("3.5/5", RatingScale::Stars(7))["has_text"], true);
        assert_eq!(spoken("B+", RatingScale::Letter)["spoken"], "B+");
    }
}
