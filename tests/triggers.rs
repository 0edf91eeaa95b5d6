//! What the triggers do is the same on both databases: the same statements give the same counts and versions.

use std::collections::{BTreeMap, BTreeSet};

use marquee::store::{Access, Db};

use crate::both_databases;
use crate::support::Database;
use crate::support::own_database::{OwnDatabase, Sql};

/// What is there before the first statement is looked at.
const SEED: &str = "
insert into critics (id, handle, handle_key, name, summary, links, also_known_as, managed, created_at) values
    ('c1', 'one', 'one', 'One', '', '[]', '[]', 1, 0), ('c2', 'two', 'two', 'Two', '', '[]', '[]', 1, 0);
insert into media (id, name, media_type, width, height, source, created_at) values
    ('m1', 'a.png', 'image/png', 1, 1, 'https://a.test/', 0);
insert into activities (id, critic_id, kind, object_uri, body, created_at) values
    ('a1', 'c1', 'Create', 'https://o.test/1', '', 0), ('a2', 'c1', 'Update', 'https://o.test/1', '', 0);
insert into reviews (id, critic_id, create_id, slug, state, title, body, teaser, film, film_key, tags, original_date,
        released_at, created_at) values
    ('r1', 'c1', 'n1', 'one', 'published', 'One', '', '', '{}', '', '[]', 1, 1, 1),
    ('r2', 'c1', 'n2', 'two', 'archive', 'Two', '', '', '{}', '', '[]', 2, 2, 2),
    ('r3', 'c2', 'n3', 'three', 'held', 'Three', '', '', '{}', '', '[]', 3, 3, 3);
";

