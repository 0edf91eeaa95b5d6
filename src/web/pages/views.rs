//! Values for templates: small structs of finished texts and URLs.

use minijinja::Value;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use url::Url;

use super::{Messages, Site, plain_text};
use crate::domain::browse_index;
use crate::domain::critic::Critic;
use crate::domain::film::Film;
use crate::domain::rating::{Rating, RatingScale};
use crate::domain::review::{Media, Review};
use crate::domain::time::Timestamp;

/// A review in a list, before rendering.
#[derive(Debug, Clone, Copy)]
pub struct ReviewListItem<'a> {
    /// The author.
    pub critic: &'a Critic,
    /// The review.
    pub review: &'a Review,
    /// The number of comments.
    pub comments: u64,
}

/// A time in the site's time zone.
#[derive(Debug, Serialize)]
pub(super) struct DateView {
    /// For `<time datetime>`.
    iso: String,
    /// `8 October 2024`.
    day: String,
    /// `8 Oct`, below a heading with the year.
    short: String,
    /// `8 October 2024, 21:14`.
    exact: String,
    #[serde(skip)]
    pub(super) year: i16,
}

impl DateView {
    pub(super) fn new(site: &Site, moment: Timestamp) -> Self {
        let messages = &site.messages;
        let local = moment.to_jiff().to_zoned(site.about.timezone.clone());
        let day = date(messages, local.date());
        let time = local.strftime("%H:%M").to_string();
        let month = messages.get(&format!("month-short-{}", local.month()));
        let of_month = local.day().to_string();
        Self {
            iso: moment.to_string(),
            short: messages.format("date-in-year", [("day", of_month.into()), ("month", month.into())]),
            exact: messages.format("date-and-time", [("date", day.as_str().into()), ("time", time.into())]),
            day,
            year: local.year(),
        }
    }
}

/// A date in the language of the site.
fn date(messages: &Messages, day: jiff::civil::Date) -> String {
    let month = messages.get(&format!("month-{}", day.month()));
    let (of_month, year) = (day.day().to_string(), day.year().to_string());
    messages.format("date", [("day", of_month.into()), ("month", month.into()), ("year", year.into())])
}

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
    pub(super) fn of(messages: &Messages, rating: &Rating) -> Self {
        Self::new(messages, rating.as_str(), rating.scale())
    }

    pub(super) fn new(messages: &Messages, shown: &str, scale: RatingScale) -> Self {
        let shown = plain_text::name(shown);
        let halves = match scale {
            RatingScale::Stars(halves) => Some(halves.min(10)),
            RatingScale::Points(..) | RatingScale::Letter => None,
        };
        let spoken = match halves {
            Some(1) => messages.get("rating-half"),
            Some(n) if n % 2 == 1 => messages.format("rating-halves", [("count", (n / 2).into())]),
            Some(n) => messages.format("rating-stars", [("count", (n / 2).into())]),
            None => match shown.split_once('/') {
                Some((points, most)) => {
                    messages.format("rating-points", [("points", points.into()), ("most", most.into())])
                }
                None => shown.clone(),
            },
        };
        Self { has_text: halves.is_none() || shown.contains('/'), shown, spoken, halves }
    }
}

