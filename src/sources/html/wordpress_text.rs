//! The text of classic WordPress as its exports have it: line breaks are characters, and captions and videos are shortcodes.

use std::borrow::Cow;

use super::{elements, shortcodes, video_embed};

/// Elements that say where a paragraph or a line ends. In a text with one of them, line breaks mean nothing.
const BREAKS: [&str; 5] = ["p", "br", "div", "pre", "textarea"];
/// Elements whose line breaks are part of their text.
const VERBATIM: [&str; 4] = ["pre", "script", "style", "textarea"];

/// Turns shortcodes and line breaks into HTML. In an export, WordPress has not done so yet, unless the text consists of
/// blocks; elsewhere a blank line is the end of a paragraph if the text has no others.
pub(in crate::sources) fn expand(html: &str, is_export: bool) -> Cow<'_, str> {
    let html = if is_export { expand_addresses(html) } else { html.into() };
    let html = match html {
        Cow::Borrowed(html) => shortcodes::expand(html),
        Cow::Owned(html) => shortcodes::expand(&html).into_owned().into(),
    };
    if is_export && !html.contains("<!-- wp:") {
        return break_lines(&html, false).into();
    }
    let has_breaks = || tags(&html).any(|name| BREAKS.iter().any(|known| name.eq_ignore_ascii_case(known)));
    let has_blank_line = html.lines().any(|line| line.trim().is_empty());
    if has_blank_line && html.trim().contains('\n') && !has_breaks() {
        return break_lines(&html, true).into();
    }
    html
}

/// Names of the tags of a text.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').skip(1).map(tag_name)
}

fn tag_name(tag: &str) -> &str {
    let tag = tag.strip_prefix('/').unwrap_or(tag);
    tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()
}

/// Embeds the videos whose addresses are lines of their own.
fn expand_addresses(html: &str) -> Cow<'_, str> {
    let frame = |line: &str| video_embed::frame_url(line.trim()).filter(|_| line.trim().starts_with("http"));
    if !html.lines().any(|line| frame(line).is_some()) {
        return html.into();
    }
    let lines = html.lines().map(|line| match frame(line) {
        Some(url) => format!("<iframe src=\"{url}\"></iframe>\n"),
        None => format!("{line}\n"),
    });
    lines.collect::<String>().into()
}

/// Turns line breaks into `<br>` and blank lines into two of them, except beside blocks. `only_blank` leaves single line
/// breaks as they are.
fn break_lines(html: &str, only_blank: bool) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html.trim();
    let mut follows_block = true;
    let mut follows_break = false;
    while let Some(c) = rest.chars().next() {
        if c == '<' {
            let name = tag_name(rest.get(1..).unwrap_or_default());
            let verbatim = VERBATIM.iter().find(|known| name.eq_ignore_ascii_case(known));
            let end = match verbatim.filter(|_| !rest.starts_with("</")) {
                Some(name) => rest.find(&format!("</{name}")).unwrap_or(rest.len()),
                None => rest.find('>').map_or(rest.len(), |at| at + 1),
            };
            follows_block = is_block(name);
            follows_break = name.eq_ignore_ascii_case("br");
            let (tag, after) = rest.split_at(end);
            out.push_str(tag);
            rest = after;
        } else if c.is_whitespace() {
            let text = rest.trim_start();
            let space = rest.get(..rest.len() - text.len()).unwrap_or_default();
            let count = space.matches('\n').count().min(2);
            let precedes_block =
                text.strip_prefix('<').is_some_and(|tag| is_block(tag_name(tag))) || text.is_empty();
            let is_kept = !follows_block && !precedes_block;
            out.push_str(match count {
                0 => space,
                1 if is_kept && !only_blank && !follows_break => "<br>\n",
                2 if is_kept => "<br><br>",
                _ if is_kept => "\n",
                _ => "",
            });
            rest = text;
        } else {
            let end = rest.find(|c: char| c == '<' || c.is_whitespace()).unwrap_or(rest.len());
            let (text, after) = rest.split_at(end);
            out.push_str(text);
            (follows_block, follows_break) = (false, false);
            rest = after;
        }
    }
    out
}

fn is_block(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    elements::is_block(&name) || name == "iframe"
}

#[cfg(test)]
mod tests;
