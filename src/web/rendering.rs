//! A rendered page or document: its bytes in each encoding, with the header fields.
//!
//! Everyone gets the same rendering, so nothing in it may depend on the request. The body is compressed when an
//! encoding is first requested. Each encoding has an entity tag of its own (RFC 9110 section 8.8.3).

use std::sync::atomic::Ordering;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use tokio::sync::OnceCell;

use super::conditional::{etag, if_none_match_contains, is_unmodified_since};
use super::encoding::{self, ContentEncoding, Encode, preferred_encoding};
use super::response_headers;
use super::view_filter;
use crate::domain::time::Timestamp;
use crate::flows::view_counts::ViewCounter;

/// Caches may store the response but must revalidate it each time, so that text that a critic removes disappears at
/// once.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("no-cache");

/// Pages and documents share URLs, and each is sent in several encodings.
pub(super) const VARY: &str = "Accept, Accept-Encoding";

/// Marks a 304 response for an ActivityStreams document, which has no body or type to tell by.
#[derive(Debug, Clone, Copy)]
pub(super) struct ActivityDocument;

/// A body in one encoding, with its header fields.
#[derive(Debug)]
struct EncodedBody {
    body: Bytes,
    head: HeaderMap,
    /// The header fields of a 304 response.
    not_modified: HeaderMap,
    etag: HeaderValue,
}

/// A page or document, ready to be sent.
#[derive(Debug)]
pub(super) struct Rendering {
    /// The header fields shared by all encodings.
    head: HeaderMap,
    is_document: bool,
    rendered_at: Timestamp,
    /// Counts the views of the page.
    views: Option<ViewCounter>,
    plain: EncodedBody,
    gzip: OnceCell<EncodedBody>,
    brotli: OnceCell<EncodedBody>,
}

impl Rendering {
    /// Creates a rendering with `more` header fields.
    pub(super) fn new(
        content_type: &'static str,
        body: String,
        more: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
        rendered_at: Timestamp,
    ) -> Self {
        let mut head: HeaderMap = more.into_iter().collect();
        head.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        head.insert(header::CACHE_CONTROL, CACHE_CONTROL);
        head.insert(header::VARY, HeaderValue::from_static(VARY));
        response_headers::add_defaults(&mut head);
        if let Ok(modified) = HeaderValue::from_str(&rendered_at.to_http_date()) {
            head.insert(header::LAST_MODIFIED, modified);
        }
        Self {
            plain: EncodedBody::new(&head, None, body.into()),
            views: None,
            head,
            is_document: crate::net::media_type::is_activitypub(content_type),
            rendered_at: rendered_at.truncate_to_second(),
            gzip: OnceCell::new(),
            brotli: OnceCell::new(),
        }
    }

    /// Counts each full response to a person as a view.
    pub(super) fn with_view_counter(self, views: ViewCounter) -> Self {
        Self { views: Some(views), ..self }
    }

    /// The most memory that the rendering can take, in bytes. An encoded body is at most slightly longer than the plain
    /// one.
    pub(super) fn max_memory(&self) -> usize {
        self.plain.body.len() * 3 + 4096
    }

    /// Responds to a GET or HEAD request; with 304 if the client already has this rendering (RFC 9110 section 13).
    pub(super) async fn respond(&self, request_headers: &HeaderMap, now: Timestamp) -> Response {
        self.respond_with(self.variant(preferred_encoding(request_headers)).await, request_headers, now)
    }

    /// Like [`Rendering::respond`], but returns `None` if the body would have to be compressed first.
    pub(super) fn try_respond(&self, request_headers: &HeaderMap, now: Timestamp) -> Option<Response> {
        let variant = match preferred_encoding(request_headers) {
            ContentEncoding::Identity => &self.plain,
            ContentEncoding::Gzip => self.gzip.get()?,
            ContentEncoding::Brotli => self.brotli.get()?,
        };
        Some(self.respond_with(variant, request_headers, now))
    }

    fn respond_with(&self, variant: &EncodedBody, request_headers: &HeaderMap, now: Timestamp) -> Response {
        // HTTP dates have whole seconds, and two renderings of the same second would get the same date. So no date is
        // sent until that second is over: a client that has a date saw the last rendering of that second.
        let is_dated = now.truncate_to_second() > self.rendered_at;
        let is_known = if request_headers.contains_key(header::IF_NONE_MATCH) {
            if_none_match_contains(request_headers, variant.etag.as_bytes())
        } else {
            is_dated && is_unmodified_since(request_headers, self.rendered_at)
        };
        let mut response = Response::default();
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.headers_mut() = variant.not_modified.clone();
            if self.is_document {
                response.extensions_mut().insert(ActivityDocument);
            }
        } else {
            if let Some(views) =
                self.views.as_ref().filter(|_| view_filter::is_countable_view(request_headers))
            {
                views.fetch_add(1, Ordering::Relaxed);
            }
            *response.headers_mut() = variant.head.clone();
            *response.body_mut() = Body::from(variant.body.clone());
        }
        if !is_dated {
            response.headers_mut().remove(header::LAST_MODIFIED);
        }
        response
    }

    async fn variant(&self, encoding: ContentEncoding) -> &EncodedBody {
        let (cell, name, encode): (_, _, Encode) = match encoding {
            ContentEncoding::Identity => return &self.plain,
            ContentEncoding::Gzip => (&self.gzip, "gzip", encoding::gzip),
            ContentEncoding::Brotli => (&self.brotli, "br", encoding::brotli),
        };
        let variant = cell.get_or_try_init(async || {
            let body = self.plain.body.clone();
            let encoded = tokio::task::spawn_blocking(move || encode(&body)).await;
            let encoded = encoded.map_err(std::io::Error::other).flatten()?;
            std::io::Result::Ok(EncodedBody::new(&self.head, Some(name), encoded.into()))
        });
        // Every client accepts the plain body.
        variant.await.unwrap_or(&self.plain)
    }
}

impl EncodedBody {
    fn new(head: &HeaderMap, encoding: Option<&'static str>, body: Bytes) -> Self {
        // A tag may be given for all encodings; it must be weak, since their bytes differ.
        let etag = head.get(header::ETAG).cloned().unwrap_or_else(|| etag(&body));
        let mut head = head.clone();
        head.insert(header::ETAG, etag.clone());
        let mut not_modified = head.clone();
        not_modified.remove(header::CONTENT_TYPE);
        if let Some(encoding) = encoding {
            head.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        Self { body, head, not_modified, etag }
    }
}
