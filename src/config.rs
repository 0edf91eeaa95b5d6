//! The configuration.
//!
//! Values come from the defaults, the config file and the environment; later sources win. Everything is
//! validated once, at the start, and each error names its key.

mod critics;
mod database;
mod environment;
mod federation;
mod feeds;
mod looks;
mod moderation;
mod server;
mod site;
mod support;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

pub use self::federation::FederationConfig;
pub use self::feeds::FeedConfig;
pub use self::server::ServerConfig;

use self::critics::check_critics;
use self::database::{RawDatabase, check_database};
use self::environment::key_of_variable;
use self::federation::{RawFederation, check_federation};
use self::feeds::{RawFeed, check_feeds};
use self::looks::{RawLooks, check_looks};
use self::moderation::RawModeration;
use self::server::{RawServer, check_port, check_server};
use self::site::{RawSite, check_site};
use self::support::check_support;
use crate::domain::critic::CriticProfile;
use crate::domain::moderation::ModerationPolicy;
use crate::domain::site::{Site, SupportLink};

/// The config file that is read unless another is given.
pub const DEFAULT_FILE: &str = "config/marquee.toml";

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

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
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

impl Default for RawConfig {
    fn default() -> Self {
        Self {
            data_dir: "data".to_owned(),
            site: RawSite::default(),
            looks: RawLooks::default(),
            support: Vec::new(),
            server: RawServer::default(),
            database: RawDatabase::default(),
            critics: Vec::new(),
            feeds: Vec::new(),
            federation: RawFederation::default(),
            moderation: RawModeration::default(),
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
        let problem = "file not found; use --config FILE to specify another";
        return Err(ConfigError::new(file.display().to_string(), problem));
    }
    let mut figment = Figment::from(Serialized::defaults(RawConfig::default())).merge(Toml::file_exact(file));
    let mut raw: Result<RawConfig, _> = figment.extract();
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

fn check(raw: RawConfig, folder: &Path) -> Result<Config, ConfigError> {
    let data_dir = PathBuf::from(raw.data_dir);
    let database_url = check_database(raw.database, &data_dir)?;
    let critics = check_critics(raw.critics)?;
    let support = check_support(raw.support, &critics)?;
    let site = check_site(raw.site, check_looks(raw.looks, folder)?, support)?;
    let server = check_server(raw.server)?;
    let policy = raw.moderation.policy(raw.federation.authorized_fetch);
    let federation = check_federation(raw.federation, folder)?;
    check_port(&server.origin, &federation.allow_networks)?;
    Ok(Config {
        data_dir,
        server,
        database_url,
        feeds: check_feeds(raw.feeds, &critics, &site.timezone)?,
        site,
        critics,
        federation,
        policy,
        base_dir: folder.to_owned(),
    })
}
