//! Shortcodes of WordPress: `[caption]` becomes a figure, a video its link, a rating its text; the others are removed, and
//! what they enclose stays. They stand in exports, and in feeds if the plugin for them is gone. A text in brackets that is
//! not certainly a shortcode stays as it is.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;

use super::video_embed;
use crate::domain::html_escape::unescape;

/// The maximum number of shortcodes that are replaced.
const MAX_SHORTCODES: usize = 500;
/// The maximum length of one tag in bytes.
const MAX_TAG_BYTES: usize = 4_000;

/// Names of WordPress itself, of Jetpack and of common plugins. Others are recognized by an underscore in their name or by a
/// quoted attribute.
const NAMES: [&str; 30] = [
    "archives",
    "blip.tv",
    "caption",
    "contact-field",
    "contact-form",
    "contact-form-7",
    "dailymotion",
    "embed",
    "facebook",
    "gallery",
    "gist",
    "googlemaps",
    "gravityform",
    "imdb",
    "instagram",
    "nggallery",
    "one-half",
    "playlist",
    "polldaddy",
    "rating",
    "slideshare",
    "slideshow",
    "soundcloud",
    "spotify",
    "ted",
    "tweet",
    "usr",
    "vimeo",
    "xrr",
    "youtube",
];
/// How the names of page builders begin.
const PREFIXES: [&str; 8] = ["et_pb_", "vc_", "su_", "av_", "fusion_", "jetpack-", "jetpack_", "elementor-"];
/// Shortcodes that state the critic's rating.
const RATINGS: [&str; 5] = ["rating", "xrr", "usr", "star", "stars"];
/// Shortcodes that hide what they enclose.
const SPOILERS: [&str; 4] = ["spoiler", "spoilers", "su_spoiler", "expand"];
/// Shortcodes of pages on other sites, which become links.
const EMBEDS: [&str; 11] = [
    "embed",
    "youtube",
    "vimeo",
    "dailymotion",
    "ted",
    "soundcloud",
    "spotify",
    "tweet",
    "instagram",
    "video",
    "audio",
];
/// Elements whose text is shown as it is written.
const VERBATIM: [&str; 6] = ["pre", "code", "script", "style", "textarea", "iframe"];

/// A tag in brackets.
struct Shortcode<'a> {
    name: String,
    /// What follows the name.
    arguments: &'a str,
    is_end: bool,
    /// The text behind it.
    after: &'a str,
}

