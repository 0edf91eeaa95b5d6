//! Rewrites HTML so that it can be parsed in linear time: only known elements, properly nested, of limited depth, and
//! tables with rows and cells.
//!
//! This step does not make HTML safe; ammonia does so afterwards. It comes first because a tree builder searches its open
//! elements at each tag, which takes quadratic time in their depth: `<div>` 20,000 times, followed by `</p>` as often (180 kB),
//! keeps ammonia busy for 2.1 s, and twice as much of it for 8.3 s.

use std::collections::HashMap;

use super::lexer::{Lexer, Token};
use super::{elements, video_embed};
use crate::domain::html_escape::reference;

/// The maximum number of open elements. Deeper elements lose their tags and keep their text.
const MAX_DEPTH: usize = 40;
/// The maximum length of a text node in characters. Longer ones are split by a comment, which ammonia removes:
/// html5ever's serializer searches the rest of a text node again at each ampersand.
const MAX_TEXT_CHARS: usize = 2_000;

/// Rewrites HTML with limited nesting. Only the first `limit` bytes are used.
pub(super) fn limit_nesting(html: &str, limit: usize) -> String {
    let html = html.get(..html.floor_char_boundary(limit)).unwrap_or_default();
    let mut limiter = NestingLimiter {
        out: String::with_capacity(html.len()),
        open: Vec::new(),
        ignored: HashMap::new(),
        dropping: None,
        in_noscript: false,
    };
    for token in (Lexer { rest: html }) {
        limiter.token(token);
    }
    limiter.close_to(0);
    limiter.out
}

struct NestingLimiter {
    out: String,
    /// Names of the open elements.
    open: Vec<&'static str>,
    /// Start tags that were dropped because of their depth, so that their end tags close nothing else.
    ignored: HashMap<&'static str, usize>,
    /// The element whose content is being dropped, and how many elements of that name are open.
    dropping: Option<(&'static str, usize)>,
    /// Whether a `<noscript>` is open. Only its images are kept: those that a script would load late.
    in_noscript: bool,
}

impl NestingLimiter {
    fn token(&mut self, token: Token<'_>) {
        if let Some((dropped, depth)) = &mut self.dropping {
            match token {
                Token::Open(name, _) if name == *dropped => *depth += 1,
                Token::Close(name) if name == *dropped => *depth -= 1,
                _ => {}
            }
            if *depth == 0 {
                self.dropping = None;
            }
            return;
        }
        match token {
            Token::Open(name, _) if name == "noscript" => self.in_noscript = true,
            Token::Close(name) if name == "noscript" => self.in_noscript = false,
            Token::Open(name, attributes) if self.in_noscript => {
                if let Some(dropped) = elements::dropped(&name) {
                    self.dropping = Some((dropped, 1));
                } else if name == "img" {
                    self.start("img", &attributes);
                }
            }
            Token::Text(_) | Token::Close(_) if self.in_noscript => {}
            Token::Text(text) => self.text(text),
            Token::Open(name, attributes) => {
                if name == "iframe" {
                    self.trailer(&attributes);
                }
                if let Some(dropped) = elements::dropped(&name) {
                    self.dropping = Some((dropped, 1));
                } else if let Some(name) = elements::known(&name) {
                    self.start(name, &attributes);
                }
            }
            Token::Close(name) => {
                if let Some(name) = elements::known(&name) {
                    self.end(name);
                }
            }
        }
    }

