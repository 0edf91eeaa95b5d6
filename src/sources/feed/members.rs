//! The members of an entry, and of the feed itself, that feed-rs does not read: authors, states of a post, and what
//! platforms say about films and sounds. They are named by the path of their element, with the usual prefixes.

use super::references::decode_references;

/// The members that are read. The second value says whether it is one of an entry, and not of the feed.
const PATHS: [(&str, bool); 45] = [
    ("wp:status", true),
    ("wp:post_type", true),
    ("wp:post_password", true),
    ("app:control/app:draft", true),
    // The namespace may be that of the element without a prefix.
    ("app:control/draft", true),
    ("control/draft", true),
    ("draft", true),
    ("blogger:type", true),
    ("blogger:status", true),
    ("blogger:trashed", true),
    ("thr:in-reply-to", true),
    ("dc:creator", true),
    ("author", true),
    ("author/name", true),
    ("author/email", true),
    ("author/uri", true),
    ("itunes:author", true),
    ("source/author/name", true),
    ("letterboxd:filmTitle", true),
    ("letterboxd:filmYear", true),
    ("letterboxd:memberRating", true),
    ("letterboxd:rewatch", true),
    ("tmdb:movieId", true),
    ("tmdb:tvId", true),
    ("itunes:duration", true),
    ("itunes:summary", true),
    ("itunes:subtitle", true),
    ("media:description", true),
    ("media:group/media:description", true),
    ("media:content/media:description", true),
    ("media:content/media:text", true),
    ("media:content/media:title", true),
    ("media:group/media:content/media:description", true),
    ("media:group/media:content/media:text", true),
    ("media:group/media:content/media:title", true),
    ("feedburner:origLink", true),
    ("generator", false),
    ("id", false),
    ("author/name", false),
    ("author/email", false),
    ("author/uri", false),
    ("dc:creator", false),
    ("itunes:author", false),
    ("managingEditor", false),
    ("wp:wxr_version", false),
];
/// The maximum number of names in a path.
const MAX_PATH: usize = 3;
/// A part of the URI of each namespace, in lower case, and its usual prefix. Prefixes that are declared for none of them count
/// as written, since many feeds declare none.
const NAMESPACES: [(&str, &str); 13] = [
    ("wordpress.org/export/", "wp"),
    ("purl.org/atom/app#", "app"),
    ("www.w3.org/2007/app", "app"),
    ("schemas.google.com/blogger/2018", "blogger"),
    ("purl.org/syndication/thread/1.0", "thr"),
    ("purl.org/dc/elements/1.1/", "dc"),
    ("itunes.com/dtds/podcast-1.0.dtd", "itunes"),
    ("letterboxd.com", "letterboxd"),
    ("themoviedb.org", "tmdb"),
    ("search.yahoo.com/mrss", "media"),
    ("rssnamespace.org/feedburner", "feedburner"),
    ("www.w3.org/2005/atom", ""),
    ("purl.org/atom/ns#", ""),
];
/// The maximum number of members of one entry, and of bytes of each.
const MAX_MEMBERS: usize = 50;
const MAX_MEMBER_BYTES: usize = 200_000;
/// The maximum number of prefixes that stand for a namespace with another usual prefix.
const MAX_PREFIXES: usize = 32;

/// Members with their texts, in the order of the document.
#[derive(Debug, Default)]
pub(super) struct Members(Vec<(&'static str, String)>);

impl Members {
    /// Adds the member that this element holds.
    pub(super) fn add(&mut self, path: &'static str, element: &str) {
        if self.0.len() < MAX_MEMBERS && element.len() <= MAX_MEMBER_BYTES {
            self.0.push((path, text_of(element)));
        }
    }

    pub(super) fn all<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(of, _)| *of == path).map(|(_, text)| text.as_str())
    }

    /// Returns the text of the first member of that name which is not empty.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.0.iter().find(|(of, text)| *of == path && !text.is_empty()).map(|(_, text)| text.as_str())
    }

    /// Whether there is such a member, even if it is empty.
    pub(super) fn has(&self, path: &str) -> bool {
        self.0.iter().any(|(of, _)| *of == path)
    }
}

/// A member whose element is open.
struct OpenMember {
    start: usize,
    depth: usize,
    path: &'static str,
}

/// Finds the members while the document is read.
#[derive(Default)]
pub(super) struct MemberReader {
    open: Vec<OpenMember>,
    /// Prefixes of this document, and those that are usual instead.
    prefixes: Vec<(String, &'static str)>,
}

impl MemberReader {
    /// Learns the prefixes that an element declares.
    pub(super) fn learn_prefixes(&mut self, attributes: &[(String, String)]) {
        for (name, uri) in attributes {
            let Some(prefix) = name.strip_prefix("xmlns:") else { continue };
            let uri = uri.to_lowercase();
            let usual = NAMESPACES.iter().find(|(part, _)| uri.contains(part)).map(|(_, usual)| *usual);
            if let Some(usual) = usual.filter(|usual| *usual != prefix)
                && self.prefixes.len() < MAX_PREFIXES
                && !self.prefixes.iter().any(|(known, _)| known == prefix)
            {
                self.prefixes.push((prefix.to_owned(), usual));
            }
        }
    }

    /// Notes that an element begins at `start`; `path` holds its name after those of the elements that it is in.
    pub(super) fn start<'a>(
        &mut self,
        path: impl ExactSizeIterator<Item = &'a str>,
        start: usize,
        depth: usize,
        is_in_entry: bool,
    ) {
        if !(1..=MAX_PATH).contains(&path.len()) {
            return;
        }
        let mut joined = String::new();
        for name in path {
            if !joined.is_empty() {
                joined.push('/');
            }
            match name.split_once(':') {
                Some((prefix, local)) => {
                    let usual = self.prefixes.iter().find(|(known, _)| known == prefix);
                    let prefix = usual.map_or(prefix, |(_, usual)| usual);
                    if !prefix.is_empty() {
                        joined.extend([prefix, ":"]);
                    }
                    joined.push_str(local);
                }
                None => joined.push_str(name),
            }
        }
        if let Some((path, _)) =
            PATHS.iter().find(|(path, of_entry)| *path == joined && *of_entry == is_in_entry)
        {
            self.open.push(OpenMember { start, depth, path });
        }
    }

    /// Notes that the element at that depth ends. If it is a member, returns its start and its path.
    pub(super) fn end(&mut self, depth: usize) -> Option<(usize, &'static str)> {
        let member = self.open.pop_if(|member| member.depth == depth)?;
        Some((member.start, member.path))
    }
}

/// Returns the text of an element, or its markup if it contains other elements.
pub(super) fn text_of(element: &str) -> String {
    let inner = element.split_once('>').map_or("", |(_, rest)| rest);
    let inner = inner.rsplit_once("</").map_or(inner, |(text, _)| text).trim();
    let inner = inner.strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>")).unwrap_or(inner);
    decode_references(inner.trim())
}
