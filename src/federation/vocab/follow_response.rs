//! The responses to a Follow that we send: Accept and Reject.

use serde_json::{Value, json};
use url::Url;

use super::{AS_CONTEXT, with_context};
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, CriticId};
use crate::domain::origin::Origin;

/// Returns the Accept of a Follow (ActivityPub section 6.5). It embeds the Follow, since some servers find it
/// by its members rather than by its id, which may be missing.
pub fn accept_follow(
    origin: &Origin,
    id: ActivityId,
    critic: CriticId,
    follower: &Url,
    follow: Option<&Url>,
) -> Value {
    respond_to_follow(origin, id, ActivityKind::Accept, critic, follower, follow)
}

/// Returns the Reject of a Follow, which also removes an existing follower (ActivityPub section 7.7).
pub fn reject_follow(
    origin: &Origin,
    id: ActivityId,
    critic: CriticId,
    follower: &Url,
    follow: Option<&Url>,
) -> Value {
    respond_to_follow(origin, id, ActivityKind::Reject, critic, follower, follow)
}

fn respond_to_follow(
    origin: &Origin,
    id: ActivityId,
    kind: ActivityKind,
    critic: CriticId,
    follower: &Url,
    follow: Option<&Url>,
) -> Value {
    let actor = origin.actor(critic);
    let mut object = json!({"type": "Follow", "actor": follower, "object": actor});
    if let Some(follow) = follow {
        object["id"] = json!(follow);
    }
    with_context(
        json!(AS_CONTEXT),
        json!({
            "id": origin.activity(id),
            "type": kind.as_str(),
            "actor": actor,
            "to": [follower],
            "object": object,
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ACTIVITY, CRITIC, critic, origin};
    use super::*;

    fn id() -> ActivityId {
        ACTIVITY.parse().unwrap()
    }

    fn actor() -> String {
        format!("https://crit.example/ap/actor/{CRITIC}")
    }

    #[test]
    fn an_accept_repeats_the_follow() {
        let follower: Url = "https://m.example/users/117".parse().unwrap();
        let follow: Url = "https://m.example/ff0c".parse().unwrap();
        let accept = accept_follow(&origin(), id(), critic().id, &follower, Some(&follow));
        assert_eq!(
            accept,
            json!({
                "@context": "https://www.w3.org/ns/activitystreams",
                "id": format!("https://crit.example/ap/activity/{ACTIVITY}"),
                "type": "Accept",
                "actor": actor(),
                "to": ["https://m.example/users/117"],
                "object": {
                    "id": "https://m.example/ff0c",
                    "type": "Follow",
                    "actor": "https://m.example/users/117",
                    "object": actor(),
                },
            })
        );
        let nameless = accept_follow(&origin(), id(), critic().id, &follower, None);
        assert!(nameless["object"].get("id").is_none());
    }
}
