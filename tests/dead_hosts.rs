//! Followers on thousands of servers. If those are gone, Marquee keeps little state about them, and other deliveries
//! are not delayed. `MARQUEE_TEST_DEAD_HOSTS` sets their number.

use std::net::{SocketAddr, TcpListener};

use serde_json::Value;

use crate::both_databases;
use crate::support::db_control::DbControl;
use crate::support::postgres::free_port;
use crate::support::remote::Remote;
use crate::support::settings::Settings;
use crate::support::{Database, Fixture, LONG_WAIT_TIMEOUT, TestNetwork, within};

both_databases!(
    j11_each_dead_host_costs_one_row_and_one_probe_and_delays_no_other,
    many_healthy_hosts_are_served_despite_a_low_limit_of_open_files,
);

/// The default number of dead hosts; `tests/long` uses a hundred thousand.
const HOSTS: i64 = 3_000;

/// The number of healthy hosts: more than the initial limit of open files.
const HEALTHY: i64 = 600;

/// How much the process may grow while it contacts nine tenths of the servers: less than the memory of one
/// connection each.
const MAX_GROWTH: usize = 24 * 1024 * 1024;

/// With more hosts than this, the first are retried before the last have been tried, and slow ones occupy all slots.
const MANY_HOSTS: i64 = 50_000;
const MAX_GROWTH_OF_MANY_HOSTS: usize = 64 * 1024 * 1024;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Hosts that failed.
const FAILING: &str = "select count(*) from hosts where failures > 0";

async fn count(fixture: &Fixture, query: &'static str) -> i64 {
    fixture.app.number(query, query).await
}

/// Waits until a query returns a number that meets a condition.
async fn await_count(fixture: &Fixture, query: &'static str, is_expected: impl Fn(i64) -> bool) {
    for _ in 0..10 {
        let found =
            within(LONG_WAIT_TIMEOUT, || async { is_expected(count(fixture, query).await).then_some(()) })
                .await;
        if found.is_some() {
            return;
        }
    }
    panic!("timed out: {query} gives {}", count(fixture, query).await);
}

/// A site with a follower, and with one follower on each of many servers that share an address.
async fn fixture_with_hosts(
    database: Database,
    domain: &str,
    hosts: i64,
    address: impl FnOnce(&TestNetwork) -> SocketAddr,
    change: impl for<'w> FnOnce(Settings<'w>) -> Settings<'w>,
) -> (Fixture, Remote) {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let crowd = network.remote(domain).await;
    let address = address(&network);
    let fixture = Fixture::in_network(network, remote, database, |_, settings| {
        let name = |number| format!("h{number}.{domain}");
        let settings = (0..hosts).fold(settings, |settings, number| settings.resolve(&name(number), address));
        change(settings)
    })
    .await;
    fixture.follow(&fixture.alice).await;
    let followers = format!(
        "insert into followers (critic_id, actor, state, inbox, host, signed_at, created_at)
         with recursive numbers (n) as (
            select cast(0 as bigint) union all select n + 1 from numbers where n + 1 < {hosts})
         select c.id, 'https://h' || n || '.{domain}/users/bo', 'following', 'https://h' || n || '.{domain}/inbox',
            'h' || n || '.{domain}', 0, 0
         from numbers cross join critics c"
    );
    DbControl::connect(&fixture.app).await.execute(&followers).await;
    (fixture, crowd)
}

/// Moves all stored times into the past, as if that much time had passed.
async fn advance_time(fixture: &Fixture, time: i64) {
    let mut db = DbControl::connect(&fixture.app).await;
    for (table, columns) in [
        ("deliveries", ["created_at", "next_attempt_at", "finished_at"].as_slice()),
        ("hosts", &["updated_at", "due_at", "failing_since", "retry_at"]),
    ] {
        let changes: Vec<String> =
            columns.iter().map(|column| format!("{column} = {column} - {time}")).collect();
        db.execute(&format!("update {table} set {}", changes.join(", "))).await;
    }
}

fn create_of(article: &Value) -> impl Fn(&Value) -> bool {
    let id = article["id"].clone();
    move |activity| activity["type"] == "Create" && activity["object"]["id"] == id
}

