//! WebFinger (RFC 7033): the actor of a handle or of a URL of this site.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use url::Url;

use super::cross_origin_response;
use crate::domain::critic::Critic;
use crate::domain::id::CriticId;
use crate::domain::review::Review;
use crate::federation::webfinger::{self, Handle, JRD_JSON, WebFingerAccount, WebFingerResource};
use crate::flows::App;
use crate::store::{comments, critics, reviews};
use crate::web::error::WebError;
use crate::web::state::WebState;

/// How many `rel` parameters of a query are read.
const MAX_RELS: usize = 16;

/// `?resource=…&rel=…` (RFC 7033 section 4.1).
struct WebFingerQuery {
    resource: String,
    rels: Vec<String>,
}

impl WebFingerQuery {
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

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let app = &state.app;
    let parsed = WebFingerQuery::parse(&query.unwrap_or_default())
        .ok_or_else(|| WebError::BadRequest("the query needs exactly one resource".to_owned()))?;
    let resource = webfinger::parse_resource(&parsed.resource, app.rules)
        .ok_or_else(|| WebError::BadRequest("the resource is neither an account nor a URL".to_owned()))?;
    if is_instance_actor(app, &resource) {
        let subject = Handle { user: app.origin.host().to_owned(), host: app.origin.authority().to_owned() };
        let (actor, page) = (app.origin.instance_actor(), app.origin.home_page());
        let account = WebFingerAccount { subject: &subject, actor: &actor, page: &page, avatar: None };
        return Ok(cross_origin_response(
            JRD_JSON,
            webfinger::jrd_document(&account, &parsed.rels).to_string(),
        ));
    }
    let critic = find_critic(app, &resource).await?.ok_or(WebError::NotFound)?;
    let subject = Handle { user: critic.profile.handle.clone(), host: app.handle_domain().to_owned() };
    let (actor, page) = (app.origin.actor(critic.id), app.origin.profile_page(&critic.profile.handle));
    let avatar = critic.avatar.as_ref();
    let avatar = avatar.map(|(name, media_type)| (media_type.as_str(), app.origin.media_url_by_name(name)));
    let account = WebFingerAccount { subject: &subject, actor: &actor, page: &page, avatar };
    Ok(cross_origin_response(JRD_JSON, webfinger::jrd_document(&account, &parsed.rels).to_string()))
}

fn is_instance_actor(app: &App, resource: &WebFingerResource) -> bool {
    match resource {
        WebFingerResource::Account(handle) => {
            handle.user == app.origin.host() && is_local_host(app, &handle.host)
        }
        WebFingerResource::Url(url) => *url == app.origin.instance_actor(),
    }
}

fn is_local_host(app: &App, host: &str) -> bool {
    host == app.handle_domain() || host == app.origin.authority()
}

/// Finds the critic of a resource: an account, an actor, a page, a review or a reply.
async fn find_critic(app: &App, resource: &WebFingerResource) -> Result<Option<Critic>, WebError> {
    let db = &app.db;
    let url = match resource {
        WebFingerResource::Account(handle) if is_local_host(app, &handle.host) => {
            return Ok(critics::find_by_handle(db, &handle.user).await?);
        }
        WebFingerResource::Account(_) => return Ok(None),
        WebFingerResource::Url(url) => url,
    };
    let critic = if let Some(actor) = app.origin.parse_actor_id(url) {
        Some(actor)
    } else if let Some(article) = app.origin.parse_article_id(url) {
        reviews::find(db, article).await?.as_ref().and_then(public_author)
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
fn public_author(review: &Review) -> Option<CriticId> {
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
    match reviews::find_by_slug(&app.db, slug).await?.as_ref().and_then(public_author) {
        Some(critic) => Ok(critics::find(&app.db, critic).await?),
        None => Ok(None),
    }
}
