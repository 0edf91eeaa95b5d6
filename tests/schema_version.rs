//! Databases whose schema is of another version: nothing is done to what a newer version made, and older triggers are
//! replaced.

use crate::both_databases;
use crate::support::own_database::Sql;
use crate::support::{Database, Fixture};

both_databases!(
    a_database_of_a_newer_version_is_left_alone,
    newer_triggers_are_left_alone,
    a_newer_version_may_have_other_tables,
    a_migration_that_was_never_released_is_not_called_newer,
    triggers_are_replaced_when_they_differ,
);

/// A site that does not run, and a connection to its database.
async fn stopped(database: Database) -> (Fixture, Sql) {
    let mut fixture = Fixture::new(database).await;
    fixture.app.terminate().await;
    let sql = Sql::connect(&fixture.app.database_url()).await;
    (fixture, sql)
}

async fn insert_migrations(sql: &mut Sql, versions: &[i64]) {
    let checksum = if matches!(sql, Sql::Sqlite(_)) { "x'00'" } else { "'\\x00'" };
    for version in versions {
        let insert = format!(
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
             values ({version}, 'later', true, {checksum}, 0)"
        );
        sql.execute(&insert).await;
    }
}

/// Every command fails with this message and changes nothing.
async fn assert_rejected(fixture: &Fixture, sql: &mut Sql, message: &[&str]) -> String {
    let before = (sql.schema().await, sql.rows().await);
    let mut error = String::new();
    for command in [&["serve"][..], &["report", "list"], &["comment", "list"]] {
        let output = fixture.app.cli(command).await;
        error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{command:?}");
        assert!(message.iter().all(|part| error.contains(part)), "{command:?}: {error}");
    }
    assert_eq!((sql.schema().await, sql.rows().await), before);
    error
}

/// The newest migration is named, even if an older one was changed, too.
async fn a_database_of_a_newer_version_is_left_alone(database: Database) {
    let (fixture, mut sql) = stopped(database).await;
    insert_migrations(&mut sql, &[9998, 9999]).await;
    sql.execute(
        "update _sqlx_migrations set checksum = (select checksum from _sqlx_migrations where version = 9999)
            where version = 3",
    )
    .await;
    let url = fixture.app.database_url();
    let file = url.strip_prefix("sqlite://");
    // A copy that was restored may have no write-ahead log: not even that is changed.
    if file.is_some() {
        sql.execute("pragma journal_mode = delete").await;
    }
    let bytes = || file.map(|file| std::fs::read(file).expect("the database"));
    let before = bytes();
    assert_rejected(&fixture, &mut sql, &["made by a newer Marquee", "9999"]).await;
    assert!(bytes() == before, "the file has changed");
}

async fn newer_triggers_are_left_alone(database: Database) {
    let (fixture, mut sql) = stopped(database).await;
    sql.execute(
        "update settings set value = '999' where key = 'triggers_version';
         update settings set value = 'of a newer version' where key = 'triggers_hash'",
    )
    .await;
    assert_rejected(&fixture, &mut sql, &["made by a newer Marquee", "999"]).await;
}

async fn a_newer_version_may_have_other_tables(database: Database) {
    let (fixture, mut sql) = stopped(database).await;
    insert_migrations(&mut sql, &[9999]).await;
    sql.execute("alter table settings rename to site_settings").await;
    assert_rejected(&fixture, &mut sql, &["made by a newer Marquee", "9999"]).await;
}

/// As a build from another branch leaves it.
async fn a_migration_that_was_never_released_is_not_called_newer(database: Database) {
    let (fixture, mut sql) = stopped(database).await;
    insert_migrations(&mut sql, &[0]).await;
    let error = assert_rejected(&fixture, &mut sql, &["migration 0"]).await;
    assert!(!error.contains("newer"), "{error}");
}

async fn triggers_are_replaced_when_they_differ(database: Database) {
    let (fixture, mut sql) = stopped(database).await;
    let whole = sql.schema().await;
    for outdated in [
        "update settings set value = 'of an older version' where key = 'triggers_hash'",
        "delete from settings where key = 'triggers_version'",
    ] {
        sql.execute(outdated).await;
        sql.execute(match database {
            Database::Sqlite => {
                "drop trigger marquee_comments_insert_stats;
                 create trigger marquee_of_old after insert on comments begin select 1; end"
            }
            Database::Postgres => {
                "drop trigger marquee_comments_insert_stats on comments;
                 create function marquee_of_old() returns trigger language plpgsql as $$ begin return null; end $$;
                 create trigger marquee_of_old after insert on comments execute function marquee_of_old()"
            }
        })
        .await;
        let changed = sql.schema().await;
        assert_ne!(changed, whole);
        fixture.app.command_output(&["comment", "list"]).await;
        assert_eq!(sql.schema().await, changed, "a command that reads leaves them");
        fixture.app.command_output(&["report", "list"]).await;
        assert_eq!(sql.schema().await, whole);
    }
}

/// An operator may have functions of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_that_are_not_triggers_are_left_alone() {
    let (fixture, mut sql) = stopped(Database::Postgres).await;
    sql.execute(
        "create function marquee_backup() returns text language sql as $$ select 'done' $$;
         create procedure marquee_clean() language sql as $$ select 1 $$;
         update settings set value = 'of an older version' where key = 'triggers_hash'",
    )
    .await;
    fixture.app.command_output(&["report", "list"]).await;
    assert_eq!(sql.texts("select marquee_backup()").await, ["done"]);
    sql.execute("call marquee_clean()").await;
}
