//! The lines of a body: what `<br>` and the ends of blocks separate. Lines can be removed.

use std::collections::HashSet;

use super::labels::{LabelForm, split_label};
use crate::domain::rating::Rating;
use crate::sources::html::{self, Element, Node};

/// A line of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BodyLine {
    pub(super) text: String,
    /// Whether it is an item of a list.
    pub(super) is_item: bool,
    /// The number of its first line in the paragraph, which the lines of a paragraph share.
    pub(super) paragraph: usize,
    /// Whether it ends what may be credits: preformatted text, a video, a nested list.
    pub(super) is_barrier: bool,
}

/// Returns the lines of a body.
pub(super) fn read_lines(nodes: &[Node]) -> Vec<BodyLine> {
    let mut lines = Vec::new();
    let mut copy = nodes.to_vec();
    let mut visitor = LineVisitor { next: 0, remove: &HashSet::new(), lines: Some(&mut lines) };
    visitor.blocks(&mut copy);
    lines
}

/// Removes the lines with these numbers, and the blocks of which nothing is left.
pub(super) fn remove_lines(nodes: &mut Vec<Node>, numbers: &HashSet<usize>) {
    if !numbers.is_empty() {
        LineVisitor { next: 0, remove: numbers, lines: None }.blocks(nodes);
    }
}

/// Visits the lines in their order. Reading and removing count them in the same way.
struct LineVisitor<'a> {
    next: usize,
    remove: &'a HashSet<usize>,
    lines: Option<&'a mut Vec<BodyLine>>,
}

impl LineVisitor<'_> {
    /// Visits a line. Returns whether it is to be removed.
    fn line(&mut self, text: String, is_item: bool, paragraph: usize) -> bool {
        if let Some(lines) = &mut self.lines {
            lines.push(BodyLine { text, is_item, paragraph, is_barrier: false });
        }
        self.next += 1;
        self.remove.contains(&(self.next - 1))
    }

    fn barrier(&mut self) {
        if let Some(lines) = &mut self.lines {
            lines.push(BodyLine {
                text: String::new(),
                is_item: false,
                paragraph: self.next,
                is_barrier: true,
            });
        }
        self.next += 1;
    }

    fn text(&self, nodes: &[Node]) -> String {
        if self.lines.is_some() { html::text_of(&with_marks(nodes)) } else { String::new() }
    }

    fn blocks(&mut self, nodes: &mut Vec<Node>) {
        let mut kept = Vec::with_capacity(nodes.len());
        for node in std::mem::take(nodes) {
            match node {
                Node::Element(element) if element.is_image_figure() => kept.push(Node::Element(element)),
                Node::Element(mut element) => {
                    if !self.block(&mut element) {
                        kept.push(Node::Element(element));
                    }
                }
                node @ Node::Text(_) => kept.push(node),
            }
        }
        *nodes = kept;
    }

    /// Visits a block. Returns whether nothing is left of it.
    fn block(&mut self, element: &mut Element) -> bool {
        let first = self.next;
        match element.name.as_str() {
            "ul" | "ol" | "tbody" | "thead" | "tfoot" | "table" | "blockquote" | "div" => self.rows(element),
            "dl" => self.terms(element),
            "hr" => return false,
            "pre" | "figure" | "details" => {
                self.barrier();
                return false;
            }
            _ => self.lines(element, false),
        }
        let has_removed = (first..self.next).any(|number| self.remove.contains(&number));
        has_removed && element.children.iter().all(Node::is_blank)
    }

    fn rows(&mut self, element: &mut Element) {
        let mut kept = Vec::with_capacity(element.children.len());
        for node in std::mem::take(&mut element.children) {
            match node {
                Node::Element(row) if row.is_image_figure() => kept.push(Node::Element(row)),
                Node::Element(mut row) => {
                    let first = self.next;
                    let is_removed = match row.name.as_str() {
                        "tr" => {
                            let text = self.row_text(&row);
                            self.line(text, false, self.next)
                        }
                        "li" if !row.children.iter().any(Node::is_block) => {
                            self.lines(&mut row, true);
                            (first..self.next).any(|number| self.remove.contains(&number))
                                && row.children.iter().all(Node::is_blank)
                        }
                        "li" => {
                            self.rows(&mut row);
                            (first..self.next).any(|number| self.remove.contains(&number))
                                && row.children.iter().all(Node::is_blank)
                        }
                        "caption" => {
                            self.barrier();
                            false
                        }
                        _ => self.block(&mut row),
                    };
                    if !is_removed {
                        kept.push(Node::Element(row));
                    }
                }
                node @ Node::Text(_) => kept.push(node),
            }
        }
        element.children = kept;
    }

    fn row_text(&self, row: &Element) -> String {
        if self.lines.is_none() {
            return String::new();
        }
        let cells = row.children.iter().map(|c| html::text_of(std::slice::from_ref(c)).replace('\n', ", "));
        let cells: Vec<String> = cells.filter(|c| !c.is_empty()).collect();
        match cells.as_slice() {
            [label, value] => join_label(label, value),
            cells => cells.join(" | "),
        }
    }

    /// Visits a description list.
    fn terms(&mut self, list: &mut Element) {
        let mut kept: Vec<Node> = Vec::new();
        let mut nodes = std::mem::take(&mut list.children).into_iter().peekable();
        while let Some(term) = nodes.next() {
            let mut values = Vec::new();
            while let Some(value) = nodes.next_if(|n| n.is("dd")) {
                values.push(value);
            }
            let label = self.text(std::slice::from_ref(&term)).replace('\n', " ");
            let value = self.text(&values).replace('\n', ", ");
            if !self.line(join_label(&label, &value), false, self.next) {
                kept.push(term);
                kept.extend(values);
            }
        }
        list.children = kept;
    }

    /// Visits a paragraph line by line.
    fn lines(&mut self, element: &mut Element, is_item: bool) {
        let paragraph = self.next;
        if !has_break(&element.children) {
            let text = self.text(&element.children).replace('\n', " ");
            if self.line(text, is_item, self.next) {
                element.children.clear();
            }
            return;
        }
        if self.lines.is_some() {
            for line in split_lines(std::mem::take(&mut element.children)) {
                let text = self.text(&line).replace('\n', " ");
                self.line(text, is_item, paragraph);
            }
            return;
        }
        let whole = element.children.clone();
        let mut kept: Vec<Node> = Vec::new();
        let mut has_removed = false;
        for line in split_lines(std::mem::take(&mut element.children)) {
            if self.line(String::new(), is_item, paragraph) {
                has_removed = true;
            } else if !line.iter().all(Node::is_blank) {
                if !kept.is_empty() {
                    kept.push(Node::Element(Element::new("br", Vec::new())));
                }
                kept.extend(line);
            }
        }
        element.children = if has_removed { kept } else { whole };
    }
}

