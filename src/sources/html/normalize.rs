//! Brings any HTML into a shape that a parser reads in linear time: known elements only, well nested, at
//! most so deep, tables with rows and cells. ammonia decides afterwards what is safe; this stands before
//! it because a tree builder searches its open elements for each tag, and is quadratic in their depth.

use std::collections::HashMap;

use super::lexer::{Lexer, Token, WITHOUT_CONTENT};
use super::trailer;

/// Elements deeper than this lose their tags and keep their text.
pub(super) const DEPTH: usize = 40;
/// Longer texts are divided by a comment, which ammonia drops: html5ever's writer searches the rest of a
/// text node anew at each ampersand.
const TEXT: usize = 2_000;

const VOID: [&str; 3] = ["br", "hr", "img"];
const BLOCKS: [&str; 37] = [
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
    "caption",
    "td",
    "th",
    "tr",
];
const INLINE: [&str; 30] = [
    "a", "abbr", "b", "bdi", "big", "br", "cite", "code", "del", "dfn", "em", "font", "i", "img", "ins",
    "kbd", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u",
    "var",
];
const TABLE: [&str; 8] = ["table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th"];
/// The HTML in its shape. `limit` bounds the bytes that are read.
pub(super) fn shape(html: &str, limit: usize) -> String {
    let html = html.get(..html.floor_char_boundary(limit)).unwrap_or_default();
    let mut out = Shaper {
        out: String::with_capacity(html.len()),
        open: Vec::new(),
        ignored: HashMap::new(),
        hidden: None,
    };
    for token in (Lexer { rest: html }) {
        out.token(token);
    }
    out.close_to(0);
    out.out
}

struct Shaper {
    out: String,
    /// Names of the open elements.
    open: Vec<&'static str>,
    /// Start tags that were dropped for their depth, so that their end tags close nothing else.
    ignored: HashMap<&'static str, usize>,
    /// An element whose content is dropped, and how many of its name are open.
    hidden: Option<(&'static str, usize)>,
}

impl Shaper {
    fn token(&mut self, token: Token<'_>) {
        if let Some((hidden, depth)) = &mut self.hidden {
            match token {
                Token::Open(name, _) if name == *hidden => *depth += 1,
                Token::Close(name) if name == *hidden => *depth -= 1,
                _ => {}
            }
            if *depth == 0 {
                self.hidden = None;
            }
            return;
        }
        match token {
            Token::Text(text) => self.text(text),
            Token::Open(name, attributes) => {
                if name == "iframe" {
                    self.trailer(&attributes);
                }
                if let Some(hidden) = WITHOUT_CONTENT.iter().find(|n| **n == name) {
                    self.hidden = Some((hidden, 1));
                } else if let Some(name) = known(&name) {
                    self.start(name, &attributes);
                }
            }
            Token::Close(name) => {
                if let Some(name) = known(&name) {
                    self.end(name);
                }
            }
        }
    }

    /// In place of a film that plays in a frame stands a link to where it plays.
    fn trailer(&mut self, attributes: &[(String, &str)]) {
        let named =
            |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value);
        let Some(page) = named("src").and_then(trailer::page) else { return };
        let site = page.split('/').nth(2).unwrap_or_default();
        let title = named("title").map(str::trim).filter(|title| !title.is_empty());
        self.start("p", &[]);
        self.start("a", &[("href".to_owned(), &page)]);
        self.text(trailer::MARK);
        // What an attribute says is not escaped twice: it still has its references.
        let said = title.unwrap_or(site.strip_prefix("www.").unwrap_or(site));
        self.out.push_str(&said.replace('<', "&lt;").replace('>', "&gt;"));
        self.end("a");
        self.end("p");
    }

