//! Blocks accounts and domains. Lifting a block restores nothing: comments stay hidden until a critic shows them, and
//! removed followers may follow again.

use std::collections::HashSet;

use anyhow::{Context, ensure};
use url::Url;

use super::App;
use super::follow_requests::write_follow_response;
use super::quote_revocation;
use super::stored_url::parse_stored_url;
use crate::domain::activity::ActivityKind;
use crate::domain::domain_rules::{DomainRule, DomainRules, domain_and_parents};
use crate::domain::id::ActivityId;
use crate::domain::sanitize_text::single_line;
use crate::domain::time::Timestamp;
use crate::federation::vocab::url_rules::canonical_host;
use crate::store::severed_relations::{self, SeveredCounts};
use crate::store::{actors, blocks, deliveries, followers};

/// Characters of the reason for a block.
const MAX_REASON_LENGTH: usize = 500;

/// Blocks an account: it is removed from the followers with a Reject, its comments are hidden and its quotes revoked.
pub async fn block_account(app: &App, actor: &Url, reason: Option<&str>) -> anyhow::Result<SeveredCounts> {
    let known = actors::find_by_uri(&app.db, actor).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.lock(actor.as_str()).await?;
    blocks::block_actor(&mut tx, actor, reason.map(short_reason).as_deref(), now).await?;
    let mut ended = severed_relations::sever_actor(&mut tx, actor, now.truncate_to_second()).await?;
    for follow in severed_relations::list_follows(&mut tx, actor).await? {
        let at = now.truncate_to_second().max(follow.signed_at);
        followers::unfollow(&mut tx, follow.critic_id, actor, at).await?;
        ended.followers += 1;
        let Some(known) = &known else { continue };
        let follow_id = follow.follow_uri.as_deref();
        let follow_id = follow_id.map(|id| parse_stored_url("followers.follow_uri", id)).transpose()?;
        let id = ActivityId::new(now);
        write_follow_response(
            app,
            &mut tx,
            id,
            ActivityKind::Reject,
            follow.critic_id,
            actor,
            follow_id.as_ref(),
            now,
        )
        .await?;
        deliveries::enqueue(&mut tx, id, &known.inbox, now).await?;
    }
    tx.commit().await?;
    // From the commit on no quote is granted to it.
    quote_revocation::revoke_all_for(app, actor).await?;
    app.wake.notify();
    Ok(ended)
}

/// Parses a domain into the form in which rules are stored. `*.example.org` is `example.org`: a rule also covers the
/// subdomains of its domain.
///
/// # Errors
/// If it is not a domain, or is the site's own.
pub fn parse_domain(app: &App, text: &str) -> anyhow::Result<String> {
    let bare = text.trim().trim_start_matches("*.");
    let host = canonical_host(bare, app.rules).filter(|host| !host.contains([':', '*']));
    let host = host.with_context(|| format!("{text:?} is not a domain such as example.org"))?;
    let ours = [app.origin.host(), app.handle_domain()];
    ensure!(
        !ours.iter().any(|ours| domain_and_parents(ours).any(|above| above == host)),
        "{host} is this site's own domain"
    );
    Ok(host)
}

/// Sets the rule for a domain and its subdomains; returns the rule that it replaces, and what the rule ended.
pub async fn set_domain_rule(
    app: &App,
    host: &str,
    rule: DomainRule,
    reason: Option<&str>,
) -> anyhow::Result<(Option<DomainRule>, SeveredCounts)> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.lock("blocks").await?;
    let before = blocks::list_rules_in_tx(&mut tx).await?.into_iter().find(|(known, _)| known == host);
    blocks::upsert_rule(&mut tx, host, rule, reason.map(short_reason).as_deref(), now).await?;
    tx.commit().await?;
    let blocked = if rule == DomainRule::Block { HashSet::from([host]) } else { HashSet::new() };
    let ended = sever(app, &blocked, now).await?;
    app.wake.notify();
    Ok((before.map(|(_, rule)| rule), ended))
}

/// Ends all relations with the known hosts for which one of these blocks is the most specific rule. Each host has a
/// transaction of its own, since SQLite has one writer; if this is interrupted, running it again finishes it.
pub(super) async fn sever(
    app: &App,
    blocked: &HashSet<&str>,
    now: Timestamp,
) -> anyhow::Result<SeveredCounts> {
    let mut ended = SeveredCounts::default();
    if blocked.is_empty() {
        return Ok(ended);
    }
    let rules: DomainRules = blocks::list_rules(&app.db).await?.into_iter().collect();
    for host in severed_relations::list_known_hosts(&app.db).await? {
        let nearest = rules.nearest(&host);
        if nearest.is_some_and(|(domain, rule)| rule == DomainRule::Block && blocked.contains(domain)) {
            let mut tx = app.db.begin().await?;
            ended += severed_relations::sever_host(&mut tx, &host, now.truncate_to_second()).await?;
            tx.commit().await?;
        }
    }
    Ok(ended)
}

/// Removes the rule for a domain or the block of an account; returns whether there was one.
pub async fn remove_rule(app: &App, subject: &str) -> anyhow::Result<bool> {
    let mut tx = app.db.begin().await?;
    let removed = blocks::delete(&mut tx, subject).await?;
    tx.commit().await?;
    Ok(removed)
}

pub(super) fn short_reason(reason: &str) -> String {
    single_line(reason).chars().take(MAX_REASON_LENGTH).collect()
}
