//! Discovery of critics by other servers: WebFinger (RFC 7033), NodeInfo, host-meta (RFC 6415).

use std::time::Duration;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde_json::json;
use url::Url;

use crate::domain::critic::Critic;
use crate::domain::id::CriticId;
use crate::domain::origin::Origin;
use crate::domain::review::Review;
use crate::federation::nodeinfo::{self, NodeInfoSoftware, NodeInfoUsage};
use crate::federation::webfinger::{self, Handle, JRD_JSON, WebFingerAccount, WebFingerResource};
use crate::flows::App;
use crate::store::browse_index::{self, BrowseQuery};
use crate::store::{comments, critics, nodeinfo_usage, reviews};
use crate::web::error::WebError;
use crate::web::state::WebState;

/// Most `rel` parameters that one query may have.
const MAX_RELS: usize = 16;

/// A month and half a year as NodeInfo counts them.
const MONTH: Duration = Duration::from_hours(30 * 24);
const HALF_YEAR: Duration = Duration::from_hours(180 * 24);

/// Lets pages of any site read the document.
const ALLOW_ANY_ORIGIN: (HeaderName, HeaderValue) =
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));

fn typed(content_type: &str, body: String) -> Response {
    let content_type =
        HeaderValue::from_str(content_type).unwrap_or(HeaderValue::from_static("application/json"));
    ([ALLOW_ANY_ORIGIN, (header::CONTENT_TYPE, content_type)], body).into_response()
}

/// `?resource=…&rel=…` (RFC 7033 section 4.1).
struct WebfingerQuery {
    resource: String,
    rels: Vec<String>,
}

impl WebfingerQuery {
    /// Returns `None` unless the query has exactly one resource.
    fn parse(query: &str) -> Option<Self> {
        let (mut resource, mut rels) = (None, Vec::new());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "resource" if resource.is_some() => return None,
                "resource" => resource = Some(value.into_owned()),
                "rel" if rels.len() < MAX_RELS => rels.push(value.into_owned()),
                _ => {}
            }
        }
        Some(Self { resource: resource?, rels })
    }
}

pub(in crate::web) async fn webfinger(
    State(state): State<WebState>,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let app = &state.app;
    let parsed = WebfingerQuery::parse(&query.unwrap_or_default())
        .ok_or_else(|| WebError::BadRequest("the query needs exactly one resource".to_owned()))?;
    let resource = webfinger::parse_resource(&parsed.resource, app.rules)
        .ok_or_else(|| WebError::BadRequest("the resource is neither an account nor a URL".to_owned()))?;
    if is_instance_actor(app, &resource) {
        let subject = Handle { user: app.origin.host().to_owned(), host: app.origin.authority().to_owned() };
        let (actor, page) = (app.origin.instance_actor(), app.origin.home_page());
        let account = WebFingerAccount { subject: &subject, actor: &actor, page: &page, avatar: None };
        return Ok(typed(JRD_JSON, webfinger::jrd_document(&account, &parsed.rels).to_string()));
    }
    let critic = find_critic(app, &resource).await?.ok_or(WebError::NotFound)?;
    let subject = Handle { user: critic.profile.handle.clone(), host: app.handle_domain().to_owned() };
    let (actor, page) = (app.origin.actor(critic.id), app.origin.profile_page(&critic.profile.handle));
    let avatar = critic.avatar.as_ref();
    let avatar = avatar.map(|(name, media_type)| (media_type.as_str(), app.origin.media_url_by_name(name)));
    let account = WebFingerAccount { subject: &subject, actor: &actor, page: &page, avatar };
    Ok(typed(JRD_JSON, webfinger::jrd_document(&account, &parsed.rels).to_string()))
}

fn is_instance_actor(app: &App, resource: &WebFingerResource) -> bool {
    match resource {
        WebFingerResource::Account(handle) => {
            handle.user == app.origin.host() && is_local_host(app, &handle.host)
        }
        WebFingerResource::Address(url) => *url == app.origin.instance_actor(),
    }
}