    fn text(&mut self, text: &str) {
        if text.trim().is_empty() {
            if !self.between_cells() {
                self.out.push_str(text);
            }
            return;
        }
        self.imply_cell();
        let mut rest = text;
        let mut run = 0;
        while let Some(c) = rest.chars().next() {
            let after = rest.get(c.len_utf8()..).unwrap_or_default();
            if run > TEXT && matches!(c, '<' | '>' | '&' | '\u{A0}') {
                self.out.push_str("<!---->");
                run = 0;
            }
            match c {
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '&' => self.out.push_str(ampersand(after)),
                c if c.is_control() && !matches!(c, '\n' | '\t') => {}
                c => self.out.push(c),
            }
            rest = after;
            run += 1;
        }
    }

    fn start(&mut self, name: &'static str, attributes: &[(String, &str)]) {
        self.close_implied(name);
        if TABLE.contains(&name) && name != "table" {
            if !self.make_room_in_table(name) {
                return;
            }
        } else {
            self.imply_cell();
        }
        // A list around the table is none of its cell's.
        let in_cell = self.open.iter().rev().take_while(|n| !matches!(**n, "td" | "th" | "caption"));
        let in_list = |lists: [&str; 2]| in_cell.clone().any(|n| lists.contains(n));
        let stray = match name {
            "li" => !in_list(["ul", "ol"]),
            "dt" | "dd" => !in_list(["dl", "dl"]),
            _ => false,
        };
        if stray {
            return;
        }
        // A link around a table whose cells have links is none.
        let nested_link = name == "a" && self.open.contains(&"a");
        if nested_link || (!VOID.contains(&name) && self.open.len() >= DEPTH) {
            *self.ignored.entry(name).or_default() += 1;
            return;
        }
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.out.push_str(&value.replace('"', "&quot;"));
            self.out.push('"');
        }
        self.out.push('>');
        if !VOID.contains(&name) {
            self.open.push(name);
        }
    }

    fn end(&mut self, name: &'static str) {
        if name == "br" {
            return self.out.push_str("<br>");
        }
        if let Some(ignored) = self.ignored.get_mut(name).filter(|n| **n > 0) {
            *ignored -= 1;
            return;
        }
        // What stands in a cell closes nothing around it.
        let walls: &[&str] = if TABLE.contains(&name) { &["table"] } else { &["td", "th", "caption"] };
        for at in (0..self.open.len()).rev() {
            if self.open.get(at) == Some(&name) {
                return self.close_to(at);
            }
            if self.open.get(at).is_some_and(|open| walls.contains(open)) {
                return;
            }
        }
    }

    /// Closes what a start tag closes by itself.
    fn close_implied(&mut self, name: &str) {
        let (closed, walls): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol", "td", "th"]),
            "dt" | "dd" => (&["dt", "dd"], &["dl", "td", "th"]),
            "td" | "th" => (&["td", "th", "caption"], &["table"]),
            "tr" => (&["tr", "caption"], &["table"]),
            "thead" | "tbody" | "tfoot" => (&["thead", "tbody", "tfoot", "caption", "tr"], &["table"]),
            "a" => (&["a"], &["td", "th"]),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => (
                &["p", "h1", "h2", "h3", "h4", "h5", "h6"],
                &["td", "th", "li", "blockquote", "div", "section"],
            ),
            _ if BLOCKS.contains(&name) => {
                (&["p"], &["td", "th", "li", "dd", "blockquote", "figure", "div", "details"])
            }
            _ => return,
        };
        let mut outermost = None;
        for (at, open) in self.open.iter().enumerate().rev() {
            if walls.contains(open) {
                break;
            }
            if closed.contains(open) {
                outermost = Some(at);
            }
        }
        if let Some(at) = outermost {
            self.close_to(at);
        }
    }

    fn between_cells(&self) -> bool {
        self.open.last().is_some_and(|n| matches!(*n, "table" | "thead" | "tbody" | "tfoot" | "tr"))
    }

    /// Content between cells gets a cell: a browser would move it before the table, one search each.
    fn imply_cell(&mut self) {
        if self.between_cells() {
            if self.open.last() != Some(&"tr") {
                self.push("tr");
            }
            self.push("td");
        }
    }

    /// Whether a part of a table has its place now.
    fn make_room_in_table(&mut self, name: &'static str) -> bool {
        let table = self.open.iter().rposition(|n| TABLE.contains(n));
        let Some(table) = table else { return false };
        let parent = self.open.get(table).copied().unwrap_or_default();
        let fits = match name {
            "td" | "th" => matches!(parent, "tr" | "table" | "thead" | "tbody" | "tfoot"),
            "tr" => matches!(parent, "table" | "thead" | "tbody" | "tfoot"),
            _ => parent == "table",
        };
        if fits {
            self.close_to(table + 1);
            if matches!(name, "td" | "th") && parent != "tr" {
                self.push("tr");
            }
        }
        fits
    }

    fn push(&mut self, name: &'static str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
        self.open.push(name);
    }

    fn close_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            if let Some(name) = self.open.pop() {
                self.out.push_str("</");
                self.out.push_str(name);
                self.out.push('>');
            }
        }
    }
}

