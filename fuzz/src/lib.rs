//! What the fuzz targets share: who we are in them, and what must hold of whatever is let in.

pub mod targets;

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use marquee::domain::origin::Origin;
use marquee::domain::time::Timestamp;
use marquee::federation::keys::PublicKey;
use marquee::federation::signature::{self, UnverifiedSignature};
use scraper::{Html, Node};
use url::{Host, Url};

/// Checks one input, and panics where something does not hold.
pub type CheckInput = fn(&[u8]);

/// The targets by their names, which are those of their folders in `corpus`.
pub const TARGETS: [(&str, CheckInput); 5] = [
    ("comment", targets::comment::check_input),
    ("inbox", targets::inbox::check_input),
    ("message_signature", targets::message_signature::check_input),
    ("signature", targets::signature::check_input),
    ("webfinger", targets::webfinger::check_input),
];

/// The site that everything is sent to.
pub static SITE: LazyLock<Origin> =
    LazyLock::new(|| Origin::parse("https://crit.example").expect("an origin"));

/// The moment at which everything arrives: Tue, 26 May 2026 20:26:40 GMT.
pub const NOW: i64 = 1_779_827_200;

/// Keys of nobody: no signature that a target makes up verifies with them.
static KEYS: LazyLock<Vec<PublicKey>> = LazyLock::new(|| {
    let pems = [include_str!("../keys/rsa.pem"), include_str!("../keys/ed25519.pem")];
    pems.iter().map(|pem| PublicKey::from_pem(pem).expect("a key")).collect()
});

/// An id by the strict rules: https, a name, the usual port, nobody's password.
pub fn assert_is_id(url: &Url) {
    assert_eq!(url.scheme(), "https", "{url}");
    assert!(
        matches!(url.host(), Some(Host::Domain(name)) if name.contains('.') && !name.ends_with('.')),
        "{url}"
    );
    assert!(url.port().is_none() && url.username().is_empty() && url.password().is_none(), "{url}");
    let again = Url::parse(url.as_str()).expect("a URL is read again");
    assert_eq!(again, *url, "one spelling");
}

/// The comment that a page would show of this HTML: inert, and the same if it is cleaned once more.
pub fn assert_comment_is_safe(html: &str) {
    let safe = marquee::sources::html::sanitize_comment(html, &SITE);
    assert_is_inert(&safe);
    let again = marquee::sources::html::sanitize_comment(&safe, &SITE);
    assert_eq!(again, safe, "cleaned twice, of {html:?}");
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

/// What browsers make of it has no element and no attribute that does anything.
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

/// A request to our inbox: lines of headers as a target writes them, an empty line, and the body.
#[derive(Debug)]
pub struct Sent<'d> {
    target: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: &'d [u8],
}

impl<'d> Sent<'d> {
    /// Reads what the fuzzer made up; none where no HTTP server would let it through.
    pub fn read(data: &'d [u8]) -> Option<Self> {
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

    /// The values of a header, one behind the other.
    pub fn header(&self, name: &str) -> String {
        let values = self.headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
        values.collect::<Vec<_>>().join(", ")
    }

    /// Presents it to us twice: what is let in must be the same each time, be fresh, be somebody else's, and verify
    /// with no key of ours to give.
    pub fn present(&self) -> Option<UnverifiedSignature> {
        let request = signature::SignedRequest {
            method: &Method::POST,
            target: &self.target,
            origin: &SITE,
            headers: &self.headers,
            body: self.body,
        };
        let now = Timestamp::from_millis(NOW * 1000);
        let presented = signature::parse(&request, now);
        let again = signature::parse(&request, now);
        assert_eq!(presented.is_ok(), again.is_ok());
        let (presented, again) = (presented.ok()?, again.ok()?);
        assert_eq!(presented.fingerprint, again.fingerprint);
        assert!(
            presented.key_id.scheme() == "https" && !SITE.owns(&presented.key_id),
            "{}",
            presented.key_id
        );
        let signed_at = presented.signed_at.millis() / 1000;
        assert!((NOW - 12 * 3600..=NOW + 3600).contains(&signed_at), "{signed_at}");
        for key in KEYS.iter() {
            assert!(presented.verify(key).is_err(), "forged");
        }
        Some(presented)
    }

    /// Whether a digest of the body stands in the text, written as `before` + base 64.
    pub fn digest_stands_in(&self, text: &str, before: [&str; 2]) -> bool {
        use aws_lc_rs::digest::{SHA256, SHA512, digest};
        let text = text.to_ascii_lowercase();
        before.iter().zip([&SHA256, &SHA512]).any(|(before, algorithm)| {
            let digest = STANDARD.encode(digest(algorithm, self.body));
            text.contains(&format!("{before}{digest}").to_ascii_lowercase())
        })
    }
}
