//! The list of reviews for their critic: all of them, in every state.

use sqlx::FromRow;

use super::column_types::from_json;
use super::{Db, Result, with_db};
use crate::domain::feed::PendingReason;
use crate::domain::film::Film;
use crate::domain::id::{MediaId, ReviewId};
use crate::domain::review::ReviewState;
use crate::domain::time::Timestamp;

/// Reviews that are read at a time.
const PAGE: i64 = 500;

/// Which reviews are listed.
#[derive(Debug, Clone, Default)]
pub struct ReviewFilter {
    /// Only those in this state.
    pub state: Option<ReviewState>,
    /// Only those of the feed with this name.
    pub feed: Option<String>,
    /// Only those of the critic with this handle.
    pub critic: Option<String>,
}

/// A review in the list.
#[derive(Debug, Clone)]
pub struct ReviewListItem {
    /// The id.
    pub id: ReviewId,
    /// The slug.
    pub slug: String,
    /// The state.
    pub state: ReviewState,
    /// The headline.
    pub title: String,
    /// The film.
    pub film: Film,
    /// The rating.
    pub rating: Option<String>,
    /// The tags.
    pub tags: Vec<String>,
    /// Whether it has a poster whose file is stored.
    pub has_poster: bool,
    /// The date that is shown; for a scheduled review, when it is published.
    pub date: Timestamp,
    /// The name of the feed that it came from.
    pub feed: Option<String>,
    /// The handle of the author.
    pub critic: String,
    /// Why a change of its entry is kept back, if one is.
    pub kept_change: Option<PendingReason>,
}

#[derive(FromRow)]
struct ReviewListRow {
    id: ReviewId,
    slug: String,
    state: ReviewState,
    title: String,
    film: String,
    rating: Option<String>,
    tags: String,
    poster_media: Option<MediaId>,
    original_date: Timestamp,
    feed: Option<String>,
    critic: String,
    kept_change: Option<PendingReason>,
}

/// Lists at most `limit` reviews that pass the filter and the test, the newest first.
pub async fn list(
    db: &Db,
    filter: &ReviewFilter,
    is_match: impl Fn(&ReviewListItem) -> bool,
    limit: usize,
) -> Result<Vec<ReviewListItem>> {
    let mut found = Vec::new();
    let mut last = (Timestamp::from_millis(i64::MAX), String::new());
    loop {
        let rows: Vec<ReviewListRow> = with_db!(db, |c| {
            sqlx::query_as(
            "select r.id, r.slug, r.state, r.title, r.film, r.rating, r.tags, r.poster_media, r.original_date,
                f.name as feed, c.handle as critic,
                (select min(e.pending_reason) from feed_entries e
                 where e.review_id = r.id and e.feed_id = r.feed_id) as kept_change
             from reviews r join critics c on c.id = r.critic_id left join feeds f on f.id = r.feed_id
             where ($1 = '' or r.state = $1) and ($2 = '' or f.name = $2) and ($3 = '' or c.handle = $3)
                and (r.original_date < $4 or (r.original_date = $4 and r.id < $5))
             order by r.original_date desc, r.id desc limit $6",
        )
        .bind(filter.state.map(|state| state.to_string()).unwrap_or_default())
        .bind(filter.feed.as_deref().unwrap_or_default())
        .bind(filter.critic.as_deref().unwrap_or_default())
        .bind(last.0)
        .bind(&last.1)
        .bind(PAGE)
        .fetch_all(c)
        .await
        })?;
        let Some(end) = rows.last() else { return Ok(found) };
        last = (end.original_date, end.id.to_string());
        for row in rows {
            let item = row.item()?;
            if is_match(&item) {
                found.push(item);
            }
            if found.len() >= limit {
                return Ok(found);
            }
        }
    }
}

impl ReviewListRow {
    fn item(self) -> Result<ReviewListItem> {
        Ok(ReviewListItem {
            film: from_json(&self.film)?,
            tags: from_json(&self.tags)?,
            id: self.id,
            slug: self.slug,
            state: self.state,
            title: self.title,
            rating: self.rating,
            has_poster: self.poster_media.is_some(),
            date: self.original_date,
            feed: self.feed,
            critic: self.critic,
            kept_change: self.kept_change,
        })
    }
}
