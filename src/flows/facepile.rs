//! The facepile: avatars of the actors that like and boost a review. Reactions count at once; the actors are fetched
//! later, a few at a time, and only those that would be shown.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::task::JoinSet;

use super::budget::requests::OperationRequests;
use super::stored_url::parse_stored_url;
use super::{App, resolve};
use crate::domain::access_level::AccessLevel;
use crate::domain::facepile::{Facepile, FacepileActor};
use crate::domain::id::ReviewId;
use crate::domain::moderation_policy::FirstCommentPolicy;
use crate::domain::reaction::ReactionEventKind;
use crate::domain::review::Review;
use crate::domain::untrusted::Untrusted;
use crate::net::request_budget::with_budget;
use crate::store::facepile::{self, FacepileCandidate};
use crate::store::review_stats::ReviewStats;
use crate::store::unresolved_actors::{self, UnresolvedActor};
use crate::store::{access_levels, reached_hosts, reaction_events, view_counts};

/// Actors in the facepile of a review.
const MAX_FACES: usize = 24;

/// Events that are processed in one transaction.
const MAX_EVENTS: i64 = 100;

/// Actors that are fetched at a time.
const MAX_PARALLEL_FETCHES: i64 = 4;

/// Time to fetch an actor.
const FETCH_TIMEOUT: Duration = Duration::from_secs(20);

/// How long to wait before an actor that could not be fetched is fetched again.
const RETRY_INTERVAL: Duration = Duration::from_mins(30);

/// How often an actor is fetched before it is left out.
const MAX_ATTEMPTS: i64 = 3;

/// The facepile of a review. Actors whose comments would be held are counted but not shown.
///
/// # Errors
/// If the database fails.
pub async fn for_review(app: &App, review: &Review, stats: ReviewStats) -> crate::store::Result<Facepile> {
    if stats.likes + stats.boosts == 0 {
        return Ok(Facepile::default());
    }
    let candidates = facepile::list_candidates(&app.db, review.id, review.critic).await?;
    let hosts: BTreeSet<&str> = candidates.iter().filter_map(|one| one.entry.author.uri.host_str()).collect();
    let levels = access_levels::load_for_hosts(&app.db, hosts).await?;
    let is_shown = |candidate: &FacepileCandidate| {
        let host = candidate.entry.author.uri.host_str().unwrap_or_default();
        match levels.for_host(host, &app.policy) {
            AccessLevel::Blocked => false,
            AccessLevel::Silenced => candidate.trusted,
            AccessLevel::Open => app.policy.first_comments != FirstCommentPolicy::Held || candidate.trusted,
        }
    };
    let shown: Vec<FacepileActor> =
        candidates.iter().filter(|one| is_shown(one)).take(MAX_FACES).map(|one| one.entry.clone()).collect();
    let reactions: u64 =
        shown.iter().map(|face| u64::from(face.has_liked) + u64::from(face.has_boosted)).sum();
    Ok(Facepile { shown, other_reactions: (stats.likes + stats.boosts).saturating_sub(reactions) })
}

/// Processes recent events and fetches a few actors that are not stored yet. Returns whether there may be more to do.
///
/// # Errors
/// If the database fails.
pub async fn process_batch(app: &App) -> anyhow::Result<bool> {
    let processed = reaction_events::has_any(&app.db).await? && process_events(app).await?;
    let fetched =
        unresolved_actors::has_due(&app.db, app.clock.now()).await? && fetch_unresolved(app).await?;
    Ok(processed || fetched)
}

async fn process_events(app: &App) -> anyhow::Result<bool> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    view_counts::lock(&mut tx).await?;
    let events = reaction_events::take(&mut tx, MAX_EVENTS).await?;
    let mut reached: BTreeSet<(ReviewId, String)> = BTreeSet::new();
    for event in events.iter().filter(|event| event.kind != ReactionEventKind::Undo) {
        let actor = match parse_stored_url("reaction_events.actor", &event.actor) {
            Ok(actor) => actor,
            // The other events are still processed.
            Err(error) => {
                tracing::error!(error = ?Untrusted::chain(&error), "could not process reaction");
                continue;
            }
        };
        reached.extend(actor.host_str().map(|host| (event.review_id, host.to_owned())));
    }
    for (review, host) in &reached {
        reached_hosts::insert(&mut tx, *review, host).await?;
    }
    let reactions = || events.iter().filter(|event| event.kind != ReactionEventKind::Comment);
    for review in reactions().map(|event| event.review_id).collect::<BTreeSet<_>>() {
        facepile::refresh_recent(&mut tx, review, now).await?;
    }
    // An actor that could not be fetched before is tried again after a new reaction.
    for event in reactions() {
        unresolved_actors::enqueue_fetch(&mut tx, event.review_id, &event.actor, now).await?;
    }
    tx.commit_without_notify().await?;
    Ok(!events.is_empty())
}

async fn fetch_unresolved(app: &App) -> anyhow::Result<bool> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let actors =
        unresolved_actors::claim_due(&mut tx, MAX_PARALLEL_FETCHES, now, now + RETRY_INTERVAL).await?;
    tx.commit_without_notify().await?;
    let found = !actors.is_empty();
    let mut fetching = JoinSet::new();
    for actor in actors {
        fetching.spawn(resolve_one(app.clone(), actor));
    }
    while let Some(ended) = fetching.join_next().await {
        ended??;
    }
    Ok(found)
}

/// Fetches and stores an actor.
async fn resolve_one(app: App, actor: UnresolvedActor) -> anyhow::Result<()> {
    // After very many reactions most actors have left the facepile before they are fetched: those are skipped.
    let is_wanted = facepile::is_in_any(&app.db, &actor.actor).await?;
    let resolved = is_wanted
        && match parse_stored_url("unresolved_actors.actor", &actor.actor) {
            Ok(id) => {
                let requests = OperationRequests::of_actor(&app, &id);
                let resolving = with_budget(requests, Box::pin(resolve::resolve_actor(&app, &id)));
                tokio::time::timeout(FETCH_TIMEOUT, resolving).await.is_ok_and(|resolved| resolved.is_ok())
            }
            Err(error) => {
                tracing::error!(error = ?Untrusted::chain(&error), "could not resolve actor");
                false
            }
        };
    if resolved || !is_wanted || actor.attempts >= MAX_ATTEMPTS {
        let mut tx = app.db.begin().await?;
        unresolved_actors::delete(&mut tx, &actor.actor).await?;
        tx.commit().await?;
    }
    Ok(())
}