/// An ampersand, escaped where what follows is no reference that ends in `;`: the parser takes quadratic
/// time on those without.
fn ampersand(after: &str) -> &'static str {
    let end = after.bytes().take(33).position(|b| !b.is_ascii_alphanumeric() && b != b'#');
    match end {
        Some(end) if end > 0 && after.as_bytes().get(end) == Some(&b';') => "&",
        _ => "&amp;",
    }
}

fn known(name: &str) -> Option<&'static str> {
    let mut all = BLOCKS.iter().chain(&INLINE).chain(&TABLE);
    all.find(|known| **known == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaped(html: &str) -> String {
        shape(html, 1_000_000)
    }

    #[test]
    fn tags_are_well_nested() {
        assert_eq!(shaped("<p>a<p>b<em>c</p>d"), "<p>a</p><p>b<em>c</em></p>d");
        assert_eq!(shaped("<ul><li>a<li>b</ul>"), "<ul><li>a</li><li>b</li></ul>");
        assert_eq!(shaped("</div>x</p><b>y"), "x<b>y</b>");
        assert_eq!(shaped("1 < 2 & <3 > x"), "1 &lt; 2 &amp; &lt;3 &gt; x");
        assert_eq!(shaped("<a href='x\"y' onclick=z>t<a>u"), "<a href=\"x&quot;y\">t</a><a>u</a>");
    }

    #[test]
    fn tables_have_rows_and_cells() {
        assert_eq!(shaped("<table>x<td>y</table>"), "<table><tr><td>x</td><td>y</td></tr></table>");
        assert_eq!(
            shaped("<table><tr><th>a<td>b<tr><td>c<p>d</table>e"),
            "<table><tr><th>a</th><td>b</td></tr><tr><td>c<p>d</p></td></tr></table>e"
        );
    }

    #[test]
    fn an_item_in_a_cell_wants_a_list_in_the_cell() {
        assert_eq!(
            shaped("<ol><li>a<table>b<li>c</table></ol>"),
            "<ol><li>a<table><tr><td>bc</td></tr></table></li></ol>"
        );
        assert_eq!(
            shaped("<dl><dt><table><td><dd>c"),
            "<dl><dt><table><tr><td>c</td></tr></table></dt></dl>"
        );
    }

    #[test]
    fn content_for_machines_is_gone() {
        assert_eq!(shaped("a<script>if (1 < 2) '</p>'</SCRIPT >b<!-- <p> -->c"), "abc");
        assert_eq!(shaped("a<svg><svg></svg><p>x</p></svg>b<style>c"), "ab");
        assert_eq!(shaped("a<![CDATA[b]]>c<?d?>e<!doctype f>g"), "aceg");
    }

    #[test]
    fn depth_has_an_end() {
        let deep = shaped(&"<div>".repeat(5_000));
        assert_eq!(deep.matches("<div>").count(), DEPTH);
        let closed = shaped(&format!("{}x{}<p>y", "<div>".repeat(100), "</div>".repeat(100)));
        assert!(closed.ends_with("</div><p>y</p>"), "{closed}");
    }
}
