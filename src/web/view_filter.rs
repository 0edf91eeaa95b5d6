//! Decides which requests count as views.
//!
//! A view is a full response, with the page of a review, to what appears to be a browser. Prefetches, 304 responses,
//! HEAD requests, crawlers, link previews by other servers and feed readers do not count. Only the number is stored.

use axum::http::{HeaderMap, HeaderName, header};

/// The beginnings of the user agents of browsers, including text browsers.
const BROWSER_PREFIXES: [&[u8]; 6] = [b"Mozilla/", b"Opera/", b"Lynx/", b"w3m/", b"Links ", b"ELinks/"];

/// Parts of the user agents of bots, in lower case.
const BOT_MARKERS: [&[u8]; 9] =
    [b"bot", b"crawl", b"compatible;", b"spider", b"slurp", b"preview", b"headless", b"facebook", b"+http"];

/// The first bytes of [`BOT_MARKERS`]. Most positions of a user agent match none of them and need no further
/// comparison.
const STARTS_MARKER: [bool; 256] = {
    let mut starts = [false; 256];
    let mut at = 0;
    while at < BOT_MARKERS.len() {
        starts[BOT_MARKERS[at][0] as usize] = true;
        at += 1;
    }
    starts
};

/// Header fields that mark a request as a prefetch.
const PREFETCH_HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-moz"),
];

/// Whether a GET request with these header fields counts as a view.
pub(super) fn is_countable_view(headers: &HeaderMap) -> bool {
    let Some(agent) = headers.get(header::USER_AGENT).map(axum::http::HeaderValue::as_bytes) else {
        return false;
    };
    BROWSER_PREFIXES.iter().any(|prefix| agent.starts_with(prefix))
        && !is_bot(agent)
        && !PREFETCH_HEADERS.iter().any(|name| headers.contains_key(name))
}

fn is_bot(agent: &[u8]) -> bool {
    let matches_at = |at: usize, marker: &[u8]| {
        agent.get(at..at + marker.len()).is_some_and(|part| part.eq_ignore_ascii_case(marker))
    };
    (0..agent.len()).any(|at| {
        STARTS_MARKER[usize::from(agent[at].to_ascii_lowercase())]
            && BOT_MARKERS.iter().any(|marker| matches_at(at, marker))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_counted(fields: &[(&'static str, &str)]) -> bool {
        let fields =
            fields.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        is_countable_view(&fields.collect())
    }

    #[test]
    fn requests_of_browsers_count_and_those_of_bots_do_not() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        for browser in [
            firefox,
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
            "Lynx/2.9.2 libwww-FM/2.14 SSL-MM/1.4.1",
        ] {
            assert!(is_counted(&[("user-agent", browser)]), "{browser}");
        }
        for bot in [
            "",
            "curl/8.14.1",
            "Mastodon/4.5.0 (http.rb/5.3.1; +https://m.example/) Bot",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0 Safari/537.36",
            "facebookexternalhit/1.1",
        ] {
            assert!(!is_counted(&[("user-agent", bot)]), "{bot}");
        }
        assert!(!is_counted(&[]));
        assert!(!is_counted(&[("user-agent", firefox), ("sec-purpose", "prefetch;prerender")]));
        assert!(!is_counted(&[("user-agent", firefox), ("x-moz", "prefetch")]));
    }
}
