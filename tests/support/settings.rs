//! The settings with which a test starts Marquee.

use std::net::SocketAddr;
use std::process::Output;

use super::app::{App, AppOptions};
use super::config_file::{ConfigFile, FeedSetting, HOST, quoted};
use super::database::{Database, TestDatabase};
use super::network::TestNetwork;
use super::temp_dir::TempDir;

impl TestNetwork {
    /// Settings for Marquee in this network; `start()` starts it.
    pub async fn marquee(&self, database: Database) -> Settings<'_> {
        Settings::new(self, database).await
    }
}

pub struct Settings<'w> {
    network: &'w TestNetwork,
    options: AppOptions,
}

impl<'w> Settings<'w> {
    async fn new(network: &'w TestNetwork, database: Database) -> Self {
        let folder = TempDir::new();
        let ca_file = folder.write("ca.pem", network.ca.pem());
        let database = TestDatabase::reserve(database, &folder).await;
        let mut config = ConfigFile::new(folder.path(), &database.url());
        // Only this address: the rest of the loopback network stays forbidden.
        config.set("federation", "allow_networks", "[\"127.0.0.1/32\"]".to_owned());
        config.set("federation", "extra_ca_file", quoted(&ca_file.display().to_string()));
        for (name, address) in network.names.all() {
            config.set("federation.resolve", &quoted(&name), quoted(&address.to_string()));
        }
        let client = network.client.clone();
        let options = AppOptions {
            client,
            config,
            database,
            folder,
            environment: Vec::new(),
            role: None,
            wrapper: Vec::new(),
        };
        Self { network, options }
    }

    /// Sets a key to a value as TOML writes it.
    pub fn set(mut self, section: &str, key: &str, value: &str) -> Self {
        self.options.config.set(section, key, value.to_owned());
        self
    }

    /// Makes a name resolve to an address.
    pub fn resolve(self, name: &str, address: SocketAddr) -> Self {
        self.set("federation.resolve", &quoted(name), &quoted(&address.to_string()))
    }

    /// Declares a feed; `more` is what its table has in addition to name, URL and critic.
    pub fn feed(mut self, name: &str, url: &str, more: &str) -> Self {
        let (name, url, more) = (name.to_owned(), url.to_owned(), more.to_owned());
        self.options.config.feeds.push(FeedSetting { name, url, more });
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.options.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Serves in this role only.
    pub fn role(mut self, role: &'static str) -> Self {
        self.options.role = Some(role);
        self
    }

    /// Runs every process of Marquee through this command, which gets the program and its arguments.
    pub fn wrap_with(mut self, command: Vec<String>) -> Self {
        self.options.wrapper = command;
        self
    }

    /// The config file that it writes.
    pub fn toml(&self) -> String {
        self.options.config.toml()
    }

    /// Starts Marquee and waits until it is ready.
    pub async fn start(self) -> App {
        let listener = self.network.listen(HOST).await;
        let mut app = App::new(self.options).await;
        app.serve_tls(listener);
        app.start().await;
        app
    }

    /// Starts Marquee with invalid settings, and returns its output.
    pub async fn failed_start(self) -> Output {
        App::new(self.options).await.cli(&["serve"]).await
    }
}
