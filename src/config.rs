//! The configuration: defaults < file < environment, checked once, every error named with its key.

mod site;

use std::collections::{BTreeMap, HashSet};
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

/// The file that is read when none is named.
pub const DEFAULT_FILE: &str = "config/marquee.toml";

/// Variables of the environment that begin like a key but are none.
const NOT_KEYS: [&str; 2] = ["MARQUEE_LOG", "MARQUEE_TEST_"];

/// What stops the start: one line that names the key and says what to do.
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

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the database and the media lie.
    pub data_dir: PathBuf,
    /// The site.
    pub site: Site,
    /// How it is served.
    pub server: ServerConfig,
    /// `sqlite://PATH` or `postgres://…`.
    pub database_url: String,
    /// Critics that the file manages.
    pub critics: Vec<CriticProfile>,
    /// Feeds that the file manages.
    pub feeds: Vec<FeedConfig>,
    /// How it speaks with other servers.
    pub federation: FederationConfig,
    /// Who may do what here.
    pub policy: ModerationPolicy,
    /// The folder of the file, against which relative paths in it are meant.
    pub base_dir: PathBuf,
}

/// How the site is served.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The address it listens on.
    pub listen: SocketAddr,
    /// The address under which the world reaches it.
    pub origin: Origin,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The domain of the critics' handles where it differs from the origin's host (FEP-2c59).
    pub handle_domain: Option<String>,
}

/// A feed that the file manages.
#[derive(Debug, Clone)]
pub struct FeedConfig {
    /// Its name; it stays the same feed when its URL changes.
    pub name: String,
    /// `https://…`, or the path of a local file.
    pub url: String,
    /// The handle of the critic whose reviews it carries.
    pub critic: String,
    /// How often it is asked.
    pub interval: Duration,
    /// Entries dated before this become archive; none: before the day the feed was added.
    pub publish_since: Option<Timestamp>,
    /// At most so many go out in one poll.
    pub max_publish_per_poll: u32,
}

