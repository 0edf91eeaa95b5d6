//! The form with which people who read here go home to follow, reply, like or boost.

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use url::Url;

use super::with_form;
use crate::domain::critic::Critic;
use crate::federation::intents::Wish;
use crate::flows::{interact, publish};
use crate::store::{critics, reviews};
use crate::web::client;
use crate::web::error::WebError;
use crate::web::pages::InteractPage;
use crate::web::state::WebState;

/// A form is never longer.
const MOST_BYTES: usize = 8 * 1024;

/// What the form says.
struct Asked {
    handle: String,
    wish: Wish,
    object: Url,
}

impl Asked {
    fn read(body: &[u8]) -> Option<Self> {
        let (mut handle, mut wish, mut object) = (None, None, None);
        for (name, value) in url::form_urlencoded::parse(body) {
            match &*name {
                "handle" => handle = Some(value.trim().to_owned()),
                "wish" => wish = Wish::parse(&value),
                "object" => object = Url::parse(&value).ok(),
                _ => {}
            }
        }
        Some(Self { handle: handle?, wish: wish?, object: object? })
    }
}

/// Leads the reader to their own server: to the page that it names itself, and nowhere else.
pub(in crate::web) async fn interact(
    State(state): State<WebState>,
    connection: Option<Extension<axum::extract::ConnectInfo<std::net::SocketAddr>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, WebError> {
    let app = &state.app;
    if !is_from_here(&headers, app.origin.as_str()) {
        return Err(WebError::Forbidden("the form is sent from another site"));
    }
    if body.len() > MOST_BYTES {
        return Err(WebError::TooLarge);
    }
    let asked = Asked::read(&body).ok_or_else(|| WebError::BadRequest("the form is not whole".to_owned()))?;
    let critic = critic(&state, &asked).await?.ok_or(WebError::NotFound)?;
    let mut extensions = Extensions::new();
    if let Some(Extension(connection)) = connection {
        extensions.insert(connection);
    }
    let client = client::address(&extensions, &headers, &state.trusted_proxies);
    let host = interact::host_of(&asked.handle, app.rules).unwrap_or_default();
    let place = state.limit.enter(client, &host, app.clock.now()).ok_or(WebError::TooMany)?;
    let acct = format!("{}@{}", critic.profile.handle, app.handle_domain());
    let way = interact::way_home(app, &asked.handle, asked.wish, &asked.object, &acct).await;
    drop(place);
    let refused = match way {
        Ok(page) => {
            let home = [(header::CACHE_CONTROL, "no-store")];
            return Ok((home, Redirect::to(page.as_str())).into_response());
        }
        Err(refused) => refused,
    };
    let page = InteractPage {
        critic: &critic,
        wish: asked.wish,
        object: &asked.object,
        handle: &asked.handle,
        problem: &refused,
    };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, with_form(state.pages.interact(&page)?)).into_response())
}

/// Whether a page of ours sent the form. Browsers say so; who is no browser cannot be tricked into sending one.
fn is_from_here(headers: &HeaderMap, origin: &str) -> bool {
    let says =
        |name: &str, what: &str| headers.get(name).is_none_or(|value| value.as_bytes() == what.as_bytes());
    says("origin", origin) && says("sec-fetch-site", "same-origin")
}

/// The critic whom the wish is about; none where there is no such object here, or the wish does not fit it.
async fn critic(state: &WebState, asked: &Asked) -> Result<Option<Critic>, WebError> {
    let app = &state.app;
    if let Some(id) = app.origin.actor_id(&asked.object)
        && asked.wish == Wish::Follow
        && asked.object == app.origin.actor(id)
    {
        return Ok(critics::by_id(&app.db, id).await?);
    }
    let Some(id) = app.origin.article_id(&asked.object) else { return Ok(None) };
    if asked.wish == Wish::Follow || asked.object != app.origin.article(id) {
        return Ok(None);
    }
    match reviews::by_id(&app.db, id).await?.filter(|review| review.state.is_public()) {
        Some(review) => Ok(Some(publish::critic_of(app, &review).await?)),
        None => Ok(None),
    }
}
