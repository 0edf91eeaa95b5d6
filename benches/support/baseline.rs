//! The baseline: a trivial axum handler that sends the same bytes or accepts the same requests as Marquee and
//! does nothing else.

use std::net::SocketAddr;
use std::str::FromStr as _;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::net::TcpListener;

use super::connection::HttpResponse;
use super::helper_process::Role;

/// The maximum size of a body, as in Marquee.
const MAX_BODY_SIZE: usize = 1024 * 1024;

/// Headers that belong to the connection or that hyper writes.
const NOT_COPIED: [&str; 4] = ["connection", "content-length", "date", "transfer-encoding"];

pub struct Baseline;

/// The response to a GET.
#[derive(Debug, Clone, Default)]
struct Page {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Role for Baseline {
    async fn start(plan: Value) -> anyhow::Result<(Self, Value)> {
        let page = Page::read(&plan["page"])?;
        if let Some(database) = plan["database"].as_str() {
            open(database).await?;
        }
        let listen: SocketAddr = plan["listen"].as_str().unwrap_or("127.0.0.1:0").parse()?;
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?.to_string();
        let router = Router::new().fallback(async move |request: Request| respond(&page, request).await);
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok((Self, json!({"address": address})))
    }

    async fn handle(&mut self, _: Value) -> anyhow::Result<Value> {
        Ok(Value::Null)
    }
}

async fn respond(page: &Page, request: Request) -> Response {
    if request.method() == http::Method::POST {
        let read = axum::body::to_bytes(request.into_body(), MAX_BODY_SIZE).await;
        let status = if read.is_ok() { StatusCode::ACCEPTED } else { StatusCode::PAYLOAD_TOO_LARGE };
        return Response::builder().status(status).body(Body::empty()).expect("a response");
    }
    let mut response = Response::new(Body::from(page.body.clone()));
    *response.status_mut() = page.status;
    response.headers_mut().clone_from(&page.headers);
    response
}

impl Page {
    fn read(plan: &Value) -> anyhow::Result<Self> {
        let Some(headers) = plan["headers"].as_array() else { return Ok(Self::default()) };
        let mut page = Self {
            body: STANDARD.decode(plan["body"].as_str().context("a body")?)?.into(),
            ..Self::default()
        };
        for pair in headers {
            let (name, value) = (pair[0].as_str().context("a name")?, pair[1].as_str().context("a value")?);
            page.headers.append(HeaderName::from_str(name)?, HeaderValue::from_str(value)?);
        }
        Ok(page)
    }
}

/// The plan for a baseline that repeats this response.
pub fn copy(response: &HttpResponse) -> Value {
    let copied = response.headers.iter().filter(|(name, _)| !NOT_COPIED.contains(&name.as_str()));
    let headers: Vec<(&str, &str)> =
        copied.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    json!({"page": {"headers": headers, "body": STANDARD.encode(&response.body)}})
}

/// Opens the database like Marquee: one connection that writes, and some that read.
async fn open(database: &str) -> anyhow::Result<()> {
    let options = SqliteConnectOptions::from_str(database)?
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let write = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
    let read = SqlitePoolOptions::new().max_connections(8).connect_with(options.read_only(true)).await?;
    sqlx::query("select 1").execute(&read).await?;
    // The connections stay open as long as the process runs.
    std::mem::forget((write, read));
    Ok(())
}
