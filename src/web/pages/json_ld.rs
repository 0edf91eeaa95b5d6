//! Renders structured data (schema.org) of pages. Properties without a value are omitted.

use serde_json::{Map, Value, json};
use url::Url;

use super::critic_view::critic_name;
use super::discussion::ReviewCounts;
use super::links::{ExternalLink, slug_path};
use super::poster::PosterView;
use super::review_card::review_title;
use super::{Site, plain_text};
use crate::domain::browse_index;
use crate::domain::critic::Critic;
use crate::domain::film::Film;
use crate::domain::rating::{Rating, RatingScale};
use crate::domain::review::Review;

const CONTEXT: &str = "https://schema.org";

/// An object with only those members that have a value.
fn object_without_empty<const N: usize>(members: [(&str, Value); N]) -> Value {
    let has_value = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    let members = members.into_iter().filter(|(_, value)| has_value(value));
    Value::Object(members.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

/// A `Review`; an `Article` if the film is unknown, since a `Review` needs an item that it reviews.
pub(super) fn review(
    site: &Site,
    critic: &Critic,
    review: &Review,
    counts: ReviewCounts,
    (description, image): (&str, &str),
) -> Value {
    let (content, page) = (&review.content, site.origin.review_page(review));
    let film = film(site, review);
    let kind = if film.is_null() { "Article" } else { "Review" };
    let rating = content.rating.as_ref().filter(|_| !film.is_null());
    object_without_empty([
        ("@context", json!(CONTEXT)),
        ("@type", json!(kind)),
        ("@id", json!(format!("{page}#review"))),
        ("url", json!(page)),
        ("mainEntityOfPage", json!(page)),
        ("name", json!(review_title(site, review))),
        ("headline", json!(review_title(site, review))),
        ("description", json!(description)),
        ("image", json!(image)),
        ("datePublished", json!(review.original_date.to_string())),
        ("dateModified", json!(review.revised_at.map(|moment| moment.to_string()))),
        ("inLanguage", json!(content.language.as_deref().unwrap_or(&site.about.language))),
        ("keywords", json!(content.tags.iter().map(|tag| plain_text::name(tag)).collect::<Vec<_>>())),
        ("author", person(site, critic)),
        ("publisher", publisher(site)),
        ("sameAs", json!(original_url(site, review))),
        ("itemReviewed", film),
        ("reviewRating", rating.map_or(Value::Null, rating_value)),
        ("commentCount", json!(counts.comments)),
        (
            "interactionStatistic",
            json!([
                interaction_counter("LikeAction", counts.likes),
                interaction_counter("ShareAction", counts.boosts),
                interaction_counter("CommentAction", counts.comments),
            ]),
        ),
    ])
}

/// The original publication on another site, if any.
fn original_url(site: &Site, review: &Review) -> Option<String> {
    let url = review.content.original_url().filter(|url| !site.origin.owns(url))?;
    ExternalLink::new(&url).map(|link| link.href)
}

fn interaction_counter(action: &str, count: u64) -> Value {
    json!({
        "@type": "InteractionCounter",
        "interactionType": {"@type": action},
        "userInteractionCount": count,
    })
}

/// A rating on the critic's own scale; null for letters, which have no number.
fn rating_value(rating: &Rating) -> Value {
    let (value, best) = match rating.scale() {
        RatingScale::Stars(halves) => (u32::from(halves.min(10)) * 50, 500),
        RatingScale::Points(points, best) => (points, best),
        RatingScale::Letter | RatingScale::Thumb(_) => return Value::Null,
    };
    json!({
        "@type": "Rating",
        "ratingValue": hundredths(value),
        "bestRating": hundredths(best),
        "worstRating": 0,
    })
}

fn hundredths(number: u32) -> Value {
    if number.is_multiple_of(100) { json!(number / 100) } else { json!(f64::from(number) / 100.0) }
}

/// The film of a review; null if it has no title.
fn film(site: &Site, review: &Review) -> Value {
    movie(
        site,
        &review.content.film,
        PosterView::new(site, review).as_ref().map(|poster| poster.url.as_str()),
    )
}

/// A film; null if it has no title.
fn movie(site: &Site, film: &Film, image: Option<&str>) -> Value {
    let title = plain_text::text(&film.title);
    if title.is_empty() {
        return Value::Null;
    }
    let people = |names: &[String]| -> Value {
        names
            .iter()
            .map(|name| film_person(site, &plain_text::name(name), &browse_index::browse_slug(name)))
            .collect()
    };
    let page = browse_index::film_slug(film).map(|slug| site.origin.url(&slug_path("/films/", &slug)));
    let year = film.year.map(|year| year.to_string());
    let identity = film.identity.as_ref().and_then(ExternalLink::new);
    object_without_empty([
        ("@type", json!("Movie")),
        ("@id", json!(page.as_ref().map(|page| format!("{page}#film")))),
        ("url", json!(page)),
        ("name", json!(title)),
        ("dateCreated", json!(film.release_date.map(|day| day.to_string()).or(year))),
        ("director", people(&film.directors)),
        ("author", people(&film.writers)),
        ("actor", people(&film.stars)),
        ("sameAs", json!(identity.map(|identity| identity.href))),
        ("image", json!(image)),
    ])
}

/// A person of a film.
fn film_person(site: &Site, name: &str, slug: &str) -> Value {
    let page =
        Some(slug).filter(|slug| !slug.is_empty()).map(|slug| site.origin.url(&slug_path("/people/", slug)));
    object_without_empty([
        ("@type", json!("Person")),
        ("@id", json!(page.as_ref().map(|page| format!("{page}#person")))),
        ("name", json!(name)),
        ("url", json!(page)),
    ])
}

/// The page of a film.
pub(super) fn film_page(site: &Site, film: &Film, image: Option<&str>) -> Value {
    with_context(movie(site, film, image))
}

/// The page of a person who worked on a film.
pub(super) fn person_page(site: &Site, name: &str, slug: &str) -> Value {
    with_context(film_person(site, name, slug))
}

/// The page of a list of reviews.
pub(super) fn list(site: &Site, title: &str, url: &Url) -> Value {
    json!({
        "@context": CONTEXT,
        "@type": "CollectionPage",
        "@id": url,
        "url": url,
        "name": title,
        "inLanguage": site.about.language,
    })
}

fn with_context(mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.insert("@context".to_owned(), json!(CONTEXT));
    }
    object
}

/// A critic.
fn person(site: &Site, critic: &Critic) -> Value {
    let profile = &critic.profile;
    let page = site.origin.profile_page(&profile.handle);
    let links = profile.links.iter().filter_map(|link| Some(ExternalLink::new(&link.url)?.href));
    let avatar = critic.avatar.as_ref().map(|(file, _)| site.origin.media_url_by_name(file));
    object_without_empty([
        ("@type", json!("Person")),
        ("@id", json!(format!("{page}#person"))),
        ("name", json!(critic_name(critic))),
        ("alternateName", json!(format!("@{}@{}", profile.handle, site.handle_domain))),
        ("url", json!(page)),
        ("description", json!(plain_text::paragraphs(&profile.summary).first())),
        ("image", json!(avatar)),
        ("sameAs", links.collect()),
    ])
}

fn publisher(site: &Site) -> Value {
    json!({
        "@type": "Organization",
        "name": plain_text::text(&site.about.title),
        "url": site.origin.home_page(),
    })
}

/// A critic's page.
pub(super) fn profile(site: &Site, critic: &Critic) -> Value {
    let page = site.origin.profile_page(&critic.profile.handle);
    json!({
        "@context": CONTEXT,
        "@type": "ProfilePage",
        "@id": page,
        "url": page,
        "name": critic_name(critic),
        "inLanguage": site.about.language,
        "dateCreated": critic.created_at.to_string(),
        "mainEntity": person(site, critic),
    })
}

/// The site, with its search.
pub(super) fn home(site: &Site, only_critic: Option<&Critic>) -> Value {
    let home = site.origin.home_page();
    object_without_empty([
        ("@context", json!(CONTEXT)),
        ("@type", json!("WebSite")),
        ("@id", json!(format!("{home}#website"))),
        ("url", json!(home)),
        ("name", json!(plain_text::text(&site.about.title))),
        ("inLanguage", json!(site.about.language)),
        ("author", only_critic.map_or(Value::Null, |critic| person(site, critic))),
        (
            "potentialAction",
            json!({
                "@type": "SearchAction",
                "target": {
                    "@type": "EntryPoint",
                    "urlTemplate": format!("{}/search?q={{search_term_string}}", site.origin),
                },
                "query-input": "required name=search_term_string",
            }),
        ),
    ])
}
