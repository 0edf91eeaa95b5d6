//! A review as an Article, in a form that as many servers as possible show well.

use serde_json::{Value, json};

use super::convert_text::{escape_html, html_to_markdown, shorten, strip_links};
use super::hashtag::hashtags;
use super::{AS_CONTEXT, AS_PUBLIC};
use crate::domain::body_text::strip_figures;
use crate::domain::critic::Critic;
use crate::domain::film::Film;
use crate::domain::origin::Origin;
use crate::domain::rating::Rating;
use crate::domain::review::{Media, Review};
use crate::domain::sanitize_text::single_line;
use crate::domain::time::Timestamp;

/// The longest summary, in characters. Servers truncate longer ones.
const MAX_SUMMARY: usize = 500;

/// The known number of interactions of a review. Other servers read them only from the object itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InteractionCounts {
    /// The number of public replies, at any depth.
    pub replies: u64,
    /// The number of likes.
    pub likes: u64,
    /// The number of boosts.
    pub shares: u64,
}

/// Returns the `@context` of an Article and of activities with one.
pub fn context() -> Value {
    json!([AS_CONTEXT, {
        "Hashtag": "as:Hashtag",
        "sensitive": "as:sensitive",
        "dcterms": "http://purl.org/dc/terms/",
        "gts": "https://gotosocial.org/ns#",
        "interactionPolicy": {"@id": "gts:interactionPolicy", "@type": "@id"},
        "canQuote": {"@id": "gts:canQuote", "@type": "@id"},
        "automaticApproval": {"@id": "gts:automaticApproval", "@type": "@id"},
    }])
}

/// Returns the review as an Article without `@context`. It has `image`, `preview` (FEP-b2b8), `context`
/// (FEP-7888) and, if the film is identified, `relatedWith` (NeoDB).
pub fn article(origin: &Origin, critic: &Critic, review: &Review, counts: InteractionCounts) -> Value {
    let actor = origin.actor(review.critic);
    let content = content(review);
    let mut article = json!({
        "id": origin.article(review.id),
        "type": "Article",
        "attributedTo": actor,
        "url": origin.review_page(review),
        "to": [AS_PUBLIC],
        "cc": [origin.actor_endpoint(review.critic, "followers")],
        "published": review.released_at.to_string(),
        "name": name(review),
        "summary": summary(review),
        "content": content,
        "sensitive": review.content.has_spoilers,
        "preview": preview(origin, critic, review),
        "tag": tags(origin, review),
        "context": origin.article_collection(review.id, "context"),
        "replies": replies(origin, review, counts.replies),
        "likes": total(origin, review, "likes", counts.likes),
        "shares": total(origin, review, "shares", counts.shares),
        // Without it, nobody can quote the review (FEP-044f).
        "interactionPolicy": {"canQuote": {"automaticApproval": [AS_PUBLIC]}},
    });
    if let Some(revised_at) = review.revised_at {
        article["updated"] = json!(revised_at.to_string());
    }
    if let Some(language) = &review.content.language {
        article["contentMap"] = json!({language: content});
    }
    if let Some(media) = &review.poster {
        let url = origin.media_url(media);
        article["image"] = json!({"id": url, "type": "Image", "mediaType": media.media_type, "url": url});
        article["attachment"] = json!([attachment(origin, review, media)]);
    }
    if let Some(recording) = &review.content.recording {
        let mut attached = json!({
            "type": if recording.is_video() { "Video" } else { "Audio" },
            "mediaType": recording.media_type,
            "url": recording.url,
            "name": name(review),
        });
        if let Some(duration) = recording.duration() {
            attached["duration"] = json!(duration);
        }
        match article["attachment"].as_array_mut() {
            Some(attachments) => attachments.push(attached),
            None => article["attachment"] = json!([attached]),
        }
    }
    if let Some(film) = &review.content.film.identity {
        article["relatedWith"] = json!(related(origin, review, film));
    }
    article
}

/// Returns the Tombstone of a retracted review (ActivityPub section 6.4), without `@context`.
pub fn tombstone(origin: &Origin, review: &Review) -> Value {
    let deleted = review.retracted_at.unwrap_or(review.released_at);
    json!({
        "id": origin.article(review.id),
        "type": "Tombstone",
        "formerType": "Article",
        "deleted": deleted.to_string(),
    })
}

/// Returns the rating, the film and the teaser as plain text without links, at most 500 characters. It is safe
/// as HTML too, since some servers read it as HTML (Mastodon) and some as text (Misskey).
pub fn summary(review: &Review) -> String {
    let content = &review.content;
    let rating = content.rating.as_ref().map(ToString::to_string);
    let head: Vec<String> = rating.into_iter().chain(citation(&content.film)).collect();
    let head = head.join(" ");
    let text = match (head.is_empty(), content.teaser.trim().is_empty()) {
        (false, false) => format!("{head}. {}", content.teaser),
        (false, true) => format!("{head}."),
        (true, _) => content.teaser.clone(),
    };
    let text = strip_links(&single_line(&text)).replace('<', "\u{2039}").replace('>', "\u{203a}");
    shorten(&text, MAX_SUMMARY)
}