/// Statements about every table that has triggers: each kind of statement, with an effect and without, about one row
/// and about several.
const STATEMENTS: &[&str] = &[
    // Followers and where they are reached.
    "insert into followers (critic_id, actor, state, inbox, host, signed_at, created_at) values
        ('c1', 'https://a.test/1', 'following', 'https://a.test/in', 'a.test', 0, 0)",
    "insert into followers (critic_id, actor, state, inbox, host, signed_at, created_at) values
        ('c1', 'https://a.test/2', 'pending', 'https://a.test/in', 'a.test', 0, 0),
        ('c1', 'https://a.test/3', 'following', 'https://a.test/in', 'a.test', 0, 0),
        ('c2', 'https://b.test/1', 'following', 'https://b.test/in', 'b.test', 0, 0)",
    "update followers set state = 'following' where actor = 'https://a.test/2'",
    "update followers set inbox = 'https://a.test/new' where actor = 'https://a.test/1'",
    "update followers set signed_at = 5",
    "update followers set state = 'gone'",
    "update followers set state = 'preempted' where actor = 'https://a.test/1'",
    // Deliveries.
    "insert into deliveries (activity_id, inbox, host, object_uri, kind, state, attempts, next_attempt_at, created_at)
        values ('a1', 'https://a.test/in', 'a.test', 'https://o.test/1', 'Create', 'queued', 0, 0, 0),
            ('a1', 'https://b.test/in', 'b.test', 'https://o.test/1', 'Create', 'queued', 0, 0, 0),
            ('a2', 'https://b.test/in', 'b.test', 'https://o.test/1', 'Update', 'queued', 0, 0, 0)",
    "update deliveries set attempts = 1",
    "update deliveries set state = 'done' where inbox = 'https://a.test/in'",
    "update deliveries set state = case when activity_id = 'a1' then 'failed' else 'superseded' end
        where state = 'queued'",
    "delete from deliveries where state = 'done'",
    // Reactions.
    "insert into reactions (review_id, actor, kind, state, signed_at) values
        ('r1', 'https://a.test/1', 'like', 'on', 0)",
    "insert into reactions (review_id, actor, kind, state, signed_at) values
        ('r1', 'https://a.test/2', 'like', 'preempted', 0)",
    "insert into reactions (review_id, actor, kind, state, signed_at) values
        ('r1', 'https://a.test/2', 'boost', 'on', 0), ('r1', 'https://a.test/3', 'boost', 'on', 0),
        ('r2', 'https://a.test/3', 'like', 'on', 0), ('r2', 'https://a.test/4', 'like', 'off', 0)",
    "update reactions set signed_at = 1",
    "update reactions set state = 'on' where state = 'preempted'",
    "update reactions set state = 'off' where state = 'off'",
    "update reactions set state = case when state = 'on' then 'off' else 'on' end where review_id = 'r2'",
    "update reactions set state = 'off' where kind = 'boost'",
    "delete from reactions where state = 'off' and kind = 'like'",
    "delete from reactions where review_id = 'r2'",
    // Comments, of others and of a critic.
    "insert into comments (id, review_id, uri, url, actor, parent_uri, content, state, published_at, signed_at, created_at)
        values ('k1', 'r1', 'https://a.test/n1', 'https://a.test/n1', 'https://a.test/5', '', '', 'shown', 0, 0, 0)",
    "insert into comments (id, review_id, uri, url, actor, parent_uri, content, state, published_at, signed_at, created_at)
        values ('k2', 'r1', 'https://a.test/n2', 'https://a.test/n2', 'https://a.test/5', '', '', 'held', 0, 0, 0),
            ('k3', 'r2', 'https://a.test/n3', 'https://a.test/n3', 'https://a.test/6', '', '', 'shown', 0, 0, 0)",
    "insert into comments (id, review_id, uri, url, actor, parent_uri, content, state, published_at, signed_at, created_at,
        critic_id)
        values ('k4', 'r1', 'https://o.test/n4', 'https://o.test/n4', 'https://o.test/c1', '', '', 'shown', 0, 0, 0, 'c1')",
    "update comments set content = 'else' where id = 'k2'",
    "update comments set state = 'shown' where state = 'held'",
    "update comments set state = 'hidden' where actor = 'https://a.test/5'",
    "update comments set state = 'deleted' where critic_id is not null",
    "update comments set state = 'shown' where critic_id is not null",
    "update comments set content = '' where id = 'nothing'",
    "delete from comments where id = 'k3'",
    "delete from comments where id = 'k2'",
    "delete from comments where id = 'nothing'",
    // Views and servers.
    "insert into daily_views (review_id, day, total) values ('r1', '2026-11-24', 3)",
    "insert into daily_views (review_id, day, total) values ('r1', '2026-11-25', 1), ('r2', '2026-11-25', 1)",
    "update daily_views set total = total + 2 where day = '2026-11-25'",
    "insert into reached_hosts (review_id, host) values ('r1', 'a.test'), ('r1', 'b.test'), ('r2', 'a.test')",
    "update view_counts set published_views = views, published_hosts = hosts where review_id = 'r1'",
    // The index by which reviews are browsed.
    "insert into browse_index (kind, slug, original_date, review_id, roles, name, sort) values
        ('film', 'f', 1, 'r1', 0, 'F', 'f')",
    "insert into browse_index (kind, slug, original_date, review_id, roles, name, sort) values
        ('film', 'f', 2, 'r2', 0, 'F!', 'f!'), ('tag', 't', 2, 'r2', 0, 'T', 't')",
    "delete from browse_index where review_id = 'r2'",
    "delete from browse_index where review_id = 'nothing'",
    // Reviews.
    "insert into reviews (id, critic_id, create_id, slug, state, title, body, teaser, film, film_key, tags, original_date,
        released_at, created_at) values
        ('r4', 'c2', 'n4', 'four', 'scheduled', 'Four', '', '', '{}', '', '[]', 4, 4, 4)",
    "insert into reviews (id, critic_id, create_id, slug, state, title, body, teaser, film, film_key, tags, original_date,
        released_at, created_at) values
        ('r5', 'c2', 'n5', 'five', 'published', 'Five', '', '', '{}', '', '[]', 5, 5, 5)",
    "update reviews set title = 'Still held' where id = 'r3'",
    "update reviews set canonical_key = 'x', film_key = 'x', source_updated_at = 1 where id = 'r1'",
    "update reviews set title = 'Other' where id = 'r1'",
    "update reviews set poster_media = 'm1' where id = 'r1'",
    "update reviews set browse_indexed = 1",
    "update reviews set state = 'published' where id = 'r4'",
    "update reviews set state = 'retracted', retracted_at = 9 where id = 'r5'",
    "delete from reviews where id = 'r5'",
    "delete from reviews where id = 'r4'",
    // Critics.
    "insert into critics (id, handle, handle_key, name, summary, links, also_known_as, managed, created_at) values
        ('c3', 'three', 'three', 'Three', '', '[]', '[]', 1, 0)",
    "update critics set managed = 1, announced_hash = 'x'",
    "update critics set summary = 'else' where id = 'c1'",
    "update critics set name = 'Else' where id = 'c2'",
    // Actors, who are known by what they did.
    "insert into actors (uri, host, name, url, inbox, fetched_at) values
        ('https://a.test/1', 'a.test', 'A', 'https://a.test/1', 'https://a.test/in', 0)",
    "insert into actors (uri, host, name, url, inbox, fetched_at) values
        ('https://a.test/5', 'a.test', 'B', 'https://a.test/5', 'https://a.test/in', 0)",
    "update actors set fetched_at = 1",
    "update actors set name = 'C' where uri = 'https://a.test/1'",
    "update actors set trusted = 1 where uri = 'https://a.test/5'",
    "update actors set avatar = 'a.png', fetched_icon = 'https://a.test/a.png'",
    "delete from actors where uri = 'https://a.test/5'",
    // Who blocks, and rules about servers.
    "insert into blockers (critic_id, actor, state, signed_at) values ('c1', 'https://a.test/1', 'on', 0)",
    "insert into blockers (critic_id, actor, state, signed_at) values ('c2', 'https://a.test/1', 'preempted', 0)",
    "update blockers set signed_at = 1",
    "update blockers set state = 'off' where critic_id = 'c1'",
    "insert into domain_rules (host, rule, created_at) values ('a.test', 'block', 0)",
    "insert into domain_rules (host, rule, created_at) values ('b.test', 'silence', 0)",
    "update domain_rules set reason = 'x'",
    "update domain_rules set rule = 'allow' where host = 'a.test'",
    "delete from domain_rules where host = 'a.test'",
    "update domain_rules set rule = 'block'",
    "delete from domain_rules",
    // Images.
    "update media set source = 'https://b.test/' where id = 'm1'",
    "update media set width = 2 where id = 'm1'",
];

