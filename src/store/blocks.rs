//! Whom the critics do not want to hear: actors and whole servers.

use super::{Db, Result, read};
use crate::domain::moderation::{Policy, Rule, Standing, domains};

/// Names have no more labels than this that anybody makes rules about.
const MOST_LABELS: usize = 16;

/// How an actor stands here. The nearest rule about its server counts: an allowed subdomain of a blocked
/// domain is heard.
pub async fn standing(db: &Db, actor: &url::Url, policy: &Policy) -> Result<Standing> {
    let blocked: Option<String> =
        read!(db, |c| sqlx::query_scalar("select actor from blocked_actors where actor = $1")
            .bind(actor.as_str())
            .fetch_optional(c)
            .await)?;
    if blocked.is_some() {
        return Ok(Standing::Blocked);
    }
    of_host(db, actor.host_str().unwrap_or_default(), policy).await
}

/// How everyone of a server stands here.
pub async fn of_host(db: &Db, host: &str, policy: &Policy) -> Result<Standing> {
    let mut nearest = None;
    for domain in domains(host).take(MOST_LABELS) {
        nearest = rule(db, domain).await?;
        if nearest.is_some() {
            break;
        }
    }
    Ok(match nearest {
        Some(Rule::Block) => Standing::Blocked,
        Some(Rule::Allow) => Standing::Open,
        _ if policy.allow_list => Standing::Blocked,
        Some(Rule::Silence) => Standing::Silenced,
        None => Standing::Open,
    })
}

/// The rule about exactly this domain.
async fn rule(db: &Db, domain: &str) -> Result<Option<Rule>> {
    let rule: Option<String> =
        read!(db, |c| sqlx::query_scalar("select rule from domain_rules where host = $1")
            .bind(domain)
            .fetch_optional(c)
            .await)?;
    Ok(rule.as_deref().and_then(Rule::parse))
}
