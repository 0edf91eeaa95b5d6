//! The environment of Marquee in a bench: a CA, the sink that plays all other servers, and the limits.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::authors::{self, Author};
use super::ca::Ca;
use super::helper_process::{HelperProcess, count, text};
use super::postgres::Postgres;
use super::seed::{self, FollowerGroup};
use super::site::{Site, SiteConfig};

pub struct Environment {
    ca: Ca,
    pub sink: HelperProcess,
    pub limits: HelperProcess,
    /// The address of the sink.
    pub address: SocketAddr,
    /// An address where nothing listens.
    dead: SocketAddr,
    // The database of the limits.
    _postgres: Option<Postgres>,
}

/// The counts of the sink.
#[derive(Debug)]
pub struct DeliveryCounts {
    pub distinct: usize,
    pub total: usize,
}

impl Environment {
    /// Starts the helper processes.
    pub async fn build() -> anyhow::Result<Self> {
        let ca = Ca::new();
        let sink = HelperProcess::start("as-sink", &certified(&ca, "*.bench.test")).await?;
        let address: SocketAddr = text(&sink.ready, "address")?.parse()?;
        let postgres = if super::on_postgres() { Some(seed::postgres().await?) } else { None };
        let database = postgres.as_ref().map(Postgres::url);
        let plan = json!({"ca": ca.pem(), "sink": address.to_string(), "database": database});
        let limits = HelperProcess::start("as-limits", &plan).await?;
        let dead = ([127, 0, 0, 1], super::postgres::free_port()).into();
        Ok(Self { ca, sink, limits, address, dead, _postgres: postgres })
    }

    /// Creates a site that resolves these hosts and whose critic has these followers. The sink knows its key.
    pub async fn site(&mut self, followers: &[FollowerGroup]) -> anyhow::Result<Site> {
        self.site_on(followers, super::on_postgres()).await
    }

    /// Creates such a site on PostgreSQL or on SQLite.
    pub async fn site_on(&mut self, followers: &[FollowerGroup], on_postgres: bool) -> anyhow::Result<Site> {
        let site = self.create_site(followers, on_postgres).await?;
        for group in followers {
            site.follow(*group).await?;
        }
        Ok(site)
    }

    /// Creates such a site without the followers.
    pub async fn site_without_followers(&mut self, followers: &[FollowerGroup]) -> anyhow::Result<Site> {
        self.create_site(followers, super::on_postgres()).await
    }

    async fn create_site(&mut self, followers: &[FollowerGroup], on_postgres: bool) -> anyhow::Result<Site> {
        let mut names: Vec<(String, SocketAddr)> =
            authors::hosts().into_iter().map(|host| (host, self.address)).collect();
        for group in followers {
            let address = if group.name == "dead" { self.dead } else { self.address };
            names.extend((0..group.hosts).map(|n| (format!("{}{n}.bench.test", group.name), address)));
        }
        let site = Site::create(SiteConfig { ca: self.ca.pem(), names, on_postgres }).await?;
        self.trust(&site).await?;
        Ok(site)
    }

    async fn trust(&mut self, site: &Site) -> anyhow::Result<()> {
        let running = site.start("web").await?;
        let critic = site.critic().await?;
        running.stop().await?;
        let key = &critic["publicKey"];
        self.trust_key(text(key, "id")?, text(key, "publicKeyPem")?).await
    }

    /// Registers a key with the sink.
    pub async fn trust_key(&mut self, id: &str, pem: &str) -> anyhow::Result<()> {
        self.sink.call(&json!({"do": "trust", "key_id": id, "pem": pem})).await?;
        Ok(())
    }

    /// Opens a number of origins at the sink that need no name: an address and a certificate for it.
    pub async fn open_origins(&mut self, origins: usize) -> anyhow::Result<Vec<String>> {
        let mut order = certified(&self.ca, "127.0.0.1");
        order["do"] = "open".into();
        order["origins"] = origins.into();
        let opened = self.sink.call(&order).await?;
        let origins = opened["origins"].as_array().context("origins")?;
        origins
            .iter()
            .map(|origin| Ok(format!("https://{}", origin.as_str().context("an origin")?)))
            .collect()
    }

    /// The CA that issued the sink's certificates.
    pub fn ca_pem(&self) -> &str {
        self.ca.pem()
    }

    /// Makes the sink serve the documents of these actors.
    pub async fn serve_actors(&mut self, authors: &[Author]) -> anyhow::Result<()> {
        let documents: serde_json::Map<String, Value> = authors.iter().flat_map(Author::documents).collect();
        self.sink.call(&json!({"do": "serve", "documents": documents})).await?;
        Ok(())
    }

    /// Resets the counts of the sink.
    pub async fn reset_counts(&mut self) -> anyhow::Result<()> {
        self.sink.call(&json!({"do": "reset"})).await?;
        Ok(())
    }

    /// Returns what the sink has counted since the last reset, or an error if a signature was invalid.
    pub async fn counts(&mut self) -> anyhow::Result<DeliveryCounts> {
        let response = self.sink.call(&json!({"do": "count"})).await?;
        ensure!(count(&response, "rejected")? == 0, "a delivery does not verify: {}", response["why"]);
        Ok(DeliveryCounts { distinct: count(&response, "distinct")?, total: count(&response, "total")? })
    }

    /// Checks that exactly `expected` inboxes received the activity.
    pub async fn assert_delivered(&mut self, expected: usize) -> anyhow::Result<DeliveryCounts> {
        let counts = self.counts().await?;
        ensure!(
            counts.distinct == expected,
            "{} inboxes received the activity instead of {expected}",
            counts.distinct
        );
        Ok(counts)
    }

    /// Returns the body of a delivery that arrived.
    pub async fn last_body(&mut self) -> anyhow::Result<String> {
        let last = self.sink.call(&json!({"do": "last"})).await?;
        Ok(last["body"].as_str().context("nothing was delivered yet")?.to_owned())
    }
}

/// A certificate for a name, and its key, in the form that the sink reads.
fn certified(ca: &Ca, name: &str) -> Value {
    let (certificate, key) = ca.certificate(name);
    json!({"certificate": STANDARD.encode(certificate.der()), "key": STANDARD.encode(key.serialize_der())})
}
