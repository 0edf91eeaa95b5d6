//! PEM, the text form of keys (RFC 7468). A crate would add more code than it replaces: `base64` does the work.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Encodes DER as a PEM block with that label.
pub(super) fn encode_pem(label: &str, der: &[u8]) -> String {
    // 48 bytes make a line of 64 characters.
    let lines: Vec<String> = der.chunks(48).map(|line| STANDARD.encode(line)).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Decodes a single PEM block with that label (RFC 7468, the lax form).
pub(super) fn decode_pem(text: &str, label: &str) -> Option<Vec<u8>> {
    let inner = text
        .trim()
        .strip_prefix(&format!("-----BEGIN {label}-----"))?
        .strip_suffix(&format!("-----END {label}-----"))?;
    let compact: String = inner.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(compact).ok()
}