/// The counts, one text a row. Who counted is each database's own matter.
const COUNTS: &[&str] = &[
    "select 'inbox ' || critic_id || ' ' || inbox || ' ' || host || ' ' || cast(followers as text) from follower_inboxes",
    "select 'deliveries ' || activity_id || ' ' || state || ' ' || cast(total as text) from delivery_totals
        where total <> 0",
    "select 'stat ' || review_id || ' ' || kind || ' ' || cast(sum(total) as text) from review_stats
        group by review_id, kind having sum(total) <> 0",
    "select 'views ' || review_id || ' ' || cast(views as text) || ' ' || cast(hosts as text) || ' '
        || cast(published_views as text) || ' ' || cast(published_hosts as text) from view_counts",
    "select 'term ' || kind || ' ' || slug || ' ' || name || ' ' || sort || ' ' || cast(total as text) from browse_terms",
];

/// What happened: of reactions that were undone by one statement, PostgreSQL writes down one for each review.
const EVENTS: &str = "select review_id || ' ' || kind || case kind when 'undo' then '' else ' ' || actor end
    from reaction_events";

/// The version of each subject. One statement about several rows counts a subject once on PostgreSQL, and once a row on
/// SQLite: what matters is whether it changed.
const VERSIONS: &str =
    "select subject || ' ' || cast(sum(version) as text) from page_versions group by subject";

/// What a statement left behind.
#[derive(Debug, PartialEq, Eq)]
struct Effects {
    counts: BTreeSet<String>,
    events: BTreeSet<String>,
    changed: BTreeSet<String>,
}

async fn run(sql: &mut Sql, statement: &str) -> Effects {
    let before = versions(sql).await;
    sql.execute("delete from reaction_events").await;
    sql.execute(statement).await;
    let mut counts = BTreeSet::new();
    for query in COUNTS {
        counts.extend(sql.texts(query).await);
    }
    let after = versions(sql).await;
    let changed = after.into_iter().filter(|(subject, version)| before.get(subject) != Some(version));
    let changed = changed.map(|(subject, _)| subject).collect();
    Effects { counts, events: sql.texts(EVENTS).await.into_iter().collect(), changed }
}

