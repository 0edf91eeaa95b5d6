//! Public keys of other servers, RSA or Ed25519, which verify signatures.
//!
//! Parsing a key costs more than verifying with it, so callers cache parsed keys.

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey,
};

use super::pem::{decode_pem, encode_pem};

/// The longest PEM text that is decoded, in bytes. An RSA key of 8192 bits needs 1.5 KB.
const MAX_PEM_BYTES: usize = 4096;

/// The prefix of the 32 bytes of an Ed25519 key in a `SubjectPublicKeyInfo` (RFC 8410 section 4).
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not a single PEM block with a public key.
    #[error("not a public key in PEM format")]
    NotPem,
    /// The key is neither RSA nor Ed25519.
    #[error("the key is neither RSA nor Ed25519")]
    Unsupported,
    /// The RSA key is shorter than 2048 or longer than 8192 bits.
    #[error("the RSA key does not have 2048 to 8192 bits")]
    InvalidSize,
    /// The text is not a base58btc Multikey.
    #[error("not a base58btc Multikey")]
    NotMultibase,
    /// The private key cannot be read.
    #[error("not a PKCS#8 RSA private key")]
    InvalidPrivateKey,
    /// The cryptographic library failed, for example for lack of randomness.
    #[error("a cryptographic operation failed")]
    CryptoFailure,
}

/// A signature algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RsaSha256,
    /// RSASSA-PSS with SHA-512 and a salt of 64 bytes.
    RsaPssSha512,
    /// Ed25519.
    Ed25519,
}

/// A public key: RSA of 2048 to 8192 bits, or Ed25519.
#[derive(Debug, Clone)]
pub struct PublicKey(Arc<PublicKeyKind>);

#[derive(Debug)]
enum PublicKeyKind {
    /// With the DER in the form in which it came: `SubjectPublicKeyInfo` or PKCS #1.
    Rsa { key: ParsedPublicKey, der: Vec<u8> },
    /// With the 32 bytes of the key.
    Ed25519 { key: ParsedPublicKey, bytes: Vec<u8> },
}

