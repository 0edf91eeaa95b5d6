//! `robots.txt` (RFC 9309).

use axum::extract::State;

use crate::web::state::WebState;

/// Everything may be crawled except the form endpoint.
pub(in crate::web) async fn show(State(state): State<WebState>) -> String {
    format!("User-agent: *\nDisallow: /interact\n\nSitemap: {}\n", state.app.origin.url("/sitemap.xml"))
}
