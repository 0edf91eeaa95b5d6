//! Reviews and their slugs.

use sqlx::FromRow;

use super::browse_index::BrowseQuery;
use super::bulk_statement::BulkStatement;
use super::column_types::{from_json, parse_url, to_json};
use super::{Db, Result, Tx, browse_index, execute, fingerprints, search, with_db, with_tx};
use crate::domain::canonical_url::url_key;
use crate::domain::id::{ActivityId, CriticId, FeedId, MediaId, ReviewId};
use crate::domain::rating::Rating;
use crate::domain::review::{Media, Poster, Review, ReviewContent, ReviewState};
use crate::domain::time::Timestamp;

#[derive(FromRow)]
struct ReviewRow {
    id: ReviewId,
    critic_id: CriticId,
    create_id: ActivityId,
    slug: String,
    state: ReviewState,
    title: String,
    subtitle: Option<String>,
    body: String,
    teaser: String,
    film: String,
    rating: Option<String>,
    tags: String,
    language: Option<String>,
    canonical_url: Option<String>,
    source_published_at: Option<Timestamp>,
    source_updated_at: Option<Timestamp>,
    poster_url: Option<String>,
    poster_alt: Option<String>,
    recording: Option<String>,
    has_spoilers: i64,
    feed_id: Option<FeedId>,
    corrected_fields: String,
    original_date: Timestamp,
    released_at: Timestamp,
    revised_at: Option<Timestamp>,
    retracted_at: Option<Timestamp>,
    media_id: Option<MediaId>,
    media_name: Option<String>,
    media_type: Option<String>,
    media_width: Option<i64>,
    media_height: Option<i64>,
    media_source: Option<String>,
}

impl ReviewRow {
    fn media(&self) -> Option<Media> {
        let pixels = |n: Option<i64>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        Some(Media {
            id: self.media_id?,
            name: self.media_name.clone()?,
            media_type: self.media_type.clone()?,
            width: pixels(self.media_width),
            height: pixels(self.media_height),
            source: self.media_source.clone()?,
        })
    }

    fn review(self) -> Result<Review> {
        let media = self.media();
        let poster = match &self.poster_url {
            Some(text) => Some(Poster { url: parse_url(text)?, alt: self.poster_alt }),
            None => None,
        };
        let content = ReviewContent {
            title: self.title,
            subtitle: self.subtitle,
            body: self.body,
            teaser: self.teaser,
            film: from_json(&self.film)?,
            rating: self.rating.as_deref().and_then(Rating::parse),
            tags: from_json(&self.tags)?,
            language: self.language,
            canonical_url: self.canonical_url.as_deref().map(parse_url).transpose()?,
            published: self.source_published_at,
            updated: self.source_updated_at,
            poster,
            recording: self.recording.as_deref().map(from_json).transpose()?,
            has_spoilers: self.has_spoilers != 0,
        };
        Ok(Review {
            id: self.id,
            critic: self.critic_id,
            create_activity: self.create_id,
            slug: self.slug,
            state: self.state,
            content,
            poster: media,
            feed: self.feed_id,
            corrected: from_json(&self.corrected_fields)?,
            original_date: self.original_date,
            released_at: self.released_at,
            revised_at: self.revised_at,
            retracted_at: self.retracted_at,
        })
    }
}

/// A query for whole reviews, with its condition.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select r.*, m.id as media_id, m.name as media_name, m.media_type as media_type,
                m.width as media_width, m.height as media_height, m.source as media_source
             from reviews r left join media m on m.id = r.poster_media ",
            $rest
        )
    };
}

fn to_reviews(rows: Vec<ReviewRow>) -> Result<Vec<Review>> {
    rows.into_iter().map(ReviewRow::review).collect()
}

/// Finds a review in any state.
pub async fn find(db: &Db, id: ReviewId) -> Result<Option<Review>> {
    let row: Option<ReviewRow> =
        with_db!(db, |c| sqlx::query_as(select!("where r.id = $1")).bind(id).fetch_optional(c).await)?;
    row.map(ReviewRow::review).transpose()
}