fn is_local_host(app: &App, host: &str) -> bool {
    host == app.handle_domain() || host == app.origin.authority()
}

/// Finds the critic of a resource: by account, actor, page, or something that the critic wrote.
async fn find_critic(app: &App, resource: &WebFingerResource) -> Result<Option<Critic>, WebError> {
    let db = &app.db;
    let url = match resource {
        WebFingerResource::Account(handle) if is_local_host(app, &handle.host) => {
            return Ok(critics::find_by_handle(db, &handle.user).await?);
        }
        WebFingerResource::Account(_) => return Ok(None),
        WebFingerResource::Address(url) => url,
    };
    let critic = if let Some(actor) = app.origin.parse_actor_id(url) {
        Some(actor)
    } else if let Some(article) = app.origin.parse_article_id(url) {
        reviews::find(db, article).await?.as_ref().and_then(author_of)
    } else if let Some(note) = app.origin.parse_note_id(url) {
        comments::find_critic(db, note).await?
    } else {
        return find_by_page(app, url).await;
    };
    match critic {
        Some(critic) => Ok(critics::find(db, critic).await?),
        None => Ok(None),
    }
}

/// The author of a review, if the review is public.
fn author_of(review: &Review) -> Option<CriticId> {
    review.state.is_public().then_some(review.critic)
}

async fn find_by_page(app: &App, url: &Url) -> Result<Option<Critic>, WebError> {
    let path = percent_decode_str(url.path()).decode_utf8_lossy();
    // Neither database stores NUL, so such a path matches nothing.
    if !app.origin.owns(url) || path.contains('\0') {
        return Ok(None);
    }
    if let Some(handle) = path.strip_prefix("/@") {
        let handle = handle.strip_suffix(&format!("@{}", app.handle_domain())).unwrap_or(handle);
        return Ok(critics::find_by_handle(&app.db, handle).await?);
    }
    if path == "/" {
        let mut all = critics::list_all(&app.db).await?;
        return Ok(if all.len() == 1 { all.pop() } else { None });
    }
    let Some(slug) = path.strip_prefix("/reviews/") else {
        return Ok(None);
    };
    match reviews::find_by_slug(&app.db, slug).await?.as_ref().and_then(author_of) {
        Some(critic) => Ok(critics::find(&app.db, critic).await?),
        None => Ok(None),
    }
}

pub(in crate::web) async fn nodeinfo(State(state): State<WebState>) -> Response {
    typed("application/json", nodeinfo::discovery_document(&state.app.origin).to_string())
}

pub(in crate::web) async fn nodeinfo_document(
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
    Ok(typed(&version.content_type(), document.to_string()))
}

/// `security.txt` (RFC 9116). It expires a month after it is fetched, so that copies do not live forever.
pub(in crate::web) async fn security_txt(State(state): State<WebState>) -> Result<Response, WebError> {
    let contact = state.app.site.security_contact.as_ref().ok_or(WebError::NotFound)?;
    let expires = (state.app.clock.now() + MONTH).truncate_to_second();
    let own = state.app.origin.url("/.well-known/security.txt");
    let body = format!("Contact: {contact}\nExpires: {expires}\nCanonical: {own}\n");
    Ok(typed("text/plain; charset=utf-8", body))
}

/// The template of our WebFinger URLs.
fn lrdd(origin: &Origin) -> String {
    format!("{origin}/.well-known/webfinger?resource={{uri}}")
}

pub(in crate::web) async fn host_meta(State(state): State<WebState>) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <XRD xmlns=\"http://docs.oasis-open.org/ns/xri/xrd-1.0\">\n  \
         <Link rel=\"lrdd\" type=\"{JRD_JSON}\" template=\"{}\"/>\n</XRD>\n",
        lrdd(&state.app.origin)
    );
    typed("application/xrd+xml", body)
}

pub(in crate::web) async fn host_meta_json(State(state): State<WebState>) -> Response {
    let link = json!({"rel": "lrdd", "type": JRD_JSON, "template": lrdd(&state.app.origin)});
    typed(JRD_JSON, json!({"links": [link]}).to_string())
}
