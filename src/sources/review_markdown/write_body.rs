//! Turns the body of a review into Markdown.
//!
//! Markdown cannot express everything that HTML can. So each block is written as Markdown, rendered, and compared: a block
//! that does not come out the same is written as HTML instead, which Markdown allows.

use url::Url;

use super::super::html::{self, Element, Node};
use super::body::to_html;

/// Characters that have a meaning in Markdown.
const SPECIAL: [char; 11] = ['\\', '`', '*', '_', '[', ']', '<', '>', '~', '|', '&'];

/// Writes a sanitized body as Markdown that renders as the same body, except for the sizes of images and for spaces.
pub(super) fn write_body(body: &str) -> String {
    let blocks = html::parse(&without_sizes(body));
    let mixed: Vec<String> = blocks.iter().map(write_block).collect();
    let mixed = mixed.join("\n\n") + "\n";
    if is_same_body(&render(&mixed), body) {
        return mixed;
    }
    blocks.iter().map(|block| write_html(block) + "\n\n").collect()
}

/// Whether two bodies differ at most in the sizes of images and in spaces, which readers do not see.
pub fn is_same_body(one: &str, other: &str) -> bool {
    let (one, other) = (without_sizes(one), without_sizes(other));
    // Spaces count within `pre`.
    one == other || (!one.contains("<pre") && squeeze(&one) == squeeze(&other))
}

fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' | '\n' | '\t' | '\r' if out.ends_with(' ') => {}
            ' ' | '\n' | '\t' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Returns the body with the images as they are before their sizes are known.
fn without_sizes(body: &str) -> String {
    fn strip(nodes: &mut [Node]) {
        for node in nodes {
            let Node::Element(e) = node else { continue };
            if e.name == "img" {
                e.attributes.retain(|(name, _)| !matches!(name.as_str(), "width" | "height"));
            }
            strip(&mut e.children);
        }
    }
    let mut nodes = html::parse(body);
    strip(&mut nodes);
    html::write(&nodes)
}

fn render(markdown: &str) -> String {
    // A body has no relative URLs.
    let base = Url::parse("https://marquee.invalid/").ok();
    base.map(|base| html::sanitize_review_body(&to_html(markdown), &base)).unwrap_or_default()
}

fn write_block(block: &Node) -> String {
    // The heading keeps those of lower levels from being raised.
    let heading = "<h2>x</h2>";
    let is_exact = |markdown: &String| {
        let expected = format!("{heading}{}", html::write(std::slice::from_ref(block)));
        is_same_body(&render(&format!("{heading}\n\n{markdown}\n")), &expected)
    };
    markdown_of_block(block).filter(is_exact).unwrap_or_else(|| write_html(block))
}

/// Writes a block as HTML in one line, since an empty line would end it.
fn write_html(block: &Node) -> String {
    html::write(std::slice::from_ref(block)).replace('\n', "&#10;")
}

fn markdown_of_block(block: &Node) -> Option<String> {
    let Node::Element(e) = block else { return None };
    match e.name.as_str() {
        "p" => Some(escape_start(&inline(&e.children))),
        "h2" => Some(format!("## {}", inline(&e.children))),
        "h3" => Some(format!("### {}", inline(&e.children))),
        "h4" => Some(format!("#### {}", inline(&e.children))),
        "hr" => Some("---".to_owned()),
        "ul" => list(e, |_| "- ".to_owned()),
        "ol" if e.attributes.is_empty() => list(e, |number| format!("{number}. ")),
        "blockquote" => {
            let lines = blocks(&e.children)?;
            let quoted: Vec<String> =
                lines.lines().map(|line| format!("> {line}").trim_end().to_owned()).collect();
            Some(quoted.join("\n"))
        }
        "details" => {
            let (summary, rest) = e.children.split_first().filter(|(first, _)| first.is("summary"))?;
            let summary = html::write(std::slice::from_ref(summary)).replace('\n', " ");
            Some(format!("<details>{summary}\n\n{}\n\n</details>", blocks(rest)?))
        }
        "figure" if e.is_image_figure() && e.children.len() == 1 => match e.children.first() {
            Some(Node::Element(image)) => {
                let alt = escape(image.attribute("alt").unwrap_or_default());
                Some(format!("![{alt}]({})", destination(image.attribute("src")?)))
            }
            _ => None,
        },
        _ => None,
    }
}

fn blocks(nodes: &[Node]) -> Option<String> {
    let blocks: Option<Vec<String>> = nodes
        .iter()
        .map(|node| {
            if node.is_block() {
                Some(markdown_of_block(node).unwrap_or_else(|| write_html(node)))
            } else {
                None
            }
        })
        .collect();
    Some(blocks?.join("\n\n"))
}

fn list(list: &Element, mark: impl Fn(usize) -> String) -> Option<String> {
    let items: Option<Vec<String>> = list
        .children
        .iter()
        .enumerate()
        .map(|(at, item)| match item {
            Node::Element(item) if item.name == "li" && !item.children.iter().any(Node::is_block) => {
                Some(mark(at + 1) + &escape_start(&inline(&item.children)))
            }
            _ => None,
        })
        .collect();
    Some(items?.join("\n"))
}

fn inline(nodes: &[Node]) -> String {
    nodes.iter().map(inline_node).collect()
}

fn inline_node(node: &Node) -> String {
    let e = match node {
        Node::Text(text) => return escape(text),
        Node::Element(e) => e,
    };
    let is_link =
        e.name == "a" && e.attributes.iter().all(|(name, _)| matches!(name.as_str(), "href" | "rel"));
    let inner = || inline(&e.children);
    match (e.name.as_str(), e.attribute("href")) {
        ("em", _) if e.attributes.is_empty() => format!("*{}*", inner()),
        ("strong", _) if e.attributes.is_empty() => format!("**{}**", inner()),
        ("del", _) if e.attributes.is_empty() => format!("~~{}~~", inner()),
        ("a", Some(href)) if is_link => format!("[{}]({})", inner(), destination(href)),
        _ => html::write(std::slice::from_ref(node)).replace('\n', " "),
    }
}

/// The target of a link. Within `<>`, it may contain brackets.
fn destination(url: &str) -> String {
    let is_plain = url.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:/?#@!$'+,;=%".contains(c));
    if is_plain { url.to_owned() } else { format!("<{}>", escape(url)) }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            // Spaces at the end of a line or of emphasis would be lost, and this one is easily overlooked.
            '\u{A0}' => out.push_str("&nbsp;"),
            c if SPECIAL.contains(&c) => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Escapes what would make a heading, a list or a line of a paragraph's first characters.
fn escape_start(text: &str) -> String {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (head, rest) = text.split_at(digits);
    match rest.chars().next() {
        Some('.' | ')') if digits > 0 => format!("{head}\\{rest}"),
        Some('#' | '+' | '-' | '=' | ':') if digits == 0 => format!("\\{text}"),
        _ => text.to_owned(),
    }
}
