//! Fetches feeds with conditional requests (RFC 9110 section 13), or reads them from local files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use url::Url;

use super::moved_feed::ensure_same_feed;
use crate::domain::feed::Feed;
use crate::flows::App;
use crate::flows::local_file::read_regular_file;
use crate::net::http_client::GetRequest;
use crate::net::response::GetResponse;
use crate::net::retry_after::RetryAfter;
use crate::sources::credits::HeadlineColumns;
use crate::sources::feed::{self, FeedDocument, FeedError, FeedSource, is_guessed};
use crate::store::reviews;

/// The longest time that a server may ask to wait.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// How many headlines of known reviews tell which columns a feed has.
const MAX_KNOWN_HEADLINES: u32 = 300;

/// The version that reads feeds. What it reads differently is mended once, without a change of the feed.
pub(super) const PARSER_VERSION: &str = env!("CARGO_PKG_VERSION");
const ACCEPT: &str =
    "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5";

/// The validators of a response, which make the next request conditional.
#[derive(Default)]
pub(super) struct Validators {
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

impl Validators {
    /// Those of the last response.
    pub(super) fn of(feed: &Feed) -> Self {
        Self { etag: feed.etag.clone(), last_modified: feed.last_modified.clone() }
    }
}

/// The response of a feed.
pub(super) enum FeedResponse {
    Unchanged(Validators),
    /// The server asks to come back later.
    Later {
        status: StatusCode,
        delay: Duration,
    },
    /// There is nothing at the URL.
    Missing(StatusCode),
    Page(Box<FeedPage>),
}

/// Returns the URL of a feed, against which its relative URLs are resolved if it is not fetched.
pub(super) fn feed_base(app: &App, feed: &Feed) -> anyhow::Result<Url> {
    if feed.url.starts_with("https://") {
        return Url::parse(&feed.url).context("the URL of the feed is invalid");
    }
    let path = std::path::absolute(app.config_dir.join(&feed.url))?;
    Url::from_file_path(&path).ok().context("the path of the feed is not absolute")
}

/// A page of a feed.
pub(super) struct FeedPage {
    pub(super) document: FeedDocument,
    /// Its URL after redirects.
    pub(super) url: Url,
    /// The folder of a local feed.
    pub(super) folder: Option<PathBuf>,
    pub(super) validators: Validators,
    /// The URL that permanent redirects led to.
    pub(super) moved_to: Option<Url>,
    /// The URL of the feed, if the configured one is that of a page that links to it.
    pub(super) discovered: Option<Url>,
}

/// Fetches the first page of a feed, if it changed since the last poll or if `is_conditional` is false, or reads the local
/// file that it is. A document of another feed, to which a redirect leads, is an error.
pub(super) async fn fetch_feed(app: &App, feed: &Feed, is_conditional: bool) -> anyhow::Result<FeedResponse> {
    if !feed.url.starts_with("https://") {
        return Ok(FeedResponse::Page(Box::new(read_file(app, feed).await?)));
    }
    let url = Url::parse(feed.resolved_url.as_ref().unwrap_or(&feed.url))
        .context("the URL of the feed is invalid")?;
    let mut conditions = HeaderMap::new();
    if is_conditional && feed.parser_version.as_deref() == Some(PARSER_VERSION) {
        let known = [(header::IF_NONE_MATCH, &feed.etag), (header::IF_MODIFIED_SINCE, &feed.last_modified)];
        for (name, value) in known {
            if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
                conditions.insert(name, value);
            }
        }
    }
    let found = match fetch(app, feed, &url, conditions).await? {
        // A feed that was read before may be unavailable, and its links to other feeds must not be followed.
        Fetched::Html(Some(link)) if feed.pages.read == 0 => {
            let mut found = fetch_page(app, feed, &link).await?;
            if let FeedResponse::Page(page) = &mut found {
                page.discovered = Some(link);
            }
            found
        }
        Fetched::Html(_) => return Err(FeedError::Html.into()),
        Fetched::Feed(response) => response,
    };
    if let FeedResponse::Page(page) = &found {
        ensure_same_feed(app, feed, &url, &page.url, &page.document).await?;
    }
    Ok(found)
}

/// A page of the site that links to its feed is where a page of the feed was expected.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct SitePage(#[from] FeedError);

/// Fetches a page of a feed.
pub(super) async fn fetch_page(app: &App, feed: &Feed, url: &Url) -> anyhow::Result<FeedResponse> {
    match fetch(app, feed, url, HeaderMap::new()).await? {
        Fetched::Feed(response) => Ok(response),
        Fetched::Html(Some(_)) => Err(SitePage(FeedError::Html).into()),
        Fetched::Html(None) => Err(FeedError::Html.into()),
    }
}

