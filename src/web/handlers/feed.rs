//! Loads the feeds of the site, of critics, tags and people.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use super::review_list::{ReviewList, redirect_to_tag};
use crate::domain::browse_index::BrowseKind;
use crate::domain::review::Review;
use crate::store::browse_index::BrowseQuery;
use crate::store::{browse_index, critics, reviews};
use crate::web::error::WebError;
use crate::web::page_cache::{CacheKind, Rendered};
use crate::web::pages::{FeedFormat, FeedPage, FeedSubject};
use crate::web::rendering::Rendering;
use crate::web::state::WebState;

/// How many reviews a feed has.
const MAX_ENTRIES: u32 = 30;

fn format(file: &str) -> Result<FeedFormat, WebError> {
    FeedFormat::ALL.into_iter().find(|format| format.file() == file).ok_or(WebError::NotFound)
}

/// The feed of all reviews.
pub(in crate::web) async fn site_feed(
    State(state): State<WebState>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let format = format(uri.path().trim_start_matches('/'))?;
    let render = || async {
        let found = reviews::list_matching(&state.app.db, &BrowseQuery::all(), MAX_ENTRIES, 0).await?;
        render_feed(&state, FeedSubject::Site, found, format).await
    };
    state.cache.get_or_render(&state.app, CacheKind::List.key(uri.path()), &headers, render).await
}

/// The feed of a critic's reviews.
pub(in crate::web) async fn critic_feed(
    State(state): State<WebState>,
    Path((handle, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let format = format(&file)?;
    let handle = handle.strip_prefix('@').ok_or(WebError::NotFound)?;
    let render = || async {
        let db = &state.app.db;
        let critic = critics::find_by_handle(db, handle).await?.ok_or(WebError::NotFound)?;
        let found = reviews::list_matching(db, &BrowseQuery::for_critic(critic.id), MAX_ENTRIES, 0).await?;
        render_feed(&state, FeedSubject::Critic(&critic), found, format).await
    };
    // Handles are case-insensitive, so all spellings share one cache entry.
    let key = format!("/@{}/{file}", handle.to_ascii_lowercase());
    state.cache.get_or_render(&state.app, CacheKind::List.key(&key), &headers, render).await
}

/// The feed of the reviews with a tag.
pub(in crate::web) async fn tag_feed(
    State(state): State<WebState>,
    Path((slug, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    format(&file)?;
    if let Some(redirect) = redirect_to_tag(&state, &slug, &format!("/{file}")).await? {
        return Ok(redirect);
    }
    term_feed(&state, (BrowseKind::Tag, &slug), &file, &headers).await
}

/// The feed of the reviews of films by or with a person.
pub(in crate::web) async fn person_feed(
    State(state): State<WebState>,
    Path((slug, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    term_feed(&state, (BrowseKind::Person, &slug), &file, &headers).await
}

async fn term_feed(
    state: &WebState,
    (kind, slug): (BrowseKind, &str),
    file: &str,
    headers: &HeaderMap,
) -> Result<Response, WebError> {
    let format = format(file)?;
    let render = || async {
        let db = &state.app.db;
        let name = browse_index::find_term(db, kind, slug).await?.ok_or(WebError::NotFound)?.name;
        let found = reviews::list_matching(db, &BrowseQuery::new(kind, slug), MAX_ENTRIES, 0).await?;
        let subject =
            if kind == BrowseKind::Tag { FeedSubject::Tag(&name) } else { FeedSubject::Person(slug, &name) };
        render_feed(state, subject, found, format).await
    };
    // The key is the subject rather than the path, which can be spelled in several ways.
    let key = format!("{} {slug}/{file}", kind.as_str());
    state.cache.get_or_render(&state.app, CacheKind::List.key(&key), headers, render).await
}

async fn render_feed(
    state: &WebState,
    subject: FeedSubject<'_>,
    found: Vec<Review>,
    format: FeedFormat,
) -> Result<Rendered, WebError> {
    let list = ReviewList::load(state, found).await?;
    let text = state.pages.feed(&FeedPage { subject, reviews: &list.listed() }, format)?;
    let now = state.app.clock.now();
    Ok(Rendered::Cacheable(Arc::new(Rendering::new(format.content_type(), text, None, now))))
}
