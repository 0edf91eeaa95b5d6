//! Entries of a feed, and the keys that recognise one on a later poll: the id within its feed, the
//! canonical URL, and hashes of the text. `flows::ingest` decides what becomes of an entry.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use url::Url;

use super::hash::sha256_hex;
use super::review::ReviewContent;
use super::sanitize_text::strip_figures;

/// A parsed entry of a feed document.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedEntry {
    /// The id that the feed gives it: RSS `guid`, Atom `id` or JSON Feed `id`.
    pub guid: Option<String>,
    /// The review that it carries. `content.canonical_url` is the entry's own link.
    pub content: ReviewContent,
}

/// Query parameters that track readers and do not select a page.
const TRACKING: [&str; 18] = [
    "fbclid", "gclid", "gbraid", "wbraid", "dclid", "msclkid", "yclid", "twclid", "igshid", "igsh", "mc_cid",
    "mc_eid", "_hsenc", "_hsmi", "mkt_tok", "vero_id", "ref_src", "ref_url",
];

/// Returns a key that is the same for all URLs of one page: without scheme, credentials, `www.`, default
/// port, tracking parameters, fragment and trailing slash, and with sorted parameters. The key is not a URL.
pub fn url_key(url: &Url) -> String {
    if !matches!(url.scheme(), "http" | "https") {
        return url.as_str().to_owned();
    }
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    let mut key = host.to_owned();
    // `http` and `https` count as the same, so the default port of either is dropped.
    if let Some(port) = url.port().filter(|p| !matches!(p, 80 | 443)) {
        key.push(':');
        key.push_str(&port.to_string());
    }
    key.push_str(url.path().trim_end_matches('/'));
    let mut kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, value)| {
            let name = name.to_ascii_lowercase();
            // `m=1` selects Blogger's mobile page.
            let phone = name == "m" && value == "1";
            !(phone || name.starts_with("utm_") || TRACKING.contains(&name.as_str()))
        })
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    kept.sort();
    if !kept.is_empty() {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
        key.push('?');
        key.push_str(&query);
    }
    // `#!/page` selects a page of its own.
    if let Some(page) = url.fragment().filter(|f| f.starts_with('!')) {
        key.push('#');
        key.push_str(page);
    }
    key
}

/// A body with fewer letters than this is too short to identify a review on its own.
const MIN_IDENTIFYING_LETTERS: usize = 200;

/// Returns the SHA-256 (hexadecimal) of the letters and digits of the visible text, so that changes of
/// markup, quotes or spaces do not change it. A short body is hashed together with the headline and the film.
pub fn text_hash(content: &ReviewContent) -> String {
    let mut text = fold_letters(&visible_text(&content.body));
    if text.chars().take(MIN_IDENTIFYING_LETTERS).count() < MIN_IDENTIFYING_LETTERS {
        let head = fold_letters(&content.title);
        let film = fold_letters(&content.film.title);
        text = format!("{head}\n{film}\n{text}");
    }
    if text.trim().is_empty() {
        text = content.canonical_url.as_ref().map(url_key).unwrap_or_default();
    }
    sha256_hex(text.as_bytes())
}

/// Returns the SHA-256 (hexadecimal) of everything that a reader would notice, to detect revisions. It
/// leaves out dates, since many feeds change `updated` for no reason; the queries of image URLs, since some
/// hosts sign them again on each request; and the teaser, since it follows from the body.
pub fn content_hash(content: &ReviewContent) -> String {
    let mut all = Vec::new();
    let mut add = |text: &str| {
        // The length prefix keeps text that moves from one field to the next from going unnoticed.
        all.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        all.extend(text.as_bytes());
    };
    let film = &content.film;
    add(&content.title);
    add(content.subtitle.as_deref().unwrap_or_default());
    add(&strip_image_queries(&content.body));
    add(&film.title);
    add(&film.year.map(|y| y.to_string()).unwrap_or_default());
    add(&film.release_date.map(|d| d.to_string()).unwrap_or_default());
    add(film.identity.as_ref().map_or("", Url::as_str));
    for list in [&film.directors, &film.writers, &film.stars, &content.tags] {
        add(&list.len().to_string());
        for name in list {
            add(name);
        }
    }
    add(content.rating.as_ref().map_or("", |r| r.as_str()));
    add(content.language.as_deref().unwrap_or_default());
    add(&content.canonical_url.as_ref().map(url_key).unwrap_or_default());
    if let Some(poster) = &content.poster {
        let mut url = poster.url.clone();
        url.set_query(None);
        add(url.as_str());
        add(poster.alt.as_deref().unwrap_or_default());
    }
    sha256_hex(&all)
}

