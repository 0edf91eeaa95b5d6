//! Splits an XML feed into one small document per entry, so that a malformed entry does not affect the others.
//!
//! The split is a single pass of quick-xml before feed-rs. It limits everything that would cost a parser quadratic time
//! or unlimited memory: attributes of an element, namespaces in scope, depth and number of entries. A document type
//! declaration with a subset is rejected, since entities are never expanded.

use quick_xml::events::{BytesStart, Event};

use super::doctype::check_doctype;
use super::entry_document::{DATE_CHILDREN, EntryDocument, KEPT_CHILDREN, MediaElement, XmlFormat};
use super::members::{MemberReader, Members, text_of};
use super::next_page::PageHints;
use super::open_entry::OpenEntry;
use super::references::mend_references;
use super::root_element::Root;
use super::start_tag::{StartTag, local_name};
use super::text_element::TextElement;
use super::xml_reader::{name_opening, reader_from, xml_error};
use super::{FeedError, excerpt};

/// The maximum number of namespace declarations in scope. Parsers search them for each name.
const MAX_NAMESPACES: usize = 64;
/// The maximum number of open elements.
const MAX_DEPTH: usize = 256;
/// How often the parser goes on after an entry that swallows what follows it. Each time costs a pass over the rest.
const MAX_RECOVERIES: usize = 20;
/// The maximum number of bytes of the children that describe the feed itself.
const MAX_HEAD_BYTES: usize = 10_000;
/// The maximum number of media elements of one entry.
const MAX_MEDIA: usize = 20;
/// The maximum depth of a media element below its entry: in `media:group`, and in `media:content` within that.
const MAX_MEDIA_DEPTH: usize = 3;
/// The maximum size in bytes of the description of a medium.
const MAX_MEDIUM_TEXT_BYTES: usize = 10_000;
/// The children of a feed that describe it.
const HEAD_CHILDREN: [&str; 11] = [
    "title",
    "language",
    "generator",
    "totalResults",
    "startIndex",
    "itemsPerPage",
    "id",
    "author",
    "creator",
    "managingEditor",
    "wxr_version",
];
/// The maximum number of dates of one entry, and of bytes of each.
const MAX_DATES: usize = 10;
const MAX_DATE_BYTES: usize = 500;
/// A feed that has been split.
#[derive(Debug)]
pub(super) struct SplitFeed {
    pub(super) format: XmlFormat,
    /// A document with the feed's own title and language, and no entries.
    pub(super) head: String,
    /// The `xml:lang` of the root element.
    pub(super) language: Option<String>,
    /// The entries, in the order of the feed.
    pub(super) entries: Vec<EntryDocument>,
    /// What the feed says about its other pages.
    pub(super) pages: PageHints,
    /// What else the feed says about itself.
    pub(super) members: Members,
    /// What is never closed, if the end of the feed is missing.
    pub(super) truncated: Option<String>,
    /// Whether entries follow the end of the feed.
    pub(super) has_more: bool,
}

/// Splits a document.
pub(super) fn split(xml: &str) -> Result<SplitFeed, FeedError> {
    let mut splitter = Splitter {
        xml,
        position: 0,
        event_start: 0,
        open: Vec::new(),
        root: None,
        head: String::new(),
        has_channel: false,
        entry: None,
        child: None,
        entries: Vec::new(),
        unclosed_entry: None,
        pages: PageHints::default(),
        has_ended: false,
        members: MemberReader::default(),
        head_members: Members::default(),
        truncated: None,
    };
    splitter.run()?;
    let Some(root) = splitter.root else { return Err(FeedError::NotAFeed) };
    for entry in &mut splitter.entries {
        root.complete_source(entry, &splitter.head, splitter.has_channel);
    }
    let (channel, end) = if splitter.has_channel { ("<channel>", "</channel>") } else { ("", "") };
    let head = format!("{}{channel}{}{end}</{}>", root.tag, splitter.head, root.parser_name);
    let Splitter { entries, pages, head_members: members, truncated, position, .. } = splitter;
    let rest = xml.get(position..).unwrap_or_default();
    let has_more = ["<item", "<entry"].iter().any(|tag| rest.contains(tag));
    let Root { format, language, .. } = root;
    Ok(SplitFeed { format, head, language, entries, pages, members, truncated, has_more })
}

