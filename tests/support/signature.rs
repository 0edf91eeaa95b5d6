//! HTTP signatures as remote servers make them: draft-cavage-http-signatures-12 and RFC 9421. Written from
//! the specifications and independent of Marquee's code, so that a mistake there is not repeated here.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

/// The two schemes of HTTP signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureScheme {
    Cavage,
    Rfc9421,
}

impl SignatureScheme {
    pub const BOTH: [Self; 2] = [Self::Cavage, Self::Rfc9421];
}

/// The SHA-256 of a body in Base64.
pub fn sha256(body: &[u8]) -> String {
    STANDARD.encode(digest(&SHA256, body))
}

/// The SHA-512 of a body in Base64.
pub fn sha512(body: &[u8]) -> String {
    STANDARD.encode(digest(&SHA512, body))
}

/// A time in the format of the `Date` header.
pub fn http_date(moment: jiff::Timestamp) -> String {
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Path and query of a URL, as in a request line.
pub fn target_of(url: &str) -> String {
    let url = Url::parse(url).expect("a URL");
    url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
}

/// Host and port of a URL, as in the `Host` header.
pub fn authority_of(url: &str) -> String {
    let url = Url::parse(url).expect("a URL");
    url[url::Position::BeforeHost..url::Position::AfterPort].to_owned()
}

/// The signing string of a cavage signature: a line for each name in `covered` (section 2.3).
pub fn cavage_text(covered: &[&str], method: &str, target: &str, header: impl Fn(&str) -> String) -> String {
    let lines: Vec<String> = covered
        .iter()
        .map(|name| match *name {
            "(request-target)" => format!("(request-target): {} {target}", method.to_lowercase()),
            name => format!("{name}: {}", header(name)),
        })
        .collect();
    lines.join("\n")
}

/// The signature base of an RFC 9421 signature (section 2.5).
pub fn rfc9421_text(
    covered: &[&str],
    params: &str,
    method: &str,
    url: &str,
    header: impl Fn(&str) -> String,
) -> String {
    let mut lines = Vec::new();
    for name in covered {
        let value = match *name {
            "@method" => method.to_uppercase(),
            "@target-uri" => url.to_owned(),
            "@authority" => authority_of(url),
            "@path" => target_of(url).split('?').next().unwrap_or_default().to_owned(),
            name => header(name),
        };
        lines.push(format!("\"{name}\": {value}"));
    }
    lines.push(format!("\"@signature-params\": {params}"));
    lines.join("\n")
}

/// The covered components and parameters, as in `Signature-Input`.
pub fn rfc9421_params(covered: &[&str], created: Option<i64>, key_id: &str, algorithm: &str) -> String {
    let list: Vec<String> = covered.iter().map(|name| format!("\"{name}\"")).collect();
    let created = created.map(|moment| format!(";created={moment}")).unwrap_or_default();
    format!("({}){created};keyid=\"{key_id}\";alg=\"{algorithm}\"", list.join(" "))
}
