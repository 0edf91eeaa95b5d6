//! Databases of earlier and later versions: an upgrade loses nothing, and nothing is done to what a newer version made.

use std::collections::{BTreeMap, BTreeSet};

use marquee::domain::activity::ActivityKind;
use marquee::domain::browse_index::BrowseKind;
use marquee::domain::comment::CommentState;
use marquee::domain::delivery::DeliveryState;
use marquee::domain::domain_rules::DomainRule;
use marquee::domain::feed::{HoldReason, IngestDecision};
use marquee::domain::follower::FollowState;
use marquee::domain::inbox_activity::InboxState;
use marquee::domain::quote_authorization::AuthorizationState;
use marquee::domain::reaction::{ReactionEventKind, ReactionKind, ToggleState};
use marquee::domain::report::ReportState;
use marquee::domain::review::ReviewState;
use marquee::domain::review_stats::ReviewStatKind;
use marquee::domain::signature_scheme::SignatureScheme;
use marquee::store::{Access, Db};
use serde_json::{Value, json};

use crate::both_databases;
use crate::support::own_database::{OwnDatabase, Rows, Sql, sorted};
use crate::support::{Database, Fixture};

both_databases!(
    an_upgrade_loses_no_row_and_gives_the_schema_of_a_new_site,
    the_columns_allow_what_the_enums_have,
    a_command_that_reads_upgrades_nothing,
    a_database_of_a_newer_version_is_left_alone,
    triggers_are_replaced_when_they_differ,
    two_processes_upgrade_once,
);
#[cfg(feature = "failpoints")]
both_databases!(killed_while_it_upgrades_it_upgrades_at_its_next_start);

const SQLITE: &str = include_str!("fixtures/upgrade/0009-sqlite.sql");
const POSTGRES: &str = include_str!("fixtures/upgrade/0009-postgres.sql");

/// Tables that have another name since.
const TABLES: [(&str, &str); 17] = [
    ("keys", "signing_keys"),
    ("entries", "feed_entries"),
    ("inboxes", "follower_inboxes"),
    ("follower_days", "daily_followers"),
    ("received", "inbox_activities"),
    ("withdrawals", "tombstones"),
    ("stamps", "authorizations"),
    ("shelved", "browse_index"),
    ("shelves", "browse_terms"),
    ("search", "search_index"),
    ("search_places", "search_documents"),
    ("tallies", "review_stats"),
    ("arrivals", "reaction_events"),
    ("reads", "daily_views"),
    ("readers", "view_counts"),
    ("strangers", "unresolved_actors"),
    ("faces", "facepile"),
];

/// Columns that have another name since, by the new name of their table.
const COLUMNS: [(&str, &str, &str); 14] = [
    ("critics", "avatar", "avatar_source"),
    ("critics", "announced", "announced_hash"),
    ("reviews", "shelved", "browse_indexed"),
    ("feed_entries", "held_for", "hold_reason"),
    ("feed_log", "at", "created_at"),
    ("actors", "avatar_of", "fetched_icon"),
    ("inbox_activities", "waits_for", "waiting_for"),
    ("hosts", "signature", "signature_scheme"),
    ("hosts", "closed_until", "retry_at"),
    ("search_index", "place", "doc_id"),
    ("search_documents", "place", "doc_id"),
    ("view_counts", "reads", "views"),
    ("view_counts", "told_reads", "published_views"),
    ("view_counts", "told_hosts", "published_hosts"),
];

/// Values that are others since.
const VALUES: [(&str, &str, &str, &str); 3] = [
    ("feed_entries", "held_for", "turn", "next_poll"),
    ("feed_entries", "held_for", "likeness", "similar"),
    ("settings", "key", "reach", "delivery_cursor"),
];