/// Replaces the shortcodes of a text.
pub(super) fn expand(html: &str) -> Cow<'_, str> {
    if !html.contains('[') {
        return html.into();
    }
    let mut out = String::with_capacity(html.len());
    let mut open: HashSet<String> = HashSet::new();
    let mut rest = html;
    let mut count = 0;
    while let Some(at) = rest.find(['[', '<']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if from.starts_with('<') {
            let length = markup_length(from);
            let (markup, after) = from.split_at(length);
            out.push_str(markup);
            rest = after;
            continue;
        }
        let escaped = from.strip_prefix('[').and_then(parse).filter(|tag| tag.after.starts_with(']'));
        if let Some(tag) = escaped.filter(|tag| is_shortcode(tag, &open)) {
            // `[[gallery]]` shows `[gallery]`.
            let length = from.len() - tag.after.len();
            out.push_str(from.get(1..length).unwrap_or_default());
            rest = tag.after.get(1..).unwrap_or_default();
            continue;
        }
        if let Some(tag) = parse(from).filter(|tag| count < MAX_SHORTCODES && is_shortcode(tag, &open)) {
            count += 1;
            rest = replace(&tag, &mut out);
            open.insert(tag.name);
        } else {
            out.push('[');
            rest = from.get(1..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    out.into()
}

/// Returns the length of the tag, the comment or the verbatim element that a text begins with.
fn markup_length(text: &str) -> usize {
    let past = |end: &str| text.find(end).map_or(text.len(), |at| at + end.len());
    if text.starts_with("<!--") {
        return past("-->");
    }
    let name = text.get(1..).unwrap_or_default();
    let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    match VERBATIM.iter().find(|verbatim| name.eq_ignore_ascii_case(verbatim)) {
        Some(name) => past(&format!("</{name}")),
        None => past(">"),
    }
}

/// Parses the tag in brackets that a text begins with.
fn parse(text: &str) -> Option<Shortcode<'_>> {
    let inner = text.strip_prefix('[')?;
    let (is_end, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let (name, rest) = inner.split_at(inner.find(|c| !is_name(c))?);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic())
        || !rest.starts_with(|c: char| c.is_whitespace() || matches!(c, ']' | '=' | ':' | '/'))
    {
        return None;
    }
    let mut quote = None;
    for (at, c) in rest.char_indices().take_while(|(at, _)| *at <= MAX_TAG_BYTES) {
        match c {
            ']' if quote.is_none() => {
                let arguments = rest.get(..at)?.trim_end_matches('/');
                return Some(Shortcode {
                    name: name.to_ascii_lowercase(),
                    arguments,
                    is_end,
                    after: rest.get(at + 1..)?,
                });
            }
            '[' if quote.is_none() => return None,
            '"' | '\'' if quote == Some(c) => quote = None,
            // An apostrophe follows a letter, the quote of a value does not.
            '"' | '\'' if quote.is_none() && rest.get(..at)?.ends_with('=') => quote = Some(c),
            _ => {}
        }
    }
    None
}

fn is_shortcode(tag: &Shortcode<'_>, open: &HashSet<String>) -> bool {
    let name = tag.name.as_str();
    let is_sure = PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || name.trim_matches('_').contains('_') && name != "wp_caption";
    if tag.is_end {
        return tag.arguments.is_empty() && (is_sure || open.contains(name));
    }
    let arguments = normalize_quotes(tag.arguments);
    if RATINGS.contains(&name) {
        return rating(&arguments).is_some();
    }
    let needs_content = SPOILERS.contains(&name) || matches!(name, "caption" | "wp_caption");
    if needs_content {
        return content(tag).is_some();
    }
    if EMBEDS.contains(&name) && target(tag).is_some() {
        return true;
    }
    let has_attribute = arguments.contains("=\"") || arguments.contains("='");
    let is_bare = arguments.trim().is_empty() && !EMBEDS.contains(&name);
    has_attribute || (is_sure || NAMES.contains(&name)) && (is_bare || arguments.contains('='))
}

/// Writes what stands for a shortcode. Returns the text behind it.
fn replace<'a>(tag: &Shortcode<'a>, out: &mut String) -> &'a str {
    let name = tag.name.as_str();
    if SPOILERS.contains(&name) {
        if tag.is_end {
            out.push_str("</details>");
        } else if content(tag).is_some() {
            let title = attribute(tag.arguments, "title").filter(|title| !title.trim().is_empty());
            let title = title.unwrap_or_else(|| "Spoiler".to_owned());
            let _ = write!(out, "<details><summary>{}</summary>", title.replace('<', "&lt;"));
        }
        return tag.after;
    }
    if tag.is_end {
        return tag.after;
    }
    if matches!(name, "caption" | "wp_caption") {
        let Some((inner, after)) = content(tag) else { return tag.after };
        write_caption(tag.arguments, inner, out);
        return after;
    }
    if RATINGS.contains(&name) {
        out.extend(rating(&normalize_quotes(tag.arguments)));
    } else if EMBEDS.contains(&name)
        && let Some((address, after)) = target(tag)
    {
        write_embed(name, &address, out);
        return after;
    }
    tag.after
}

/// Returns what a shortcode encloses, and the text behind its end.
fn content<'a>(tag: &Shortcode<'a>) -> Option<(&'a str, &'a str)> {
    tag.after.split_once(&format!("[/{}]", tag.name))
}

/// Returns the address that an embed names in its arguments or encloses, and the text behind it.
fn target<'a>(tag: &Shortcode<'a>) -> Option<(String, &'a str)> {
    let name = tag.name.as_str();
    let enclosed = content(tag).and_then(|(inner, after)| Some((address(name, inner)?, after)));
    enclosed.or_else(|| Some((address(name, tag.arguments)?, tag.after)))
}

/// Writes `[caption …]<img> Text[/caption]` or `[caption … caption="Text"]<img>[/caption]` as a figure.
fn write_caption(arguments: &str, inner: &str, out: &mut String) {
    let image = inner.find("<img").and_then(|at| Some(at + inner.get(at..)?.find('>')? + 1));
    let link = image.and_then(|at| {
        let after = inner.get(at..)?.trim_start().strip_prefix("</a>")?;
        Some(inner.len() - after.len())
    });
    let (image, text) = inner.split_at(link.or(image).unwrap_or(0));
    let stated = attribute(arguments, "caption");
    let text = stated.as_deref().unwrap_or(text).trim();
    if image.is_empty() {
        out.push_str(inner);
    } else {
        let _ = write!(out, "<figure>{image}<figcaption>{text}</figcaption></figure>");
    }
}