/// Whether a review exists and is public.
pub async fn is_public(tx: &mut Tx, id: ReviewId) -> Result<bool> {
    let query = "select id from reviews where id = $1 and state in ('archive', 'published')";
    let found: Option<String> = with_tx!(tx, |c| sqlx::query_scalar(query).bind(id).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// Finds a review and locks it until the end of the transaction.
pub async fn find_for_update(tx: &mut Tx, id: ReviewId) -> Result<Option<Review>> {
    tx.lock(&id.to_string()).await?;
    read(tx, id).await
}

/// Reads a review in a transaction that does not change it, and therefore does not lock it.
pub async fn read(tx: &mut Tx, id: ReviewId) -> Result<Option<Review>> {
    let row: Option<ReviewRow> =
        with_tx!(tx, |c| sqlx::query_as(select!("where r.id = $1")).bind(id).fetch_optional(c).await)?;
    row.map(ReviewRow::review).transpose()
}

/// Finds the critic of a review, who never changes.
pub async fn find_critic(tx: &mut Tx, id: ReviewId) -> Result<Option<CriticId>> {
    let query = "select critic_id from reviews where id = $1";
    with_tx!(tx, |c| sqlx::query_scalar(query).bind(id).fetch_optional(c).await)
}

/// Finds a review by its current or a former slug.
pub async fn find_by_slug(db: &Db, slug: &str) -> Result<Option<Review>> {
    let query = select!("join slugs s on s.review_id = r.id where s.slug = $1");
    let row: Option<ReviewRow> = with_db!(db, |c| sqlx::query_as(query).bind(slug).fetch_optional(c).await)?;
    row.map(ReviewRow::review).transpose()
}

/// Finds the review that a Create announces.
pub async fn find_by_create(db: &Db, create: ActivityId) -> Result<Option<Review>> {
    let query = select!("where r.create_id = $1");
    let row: Option<ReviewRow> =
        with_db!(db, |c| sqlx::query_as(query).bind(create).fetch_optional(c).await)?;
    row.map(ReviewRow::review).transpose()
}

/// Lists the reviews of a query, the newest first.
pub async fn list_matching(db: &Db, browsed: &BrowseQuery, limit: u32, offset: u32) -> Result<Vec<Review>> {
    // Reviews before the page are skipped in the index, without reading them.
    let query = select!(
        "where r.id in (select review_id from browse_index where kind = $1 and slug = $2
            and (cast($3 as bigint) = 0 or (roles & $3) <> 0) and original_date >= $4 and original_date <= $5
            order by original_date desc, review_id desc limit $6 offset $7)
         order by r.original_date desc, r.id desc"
    );
    let (from, until) = browsed.span;
    let rows: Vec<ReviewRow> = with_db!(db, |c| sqlx::query_as(query)
        .bind(browsed.kind)
        .bind(&browsed.slug)
        .bind(browsed.roles)
        .bind(from)
        .bind(until)
        .bind(i64::from(limit))
        .bind(i64::from(offset))
        .fetch_all(c)
        .await)?;
    to_reviews(rows)
}

static SELECT_BY_IDS: BulkStatement = BulkStatement::new(select!("where r.id in (values"), "(#1)", 1, ")");

/// Lists the reviews with these ids, in their order.
pub async fn list_by_ids(db: &Db, ids: &[ReviewId]) -> Result<Vec<Review>> {
    let mut found = Vec::with_capacity(ids.len());
    for (text, _, part) in SELECT_BY_IDS.parts(ids) {
        let rows: Vec<ReviewRow> = with_db!(db, |c| {
            let query = sqlx::query_as(text);
            part.fold(query, |query, id| query.bind(*id)).fetch_all(c).await
        })?;
        found.extend(to_reviews(rows)?);
    }
    found.sort_by_key(|review: &Review| ids.iter().position(|id| *id == review.id));
    Ok(found)
}

/// Lists the slugs of public reviews and when each was last changed, the oldest first.
pub async fn list_slugs(db: &Db, limit: u32, offset: u32) -> Result<Vec<(String, Timestamp)>> {
    // Reviews before the offset are skipped in the index, without reading them.
    with_db!(db, |c| {
        sqlx::query_as(
            "select r.slug, coalesce(r.revised_at, r.released_at) from (
                select original_date, review_id from browse_index where kind = 'all' and slug = ''
                order by original_date, review_id limit $1 offset $2) s
             join reviews r on r.id = s.review_id order by s.original_date, s.review_id",
        )
        .bind(i64::from(limit))
        .bind(i64::from(offset))
        .fetch_all(c)
        .await
    })
}

