//! Conversions between plain text, HTML and Markdown, and limits of length, for texts sent and received.

pub(super) use crate::domain::html_escape::escape as escape_html;
use crate::domain::html_escape::unescape;

/// Converts plain text to HTML. An empty line starts a paragraph; a single line break becomes `<br>`.
pub(super) fn html_paragraphs(text: &str) -> String {
    let mut html = String::new();
    let mut open: Vec<String> = Vec::new();
    for line in text.lines().chain([""]) {
        let line = line.trim();
        if !line.is_empty() {
            open.push(escape_html(line));
        } else if !open.is_empty() {
            html.push_str("<p>");
            html.push_str(&open.join("<br>"));
            html.push_str("</p>");
            open.clear();
        }
    }
    html
}

/// Shortens a text to at most `max` characters, at a word boundary and with an ellipsis.
pub(super) fn shorten(text: &str, max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(max) else {
        return text.to_owned();
    };
    let last = text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
    let cut = &text[..last];
    let at_word = cut.rfind(' ').filter(|at| at * 2 > cut.len()).unwrap_or(cut.len());
    let kept = cut[..at_word].trim_end_matches([' ', ',', ';', ':', '.', '\u{2013}', '\u{2014}']);
    format!("{kept}…")
}

/// Truncates a text to at most `max` bytes, at a character boundary.
pub(super) fn truncate_bytes(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// Removes words that are links.
pub(super) fn strip_links(text: &str) -> String {
    let is_link = |word: &&str| {
        let bare = word.trim_start_matches(|c: char| !c.is_alphanumeric());
        word.contains("://") || bare.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www."))
    };
    let words: Vec<&str> = text.split_whitespace().filter(|word| !is_link(word)).collect();
    words.join(" ")
}

/// Converts sanitized HTML to Markdown paragraphs, lists and quotations. Emphasis and links become plain text.
pub(super) fn html_to_markdown(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        push_text(&mut out, &rest[..at]);
        let Some(end) = rest[at..].find('>') else {
            rest = "";
            break;
        };
        let tag = rest[at + 1..at + end].trim_start_matches('/');
        let closes = rest[at + 1..].starts_with('/');
        let name = tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
        push_break(&mut out, name, closes);
        rest = &rest[at + end + 1..];
    }
    push_text(&mut out, rest);
    out.truncate(out.trim_end().len());
    out
}

fn push_break(out: &mut String, name: &str, closes: bool) {
    let blank_line = |out: &mut String| {
        out.truncate(out.trim_end_matches([' ', '\n', '\\']).len());
        if !out.is_empty() {
            out.push_str("\n\n");
        }
    };
    match name {
        "br" => out.push_str("\\\n"),
        "li" if !closes => {
            blank_line(out);
            out.push_str("- ");
        }
        "p" | "div" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "figure"
        | "pre" | "hr" | "table" | "tr"
            // A paragraph within a list item stays on the line of the item.
            if !out.ends_with("- ") =>
        {
            blank_line(out);
        }
        _ => {}
    }
}

fn push_text(out: &mut String, html: &str) {
    for c in unescape(html).chars() {
        match c {
            c if c.is_whitespace() && c != '\u{a0}' => {
                if !out.is_empty() && !out.ends_with([' ', '\n']) {
                    out.push(' ');
                }
            }
            '\\' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '#' | '&' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_becomes_paragraphs_that_cannot_be_markup() {
        assert_eq!(
            html_paragraphs("Films & <b>such</b>\nsince 1999\n\n\nNo \"stars\""),
            "<p>Films &amp; &lt;b&gt;such&lt;/b&gt;<br>since 1999</p><p>No &quot;stars&quot;</p>"
        );
        assert_eq!(html_paragraphs(" \n"), "");
    }

    #[test]
    fn a_long_text_ends_at_a_word() {
        assert_eq!(shorten("one two", 7), "one two");
        assert_eq!(shorten("one two, three", 9), "one two…");
        assert_eq!(shorten("abcdefgh", 4), "abc…");
        assert_eq!(shorten("éééé", 3), "éé…");
        assert_eq!(shorten("abc", 0), "…");
    }

    #[test]
    fn links_are_left_out() {
        assert_eq!(strip_links("See https://a.example and (www.b.example) now"), "See and now");
    }

    #[test]
    fn html_becomes_markdown_with_the_same_text() {
        assert_eq!(
            html_to_markdown(
                "<p>One <em>two</em> &amp; 3*4</p>\n<ul><li><p>a</p></li><li>b</li></ul><p>x<br>y</p>"
            ),
            "One two \\& 3\\*4\n\n- a\n\n- b\n\nx\\\ny"
        );
        assert_eq!(html_to_markdown("a < b <"), "a");
    }
}