/// Returns `Title (Director, year)`, as far as known.
fn citation(film: &Film) -> Option<String> {
    if film.title.is_empty() {
        return None;
    }
    let year = film.year.map(|year| year.to_string());
    let known: Vec<String> = film.directors.iter().cloned().chain(year).collect();
    if known.is_empty() {
        return Some(film.title.clone());
    }
    Some(format!("{} ({})", film.title, known.join(", ")))
}

/// Returns the headline, or a substitute, since a post without one would show as a bare link.
fn name(review: &Review) -> &str {
    let content = &review.content;
    [&content.title, &content.film.title]
        .into_iter()
        .find(|title| !title.trim().is_empty())
        .map_or("Review", |title| title.trim())
}

/// Returns the whole review as sanitized HTML: the subtitle, the credits and the body.
pub fn content(review: &Review) -> String {
    let content = &review.content;
    let mut html = String::new();
    if let Some(subtitle) = &content.subtitle {
        html.extend(["<p><strong>", &escape_html(subtitle), "</strong></p>"]);
    }
    let rating = content.rating.as_ref().map(|rating| escape_html(rating.as_str()));
    let credits = credits(&content.film, content.language.as_deref());
    let line: Vec<String> = rating.into_iter().chain(credits).collect();
    if !line.is_empty() {
        html.extend(["<p>", &line.join(" "), "</p>"]);
    }
    html.push_str(&content.body);
    html.extend(content.recording.iter().map(|recording| recording.link(&content.title)));
    html
}

/// Returns the credits as HTML. In languages other than English they contain no English words. They are needed
/// even if the film has no title, since they were removed from the body.
fn credits(film: &Film, language: Option<&str>) -> Option<String> {
    let mut html = match film.title.as_str() {
        "" => String::new(),
        title => format!("<em>{}</em>", escape_html(title)),
    };
    let year = film.year.map(|year| year.to_string());
    if language.is_some_and(|tag| tag != "en" && !tag.starts_with("en-")) {
        let known: Vec<String> = film.directors.iter().cloned().chain(year).collect();
        let known = escape_html(&known.join(", "));
        match (html.is_empty(), known.is_empty()) {
            (true, _) => html = known,
            (false, true) => {}
            (false, false) => html.extend([" (", &known, ")"]),
        }
        return Some(html).filter(|html| !html.is_empty());
    }
    let mut mark = "";
    if !html.is_empty() {
        html.extend(year.iter().flat_map(|year| [" (", year, ")"]));
        mark = ", ";
    }
    for (first, role, people) in [
        ("Directed by ", "directed by ", &film.directors),
        ("Written by ", "written by ", &film.writers),
        ("With ", "with ", &film.stars),
    ] {
        if !people.is_empty() {
            let role = if html.is_empty() { first } else { role };
            html.extend([mark, role, &escape_html(&people.join(", "))]);
            mark = "; ";
        }
    }
    Some(html).filter(|html| !html.is_empty())
}

/// Returns a short form for servers that do not show Articles (FEP-b2b8). It has no id, so that it is not
/// taken for a separate post.
fn preview(origin: &Origin, critic: &Critic, review: &Review) -> Value {
    let teaser = strip_links(&review.content.teaser);
    let mut content = format!("<p><strong>{}</strong></p>", escape_html(name(review)));
    if !teaser.is_empty() {
        content.extend(["<p>", &escape_html(&teaser), "</p>"]);
    }
    json!({"type": "Note", "attributedTo": origin.actor(critic.id), "content": content})
}

fn attachment(origin: &Origin, review: &Review, media: &Media) -> Value {
    let content = &review.content;
    let given = content.poster.as_ref().and_then(|poster| poster.alt.clone());
    let alt = given.unwrap_or_else(|| match content.film.title.as_str() {
        "" => name(review).to_owned(),
        film => format!("Poster of {film}"),
    });
    json!({
        "type": "Image",
        "mediaType": media.media_type,
        "url": origin.media_url(media),
        "name": alt,
        "width": media.width,
        "height": media.height,
    })
}

/// Returns the hashtags and, if the film is identified, a tag for it. NeoDB expects exactly one such tag.
fn tags(origin: &Origin, review: &Review) -> Vec<Value> {
    let content = &review.content;
    let mut tags = hashtags(origin, &content.tags);
    if let Some(identity) = &content.film.identity {
        tags.push(json!({"type": "Movie", "name": film_name(review), "href": identity}));
    }
    tags
}

