//! Addresses of others, in one canonical form: two texts that mean the same host become the same URL.

use url::{Host, Url};

/// Longer ones are nobody's.
const MOST_BYTES: usize = 2048;

/// Which addresses count as ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UrlRules {
    /// Whether `http` does, too.
    pub allow_http: bool,
    /// Whether the host may be a bare name like `localhost`, and the port any.
    pub allow_local: bool,
    /// Whether the host may be an IP address.
    pub allow_ip: bool,
}

impl UrlRules {
    /// `https`, a domain name, its default port.
    pub const STRICT: Self = Self { allow_http: false, allow_local: false, allow_ip: false };
    /// Where the operator lets us into networks of their own.
    pub const PRIVATE_NETWORK: Self = Self { allow_local: true, ..Self::STRICT };
    /// For a trial at `http://localhost:PORT`.
    pub const LOCALHOST: Self = Self { allow_http: true, allow_local: true, allow_ip: true };

    /// The text as an id (ActivityPub section 3.1): an address that can be asked for the object. None for
    /// others. The host is in lower case, in Punycode, and without a dot at its end.
    pub fn parse_id(self, text: &str) -> Option<Url> {
        let url = self.web_address(text)?;
        (self.allow_http || url.scheme() == "https").then_some(url)
    }

    /// The text as the address of a page, for people: like an id, but `http` is good enough.
    pub fn parse_page_url(self, text: &str) -> Option<Url> {
        self.web_address(text)
    }

    fn web_address(self, text: &str) -> Option<Url> {
        // The URL standard drops or turns these silently; in an id they are an attempt to be two things.
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
        if text.len() > MOST_BYTES || text.contains(is_odd) {
            return None;
        }
        let mut url = Url::parse(text).ok()?;
        let is_web = matches!(url.scheme(), "https" | "http");
        if !is_web || !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        if let Some(Host::Domain(name)) = url.host()
            && let Some(bare) = name.strip_suffix('.')
        {
            let bare = bare.to_owned();
            url.set_host(Some(&bare)).ok()?;
        }
        self.takes_host_of(&url).then_some(url)
    }

    fn takes_host_of(self, url: &Url) -> bool {
        match url.host() {
            Some(Host::Domain(name)) => {
                let labels_are_full = name.split('.').all(|label| !label.is_empty());
                let is_public = name.contains('.') && url.port().is_none();
                name.len() <= 253 && labels_are_full && (is_public || self.allow_local)
            }
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => self.allow_ip,
            None => false,
        }
    }
}

/// Whether one server speaks for both: the same scheme, host and port.
pub fn same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

/// The host of a handle, with its port if it has one, in the form of ids: lower case, Punycode, no dot at its
/// end. None where it is no host.
pub fn canonical_host(text: &str, rules: UrlRules) -> Option<String> {
    let is_host = |c: char| !matches!(c, '/' | '?' | '#' | '@' | '%');
    if text.is_empty() || !text.chars().all(is_host) {
        return None;
    }
    let scheme = if rules.allow_http { "http" } else { "https" };
    let url = rules.web_address(&format!("{scheme}://{text}/"))?;
    url.origin().ascii_serialization().split_once("://").map(|(_, host)| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_and_a_bare_name_count_where_the_operator_says_so() {
        for text in ["https://a.example:8443/1", "https://localhost:8443/1"] {
            assert_eq!(UrlRules::STRICT.parse_id(text), None, "{text}");
            assert!(UrlRules::PRIVATE_NETWORK.parse_id(text).is_some(), "{text}");
        }
        for text in ["https://127.0.0.1/1", "http://a.example/1"] {
            assert_eq!(UrlRules::PRIVATE_NETWORK.parse_id(text), None, "{text}");
        }
    }

    #[test]
    fn one_host_has_one_spelling() {
        for (text, id) in [
            ("https://EXAMPLE.com/u/A", "https://example.com/u/A"),
            ("https://example.com./u/a", "https://example.com/u/a"),
            ("https://example.com:443/u/a#key", "https://example.com/u/a#key"),
            ("https://bücher.example/u", "https://xn--bcher-kva.example/u"),
            // A Cyrillic letter that looks like a Latin one.
            ("https://ex\u{430}mple.com/", "https://xn--exmple-4nf.com/"),
        ] {
            assert_eq!(UrlRules::STRICT.parse_id(text).map(String::from).as_deref(), Some(id));
        }
        assert_eq!(canonical_host("Example.COM.", UrlRules::STRICT).as_deref(), Some("example.com"));
        assert_eq!(canonical_host("a.example/x", UrlRules::STRICT), None);
        assert_eq!(canonical_host("u@a.example", UrlRules::STRICT), None);
        assert_eq!(canonical_host("localhost:8080", UrlRules::LOCALHOST).as_deref(), Some("localhost:8080"));
    }

    #[test]
    fn an_id_is_https_at_a_domain_name() {
        for wrong in [
            "",
            "http://a.example/1",
            "https://127.0.0.1/1",
            "https://0x7f.1/1",
            "https://2130706433/",
            "https://[::1]/1",
            "https://localhost/1",
            "https://a.example:8443/1",
            "https://u:p@a.example/1",
            "https://u@a.example/1",
            "https://a..example/1",
            "https://a.example../1",
            "https://a.example\\@b.example/1",
            "https://a.example/\n1",
            " https://a.example/1",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "acct:a@b.example",
            "as:Public",
            "//a.example/1",
        ] {
            assert_eq!(UrlRules::STRICT.parse_id(wrong), None, "{wrong}");
        }
        assert_eq!(UrlRules::STRICT.parse_id(&format!("https://a.example/{}", "x".repeat(2048))), None);
        assert!(UrlRules::LOCALHOST.parse_id("http://127.0.0.1:8080/1").is_some());
        assert!(UrlRules::LOCALHOST.parse_id("http://localhost:8080/1").is_some());
        assert_eq!(UrlRules::LOCALHOST.parse_id("file:///etc/passwd"), None);
        assert!(UrlRules::STRICT.parse_page_url("http://a.example/1").is_some());
    }
}
