//! The config is checked once at the start, and an error names its key.

use crate::both_databases;
use crate::support::settings::Settings;
use crate::support::{Database, Fixture, TestNetwork};

both_databases!(
    another_origin_is_refused_once_one_is_stored,
    the_environment_overrides_the_file,
    two_roles_serve_one_site,
);

/// Starts Marquee with settings that it must refuse, and checks that the error is one line with these parts.
async fn assert_refused(settings: Settings<'_>, parts: &[&str]) {
    let output = settings.refusal().await;
    assert!(!output.status.success(), "it starts, in spite of {parts:?}");
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    assert_eq!(complaint.lines().count(), 1, "one line:\n{complaint}");
    for part in parts {
        assert!(complaint.contains(part), "no {part} in {complaint}");
    }
}

#[tokio::test]
async fn an_invalid_key_or_value_prevents_the_start_with_a_line_that_names_it() {
    let wrong = [
        ("server", "lisen", "\"127.0.0.1:1\"", "server.lisen"),
        ("server", "listen", "\"everywhere\"", "server.listen"),
        ("server", "origin", "\"http://marquee.test\"", "server.origin"),
        ("server", "origin", "\"https://marquee.test/blog\"", "server.origin"),
        ("server", "trusted_proxies", "[\"the proxy\"]", "server.trusted_proxies"),
        ("site", "timezone", "\"Mars/Olympus\"", "site.timezone"),
        ("site", "title", "5", "site.title"),
        ("database", "url", "\"mysql://localhost/marquee\"", "database.url"),
        ("federation", "allow_networks", "[\"10.0.0.0/99\"]", "federation.allow_networks"),
        ("federation", "extra_ca_file", "\"/nowhere/ca.pem\"", "federation.extra_ca_file"),
        ("federation.resolve", "\"remote.test\"", "\"nowhere\"", "federation.resolve"),
        ("critics", "handle", "\"not a handle\"", "handle"),
        ("", "data_dri", "\"/tmp\"", "data_dri"),
        ("cinema", "seats", "5", "cinema"),
    ];
    let network = TestNetwork::new();
    for (section, key, value, named) in wrong {
        let settings = network.marquee(Database::Sqlite).await.set(section, key, value);
        assert_refused(settings, &[named]).await;
    }
}

#[tokio::test]
async fn an_invalid_feed_prevents_the_start_with_a_line_that_names_it() {
    let network = TestNetwork::new();
    let url = "https://remote.test/feed.xml";
    for (more, named) in [
        ("intervall = \"15m\"", "intervall"),
        ("publish_since = \"soon\"", "publish_since"),
        ("max_publish_per_poll = -1", "max_publish_per_poll"),
    ] {
        let settings = network.marquee(Database::Sqlite).await.feed("third-row", url, more);
        assert_refused(settings, &["feeds", named]).await;
    }
    let twice = network.marquee(Database::Sqlite).await.feed("third-row", url, "").feed("third-row", url, "");
    assert_refused(twice, &["feeds.1.name"]).await;
    let scheme = network.marquee(Database::Sqlite).await.feed("third-row", "ftp://remote.test/feed", "");
    assert_refused(scheme, &["feeds", "url"]).await;
}

#[tokio::test]
async fn an_invalid_environment_variable_is_named() {
    let network = TestNetwork::new();
    let settings = network.marquee(Database::Sqlite).await.env("MARQUEE_SERVER__LISTEN", "everywhere");
    let output = settings.refusal().await;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    let complaint = complaint.to_lowercase();
    assert!(complaint.contains("server.listen") || complaint.contains("server__listen"), "{complaint}");
}

async fn another_origin_is_refused_once_one_is_stored(database: Database) {
    let mut fixture = Fixture::new(database).await;
    assert!(fixture.app.terminate().await.success());
    fixture.app.reconfigure("server", "origin", "\"https://elsewhere.test\"");
    let output = fixture.app.cli(&["serve"]).await;
    assert!(!output.status.success());
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in ["https://marquee.test", "server.origin"] {
        assert!(complaint.contains(part), "no {part} in {complaint}");
    }
    fixture.app.reconfigure("server", "origin", "\"https://marquee.test\"");
    fixture.app.start().await;
}

async fn the_environment_overrides_the_file(database: Database) {
    let fixture =
        Fixture::with(database, |_, settings| settings.env("MARQUEE_SITE__TITLE", "Seen from the Aisle"))
            .await;
    let front = fixture.app.get_page("/").await;
    assert!(front.body.contains("Seen from the Aisle"), "{}", front.body);
    assert!(!front.body.contains("The Test Reel"));
}

/// A web process and a worker process share a database.
async fn two_roles_serve_one_site(database: Database) {
    let fixture = Fixture::with(database, |_, settings| settings.role("web")).await;
    let worker = fixture.app.spawn_command(&["serve", "--role", "worker"]);
    fixture.follow(&fixture.alice).await;
    let article = fixture.publish("The Night Ferry").await;
    fixture.remote.await_activity("the Create", |a| a["type"] == "Create").await;
    fixture.comment(&fixture.alice, &article, "Both of you did that").await;
    drop(worker);
}

/// The output at the start is the origin and nothing else.
#[tokio::test]
async fn the_start_prints_one_line_on_standard_output() {
    let fixture = Fixture::new(Database::Sqlite).await;
    let lines = fixture.app.printed();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("Serving https://marquee.test"), "{lines:?}");
}
