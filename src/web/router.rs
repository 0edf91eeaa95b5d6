//! Every route on one screen.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::activitypub::{actor, article, discovery, inbox, note, quote_authorization, secure_mode};
use super::error::{WebError, format_errors};
use super::handlers::{
    browse, feed, home, interact, media, oembed, profile, review, review_lists, search, share_card, sitemap,
};
use super::health;
use super::state::WebState;

/// No request takes longer than this to come in and be answered.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// The site.
#[rustfmt::skip]
pub fn router(state: WebState) -> Router {
    Router::new()
        // People
        .route("/", get(home::show))
        .route("/reviews", get(review_lists::archive))
        .route("/reviews/", get(async || Redirect::permanent("/reviews")))
        .route("/reviews/{slug}", get(review::show))
        .route("/reviews/{slug}/comments", get(review::discussion))
        .route("/browse", get(browse::show))
        .route("/years/{year}", get(review_lists::year))
        .route("/ratings/{rating}", get(review_lists::rating))
        .route("/films", get(browse::index))
        .route("/films/{slug}", get(review_lists::film))
        .route("/people", get(browse::index))
        .route("/people/{slug}", get(review_lists::person))
        .route("/people/{slug}/{feed}", get(feed::person_feed))
        .route("/search", get(search::show))
        .route("/opensearch.xml", get(search::opensearch))
        .route("/tags", get(browse::index))
        .route("/reviews/{slug}/card.png", get(share_card::show))
        .route("/tags/{slug}", get(review_lists::tag))
        .route("/tags/{slug}/{feed}", get(feed::tag_feed))
        .route("/media/{name}", get(media::media_file))
        .route("/assets/{name}", get(media::asset))
        .route("/{handle}", get(profile::show))
        .route("/{handle}/{feed}", get(feed::critic_feed))
        .route("/feed.xml", get(feed::site_feed))
        .route("/atom.xml", get(feed::site_feed))
        .route("/feed.json", get(feed::site_feed))
        .route("/sitemap.xml", get(sitemap::show))
        .route("/interact", post(interact::interact))
        .route("/robots.txt", get(robots))
        .route("/oembed", get(oembed::show))
        // Servers
        .route("/.well-known/webfinger", get(discovery::webfinger))
        .route("/.well-known/nodeinfo", get(discovery::nodeinfo))
        .route("/.well-known/security.txt", get(discovery::security_txt))
        .route("/.well-known/host-meta", get(discovery::host_meta))
        .route("/.well-known/host-meta.json", get(discovery::host_meta_json))
        .route("/nodeinfo/{version}", get(discovery::nodeinfo_document))
        .route("/ap/actor", get(actor::instance))
        .route("/ap/actor/{id}", get(actor::show))
        .route("/ap/actor/{id}/inbox", post(inbox::post))
        .route("/ap/actor/{id}/{part}", get(actor::collection))
        .route("/ap/inbox", post(inbox::post))
        .route("/ap/article/{id}", get(article::show))
        .route("/ap/article/{id}/{part}", get(article::collection))
        .route("/ap/note/{id}", get(note::show))
        .route("/ap/note/{id}/replies", get(note::replies))
        .route("/ap/activity/{id}", get(article::activity))
        .route("/ap/stamp/{id}", get(quote_authorization::show))
        // Operators
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .layer(middleware::from_fn_with_state(state.clone(), secure_mode::require_signature))
        .layer(middleware::from_fn(limit_request))
        .layer(middleware::from_fn_with_state(state.clone(), format_errors))
        .layer(DefaultBodyLimit::max(inbox::MAX_BODY_BYTES))
        .with_state(state)
}

/// What crawlers may read: everything but what does something.
async fn robots(State(state): State<WebState>) -> String {
    format!("User-agent: *\nDisallow: /interact\n\nSitemap: {}\n", state.app.origin.url("/sitemap.xml"))
}

/// An end to requests that take too long.
async fn limit_request(request: Request, next: Next) -> Response {
    // No database keeps a NUL, so nothing is found by one: neither under its path nor by what its query says.
    let address = request.uri().path_and_query().map_or("", axum::http::uri::PathAndQuery::as_str);
    if address.contains("%00") {
        return WebError::BadRequest("no address has a NUL in it".to_owned()).into_response();
    }
    with_timeout(next.run(request)).await
}

/// An answer, or that it took too long.
pub(super) async fn with_timeout(answer: impl Future<Output = Response>) -> Response {
    let answered = tokio::time::timeout(REQUEST_TIMEOUT, answer).await;
    answered.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}
