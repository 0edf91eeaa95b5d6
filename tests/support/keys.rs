//! RSA keys of remote users. They are generated once per target folder and reused, since generating one takes
//! longer than most tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA512};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A private RSA-2048 key.
#[derive(Clone)]
pub struct Key {
    pair: Arc<KeyPair>,
}

/// The number of keys that this process has used; a test never gets the same key twice.
static GIVEN: AtomicUsize = AtomicUsize::new(0);

impl Key {
    /// A key that no other user of this test has.
    pub fn fresh() -> Self {
        let number = GIVEN.fetch_add(1, Ordering::Relaxed);
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("rsa-2048-{number}.der"));
        let known = std::fs::read(&path).ok().and_then(|der| KeyPair::from_pkcs8(&der).ok());
        let pair = known.unwrap_or_else(|| {
            let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
            let der: Pkcs8V1Der<'_> = pair.as_der().expect("a key as DER");
            // Renamed into place, so that no other test reads half a key.
            let draft = path.with_extension(super::unique());
            std::fs::write(&draft, der.as_ref()).expect("a file in the target folder");
            std::fs::rename(&draft, &path).expect("a file in the target folder");
            pair
        });
        Self { pair: Arc::new(pair) }
    }

    /// The public key as `-----BEGIN PUBLIC KEY-----`.
    pub fn public_pem(&self) -> String {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().expect("a public key as DER");
        pem("PUBLIC KEY", der.as_ref())
    }

    /// Signs with RSASSA-PSS and SHA-512.
    pub fn sign_pss(&self, text: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PSS_SHA512, &SystemRandom::new(), text, &mut signature).expect("a signature");
        signature
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-256.
    pub fn sign(&self, text: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).expect("a signature");
        signature
    }
}

/// The Ed25519 public key of RFC 8032, section 7.1, test 1, as a Multikey.
pub const ED25519_MULTIBASE: &str = "z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw";

/// The same public key as PEM.
pub const ED25519_PEM: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
";

/// Signs with that key.
pub fn sign_ed25519(text: &[u8]) -> Vec<u8> {
    const SEED: [u8; 32] = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44,
        0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ];
    let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).expect("a seed");
    pair.sign(text).as_ref().to_vec()
}

/// Encodes DER as PEM.
pub fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Decodes PEM to DER.
pub fn unpem(pem: &str) -> Option<Vec<u8>> {
    let text: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    STANDARD.decode(text).ok()
}
