//! The rules for URLs from other servers, and their canonical form: texts that mean the same host become the
//! same URL.

use url::{Host, Url};

/// The longest URL that is accepted, in bytes.
const MAX_URL_BYTES: usize = 2048;

/// Which URLs are accepted as ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UrlRules {
    /// Whether `http` is accepted besides `https`.
    pub allow_http: bool,
    /// Whether the host may be a name without a dot, such as `localhost`, and the port may be any.
    pub allow_local: bool,
    /// Whether the host may be an IP address.
    pub allow_ip: bool,
}

impl UrlRules {
    /// `https`, a public domain name and the default port.
    pub const STRICT: Self = Self { allow_http: false, allow_local: false, allow_ip: false };
    /// Rules for sites whose operator allows private networks.
    pub const PRIVATE_NETWORK: Self = Self { allow_local: true, ..Self::STRICT };
    /// Rules for a trial at `http://localhost:PORT`.
    pub const LOCALHOST: Self = Self { allow_http: true, allow_local: true, allow_ip: true };

    /// Parses an id (ActivityPub section 3.1), which is a URL from which the object can be fetched. Returns `None`
    /// for other texts. The host of the result is in lower case, in Punycode, and without a trailing dot.
    pub fn parse_id(self, text: &str) -> Option<Url> {
        let url = self.parse_web_url(text)?;
        (self.allow_http || url.scheme() == "https").then_some(url)
    }

    /// Parses the URL of a page for people. Unlike an id it may use `http`.
    pub fn parse_page_url(self, text: &str) -> Option<Url> {
        self.parse_web_url(text)
    }

    fn parse_web_url(self, text: &str) -> Option<Url> {
        // URL parsers drop or replace these silently. In an id they are an attempt at ambiguity.
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
        if text.len() > MAX_URL_BYTES || text.contains(is_odd) {
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
        self.accepts_host(&url).then_some(url)
    }

    fn accepts_host(self, url: &Url) -> bool {
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

/// Whether both URLs have the same scheme, host and port, so that one server is authoritative for both.
pub fn same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

/// Returns the canonical form of the host of a handle, with its port if it has one: lower case, Punycode, no
/// trailing dot. Returns `None` if the text is not a host.
pub fn canonical_host(text: &str, rules: UrlRules) -> Option<String> {
    let is_host = |c: char| !matches!(c, '/' | '?' | '#' | '@' | '%');
    if text.is_empty() || !text.chars().all(is_host) {
        return None;
    }
    let scheme = if rules.allow_http { "http" } else { "https" };
    let url = rules.parse_web_url(&format!("{scheme}://{text}/"))?;
    // URLs allow characters such as `;` in a host, DNS does not.
    let is_in_dns = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '[' | ']');
    let origin = url.origin().ascii_serialization();
    origin.split_once("://").map(|(_, host)| host.to_owned()).filter(|host| host.chars().all(is_in_dns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_bare_names_are_accepted_only_in_private_networks() {
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
        for text in
            ["a.example;suspend", "a,example", "a'b.example", "a\"b.example", "a&b.example", "a b.example"]
        {
            assert_eq!(canonical_host(text, UrlRules::STRICT), None, "{text}");
        }
        assert_eq!(canonical_host("localhost:8080", UrlRules::LOCALHOST).as_deref(), Some("localhost:8080"));
    }

    #[test]
    fn only_https_urls_with_a_domain_name_are_ids() {
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
