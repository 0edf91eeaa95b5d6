//! Direct writes to Marquee's database and reads from it. This is the only file of the benches that knows the
//! tables.

use anyhow::ensure;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

use super::postgres::Postgres;

/// A connection to Marquee's database.
#[derive(Debug)]
pub enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Followers of a critic, spread evenly over inboxes, which are spread evenly over hosts. The hosts are named
/// after `name`: `h0.bench.test`, `h1.bench.test`, …
#[derive(Debug, Clone, Copy)]
pub struct FollowerGroup {
    pub count: usize,
    pub inboxes: usize,
    pub hosts: usize,
    pub name: &'static str,
}

const FOLLOWERS: &str = "insert into followers (critic_id, actor, state, inbox, host, signed_at, created_at)
    with recursive numbers (n) as (select cast(0 as bigint) union all select n + 1 from numbers where n + 1 < $1)
    select c.id,
        'https://' || $4 || cast(n % $2 % $3 as text) || '.bench.test/users/' || cast(n as text), 'following',
        'https://' || $4 || cast(n % $2 % $3 as text) || '.bench.test/inbox/' || cast(n % $2 as text),
        $4 || cast(n % $2 % $3 as text) || '.bench.test', 0, 0
    from numbers cross join critics c where c.handle = 'critic'";

/// Reviews of films that share one star, a day apart. Marquee adds them to its browse index at the next
/// start.
const REVIEWS: &str = "insert into reviews (id, critic_id, create_id, slug, state, title, body, teaser, film, film_key,
        rating, tags, original_date, released_at, created_at)
    with recursive numbers (n) as (select cast(1 as bigint) union all select n + 1 from numbers where n < $1)
    select '01BX5ZZKBKACTAV9WEVG' || substr(cast(1000000 + n as text), 2), c.id,
        '01BX5ZZKBKACTAV9WEVH' || substr(cast(1000000 + n as text), 2), 'reel-' || cast(n as text), 'archive',
        'Reel ' || cast(n as text) || ' Earns Its Last Minute', replace($2, 'NUMBER', cast(n as text)),
        'What the camera leaves out is what one takes home.',
        '{\"title\":\"Reel ' || cast(n as text) || '\",\"year\":' || cast(1950 + n % 70 as text)
            || ',\"directors\":[\"Director N' || cast(n % 300 as text) || '\"],\"stars\":[\"Cleo Marsh\",\"Star N'
            || cast(n % 2000 as text) || '\"]}',
        'reel-' || cast(n as text), substr('★★★★★', 1, cast(1 + n % 5 as integer)), '[\"drama\",\"tag '
            || cast(n % 40 as text) || '\"]',
        1700000000000 - n * 86400000, 1700000000000 - n * 86400000, 1700000000000
    from numbers cross join critics c where c.handle = 'critic'";

/// The slug of each review.
const SLUGS: &str = "insert into slugs (slug, review_id) select slug, id from reviews";

/// Marks the lists as changed.
const BUMP_LISTS_VERSION: &str = "update page_versions set version = version + 1 where subject = 'lists'";

/// Pending deliveries and fan-outs.
const UNDELIVERED: &str = "select (select count(*) from fanouts)
    + (select count(*) from deliveries where state = 'queued')";

/// Accepted inbound activities.
const ACCEPTED: &str = "select count(*) from inbox_activities";

/// Accepted activities that have not taken effect.
const UNAPPLIED: &str = "select count(*) from inbox_activities where state = 'queued'";

/// A new PostgreSQL database with durable commits, unlike those of the tests.
pub async fn postgres() -> anyhow::Result<Postgres> {
    let postgres = Postgres::create().await;
    let url = postgres.url();
    let name = url.rsplit('/').next().unwrap_or_default();
    let mut connection = PgConnection::connect(&url).await?;
    let statement = format!("alter database {name} set synchronous_commit = on");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    Ok(postgres)
}

impl Database {
    /// Connects to the database.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        Ok(if url.starts_with("sqlite:") {
            Self::Sqlite(SqliteConnection::connect(url).await?)
        } else {
            Self::Postgres(PgConnection::connect(url).await?)
        })
    }

    /// Adds followers to the critic.
    pub async fn follow(&mut self, followers: FollowerGroup) -> anyhow::Result<()> {
        let FollowerGroup { count, inboxes, hosts, name } = followers;
        ensure!(
            count >= inboxes && inboxes >= hosts,
            "each host needs an inbox, and each inbox needs a follower"
        );
        let numbers = (i64::try_from(count)?, i64::try_from(inboxes)?, i64::try_from(hosts)?);
        macro_rules! insert {
            ($database:expr) => {
                sqlx::query(FOLLOWERS)
                    .bind(numbers.0)
                    .bind(numbers.1)
                    .bind(numbers.2)
                    .bind(name)
                    .execute($database)
                    .await?
                    .rows_affected()
            };
        }
        let added = match self {
            Self::Sqlite(database) => insert!(database),
            Self::Postgres(database) => insert!(database),
        };
        ensure!(usize::try_from(added)? == count, "{added} followers were added instead of {count}");
        Ok(())
    }

    /// Inserts reviews of about 4,000 characters each, without their entries in the browse index.
    pub async fn write_reviews(&mut self, count: usize) -> anyhow::Result<()> {
        let words =
            "the ferry leaves at six and a radio plays under the bench NUMBER while rain falls on it ";
        let body = format!("<p>{}</p>", words.repeat(45));
        macro_rules! insert {
            ($database:expr) => {{
                let query = sqlx::query(REVIEWS).bind(i64::try_from(count)?).bind(&body);
                let added = query.execute(&mut *$database).await?.rows_affected();
                sqlx::query(SLUGS).execute(&mut *$database).await?;
                added
            }};
        }
        let added = match self {
            Self::Sqlite(database) => insert!(database),
            Self::Postgres(database) => insert!(database),
        };
        ensure!(usize::try_from(added)? == count, "{added} reviews were inserted instead of {count}");
        Ok(())
    }

    /// Invalidates every cached list.
    pub async fn invalidate_lists(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(database) => {
                sqlx::query(BUMP_LISTS_VERSION).execute(database).await?;
            }
            Self::Postgres(database) => {
                sqlx::query(BUMP_LISTS_VERSION).execute(database).await?;
            }
        }
        Ok(())
    }

    /// Counts pending deliveries and fan-outs that are not expanded yet.
    pub async fn undelivered(&mut self) -> anyhow::Result<i64> {
        self.count(UNDELIVERED).await
    }

    /// Counts accepted activities.
    pub async fn accepted(&mut self) -> anyhow::Result<i64> {
        self.count(ACCEPTED).await
    }

    /// Counts accepted activities that have not taken effect.
    pub async fn unapplied(&mut self) -> anyhow::Result<i64> {
        self.count(UNAPPLIED).await
    }

    async fn count(&mut self, query: &'static str) -> anyhow::Result<i64> {
        Ok(match self {
            Self::Sqlite(database) => sqlx::query_scalar(query).fetch_one(database).await?,
            Self::Postgres(database) => sqlx::query_scalar(query).fetch_one(database).await?,
        })
    }
}
