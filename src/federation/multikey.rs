//! The Multikey form of public keys (FEP-521a; Controlled Identifiers 1.0, section 2.2.2): a multicodec prefix
//! and the bytes of the key, in base58btc.

use super::public_key::{KeyError, PublicKey};
use super::signing_key::SigningKey;

/// The longest key that is decoded, in characters. Decoding takes quadratic time, and an RSA key of 8192 bits
/// has 1418 characters.
const MAX_LENGTH: usize = 1500;

/// The multicodec prefix `ed25519-pub` (0xed as a varint). The 32 bytes of the key follow.
const ED25519: [u8; 2] = [0xed, 0x01];

/// The multicodec prefix `rsa-pub` (0x1205 as a varint). The key as PKCS #1 DER follows.
const RSA: [u8; 2] = [0x85, 0x24];

/// Encodes a key as `publicKeyMultibase`.
pub fn to_multibase(key: &SigningKey) -> String {
    format!("z{}", bs58::encode([&RSA[..], key.public_key_pkcs1()].concat()).into_string())
}

/// Decodes a `publicKeyMultibase`.
pub fn from_multibase(text: &str) -> Result<PublicKey, KeyError> {
    let digits = text.strip_prefix('z').filter(|digits| digits.len() <= MAX_LENGTH);
    let bytes =
        digits.and_then(|digits| bs58::decode(digits).into_vec().ok()).ok_or(KeyError::NotMultibase)?;
    if let Some(key) = bytes.strip_prefix(&ED25519) {
        PublicKey::from_ed25519(key)
    } else if let Some(key) = bytes.strip_prefix(&RSA) {
        PublicKey::from_rsa(key)
    } else {
        Err(KeyError::Unsupported)
    }
}

#[cfg(test)]
mod tests {
    use super::super::public_key::tests::ED25519_PEM;
    use super::super::signing_key::tests::{public_key, signing_key};
    use super::*;

    #[test]
    fn base58_follows_the_draft() {
        // draft-msporny-base58-03, section 5.
        for (bytes, text) in [
            (&b"Hello World!"[..], "2NEpo7TZRRrLZSi2U"),
            (
                b"The quick brown fox jumps over the lazy dog.",
                "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
            ),
            (&[0x00, 0x00, 0x28, 0x7f, 0xb4, 0xcd], "11233QC4"),
            (b"", ""),
        ] {
            assert_eq!(bs58::encode(bytes).into_string(), text);
            assert_eq!(bs58::decode(text).into_vec().unwrap(), bytes);
        }
        assert!(bs58::decode("0OIl").into_vec().is_err());
    }

    #[test]
    fn a_key_is_the_same_in_both_forms() {
        let text = to_multibase(&signing_key());
        assert!(text.starts_with("z4MX"), "the prefix of RSA keys of 2048 bits: {text}");
        assert_eq!(from_multibase(&text).unwrap().to_pem(), public_key().to_pem());
        // The key of the did:key method's first example.
        let ed25519 = from_multibase("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK").unwrap();
        assert!(!ed25519.is_rsa());
        assert_eq!(PublicKey::from_pem(&ed25519.to_pem()).unwrap().to_pem(), ed25519.to_pem());
        assert_eq!(PublicKey::from_pem(ED25519_PEM).unwrap().to_pem(), ED25519_PEM);
    }

    proptest::proptest! {
        #[test]
        fn no_text_causes_a_panic(text in "z?[1-9A-HJ-NP-Za-km-z]{0,80}|\\PC{0,40}") {
            let _ = from_multibase(&text);
        }
    }

    #[test]
    fn invalid_multikeys_are_rejected() {
        let p256 = format!("z{}", bs58::encode([&[0x80, 0x24][..], &[2; 33]].concat()).into_string());
        let short = format!("z{}", bs58::encode([&ED25519[..], &[2; 31]].concat()).into_string());
        for bad in ["", "z", "zzzz", "u7QEK", "z0", &p256, &short, &format!("z{}", "2".repeat(100_000))] {
            assert!(from_multibase(bad).is_err(), "{bad}");
        }
    }
}
