//! Removes tracking parameters from the URLs that readers see.
//!
//! Entries are recognized by their URLs without these parameters, too. The names here are those that miniflux, Firefox and Brave remove.

use url::Url;

/// Prefixes of the names of campaign parameters: Google Analytics, Matomo, `HubSpot` ads.
const TRACKING_PREFIXES: [&str; 3] = ["utm_", "mtm_", "hsa_"];

/// Parameters that name a click, a reader or a campaign, and select no page on any site.
const TRACKING_NAMES: [&str; 54] = [
    "__hsfp",
    "__hssc",
    "__hstc",
    "__readwiselocation",
    "__s",
    "_bhlid",
    "_branch_match_id",
    "_branch_referrer",
    "_hsenc",
    "_hsmi",
    "_openstat",
    "dclid",
    "fb_action_ids",
    "fb_action_types",
    "fb_comment_id",
    "fb_ref",
    "fb_source",
    "fbclid",
    "gbraid",
    "gclid",
    "gclsrc",
    "hmb_campaign",
    "hmb_medium",
    "hmb_source",
    "hsctatracking",
    "igsh",
    "igshid",
    "itm_campaign",
    "itm_medium",
    "itm_source",
    "mc_cid",
    "mc_eid",
    "mc_tc",
    "mkt_tok",
    "msclkid",
    "oly_anon_id",
    "oly_enc_id",
    "pk_campaign",
    "pk_kwd",
    "pk_source",
    "rb_clickid",
    "ref_src",
    "ref_url",
    "s_cid",
    "spref",
    "srsltid",
    "twclid",
    "vero_conv",
    "vero_id",
    "wbraid",
    "wickedid",
    "xtor",
    "yclid",
    "ysclid",
];

/// Returns the URL without tracking parameters. All else stays byte for byte, since some servers compare queries as text.
/// `page` is the page that links to it: Ghost adds the host of that page as `ref` to outgoing links.
pub fn strip_tracking(mut url: Url, page: Option<&Url>) -> Url {
    if !matches!(url.scheme(), "http" | "https") {
        return url;
    }
    // AT Internet counts with a fragment.
    if url.fragment().is_some_and(|fragment| fragment.starts_with("xtor=") || fragment.starts_with("utm_")) {
        url.set_fragment(None);
    }
    let Some(query) = url.query() else { return url };
    let is_tracking = |pair: &str| {
        let (name, value) = url::form_urlencoded::parse(pair.as_bytes()).next().unwrap_or_default();
        is_tracking_parameter(&url, page, &name.to_ascii_lowercase(), &value)
    };
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_tracking(pair)).collect();
    if kept.len() < query.split('&').count() {
        let kept = kept.join("&");
        url.set_query(Some(kept.as_str()).filter(|kept| !kept.is_empty()));
    }
    url
}

fn is_tracking_parameter(url: &Url, page: Option<&Url>, name: &str, value: &str) -> bool {
    let host = url.host_str().unwrap_or_default();
    let is_at =
        |site: &str| host.strip_suffix(site).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    match name {
        // Medium: `rss-…------2`, `user_profile---------3----`.
        "source" => value == "rss" || value.starts_with("rss-") || value.contains("----"),
        "ref" => {
            matches!(value, "rss" | "feed" | "rss-feed" | "atom")
                || page.and_then(Url::host_str).is_some_and(|own| own == value)
        }
        "si" => is_at("youtube.com") || is_at("youtu.be") || is_at("spotify.com"),
        "feature" => {
            (is_at("youtube.com") || is_at("youtu.be")) && matches!(value, "share" | "shared" | "youtu.be")
        }
        "s" | "t" => is_at("twitter.com") || is_at("x.com"),
        "r" | "triedredirect" | "isfreemail" => is_at("substack.com"),
        _ => {
            TRACKING_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || TRACKING_NAMES.contains(&name)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::canonical_url::url_key;

    fn shown(url: &str) -> String {
        let page = "https://crit.example/2024/anora".parse().unwrap();
        strip_tracking(url.parse().unwrap(), Some(&page)).into()
    }

    #[test]
    fn tracking_parameters_are_not_shown() {
        for (url, expected) in [
            (
                "https://odette.medium.example/letter-1?source=rss-aa11------2",
                "https://odette.medium.example/letter-1",
            ),
            ("https://medium.com/p/1?source=user_profile---------3----", "https://medium.com/p/1"),
            (
                "https://a.example/?utm_source=rss&utm_medium=rss&utm_campaign=x#part",
                "https://a.example/#part",
            ),
            ("https://a.example/b?id=7&fbclid=x&page=2", "https://a.example/b?id=7&page=2"),
            ("https://a.example/b?UTM_Source=x", "https://a.example/b"),
            ("https://a.example/b?mc_cid=1&mc_eid=2&gclid=3", "https://a.example/b"),
            ("https://a.example/b#xtor=RSS-3208", "https://a.example/b"),
            ("https://film.example/x?ref=crit.example", "https://film.example/x"),
            ("https://film.example/x?ref=rss", "https://film.example/x"),
            ("https://youtu.be/abc?si=XyZ&t=30", "https://youtu.be/abc?t=30"),
            ("https://x.com/a/status/1?s=20&t=abc", "https://x.com/a/status/1"),
            ("https://blog.example/2024/01/a.html?spref=tw", "https://blog.example/2024/01/a.html"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }

    #[test]
    fn parameters_that_select_a_page_stay_as_they_are_written() {
        for url in [
            "https://a.example/?p=12&q=a%20b+c&&x=%C3%A9&y",
            "https://a.example/?source=imdb&ref=nm_sr_1&s=2&t=9&r=1&si=4",
            "https://shop.example/film?tag=critic-21&campaign=8",
            "https://www.youtube.com/watch?v=abc&t=30",
            "mailto:a@b.example?subject=utm_source%3D1",
        ] {
            assert_eq!(shown(url), url);
        }
    }

    proptest! {
        #[test]
        fn a_url_without_tracking_has_none_and_the_same_page(query in "[a-z_=&%2]{0,30}") {
            let url: Url = format!("https://a.example/b?{query}&utm_source=x&id=1").parse().unwrap();
            let once = strip_tracking(url.clone(), None);
            prop_assert_eq!(strip_tracking(once.clone(), None), once.clone());
            prop_assert!(once.as_str().contains("id=1") && !once.as_str().contains("utm_source"));
            if !query.contains('_') {
                prop_assert_eq!(url_key(&once), url_key(&url));
            }
        }
    }
}
