//! Tests of the HTTP clients against local servers that count connections.

mod apub_adapter;
mod delivery_client;
mod responses;
mod server;
mod ssrf_guard;
mod tls;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, Method};
use url::Url;

use self::server::{Server, ok};
use super::NetError;
use super::http_client::{Client, ClientPolicy, GetRequest};
use super::resolver::DnsLookup;
use super::response::GetResponse;
use super::signed_fetch::{FetchSigner, Knock};
use super::ssrf_guard::GuardError;
use super::timeouts::Timeouts;
use crate::domain::signature_scheme::SignatureScheme;

/// Scripted DNS answers. Each lookup returns the next answer; the last one is repeated.
#[derive(Default)]
struct ScriptedLookup(Mutex<HashMap<String, Vec<Vec<SocketAddr>>>>);

impl DnsLookup for ScriptedLookup {
    fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        let mut names = self.0.lock().unwrap();
        let answers = names.get_mut(name).ok_or_else(|| io::Error::other("no such name"))?;
        Ok(if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
    }
}

fn names(all: &[(&str, &[&[SocketAddr]])]) -> Arc<ScriptedLookup> {
    let map = all
        .iter()
        .map(|(name, answers)| ((*name).to_owned(), answers.iter().map(|a| a.to_vec()).collect()))
        .collect();
    Arc::new(ScriptedLookup(Mutex::new(map)))
}

const SHORT_TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_millis(800),
    read: Duration::from_millis(300),
    total: Duration::from_millis(900),
};

const LONG_TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    read: Duration::from_secs(5),
    total: Duration::from_secs(10),
};

#[async_trait::async_trait]
impl<F: Fn(&Method, &Url) -> HeaderMap + Send + Sync> FetchSigner for F {
    async fn preferred_scheme(&self, _: &Url) -> SignatureScheme {
        SignatureScheme::Cavage
    }

    async fn sign(&self, url: &Url, _: SignatureScheme, _: Knock) -> HeaderMap {
        self(&Method::GET, url)
    }

    async fn record_scheme(&self, _: &Url, _: Option<SignatureScheme>) {}
}

/// The policy of a public server.
fn strict() -> ClientPolicy {
    ClientPolicy { user_agent: "Marquee/0 (+https://crit.example)".to_owned(), ..ClientPolicy::default() }
}

/// A policy that allows connections to local servers, also over plain HTTP.
fn loopback() -> ClientPolicy {
    ClientPolicy { allow_networks: vec!["127.0.0.0/8".parse().unwrap()], plain_http: true, ..strict() }
}

fn client(policy: ClientPolicy, names: Arc<ScriptedLookup>) -> Client {
    Client::with_lookup(policy, names, LONG_TIMEOUTS).unwrap()
}

/// A client that resolves these names to these servers.
fn local(all: &[(&str, &Server)]) -> Client {
    let names_of: Vec<_> = all.iter().map(|(name, server)| (*name, [server.address])).collect();
    let answers: Vec<_> = names_of.iter().map(|(name, address)| (*name, [&address[..]])).collect();
    let scripted: Vec<(&str, &[&[SocketAddr]])> =
        answers.iter().map(|(name, all)| (*name, &all[..])).collect();
    client(loopback(), names(&scripted))
}

async fn get(client: &Client, url: &str) -> Result<GetResponse, NetError> {
    let url: Url = url.parse().unwrap();
    client.get(request(&url)).await
}

fn request(url: &Url) -> GetRequest<'_> {
    GetRequest { url, accept: "text/plain", max_bytes: 1000, headers: HeaderMap::new(), signer: None }
}
