//! An upgrade of a database of version 0.1.0 loses nothing: no row, no column, no key and no index.

use std::collections::{BTreeMap, BTreeSet};

use marquee::store::{Access, Db, named_columns};
use serde_json::{Map, Value, json};

use crate::both_databases;
use crate::support::Database;
use crate::support::own_database::{OwnDatabase, Rows, TablePart, dump, outdated, sorted};

both_databases!(
    an_upgrade_loses_no_row_and_gives_the_schema_of_a_new_site,
    the_columns_allow_what_the_enums_have,
    a_command_that_reads_upgrades_nothing,
    a_state_that_no_enum_has_is_an_error_that_names_its_column,
);
#[cfg(feature = "failpoints")]
both_databases!(killed_while_it_upgrades_it_upgrades_at_its_next_start);

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

/// Tables (`None`) and columns that a later migration added. Version 0.1.0, and with it the fixture, has none of them.
const ADDED: &[(&str, Option<&str>)] = &[
    ("feeds", Some("read_url")),
    ("feeds", Some("parser_version")),
    ("feeds", Some("selection")),
    ("reviews", Some("recording")),
    ("reviews", Some("has_spoilers")),
    ("feed_entries", Some("source")),
    ("feed_entries", Some("publish_since")),
    ("feed_entries", Some("pending_source")),
    ("feed_entries", Some("pending_hash")),
    ("feed_entries", Some("pending_reason")),
    ("reviews", Some("corrected_fields")),
    ("reviews", Some("fingerprinted")),
    ("review_fingerprints", None),
    ("feeds", Some("user_agent")),
    ("feeds", Some("page_interval_ms")),
    ("feeds", Some("resolved_url")),
    ("feeds", Some("next_page")),
    ("feeds", Some("pages_read")),
    ("feeds", Some("pages_archived")),
    ("feeds", Some("page_failures")),
    ("feeds", Some("page_retry_at")),
    ("pending_images", None),
    ("feeds", Some("authors")),
    ("left_out_entries", None),
    ("feed_entries", Some("previous_hash")),
    ("feeds", Some("entry_order")),
    ("inbox_activities", Some("lane")),
    ("inbox_activities", Some("domain")),
    ("inbox_activities", Some("turn")),
    ("kept_bytes", None),
    ("budget_usage", None),
];

fn is_added(table: &str, column: &str) -> bool {
    ADDED.iter().any(|(of, name)| *of == table && name.is_none_or(|name| name == column))
}

/// The rows without the tables and columns that were added since.
fn without_added(rows: Rows) -> Rows {
    let kept = rows.into_iter().filter(|(table, _)| !ADDED.contains(&(table.as_str(), None)));
    let rows = kept.map(|(table, rows)| {
        let row = |row: String| {
            let mut members: Map<String, Value> = serde_json::from_str(&row).expect("an object");
            members.retain(|column, _| !is_added(&table, column));
            Value::Object(members).to_string()
        };
        let mut rows: Vec<String> = rows.into_iter().map(row).collect();
        rows.sort();
        (table.clone(), rows)
    });
    rows.collect()
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
        let mut rows: Vec<String> = rows.iter().map(|row| sorted(row, name, value)).collect();
        rows.sort();
        (table.to_owned(), rows)
    });
    rows.collect()
}

/// The structure as it is after the upgrade.
fn renamed_structure(before: &BTreeSet<TablePart>) -> BTreeSet<TablePart> {
    let parts = before.iter().map(|[table, columns, other, rest]| {
        let table = table_now(table);
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut renamed = String::new();
        let mut words = columns.as_str();
        while !words.is_empty() {
            let end = words.find(|c| !is_word(c)).unwrap_or(words.len()).max(1);
            let (word, rest) = words.split_at(end);
            let new = COLUMNS.iter().find(|(of, old, _)| (*of, *old) == (table, word));
            renamed.push_str(new.map_or(word, |(_, _, new)| new));
            words = rest;
        }
        [table.to_owned(), renamed, table_now(other).to_owned(), rest.clone()]
    });
    parts.collect()
}

