//! What a block ends: follows, comments, reactions, quote authorizations and deliveries.

use std::collections::BTreeSet;

use sqlx::FromRow;

use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::id::CriticId;
use crate::domain::time::Timestamp;

/// Lists the hosts of all actors that are stored in any way, and of all queued deliveries.
pub async fn list_known_hosts(db: &Db) -> Result<BTreeSet<String>> {
    let named: Vec<String> = with_db!(db, |c| sqlx::query_scalar(
        "select host from actors union select host from followers
         union select host from deliveries where state = 'queued'",
    )
    .fetch_all(c)
    .await)?;
    // Actors who only reacted, or wrote an ancestor of a comment, may never have been fetched.
    let unresolved: Vec<String> = with_db!(db, |c| {
        sqlx::query_scalar(
        "select actor from comments c
            where critic_id is null and not exists (select 1 from actors a where a.uri = c.actor)
         union select actor from reactions r where not exists (select 1 from actors a where a.uri = r.actor)
         union select actor from authorizations s where not exists (select 1 from actors a where a.uri = s.actor)
         union select actor from inbox_activities m
            where state = 'queued' and not exists (select 1 from actors a where a.uri = m.actor)",
    )
    .fetch_all(c)
    .await
    })?;
    let mut hosts: BTreeSet<String> = named.into_iter().collect();
    hosts.extend(unresolved.iter().filter_map(|uri| Some(url::Url::parse(uri).ok()?.host_str()?.to_owned())));
    Ok(hosts)
}

/// How many relations a block ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeveredCounts {
    /// Followers who were removed.
    pub followers: u64,
    /// Comments that were hidden.
    pub comments: u64,
}

impl std::ops::AddAssign for SeveredCounts {
    fn add_assign(&mut self, more: Self) {
        self.followers += more.followers;
        self.comments += more.comments;
    }
}

/// The ranges in which the ids of a host's actors lie, with and without a port.
fn actor_id_ranges(host: &str) -> impl Iterator<Item = (String, String)> {
    // As bytes, `0` comes after `/`, and `;` after `:`.
    let ends = [("https", '/', '0'), ("https", ':', ';'), ("http", '/', '0'), ("http", ':', ';')];
    ends.into_iter()
        .map(move |(scheme, from, to)| (format!("{scheme}://{host}{from}"), format!("{scheme}://{host}{to}")))
}

/// Ends all relations with a host: follows, comments, reactions, authorizations and deliveries.
pub async fn sever_host(tx: &mut Tx, host: &str, now: Timestamp) -> Result<SeveredCounts> {
    let statement = "update followers set state = 'gone', signed_at = $2
        where host = $1 and state in ('following', 'pending')";
    let followers = execute!(tx, sqlx::query(statement).bind(host).bind(now))?;
    let deliveries =
        "update deliveries set state = 'superseded', finished_at = $2 where state = 'queued' and host = $1";
    execute!(tx, sqlx::query(deliveries).bind(host).bind(now))?;
    let mut ended = SeveredCounts { followers, comments: 0 };
    for (from, to) in actor_id_ranges(host) {
        ended += sever_ids(tx, &from, &to, now).await?;
    }
    Ok(ended)
}

/// The same for the actors whose ids lie between.
async fn sever_ids(tx: &mut Tx, from: &str, to: &str, now: Timestamp) -> Result<SeveredCounts> {
    let statements = [
        "update followers set state = 'gone', signed_at = $3
            where actor >= $1 and actor < $2 and state in ('following', 'pending')",
        "update comments set state = 'hidden'
            where actor >= $1 and actor < $2 and $3 is not null and state in ('shown', 'held', 'withheld')",
        "update reactions set state = 'off', signed_at = $3
            where actor >= $1 and actor < $2 and state = 'on'",
        "update authorizations set state = 'revoked'
            where actor >= $1 and actor < $2 and $3 is not null and state = 'granted'",
        "update inbox_activities set state = 'dropped', note = 'its server was blocked'
            where actor >= $1 and actor < $2 and $3 is not null and state = 'queued'",
    ];
    let mut changed = [0; 5];
    for (statement, changed) in statements.into_iter().zip(&mut changed) {
        *changed = execute!(tx, sqlx::query(statement).bind(from).bind(to).bind(now))?;
    }
    Ok(SeveredCounts { followers: changed[0], comments: changed[1] })
}

/// Ends all relations with an actor, except its follows, which are ended one by one.
pub async fn sever_actor(tx: &mut Tx, actor: &url::Url, now: Timestamp) -> Result<SeveredCounts> {
    let comments = execute!(
        tx,
        sqlx::query(
            "update comments set state = 'hidden' where state in ('shown', 'held', 'withheld') and actor = $1"
        )
        .bind(actor.as_str())
    )?;
    let others = [
        "update reactions set state = 'off', signed_at = $2 where state = 'on' and actor = $1",
        "update inbox_activities set state = 'dropped', note = 'its actor was blocked' where state = 'queued'
            and $2 is not null and actor = $1",
    ];
    for statement in others {
        execute!(tx, sqlx::query(statement).bind(actor.as_str()).bind(now))?;
    }
    Ok(SeveredCounts { followers: 0, comments })
}

/// A follow, pending or accepted.
#[derive(Debug, FromRow)]
pub struct ActiveFollow {
    /// The critic that is followed.
    pub critic_id: CriticId,
    /// The id of the Follow, if it had one.
    pub follow_uri: Option<String>,
    /// The signed date of what last changed it.
    pub signed_at: Timestamp,
}

/// Lists an actor's follows, pending or accepted.
pub async fn list_follows(tx: &mut Tx, actor: &url::Url) -> Result<Vec<ActiveFollow>> {
    with_tx!(tx, |c| sqlx::query_as(
        "select critic_id, follow_uri, signed_at from followers
         where actor = $1 and state in ('following', 'pending') order by critic_id",
    )
    .bind(actor.as_str())
    .fetch_all(c)
    .await)
}
