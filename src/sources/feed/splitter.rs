//! Cuts an XML feed into its entries in one pass, before any other parser sees it, so that one bad entry
//! costs only itself. Bounds what is quadratic or endless elsewhere: attributes, namespaces, depth, DTDs.

use super::{FeedError, excerpt};

/// Attributes of one element; a parser compares each with all others.
const ATTRIBUTES: usize = 256;
/// Namespaces in scope; a parser walks through them for each name.
const NAMESPACES: usize = 64;
const DEPTH: usize = 256;
const NAME: usize = 200;
/// Children of an entry that say something about a review. The rest, like the names of authors, is cut.
const KEPT: [&str; 15] = [
    "title",
    "link",
    "description",
    "summary",
    "content",
    "encoded",
    "category",
    "guid",
    "id",
    "pubDate",
    "date",
    "published",
    "updated",
    "subject",
    "language",
];
/// Prefixes that feeds use without declaring them.
const COMMON: [(&str, &str); 2] =
    [("content", "http://purl.org/rss/1.0/modules/content/"), ("dc", "http://purl.org/dc/elements/1.1/")];

/// The dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Rss,
    Rdf,
    Atom,
}

/// A feed, cut.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) dialect: Dialect,
    /// The feed without its entries, as a document.
    pub(super) head: String,
    /// The language that the root element states.
    pub(super) language: Option<String>,
    pub(super) entries: Vec<Piece>,
}

/// One entry.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// The feed with this entry alone, as a document.
    pub(super) document: String,
    /// The language that its element states.
    pub(super) language: Option<String>,
    /// Its `rdf:about`, the id of RSS 1.0.
    pub(super) about: Option<String>,
    /// Whether its guid is its address, as `isPermaLink` says.
    pub(super) permalink: bool,
    /// Pictures and other media.
    pub(super) media: Vec<Media>,
}

/// `<enclosure>`, `<media:content>`, `<media:thumbnail>`, `<itunes:image>`.
#[derive(Debug)]
pub(super) struct Media {
    pub(super) element: String,
    pub(super) attributes: Vec<(String, String)>,
}

impl Media {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }
}

struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
    empty: bool,
}

impl Tag<'_> {
    fn attribute(&self, name: &str) -> Option<String> {
        let found = self.attributes.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| unescape(value))
    }

    /// The tag as written, with its namespaces complete and a version that every parser knows.
    fn written(&self, as_root: bool) -> String {
        let mut out = format!("<{}", self.name);
        for (name, value) in self.attributes.iter().filter(|(n, _)| !(as_root && *n == "version")) {
            let quote = if value.contains('"') { "'" } else { "\"" };
            out.extend([" ", *name, "=", quote, value, quote]);
        }
        if as_root {
            out.push_str(" version=\"2.0\"");
            for (prefix, namespace) in COMMON {
                let name = format!("xmlns:{prefix}");
                if self.attribute(&name).is_none() {
                    out.extend([" ", &name, "=\"", namespace, "\""]);
                }
            }
        }
        out.push('>');
        out
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// Cuts a document.
pub(super) fn outline(xml: &str) -> Result<Outline, FeedError> {
    let mut cutter = Cutter {
        xml,
        at: 0,
        open: Vec::new(),
        root: None,
        head: String::new(),
        channel: None,
        entry: None,
        child: None,
        entries: Vec::new(),
        language: None,
        ended: false,
    };
    cutter.run()?;
    let Some((dialect, root, name)) = cutter.root else {
        return Err(FeedError::NotAFeed);
    };
    let channel = cutter.channel.as_deref().unwrap_or_default();
    let close = if channel.is_empty() { "" } else { "</channel>" };
    let head = format!("{root}{channel}{}{close}</{name}>", cutter.head);
    Ok(Outline { dialect, head, language: cutter.language, entries: cutter.entries })
}

struct Open<'a> {
    name: &'a str,
    namespaces: usize,
}

