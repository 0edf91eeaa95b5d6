//! The activities about reviews that we send: Create, Update and Delete.

use serde_json::{Value, json};

use super::article::{context, tombstone};
use super::{AS_CONTEXT, AS_PUBLIC, with_context};
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, CriticId};
use crate::domain::origin::Origin;
use crate::domain::review::Review;
use crate::domain::time::Timestamp;

/// Returns the Create of a review (ActivityPub section 6.2). `article` is its object without `@context`.
pub fn create(origin: &Origin, id: ActivityId, review: &Review, article: &Value) -> Value {
    let activity = to_everyone(origin, id, ActivityKind::Create, review.critic, review.released_at, article);
    with_context(context(), activity)
}

/// Returns the Update of a review (ActivityPub section 6.3). `article` is the whole object without `@context`.
/// Its `updated` must be later than what was sent before.
pub fn update(origin: &Origin, id: ActivityId, review: &Review, article: &Value) -> Value {
    let at = review.revised_at.unwrap_or(review.released_at);
    let activity = to_everyone(origin, id, ActivityKind::Update, review.critic, at, article);
    with_context(context(), activity)
}

/// Returns the Delete of a review (ActivityPub section 6.4).
pub fn delete(origin: &Origin, id: ActivityId, review: &Review) -> Value {
    with_context(
        json!(AS_CONTEXT),
        json!({
            "id": origin.activity(id),
            "type": ActivityKind::Delete.as_str(),
            "actor": origin.actor(review.critic),
            "to": [AS_PUBLIC],
            "object": tombstone(origin, review),
        }),
    )
}

fn to_everyone(
    origin: &Origin,
    id: ActivityId,
    kind: ActivityKind,
    critic: CriticId,
    at: Timestamp,
    object: &Value,
) -> Value {
    json!({
        "id": origin.activity(id),
        "type": kind.as_str(),
        "actor": origin.actor(critic),
        "published": at.to_string(),
        "to": [AS_PUBLIC],
        "cc": [origin.actor_endpoint(critic, "followers")],
        "object": object,
    })
}

#[cfg(test)]
mod tests {
    use super::super::article::{InteractionCounts, article};
    use super::super::samples::{ACTIVITY, CRITIC, REVIEW, critic, moment, origin, review};
    use super::*;

    fn id() -> ActivityId {
        ACTIVITY.parse().unwrap()
    }

    fn actor() -> String {
        format!("https://crit.example/ap/actor/{CRITIC}")
    }

    #[test]
    fn a_create_carries_the_whole_article_to_everyone() {
        let object = article(&origin(), &critic(), &review(), InteractionCounts::default());
        let create = create(&origin(), id(), &review(), &object);
        assert_eq!(
            create,
            json!({
                "@context": ["https://www.w3.org/ns/activitystreams", {
                    "Hashtag": "as:Hashtag",
                    "sensitive": "as:sensitive",
                    "dcterms": "http://purl.org/dc/terms/",
                    "gts": "https://gotosocial.org/ns#",
                    "interactionPolicy": {"@id": "gts:interactionPolicy", "@type": "@id"},
                    "canQuote": {"@id": "gts:canQuote", "@type": "@id"},
                    "automaticApproval": {"@id": "gts:automaticApproval", "@type": "@id"},
                }],
                "id": format!("https://crit.example/ap/activity/{ACTIVITY}"),
                "type": "Create",
                "actor": actor(),
                "published": "2026-09-01T09:00:00Z",
                "to": ["https://www.w3.org/ns/activitystreams#Public"],
                "cc": [format!("{}/followers", actor())],
                "object": object,
            })
        );
        assert!(create.to_string().starts_with("{\"@context\""));
    }

    #[test]
    fn an_update_is_like_the_create_but_newer() {
        let mut revised = review();
        revised.revised_at = Some(moment("2026-09-02T10:00:00Z"));
        let object = article(&origin(), &critic(), &revised, InteractionCounts::default());
        let update = update(&origin(), id(), &revised, &object);
        assert_eq!(update["type"], "Update");
        assert_eq!(update["published"], "2026-09-02T10:00:00Z");
        assert_eq!(update["object"]["published"], "2026-09-01T09:00:00Z");
        assert_eq!(update["object"]["updated"], "2026-09-02T10:00:00Z");
        assert_eq!(update["@context"], context());
    }

    #[test]
    fn a_delete_leaves_a_tombstone() {
        let mut retracted = review();
        retracted.retract(moment("2026-09-03T10:00:00Z")).unwrap();
        assert_eq!(
            delete(&origin(), id(), &retracted),
            json!({
                "@context": "https://www.w3.org/ns/activitystreams",
                "id": format!("https://crit.example/ap/activity/{ACTIVITY}"),
                "type": "Delete",
                "actor": actor(),
                "to": ["https://www.w3.org/ns/activitystreams#Public"],
                "object": {
                    "id": format!("https://crit.example/ap/article/{REVIEW}"),
                    "type": "Tombstone",
                    "formerType": "Article",
                    "deleted": "2026-09-03T10:00:00Z",
                },
            })
        );
    }
}
