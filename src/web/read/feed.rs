//! Reviews for feed readers: of the site, of a critic, with a tag; each as RSS, Atom and JSON Feed.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use super::Shown;
use crate::domain::review::Review;
use crate::domain::shelf::Kind;
use crate::store::shelves::Shelf;
use crate::store::{critics, reviews, shelves};
use crate::web::cache::{self, Made};
use crate::web::error::WebError;
use crate::web::pages::{FeedPage, Format, Subject};
use crate::web::rendering::Rendering;
use crate::web::state::WebState;

/// Reviews in a feed.
const ENTRIES: u32 = 30;

fn format(file: &str) -> Result<Format, WebError> {
    Format::ALL.into_iter().find(|format| format.file() == file).ok_or(WebError::NotFound)
}

/// Everything, by the feed's address.
pub(in crate::web) async fn of_site(
    State(state): State<WebState>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let format = format(uri.path().trim_start_matches('/'))?;
    let make = || async {
        let found = reviews::on_shelf(&state.app.db, &Shelf::all(), ENTRIES, 0).await?;
        render(&state, Subject::Site, found, format).await
    };
    state.cache.answer(&state.app, (cache::Kind::List, uri.path()), &headers, make).await
}

/// A critic's.
pub(in crate::web) async fn of_critic(
    State(state): State<WebState>,
    Path((handle, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let format = format(&file)?;
    let handle = handle.strip_prefix('@').ok_or(WebError::NotFound)?;
    let make = || async {
        let db = &state.app.db;
        let critic = critics::by_handle(db, handle).await?.ok_or(WebError::NotFound)?;
        let found = reviews::on_shelf(db, &Shelf::of(critic.id), ENTRIES, 0).await?;
        render(&state, Subject::Critic(&critic), found, format).await
    };
    // Capitals make no other critic of it.
    let named = format!("/@{}/{file}", handle.to_ascii_lowercase());
    state.cache.answer(&state.app, (cache::Kind::List, &named), &headers, make).await
}

/// Those with a tag.
pub(in crate::web) async fn of_tag(
    State(state): State<WebState>,
    Path((slug, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    of_shelf(&state, (Kind::Tag, &slug), &file, &headers).await
}

/// Those of films by or with somebody.
pub(in crate::web) async fn of_person(
    State(state): State<WebState>,
    Path((slug, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    of_shelf(&state, (Kind::Person, &slug), &file, &headers).await
}

async fn of_shelf(
    state: &WebState,
    (kind, slug): (Kind, &str),
    file: &str,
    headers: &HeaderMap,
) -> Result<Response, WebError> {
    let format = format(file)?;
    let make = || async {
        let db = &state.app.db;
        let name = shelves::label(db, kind, slug).await?.ok_or(WebError::NotFound)?.name;
        let found = reviews::on_shelf(db, &Shelf::new(kind, slug), ENTRIES, 0).await?;
        let subject = if kind == Kind::Tag { Subject::Tag(&name) } else { Subject::Person(slug, &name) };
        render(state, subject, found, format).await
    };
    // By what it is, not by how its address is spelled.
    let named = format!("{} {slug}/{file}", kind.as_str());
    state.cache.answer(&state.app, (cache::Kind::List, &named), headers, make).await
}

async fn render(
    state: &WebState,
    subject: Subject<'_>,
    found: Vec<Review>,
    format: Format,
) -> Result<Made, WebError> {
    let shown = Shown::of(state, found).await?;
    let text = state.pages.feed(&FeedPage { subject, reviews: &shown.listed() }, format)?;
    let made = state.app.clock.now();
    Ok(Made::Kept(Arc::new(Rendering::new(format.content_type(), text, None, made))))
}
