//! `/health/ready` says whether the site can store anything. It only reports what a background probe found.

use std::process::Command;

use crate::both_databases;
use crate::support::config_file::quoted;
use crate::support::db_control::DbControl;
use crate::support::small_disk::SmallDisk;
use crate::support::{Database, Fixture, TestNetwork, eventually};

both_databases!(
    a_request_writes_nothing,
    a_process_that_only_serves_is_ready,
    a_missing_image_is_logged_once
);

async fn ready(fixture: &Fixture) -> (u16, String) {
    let response = fixture.app.get_page("/health/ready").await;
    (response.status, response.body.trim().to_owned())
}

async fn await_status(fixture: &Fixture, status: u16, body: &str) {
    let expected = (status, body.to_owned());
    eventually(body, || async { (ready(fixture).await == expected).then_some(()) }).await;
}

async fn site_on(disk: &SmallDisk) -> Fixture {
    let network = TestNetwork::new();
    let remote = network.remote("remote.test").await;
    let folder = disk.path().display().to_string();
    Fixture::in_network(network, remote, Database::Sqlite, |_, settings| {
        let settings = settings.set("", "data_dir", &quoted(&folder)).wrap_with(disk.command());
        settings.set("database", "url", &quoted(&format!("sqlite://{folder}/marquee.sqlite")))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_not_ready_until_there_is_space() {
    let disk = SmallDisk::new(16);
    let fixture = site_on(&disk).await;
    assert_eq!(ready(&fixture).await, (200, "ready".to_owned()));
    for _ in 0..2 {
        disk.fill();
        await_status(&fixture, 503, "disk full").await;
        let health = fixture.app.cli(&["health"]).await;
        assert!(!health.status.success());
        assert!(String::from_utf8_lossy(&health.stderr).contains("disk full"), "{health:?}");
        assert_eq!(fixture.app.get_page("/health/live").await.status, 200);
        assert_eq!(fixture.app.get_page("/").await.status, 200);
        disk.free();
        await_status(&fixture, 200, "ready").await;
    }
    let count = |text: &str| fixture.app.log().iter().filter(|line| line.contains(text)).count();
    assert_eq!((count("not ready: nothing can be written"), count("ready again")), (2, 2));
}

/// The folder of the images becomes read-only, as after an error of the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_disk_is_not_ready() {
    let disk = SmallDisk::new(16);
    let fixture = site_on(&disk).await;
    let media = disk.path().join("media").display().to_string();
    let run = |args: &[&str]| {
        let command = disk.command();
        let status = Command::new(&command[0]).args(&command[1..]).args(args).status();
        assert!(status.expect("nsenter").success(), "{args:?}");
    };
    run(&["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", &media]);
    await_status(&fixture, 503, "read-only").await;
    run(&["umount", &media]);
    await_status(&fixture, 200, "ready").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_database_is_not_ready() {
    let fixture = Fixture::new(Database::Postgres).await;
    let mut db = DbControl::connect(&fixture.app).await;
    db.execute("do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$")
        .await;
    db.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
        .await;
    await_status(&fixture, 503, "read-only").await;
    assert_eq!(fixture.app.get_page("/").await.status, 200);
}

async fn a_request_writes_nothing(database: Database) {
    let fixture = Fixture::new(database).await;
    let query = "select count(*) from settings where key = 'write_probe'";
    assert_eq!(fixture.app.number(query, query).await, 1, "the probe has one row");
    let value = "select cast(value as bigint) from settings where key = 'write_probe'";
    let before = fixture.app.number(value, value).await;
    for _ in 0..200 {
        assert_eq!(ready(&fixture).await.0, 200);
    }
    // It may have been due once meanwhile, on a slow machine twice.
    let mut probes = 0;
    let mut last = before;
    for _ in 0..200 {
        let now = fixture.app.number(value, value).await;
        probes += usize::from(now != last);
        last = now;
    }
    assert!(probes <= 2, "{probes}");
}

async fn a_process_that_only_serves_is_ready(database: Database) {
    let fixture = Fixture::with(database, |_, settings| settings.role("web")).await;
    await_status(&fixture, 200, "ready").await;
}

async fn a_missing_image_is_logged_once(database: Database) {
    let fixture = Fixture::new(database).await;
    let mut db = DbControl::connect(&fixture.app).await;
    for name in ["aaaa.png", "bbbb.jpg", "cccc.webp"] {
        db.execute(&format!(
            "insert into media (id, name, media_type, width, height, source, created_at)
             values ('{name}', '{name}', 'image/png', 1, 1, '{name}', 0)"
        ))
        .await;
        for _ in 0..3 {
            assert_eq!(fixture.app.get_page(&format!("/media/{name}")).await.status, 404);
        }
    }
    assert_eq!(fixture.app.get_page("/media/unknown.png").await.status, 404);
    let is_report = |line: &&String| line.contains("missing in the media folder");
    eventually("a line for each image", || async {
        (fixture.app.log().iter().filter(is_report).count() >= 3).then_some(())
    })
    .await;
    let lines: Vec<String> = fixture.app.log().into_iter().filter(|line| is_report(&line)).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("unknown.png")), "{lines:?}");
}
