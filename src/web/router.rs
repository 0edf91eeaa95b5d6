//! Every route on one screen.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::error::{WebError, tell};
use super::fedi::{actor, article, discovery, inbox, note, secure, stamp};
use super::health;
use super::read::{
    browse, card, feed, home, interact, listing, media, oembed, profile, review, search, sitemap,
};
use super::state::WebState;

/// No request takes longer than this to come in and be answered.
const LONGEST: Duration = Duration::from_mins(1);

/// The site.
#[rustfmt::skip]
pub fn router(state: WebState) -> Router {
    Router::new()
        // People
        .route("/", get(home::show))
        .route("/reviews", get(listing::archive))
        .route("/reviews/", get(async || Redirect::permanent("/reviews")))
        .route("/reviews/{slug}", get(review::show))
        .route("/reviews/{slug}/comments", get(review::conversation))
        .route("/browse", get(browse::show))
        .route("/years/{year}", get(listing::year))
        .route("/ratings/{rating}", get(listing::rating))
        .route("/films", get(browse::index))
        .route("/films/{slug}", get(listing::film))
        .route("/people", get(browse::index))
        .route("/people/{slug}", get(listing::person))
        .route("/people/{slug}/{feed}", get(feed::of_person))
        .route("/search", get(search::show))
        .route("/opensearch.xml", get(search::description))
        .route("/tags", get(browse::index))
        .route("/reviews/{slug}/card.png", get(card::show))
        .route("/tags/{slug}", get(listing::tag))
        .route("/tags/{slug}/{feed}", get(feed::of_tag))
        .route("/media/{name}", get(media::picture))
        .route("/assets/{name}", get(media::asset))
        .route("/{handle}", get(profile::show))
        .route("/{handle}/{feed}", get(feed::of_critic))
        .route("/feed.xml", get(feed::of_site))
        .route("/atom.xml", get(feed::of_site))
        .route("/feed.json", get(feed::of_site))
        .route("/sitemap.xml", get(sitemap::show))
        .route("/interact", post(interact::interact))
        .route("/robots.txt", get(robots))
        .route("/oembed", get(oembed::show))
        // Servers
        .route("/.well-known/webfinger", get(discovery::webfinger))
        .route("/.well-known/nodeinfo", get(discovery::nodeinfo))
        .route("/.well-known/security.txt", get(discovery::security))
        .route("/.well-known/host-meta", get(discovery::host_meta))
        .route("/.well-known/host-meta.json", get(discovery::host_meta_json))
        .route("/nodeinfo/{version}", get(discovery::nodeinfo_document))
        .route("/ap/actor", get(actor::instance))
        .route("/ap/actor/{id}", get(actor::show))
        .route("/ap/actor/{id}/inbox", post(inbox::post))
        .route("/ap/actor/{id}/{part}", get(actor::part))
        .route("/ap/inbox", post(inbox::post))
        .route("/ap/article/{id}", get(article::show))
        .route("/ap/article/{id}/{part}", get(article::part))
        .route("/ap/note/{id}", get(note::show))
        .route("/ap/note/{id}/replies", get(note::replies))
        .route("/ap/activity/{id}", get(article::activity))
        .route("/ap/stamp/{id}", get(stamp::show))
        // Operators
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .layer(middleware::from_fn_with_state(state.clone(), secure::guard))
        .layer(middleware::from_fn(guard))
        .layer(middleware::from_fn_with_state(state.clone(), tell))
        .layer(DefaultBodyLimit::max(inbox::MOST_BYTES))
        .with_state(state)
}

/// What crawlers may read: everything but what does something.
async fn robots(State(state): State<WebState>) -> String {
    format!("User-agent: *\nDisallow: /interact\n\nSitemap: {}\n", state.app.origin.url("/sitemap.xml"))
}

/// An end to requests that take too long.
async fn guard(request: Request, next: Next) -> Response {
    // No database keeps a NUL, so nothing is found by one: neither under its path nor by what its query says.
    let address = request.uri().path_and_query().map_or("", axum::http::uri::PathAndQuery::as_str);
    if address.contains("%00") {
        return WebError::BadRequest("no address has a NUL in it".to_owned()).into_response();
    }
    bounded(next.run(request)).await
}

/// An answer, or that it took too long.
pub(super) async fn bounded(answer: impl Future<Output = Response>) -> Response {
    let answered = tokio::time::timeout(LONGEST, answer).await;
    answered.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}
