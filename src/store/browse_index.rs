//! The index that lists are made from: which public review belongs to which film, person, tag, rating or critic, and how
//! many reviews each of these terms has.

use sqlx::FromRow;

use super::bulk_statement::BulkStatement;
use super::column_types::to_unsigned;
use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::browse_index::{self, BrowseEntry, BrowseKind, CreditRole};
use crate::domain::id::CriticId;
use crate::domain::review::Review;
use crate::domain::time::Timestamp;

/// A query for the public reviews of a term: all of them, or some.
#[derive(Debug, Clone)]
pub struct BrowseQuery {
    pub(super) kind: BrowseKind,
    pub(super) slug: String,
    /// Bits of the roles that the person must have; 0 for any.
    pub(super) roles: i64,
    /// The first and the last date of the reviews.
    pub(super) span: (Timestamp, Timestamp),
}

/// All of time.
const ALL_TIME: (Timestamp, Timestamp) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));

impl BrowseQuery {
    /// The reviews of a term, which is named by the last segment of its URL.
    pub fn new(kind: BrowseKind, slug: &str) -> Self {
        Self { kind, slug: slug.to_owned(), roles: 0, span: ALL_TIME }
    }

    /// All reviews.
    pub fn all() -> Self {
        Self::new(BrowseKind::All, browse_index::ALL_REVIEWS_SLUG)
    }

    /// The reviews by a critic.
    pub fn for_critic(critic: CriticId) -> Self {
        Self::new(BrowseKind::Critic, &browse_index::critic_slug(critic))
    }

    /// Only reviews of films in which the person has this role.
    #[must_use]
    pub fn in_role(mut self, role: Option<CreditRole>) -> Self {
        self.roles = role.map_or(0, CreditRole::bit);
        self
    }

    /// Only reviews dated between these times.
    #[must_use]
    pub fn between(mut self, from: Timestamp, until: Timestamp) -> Self {
        self.span = (from, until);
        self
    }
}

/// A term (a film, a person, a tag, …) and how many reviews it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowseTerm {
    /// The last segment of its URL.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// How many reviews it has, at least one.
    pub total: u64,
}

/// A [`BrowseTerm`] as its row.
type TermRow = (String, String, i64);

fn to_term((slug, name, total): TermRow) -> BrowseTerm {
    BrowseTerm { slug, name, total: to_unsigned(total) }
}

/// A row of `browse_index`.
#[derive(FromRow)]
struct EntryRow {
    kind: BrowseKind,
    slug: String,
    original_date: Timestamp,
    roles: i64,
    name: String,
    sort: String,
}

static INSERT_ENTRIES: BulkStatement = BulkStatement::with(
    2,
    "insert into browse_index (review_id, original_date, kind, slug, roles, name, sort) values",
    "($1, $2, #1, #2, #3, #4, #5)",
    5,
    "on conflict (kind, slug, original_date, review_id) do nothing",
);

/// Updates the entries of a review. Nothing is written if they are the same.
pub(super) async fn index_review(tx: &mut Tx, review: &Review) -> Result<()> {
    let query = "select kind, slug, original_date, roles, name, sort from browse_index where review_id = $1
         order by kind, slug";
    let stored: Vec<EntryRow> = with_tx!(tx, |c| sqlx::query_as(query).bind(review.id).fetch_all(c).await)?;
    let entries = browse_index::browse_entries(review);
    let is_unchanged = |(row, entry): (&EntryRow, &BrowseEntry)| {
        row.original_date == review.original_date
            && (row.kind, row.roles) == (entry.kind, entry.roles)
            && (&row.slug, &row.name, &row.sort) == (&entry.slug, &entry.name, &entry.sort)
    };
    if stored.len() == entries.len() && stored.iter().zip(&entries).all(is_unchanged) {
        return Ok(());
    }
    // Two transactions that counted terms in different orders could deadlock.
    tx.lock("browse_index").await?;
    if !stored.is_empty() {
        execute!(tx, sqlx::query("delete from browse_index where review_id = $1").bind(review.id))?;
    }
    for (statement, _, rows) in INSERT_ENTRIES.parts(&entries) {
        execute!(tx, {
            let query = sqlx::query(statement).bind(review.id).bind(review.original_date);
            rows.fold(query, |query, entry| {
                query.bind(entry.kind).bind(&entry.slug).bind(entry.roles).bind(&entry.name).bind(&entry.sort)
            })
        })?;
    }
    Ok(())
}

/// Finds a term that has reviews.
pub async fn find_term(db: &Db, kind: BrowseKind, slug: &str) -> Result<Option<BrowseTerm>> {
    let query = "select slug, name, total from browse_terms where kind = $1 and slug = $2";
    let found: Option<TermRow> =
        with_db!(db, |c| sqlx::query_as(query).bind(kind).bind(slug).fetch_optional(c).await)?;
    Ok(found.map(to_term))
}

