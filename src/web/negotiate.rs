//! Who asks: a browser or a server (RFC 9110 section 12.5.1).

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use url::Url;

use crate::net::media_type::{ACTIVITY_JSON, is_activity};

/// The weight that an `Accept` gives to something: the nearest range counts, whatever the others say.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    exact: Option<u16>,
    family: Option<u16>,
}

impl Weight {
    fn or(self, any: u16) -> u16 {
        self.exact.or(self.family).unwrap_or(any)
    }
}

/// The weights, in thousandths, that an `Accept` gives to HTML and to ActivityStreams.
fn weights(headers: &HeaderMap) -> (u16, u16) {
    let (mut html, mut activity) = (Weight::default(), Weight::default());
    let mut any: Option<u16> = None;
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in values.flat_map(split).take(64) {
        let weight = quality(range);
        let media_type = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let slot = match media_type.as_str() {
            "text/html" | "application/xhtml+xml" => &mut html.exact,
            "text/*" => &mut html.family,
            "*/*" => &mut any,
            "application/*" => &mut activity.family,
            "application/json" | "application/ld+json" => &mut activity.exact,
            _ if is_activity(range) => &mut activity.exact,
            _ => continue,
        };
        *slot = Some(slot.unwrap_or(0).max(weight));
    }
    let any = any.unwrap_or(0);
    (html.or(any), activity.or(any))
}

/// The ranges of an `Accept`; a comma within quotes, as in a profile, separates nothing.
fn split(value: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    value.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

fn quality(range: &str) -> u16 {
    let parameters = range.split(';').skip(1).filter_map(|parameter| parameter.trim().split_once('='));
    let weight =
        parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("q")).map(|(_, value)| value).next();
    let Some(weight) = weight else { return 1000 };
    let (whole, fraction) = weight.trim().split_once('.').unwrap_or((weight.trim(), ""));
    let digits = format!("{fraction:0<3}");
    match (whole, digits.get(..3).and_then(|digits| digits.parse::<u16>().ok())) {
        ("0", Some(thousandths)) => thousandths,
        _ => 1000,
    }
}

/// Whether an ActivityStreams document is wanted rather than a page. Who does not care gets the page.
pub(super) fn prefers_activity(headers: &HeaderMap) -> bool {
    let (html, activity) = weights(headers);
    activity > html
}

/// Whether a page is wanted rather than an ActivityStreams document. Who does not care gets the document.
pub(super) fn prefers_html(headers: &HeaderMap) -> bool {
    let (html, activity) = weights(headers);
    html > activity
}

/// The page, with the way to the document of which it is a rendering (RFC 8288).
pub(super) fn with_alternate(mut page: Response, id: &Url) -> Response {
    let link = format!("<{id}>; rel=\"alternate\"; type=\"{ACTIVITY_JSON}\"");
    if let Ok(link) = HeaderValue::from_str(&link) {
        page.headers_mut().append(header::LINK, link);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, value.parse().unwrap())])
    }

    #[test]
    fn servers_get_documents_and_browsers_get_pages() {
        let ld = r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams""#;
        for server in [
            "application/activity+json",
            ld,
            &format!("application/activity+json, {ld}, text/html;q=0.1"),
            "application/activity+json;q=0.9, text/html;q=0.8",
            "application/json",
            "application/ld+json",
            "application/*, text/html;q=0.9",
            "text/html;q=0, */*",
            "text/*;q=0.5, */*;q=0.6",
            "*/*;q=0.1, application/activity+json",
            "APPLICATION/ACTIVITY+JSON, Text/HTML; Q=0.5",
        ] {
            assert!(prefers_activity(&accept(server)), "{server}");
            assert!(!prefers_html(&accept(server)), "{server}");
        }
        for browser in [
            "text/html",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/html, application/activity+json;q=0.9",
            "text/*",
            "application/activity+json;q=0, */*",
            "text/html, */*;q=0.8",
            "application/json;q=0.1, text/html;q=0.2",
        ] {
            assert!(prefers_html(&accept(browser)), "{browser}");
            assert!(!prefers_activity(&accept(browser)), "{browser}");
        }
        for undecided in
            ["*/*", "image/png", "", "text/html, application/activity+json", ";;q=,,\"", "*/*;q=nonsense"]
        {
            assert!(
                !prefers_html(&accept(undecided)) && !prefers_activity(&accept(undecided)),
                "{undecided}"
            );
        }
    }
}
