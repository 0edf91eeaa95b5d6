//! The body of a request to an inbox.

use crate::{assert_comment_is_safe, assert_is_id};
use marquee::federation::vocab::address::{Rules, same_origin};
use marquee::federation::vocab::document::Document;
use marquee::federation::vocab::incoming::{self, Activity, Created, Kind, Undone, Updated};
use marquee::federation::vocab::note::Note;
use marquee::federation::vocab::remote_actor::RemoteActor;

/// Checks one input.
pub fn check_input(data: &[u8]) {
    let Ok(document) = Document::from_slice(data) else {
        assert!(incoming::parse(data, Rules::STRICT).is_err(), "what is no document is no activity");
        return;
    };
    let read = incoming::parse(data, Rules::STRICT);
    // What it says does not depend on how it is written down.
    let again = serde_json::to_vec(&document).expect("JSON");
    let reread = incoming::parse(&again, Rules::STRICT);
    assert_eq!(read.as_ref().ok(), reread.as_ref().ok(), "written down again");
    if let Ok(activity) = read {
        check(&activity);
    }
}

fn check(activity: &Activity) {
    let actor = &activity.actor;
    assert_is_id(actor);
    if let Some(id) = &activity.id {
        assert_is_id(id);
        assert!(same_origin(id, actor), "{id} of {actor}");
    }
    match &activity.kind {
        Kind::Create(Created::Note(note)) | Kind::Update(Updated::Note(note)) => {
            assert!(same_origin(&note.id, actor), "{} of {actor}", note.id);
            assert_eq!(note.attributed_to.as_ref(), Some(actor));
            check_note(note);
        }
        Kind::Update(Updated::Actor(profile)) => {
            assert_eq!(profile.id, *actor);
            check_profile(profile);
        }
        Kind::Create(Created::Reference(id)) | Kind::Update(Updated::Reference(id)) => assert_is_id(id),
        Kind::Undo(Undone::Embedded { actor, .. }) => assert_is_id(actor),
        _ => {}
    }
}

fn check_note(note: &Note) {
    assert_is_id(&note.id);
    assert!(note.content.len() <= 1_000_000, "content is bounded, also where plain text is escaped");
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