/// A table that holds states or kinds, its column, and what it may hold.
type Check = (&'static str, &'static str, Vec<&'static str>);

fn checks() -> Vec<Check> {
    macro_rules! names {
        ($enum:ty) => {
            <$enum>::ALL.iter().map(|variant| variant.as_str()).collect()
        };
    }
    vec![
        ("reviews", "state", names!(ReviewState)),
        ("feed_entries", "hold_reason", names!(HoldReason)),
        ("feed_log", "decision", names!(IngestDecision)),
        ("followers", "state", names!(FollowState)),
        ("activities", "kind", names!(ActivityKind)),
        ("deliveries", "kind", names!(ActivityKind)),
        ("deliveries", "state", names!(DeliveryState)),
        ("delivery_totals", "state", names!(DeliveryState)),
        ("inbox_activities", "state", names!(InboxState)),
        ("comments", "state", names!(CommentState)),
        ("reactions", "kind", names!(ReactionKind)),
        ("reactions", "state", names!(ToggleState)),
        ("hosts", "signature_scheme", names!(SignatureScheme)),
        ("domain_rules", "rule", names!(DomainRule)),
        ("blockers", "state", names!(ToggleState)),
        ("authorizations", "state", names!(AuthorizationState)),
        ("reports", "state", names!(ReportState)),
        ("browse_index", "kind", names!(BrowseKind)),
        ("browse_terms", "kind", names!(BrowseKind)),
        ("review_stats", "kind", names!(ReviewStatKind)),
        ("reaction_events", "kind", names!(ReactionEventKind)),
    ]
}

fn dump(database: Database) -> &'static str {
    match database {
        Database::Sqlite => SQLITE,
        Database::Postgres => POSTGRES,
    }
}

fn table_now(table: &str) -> &str {
    TABLES.iter().find(|(old, _)| *old == table).map_or(table, |(_, new)| new)
}

/// The rows as they are after the upgrade.
fn renamed(before: &Rows) -> Rows {
    let rows = before.iter().map(|(table, rows)| {
        let table = table_now(table);
        let name = |column: &str| {
            COLUMNS.iter().find(|(of, old, _)| (*of, *old) == (table, column)).map(|(_, _, new)| *new)
        };
        let value = |column: &str, value: &Value| {
            // SQLite's values are written with quotes.
            let found = VALUES.iter().find(|(of, named, old, _)| {
                (*of, *named) == (table, column)
                    && value.as_str().is_some_and(|v| v.trim_matches('\'') == *old)
            });
            found.map(|(.., old, new)| json!(value.as_str().unwrap_or_default().replace(old, new)))
        };
        (table.to_owned(), rows.iter().map(|row| sorted(row, name, value)).collect())
    });
    rows.collect()
}

async fn an_upgrade_loses_no_row_and_gives_the_schema_of_a_new_site(database: Database) {
    let (upgraded, new) = (OwnDatabase::new(database).await, OwnDatabase::new(database).await);
    let mut sql = upgraded.connect().await;
    sql.execute(dump(database)).await;
    // The dump of PostgreSQL changes settings of the connection.
    let mut sql = upgraded.connect().await;
    let before = sql.rows().await;
    for (table, rows) in &before {
        assert!(!rows.is_empty(), "the fixture has no row of {table}");
    }
    for url in [upgraded.url(), new.url()] {
        Db::open(&url, Access::Write).await.expect("a database").close().await;
    }
    let mut after = sql.rows().await;
    let settings = after.get_mut("settings").expect("settings");
    settings.retain(|row| !row.contains("triggers_hash"));
    let expected = renamed(&before);
    for (table, rows) in &expected {
        assert_eq!(after.get(table), Some(rows), "{table}");
    }
    assert_eq!(expected.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    if database == Database::Sqlite {
        let found = "select cast(rowid as text) from search_index where search_index match 'head : ferry AND body : radio'";
        assert_eq!(sql.texts(found).await.len(), 2);
    }
    let mut fresh = new.connect().await;
    let (ours, theirs) = (sql.schema().await, fresh.schema().await);
    assert_eq!(ours.difference(&theirs).collect::<Vec<_>>(), Vec::<&String>::new(), "only after an upgrade");
    assert_eq!(theirs.difference(&ours).collect::<Vec<_>>(), Vec::<&String>::new(), "only on a new site");
}

async fn the_columns_allow_what_the_enums_have(database: Database) {
    let own = OwnDatabase::new(database).await;
    own.connect().await.execute(dump(database)).await;
    Db::open(&own.url(), Access::Write).await.expect("a database").close().await;
    let mut sql = own.connect().await;
    let found = sql.checks().await;
    let expected: BTreeMap<(String, String), BTreeSet<String>> = checks()
        .into_iter()
        .map(|(table, column, names)| {
            ((table.to_owned(), column.to_owned()), names.into_iter().map(str::to_owned).collect())
        })
        .collect();
    assert_eq!(found, expected);
    // The fixture has each of them.
    for ((table, column), names) in &expected {
        let query = format!("select distinct {column} from {table} where {column} is not null");
        let stored: BTreeSet<String> = sql.texts(&query).await.into_iter().collect();
        assert_eq!(&stored, names, "{table}.{column}");
    }
}

/// A site whose database is that of the version before; it does not run.
async fn outdated(database: Database) -> (Fixture, Sql) {
    let mut fixture = Fixture::new(database).await;
    fixture.app.terminate().await;
    let url = fixture.app.database_url();
    if let Some(path) = url.strip_prefix("sqlite://") {
        for file in [path.to_owned(), format!("{path}-wal"), format!("{path}-shm")] {
            let _ = std::fs::remove_file(file);
        }
    } else {
        Sql::connect(&url).await.execute("drop schema public cascade; create schema public").await;
    }
    Sql::connect(&url).await.execute(dump(database)).await;
    // The keys of the fixture are none: new ones are made.
    Sql::connect(&url).await.execute("delete from keys").await;
    (fixture, Sql::connect(&url).await)
}

async fn a_command_that_reads_upgrades_nothing(database: Database) {
    let (mut fixture, mut sql) = outdated(database).await;
    let before = (sql.schema().await, sql.rows().await);
    for command in [&["insights"][..], &["comment", "list"], &["follower", "list"], &["feed", "log"]] {
        let output = fixture.app.cli(command).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("older version of Marquee"), "{command:?}: {said}");
    }
    assert_eq!((sql.schema().await, sql.rows().await), before);
    // One that writes does, and then they all read.
    let reports = fixture.app.command_output(&["report", "list"]).await;
    assert!(reports.contains("Spoilers!"), "{reports}");
    let comments = fixture.app.command_output(&["comment", "list"]).await;
    assert!(comments.contains("Comment 1") && comments.contains("withheld"), "{comments}");
    fixture.app.start().await;
    let page = fixture.app.get_page("/reviews/the-night-ferry-4").await;
    assert!(
        page.body.contains("The Night Ferry, Take 4") && page.body.contains("Comment 1"),
        "{}",
        page.body
    );
}