/// Lists the terms of a kind whose sort keys begin with `start`, in order.
pub async fn list_terms(
    db: &Db,
    kind: BrowseKind,
    start: &str,
    limit: u32,
    offset: u32,
) -> Result<Vec<BrowseTerm>> {
    let query = "select slug, name, total from browse_terms where kind = $1 and sort >= $2 and sort < $3
         order by sort, slug limit $4 offset $5";
    let found: Vec<TermRow> = with_db!(db, |c| sqlx::query_as(query)
        .bind(kind)
        .bind(start)
        .bind(format!("{start}{SORT_KEY_END}"))
        .bind(i64::from(limit))
        .bind(i64::from(offset))
        .fetch_all(c)
        .await)?;
    Ok(found.into_iter().map(to_term).collect())
}

/// Counts the terms of a kind whose sort keys begin with `start`.
pub async fn count_terms(db: &Db, kind: BrowseKind, start: &str) -> Result<u64> {
    let query = "select count(*) from browse_terms where kind = $1 and sort >= $2 and sort < $3";
    let number: i64 = with_db!(db, |c| sqlx::query_scalar(query)
        .bind(kind)
        .bind(start)
        .bind(format!("{start}{SORT_KEY_END}"))
        .fetch_one(c)
        .await)?;
    Ok(to_unsigned(number))
}

/// Lists the terms of a kind that have the most reviews.
pub async fn list_largest_terms(db: &Db, kind: BrowseKind, limit: u32) -> Result<Vec<BrowseTerm>> {
    let query =
        "select slug, name, total from browse_terms where kind = $1 order by total desc, sort, slug limit $2";
    let found: Vec<TermRow> =
        with_db!(db, |c| sqlx::query_as(query).bind(kind).bind(i64::from(limit)).fetch_all(c).await)?;
    Ok(found.into_iter().map(to_term).collect())
}

/// Lists the initials of the sort keys of a kind. The query jumps from initial to initial in the index.
pub async fn list_initials(db: &Db, kind: BrowseKind) -> Result<Vec<String>> {
    let query = "with recursive letters (letter) as (
            select (select substr(sort, 1, 1) from browse_terms where kind = $1 order by sort limit 1)
            union all
            select (select substr(s.sort, 1, 1) from browse_terms s where s.kind = $1 and s.sort >= l.letter || $2
                order by s.sort limit 1)
            from letters l where l.letter is not null)
         select letter from letters where letter is not null limit 200";
    with_db!(db, |c| sqlx::query_scalar(query).bind(kind).bind(SORT_KEY_END).fetch_all(c).await)
}

/// Sorts after every character that a sort key contains.
const SORT_KEY_END: &str = "\u{10ffff}";

/// Counts the reviews of films that a person directed, wrote and stars in.
pub async fn count_roles(db: &Db, person: &str) -> Result<[u64; 3]> {
    let query = "select roles, count(*) from browse_index where kind = 'person' and slug = $1 group by roles";
    let found: Vec<(i64, i64)> = with_db!(db, |c| sqlx::query_as(query).bind(person).fetch_all(c).await)?;
    Ok(CreditRole::ALL.map(|role| {
        found.iter().filter(|(roles, _)| roles & role.bit() != 0).map(|(_, total)| to_unsigned(*total)).sum()
    }))
}

/// The dates of the oldest and the newest public review, or `None` if there is none.
pub async fn date_span(db: &Db) -> Result<Option<(Timestamp, Timestamp)>> {
    let ends =
        "select (select original_date from browse_index where kind = 'all' order by original_date limit 1),
            (select original_date from browse_index where kind = 'all' order by original_date desc limit 1)";
    let (first, last): (Option<Timestamp>, Option<Timestamp>) =
        with_db!(db, |c| sqlx::query_as(ends).fetch_one(c).await)?;
    Ok(first.zip(last))
}

/// Counts the reviews of a query.
pub async fn count_reviews(db: &Db, browsed: &BrowseQuery) -> Result<u64> {
    let BrowseQuery { kind, slug, roles, span: (from, until) } = browsed;
    if *roles == 0 && (*from, *until) == ALL_TIME {
        return Ok(find_term(db, *kind, slug).await?.map_or(0, |term| term.total));
    }
    let query = "select count(*) from browse_index where kind = $1 and slug = $2
            and (cast($3 as bigint) = 0 or (roles & $3) <> 0) and original_date >= $4 and original_date <= $5";
    let total: i64 = with_db!(db, |c| sqlx::query_scalar(query)
        .bind(kind)
        .bind(slug)
        .bind(roles)
        .bind(*from)
        .bind(*until)
        .fetch_one(c)
        .await)?;
    Ok(to_unsigned(total))
}

/// The date of the last public review before that time.
pub async fn previous_date(db: &Db, moment: Timestamp) -> Result<Option<Timestamp>> {
    let query =
        "select original_date from browse_index where kind = 'all' and slug = '' and original_date < $1
         order by original_date desc limit 1";
    with_db!(db, |c| sqlx::query_scalar(query).bind(moment).fetch_optional(c).await)
}

/// The date of the first public review after that time.
pub async fn next_date(db: &Db, moment: Timestamp) -> Result<Option<Timestamp>> {
    let query =
        "select original_date from browse_index where kind = 'all' and slug = '' and original_date > $1
         order by original_date limit 1";
    with_db!(db, |c| sqlx::query_scalar(query).bind(moment).fetch_optional(c).await)
}
