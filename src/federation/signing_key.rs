//! Private RSA keys, which sign our requests.
//!
//! Signing takes about a millisecond of CPU time, so async callers do it on a separate thread.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use url::Url;

use super::pem::encode_pem;
use super::public_key::KeyError;

/// A private RSA key, with the id under which its public key is published.
#[derive(Clone)]
pub struct SigningKey {
    id: Url,
    pair: Arc<rsa::KeyPair>,
}

impl SigningKey {
    /// Generates an RSA key of 2048 bits, which every fediverse server accepts, as PKCS#8 DER.
    pub fn generate() -> Result<Vec<u8>, KeyError> {
        let pair = rsa::KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::CryptoFailure)?;
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| KeyError::CryptoFailure)?;
        Ok(der.as_ref().to_vec())
    }

    /// Parses what [`SigningKey::generate`] returns. `id` is the id of the key, such as `…/actor#main-key`.
    pub fn from_pkcs8(id: Url, der: &[u8]) -> Result<Self, KeyError> {
        let pair = rsa::KeyPair::from_pkcs8(der).map_err(|_| KeyError::InvalidPrivateKey)?;
        Ok(Self { id, pair: Arc::new(pair) })
    }

    /// The id of the key, under which the public key is published.
    pub const fn id(&self) -> &Url {
        &self.id
    }

    /// The public key as PEM for `publicKeyPem` (`SubjectPublicKeyInfo`, RFC 7468 section 13).
    pub fn public_key_pem(&self) -> Result<String, KeyError> {
        let der = AsDer::<PublicKeyX509Der<'_>>::as_der(self.pair.public_key())
            .map_err(|_| KeyError::CryptoFailure)?;
        Ok(encode_pem("PUBLIC KEY", der.as_ref()))
    }

    /// The public key as PKCS #1 DER (RFC 8017, appendix A.1.1).
    pub fn public_key_pkcs1(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-256 (`rsa-sha256`, `rsa-v1_5-sha256`).
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| KeyError::CryptoFailure)?;
        Ok(signature)
    }
}

/// Prints the id only, so that a private key never reaches a log.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::OnceLock;

    use super::*;
    use crate::federation::public_key::{PublicKey, SignatureAlgorithm};

    /// A key that all tests share, since generating one is slow.
    pub(crate) fn signing_key() -> SigningKey {
        static DER: OnceLock<Vec<u8>> = OnceLock::new();
        let der = DER.get_or_init(|| SigningKey::generate().unwrap());
        SigningKey::from_pkcs8("https://m.example/users/a#main-key".parse().unwrap(), der).unwrap()
    }

    pub(crate) fn public_key() -> PublicKey {
        PublicKey::from_pem(&signing_key().public_key_pem().unwrap()).unwrap()
    }

    #[test]
    fn a_signature_verifies_with_the_public_key() {
        let signature = signing_key().sign(b"hello").unwrap();
        assert!(public_key().verifies(SignatureAlgorithm::RsaSha256, b"hello", &signature));
        assert!(!public_key().verifies(SignatureAlgorithm::RsaSha256, b"hullo", &signature));
        assert!(!public_key().verifies(SignatureAlgorithm::RsaPssSha512, b"hello", &signature));
        assert!(!public_key().verifies(SignatureAlgorithm::Ed25519, b"hello", &signature));
        assert!(!format!("{:?}", signing_key()).contains("pair"));
    }
}