/// Whether fetching the page at a URL failed since the feed has no such page: some servers respond with their home page to a
/// number that is too high. Any other error may pass.
pub(super) fn is_beyond_last_page(url: &Url, error: &anyhow::Error) -> bool {
    is_guessed(url) && error.is::<SitePage>()
}

async fn read_file(app: &App, feed: &Feed) -> anyhow::Result<FeedPage> {
    let path = app.config_dir.join(&feed.url);
    let path = tokio::fs::canonicalize(&path)
        .await
        .with_context(|| format!("file not found: {}", path.display()))?;
    let bytes = read_regular_file(&path, feed::MAX_FILE_BYTES).await?;
    let url = Url::from_file_path(&path).ok().context("the path of the feed is not absolute")?;
    Ok(FeedPage {
        document: parse(app, feed, bytes, &url, None).await??,
        url,
        folder: path.parent().map(Path::to_owned),
        validators: Validators::default(),
        moved_to: None,
        discovered: None,
    })
}

/// The columns that the config names, and those that headlines of known reviews begin with.
pub(super) async fn known_columns(app: &App, feed: &Feed) -> crate::store::Result<HeadlineColumns> {
    let mut columns = HeadlineColumns::configured(&feed.selection.columns);
    let headlines = reviews::headlines_of_feed(&app.db, feed.id, MAX_KNOWN_HEADLINES).await?;
    columns.learn(headlines.iter().map(String::as_str));
    Ok(columns)
}

async fn parse(
    app: &App,
    feed: &Feed,
    bytes: impl AsRef<[u8]> + Send + 'static,
    url: &Url,
    charset: Option<String>,
) -> anyhow::Result<Result<FeedDocument, FeedError>> {
    let (zone, base) = (app.site.timezone.clone(), url.clone());
    let columns = known_columns(app, feed).await?;
    let parsing = move || {
        let source = FeedSource {
            bytes: bytes.as_ref(),
            base: &base,
            charset: charset.as_deref(),
            zone: &zone,
            columns: &columns,
        };
        feed::parse(source)
    };
    Ok(tokio::task::spawn_blocking(parsing).await?)
}

/// What is at a URL.
enum Fetched {
    Feed(FeedResponse),
    /// An HTML page, with the feed that it links to.
    Html(Option<Url>),
}

async fn fetch(app: &App, feed: &Feed, url: &Url, mut headers: HeaderMap) -> anyhow::Result<Fetched> {
    if let Some(name) = feed.user_agent.as_deref().and_then(|name| HeaderValue::from_str(name).ok()) {
        headers.insert(header::USER_AGENT, name);
    }
    let response =
        app.http.get(GetRequest::new(url, ACCEPT, feed::MAX_DOCUMENT_BYTES).headers(headers)).await?;
    let GetResponse { url, status, headers, body, moved_to } = response;
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok()).map(str::to_owned);
    let validators = Validators { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED) };
    if status == StatusCode::NOT_MODIFIED {
        return Ok(Fetched::Feed(FeedResponse::Unchanged(Validators {
            etag: validators.etag.or_else(|| feed.etag.clone()),
            last_modified: validators.last_modified.or_else(|| feed.last_modified.clone()),
        })));
    }
    if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) {
        return Ok(Fetched::Feed(FeedResponse::Missing(status)));
    }
    if !status.is_success()
        && let Some(retry_after) = RetryAfter::from_headers(&headers)
    {
        let delay = retry_after.delay(app.clock.now()).min(MAX_RETRY_AFTER);
        return Ok(Fetched::Feed(FeedResponse::Later { status, delay }));
    }
    anyhow::ensure!(status.is_success(), "the server responded with {status}");
    let charset = text(header::CONTENT_TYPE).and_then(|media_type| charset_of(&media_type));
    let document = match parse(app, feed, body.clone(), &url, charset.clone()).await? {
        Err(FeedError::Html) => {
            return Ok(Fetched::Html(feed::find_feed(&body, charset.as_deref(), &url)));
        }
        parsed => parsed?,
    };
    let page = FeedPage { document, url, folder: None, validators, moved_to, discovered: None };
    Ok(Fetched::Feed(FeedResponse::Page(Box::new(page))))
}

/// Returns the `charset` parameter of a media type.
fn charset_of(media_type: &str) -> Option<String> {
    media_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_owned())
    })
}
