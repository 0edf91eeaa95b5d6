//! Full-text search: FTS5 on SQLite and tsvector on PostgreSQL, with the same functions. Both index words that
//! `domain::search` has normalized. The newest review has the highest document id, so that the newest results are found
//! without sorting all of them.

use std::fmt::Write as _;
use std::time::Duration;

use super::column_types::to_unsigned;
use super::db::{AnyTransaction, Pools};
use super::{Db, Result, Tx, execute, with_tx};
use crate::domain::id::ReviewId;
use crate::domain::review::Review;
use crate::domain::search::{self, SearchDocument, SearchTerm};
use crate::domain::time::Timestamp;

/// A search query.
#[derive(Debug, Clone)]
pub struct SearchCriteria<'a> {
    /// Words that a review must contain, all of them.
    pub words: &'a [SearchTerm],
    /// Filter tokens that it must have (`domain::search`), all of them.
    pub marks: &'a [String],
    /// Its first and last date.
    pub span: Option<(Timestamp, Timestamp)>,
}

/// The low bits of a document id. Reviews of the same time differ in them.
const DOC_ID_BITS: u32 = 15;

/// The lowest document id of a time.
const fn first_doc_id(moment: Timestamp) -> i64 {
    moment.millis() << DOC_ID_BITS
}

/// The highest document id of a time.
const fn last_doc_id(moment: Timestamp) -> i64 {
    first_doc_id(moment) + (1 << DOC_ID_BITS) - 1
}

/// Indexes a review, or removes it from the index if it is not public. Nothing is written or locked if the indexed
/// words are the same.
pub(super) async fn index(tx: &mut Tx, review: &Review) -> Result<()> {
    let stored = find_hash(tx, review.id).await?;
    if !review.state.is_public() {
        return if stored.is_some() { delete(tx, review.id).await } else { Ok(()) };
    }
    let indexed = search::index_review(review);
    let hash = indexed.hash(review.original_date);
    if stored.as_ref() == Some(&hash) {
        return Ok(());
    }
    if stored.is_some() {
        delete(tx, review.id).await?;
    }
    let doc_id = free_doc_id(tx, review.original_date).await?;
    match &mut tx.transaction {
        AnyTransaction::Sqlite(tx) => {
            let joined = |words: &std::collections::BTreeSet<String>| {
                words.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
            };
            let words = "insert into search_index (rowid, head, body, marks) values ($1, $2, $3, $4)";
            let words = sqlx::query(words).bind(doc_id).bind(joined(&indexed.head));
            let words = words.bind(joined(&indexed.body)).bind(joined(&indexed.filters));
            words.execute(&mut **tx).await?;
            let document = "insert into search_documents (doc_id, review_id, hash) values ($1, $2, $3)";
            sqlx::query(document).bind(doc_id).bind(review.id).bind(hash).execute(&mut **tx).await?;
        }
        AnyTransaction::Postgres(tx) => {
            let words = "insert into search_index (doc_id, review_id, words, hash) values ($1, $2, cast($3 as tsvector), $4)";
            let words =
                sqlx::query(words).bind(doc_id).bind(review.id).bind(to_tsvector(&indexed)).bind(hash);
            words.execute(&mut **tx).await?;
        }
    }
    Ok(())
}

/// The hash of what is indexed of a review, if anything is. Empty if an older version indexed it.
async fn find_hash(tx: &mut Tx, review: ReviewId) -> Result<Option<String>> {
    let query = match &tx.transaction {
        AnyTransaction::Sqlite(_) => "select coalesce(hash, '') from search_documents where review_id = $1",
        AnyTransaction::Postgres(_) => "select coalesce(hash, '') from search_index where review_id = $1",
    };
    with_tx!(tx, |c| sqlx::query_scalar(query).bind(review).fetch_optional(c).await)
}

async fn delete(tx: &mut Tx, review: ReviewId) -> Result<()> {
    if let AnyTransaction::Sqlite(_) = &tx.transaction {
        let words = "delete from search_index where rowid = (select doc_id from search_documents where review_id = $1)";
        execute!(tx, sqlx::query(words).bind(review))?;
        execute!(tx, sqlx::query("delete from search_documents where review_id = $1").bind(review))?;
    } else {
        execute!(tx, sqlx::query("delete from search_index where review_id = $1").bind(review))?;
    }
    Ok(())
}

/// Finds a document id of that time that is not used.
async fn free_doc_id(tx: &mut Tx, moment: Timestamp) -> Result<i64> {
    let query = match &tx.transaction {
        AnyTransaction::Sqlite(_) => {
            "select max(doc_id) from search_documents where doc_id >= $1 and doc_id <= $2"
        }
        AnyTransaction::Postgres(_) => {
            tx.lock("browse_index").await?;
            "select max(doc_id) from search_index where doc_id >= $1 and doc_id <= $2"
        }
    };
    let mut moment = moment;
    loop {
        let (first, last) = (first_doc_id(moment), last_doc_id(moment));
        let last_used: Option<i64> =
            with_tx!(tx, |c| sqlx::query_scalar(query).bind(first).bind(last).fetch_one(c).await)?;
        match last_used {
            None => return Ok(first),
            Some(last_used) if last_used < last => return Ok(last_used + 1),
            // All ids of this millisecond are used.
            Some(_) => moment = moment + Duration::from_millis(1),
        }
    }
}

