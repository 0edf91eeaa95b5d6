//! The faces of those who like and boost. What they did is known at once; who they are is asked of their servers
//! later, a few at a time, and only of those who would be shown.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::task::JoinSet;
use url::Url;

use super::{App, resolve};
use crate::domain::facepile::{Facepile, FacepileActor};
use crate::domain::id::ReviewId;
use crate::domain::moderation::{AccessLevel, FirstCommentPolicy};
use crate::domain::review::Review;
use crate::store::facepile::{self, FaceCandidate, UnresolvedActor};
use crate::store::review_stats::ReviewStats;
use crate::store::{blocks, view_counts};

/// Faces under a review.
const MOST: usize = 24;

/// What was done that is looked at in one transaction.
const AT_ONCE: i64 = 100;

/// Strangers who are asked for at a time.
const AT_A_TIME: i64 = 4;

/// Nobody is waited for longer.
const LONGEST: Duration = Duration::from_secs(20);

/// Who cannot be had is asked for again after this long, so often in all.
const PAUSE: Duration = Duration::from_mins(30);
const MOST_ATTEMPTS: i64 = 3;

/// The faces under a review. Whose comment would wait for the critic is counted, and not shown.
///
/// # Errors
/// Where the database does not answer.
pub async fn for_review(app: &App, review: &Review, tally: ReviewStats) -> crate::store::Result<Facepile> {
    if tally.likes + tally.boosts == 0 {
        return Ok(Facepile::default());
    }
    let candidates = facepile::list_candidates(&app.db, review.id, review.critic).await?;
    let hosts: BTreeSet<&str> = candidates.iter().filter_map(|one| one.face.actor.uri.host_str()).collect();
    let standings = blocks::load_host_access_levels(&app.db, hosts).await?;
    let is_shown = |candidate: &FaceCandidate| {
        let host = candidate.face.actor.uri.host_str().unwrap_or_default();
        match standings.for_host(host, &app.policy) {
            AccessLevel::Blocked => false,
            AccessLevel::Silenced => candidate.trusted,
            AccessLevel::Open => app.policy.first_comments != FirstCommentPolicy::Held || candidate.trusted,
        }
    };
    let shown: Vec<FacepileActor> =
        candidates.iter().filter(|one| is_shown(one)).take(MOST).map(|one| one.face.clone()).collect();
    let reactions: u64 =
        shown.iter().map(|face| u64::from(face.has_liked) + u64::from(face.has_boosted)).sum();
    Ok(Facepile { shown, other_reactions: (tally.likes + tally.boosts).saturating_sub(reactions) })
}

/// Looks at what was done lately, and asks for a few whom nobody knows yet. Gives whether there may be more.
///
/// # Errors
/// Where the database does not answer.
pub async fn process_batch(app: &App) -> anyhow::Result<bool> {
    let arrived = facepile::has_reaction_event(&app.db).await? && look(app).await?;
    let asked = facepile::has_unresolved_actor(&app.db, app.clock.now()).await? && ask(app).await?;
    Ok(arrived || asked)
}

async fn look(app: &App) -> anyhow::Result<bool> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    view_counts::lock(&mut tx).await?;
    let arrivals = facepile::take_reaction_events(&mut tx, AT_ONCE).await?;
    let mut places: BTreeSet<(ReviewId, String)> = BTreeSet::new();
    for arrival in arrivals.iter().filter(|arrival| arrival.kind != "undo") {
        let host = Url::parse(&arrival.actor).ok().and_then(|actor| actor.host_str().map(str::to_owned));
        places.extend(host.map(|host| (arrival.review_id, host)));
    }
    for (review, host) in &places {
        view_counts::add_reached_host(&mut tx, *review, host).await?;
    }
    let reactions = || arrivals.iter().filter(|arrival| arrival.kind != "comment");
    for review in reactions().map(|arrival| arrival.review_id).collect::<BTreeSet<_>>() {
        facepile::refresh_recent(&mut tx, review, now).await?;
    }
    // Who did not answer before is asked for again.
    for arrival in reactions() {
        facepile::enqueue_fetch(&mut tx, arrival.review_id, &arrival.actor, now).await?;
    }
    tx.commit_without_notify().await?;
    Ok(!arrivals.is_empty())
}

async fn ask(app: &App) -> anyhow::Result<bool> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let strangers = facepile::claim_unresolved_actors(&mut tx, AT_A_TIME, now, now + PAUSE).await?;
    tx.commit_without_notify().await?;
    let found = !strangers.is_empty();
    let mut asking = JoinSet::new();
    for stranger in strangers {
        asking.spawn(meet(app.clone(), stranger));
    }
    while let Some(ended) = asking.join_next().await {
        ended??;
    }
    Ok(found)
}

/// Asks for one, who is known from then on.
async fn meet(app: App, stranger: UnresolvedActor) -> anyhow::Result<()> {
    // Where very many come, most are overtaken before it is their turn: nobody is asked for them.
    let is_wanted = facepile::is_in_facepile(&app.db, &stranger.actor).await?;
    let met = match Url::parse(&stranger.actor).ok().filter(|_| is_wanted) {
        Some(id) => tokio::time::timeout(LONGEST, resolve::resolve_actor(&app, &id))
            .await
            .is_ok_and(|met| met.is_ok()),
        None => false,
    };
    if met || !is_wanted || stranger.attempts >= MOST_ATTEMPTS {
        let mut tx = app.db.begin().await?;
        facepile::delete_unresolved_actor(&mut tx, &stranger.actor).await?;
        tx.commit().await?;
    }
    Ok(())
}
