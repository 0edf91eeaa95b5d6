//! How others find the critics: WebFinger (RFC 7033), NodeInfo, host-meta (RFC 6415).

use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use url::Url;

use crate::domain::critic::Critic;
use crate::federation::nodeinfo::{self, Software, Usage};
use crate::federation::webfinger::{self, Handle, JRD_JSON, Resource};
use crate::flows::App;
use crate::store::{critics, reviews};
use crate::web::error::WebError;
use crate::web::state::WebState;

/// Anyone may read these, from a page of any site.
const OPEN: (HeaderName, HeaderValue) = (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));

fn typed(content_type: &str, body: String) -> Response {
    let content_type =
        HeaderValue::from_str(content_type).unwrap_or(HeaderValue::from_static("application/json"));
    ([OPEN, (header::CONTENT_TYPE, content_type)], body).into_response()
}

/// `?resource=…`
#[derive(Debug, Deserialize)]
pub(in crate::web) struct Asked {
    resource: Option<String>,
}

pub(in crate::web) async fn webfinger(
    State(state): State<WebState>,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let app = &state.app;
    let asked =
        asked.resource.ok_or_else(|| WebError::BadRequest("the query needs a resource".to_owned()))?;
    let resource = webfinger::parse_resource(&asked, app.rules).ok_or_else(|| {
        WebError::BadRequest("the resource is neither an account nor an address".to_owned())
    })?;
    let host = app.handle_domain();
    if is_instance(app, &resource) {
        let subject = Handle { user: app.origin.host().to_owned(), host: app.origin.authority().to_owned() };
        let actor = app.origin.instance_actor();
        let jrd = webfinger::jrd(&subject, std::slice::from_ref(&actor), &actor, &app.origin.home());
        return Ok(typed(JRD_JSON, jrd.to_string()));
    }
    let critic = meant(app, &resource).await?.ok_or(WebError::NotFound)?;
    let subject = Handle { user: critic.profile.handle.clone(), host: host.to_owned() };
    let (actor, page) = (app.origin.actor(critic.id), app.origin.profile_page(&critic.profile.handle));
    let jrd = webfinger::jrd(&subject, &[actor.clone(), page.clone()], &actor, &page);
    Ok(typed(JRD_JSON, jrd.to_string()))
}

fn is_instance(app: &App, resource: &Resource) -> bool {
    match resource {
        Resource::Account(handle) => handle.user == app.origin.host() && is_ours(app, &handle.host),
        Resource::Address(url) => *url == app.origin.instance_actor(),
    }
}

fn is_ours(app: &App, host: &str) -> bool {
    host == app.handle_domain() || host == app.origin.authority()
}

/// The critic whom a resource means: by account, by actor, by page, or by a page that the critic wrote.
async fn meant(app: &App, resource: &Resource) -> Result<Option<Critic>, WebError> {
    let url = match resource {
        Resource::Account(handle) if is_ours(app, &handle.host) => {
            return Ok(critics::by_handle(&app.db, &handle.user).await?);
        }
        Resource::Account(_) => return Ok(None),
        Resource::Address(url) => url,
    };
    if let Some(id) = app.origin.actor_id(url) {
        return Ok(critics::by_id(&app.db, id).await?);
    }
    by_page(app, url).await
}

async fn by_page(app: &App, url: &Url) -> Result<Option<Critic>, WebError> {
    let path = app.origin.path_of(url).unwrap_or_default();
    if let Some(handle) = path.strip_prefix("/@") {
        return Ok(critics::by_handle(&app.db, handle).await?);
    }
    if path == "/" {
        let mut all = critics::all(&app.db).await?;
        return Ok(if all.len() == 1 { all.pop() } else { None });
    }
    let Some(slug) = path.strip_prefix("/reviews/") else {
        return Ok(None);
    };
    let review = reviews::by_slug(&app.db, slug).await?.filter(|review| review.state.is_public());
    match review {
        Some(review) => Ok(critics::by_id(&app.db, review.critic).await?),
        None => Ok(None),
    }
}

pub(in crate::web) async fn nodeinfo(State(state): State<WebState>) -> Response {
    typed("application/json", nodeinfo::discovery(&state.app.origin).to_string())
}

pub(in crate::web) async fn nodeinfo_document(
    State(state): State<WebState>,
    Path(version): Path<String>,
) -> Result<Response, WebError> {
    let known = nodeinfo::PATHS.iter().find(|(known, _)| known.as_str() == version);
    let (version, _) = known.ok_or(WebError::NotFound)?;
    let db = &state.app.db;
    let usage = Usage {
        critics: critics::all(db).await?.len() as u64,
        reviews: reviews::count_public(db, None).await?,
        local_comments: 0,
    };
    let software = Software { version: env!("CARGO_PKG_VERSION"), repository: None };
    Ok(typed(&version.content_type(), nodeinfo::document(*version, software, usage).to_string()))
}

pub(in crate::web) async fn host_meta(State(state): State<WebState>) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <XRD xmlns=\"http://docs.oasis-open.org/ns/xri/xrd-1.0\">\n  \
         <Link rel=\"lrdd\" template=\"{}/.well-known/webfinger?resource={{uri}}\"/>\n</XRD>\n",
        state.app.origin
    );
    typed("application/xrd+xml", body)
}
