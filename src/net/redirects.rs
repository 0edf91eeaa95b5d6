//! The rules of redirects: how many are followed, where they may lead, and which headers go along.

use http::header::{self, HeaderMap, HeaderName};
use url::Url;

use super::NetError;

/// The maximum number of redirects that one fetch follows.
pub(super) const MAX_REDIRECTS: usize = 3;

/// Headers that may be sent to another origin after a redirect.
const FORWARDED_HEADERS: [HeaderName; 4] =
    [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE, header::ACCEPT_LANGUAGE, header::USER_AGENT];

/// Returns the target of a redirect, or `None` if the response is not a redirect.
pub(super) fn redirect_target(response: &reqwest::Response, from: &Url) -> Result<Option<Url>, NetError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(header::LOCATION);
    let target = location
        .and_then(|value| value.to_str().ok())
        .and_then(|text| from.join(text).ok())
        .ok_or(NetError::InvalidRedirect)?;
    if from.scheme() == "https" && target.scheme() == "http" {
        return Err(NetError::InvalidRedirect);
    }
    Ok(Some(target))
}

/// Removes the headers that must not be sent to another origin.
pub(super) fn retain_forwarded_headers(headers: &mut HeaderMap) {
    let mut kept = HeaderMap::new();
    for name in FORWARDED_HEADERS.into_iter().chain([header::ACCEPT]) {
        if let Some(value) = headers.remove(&name) {
            kept.insert(name, value);
        }
    }
    *headers = kept;
}