    /// Replaces the `<iframe>` of a trailer with a link to its page.
    fn trailer(&mut self, attributes: &[(String, &str)]) {
        let attribute =
            |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value);
        let mut sources = ["src", "data-src", "data-lazy-src"].into_iter().filter_map(attribute);
        let Some(page) = sources.find_map(video_embed::page_url) else { return };
        let site = page.split('/').nth(2).unwrap_or_default();
        let title = attribute("title").map(str::trim).filter(|title| !title.is_empty());
        self.start("p", &[]);
        self.start("a", &[("href".to_owned(), &page)]);
        self.text(video_embed::TRAILER_MARK);
        // References in the attribute are not decoded, so `&` must not be escaped again.
        let label = title.unwrap_or(site.strip_prefix("www.").unwrap_or(site));
        self.out.push_str(&label.replace('<', "&lt;").replace('>', "&gt;"));
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
            if run > MAX_TEXT_CHARS && matches!(c, '<' | '>' | '&' | '\u{A0}') {
                self.out.push_str("<!---->");
                run = 0;
            }
            match c {
                '&' => self.out.push_str(ampersand(after)),
                '<' | '>' => self.out.push_str(reference(c).unwrap_or_default()),
                c if c.is_control() && !matches!(c, '\n' | '\t') => {}
                c => self.out.push(c),
            }
            rest = after;
            run += 1;
        }
    }

    fn start(&mut self, name: &'static str, attributes: &[(String, &str)]) {
        self.close_implied(name);
        if elements::is_table_or_part(name) && name != "table" {
            if !self.fit_into_table(name) {
                return;
            }
        } else {
            self.imply_cell();
        }
        // A list around the table does not count within the cell.
        let in_cell = self.open.iter().rev().take_while(|n| !matches!(**n, "td" | "th" | "caption"));
        let in_list = |lists: [&str; 2]| in_cell.clone().any(|n| lists.contains(n));
        let is_stray = match name {
            "li" => !in_list(["ul", "ol"]),
            "dt" | "dd" => !in_list(["dl", "dl"]),
            _ => false,
        };
        if is_stray {
            return;
        }
        // Links do not nest, not even through a table.
        let is_nested_link = name == "a" && self.open.contains(&"a");
        if is_nested_link || (!elements::is_void(name) && self.open.len() >= MAX_DEPTH) {
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
        if !elements::is_void(name) {
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
        // An end tag within a cell closes nothing outside of it.
        let boundaries: &[&str] =
            if elements::is_table_or_part(name) { &["table"] } else { &["td", "th", "caption"] };
        for at in (0..self.open.len()).rev() {
            if self.open.get(at) == Some(&name) {
                return self.close_to(at);
            }
            if self.open.get(at).is_some_and(|open| boundaries.contains(open)) {
                return;
            }
        }
    }

    /// Closes the elements that a start tag closes implicitly.
    fn close_implied(&mut self, name: &str) {
        let (closed, boundaries): (&[&str], &[&str]) = match name {
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
            _ if elements::is_block(name) => {
                (&["p"], &["td", "th", "li", "dd", "blockquote", "figure", "div", "details"])
            }
            _ => return,
        };
        let mut outermost = None;
        for (at, open) in self.open.iter().enumerate().rev() {
            if boundaries.contains(open) {
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

    /// Opens a cell for content between cells. Browsers move such content in front of the table, which takes a search each
    /// time.
    fn imply_cell(&mut self) {
        if self.between_cells() {
            if self.open.last() != Some(&"tr") {
                self.push("tr");
            }
            self.push("td");
        }
    }

    /// Closes and opens elements so that a part of a table fits. Returns `false` if it cannot fit.
    fn fit_into_table(&mut self, name: &'static str) -> bool {
        let table = self.open.iter().rposition(|n| elements::is_table_or_part(n));
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

/// Returns an ampersand, escaped unless it begins a reference that ends in `;`. The parser takes quadratic time for
/// references without a semicolon.
fn ampersand(after: &str) -> &'static str {
    let end = after.bytes().take(33).position(|b| !b.is_ascii_alphanumeric() && b != b'#');
    match end {
        Some(end) if end > 0 && after.as_bytes().get(end) == Some(&b';') => "&",
        _ => "&amp;",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(html: &str) -> String {
        limit_nesting(html, 1_000_000)
    }

    #[test]
    fn tags_are_nested_properly() {
        assert_eq!(limited("<p>a<p>b<em>c</p>d"), "<p>a</p><p>b<em>c</em></p>d");
        assert_eq!(limited("<ul><li>a<li>b</ul>"), "<ul><li>a</li><li>b</li></ul>");
        assert_eq!(limited("</div>x</p><b>y"), "x<b>y</b>");
        assert_eq!(limited("1 < 2 & <3 > x"), "1 &lt; 2 &amp; &lt;3 &gt; x");
        assert_eq!(limited("<a href='x\"y' onclick=z>t<a>u"), "<a href=\"x&quot;y\">t</a><a>u</a>");
    }

    #[test]
    fn tables_have_rows_and_cells() {
        assert_eq!(limited("<table>x<td>y</table>"), "<table><tr><td>x</td><td>y</td></tr></table>");
        assert_eq!(
            limited("<table><tr><th>a<td>b<tr><td>c<p>d</table>e"),
            "<table><tr><th>a</th><td>b</td></tr><tr><td>c<p>d</p></td></tr></table>e"
        );
    }

    #[test]
    fn an_item_in_a_cell_needs_a_list_in_the_cell() {
        assert_eq!(
            limited("<ol><li>a<table>b<li>c</table></ol>"),
            "<ol><li>a<table><tr><td>bc</td></tr></table></li></ol>"
        );
        assert_eq!(
            limited("<dl><dt><table><td><dd>c"),
            "<dl><dt><table><tr><td>c</td></tr></table></dt></dl>"
        );
    }

    #[test]
    fn scripts_styles_and_comments_are_removed() {
        assert_eq!(limited("a<script>if (1 < 2) '</p>'</SCRIPT >b<!-- <p> -->c"), "abc");
        assert_eq!(limited("a<svg><svg></svg><p>x</p></svg>b<style>c"), "ab");
        assert_eq!(limited("a<![CDATA[b]]>c<?d?>e<!doctype f>g"), "aceg");
    }

    #[test]
    fn depth_is_limited() {
        let deep = limited(&"<div>".repeat(5_000));
        assert_eq!(deep.matches("<div>").count(), MAX_DEPTH);
        let closed = limited(&format!("{}x{}<p>y", "<div>".repeat(100), "</div>".repeat(100)));
        assert!(closed.ends_with("</div><p>y</p>"), "{closed}");
    }
}
