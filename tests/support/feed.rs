//! Feeds that a test serves and changes, with reviews in the form that critics write them.

use std::fmt::Write as _;

use serde_json::json;

use super::activities::as2_date;
use super::remote::{Document, Remote};

/// An entry of a feed.
#[derive(Debug, Clone)]
pub struct Item {
    pub id: String,
    pub link: String,
    pub title: String,
    pub html: String,
    pub published: Option<jiff::Timestamp>,
}

/// A date that no test considers recent.
pub const LONG_AGO: &str = "2019-03-04T10:00:00Z";

impl Item {
    /// A review of a film with this name, published now.
    pub fn review(film: &str) -> Self {
        let slug = film.to_lowercase().replace(' ', "-");
        let link = format!("https://remote.test/reviews/{slug}");
        let title = format!("Movie Review: '{film}' Earns Its Last Minute");
        let html = credits(film) + &prose(film);
        let published = Some(super::now());
        Self { id: link.clone(), link, title, html, published }
    }

    /// The same, published long ago.
    pub fn old_review(film: &str) -> Self {
        let mut item = Self::review(film);
        item.published = Some(LONG_AGO.parse().expect("a moment"));
        item
    }
}

fn credits(film: &str) -> String {
    format!(
        "<p><strong>{film}</strong></p><p>Directed by: Ada Lindqvist<br>Written by: Ada Lindqvist and Ben Okoro<br>\
         Starring: Cleo Marsh, Dov Adler<br>Release Date: October 8th, 2021<br>Rating: ★★★★</p>"
    )
}

fn prose(film: &str) -> String {
    format!(
        "<p>The first reel of {film} asks for patience and the second one pays it back. A ferry, a radio, two \
         sisters who do not speak.</p><p>What the camera of {film} leaves out is what one takes home.</p>"
    )
}

/// A review in Markdown with front matter, as `publish` and `revise` read it.
pub fn markdown(title: &str, film: &str, body: &str) -> String {
    format!(
        "---\ntitle: {title:?}\nfilm: {film:?}\nyear: 2021\ndirectors: [\"Ada Lindqvist\"]\nrating: \"★★★★\"\n\
         tags: [\"Ferries\"]\n---\n\n{body}\n"
    )
}

/// RSS 2.0.
pub fn rss(items: &[Item]) -> String {
    let mut entries = String::new();
    for item in items {
        let date =
            |moment: jiff::Timestamp| format!("<pubDate>{}</pubDate>", super::signature::http_date(moment));
        let (title, link, id) = (escaped(&item.title), escaped(&item.link), escaped(&item.id));
        let date = item.published.map(date).unwrap_or_default();
        let html = &item.html;
        write!(
            entries,
            "<item><title>{title}</title><link>{link}</link><guid isPermaLink=\"false\">{id}</guid>{date}\
             <content:encoded><![CDATA[{html}]]></content:encoded></item>"
        )
        .expect("text");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\" \
         xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>Third Row</title>\
         <link>https://remote.test/</link><description>Reviews</description>{entries}</channel></rss>"
    )
}

/// Atom.
pub fn atom(items: &[Item]) -> String {
    let mut entries = String::new();
    for item in items {
        let (title, link, id) = (escaped(&item.title), escaped(&item.link), escaped(&item.id));
        let moment = as2_date(item.published.unwrap_or_default());
        let html = escaped(&item.html);
        write!(
            entries,
            "<entry><title>{title}</title><link href=\"{link}\"/><id>{id}</id><published>{moment}</published>\
             <updated>{moment}</updated><content type=\"html\">{html}</content></entry>"
        )
        .expect("text");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Third Row</title>\
         <id>https://remote.test/</id><updated>{LONG_AGO}</updated>{entries}</feed>"
    )
}

/// JSON Feed 1.1.
pub fn json_feed(items: &[Item]) -> String {
    let entries = items.iter().map(|item| {
        let moment = item.published.map(as2_date);
        json!({"id": item.id, "url": item.link, "title": item.title, "content_html": item.html, "date_published": moment})
    });
    json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Third Row",
        "home_page_url": "https://remote.test/",
        "items": entries.collect::<Vec<_>>(),
    })
    .to_string()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The name of the feed in the config.
pub const NAME: &str = "third-row";

/// The path at which remotes serve their feed.
pub const PATH: &str = "/feed.xml";

impl Remote {
    /// Serves these items as RSS.
    pub fn serve_feed(&self, items: &[Item]) {
        self.serve(PATH, Document::new("application/rss+xml; charset=utf-8", rss(items)));
    }
}
