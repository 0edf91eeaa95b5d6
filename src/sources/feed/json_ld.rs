//! A `Review` of schema.org that the body of an entry contains as JSON-LD: it names the film and the rating without doubt.

use serde_json::Value;
use url::Url;

use crate::domain::film::Film;
use crate::domain::rating::Rating;
use crate::sources::html;
use crate::sources::review_content::MAX_TITLE_CHARS;

/// The maximum size in bytes of a script that is parsed, and the maximum number of scripts of one body.
const MAX_SCRIPT_BYTES: usize = 100_000;
const MAX_SCRIPTS: usize = 10;
/// The maximum number of directors.
const MAX_DIRECTORS: usize = 10;
/// Types of works that are films.
const FILM_TYPES: [&str; 3] = ["Movie", "TVSeries", "TVEpisode"];

/// Returns the film and the rating of the only review that a body describes. Several reviews are of several films, so that none
/// is the one.
pub(super) fn read_review(body: &str) -> Option<(Film, Option<Rating>)> {
    if !body.contains("application/ld+json") {
        return None;
    }
    let mut reviews = Vec::new();
    for part in body.split("<script").skip(1).take(MAX_SCRIPTS) {
        let (tag, rest) = part.split_once('>')?;
        let script = rest.split("</script").next().unwrap_or_default();
        if tag.contains("application/ld+json") && script.len() <= MAX_SCRIPT_BYTES {
            let document: Value = serde_json::from_str(script.trim()).unwrap_or_default();
            reviews.extend(objects(&document).filter(|object| has_type(object, &["Review"])).cloned());
        }
    }
    let [review] = reviews.as_slice() else { return None };
    let work = review.get("itemReviewed").filter(|work| has_type(work, &FILM_TYPES))?;
    let title = html::single_line_text(&html::plain_text(text(work, "name")?), MAX_TITLE_CHARS);
    let directors = one_or_many(work.get("director")).filter_map(|person| match person {
        Value::String(name) => Some(name.as_str()),
        person => text(person, "name"),
    });
    let film = Film {
        title,
        year: ["dateCreated", "datePublished"].iter().find_map(|key| text(work, key)?.get(..4)?.parse().ok()),
        directors: directors
            .map(|name| html::single_line_text(name, MAX_TITLE_CHARS))
            .take(MAX_DIRECTORS)
            .collect(),
        identity: one_or_many(work.get("sameAs")).find_map(|url| identity(url.as_str()?)),
        ..Film::default()
    };
    Some((film, review.get("reviewRating").and_then(rating)))
}

/// The objects at the top of a document: it may be one, a list, or a graph.
fn objects(document: &Value) -> impl Iterator<Item = &Value> {
    one_or_many(Some(document)).flat_map(|object| one_or_many(object.get("@graph")).chain([object]))
}

fn one_or_many(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let (many, one) = match value {
        Some(Value::Array(many)) => (many.as_slice(), None),
        one => (&[][..], one),
    };
    many.iter().chain(one)
}

fn has_type(object: &Value, types: &[&str]) -> bool {
    one_or_many(object.get("@type")).filter_map(Value::as_str).any(|kind| types.contains(&kind))
}

fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str().filter(|text| !text.trim().is_empty())
}

/// Returns a page of IMDb or TMDB.
fn identity(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_start_matches("www.");
    matches!(host, "imdb.com" | "themoviedb.org").then_some(url)
}

/// Returns a rating with its scale, which is one to five unless it says otherwise.
fn rating(object: &Value) -> Option<Rating> {
    let number = |key: &str| match object.get(key)? {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let (value, best) = (number("ratingValue")?, number("bestRating").unwrap_or_else(|| "5".to_owned()));
    Rating::parse(&format!("{value}/{best}")).or_else(|| Rating::parse(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<(Film, Option<Rating>)> {
        read_review(&format!("<p>Salt.</p><script type=\"application/ld+json\">{json}</script>"))
    }

    #[test]
    fn a_review_in_json_ld_names_its_film_and_rating() {
        let film = r#"{"@type": "Movie", "name": "Salt &amp; Oars", "dateCreated": "1974-05-02",
            "director": [{"@type": "Person", "name": "Ada Lindqvist"}, "Ben Okoro"],
            "sameAs": ["https://x.example/", "https://www.imdb.com/title/tt0000001/"]}"#;
        let review = |rating: &str| {
            format!(r#"{{"@type": "Review", "itemReviewed": {film}, "reviewRating": {rating}}}"#)
        };
        for (rating, expected) in [
            (r#"{"ratingValue": "4.5"}"#, Some("4.5/5")),
            (r#"{"ratingValue": 8, "bestRating": 10}"#, Some("8/10")),
            (r#"{"ratingValue": "B+"}"#, Some("B+")),
            (r#"{"ratingValue": 9, "bestRating": 5}"#, None),
            ("null", None),
        ] {
            let json = review(rating);
            for json in [json.clone(), format!("[{json}]"), format!(r#"{{"@graph": [{json}, {{}}]}}"#)] {
                let (film, found) = read(&json).unwrap();
                assert_eq!((film.title.as_str(), film.year), ("Salt & Oars", Some(1974)), "{json}");
                assert_eq!(film.directors, ["Ada Lindqvist", "Ben Okoro"]);
                assert_eq!(film.identity.unwrap().as_str(), "https://www.imdb.com/title/tt0000001/");
                assert_eq!(found.as_ref().map(Rating::as_str), expected, "{json}");
            }
        }
        let one = review("null");
        assert_eq!(read(&format!("[{one}, {one}]")), None, "two reviews");
        assert_eq!(read(&one.replace("Movie", "Book")), None);
        assert_eq!(read(&one.replace("Salt", "\"")), None, "no JSON");
        assert_eq!(read_review(&format!("<p>{one}</p>")), None);
    }
}