struct Cutter<'a> {
    xml: &'a str,
    at: usize,
    open: Vec<Open<'a>>,
    /// Dialect, start tag and name of the root.
    root: Option<(Dialect, String, &'a str)>,
    /// Children of the feed that are kept.
    head: String,
    channel: Option<String>,
    /// The entry being read, how deep it stands, and its start tag.
    entry: Option<(Piece, usize, &'a str)>,
    /// Where the kept child being read began, and how deep it stands.
    child: Option<(usize, usize)>,
    entries: Vec<Piece>,
    language: Option<String>,
    ended: bool,
}

impl<'a> Cutter<'a> {
    fn rest(&self) -> &'a str {
        self.xml.get(self.at..).unwrap_or_default()
    }

    fn run(&mut self) -> Result<(), FeedError> {
        while let Some(offset) = self.rest().find('<') {
            let outside =
                self.open.is_empty() && !self.rest().get(..offset).unwrap_or_default().trim().is_empty();
            if outside {
                return Err(if self.ended {
                    FeedError::Malformed("text after its end".into())
                } else {
                    FeedError::NotAFeed
                });
            }
            self.at += offset;
            let rest = self.rest();
            if rest.starts_with("<!--") {
                self.skip_behind("-->")?;
            } else if rest.starts_with("<![CDATA[") {
                self.skip_behind("]]>")?;
            } else if rest.starts_with("<?") {
                self.skip_behind("?>")?;
            } else if rest.starts_with("<!") {
                self.doctype()?;
            } else if rest.starts_with("</") {
                self.end()?;
            } else {
                self.start()?;
            }
        }
        match self.open.last() {
            Some(open) => Err(FeedError::Truncated(excerpt(open.name))),
            None => Ok(()),
        }
    }

    fn skip_behind(&mut self, end: &str) -> Result<(), FeedError> {
        let found = self.rest().find(end).ok_or_else(|| FeedError::Truncated(end.to_owned()))?;
        self.at += found + end.len();
        Ok(())
    }

    /// Old feeds name a DTD; what is in one is never read, and one that brings its own is refused.
    fn doctype(&mut self) -> Result<(), FeedError> {
        let end = self.rest().find(['>', '[']).ok_or_else(|| FeedError::Truncated("<!".into()))?;
        let declaration = self.rest().get(..end).unwrap_or_default();
        let keyword = declaration.get(2..9).unwrap_or_default();
        let name = declaration.get(9..).unwrap_or_default().trim_start();
        if !keyword.eq_ignore_ascii_case("doctype")
            || !self.open.is_empty()
            || self.rest().get(end..).is_some_and(|r| r.starts_with('['))
        {
            return Err(FeedError::Dtd);
        }
        if name.get(..4).is_some_and(|n| n.eq_ignore_ascii_case("html")) {
            return Err(FeedError::Html);
        }
        self.at += end + 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), FeedError> {
        let from = self.at;
        self.skip_behind(">")?;
        let name = self.xml.get(from + 2..self.at - 1).unwrap_or_default().trim();
        match self.open.last() {
            Some(open) if open.name == name => {
                self.close(name);
                Ok(())
            }
            Some(open) => Err(FeedError::Malformed(format!(
                "<{}> is closed by </{}>",
                excerpt(open.name),
                excerpt(name)
            ))),
            None => Err(FeedError::Malformed(format!("</{}> closes nothing", excerpt(name)))),
        }
    }

    fn start(&mut self) -> Result<(), FeedError> {
        let from = self.at;
        let tag = self.tag()?;
        if self.open.is_empty() {
            if self.ended {
                return Err(FeedError::Malformed("a second root element".into()));
            }
            self.begin(&tag)?;
        }
        let declared =
            tag.attributes.iter().filter(|(n, _)| *n == "xmlns" || n.starts_with("xmlns:")).count();
        let namespaces = declared + self.open.last().map_or(0, |open| open.namespaces);
        if namespaces > NAMESPACES || self.open.len() >= DEPTH {
            return Err(FeedError::TooNested);
        }
        self.open.push(Open { name: tag.name, namespaces });
        self.place(&tag, from)?;
        if tag.empty {
            self.close(tag.name);
        }
        Ok(())
    }

    /// The root element tells the dialect.
    fn begin(&mut self, tag: &Tag<'a>) -> Result<(), FeedError> {
        let dialect = match local(tag.name) {
            "rss" => Dialect::Rss,
            "RDF" => Dialect::Rdf,
            "feed" | "entry" => Dialect::Atom,
            name if name.eq_ignore_ascii_case("html") => return Err(FeedError::Html),
            _ => return Err(FeedError::NotAFeed),
        };
        self.language = tag.attribute("xml:lang");
        self.root = Some((dialect, tag.written(true), tag.name));
        Ok(())
    }

    /// Notes what an element is for the feed.
    fn place(&mut self, tag: &Tag<'a>, from: usize) -> Result<(), FeedError> {
        let depth = self.open.len();
        let name = local(tag.name);
        if let Some((piece, entry_depth, _)) = &mut self.entry {
            let media = matches!(name, "enclosure" | "content" | "thumbnail" | "image")
                && (tag.name.contains(':') || name == "enclosure");
            if media && depth <= *entry_depth + 3 && piece.media.len() < 20 {
                let attributes = tag.attributes.iter().map(|(n, v)| ((*n).to_owned(), unescape(v)));
                piece.media.push(Media { element: name.to_owned(), attributes: attributes.collect() });
            }
            if depth == *entry_depth + 1 {
                if name == "guid" {
                    piece.permalink = tag.attribute("isPermaLink").is_none_or(|v| v.trim() != "false");
                }
                let kept = KEPT.contains(&name) && !tag.name.starts_with("media:");
                self.child = kept.then_some((from, depth));
            }
            return Ok(());
        }
        let dialect = self.root.as_ref().map(|(dialect, ..)| *dialect);
        let in_channel = self.open.get(1).is_some_and(|open| open.name == "channel");
        let is_entry = match dialect {
            Some(Dialect::Rss | Dialect::Rdf) => name == "item" && (depth == 2 || (depth == 3 && in_channel)),
            Some(Dialect::Atom) => name == "entry" && depth <= 2,
            None => false,
        };
        if is_entry {
            if self.entries.len() >= super::MAX_ENTRIES {
                return Err(FeedError::TooManyEntries);
            }
            let piece = Piece {
                language: tag.attribute("xml:lang"),
                about: tag.attribute("rdf:about"),
                permalink: true,
                document: self.before_entry(tag, depth),
                ..Piece::default()
            };
            self.entry = Some((piece, depth, tag.name));
        } else if depth == 2 && tag.name == "channel" && dialect != Some(Dialect::Atom) {
            self.channel = Some("<channel>".to_owned());
        } else {
            let at_head = depth == 2 || (depth == 3 && in_channel);
            let kept = at_head && matches!(name, "title" | "language") && self.head.len() < 10_000;
            if kept && self.child.is_none() {
                self.child = Some((from, depth));
            }
        }
        Ok(())
    }

    /// What stands before the children of an entry, in a document of its own.
    fn before_entry(&self, tag: &Tag<'a>, depth: usize) -> String {
        let Some((dialect, root, _)) = &self.root else {
            return String::new();
        };
        match (dialect, depth) {
            (_, 1) => root.clone(),
            (Dialect::Rss, _) => format!("{root}<channel>{}", tag.written(false)),
            _ => format!("{root}{}", tag.written(false)),
        }
    }

    fn close(&mut self, name: &'a str) {
        let depth = self.open.len();
        self.open.pop();
        self.ended = self.open.is_empty();
        if let Some((from, _)) = self.child.filter(|(_, at)| *at == depth) {
            self.child = None;
            let child = self.xml.get(from..self.at).unwrap_or_default();
            match &mut self.entry {
                Some((piece, ..)) => piece.document.push_str(child),
                None if child.len() < 10_000 => self.head.push_str(child),
                None => {}
            }
        }
        if let Some((mut piece, _, _)) = self.entry.take_if(|(_, at, _)| *at == depth) {
            let root = self.root.as_ref().map(|(dialect, _, name)| (*dialect, *name));
            let end = match (root, depth) {
                (_, 1) | (None, _) => format!("</{name}>"),
                (Some((Dialect::Rss, root)), _) => format!("</{name}></channel></{root}>"),
                (Some((_, root)), _) => format!("</{name}></{root}>"),
            };
            piece.document.push_str(&end);
            self.entries.push(piece);
        }
    }

    /// Reads a start tag.
    fn tag(&mut self) -> Result<Tag<'a>, FeedError> {
        let space = |c: char| c.is_ascii_whitespace();
        let cut_short = || FeedError::Truncated("<".into());
        self.at += 1;
        let end = self.rest().find(|c: char| space(c) || matches!(c, '>' | '/')).ok_or_else(cut_short)?;
        let name = self.rest().get(..end).unwrap_or_default();
        if name.is_empty() || name.len() > NAME || !name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        {
            return Err(FeedError::Malformed(format!("<{}", excerpt(name))));
        }
        self.at += end;
        let mut attributes = Vec::new();
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(space);
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with('>') || trimmed.starts_with("/>") {
                let empty = trimmed.starts_with('/');
                self.at += if empty { 2 } else { 1 };
                return Ok(Tag { name, attributes, empty });
            }
            if attributes.len() >= ATTRIBUTES {
                return Err(FeedError::TooManyAttributes(excerpt(name)));
            }
            let end = trimmed.find(['=', '>', '<']).ok_or_else(cut_short)?;
            let broken = || FeedError::Malformed(format!("an attribute of <{}> has no value", excerpt(name)));
            let (key, value) = trimmed.split_at(end);
            let value = value.strip_prefix('=').ok_or_else(broken)?.trim_start_matches(space);
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or_else(broken)?;
            let value = value.get(1..).unwrap_or_default();
            let close = value.find(quote).ok_or_else(cut_short)?;
            attributes.push((key.trim_end(), value.get(..close).unwrap_or_default()));
            self.at = self.xml.len() - value.len() + close + 1;
        }
    }
}

/// An attribute's value with its references resolved.
fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let end = after.bytes().take(12).position(|b| b == b';');
        let name = end.and_then(|end| after.get(..end)).unwrap_or_default();
        let number = name.strip_prefix('#').and_then(|n| match n.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => n.parse().ok(),
        });
        let known = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => number.and_then(char::from_u32),
        };
        out.push(known.unwrap_or('&'));
        rest = if known.is_some() { after.get(name.len() + 1..).unwrap_or_default() } else { after };
    }
    out.push_str(rest);
    out
}
