//! HTML that templates insert without escaping.

use minijinja::Value;

use super::Site;

/// Marks HTML that `sources` sanitized as safe. This is the only way past the escaping of the templates.
pub(super) fn safe_html(sanitized: &str) -> Value {
    Value::from_safe_string(sanitized.to_owned())
}

/// The body of a review. Its images are loaded lazily, including those in closed spoilers, and wide tables can be
/// scrolled, including by keyboard.
pub(super) fn review_body(site: &Site, body: &str) -> Value {
    let local_image = format!("<img src=\"{}/", site.origin.as_str());
    let mut body = body.replace(&local_image, "<img loading=\"lazy\" decoding=\"async\" src=\"/");
    if body.contains("<table") {
        let label = site.messages.get("table");
        let container =
            format!("<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"{label}\"><table");
        body = body.replace("<table", &container).replace("</table>", "</table></div>");
    }
    safe_html(&body)
}