/// An element that is open.
struct OpenElement<'a> {
    name: &'a str,
    /// Namespace declarations in scope.
    namespaces: usize,
}

/// A child that is kept and has not ended yet.
struct OpenChild {
    start: usize,
    depth: usize,
    /// The name of a date, in lower case.
    date: Option<String>,
    /// What its start tag says about it, if it is a text.
    text: Option<TextElement>,
}

struct Splitter<'a> {
    xml: &'a str,
    /// The end of the part that has been processed.
    position: usize,
    /// The start of the tag or text that is being processed.
    event_start: usize,
    open: Vec<OpenElement<'a>>,
    root: Option<Root<'a>>,
    /// Children of the feed that are kept.
    head: String,
    has_channel: bool,
    entry: Option<OpenEntry>,
    child: Option<OpenChild>,
    entries: Vec<EntryDocument>,
    /// The last entry without an end tag, and the name of its element.
    unclosed_entry: Option<(usize, &'a str)>,
    pages: PageHints,
    /// Whether the root element is closed.
    has_ended: bool,
    members: MemberReader,
    /// What the feed says about itself.
    head_members: Members,
    truncated: Option<String>,
}

impl<'a> Splitter<'a> {
    fn run(&mut self) -> Result<(), FeedError> {
        let mut reader = reader_from(self.xml, 0);
        let mut reader_start = 0;
        let mut recoveries = 0;
        // Free hosters and caches append scripts, texts and comments to the root element.
        while !self.has_ended {
            let start = self.position;
            self.event_start = start;
            let event = reader.read_event().map_err(|error| xml_error(&error));
            self.position = match event {
                Ok(_) => reader_start + usize::try_from(reader.buffer_position()).unwrap_or(self.xml.len()),
                Err(_) => self.xml.len(),
            };
            if let Some(end) = self.find_swallowed_end()
                && recoveries < MAX_RECOVERIES
            {
                recoveries += 1;
                let what = self.xml.get(start..end).unwrap_or_default();
                self.spoil(format!("{:?} is not closed", name_opening(what)));
                (self.position, reader_start) = (end, end);
                reader = reader_from(self.xml, end);
                continue;
            }
            match event {
                Err(FeedError::Truncated(what)) => return self.end_truncated(what),
                Err(error) => return Err(error),
                Ok(Event::Start(tag)) => {
                    if let Some(end) = self.start(&tag, start)? {
                        (self.position, reader_start) = (end, end);
                        reader = reader_from(self.xml, end);
                    }
                }
                Ok(Event::End(tag)) => self.end_tag(tag.name().as_ref()),
                Ok(Event::DocType(_)) if self.is_in_html() => {}
                Ok(Event::DocType(_)) if self.entry.is_some() => self.spoil("<!DOCTYPE".to_owned()),
                Ok(Event::DocType(_)) if !self.open.is_empty() => return Err(FeedError::Dtd),
                Ok(Event::DocType(declaration)) => check_doctype(&declaration)?,
                Ok(Event::Text(text)) if text.trim().is_empty() => {}
                Ok(Event::Text(_) | Event::CData(_) | Event::GeneralRef(_)) if self.open.is_empty() => {
                    return Err(FeedError::NotAFeed);
                }
                Ok(Event::Eof) => break,
                Ok(_) => {}
            }
        }
        match self.open.last() {
            Some(open) => self.end_truncated(excerpt(open.name)),
            None => Ok(()),
        }
    }

    /// Returns where the entry ends, if the tag, comment or section that was just read goes on beyond that. So it does if it is
    /// never closed.
    fn find_swallowed_end(&self) -> Option<usize> {
        self.find_entry_end(self.position)
    }

