//! Reviews for feed readers: RSS 2.0, Atom (RFC 4287), JSON Feed 1.1.

use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use super::view::{self, Listed};
use super::{Pages, plain};
use crate::domain::critic::Critic;
use crate::domain::review::Review;
use crate::domain::text::for_xml;
use crate::domain::time::Timestamp;
use crate::federation::vocab::article;

/// A form that feed readers take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RSS 2.0.
    Rss,
    /// Atom.
    Atom,
    /// JSON Feed 1.1.
    Json,
}

impl Format {
    /// All of them, the one that most readers take first.
    pub const ALL: [Self; 3] = [Self::Rss, Self::Atom, Self::Json];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rss => "RSS",
            Self::Atom => "Atom",
            Self::Json => "JSON Feed",
        }
    }

    /// The last part of its address.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Rss => "feed.xml",
            Self::Atom => "atom.xml",
            Self::Json => "feed.json",
        }
    }

    /// Its media type, as it is linked to.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml",
            Self::Atom => "application/atom+xml",
            Self::Json => "application/feed+json",
        }
    }

    /// Its media type, as it is sent.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml; charset=utf-8",
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Json => "application/feed+json",
        }
    }
}

/// Whose reviews a feed has.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// All of the site.
    Site,
    /// A critic's.
    Critic(&'a Critic),
    /// Those with a tag, as the critic writes it.
    Tag(&'a str),
    /// Those of films by or with somebody: the last part of the page's address, and the name.
    Person(&'a str, &'a str),
}

/// What a feed shows. Lies beside the page of its subject.
#[derive(Debug, Clone, Copy)]
pub struct FeedPage<'a> {
    /// Whose reviews it has.
    pub subject: Subject<'a>,
    /// The newest of them, newest first.
    pub reviews: &'a [Listed<'a>],
}

#[derive(Debug, Serialize)]
struct View {
    title: String,
    about: String,
    home: Url,
    own: Url,
    language: String,
    updated: Option<Moment>,
    entries: Vec<Entry>,
}

/// A moment as feeds write it.
#[derive(Debug, Serialize)]
struct Moment {
    iso: String,
    http: String,
}

impl From<Timestamp> for Moment {
    fn from(moment: Timestamp) -> Self {
        Self { iso: moment.to_string(), http: moment.to_http_date() }
    }
}

#[derive(Debug, Serialize)]
struct Entry {
    id: Url,
    url: Url,
    title: String,
    summary: String,
    content: String,
    language: Option<String>,
    published: Moment,
    updated: Moment,
    author: Author,
    tags: Vec<String>,
    image: Option<Image>,
}

#[derive(Debug, Serialize)]
struct Author {
    name: String,
    url: Url,
}

#[derive(Debug, Serialize)]
struct Image {
    url: Url,
    media_type: String,
}

/// The links from a page to the feeds of what it lists.
#[derive(Debug, Serialize)]
pub(super) struct FeedLink {
    media_type: &'static str,
    /// What its form is called.
    form: &'static str,
    href: String,
    title: String,
}

/// The feeds of what lies at a path; `title` is what their readers will call them.
pub(super) fn links(path: &str, title: &str) -> Vec<FeedLink> {
    let folder = path.trim_end_matches('/');
    let link = |format: Format| FeedLink {
        media_type: format.media_type(),
        form: format.name(),
        href: format!("{folder}/{}", format.file()),
        title: title.to_owned(),
    };
    Format::ALL.map(link).into()
}

impl Pages {
    /// A feed in that form.
    ///
    /// # Errors
    /// Where a template of the critic's own goes wrong.
    pub fn feed(&self, page: &FeedPage<'_>, format: Format) -> anyhow::Result<String> {
        let site = &self.site;
        let name = plain::text(&site.about.title);
        let (title, home, folder) = match page.subject {
            Subject::Site => (name, site.origin.home(), String::new()),
            Subject::Tag(tag) => {
                let home = site.origin.tag_page(tag);
                (format!("#{} · {name}", plain::name(tag)), home.clone(), view::path(&home))
            }
            Subject::Person(slug, person) => {
                let home = site.origin.url(&view::page_of("/people/", slug));
                (format!("{} · {name}", plain::name(person)), home.clone(), view::path(&home))
            }
            Subject::Critic(critic) => {
                let home = site.origin.profile_page(&critic.profile.handle);
                (format!("{} · {name}", view::name(critic)), home.clone(), view::path(&home))
            }
        };
        let changed = page.reviews.iter().map(|listed| changed(listed.review)).max();
        let title = for_xml(&title);
        let view = View {
            about: site.words.say_with("feed-about", [("title", title.as_str().into())]),
            title,
            home,
            own: site.origin.url(&format!("{folder}/{}", format.file())),
            language: site.about.language.clone(),
            updated: changed.map(Moment::from),
            entries: page.reviews.iter().map(|listed| self.entry(listed)).collect(),
        };
        match format {
            Format::Rss => self.render("rss.xml", view),
            Format::Atom => self.render("atom.xml", view),
            Format::Json => Ok(json_feed(view).to_string()),
        }
    }

    fn entry(&self, listed: &Listed<'_>) -> Entry {
        let Listed { critic, review, .. } = *listed;
        let origin = &self.site.origin;
        Entry {
            id: origin.article(review.id),
            url: origin.review_page(review),
            title: for_xml(&view::title(&self.site, review)),
            summary: for_xml(&article::summary(review)),
            content: for_xml(&article::content(review)),
            language: review.draft.language.clone(),
            published: review.original_date.into(),
            updated: changed(review).into(),
            author: Author {
                name: for_xml(&view::name(critic)),
                url: origin.profile_page(&critic.profile.handle),
            },
            tags: review.draft.tags.iter().map(|tag| for_xml(&plain::name(tag))).collect(),
            image: review
                .poster
                .as_ref()
                .map(|media| Image { url: origin.media(media), media_type: media.media_type.clone() }),
        }
    }
}

/// When what a review says was last changed.
fn changed(review: &Review) -> Timestamp {
    review.revised_at.unwrap_or(review.original_date).max(review.original_date)
}

fn json_feed(feed: View) -> Value {
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
