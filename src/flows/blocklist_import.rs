//! Imports blocklists: all rules of a list or none, and never a weaker rule than the one that exists.

use std::collections::HashMap;

use super::App;
use super::block::{parse_domain, sever, short_reason};
use crate::domain::domain_rules::DomainRule;
use crate::domain::sanitize_text::single_line;
use crate::federation::vocab::url_rules::canonical_host;
use crate::sources::blocklist::{BlocklistEntry, BlocklistErrors, BlocklistSeverity};
use crate::store::blocks;
use crate::store::severed_relations::SeveredCounts;

/// The result of importing a blocklist.
#[derive(Debug, Default)]
pub struct BlocklistImport {
    /// Domains that were blocked.
    pub blocked: u64,
    /// Domains that were silenced.
    pub silenced: u64,
    /// Domains whose existing rule was kept.
    pub kept: u64,
    /// Domains that the list names without a restriction.
    pub noop: u64,
    /// The site's own domains.
    pub own: u64,
    /// Names that the list obfuscates.
    pub obfuscated: Vec<String>,
    /// What the new blocks ended.
    pub ended: SeveredCounts,
}

/// Imports a blocklist: all its rules or none. An existing rule is never weakened.
///
/// # Errors
/// If a line has no valid domain.
pub async fn import_blocklist(app: &App, listed: &[BlocklistEntry]) -> anyhow::Result<BlocklistImport> {
    let mut imported = BlocklistImport::default();
    let wanted = requested_rules(app, listed, &mut imported)?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.lock("blocks").await?;
    let known: HashMap<String, DomainRule> = blocks::list_rules_in_tx(&mut tx).await?.into_iter().collect();
    for (host, rule, reason) in &wanted {
        let rule = *rule;
        let is_stronger = match known.get(host) {
            None => true,
            Some(DomainRule::Silence) => rule == DomainRule::Block,
            Some(DomainRule::Block | DomainRule::Allow) => false,
        };
        if !is_stronger {
            imported.kept += 1;
            continue;
        }
        blocks::upsert_rule(&mut tx, host, rule, reason.map(short_reason).as_deref(), now).await?;
        if rule == DomainRule::Block {
            imported.blocked += 1;
        } else {
            imported.silenced += 1;
        }
    }
    tx.commit().await?;
    // Domains that were blocked before are included: a second import finishes one that was interrupted.
    let blocked =
        wanted.iter().filter(|(_, rule, _)| *rule == DomainRule::Block).map(|(host, ..)| host.as_str());
    imported.ended = sever(app, &blocked.collect(), now).await?;
    app.wake.notify();
    Ok(imported)
}

type RequestedRule<'l> = (String, DomainRule, Option<&'l str>);

/// The rules of a list, each domain once.
fn requested_rules<'l>(
    app: &App,
    listed: &'l [BlocklistEntry],
    imported: &mut BlocklistImport,
) -> Result<Vec<RequestedRule<'l>>, BlocklistErrors> {
    let mut wanted: Vec<RequestedRule<'l>> = Vec::new();
    let mut positions: HashMap<String, usize> = HashMap::new();
    let mut faults = Vec::new();
    for row in listed {
        let rule = match row.severity {
            BlocklistSeverity::Noop => {
                imported.noop += 1;
                continue;
            }
            _ if row.is_obfuscated() => {
                imported.obfuscated.push(single_line(&row.domain));
                continue;
            }
            BlocklistSeverity::Suspend => DomainRule::Block,
            BlocklistSeverity::Silence => DomainRule::Silence,
        };
        let host = canonical_host(&row.domain, app.rules).filter(|host| !host.contains(':'));
        let Some(host) = host else {
            faults.push((row.line, format!("{:?} is not a domain", row.domain)));
            continue;
        };
        if parse_domain(app, &host).is_err() {
            imported.own += 1;
            continue;
        }
        match positions.get(&host) {
            // Of two lines about one domain the stricter one counts.
            Some(&position) if rule == DomainRule::Block => wanted[position].1 = DomainRule::Block,
            Some(_) => {}
            None => {
                positions.insert(host.clone(), wanted.len());
                wanted.push((host, rule, row.comment.as_deref()));
            }
        }
    }
    if faults.is_empty() { Ok(wanted) } else { Err(BlocklistErrors::from_lines(faults)) }
}
