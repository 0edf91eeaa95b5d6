//! Content negotiation (RFC 9110 section 12.5): whether a client prefers a page or an ActivityStreams document.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;

use crate::net::media_type::{ACTIVITY_JSON, is_activitypub};

/// The quality that `Accept` gives to a media type. The most specific range counts.
#[derive(Debug, Clone, Copy, Default)]
struct MediaWeight {
    exact: Option<u16>,
    family: Option<u16>,
}

impl MediaWeight {
    fn or(self, any: u16) -> u16 {
        self.exact.or(self.family).unwrap_or(any)
    }
}

/// The values of a header field with their qualities in thousandths; at most 64.
pub(super) fn weighted_values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = (&str, u16)> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(split_list).take(64).map(|range| (range.trim(), quality(range)))
}

/// The qualities, in thousandths, that `Accept` gives to HTML and to ActivityStreams.
fn accept_weights(headers: &HeaderMap) -> (u16, u16) {
    let (mut html, mut activity) = (MediaWeight::default(), MediaWeight::default());
    let mut any: Option<u16> = None;
    for (range, weight) in weighted_values(headers, header::ACCEPT) {
        let media_type = range.split(';').next().unwrap_or_default().trim();
        let is = |known: &str| media_type.eq_ignore_ascii_case(known);
        let slot = if is("text/html") || is("application/xhtml+xml") {
            &mut html.exact
        } else if is("text/*") {
            &mut html.family
        } else if is("*/*") {
            &mut any
        } else if is("application/*") {
            &mut activity.family
        } else if is("application/json") || is("application/ld+json") || is_activitypub(range) {
            &mut activity.exact
        } else {
            continue;
        };
        *slot = Some(slot.unwrap_or(0).max(weight));
    }
    let any = any.unwrap_or(0);
    (html.or(any), activity.or(any))
}

/// Splits a list at commas, except within quotes, as in a `profile`.
fn split_list(value: &str) -> impl Iterator<Item = &str> {
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
    let mut thousandths = 0;
    for place in 0..3 {
        let digit = match fraction.as_bytes().get(place) {
            None => 0,
            Some(digit @ b'0'..=b'9') => u16::from(digit - b'0'),
            Some(_) => return 1000,
        };
        thousandths = thousandths * 10 + digit;
    }
    if whole == "0" { thousandths } else { 1000 }
}

/// Whether an ActivityStreams document is preferred to a page. Without a preference, the page wins.
pub(super) fn prefers_activity(headers: &HeaderMap) -> bool {
    let (html, activity) = accept_weights(headers);
    activity > html
}

/// Whether a page is preferred to an ActivityStreams document. Without a preference, the document wins.
pub(super) fn prefers_html(headers: &HeaderMap) -> bool {
    let (html, activity) = accept_weights(headers);
    html > activity
}

/// A `Link` header from a page to the document that it renders (RFC 8288).
pub(super) fn alternate_link(id: &Url) -> Option<(HeaderName, HeaderValue)> {
    let link = format!("<{id}>; rel=\"alternate\"; type=\"{ACTIVITY_JSON}\"");
    Some((header::LINK, HeaderValue::from_str(&link).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, value.parse().unwrap())])
    }

    #[test]
    fn servers_prefer_documents_and_browsers_prefer_pages() {
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