    /// Returns where the end tag of the entry begins between the tag that was just read and the position `until`.
    fn find_entry_end(&self, until: usize) -> Option<usize> {
        let entry = self.entry.as_ref()?;
        let end = format!("</{}", self.open.get(entry.depth.checked_sub(1)?)?.name);
        let start = self.event_start + 1;
        self.xml.get(start..until)?.find(&end).map(|found| start + found)
    }

    /// Whether the parser is in a text of RSS, which may be HTML that is not escaped.
    fn is_in_html(&self) -> bool {
        let is_rss = self.root.as_ref().is_some_and(|root| root.format != XmlFormat::Atom);
        is_rss && self.child.as_ref().is_some_and(|child| child.text.is_some())
    }

    /// Ends a document whose end is missing. What precedes it is read; an entry that it cuts is broken.
    fn end_truncated(&mut self, what: String) -> Result<(), FeedError> {
        // Without a whole entry, nothing tells what the document is.
        if self.entries.iter().all(|entry| entry.problem.is_some()) {
            return Err(FeedError::Truncated(what));
        }
        if let Some(OpenEntry { mut document, .. }) = self.entry.take() {
            document.problem = Some(FeedError::Truncated(what).to_string());
            self.entries.push(document);
        } else {
            self.truncated = Some(what);
        }
        Ok(())
    }

    /// Reads a start tag. Returns where to go on, if the rest of the entry is not read.
    fn start(&mut self, tag: &BytesStart<'_>, start: usize) -> Result<Option<usize>, FeedError> {
        let name = self.xml.get(start + 1..start + 1 + tag.name().as_ref().len()).unwrap_or_default();
        let mut tag = StartTag::parse(tag, name);
        if self.open.is_empty() {
            if let Some(problem) = tag.problem {
                return Err(FeedError::Malformed(problem));
            }
            self.root = Some(Root::new(&tag)?);
        }
        self.end_entry_before(name, start);
        let begins_entry = self.begins_entry(name);
        let inherited = self.open.last().map_or(0, |open| open.namespaces);
        let mut namespaces = inherited + tag.namespace_declarations();
        if namespaces > MAX_NAMESPACES || self.open.len() >= MAX_DEPTH {
            const PROBLEM: &str = "its elements or namespaces are nested too deeply";
            self.spoil(PROBLEM.to_owned());
            match self.find_entry_end(self.xml.len()) {
                Some(end) => return Ok(Some(end)),
                None if begins_entry => tag.problem = Some(PROBLEM.to_owned()),
                None => return Err(FeedError::TooNested),
            }
            namespaces = inherited;
        }
        self.open.push(OpenElement { name, namespaces });
        self.members.learn_prefixes(&tag.attributes);
        let base = self.entry.as_ref().map_or(1 + usize::from(self.is_in_channel()), |entry| entry.depth);
        let path = self.open.get(base..).unwrap_or_default().iter().map(|open| open.name);
        self.members.start(path, start, self.open.len(), self.entry.is_some());
        if self.entry.is_some() {
            self.start_in_entry(&tag, start);
        } else {
            self.start_in_feed(&tag, start, begins_entry)?;
        }
        // The HTML that RSS does not escape is read by an HTML parser.
        if let Some(problem) = tag.problem
            && !self.is_in_html()
        {
            self.spoil(problem);
        }
        Ok(None)
    }

    /// Whether an element of that name is an entry of the feed where the parser is.
    fn begins_entry(&self, name: &str) -> bool {
        let (name, depth) = (local_name(name), self.open.len() + 1);
        match self.root.as_ref().map(|root| root.format) {
            _ if self.entry.is_some() => false,
            Some(XmlFormat::Atom) => name == "entry" && depth <= 2,
            Some(_) => name == "item" && (depth == 2 || depth == 3 && self.is_in_channel()),
            None => false,
        }
    }

    fn is_in_channel(&self) -> bool {
        self.open.get(1).is_some_and(|open| local_name(open.name) == "channel")
    }

