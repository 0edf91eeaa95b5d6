//! NodeInfo: which software this is, and how much it is used.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use url::Url;

use super::cross_origin_response;
use crate::federation::nodeinfo::{self, NodeInfoSoftware, NodeInfoUsage};
use crate::store::browse_index::{self, BrowseQuery};
use crate::store::{critics, nodeinfo_usage};
use crate::web::error::WebError;
use crate::web::state::WebState;

/// A month and half a year, as NodeInfo defines active users.
const MONTH: Duration = Duration::from_hours(30 * 24);
const HALF_YEAR: Duration = Duration::from_hours(180 * 24);

/// Links to the documents of each version.
pub(in crate::web) async fn links(State(state): State<WebState>) -> Response {
    cross_origin_response("application/json", nodeinfo::discovery_document(&state.app.origin).to_string())
}

/// The document of a version.
pub(in crate::web) async fn document(
    State(state): State<WebState>,
    Path(version): Path<String>,
) -> Result<Response, WebError> {
    let known = nodeinfo::SCHEMA_PATHS.iter().find(|(known, _)| known.as_str() == version);
    let (version, _) = known.ok_or(WebError::NotFound)?;
    let (db, now) = (&state.app.db, state.app.clock.now());
    let usage = NodeInfoUsage {
        critics: critics::list_all(db).await?.len() as u64,
        active_month: nodeinfo_usage::count_active_critics(db, now - MONTH).await?,
        active_half_year: nodeinfo_usage::count_active_critics(db, now - HALF_YEAR).await?,
        reviews: browse_index::count_reviews(db, &BrowseQuery::all()).await?,
        local_comments: nodeinfo_usage::count_critic_replies(db).await?,
    };
    let software = NodeInfoSoftware {
        version: env!("CARGO_PKG_VERSION"),
        repository: state.app.site.source_url.as_ref().map(Url::as_str),
    };
    let document = nodeinfo::nodeinfo_document(*version, software, &state.app.site.title, usage);
    Ok(cross_origin_response(&version.content_type(), document.to_string()))
}
