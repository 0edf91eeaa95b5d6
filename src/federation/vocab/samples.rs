//! Sample data for the tests of this module: a site, a critic, a review and a remote actor.

use serde_json::{Value, json};

use super::json_document::JsonDocument;
use super::remote_actor::RemoteActor;
use super::url_rules::UrlRules;
use crate::domain::critic::{Critic, CriticProfile, ProfileLink};
use crate::domain::film::Film;
use crate::domain::origin::Origin;
use crate::domain::rating::Rating;
use crate::domain::review::{Media, Poster, Review, ReviewContent, ReviewState};
use crate::domain::time::Timestamp;

pub(super) const CRITIC: &str = "01CRT1C0000000000000000000";
pub(super) const REVIEW: &str = "01REV1EW000000000000000000";
pub(super) const ACTIVITY: &str = "01ACT1V1TY0000000000000000";

/// The id of a remote actor.
pub(super) const BOB: &str = "https://m.example/users/bob";

pub(super) fn origin() -> Origin {
    Origin::parse("https://crit.example").unwrap()
}

pub(super) fn moment(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

pub(super) fn critic() -> Critic {
    Critic {
        id: CRITIC.parse().unwrap(),
        profile: CriticProfile {
            handle: "ada".to_owned(),
            name: "Ada <Critic>".to_owned(),
            summary: "Films & more.\n\nSince 1999.".to_owned(),
            avatar: None,
            links: vec![ProfileLink {
                name: "Old \"blog\"".to_owned(),
                url: "https://old.example/films/".parse().unwrap(),
            }],
            also_known_as: vec![],
            attribution_domains: Vec::new(),
            hide_followers: false,
        },
        moved_to: None,
        avatar: Some(("face.png".to_owned(), "image/png".to_owned())),
        created_at: moment("2026-01-01T00:00:00Z"),
    }
}

pub(super) fn review() -> Review {
    Review {
        id: REVIEW.parse().unwrap(),
        create_activity: crate::domain::id::ActivityId::new(crate::domain::time::Timestamp::from_millis(1)),
        critic: CRITIC.parse().unwrap(),
        slug: "stalker-1979".to_owned(),
        state: ReviewState::Published,
        content: ReviewContent {
            title: "Stalker: the room you must not enter".to_owned(),
            subtitle: Some("Wish & fear".to_owned()),
            body: "<p>It is <em>slow</em>.</p><p>It has to be.</p>".to_owned(),
            teaser: "Three men walk into the Zone. See https://spoiler.example/ for more.".to_owned(),
            film: Film {
                title: "Stalker".to_owned(),
                year: Some(1979),
                directors: vec!["Andrei Tarkovsky".to_owned()],
                writers: vec!["Arkady Strugatsky".to_owned(), "Boris Strugatsky".to_owned()],
                stars: vec!["Alisa Freindlich".to_owned()],
                release_date: None,
                identity: Some("https://www.themoviedb.org/movie/1398".parse().unwrap()),
            },
            rating: Rating::parse("★★★★½"),
            tags: vec!["Andrei Tarkovsky".to_owned(), "1979".to_owned()],
            language: Some("en".to_owned()),
            poster: Some(Poster {
                url: "https://old.example/stalker.jpg".parse().unwrap(),
                alt: Some("A man lies in shallow water".to_owned()),
            }),
            ..ReviewContent::default()
        },
        poster: Some(Media {
            id: "01MED1A0000000000000000000".parse().unwrap(),
            name: "stalker.jpg".to_owned(),
            media_type: "image/jpeg".to_owned(),
            width: 1000,
            height: 1500,
            source: "https://old.example/stalker.jpg".to_owned(),
        }),
        feed: None,
        original_date: moment("2026-09-01T09:00:00Z"),
        released_at: moment("2026-09-01T09:00:00Z"),
        revised_at: None,
        corrected: Vec::new(),
        retracted_at: None,
    }
}

/// Parses an actor document.
pub(super) fn parse_actor(value: &Value) -> RemoteActor {
    let document = JsonDocument::from_slice(value.to_string().as_bytes()).unwrap();
    RemoteActor::parse(&document, UrlRules::STRICT).unwrap()
}

/// The actor document of `BOB`.
pub(super) fn remote_person() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
        "id": BOB,
        "type": "Person",
        "preferredUsername": "bob",
        "name": "Bob\u{202e} \n the <b>Great</b>",
        "summary": "<p>Hi</p>",
        "url": "https://m.example/@bob",
        "inbox": format!("{BOB}/inbox"),
        "outbox": format!("{BOB}/outbox"),
        "followers": format!("{BOB}/followers"),
        "endpoints": {"sharedInbox": "https://m.example/inbox"},
        "icon": {"type": "Image", "mediaType": "image/png", "url": "https://files.example/bob.png"},
        "alsoKnownAs": ["https://old.example/users/bob"],
        "publicKey": {"id": format!("{BOB}#main-key"), "owner": BOB, "publicKeyPem": "PEM"},
    })
}
