//! Quotes that were granted are taken back (FEP-044f): the stamp is gone, and who may show the quote is told.

use anyhow::ensure;
use url::Url;

use super::App;
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, AuthorizationId};
use crate::federation::vocab::quote;
use crate::store::activities::{self, NewActivity};
use crate::store::{actors, authorizations, deliveries};

/// So many quotes of one actor are taken back at once.
const MOST_AT_ONCE: u32 = 1_000;

/// Takes a quote back, for good. The Delete of its stamp goes to who quoted and to the critic's followers.
///
/// # Errors
/// Where no quote of that id is granted.
pub async fn revoke(app: &App, id: AuthorizationId) -> anyhow::Result<()> {
    ensure!(take_back(app, id).await?, "the quote {id} is not granted any more");
    Ok(())
}

/// The same; false where it is not granted any more.
async fn take_back(app: &App, id: AuthorizationId) -> anyhow::Result<bool> {
    let stamp = authorizations::find(&app.db, id).await?;
    let Some(stamp) = stamp else { anyhow::bail!("no quote has the id {id}") };
    let quoter = actors::find_by_uri(&app.db, &Url::parse(&stamp.actor)?).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if !authorizations::revoke(&mut tx, id).await? {
        return Ok(false);
    }
    let delete = ActivityId::new(now);
    let body = quote::revoke(&app.origin, delete, stamp.critic_id, id, &stamp.actor).to_string();
    let object = app.origin.quote_authorization(id);
    let outgoing = NewActivity {
        id: delete,
        critic: stamp.critic_id,
        kind: ActivityKind::Delete,
        object: &object,
        body: &body,
    };
    activities::insert_for_followers(&mut tx, &outgoing, now).await?;
    if let Some(quoter) = quoter {
        deliveries::enqueue(&mut tx, delete, quoter.delivery_inbox(), now).await?;
    }
    tx.commit().await?;
    app.wake.notify();
    Ok(true)
}

/// Takes back every quote of an actor, as when it is blocked.
pub async fn revoke_all_for(app: &App, actor: &Url) -> anyhow::Result<()> {
    for id in authorizations::list_granted_to(&app.db, actor, MOST_AT_ONCE).await? {
        // One that its author withdrew meanwhile is gone, too.
        take_back(app, id).await?;
    }
    Ok(())
}
