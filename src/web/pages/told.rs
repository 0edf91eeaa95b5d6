//! What a page tells machines in its head: OpenGraph (ogp.me) and the cards of those who have a form of their own,
//! for whoever shows a link to it; schema.org in JSON-LD, for those who search.

use minijinja::Value;
use serde::Serialize;
use url::Url;

use super::live::Counts;
use super::view::{Picture, name, poster, title};
use super::{Pages, Site, linked, plain};
use crate::domain::critic::Critic;
use crate::domain::film::Film;
use crate::domain::review::{Media, Review};
use crate::web::card;

/// In templates: `page.told`.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    /// `og:type`.
    kind: &'static str,
    title: String,
    description: String,
    url: String,
    /// As OpenGraph writes it: `pt_BR`.
    locale: String,
    picture: Option<Shown>,
    /// What only an article has.
    article: Option<Article>,
    /// The handle's first part, on a profile.
    username: Option<String>,
    /// JSON that nothing can end before its time.
    linked: Value,
}

/// A picture to show beside a link.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    pub(super) url: String,
    alt: String,
    media_type: String,
    /// Its pixels across and down.
    pub(super) size: Option<(u32, u32)>,
    /// Whether it is to be shown across the whole card.
    is_wide: bool,
}

#[derive(Debug, Serialize)]
struct Article {
    published: String,
    revised: Option<String>,
    author: String,
    tags: Vec<String>,
}

/// A page that lists reviews.
#[derive(Debug)]
pub(super) struct ListPage<'a> {
    pub(super) title: &'a str,
    pub(super) description: String,
    pub(super) url: &'a Url,
}

impl Pages {
    /// What the page of a review tells.
    pub(super) fn told_of_review(
        &self,
        critic: &Critic,
        review: &Review,
        counts: Counts,
        description: &str,
    ) -> Told {
        let (site, draft) = (&self.site, &review.draft);
        let picture = self.picture(critic, review);
        let linked = linked::review(site, critic, review, counts, (description, &picture.url));
        Told {
            kind: "article",
            title: title(site, review),
            description: description.to_owned(),
            url: site.origin.review_page(review).into(),
            locale: locale(draft.language.as_deref().unwrap_or(&site.about.language)),
            picture: Some(picture),
            article: Some(Article {
                published: review.original_date.to_string(),
                revised: review.revised_at.map(|moment| moment.to_string()),
                author: site.origin.profile_page(&critic.profile.handle).into(),
                tags: draft.tags.iter().map(|tag| plain::name(tag)).collect(),
            }),
            username: None,
            linked: inert(&linked),
        }
    }

    /// What a critic's page tells.
    pub(super) fn told_of_profile(&self, critic: &Critic) -> Told {
        let site = &self.site;
        Told {
            kind: "profile",
            title: name(critic),
            description: about(critic),
            url: site.origin.profile_page(&critic.profile.handle).into(),
            locale: locale(&site.about.language),
            picture: face(site, critic),
            article: None,
            username: Some(critic.profile.handle.clone()),
            linked: inert(&linked::profile(site, critic)),
        }
    }

    /// What the front page tells.
    pub(super) fn told_of_home(&self, critics: &[Critic]) -> Told {
        let site = &self.site;
        let alone = if let [critic] = critics { Some(critic) } else { None };
        Told {
            kind: "website",
            title: plain::text(&site.about.title),
            description: alone.map(about).unwrap_or_default(),
            url: site.origin.home().into(),
            locale: locale(&site.about.language),
            picture: alone.and_then(|critic| face(site, critic)),
            article: None,
            username: None,
            linked: inert(&linked::home(site, alone)),
        }
    }

    /// What the page of a film tells.
    pub(super) fn told_of_film(&self, film: &Film, newest: &Review, page: &ListPage<'_>) -> Told {
        let site = &self.site;
        let picture = newest.poster.as_ref().zip(poster(site, newest));
        let picture = picture.map(|(media, picture)| shown(media, picture));
        let linked = linked::film_page(site, film, picture.as_ref().map(|picture| picture.url.as_str()));
        Told { picture, kind: "video.movie", ..self.told_of_list(page, &linked) }
    }

