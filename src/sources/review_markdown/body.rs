//! Renders the body of a review, which is written in Markdown, as HTML that is not yet sanitized.

use std::collections::{HashMap, HashSet};

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};

use crate::domain::html_escape::escape;

/// Renders Markdown with tables, footnotes and strikethrough.
pub(super) fn to_html(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    // A single line break in Markdown is just a space, but some clients (Misskey) would show it as a line break.
    let events = Parser::new_ext(markdown, options).map(|event| match event {
        Event::SoftBreak => Event::Text(" ".into()),
        event => event,
    });
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, link_footnotes(events.collect()).into_iter());
    out
}

/// Converts footnotes to HTML. Each begins with its number and ends with a link back to its first reference, which
/// pulldown-cmark's own renderer does not write.
fn link_footnotes(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let html = |html: String| Event::InlineHtml(html.into());
    let referenced: HashSet<_> = events
        .iter()
        .filter_map(
            |event| if let Event::FootnoteReference(name) = event { Some(name.clone()) } else { None },
        )
        .collect();
    let mut out = Vec::with_capacity(events.len());
    let mut numbers = HashMap::new();
    let mut number_of = |name: &CowStr<'_>| {
        let next = numbers.len() + 1;
        *numbers.entry(name.to_string()).or_insert(next)
    };
    let mut linked = HashSet::new();
    let mut current = None;
    let mut events = events.into_iter().peekable();
    while let Some(event) = events.next() {
        match event {
            Event::FootnoteReference(name) => {
                let (number, target) = (number_of(&name), escape(&name));
                let id = if linked.insert(name) { format!(" id=\"to-{target}\"") } else { String::new() };
                out.push(html(format!("<sup{id}><a href=\"#{target}\">{number}</a></sup>")));
            }
            Event::Start(Tag::FootnoteDefinition(name)) => {
                out.push(Event::Html(format!("<div id=\"{}\">", escape(&name)).into()));
                out.extend(events.next_if(|next| matches!(next, Event::Start(Tag::Paragraph))));
                out.push(html(format!("<sup>{}</sup> ", number_of(&name))));
                current = Some(name);
            }
            Event::End(TagEnd::Paragraph) => {
                let is_last = matches!(events.peek(), Some(Event::End(TagEnd::FootnoteDefinition)));
                if let Some(name) = current.as_ref().filter(|name| is_last && referenced.contains(*name)) {
                    out.push(html(format!(" <a href=\"#to-{}\">↩</a>", escape(name))));
                }
                out.push(event);
            }
            Event::End(TagEnd::FootnoteDefinition) => {
                current = None;
                out.push(Event::Html("</div>\n".into()));
            }
            event => out.push(event),
        }
    }
    out
}
