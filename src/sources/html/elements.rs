//! The HTML elements that are known, in one list for each kind of element.

/// Elements that browsers render as blocks (HTML section 15.3), except for the parts of a table.
const BLOCKS: [&str; 33] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "ul",
];
/// Parts of a table.
const TABLE_PARTS: [&str; 7] = ["caption", "thead", "tbody", "tfoot", "tr", "td", "th"];
/// Inline elements.
const INLINES: [&str; 32] = [
    "a", "abbr", "b", "bdi", "big", "br", "cite", "code", "del", "dfn", "em", "font", "i", "img", "ins",
    "kbd", "mark", "picture", "q", "s", "samp", "small", "source", "span", "strike", "strong", "sub", "sup",
    "time", "tt", "u", "var",
];
/// Elements that shape the tree and that the sanitizer then replaces with their content.
const UNWRAPPED: [&str; 4] = ["bdi", "fieldset", "font", "form"];
/// Elements that are dropped together with their content, which is not markup and ends at their own end tag.
const RAW_TEXT: [&str; 8] = ["script", "style", "title", "textarea", "iframe", "noembed", "noframes", "xmp"];
/// Other elements that are dropped together with their content.
const DROPPED: [&str; 8] = ["svg", "math", "object", "video", "audio", "canvas", "select", "template"];

/// Returns the name if it is that of a known element.
pub(super) fn known(name: &str) -> Option<&'static str> {
    all().find(|known| *known == name)
}

/// The elements that the sanitizer keeps.
pub(super) fn allowed() -> impl Iterator<Item = &'static str> {
    all().filter(|name| !UNWRAPPED.contains(name))
}

fn all() -> impl Iterator<Item = &'static str> {
    BLOCKS.into_iter().chain(TABLE_PARTS).chain(INLINES)
}

pub(super) fn is_block(name: &str) -> bool {
    BLOCKS.contains(&name) || TABLE_PARTS.contains(&name)
}

/// Whether this is a table or a part of one.
pub(super) fn is_table_or_part(name: &str) -> bool {
    name == "table" || TABLE_PARTS.contains(&name)
}

/// Whether this element has neither content nor an end tag.
pub(super) fn is_void(name: &str) -> bool {
    matches!(name, "br" | "hr" | "img" | "source")
}

pub(super) fn is_raw_text(name: &str) -> bool {
    RAW_TEXT.contains(&name)
}

/// Returns the name if it is that of an element that is dropped together with its content.
pub(super) fn dropped(name: &str) -> Option<&'static str> {
    RAW_TEXT.into_iter().chain(DROPPED).find(|dropped| *dropped == name)
}
