//! An upgrade beside other processes: one process upgrades, the others wait, and nobody is aborted.

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
        (lines("locking the database for an upgrade") == 2).then_some(())
    })
    .await;
    sql.execute("rollback").await;
    eventually("what both print", || async { (lines("Spoilers!") == 2).then_some(()) }).await;
    assert_eq!(lines("upgrading the database"), 1);
    assert_eq!(lines("database is up to date"), 1);
    assert_eq!(sql.texts("select cast(count(*) as text) from _sqlx_migrations").await, ["10"]);
}

/// Waits until the upgrade waits for a table.
async fn await_waiting(sql: &mut Sql) {
    let query = "select cast(count(*) as text) from pg_locks where not granted and locktype = 'relation'";
    while sql.texts(query).await == ["0"] {
        tokio::task::yield_now().await;
    }
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
    tokio::time::timeout(WAIT_TIMEOUT, await_waiting(&mut observer)).await.expect("an upgrade that waits");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replacing_triggers_aborts_no_transaction() {
    let mut fixture = Fixture::new(Database::Postgres).await;
    fixture.app.terminate().await;
    let mut sql = Sql::connect(&fixture.app.database_url()).await;
    sql.execute("update settings set value = 'of an older version' where key = 'triggers_hash'").await;
    upgrade_beside_a_transaction(fixture, sql).await;
}
