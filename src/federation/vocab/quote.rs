//! The activities and documents of quote requests and quote authorizations (FEP-044f).

use serde_json::{Value, json};
use url::Url;

use super::{AS_CONTEXT, AS_PUBLIC, with_context};
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, AuthorizationId, CriticId, ReviewId};
use crate::domain::origin::Origin;

/// A received request to quote a review.
#[derive(Debug, Clone, Copy)]
pub struct QuoteRequest<'a> {
    /// The id of the request.
    pub id: Option<&'a Url>,
    /// The actor who sent it.
    pub actor: &'a Url,
    /// The quoting post.
    pub instrument: &'a Url,
    /// The critic whose review is quoted.
    pub critic: CriticId,
    /// The quoted review.
    pub review: ReviewId,
}

impl QuoteRequest<'_> {
    fn document(&self, origin: &Origin) -> Value {
        let mut request = json!({
            "type": "QuoteRequest",
            "actor": self.actor,
            "object": origin.article(self.review),
            "instrument": self.instrument,
        });
        if let Some(id) = self.id {
            request["id"] = json!(id);
        }
        request
    }

    fn response(&self, origin: &Origin, id: ActivityId, kind: ActivityKind) -> Value {
        json!({
            "id": origin.activity(id),
            "type": kind.as_str(),
            "actor": origin.actor(self.critic),
            "to": [self.actor],
            "object": self.document(origin),
        })
    }
}

fn request_context() -> Value {
    json!([AS_CONTEXT, {"QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest"}])
}

/// Returns the Accept of a quote request. Its `result` is the authorization, which others can fetch.
pub fn accept(
    origin: &Origin,
    id: ActivityId,
    request: &QuoteRequest<'_>,
    authorization: AuthorizationId,
) -> Value {
    let mut response = request.response(origin, id, ActivityKind::Accept);
    response["result"] = json!(origin.quote_authorization(authorization));
    with_context(request_context(), response)
}

/// Returns the Reject of a quote request.
pub fn reject(origin: &Origin, id: ActivityId, request: &QuoteRequest<'_>) -> Value {
    with_context(request_context(), request.response(origin, id, ActivityKind::Reject))
}

/// Returns the authorization document, which states that the critic allows the post to quote the review.
pub fn quote_authorization(
    origin: &Origin,
    id: AuthorizationId,
    critic: CriticId,
    note: &str,
    review: ReviewId,
) -> Value {
    let context = json!([AS_CONTEXT, {
        "QuoteAuthorization": "https://w3id.org/fep/044f#QuoteAuthorization",
        "gts": "https://gotosocial.org/ns#",
        "interactingObject": {"@id": "gts:interactingObject", "@type": "@id"},
        "interactionTarget": {"@id": "gts:interactionTarget", "@type": "@id"},
    }]);
    with_context(
        context,
        json!({
            "id": origin.quote_authorization(id),
            "type": "QuoteAuthorization",
            "attributedTo": origin.actor(critic),
            "interactingObject": note,
            "interactionTarget": origin.article(review),
        }),
    )
}

/// Returns the Delete of an authorization. Servers that receive it stop showing the quote.
pub fn revoke(
    origin: &Origin,
    id: ActivityId,
    critic: CriticId,
    authorization: AuthorizationId,
    quoter: &str,
) -> Value {
    with_context(
        json!(AS_CONTEXT),
        json!({
            "id": origin.activity(id),
            "type": ActivityKind::Delete.as_str(),
            "actor": origin.actor(critic),
            "to": [AS_PUBLIC, quoter],
            "cc": [origin.actor_endpoint(critic, "followers")],
            "object": origin.quote_authorization(authorization),
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ACTIVITY, CRITIC, REVIEW, critic, origin};
    use super::*;

    #[test]
    fn an_accept_contains_the_request_and_the_authorization() {
        let (id, authorization) = (ACTIVITY.parse().unwrap(), ACTIVITY.parse().unwrap());
        let actor: Url = "https://m.example/users/117".parse().unwrap();
        let request_id: Url = "https://m.example/users/117/quote_requests/7".parse().unwrap();
        let note: Url = "https://m.example/users/117/statuses/5".parse().unwrap();
        let request = QuoteRequest {
            id: Some(&request_id),
            actor: &actor,
            instrument: &note,
            critic: critic().id,
            review: REVIEW.parse().unwrap(),
        };
        assert_eq!(
            accept(&origin(), id, &request, authorization),
            json!({
                "@context": [AS_CONTEXT, {"QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest"}],
                "id": format!("https://crit.example/ap/activity/{ACTIVITY}"),
                "type": "Accept",
                "actor": format!("https://crit.example/ap/actor/{CRITIC}"),
                "to": [actor],
                "object": {
                    "id": request_id,
                    "type": "QuoteRequest",
                    "actor": actor,
                    "object": format!("https://crit.example/ap/article/{REVIEW}"),
                    "instrument": note,
                },
                "result": format!("https://crit.example/ap/stamp/{ACTIVITY}"),
            })
        );
    }
}
