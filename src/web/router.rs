//! The list of all routes. Both the router and the fast path are built from it.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::http::uri::PathAndQuery;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::activitypub::{
    activity, actor, article, authorized_fetch, collections, host_meta, inbox, nodeinfo, note,
    quote_authorization, webfinger,
};
use super::error::WebError;
use super::error_pages::format_errors;
use super::handlers::{
    archive, assets, browse, comment, discussion, feed, film, home, interact, media, oembed, opensearch,
    person, profile, review, robots, search, security_txt, share_card, sitemap,
};
use super::health;
use super::request_log::log_requests;
use super::route::{Route, route};
use super::state::WebState;

/// How long receiving a request and responding to it may take.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// All routes of the site.
#[rustfmt::skip]
pub(super) fn routes() -> Vec<Route> {
    vec![
        // People
        route("/", get(home::show)).cached_as(home::cache_key),
        route("/reviews", get(archive::show)),
        route("/reviews/", get(async || Redirect::permanent("/reviews"))),
        route("/reviews/{slug}", get(review::show)).cached_as(review::cache_key),
        route("/reviews/{slug}/comments", get(discussion::show)).cached_as(discussion::cache_key),
        route("/reviews/{slug}/comments/{id}", get(comment::show)),
        route("/reviews/{slug}/card.png", get(share_card::show)),
        route("/browse", get(browse::show)),
        route("/years/{year}", get(archive::year)),
        route("/ratings/{rating}", get(archive::rating)),
        route("/films", get(browse::index)),
        route("/films/{slug}", get(film::show)),
        route("/people", get(browse::index)),
        route("/people/{slug}", get(person::show)),
        route("/people/{slug}/{feed}", get(feed::person_feed)),
        route("/tags", get(browse::index)),
        route("/tags/{slug}", get(archive::tag)),
        route("/tags/{slug}/{feed}", get(feed::tag_feed)),
        route("/search", get(search::show)),
        route("/opensearch.xml", get(opensearch::show)),
        route("/media/{name}", get(media::show)),
        route("/assets/{name}", get(assets::show)),
        route("/{handle}", get(profile::show)),
        route("/{handle}/{feed}", get(feed::critic_feed)),
        route("/feed.xml", get(feed::site_feed)),
        route("/atom.xml", get(feed::site_feed)),
        route("/feed.json", get(feed::site_feed)),
        route("/sitemap.xml", get(sitemap::show)),
        route("/interact", post(interact::submit)),
        route("/robots.txt", get(robots::show)),
        route("/oembed", get(oembed::show)),
        // Servers
        route("/.well-known/webfinger", get(webfinger::show)),
        route("/.well-known/nodeinfo", get(nodeinfo::links)),
        route("/.well-known/security.txt", get(security_txt::show)),
        route("/.well-known/host-meta", get(host_meta::xml)),
        route("/.well-known/host-meta.json", get(host_meta::json)),
        route("/nodeinfo/{version}", get(nodeinfo::document)),
        route("/ap/actor", get(actor::instance)),
        route("/ap/actor/{id}", get(actor::show)),
        route("/ap/actor/{id}/inbox", post(inbox::post)).inbox(),
        route("/ap/actor/{id}/{part}", get(collections::actor_collection)),
        route("/ap/inbox", post(inbox::post)).inbox(),
        route("/ap/article/{id}", get(article::show)).cached_as(article::cache_key),
        route("/ap/article/{id}/{part}", get(collections::article_collection)),
        route("/ap/note/{id}", get(note::show)),
        route("/ap/note/{id}/replies", get(collections::note_replies)),
        route("/ap/activity/{id}", get(activity::show)),
        route("/ap/stamp/{id}", get(quote_authorization::show)),
        // Operators
        route("/health/live", get(health::live)),
        route("/health/ready", get(health::ready)),
    ]
}

/// Builds the router with its middleware. The last layer is the outermost.
pub(super) fn router(routes: Vec<Route>, state: WebState) -> Router {
    routes
        .into_iter()
        .fold(Router::new(), |router, Route { path, handlers, .. }| router.route(path, handlers))
        .layer(middleware::from_fn_with_state(state.clone(), authorized_fetch::require_signature))
        .layer(middleware::from_fn(limit_request))
        .layer(middleware::from_fn_with_state(state.clone(), format_errors))
        .layer(middleware::from_fn_with_state(state.clone(), log_requests))
        .layer(DefaultBodyLimit::max(inbox::MAX_BODY_BYTES))
        .with_state(state)
}

/// Middleware that limits the time of a request and rejects NUL in URLs.
async fn limit_request(request: Request, next: Next) -> Response {
    // Neither database can store NUL, so no lookup by such a path or query can succeed.
    let path = request.uri().path_and_query().map_or("", PathAndQuery::as_str);
    if path.contains("%00") {
        return WebError::BadRequest("a URL must not contain NUL".to_owned()).into_response();
    }
    with_timeout(next.run(request)).await
}

/// Returns the response, or 408 if it takes too long.
pub(super) async fn with_timeout(response: impl Future<Output = Response>) -> Response {
    let result = tokio::time::timeout(REQUEST_TIMEOUT, response).await;
    result.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}
