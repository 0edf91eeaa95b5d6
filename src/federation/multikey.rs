//! Public keys as Multikey writes them (FEP-521a; Controlled Identifiers 1.0, section 2.2.2): a multicodec
//! and the key's bytes, in base58btc.

use super::keys::{KeyError, PublicKey, SigningKey};

/// An RSA key of 8192 bits has 1418 characters.
const LONGEST: usize = 1500;

/// Before the 32 bytes of an Ed25519 key (multicodec `ed25519-pub`, 0xed, as a varint).
const ED25519: [u8; 2] = [0xed, 0x01];

/// Before an RSA key in PKCS #1 (multicodec `rsa-pub`, 0x1205, as a varint).
const RSA: [u8; 2] = [0x85, 0x24];

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The key as `publicKeyMultibase` carries it.
pub fn to_multibase(key: &SigningKey) -> String {
    format!("z{}", encode(&[&RSA[..], key.public_key_pkcs1()].concat()))
}

/// Reads a `publicKeyMultibase`.
pub fn from_multibase(text: &str) -> Result<PublicKey, KeyError> {
    let digits = text.strip_prefix('z').filter(|digits| digits.len() <= LONGEST);
    let bytes = digits.and_then(decode).ok_or(KeyError::NotMultibase)?;
    if let Some(key) = bytes.strip_prefix(&ED25519) {
        PublicKey::from_ed25519(key)
    } else if let Some(key) = bytes.strip_prefix(&RSA) {
        PublicKey::from_rsa(key)
    } else {
        Err(KeyError::Unsupported)
    }
}

/// Takes time that is quadratic in the length, which is the reason for [`LONGEST`].
fn encode(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    // The lowest digit first.
    let mut digits: Vec<u8> = Vec::with_capacity(bytes.len() * 3 / 2);
    for byte in &bytes[zeros..] {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let zeros = std::iter::repeat_n('1', zeros);
    zeros.chain(digits.iter().rev().map(|digit| char::from(ALPHABET[usize::from(*digit)]))).collect()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let zeros = text.bytes().take_while(|c| *c == b'1').count();
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    for c in text.bytes().skip(zeros) {
        let digit = ALPHABET.iter().position(|known| *known == c)?;
        let mut carry = u32::try_from(digit).ok()?;
        for byte in &mut bytes {
            carry += u32::from(*byte) * 58;
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push((carry & 0xff) as u8);
            carry >>= 8;
        }
    }
    bytes.resize(bytes.len() + zeros, 0);
    bytes.reverse();
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::keys::tests::{ED25519_PEM, public_key, signing_key};
    use super::*;

    #[test]
    fn base58_is_what_everyone_writes() {
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
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).unwrap(), bytes);
        }
        assert_eq!(decode("0OIl"), None);
    }

    #[test]
    fn a_key_is_the_same_in_both_forms() {
        let text = to_multibase(&signing_key());
        assert!(text.starts_with("z4MX"), "what RSA keys of 2048 bits begin with: {text}");
        assert_eq!(from_multibase(&text).unwrap().to_pem(), public_key().to_pem());
        // The key of the did:key method's first example.
        let ed25519 = from_multibase("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK").unwrap();
        assert!(!ed25519.is_rsa());
        assert_eq!(PublicKey::from_pem(&ed25519.to_pem()).unwrap().to_pem(), ed25519.to_pem());
        assert_eq!(PublicKey::from_pem(ED25519_PEM).unwrap().to_pem(), ED25519_PEM);
    }

    proptest::proptest! {
        #[test]
        fn base58_loses_nothing(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
            proptest::prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "z?[1-9A-HJ-NP-Za-km-z]{0,80}|\\PC{0,40}") {
            let _ = from_multibase(&text);
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let p256 = format!("z{}", encode(&[&[0x80, 0x24][..], &[2; 33]].concat()));
        let short = format!("z{}", encode(&[&ED25519[..], &[2; 31]].concat()));
        for bad in ["", "z", "zzzz", "u7QEK", "z0", &p256, &short, &format!("z{}", "2".repeat(100_000))] {
            assert!(from_multibase(bad).is_err(), "{bad}");
        }
    }
}