/// A picture that we serve.
#[derive(Debug, Serialize)]
pub(super) struct PictureView {
    src: String,
    pub(super) url: String,
    pub(super) alt: String,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// The poster of a review, if it has been fetched: a page never makes its reader contact another server.
pub(super) fn poster(site: &Site, review: &Review) -> Option<PictureView> {
    let media: &Media = review.poster.as_ref()?;
    let alt_text = review.content.poster.as_ref().and_then(|p| p.alt.as_deref());
    let alt = match alt_text.map(plain_text::text).filter(|alt| !alt.is_empty()) {
        Some(alt) => alt,
        None if review.content.film.title.is_empty() => site.messages.get("poster-of-film"),
        None => {
            site.messages.format("poster-of", [("film", plain_text::text(&review.content.film.title).into())])
        }
    };
    let url = site.origin.media_url(media);
    Some(PictureView { src: path(&url), url: url.into(), alt, width: media.width, height: media.height })
}

/// The film of a review, for its credits.
#[derive(Debug, Serialize)]
pub(super) struct FilmView {
    title: String,
    year: Option<i16>,
    /// The page of the film, if its title is known.
    href: Option<String>,
    directors: Vec<PersonLink>,
    writers: Vec<PersonLink>,
    stars: Vec<PersonLink>,
    released: Option<DayView>,
    identity: Option<ExternalLink>,
}

/// A person of a film, with a link to their page.
#[derive(Debug, Serialize)]
struct PersonLink {
    name: String,
    /// `None` if the name has neither letter nor digit.
    href: Option<String>,
}

/// A calendar date, in no time zone.
#[derive(Debug, Serialize)]
struct DayView {
    iso: String,
    shown: String,
}

/// A link to another site.
#[derive(Debug, Serialize)]
pub(super) struct ExternalLink {
    pub(super) href: String,
    host: String,
}

impl ExternalLink {
    /// Returns `None` unless it is a web URL: nothing else ever becomes a link.
    pub(super) fn new(url: &Url) -> Option<Self> {
        let host = url.host_str().filter(|_| matches!(url.scheme(), "https" | "http"))?;
        Some(Self { href: url.to_string(), host: host.strip_prefix("www.").unwrap_or(host).to_owned() })
    }
}

impl FilmView {
    /// Returns `None` if nothing is known.
    pub(super) fn new(messages: &Messages, film: &Film) -> Option<Self> {
        if film.is_empty() {
            return None;
        }
        let person = |name: &String| {
            let href = Some(browse_index::browse_slug(name)).filter(|slug| !slug.is_empty());
            PersonLink { name: plain_text::name(name), href: href.map(|slug| slug_path("/people/", &slug)) }
        };
        let names = |names: &[String]| names.iter().map(person).collect();
        Some(Self {
            title: plain_text::text(&film.title),
            year: browse_index::release_year(film),
            href: browse_index::film_slug(film).map(|slug| slug_path("/films/", &slug)),
            directors: names(&film.directors),
            writers: names(&film.writers),
            stars: names(&film.stars),
            released: film
                .release_date
                .map(|day| DayView { iso: day.to_string(), shown: date(messages, day) }),
            identity: film.identity.as_ref().and_then(ExternalLink::new),
        })
    }
}

/// A critic, as shown beside a review and on the profile.
#[derive(Debug, Serialize)]
pub(super) struct CriticView {
    pub(super) name: String,
    handle: String,
    actor: String,
    href: String,
    pub(super) url: String,
    avatar: Option<String>,
    about: Vec<String>,
    links: Vec<NamedLink>,
    support: Vec<NamedLink>,
}

/// A link of a critic's profile.
#[derive(Debug, Serialize)]
struct NamedLink {
    name: String,
    href: String,
}

impl CriticView {
    pub(super) fn new(site: &Site, critic: &Critic) -> Self {
        let profile = &critic.profile;
        let url = site.origin.profile_page(&profile.handle);
        let links = profile.links.iter().filter_map(|link| {
            let outside = ExternalLink::new(&link.url)?;
            let name = Some(plain_text::name(&link.name)).filter(|name| !name.is_empty());
            Some(NamedLink { name: name.unwrap_or(outside.host), href: outside.href })
        });
        let is_for = |handle: &Option<String>| handle.as_ref().is_none_or(|handle| *handle == profile.handle);
        let support = site.about.support.iter().filter(|way| is_for(&way.critic)).map(|way| NamedLink {
            name: way
                .name
                .as_deref()
                .map_or_else(|| site.messages.get(way.kind.message_id()), plain_text::name),
            href: way.url.to_string(),
        });
        Self {
            support: support.collect(),
            name: name(critic),
            handle: format!("@{}@{}", profile.handle, site.handle_domain),
            actor: site.origin.actor(critic.id).into(),
            href: path(&url),
            url: url.into(),
            avatar: critic.avatar.as_ref().map(|(name, _)| path(&site.origin.media_url_by_name(name))),
            about: plain_text::paragraphs(&profile.summary),
            links: links.collect(),
        }
    }
}

/// A critic's name, or the handle if there is none.
pub(super) fn name(critic: &Critic) -> String {
    let name = plain_text::name(&critic.profile.name);
    if name.is_empty() { critic.profile.handle.clone() } else { name }
}

/// A tag with a link to its page.
#[derive(Debug, Serialize)]
pub(super) struct TagLink {
    name: String,
    href: String,
}

/// The tags of a review. A tag with neither letter nor digit has no page and is left out.
pub(super) fn tags(site: &Site, tags: &[String]) -> Vec<TagLink> {
    tags.iter()
        .filter(|tag| !browse_index::browse_slug(tag).is_empty())
        .map(|tag| TagLink { name: plain_text::name(tag), href: path(&site.origin.tag_page(tag)) })
        .collect()
}

/// A review in a list, as rendered.
#[derive(Debug, Serialize)]
pub(super) struct ReviewCard {
    href: String,
    title: String,
    text: String,
    /// The teaser, if `text` is something else.
    opening: String,
    language: Option<String>,
    film: Option<FilmView>,
    pub(super) rating: Option<RatingView>,
    poster: Option<PictureView>,
    pub(super) date: DateView,
    minutes: u32,
    comments: u64,
    critic_name: String,
    critic_href: String,
}

impl ReviewCard {
    pub(super) fn new(site: &Site, listed: ReviewListItem<'_>) -> Self {
        let ReviewListItem { critic, review, comments } = listed;
        let draft = &review.content;
        let CriticView { name, href, .. } = CriticView::new(site, critic);
        Self {
            href: path(&site.origin.review_page(review)),
            title: title(site, review),
            text: plain_text::text(draft.subtitle.as_deref().unwrap_or(&draft.teaser)),
            opening: if draft.subtitle.is_some() { plain_text::text(&draft.teaser) } else { String::new() },
            language: draft.language.clone(),
            film: FilmView::new(&site.messages, &draft.film),
            rating: draft.rating.as_ref().map(|rating| RatingView::of(&site.messages, rating)),
            poster: poster(site, review),
            date: DateView::new(site, review.original_date),
            minutes: draft.reading_minutes(),
            comments,
            critic_name: name,
            critic_href: href,
        }
    }
}

impl ReviewCard {
    /// The text below the title.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// A review's headline, or its film's title if there is none.
pub(super) fn title(site: &Site, review: &Review) -> String {
    let candidates = [&review.content.title, &review.content.film.title];
    candidates
        .into_iter()
        .map(|title| plain_text::text(title))
        .find(|title| !title.is_empty())
        .unwrap_or_else(|| site.messages.get("untitled"))
}

/// The pagination links of a list.
#[derive(Debug, Serialize)]
pub(super) struct Pager {
    page: u32,
    pages: u32,
    newer: Option<String>,
    older: Option<String>,
}

impl Pager {
    /// Links around page `page` of `pages`, from one, of the list at `path`.
    pub(super) fn new(path: &str, page: u32, pages: u32) -> Self {
        let href = |page: u32| match page {
            1 => path.to_owned(),
            _ => format!("{path}{}page={page}", if path.contains('?') { '&' } else { '?' }),
        };
        Self {
            page,
            pages,
            newer: (page > 1).then(|| href(page - 1)),
            older: (page < pages).then(|| href(page + 1)),
        }
    }
}

/// The path of an entry of an index.
pub(super) fn slug_path(folder: &str, slug: &str) -> String {
    format!("{folder}{}", utf8_percent_encode(slug, NOT_IN_PATHS))
}

/// A slug consists of letters of all scripts, digits, hyphens and full stops.
const NOT_IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.');

/// Marks HTML as safe that `sources` sanitised: the only way past the escaping of the templates.
pub(super) fn safe_html(sanitised: &str) -> Value {
    Value::from_safe_string(sanitised.to_owned())
}

/// The body of a review. Its pictures are loaded lazily, also those in closed spoilers, and wide tables can be
/// scrolled, also by keyboard.
pub(super) fn review_body(site: &Site, body: &str) -> Value {
    let ours = format!("<img src=\"{}/", site.origin.as_str());
    let mut body = body.replace(&ours, "<img loading=\"lazy\" decoding=\"async\" src=\"/");
    if body.contains("<table") {
        let label = site.messages.get("table");
        let frame =
            format!("<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"{label}\"><table");
        body = body.replace("<table", &frame).replace("</table>", "</table></div>");
    }
    safe_html(&body)
}

/// The path of one of our URLs, with query and fragment.
pub(super) fn path(url: &Url) -> String {
    url[url::Position::BeforePath..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_keep_the_scale_of_their_critic() {
        let messages = Messages::load("en", None).unwrap();
        let spoken =
            |shown: &str, scale| serde_json::to_value(RatingView::new(&messages, shown, scale)).unwrap();
        let stars = spoken("★★★½", RatingScale::Stars(7));
        assert_eq!(stars["spoken"], "3.5 out of 5 stars");
        assert_eq!(stars["has_text"], false);
        assert_eq!(spoken("½", RatingScale::Stars(1))["spoken"], "0.5 out of 5 stars");
        assert_eq!(spoken("8/10", RatingScale::Points(800, 1000))["spoken"], "8 out of 10");
        assert_eq!(spoken("3.5/5", RatingScale::Stars(7))["has_text"], true);
        assert_eq!(spoken("B+", RatingScale::Letter)["spoken"], "B+");
    }
}
