//! Writes a review in the form that `parse` reads, for editing. Reading it again gives the same review.

use std::fmt::Write as _;

use url::Url;

use super::super::front_matter::quote;
use super::write_body::write_body;
use crate::domain::body_text::split_poster_caption;
use crate::domain::html_escape::escape;
use crate::domain::rating::Rating;
use crate::domain::review::ReviewContent;

/// Writes a review. The poster is referred to by `poster`, if that is given, and by its own URL otherwise.
pub fn write(content: &ReviewContent, poster: Option<&Url>) -> String {
    let mut front = FrontMatterWriter { out: "---\n".to_owned() };
    let film = &content.film;
    front.text("title", Some(&content.title));
    front.text("subtitle", content.subtitle.as_deref());
    front.text("film", Some(film.title.as_str()).filter(|title| !title.is_empty()));
    front.plain("year", film.year);
    front.list("directors", &film.directors);
    front.list("writers", &film.writers);
    front.list("starring", &film.stars);
    front.plain("release_date", film.release_date);
    front.plain("film_url", film.identity.as_ref());
    front.text("rating", content.rating.as_ref().map(Rating::as_str));
    front.list("tags", &content.tags);
    front.plain("spoilers", content.has_spoilers.then_some(true));
    front.plain("language", content.language.as_ref());
    if let Some(own) = &content.poster {
        front.text("poster", Some(poster.unwrap_or(&own.url).as_str()));
        front.text("poster_alt", own.alt.as_deref());
    }
    front.plain("published", content.published);
    front.plain("updated", content.updated);
    front.plain("canonical_url", content.canonical_url.as_ref());
    let (caption, body) = match &content.poster {
        Some(_) => split_poster_caption(&content.body),
        None => (None, content.body.as_str()),
    };
    let mut out = front.out + "---\n\n";
    if let (Some(caption), Some(own)) = (caption, &content.poster) {
        // The caption is taken from where the body shows the poster.
        let (url, caption) = (escape(poster.unwrap_or(&own.url).as_str()), caption.replace('\n', " "));
        let _ = writeln!(
            out,
            "<figure><img src=\"{url}\" alt=\"\"><figcaption>{caption}</figcaption></figure>\n"
        );
    }
    out + &write_body(body)
}

struct FrontMatterWriter {
    out: String,
}

impl FrontMatterWriter {
    fn plain(&mut self, key: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            let _ = writeln!(self.out, "{key}: {value}");
        }
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        self.plain(key, value.map(quote));
    }

    fn list(&mut self, key: &str, values: &[String]) {
        if !values.is_empty() {
            let values: Vec<String> = values.iter().map(|value| quote(value)).collect();
            self.plain(key, Some(format!("[{}]", values.join(", "))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, read_yaml};
    use super::*;

    #[test]
    fn a_warning_of_spoilers_is_kept() {
        let content = read_yaml("title: A\nspoilers: true").unwrap();
        assert!(content.has_spoilers);
        assert!(!content.teaser.is_empty() && !content.body.contains(&content.teaser));
        assert!(read(&write(&content, None)).unwrap().has_spoilers);
        assert!(!read_yaml("title: A\nspoilers: no").unwrap().has_spoilers);
        let error = read_yaml("title: A\nspoilers: some").unwrap_err().to_string();
        assert!(error.contains("expected true or false"), "{error}");
    }
}