async fn an_upgrade_loses_no_row_and_gives_the_schema_of_a_new_site(database: Database) {
    let (upgraded, new) = (OwnDatabase::new(database).await, OwnDatabase::new(database).await);
    let mut sql = upgraded.connect().await;
    sql.execute(dump(database)).await;
    // The dump of PostgreSQL changes settings of the connection.
    let mut sql = upgraded.connect().await;
    let (before, structure) = (sql.rows().await, sql.structure().await);
    for (table, rows) in &before {
        assert!(!rows.is_empty(), "the fixture has no row of {table}");
    }
    let db = Db::open(&upgraded.url(), Access::Write).await.expect("a database");
    if let Some(file) = upgraded.url().strip_prefix("sqlite://") {
        let log = std::fs::metadata(format!("{file}-wal")).expect("the write-ahead log");
        assert_eq!(log.len(), 0, "the upgrade gives back the space of the write-ahead log");
    }
    db.close().await;
    Db::open(&new.url(), Access::Write).await.expect("a database").close().await;
    let mut after = without_added(sql.rows().await);
    let settings = after.get_mut("settings").expect("settings");
    settings.retain(|row| !row.contains("triggers_"));
    let expected = renamed(&before);
    for (table, rows) in &expected {
        assert_eq!(after.get(table), Some(rows), "{table}");
    }
    assert_eq!(expected.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    if database == Database::Sqlite {
        let found = "select cast(rowid as text) from search_index where search_index match 'head : ferry AND body : radio'";
        assert_eq!(sql.texts(found).await.len(), 2);
    }
    let (mut expected, mut structure) = (renamed_structure(&structure), sql.structure().await);
    // An index with more columns replaces this one.
    expected.retain(|[table, columns, ..]| {
        table != "inbox_activities" || !columns.contains("(state, next_attempt_at)")
    });
    // A partial index is new if its condition is about a new column.
    let is_new_index = |table: &str, part: &str| {
        ADDED
            .iter()
            .any(|(of, name)| *of == table && name.is_some_and(|name| part.contains(&format!("{name} "))))
    };
    let is_new = |table: &str, part: &str| {
        part.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).any(|column| is_added(table, column))
            || is_new_index(table, &part.replace('(', " "))
    };
    structure.retain(|[table, columns, ..]| !is_new(table, columns));
    assert_eq!(expected.difference(&structure).collect::<Vec<_>>(), Vec::<&TablePart>::new(), "lost");
    assert_eq!(structure.difference(&expected).collect::<Vec<_>>(), Vec::<&TablePart>::new(), "added");
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
    let expected: BTreeMap<(String, String), BTreeSet<String>> = named_columns()
        .into_iter()
        .map(|(column, names)| {
            let (table, column) = column.split_once('.').expect("a table and a column");
            ((table.to_owned(), column.to_owned()), names.into_iter().map(str::to_owned).collect())
        })
        .collect();
    assert_eq!(found, expected);
    let names = ["state", "kind", "rule", "decision"];
    for [table, column, ..] in sql.structure().await {
        let is_checked = expected.contains_key(&(table.clone(), column.clone()));
        assert!(is_checked || !names.contains(&column.as_str()), "{table}.{column} has no constraint");
    }
    // The fixture has each of them.
    for ((table, column), names) in expected.iter().filter(|((table, column), _)| !is_added(table, column)) {
        let query = format!("select distinct {column} from {table} where {column} is not null");
        let stored: BTreeSet<String> = sql.texts(&query).await.into_iter().collect();
        assert_eq!(&stored, names, "{table}.{column}");
    }
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
    // The activities of the dump are not real: nobody receives them.
    sql.execute(
        "update deliveries set state = 'done', finished_at = 0 where state = 'queued'; delete from fanouts",
    )
    .await;
    fixture.app.start().await;
    let page = fixture.app.get_page("/reviews/the-night-ferry-4").await;
    assert!(
        page.body.contains("The Night Ferry, Take 4") && page.body.contains("Comment 1"),
        "{}",
        page.body
    );
}

async fn a_state_that_no_enum_has_is_an_error_that_names_its_column(database: Database) {
    let (fixture, mut sql) = outdated(database).await;
    fixture.app.command_output(&["report", "list"]).await;
    sql.execute(match database {
        Database::Sqlite => "pragma ignore_check_constraints = on",
        Database::Postgres => {
            "alter table comments drop constraint comments_state_check;
             alter table domain_rules drop constraint domain_rules_rule_check"
        }
    })
    .await;
    sql.execute("update comments set state = 'murky' where id = (select min(id) from comments)").await;
    sql.execute("update domain_rules set rule = 'murky'").await;
    for (command, column) in [("comment", "comments.state"), ("block", "domain_rules.rule")] {
        let output = fixture.app.cli(&[command, "list"]).await;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{command}");
        assert!(error.contains(column) && error.contains("\"murky\""), "{error}");
    }
}

/// SQLite's shell writes with foreign keys off unless it is told otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_refer_to_nothing_are_named_before_an_upgrade() {
    let (fixture, mut sql) = outdated(Database::Sqlite).await;
    sql.execute("pragma foreign_keys = off; update comments set review_id = 'gone' where id = (select min(id) from comments)")
        .await;
    let before = (sql.schema().await, sql.rows().await);
    let output = fixture.app.cli(&["report", "list"]).await;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{error}");
    assert!(error.contains("comments (rowid ") && error.contains("refers to reviews"), "{error}");
    assert_eq!((sql.schema().await, sql.rows().await), before);
}

/// Tables that the first start of a site writes: its config, keys, the announcement of its profile, and indexes.
#[cfg(feature = "failpoints")]
const WRITTEN_AT_START: [&str; 8] =
    ["activities", "critics", "fanouts", "feeds", "page_versions", "reviews", "settings", "signing_keys"];

/// Before the commit nothing has changed; after it, everything has.
#[cfg(feature = "failpoints")]
async fn killed_while_it_upgrades_it_upgrades_at_its_next_start(database: Database) {
    for place in crate::failpoints::UPGRADE {
        let (mut fixture, mut sql) = outdated(database).await;
        let before = (sql.schema().await, sql.rows().await);
        fixture.app.set_env("FAILPOINTS", &format!("{place}=return"));
        fixture.app.launch();
        fixture.app.await_exit().await;
        let now = (sql.schema().await, sql.rows().await);
        if place.ends_with("before-commit") {
            assert_eq!(now, before, "{place}");
        } else {
            assert_eq!(now.1["comments"], before.1["comments"], "{place}");
            assert!(now.0 != before.0 && now.1.contains_key("tombstones"), "{place}");
        }
        fixture.app.set_env("FAILPOINTS", "");
        fixture.app.command_output(&["report", "list"]).await;
        let after = without_added(sql.rows().await);
        for (table, rows) in &renamed(&before.1) {
            if WRITTEN_AT_START.contains(&table.as_str()) {
                assert!(after[table].len() >= rows.len(), "{place}: {table}");
            } else {
                assert_eq!(&after[table], rows, "{place}: {table}");
            }
        }
        let triggers = match database {
            Database::Sqlite => "select name from sqlite_master where type = 'trigger'",
            Database::Postgres => "select cast(tgname as text) from pg_trigger where not tgisinternal",
        };
        let triggers = sql.texts(triggers).await;
        assert!(triggers.len() > 30 && triggers.iter().all(|name| name.starts_with("marquee_")), "{place}");
    }
}
