//! Sanitised HTML as a small tree, and back. Reads only what ammonia wrote; its depth is bounded by `shape`.

/// A piece of sanitised HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sources) enum Node {
    /// Text, decoded.
    Text(String),
    /// An element.
    Element(Element),
}

/// An element of sanitised HTML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::sources) struct Element {
    /// Its name in lower case.
    pub(in crate::sources) name: String,
    /// Its attributes, decoded.
    pub(in crate::sources) attributes: Vec<(String, String)>,
    /// What stands in it.
    pub(in crate::sources) children: Vec<Node>,
}

const BLOCKS: [&str; 33] = [
    "p",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "caption",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "td",
    "th",
    "blockquote",
    "pre",
    "figure",
    "figcaption",
    "hr",
    "details",
    "summary",
    "section",
    "article",
    "header",
    "footer",
];

impl Element {
    pub(in crate::sources) fn new(name: &str, children: Vec<Node>) -> Self {
        Self { name: name.to_owned(), attributes: Vec::new(), children }
    }

    pub(in crate::sources) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(in crate::sources) fn is_block(&self) -> bool {
        BLOCKS.contains(&self.name.as_str())
    }

    /// Whether it is a picture with its caption, as `figure` makes them.
    pub(in crate::sources) fn is_picture(&self) -> bool {
        let framed = match self.children.as_slice() {
            [picture] => picture.is("img"),
            [picture, caption] => picture.is("img") && caption.is("figcaption"),
            _ => false,
        };
        framed && self.name == "figure"
    }
}

impl Node {
    pub(in crate::sources) fn is_block(&self) -> bool {
        matches!(self, Self::Element(e) if e.is_block())
    }

    pub(in crate::sources) fn is_picture(&self) -> bool {
        matches!(self, Self::Element(e) if e.is_picture())
    }

    pub(in crate::sources) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Element(e) if e.name == name)
    }

    /// Whether a reader sees nothing of it.
    pub(in crate::sources) fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => text.chars().all(|c| c.is_whitespace() || c == '\u{200D}' || c == '\u{200C}'),
            Self::Element(e) => {
                !matches!(e.name.as_str(), "hr" | "img") && e.children.iter().all(Self::is_blank)
            }
        }
    }
}

/// Reads what ammonia wrote.
pub(in crate::sources) fn parse(html: &str) -> Vec<Node> {
    // The elements that are open, each with what it holds so far; the first is none.
    let mut open = vec![Element::default()];
    let mut rest = html;
    while !rest.is_empty() {
        let Some(inner) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            let (text, after) = rest.split_at(end);
            rest = after;
            if let Some(parent) = open.last_mut() {
                parent.children.push(Node::Text(decode(text)));
            }
            continue;
        };
        // No `>` stands bare within a tag: attributes have it in quotes, which are skipped.
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
            let element = read_tag(tag);
            if matches!(element.name.as_str(), "br" | "hr" | "img") {
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

fn read_tag(tag: &str) -> Element {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    let mut element = Element::new(name, Vec::new());
    while let Some((name, value)) = rest.split_once("=\"") {
        let (value, after) = value.split_once('"').unwrap_or((value, ""));
        element.attributes.push((name.trim().to_owned(), decode(value)));
        rest = after;
    }
    element
}

fn decode(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&nbsp;", "\u{A0}")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

/// Writes nodes as HTML.
pub(in crate::sources) fn write(nodes: &[Node]) -> String {
    let mut out = String::new();
    write_into(nodes, &mut out);
    out
}

fn write_into(nodes: &[Node], out: &mut String) {
    for node in nodes {
        match node {
            Node::Text(text) => escape(text, out),
            Node::Element(e) => {
                out.push('<');
                out.push_str(&e.name);
                for (name, value) in &e.attributes {
                    out.push(' ');
                    out.push_str(name);
                    out.push_str("=\"");
                    escape(value, out);
                    out.push('"');
                }
                out.push('>');
                if !matches!(e.name.as_str(), "br" | "hr" | "img") {
                    write_into(&e.children, out);
                    out.push_str("</");
                    out.push_str(&e.name);
                    out.push('>');
                }
            }
        }
    }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{A0}' => out.push_str("&nbsp;"),
            c => out.push(c),
        }
    }
}

/// The visible text: blocks end a line, whitespace is folded.
pub(in crate::sources) fn text(nodes: &[Node]) -> String {
    let mut raw = String::new();
    gather(nodes, &mut raw);
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

fn gather(nodes: &[Node], out: &mut String) {
    for node in nodes {
        match node {
            Node::Text(text) => out.extend(text.chars().map(|c| if c == '\n' { ' ' } else { c })),
            Node::Element(e) if e.name == "br" => out.push('\n'),
            // What is said of a picture is none of the text.
            Node::Element(e) if e.is_picture() => out.push('\n'),
            Node::Element(e) => {
                let cell = matches!(e.name.as_str(), "td" | "th");
                let mark = if cell { ' ' } else { '\n' };
                if e.is_block() {
                    out.push(mark);
                }
                gather(&e.children, out);
                if e.is_block() {
                    out.push(mark);
                }
            }
        }
    }
}
