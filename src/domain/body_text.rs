//! The visible text of a review's sanitized body, without its images.

use std::borrow::Cow;

/// Removes images and their captions from the body of a review.
pub fn strip_figures(body: &str) -> Cow<'_, str> {
    const START: &str = "<figure><img ";
    const END: &str = "</figure>";
    let mut parts = body.split(START);
    let first = parts.next().unwrap_or_default();
    if first.len() == body.len() {
        return Cow::Borrowed(body);
    }
    let mut text = first.to_owned();
    for part in parts {
        text.push_str(part.split_once(END).map_or("", |(_, rest)| rest));
    }
    Cow::Owned(text)
}

/// Returns the visible text of sanitized HTML, with a space for each tag.
pub(super) fn visible_text(html: &str) -> String {
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
    // `&quot;` stays as it is, since stored hashes of texts contain its letters.
    text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_not_part_of_the_text() {
        let image = "<figure><img src=\"a\" alt=\"b\"><figcaption>c</figcaption></figure>";
        assert_eq!(strip_figures(&format!("<p>1</p>{image}{image}<p>2</p>")), "<p>1</p><p>2</p>");
        let quote = "<figure><blockquote>q</blockquote></figure>";
        assert_eq!(strip_figures(quote), quote);
    }
}