/// How the site speaks with other servers.
#[derive(Debug, Clone)]
pub struct FederationConfig {
    /// Networks for which the address and port rules of the guard are lifted.
    pub allow_networks: Vec<IpNet>,
    /// Names that are not asked of the DNS.
    pub resolve: BTreeMap<String, SocketAddr>,
    /// A further certificate authority that is trusted, as a PEM file.
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

/// Reads the file and the environment, and checks every value.
pub fn load(file: &Path) -> Result<Config, ConfigError> {
    if !file.is_file() {
        let problem = "no such file; name one with --config FILE";
        return Err(ConfigError::new(file.display().to_string(), problem));
    }
    let mut figment = Figment::from(Serialized::defaults(Raw::default())).merge(Toml::file_exact(file));
    for (name, value) in std::env::vars() {
        if let Some(key) = key_of_variable(&name) {
            figment = figment.merge((key, value));
        }
    }
    let raw: Raw = figment.extract().map_err(|error| described(&error))?;
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    check(raw, folder)
}

/// `MARQUEE_SERVER__LISTEN` is `server.listen`, `MARQUEE_DATA_DIR` is `data_dir`.
fn key_of_variable(name: &str) -> Option<String> {
    if NOT_KEYS.iter().any(|n| name.starts_with(n)) {
        return None;
    }
    Some(name.strip_prefix("MARQUEE_")?.to_ascii_lowercase().replace("__", "."))
}

fn described(error: &figment::Error) -> ConfigError {
    let mut path: Vec<String> = error.path.clone();
    let problem = match &error.kind {
        figment::error::Kind::UnknownField(field, expected) => {
            if path.last() != Some(field) {
                path.push(field.clone());
            }
            format!("unknown key; the keys here are {}", expected.join(", "))
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
        ConfigError::new("server.listen", "must be an address and a port like 127.0.0.1:8080")
    })?;
    let origin = Origin::parse(&raw.origin).map_err(|error| ConfigError::new("server.origin", error))?;
    if let Some(domain) = &raw.handle_domain
        && !is_domain(domain)
    {
        return Err(ConfigError::new(
            "server.handle_domain",
            "must be a domain in lower case, without a port",
        ));
    }
    let trusted_proxies = networks("server.trusted_proxies", &raw.trusted_proxies)?;
    Ok(ServerConfig { listen, origin, trusted_proxies, handle_domain: raw.handle_domain })
}

fn is_domain(text: &str) -> bool {
    url::Host::parse(text).is_ok_and(|host| matches!(host, url::Host::Domain(_)) && host.to_string() == text)
}

/// Mastodon and others take no handle with a port, so nobody could follow. Among servers of one's own it is fine.
fn check_port(origin: &Origin, allow_networks: &[IpNet]) -> Result<(), ConfigError> {
    if origin.is_localhost() || !origin.has_port() || !allow_networks.is_empty() {
        return Ok(());
    }
    let problem =
        "must not name a port, since other servers refuse handles that have one; serve it at port 443";
    Err(ConfigError::new("server.origin", problem))
}

fn networks(key: &str, texts: &[String]) -> Result<Vec<IpNet>, ConfigError> {
    let parse = |text: &String| {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
        network.map_err(|_| ConfigError::new(key, format!("{text:?} is not a network like 10.0.0.0/8")))
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
            return Err(ConfigError::new(key, "two critics have this handle"));
        }
        if critic.name.trim().is_empty() {
            return Err(ConfigError::new(format!("critics.{index}.name"), "must not be empty"));
        }
        if let Some(wrong) = critic.attribution_domains.iter().find(|domain| !is_domain(domain)) {
            let problem = format!("{wrong:?} must be a domain in lower case, without a port");
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
            let problem = format!("{:?} must differ from the other feeds' names and not be empty", feed.name);
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
            return Err(ConfigError::new(key("url"), "must be https://… or the path of a local file"));
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
    let wrong = || ConfigError::new(key, "must be a time from 1s to 30d, like 15m");
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

/// A moment, or a day, which begins with the site's midnight.
fn check_since(text: Option<&str>, timezone: &TimeZone, key: &str) -> Result<Option<Timestamp>, ConfigError> {
    let Some(text) = text else { return Ok(None) };
    let day = || text.parse::<jiff::civil::Date>().ok()?.to_zoned(timezone.clone()).ok();
    let moment = Timestamp::parse_rfc3339(text)
        .or_else(|| day().map(|zoned| Timestamp::from_millis(zoned.timestamp().as_millisecond())));
    moment
        .map(Some)
        .ok_or_else(|| ConfigError::new(key, "must be a day like 2026-01-31, or a moment in RFC 3339"))
}

fn check_federation(raw: RawFederation, folder: &Path) -> Result<FederationConfig, ConfigError> {
    let mut resolve = BTreeMap::new();
    for (name, address) in raw.resolve {
        let key = format!("federation.resolve.{name}");
        let address = address
            .parse()
            .map_err(|_| ConfigError::new(key, "must be an address and a port like 127.0.0.1:8443"))?;
        resolve.insert(name.to_ascii_lowercase(), address);
    }
    let extra_ca_file = raw.extra_ca_file.map(|path| folder.join(path));
    if let Some(path) = extra_ca_file.as_ref().filter(|path| !path.is_file()) {
        return Err(ConfigError::new(
            "federation.extra_ca_file",
            format!("no such file: {}", path.display()),
        ));
    }
    let allow_networks = networks("federation.allow_networks", &raw.allow_networks)?;
    Ok(FederationConfig { allow_networks, resolve, extra_ca_file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_of_the_world_has_no_port() {
        let port = |origin, networks: &[IpNet]| check_port(&Origin::parse(origin).unwrap(), networks);
        let complaint = port("https://crit.example:8443", &[]).unwrap_err().to_string();
        assert!(complaint.starts_with("config: server.origin: must not name a port"), "{complaint}");
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
