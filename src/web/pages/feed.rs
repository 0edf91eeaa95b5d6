//! Renders feeds: RSS 2.0, Atom (RFC 4287), JSON Feed 1.1.

use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use super::critic_view::critic_name;
use super::links::{slug_path, url_path};
use super::review_card::{ReviewListItem, review_title};
use super::{Pages, plain_text};
use crate::domain::critic::Critic;
use crate::domain::review::Review;
use crate::domain::sanitize_text::strip_invalid_xml;
use crate::domain::time::Timestamp;
use crate::federation::vocab::article;

/// A feed format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedFormat {
    /// RSS 2.0.
    Rss,
    /// Atom.
    Atom,
    /// JSON Feed 1.1.
    Json,
}

impl FeedFormat {
    /// All formats; the most widely supported one comes first.
    pub const ALL: [Self; 3] = [Self::Rss, Self::Atom, Self::Json];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rss => "RSS",
            Self::Atom => "Atom",
            Self::Json => "JSON Feed",
        }
    }

    /// The last segment of its path.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Rss => "feed.xml",
            Self::Atom => "atom.xml",
            Self::Json => "feed.json",
        }
    }

    /// The media type in links.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml",
            Self::Atom => "application/atom+xml",
            Self::Json => "application/feed+json",
        }
    }

    /// The media type in responses.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml; charset=utf-8",
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Json => "application/feed+json",
        }
    }
}

/// Which reviews a feed contains.
#[derive(Debug, Clone, Copy)]
pub enum FeedSubject<'a> {
    /// All reviews.
    Site,
    /// A critic's reviews.
    Critic(&'a Critic),
    /// Reviews with a tag, as the critic writes it.
    Tag(&'a str),
    /// Reviews of films by or with a person: the slug and the name.
    Person(&'a str, &'a str),
}

/// Input of a feed.
#[derive(Debug, Clone, Copy)]
pub struct FeedPage<'a> {
    /// Which reviews it contains.
    pub subject: FeedSubject<'a>,
    /// The newest reviews, newest first.
    pub reviews: &'a [ReviewListItem<'a>],
}

#[derive(Debug, Serialize)]
struct FeedView {
    title: String,
    about: String,
    home: Url,
    own: Url,
    language: String,
    updated: Option<FeedTime>,
    entries: Vec<FeedEntry>,
}

/// A time in the formats of feeds.
#[derive(Debug, Serialize)]
struct FeedTime {
    iso: String,
    http: String,
}

impl From<Timestamp> for FeedTime {
    fn from(moment: Timestamp) -> Self {
        Self { iso: moment.to_string(), http: moment.to_http_date() }
    }
}

#[derive(Debug, Serialize)]
struct FeedEntry {
    id: Url,
    url: Url,
    title: String,
    summary: String,
    content: String,
    language: Option<String>,
    published: FeedTime,
    updated: FeedTime,
    author: FeedAuthor,
    tags: Vec<String>,
    image: Option<FeedImage>,
}

#[derive(Debug, Serialize)]
struct FeedAuthor {
    name: String,
    url: Url,
}

#[derive(Debug, Serialize)]
struct FeedImage {
    url: Url,
    media_type: String,
}

/// A link to a feed.
#[derive(Debug, Serialize)]
pub(super) struct FeedLink {
    media_type: &'static str,
    /// The name of its format.
    form: &'static str,
    href: String,
    title: String,
}

/// The feeds of the list at `path`, with the title that feed readers show.
pub(super) fn feed_links(path: &str, title: &str) -> Vec<FeedLink> {
    let folder = path.trim_end_matches('/');
    let link = |format: FeedFormat| FeedLink {
        media_type: format.media_type(),
        form: format.name(),
        href: format!("{folder}/{}", format.file()),
        title: title.to_owned(),
    };
    FeedFormat::ALL.map(link).into()
}

impl Pages {
    /// Renders a feed.
    ///
    /// # Errors
    /// If a custom template fails.
    pub fn feed(&self, page: &FeedPage<'_>, format: FeedFormat) -> anyhow::Result<String> {
        let site = &self.site;
        let name = plain_text::text(&site.about.title);
        let (title, home, folder) = match page.subject {
            FeedSubject::Site => (name, site.origin.home_page(), String::new()),
            FeedSubject::Tag(tag) => {
                let home = site.origin.tag_page(tag);
                (format!("#{} · {name}", plain_text::name(tag)), home.clone(), url_path(&home))
            }
            FeedSubject::Person(slug, person) => {
                let home = site.origin.url(&slug_path("/people/", slug));
                (format!("{} · {name}", plain_text::name(person)), home.clone(), url_path(&home))
            }
            FeedSubject::Critic(critic) => {
                let home = site.origin.profile_page(&critic.profile.handle);
                (format!("{} · {name}", critic_name(critic)), home.clone(), url_path(&home))
            }
        };
        let changed = page.reviews.iter().map(|listed| last_changed(listed.review)).max();
        let title = strip_invalid_xml(&title);
        let view = FeedView {
            about: site.messages.format("feed-about", [("title", title.as_str().into())]),
            title,
            home,
            own: site.origin.url(&format!("{folder}/{}", format.file())),
            language: site.about.language.clone(),
            updated: changed.map(FeedTime::from),
            entries: page.reviews.iter().map(|listed| self.entry(listed)).collect(),
        };
        match format {
            FeedFormat::Rss => self.render("rss.xml", view),
            FeedFormat::Atom => self.render("atom.xml", view),
            FeedFormat::Json => Ok(json_feed(view).to_string()),
        }
    }

    fn entry(&self, listed: &ReviewListItem<'_>) -> FeedEntry {
        let ReviewListItem { critic, review, .. } = *listed;
        let origin = &self.site.origin;
        FeedEntry {
            id: origin.article(review.id),
            url: origin.review_page(review),
            title: strip_invalid_xml(&review_title(&self.site, review)),
            summary: strip_invalid_xml(&article::summary(review)),
            content: strip_invalid_xml(&article::content(review)),
            language: review.content.language.clone(),
            published: review.original_date.into(),
            updated: last_changed(review).into(),
            author: FeedAuthor {
                name: strip_invalid_xml(&critic_name(critic)),
                url: origin.profile_page(&critic.profile.handle),
            },
            tags: review.content.tags.iter().map(|tag| strip_invalid_xml(&plain_text::name(tag))).collect(),
            image: review.poster.as_ref().map(|media| FeedImage {
                url: origin.media_url(media),
                media_type: media.media_type.clone(),
            }),
        }
    }
}

/// When the content of a review last changed.
fn last_changed(review: &Review) -> Timestamp {
    review.revised_at.unwrap_or(review.original_date).max(review.original_date)
}

fn json_feed(feed: FeedView) -> Value {
    let items = feed.entries.into_iter().map(|entry| {
        let mut item = json!({
            "id": entry.id,
            "url": entry.url,
            "title": entry.title,
            "content_html": entry.content,
            "summary": entry.summary,
            "date_published": entry.published.iso,
            "date_modified": entry.updated.iso,
            "authors": [{"name": entry.author.name, "url": entry.author.url}],
            "tags": entry.tags,
        });
        if let Some(language) = entry.language {
            item["language"] = json!(language);
        }
        if let Some(image) = entry.image {
            item["image"] = json!(image.url);
        }
        item
    });
    json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "description": feed.about,
        "home_page_url": feed.home,
        "feed_url": feed.own,
        "language": feed.language,
        "items": items.collect::<Vec<_>>(),
    })
}