    fn start_in_entry(&mut self, tag: &StartTag<'a>, start: usize) {
        let Some(entry) = &mut self.entry else { return };
        let depth = self.open.len();
        let name = tag.local_name();
        let is_media = matches!(name, "enclosure" | "content" | "thumbnail" | "image")
            && (tag.name.contains(':') || name == "enclosure");
        let document = &mut entry.document;
        if is_media && depth <= entry.depth + MAX_MEDIA_DEPTH && document.media.len() < MAX_MEDIA {
            document.media.push(MediaElement {
                name: name.to_owned(),
                attributes: tag.attributes.clone(),
                texts: Vec::new(),
            });
        }
        if depth == entry.depth + 1 {
            if matches!(tag.name, "content" | "content:encoded")
                && let Some(language) = tag.attribute("xml:lang")
            {
                document.language = Some(language.to_owned());
            }
            if name == "guid" {
                document.is_permalink = tag.attribute("isPermaLink").is_none_or(|v| v.trim() != "false");
            }
            let is_kept = KEPT_CHILDREN.contains(&name) && !tag.name.starts_with("media:");
            let date = Some(name.to_ascii_lowercase()).filter(|name| DATE_CHILDREN.contains(&name.as_str()));
            let text = TextElement::new(tag, self.position);
            self.child = (is_kept || date.is_some()).then_some(OpenChild { start, depth, date, text });
        } else if let Some(text) = self.child.as_mut().and_then(|child| child.text.as_mut()) {
            text.has_elements = true;
        }
    }

    fn start_in_feed(
        &mut self,
        tag: &StartTag<'a>,
        start: usize,
        begins_entry: bool,
    ) -> Result<(), FeedError> {
        let Some(root) = &self.root else { return Ok(()) };
        let depth = self.open.len();
        let name = tag.local_name();
        let in_channel = depth == 3 && self.is_in_channel();
        if begins_entry {
            if self.entries.len() >= super::MAX_FILE_ITEMS {
                return Err(FeedError::TooManyEntries(super::MAX_FILE_ITEMS));
            }
            self.entry = Some(OpenEntry::new(root, tag, start, depth));
        } else if depth == 2 && name == "channel" && root.format != XmlFormat::Atom {
            self.has_channel = true;
        } else if self.child.is_none()
            && (depth == 2 || in_channel)
            && HEAD_CHILDREN.contains(&name)
            && self.head.len() < MAX_HEAD_BYTES
        {
            self.child = Some(OpenChild { start, depth, date: None, text: None });
        } else if (depth == 2 || in_channel) && name == "link" {
            self.pages.add_link(tag.attribute("rel"), tag.attribute("href"));
        } else if (depth == 2 || in_channel) && name == "complete" {
            self.pages.is_complete = true;
        }
        Ok(())
    }

    /// Ends the open entry if another one begins within it: its end tag is missing, or so is that of a text. What describes the
    /// feed ends, too, where an entry begins.
    fn end_entry_before(&mut self, name: &str, start: usize) {
        let Some(entry) = &self.entry else {
            let is_atom = self.root.as_ref().is_some_and(|root| root.format == XmlFormat::Atom);
            if self.child.is_some() && local_name(name) == if is_atom { "entry" } else { "item" } {
                self.end_unclosed(1 + usize::from(self.is_in_channel()), start, "");
            }
            return;
        };
        let is_entry =
            self.open.get(entry.depth - 1).is_some_and(|open| open.name == name) && entry.depth > 1;
        if is_entry && (self.open.len() == entry.depth || self.child.is_some()) {
            self.end_unclosed(entry.depth - 1, start, &format!("<{}>", excerpt(name)));
        }
    }

    /// Closes the last open element of that name, and all elements within it. If these are any, or if no element has the
    /// name, the entry is broken.
    fn end_tag(&mut self, name: &str) {
        let Some(index) = self.open.iter().rposition(|open| open.name == name) else {
            let problem = format!("unmatched </{}>", excerpt(name));
            // What an entry has after one that is within it is not read.
            if let Some(entry) = &mut self.entry {
                entry.document.problem.get_or_insert(problem);
            } else if let Some((at, _)) = self.unclosed_entry.take_if(|(_, entry)| *entry == name)
                && let Some(document) = self.entries.get_mut(at)
            {
                document.problem.get_or_insert(problem);
            }
            return;
        };
        self.end_unclosed(index + 1, self.event_start, &format!("</{}>", excerpt(name)));
        self.end();
    }

