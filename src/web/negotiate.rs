//! Who asks: a browser or a server (RFC 9110 section 12.5.1).

use axum::http::{HeaderMap, header};

use crate::net::media_type::is_activity;

/// The weights, in thousandths, that an `Accept` gives to HTML and to ActivityStreams.
fn weights(headers: &HeaderMap) -> (u16, u16) {
    let mut html: Option<u16> = None;
    let mut activity: Option<u16> = None;
    let mut any: Option<u16> = None;
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in values.flat_map(split).take(64) {
        let weight = quality(range);
        let media_type = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let slot = match media_type.as_str() {
            "text/html" | "application/xhtml+xml" | "text/*" => &mut html,
            "*/*" | "application/*" => &mut any,
            "application/json" => &mut activity,
            _ if is_activity(range) || media_type == "application/ld+json" => &mut activity,
            _ => continue,
        };
        *slot = Some(slot.unwrap_or(0).max(weight));
    }
    let any = any.unwrap_or(0);
    (html.unwrap_or(any), activity.unwrap_or(any))
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
        ] {
            assert!(prefers_activity(&accept(server)), "{server}");
            assert!(!prefers_html(&accept(server)), "{server}");
        }
        for browser in [
            "text/html",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/html, application/activity+json;q=0.9",
        ] {
            assert!(prefers_html(&accept(browser)), "{browser}");
            assert!(!prefers_activity(&accept(browser)), "{browser}");
        }
        for undecided in ["*/*", "image/png", ""] {
            assert!(
                !prefers_html(&accept(undecided)) && !prefers_activity(&accept(undecided)),
                "{undecided}"
            );
        }
    }
}
