//! Finds the feed that an HTML page links to (`<link rel="alternate">`), so that the address of a blog is enough.

use quick_xml::events::BytesStart;
use url::Url;

use super::encoding;
use super::references::decode_references;

/// The part of a page that is searched, in bytes. The links are in its head.
const MAX_SEARCHED_BYTES: usize = 512 * 1024;

/// The maximum size of a `<link>` in bytes.
const MAX_TAG_BYTES: usize = 4_000;

/// The media types of feeds.
const FEED_TYPES: [&str; 4] =
    ["application/atom+xml", "application/rss+xml", "application/feed+json", "application/rdf+xml"];

/// Returns the first feed that a page links to, except feeds of comments.
pub fn find_feed(page: &[u8], charset: Option<&str>, base: &Url) -> Option<Url> {
    let page = page.get(..page.len().min(MAX_SEARCHED_BYTES))?;
    let (page, _) = encoding::decode(page, charset);
    let lower = page.to_ascii_lowercase();
    lower.match_indices("<link").find_map(|(at, start)| {
        let rest = page.get(at + start.len()..)?;
        let end = rest.find('>').filter(|end| *end <= MAX_TAG_BYTES)?;
        feed_of_link(rest.get(..end)?, base)
    })
}

/// Returns the feed that a `<link>` with these attributes leads to, if any.
fn feed_of_link(attributes: &str, base: &Url) -> Option<Url> {
    let tag = format!("link {}", attributes.trim().trim_end_matches('/'));
    let tag = BytesStart::from_content(tag, 4);
    let (mut rel, mut media_type, mut href, mut title) = Default::default();
    for attribute in tag.html_attributes().with_checks(false).flatten() {
        let value = decode_references(&attribute.value).trim().to_owned();
        let into: &mut String = match attribute.key.as_ref().to_ascii_lowercase().as_str() {
            "rel" => &mut rel,
            "type" => &mut media_type,
            "href" => &mut href,
            "title" => &mut title,
            _ => continue,
        };
        *into = value;
    }
    let is_alternate = rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("alternate"));
    let is_feed = FEED_TYPES.iter().any(|known| media_type.eq_ignore_ascii_case(known));
    let is_of_comments = [&href, &title].iter().any(|text| text.to_ascii_lowercase().contains("comment"));
    if !is_alternate || !is_feed || is_of_comments || href.is_empty() {
        return None;
    }
    let mut url = base.join(&href).ok()?;
    if url.scheme() == "http" && url.port().is_none() && base.scheme() == "https" {
        let _ = url.set_scheme("https");
    }
    (url.scheme() == "https").then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_feed_of_the_posts_is_found() {
        let link = |rel: &str, kind: &str, href: &str, title: &str| {
            format!("<link rel=\"{rel}\" type='{kind}' title=\"{title}\" href=\"{href}\" />")
        };
        let posts = |kind, href| link("alternate", kind, href, "A Blog");
        let cases = [
            (posts(FEED_TYPES[0], "/feeds/posts/default"), Some("https://b.example/feeds/posts/default")),
            (posts(FEED_TYPES[1], "http://b.example/feed/"), Some("https://b.example/feed/")),
            (posts(FEED_TYPES[1], "feed?a=1&amp;b=2"), Some("https://b.example/feed?a=1&b=2")),
            (
                posts(FEED_TYPES[2], "https://other.example/feed.json"),
                Some("https://other.example/feed.json"),
            ),
            ("<LINK TYPE=application/rss+xml REL=alternate HREF=/f>".to_owned(), Some("https://b.example/f")),
            (posts("text/html", "/de/"), None),
            (link("stylesheet", FEED_TYPES[0], "/x", ""), None),
            (link("alternate", FEED_TYPES[1], "/feed/", "A Blog » Comments Feed"), None),
            (
                link("alternate", FEED_TYPES[1], "/comments/feed/", "") + &posts(FEED_TYPES[1], "/feed/"),
                Some("https://b.example/feed/"),
            ),
            (posts(FEED_TYPES[0], "javascript:alert(1)"), None),
            (posts(FEED_TYPES[0], "http://b.example:8080/feed"), None),
            ("<link".to_owned(), None),
            (String::new(), None),
        ];
        let base = Url::parse("https://b.example/").unwrap();
        for (links, feed) in cases {
            let page =
                format!("<!DOCTYPE html><html><head><title>B</title>{links}</head><body>…</body></html>");
            let found = find_feed(page.as_bytes(), None, &base);
            assert_eq!(found.as_ref().map(Url::as_str), feed, "{links}");
        }
    }
}