fn film_name(review: &Review) -> &str {
    match review.content.film.title.as_str() {
        "" => name(review),
        title => title,
    }
}

/// Returns the review and its rating in NeoDB's vocabulary.
fn related(origin: &Origin, review: &Review, film: &url::Url) -> Vec<Value> {
    let id = origin.article(review.id);
    let object = |fragment: &str, kind: &str| {
        json!({
            "id": format!("{id}#{fragment}"),
            "href": origin.review_page(review),
            "type": kind,
            "withRegardTo": film,
            "attributedTo": origin.actor(review.critic),
            "published": with_offset(review.released_at),
            "updated": with_offset(review.revised_at.unwrap_or(review.released_at)),
        })
    };
    let mut full_review = object("review", "Review");
    full_review["name"] = json!(name(review));
    full_review["content"] = json!(html_to_markdown(&strip_figures(&review.content.body)));
    full_review["mediaType"] = json!("text/markdown");
    let mut related = vec![full_review];
    let points = review.content.rating.as_ref().and_then(Rating::out_of_ten);
    if let Some(points @ 1..=10) = points {
        let mut rating = object("rating", "Rating");
        rating["worst"] = json!(1);
        rating["best"] = json!(10);
        rating["value"] = json!(points);
        related.push(rating);
    }
    related
}

/// Formats a timestamp with `+00:00` instead of `Z`, as NeoDB does.
fn with_offset(moment: Timestamp) -> String {
    moment.to_string().replace('Z', "+00:00")
}

fn replies(origin: &Origin, review: &Review, count: u64) -> Value {
    let id = origin.article_collection(review.id, "replies");
    json!({"id": id, "type": "Collection", "totalItems": count, "first": format!("{id}?page=1")})
}

