//! Load on a server, from a process of its own. Every loop ends: by a count, or by a time.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::player::{Part, count, text};
use super::wire::{Wire, request};

/// A request that takes longer has failed.
const LONGEST: Duration = Duration::from_secs(20);

/// How often a request is made again to which the server answers that it has too much to do.
const MOST_TRIES: usize = 200;

/// A request that is signed already.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Letter {
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

#[derive(Default)]
pub struct Load {
    letters: Vec<Letter>,
}

/// How many answers of each status there were; 0 stands for none at all.
#[derive(Default)]
struct Statuses(Mutex<BTreeMap<u16, usize>>);

impl Statuses {
    fn add(&self, status: u16) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(status).or_default() += 1;
    }

    fn json(&self) -> Value {
        json!(*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Part for Load {
    async fn begin(_: Value) -> anyhow::Result<(Self, Value)> {
        Ok((Self::default(), Value::Null))
    }

    async fn obey(&mut self, order: Value) -> anyhow::Result<Value> {
        match text(&order, "do")? {
            "keep" => {
                self.letters = serde_json::from_value(order["letters"].clone())?;
                Ok(Value::Null)
            }
            "post" => self.post(&order).await,
            "get" => get(&order).await,
            "stampede" => stampede(&order).await,
            what => anyhow::bail!("there is no load {what}"),
        }
    }
}

impl Load {
    /// Posts what it keeps, each once, over so many connections.
    async fn post(&self, order: &Value) -> anyhow::Result<Value> {
        let address: SocketAddr = text(order, "address")?.parse()?;
        let waiting = Arc::new(Mutex::new(VecDeque::from(self.letters.clone())));
        let statuses = Arc::<Statuses>::default();
        let began = Instant::now();
        let mut lanes = JoinSet::new();
        for _ in 0..count(order, "connections")? {
            let (waiting, statuses) = (Arc::clone(&waiting), Arc::clone(&statuses));
            lanes.spawn(async move {
                let mut wire = Wire::plain(address).await?;
                loop {
                    let letter = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(letter) = letter else { return anyhow::Ok(()) };
                    post_one(&mut wire, address, letter, &statuses).await?;
                }
            });
        }
        while let Some(lane) = lanes.join_next().await {
            lane??;
        }
        Ok(json!({"statuses": statuses.json(), "seconds": began.elapsed().as_secs_f64()}))
    }
}

/// Posts until it is answered otherwise than by "too much to do".
async fn post_one(
    wire: &mut Wire,
    address: SocketAddr,
    letter: Letter,
    statuses: &Statuses,
) -> anyhow::Result<()> {
    let body = bytes::Bytes::from(letter.body);
    for _ in 0..MOST_TRIES {
        let sending = wire.send(request("POST", &letter.target, &letter.headers, body.clone())?);
        let Ok(Ok(answer)) = tokio::time::timeout(LONGEST, sending).await else {
            statuses.add(0);
            *wire = Wire::plain(address).await?;
            continue;
        };
        statuses.add(answer.status.as_u16());
        if !matches!(answer.status.as_u16(), 429 | 503) {
            return Ok(());
        }
        let wait = answer.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        tokio::time::sleep(Duration::from_secs(wait.unwrap_or(1)).min(Duration::from_secs(5))).await;
    }
    anyhow::bail!("a request was not taken in {MOST_TRIES} tries")
}

fn headers_of(order: &Value) -> anyhow::Result<Vec<(String, String)>> {
    serde_json::from_value(order["headers"].clone()).context("headers")
}

/// Gets one address again and again for a time, over so many connections.
async fn get(order: &Value) -> anyhow::Result<Value> {
    let address: SocketAddr = text(order, "address")?.parse()?;
    let (path, headers) = (text(order, "path")?.to_owned(), headers_of(order)?);
    let until = Instant::now() + Duration::from_millis(u64::try_from(count(order, "millis")?)?);
    let statuses = Arc::<Statuses>::default();
    let mut lanes = JoinSet::new();
    for _ in 0..count(order, "connections")? {
        let (path, headers, statuses) = (path.clone(), headers.clone(), Arc::clone(&statuses));
        lanes.spawn(async move {
            let mut wire = Wire::plain(address).await?;
            while Instant::now() < until {
                let answer = wire.send(request("GET", &path, &headers, "")?).await?;
                statuses.add(answer.status.as_u16());
            }
            anyhow::Ok(())
        });
    }
    while let Some(lane) = lanes.join_next().await {
        lane??;
    }
    Ok(json!({"statuses": statuses.json()}))
}

/// Readers who come at even intervals, each over a connection of its own, whether or not those before them were
/// answered. The time of an answer counts from when its reader was to come.
async fn stampede(order: &Value) -> anyhow::Result<Value> {
    let address: SocketAddr = text(order, "address")?.parse()?;
    let (path, headers) = (text(order, "path")?.to_owned(), headers_of(order)?);
    let readers = count(order, "readers")?;
    let interval = Duration::from_millis(u64::try_from(count(order, "millis")?)?) / u32::try_from(readers)?;
    let began = tokio::time::Instant::now();
    let mut running = JoinSet::new();
    let (mut times, mut errors) = (Vec::with_capacity(readers), 0);
    let mut note = |ended: Result<anyhow::Result<Duration>, _>| match ended {
        Ok(Ok(time)) => times.push(time),
        Ok(Err(_)) | Err(_) => errors += 1,
    };
    for reader in 0..readers {
        let comes = began + interval * u32::try_from(reader)?;
        tokio::time::sleep_until(comes).await;
        let request = request("GET", &path, &headers, "")?;
        running.spawn(async move {
            let reading = async {
                let answer = Wire::plain(address).await?.send(request).await?;
                anyhow::ensure!(answer.status == 200, "answered {}", answer.status);
                anyhow::Ok(())
            };
            tokio::time::timeout(LONGEST, reading).await??;
            anyhow::Ok(comes.elapsed())
        });
        while let Some(ended) = running.try_join_next() {
            note(ended);
        }
    }
    while let Some(ended) = running.join_next().await {
        note(ended);
    }
    times.sort();
    let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
    let millis = |share| at(share).map(|time| time.as_secs_f64() * 1e3);
    Ok(json!({"errors": errors, "p50": millis(50), "p99": millis(99)}))
}
