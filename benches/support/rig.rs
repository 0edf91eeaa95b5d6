//! The world around the program: an authority, the sink that answers for everyone else, and the limits.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::ca::Ca;
use super::letters::{self, Author};
use super::player::{Player, count, text};
use super::postgres::Postgres;
use super::seed::{self, Followers};
use super::site::{Plan, Site};

pub struct Rig {
    ca: Ca,
    pub sink: Player,
    pub limits: Player,
    /// Where the sink listens.
    pub address: SocketAddr,
    /// Where nobody does.
    dead: SocketAddr,
    // That of the limits.
    _postgres: Option<Postgres>,
}

/// What the sink counted.
#[derive(Debug)]
pub struct Tally {
    pub distinct: usize,
    pub total: usize,
}

impl Rig {
    /// Builds it.
    pub async fn build() -> anyhow::Result<Self> {
        let ca = Ca::new();
        let sink = Player::start("as-sink", &certified(&ca, "*.bench.test")).await?;
        let address: SocketAddr = text(&sink.hello, "address")?.parse()?;
        let postgres = if super::on_postgres() { Some(seed::postgres().await?) } else { None };
        let database = postgres.as_ref().map(Postgres::url);
        let plan = json!({"ca": ca.pem(), "sink": address.to_string(), "database": database});
        let limits = Player::start("as-limits", &plan).await?;
        let dead = ([127, 0, 0, 1], super::postgres::free_port()).into();
        Ok(Self { ca, sink, limits, address, dead, _postgres: postgres })
    }

    /// Makes a site that finds these hosts, and whose critic has these followers. The sink knows its key.
    pub async fn site(&mut self, followers: &[Followers]) -> anyhow::Result<Site> {
        self.site_on(followers, super::on_postgres()).await
    }

    /// The same on a database that the run does not choose.
    pub async fn site_on(&mut self, followers: &[Followers], on_postgres: bool) -> anyhow::Result<Site> {
        let site = self.found(followers, on_postgres).await?;
        for group in followers {
            site.follow(*group).await?;
        }
        Ok(site)
    }

    /// The same without the followers.
    pub async fn site_that_finds(&mut self, followers: &[Followers]) -> anyhow::Result<Site> {
        self.found(followers, super::on_postgres()).await
    }

    async fn found(&mut self, followers: &[Followers], on_postgres: bool) -> anyhow::Result<Site> {
        let mut names: Vec<(String, SocketAddr)> =
            letters::hosts().into_iter().map(|host| (host, self.address)).collect();
        for group in followers {
            let address = if group.name == "dead" { self.dead } else { self.address };
            names.extend((0..group.hosts).map(|n| (format!("{}{n}.bench.test", group.name), address)));
        }
        let site = Site::found(Plan { ca: self.ca.pem(), names, on_postgres }).await?;
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

    /// Tells the sink whose key this is.
    pub async fn trust_key(&mut self, id: &str, pem: &str) -> anyhow::Result<()> {
        self.sink.ask(&json!({"do": "trust", "key_id": id, "pem": pem})).await?;
        Ok(())
    }

    /// Opens so many origins at the sink for those who find no names: addresses, and a certificate for them.
    pub async fn open_doors(&mut self, doors: usize) -> anyhow::Result<Vec<String>> {
        let mut order = certified(&self.ca, "127.0.0.1");
        order["do"] = "open".into();
        order["doors"] = doors.into();
        let opened = self.sink.ask(&order).await?;
        let doors = opened["doors"].as_array().context("doors")?;
        doors.iter().map(|door| Ok(format!("https://{}", door.as_str().context("a door")?))).collect()
    }

    /// The authority that signed for the sink.
    pub fn authority(&self) -> &str {
        self.ca.pem()
    }

    /// Lets the sink serve what is known of these people.
    pub async fn introduce(&mut self, authors: &[Author]) -> anyhow::Result<()> {
        let documents: serde_json::Map<String, Value> = authors.iter().flat_map(Author::documents).collect();
        self.sink.ask(&json!({"do": "serve", "documents": documents})).await?;
        Ok(())
    }

    /// Lets the sink begin to count anew.
    pub async fn forget(&mut self) -> anyhow::Result<()> {
        self.sink.ask(&json!({"do": "forget"})).await?;
        Ok(())
    }

    /// What the sink counted since. An error where a signature did not verify.
    pub async fn tally(&mut self) -> anyhow::Result<Tally> {
        let answer = self.sink.ask(&json!({"do": "count"})).await?;
        ensure!(count(&answer, "refused")? == 0, "a delivery does not verify: {}", answer["why"]);
        Ok(Tally { distinct: count(&answer, "distinct")?, total: count(&answer, "total")? })
    }

    /// The same, where so many must have come, and no other.
    pub async fn settle(&mut self, expected: usize) -> anyhow::Result<Tally> {
        let tally = self.tally().await?;
        ensure!(tally.distinct == expected, "{} inboxes were served and not {expected}", tally.distinct);
        Ok(tally)
    }

    /// The body of a delivery that came.
    pub async fn last_body(&mut self) -> anyhow::Result<String> {
        let last = self.sink.ask(&json!({"do": "last"})).await?;
        Ok(last["body"].as_str().context("nothing was delivered yet")?.to_owned())
    }
}

/// A certificate for a name, and its key, as the sink is told.
fn certified(ca: &Ca, name: &str) -> Value {
    let (certificate, key) = ca.certificate(name);
    json!({"certificate": STANDARD.encode(certificate.der()), "key": STANDARD.encode(key.serialize_der())})
}
