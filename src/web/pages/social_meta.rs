//! Renders the metadata in the head of a page: OpenGraph (ogp.me) for link previews, and schema.org as JSON-LD for
//! search engines.

use minijinja::Value;
use serde::Serialize;
use url::Url;

use super::critic_view::critic_name;
use super::discussion::ReviewCounts;
use super::poster::PosterView;
use super::review_card::review_title;
use super::{Pages, Site, json_ld, plain_text};
use crate::domain::critic::Critic;
use crate::domain::film::Film;
use crate::domain::review::{Media, Review};
use crate::web::share_card;

/// The variable `page.told` of the templates.
#[derive(Debug, Serialize)]
pub(super) struct SocialMeta {
    /// `og:type`.
    kind: &'static str,
    title: String,
    description: String,
    url: String,
    /// The OpenGraph form: `pt_BR`.
    locale: String,
    #[serde(rename = "picture")]
    image: Option<ShareImage>,
    /// Properties of articles only.
    article: Option<ArticleMeta>,
    /// The handle without the domain, on a profile.
    username: Option<String>,
    /// JSON-LD that is safe inside `<script>`.
    linked: Value,
}

/// An image for link previews.
#[derive(Debug, Serialize)]
pub(super) struct ShareImage {
    pub(super) url: String,
    alt: String,
    media_type: String,
    /// Width and height in pixels.
    pub(super) size: Option<(u32, u32)>,
    /// Whether link previews should show it at full width.
    is_wide: bool,
}

#[derive(Debug, Serialize)]
struct ArticleMeta {
    published: String,
    revised: Option<String>,
    author: String,
    tags: Vec<String>,
}

/// A page that lists reviews.
#[derive(Debug)]
pub(super) struct ListMeta<'a> {
    pub(super) title: &'a str,
    pub(super) description: String,
    pub(super) url: &'a Url,
}

impl Pages {
    /// The metadata of a review's page.
    pub(super) fn review_meta(
        &self,
        critic: &Critic,
        review: &Review,
        counts: ReviewCounts,
        description: &str,
    ) -> SocialMeta {
        let (site, content) = (&self.site, &review.content);
        let image = self.share_image(critic, review);
        let linked = json_ld::review(site, critic, review, counts, (description, &image.url));
        SocialMeta {
            kind: "article",
            title: review_title(site, review),
            description: description.to_owned(),
            url: site.origin.review_page(review).into(),
            locale: locale(content.language.as_deref().unwrap_or(&site.about.language)),
            image: Some(image),
            article: Some(ArticleMeta {
                published: review.original_date.to_string(),
                revised: review.revised_at.map(|moment| moment.to_string()),
                author: site.origin.profile_page(&critic.profile.handle).into(),
                tags: content.tags.iter().map(|tag| plain_text::name(tag)).collect(),
            }),
            username: None,
            linked: script_safe_json(&linked),
        }
    }

    /// The metadata of a critic's page.
    pub(super) fn profile_meta(&self, critic: &Critic) -> SocialMeta {
        let site = &self.site;
        SocialMeta {
            kind: "profile",
            title: critic_name(critic),
            description: about(critic),
            url: site.origin.profile_page(&critic.profile.handle).into(),
            locale: locale(&site.about.language),
            image: avatar(site, critic),
            article: None,
            username: Some(critic.profile.handle.clone()),
            linked: script_safe_json(&json_ld::profile(site, critic)),
        }
    }

    /// The metadata of the front page.
    pub(super) fn home_meta(&self, critics: &[Critic]) -> SocialMeta {
        let site = &self.site;
        let only_critic = if let [critic] = critics { Some(critic) } else { None };
        SocialMeta {
            kind: "website",
            title: plain_text::text(&site.about.title),
            description: only_critic.map(about).unwrap_or_default(),
            url: site.origin.home_page().into(),
            locale: locale(&site.about.language),
            image: only_critic.and_then(|critic| avatar(site, critic)),
            article: None,
            username: None,
            linked: script_safe_json(&json_ld::home(site, only_critic)),
        }
    }

