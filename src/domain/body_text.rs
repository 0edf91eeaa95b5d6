//! The visible text of a review's sanitized body, without its images.

use std::borrow::Cow;

use super::html_escape::unescape;

const FIGURE_END: &str = "</figure>";
const POSTER_CAPTION: &str = "<figure><figcaption>";
const POSTER_CAPTION_END: &str = "</figcaption></figure>";

/// Removes images and their captions from the body of a review, including the caption of the poster.
pub fn strip_figures(body: &str) -> Cow<'_, str> {
    const START: &str = "<figure><img ";
    let (_, body) = split_poster_caption(body);
    let mut parts = body.split(START);
    let first = parts.next().unwrap_or_default();
    if first.len() == body.len() {
        return Cow::Borrowed(body);
    }
    let mut text = first.to_owned();
    for part in parts {
        text.push_str(part.split_once(FIGURE_END).map_or("", |(_, rest)| rest));
    }
    Cow::Owned(text)
}

/// Puts the caption of the poster, as HTML, in front of a body. The image itself is not part of the body.
pub fn with_poster_caption(caption: Option<String>, body: String) -> String {
    match caption {
        Some(caption) => [POSTER_CAPTION, &caption, POSTER_CAPTION_END, &body].concat(),
        None => body,
    }
}

/// Splits a body into the caption of the poster and the rest.
pub fn split_poster_caption(body: &str) -> (Option<&str>, &str) {
    let split = body.strip_prefix(POSTER_CAPTION).and_then(|rest| rest.split_once(POSTER_CAPTION_END));
    split.map_or((None, body), |(caption, rest)| (Some(caption), rest))
}

/// Returns the visible text of sanitized HTML, with a space for each tag and for each no-break space.
pub fn visible_text(html: &str) -> String {
    unescape(&text_with_references(html).replace("&nbsp;", " ")).into_owned()
}

/// Returns the text of sanitized HTML, with a space for each tag. Its character references stay as they are.
pub(super) fn text_with_references(html: &str) -> String {
    let html = strip_figures(html);
    let mut text = String::with_capacity(html.len());
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                text.push(' ');
            }
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_not_part_of_the_text() {
        let image = "<figure><img src=\"a\" alt=\"b\"><figcaption>c</figcaption></figure>";
        assert_eq!(strip_figures(&format!("<p>1</p>{image}{image}<p>2</p>")), "<p>1</p><p>2</p>");
        let captioned = with_poster_caption(Some("<em>c</em>".into()), "<p>1</p>".into());
        assert_eq!(strip_figures(&captioned), "<p>1</p>");
        assert_eq!(split_poster_caption(&captioned), (Some("<em>c</em>"), "<p>1</p>"));
        assert_eq!(split_poster_caption("<p>1</p>"), (None, "<p>1</p>"));
        let quote = "<figure><blockquote>q</blockquote></figure>";
        assert_eq!(strip_figures(quote), quote);
    }

    #[test]
    fn each_reference_of_sanitized_html_is_decoded_once() {
        let html = "<p>&quot;A&quot;&nbsp;&lt;b&gt; &amp;quot; it's</p>";
        assert_eq!(visible_text(html), " \"A\" <b> &quot; it's ");
    }
}
