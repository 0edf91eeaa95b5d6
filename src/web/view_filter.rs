//! Who reads, as far as it matters for counting: a person, or a program.
//!
//! A read is the page of a review that was sent whole to what seems to be a person's browser. What a browser fetched
//! ahead, or found unchanged since the reader was last here, is none; nor is what is_counted for the head alone, a crawler,
//! another server that draws a preview, or a feed reader. Nothing of this is written down but the number.

use axum::http::{HeaderMap, HeaderName, header};

/// How the names of browsers begin, those without pictures among them.
const BROWSER_PREFIXES: [&[u8]; 6] = [b"Mozilla/", b"Opera/", b"Lynx/", b"w3m/", b"Links ", b"ELinks/"];

/// What programs have in their names, in lower case.
const BOT_MARKERS: [&[u8]; 9] =
    [b"bot", b"crawl", b"compatible;", b"spider", b"slurp", b"preview", b"headless", b"facebook", b"+http"];

/// Which bytes one of those begins with: at most places of a name none does, and nothing more is looked at.
const STARTS_MARKER: [bool; 256] = {
    let mut begin = [false; 256];
    let mut at = 0;
    while at < BOT_MARKERS.len() {
        begin[BOT_MARKERS[at][0] as usize] = true;
        at += 1;
    }
    begin
};

/// Says that nobody looks at it yet.
const PREFETCH_HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-moz"),
];

/// Whether a GET with those header fields is somebody's who reads.
pub(super) fn is_countable_view(headers: &HeaderMap) -> bool {
    let Some(agent) = headers.get(header::USER_AGENT).map(axum::http::HeaderValue::as_bytes) else {
        return false;
    };
    BROWSER_PREFIXES.iter().any(|browser| agent.starts_with(browser))
        && !is_bot(agent)
        && !PREFETCH_HEADERS.iter().any(|name| headers.contains_key(name))
}

fn is_bot(agent: &[u8]) -> bool {
    let starts = |at: usize, word: &[u8]| {
        agent.get(at..at + word.len()).is_some_and(|here| here.eq_ignore_ascii_case(word))
    };
    (0..agent.len()).any(|at| {
        STARTS_MARKER[usize::from(agent[at].to_ascii_lowercase())]
            && BOT_MARKERS.iter().any(|word| starts(at, word))
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
    fn people_read_and_programs_do_not() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        for person in [
            firefox,
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
            "Lynx/2.9.2 libwww-FM/2.14 SSL-MM/1.4.1",
        ] {
            assert!(is_counted(&[("user-agent", person)]), "{person}");
        }
        for program in [
            "",
            "curl/8.14.1",
            "Mastodon/4.5.0 (http.rb/5.3.1; +https://m.example/) Bot",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0 Safari/537.36",
            "facebookexternalhit/1.1",
        ] {
            assert!(!is_counted(&[("user-agent", program)]), "{program}");
        }
        assert!(!is_counted(&[]));
        assert!(!is_counted(&[("user-agent", firefox), ("sec-purpose", "prefetch;prerender")]));
        assert!(!is_counted(&[("user-agent", firefox), ("x-moz", "prefetch")]));
    }
}