    /// The metadata of a film's page.
    pub(super) fn film_meta(&self, film: &Film, newest: &Review, page: &ListMeta<'_>) -> SocialMeta {
        let site = &self.site;
        let poster = newest.poster.as_ref().zip(PosterView::new(site, newest));
        let image = poster.map(|(media, poster)| share_poster(media, poster));
        let linked = json_ld::film_page(site, film, image.as_ref().map(|image| image.url.as_str()));
        SocialMeta { image, kind: "video.movie", ..self.list_meta(page, &linked) }
    }

    /// The metadata of a person's page.
    pub(super) fn person_meta(&self, slug: &str, page: &ListMeta<'_>) -> SocialMeta {
        let linked = json_ld::person_page(&self.site, page.title, slug);
        SocialMeta { kind: "profile", ..self.list_meta(page, &linked) }
    }

    /// The metadata of a page of the archive.
    pub(super) fn archive_meta(&self, page: &ListMeta<'_>) -> SocialMeta {
        self.list_meta(page, &json_ld::list(&self.site, page.title, page.url))
    }

    fn list_meta(&self, page: &ListMeta<'_>, linked: &serde_json::Value) -> SocialMeta {
        SocialMeta {
            kind: "website",
            title: page.title.to_owned(),
            description: page.description.clone(),
            url: page.url.to_string(),
            locale: locale(&self.site.about.language),
            image: None,
            article: None,
            username: None,
            linked: script_safe_json(linked),
        }
    }

    /// The poster of a review, or its share card if it has none.
    pub(super) fn share_image(&self, critic: &Critic, review: &Review) -> ShareImage {
        let site = &self.site;
        if let (Some(media), Some(poster)) = (&review.poster, PosterView::new(site, review)) {
            return share_poster(media, poster);
        }
        let version = self.share_card(critic, review).version();
        let alt = site.messages.format(
            "card-of-review",
            [("title", review_title(site, review).into()), ("critic", critic_name(critic).into())],
        );
        ShareImage {
            url: site.origin.card(review, &version).into(),
            alt,
            media_type: "image/png".to_owned(),
            size: Some((share_card::WIDTH, share_card::HEIGHT)),
            is_wide: true,
        }
    }
}

fn share_poster(media: &Media, poster: PosterView) -> ShareImage {
    let PosterView { url, alt, width, height, .. } = poster;
    let media_type = media.media_type.clone();
    ShareImage { url, alt, media_type, size: Some((width, height)), is_wide: width > height }
}

/// A critic's avatar.
fn avatar(site: &Site, critic: &Critic) -> Option<ShareImage> {
    let (file, media_type) = critic.avatar.as_ref()?;
    Some(ShareImage {
        url: site.origin.media_url_by_name(file).into(),
        alt: critic_name(critic),
        media_type: media_type.clone(),
        size: None,
        is_wide: false,
    })
}

/// The first paragraph of a critic's summary.
fn about(critic: &Critic) -> String {
    plain_text::paragraphs(&critic.profile.summary).into_iter().next().unwrap_or_default()
}

/// The OpenGraph form of a language tag, with the country if the tag has one.
fn locale(language: &str) -> String {
    let mut parts = language.split('-');
    let language = parts.next().unwrap_or_default();
    let is_country = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_alphabetic());
    match parts.find(is_country) {
        Some(country) => format!("{language}_{}", country.to_ascii_uppercase()),
        None => language.to_owned(),
    }
}

/// JSON that is safe inside `<script>`: nothing in it can end the element, start a comment or another script (HTML
/// section 4.12.1.3).
fn script_safe_json(json: &serde_json::Value) -> Value {
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
    fn language_tags_become_open_graph_locales() {
        for (tag, expected) in
            [("en", "en"), ("pt-br", "pt_BR"), ("zh-Hant-TW", "zh_TW"), ("sr-Cyrl", "sr"), ("", "")]
        {
            assert_eq!(locale(tag), expected);
        }
    }

    #[test]
    fn json_cannot_end_its_script_element() {
        let hostile = "</script><!--<script>&amp;\u{2028}]]>";
        let json = script_safe_json(&serde_json::json!({"name": hostile})).to_string();
        assert!(!json.contains(['<', '>', '&', '\u{2028}']), "{json}");
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["name"], hostile);
    }
}
