//! Direct access to Marquee's database, to act as another process, an administrator or a failure.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

use super::app::App;

/// A connection of the test.
pub enum DbControl {
    Sqlite(SqliteConnection),
    Postgres { own: PgConnection, cluster: PgConnection, name: String },
}

impl DbControl {
    pub async fn connect(app: &App) -> Self {
        let url = app.database_url();
        if url.starts_with("sqlite:") {
            return Self::Sqlite(SqliteConnection::connect(&url).await.expect("a database"));
        }
        let (cluster, name) = url.rsplit_once('/').expect("a database's URL");
        let own = PgConnection::connect(&url).await.expect("a database");
        let cluster = PgConnection::connect(&format!("{cluster}/postgres")).await.expect("a cluster");
        Self::Postgres { own, cluster, name: name.to_owned() }
    }

    /// Executes a statement.
    pub async fn execute(&mut self, statement: &str) {
        let result = match self {
            Self::Sqlite(own) => sqlx::raw_sql(AssertSqlSafe(statement)).execute(own).await.map(|_| ()),
            Self::Postgres { own, .. } => {
                sqlx::raw_sql(AssertSqlSafe(statement)).execute(own).await.map(|_| ())
            }
        };
        result.unwrap_or_else(|e| panic!("{statement}: {e}"));
    }

    /// Blocks the acceptance of activities until `unblock_writes`.
    pub async fn block_writes(&mut self) {
        let statement = match self {
            Self::Sqlite(_) => "begin immediate",
            Self::Postgres { .. } => "begin; lock table seen_signatures in exclusive mode",
        };
        self.execute(statement).await;
    }

    pub async fn unblock_writes(&mut self) {
        self.execute("rollback").await;
    }

    /// Makes the database unavailable: another process locks it on SQLite, and on PostgreSQL every connection
    /// is closed and no new one is accepted.
    pub async fn make_unavailable(&mut self) {
        match self {
            Self::Sqlite(_) => self.block_writes().await,
            Self::Postgres { cluster, name, .. } => {
                for statement in [
                    format!("alter database {name} allow_connections false"),
                    format!(
                        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
                    ),
                ] {
                    sqlx::raw_sql(AssertSqlSafe(statement))
                        .execute(&mut *cluster)
                        .await
                        .expect("a statement");
                }
            }
        }
    }

    /// Makes the database available again.
    pub async fn make_available(&mut self) {
        match self {
            Self::Sqlite(_) => self.unblock_writes().await,
            Self::Postgres { cluster, name, .. } => {
                let statement = format!("alter database {name} allow_connections true");
                sqlx::raw_sql(AssertSqlSafe(statement)).execute(cluster).await.expect("a database");
            }
        }
    }

    /// Makes every insert fail whose column contains this word. SQLite then rolls back the whole transaction,
    /// as it does when the disk is full.
    pub async fn fail_inserts_containing(&mut self, table: &str, column: &str, word: &str) {
        let statement = match self {
            Self::Sqlite(_) => format!(
                "create trigger poison before insert on {table} when instr(new.{column}, '{word}')
                 begin select raise(rollback, 'poison'); end"
            ),
            Self::Postgres { .. } => format!(
                "create function poison() returns trigger language plpgsql as
                    $$ begin raise exception 'poison'; end $$;
                 create trigger poison before insert on {table} for each row
                    when (position('{word}' in new.{column}) > 0) execute function poison()"
            ),
        };
        self.execute(&statement).await;
    }

    /// Makes every update of the table fail whose new row meets the condition.
    pub async fn fail_updates(&mut self, table: &str, condition: &str) {
        let statement = match self {
            Self::Sqlite(_) => format!(
                "create trigger poison before update on {table} when {condition}
                 begin select raise(abort, 'poison'); end"
            ),
            Self::Postgres { .. } => format!(
                "create function poison() returns trigger language plpgsql as
                    $$ begin raise exception 'poison'; end $$;
                 create trigger poison before update on {table} for each row
                    when ({condition}) execute function poison()"
            ),
        };
        self.execute(&statement).await;
    }

    pub async fn stop_failing_updates(&mut self, table: &str) {
        self.stop_failing_inserts(table).await;
    }

    pub async fn stop_failing_inserts(&mut self, table: &str) {
        let statement = match self {
            Self::Sqlite(_) => "drop trigger poison".to_owned(),
            Self::Postgres { .. } => format!("drop trigger poison on {table}"),
        };
        self.execute(&statement).await;
    }
}

impl App {
    /// The bodies of the inbound activities in the database, one per line.
    pub async fn received_bodies(&self) -> String {
        let (query, url) = ("select body from inbox_activities", self.database_url());
        let bodies: Vec<String> = if url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&url).await.expect("a database");
            sqlx::query_scalar(query).fetch_all(&mut connection).await.expect("bodies")
        } else {
            let mut connection = PgConnection::connect(&url).await.expect("a database");
            sqlx::query_scalar(query).fetch_all(&mut connection).await.expect("bodies")
        };
        bodies.join("\n")
    }

    /// Runs a query that returns a number and may differ between the databases.
    pub async fn number(&self, sqlite: &'static str, postgres: &'static str) -> i64 {
        let url = self.database_url();
        if url.starts_with("sqlite:") {
            let mut connection = SqliteConnection::connect(&url).await.expect("a database");
            return sqlx::query_scalar(sqlite).fetch_one(&mut connection).await.expect("a number");
        }
        let mut connection = PgConnection::connect(&url).await.expect("a database");
        sqlx::query_scalar(postgres).fetch_one(&mut connection).await.expect("a number")
    }
}