    /// What the page of somebody who makes films or plays in them tells.
    pub(super) fn told_of_person(&self, slug: &str, page: &ListPage<'_>) -> Told {
        let linked = linked::person_page(&self.site, page.title, slug);
        Told { kind: "profile", ..self.told_of_list(page, &linked) }
    }

    /// What a page of the archive tells.
    pub(super) fn told_of_shelf(&self, page: &ListPage<'_>) -> Told {
        self.told_of_list(page, &linked::list(&self.site, page.title, page.url))
    }

    fn told_of_list(&self, page: &ListPage<'_>, linked: &serde_json::Value) -> Told {
        Told {
            kind: "website",
            title: page.title.to_owned(),
            description: page.description.clone(),
            url: page.url.to_string(),
            locale: locale(&self.site.about.language),
            picture: None,
            article: None,
            username: None,
            linked: inert(linked),
        }
    }

    /// The poster of a review; the card that is drawn where there is none.
    pub(super) fn picture(&self, critic: &Critic, review: &Review) -> Shown {
        let site = &self.site;
        if let (Some(media), Some(picture)) = (&review.poster, poster(site, review)) {
            return shown(media, picture);
        }
        let version = self.card(critic, review).version();
        let alt = site.words.say_with(
            "card-of-review",
            [("title", title(site, review).into()), ("critic", name(critic).into())],
        );
        Shown {
            url: site.origin.card(review, &version).into(),
            alt,
            media_type: "image/png".to_owned(),
            size: Some((card::WIDTH, card::HEIGHT)),
            is_wide: true,
        }
    }
}

fn shown(media: &Media, picture: Picture) -> Shown {
    let Picture { url, alt, width, height, .. } = picture;
    let media_type = media.media_type.clone();
    Shown { url, alt, media_type, size: Some((width, height)), is_wide: width > height }
}

/// A critic's picture.
fn face(site: &Site, critic: &Critic) -> Option<Shown> {
    let (file, media_type) = critic.avatar.as_ref()?;
    Some(Shown {
        url: site.origin.media_named(file).into(),
        alt: name(critic),
        media_type: media_type.clone(),
        size: None,
        is_wide: false,
    })
}

/// The first thing that a critic says.
fn about(critic: &Critic) -> String {
    plain::paragraphs(&critic.profile.summary).into_iter().next().unwrap_or_default()
}

/// A language as OpenGraph writes it; without its country where none is told.
fn locale(language: &str) -> String {
    let mut parts = language.split('-');
    let language = parts.next().unwrap_or_default();
    let is_country = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_alphabetic());
    match parts.find(is_country) {
        Some(country) => format!("{language}_{}", country.to_ascii_uppercase()),
        None => language.to_owned(),
    }
}

/// JSON as it may stand within `<script>`: nothing in it ends the element, begins a comment or another script
/// (HTML section 4.12.1.3).
fn inert(json: &serde_json::Value) -> Value {
    let mut text = String::new();
    for c in json.to_string().chars() {
        match c {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            c => text.push(c),
        }
    }
    Value::from_safe_string(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_written_as_open_graph_writes_it() {
        for (tag, written) in
            [("en", "en"), ("pt-br", "pt_BR"), ("zh-Hant-TW", "zh_TW"), ("sr-Cyrl", "sr"), ("", "")]
        {
            assert_eq!(locale(tag), written);
        }
    }

    #[test]
    fn nothing_in_json_ends_its_element() {
        let hostile = "</script><!--<script>&amp;\u{2028}]]>";
        let json = inert(&serde_json::json!({"name": hostile})).to_string();
        assert!(!json.contains(['<', '>', '&', '\u{2028}']), "{json}");
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["name"], hostile);
    }
}
