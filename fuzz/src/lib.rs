//! The fuzz targets and their shared code: the site that receives the inputs, and the invariants of accepted data.

pub mod targets;

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use marquee::domain::origin::Origin;
use marquee::domain::time::Timestamp;
use marquee::federation::public_key::PublicKey;
use marquee::federation::signature::{self, UnverifiedSignature};
use scraper::{Html, Node};
use url::{Host, Url};

/// Checks one input, and panics if an invariant is violated.
pub type CheckInput = fn(&[u8]);

/// The targets by name. Each has a folder of that name in `corpus`.
pub const TARGETS: [(&str, CheckInput); 5] = [
    ("comment", targets::comment::check_input),
    ("inbox", targets::inbox::check_input),
    ("message_signature", targets::message_signature::check_input),
    ("signature", targets::signature::check_input),
    ("webfinger", targets::webfinger::check_input),
];

/// The site that receives the inputs.
pub static SITE: LazyLock<Origin> =
    LazyLock::new(|| Origin::parse("https://crit.example").expect("an origin"));

/// The time at which the inputs arrive, in seconds since the epoch: Tue, 26 May 2026 20:26:40 GMT.
pub const NOW: i64 = 1_779_827_200;

/// Public keys whose private keys were discarded, so no signature in an input may verify with them.
static KEYS: LazyLock<Vec<PublicKey>> = LazyLock::new(|| {
    let pems = [include_str!("../keys/rsa.pem"), include_str!("../keys/ed25519.pem")];
    pems.iter().map(|pem| PublicKey::from_pem(pem).expect("a key")).collect()
});

/// Asserts that the URL is an id by the strict rules: https, a domain name, the default port, no credentials.
pub fn assert_is_id(url: &Url) {
    assert_eq!(url.scheme(), "https", "{url}");
    assert!(
        matches!(url.host(), Some(Host::Domain(name)) if name.contains('.') && !name.ends_with('.')),
        "{url}"
    );
    assert!(url.port().is_none() && url.username().is_empty() && url.password().is_none(), "{url}");
    let again = Url::parse(url.as_str()).expect("a URL");
    assert_eq!(again, *url, "the URL has a single spelling");
}

/// Asserts that the HTML is inert once it is sanitized as a comment, and that sanitizing it again changes nothing.
pub fn assert_comment_is_safe(html: &str) {
    let safe = marquee::sources::html::sanitize_comment(html, &SITE);
    assert_is_inert(&safe);
    let again = marquee::sources::html::sanitize_comment(&safe, &SITE);
    assert_eq!(again, safe, "sanitizing again, of {html:?}");
}

const ELEMENTS: [&str; 17] = [
    "html",
    "body",
    "p",
    "br",
    "a",
    "strong",
    "em",
    "del",
    "blockquote",
    "code",
    "pre",
    "ul",
    "ol",
    "li",
    "sup",
    "sub",
    "span",
];

/// Asserts that the HTML, as browsers parse it, has no element or attribute that is active.
fn assert_is_inert(safe: &str) {
    for node in Html::parse_fragment(safe).tree.values() {
        let element = match node {
            Node::Element(element) => element,
            Node::Comment(_) | Node::Doctype(_) | Node::ProcessingInstruction(_) => {
                panic!("{node:?} in {safe:?}")
            }
            _ => continue,
        };
        assert!(ELEMENTS.contains(&element.name()), "<{}> in {safe:?}", element.name());
        for (name, value) in element.attrs() {
            match name {
                "href" => {
                    let url = Url::parse(value).unwrap_or_else(|e| panic!("{value:?}: {e}"));
                    assert!(matches!(url.scheme(), "http" | "https"), "{value:?} in {safe:?}");
                    assert!(!SITE.owns(&url) || !url.path().starts_with("/desk"), "{value:?} in {safe:?}");
                }
                "rel" | "class" | "start" | "lang" | "dir" | "title" => {}
                _ => panic!("{name}={value:?} in {safe:?}"),
            }
        }
    }
}

/// A request to the inbox, parsed from an input: the request target, lines of headers, an empty line, and the body.
#[derive(Debug)]
pub struct InboxRequest<'d> {
    target: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: &'d [u8],
}

impl<'d> InboxRequest<'d> {
    /// Parses an input. Returns `None` if no HTTP server would accept it.
    pub fn parse(data: &'d [u8]) -> Option<Self> {
        let end = data.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = end.map_or((data, &[][..]), |end| (&data[..end], &data[end + 2..]));
        let mut lines = head.split(|byte| *byte == b'\n');
        let target = std::str::from_utf8(lines.next()?).ok().filter(|target| target.starts_with('/'))?;
        let mut headers = HeaderMap::new();
        for line in lines.take(64) {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = HeaderName::from_bytes(&line[..colon]).ok()?;
            headers.append(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?);
        }
        Some(Self { target: target.to_owned(), headers, body })
    }

    /// Returns the values of a header as one list.
    pub fn header(&self, name: &str) -> String {
        let values = self.headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
        values.collect::<Vec<_>>().join(", ")
    }

    /// Parses the signature of the request twice, and returns it if it is accepted. Both results must be equal, the
    /// signature must be recent and made with a remote key, and it must not verify with any of `KEYS`.
    pub fn parse_signature(&self) -> Option<UnverifiedSignature> {
        let request = signature::SignedRequest {
            method: &Method::POST,
            target: &self.target,
            origin: &SITE,
            headers: &self.headers,
            body: self.body,
        };
        let now = Timestamp::from_millis(NOW * 1000);
        let parsed = signature::parse(&request, now);
        let again = signature::parse(&request, now);
        assert_eq!(parsed.is_ok(), again.is_ok());
        let (parsed, again) = (parsed.ok()?, again.ok()?);
        assert_eq!(parsed.fingerprint, again.fingerprint);
        assert!(parsed.key_id.scheme() == "https" && !SITE.owns(&parsed.key_id), "{}", parsed.key_id);
        let signed_at = parsed.signed_at.millis() / 1000;
        assert!((NOW - 12 * 3600..=NOW + 3600).contains(&signed_at), "{signed_at}");
        for key in KEYS.iter() {
            assert!(parsed.verify(key).is_err(), "a forged signature was accepted");
        }
        Some(parsed)
    }

    /// Whether the text contains a digest of the body, as one of the prefixes and base64.
    pub fn contains_digest(&self, text: &str, prefixes: [&str; 2]) -> bool {
        use aws_lc_rs::digest::{SHA256, SHA512, digest};
        let text = text.to_ascii_lowercase();
        prefixes.iter().zip([&SHA256, &SHA512]).any(|(prefix, algorithm)| {
            let digest = STANDARD.encode(digest(algorithm, self.body));
            text.contains(&format!("{prefix}{digest}").to_ascii_lowercase())
        })
    }
}
