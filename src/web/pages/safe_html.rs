//! HTML that templates insert without escaping.

use minijinja::Value;

use super::Site;

/// Marks HTML as safe that `sources` sanitised: the only way past the escaping of the templates.
pub(super) fn safe_html(sanitised: &str) -> Value {
    Value::from_safe_string(sanitised.to_owned())
}

/// The body of a review. Its pictures are loaded lazily, also those in closed spoilers, and wide tables can be
/// scrolled, also by keyboard.
pub(super) fn review_body(site: &Site, body: &str) -> Value {
    let ours = format!("<img src=\"{}/", site.origin.as_str());
    let mut body = body.replace(&ours, "<img loading=\"lazy\" decoding=\"async\" src=\"/");
    if body.contains("<table") {
        let label = site.messages.get("table");
        let frame =
            format!("<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"{label}\"><table");
        body = body.replace("<table", &frame).replace("</table>", "</table></div>");
    }
    safe_html(&body)
}