async fn versions(sql: &mut Sql) -> BTreeMap<String, String> {
    let split = |text: String| {
        text.split_once(' ').map(|(subject, version)| (subject.to_owned(), version.to_owned()))
    };
    sql.texts(VERSIONS).await.into_iter().filter_map(split).collect()
}

async fn database(database: Database) -> (OwnDatabase, Sql) {
    let own = OwnDatabase::new(database).await;
    Db::open(&own.url(), Access::Write).await.expect("a database").close().await;
    let mut sql = own.connect().await;
    sql.execute(SEED).await;
    (own, sql)
}

/// What a statement left behind, as [`EFFECTS`] lists it.
fn describe(statement: &str, left: &Effects) -> String {
    let statement = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let list = |name: &str, values: &BTreeSet<String>| {
        let lines: Vec<String> = values.iter().map(|value| format!("  {name}: {value}\n")).collect();
        lines.concat()
    };
    let (counts, events, changed) =
        (list("count", &left.counts), list("event", &left.events), list("page", &left.changed));
    format!("{statement}\n{counts}{events}{changed}")
}

/// What each statement leaves behind: the counts, the events, and the pages that have changed. It was written down when the
/// triggers had been compared with those of the migrations before them; a change of it is a change of what pages show.
const EFFECTS: &str = include_str!("fixtures/trigger_effects.txt");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_triggers_of_both_databases_do_the_same() {
    let (_sqlite, mut sqlite) = database(Database::Sqlite).await;
    let (_postgres, mut postgres) = database(Database::Postgres).await;
    let mut effects = String::new();
    for statement in STATEMENTS {
        let on_sqlite = run(&mut sqlite, statement).await;
        let on_postgres = run(&mut postgres, statement).await;
        assert_eq!(on_sqlite, on_postgres, "SQLite beside PostgreSQL after: {statement}");
        effects.push_str(&describe(statement, &on_sqlite));
    }
    for (line, (found, expected)) in (1..).zip(effects.lines().zip(EFFECTS.lines())) {
        assert_eq!(found, expected, "line {line} of the effects:\n{effects}");
    }
    assert_eq!(effects, EFFECTS);
}

both_databases!(without_any_one_of_its_triggers_a_database_differs);

async fn without_any_one_of_its_triggers_a_database_differs(kind: Database) {
    let (_own, mut sql) = database(kind).await;
    let triggers = match kind {
        Database::Sqlite => "select name from sqlite_master where type = 'trigger'",
        Database::Postgres => {
            "select tgname || ' on ' || cast(cast(tgrelid as regclass) as text) from pg_trigger where not tgisinternal"
        }
    };
    let triggers = sql.texts(triggers).await;
    let mut expected = Vec::new();
    sql.execute("begin").await;
    for statement in STATEMENTS {
        expected.push(run(&mut sql, statement).await);
    }
    sql.execute("rollback").await;
    let mut without_effect = Vec::new();
    for trigger in triggers {
        sql.execute("begin").await;
        sql.execute(&format!("drop trigger {trigger}")).await;
        let mut differs = false;
        for (statement, expected) in STATEMENTS.iter().zip(&expected) {
            differs = run(&mut sql, statement).await != *expected;
            if differs {
                break;
            }
        }
        sql.execute("rollback").await;
        if !differs {
            without_effect.push(trigger);
        }
    }
    assert!(without_effect.is_empty(), "no statement shows what these do: {without_effect:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_have_the_same_triggers() {
    let (_sqlite, mut sqlite) = database(Database::Sqlite).await;
    let (_postgres, mut postgres) = database(Database::Postgres).await;
    let on_sqlite = sqlite.texts("select name from sqlite_master where type = 'trigger' order by name").await;
    let on_postgres = "select cast(tgname as text) from pg_trigger where not tgisinternal order by tgname";
    let on_postgres = postgres.texts(on_postgres).await;
    assert_eq!(on_sqlite, on_postgres);
}
