//! Outlines of comments: what decides their places on a page, without their texts.

use sqlx::FromRow;

use super::column_types::parse_url;
use super::comments::visibility;
use super::{Db, Result, with_db};
use crate::domain::comment::CommentState;
use crate::domain::comment_outline::CommentOutline;
use crate::domain::comment_thread::ThreadOrder;
use crate::domain::id::{CommentId, ReviewId};
use crate::domain::time::Timestamp;

#[derive(FromRow)]
struct OutlineRow {
    id: CommentId,
    parent_id: Option<CommentId>,
    state: CommentState,
    created_at: Timestamp,
    actor: String,
    content_bytes: i64,
    plain_bytes: i64,
    url_bytes: i64,
    is_critic: i64,
}

/// The bytes of a comment's markup beside what its author wrote: about 1,200, and the link to its own page, a fold, and the
/// name of the author whom it replies to.
const MARKUP_BYTES: usize = 1_600;
/// The bytes of a placeholder.
const PLACEHOLDER_BYTES: usize = 250;
/// The longest of the references that plain text is escaped with.
const MAX_REFERENCE_BYTES: usize = "&quot;".len();

impl OutlineRow {
    fn outline(self, content_limit: usize) -> Result<CommentOutline> {
        let bytes = |bytes: i64| usize::try_from(bytes).unwrap_or_default();
        let markup = match self.state {
            CommentState::Shown => MARKUP_BYTES,
            _ => PLACEHOLDER_BYTES,
        };
        // Characters that need a reference are rare in a URL, and a sanitized text has its references already.
        let escaped = bytes(self.plain_bytes) * MAX_REFERENCE_BYTES + bytes(self.url_bytes) * "&amp;".len();
        Ok(CommentOutline {
            id: self.id,
            parent: self.parent_id,
            received: self.created_at,
            host: parse_url(&self.actor)?.host_str().unwrap_or_default().to_owned(),
            author: self.actor,
            is_critic: self.is_critic != 0,
            visibility: visibility(self.state),
            bytes: markup + escaped + bytes(self.content_bytes).min(content_limit),
        })
    }
}

/// The query for the outlines of a review's comments. Of those that are shown it takes the first `$2` in this order, but
/// servers take turns, and so do the authors of a server. It adds the placeholders above them, at most four in a row.
macro_rules! outlines {
    ($order:literal) => {
        concat!(
            "with recursive ranked (id, parent_uri, host, round) as (
            select c.id, c.parent_uri, coalesce(a.host, ''),
                row_number() over (partition by c.actor order by ",
            $order,
            ") from comments c left join actors a on a.uri = c.actor
            where c.review_id = $1 and c.state = 'shown'),
         chosen (id, parent_uri) as (
            select t.id, t.parent_uri from (
                select r.id, r.parent_uri, row_number() over (partition by r.host order by r.round, r.id) as turn
                from ranked r) t
            order by t.turn, t.id limit $2),
         kept (id, parent_uri, level) as (
            select id, parent_uri, 0 from chosen
            union
            select p.id, p.parent_uri, k.level + 1 from comments p join kept k on p.uri = k.parent_uri
            where p.review_id = $1 and k.level < 4
                and p.state in ('deleted', 'hidden', 'removed', 'held', 'withheld'))
         select c.id, p.id as parent_id, c.state, c.created_at, c.actor,
            cast(octet_length(c.content) as bigint) as content_bytes,
            cast(coalesce(octet_length(c.warning), 0) + coalesce(octet_length(coalesce(k.name, a.name)), 0)
                + coalesce(octet_length(a.handle), 0) as bigint) as plain_bytes,
            cast(octet_length(c.url) + octet_length(coalesce(a.url, c.actor)) as bigint) as url_bytes,
            cast(case when c.critic_id is null then 0 else 1 end as bigint) as is_critic
         from comments c
         left join comments p on p.uri = c.parent_uri and p.id in (select id from kept)
         left join actors a on a.uri = c.actor
         left join critics k on k.id = c.critic_id
         where c.id in (select id from kept)"
        )
    };
}

/// Lists what decides the places of a review's comments: the newest or the oldest, depending on the order. A comment that
/// is not shown is a placeholder if a comment below it is shown. At most `content_limit` bytes of each text count.
pub async fn list_for_review(
    db: &Db,
    review: ReviewId,
    order: ThreadOrder,
    limit: u32,
    content_limit: usize,
) -> Result<Vec<CommentOutline>> {
    let query = match order {
        ThreadOrder::Newest => outlines!("c.created_at desc, c.id desc"),
        ThreadOrder::Oldest | ThreadOrder::MostReplies => outlines!("c.created_at, c.id"),
    };
    let rows: Vec<OutlineRow> =
        with_db!(db, |c| sqlx::query_as(query).bind(review).bind(i64::from(limit)).fetch_all(c).await)?;
    rows.into_iter().map(|row| row.outline(content_limit)).collect()
}
