//! host-meta (RFC 6415): where WebFinger is, for old clients.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::cross_origin_response;
use crate::domain::origin::Origin;
use crate::federation::webfinger::JRD_JSON;
use crate::web::state::WebState;

/// The template of our WebFinger URLs.
fn lrdd(origin: &Origin) -> String {
    format!("{origin}/.well-known/webfinger?resource={{uri}}")
}

pub(in crate::web) async fn xml(State(state): State<WebState>) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <XRD xmlns=\"http://docs.oasis-open.org/ns/xri/xrd-1.0\">\n  \
         <Link rel=\"lrdd\" type=\"{JRD_JSON}\" template=\"{}\"/>\n</XRD>\n",
        lrdd(&state.app.origin)
    );
    cross_origin_response("application/xrd+xml", body)
}

pub(in crate::web) async fn json(State(state): State<WebState>) -> Response {
    let link = json!({"rel": "lrdd", "type": JRD_JSON, "template": lrdd(&state.app.origin)});
    cross_origin_response(JRD_JSON, json!({"links": [link]}).to_string())
}
