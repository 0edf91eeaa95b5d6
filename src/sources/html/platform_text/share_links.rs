//! Links that share, subscribe or count instead of leading to a page.

use url::Url;

use crate::domain::canonical_url::url_key;

/// Where share buttons lead: the host without `www.`, and how the path begins.
const SHARE_TARGETS: [(&str, &str); 36] = [
    ("facebook.com", "/sharer"),
    ("facebook.com", "/share.php"),
    ("facebook.com", "/dialog/share"),
    ("twitter.com", "/intent/"),
    ("twitter.com", "/share"),
    ("twitter.com", "/home"),
    ("x.com", "/intent/"),
    ("x.com", "/share"),
    ("bsky.app", "/intent/"),
    ("threads.net", "/intent/"),
    ("linkedin.com", "/sharearticle"),
    ("linkedin.com", "/sharing/"),
    ("linkedin.com", "/cws/share"),
    ("pinterest.com", "/pin/create"),
    ("reddit.com", "/submit"),
    ("tumblr.com", "/share"),
    ("tumblr.com", "/widgets/share"),
    ("getpocket.com", "/save"),
    ("getpocket.com", "/edit"),
    ("wa.me", "/"),
    ("api.whatsapp.com", "/send"),
    ("web.whatsapp.com", "/send"),
    ("t.me", "/share"),
    ("telegram.me", "/share"),
    ("plus.google.com", "/share"),
    ("vk.com", "/share"),
    ("news.ycombinator.com", "/submitlink"),
    ("share.flipboard.com", "/"),
    ("mix.com", "/add"),
    ("digg.com", "/submit"),
    ("stumbleupon.com", "/submit"),
    ("addtoany.com", "/"),
    ("mastodonshare.com", "/"),
    ("blogger.com", "/share-post"),
    ("blogger.com", "/email-post"),
    ("printfriendly.com", "/print"),
];

/// Whether a link shares the entry. `page` is the key of the entry's page.
pub(super) fn is_share_link(href: &str, base: &Url, page: &str) -> bool {
    let href = href.trim();
    // A message to nobody in particular.
    if href.starts_with("mailto:?") || href.starts_with("sms:?") || href.starts_with("whatsapp:") {
        return true;
    }
    let Ok(mut url) = base.join(href) else { return false };
    let host = url.host_str().unwrap_or_default();
    let host = ["www.", "m.", "mobile."].iter().find_map(|prefix| host.strip_prefix(prefix)).unwrap_or(host);
    let path = url.path().to_ascii_lowercase();
    if SHARE_TARGETS.iter().any(|(site, start)| host == *site && path.starts_with(start)) {
        return true;
    }
    // Jetpack: `?share=x&nb=1` at the entry itself.
    let has_share = url.query_pairs().any(|(name, _)| name == "share");
    url.set_query(None);
    url.set_fragment(None);
    has_share && page.split('?').next() == Some(url_key(&url).as_str())
}

/// Whether a link is one of `FeedBurner`'s flares.
pub(super) fn is_flare(href: &str) -> bool {
    ["/~ff/", "feedads.g.doubleclick.net", "feeds.wordpress.com/1.0/"].iter().any(|part| href.contains(part))
}

/// Whether a button with this target subscribes, shares or comments.
pub(super) fn is_action(href: &str) -> bool {
    // Substack fills in these names when it shows the page.
    if href.contains("%%") || href.contains("action=share") || href.starts_with("javascript:") {
        return true;
    }
    let path = href.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    ["/subscribe", "/comments", "/leaderboard", "/gift", "/signup"].iter().any(|end| path.ends_with(end))
}
