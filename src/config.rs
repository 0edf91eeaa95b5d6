//! The configuration.
//!
//! Values come from the defaults, the config file and the environment; later sources win. Everything is
//! validated once, at the start, and each error names its key.

mod site;

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use ipnet::IpNet;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use self::site::{RawLooks, RawSite, check_site};
use crate::domain::critic::{CriticProfile, is_valid_handle};
use crate::domain::moderation::{FirstCommentPolicy, ModerationPolicy};
use crate::domain::origin::Origin;
use crate::domain::site::{Site, SupportLink};
use crate::domain::time::Timestamp;

/// The config file that is read unless another is given.
pub const DEFAULT_FILE: &str = "config/marquee.toml";

/// Prefixes of environment variables that are not config keys.
const NOT_KEY_PREFIXES: [&str; 2] = ["MARQUEE_LOG", "MARQUEE_TEST_"];

/// A config error, which prevents the start. It is one line that names the key and says what to do.
#[derive(Debug, thiserror::Error)]
#[error("config: {key}: {problem}")]
pub struct ConfigError {
    key: String,
    problem: String,
}

impl ConfigError {
    fn new(key: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self { key: key.into(), problem: problem.to_string() }
    }
}

/// The validated configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder of the media files and of the default database.
    pub data_dir: PathBuf,
    /// The site-wide settings that readers see.
    pub site: Site,
    /// The HTTP server.
    pub server: ServerConfig,
    /// The database, as `sqlite://PATH` or `postgres://…`.
    pub database_url: String,
    /// The critics that the config file manages.
    pub critics: Vec<CriticProfile>,
    /// The feeds that the config file manages.
    pub feeds: Vec<FeedConfig>,
    /// Connections to other servers.
    pub federation: FederationConfig,
    /// The moderation policy.
    pub policy: ModerationPolicy,
    /// The folder of the config file, to which its relative paths refer.
    pub base_dir: PathBuf,
}

/// The settings of the HTTP server.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The public origin of the site.
    pub origin: Origin,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The domain of the critics' handles, if it differs from the origin's host (FEP-2c59).
    pub handle_domain: Option<String>,
}

/// A feed that the config file manages.
#[derive(Debug, Clone)]
pub struct FeedConfig {
    /// The name. It identifies the feed, so the URL can change.
    pub name: String,
    /// An `https://` URL, or the path of a local file.
    pub url: String,
    /// The handle of the critic whose reviews the feed carries.
    pub critic: String,
    /// How often the feed is polled.
    pub interval: Duration,
    /// Entries dated before this time are archived. `None` means the day the feed is added.
    pub publish_since: Option<Timestamp>,
    /// The most reviews that one poll may publish.
    pub max_publish_per_poll: u32,
}

