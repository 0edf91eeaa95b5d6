//! The headers of RFC 9421: `Signature-Input`, `Signature`, and `Content-Digest` of RFC 9530.

use crate::Sent;

/// Checks one input.
pub fn check_input(data: &[u8]) {
    let Some(sent) = Sent::read(data) else { return };
    if !sent.headers.contains_key("signature-input") || sent.present().is_none() {
        return;
    }
    let input = sent.header("signature-input");
    let covers = |name: &str| input.contains(&format!("\"{name}\""));
    assert!(covers("@method") && covers("content-digest"), "{input}");
    assert!(covers("@target-uri") || covers("@authority") || covers("host"), "{input}");
    assert!(covers("@target-uri") || covers("@path") || covers("@request-target"), "{input}");
    assert!(input.contains("created=") && input.contains("keyid="), "{input}");
    assert!(
        sent.digest_stands_in(&sent.header("content-digest"), ["sha-256=:", "sha-512=:"]),
        "of another body"
    );
}