impl PublicKey {
    /// Parses `-----BEGIN PUBLIC KEY-----` (`SubjectPublicKeyInfo`) or `-----BEGIN RSA PUBLIC KEY-----`
    /// (PKCS#1), with any white space and line endings.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        if text.len() > MAX_PEM_BYTES {
            return Err(KeyError::InvalidSize);
        }
        let der = decode_pem(text, "PUBLIC KEY").or_else(|| decode_pem(text, "RSA PUBLIC KEY"));
        Self::from_der(&der.ok_or(KeyError::NotPem)?)
    }

    fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        match der.strip_prefix(&ED25519_SPKI) {
            Some(bytes) => Self::from_ed25519(bytes),
            None => Self::from_rsa(der),
        }
    }

    /// Parses the 32 bytes of an Ed25519 key (RFC 8032).
    pub fn from_ed25519(bytes: &[u8]) -> Result<Self, KeyError> {
        let key = ParsedPublicKey::new(&ED25519, bytes).map_err(|_| KeyError::Unsupported)?;
        Ok(Self(Arc::new(PublicKeyKind::Ed25519 { key, bytes: bytes.to_vec() })))
    }

    /// Parses the DER of an RSA key, either PKCS #1 or `SubjectPublicKeyInfo`.
    pub fn from_rsa(der: &[u8]) -> Result<Self, KeyError> {
        let parsed = rsa::PublicKey::from_der(der).map_err(|_| KeyError::Unsupported)?;
        let modulus = parsed.modulus().big_endian_without_leading_zero();
        let spare = modulus.first().map_or(0, |byte| usize::try_from(byte.leading_zeros()).unwrap_or(0));
        if !(2048..=8192).contains(&(modulus.len() * 8 - spare)) {
            return Err(KeyError::InvalidSize);
        }
        let key =
            ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).map_err(|_| KeyError::Unsupported)?;
        Ok(Self(Arc::new(PublicKeyKind::Rsa { key, der: der.to_vec() })))
    }

    /// Returns the key as PEM, which [`PublicKey::from_pem`] parses.
    pub fn to_pem(&self) -> String {
        match &*self.0 {
            PublicKeyKind::Ed25519 { bytes, .. } => {
                encode_pem("PUBLIC KEY", &[&ED25519_SPKI[..], bytes].concat())
            }
            PublicKeyKind::Rsa { der, .. } => {
                let parsed = rsa::PublicKey::from_der(der).ok();
                let spki = parsed.and_then(|key| AsDer::<PublicKeyX509Der<'_>>::as_der(&key).ok());
                match spki {
                    Some(spki) => encode_pem("PUBLIC KEY", spki.as_ref()),
                    None => encode_pem("RSA PUBLIC KEY", der),
                }
            }
        }
    }

    /// Whether this is an RSA key.
    pub fn is_rsa(&self) -> bool {
        matches!(*self.0, PublicKeyKind::Rsa { .. })
    }

    /// Whether `signature` is this key's signature of `message` under `algorithm`. It is `false` if the algorithm
    /// does not fit the type of the key.
    pub fn verifies(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        match (&*self.0, algorithm) {
            (PublicKeyKind::Rsa { key, .. }, SignatureAlgorithm::RsaSha256)
            | (PublicKeyKind::Ed25519 { key, .. }, SignatureAlgorithm::Ed25519) => {
                key.verify_sig(message, signature).is_ok()
            }
            (PublicKeyKind::Rsa { der, .. }, SignatureAlgorithm::RsaPssSha512) => {
                UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA512, der).verify(message, signature).is_ok()
            }
            _ => false,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::KeyPair as _;

    use super::*;
    use crate::federation::signing_key::tests::signing_key;

    /// RFC 9421 appendix B.1.4.
    pub(crate) const ED25519_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n";

    fn rsa_pem(bits: KeySize) -> String {
        let pair = rsa::KeyPair::generate(bits).unwrap();
        encode_pem("RSA PUBLIC KEY", pair.public_key().as_ref())
    }

    /// `SEQUENCE { n, e }` of a modulus with that many bytes, all of them ones.
    fn made_up_rsa(bytes: usize) -> String {
        let long = |tag: u8, content: &[u8]| {
            let length = u32::try_from(content.len()).unwrap().to_be_bytes();
            [&[tag, 0x83], &length[1..], content].concat()
        };
        let n = long(2, &[&[0][..], &vec![0xff; bytes]].concat());
        let both = [&n[..], &[2, 3, 1, 0, 1]].concat();
        encode_pem("RSA PUBLIC KEY", &long(0x30, &both))
    }

    #[test]
    fn both_forms_of_pem_are_parsed_with_any_white_space() {
        let text = signing_key().public_key_pem().unwrap();
        assert!(text.starts_with("-----BEGIN PUBLIC KEY-----\nMIIB"));
        for form in [
            text.replace('\n', "\r\n"),
            text.replace('\n', ""),
            format!("\n  {}  \n\n", text.replace('\n', "\n\t ")),
            rsa_pem(KeySize::Rsa2048),
        ] {
            assert!(PublicKey::from_pem(&form).unwrap().is_rsa(), "{form}");
        }
        assert!(!PublicKey::from_pem(ED25519_PEM).unwrap().is_rsa());
    }

    #[test]
    fn weak_huge_and_unsupported_keys_are_rejected() {
        for bytes in [64, 128, 255] {
            let error = PublicKey::from_pem(&made_up_rsa(bytes)).unwrap_err();
            assert!(matches!(error, KeyError::InvalidSize | KeyError::Unsupported), "{bytes}");
        }
        assert!(PublicKey::from_pem(&made_up_rsa(1025)).is_err());
        assert_eq!(PublicKey::from_pem(&made_up_rsa(8192)).unwrap_err(), KeyError::InvalidSize);
        assert!(PublicKey::from_pem(&rsa_pem(KeySize::Rsa4096)).is_ok());
        let ec = "-----BEGIN PUBLIC KEY-----\n\
            MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf\n\
            w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==\n-----END PUBLIC KEY-----";
        assert_eq!(PublicKey::from_pem(ec).unwrap_err(), KeyError::Unsupported);
        let twice = format!("{ED25519_PEM}{ED25519_PEM}");
        for wrong in [
            "",
            "key",
            "-----BEGIN PUBLIC KEY-----",
            twice.as_str(),
            "-----BEGIN PUBLIC KEY-----\n%%\n-----END PUBLIC KEY-----",
        ] {
            assert_eq!(PublicKey::from_pem(wrong).unwrap_err(), KeyError::NotPem, "{wrong}");
        }
    }
}