fn total(origin: &Origin, review: &Review, part: &str, count: u64) -> Value {
    json!({"id": origin.article_collection(review.id, part), "type": "Collection", "totalItems": count})
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{CRITIC, REVIEW, critic, moment, origin, review};
    use super::*;

    fn sample(review: &Review) -> Value {
        let counts = InteractionCounts { replies: 2, likes: 3, shares: 0 };
        article(&origin(), &critic(), review, counts)
    }

    #[test]
    fn a_review_is_an_article_with_the_members_that_other_servers_read() {
        let actor = format!("https://crit.example/ap/actor/{CRITIC}");
        let id = format!("https://crit.example/ap/article/{REVIEW}");
        let page = "https://crit.example/reviews/stalker-1979";
        let film = "https://www.themoviedb.org/movie/1398";
        let poster = "https://crit.example/media/stalker.jpg";
        let content = "<p><strong>Wish &amp; fear</strong></p><p>★★★★½ <em>Stalker</em> (1979), directed by Andrei \
            Tarkovsky; written by Arkady Strugatsky, Boris Strugatsky; with Alisa Freindlich</p>\
            <p>It is <em>slow</em>.</p><p>It has to be.</p>";
        let mut article = sample(&review());
        assert!(article.as_object_mut().unwrap().remove("relatedWith").is_some());
        assert_eq!(
            article,
            json!({
                "id": id,
                "type": "Article",
                "attributedTo": actor,
                "url": page,
                "to": ["https://www.w3.org/ns/activitystreams#Public"],
                "cc": [format!("{actor}/followers")],
                "published": "2026-09-01T09:00:00Z",
                "name": "Stalker: the room you must not enter",
                "summary": "★★★★½ Stalker (Andrei Tarkovsky, 1979). Three men walk into the Zone. See for more.",
                "content": content,
                "contentMap": {"en": content},
                "sensitive": false,
                "image": {"id": poster, "type": "Image", "mediaType": "image/jpeg", "url": poster},
                "attachment": [{
                    "type": "Image", "mediaType": "image/jpeg", "url": poster,
                    "name": "A man lies in shallow water", "width": 1000, "height": 1500,
                }],
                "preview": {
                    "type": "Note",
                    "attributedTo": actor,
                    "content": "<p><strong>Stalker: the room you must not enter</strong></p>\
                        <p>Three men walk into the Zone. See for more.</p>",
                },
                "tag": [
                    {
                        "type": "Hashtag", "name": "#AndreiTarkovsky",
                        "href": "https://crit.example/tags/andrei-tarkovsky",
                    },
                    {"type": "Movie", "name": "Stalker", "href": film},
                ],
                "context": format!("{id}/context"),
                "replies": {
                    "id": format!("{id}/replies"), "type": "Collection", "totalItems": 2,
                    "first": format!("{id}/replies?page=1"),
                },
                "likes": {"id": format!("{id}/likes"), "type": "Collection", "totalItems": 3},
                "shares": {"id": format!("{id}/shares"), "type": "Collection", "totalItems": 0},
                "interactionPolicy": {
                    "canQuote": {"automaticApproval": ["https://www.w3.org/ns/activitystreams#Public"]},
                },
            })
        );
    }

    #[test]
    fn an_identified_film_is_described_in_neodbs_vocabulary() {
        let actor = format!("https://crit.example/ap/actor/{CRITIC}");
        let id = format!("https://crit.example/ap/article/{REVIEW}");
        let page = "https://crit.example/reviews/stalker-1979";
        let film = "https://www.themoviedb.org/movie/1398";
        assert_eq!(
            sample(&review())["relatedWith"],
            json!([
                {
                    "id": format!("{id}#review"), "href": page, "type": "Review",
                    "name": "Stalker: the room you must not enter",
                    "content": "It is slow.\n\nIt has to be.", "mediaType": "text/markdown",
                    "withRegardTo": film, "attributedTo": actor,
                    "published": "2026-09-01T09:00:00+00:00", "updated": "2026-09-01T09:00:00+00:00",
                },
                {
                    "id": format!("{id}#rating"), "href": page, "type": "Rating",
                    "worst": 1, "best": 10, "value": 9,
                    "withRegardTo": film, "attributedTo": actor,
                    "published": "2026-09-01T09:00:00+00:00", "updated": "2026-09-01T09:00:00+00:00",
                },
            ])
        );
        let mut graded = review();
        graded.content.rating = Rating::parse("B+");
        let related = sample(&graded)["relatedWith"].clone();
        assert_eq!(related.as_array().unwrap().len(), 1);
    }

    #[test]
    fn unknown_fields_are_omitted() {
        let mut bare = review();
        bare.content.film = Film::default();
        bare.content.rating = None;
        bare.content.language = None;
        bare.content.subtitle = None;
        bare.poster = None;
        let article = sample(&bare);
        for absent in ["contentMap", "image", "attachment", "relatedWith", "updated"] {
            assert!(article.get(absent).is_none(), "{absent}");
        }
        assert_eq!(article["content"], bare.content.body);
        assert_eq!(article["summary"], "Three men walk into the Zone. See for more.");
        assert_eq!(article["tag"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_revision_sets_updated_and_keeps_published() {
        let mut revised = review();
        revised.revised_at = Some(moment("2026-09-02T10:00:00Z"));
        let article = sample(&revised);
        assert_eq!(article["published"], "2026-09-01T09:00:00Z");
        assert_eq!(article["updated"], "2026-09-02T10:00:00Z");
        assert_eq!(article["relatedWith"][0]["updated"], "2026-09-02T10:00:00+00:00");
    }

    #[test]
    fn a_film_without_a_title_keeps_its_credits() {
        let mut review = review();
        review.content.film.title = String::new();
        let content = |review: &Review| sample(review)["content"].as_str().unwrap().to_owned();
        let credits = "<p>★★★★½ Directed by Andrei Tarkovsky; written by Arkady Strugatsky, Boris Strugatsky; \
            with Alisa Freindlich</p>";
        assert!(content(&review).contains(credits), "{}", content(&review));
        review.content.language = Some("fr".to_owned());
        assert!(content(&review).contains("<p>★★★★½ Andrei Tarkovsky, 1979</p>"), "{}", content(&review));
    }

    #[test]
    fn credits_of_a_review_in_another_language_contain_no_english() {
        let mut french = review();
        french.content.language = Some("fr".to_owned());
        french.content.film.title = "Les 400 <coups>".to_owned();
        let content = sample(&french)["content"].as_str().unwrap().to_owned();
        assert!(
            content.contains("<p>★★★★½ <em>Les 400 &lt;coups&gt;</em> (Andrei Tarkovsky, 1979)</p>"),
            "{content}"
        );
    }

    #[test]
    fn a_retracted_review_leaves_a_tombstone() {
        let mut retracted = review();
        retracted.retract(moment("2026-09-03T10:00:00Z")).unwrap();
        assert_eq!(
            tombstone(&origin(), &retracted),
            json!({
                "id": format!("https://crit.example/ap/article/{REVIEW}"),
                "type": "Tombstone",
                "formerType": "Article",
                "deleted": "2026-09-03T10:00:00Z",
            })
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn a_summary_is_short_and_has_neither_links_nor_markup(
            title in "\\PC{0,80}", director in ".{0,300}", teaser in "(\\PC{0,30} ?|https://x\\.example |<b>){0,40}"
        ) {
            let mut any = review();
            any.content.film.title = title;
            any.content.film.directors = vec![director];
            any.content.teaser = teaser;
            let summary = summary(&any);
            prop_assert!(summary.chars().count() <= 500);
            prop_assert!(!summary.contains("://") && !summary.contains('<') && !summary.contains('\n'));
        }
    }
}