async fn j11_each_dead_host_costs_one_row_and_one_probe_and_delays_no_other(database: Database) {
    let hosts =
        std::env::var("MARQUEE_TEST_DEAD_HOSTS").map_or(HOSTS, |text| text.parse().expect("a number"));
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let (mut fixture, _) =
        fixture_with_hosts(database, "dead.test", hosts, |_| address, |settings| settings).await;

    // No server has been contacted yet: each gets one attempt.
    let first = fixture.publish("The Night Ferry").await;
    await_count(&fixture, FAILING, |failing| failing >= hosts / 10).await;
    let before = fixture.app.peak_memory();
    await_count(&fixture, FAILING, |failing| failing == hosts).await;
    let grown = fixture.app.peak_memory() - before;
    eprintln!("{hosts} dead hosts: {} MiB, {} KiB more than at a tenth", before >> 20, grown >> 10);
    let max_growth = if hosts < MANY_HOSTS { MAX_GROWTH } else { MAX_GROWTH_OF_MANY_HOSTS };
    assert!(grown < max_growth, "{grown} bytes more");
    fixture.remote.await_activity("the Create", create_of(&first)).await;
    assert!(count(&fixture, "select count(*) from hosts").await <= hosts + 1, "one row for each host");

    // The next review causes no attempts at them, and reaches the healthy server at once.
    let second = fixture.publish("The Day Ferry").await;
    fixture.remote.await_activity("the second Create", create_of(&second)).await;
    let arrived = "select count(*) from deliveries where state = 'done' and activity_id = (
        select max(activity_id) from deliveries)";
    await_count(&fixture, arrived, |arrived| arrived == 1).await;
    let tried = "select count(*) from deliveries where attempts > 0 and activity_id = (
        select max(activity_id) from deliveries)";
    assert_eq!(count(&fixture, tried).await, 1, "only the delivery to the healthy host was attempted");

    // A day later all are tried again, and now connections hang instead of being refused. Other deliveries
    // are not delayed.
    let tarpit = TcpListener::bind(address).expect("the address of the dead hosts");
    advance_time(&fixture, DAY).await;
    await_count(&fixture, "select count(*) from hosts where failures > 0 and lease is not null", |n| n > 500)
        .await;
    let third = fixture.publish("The Last Ferry").await;
    fixture.remote.await_activity("the third Create", create_of(&third)).await;
    let waiting = "select count(*) from hosts where failures = 1 and lease is null";
    assert!(count(&fixture, waiting).await > 0, "the delivery was sent before the dead hosts were done");
    drop(tarpit);

    old_deliveries_and_hosts_are_deleted(&mut fixture, hosts).await;
}

/// After a week all deliveries fail, with one more probe for each host, and after another month they are deleted.
async fn old_deliveries_and_hosts_are_deleted(fixture: &mut Fixture, hosts: i64) {
    await_count(fixture, "select count(*) from hosts where lease is not null", |held| held == 0).await;
    advance_time(fixture, 8 * DAY).await;
    await_count(fixture, "select count(*) from deliveries where state = 'queued'", |queued| queued == 0)
        .await;
    let failed = count(fixture, "select count(*) from deliveries where state = 'failed'").await;
    assert_eq!(failed, 3 * hosts, "the deliveries of three reviews");
    await_count(fixture, "select count(*) from hosts where due_at is not null", |due| due == 0).await;
    advance_time(fixture, 31 * DAY).await;
    fixture.app.restart().await;
    await_count(fixture, "select count(*) from deliveries", |kept| kept == 0).await;
    assert_eq!(count(fixture, "select count(*) from hosts").await, 0);
}

/// Each kept connection uses a file descriptor, and the default limit is low.
async fn many_healthy_hosts_are_served_despite_a_low_limit_of_open_files(database: Database) {
    let low_limit = ["prlimit", "--nofile=256:16384"].map(str::to_owned).to_vec();
    let crowd_address = |network: &TestNetwork| network.names.all()["crowd.test"];
    let (fixture, crowd) = fixture_with_hosts(database, "crowd.test", HEALTHY, crowd_address, |settings| {
        settings.wrap_with(low_limit)
    })
    .await;
    let before = fixture.app.peak_memory();
    let article = fixture.publish("The Night Ferry").await;
    let arrived =
        || crowd.received().iter().filter(|received| create_of(&article)(&received.activity)).count();
    let received_by_all = within(LONG_WAIT_TIMEOUT, || async {
        (i64::try_from(arrived()).ok() == Some(HEALTHY)).then_some(())
    })
    .await;
    assert!(received_by_all.is_some(), "{} of {HEALTHY} received it", arrived());
    eprintln!("{HEALTHY} hosts: {} KiB more", (fixture.app.peak_memory() - before) >> 10);
    assert_eq!(
        count(&fixture, "select count(*) from deliveries where attempts > 1").await,
        0,
        "at the first attempt"
    );
    assert_eq!(fixture.app.get_page("/").await.status, 200);
}
