//! The target `inbox`: the body of a request to an inbox.

use crate::{assert_comment_is_safe, assert_is_id};
use marquee::federation::vocab::json_document::JsonDocument;
use marquee::federation::vocab::remote_activity::{
    self, CreateObject, InboundActivityKind, RemoteActivity, UndoTarget, UpdateObject,
};
use marquee::federation::vocab::remote_actor::RemoteActor;
use marquee::federation::vocab::remote_note::RemoteNote;
use marquee::federation::vocab::url_rules::{UrlRules, same_origin};

/// Checks one input.
pub fn check_input(data: &[u8]) {
    let Ok(document) = JsonDocument::from_slice(data) else {
        assert!(
            remote_activity::parse(data, UrlRules::STRICT).is_err(),
            "an invalid document is not an activity"
        );
        return;
    };
    let parsed = remote_activity::parse(data, UrlRules::STRICT);
    // The meaning must not depend on how the document is serialized.
    let again = serde_json::to_vec(&document).expect("JSON");
    let reparsed = remote_activity::parse(&again, UrlRules::STRICT);
    assert_eq!(parsed.as_ref().ok(), reparsed.as_ref().ok(), "after serializing it again");
    if let Ok(activity) = parsed {
        check(&activity);
    }
}

fn check(activity: &RemoteActivity) {
    let actor = &activity.actor;
    assert_is_id(actor);
    if let Some(id) = &activity.id {
        assert_is_id(id);
        assert!(same_origin(id, actor), "{id} of {actor}");
    }
    match &activity.kind {
        InboundActivityKind::Create(CreateObject::Note(note))
        | InboundActivityKind::Update(UpdateObject::Note(note)) => {
            assert!(same_origin(&note.id, actor), "{} of {actor}", note.id);
            assert_eq!(note.attributed_to.as_ref(), Some(actor));
            check_note(note);
        }
        InboundActivityKind::Update(UpdateObject::Actor(profile)) => {
            assert_eq!(profile.id, *actor);
            check_profile(profile);
        }
        InboundActivityKind::Create(CreateObject::Reference(id))
        | InboundActivityKind::Update(UpdateObject::Reference(id)) => assert_is_id(id),
        InboundActivityKind::Undo(UndoTarget::Embedded { actor, .. }) => assert_is_id(actor),
        _ => {}
    }
}

fn check_note(note: &RemoteNote) {
    assert_is_id(&note.id);
    assert!(note.content.len() <= 1_000_000, "the content is too long");
    let is_one_line = |text: &String| !text.contains(['\n', '\r', '\0']);
    assert!(note.name.iter().chain(&note.summary).all(is_one_line), "{note:?}");
    if note.content.len() < 4096 {
        assert_comment_is_safe(&note.content);
    }
}

fn check_profile(profile: &RemoteActor) {
    assert!(profile.shared_inbox.iter().all(|inbox| same_origin(inbox, &profile.id)), "{profile:?}");
    for key in &profile.keys {
        assert!(key.owner == profile.id && same_origin(&key.id, &profile.id), "{profile:?}");
    }
}
