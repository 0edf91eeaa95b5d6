//! Fetches feeds with conditional requests (RFC 9110 section 13), or reads them from local files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use url::Url;

use crate::domain::feed::Feed;
use crate::flows::App;
use crate::flows::local_file::read_regular_file;
use crate::net::http_client::GetRequest;
use crate::net::retry_after::RetryAfter;
use crate::sources::feed;

/// The longest time that a server may ask to wait.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// The version that reads feeds. What it reads differently is mended once, without a change of the feed.
pub(super) const PARSER_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The validators of a response, which make the next request conditional.
#[derive(Default)]
pub(super) struct Validators {
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

/// The response of a feed.
pub(super) enum FeedResponse {
    Unchanged(Validators),
    /// The server asks to come back later.
    Later {
        status: StatusCode,
        delay: Duration,
    },
    Bytes {
        bytes: Vec<u8>,
        base: Url,
        charset: Option<String>,
        folder: Option<PathBuf>,
        validators: Validators,
    },
}

/// Returns the URL of a feed, against which its relative URLs are resolved if it is not fetched.
pub(super) fn feed_base(app: &App, feed: &Feed) -> anyhow::Result<Url> {
    if feed.url.starts_with("https://") {
        return Url::parse(&feed.url).context("the URL of the feed is invalid");
    }
    let path = std::path::absolute(app.config_dir.join(&feed.url))?;
    Url::from_file_path(&path).ok().context("the path of the feed is not absolute")
}

/// Fetches a feed if it changed since the last poll, or reads the local file that it is.
pub(super) async fn fetch_feed(app: &App, feed: &Feed) -> anyhow::Result<FeedResponse> {
    if !feed.url.starts_with("https://") {
        let path = app.config_dir.join(&feed.url);
        let path = tokio::fs::canonicalize(&path)
            .await
            .with_context(|| format!("file not found: {}", path.display()))?;
        let bytes = read_regular_file(&path, feed::MAX_DOCUMENT_BYTES).await?;
        let base = Url::from_file_path(&path).ok().context("the path of the feed is not absolute")?;
        let folder = path.parent().map(Path::to_owned);
        return Ok(FeedResponse::Bytes {
            bytes,
            base,
            charset: None,
            folder,
            validators: Validators::default(),
        });
    }
    let url = Url::parse(&feed.url).context("the URL of the feed is invalid")?;
    let mut conditions = HeaderMap::new();
    let known = [(header::IF_NONE_MATCH, &feed.etag), (header::IF_MODIFIED_SINCE, &feed.last_modified)];
    let is_read_by_this_version = feed.parser_version.as_deref() == Some(PARSER_VERSION);
    for (name, value) in known.into_iter().filter(|_| is_read_by_this_version) {
        if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
            conditions.insert(name, value);
        }
    }
    let accept =
        "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5";
    let fetched =
        app.http.get(GetRequest::new(&url, accept, feed::MAX_DOCUMENT_BYTES).headers(conditions)).await?;
    let text =
        |name| fetched.headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok()).map(str::to_owned);
    let validators = Validators { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED) };
    if fetched.status == StatusCode::NOT_MODIFIED {
        return Ok(FeedResponse::Unchanged(Validators {
            etag: validators.etag.or_else(|| feed.etag.clone()),
            last_modified: validators.last_modified.or_else(|| feed.last_modified.clone()),
        }));
    }
    if !fetched.status.is_success()
        && let Some(retry_after) = RetryAfter::from_headers(&fetched.headers)
    {
        let delay = retry_after.delay(app.clock.now()).min(MAX_RETRY_AFTER);
        return Ok(FeedResponse::Later { status: fetched.status, delay });
    }
    anyhow::ensure!(fetched.status.is_success(), "the server responded with {}", fetched.status);
    let charset = text(header::CONTENT_TYPE).and_then(|media_type| charset_of(&media_type));
    Ok(FeedResponse::Bytes {
        bytes: fetched.body.to_vec(),
        base: fetched.url,
        charset,
        folder: None,
        validators,
    })
}

/// Returns the `charset` parameter of a media type.
fn charset_of(media_type: &str) -> Option<String> {
    media_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_owned())
    })
}
