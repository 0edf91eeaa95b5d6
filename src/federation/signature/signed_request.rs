//! A received request, and the parts of it that a signature may cover.

use http::{HeaderMap, Method};

use super::SignatureError;
use crate::domain::origin::Origin;

/// The longest header value that is read, in bytes.
const MAX_HEADER_BYTES: usize = 8 * 1024;

/// A received request.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path and query, exactly as sent.
    pub target: &'a str,
    /// Our origin: the scheme and authority that the peer must have signed.
    pub origin: &'a Origin,
    /// All headers. For HTTP/2, `Host` is what `:authority` says.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
}

impl SignedRequest<'_> {
    /// Whether the request has a body, which a digest must protect.
    pub(super) fn has_body(&self) -> bool {
        !self.body.is_empty() || !matches!(*self.method, Method::GET | Method::HEAD)
    }

    /// Returns the path, and the query without its question mark.
    pub(super) fn path_and_query(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((self.target, ""))
    }

    /// Returns the value of a header that may occur only once, or `None` if it is absent. `if_repeated` is the error
    /// if it occurs more often.
    pub(super) fn single_value(
        &self,
        name: &'static str,
        if_repeated: &'static str,
    ) -> Result<Option<&str>, SignatureError> {
        let mut values = self.headers.get_all(name).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(SignatureError::Malformed(if_repeated));
        }
        header_text(value).map(Some)
    }

    /// Returns the values of a header as one list (RFC 9110 section 5.3), or `None` if it is absent.
    pub(super) fn combined_values(&self, name: &str) -> Result<Option<String>, SignatureError> {
        let mut all = Vec::new();
        let is_present = self.write_combined_values(name, &mut all)?;
        let all = String::from_utf8(all).map_err(|_| SignatureError::Malformed("a header is not ASCII"))?;
        Ok(is_present.then_some(all))
    }

    /// Appends the values of a header as one list to the buffer. Returns `false` if the header is absent.
    pub(super) fn write_combined_values(
        &self,
        name: &str,
        all: &mut Vec<u8>,
    ) -> Result<bool, SignatureError> {
        let begin = all.len();
        let mut is_present = false;
        for value in self.headers.get_all(name) {
            let value = header_text(value)?.trim_matches([' ', '\t']);
            if is_present {
                all.extend_from_slice(b", ");
            }
            is_present = true;
            all.extend_from_slice(value.as_bytes());
            if all.len() - begin > MAX_HEADER_BYTES {
                return Err(SignatureError::Malformed("a covered header is too long"));
            }
        }
        Ok(is_present)
    }

    /// Rejects a request to another host, since a signature made for another server must not work here.
    pub(super) fn check_host(&self) -> Result<(), SignatureError> {
        let host = self
            .single_value("host", "more than one Host header")?
            .ok_or(SignatureError::Unauthorized("no Host header"))?;
        let ours = self.origin.authority();
        let default_port = if self.origin.is_localhost() { ":80" } else { ":443" };
        let bare = host.strip_suffix(default_port).unwrap_or(host);
        if host.eq_ignore_ascii_case(ours) || bare.eq_ignore_ascii_case(ours) {
            Ok(())
        } else {
            Err(SignatureError::Unauthorized("the request is for another host"))
        }
    }
}

fn header_text(value: &http::HeaderValue) -> Result<&str, SignatureError> {
    let text = value.to_str().map_err(|_| SignatureError::Malformed("a header is not ASCII"))?;
    if text.len() > MAX_HEADER_BYTES {
        return Err(SignatureError::Malformed("a header is too long"));
    }
    Ok(text)
}