/// Writes the page of another site as a link, and a video as the trailer that it is.
fn write_embed(name: &str, address: &str, out: &mut String) {
    let video = video_embed::frame_url(address).or_else(|| match name {
        "youtube" => video_embed::frame_url(&format!("https://youtu.be/{address}")),
        "vimeo" => video_embed::frame_url(&format!("https://vimeo.com/{address}")),
        _ => None,
    });
    if let Some(url) = video {
        let _ = write!(out, "<iframe src=\"{url}\"></iframe>");
    } else if address.starts_with("http") {
        let url = address.replace('&', "&amp;").replace('"', "%22").replace('<', "%3C");
        let _ = write!(out, "<p><a href=\"{url}\">{url}</a></p>");
    }
}

/// Returns the address, or the id at a site of videos, that the arguments or the content of a shortcode name.
fn address(name: &str, text: &str) -> Option<String> {
    let named = ["url", "src", "href", "id", "mp4", "mp3"].into_iter().find_map(|key| attribute(text, key));
    let first = || {
        let text = unescape(text).into_owned();
        let mut words = text.trim_start_matches(['=', ' ', ':']).split_whitespace();
        let word = words.next()?.to_owned();
        let is_address = word.starts_with("http");
        let is_alone = words.next().is_none() && !word.contains('=');
        (!word.contains(['"', '<']) && (is_address || is_alone)).then_some(word)
    };
    named.or_else(first).map(|found| found.trim_matches('"').to_owned()).filter(|found| {
        let is_id = match name {
            "youtube" => found.len() == 11,
            "vimeo" => found.bytes().all(|b| b.is_ascii_digit()),
            _ => false,
        };
        is_id || found.starts_with("http")
    })
}

/// Returns the rating that a shortcode states, as text. The scale of all of them is one to five unless they say otherwise.
fn rating(arguments: &str) -> Option<String> {
    let stated = attribute(arguments, "rating");
    let value = match &stated {
        Some(value) => value.as_str(),
        None => arguments.trim_start_matches(['=', ':', ' ']).split_whitespace().next()?,
    };
    let value = value.trim_matches('"');
    let is_number = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit()) && text.len() <= 4 && text.parse::<f32>().is_ok()
    };
    let (value, scale) = value.split_once('/').map_or((value, None), |(value, scale)| (value, Some(scale)));
    // `[stars 4]` is one; `[star]` and `[rating PG]` are not.
    if !is_number(value) || scale.is_some_and(|scale| !is_number(scale)) {
        return None;
    }
    if attribute(arguments, "type").as_deref() == Some("percent") {
        return Some(format!("{value}%"));
    }
    let max = attribute(arguments, "max").filter(|max| is_number(max));
    Some(format!("{value}/{}", scale.map(str::to_owned).or(max).unwrap_or_else(|| "5".to_owned())))
}

/// Returns the value of an attribute.
fn attribute(arguments: &str, name: &str) -> Option<String> {
    let arguments = normalize_quotes(arguments);
    let mut rest = arguments.as_ref();
    while let Some(at) = rest.find(name) {
        let (before, from) = rest.split_at(at);
        let after = from.get(name.len()..)?;
        let is_word = before.is_empty() || before.ends_with(char::is_whitespace);
        if let Some(value) = after.strip_prefix('=').filter(|_| is_word) {
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
            let value = match quote {
                Some(quote) => value.get(1..)?.split(quote).next()?,
                None => value.split_whitespace().next()?,
            };
            return Some(unescape(value).into_owned());
        }
        rest = after;
    }
    None
}

/// Replaces the typographic quotes that editors put around values.
fn normalize_quotes(arguments: &str) -> Cow<'_, str> {
    const QUOTES: [&str; 8] = ["”", "“", "″", "&#8220;", "&#8221;", "&#8243;", "&quot;", "»"];
    let mut text = Cow::Borrowed(arguments);
    for quote in QUOTES {
        if text.contains(quote) {
            text = text.replace(quote, "\"").into();
        }
    }
    text
}
