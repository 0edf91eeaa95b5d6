//! Renders a critic's reply, which is written in Markdown; `@user@host` mentions an account.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, TextMergeStream};
use url::Url;

use super::html;
use crate::domain::html_escape::escape;
use crate::domain::origin::Origin;

/// The maximum size of a reply in bytes.
pub const MAX_BYTES: usize = 50_000;

/// An account that a reply may mention.
#[derive(Debug, Clone)]
pub struct MentionTarget {
    /// `@user@host`.
    pub handle: String,
    /// The page that the mention links to.
    pub url: Url,
}

/// Returns the handles that a reply mentions, as they are spelled there, each once.
pub fn mentioned_handles(markdown: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (event, is_prose) in events(markdown) {
        let Event::Text(text) = event else { continue };
        if !is_prose {
            continue;
        }
        for piece in pieces(&text) {
            if let Piece::Handle(handle) = piece
                && !found.iter().any(|known| known.eq_ignore_ascii_case(handle))
            {
                found.push(handle.to_owned());
            }
        }
    }
    found
}

/// Renders a reply as safe HTML, with mentions of known accounts as links to their pages.
pub fn render_html(markdown: &str, known: &[MentionTarget], origin: &Origin) -> String {
    let mut out = Vec::new();
    for (event, is_prose) in events(markdown) {
        match event {
            Event::Text(text) if is_prose => out.extend(link_mentions(&text, known)),
            event => out.push(event),
        }
    }
    let mut unsafe_html = String::new();
    pulldown_cmark::html::push_html(&mut unsafe_html, out.into_iter());
    html::sanitize_comment(&unsafe_html, origin)
}

/// Parses Markdown into events. The flag says whether an event is prose, that is, neither code nor part of a link.
fn events(markdown: &str) -> impl Iterator<Item = (Event<'_>, bool)> {
    let parser = Parser::new_ext(markdown, Options::ENABLE_STRIKETHROUGH);
    let mut exclusions = 0u32;
    TextMergeStream::new(parser).map(move |event| {
        match &event {
            Event::Start(Tag::CodeBlock(_) | Tag::Link { .. } | Tag::Image { .. }) => exclusions += 1,
            Event::End(TagEnd::CodeBlock | TagEnd::Link | TagEnd::Image) => {
                exclusions = exclusions.saturating_sub(1);
            }
            _ => {}
        }
        // People type replies like messages, so a line break is kept.
        let event = if matches!(event, Event::SoftBreak) { Event::HardBreak } else { event };
        (event, exclusions == 0)
    })
}

fn link_mentions<'t>(text: &str, known: &[MentionTarget]) -> Vec<Event<'t>> {
    let link = |piece: Piece<'_>| {
        let (Piece::Handle(text) | Piece::Plain(text)) = piece;
        let shown = || Event::Text(CowStr::from(text.to_owned()));
        let Piece::Handle(handle) = piece else { return vec![shown()] };
        let Some(target) = known.iter().find(|target| target.handle.eq_ignore_ascii_case(handle)) else {
            return vec![shown()];
        };
        let user = handle.trim_start_matches('@').split('@').next().unwrap_or_default();
        let link = format!("<a href=\"{}\" class=\"mention\">@{user}</a>", escape(target.url.as_str()));
        vec![Event::InlineHtml(CowStr::from(link))]
    };
    pieces(text).into_iter().flat_map(link).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'t> {
    Plain(&'t str),
    Handle(&'t str),
}

/// Splits a text into handles and the text between them.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut done, mut from) = (0, 0);
    while let Some(at) = text[from..].find('@').map(|at| at + from) {
        from = at + 1;
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '/' | '@' | '_')) {
            continue;
        }
        let Some(length) = handle_length(&text[at..]) else { continue };
        if done < at {
            pieces.push(Piece::Plain(&text[done..at]));
        }
        pieces.push(Piece::Handle(&text[at..at + length]));
        done = at + length;
        from = done;
    }
    if done < text.len() {
        pieces.push(Piece::Plain(&text[done..]));
    }
    pieces
}

/// Returns the length of the handle (`@user@host.name`) at the start of a text, without a final full stop.
fn handle_length(text: &str) -> Option<usize> {
    let is_user = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_host = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | ':');
    let rest = text.strip_prefix('@')?;
    let user = rest.find(|c| !is_user(c))?;
    let host = rest[user..].strip_prefix('@')?;
    let end = host.find(|c| !is_host(c)).unwrap_or(host.len());
    let host = host[..end].trim_end_matches(['.', '-', ':']);
    (user > 0 && !host.is_empty()).then(|| 1 + user + 1 + host.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(markdown: &str) -> String {
        let known = [MentionTarget {
            handle: "@Bo_b@m.example".into(),
            url: "https://m.example/@bob".parse().unwrap(),
        }];
        render_html(markdown, &known, &Origin::parse("https://crit.example").unwrap())
    }

    #[test]
    fn handles_are_found_only_in_prose() {
        let text = "Thanks @ann@b.example, and (@Bo_b@m.example). Not a@b.example, `@c@d.example`, \
            [@e@f.example](https://x.example) or @g. @ann@B.example!";
        assert_eq!(mentioned_handles(text), ["@ann@b.example", "@Bo_b@m.example"]);
    }

    #[test]
    fn only_known_accounts_are_linked() {
        let html = rendered("Well, @bo_b@m.example and @ann@b.example:\n*yes*.");
        assert!(html.starts_with("<p>Well, <a href=\"https://m.example/@bob\" class=\"mention\""), "{html}");
        assert!(html.contains(">@bo_b</a> and @ann@b.example:<br>"), "{html}");
        assert!(html.ends_with("<em>yes</em>.</p>"), "{html}");
    }

    #[test]
    fn a_reply_is_sanitized() {
        assert_eq!(rendered("a <script>x</script> [b](javascript:y)"), "<p>a  b</p>");
    }
}
