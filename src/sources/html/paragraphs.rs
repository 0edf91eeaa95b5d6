//! Puts inline content into paragraphs.

use std::cell::Cell;

use super::tree::{Element, Node};

/// Removes blank nodes and line breaks from both ends.
pub(super) fn trim_blank(nodes: &mut Vec<Node>) {
    let is_visible = |n: &Node| !n.is_blank();
    let end = nodes.iter().rposition(is_visible).map_or(0, |at| at + 1);
    nodes.truncate(end);
    let start = nodes.iter().position(is_visible).unwrap_or(0);
    nodes.drain(..start);
}

/// Removes line breaks at the start of a `<pre>`, since HTML parsers drop one each time. The text may consist of several
/// nodes if an element between them was removed.
pub(super) fn trim_first_line(nodes: &mut [Node]) {
    for node in nodes {
        let Node::Text(text) = node else { return };
        *text = text.trim_start_matches(['\n', '\r']).to_owned();
        if !text.is_empty() {
            return;
        }
    }
}

/// Puts inline content between blocks into paragraphs. Two line breaks in a row start a new one.
pub(super) fn paragraphs(nodes: Vec<Node>) -> Vec<Node> {
    let mut out = Vec::new();
    let mut run: Vec<Node> = Vec::new();
    for node in nodes {
        match node {
            Node::Element(e) if e.name == "p" => {
                flush(&mut run, &e.attributes, &mut out, true);
                let mut inner = e.children;
                flush(&mut inner, &e.attributes, &mut out, false);
            }
            node if node.is_block() => {
                flush(&mut run, &[], &mut out, true);
                out.push(node);
            }
            node => run.push(node),
        }
    }
    flush(&mut run, &[], &mut out, true);
    out
}

fn flush(run: &mut Vec<Node>, attributes: &[(String, String)], out: &mut Vec<Node>, is_loose: bool) {
    let mut attributes = if is_loose { Vec::new() } else { attributes.to_vec() };
    let mut paragraph: Vec<Node> = Vec::new();
    let mut breaks = 0;
    let finish = |paragraph: &mut Vec<Node>, attributes: &mut Vec<(String, String)>, out: &mut Vec<Node>| {
        trim_blank(paragraph);
        if !paragraph.is_empty() {
            let mut p = Element::new("p", std::mem::take(paragraph));
            p.attributes = std::mem::take(attributes);
            out.push(Node::Element(p));
        }
    };
    for node in run.drain(..) {
        if node.is_block() {
            finish(&mut paragraph, &mut attributes, out);
            out.push(node);
            breaks = 0;
            continue;
        }
        if node.is("br") {
            breaks += 1;
            if breaks == 2 {
                finish(&mut paragraph, &mut attributes, out);
            }
        } else if !node.is_blank() {
            breaks = 0;
        }
        paragraph.push(node);
    }
    finish(&mut paragraph, &mut attributes, out);
}

/// How many bytes of tags may be copied while one document is sanitized. An inline element around blocks moves into each
/// of them, and elements around it do the same again, so that without a limit a few nested tags could exhaust the memory.
pub(super) struct CopyBudget {
    left: Cell<usize>,
}

impl CopyBudget {
    /// The budget for a document of that size: copies add at most as much again.
    pub(super) const fn for_document(bytes: usize) -> Self {
        Self { left: Cell::new(bytes) }
    }

    /// Takes what copies of an element cost beyond the first one. Takes nothing and returns false if that is too much.
    fn take(&self, inline: &Element, children: &[Node]) -> bool {
        let (tags, left) = (inline.tag_bytes(), self.left.get());
        let mut affordable = left.checked_div(tags).unwrap_or(left) + 1;
        let all = affordable;
        let is_affordable = count_runs(children, &mut affordable);
        if is_affordable {
            self.left.set(left - (all - affordable).saturating_sub(1) * tags);
        }
        is_affordable
    }
}

/// Counts the runs of inline content that [`push_down`] wraps, each by subtracting one from `left`. Returns false as soon
/// as there are more than that.
fn count_runs(children: &[Node], left: &mut usize) -> bool {
    let mut is_in_run = false;
    for child in children {
        match child {
            Node::Element(block) if block.is_block() => {
                is_in_run = false;
                if !is_atomic(block) && !count_runs(&block.children, left) {
                    return false;
                }
            }
            child if !is_in_run && !child.is_blank() => {
                is_in_run = true;
                let Some(fewer) = left.checked_sub(1) else { return false };
                *left = fewer;
            }
            _ => {}
        }
    }
    true
}

fn is_atomic(block: &Element) -> bool {
    block.name == "pre" || block.is_image_figure()
}

/// Moves an inline element that contains blocks into each of them. It is dropped if its copies exceed the budget.
pub(super) fn push_down(inline: &Element, children: Vec<Node>, budget: &CopyBudget) -> Vec<Node> {
    if budget.take(inline, &children) { copy_into(inline, children) } else { children }
}

fn copy_into(inline: &Element, children: Vec<Node>) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    let mut run: Vec<Node> = Vec::new();
    let wrap = |run: &mut Vec<Node>, out: &mut Vec<Node>| {
        if run.iter().all(Node::is_blank) {
            return out.append(run);
        }
        let mut copy = inline.clone();
        copy.attributes.retain(|(name, _)| name != "id");
        copy.children = std::mem::take(run);
        out.push(Node::Element(copy));
    };
    for child in children {
        match child {
            Node::Element(mut block) if block.is_block() => {
                wrap(&mut run, &mut out);
                if !is_atomic(&block) {
                    block.children = copy_into(inline, std::mem::take(&mut block.children));
                }
                out.push(Node::Element(block));
            }
            child => run.push(child),
        }
    }
    wrap(&mut run, &mut out);
    out
}