/// Finds the critic's next newer and next older public review.
pub async fn find_neighbours(db: &Db, review: &Review) -> Result<(Option<Review>, Option<Review>)> {
    let newer = select!(
        "where r.state in ('archive', 'published') and r.critic_id = $1
            and (r.original_date > $2 or (r.original_date = $2 and r.id > $3))
         order by r.original_date, r.id limit 1"
    );
    let older = select!(
        "where r.state in ('archive', 'published') and r.critic_id = $1
            and (r.original_date < $2 or (r.original_date = $2 and r.id < $3))
         order by r.original_date desc, r.id desc limit 1"
    );
    let mut found = [None, None];
    for (neighbour, query) in found.iter_mut().zip([newer, older]) {
        let row: Option<ReviewRow> = with_db!(db, |c| sqlx::query_as(query)
            .bind(review.critic)
            .bind(review.original_date)
            .bind(review.id)
            .fetch_optional(c)
            .await)?;
        *neighbour = row.map(ReviewRow::review).transpose()?;
    }
    let [newer, older] = found;
    Ok((newer, older))
}

/// Lists scheduled reviews that are due.
pub async fn list_due(db: &Db, now: Timestamp, limit: u32) -> Result<Vec<Review>> {
    let query =
        select!("where r.state = 'scheduled' and r.released_at <= $1 order by r.released_at limit $2");
    let rows: Vec<ReviewRow> =
        with_db!(db, |c| sqlx::query_as(query).bind(now).bind(i64::from(limit)).fetch_all(c).await)?;
    to_reviews(rows)
}

/// Lists the scheduled reviews of a feed with their dates according to the feed, except those that the critic changed.
pub async fn list_scheduled(tx: &mut Tx, feed: FeedId) -> Result<Vec<(ReviewId, Option<Timestamp>)>> {
    let query = "select id, source_published_at from reviews
         where state = 'scheduled' and feed_id = $1 and corrected_fields not like '%\"published\"%'";
    with_tx!(tx, |c| sqlx::query_as(query).bind(feed).fetch_all(c).await)
}

/// Counts the reviews of a feed that were published after that time.
pub async fn count_released_since(tx: &mut Tx, feed: FeedId, since: Timestamp) -> Result<u64> {
    let count: i64 = with_tx!(tx, |c| sqlx::query_scalar(
        "select count(*) from reviews where feed_id = $1 and state = 'published' and released_at > $2",
    )
    .bind(feed)
    .bind(since)
    .fetch_one(c)
    .await)?;
    Ok(super::column_types::to_unsigned(count))
}

/// Returns the headlines of a feed's reviews, the newest first.
pub async fn headlines_of_feed(db: &Db, feed: FeedId, limit: u32) -> Result<Vec<String>> {
    with_db!(db, |c| sqlx::query_scalar(
        "select title from reviews where feed_id = $1 order by id desc limit $2",
    )
    .bind(feed)
    .bind(i64::from(limit))
    .fetch_all(c)
    .await)
}

/// Finds the oldest review of a feed that is held until a later poll.
pub async fn find_held_by_feed(tx: &mut Tx, feed: FeedId) -> Result<Option<ReviewId>> {
    let query =
        "select r.id from reviews r join feed_entries e on e.review_id = r.id and e.feed_id = r.feed_id
         where r.state = 'held' and r.feed_id = $1 and e.hold_reason = 'next_poll'
         order by r.original_date, r.id limit 1";
    with_tx!(tx, |c| sqlx::query_scalar(query).bind(feed).fetch_optional(c).await)
}

/// Lists the reviews that feeds hold, for their turn or as suspected duplicates, the oldest first.
pub async fn list_held(db: &Db, feed: Option<FeedId>) -> Result<Vec<Review>> {
    let query = select!(
        "join feed_entries e on e.review_id = r.id and e.feed_id = r.feed_id
         where r.state = 'held' and e.hold_reason is not null and ($1 is null or r.feed_id = $1)
         order by r.original_date, r.id"
    );
    let rows: Vec<ReviewRow> = with_db!(db, |c| sqlx::query_as(query).bind(feed).fetch_all(c).await)?;
    to_reviews(rows)
}

/// Lists a critic's reviews with that title or film, for comparison with a new one. At most 50, the newest first.
pub async fn list_by_film(
    tx: &mut Tx,
    critic: CriticId,
    film_title: &str,
    title: &str,
) -> Result<Vec<Review>> {
    let query = select!(
        "where r.critic_id = $1 and r.state <> 'retracted'
            and (r.title = $3 or ($2 <> '' and r.film_key = $2))
         order by r.id desc limit 50"
    );
    let rows: Vec<ReviewRow> = with_tx!(tx, |c| sqlx::query_as(query)
        .bind(critic)
        .bind(film_key(film_title))
        .bind(title)
        .fetch_all(c)
        .await)?;
    to_reviews(rows)
}

