//! Hashes of a review's content: one that recognizes the text of an entry on a later poll, and one that detects
//! revisions.

use url::Url;

use super::body_text::text_with_references;
use super::canonical_url::url_key;
use super::hash::sha256_hex;
use super::review::ReviewContent;

/// A body with fewer letters than this is too short to identify a review on its own.
const MIN_IDENTIFYING_LETTERS: usize = 200;

/// Returns the SHA-256 (hexadecimal) of the letters and digits of the visible text, so that changes of
/// markup, quotes or spaces do not change it. A short body is hashed together with the headline and the film.
pub fn text_hash(content: &ReviewContent) -> String {
    // `&quot;` is not decoded, since the hashes of stored reviews contain its letters.
    let decode = |text: String| {
        text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    };
    let mut text = fold_letters(&decode(text_with_references(&content.body)));
    if text.chars().take(MIN_IDENTIFYING_LETTERS).count() < MIN_IDENTIFYING_LETTERS {
        let head = fold_letters(&content.title);
        let film = fold_letters(&content.film.title);
        text = format!("{head}\n{film}\n{text}");
    }
    if text.trim().is_empty() {
        text = content.canonical_url.as_ref().map(url_key).unwrap_or_default();
    }
    sha256_hex(text.as_bytes())
}

/// Returns the SHA-256 (hexadecimal) of everything that a reader would notice, to detect revisions. It
/// leaves out dates, since many feeds change `updated` for no reason; the order of the tags; the queries of image URLs, since some
/// hosts sign them again on each request; and the teaser, since it follows from the body.
pub fn content_hash(content: &ReviewContent) -> String {
    let mut all = Vec::new();
    let mut add = |text: &str| {
        // The length prefix keeps text that moves from one field to the next from going unnoticed.
        all.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        all.extend(text.as_bytes());
    };
    let film = &content.film;
    add(&content.title);
    add(content.subtitle.as_deref().unwrap_or_default());
    add(&strip_image_queries(&content.body));
    add(&film.title);
    add(&film.year.map(|y| y.to_string()).unwrap_or_default());
    add(&film.release_date.map(|d| d.to_string()).unwrap_or_default());
    add(film.identity.as_ref().map_or("", Url::as_str));
    let mut tags = content.tags.clone();
    tags.sort();
    for list in [&film.directors, &film.writers, &film.stars, &tags] {
        add(&list.len().to_string());
        for name in list {
            add(name);
        }
    }
    add(content.rating.as_ref().map_or("", |r| r.as_str()));
    add(content.language.as_deref().unwrap_or_default());
    add(&content.canonical_url.as_ref().map(url_key).unwrap_or_default());
    if let Some(poster) = &content.poster {
        add(without_query(&poster.url));
        add(poster.alt.as_deref().unwrap_or_default());
    }
    if let Some(recording) = &content.recording {
        add("recording");
        add(without_query(&recording.url));
    }
    if content.has_spoilers {
        add("spoilers");
    }
    sha256_hex(&all)
}

/// Returns a URL without its query, which some hosts sign again on each request, and without its fragment.
fn without_query(url: &Url) -> &str {
    url.as_str().split(['?', '#']).next().unwrap_or_default()
}

/// Removes the queries of image URLs from a body.
fn strip_image_queries(body: &str) -> String {
    const IMG_SRC: &str = "<img src=\"";
    let mut parts = body.split(IMG_SRC);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (url, rest) = part.split_once('"').unwrap_or((part, ""));
        out.extend([IMG_SRC, url.split('?').next().unwrap_or_default(), "\"", rest]);
    }
    out
}

/// Returns the letters and digits of a text in lower case, to compare texts without punctuation and case.
pub fn fold_letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::domain::rating::Rating;
    use crate::domain::review::Poster;

    pub(in crate::domain) fn content(title: &str, film: &str, body: &str) -> ReviewContent {
        let mut content =
            ReviewContent { title: title.into(), body: body.into(), ..ReviewContent::default() };
        content.film.title = film.into();
        content
    }

    pub(in crate::domain) fn prose(seed: usize) -> String {
        (0..120).map(|n| format!("word{}", (n * 7 + seed * 1000) % 997)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn new_markup_does_not_change_the_text_hash() {
        let body = format!("<p>{}</p>", prose(1));
        let other = format!("<div><em>{}</em></div>\n", prose(1).replace(' ', "&nbsp; "));
        assert_eq!(text_hash(&content("One", "", &body)), text_hash(&content("Two", "", &other)));
        assert_ne!(text_hash(&content("One", "", &body)), text_hash(&content("One", "", &prose(2))));
        assert_ne!(
            text_hash(&content("One", "", "<p>Great.</p>")),
            text_hash(&content("Two", "", "<p>Great.</p>")),
            "a short text counts with its headline"
        );
    }

    #[test]
    fn visible_changes_change_the_content_hash() {
        let old = content("Anora", "Anora", "<p>Text</p>");
        let hash = content_hash(&old);
        let changes: [fn(&mut ReviewContent); 7] = [
            |d| d.title.push('!'),
            |d| d.body = "<p><em>Text</em></p>".into(),
            |d| d.rating = Rating::parse("B+"),
            |d| d.tags.push("horror".into()),
            |d| d.film.stars.push("Mikey Madison".into()),
            |d| d.film.directors.push("Mikey Madison".into()),
            |d| d.subtitle = Some("Sub".into()),
        ];
        let mut seen = HashSet::from([hash.clone()]);
        for change in changes {
            let mut new = old.clone();
            change(&mut new);
            assert!(seen.insert(content_hash(&new)), "{new:?}");
        }
        let mut same = old.clone();
        same.updated = Some(crate::domain::time::Timestamp::from_millis(5));
        assert_eq!(content_hash(&same), hash);
    }

    #[test]
    fn the_order_of_tags_is_no_change() {
        let mut one = content("Anora", "Anora", "");
        one.tags = vec!["drama".into(), "2024".into()];
        let mut two = one.clone();
        two.tags.reverse();
        assert_eq!(content_hash(&one), content_hash(&two));
        two.tags.pop();
        assert_ne!(content_hash(&one), content_hash(&two));
    }

    #[test]
    fn a_newly_signed_image_url_does_not_change_the_hash() {
        let mut one = content("Anora", "Anora", "");
        one.poster = Some(Poster { url: "https://i.example/a.jpg?sig=1".parse().unwrap(), alt: None });
        let mut two = one.clone();
        two.poster = Some(Poster { url: "https://i.example/a.jpg?sig=2".parse().unwrap(), alt: None });
        assert_eq!(content_hash(&one), content_hash(&two));
        two.poster = None;
        assert_ne!(content_hash(&one), content_hash(&two));
    }
}
