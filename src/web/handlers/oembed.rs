//! oEmbed 1.0: what other sites show for a link to a review.

use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::domain::review::ReviewState;
use crate::flows::publish;
use crate::store::reviews;
use crate::web::error::WebError;
use crate::web::pages::OembedFormat;
use crate::web::state::WebState;

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let (mut asked, mut format) = (None, OembedFormat::Json);
    let (mut width, mut height) = (None, None);
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match (&*name, &*value) {
            ("url", url) => asked = Url::parse(url).ok(),
            ("format", "json") => format = OembedFormat::Json,
            ("format", "xml") => format = OembedFormat::Xml,
            ("maxwidth", most) => width = Some(pixels(most)?),
            ("maxheight", most) => height = Some(pixels(most)?),
            ("format", _) => return Ok(StatusCode::NOT_IMPLEMENTED.into_response()),
            _ => {}
        }
    }
    let asked = asked.ok_or_else(|| WebError::BadRequest("missing parameter: url".to_owned()))?;
    let app = &state.app;
    let slug = app.origin.owns(&asked).then(|| asked.path().strip_prefix("/reviews/")).flatten();
    let slug = slug.and_then(|slug| percent_decode_str(slug).decode_utf8().ok());
    // The URL in the query is percent-encoded twice, so the check of the request's own path has not seen this.
    let slug = slug.filter(|slug| !slug.contains('\0')).ok_or(WebError::NotFound)?;
    let review = reviews::find_by_slug(&app.db, &slug).await?.ok_or(WebError::NotFound)?;
    match review.state {
        ReviewState::Retracted => return Err(WebError::Gone),
        state if !state.is_public() => return Err(WebError::NotFound),
        _ => {}
    }
    let critic = publish::critic_for_review(app, &review).await?;
    let fits = |of: (u32, u32)| of.0 <= width.unwrap_or(u32::MAX) && of.1 <= height.unwrap_or(u32::MAX);
    let body = state.pages.oembed(&critic, &review, format, fits)?;
    let head = [
        (header::CONTENT_TYPE, format.content_type()),
        // Pages of other sites fetch it from a browser.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    Ok((head, body).into_response())
}

/// Parses `maxwidth` or `maxheight`.
fn pixels(text: &str) -> Result<u32, WebError> {
    text.parse()
        .map_err(|_| WebError::BadRequest("maxwidth and maxheight must be numbers of pixels".to_owned()))
}