/// Whether two entries may be the same review: the same film with a similar headline, or a similar text.
pub fn is_similar(a: &ReviewContent, b: &ReviewContent) -> bool {
    (is_same_film(a, b) && are_titles_similar(&a.title, &b.title)) || are_texts_similar(&a.body, &b.body)
}

fn is_same_film(a: &ReviewContent, b: &ReviewContent) -> bool {
    let (one, other) = (fold_letters(&a.film.title), fold_letters(&b.film.title));
    let years = a.film.year.zip(b.film.year).is_none_or(|(x, y)| x == y);
    !one.is_empty() && one == other && years
}

/// Whether the titles share at least half of all their words.
fn are_titles_similar(a: &str, b: &str) -> bool {
    let (a, b) = (folded_words(a), folded_words(b));
    let (a, b): (HashSet<_>, HashSet<_>) = (a.into_iter().collect(), b.into_iter().collect());
    let both = a.intersection(&b).count();
    let either = a.union(&b).count();
    either > 0 && both * 2 >= either
}

/// Only this many words of a text are compared.
const MAX_COMPARED_WORDS: usize = 20_000;
/// Texts with fewer shingles than this may be similar by chance.
const MIN_SHINGLES: usize = 20;

/// Whether the texts share at least 60 percent of their shingles, which are runs of four words.
fn are_texts_similar(a: &str, b: &str) -> bool {
    let shingles = |html: &str| -> HashSet<u64> {
        let mut words = folded_words(&visible_text(html));
        words.truncate(MAX_COMPARED_WORDS);
        words
            .windows(4)
            .map(|run| {
                let mut hasher = DefaultHasher::new();
                run.hash(&mut hasher);
                hasher.finish()
            })
            .collect()
    };
    let (a, b) = (shingles(a), shingles(b));
    if a.len().min(b.len()) < MIN_SHINGLES {
        return false;
    }
    let both = a.intersection(&b).count();
    both * 10 >= (a.len() + b.len() - both) * 6
}

/// Removes the queries of image URLs from a body.
fn strip_image_queries(body: &str) -> String {
    const ADDRESS: &str = "<img src=\"";
    let mut parts = body.split(ADDRESS);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (address, rest) = part.split_once('"').unwrap_or((part, ""));
        out.extend([ADDRESS, address.split('?').next().unwrap_or_default(), "\"", rest]);
    }
    out
}

