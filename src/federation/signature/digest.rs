//! Digests of request bodies: `Digest` (RFC 3230, RFC 5843) for draft-cavage, and `Content-Digest` (RFC 9530)
//! for RFC 9421.
//!
//! A header may contain several digests. Every digest with a supported algorithm must match the body, at
//! least one algorithm must be supported, and no algorithm may occur twice, so that it is never ambiguous
//! which value counts.

use aws_lc_rs::digest::{self, SHA256, SHA512};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::SignatureError;
use super::structured_fields::{self, MemberValue};

/// The maximum number of digests in a header.
const MAX_DIGESTS: usize = 8;

/// The SHA-256 of a request body in base64, computed once for all signatures of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyDigest(String);

impl BodyDigest {
    /// Computes the digest of a body.
    pub fn compute(body: &[u8]) -> Self {
        Self(STANDARD.encode(digest::digest(&SHA256, body)))
    }

    /// The value of the `Digest` header.
    pub fn digest_header(&self) -> String {
        format!("SHA-256={}", self.0)
    }

    /// The value of the `Content-Digest` header.
    pub fn content_digest_header(&self) -> String {
        format!("sha-256=:{}:", self.0)
    }
}

/// Checks a `Digest` header against the body. Algorithm names are case-insensitive.
pub fn check_digest(header: &str, body: &[u8]) -> Result<(), SignatureError> {
    let mut values = Vec::new();
    for part in header.split(',') {
        let (name, value) = part
            .trim()
            .split_once('=')
            .ok_or(SignatureError::Malformed("the Digest header cannot be parsed"))?;
        // The value of an unknown algorithm need not be base64 (RFC 3230: UNIXsum).
        values.push((name.to_ascii_lowercase(), STANDARD.decode(value).ok()));
        if values.len() > MAX_DIGESTS {
            return Err(SignatureError::Malformed("too many digests"));
        }
    }
    check(&values, body)
}

/// Checks a `Content-Digest` header against the body.
pub fn check_content_digest(header: &str, body: &[u8]) -> Result<(), SignatureError> {
    let members = structured_fields::parse_dictionary(header, MAX_DIGESTS)
        .ok_or(SignatureError::Malformed("the Content-Digest header cannot be parsed"))?;
    let values: Vec<_> = members
        .into_iter()
        .map(|member| match member.value {
            MemberValue::Bytes(bytes) => (member.key, Some(bytes)),
            _ => (member.key, None),
        })
        .collect();
    check(&values, body)
}

fn check(values: &[(String, Option<Vec<u8>>)], body: &[u8]) -> Result<(), SignatureError> {
    let mut known = false;
    for (index, (name, value)) in values.iter().enumerate() {
        if values[..index].iter().any(|(other, _)| other == name) {
            return Err(SignatureError::Malformed("more than one digest with the same algorithm"));
        }
        let algorithm = match name.as_str() {
            "sha-256" => &SHA256,
            "sha-512" => &SHA512,
            _ => continue,
        };
        let value = value.as_deref().ok_or(SignatureError::Malformed("a digest is not base64"))?;
        if value != digest::digest(algorithm, body).as_ref() {
            return Err(SignatureError::Unauthorized("the digest does not match the body"));
        }
        known = true;
    }
    if known { Ok(()) } else { Err(SignatureError::Unauthorized("no digest with a supported algorithm")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9421 appendix B.2.
    const BODY: &[u8] = br#"{"hello": "world"}"#;
    const SHA256_OF_BODY: &str = "X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=";
    const SHA512_OF_BODY: &str =
        "WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==";
    const OTHER: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    #[test]
    fn accepts_digests_that_match() {
        let (a, b) = (SHA256_OF_BODY, SHA512_OF_BODY);
        for good in [
            BodyDigest::compute(BODY).digest_header(),
            format!("sha-256={a}"),
            format!("SHA-512={b}"),
            format!("SHA-512={b}, Sha-256={a}"),
            format!("MD5=x,SHA-256={a}"),
        ] {
            assert_eq!(check_digest(&good, BODY), Ok(()), "{good}");
        }
        for good in [
            BodyDigest::compute(BODY).content_digest_header(),
            format!("sha-512=:{b}:"),
            format!("sha-256=:{a}:, sha-512=:{b}:, unixsum=1"),
        ] {
            assert_eq!(check_content_digest(&good, BODY), Ok(()), "{good}");
        }
    }

    #[test]
    fn rejects_digests_that_do_not_match() {
        let a = SHA256_OF_BODY;
        for bad in [
            String::new(),
            "SHA-256".to_owned(),
            "SHA-256=".to_owned(),
            format!("SHA-256={OTHER}"),
            "MD5=Sd/dVLAcvNLSq16eXua5uQ==".to_owned(),
            format!("SHA-256={OTHER},SHA-256={a}"),
            format!("SHA-256={a},SHA-256={OTHER}"),
            format!("SHA-256={a},sha-256={a}"),
            format!("SHA-256={a},SHA-512={OTHER}"),
            format!("SHA-256={a},"),
            format!("a=b,c=d,e=f,g=h,i=j,k=l,m=n,o=p,SHA-256={a}"),
        ] {
            assert!(check_digest(&bad, BODY).is_err(), "{bad}");
        }
        for bad in [
            String::new(),
            format!("sha-256={a}"),
            format!("sha-256=:{OTHER}:"),
            format!("sha-256=:{a}:, sha-256=:{a}:"),
            "md5=:Sd/dVLAcvNLSq16eXua5uQ==:".to_owned(),
            format!("sha-256=:{a}:, sha-512=:{a}:"),
            "sha-256=(1 2)".to_owned(),
        ] {
            assert!(check_content_digest(&bad, BODY).is_err(), "{bad}");
        }
    }
}