/// Returns a line with what its markup says: a colon after a label in bold, and the rating that an image shows.
fn with_marks(nodes: &[Node]) -> Vec<Node> {
    let mut marked: Vec<Node> = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        let Node::Element(element) = node else {
            marked.push(node.clone());
            continue;
        };
        match element.name.as_str() {
            "img" => {
                let alt = element.attribute("alt").unwrap_or_default();
                if Rating::parse_labelled(alt).is_some() {
                    marked.push(Node::Text(format!(" {alt} ")));
                }
            }
            "strong" | "b" => {
                marked.push(node.clone());
                let text = html::text_of(&element.children);
                if !text.trim_end().ends_with(':') && is_label(&text) && is_followed_by_value(nodes, at) {
                    marked.push(Node::Text(": ".into()));
                }
            }
            _ => {
                let children = with_marks(&element.children);
                marked.push(Node::Element(Element { children, ..element.clone() }));
            }
        }
    }
    marked
}

fn join_label(label: &str, value: &str) -> String {
    format!("{}: {value}", label.trim_end_matches([':', '：', ' ']))
}

/// Whether the first text after a node begins with a word.
fn is_followed_by_value(nodes: &[Node], at: usize) -> bool {
    let texts = nodes.iter().skip(at + 1).map(|node| html::text_of(std::slice::from_ref(node)));
    texts
        .map(|text| text.trim_start().to_owned())
        .find(|text| !text.is_empty())
        .is_some_and(|text| text.starts_with(char::is_alphanumeric))
}

/// Whether a text is a label and nothing else.
fn is_label(text: &str) -> bool {
    split_label(text.trim())
        .is_some_and(|labelled| labelled.form == LabelForm::Separated && labelled.value.is_empty())
}

fn has_break(nodes: &[Node]) -> bool {
    nodes.iter().any(|n| matches!(n, Node::Element(e) if e.name == "br" || has_break(&e.children)))
}

/// Splits a paragraph into lines. An element that spans several lines is split as well.
fn split_lines(nodes: Vec<Node>) -> Vec<Vec<Node>> {
    let mut lines: Vec<Vec<Node>> = vec![Vec::new()];
    for node in nodes {
        match node {
            Node::Element(e) if e.name == "br" => lines.push(Vec::new()),
            Node::Element(mut e) if has_break(&e.children) => {
                let inner = split_lines(std::mem::take(&mut e.children));
                for (at, children) in inner.into_iter().enumerate() {
                    if at > 0 {
                        lines.push(Vec::new());
                    }
                    if let Some(line) = lines.last_mut().filter(|_| !children.is_empty()) {
                        line.push(Node::Element(Element { children, ..e.clone() }));
                    }
                }
            }
            node => {
                if let Some(line) = lines.last_mut() {
                    line.push(node);
                }
            }
        }
    }
    lines
}

/// Returns the texts that stand out in a body as titles do: in italics, or marked as the title of a work.
pub(super) fn emphasized_texts(nodes: &[Node]) -> Vec<String> {
    let mut found = Vec::new();
    collect_texts(nodes, &["em", "i", "cite"], &mut found);
    found
}

/// Returns the texts that stand out in a body, also in bold.
pub(super) fn marked_texts(nodes: &[Node]) -> Vec<String> {
    let mut found = Vec::new();
    collect_texts(nodes, &["em", "i", "cite", "strong", "b"], &mut found);
    found
}

fn collect_texts(nodes: &[Node], names: &[&str], found: &mut Vec<String>) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        if names.contains(&element.name.as_str()) {
            found.push(html::text_of(&element.children).replace('\n', " ").trim().to_owned());
        } else {
            collect_texts(&element.children, names, found);
        }
    }
}
