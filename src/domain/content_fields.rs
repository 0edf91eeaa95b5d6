//! The fields of a review's content: which of them differ, and which the critic corrected.

use super::body_text::visible_text;
use super::content_hash::fold_letters;
use super::review::{ContentField, ReviewContent};

/// Whether a field differs.
fn differs(field: ContentField, a: &ReviewContent, b: &ReviewContent) -> bool {
    match field {
        ContentField::Title => a.title != b.title,
        ContentField::Subtitle => a.subtitle != b.subtitle,
        ContentField::Body => !is_same_text(&a.body, &b.body),
        ContentField::Film => a.film != b.film,
        ContentField::Rating => a.rating != b.rating,
        ContentField::Tags => a.tags != b.tags,
        // A source that names no language does not contradict one that does.
        ContentField::Language => a.language.is_some() && b.language.is_some() && a.language != b.language,
        ContentField::CanonicalUrl => a.canonical_url != b.canonical_url,
        ContentField::Spoilers => a.has_spoilers != b.has_spoilers,
        ContentField::Poster => poster_key(a) != poster_key(b),
        // Dates are shown and sent in seconds. A source without a date contradicts none.
        ContentField::Published => match (a.published, b.published) {
            (Some(a), Some(b)) => a.truncate_to_second() != b.truncate_to_second(),
            _ => false,
        },
    }
}

fn copy(field: ContentField, from: &ReviewContent, to: &mut ReviewContent) {
    match field {
        ContentField::Title => to.title.clone_from(&from.title),
        ContentField::Subtitle => to.subtitle.clone_from(&from.subtitle),
        ContentField::Body => {
            to.body.clone_from(&from.body);
            to.teaser.clone_from(&from.teaser);
        }
        ContentField::Film => to.film.clone_from(&from.film),
        ContentField::Rating => to.rating.clone_from(&from.rating),
        ContentField::Tags => to.tags.clone_from(&from.tags),
        ContentField::Language => to.language.clone_from(&from.language),
        ContentField::CanonicalUrl => to.canonical_url.clone_from(&from.canonical_url),
        ContentField::Spoilers => to.has_spoilers = from.has_spoilers,
        ContentField::Poster => to.poster.clone_from(&from.poster),
        ContentField::Published => to.published = from.published,
    }
}

/// What a poster is compared by. Some hosts sign the query of an image's URL again on each request.
fn poster_key(content: &ReviewContent) -> Option<(&str, Option<&str>)> {
    let poster = content.poster.as_ref()?;
    let url = poster.url.as_str();
    Some((url.split_once('?').map_or(url, |(path, _)| path), poster.alt.as_deref()))
}

/// Whether two bodies have the same words. Images do not count, since those of a stored review have other addresses.
fn is_same_text(a: &str, b: &str) -> bool {
    a == b || fold_letters(&visible_text(a)) == fold_letters(&visible_text(b))
}

/// Returns the fields that differ.
pub fn differing_fields(a: &ReviewContent, b: &ReviewContent) -> Vec<ContentField> {
    ContentField::ALL.into_iter().filter(|field| differs(*field, a, b)).collect()
}

/// Copies fields from one content to another.
pub fn copy_fields(fields: &[ContentField], from: &ReviewContent, to: &mut ReviewContent) {
    for field in fields {
        copy(*field, from, to);
    }
}

#[cfg(test)]
mod tests {
    use super::super::content_hash::tests::content;
    use super::super::review::Poster;
    use super::super::time::Timestamp;
    use super::*;

    #[test]
    fn each_field_that_differs_can_be_kept() {
        let feed = content("Anora", "Anora", "<p>The text.</p>");
        let mut corrected = feed.clone();
        corrected.film.year = Some(2024);
        corrected.body = "<p>The text, mended.</p>".into();
        corrected.teaser = "The text, mended.".into();
        corrected.tags = vec!["Drama".into()];
        let fields = differing_fields(&feed, &corrected);
        assert_eq!(fields, [ContentField::Body, ContentField::Film, ContentField::Tags]);
        let mut next = content("Anora, again", "Anora", "<p>The text.</p>");
        copy_fields(&fields, &corrected, &mut next);
        assert_eq!(differing_fields(&next, &corrected), [ContentField::Title]);
        assert_eq!(next.teaser, corrected.teaser);
    }

    #[test]
    fn a_poster_and_a_date_can_be_corrected() {
        let mut feed = content("Anora", "", "");
        let poster = |url: &str, alt| Some(Poster { url: url.parse().unwrap(), alt });
        feed.poster = poster("https://i.example/a.jpg?sig=1", None);
        feed.published = Some(Timestamp::from_millis(1_500));
        let mut signed_again = feed.clone();
        signed_again.poster = poster("https://i.example/a.jpg?sig=2", None);
        signed_again.published = Some(Timestamp::from_millis(1_000));
        assert_eq!(differing_fields(&feed, &signed_again), []);
        signed_again.published = None;
        assert_eq!(differing_fields(&feed, &signed_again), []);
        let mut corrected = feed.clone();
        corrected.poster = poster("https://i.example/a.jpg?sig=1", Some("Two on a sofa".into()));
        corrected.published = Some(Timestamp::from_millis(5_000));
        let fields = differing_fields(&feed, &corrected);
        assert_eq!(fields, [ContentField::Poster, ContentField::Published]);
        copy_fields(&fields, &corrected, &mut feed);
        assert_eq!(feed, corrected);
    }

    #[test]
    fn markup_and_images_are_not_a_correction() {
        let feed = content("Anora", "", "<p>The <em>text</em>.</p><img src=\"https://i.example/a.jpg\">");
        let stored = content("Anora", "", "<p>The text.</p><img src=\"/media/a.jpg\">");
        assert_eq!(differing_fields(&feed, &stored), []);
    }
}
