//! The `Signature` header of draft-cavage, and the headers that it covers.

use crate::Sent;

/// Checks one input.
pub fn check_input(data: &[u8]) {
    let Some(mut sent) = Sent::read(data) else { return };
    sent.headers.remove("signature-input");
    if sent.present().is_none() {
        return;
    }
    assert_eq!(sent.headers.get_all("signature").iter().count(), 1, "one signature, that counts");
    assert_eq!(sent.headers.get_all("host").iter().count(), 1, "one host");
    let signature = sent.header("signature").to_ascii_lowercase();
    let covers = |name: &str| signature.contains(name);
    assert!(covers("(request-target)") && covers("host") && covers("digest"), "{signature}");
    assert!(covers("date") || covers("(created)"), "{signature}");
    let host = sent.header("host").to_ascii_lowercase();
    assert!(host == "crit.example" || host == "crit.example:443", "{host}");
    assert!(sent.digest_stands_in(&sent.header("digest"), ["sha-256=", "sha-512="]), "of another body");
}
