//! Loads oEmbed documents, from which other sites make a preview of a link to a review.

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
    let (mut target, mut format) = (None, OembedFormat::Json);
    let (mut max_width, mut max_height) = (None, None);
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match (&*name, &*value) {
            ("url", url) => target = Url::parse(url).ok(),
            ("format", "json") => format = OembedFormat::Json,
            ("format", "xml") => format = OembedFormat::Xml,
            ("maxwidth", value) => max_width = Some(parse_pixels(value)?),
            ("maxheight", value) => max_height = Some(parse_pixels(value)?),
            ("format", _) => return Ok(StatusCode::NOT_IMPLEMENTED.into_response()),
            _ => {}
        }
    }
    let target = target.ok_or_else(|| WebError::BadRequest("missing parameter: url".to_owned()))?;
    let app = &state.app;
    let slug = app.origin.owns(&target).then(|| target.path().strip_prefix("/reviews/")).flatten();
    let slug = slug.and_then(|slug| percent_decode_str(slug).decode_utf8().ok());
    // The URL in the query is percent-encoded twice, so the check of the request's own path did not catch NUL.
    let slug = slug.filter(|slug| !slug.contains('\0')).ok_or(WebError::NotFound)?;
    let review = reviews::find_by_slug(&app.db, &slug).await?.ok_or(WebError::NotFound)?;
    match review.state {
        ReviewState::Retracted => return Err(WebError::Gone),
        state if !state.is_public() => return Err(WebError::NotFound),
        _ => {}
    }
    let critic = publish::critic_for_review(app, &review).await?;
    let fits = |(width, height): (u32, u32)| {
        width <= max_width.unwrap_or(u32::MAX) && height <= max_height.unwrap_or(u32::MAX)
    };
    let body = state.pages.oembed(&critic, &review, format, fits)?;
    let head = [
        (header::CONTENT_TYPE, format.content_type()),
        // Scripts on pages of other sites fetch it.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    Ok((head, body).into_response())
}

/// Parses `maxwidth` or `maxheight`.
fn parse_pixels(text: &str) -> Result<u32, WebError> {
    text.parse()
        .map_err(|_| WebError::BadRequest("maxwidth and maxheight must be numbers of pixels".to_owned()))
}
