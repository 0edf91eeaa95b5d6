//! Header fields of every response: content security, and correct behaviour of shared caches.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// What a page may load, and where its forms may lead.
macro_rules! content_security_policy {
    ($form:literal) => {
        concat!(
            "default-src 'none'; img-src 'self'; style-src 'self'; font-src 'self'; script-src 'self'; ",
            "connect-src 'self'; form-action ",
            $form,
            "; base-uri 'none'; frame-ancestors 'none'",
        )
    };
}

/// The policy of a page with the remote interaction form. Browsers apply `form-action` to the redirects after a form as
/// well.
pub(super) const FORM_CONTENT_SECURITY_POLICY: HeaderValue =
    HeaderValue::from_static(content_security_policy!("'self' https:"));

const DEFAULT_HEADERS: [(HeaderName, HeaderValue); 6] = [
    // Pages and documents share URLs, as do errors and redirects, so caches must keep them apart.
    (header::VARY, HeaderValue::from_static("Accept")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(content_security_policy!("'self'"))),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

/// Adds the default header fields that are not set yet: a page with the remote interaction form has its own policy.
pub(super) fn add_defaults(headers: &mut HeaderMap) {
    for (name, value) in DEFAULT_HEADERS {
        headers.entry(name).or_insert(value);
    }
}
