//! The target `signature`: the `Signature` header of draft-cavage, and the headers that it covers.

use crate::InboxRequest;

/// Checks one input.
pub fn check_input(data: &[u8]) {
    let Some(mut request) = InboxRequest::parse(data) else { return };
    request.headers.remove("signature-input");
    if request.parse_signature().is_none() {
        return;
    }
    assert_eq!(request.headers.get_all("signature").iter().count(), 1, "more than one signature");
    assert_eq!(request.headers.get_all("host").iter().count(), 1, "more than one host");
    let signature = request.header("signature").to_ascii_lowercase();
    let covers = |name: &str| signature.contains(name);
    assert!(covers("(request-target)") && covers("host") && covers("digest"), "{signature}");
    assert!(covers("date") || covers("(created)"), "{signature}");
    let host = request.header("host").to_ascii_lowercase();
    assert!(host == "crit.example" || host == "crit.example:443", "{host}");
    assert!(
        request.contains_digest(&request.header("digest"), ["sha-256=", "sha-512="]),
        "the digest is of another body"
    );
}