/// Two processes at once: one upgrades, the other waits for it.
async fn two_processes_upgrade_once(database: Database) {
    let (fixture, mut sql) = outdated(database).await;
    let (one, other) =
        tokio::join!(fixture.app.cli(&["report", "list"]), fixture.app.cli(&["report", "list"]));
    for output in [one, other] {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(sql.texts("select cast(count(*) as text) from _sqlx_migrations").await, ["10"]);
}

/// Before the commit, and between what is committed apart.
#[cfg(feature = "failpoints")]
async fn killed_while_it_upgrades_it_upgrades_at_its_next_start(database: Database) {
    for place in crate::failpoints::UPGRADE {
        let (mut fixture, mut sql) = outdated(database).await;
        let before = sql.rows().await;
        fixture.app.set_env("FAILPOINTS", &format!("{place}=return"));
        fixture.app.launch();
        fixture.app.await_exit().await;
        fixture.app.set_env("FAILPOINTS", "");
        fixture.app.command_output(&["report", "list"]).await;
        let after = sql.rows().await;
        for (table, rows) in renamed(&before).iter().filter(|(table, _)| table.as_str() != "settings") {
            assert!(after[table].len() >= rows.len(), "{place}: {table}");
        }
        assert_eq!(after["comments"], before["comments"], "{place}");
        let triggers = match database {
            Database::Sqlite => "select name from sqlite_master where type = 'trigger'",
            Database::Postgres => "select cast(tgname as text) from pg_trigger where not tgisinternal",
        };
        let triggers = sql.texts(triggers).await;
        assert!(triggers.len() > 30 && triggers.iter().all(|name| name.starts_with("marquee_")), "{place}");
    }
}

async fn a_database_of_a_newer_version_is_left_alone(database: Database) {
    let mut fixture = Fixture::new(database).await;
    fixture.app.terminate().await;
    let mut sql = Sql::connect(&fixture.app.database_url()).await;
    let checksum = if database == Database::Sqlite { "x'00'" } else { "'\\x00'" };
    sql.execute(&format!(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'later', true, {checksum}, 0);
         update settings set value = 'of a newer version' where key = 'triggers_hash'"
    ))
    .await;
    let before = (sql.schema().await, sql.rows().await);
    for command in [&["serve"][..], &["report", "list"], &["comment", "list"]] {
        let output = fixture.app.cli(command).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{command:?}");
        assert!(said.contains("newer version of Marquee") && said.contains("9999"), "{command:?}: {said}");
    }
    assert_eq!((sql.schema().await, sql.rows().await), before);
}

async fn triggers_are_replaced_when_they_differ(database: Database) {
    let mut fixture = Fixture::new(database).await;
    fixture.app.terminate().await;
    let mut sql = Sql::connect(&fixture.app.database_url()).await;
    let whole = sql.schema().await;
    sql.execute("update settings set value = 'of an older version' where key = 'triggers_hash'").await;
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
