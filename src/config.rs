//! The configuration.
//!
//! Values come from the defaults, the config file and the environment; later sources win. Everything is
//! validated once, at the start, and each error names its key.

mod budgets;
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

use std::path::{Path, PathBuf};

use figment::providers::{Format, Serialized, Toml};
use figment::{Figment, Profile, Provider as _};
use serde::{Deserialize, Serialize};

pub use self::federation::FederationConfig;
pub use self::feeds::FeedConfig;
pub use self::server::ServerConfig;

use self::budgets::{RawBudgets, check_budgets};
use self::critics::check_critics;
use self::database::{RawDatabase, check_database};
use self::environment::{Overrides, is_config_variable};
use self::federation::{RawFederation, check_federation};
use self::feeds::{RawFeed, check_feeds};
use self::looks::{RawLooks, check_looks};
use self::moderation::RawModeration;
use self::server::{RawServer, check_port, check_server};
use self::site::{RawSite, check_site};
use self::support::check_support;
use crate::domain::budget_limits::BudgetLimits;
use crate::domain::critic::CriticProfile;
use crate::domain::moderation_policy::ModerationPolicy;
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
    /// How much of each resource one stranger may use.
    pub budgets: BudgetLimits,
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
    budgets: RawBudgets,
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
            budgets: RawBudgets::default(),
        }
    }
}

/// Loads the config file and the environment of this process, and validates every value.
pub fn load(file: &Path) -> Result<Config, ConfigError> {
    let mut variables = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Ok(name) = name.into_string() else { continue };
        match value.into_string() {
            Ok(value) => variables.push((name, value)),
            Err(_) if is_config_variable(&name) => {
                return Err(ConfigError::new(name, "the value of this environment variable is not UTF-8"));
            }
            Err(_) => {}
        }
    }
    load_with(file, variables)
}

/// Returns the defaults, for a command that needs no site.
///
/// # Errors
/// Never, unless the defaults are invalid.
pub fn defaults() -> Result<Config, ConfigError> {
    check(RawConfig::default(), Path::new("."))
}

impl Config {
    /// Adds a feed with the defaults of all settings, by the critic with this handle.
    ///
    /// # Errors
    /// If its URL is not one that the config file may have.
    pub fn add_feed(&mut self, url: &str, critic: &str) -> Result<(), ConfigError> {
        let raw = RawFeed::new(url, critic);
        self.feeds.extend(check_feeds(vec![raw], &self.critics, &self.site.timezone)?);
        Ok(())
    }
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
    let overrides = Overrides::from_variables(variables);
    let raw = extract(file, &overrides)?;
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    check(raw, folder)
}

/// Extracts the values of the file strictly, except those that variables override, then those of the variables. A variable
/// is always text: the lossy extraction turns it into a boolean or a number if, and only if, its key has that type, so that
/// a title of `1984` stays text.
fn extract(file: &Path, overrides: &Overrides) -> Result<RawConfig, ConfigError> {
    let described = |error| describe_error(&error);
    let defaults = || Figment::from(Serialized::defaults(RawConfig::default()));
    let figment = defaults().merge(Toml::file_exact(file));
    if overrides.is_empty() {
        return figment.extract().map_err(described);
    }
    let mut values = Toml::file_exact(file).data().map_err(described)?;
    let mut values = values.remove(&Profile::Default).unwrap_or_default();
    overrides.remove_from(&mut values);
    defaults().merge(Serialized::defaults(values)).extract::<RawConfig>().map_err(described)?;
    let merged = overrides.iter().fold(figment, |figment, (key, value)| figment.merge((key.as_str(), value)));
    merged.extract_lossy().map_err(described)
}

fn describe_error(error: &figment::Error) -> ConfigError {
    let mut path: Vec<String> = error.path.clone();
    let problem = match &error.kind {
        figment::error::Kind::UnknownField(field, expected) => {
            if path.last() != Some(field) {
                path.push(field.clone());
            }
            format!("unknown key; valid keys are {}", expected.join(", "))
        }
        figment::error::Kind::MissingField(field) => {
            path.push(field.to_string());
            "must be set".to_owned()
        }
        kind => kind.to_string(),
    };
    let key = if path.is_empty() { "the file".to_owned() } else { path.join(".") };
    ConfigError::new(key, problem.replace('\n', " "))
}

fn check(raw: RawConfig, folder: &Path) -> Result<Config, ConfigError> {
    if raw.data_dir.is_empty() {
        return Err(ConfigError::new("data_dir", "must not be empty"));
    }
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
        budgets: check_budgets(raw.budgets)?,
        base_dir: folder.to_owned(),
    })
}
