//! Sends a delivery with the signature scheme that its host accepted last and, if that is rejected, with the other one.

use http::{HeaderValue, Method, header};

use super::HostBatch;
use super::activity_cache::OutboundActivity;
use crate::domain::signature_scheme::SignatureScheme;
use crate::flows::stored_url::parse_stored_url;
use crate::flows::{App, signing_keys};
use crate::net::media_type::ACTIVITY_JSON;
use crate::net::response::PostResponse;
use crate::net::signed_fetch::may_reject_signature;
use crate::store::deliveries::DueDelivery;

/// What an attempt showed about the host's signature scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemeUpdate {
    /// The scheme that it accepted after it rejected the first one; `None` if it accepted neither.
    pub(super) accepted: Option<SignatureScheme>,
}

/// Sends with the signature scheme that the host accepted last, and with the other one if it rejects the signature
/// (double-knocking). While an old key still signs, a host that rejects it is tried with the new key first: it may have
/// fetched the actor after the new key was published. The last response counts.
pub(super) async fn post(
    app: &App,
    batch: &HostBatch,
    delivery: &DueDelivery,
    activity: &OutboundActivity,
) -> anyhow::Result<(PostResponse, Option<SchemeUpdate>)> {
    let inbox = parse_stored_url("deliveries.inbox", &delivery.inbox)?;
    let own =
        batch.keys.get(&activity.critic).ok_or_else(|| anyhow::anyhow!("no signing key for the critic"))?;
    let first = batch.target.signature_scheme;
    let mut tries = vec![
        (own.signing_key(), first),
        (own.published_key(), first),
        (own.published_key(), first.alternative()),
    ];
    tries.dedup_by(|one, other| one.0.id() == other.0.id() && one.1 == other.1);
    let mut last = None;
    for (key, scheme) in tries {
        let digest = Some(activity.digest.clone());
        let mut headers = signing_keys::sign(app, key, scheme, Method::POST, &inbox, digest).await?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(ACTIVITY_JSON));
        fail_point!("send-before");
        let response = app.http.post(&inbox, headers, activity.body.clone()).await?;
        fail_point!("send-after");
        if !may_reject_signature(response.status) {
            let is_new = scheme != first && response.status.is_success();
            return Ok((response, is_new.then_some(SchemeUpdate { accepted: Some(scheme) })));
        }
        last = Some(response);
    }
    let response = last.ok_or_else(|| anyhow::anyhow!("no request was sent"))?;
    Ok((response, (first != SignatureScheme::default()).then_some(SchemeUpdate { accepted: None })))
}
