//! Double-knocking: a signed fetch that is rejected is sent once more, signed with the other scheme.

use std::sync::Arc;

use http::StatusCode;
use http::header::{self, HeaderMap};
use url::Url;

use super::NetError;
use crate::domain::signature_scheme::SignatureScheme;

/// Signs GET requests.
#[async_trait::async_trait]
pub trait FetchSigner: Send + Sync {
    /// Returns the signature scheme that the server of this URL is expected to accept.
    async fn preferred_scheme(&self, url: &Url) -> SignatureScheme;

    /// Returns the headers that sign a GET request for this URL.
    async fn sign(&self, url: &Url, scheme: SignatureScheme, knock: Knock) -> HeaderMap;

    /// Records the scheme that the server accepted, if it was the second one, or `None` if it accepted neither.
    async fn record_scheme(&self, url: &Url, accepted: Option<SignatureScheme>);
}

/// The attempt of a double-knock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knock {
    /// The first attempt.
    First,
    /// The second and last attempt.
    Second,
}

/// A signer that several fetches share.
pub type SharedFetchSigner = Arc<dyn FetchSigner>;

/// Whether a status may mean that the server does not support the signature scheme.
pub fn may_reject_signature(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST)
}

/// Sends a single GET request, without following redirects.
pub(super) trait SendAttempt: Sync {
    fn send(
        &self,
        url: &Url,
        headers: HeaderMap,
    ) -> impl Future<Output = Result<reqwest::Response, NetError>> + Send;
}

/// Sends a signed GET request, and sends it once more with the other signature scheme if the first one was rejected.
pub(super) async fn send_signed(
    client: &impl SendAttempt,
    signer: &dyn FetchSigner,
    url: &Url,
    headers: &HeaderMap,
) -> Result<reqwest::Response, NetError> {
    let send = async |scheme, knock| {
        let mut headers = headers.clone();
        let mut signature = signer.sign(url, scheme, knock).await;
        // The client sets it, and HTTP/2 has another name for it.
        signature.remove(header::HOST);
        headers.extend(signature);
        client.send(url, headers).await
    };
    let scheme = signer.preferred_scheme(url).await;
    let first = send(scheme, Knock::First).await?;
    if !may_reject_signature(first.status()) {
        return Ok(first);
    }
    let second = send(scheme.alternative(), Knock::Second).await?;
    if second.status().is_success() {
        signer.record_scheme(url, Some(scheme.alternative())).await;
    } else if may_reject_signature(second.status()) && scheme != SignatureScheme::default() {
        signer.record_scheme(url, None).await;
    }
    Ok(second)
}
