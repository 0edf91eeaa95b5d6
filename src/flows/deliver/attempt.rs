//! One attempt of a delivery: which responses end it (404 and 410), when it is tried again (after `Retry-After`, if the
//! server asks for more time than the schedule gives it), and which failures are the host's and not the delivery's.

use super::HostBatch;
use super::activity_cache::OutboundActivity;
use super::double_knocking::{SchemeUpdate, post};
use crate::domain::delivery_retry::{
    MAX_DELIVERY_AGE, MAX_RETRY_AFTER, is_final_status, is_host_failure, retry_delay,
};
use crate::domain::untrusted::Untrusted;
use crate::flows::App;
use crate::store::deliveries::{DeliveryOutcome, DueDelivery};
use crate::store::hosts::HostHealth;

/// The result of an attempt.
pub(super) struct AttemptResult<'j> {
    pub(super) delivery: &'j DueDelivery,
    pub(super) outcome: DeliveryOutcome,
    pub(super) scheme_update: Option<SchemeUpdate>,
    pub(super) health: HostHealth,
}

/// Signs and sends a delivery; tries again at once if the signature is rejected.
pub(super) async fn attempt<'j>(
    app: &App,
    batch: &HostBatch,
    delivery: &'j DueDelivery,
    activity: &OutboundActivity,
) -> AttemptResult<'j> {
    // The row was written before the server was blocked.
    if batch.is_blocked {
        let error = "the server is blocked".to_owned();
        tracing::info!(activity = %delivery.activity_id, inbox = %Untrusted::new(&delivery.inbox), error = ?Untrusted::new(&error), "delivery abandoned");
        let outcome = DeliveryOutcome::Failed { status: None, error };
        return AttemptResult { delivery, outcome, scheme_update: None, health: HostHealth::NotTried };
    }
    let (response, scheme_update) = match post(app, batch, delivery, activity).await {
        Ok((response, scheme_update)) => (Ok(response), scheme_update),
        Err(error) => (Err(error), None),
    };
    let now = app.clock.now();
    let status = response.as_ref().ok().map(|response| response.status.as_u16());
    if let Some(status) = status.filter(|status| (200..300).contains(status)) {
        tracing::debug!(activity = %delivery.activity_id, inbox = %Untrusted::new(&delivery.inbox), status, "delivered");
        let outcome = DeliveryOutcome::Delivered { status };
        return AttemptResult { delivery, outcome, scheme_update, health: HostHealth::Healthy };
    }
    let is_host = is_host_failure(status);
    let failures = if is_host { batch.target.failures } else { delivery.attempts };
    let failures = u32::try_from(failures).unwrap_or(u32::MAX).saturating_add(1);
    let retry_after = response.as_ref().ok().and_then(|response| response.retry_after);
    let retry_after = retry_after.map(|retry_after| retry_after.delay(now).min(MAX_RETRY_AFTER));
    let next = now + retry_delay(failures, jitter()).max(retry_after.unwrap_or_default());
    let error = match response {
        Ok(response) => {
            format!(
                "the server responded with {}: {}",
                response.status.as_u16(),
                Untrusted::new(&response.excerpt)
            )
        }
        Err(error) => Untrusted::chain(&error).to_string(),
    };
    let health =
        if is_host { HostHealth::Failing { until: next, error: error.clone() } } else { HostHealth::Healthy };
    let is_over = status.is_some_and(is_final_status) || next > delivery.created_at + MAX_DELIVERY_AGE;
    if is_over {
        tracing::info!(activity = %delivery.activity_id, inbox = %Untrusted::new(&delivery.inbox), attempt = failures, error = ?Untrusted::new(&error), "delivery abandoned");
    } else {
        tracing::info!(activity = %delivery.activity_id, inbox = %Untrusted::new(&delivery.inbox), attempt = failures, error = ?Untrusted::new(&error), "delivery deferred");
    }
    // Once the host responds again, this delivery is sent before those that were enqueued later.
    let next = if is_host { now } else { next };
    let outcome = if is_over {
        DeliveryOutcome::Failed { status, error }
    } else {
        DeliveryOutcome::Deferred { status, error, next }
    };
    AttemptResult { delivery, outcome, scheme_update, health }
}

fn jitter() -> u8 {
    let mut byte = [0];
    // Without random bytes there is no jitter, which is harmless.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    byte[0]
}
