//! The load generator, a dedicated process. Each loop ends after a number of requests or a time.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::connection::{Connection, request};
use super::helper_process::{Role, count, text};

/// A request that takes longer counts as failed.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// How often a request is repeated while the server responds that it is busy.
const MAX_TRIES: usize = 200;

/// A request that is already signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SignedRequest {
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

#[derive(Default)]
pub struct LoadGenerator {
    requests: Vec<SignedRequest>,
}

/// The number of responses per status; 0 stands for no response.
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

impl Role for LoadGenerator {
    async fn start(_: Value) -> anyhow::Result<(Self, Value)> {
        Ok((Self::default(), Value::Null))
    }

    async fn handle(&mut self, order: Value) -> anyhow::Result<Value> {
        match text(&order, "do")? {
            "keep" => {
                self.requests = serde_json::from_value(order["requests"].clone())?;
                Ok(Value::Null)
            }
            "post" => self.post(&order).await,
            "get" => get(&order).await,
            "stampede" => stampede(&order).await,
            what => anyhow::bail!("unknown order {what}"),
        }
    }
}

impl LoadGenerator {
    /// Sends each kept request once, over a number of connections.
    async fn post(&self, order: &Value) -> anyhow::Result<Value> {
        let address: SocketAddr = text(order, "address")?.parse()?;
        let pending = Arc::new(Mutex::new(VecDeque::from(self.requests.clone())));
        let statuses = Arc::<Statuses>::default();
        let began = Instant::now();
        let mut tasks = JoinSet::new();
        for _ in 0..count(order, "connections")? {
            let (pending, statuses) = (Arc::clone(&pending), Arc::clone(&statuses));
            tasks.spawn(async move {
                let mut connection = Connection::without_tls(address).await?;
                loop {
                    let signed_request = pending.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(signed_request) = signed_request else { return anyhow::Ok(()) };
                    post_one(&mut connection, address, signed_request, &statuses).await?;
                }
            });
        }
        while let Some(task) = tasks.join_next().await {
            task??;
        }
        Ok(json!({"statuses": statuses.json(), "seconds": began.elapsed().as_secs_f64()}))
    }
}

/// Repeats a POST while the server responds that it is busy.
async fn post_one(
    connection: &mut Connection,
    address: SocketAddr,
    signed_request: SignedRequest,
    statuses: &Statuses,
) -> anyhow::Result<()> {
    let body = bytes::Bytes::from(signed_request.body);
    for _ in 0..MAX_TRIES {
        let sending =
            connection.send(request("POST", &signed_request.target, &signed_request.headers, body.clone())?);
        let Ok(Ok(response)) = tokio::time::timeout(REQUEST_TIMEOUT, sending).await else {
            statuses.add(0);
            *connection = Connection::without_tls(address).await?;
            continue;
        };
        statuses.add(response.status.as_u16());
        if !matches!(response.status.as_u16(), 429 | 503) {
            return Ok(());
        }
        let wait = response.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        tokio::time::sleep(Duration::from_secs(wait.unwrap_or(1)).min(Duration::from_secs(5))).await;
    }
    anyhow::bail!("a request was not accepted in {MAX_TRIES} tries")
}

fn headers_of(order: &Value) -> anyhow::Result<Vec<(String, String)>> {
    serde_json::from_value(order["headers"].clone()).context("headers")
}

/// Sends GET requests for one URL over a number of connections until the time is up.
async fn get(order: &Value) -> anyhow::Result<Value> {
    let address: SocketAddr = text(order, "address")?.parse()?;
    let (path, headers) = (text(order, "path")?.to_owned(), headers_of(order)?);
    let until = Instant::now() + Duration::from_millis(u64::try_from(count(order, "millis")?)?);
    let statuses = Arc::<Statuses>::default();
    let mut tasks = JoinSet::new();
    for _ in 0..count(order, "connections")? {
        let (path, headers, statuses) = (path.clone(), headers.clone(), Arc::clone(&statuses));
        tasks.spawn(async move {
            let mut connection = Connection::without_tls(address).await?;
            while Instant::now() < until {
                let response = connection.send(request("GET", &path, &headers, "")?).await?;
                statuses.add(response.status.as_u16());
            }
            anyhow::Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(json!({"statuses": statuses.json()}))
}

/// Readers arrive at fixed intervals, each over a new connection, regardless of earlier responses. The
/// response time counts from the scheduled arrival.
async fn stampede(order: &Value) -> anyhow::Result<Value> {
    let address: SocketAddr = text(order, "address")?.parse()?;
    let (path, headers) = (text(order, "path")?.to_owned(), headers_of(order)?);
    let readers = count(order, "readers")?;
    let interval = Duration::from_millis(u64::try_from(count(order, "millis")?)?) / u32::try_from(readers)?;
    let began = tokio::time::Instant::now();
    let mut running = JoinSet::new();
    let (mut times, mut errors) = (Vec::with_capacity(readers), 0);
    let mut record = |ended: Result<anyhow::Result<Duration>, _>| match ended {
        Ok(Ok(time)) => times.push(time),
        Ok(Err(_)) | Err(_) => errors += 1,
    };
    for reader in 0..readers {
        let arrival = began + interval * u32::try_from(reader)?;
        tokio::time::sleep_until(arrival).await;
        let request = request("GET", &path, &headers, "")?;
        running.spawn(async move {
            let reading = async {
                let response = Connection::without_tls(address).await?.send(request).await?;
                anyhow::ensure!(response.status == 200, "responded with {}", response.status);
                anyhow::Ok(())
            };
            tokio::time::timeout(REQUEST_TIMEOUT, reading).await??;
            anyhow::Ok(arrival.elapsed())
        });
        while let Some(ended) = running.try_join_next() {
            record(ended);
        }
    }
    while let Some(ended) = running.join_next().await {
        record(ended);
    }
    times.sort();
    let percentile =
        |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1)));
    let millis = |percent| percentile(percent).map(|time| time.as_secs_f64() * 1e3);
    Ok(json!({"errors": errors, "p50": millis(50), "p99": millis(99)}))
}