/// Returns the visible text of sanitised HTML, with a space for each tag.
pub(super) fn visible_text(html: &str) -> String {
    let html = strip_figures(html);
    let mut text = String::with_capacity(html.len());
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                text.push(' ');
            }
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    // A sanitised body has no other entities.
    text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn fold_letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn folded_words(text: &str) -> Vec<String> {
    text.split_whitespace().map(fold_letters).filter(|w| !w.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rating::Rating;
    use crate::domain::review::Poster;

    fn key(url: &str) -> String {
        url_key(&url.parse().unwrap())
    }

    fn content(title: &str, film: &str, body: &str) -> ReviewContent {
        let mut content =
            ReviewContent { title: title.into(), body: body.into(), ..ReviewContent::default() };
        content.film.title = film.into();
        content
    }

    fn prose(seed: usize) -> String {
        (0..120).map(|n| format!("word{}", (n * 7 + seed * 1000) % 997)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn all_urls_of_a_page_have_one_key() {
        let expected = "crit.example/2024/anora?p=2";
        for url in [
            "https://crit.example/2024/anora?p=2",
            "http://WWW.Crit.example:80/2024/anora/?utm_source=rss&p=2#comments",
            "https://crit.example:443/2024/anora?fbclid=x&p=2&UTM_medium=y",
            "https://crit.example./2024/anora?p=2&m=1",
            "https://me:secret@crit.example/2024/anora?p=2",
        ] {
            assert_eq!(key(url), expected, "{url}");
        }
        assert_eq!(key("https://crit.example/?b=2&a=1"), key("https://crit.example?a=1&b=2"));
    }

    #[test]
    fn different_pages_have_different_keys() {
        let pages = [
            "https://crit.example/a",
            "https://crit.example/A",
            "https://crit.example:8443/a",
            "https://crit.example/a?p=1",
            "https://crit.example/a?p=2",
            "https://blog.crit.example/a",
            "https://crit.example/#!/a",
            "file:///a",
        ];
        let keys: HashSet<_> = pages.iter().map(|p| key(p)).collect();
        assert_eq!(keys.len(), pages.len());
    }

    #[test]
    fn new_markup_leaves_the_text_the_same() {
        let body = format!("<p>{}</p>", prose(1));
        let other = format!("<div><em>{}</em></div>\n", prose(1).replace(' ', "&nbsp; "));
        assert_eq!(text_hash(&content("One", "", &body)), text_hash(&content("Two", "", &other)));
        assert_ne!(text_hash(&content("One", "", &body)), text_hash(&content("One", "", &prose(2))));
        assert_ne!(
            text_hash(&content("One", "", "<p>Great.</p>")),
            text_hash(&content("Two", "", "<p>Great.</p>")),
            "a short text counts with its headline"
        );
    }

    #[test]
    fn visible_changes_change_the_content_hash() {
        let old = content("Anora", "Anora", "<p>Text</p>");
        let hash = content_hash(&old);
        let changes: [fn(&mut ReviewContent); 7] = [
            |d| d.title.push('!'),
            |d| d.body = "<p><em>Text</em></p>".into(),
            |d| d.rating = Rating::parse("B+"),
            |d| d.tags.push("horror".into()),
            |d| d.film.stars.push("Mikey Madison".into()),
            |d| d.film.directors.push("Mikey Madison".into()),
            |d| d.subtitle = Some("Sub".into()),
        ];
        let mut seen = HashSet::from([hash.clone()]);
        for change in changes {
            let mut new = old.clone();
            change(&mut new);
            assert!(seen.insert(content_hash(&new)), "{new:?}");
        }
        let mut same = old.clone();
        same.updated = Some(crate::domain::time::Timestamp::from_millis(5));
        assert_eq!(content_hash(&same), hash);
    }

    #[test]
    fn a_newly_signed_image_url_is_no_change() {
        let mut one = content("Anora", "Anora", "");
        one.poster = Some(Poster { url: "https://i.example/a.jpg?sig=1".parse().unwrap(), alt: None });
        let mut two = one.clone();
        two.poster = Some(Poster { url: "https://i.example/a.jpg?sig=2".parse().unwrap(), alt: None });
        assert_eq!(content_hash(&one), content_hash(&two));
        two.poster = None;
        assert_ne!(content_hash(&one), content_hash(&two));
    }

    #[test]
    fn similar_means_the_same_film_with_a_similar_headline_or_a_similar_text() {
        let one = content("Anora Is Among the Best of 2024", "Anora", &prose(1));
        let retitled = content("'Anora' is Among the Year's Best", "Anora", &prose(2));
        let elsewhere = content("Something else", "", &format!("{} and more", prose(1)));
        let again = content("Second thoughts on a favourite", "Anora", &prose(3));
        let remake = {
            let mut d = content("Anora Is Among the Best of 2024", "Anora", &prose(4));
            d.film.year = Some(1999);
            d
        };
        let dated = {
            let mut d = one.clone();
            d.film.year = Some(2024);
            d
        };
        assert!(is_similar(&one, &retitled));
        assert!(is_similar(&one, &elsewhere));
        assert!(!is_similar(&one, &again));
        assert!(!is_similar(&dated, &remake));
        assert!(!is_similar(&content("x", "", ""), &content("x", "", "")), "nothing to go by");
    }
}
