//! Serves the critics' replies as Notes, with the replies to those.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};

use super::actor::PAGE_SIZE;
use super::{activity_json, activity_json_text};
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, CommentId};
use crate::federation::vocab::collection::{self, CollectionOrder};
use crate::federation::vocab::{AS_CONTEXT, critic_reply as vocab, with_context};
use crate::flows::critic_reply::{self, LoadedReply};
use crate::store::activities::StoredActivity as Sent;
use crate::store::comments;
use crate::web::content_negotiation::prefers_html;
use crate::web::error::WebError;
use crate::web::pagination::PageQuery;
use crate::web::state::WebState;

async fn load(state: &WebState, id: &str) -> Result<LoadedReply, WebError> {
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    critic_reply::load(&state.app, id).await?.ok_or(WebError::NotFound)
}

/// A critic's reply as a Note, or its Tombstone with 410 once it was deleted (ActivityPub section 6.4).
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let origin = &state.app.origin;
    let found = load(&state, &id).await?;
    let is_public = found.is_public();
    let LoadedReply { reply: answer, stored, .. } = found;
    if !is_public {
        if prefers_html(&headers) {
            return Err(WebError::Gone);
        }
        let tombstone = vocab::tombstone(origin, answer.id, stored.signed_at);
        return Ok(
            (StatusCode::GONE, activity_json(&with_context(json!(AS_CONTEXT), tombstone))).into_response()
        );
    }
    if prefers_html(&headers) {
        return Ok(Redirect::to(answer.url.as_str()).into_response());
    }
    Ok(activity_json(&with_context(vocab::context(), vocab::note(origin, &answer))))
}

/// The replies of others to a critic's reply.
pub(in crate::web) async fn replies(
    State(state): State<WebState>,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Response, WebError> {
    let app = &state.app;
    let found = load(&state, &id).await?;
    let is_public = found.is_public();
    let answer = found.reply;
    if !is_public {
        return Err(WebError::Gone);
    }
    let (note, address) = (app.origin.note(answer.id), app.origin.note_collection(answer.id, "replies"));
    let total = comments::count_replies(&app.db, &note).await?;
    let Some(number) = query.requested() else {
        return Ok(activity_json(&collection::paged(CollectionOrder::Unordered, &address, total)));
    };
    let offset = query.offset(PAGE_SIZE);
    let items = comments::list_reply_uris(&app.db, &note, PAGE_SIZE, offset).await?;
    let items: Vec<Value> = items.into_iter().map(Value::String).collect();
    let has_next = u64::from(offset) + u64::from(PAGE_SIZE) < total;
    Ok(activity_json(&collection::page(CollectionOrder::Unordered, &address, number, &items, has_next)))
}

/// An activity about a critic's reply, as it was sent. Text that was edited or deleted since is not served again.
pub(super) async fn activity(
    state: &WebState,
    note: CommentId,
    id: ActivityId,
    sent: Sent,
) -> Result<Response, WebError> {
    let origin = &state.app.origin;
    let found = critic_reply::load(&state.app, note).await?.ok_or(WebError::NotFound)?;
    let is_public = found.is_public();
    let answer = found.reply;
    let kind = sent.kind;
    if !matches!(kind, ActivityKind::Create | ActivityKind::Update) {
        return Ok(activity_json_text(sent.body));
    }
    if !is_public {
        return Err(WebError::Gone);
    }
    if answer.edited.is_none() {
        return Ok(activity_json_text(sent.body));
    }
    Ok(activity_json(&vocab::create_or_update(origin, id, kind, &answer, &vocab::note(origin, &answer))))
}
