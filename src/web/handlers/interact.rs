//! Handles the form that leads readers to their own server to follow, reply, like or boost.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use url::Url;

use super::html_with_form;
use crate::domain::critic::Critic;
use crate::federation::activity_intents::Intent;
use crate::flows::budget::BudgetError;
use crate::flows::budget::requests::OperationRequests;
use crate::flows::{publish, remote_interaction};
use crate::net::request_budget::with_budget;
use crate::store::{critics, reviews};
use crate::web::client_address;
use crate::web::error::WebError;
use crate::web::pages::InteractPage;
use crate::web::state::WebState;

/// How large the form may be.
const MAX_FORM_BYTES: usize = 8 * 1024;

/// When a reader may try again while too many lookups are in flight.
const BUSY_RETRY: Duration = Duration::from_secs(5);

/// The fields of the form. The intent is named `wish` there.
struct InteractForm {
    handle: String,
    intent: Intent,
    object: Url,
}

impl InteractForm {
    fn parse(body: &[u8]) -> Option<Self> {
        let (mut handle, mut intent, mut object) = (None, None, None);
        for (name, value) in url::form_urlencoded::parse(body) {
            match &*name {
                "handle" => handle = Some(value.trim().to_owned()),
                "wish" => intent = value.parse::<Intent>().ok(),
                "object" => object = Url::parse(&value).ok(),
                _ => {}
            }
        }
        Some(Self { handle: handle?, intent: intent?, object: object? })
    }
}

/// Redirects readers to the page that their own server offers for the action, and nowhere else.
pub(in crate::web) async fn submit(
    State(state): State<WebState>,
    connection: Option<Extension<axum::extract::ConnectInfo<std::net::SocketAddr>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, WebError> {
    let app = &state.app;
    if !is_same_origin(&headers, app.origin.as_str()) {
        return Err(WebError::Forbidden("the form was sent from another site"));
    }
    if body.len() > MAX_FORM_BYTES {
        return Err(WebError::BodyTooLarge);
    }
    let form = InteractForm::parse(&body)
        .ok_or_else(|| WebError::BadRequest("the form is incomplete".to_owned()))?;
    let critic = find_critic(&state, &form).await?.ok_or(WebError::NotFound)?;
    let mut extensions = Extensions::new();
    if let Some(Extension(connection)) = connection {
        extensions.insert(connection);
    }
    let client = client_address::client_address(&extensions, &headers, &state.trusted_proxies);
    let host = remote_interaction::home_host(&form.handle, app.rules).unwrap_or_default();
    let permit = app.budgets.start_lookup(client, &host, app.clock.now()).map_err(|error| match error {
        BudgetError::Busy => WebError::TooManyRequests(BUSY_RETRY),
        error @ BudgetError::Exceeded(_) => error.into(),
    })?;
    let acct = format!("{}@{}", critic.profile.handle, app.handle_domain());
    let looking_up =
        remote_interaction::remote_interaction_url(app, &form.handle, form.intent, &form.object, &acct);
    let result = with_budget(OperationRequests::of_reader(app, client), Box::pin(looking_up)).await;
    drop(permit);
    let error = match result {
        Ok(page) => {
            let headers = [(header::CACHE_CONTROL, "no-store")];
            return Ok((headers, Redirect::to(page.as_str())).into_response());
        }
        Err(error) => error,
    };
    let page = InteractPage {
        critic: &critic,
        intent: form.intent,
        object: &form.object,
        handle: &form.handle,
        error: &error,
    };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, html_with_form(state.pages.interact(&page)?)).into_response())
}

/// Whether the form was sent from one of our own pages. Browsers send the origin of a form; other clients cannot be
/// tricked into submitting one.
fn is_same_origin(headers: &HeaderMap, origin: &str) -> bool {
    let header_is = |name: &str, expected: &str| {
        headers.get(name).is_none_or(|value| value.as_bytes() == expected.as_bytes())
    };
    header_is("origin", origin) && header_is("sec-fetch-site", "same-origin")
}

/// Finds the critic that the action is about. Returns `None` if the object does not exist here or the action does not
/// apply to it.
async fn find_critic(state: &WebState, form: &InteractForm) -> Result<Option<Critic>, WebError> {
    let app = &state.app;
    if let Some(id) = app.origin.parse_actor_id(&form.object)
        && form.intent == Intent::Follow
        && form.object == app.origin.actor(id)
    {
        return Ok(critics::find(&app.db, id).await?);
    }
    let Some(id) = app.origin.parse_article_id(&form.object) else { return Ok(None) };
    if form.intent == Intent::Follow || form.object != app.origin.article(id) {
        return Ok(None);
    }
    match reviews::find(&app.db, id).await?.filter(|review| review.state.is_public()) {
        Some(review) => Ok(Some(publish::critic_for_review(app, &review).await?)),
        None => Ok(None),
    }
}