    /// Ends all elements from this depth on, whose end tags are missing before the tag `closing` at `start`. An entry that
    /// has all its members is whole.
    fn end_unclosed(&mut self, depth: usize, start: usize, closing: &str) {
        let is_whole =
            self.entry.as_ref().is_some_and(|entry| entry.depth == self.open.len() && entry.depth > depth);
        if let Some(unclosed) = self.open.get(depth..).and_then(<[_]>::last)
            && !is_whole
        {
            let problem = format!("<{}> is closed by {closing}", excerpt(unclosed.name));
            self.spoil(problem);
        }
        let position = std::mem::replace(&mut self.position, start);
        while self.open.len() > depth {
            if self.entry.as_ref().is_some_and(|entry| entry.depth == self.open.len()) {
                self.unclosed_entry = self.open.last().map(|open| (self.entries.len(), open.name));
            }
            self.end();
        }
        self.position = position;
    }

    fn spoil(&mut self, problem: String) {
        if let Some(entry) = &mut self.entry {
            entry.document.problem.get_or_insert(problem);
        }
    }

    fn end_member(&mut self, depth: usize) {
        if let Some((start, path)) = self.members.end(depth) {
            let members = self.entry.as_mut().map_or(&mut self.head_members, |e| &mut e.document.members);
            let xml = self.xml.get(start..self.position).unwrap_or_default();
            members.add(path, xml);
            // The text of a medium is within its element.
            let of_medium = path.strip_prefix("media:group/").unwrap_or(path);
            if let Some(name) = of_medium.strip_prefix("media:content/media:")
                && let Some(medium) = self.entry.as_mut().and_then(|entry| entry.document.media.last_mut())
                && xml.len() <= MAX_MEDIUM_TEXT_BYTES
            {
                medium.texts.push((name, text_of(xml)));
            }
        }
    }

    fn end(&mut self) {
        let depth = self.open.len();
        let Some(closed) = self.open.pop() else { return };
        self.has_ended = self.open.is_empty();
        self.end_member(depth);
        if let Some(child) = self.child.take_if(|child| child.depth == depth) {
            let xml = self.xml.get(child.start..self.position).unwrap_or_default();
            match (&mut self.entry, child.date) {
                (Some(OpenEntry { document, .. }), Some(name)) => {
                    if document.dates.len() < MAX_DATES && xml.len() <= MAX_DATE_BYTES {
                        document.dates.push((name, text_of(xml)));
                    }
                }
                (Some(entry), None) => {
                    let is_closed = self
                        .xml
                        .get(self.event_start..)
                        .and_then(|rest| rest.strip_prefix("</"))
                        .is_some_and(|rest| rest.starts_with(closed.name));
                    entry.learn_name(closed.name, xml, is_closed);
                    if local_name(closed.name) == "language" {
                        entry.document.language.get_or_insert(text_of(xml));
                    }
                    let format = self.root.as_ref().map(|root| root.format);
                    let xml = match child.text.zip(format) {
                        Some((text, format)) => text.to_xml(self.xml, self.event_start, format),
                        None => mend_references(xml),
                    };
                    entry.document.xml.push_str(&xml);
                }
                (None, _) if xml.len() >= MAX_HEAD_BYTES => {}
                (None, _) => {
                    let name = closed.name.rsplit(':').next().unwrap_or_default();
                    if closed.name == "dc:language" {
                        self.head.push_str(&xml.replace("dc:language", "language"));
                    } else if !self.pages.add_element(name, &text_of(xml)) {
                        self.head.push_str(xml);
                    }
                }
            }
        }
        if let Some(entry) = self.entry.take_if(|entry| entry.depth == depth)
            && let Some(root) = &self.root
        {
            let is_closed = self.unclosed_entry.is_none_or(|(at, _)| at != self.entries.len());
            self.entries.push(entry.finish(root, self.xml, self.position, is_closed));
        }
    }
}
