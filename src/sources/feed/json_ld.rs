//! A `Review` of schema.org that the body of an entry contains as JSON-LD or microdata: it names the film and the rating
//! without doubt.

use serde_json::Value;
use url::Url;

use super::microdata;
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
/// is the one. Of a work whose kind is not given, only the rating is returned.
pub(super) fn read_review(body: &str) -> Option<(Film, Option<Rating>)> {
    let mut reviews = Vec::new();
    for part in body.split("<script").skip(1).take(MAX_SCRIPTS) {
        let (tag, rest) = part.split_once('>')?;
        let script = rest.split("</script").next().unwrap_or_default();
        if tag.contains("application/ld+json") && script.len() <= MAX_SCRIPT_BYTES {
            let document: Value = serde_json::from_str(script.trim()).unwrap_or_default();
            reviews.extend(objects(&document).filter(|object| has_type(object, &["Review"])).cloned());
        }
    }
    if reviews.is_empty() {
        let items = microdata::read_items(body);
        reviews.extend(items.into_iter().filter_map(review_of_item));
    }
    let [review] = reviews.as_slice() else { return None };
    let rating = review.get("reviewRating").and_then(rating);
    let work = review.get("itemReviewed");
    let is_open = |work: &Value| work.is_string() || has_type(work, &["Thing", "CreativeWork", ""]);
    let Some(work) = work.filter(|work| !is_open(work)) else {
        return Some((Film::default(), Some(rating?)));
    };
    if !has_type(work, &FILM_TYPES) {
        return None;
    }
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
    Some((film, rating))
}

/// Returns an item of microdata if it is a review, or the review of the film that it is.
fn review_of_item(item: Value) -> Option<Value> {
    if has_type(&item, &["Review", "CriticReview"]) {
        return Some(item);
    }
    let review = item.get("review").filter(|_| has_type(&item, &FILM_TYPES))?;
    let mut review = review.as_object()?.clone();
    review.insert("itemReviewed".to_owned(), item);
    Some(Value::Object(review))
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
        let open = review(r#"{"ratingValue": 4}"#).replace("Movie", "Thing");
        assert_eq!(
            read(&open).map(|(film, rating)| (film, rating.unwrap().to_string())),
            Some((Film::default(), "4/5".to_owned()))
        );
        assert_eq!(read(&one.replace("Salt", "\"")), None, "no JSON");
        assert_eq!(read_review(&format!("<p>{one}</p>")), None);
    }

    #[test]
    fn a_review_in_microdata_names_its_film_and_rating() {
        let rating = "<div itemprop=reviewRating itemscope itemtype=https://schema.org/Rating><span itemprop=ratingValue>3.5</span>/<span itemprop=bestRating>4</span></div>";
        let film = "itemscope itemtype='https://schema.org/Movie'><h3 itemprop=name>Salt &amp; Oars</h3><meta itemprop=dateCreated content=1974>";
        for html in [
            format!(
                "<div itemscope itemtype=http://schema.org/Review><div itemprop=itemReviewed {film}</div>{rating}</div>"
            ),
            format!(
                "<div {film}<div itemprop=review itemscope itemtype=http://schema.org/Review>{rating}</div></div>"
            ),
        ] {
            let (film, rating) = read_review(&html).unwrap();
            assert_eq!((film.title.as_str(), film.year), ("Salt & Oars", Some(1974)), "{html}");
            assert_eq!(rating.as_ref().map(Rating::as_str), Some("3.5/4"), "{html}");
        }
        let book = format!(
            "<div itemscope itemtype=http://schema.org/Review><div itemprop=itemReviewed {}</div>{rating}</div>",
            film.replace("Movie", "Book")
        );
        assert_eq!(read_review(&book), None);
        let named = format!(
            "<div itemscope itemtype=http://schema.org/Review><span itemprop=itemReviewed>Salt</span>{rating}</div>"
        );
        assert_eq!(read_review(&named).unwrap().0, Film::default(), "it may be a book");
    }
}
