//! The config is checked at the start, and every error names its key.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use marquee::config::{self, Config, ConfigError};

use crate::both_databases;
use crate::support::http::AS2;
use crate::support::settings::Settings;
use crate::support::temp_dir::TempDir;
use crate::support::{Database, Fixture, TestNetwork};

both_databases!(
    another_origin_is_rejected_once_one_is_stored,
    the_environment_overrides_the_file,
    two_roles_serve_one_site,
);

/// Starts Marquee with invalid settings, and checks that the error is one line with these parts.
async fn assert_rejected(settings: Settings<'_>, parts: &[&str]) {
    let output = settings.failed_start().await;
    assert!(!output.status.success(), "Marquee starts despite {parts:?}");
    let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    assert_eq!(stderr.lines().count(), 1, "one line:\n{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "no {part} in {stderr}");
    }
}

#[tokio::test]
async fn an_invalid_key_or_value_is_named_and_prevents_the_start() {
    let invalid = [
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
    for (section, key, value, expected) in invalid {
        let settings = network.marquee(Database::Sqlite).await.set(section, key, value);
        assert_rejected(settings, &[expected]).await;
    }
}

#[tokio::test]
async fn an_invalid_feed_is_named_and_prevents_the_start() {
    let network = TestNetwork::new();
    let url = "https://remote.test/feed.xml";
    for (more, expected) in [
        ("intervall = \"15m\"", "intervall"),
        ("publish_since = \"soon\"", "publish_since"),
        ("publish_since = 2026", "must be a date such as 2026-01-31"),
        ("max_publish_per_poll = -1", "max_publish_per_poll"),
        ("authors = [\" \"]", "authors"),
        ("paid = \"yes\"", "paid"),
        ("include = [\"watchlist\"]", "include"),
    ] {
        let settings = network.marquee(Database::Sqlite).await.feed("third-row", url, more);
        assert_rejected(settings, &["feeds", expected]).await;
    }
    let twice = network.marquee(Database::Sqlite).await.feed("third-row", url, "").feed("third-row", url, "");
    assert_rejected(twice, &["feeds.1.name"]).await;
    let scheme = network.marquee(Database::Sqlite).await.feed("third-row", "ftp://remote.test/feed", "");
    assert_rejected(scheme, &["feeds", "url"]).await;
}

#[tokio::test]
async fn an_invalid_environment_variable_is_named() {
    let network = TestNetwork::new();
    let settings = network.marquee(Database::Sqlite).await.env("MARQUEE_SERVER__LISTEN", "everywhere");
    let output = settings.failed_start().await;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    let stderr = stderr.to_lowercase();
    assert!(stderr.contains("server.listen") || stderr.contains("server__listen"), "{stderr}");
}

async fn another_origin_is_rejected_once_one_is_stored(database: Database) {
    let mut fixture = Fixture::new(database).await;
    assert!(fixture.app.terminate().await.success());
    fixture.app.reconfigure("server", "origin", "\"https://elsewhere.test\"");
    let output = fixture.app.cli(&["serve"]).await;
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in ["https://marquee.test", "server.origin"] {
        assert!(stderr.contains(part), "no {part} in {stderr}");
    }
    fixture.app.reconfigure("server", "origin", "\"https://marquee.test\"");
    fixture.app.start().await;
}

async fn the_environment_overrides_the_file(database: Database) {
    let fixture = Fixture::with(database, |_, settings| {
        settings
            .env("MARQUEE_SITE__TITLE", "Seen from the Aisle")
            .env("MARQUEE_FEDERATION__AUTHORIZED_FETCH", "true")
    })
    .await;
    let home = fixture.app.get_page("/").await;
    assert!(home.body.contains("Seen from the Aisle"), "{}", home.body);
    assert!(!home.body.contains("The Test Reel"));
    let outbox = fixture.critic["outbox"].as_str().expect("a URL");
    let unsigned = fixture.network.client.get(outbox, AS2).await;
    assert_eq!(unsigned.status, 401, "{}", unsigned.body);
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

/// A value for every scalar key, as an environment variable would have it.
const SCALARS: [(&str, &str); 35] = [
    ("data_dir", "elsewhere"),
    ("database.url", "postgres://db.example/marquee"),
    ("federation.authorized_fetch", "true"),
    ("federation.extra_ca_file", "ca.pem"),
    ("looks.dark.gold", "#123456"),
    ("looks.dark.ink", "#123456"),
    ("looks.dark.line", "#123456"),
    ("looks.dark.link", "#123456"),
    ("looks.dark.paper", "#123456"),
    ("looks.dark.sheet", "#123456"),
    ("looks.dark.soft", "#123456"),
    ("looks.dark.unlit", "#123456"),
    ("looks.folder", "own"),
    ("looks.light.gold", "#123456"),
    ("looks.light.ink", "#123456"),
    ("looks.light.line", "#123456"),
    ("looks.light.link", "#123456"),
    ("looks.light.paper", "#123456"),
    ("looks.light.sheet", "#123456"),
    ("looks.light.soft", "#123456"),
    ("looks.light.unlit", "#123456"),
    ("looks.sans", "Inter"),
    ("looks.serif", "Literata"),
    ("moderation.allow_list", "true"),
    ("moderation.approve_followers", "true"),
    ("moderation.first_comments", "held"),
    ("server.handle_domain", "example.org"),
    ("server.listen", "127.0.0.1:9999"),
    ("server.origin", "https://films.example.org"),
    ("site.language", "fr"),
    ("site.rating_scale", "10"),
    ("site.security_contact", "mailto:security@example.org"),
    ("site.source_url", "https://code.example.org/"),
    ("site.timezone", "Europe/Vienna"),
    ("site.title", "1984"),
];

/// A folder with an empty config file, and what the values of [`SCALARS`] refer to.
fn empty_config() -> (TempDir, PathBuf) {
    let folder = TempDir::new();
    folder.write("ca.pem", "");
    std::fs::create_dir(folder.file("own")).expect("a folder");
    let file = folder.write("marquee.toml", "");
    (folder, file)
}

/// Loads the config with one variable of the environment.
fn load_with(file: &Path, key: &str, value: &str) -> Result<Config, ConfigError> {
    let variable = format!("MARQUEE_{}", key.to_uppercase().replace('.', "__"));
    config::load_with(file, [(variable, value.to_owned())])
}

/// Finds the scalar keys of a section, which is the whole config if its name is empty. An error about an unknown key
/// lists the known ones, so the program itself says which keys there are.
fn scalar_keys(file: &Path, section: &str) -> Vec<String> {
    let within = |key: &str| if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
    let unknown = within("unknown");
    let error = load_with(file, &unknown, "x").expect_err("an unknown key").to_string();
    if let Some((_, keys)) = error.split_once("unknown key; valid keys are ") {
        return keys.split(", ").flat_map(|key| scalar_keys(file, &within(key))).collect();
    }
    // The name of an enum's variant is a scalar, although the error is about the key below it, as for a table.
    let is_enum = error.contains("unknown variant");
    let is_table = !is_enum && error.starts_with(&format!("config: {unknown}:"));
    let is_list = error.contains("expected a sequence");
    if is_table || is_list { Vec::new() } else { vec![section.to_owned()] }
}

#[test]
fn every_scalar_key_can_be_set_by_the_environment() {
    let (_folder, file) = empty_config();
    let known: BTreeSet<String> = scalar_keys(&file, "").into_iter().collect();
    // All budgets are numbers.
    let budgets = known.iter().filter(|key| key.starts_with("budgets.")).map(|key| (key.as_str(), "7"));
    let scalars: Vec<(&str, &str)> = SCALARS.into_iter().chain(budgets).collect();
    let tested: BTreeSet<String> = scalars.iter().map(|(key, _)| (*key).to_owned()).collect();
    assert_eq!(known, tested, "every scalar key has a value in this test");
    let unchanged = config::load_with(&file, []).expect("the defaults");
    for (key, value) in scalars {
        let changed = load_with(&file, key, value).unwrap_or_else(|error| panic!("{error}"));
        assert_ne!(format!("{changed:?}"), format!("{unchanged:?}"), "{key} is ignored");
    }
}

#[test]
fn a_variable_has_the_type_of_its_key() {
    let (_folder, file) = empty_config();
    for title in ["1984", "true", "no", "[]", "1e3", "\"quoted\"", " 8½ "] {
        assert_eq!(load_with(&file, "site.title", title).expect(title).site.title, title);
    }
    for (value, expected) in [("true", true), ("1", true), ("yes", true), ("false", false), ("0", false)] {
        let config = load_with(&file, "federation.authorized_fetch", value).expect(value);
        assert_eq!(config.policy.authorized_fetch, expected, "{value}");
    }
    for value in ["maybe", "", "2"] {
        let error = load_with(&file, "federation.authorized_fetch", value).expect_err(value).to_string();
        assert!(error.starts_with("config: federation.authorized_fetch:"), "{error}");
    }
}

#[test]
fn types_in_the_config_file_are_strict() {
    let (folder, _) = empty_config();
    let file = folder.write("text.toml", "[federation]\nauthorized_fetch = \"true\"\n");
    assert!(load_with(&file, "site.title", "1984").is_err(), "a text is not a boolean in a file");
}

#[test]
fn a_variable_corrects_a_value_of_the_file() {
    let (folder, _) = empty_config();
    let file = folder.write("text.toml", "[federation]\nauthorized_fetch = \"true\"\n");
    let config = load_with(&file, "federation.authorized_fetch", "true").expect("a corrected config");
    assert!(config.policy.authorized_fetch);
    let file = folder.write("more.toml", "[federation]\nauthorized_fetch = \"true\"\nresolve = 3\n");
    let error = load_with(&file, "federation.authorized_fetch", "true").expect_err("another wrong value");
    assert!(error.to_string().starts_with("config: federation.resolve:"), "{error}");
}