/// A tsvector as text: words of the head have the weight `A`, filter tokens `B`, words of the body `D`. No word
/// contains a quote, or begins as filter tokens do.
fn to_tsvector(indexed: &SearchDocument) -> String {
    let mut to_tsvector = String::new();
    for word in &indexed.head {
        let also = if indexed.body.contains(word) { ",2" } else { "" };
        let _ = write!(to_tsvector, "'{word}':1A{also} ");
    }
    for word in indexed.body.difference(&indexed.head) {
        let _ = write!(to_tsvector, "'{word}':1 ");
    }
    for mark in &indexed.filters {
        let _ = write!(to_tsvector, "'={mark}':1B ");
    }
    to_tsvector
}

/// Where the words must occur.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MatchScope {
    Head,
    Anywhere,
}

impl SearchCriteria<'_> {
    /// The query for FTS5. Quoted words consist of letters and digits.
    fn fts(&self, scope: MatchScope) -> String {
        let columns = if scope == MatchScope::Head { "{head}" } else { "{head body}" };
        let word =
            |word: &SearchTerm| format!("\"{}\"{}", word.as_str(), if word.is_prefix() { " *" } else { "" });
        let words: Vec<String> = self.words.iter().map(word).collect();
        let marks: Vec<String> = self.marks().map(|mark| format!("\"{mark}\"")).collect();
        let parts = [(columns, words), ("{marks}", marks)];
        let parts = parts.iter().filter(|(_, all)| !all.is_empty());
        parts
            .map(|(columns, all)| format!("{columns} : ({})", all.join(" AND ")))
            .collect::<Vec<_>>()
            .join(" AND ")
    }

    /// The query for PostgreSQL.
    fn tsquery(&self, scope: MatchScope) -> String {
        let weights = if scope == MatchScope::Head { "A" } else { "AD" };
        let word = |word: &SearchTerm| {
            format!("'{}':{}{weights}", word.as_str(), if word.is_prefix() { "*" } else { "" })
        };
        let marks = self.marks().map(|mark| format!("'={mark}'"));
        self.words.iter().map(word).chain(marks).collect::<Vec<_>>().join(" & ")
    }

    /// The filter tokens. A query needs at least one condition: that a review is public.
    fn marks(&self) -> impl Iterator<Item = &str> {
        let anything = (self.words.is_empty() && self.marks.is_empty()).then_some(search::PUBLIC_FILTER);
        self.marks.iter().map(String::as_str).chain(anything)
    }

    fn doc_ids(&self) -> (i64, i64) {
        self.span.map_or((i64::MIN, i64::MAX), |(from, until)| (first_doc_id(from), last_doc_id(until)))
    }
}

/// Finds public reviews: first those with the words in their head, then those with them anywhere, each the newest
/// first. Returns at most `limit`, from `offset` on.
pub async fn find(db: &Db, wanted: &SearchCriteria<'_>, limit: u32, offset: u32) -> Result<Vec<ReviewId>> {
    let most = limit.saturating_add(offset);
    let mut found = Vec::new();
    if !wanted.words.is_empty() {
        found = find_in(db, wanted, MatchScope::Head, most).await?;
    }
    if found.len() < most as usize {
        let first = found.len();
        for id in find_in(db, wanted, MatchScope::Anywhere, most).await? {
            if !found[..first].contains(&id) {
                found.push(id);
            }
        }
    }
    Ok(found.into_iter().skip(offset as usize).take(limit as usize).collect())
}

async fn find_in(
    db: &Db,
    wanted: &SearchCriteria<'_>,
    scope: MatchScope,
    limit: u32,
) -> Result<Vec<ReviewId>> {
    let (from, until) = wanted.doc_ids();
    match &db.pools {
        Pools::Sqlite { read, .. } => {
            let query = "select d.review_id from (
                    select rowid as doc_id from search_index where search_index match $1 and rowid >= $2 and rowid <= $3
                    order by rowid desc limit $4) s
                 join search_documents d on d.doc_id = s.doc_id order by s.doc_id desc";
            let query = sqlx::query_scalar(query).bind(wanted.fts(scope)).bind(from).bind(until);
            query.bind(i64::from(limit)).fetch_all(read).await
        }
        Pools::Postgres(pool) => {
            let query = "select review_id from search_index where words @@ cast($1 as tsquery) and doc_id >= $2 and doc_id <= $3
                 order by doc_id desc limit $4";
            let query = sqlx::query_scalar(query).bind(wanted.tsquery(scope)).bind(from).bind(until);
            query.bind(i64::from(limit)).fetch_all(pool).await
        }
    }
}

/// Counts the results up to `most`.
pub async fn count_matches(db: &Db, wanted: &SearchCriteria<'_>, most: u32) -> Result<u64> {
    let (from, until) = wanted.doc_ids();
    let total: i64 = match &db.pools {
        Pools::Sqlite { read, .. } => {
            let query = "select count(*) from (
                 select rowid from search_index where search_index match $1 and rowid >= $2 and rowid <= $3 limit $4)";
            let query =
                sqlx::query_scalar(query).bind(wanted.fts(MatchScope::Anywhere)).bind(from).bind(until);
            query.bind(i64::from(most)).fetch_one(read).await?
        }
        Pools::Postgres(pool) => {
            let query = "select count(*) from (
                 select doc_id from search_index where words @@ cast($1 as tsquery) and doc_id >= $2 and doc_id <= $3 limit $4) s";
            let query =
                sqlx::query_scalar(query).bind(wanted.tsquery(MatchScope::Anywhere)).bind(from).bind(until);
            query.bind(i64::from(most)).fetch_one(pool).await?
        }
    };
    Ok(to_unsigned(total))
}
