//! The config file that Marquee is started with.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use super::postgres::free_port;

/// The host under which Marquee is known in the test network.
pub const HOST: &str = "marquee.test";

/// The URL of a path on Marquee.
pub fn url(path: &str) -> String {
    format!("https://{HOST}{path}")
}

/// A string as TOML writes it.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A feed as the config declares it.
#[derive(Debug, Clone)]
pub struct FeedSetting {
    pub name: String,
    pub url: String,
    /// Further lines of its table.
    pub more: String,
}

/// Sections, keys, and values as TOML writes them.
#[derive(Clone, Default)]
pub struct ConfigFile {
    pub(super) sections: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) feeds: Vec<FeedSetting>,
}

impl ConfigFile {
    /// The config of a site with one critic.
    pub fn new(data_dir: &Path, database_url: &str) -> Self {
        let mut config = Self::default();
        config.set("", "data_dir", quoted(&data_dir.display().to_string()));
        config.set("site", "title", quoted("The Test Reel"));
        config.set("site", "language", quoted("en"));
        config.set("site", "timezone", quoted("UTC"));
        config.set("server", "listen", quoted(&format!("127.0.0.1:{}", free_port())));
        config.set("server", "origin", quoted(&format!("https://{HOST}")));
        config.set("database", "url", quoted(database_url));
        config.set("critics", "handle", quoted("critic"));
        config.set("critics", "name", quoted("The Critic"));
        config.set("critics", "summary", quoted("Sits in the third row."));
        config
    }

    pub fn set(&mut self, section: &str, key: &str, value: String) {
        let keys = self.sections.entry(section.to_owned()).or_default();
        keys.insert(key.to_owned(), value);
    }

    /// The value of a key, without quotation marks.
    pub fn get(&self, section: &str, key: &str) -> &str {
        self.sections[section][key].trim_matches('"')
    }

    /// Whether both configs declare the same critic at the same origin.
    pub fn has_critic_of(&self, other: &Self) -> bool {
        self.sections["critics"] == other.sections["critics"]
            && self.get("server", "origin") == other.get("server", "origin")
    }

    /// Where Marquee listens for plain HTTP.
    pub fn listen_address(&self) -> SocketAddr {
        self.get("server", "listen").parse().expect("an address")
    }

    pub fn toml(&self) -> String {
        let mut toml = String::new();
        for (section, keys) in &self.sections {
            match section.as_str() {
                "" => {}
                "critics" => toml.push_str("[[critics]]\n"),
                section => writeln!(toml, "[{section}]").expect("text"),
            }
            for (key, value) in keys {
                writeln!(toml, "{key} = {value}").expect("text");
            }
        }
        for feed in &self.feeds {
            let (name, url) = (quoted(&feed.name), quoted(&feed.url));
            // By default, only tests poll.
            let interval = if feed.more.contains("interval") { "" } else { "interval = \"24h\"" };
            let head = format!("[[feeds]]\nname = {name}\nurl = {url}\ncritic = \"critic\"\n{interval}");
            writeln!(toml, "{head}\n{}", feed.more).expect("text");
        }
        toml
    }
}
