//! Sanitized HTML as a small tree. Only HTML that ammonia or this module wrote is parsed, so no error can occur;
//! `limit_nesting` has limited the depth.

use super::elements;
use crate::domain::html_escape::{serialize_into, serialized_len, unescape};

/// A node of sanitized HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sources) enum Node {
    /// Text, with references decoded.
    Text(String),
    /// An element.
    Element(Element),
}

/// An element of sanitized HTML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::sources) struct Element {
    /// The name in lower case.
    pub(in crate::sources) name: String,
    /// The attributes, with references decoded.
    pub(in crate::sources) attributes: Vec<(String, String)>,
    /// The content.
    pub(in crate::sources) children: Vec<Node>,
}

impl Element {
    pub(in crate::sources) fn new(name: &str, children: Vec<Node>) -> Self {
        Self { name: name.to_owned(), attributes: Vec::new(), children }
    }

    pub(in crate::sources) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(in crate::sources) fn is_block(&self) -> bool {
        elements::is_block(&self.name)
    }

    /// The bytes that its tags take as HTML.
    pub(in crate::sources) fn tag_bytes(&self) -> usize {
        let attribute =
            |(name, value): &(String, String)| " =\"\"".len() + name.len() + serialized_len(value);
        let start = "<>".len() + self.name.len() + self.attributes.iter().map(attribute).sum::<usize>();
        start + if elements::is_void(&self.name) { 0 } else { "</>".len() + self.name.len() }
    }

    /// Whether this is a figure with an image and perhaps a caption, as `images` creates them.
    pub(in crate::sources) fn is_image_figure(&self) -> bool {
        let has_image = match self.children.as_slice() {
            [image] => image.is("img"),
            [image, caption] => image.is("img") && caption.is("figcaption"),
            _ => false,
        };
        has_image && self.name == "figure"
    }

    /// Whether this is the caption of a poster, as `domain::body_text` writes it.
    pub(in crate::sources) fn is_caption_figure(&self) -> bool {
        self.name == "figure" && matches!(self.children.as_slice(), [caption] if caption.is("figcaption"))
    }
}

impl Node {
    pub(in crate::sources) fn is_block(&self) -> bool {
        matches!(self, Self::Element(e) if e.is_block())
    }

    /// The bytes that it takes as HTML.
    pub(in crate::sources) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => serialized_len(text),
            Self::Element(e) => e.tag_bytes() + e.children.iter().map(Self::bytes).sum::<usize>(),
        }
    }

    pub(in crate::sources) fn is_image_figure(&self) -> bool {
        matches!(self, Self::Element(e) if e.is_image_figure())
    }

    pub(in crate::sources) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Element(e) if e.name == name)
    }

    /// Whether the node shows nothing.
    pub(in crate::sources) fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => text.chars().all(|c| c.is_whitespace() || c == '\u{200D}' || c == '\u{200C}'),
            Self::Element(e) => {
                !matches!(e.name.as_str(), "hr" | "img") && e.children.iter().all(Self::is_blank)
            }
        }
    }
}

/// Parses sanitized HTML.
pub(in crate::sources) fn parse(html: &str) -> Vec<Node> {
    // The open elements with their content so far. The first one represents the root.
    let mut open = vec![Element::default()];
    let mut rest = html;
    while !rest.is_empty() {
        let Some(inner) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            let (text, after) = rest.split_at(end);
            rest = after;
            if let Some(parent) = open.last_mut() {
                parent.children.push(Node::Text(unescape(text).into_owned()));
            }
            continue;
        };
        // Within a tag `>` occurs only in quoted attributes, which are skipped.
        let (tag, after) = split_tag(inner);
        rest = after;
        if tag.starts_with('/') {
            if open.len() > 1
                && let Some(done) = open.pop()
                && let Some(parent) = open.last_mut()
            {
                parent.children.push(Node::Element(done));
            }
        } else {
            let element = parse_tag(tag);
            if elements::is_void(&element.name) {
                if let Some(parent) = open.last_mut() {
                    parent.children.push(Node::Element(element));
                }
            } else {
                open.push(element);
            }
        }
    }
    while open.len() > 1
        && let Some(done) = open.pop()
    {
        if let Some(parent) = open.last_mut() {
            parent.children.push(Node::Element(done));
        }
    }
    open.pop().map(|root| root.children).unwrap_or_default()
}

fn split_tag(inner: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, c) in inner.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '>' if !quoted => {
                let (tag, rest) = inner.split_at(at);
                return (tag, rest.get(1..).unwrap_or_default());
            }
            _ => {}
        }
    }
    (inner, "")
}

fn parse_tag(tag: &str) -> Element {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    let mut element = Element::new(name, Vec::new());
    while let Some((name, value)) = rest.split_once("=\"") {
        let (value, after) = value.split_once('"').unwrap_or((value, ""));
        element.attributes.push((name.trim().to_owned(), unescape(value).into_owned()));
        rest = after;
    }
    element
}

/// Serializes nodes as HTML.
pub(in crate::sources) fn write(nodes: &[Node]) -> String {
    let mut out = String::new();
    write_into(nodes, &mut out);
    out
}

fn write_into(nodes: &[Node], out: &mut String) {
    for node in nodes {
        match node {
            Node::Text(text) => serialize_into(out, text),
            Node::Element(e) => {
                out.push('<');
                out.push_str(&e.name);
                for (name, value) in &e.attributes {
                    out.push(' ');
                    out.push_str(name);
                    out.push_str("=\"");
                    serialize_into(out, value);
                    out.push('"');
                }
                out.push('>');
                if !elements::is_void(&e.name) {
                    write_into(&e.children, out);
                    out.push_str("</");
                    out.push_str(&e.name);
                    out.push('>');
                }
            }
        }
    }
}

/// Returns the visible text, with each block on a separate line and white space collapsed.
pub(in crate::sources) fn text(nodes: &[Node]) -> String {
    let mut raw = String::new();
    collect_text(nodes, &mut raw);
    let mut out = String::with_capacity(raw.len());
    for line in raw.split('\n') {
        let mut words = line.split_whitespace().peekable();
        if words.peek().is_some() && !out.is_empty() {
            out.push('\n');
        }
        while let Some(word) = words.next() {
            out.push_str(word);
            if words.peek().is_some() {
                out.push(' ');
            }
        }
    }
    out
}

fn collect_text(nodes: &[Node], out: &mut String) {
    for node in nodes {
        match node {
            Node::Text(text) => out.extend(text.chars().map(|c| if c == '\n' { ' ' } else { c })),
            Node::Element(e) if e.name == "br" => out.push('\n'),
            // A caption is not part of the text.
            Node::Element(e) if e.is_image_figure() || e.is_caption_figure() => out.push('\n'),
            Node::Element(e) => {
                let is_cell = matches!(e.name.as_str(), "td" | "th");
                let separator = if is_cell { ' ' } else { '\n' };
                if e.is_block() {
                    out.push(separator);
                }
                collect_text(&e.children, out);
                if e.is_block() {
                    out.push(separator);
                }
            }
        }
    }
}