/// The settings of connections to other servers.
#[derive(Debug, Clone)]
pub struct FederationConfig {
    /// Private networks that may be reached, on any port.
    pub allow_networks: Vec<IpNet>,
    /// Host names that are resolved to these addresses instead of by DNS.
    pub resolve: BTreeMap<String, SocketAddr>,
    /// A PEM file with an additional certificate authority to trust.
    pub extra_ca_file: Option<PathBuf>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    data_dir: String,
    site: RawSite,
    looks: RawLooks,
    support: Vec<SupportLink>,
    server: RawServer,
    database: RawDatabase,
    critics: Vec<CriticProfile>,
    feeds: Vec<RawFeed>,
    federation: RawFederation,
    moderation: RawModeration,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawServer {
    listen: String,
    origin: String,
    trusted_proxies: Vec<String>,
    handle_domain: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDatabase {
    url: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFeed {
    name: String,
    url: String,
    critic: String,
    #[serde(default)]
    interval: Option<String>,
    #[serde(default)]
    publish_since: Option<String>,
    #[serde(default)]
    max_publish_per_poll: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFederation {
    authorized_fetch: bool,
    allow_networks: Vec<String>,
    resolve: BTreeMap<String, String>,
    extra_ca_file: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModeration {
    first_comments: FirstCommentPolicy,
    allow_list: bool,
    approve_followers: bool,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            data_dir: "data".to_owned(),
            site: RawSite::default(),
            looks: RawLooks::default(),
            support: Vec::new(),
            server: RawServer {
                listen: "127.0.0.1:8080".into(),
                origin: "http://localhost:8080".into(),
                trusted_proxies: Vec::new(),
                handle_domain: None,
            },
            database: RawDatabase { url: None },
            critics: Vec::new(),
            feeds: Vec::new(),
            federation: RawFederation {
                authorized_fetch: false,
                allow_networks: Vec::new(),
                resolve: BTreeMap::new(),
                extra_ca_file: None,
            },
            moderation: RawModeration {
                first_comments: FirstCommentPolicy::Open,
                allow_list: false,
                approve_followers: false,
            },
        }
    }
}

/// Loads the config file and the environment of this process, and validates every value.
pub fn load(file: &Path) -> Result<Config, ConfigError> {
    let variables = std::env::vars_os();
    let as_text =
        |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    load_with(file, variables.filter_map(as_text))
}

/// Loads the config file and the given environment variables, and validates every value.
pub fn load_with(
    file: &Path,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    if !file.is_file() {
        let problem = "no such file; use --config FILE to name another";
        return Err(ConfigError::new(file.display().to_string(), problem));
    }
    let mut figment = Figment::from(Serialized::defaults(Raw::default())).merge(Toml::file_exact(file));
    let mut raw: Result<Raw, _> = figment.extract();
    let variables = variables.into_iter().filter_map(|(name, value)| Some((key_of_variable(&name)?, value)));
    let variables: Vec<(String, String)> = variables.collect();
    if raw.is_ok() && !variables.is_empty() {
        for variable in variables {
            figment = figment.merge(variable);
        }
        // A variable is always text. The lossy extraction turns it into a boolean or a number if, and only if, its
        // key has that type, so that a title of `1984` stays text. The file has passed the strict extraction.
        raw = figment.extract_lossy();
    }
    let raw = raw.map_err(|error| describe_error(&error))?;
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    check(raw, folder)
}

/// Returns the key that a variable sets: `server.listen` for `MARQUEE_SERVER__LISTEN`.
fn key_of_variable(name: &str) -> Option<String> {
    if NOT_KEY_PREFIXES.iter().any(|n| name.starts_with(n)) {
        return None;
    }
    Some(name.strip_prefix("MARQUEE_")?.to_ascii_lowercase().replace("__", "."))
}

fn describe_error(error: &figment::Error) -> ConfigError {
    let mut path: Vec<String> = error.path.clone();
    let problem = match &error.kind {
        figment::error::Kind::UnknownField(field, expected) => {
            if path.last() != Some(field) {
                path.push(field.clone());
            }
            format!("unknown key; known keys are {}", expected.join(", "))
        }
        figment::error::Kind::MissingField(field) => {
            path.push(field.to_string());
            "missing".to_owned()
        }
        kind => kind.to_string(),
    };
    let key = if path.is_empty() { "the file".to_owned() } else { path.join(".") };
    ConfigError::new(key, problem.replace('\n', " "))
}

fn check(raw: Raw, folder: &Path) -> Result<Config, ConfigError> {
    let database_url = match raw.database.url {
        Some(url) => check_database(url)?,
        None => format!("sqlite://{}", Path::new(&raw.data_dir).join("marquee.sqlite").display()),
    };
    let critics = check_critics(raw.critics)?;
    let site = check_site(raw.site, raw.looks, raw.support, &critics, folder)?;
    let server = check_server(raw.server)?;
    let policy = ModerationPolicy {
        first_comments: raw.moderation.first_comments,
        allow_list: raw.moderation.allow_list,
        approve_followers: raw.moderation.approve_followers,
        authorized_fetch: raw.federation.authorized_fetch,
    };
    let federation = check_federation(raw.federation, folder)?;
    check_port(&server.origin, &federation.allow_networks)?;
    let config = Config {
        data_dir: PathBuf::from(raw.data_dir),
        server,
        database_url,
        feeds: check_feeds(raw.feeds, &critics, &site.timezone)?,
        site,
        critics,
        federation,
        policy,
        base_dir: folder.to_owned(),
    };
    Ok(config)
}

fn check_database(url: String) -> Result<String, ConfigError> {
    let schemes = ["sqlite://", "postgres://", "postgresql://"];
    if schemes.iter().any(|scheme| url.starts_with(scheme)) {
        return Ok(url);
    }
    Err(ConfigError::new("database.url", "must begin with sqlite:// or postgres://"))
}

fn check_server(raw: RawServer) -> Result<ServerConfig, ConfigError> {
    let listen = raw.listen.parse().map_err(|_| {
        ConfigError::new("server.listen", "must be an address and a port, such as 127.0.0.1:8080")
    })?;
    let origin = Origin::parse(&raw.origin).map_err(|error| ConfigError::new("server.origin", error))?;
    if let Some(domain) = &raw.handle_domain
        && !is_domain(domain)
    {
        return Err(ConfigError::new(
            "server.handle_domain",
            "must be a domain name in lower case, without a port",
        ));
    }
    let trusted_proxies = parse_networks("server.trusted_proxies", &raw.trusted_proxies)?;
    Ok(ServerConfig { listen, origin, trusted_proxies, handle_domain: raw.handle_domain })
}

fn is_domain(text: &str) -> bool {
    url::Host::parse(text).is_ok_and(|host| matches!(host, url::Host::Domain(_)) && host.to_string() == text)
}

/// Rejects an origin with a port. Mastodon and others reject handles with a port, so nobody could follow. In
/// private networks a port is allowed.
fn check_port(origin: &Origin, allow_networks: &[IpNet]) -> Result<(), ConfigError> {
    if origin.is_localhost() || !origin.has_port() || !allow_networks.is_empty() {
        return Ok(());
    }
    let problem =
        "must not have a port, because other servers reject handles with a port; serve the site on port 443";
    Err(ConfigError::new("server.origin", problem))
}

fn parse_networks(key: &str, texts: &[String]) -> Result<Vec<IpNet>, ConfigError> {
    let parse = |text: &String| {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
        network.map_err(|_| ConfigError::new(key, format!("{text:?} is not a network such as 10.0.0.0/8")))
    };
    texts.iter().map(parse).collect()
}

fn check_critics(critics: Vec<CriticProfile>) -> Result<Vec<CriticProfile>, ConfigError> {
    let mut seen = HashSet::new();
    for (index, critic) in critics.iter().enumerate() {
        let key = format!("critics.{index}.handle");
        if !is_valid_handle(&critic.handle) {
            return Err(ConfigError::new(key, "must be 1 to 30 letters, digits or underscores"));
        }
        if !seen.insert(critic.handle.to_ascii_lowercase()) {
            return Err(ConfigError::new(key, "another critic already has this handle"));
        }
        if critic.name.trim().is_empty() {
            return Err(ConfigError::new(format!("critics.{index}.name"), "must not be empty"));
        }
        if let Some(wrong) = critic.attribution_domains.iter().find(|domain| !is_domain(domain)) {
            let problem = format!("{wrong:?} must be a domain name in lower case, without a port");
            return Err(ConfigError::new(format!("critics.{index}.attribution_domains"), problem));
        }
    }
    Ok(critics)
}

fn check_feeds(
    feeds: Vec<RawFeed>,
    critics: &[CriticProfile],
    timezone: &TimeZone,
) -> Result<Vec<FeedConfig>, ConfigError> {
    let mut seen = HashSet::new();
    let mut checked = Vec::with_capacity(feeds.len());
    for (index, feed) in feeds.into_iter().enumerate() {
        let key = |name: &str| format!("feeds.{index}.{name}");
        if feed.name.trim().is_empty() || !seen.insert(feed.name.clone()) {
            let problem = format!("{:?} must be unique and not empty", feed.name);
            return Err(ConfigError::new(key("name"), problem));
        }
        if !critics.iter().any(|c| c.handle == feed.critic) {
            return Err(ConfigError::new(
                key("critic"),
                format!("no critic has the handle {:?}", feed.critic),
            ));
        }
        let is_local = !feed.url.contains("://") && !feed.url.is_empty();
        if !is_local && !feed.url.starts_with("https://") {
            return Err(ConfigError::new(key("url"), "must be an https:// URL or the path of a local file"));
        }
        checked.push(FeedConfig {
            interval: check_interval(feed.interval.as_deref(), &key("interval"))?,
            publish_since: check_since(feed.publish_since.as_deref(), timezone, &key("publish_since"))?,
            max_publish_per_poll: feed.max_publish_per_poll.unwrap_or(5),
            name: feed.name,
            url: feed.url,
            critic: feed.critic,
        });
    }
    Ok(checked)
}

fn check_interval(text: Option<&str>, key: &str) -> Result<Duration, ConfigError> {
    let wrong = || ConfigError::new(key, "must be a duration from 1s to 30d, such as 15m");
    let text = text.unwrap_or("15m");
    // Jiff keeps days out of absolute durations; here a day is 24 hours.
    let hours = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u32>().ok())
        .map(|days| format!("{}h", days * 24));
    let interval: jiff::SignedDuration = hours.as_deref().unwrap_or(text).parse().map_err(|_| wrong())?;
    let interval = Duration::try_from(interval).map_err(|_| wrong())?;
    let allowed = Duration::from_secs(1)..=Duration::from_hours(30 * 24);
    if allowed.contains(&interval) { Ok(interval) } else { Err(wrong()) }
}

/// Parses a timestamp, or a date, which begins at midnight in the site's time zone.
fn check_since(text: Option<&str>, timezone: &TimeZone, key: &str) -> Result<Option<Timestamp>, ConfigError> {
    let Some(text) = text else { return Ok(None) };
    let day = || text.parse::<jiff::civil::Date>().ok()?.to_zoned(timezone.clone()).ok();
    let moment = Timestamp::parse_rfc3339(text)
        .or_else(|| day().map(|zoned| Timestamp::from_millis(zoned.timestamp().as_millisecond())));
    moment
        .map(Some)
        .ok_or_else(|| ConfigError::new(key, "must be a date such as 2026-01-31, or an RFC 3339 timestamp"))
}

fn check_federation(raw: RawFederation, folder: &Path) -> Result<FederationConfig, ConfigError> {
    let mut resolve = BTreeMap::new();
    for (name, address) in raw.resolve {
        let key = format!("federation.resolve.{name}");
        let address = address
            .parse()
            .map_err(|_| ConfigError::new(key, "must be an address and a port, such as 127.0.0.1:8443"))?;
        resolve.insert(name.to_ascii_lowercase(), address);
    }
    let extra_ca_file = raw.extra_ca_file.map(|path| folder.join(path));
    if let Some(path) = extra_ca_file.as_ref().filter(|path| !path.is_file()) {
        return Err(ConfigError::new(
            "federation.extra_ca_file",
            format!("no such file: {}", path.display()),
        ));
    }
    let allow_networks = parse_networks("federation.allow_networks", &raw.allow_networks)?;
    Ok(FederationConfig { allow_networks, resolve, extra_ca_file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_origin_has_no_port() {
        let port = |origin, networks: &[IpNet]| check_port(&Origin::parse(origin).unwrap(), networks);
        let error = port("https://crit.example:8443", &[]).unwrap_err().to_string();
        assert!(error.starts_with("config: server.origin: must not have a port"), "{error}");
        assert!(port("https://crit.example", &[]).is_ok() && port("http://localhost:8080", &[]).is_ok());
        assert!(port("https://crit.example:8443", &["127.0.0.0/8".parse().unwrap()]).is_ok());
    }

    #[test]
    fn a_day_begins_at_the_midnight_of_the_site() {
        let since = |text, zone| {
            let timezone = TimeZone::get(zone).unwrap();
            check_since(Some(text), &timezone, "publish_since").unwrap().map(|moment| moment.to_string())
        };
        assert_eq!(since("2026-01-31", "UTC").as_deref(), Some("2026-01-31T00:00:00Z"));
        assert_eq!(since("2026-01-31", "Europe/Berlin").as_deref(), Some("2026-01-30T23:00:00Z"));
        assert_eq!(since("2026-07-01", "America/New_York").as_deref(), Some("2026-07-01T04:00:00Z"));
        assert_eq!(since("2026-01-31T12:00:00Z", "Europe/Berlin").as_deref(), Some("2026-01-31T12:00:00Z"));
        assert!(check_since(Some("soon"), &TimeZone::UTC, "publish_since").is_err());
    }
}
