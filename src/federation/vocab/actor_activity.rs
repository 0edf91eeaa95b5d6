//! The activities about a critic's own account.

use serde_json::{Value, json};
use url::Url;

use super::{AS_CONTEXT, AS_PUBLIC, with_context};
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, CriticId};
use crate::domain::origin::Origin;

/// Returns the Update of a critic's profile. `person` is the actor document, whose `@context` becomes that of
/// the activity.
pub fn update_actor(origin: &Origin, id: ActivityId, critic: CriticId, mut person: Value) -> Value {
    let context = person.as_object_mut().and_then(|person| person.shift_remove("@context"));
    with_context(
        context.unwrap_or_else(|| json!(AS_CONTEXT)),
        json!({
            "id": origin.activity(id),
            "type": ActivityKind::Update.as_str(),
            "actor": origin.actor(critic),
            "to": [AS_PUBLIC],
            "cc": [origin.actor_endpoint(critic, "followers")],
            "object": person,
        }),
    )
}

/// Returns the Move of a critic to another account, which asks followers to follow it (FEP-7628).
pub fn move_actor(origin: &Origin, id: ActivityId, critic: CriticId, target: &Url) -> Value {
    let actor = origin.actor(critic);
    with_context(
        json!(AS_CONTEXT),
        json!({
            "id": origin.activity(id),
            "type": ActivityKind::Move.as_str(),
            "actor": actor,
            "to": [origin.actor_endpoint(critic, "followers")],
            "object": actor,
            "target": target,
        }),
    )
}

/// Returns an actor document without its keys, which change independently of the profile.
pub fn without_keys(person: &Value) -> Value {
    let mut person = person.clone();
    if let Some(members) = person.as_object_mut() {
        for key in ["@context", "publicKey", "assertionMethod"] {
            members.shift_remove(key);
        }
    }
    person
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ACTIVITY, CRITIC, origin};
    use super::*;

    #[test]
    fn an_update_contains_the_person_without_its_context() {
        let person = json!({"@context": ["a"], "id": "x", "name": "Ada", "publicKey": {"id": "k"}});
        let activity =
            update_actor(&origin(), ACTIVITY.parse().unwrap(), CRITIC.parse().unwrap(), person.clone());
        assert_eq!((&activity["@context"], &activity["type"]), (&json!(["a"]), &json!("Update")));
        assert_eq!(activity["object"], json!({"id": "x", "name": "Ada", "publicKey": {"id": "k"}}));
        assert_eq!(without_keys(&person), json!({"id": "x", "name": "Ada"}));
    }

    #[test]
    fn a_move_names_the_actor_and_the_target() {
        let target: Url = "https://m.example/users/ada".parse().unwrap();
        let actor = format!("https://crit.example/ap/actor/{CRITIC}");
        assert_eq!(
            move_actor(&origin(), ACTIVITY.parse().unwrap(), CRITIC.parse().unwrap(), &target),
            json!({
                "@context": "https://www.w3.org/ns/activitystreams",
                "id": format!("https://crit.example/ap/activity/{ACTIVITY}"),
                "type": "Move",
                "actor": actor,
                "to": [format!("{actor}/followers")],
                "object": actor,
                "target": "https://m.example/users/ada",
            })
        );
    }
}