/// The key by which film titles are compared.
fn film_key(title: &str) -> String {
    crate::domain::slug::slug(title)
}

/// Finds a slug that no other review has or had: the wish, or the wish and a number, or for an empty wish the id.
pub async fn find_free_slug(tx: &mut Tx, wish: &str, review: ReviewId) -> Result<String> {
    let id = review.to_string().to_lowercase();
    let wish = if wish.is_empty() { &id } else { wish };
    for number in 1..100 {
        let slug = if number == 1 { wish.to_owned() } else { format!("{wish}-{number}") };
        let owner: Option<ReviewId> =
            with_tx!(tx, |c| sqlx::query_scalar("select review_id from slugs where slug = $1")
                .bind(&slug)
                .fetch_optional(c)
                .await)?;
        if owner.is_none_or(|owner| owner == review) {
            return Ok(slug);
        }
    }
    Ok(format!("{wish}-{id}"))
}

/// Inserts or updates a review, its slug, and its entries in all indexes.
pub async fn upsert(tx: &mut Tx, review: &Review, now: Timestamp) -> Result<()> {
    let content = &review.content;
    execute!(tx, sqlx::query(
        "insert into reviews (id, critic_id, create_id, slug, state, title, subtitle, body, teaser, film, film_key,
            rating, tags, language, canonical_url, canonical_key, source_published_at, source_updated_at, poster_url,
            poster_alt, poster_media, feed_id, original_date, released_at, revised_at, retracted_at, created_at,
            corrected_fields, recording, has_spoilers, browse_indexed, fingerprinted)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24, $25, $26, $27, $28, $29, $30, 1, 1)
         on conflict (id) do update set slug = excluded.slug, state = excluded.state, title = excluded.title,
            subtitle = excluded.subtitle, body = excluded.body, teaser = excluded.teaser, film = excluded.film,
            film_key = excluded.film_key, rating = excluded.rating, tags = excluded.tags,
            language = excluded.language, canonical_url = excluded.canonical_url,
            canonical_key = excluded.canonical_key, source_published_at = excluded.source_published_at,
            source_updated_at = excluded.source_updated_at, poster_url = excluded.poster_url,
            poster_alt = excluded.poster_alt, poster_media = excluded.poster_media, feed_id = excluded.feed_id,
            original_date = excluded.original_date, released_at = excluded.released_at, revised_at = excluded.revised_at,
            retracted_at = excluded.retracted_at, corrected_fields = excluded.corrected_fields,
            recording = excluded.recording, has_spoilers = excluded.has_spoilers, browse_indexed = 1, fingerprinted = 1",
    )
    .bind(review.id)
    .bind(review.critic)
    .bind(review.create_activity)
    .bind(&review.slug)
    .bind(review.state)
    .bind(&content.title)
    .bind(&content.subtitle)
    .bind(&content.body)
    .bind(&content.teaser)
    .bind(to_json(&content.film))
    .bind(film_key(&content.film.title))
    .bind(content.rating.as_ref().map(ToString::to_string))
    .bind(to_json(&content.tags))
    .bind(&content.language)
    .bind(content.canonical_url.as_ref().map(url::Url::as_str))
    .bind(content.canonical_url.as_ref().map(url_key))
    .bind(content.published)
    .bind(content.updated)
    .bind(content.poster.as_ref().map(|p| p.url.as_str()))
    .bind(content.poster.as_ref().and_then(|p| p.alt.as_deref()))
    .bind(review.poster.as_ref().map(|m| m.id))
    .bind(review.feed)
    .bind(review.original_date)
    .bind(review.released_at)
    .bind(review.revised_at)
    .bind(review.retracted_at)
    .bind(now)
    .bind(to_json(&review.corrected))
    .bind(content.recording.as_ref().map(to_json))
    .bind(i64::from(content.has_spoilers)))?;
    execute!(
        tx,
        sqlx::query("insert into slugs (slug, review_id) values ($1, $2) on conflict (slug) do nothing")
            .bind(&review.slug)
            .bind(review.id)
    )?;
    browse_index::index_review(tx, review).await?;
    fingerprints::index_review(tx, review).await?;
    search::index(tx, review).await
}
