//! Upgrades while other processes are running: one process upgrades, the others wait, and no transaction is aborted.

use crate::both_databases;
use crate::support::own_database::{Sql, outdated};
use crate::support::{Database, Fixture, WAIT_TIMEOUT, eventually};

both_databases!(two_processes_upgrade_once);

/// Both processes are made to wait, so that they reach the lock together.
async fn two_processes_upgrade_once(database: Database) {
    let (fixture, mut sql) = outdated(database).await;
    sql.execute(match database {
        // As version 0.1.0 left it.
        Database::Sqlite => "pragma journal_mode = wal; begin immediate",
        Database::Postgres => "begin; lock table reviews in row exclusive mode",
    })
    .await;
    let lines = |text: &str| fixture.app.log().iter().filter(|line| line.contains(text)).count();
    let _processes = [(); 2].map(|()| fixture.app.spawn_command(&["report", "list"]));
    eventually("two processes that wait", || async {
        let waiting = lines("waiting for another process") + lines("other processes are using the database");
        (waiting == 2).then_some(())
    })
    .await;
    sql.execute("rollback").await;
    eventually("what both print", || async { (lines("Spoilers!") == 2).then_some(()) }).await;
    assert_eq!(lines("upgrading the database"), 1);
    assert_eq!(lines("database is up to date"), 1);
    assert_eq!(sql.texts("select cast(count(*) as text) from _sqlx_migrations").await, ["22"]);
}

/// Waits until the upgrade waits for this table, and returns the names of the tables that it has locked. It tries again and
/// again, so that one query must see both.
async fn await_waiting(sql: &mut Sql, table: &str) -> Vec<String> {
    let query = format!(
        "select distinct cast(h.relation::regclass as text) from pg_locks w join pg_locks h using (pid)
         where not w.granted and w.relation = cast('{table}' as regclass) and w.mode = 'AccessExclusiveLock'
            and w.database = (select oid from pg_database where datname = current_database())
            and h.granted and h.mode = 'AccessExclusiveLock' and h.locktype = 'relation'"
    );
    let waiting = tokio::time::timeout(WAIT_TIMEOUT, async {
        loop {
            let locked = sql.texts(&query).await;
            if !locked.is_empty() {
                return locked;
            }
            tokio::task::yield_now().await;
        }
    });
    waiting.await.expect("an upgrade that waits")
}

/// While the upgrade waits for a table that a transaction uses, it must not keep another one that the transaction needs next:
/// the database would abort one of them.
async fn upgrade_beside_a_transaction(fixture: Fixture, mut sql: Sql) {
    let mut observer = Sql::connect(&fixture.app.database_url()).await;
    let tables = "select cast(tablename as text) from pg_tables
         where schemaname = 'public' and not starts_with(tablename, '_sqlx') order by tablename";
    let tables = sql.texts(tables).await;
    // The triggers of this table are the last ones that are dropped.
    sql.execute("begin; lock table domain_rules in row exclusive mode").await;
    let _process = fixture.app.spawn_command(&["report", "list"]);
    let locked = await_waiting(&mut observer, "domain_rules").await;
    assert!(locked.contains(&tables[0]), "{locked:?}");
    for table in tables {
        sql.execute(&format!("lock table {table} in row exclusive mode")).await;
    }
    sql.execute("commit").await;
    fixture.app.await_log("the end of the upgrade", |line| line.contains("database is up to date")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_aborts_no_transaction() {
    let (fixture, sql) = outdated(Database::Postgres).await;
    upgrade_beside_a_transaction(fixture, sql).await;
}

/// PostgreSQL cancels an autovacuum for a transaction that has waited for `deadlock_timeout`; a vacuum of a large table would
/// otherwise outlast one attempt of the upgrade. Whoever waits that long must not hold a lock that others wait for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_waits_long_enough_to_end_an_autovacuum() {
    let (fixture, mut sql) = outdated(Database::Postgres).await;
    let mut observer = Sql::connect(&fixture.app.database_url()).await;
    sql.execute("begin; lock table domain_rules in share update exclusive mode").await;
    let _process = fixture.app.spawn_command(&["report", "list"]);
    let query = "select cast(count(*) as text) from pg_locks w
         where not w.granted and w.relation = cast('domain_rules' as regclass) and w.mode = 'AccessExclusiveLock'
            and clock_timestamp() - w.waitstart > cast(current_setting('deadlock_timeout') as interval)
            and w.database = (select oid from pg_database where datname = current_database())
            and not exists (
                select 1 from pg_locks h
                where h.pid = w.pid and h.granted and h.locktype = 'relation' and h.mode = 'AccessExclusiveLock')";
    let waiting = tokio::time::timeout(WAIT_TIMEOUT, async {
        while observer.texts(query).await != ["1"] {
            tokio::task::yield_now().await;
        }
    });
    waiting.await.expect("an upgrade that waits for longer than deadlock_timeout");
    sql.execute("commit").await;
    fixture.app.await_log("the end of the upgrade", |line| line.contains("database is up to date")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_waits_for_an_upgrade_can_be_stopped() {
    for database in [Database::Sqlite, Database::Postgres] {
        let (mut fixture, mut sql) = outdated(database).await;
        sql.execute(match database {
            Database::Sqlite => "pragma journal_mode = wal; begin immediate",
            Database::Postgres => "begin; lock table reviews in row exclusive mode",
        })
        .await;
        fixture.app.launch();
        let is_waiting = |line: &str| match database {
            Database::Sqlite => line.contains("waiting for another process"),
            Database::Postgres => line.contains("other processes are using the database"),
        };
        fixture.app.await_log("a server that waits", is_waiting).await;
        fixture.app.terminate().await;
        sql.execute("rollback").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replacing_triggers_aborts_no_transaction() {
    let mut fixture = Fixture::new(Database::Postgres).await;
    fixture.app.terminate().await;
    let mut sql = Sql::connect(&fixture.app.database_url()).await;
    sql.execute("update settings set value = 'of an older version' where key = 'triggers_hash'").await;
    upgrade_beside_a_transaction(fixture, sql).await;
}
