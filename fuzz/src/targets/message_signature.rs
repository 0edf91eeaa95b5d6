//! The target `message_signature`: the headers of RFC 9421, and `Content-Digest` of RFC 9530.

use crate::InboxRequest;

/// Checks one input.
pub fn check_input(data: &[u8]) {
    let Some(request) = InboxRequest::parse(data) else { return };
    if !request.headers.contains_key("signature-input") || request.parse_signature().is_none() {
        return;
    }
    let input = request.header("signature-input");
    let covers = |name: &str| input.contains(&format!("\"{name}\""));
    assert!(covers("@method") && covers("content-digest"), "{input}");
    assert!(covers("@target-uri") || covers("@authority") || covers("host"), "{input}");
    assert!(covers("@target-uri") || covers("@path") || covers("@request-target"), "{input}");
    assert!(input.contains("created=") && input.contains("keyid="), "{input}");
    assert!(
        request.contains_digest(&request.header("content-digest"), ["sha-256=:", "sha-512=:"]),
        "the digest is of another body"
    );
}
