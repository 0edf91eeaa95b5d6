//! Keys that must not be accepted, and signatures made with them.

use aws_lc_rs::digest::{SHA256, digest};
use rsa::BigUint;

use super::keys::{pem, unpem};

/// The public key of a 512-bit RSA key.
pub const RSA_512: &str = "-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL8Xb+5SaGwVLQdDJdxsBacDGN+hYpjc
2o3gcZalftQNDjS07xC5A0qF9GwjzecrLCjZ2qOL/u/5BjZCVLrC9hMCAwEAAQ==
-----END PUBLIC KEY-----
";
/// Its private exponent.
const EXPONENT: &str = "8b73fc306d1d5d7b1ab04915914597de690936f25cb4f7bfdb78270cec5ba13d\
                        5ee4ccd20f8baabbdff0d318ba5b6dd399f0da265e8046d93da3ae23b57cf861";

/// An Ed25519 key where RSA is expected.
pub const ED25519: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAUbog2iZ75HWZcZ4QLc+YpZwhfWdTZyO/PEVBbT+uJis=
-----END PUBLIC KEY-----
";

/// A P-256 key where RSA is expected.
pub const P256: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEvlMfnTsxoaQvm6yQ0L0JWRCYdOES
SrwL56Ftc3FScXnkAgISVYfNWwk35Q2Dymzqz2MT5Kl3SvXpGB+KbPrxpw==
-----END PUBLIC KEY-----
";

/// The DER prefix of a SHA-256 digest in PKCS #1 (RFC 8017, section 9.2).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// Signs with the 512-bit key.
pub fn sign_with_rsa_512(text: &[u8]) -> Vec<u8> {
    let der = unpem(RSA_512).expect("PEM");
    // The modulus precedes the five bytes of the exponent 65537.
    let modulus = BigUint::from_bytes_be(&der[der.len() - 69..der.len() - 5]);
    let exponent = BigUint::parse_bytes(EXPONENT.as_bytes(), 16).expect("a number");
    let mut padded = vec![0x00, 0x01];
    padded.resize(64 - DIGEST_INFO.len() - 32 - 1, 0xff);
    padded.push(0x00);
    padded.extend(DIGEST_INFO);
    padded.extend(digest(&SHA256, text).as_ref());
    BigUint::from_bytes_be(&padded).modpow(&exponent, &modulus).to_bytes_be()
}

/// The public key of a 65,536-bit RSA key, which takes long to verify with.
pub fn rsa_65536() -> String {
    let modulus = [&[0u8][..], &[0xc5; 8192]].concat();
    let key = der(0x30, &[der(0x02, &modulus), der(0x02, &[1, 0, 1])].concat());
    let algorithm =
        [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let bits = der(0x03, &[&[0], &key[..]].concat());
    pem("PUBLIC KEY", &der(0x30, &[&algorithm[..], &bits].concat()))
}

/// A DER element.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a short element").to_be_bytes();
    let mut element = match content.len() {
        short @ 0..128 => vec![tag, u8::try_from(short).expect("a byte")],
        _ => vec![tag, 0x82, length[0], length[1]],
    };
    element.extend(content);
    element
}

mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY as LEGACY, UnparsedPublicKey};
    use rsa::BigUint;

    #[test]
    fn the_signature_of_the_short_key_is_valid() {
        let der = super::unpem(super::RSA_512).expect("PEM");
        let modulus = BigUint::from_bytes_be(&der[der.len() - 69..der.len() - 5]);
        let signature = BigUint::from_bytes_be(&super::sign_with_rsa_512(b"text"));
        let recovered = signature.modpow(&BigUint::from(65_537u32), &modulus).to_bytes_be();
        assert!(recovered.starts_with(&[0x01, 0xff]), "the padding, less its leading zero");
        assert!(UnparsedPublicKey::new(&LEGACY, der).verify(b"text", &[0; 64]).is_err());
    }
}
