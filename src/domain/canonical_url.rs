//! Maps all URLs of a page to one key, so that tracking parameters do not make it a different page.

use url::Url;

use super::tracking_parameters::strip_tracking;

/// Returns a key that is the same for all URLs of one page: without scheme, credentials, `www.`, default
/// port, tracking parameters, fragment and trailing slash, and with sorted parameters. The key is not a URL.
pub fn url_key(url: &Url) -> String {
    if !matches!(url.scheme(), "http" | "https") {
        return url.as_str().to_owned();
    }
    let url = &strip_tracking(url.clone(), None);
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    let mut key = host.to_owned();
    // `http` and `https` count as the same, so the default port of either is dropped.
    if let Some(port) = url.port().filter(|p| !matches!(p, 80 | 443)) {
        key.push(':');
        key.push_str(&port.to_string());
    }
    key.push_str(url.path().trim_end_matches('/'));
    let mut kept: Vec<(String, String)> = url
        .query_pairs()
        // `m=1` selects Blogger's mobile page.
        .filter(|(name, value)| !(name.eq_ignore_ascii_case("m") && value == "1"))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    kept.sort();
    if !kept.is_empty() {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
        key.push('?');
        key.push_str(&query);
    }
    // `#!/page` selects a different page.
    if let Some(page) = url.fragment().filter(|f| f.starts_with('!')) {
        key.push('#');
        key.push_str(page);
    }
    key
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn key(url: &str) -> String {
        url_key(&url.parse().unwrap())
    }

    #[test]
    fn all_urls_of_a_page_have_one_key() {
        let expected = "crit.example/2024/anora?p=2";
        for url in [
            "https://crit.example/2024/anora?p=2",
            "http://WWW.Crit.example:80/2024/anora/?utm_source=rss&p=2#comments",
            "https://crit.example:443/2024/anora?fbclid=x&p=2&UTM_medium=y",
            "https://crit.example./2024/anora?p=2&m=1",
            "https://crit.example/2024/anora?p=2&source=rss-aa11------2",
            "https://me:secret@crit.example/2024/anora?p=2",
        ] {
            assert_eq!(key(url), expected, "{url}");
        }
        assert_eq!(key("https://crit.example/?b=2&a=1"), key("https://crit.example?a=1&b=2"));
    }

    #[test]
    fn different_pages_have_different_keys() {
        let pages = [
            "https://crit.example/a",
            "https://crit.example/A",
            "https://crit.example:8443/a",
            "https://crit.example/a?p=1",
            "https://crit.example/a?p=2",
            "https://blog.crit.example/a",
            "https://crit.example/#!/a",
            "file:///a",
        ];
        let keys: HashSet<_> = pages.iter().map(|p| key(p)).collect();
        assert_eq!(keys.len(), pages.len());
    }
}
