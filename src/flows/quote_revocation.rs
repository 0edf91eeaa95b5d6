//! Revokes granted quotes (FEP-044f): the authorization is deleted, and the servers that may show the quote receive a
//! Delete.

use anyhow::ensure;
use url::Url;

use super::stored_url::parse_stored_url;
use super::{App, fan_out};
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, AuthorizationId};
use crate::federation::vocab::quote;
use crate::store::activities::NewActivity;
use crate::store::{actors, authorizations, deliveries};

/// Quotes of one actor that are revoked at once.
const MAX_REVOCATIONS: u32 = 1_000;

/// Permanently revokes a quote. The Delete of its authorization goes to the quoting actor and to the critic's followers.
///
/// # Errors
/// If no quote of that id is granted.
pub async fn revoke(app: &App, id: AuthorizationId) -> anyhow::Result<()> {
    ensure!(try_revoke(app, id).await?, "quote {id} has already been revoked or withdrawn");
    Ok(())
}

/// Revokes a quote; returns `false` if it is not granted any more.
async fn try_revoke(app: &App, id: AuthorizationId) -> anyhow::Result<bool> {
    let authorization = authorizations::find(&app.db, id).await?;
    let Some(authorization) = authorization else { anyhow::bail!("no quote with the id {id}") };
    let quoter =
        actors::find_by_uri(&app.db, &parse_stored_url("authorizations.actor", &authorization.actor)?)
            .await?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if !authorizations::revoke(&mut tx, id).await? {
        return Ok(false);
    }
    let delete = ActivityId::new(now);
    let body =
        quote::revoke(&app.origin, delete, authorization.critic_id, id, &authorization.actor).to_string();
    let object = app.origin.quote_authorization(id);
    let outgoing = NewActivity {
        id: delete,
        critic: authorization.critic_id,
        kind: ActivityKind::Delete,
        object: &object,
        body: &body,
    };
    fan_out::enqueue_for_followers(&mut tx, &outgoing, now).await?;
    if let Some(quoter) = quoter {
        deliveries::enqueue(&mut tx, delete, quoter.delivery_inbox(), now).await?;
    }
    tx.commit().await?;
    app.wake.notify();
    Ok(true)
}

/// Revokes every quote of an actor, which is being blocked.
pub async fn revoke_all_for(app: &App, actor: &Url) -> anyhow::Result<()> {
    for id in authorizations::list_granted_to(&app.db, actor, MAX_REVOCATIONS).await? {
        // Nothing needs to be done for a quote that its author has withdrawn in the meantime.
        try_revoke(app, id).await?;
    }
    Ok(())
}
